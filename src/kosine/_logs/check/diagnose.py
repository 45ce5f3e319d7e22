"""The simplest explanation of every row of a log, as a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from kosine._logs.check.alignment import Alignment
from kosine._logs.check.allowed import Allowed
from kosine._logs.check.breaks import changed_by_hand, stopped
from kosine._logs.check.course import is_unusual, jumped, means_restarted, moves_once_an_epoch, other_pace
from kosine._logs.check.diagnosis import Diagnosis, VerdictKind, total_skipped
from kosine._logs.check.follow import begins_elsewhere, follows, late_by_an_epoch, nearly_follows
from kosine._logs.check.jumps import ShiftPath, find_path, find_skips
from kosine._logs.check.lag import lags, lags_as_declared, without_whole_epochs
from kosine._logs.check.oddities import has_odd_rows
from kosine._logs.check.other_plan import (
    another_plan,
    declared_and_another_length,
    nearly_another_length,
    no_warmup,
    other_scale,
)
from kosine._logs.check.remarks import remarks_on
from kosine._logs.check.shifts import Shifts
from kosine._logs.check.verdict import Point, Verdict
from kosine._logs.check.wording import difference, steps_text
from kosine._logs.work import OutOfWorkError

_FEWEST = 3  # rows that can say what became of a run

_IN_THE_PLAN: tuple[VerdictKind, ...] = ("lags", "too fast", "too slow", "restarted", "jumped")
"""Kinds whose every row shows a rate of the plan, in the way that the verdict says."""


def diagnose(aligned: Alignment, allowed: Allowed) -> Verdict:
    """The verdict on a log whose rows are read as their own steps."""
    found = next(filter(None, _explanations(aligned)))
    # the differences are those of the rows as a reader sees them: with an offset, but at the planned pace
    read = found.aligned.reread(factor=Fraction(1), phase=0, every=1, declared=False)
    first, largest, off = _differences(read)
    is_allowed = allowed.allows(found)
    return Verdict(
        trace=aligned.trace,
        plan=aligned.plan,
        kind=found.kind,
        cause=found.cause,
        sentence=f"{found.sentence} {allowed.told(found)}" if is_allowed else found.sentence,
        offset=read.offset,
        steps_per_unit=aligned.steps_per_unit,
        factor=found.aligned.factor,
        skips=found.skips,
        jumps=found.jumps,
        odd=tuple(Point.of_row(found.aligned, row) for row in found.odd),
        averaged=read.averaged,
        first=first,
        largest=largest,
        off=_count_off(found, off),
        compared=len(aligned),
        different=int(np.unique(aligned.trace.rates).size),
        allowed=is_allowed,
        remarks=tuple(remarks_on(aligned, found)),
    )


def _count_off(found: Diagnosis, off: int) -> int:
    """How many rows are off in the way that the verdict reads them."""
    if found.kind in _IN_THE_PLAN:
        return 0
    return len(found.odd) if found.odd else off


def _explanations(aligned: Alignment) -> Iterator[Diagnosis | None]:
    """The simplest first; the last one explains any log.

    A few skipped steps come before other plans, as they are common and other plans can imitate them. What explains
    every row comes before odd rows. Many skips and jumps come last: with enough of them any log can be explained.
    """
    yield follows(aligned)
    if len(aligned) < _FEWEST:
        yield differs(aligned, complete=True)
    yield lags_as_declared(aligned)
    yield late_by_an_epoch(aligned)
    pace = other_pace(aligned)
    yield pace if pace and not is_unusual(pace) else None
    yield moves_once_an_epoch(aligned)
    yield stopped(aligned)
    shifts = Shifts(aligned)
    offsets = [way.offset for way in aligned.conventions() if not way.averaged]
    near = nearly_follows(aligned)
    odd = None if near else has_odd_rows(aligned)
    yield _within_work(lambda: begins_elsewhere(shifts))
    best = _best_convention(aligned)
    yield no_warmup(aligned, best)
    yield _within_work(lambda: _lags_or_odd(aligned, find_skips(shifts, offsets), odd))
    yield other_scale(aligned)
    yield declared_and_another_length(aligned)
    yield another_plan(aligned, best)
    yield pace
    yield near
    yield odd
    yield means_restarted(best)
    yield _left_the_plan(aligned, shifts, offsets)
    yield nearly_another_length(aligned, best)
    yield differs(best, complete=shifts.work.left >= 0)


def differs(best: Alignment, complete: bool) -> Diagnosis:
    """Where nothing explains the log; `complete` says whether every path of skips and jumps was looked at."""
    more = "" if complete else " The search for skipped steps and jumps that explain it reached its limit."
    return Diagnosis("differs", best, difference(best) + more)


def _lags_or_odd(aligned: Alignment, path: ShiftPath | None, odd: Diagnosis | None) -> Diagnosis | None:
    """A lag that more than one row shows. One row may as well be odd, and the sentence says so.

    Where only the row before a lag fits the plan, it is odd only if the rows are read with the lag as an offset.
    """
    late = None if path is None else lags(aligned, path)
    if odd is None or len(odd.odd) > 1 or (late and odd.odd == (0,) and not odd.aligned.is_plain):
        return late
    if late is None or odd.cause is not None:
        return odd
    lag = f"A lag of {steps_text(total_skipped(late.skips))} that shows in this row alone would explain it as well."
    return replace(odd, sentence=f"{odd.sentence} {lag}")


def _left_the_plan(aligned: Alignment, shifts: Shifts, offsets: Sequence[int]) -> Diagnosis | None:
    """A run that left its plan at some row: by hand, by a restart, or by a jump.

    Some schedules are multiples of themselves further on. There a lower rate is by hand where the multiple is round.
    """
    by_hand = changed_by_hand(aligned)
    if by_hand is not None and by_hand.is_simple:
        return by_hand.diagnosis
    path = _path_within_work(shifts, offsets)
    if by_hand is not None and (path is None or not (path.again or len(path.jumps) <= by_hand.changes)):
        return by_hand.diagnosis
    return _on_a_path(aligned, path)


def _path_within_work(shifts: Shifts, offsets: Sequence[int]) -> ShiftPath | None:
    try:
        return find_path(shifts, offsets)
    except OutOfWorkError:
        return None


def _within_work(idea: Callable[[], Diagnosis | None]) -> Diagnosis | None:
    try:
        return idea()
    except OutOfWorkError:
        return None


def _on_a_path(aligned: Alignment, path: ShiftPath | None) -> Diagnosis | None:
    if path is None:
        return None
    epochs_late = without_whole_epochs(aligned, path)
    if epochs_late is not None:
        return lags(aligned, epochs_late)
    return jumped(aligned, path) if path.jumps else lags(aligned, path)


def _best_convention(aligned: Alignment) -> Alignment:
    """The convention that explains the most rows from the first on, the simplest of several."""
    return max(aligned.conventions(), key=lambda way: way.first_miss() or 0)


def _differences(aligned: Alignment) -> tuple[Point | None, Point, int]:
    """The first row that is off, the one that is furthest off, and how many are."""
    first: int | None = None
    largest, most, count = 0, -1.0, 0
    for index in aligned.blocks():
        apart = np.abs(aligned.planned(index) - aligned.trace.rates[index])
        at = int(apart.argmax())
        if apart[at] > most:
            largest, most = index.start + at, float(apart[at])
        off = np.flatnonzero(aligned.misses(index))
        count += int(off.size)
        if first is None and off.size:
            first = index.start + int(off[0])
    return None if first is None else Point.of_row(aligned, first), Point.of_row(aligned, largest), count
