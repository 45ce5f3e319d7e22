"""Epochs that a log rounds: the steps behind them, of rows that are equally far apart."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, gcd
from typing import TYPE_CHECKING

import numpy as np

from kosine.errors import LogError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_MOST = 1 << 20  # rows of which the progress bar is remembered
_FEW = 6  # decimals: an epoch with more of them is not rounded
_MOST_BARS = 64  # that are of different lengths
_DIGITS = 16
_BETWEEN = 10  # steps between two rows, or a multiple of it
_LEAST = 4  # rows, which two numbers place
_SLACK = 1 + 1e-9


class PrintedEpochs:
    """How a log prints its epochs, and what progress bars between its rows say."""

    def __init__(self, decimals: int | None, digits: int | None) -> None:
        self._decimals, self._digits = decimals, digits
        self._bars = array("d")
        self._furthest: dict[int, int] = {}

    def see_bar(self, bar: str | None, total: str | None) -> None:
        """Take in a progress bar."""
        if bar is not None and total is not None and max(len(bar), len(total)) < _DIGITS:
            run = int(total)
            if run in self._furthest or len(self._furthest) < _MOST_BARS:
                self._furthest[run] = max(self._furthest.get(run, 0), int(bar))

    def see(self, text: str, bar: str | None) -> None:
        """Take in a row: its epoch as it was printed, and the step of the bar before it."""
        if self._decimals is not None:
            self._decimals = max(self._decimals, len(text.partition(".")[2]))
        if len(self._bars) <= _MOST:
            self._bars.append(float(bar) if bar is not None and len(bar) < _DIGITS else np.nan)

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
        """The steps of the rows and of the run, where progress bars give them and the epochs agree.

        Rows are written every so many steps. A bar may be some steps late, as it is drawn a few times a second at most.
        """
        bars, half = np.array(self._bars), self.half_widths(epochs)
        if bars.size != epochs.size or bars.size < 2:
            return None
        for total in self._furthest:
            steps = _of_bars(bars, total)
            if steps is not None:
                least, most = steps / (epochs + half), steps / np.maximum(epochs - half, 1e-300)
                if float(least.max()) <= float(most.min()) * _SLACK:
                    return steps, total
        even = EvenRows.of(epochs, half)
        if even is None:
            return None
        found = [(steps, total) for total, last in self._furthest.items() for steps in even.until(last, total)]
        return found[0] if len(found) == 1 else None


def _of_bars(bars: Numbers, total: int) -> Numbers | None:
    """The steps of rows, each of which comes after a bar that says its step or one a little before."""
    if not bool(np.isfinite(bars).all()) or bars.max() > total:
        return None
    gaps, counts = np.unique(np.diff(bars), return_counts=True)
    every = float(gaps[counts.argmax()])
    if every < 1:
        return None
    steps = np.ceil(bars / every) * every
    if bars[0] == 1 < every:  # the first step is logged as well
        steps[0] = 1
    late = int(np.count_nonzero(steps != bars))
    return None if bool((np.diff(steps) <= 0).any()) or 2 * late > bars.size else np.asarray(steps)


@dataclass(frozen=True, slots=True)
class EvenRows:
    """Rows that are equally far apart: each at a whole multiple of a distance, which lies in a range.

    Attributes:
        multiples: of each row.
        least: the least distance, in epochs.
        most: the greatest.
        extra: rows before them, which are the first step: many runs log it as well.
    """

    multiples: Numbers
    least: float
    most: float
    extra: int

    @classmethod
    def of(cls, epochs: Numbers, half: Numbers) -> EvenRows | None:
        """The rows that round to these epochs; None where rows with equal distances do not."""
        if epochs.size < _LEAST or bool((np.diff(epochs) < 0).any()):
            return None
        for extra in (0, 1):
            where, width = epochs[extra:], half[extra:]
            slope = float(where[-1] - where[0]) / (where.size - 1)
            first = round(float(where[0]) / slope) if slope > 0 else 0
            for start in dict.fromkeys((1, first, first - 1, first + 1)):
                multiples = np.arange(start, start + where.size, dtype=np.float64)
                if start < 1:
                    continue
                least = max(float(((where - width) / multiples).max()), 0.0)
                most = float(((where + width) / multiples).min())
                if most > 0 and least <= most:
                    return cls(multiples, least, most, extra)
        return None

    def positions(self, epochs: Numbers, steps_per_epoch: int | None = None) -> Numbers:
        """The epochs of the rows, as exact as they are known.

        Args:
            epochs: as they were printed.
            steps_per_epoch: as the caller knows it, rounded where the epochs have no whole number of steps.

        Raises:
            LogError: rows are no whole number of such steps apart.
        """
        each = self._each(steps_per_epoch)
        return np.asarray(self.multiples * each.numerator / each.denominator)

    def until(self, last: int, total: int) -> list[Numbers]:
        """The steps that the rows may have in a run of some whole epochs which came to a step, of so many."""
        count = float(self.multiples[-1])
        return [
            np.concatenate((np.ones(self.extra), self.multiples * every))
            for every in range(int(last / (count + 1)) + 1, int(last / count) + 1)
            if _holds_whole(total * self.least / every, total * self.most / every)
        ]

    @property
    def resolution(self) -> int:
        """Steps of an epoch with which rows are some tens of steps apart, as most runs write them."""
        each = simplest(self.least, self.most)
        return each.denominator * (_BETWEEN // gcd(each.numerator, _BETWEEN))

    def _each(self, steps_per_epoch: int | None) -> Fraction:
        """The distance: of that many steps, or the simplest number."""
        if steps_per_epoch is None:
            return simplest(self.least, self.most)
        for off in (0, 1):  # epochs without a whole number of steps are rounded in either direction
            least = ceil(self.least * (steps_per_epoch - off) / _SLACK)
            most = floor(self.most * (steps_per_epoch + off) * _SLACK)
            if least == most > 0:
                return Fraction(least, steps_per_epoch)
        rule = f"the steps of an epoch, as the rows are {self.least:.6g} epochs apart, which is a whole number of steps"
        raise LogError(argument="steps_per_epoch", rule=rule, received=steps_per_epoch)


def _holds_whole(least: float, most: float) -> bool:
    """Whether a whole number lies between two numbers."""
    return floor(most * _SLACK) >= max(ceil(least / _SLACK), 1)


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
