"""Curves that few schedules have: those that `infer` tries where the usual ones explain nothing.

Such a curve does not say in a few rows where it begins, so a segment cannot be followed along it. It is fitted to the
whole part of a log in which the rate falls, after a warm-up and up to a restart, from a few places at which it may have
begun. What is found makes a draft as any other segments do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kosine._core import curves
from kosine._core.curve import Curve
from kosine._core.curves.polynomial import Polynomial
from kosine._core.fit import Fit
from kosine._logs.infer.curve_fits import HOLD, LINEAR, SAMPLE, Arc, FitFamily
from kosine._logs.infer.rounding import round_rate
from kosine._logs.infer.segments import Observations, Segment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_ROWS = 8  # of a curve, at least
_MOST_CYCLES = 12
_LONGEST = 12.0  # times the rows that were seen
_LENGTHS, _CLOSER, _ROUNDS = 36, 9, 6  # that are tried at first and later, and how often
_COST = 700  # of each such look: see `Work`
_NEAR = 0.02  # of the rates' range, on average: a curve further off is another one
_POWERS = np.geomspace(0.2, 8.0, 12)
_POWER_REACH = 2e-3  # how far an exponent that was found may be off
_RISE = 0.02  # of the rates' range: where the rate rises by more, a cycle begins

RARE = tuple(FitFamily(curve, fit) for kind in curves.CLASSES.values() for curve, fit in kind.rare_fits())


class Anchored(NamedTuple):
    """A curve through some rows, for a place at which it may begin.

    Attributes:
        arc: the curve.
        begin: this place.
        off: how far off it is on average, as a share of the rates' range.
    """

    arc: Arc
    begin: float
    off: float


def first_of_decay(found: Sequence[Segment]) -> int:
    """How many segments come before the decay: a warm-up, a level rate, or both."""
    count = 0
    for segment in found[:2]:
        rises = segment.arc.kind is LINEAR and _ends(segment)[0] < _ends(segment)[1]
        if segment.stop - segment.first < LINEAR.rows or not (rises or segment.arc.kind is HOLD):
            break
        count += 1
    return count if count < len(found) else 0


def rare_segments(
    rows: Observations, before: Sequence[Segment], begins: Sequence[float]
) -> Iterator[tuple[Segment, ...]]:
    """The segments of a log whose decay has a rare curve, the curve that comes nearest first.

    Args:
        rows: the log.
        before: the segments before the decay.
        begins: places at which the decay may begin.
    """
    first = before[-1].stop if before else 0
    cuts = _restarts(rows, first)
    if cuts is None or cuts[1] - first < _ROWS:
        return
    part = rows.part(first, cuts[1])
    options = [anchored(kind, part, begin) for kind in [*RARE, *_any_power(part)] for begin in begins]
    for best in sorted((each for each in options if each is not None and each.off <= _NEAR), key=lambda each: each.off):
        yield *before, *_cycles(rows, cuts, best)


def anchored(kind: FitFamily, rows: Observations, begin: float) -> Anchored | None:
    """The curve of this kind that begins here and is nearest to the rows; None where none falls."""
    some = rows.at(np.unique(np.linspace(0, len(rows) - 1, min(len(rows), SAMPLE)).astype(np.intp)))
    top = float(np.ptp(some.y))
    if not top or begin >= some.x[-1]:
        return None
    lengths = (float(some.x[-1]) - begin) * np.geomspace(0.25, _LONGEST, _LENGTHS)
    for _ in range(_ROUNDS):
        rows.work.spend(_COST)
        starts, ends, off = _levels(kind, some, begin, lengths)
        best = int(np.argmin(off))
        length, start, end, error = (float(each[best]) for each in (lengths, starts, ends, off))
        step = float(lengths[1] / lengths[0])
        lengths = length * np.geomspace(1 / step, step, _CLOSER)
    if not (math.isfinite(error) and 0 <= max(end, 0.0) < start):
        return None
    off_on_average = math.sqrt(error / some.x.size) / top
    return Anchored(_arc(kind, begin, length, start, max(end, 0.0)), begin, off_on_average)


def _levels(kind: FitFamily, rows: Observations, begin: float, lengths: Floats) -> tuple[Floats, Floats, Floats]:
    """The start and the end of a curve of each length, and the squares that it leaves."""
    share = 1.0 - kind.values(1.0, 0.0, (rows.x - begin) / lengths[:, None])
    middle, level = share.mean(axis=1, keepdims=True), float(rows.y.mean())
    apart, rates = share - middle, rows.y - level
    lost = -(apart @ rates) / np.maximum((apart**2).sum(axis=1), 1e-300)
    starts = level + lost * middle[:, 0]
    off = ((rows.y - starts[:, None] + lost[:, None] * share) ** 2).sum(axis=1)
    return starts, starts - lost, np.where(np.isfinite(off), off, np.inf)


def _arc(kind: FitFamily, begin: float, length: float, start: float, end: float) -> Arc:
    def predict(at: Floats) -> Floats:
        return kind.values(start, end, (at - begin) / length)

    return Arc(kind, predict, begin if kind.begins else None, begin + length)


def _any_power(rows: Observations) -> list[FitFamily]:
    """A polynomial of the power that comes nearest, as a short number: it has the same shape wherever it begins."""
    begin = float(rows.x[0])
    offs = [_off(float(power), rows, begin) for power in _POWERS]
    best = int(np.argmin(offs))
    if not offs[best] <= _NEAR:
        return []
    low, high = float(_POWERS[max(best - 1, 0)]), float(_POWERS[min(best + 1, _POWERS.size - 1)])
    for _ in range(16):
        third = (high - low) / 3
        low, high = (low, high - third) if _off(low + third, rows, begin) < _off(high - third, rows, begin) else (low + third, high)
    middle = (low + high) / 2
    power = round_rate(middle, _POWER_REACH * middle, middle).value
    return [_polynomial(power)]


def _polynomial(power: float) -> FitFamily:
    curve: Curve = Polynomial(power)
    return FitFamily(curve, Fit(4, None, ends=True))


def _off(power: float, rows: Observations, begin: float) -> float:
    found = anchored(_polynomial(power), rows, begin)
    return math.inf if found is None else found.off


def _restarts(rows: Observations, first: int) -> list[int] | None:
    """The rows at which the rate goes up, with the first row and the last; None where they are too many for cycles."""
    rises = np.diff(rows.y[first:])
    cuts = np.flatnonzero(rises > _RISE * float(np.ptp(rows.y[first:]))) + first + 1
    return None if cuts.size > _MOST_CYCLES else [first, *cuts.tolist(), len(rows)]


def _cycles(rows: Observations, cuts: Sequence[int], best: Anchored) -> Iterator[Segment]:
    """The segments of the cycles, each of which begins where the one before ends."""
    begin, kind, arc = best.begin, best.arc.kind, best.arc
    for low, high in pairwise(cuts):
        yield Segment(low, high, arc)
        assert arc.end is not None
        begin, length = arc.end, arc.end - begin
        start = float(rows.y[min(high, len(rows) - 1)])
        arc = _arc(kind, begin, length, start, 0.0)


def _ends(segment: Segment) -> tuple[float, float]:
    rates = segment.arc.predict(np.array([0.0, 1.0]))
    return float(rates[0]), float(rates[1])
