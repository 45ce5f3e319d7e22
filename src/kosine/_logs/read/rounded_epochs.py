"""Epochs that a log rounds: the steps behind them, of rows that are equally far apart."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_MOST = 1 << 20  # rows of which the progress bar is remembered
_FEW = 6  # decimals: an epoch with more of them is not rounded
_LEAST = 4  # rows, which two numbers place
_SLACK = 1 + 1e-9


class PrintedEpochs:
    """How a log prints its epochs, and what progress bars between its rows say."""

    def __init__(self, decimals: int | None, digits: int | None) -> None:
        self._decimals, self._digits = decimals, digits
        self._bars = array("d")
        self._totals: dict[str, int] = {}

    def see(self, text: str, bar: str | None, total: str | None) -> None:
        """Take in a row: its epoch as it was printed, and the step of the bar before it."""
        if self._decimals is not None:
            self._decimals = max(self._decimals, len(text.partition(".")[2]))
        if len(self._bars) <= _MOST:
            self._bars.append(float(bar) if bar is not None and len(bar) < 16 else np.nan)
        if total is not None and len(total) < 16 and len(self._totals) < 8:
            self._totals[total] = self._totals.get(total, 0) + 1

    def half_widths(self, epochs: Numbers) -> Numbers:
        """How far each epoch may be from the one that was rounded to it."""
        width = np.zeros(epochs.shape)
        if self._decimals is not None and self._decimals <= _FEW:
            width += 0.5 * 10.0**-self._decimals
        if self._digits is not None:
            place = np.floor(np.log10(np.maximum(epochs, 1e-300)) + 1e-12)
            width += 0.5 * 10.0 ** (place + 1 - self._digits)
        return width * _SLACK

    def steps(self, epochs: Numbers) -> tuple[Numbers, int] | None:
        """The steps of the rows and of the run, where a progress bar gives them and the epochs agree.

        Rows are written every so many steps. A bar may be some steps late, as it is drawn a few times a second at most.
        """
        total = max(self._totals, key=self._totals.__getitem__, default=None)
        bars = np.array(self._bars)
        if total is None or bars.size != epochs.size or bars.size < 2 or not bool(np.isfinite(bars).all()):
            return None
        gaps, counts = np.unique(np.diff(bars), return_counts=True)
        every = float(gaps[counts.argmax()])
        if every < 1 or bars.max() > float(total):
            return None
        steps = np.ceil(bars / every) * every
        if bars[0] == 1 < every:  # the first step is logged as well
            steps[0] = 1
        late = steps - bars
        if bool((np.diff(steps) <= 0).any()) or 2 * np.count_nonzero(late) > bars.size:
            return None
        half = self.half_widths(epochs)
        least, most = steps / (epochs + half), steps / np.maximum(epochs - half, 1e-300)
        agree = float(least.max()) <= float(most.min()) * _SLACK
        return (steps, int(total)) if agree else None


@dataclass(frozen=True, slots=True)
class EvenRows:
    """Rows that are equally far apart: each at a whole multiple of a distance, which lies in a range.

    Attributes:
        multiples: of each row; NaN for a first row that is an extra one.
        least: the least distance, in epochs.
        most: the greatest.
    """

    multiples: Numbers
    least: float
    most: float

    @classmethod
    def of(cls, epochs: Numbers, half: Numbers) -> EvenRows | None:
        """The rows that round to these epochs; None where rows with equal distances do not."""
        if epochs.size < _LEAST or bool((np.diff(epochs) < 0).any()):
            return None
        for extra in (0, 1):  # the first step is often logged as well
            counts = np.arange(epochs.size - extra, dtype=np.float64)
            where, width = epochs[extra:], half[extra:]
            slope = float(where[-1] - where[0]) / max(where.size - 1, 1)
            first = round(float(where[0]) / slope) if slope > 0 else 0
            for start in dict.fromkeys((1, first, first - 1, first + 1)):
                if start < 1:
                    continue
                multiples = counts + start
                least = float(((where - width) / multiples).max())
                most = float(((where + width) / multiples).min())
                if most > 0 and least <= most:
                    return cls(np.concatenate((np.full(extra, np.nan), multiples)), max(least, 0.0), most)
        return None

    def positions(self, epochs: Numbers, steps_per_epoch: int | None = None) -> Numbers:
        """The epochs of the rows, as exact as they are known.

        Args:
            epochs: as they were printed.
            steps_per_epoch: as the caller knows it, rounded down where the epochs have no whole number of steps.
        """
        each = self._each(steps_per_epoch)
        found = self.multiples * each.numerator / each.denominator
        extra = np.isnan(found)
        found[extra] = epochs[extra] if steps_per_epoch is None else 1 / steps_per_epoch
        return np.asarray(found)

    def _each(self, steps_per_epoch: int | None) -> Fraction:
        """The distance: of that many steps, or the simplest number."""
        if steps_per_epoch is not None:
            least, most = ceil(self.least * steps_per_epoch), floor(self.most * (steps_per_epoch + 1))
            if least == most:
                return Fraction(least, steps_per_epoch)
        return simplest(self.least, self.most)


def simplest(least: float, most: float) -> Fraction:
    """The fraction with the smallest denominator between two numbers >= 0."""
    low, high = Fraction(least), Fraction(most)
    terms: list[int] = []
    while True:
        whole = -(-low.numerator // low.denominator)
        if whole <= high:
            terms.append(whole)
            break
        below = low.numerator // low.denominator
        terms.append(below)
        low, high = 1 / (high - below), 1 / (low - below)
    value = Fraction(terms.pop())
    while terms:
        value = terms.pop() + 1 / value
    return value
