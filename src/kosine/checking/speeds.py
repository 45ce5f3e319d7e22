"""Whether the schedule went by too fast or too slowly, by a constant factor."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from kosine.checking.rows import Reading, Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LARGEST = 1024  # factors up to this, and one over it, are tried
_EXACT = 32  # up to one over this, every step at which the counting may have begun is tried
_LOOKED_AT = 24  # rows that most factors fail at
_FEWEST = 3  # rows that a factor can be told from


def find_speed(rows: Rows) -> Reading | None:
    """The simplest reading with a factor that explains every row; a factor of 0 where the rate never moves."""
    if len(rows) < _FEWEST:
        return None
    stuck = Reading(factor=Fraction(0))
    if rows.explains(stuck):
        return stuck
    spread = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _LOOKED_AT)).astype(np.int64))
    own, rates, width = rows.own(spread), rows.trace.rates[spread], rows.tolerance(spread)
    if int(own[-1]) * _LARGEST >= 2**61:
        return None
    tried = _candidates()
    per_epoch = rows.plan.run.steps_per_epoch or 1
    if per_epoch > _LARGEST:
        tried = np.concatenate([tried, _of_factors([(per_epoch, 1), (1, per_epoch)])])
    for few in (np.arange(2, own.size, 6), np.arange(own.size)):  # most fail at the first ones
        above, below, phase, offset = (column[:, None] for column in tried.T)
        steps = (own[few] * above + phase) // below + offset
        apart = np.abs(rows.plan(np.maximum(steps, 0)) - rates[few])
        tried = tried[((apart <= width[few]) & (steps >= 0)).all(axis=1)]
    for numerator, denominator, begun, added in tried.tolist():
        reading = Reading(offset=added, factor=Fraction(numerator, denominator), phase=begun)
        if rows.explains(reading):
            return reading
    return None


def find_staircase(rows: Rows) -> Reading | None:
    """The reading with a rate that moves only once an epoch, where it explains every row."""
    every = rows.plan.run.steps_per_epoch
    if not every or every == 1 or rows.trace.axis == "epoch":
        return None
    for offset in (0, 1, every):
        reading = Reading(offset=offset, every=every)
        if rows.explains(reading):
            return reading
    return None


@cache
def _candidates() -> NDArray[np.int64]:
    factors = [pair for count in range(2, _LARGEST + 1) for pair in ((count, 1), (1, count))]
    return _of_factors(factors)


def _of_factors(factors: list[tuple[int, int]]) -> NDArray[np.int64]:
    """Numerator, denominator, phase and offset of the readings to try, the simplest first."""
    tried: list[tuple[int, int, int, int]] = []
    for above, below in factors:
        if below == 1:
            tried += [(above, 1, 0, offset) for offset in (0, above, -above, 1, -1)]
        else:
            phases = [0, below - 1, below, -below, 1, -1]
            if below <= _EXACT:
                phases += [phase for phase in range(-below, below + 1) if phase not in phases]
            tried += [(above, below, phase, 0) for phase in phases]
    return np.array(tried, np.int64)
