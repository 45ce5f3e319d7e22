"""When one seed of a range test has seen enough: the loss has left the valley, or is no number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from kosine._analysis.finder.smoothing import RunningMean, noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

End = Literal["finished", "diverged", "not finite"]
"""Why a seed of a range test ended: after all steps, because the loss rose, or because it was NaN or infinite."""

_FEWEST = 10  # losses before a rise counts
_NOISES = 6  # a rise of so many standard deviations of a batch's loss is none of chance


class Divergence:
    """Takes the losses of one seed in turn, and says when it must end.

    A seed ends where the smoothed loss has risen by more than it had fallen before, and by more than chance does. The
    rule compares differences, so losses below 0 and constants that are added to the loss do not matter.

    Attributes:
        end: why the seed ended; "finished" until it must.
    """

    def __init__(self) -> None:
        self.end: End = "finished"
        self._losses: list[float] = []
        self._mean = RunningMean()
        self._lowest = self._top = self._top_so_far = 0.0
        self._until_lowest = 0

    @property
    def losses(self) -> NDArray[np.float64]:
        """The finite losses so far."""
        return np.array(self._losses, np.float64)

    def add(self, loss: float) -> bool:
        """Take the loss of the next batch; True where the seed must end."""
        loss = float(loss)
        if not math.isfinite(loss):
            self.end = "not finite"
            return True
        self._losses.append(loss)
        mean = self._mean.add(loss)
        if len(self._losses) == 1:
            self._lowest = self._top = self._top_so_far = mean
        self._top_so_far = max(self._top_so_far, mean)
        if mean <= self._lowest:
            self._lowest, self._top, self._until_lowest = mean, self._top_so_far, len(self._losses)
        if self._has_risen(mean):
            self.end = "diverged"
        return self.end != "finished"

    def _has_risen(self, mean: float) -> bool:
        rise, fall = mean - self._lowest, self._top - self._lowest
        if len(self._losses) < _FEWEST or rise <= fall:
            return False
        calm = self._losses[: max(_FEWEST, self._until_lowest)]
        return rise > fall + _NOISES * noise(np.array(calm, np.float64))
