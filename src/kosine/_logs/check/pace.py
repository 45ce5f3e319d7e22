"""Whether the schedule went by too fast or too slowly, by a constant factor."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.check.alignment import Reading, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_LARGEST = 1024  # factors up to this, and one over it, are tried
_LARGEST_OF_MEANS = 16
_EXACT = 32  # up to one over this, every step at which the counting may have begun is tried
_LOOKED_AT = 24  # rows that most factors fail at
_FEWEST = 3  # rows that a factor can be told from


def find_speed(rows: Rows, conventions: Sequence[Reading]) -> Reading | None:
    """The simplest reading with a factor that explains every row; a factor of 0 where the rate never moves.

    Args:
        conventions: how the log may count, which goes together with each factor.
    """
    if len(rows) < _FEWEST:
        return None
    stuck = Reading(factor=Fraction(0))
    if rows.explains(stuck):
        return stuck
    if rows.first(lambda index: rows.trace.rates[index] != rows.trace.rates[0]) is None:
        return None
    spread = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), _LOOKED_AT)).astype(np.int64))
    own, rates, width = rows.own(spread), rows.trace.rates[spread], rows.tolerance(spread)
    if int(own[-1]) * _LARGEST >= 2**61:
        return None
    tried = _candidates(tuple(reading.offset for reading in conventions if not reading.averaged))
    per_epoch = rows.plan.run.steps_per_epoch or 1
    if per_epoch > 1:  # the most likely one comes first: a coarse log shows no difference between 1/48 and 1/50
        tried = np.concatenate([_of_factors([(per_epoch, 1), (1, per_epoch)], ()), tried])
    for few in (np.arange(2, own.size, 6), np.arange(own.size)):  # most fail at the first ones
        above, below, phase, offset = (column[:, None] for column in tried.T)
        steps = (own[few] * above + phase) // below + offset
        apart = np.abs(rows.plan(np.maximum(steps, 0)) - rates[few])
        tried = tried[((apart <= width[few]) & (steps >= 0)).all(axis=1)]
    for numerator, denominator, begun, added in tried.tolist():
        reading = Reading(offset=added, factor=Fraction(numerator, denominator), phase=begun)
        if rows.explains(reading):
            return reading
    return _of_means(rows, conventions, spread)


def _of_means(rows: Rows, conventions: Sequence[Reading], spread: NDArray[np.int64]) -> Reading | None:
    """The reading with a factor of rows that show means."""
    for mean in (reading for reading in conventions if reading.averaged):
        for count in range(2, _LARGEST_OF_MEANS + 1):
            for reading in (
                replace(mean, factor=Fraction(count), offset=mean.offset * count),
                replace(mean, factor=Fraction(1, count), offset=0, phase=mean.offset),
            ):
                if not any(rows.off(reading, spread[at : at + 1])[0] for at in range(2, spread.size, 6)) and (
                    rows.explains(reading)
                ):
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


@lru_cache(8)
def _candidates(offsets: tuple[int, ...]) -> NDArray[np.int64]:
    factors = [pair for count in range(2, _LARGEST + 1) for pair in ((count, 1), (1, count))]
    return _of_factors(factors, offsets)


def _of_factors(factors: list[tuple[int, int]], offsets: tuple[int, ...]) -> NDArray[np.int64]:
    """Numerator, denominator, phase and offset of the readings to try, the simplest first."""
    tried: list[tuple[int, int, int, int]] = []
    for above, below in factors:
        if below == 1:
            added = dict.fromkeys((0, above, -above, 1, -1, *(above * offset for offset in offsets)))
            tried += [(above, 1, 0, offset) for offset in added]
        else:
            phases = dict.fromkeys((0, below - 1, below, -below, 1, -1, *offsets))
            if below <= _EXACT:
                phases |= dict.fromkeys(range(-below, below + 1))
            tried += [(above, below, phase, 0) for phase in phases]
    return np.array(tried, np.int64)
