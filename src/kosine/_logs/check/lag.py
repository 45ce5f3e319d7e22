"""Runs that fell behind their plan: optimizer steps that were skipped, or schedulers that were not called."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kosine._logs.check.diagnosis import Cause, Diagnosis, Skips, declared_skips, total_skipped
from kosine._logs.check.evidence import lack_of_evidence
from kosine._logs.check.wording import lag_text, place, steps_text

if TYPE_CHECKING:
    from kosine._logs.check.alignment import Alignment
    from kosine._logs.check.jumps import ShiftPath
    from kosine._logs.trace import Trace

_BURST = 64  # steps in which the scale of the loss is found,
_BY_THEN = 32  # of them skipped at most,
_AT_A_TIME = 3  # and later at a time,
_STEPS_OF_A_SKIP = 500  # and one more in so many steps
_MOST_EPOCHS = 3  # that a run lags behind; further back it jumped


def lags_as_declared(aligned: Alignment) -> Diagnosis | None:
    skips = declared_skips(aligned.trace)
    for way in aligned.conventions() if skips else ():
        if way.reread(declared=True).explains_all():
            lack = lack_of_evidence(way.reread(declared=True))
            if lack:
                return Diagnosis("too little", way, lack, "declared skips", skips=skips)
            sentence = (
                f"The log lags behind the plan by {steps_text(total_skipped(skips))} that the optimizer skipped, as "
                f"the log itself declares: {_where(aligned.trace, skips)}."
            )
            return Diagnosis("lags", way, sentence, "declared skips", skips=skips)
    return None


def lags(aligned: Alignment, path: ShiftPath) -> Diagnosis:
    trace, skips = aligned.trace, skips_of(aligned.trace, path)
    lost, declared = total_skipped(skips), total_skipped(trace.skipped)
    more = f" The log declares {declared:,} skipped steps, which do not account for it." if declared else ""
    why, cause = _why(aligned, path)
    late = lag_text(lost, trace, aligned.plan.run.steps_per_epoch)
    sentence = f"The log lags behind the plan by {late}{why}: {_where(trace, skips)}.{more}"
    return Diagnosis("lags", aligned.reread(offset=path.offset), sentence, cause, skips=skips)


def without_whole_epochs(aligned: Alignment, path: ShiftPath) -> ShiftPath | None:
    """A path whose one jump goes back by a few whole epochs, as a lag; None for other paths."""
    epoch = aligned.plan.run.steps_per_epoch
    if epoch is None or len(path.jumps) != 1 or path.skips or path.again:
        return None
    row, before, after = path.jumps[0]
    late = before - after
    if late % epoch or not 0 < late <= _MOST_EPOCHS * epoch:
        return None
    return replace(path, skips=((row, late),), jumps=())


def _why(aligned: Alignment, path: ShiftPath) -> tuple[str, Cause | None]:
    """What may have made a run late. Mixed precision skips single steps, and at first a burst of them."""
    them = "it" if len(path.skips) == 1 and path.skips[0][1] == 1 else "them"
    epoch = aligned.plan.run.steps_per_epoch
    if aligned.trace.axis != "epoch" and _few_at_a_time(aligned, path):
        return f", as if the optimizer had skipped {them} (mixed precision does, where gradients overflow)", (
            "mixed precision"
        )
    if len(path.skips) == 1 and epoch and epoch > 1 and path.skips[0][1] == epoch:
        return ", as if the scheduler had not been called in an epoch, or a resume had trained one again", None
    return ", as if the scheduler had not been called in them, or a resume had trained them again", None


def _few_at_a_time(aligned: Alignment, path: ShiftPath) -> bool:
    """Whether steps were skipped as mixed precision skips them."""
    burst, before, early = _BURST + 2 * aligned.typical_gap(), 0, 0
    for row, count in path.skips:
        own = aligned.own_step(row)
        if own <= burst:
            early += count
        elif count > _AT_A_TIME + (own - before) // _STEPS_OF_A_SKIP:
            return False
        before = own
    return early <= _BY_THEN


def skips_of(trace: Trace, path: ShiftPath) -> Skips:
    return tuple((trace.positions[row].item(), count) for row, count in path.skips)


def _where(trace: Trace, skips: Skips) -> str:
    first, last = skips[0], skips[-1]
    if len(skips) == 1:
        return f"all of them by {place(trace, first[0])}" if first[1] > 1 else f"by {place(trace, first[0])}"
    return f"the first by {place(trace, first[0])}, the last by {place(trace, last[0])}"
