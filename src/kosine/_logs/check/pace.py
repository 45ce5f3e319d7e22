"""Whether the schedule went by too fast or too slowly, by a constant factor."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._logs.check.alignment import Alignment

_LARGEST = 1024  # factors up to this, and one over it, are tried
_LARGEST_OF_MEANS = 16
_EXACT = 32  # up to one over this, every step at which the counting may have begun is tried
_LOOKED_AT = 24  # rows that most factors fail at
_FEWEST = 3  # rows that show a factor


def find_pace(aligned: Alignment) -> Alignment | None:
    """The simplest factor that explains every row; a factor of 0 where the rate never moves.

    Each factor goes together with a phase or an offset, as its scheduler may have been called before or after the
    first batches. That makes about 20,000 ways to read the log. All are tried on a few rows at once, and the few that
    are left on every row.
    """
    if len(aligned) < _FEWEST:
        return None
    stuck = aligned.reread(factor=Fraction(0))
    if stuck.explains_all():
        return stuck
    rates = aligned.trace.rates
    if aligned.first(lambda index: rates[index] != rates[0]) is None:
        return None
    spread = aligned.spread(_LOOKED_AT)
    own, width = aligned.own_steps(spread), aligned.tolerance(spread)
    if int(own[-1]) * _LARGEST >= 2**61:
        return None
    conventions = aligned.conventions()
    tried = _candidates(tuple(way.offset for way in conventions if not way.averaged))
    per_epoch = aligned.plan.run.steps_per_epoch or 1
    if per_epoch > 1:  # the most likely one comes first: a coarse log shows no difference between 1/48 and 1/50
        tried = np.concatenate([_of_factors([(per_epoch, 1), (1, per_epoch)], ()), tried])
    for few in (np.arange(2, own.size, 6), np.arange(own.size)):  # most fail at the first ones
        above, below, phase, offset = (column[:, None] for column in tried.T)
        steps = (own[few] * above + phase) // below + offset
        apart = np.abs(aligned.plan(np.maximum(steps, 0)) - rates[spread][few])
        tried = tried[((apart <= width[few]) & (steps >= 0)).all(axis=1)]
    for numerator, denominator, begun, added in tried.tolist():
        paced = aligned.reread(offset=added, factor=Fraction(numerator, denominator), phase=begun)
        if paced.explains_all():
            return paced
    return _of_means([way for way in conventions if way.averaged])


def _of_means(ways: list[Alignment]) -> Alignment | None:
    """The factor of rows that show means."""
    for mean in ways:
        for count in range(2, _LARGEST_OF_MEANS + 1):
            for paced in (
                mean.reread(factor=Fraction(count), offset=mean.offset * count),
                mean.reread(factor=Fraction(1, count), offset=0, phase=mean.offset),
            ):
                some = paced.spread(_LOOKED_AT)
                if not any(paced.misses(some[at : at + 1])[0] for at in range(2, some.size, 6)) and (
                    paced.explains_all()
                ):
                    return paced
    return None


def find_epoch_steps(aligned: Alignment) -> Alignment | None:
    """A rate that moves only once an epoch, where that explains every row of a log of steps."""
    every = aligned.plan.run.steps_per_epoch
    if not every or every == 1 or aligned.trace.axis == "epoch":
        return None
    held = aligned.reread(every=every)
    ways = (held, held.reread(phase=-1), held.reread(phase=1), held.reread(offset=1), held.reread(offset=every))
    return next((way for way in ways if way.explains_all()), None)


@lru_cache(8)
def _candidates(offsets: tuple[int, ...]) -> NDArray[np.int64]:
    factors = [pair for count in range(2, _LARGEST + 1) for pair in ((count, 1), (1, count))]
    return _of_factors(factors, offsets)


def _of_factors(factors: list[tuple[int, int]], offsets: tuple[int, ...]) -> NDArray[np.int64]:
    """Numerator, denominator, phase and offset of the ways to try, the simplest first."""
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
