"""What a curve of losses over rising rates suggests: the four rules of fast.ai (version 2.7).

Each takes rates and smoothed losses of the same length, and gives a rate, or None where the curve is too short for it.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

_SHORTEST_VALLEY = 3  # of fewer losses no third is in the middle
_SLIDE, _FLAT = 15, 0.005


def valley(rates: Vector, losses: Vector) -> float | None:
    """The middle of the second third of the longest fall.

    The fall is the longest decreasing subsequence of the losses; with its end e and its length m it is taken to begin
    at s = e - m, and the rate is that of index s + int(m/3) + int(m/6).
    """
    lengths = _longest_falls(losses)
    if not lengths or (longest := max(lengths)) < _SHORTEST_VALLEY:
        return None
    end = lengths.index(longest)
    return float(rates[end - longest + int(longest / 3) + int(longest / 6)])


def slide(rates: Vector, losses: Vector) -> float | None:
    """The left end of the last window of 15 batches over which the slope changes by more than 0.005.

    The window moves left from the end of the curve for as long as the slopes at its two ends differ by more than that.
    """
    count = losses.size
    if count <= _SLIDE:
        return None
    slopes = np.gradient(losses)
    left = found = count - 1 - _SLIDE
    while left >= 0 and abs(slopes[left + _SLIDE] - slopes[left]) > _FLAT:
        found = left
        left -= 1
    return float(rates[found])


def steepest(rates: Vector, losses: Vector) -> float | None:
    """The rate at which the loss falls fastest along the logarithm of the rate."""
    if losses.size < 2:
        return None
    return float(rates[np.argmin(np.diff(losses) / np.diff(np.log(rates)))])


def minimum(rates: Vector, losses: Vector) -> float | None:
    """The rate of the lowest loss; fast.ai's suggestion of this name is a tenth of it."""
    return float(rates[np.argmin(losses)]) if losses.size else None


def _longest_falls(losses: Vector) -> list[int]:
    """For each loss the length of the longest decreasing subsequence that ends there."""
    lowest: list[float] = []  # of falls of each length, the highest last loss, negated to be ascending
    lengths = []
    for loss in (-losses).tolist():
        place = bisect_left(lowest, loss)
        lowest[place : place + 1] = [loss]
        lengths.append(place + 1)
    return lengths
