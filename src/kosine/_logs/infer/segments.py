"""Rows of a log cut into segments, each of which one curve goes through.

A segment is followed as far as its curve goes: its length is doubled while a curve of some family goes through all
of its rows, and then halved in between. Of the curves that go about as far the simplest is taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.infer.curve_fits import CURVED, HOLD, LOOSE, SAMPLE, SIMPLE, Arc, FitFamily, fit
from kosine._logs.work import Work

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_BLOCK = 2**15  # rows that are looked at together when a curve is followed
_ROUNDS = 40
_ALMOST = 16  # part of a segment that is left at the end of the log
_COST_OF_BENT, _COST_OF_STRAIGHT, _COST_OF_LOOK, _ROWS_AT_ONCE = 2400, 200, 50, 30  # see `Work`
_TURNS = 6
_ENDS = 20  # rows at each end that are always in a sample: near 0 they are the most precise
_HOPELESS = 6.0  # half-widths: no weights bring a curve that is so far off near enough
_MUCH = 0.5  # of the next half wave: less of it may be a curve that was followed too far
_EARLY = 0.05  # of a half wave: rows so shortly before one belong to it
_ROUGH = 1e-6  # of the peak: near 0 the rows of a curve are too precise to follow it by
_VAGUE, _LEAP = 64, 8  # rows that may be too few for a curve, and how many times as many are looked at then
_SHORT = 16  # rows of which few may change
_SHARE = 0.85  # of the rows that the best curve explains a simpler one must explain, to be preferred


@dataclass(frozen=True, slots=True)
class Observations:
    """The rows of a log: positions, rates, and how far each rate may be off.

    Positions ascend, but for those that skipped steps were taken off of: see `skipped_steps`.

    Attributes:
        x: the positions.
        y: the rates.
        width: the half-widths.
        work: what may still be done with the rows and all parts of them.
    """

    x: Floats
    y: Floats
    width: Floats
    work: Work

    def __len__(self) -> int:
        return int(self.x.size)

    def rough(self) -> Observations:
        """The same rows, none of them more precise than a millionth of the highest rate."""
        return replace(self, width=np.maximum(self.width, _ROUGH * float(self.y.max())))

    def at(self, index: NDArray[np.intp]) -> Observations:
        """Some of the rows, by their numbers."""
        return Observations(self.x[index], self.y[index], self.width[index], self.work)

    def part(self, first: int, stop: int) -> Observations:
        return Observations(self.x[first:stop], self.y[first:stop], self.width[first:stop], self.work)

    def fit(self, kind: FitFamily, first: int, stop: int) -> Arc | None:
        """The curve of this kind that is nearest to these rows by least squares."""
        rows = self._some(first, stop)
        return fit(kind, rows.x, rows.y, rows.width)

    def through(self, kind: FitFamily, first: int, stop: int) -> Arc | None:
        """A curve of this kind that goes through these rows; None where none was found.

        Least squares bring the sum of the squares down, but what counts is the largest distance. So the rows that are
        furthest off are given more weight, turn by turn.
        """
        rows = self._some(first, stop)
        x, y, width = rows.x, rows.y, rows.width
        weights = np.ones_like(width)
        arc: Arc | None = None
        for _ in range(_TURNS):
            self.work.spend(_COST_OF_BENT if kind in CURVED else _COST_OF_STRAIGHT)
            arc = fit(kind, x, y, width / weights)
            if arc is None:
                return None
            off = np.abs(arc.predict(x) - y) / width
            worst = float(off.max())
            if not worst <= _HOPELESS:
                return None
            if worst <= 1 + (LOOSE - 1) / 2 and self.followed(arc, first, stop) == stop:
                return arc
            weights *= 0.2 + off / worst  # Lawson (1961)
        return arc if arc is not None and self.followed(arc, first, stop) == stop else None

    def _some(self, first: int, stop: int) -> Observations:
        if stop - first <= SAMPLE:
            return self.part(first, stop)
        even = np.linspace(first, stop - 1, SAMPLE - 2 * _ENDS).astype(np.intp)
        picked = np.unique(np.concatenate([np.arange(first, first + _ENDS), even, np.arange(stop - _ENDS, stop)]))
        return self.at(picked)

    def off(self, arc: Arc, first: int, stop: int) -> Floats:
        """How far the curve is off, in half-widths."""
        apart = np.abs(arc.predict(self.x[first:stop]) - self.y[first:stop])
        with np.errstate(over="ignore"):  # a curve that is nowhere near
            return apart / self.width[first:stop]

    def followed(self, arc: Arc, first: int, stop: int | None = None) -> int:
        """The first row from `first` on that the curve misses."""
        end = len(self) if stop is None else stop
        while first < end:
            block = min(first + _BLOCK, end)
            self.work.spend(_COST_OF_LOOK + (block - first) / _ROWS_AT_ONCE)
            missed = np.flatnonzero(~(self.off(arc, first, block) <= LOOSE))
            if missed.size:
                return first + int(missed[0])
            first = block
        return end


@dataclass(frozen=True, slots=True)
class Segment:
    """The rows `first` to before `stop`, and the curve through them."""

    first: int
    stop: int
    arc: Arc


def cut_into_segments(rows: Observations, first: int = 0, *, straight: bool = False) -> Iterator[Segment]:
    """The rows from `first` on, as few segments as can be: each goes as far as a curve does."""
    while first < len(rows):
        found = _longest(rows, first, straight=straight)
        for part in _half_waves(rows, found):
            yield from _held(rows, part)
        first = found.stop


def _half_waves(rows: Observations, found: Segment) -> Iterator[Segment]:
    """The segment; in parts where its curve is a wave that goes up and down."""
    begin, end = found.arc.begin, found.arc.end
    if begin is not None and end is not None and found.stop - found.first > 2 * found.arc.kind.rows:
        half = end - begin
        first = found.first
        place = begin + half * math.floor((float(rows.x[first]) - begin) / half + _EARLY)
        while place + (1 + _MUCH) * half < rows.x[found.stop - 1]:
            stop = int(np.searchsorted(rows.x, place + half))
            if stop - first < found.arc.kind.rows:
                break
            yield Segment(first, stop, replace(found.arc, begin=place, end=place + half))
            first, place = stop, place + half
        if first > found.first:
            found = Segment(first, found.stop, replace(found.arc, begin=place, end=place + half))
    yield found


def _held(rows: Observations, found: Segment) -> Iterator[Segment]:
    """The segment, and a level one before it where its curve begins later, as it is flat there."""
    begin = found.arc.begin
    first = found.first if begin is None else int(np.searchsorted(rows.x, begin))
    if found.first + 2 < first < found.stop - 2:
        level = rows.fit(HOLD, found.first, first)
        if level is not None and rows.followed(level, found.first, first) == first:
            yield Segment(found.first, first, level)
            found = Segment(first, found.stop, found.arc)
    yield found


def _longest(rows: Observations, first: int, *, straight: bool) -> Segment:
    """The segment that begins at this row: the simplest curve among those that go about as far as any does."""
    found: list[Segment] = []
    reach = first
    for kind in SIMPLE if straight else (*SIMPLE, *CURVED):
        least = first + kind.rows
        if kind in CURVED:  # worth its numbers only where it goes further than the simpler ones
            least = max(least + 1, reach + max(2, (reach - first) // 8))
            if reach == len(rows):
                break
        segment = _reach(rows, kind, first, min(least, len(rows)))
        if segment is not None and _is_seen(rows, segment):
            found.append(segment)
            reach = max(reach, segment.stop)
    most = reach - first
    enough = first + (_SHARE * most if most > 16 else most - 2 if most > 3 else most)
    if reach == len(rows):  # there is nothing after it that a curve could have been followed into
        enough = reach
    return next(segment for segment in found if segment.stop >= enough)


def _is_seen(rows: Observations, segment: Segment) -> bool:
    """Whether the rows change often enough to show more than levels."""
    kind, count = segment.arc.kind, segment.stop - segment.first
    if kind is HOLD or count <= _SHORT:
        return True
    return int(np.count_nonzero(np.diff(rows.y[segment.first : segment.stop]))) >= kind.rows


def _reach(rows: Observations, kind: FitFamily, first: int, least: int) -> Segment | None:
    """The longest segment that a curve of this kind goes through; None where it does not even reach `least`."""
    good: Segment | None = None
    stop, bad, leaps = least, len(rows) + 1, kind in CURVED
    for _ in range(_ROUNDS):
        arc = rows.through(kind, first, stop)
        far = first + _LEAP * (stop - first)
        if arc is None and leaps and good is not None and stop - first < _VAGUE and far <= len(rows):
            leaps = False  # once: where it is nearly straight, few rows do not show which curve it is
            arc = rows.through(kind, first, far)
            stop = stop if arc is None else far
        if arc is not None:
            good = Segment(first, rows.followed(arc, stop), arc)
            bad = bad if bad > good.stop else len(rows) + 1
        else:
            bad = stop
        if good is None or good.stop == len(rows) or bad - good.stop <= 1 + (good.stop - first) // 64:
            break
        stop = min(good.stop + max(1, good.stop - first), len(rows)) if bad > len(rows) else (good.stop + bad) // 2
    if good is not None and 0 < len(rows) - good.stop <= 1 + (good.stop - first) // _ALMOST:
        arc = rows.through(kind, first, len(rows))  # it may go through the last rows as well
        good = good if arc is None else Segment(first, len(rows), arc)
    return good
