"""How many steps an epoch has, of which a log shows only every so many: the rates go on from one epoch to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kosine.errors import LogError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST = 2  # ends of epochs that must agree
_SHARE = 0.8  # of the epochs that say anything
_BENT = 0.05  # the slope after the end of an epoch may differ from that before by so much of it
_FLAT = 0.2  # of the steepest slope: where rates hardly change, their rounding is all that is seen
_OFF = 0.25  # steps that an epoch may be off a whole number


def length_by_rates(epochs: NDArray[Any], steps: NDArray[Any], rates: NDArray[np.float64]) -> int | None:
    """The steps of an epoch with which the rates go on as they did before its end; None where they do not show it.

    Args:
        epochs: of the rows, in order.
        steps: in the epoch, as the log counts them.
        rates: of the rows.
    """
    last = np.flatnonzero(np.diff(epochs) == 1)  # the last row of each epoch, and the first of the next behind it
    last = last[(last >= 1) & (last + 2 < epochs.size)]
    last = last[(epochs[last - 1] == epochs[last]) & (epochs[last + 2] == epochs[last + 1])]
    if last.size < _LEAST:
        return None
    before = (rates[last] - rates[last - 1]) / np.maximum(steps[last] - steps[last - 1], 1)
    after = (rates[last + 2] - rates[last + 1]) / np.maximum(steps[last + 2] - steps[last + 1], 1)
    slope = (before + after) / 2
    steep = np.abs(slope) > _FLAT * np.abs(slope).max()
    smooth = steep & (np.abs(after - before) <= _BENT * np.abs(slope))
    gone = (rates[last + 1] - rates[last])[smooth] / slope[smooth]
    lengths = steps[last][smooth] + gone - steps[last + 1][smooth]
    if lengths.size < _LEAST:
        return None
    found = int(np.round(np.median(lengths)))
    agree = np.count_nonzero(np.abs(lengths - found) <= _OFF)
    return found if agree >= max(_SHARE * lengths.size, _LEAST) else None


@dataclass(frozen=True, slots=True)
class GuessedEpochs:
    """Steps that are counted anew in each epoch, of which the log shows the first ones.

    Attributes:
        guessed: the steps of an epoch that its rows are placed with.
        shown: those that the log shows.
    """

    guessed: float
    shown: float

    @property
    def resolution(self) -> None:
        """The positions show it."""

    def positions(self, epochs: NDArray[Any], steps_per_epoch: int) -> NDArray[np.float64]:
        """The epochs of the rows, where an epoch has so many steps."""
        if steps_per_epoch < self.shown:
            rule = f"at least {self.shown:,g}, as the log has a step of that number in an epoch"
            raise LogError(argument="steps_per_epoch", rule=rule, received=steps_per_epoch)
        whole = np.floor(epochs + 0.25 / self.guessed)
        return np.asarray(whole + np.round((epochs - whole) * self.guessed) / steps_per_epoch)
