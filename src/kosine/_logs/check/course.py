"""Runs whose schedule went by at another pace, restarted or jumped: a `Diagnosis` where that explains every row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kosine._logs.check.diagnosis import Diagnosis, Jump, VerdictKind
from kosine._logs.check.lag import skips_of
from kosine._logs.check.pace import find_epoch_steps, find_pace
from kosine._logs.check.wording import difference, factor_text, jump_text, place, steps_text

if TYPE_CHECKING:
    from kosine._logs.check.alignment import Alignment
    from kosine._logs.check.jumps import ShiftPath
    from kosine._logs.trace import Trace

_FEWEST = 3  # rows that show means
_USUAL = 16  # processes or accumulated batches; above, powers of two are usual


# --- the schedule went by at another pace -----------------------------------------------------------------------------


def other_pace(aligned: Alignment) -> Diagnosis | None:
    paced = find_pace(aligned)
    if paced is None:
        return None
    factor = paced.factor
    if not factor:
        sentence = (
            f"The log is too slow: its rate never moves from that of the plan's first step, {aligned.plan(0):.6g}, as "
            "if the scheduler were never called."
        )
        return Diagnosis("too slow", paced, sentence, "never moves")
    epoch = aligned.plan.run.steps_per_epoch
    if factor > 1:
        count = factor.numerator
        why = f"as if each of {count:,} processes, or each of {count:,} accumulated batches, had called the scheduler"
        if count == epoch:
            why = f"an epoch has {count:,} steps: the log's steps are epochs"
        sentence = f"The log is too fast: the schedule goes by {count:,} times as fast as planned ({why})."
        return Diagnosis("too fast", paced, sentence)
    count = factor.denominator
    why = f"as if the scheduler were called once for {count:,} batches, such as those of gradient accumulation"
    if count == epoch:
        why = f"an epoch has {count:,} steps: the scheduler is called once an epoch, where the plan counts steps"
    sentence = f"The log is too slow: the schedule goes by at {factor_text(factor)} of the planned speed ({why})."
    return Diagnosis("too slow", paced, sentence, "once an epoch" if count == epoch else None)


def is_unusual(found: Diagnosis) -> bool:
    """Whether a pace is one that nothing usual makes: rows that skip most of each cycle have it by chance."""
    factor, epoch = found.aligned.factor, found.aligned.plan.run.steps_per_epoch
    return factor > _USUAL and factor.numerator & (factor.numerator - 1) != 0 and factor != epoch


def moves_once_an_epoch(aligned: Alignment) -> Diagnosis | None:
    held = find_epoch_steps(aligned)
    if held is None:
        return None
    read = aligned.reread(offset=held.offset + held.phase)
    if read.explains_all():  # the log is too short to show that it moves only there
        return None
    sentence = f"{difference(read)} The rate moves only once an epoch, every {steps_text(held.every)}."
    return Diagnosis("differs", read, sentence, "once an epoch")


# --- the run restarted or jumped --------------------------------------------------------------------------------------


def jumped(aligned: Alignment, path: ShiftPath) -> Diagnosis:
    trace, jumps = aligned.trace, []
    for number_, (row, before, after) in enumerate(path.jumps):
        own = aligned.own_step(row)
        if number_ == 0 and path.again and trace.axis == "epoch":
            jumps.append(Jump(trace.positions[row].item(), before - after, 0))
        elif number_ == 0 and path.again:  # it began again at the plan's first step, before this row
            began = min(max(0, path.offset) - after, own)
            position = began / aligned.steps_per_unit
            at = int(position) if position.denominator == 1 else float(position)
            jumps.append(Jump(at, began + before, began + after))
        else:
            jumps.append(Jump(trace.positions[row].item(), own + before, own + after))
    more = f" It jumps {len(jumps) - 1} more time{'s' if len(jumps) > 2 else ''}." if len(jumps) > 1 else ""
    jump = jumps[0]
    sentence = _restarted(trace, jump) if path.again else f"The log jumped {jump_text(trace, jump)} of the plan."
    kind: VerdictKind = "restarted" if path.again else "jumped"
    return Diagnosis(
        kind, aligned.reread(offset=path.offset), sentence + more, None, skips_of(trace, path), tuple(jumps)
    )


def means_restarted(best: Alignment) -> Diagnosis | None:
    """A log of means whose plan began again with an epoch."""
    row = best.first_miss()
    if not best.averaged or not row or len(best) - row < _FEWEST:
        return None
    own = best.own_step(row)
    if best.reread(offset=-own).first_miss(row) is not None:
        return None
    jump = Jump(best.trace.positions[row].item(), own + best.offset, 0)
    return Diagnosis("restarted", best, _restarted(best.trace, jump), jumps=(jump,))


def _restarted(trace: Trace, jump: Jump) -> str:
    return (
        f"The log restarted at {place(trace, jump.position)}: there the schedule begins again at its first step, "
        f"where step {jump.before:,} would have come (a resume lost the state)."
    )
