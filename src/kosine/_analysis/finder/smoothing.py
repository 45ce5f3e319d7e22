"""Losses of batches as a curve that can be read, and how far single ones are from it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEMORY = 0.98  # that of fast.ai and Lightning: a loss counts half as much as the one 34 batches later


class RunningMean:
    """An exponential moving average without the bias of its start: the first value is the first loss itself."""

    def __init__(self, memory: float = MEMORY) -> None:
        self._memory, self._sum, self._weight = memory, 0.0, 0.0

    def add(self, loss: float) -> float:
        """The average after one more loss."""
        self._sum = self._memory * self._sum + (1 - self._memory) * loss
        self._weight = self._memory * self._weight + (1 - self._memory)
        return self._sum / self._weight


def smoothed(losses: NDArray[np.float64], memory: float = MEMORY) -> NDArray[np.float64]:
    """The moving average after each loss."""
    mean = RunningMean(memory)
    return np.array([mean.add(loss) for loss in losses.tolist()], np.float64)


def noise(losses: NDArray[np.float64]) -> float:
    """The standard deviation of a batch's loss around the curve, from neighbours; outliers hardly count.

    At least what float32 rounds a loss by, as a constant loss has no other.
    """
    rounding = 2.0**-24 * float(np.abs(losses).max(initial=0))
    if losses.size < 2:
        return rounding
    return max(rounding, 1.4826 / math.sqrt(2) * float(np.median(np.abs(np.diff(losses)))))
