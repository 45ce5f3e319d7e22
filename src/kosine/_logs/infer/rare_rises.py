"""Warm-ups that few schedules have: a logarithm, as DeepSpeed's are, and a square, as axolotl's may be.

Such a rise is a line over a function of the step, whatever its length: the logarithm's base is the number of steps. So
the rows before the highest are fitted for each step at which the run may begin, and the rise ends where its curve comes
up to the one after it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kosine._core.curve import Curve
from kosine._core.curves.logarithm import Logarithm
from kosine._core.curves.polynomial import Polynomial
from kosine._core.fit import Fit
from kosine._logs.infer.curve_fits import HOLD, LOOSE, Arc, FitFamily
from kosine._logs.infer.draft import Draft
from kosine._logs.infer.joints import draft_of, with_jump
from kosine._logs.infer.merging import merged
from kosine._logs.infer.run_context import RunContext
from kosine._logs.infer.segments import Observations, Segment, cut_into_segments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_ROWS = 4  # of a rise: two more than are needed to find it
_TURNS = 60  # that find where two curves meet
_MOST_PHASES = 24
_COST, _ROWS_AT_ONCE = 60, 20  # see `Work`


class _Shape(NamedTuple):
    """A rise a + b g(t) at the step t of a run.

    Attributes:
        g: the function.
        first: the step t that it begins at; before it the rate is level.
        curve: the curve that comes to its end at a step.
    """

    g: Callable[[Floats], Floats]
    first: int
    curve: Callable[[int], Curve]


_SHAPES = (
    _Shape(np.log, 1, lambda stop: Logarithm(float(stop))),
    _Shape(np.square, 0, lambda _: Polynomial(1.0, 2.0)),
)


class _Rise(NamedTuple):
    """A rise through rows: its shape, the position of the run's first step, its numbers, and the rows after it."""

    shape: _Shape
    origin: float
    level: float
    slope: float
    stop: int

    def rates(self, at: Floats) -> Floats:
        steps = np.maximum(at - self.origin, self.shape.first)
        return self.level + self.slope * self.shape.g(steps)


def rising_drafts(rows: Observations, run: RunContext) -> Iterator[Draft]:
    """The phases of a log that begins with such a rise, in each way that they may be joined."""
    top = int(rows.y.argmax())
    later: dict[int, tuple[Segment, ...]] = {}
    for origin in run.starts:
        for shape in _SHAPES:
            found = _fitted(rows, shape, origin, top)
            if found is not None and found.stop < len(rows):
                if found.stop not in later:
                    later[found.stop] = _segments_from(rows, found.stop)
                if later[found.stop]:
                    for segments in _joined(rows, found, later[found.stop]):
                        draft = draft_of(rows, segments, run.ends[0])
                        apart = abs(float(rows.y[0]) - found.level) > 2 * float(rows.width[0])
                        yield with_jump(draft, rows, segments, 1) if segments[0].arc.kind is HOLD and apart else draft


def _fitted(rows: Observations, shape: _Shape, origin: float, top: int) -> _Rise | None:
    """The rise through the rows before the highest, and through that where it is on the curve as well."""
    rows.work.spend(_COST + len(rows) / _ROWS_AT_ONCE)
    first = int(np.searchsorted(rows.x, origin + shape.first))
    before = rows.part(0, first)
    if first and float(np.ptp(before.y)) > float(before.width.min()):
        return None
    for stop in (top + 1, top):
        rise = _through(rows.part(first, stop), _Rise(shape, origin, 0.0, 0.0, stop))
        if rise is not None:
            return rise
    return None


def _through(rows: Observations, rise: _Rise) -> _Rise | None:
    """The same rise with the numbers that all these rows allow; None where there are none."""
    if len(rows) < _ROWS:
        return None
    columns = np.stack([np.ones(len(rows)), rise.shape.g(rows.x - rise.origin)], axis=-1)
    weights = rows.width.min() / rows.width
    level, slope = np.linalg.lstsq(columns * weights[:, None], rows.y * weights, rcond=None)[0].tolist()
    fitted = rise._replace(level=level, slope=slope)
    fits = slope > 0 and bool((np.abs(fitted.rates(rows.x) - rows.y) <= LOOSE * rows.width).all())
    return fitted if fits else None


def _segments_from(rows: Observations, first: int) -> tuple[Segment, ...]:
    """The segments of the rows from one on; none where they are too many."""
    part = rows.part(first, len(rows))
    found: list[Segment] = []
    for segment in cut_into_segments(part):
        found.append(segment)
        if len(found) > _MOST_PHASES:
            return ()
    return tuple(Segment(each.first + first, each.stop + first, each.arc) for each in merged(part, tuple(found)))


def _joined(rows: Observations, rise: _Rise, later: tuple[Segment, ...]) -> Iterator[tuple[Segment, ...]]:
    """The rise up to each step at which it may give way to the segments after it, at once or after a step there."""
    arc, first = later[0].arc, rise.shape.first
    begin, begins = rise.origin + first, int(np.searchsorted(rows.x, rise.origin + first))
    met = _met(rows, rise, arc)
    level = [Segment(0, begins, Arc(HOLD, partial(np.full_like, fill_value=float(rows.y[0]))))] if begins else []
    for stop in dict.fromkeys((round(met), math.floor(met), math.ceil(met))):
        if stop <= first + 1:
            continue
        kind = FitFamily(rise.shape.curve(stop), Fit(4, None, begins=True, ends=True))
        up = Segment(begins, rise.stop, Arc(kind, rise.rates, begin, rise.origin + stop))
        yield *level, up, *later
        if arc.kind is not HOLD and arc.begin is None:
            peak = float(rise.rates(np.array([rise.origin + stop]))[0])
            flat = Arc(HOLD, partial(np.full_like, fill_value=peak), rise.origin + stop, rise.origin + stop + 1)
            yield *level, up, Segment(rise.stop, rise.stop, flat), *later


def _met(rows: Observations, rise: _Rise, after: Arc) -> float:
    """The step at which the rise comes up to the curve after it, which it does between two rows."""
    if after.begin is not None:
        return after.begin - rise.origin
    low, high = (float(place) - rise.origin for place in rows.x[[rise.stop - 2, rise.stop]])
    for _ in range(_TURNS):
        middle = np.array([rise.origin + (low + high) / 2])
        below = bool(rise.rates(middle)[0] < after.predict(middle)[0])
        low, high = ((low + high) / 2, high) if below else (low, (low + high) / 2)
    return (low + high) / 2
