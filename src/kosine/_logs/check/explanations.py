"""What may have happened to a run, one function each: a `Diagnosis` where it explains every row, else None."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.check.diagnosis import Diagnosis, Jump, Skips, VerdictKind, declared_skips, total_skipped
from kosine._logs.check.pace import find_epoch_steps, find_pace
from kosine._logs.check.run_length import find_length, find_scale
from kosine._logs.check.wording import difference_text, factor_text, jump_text, number, place, steps_text

if TYPE_CHECKING:
    from kosine._logs.check.alignment import Alignment
    from kosine._logs.check.jumps import ShiftPath
    from kosine._logs.check.shifts import Interval, Shifts
    from kosine._logs.trace import Trace

_FEWEST = 3  # rates that show a log which begins mid-run, and rows that show means


# --- the run followed its plan ----------------------------------------------------------------------------------------


def follows(aligned: Alignment) -> Diagnosis | None:
    for way in aligned.conventions():
        if way.explains_all():
            if way.is_plain:
                return Diagnosis("follows", way, f"The log follows the plan: {_covered(way)}.")
            return Diagnosis("offset", way, f"The log follows the plan with an offset: {_convention(way)}.")
    return None


def _covered(aligned: Alignment) -> str:
    steps = aligned.steps(np.array([0, len(aligned) - 1]))
    total = aligned.plan.total_steps
    of = f" of {total:,}" if total is not None else ""
    if len(aligned) == 1:
        return f"its one row is at step {steps[0]:,}{of}"
    return f"its {len(aligned):,} rows cover steps {steps[0]:,} to {steps[1]:,}{of}"


def _convention(way: Alignment) -> str:
    """A clause that says which step's rate each row shows."""
    if way.trace.axis != "epoch":
        shown = "each row shows the rate of the next step" if way.offset > 0 else "its steps are counted from 1"
        return f"{shown} ({way.offset:+})"
    epoch = way.steps_per_epoch
    counted = "" if way.offset >= 0 else ", and epochs are counted from 1"
    if way.averaged:
        return f"each row shows the mean of its epoch{counted}"
    batch = {0: "first", -epoch: "first", epoch - 1: "last", -1: "last"}.get(way.offset, "next epoch's first")
    whose = "the" if batch.startswith("next") else "its epoch's"
    return f"each row shows the rate of {whose} {batch} batch{counted} ({way.offset:+,} steps)"


def begins_mid_run(shifts: Shifts) -> Diagnosis | None:
    """A log that counts from 0 although the run was in the middle of its plan."""
    aligned = shifts.aligned
    first, last = aligned.own_step(0), aligned.own_step(-1)
    if first > aligned.typical_gap() or np.unique(aligned.trace.rates[: 2**16]).size < _FEWEST:
        return None
    total = aligned.plan.total_steps
    fewest = aligned.steps_per_epoch + 1  # a smaller shift is one of the conventions

    def preferred(allowed: tuple[Interval, ...]) -> int:
        """The shift with which the log ends where the run does, if it is allowed; else the least."""
        later = [(max(low, fewest), high) for low, high in allowed if high >= fewest]
        if total is not None and any(low <= total - 1 - last <= high for low, high in later):
            return total - 1 - last
        return later[0][0] if later else allowed[0][0]

    run = shifts.longest_run(0, preferred)
    if run is None or run.stop < len(aligned) or run.shift < fewest:
        return None
    if total is not None and last + run.shift > total:
        return None  # the log is as long as the run: something was left out of it
    ends = total is not None and total - last - run.shift <= aligned.typical_gap()
    if not ends and find_scale(aligned) is not None:
        return None  # a multiple of this curve looks like its further course
    sentence = (
        f"The log follows the plan with an offset: it counts from {number(aligned.trace.positions[0])}, but begins at "
        f"step {first + run.shift:,} of the plan ({run.shift:+,} steps)."
    )
    return Diagnosis("offset", aligned.reread(offset=run.shift), sentence)


# --- optimizer steps were skipped -------------------------------------------------------------------------------------


def lags_as_declared(aligned: Alignment) -> Diagnosis | None:
    skips = declared_skips(aligned.trace)
    for way in aligned.conventions() if skips else ():
        if way.reread(declared=True).explains_all():
            sentence = (
                f"The log lags behind the plan by {steps_text(total_skipped(skips))} that the optimizer skipped, as "
                f"the log itself declares: {_where(aligned.trace, skips)}."
            )
            return Diagnosis("lags", way, sentence, skips=skips)
    return None


def lags_an_epoch(aligned: Alignment) -> Diagnosis | None:
    """A scheduler that is given the number of the last epoch: the first two epochs have the first one's rates."""
    epoch = aligned.plan.run.steps_per_epoch
    if epoch is None or epoch < 2 or aligned.own_step(0) >= epoch or aligned.own_step(-1) < epoch:
        return None
    for way in aligned.conventions():
        late = way.reread(offset=way.offset - epoch)
        if not way.averaged and late.first(late.differ) is None:
            sentence = (
                f"The log lags behind the plan by one epoch ({steps_text(epoch)}): each epoch has the rates of the one "
                "before, and the first one holds the plan's first rate, as if the scheduler were called after the "
                "epoch with that epoch's own number."
            )
            return Diagnosis("lags", way, sentence)
    return None


def lags(aligned: Alignment, path: ShiftPath) -> Diagnosis:
    skips = _skips_of(aligned.trace, path)
    lost, declared = total_skipped(skips), total_skipped(aligned.trace.skipped)
    more = f" The log declares {declared:,} skipped steps, which do not account for it." if declared else ""
    them = "it" if lost == 1 else "them"
    sentence = (
        f"The log lags behind the plan by {steps_text(lost)}, as if the optimizer had skipped {them} "
        f"(mixed precision does, where gradients overflow): {_where(aligned.trace, skips)}.{more}"
    )
    return Diagnosis("lags", aligned.reread(offset=path.offset), sentence, skips=skips)


def _skips_of(trace: Trace, path: ShiftPath) -> Skips:
    return tuple((trace.positions[row].item(), count) for row, count in path.skips)


def _where(trace: Trace, skips: Skips) -> str:
    first, last = skips[0], skips[-1]
    if len(skips) == 1:
        return f"all of them by {place(trace, first[0])}" if first[1] > 1 else f"by {place(trace, first[0])}"
    return f"the first by {place(trace, first[0])}, the last by {place(trace, last[0])}"


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
        return Diagnosis("too slow", paced, sentence)
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
    return Diagnosis("too slow", paced, sentence)


def moves_once_an_epoch(aligned: Alignment) -> Diagnosis | None:
    held = find_epoch_steps(aligned)
    if held is None:
        return None
    read = aligned.reread(offset=held.offset)
    if read.explains_all():  # the log is too short to show that it moves only there
        return None
    sentence = f"{_difference(read)} The rate moves only once an epoch, every {steps_text(held.every)}."
    return Diagnosis("differs", read, sentence)


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
    return Diagnosis(kind, aligned.reread(offset=path.offset), sentence + more, _skips_of(trace, path), tuple(jumps))


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


# --- the run followed another plan ------------------------------------------------------------------------------------


def other_scale(aligned: Alignment) -> Diagnosis | None:
    for way in aligned.conventions():
        scale = find_scale(way)
        if scale is not None:
            why = f"Its rates are {scale:.6g} times those of the plan throughout."
            return Diagnosis("differs", way, f"{_difference(way)} {why}")
    return None


def other_length(aligned: Alignment, best: Alignment) -> Diagnosis | None:
    skips = declared_skips(aligned.trace)
    ways = [way for way in (best, *aligned.conventions()) if not way.averaged]
    ways += [way.reread(declared=True) for way in ways] if skips else []
    lengths = [(found[1], found[0], way) for way in ways if (found := find_length(way))]
    if not lengths:
        return None
    off, length, way = min(lengths, key=lambda each: each[0])
    fits = "It follows" if not off else f"All but {off:,} of {len(aligned):,} rows follow"
    why = f"{fits} the same schedule planned for {steps_text(length)} instead of {aligned.plan.total_steps:,}"
    why += f", less the {steps_text(total_skipped(skips))} that the log declares as skipped." if way.declared else "."
    plain = way.reread(declared=False)
    return Diagnosis("differs", plain, f"{_difference(plain)} {why}", skips=skips if way.declared else ())


def differs(best: Alignment, complete: bool) -> Diagnosis:
    """Where nothing explains the log; `complete` says whether every path of skips and jumps was looked at."""
    more = "" if complete else " The search for skipped steps and jumps that explain it reached its limit."
    return Diagnosis("differs", best, _difference(best) + more)


def _difference(aligned: Alignment) -> str:
    row = aligned.first_miss()
    assert row is not None  # else the log would follow
    expected, found = float(aligned.planned(slice(row, row + 1))[0]), float(aligned.trace.rates[row])
    offset = f" (read with an offset of {aligned.offset:+,})" if aligned.offset else ""
    return (
        f"The log differs from the plan from {place(aligned.trace, aligned.trace.positions[row])} on{offset}: "
        f"{difference_text(expected, found, 6)}."
    )
