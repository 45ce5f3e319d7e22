"""How the rows with rates are placed in a run, so that rows with losses are placed beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kosine._logs.losses import moved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._logs.read.collect import TakenRows
    from kosine._logs.read.reading import Reading
    from kosine._logs.remark import Axis


@dataclass(frozen=True, slots=True)
class Timeline:
    """How rows are placed.

    Attributes:
        axis: what the positions count.
        start: the number of the epoch at which positions are 0.
        begin: the number of the first epoch: one that has ended is placed at its number less this one, plus 1.
        anew: whether steps are counted anew in each epoch.
        whole: whether each row is about a whole epoch.
        first: the number of the first step of an epoch.
        each: the steps of an epoch; None where they are not known.
        printed: the epochs of the rows as the log prints them, and where these rows are; None where they are there.
        rows: how many there are.
    """

    axis: Axis
    start: float = 0
    begin: float = 0
    anew: bool = False
    whole: bool = False
    first: int = 0
    each: float | None = None
    printed: tuple[NDArray[Any], NDArray[Any]] | None = None
    rows: int = 0

    def places(self, taken: TakenRows, reading: Reading) -> NDArray[Any] | None:
        """Where other rows of the log are on the same axis; None where the log does not say it."""
        if reading.counts_rows:
            if taken.seen != self.rows:  # rows without a rate are not counted
                return None
        elif taken.epochs.size:
            return self._of_epochs_and_steps(taken)
        if reading.axis == "epoch":
            return self._of_epochs(taken.positions, reading)
        if reading.axis == self.axis and not self.anew:
            return taken.positions
        if reading.axis == "step" and self.axis == "epoch" and self.each is not None and not self.anew:
            return taken.positions / self.each
        return None

    def _of_epochs_and_steps(self, taken: TakenRows) -> NDArray[Any] | None:
        """Of rows whose steps are counted anew in each epoch."""
        if self.axis == "step":  # the rows with rates show that they go on
            return taken.positions
        if not self.anew or self.each is None:
            return None
        places: NDArray[Any] = taken.epochs - self.start + (taken.positions - self.first) / self.each
        return places

    def _of_epochs(self, epochs: NDArray[Any], reading: Reading) -> NDArray[Any] | None:
        """Of rows that are placed by epochs: at the end of a whole one, unless fractions show that a row is there."""
        if self.printed is not None:
            return _beside(epochs, *self.printed)
        whole = bool((epochs == np.floor(epochs)).all())
        if self.axis == "epoch" and not (whole and (self.whole or self.anew)):
            places: NDArray[Any] = epochs - self.start
            return places
        begin = self.begin if self.axis == "epoch" else float(epochs.min() >= 1)
        begin = begin if reading.epochs_from is None else reading.epochs_from
        ends: NDArray[Any] = epochs - begin + 1
        if self.axis == "epoch":
            return ends
        return ends * self.each if self.axis == "step" and self.each is not None and whole else None


def _beside(epochs: NDArray[Any], printed: NDArray[Any], places: NDArray[Any]) -> NDArray[Any]:
    """Where rows are whose epochs are rounded as those of the rows with rates: the n-th of some is beside the n-th."""
    found = moved(epochs, printed, places)
    mine, rank, counts = _ranked(epochs)
    others, other_rank, other_counts = _ranked(printed)
    at = np.minimum(np.searchsorted(others, epochs), others.size - 1)
    same = (others[at] == epochs) & (other_counts[at] == counts[np.searchsorted(mine, epochs)])
    order = np.lexsort((other_rank, printed))
    first = np.cumsum(other_counts) - other_counts
    found[same] = places[order[first[at[same]] + rank[same]]]
    return found


def _ranked(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The different values, how many equal ones are before each, and how many there are of each."""
    different, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    order = np.argsort(inverse, kind="stable")
    rank = np.empty(values.size, np.int64)
    rank[order] = np.arange(values.size) - np.repeat(np.cumsum(counts) - counts, counts)
    return different, rank, counts
