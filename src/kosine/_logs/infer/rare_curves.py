"""Curves that few schedules have: those that `infer` tries where the usual ones explain nothing.

Such a curve does not say in a few rows where it begins, so a segment cannot be followed along it. It is fitted to the
whole part of a log in which the rate falls, after a warm-up and up to a restart, from a few places at which it may have
begun. What is found makes a draft as any other segments do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kosine._core import curves
from kosine._core.curve import Curve
from kosine._core.curves.polynomial import Polynomial
from kosine._core.fit import Fit
from kosine._logs.infer.curve_fits import HOLD, LINEAR, SAMPLE, Arc, FitFamily
from kosine._logs.infer.joints import draft_of
from kosine._logs.infer.least_squares import refine
from kosine._logs.infer.rounding import round_rate
from kosine._logs.infer.segments import Observations, Segment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_ROWS = 8  # of a curve, at least
_LEVEL_ROWS = 3  # that make a level rate after it
_MISSED = 20.0  # half-widths that the curve may be off before its numbers are those that were meant
_MOST_CYCLES = 12
_LONGEST = 12.0  # times the rows that were seen
_LENGTHS, _CLOSER, _ROUNDS = 36, 9, 6  # that are tried at first and later, and how often
_COST = 700  # of each such look: see `Work`
_FALLEN = 0.5  # of the highest rate: where the lowest is above, rare curves look alike
_NEAR = 0.05  # of the rates' range, on average: a curve further off is another one
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
        if segment.arc.kind is not HOLD and not (segment.arc.kind is LINEAR and _rises(segment)):
            break
        count += 1
    return count if count < len(found) else 0


def rare_segments(rows: Observations, begins: Sequence[float]) -> Iterator[tuple[Segment, ...]]:
    """The segments of a log that shows a decay with a rare curve or cycles of it, the nearest curve first.

    Args:
        rows: the log, without its warm-up.
        begins: places at which the decay may begin.
    """
    whole = _level_from(rows)
    if whole < _ROWS:
        return
    cuts = _restarts(rows.part(0, whole))
    if cuts is None or cuts[1] < _ROWS:
        return
    part = rows.part(0, cuts[1])
    kinds = [*(RARE if has_fallen(part) else ()), *_any_power(part)]
    options = [anchored(kind, part, begin) for kind in kinds for begin in begins]
    near = sorted((each for each in options if each is not None and each.off <= _NEAR), key=lambda each: each.off)
    tried = set[FitFamily]()
    for each in near:
        if each.arc.kind not in tried:  # from wherever it is begun, the polished curve is the same
            tried.add(each.arc.kind)
            best = _polished(part, each)
            if best is not None:
                level = [Segment(whole, len(rows), Arc(HOLD, _level(rows)))] if whole < len(rows) else []
                yield *_cycles(rows, cuts, best), *level


def has_fallen(rows: Observations) -> bool:
    """Whether the rates came down so far from their highest that the curve shows: at first many curves are alike."""
    top = int(rows.y.argmax())
    return float(rows.y[top:].min()) <= _FALLEN * float(rows.y[top])


def _polished(rows: Observations, found: Anchored) -> Anchored | None:
    """The curve with the begin and the end that are nearest to the rows; None where it misses them still."""
    draft = refine(draft_of(rows, [Segment(0, len(rows), found.arc)], None), rows).draft
    if draft.worst(rows) > _MISSED:
        return None
    begin, length = float(draft.bounds[0]), float(draft.bounds[1] - draft.bounds[0])
    arc = _arc(found.arc.kind, begin, length, float(draft.starts[0]), float(draft.ends[0]))
    return Anchored(arc, begin, 0.0)


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
        share = (at - begin) / length
        return kind.values(start, end, share) if kind.begins else kind.beyond(start, end, np.minimum(share, 1.0))

    return Arc(kind, predict, begin if kind.begins else None, begin + length)


def _any_power(rows: Observations) -> list[FitFamily]:
    """A polynomial of the power that comes nearest, as a short number: it has the same shape wherever it begins."""
    begin = float(rows.x[0])
    offs = [_off(float(power), rows, begin) for power in _POWERS]
    best = int(np.argmin(offs))
    if not offs[best] <= _NEAR or best in (0, _POWERS.size - 1):
        return []
    low, high = float(_POWERS[max(best - 1, 0)]), float(_POWERS[min(best + 1, _POWERS.size - 1)])
    for _ in range(16):
        third = (high - low) / 3
        low, high = (
            (low, high - third)
            if _off(low + third, rows, begin) < _off(high - third, rows, begin)
            else (low + third, high)
        )
    middle = (low + high) / 2
    power = round_rate(middle, _POWER_REACH * middle, middle).value
    return [_polynomial(power)] if power != 1 else []  # a line


def _polynomial(power: float) -> FitFamily:
    curve: Curve = Polynomial(power)
    return FitFamily(curve, Fit(4, None, ends=True))


def _off(power: float, rows: Observations, begin: float) -> float:
    found = anchored(_polynomial(power), rows, begin)
    return math.inf if found is None else found.off


def _level_from(rows: Observations) -> int:
    """The row from which on the rate is level until the end of the log; their number where it is not."""
    moved = np.flatnonzero(np.abs(rows.y - rows.y[-1]) > rows.width)
    first = int(moved[-1]) + 1 if moved.size else 0
    return first if len(rows) - first >= _LEVEL_ROWS else len(rows)


def _level(rows: Observations) -> Callable[[Floats], Floats]:
    level = float(rows.y[-1])
    return lambda at: np.full(at.shape, level)


def _restarts(rows: Observations) -> list[int] | None:
    """The rows at which the rate goes up, with the first row and the last; None where they are too many for cycles."""
    cuts = np.flatnonzero(np.diff(rows.y) > _RISE * float(np.ptp(rows.y))) + 1
    return None if cuts.size > _MOST_CYCLES else [0, *cuts.tolist(), len(rows)]


def _cycles(rows: Observations, cuts: Sequence[int], best: Anchored) -> Iterator[Segment]:
    """The segments of the cycles, each of which begins where the one before ends."""
    kind, arc, begin = best.arc.kind, best.arc, best.begin
    assert arc.end is not None
    length = arc.end - begin
    for low, high in pairwise(cuts):
        if low:
            begin += length
            starts, ends, _ = _levels(kind, rows.part(low, high), begin, np.array([length]))
            arc = _arc(kind, begin, length, float(starts[0]), max(float(ends[0]), 0.0))
        yield Segment(low, high, arc)


def _rises(segment: Segment) -> bool:
    first, second = segment.arc.predict(np.array([0.0, 1.0])).tolist()
    return bool(first < second)
