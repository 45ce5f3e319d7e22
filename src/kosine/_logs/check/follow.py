"""The ways in which a run follows its plan: a `Diagnosis` where it does, else None.

Each is given only where the rows are enough to say so; else it is "too little".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.check.diagnosis import Cause, Diagnosis, VerdictKind
from kosine._logs.check.evidence import lack_of_evidence
from kosine._logs.check.run_length import find_scale
from kosine._logs.check.wording import lag_text, number, rows_text
from kosine._logs.precision import NEARLY

if TYPE_CHECKING:
    from kosine._logs.check.alignment import Alignment
    from kosine._logs.check.shifts import Interval, Shifts

_FEWEST = 3  # rates that show a log which begins mid-run


def follows(aligned: Alignment) -> Diagnosis | None:
    way = next((way for way in aligned.conventions() if way.explains_all()), None)
    return None if way is None else _following(way, f"{verb(way)}.")


def nearly_follows(aligned: Alignment) -> Diagnosis | None:
    """Rows that are off by a little more than their print leaves open, as `infer` takes them too."""
    for way in aligned.conventions():
        if way.reread(slack=NEARLY).explains_all():
            worst = max(float(way.half_widths_off(index).max()) for index in way.blocks())
            more = f" Its furthest row is {worst:.2f} times as far off as its print leaves open."
            return _following(way.reread(slack=NEARLY), f"{verb(way)}.{more}", "nearly")
    return None


def _following(way: Alignment, sentence: str, cause: Cause | None = None) -> Diagnosis:
    lack = lack_of_evidence(way)
    if lack:
        return Diagnosis("too little", way, lack, cause)
    kind: VerdictKind = "offset" if way.offset or way.averaged else "follows"
    return Diagnosis(kind, way, sentence, cause)


def verb(way: Alignment) -> str:
    """What the rows of a log do, read in one of the ways in which logs count."""
    if way.offset or way.averaged:
        return f"The log follows the plan with an offset: {convention(way)}"
    return f"The log follows the plan: {_covered(way)}"


def _covered(way: Alignment) -> str:
    steps = way.steps(np.array([0, len(way) - 1]))
    total = way.plan.total_steps
    of = f" of {total:,}" if total is not None else ""
    return f"its {rows_text(len(way))} cover steps {steps[0]:,} to {steps[1]:,}{of}"


def convention(way: Alignment) -> str:
    """A clause that says which step's rate each row shows."""
    if way.trace.axis != "epoch":
        if abs(way.offset) > 1:
            return f"{_begins(way)} ({way.offset:+,} steps)"
        shown = "each row shows the rate of the next step" if way.offset > 0 else "its steps are counted from 1"
        return f"{shown} ({way.offset:+})"
    epoch = way.steps_per_epoch
    counted = "" if way.offset >= 0 else ", and epochs are counted from 1"
    if way.averaged:
        return f"each row shows the mean of its epoch{counted}"
    if way.offset not in (0, -epoch, epoch - 1, -1, epoch):
        return f"{_begins(way)} ({way.offset:+,} steps)"
    batch = {0: "first", -epoch: "first", epoch - 1: "last", -1: "last"}.get(way.offset, "next epoch's first")
    whose = "the" if batch.startswith("next") else "its epoch's"
    return f"each row shows the rate of {whose} {batch} batch{counted} ({way.offset:+,} steps)"


def _begins(way: Alignment) -> str:
    first = int(way.steps(slice(0, 1))[0])
    return f"it counts from {number(way.trace.positions[0])}, but begins at step {first:,} of the plan"


def late_by_an_epoch(aligned: Alignment) -> Diagnosis | None:
    """A scheduler that is given the number of the last epoch: the first two epochs have the first one's rates.

    A log of epochs then shows the rates of the epoch before, as DeiT's does. In a log of steps the run is late.
    """
    epoch = aligned.plan.run.steps_per_epoch
    by_epoch = aligned.trace.axis == "epoch"
    if epoch is None or (epoch < 2 and not by_epoch):
        return None
    if aligned.own_step(0) >= epoch + by_epoch or aligned.own_step(-1) < epoch:
        return None
    for way in aligned.conventions():
        late = way.reread(offset=way.offset - epoch)
        if way.averaged or (by_epoch and way.offset not in (0, -epoch)) or late.first(late.differ) is not None:
            continue
        late_by = lag_text(epoch, aligned.trace, epoch)
        called = "as if the scheduler were called after the epoch with that epoch's own number"
        if by_epoch:
            later = late.reread(early=True)
            sentence = (
                f"The log follows the plan with an offset of {late_by}: each row shows the rate of the epoch before, "
                f"and the first row that of the plan's first epoch, {called} ({late.offset:+,} steps)."
            )
            return _following(later, sentence, "late by an epoch")
        sentence = (
            f"The log lags behind the plan by {late_by}: each epoch has the rates of the one before, and the first one "
            f"holds the plan's first rate, {called}."
        )
        return Diagnosis("lags", way, sentence, "late by an epoch")
    return None


def begins_elsewhere(shifts: Shifts) -> Diagnosis | None:
    """A log that counts from elsewhere than the plan does."""
    if np.unique(shifts.aligned.trace.rates[: 2**16]).size < _FEWEST:
        return None
    return _begins_later(shifts) or _begins_earlier(shifts)


def _begins_later(shifts: Shifts) -> Diagnosis | None:
    """A log that counts from 0 although the run was in the middle of its plan."""
    aligned = shifts.aligned
    first, last = aligned.own_step(0), aligned.own_step(-1)
    if first > aligned.typical_gap():
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
    way = aligned.reread(offset=run.shift)
    return _following(way, f"{verb(way)}.")


def _begins_earlier(shifts: Shifts) -> Diagnosis | None:
    """A log that goes on beyond the plan's end, of a plan whose first steps lie before it.

    `infer` plans a log that begins mid-run so. A run that restarted stays within the steps of its plan.
    """
    aligned = shifts.aligned
    first, last, total = aligned.own_step(0), aligned.own_step(-1), aligned.plan.total_steps
    if total is None or first < 1 or last <= total:
        return None

    def preferred(allowed: tuple[Interval, ...]) -> int:
        """The shift with which the log begins where the plan does, if it is allowed; else the nearest to that."""
        inside = [interval for interval in allowed if interval[0] <= -1 and interval[1] >= -first]
        return min(
            (min(max(-first, low), high) for low, high in inside or allowed), key=lambda shift: abs(shift + first)
        )

    run = shifts.longest_run(0, preferred)
    if run is None or run.stop < len(aligned) or run.shift >= 0 or last + run.shift > total:
        return None
    way = aligned.reread(offset=run.shift)
    return _following(way, f"{verb(way)}.")
