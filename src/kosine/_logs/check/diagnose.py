"""The simplest explanation of every row of a log, as a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from kosine._logs.check.alignment import Alignment
from kosine._logs.check.diagnosis import Diagnosis
from kosine._logs.check.explanations import (
    begins_mid_run,
    differs,
    follows,
    jumped,
    lags,
    lags_an_epoch,
    lags_as_declared,
    means_restarted,
    moves_once_an_epoch,
    other_length,
    other_pace,
    other_scale,
)
from kosine._logs.check.jumps import ShiftPath, find_path, find_skips
from kosine._logs.check.remarks import remarks_on
from kosine._logs.check.shifts import Shifts
from kosine._logs.check.verdict import Point, Verdict
from kosine._logs.work import OutOfWorkError


def diagnose(aligned: Alignment) -> Verdict:
    """The verdict on a log whose rows are read as their own steps."""
    found = next(filter(None, _explanations(aligned)))
    # the differences are those of the rows as a reader sees them: with an offset, but at the planned pace
    read = aligned.reread(offset=found.aligned.offset, averaged=found.aligned.averaged)
    first, largest, off = _differences(read)
    return Verdict(
        trace=aligned.trace,
        plan=aligned.plan,
        kind=found.kind,
        sentence=found.sentence,
        offset=read.offset,
        steps_per_unit=aligned.steps_per_unit,
        factor=found.aligned.factor,
        skips=found.skips,
        jumps=found.jumps,
        averaged=read.averaged,
        first=first,
        largest=largest,
        off=off,
        compared=len(aligned),
        remarks=tuple(remarks_on(aligned, found)),
    )


def _explanations(aligned: Alignment) -> Iterator[Diagnosis | None]:
    """The simplest first; the last one explains any log.

    A few skipped steps come before a scale and another length, as they are common and either of those can imitate them.
    Many skips and jumps come last: with enough of them any log can be explained.
    """
    yield follows(aligned)
    yield lags_as_declared(aligned)
    yield lags_an_epoch(aligned)
    yield other_pace(aligned)
    yield moves_once_an_epoch(aligned)
    shifts = Shifts(aligned)
    offsets = [way.offset for way in aligned.conventions() if not way.averaged]
    yield _within_work(lambda: begins_mid_run(shifts))
    yield _within_work(lambda: lags(aligned, path) if (path := find_skips(shifts, offsets)) else None)
    yield other_scale(aligned)
    best = _best_convention(aligned)
    yield other_length(aligned, best)
    yield means_restarted(best)
    yield _within_work(lambda: _on_a_path(aligned, find_path(shifts, offsets)))
    yield differs(best, complete=shifts.work.left >= 0)


def _within_work(idea: Callable[[], Diagnosis | None]) -> Diagnosis | None:
    try:
        return idea()
    except OutOfWorkError:
        return None


def _on_a_path(aligned: Alignment, path: ShiftPath | None) -> Diagnosis | None:
    if path is None:
        return None
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
