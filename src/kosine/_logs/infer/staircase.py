"""A log whose rates are constant for a while and then jump: by epochs, or by a step decay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.infer.rounding import round_rate, significant
from kosine._logs.infer.segments import Observations
from kosine._logs.work import Work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_MOST_TRIED = 4000  # lengths of a tread
_COST_OF_LENGTH, _JUMPS_AT_ONCE = 40, 20  # see `Work`
_FEW = 16  # steps that are skipped, or this share of a tread:
_TREADS_SHARE = 50


@dataclass(frozen=True)
class Staircase:
    """Treads of equal lengths.

    Attributes:
        origin: where the first one begins.
        length: how long each lasts.
        treads: the rates as rows, by the number of the tread.
        lengths: the shortest and the longest that they may be.
        placed: whether the places of the jumps follow from where the run begins, or from rows around each of them.
    """

    origin: int
    length: int
    treads: Observations
    lengths: tuple[int, int]
    placed: bool

    @property
    def open(self) -> tuple[tuple[str, float, float, str], ...]:
        """What the log leaves open of the treads."""
        least, most = self.lengths
        return (("length of a step", least, most, "Each step of the staircase may last"),) if least < most else ()

    @property
    def factor(self) -> float | None:
        """The factor from each tread to the next, where it is always the same; else None."""
        x, y, width = self.treads.x, self.treads.y, self.treads.width
        if y.size < 2 or not (y > 0).all() or not y[-1] < y[0]:
            return None
        steps = float(x[-1] - x[0])
        middle = float((y[-1] / y[0]) ** (1 / steps))
        reach = middle * float(width[-1] / y[-1] + width[0] / y[0]) / steps + 1e-12
        for share in (1.0, 0.3, 0.1):
            factor = round_rate(middle, reach * share, 1.0).value
            if 0 < factor < 1 and bool((np.abs(y[0] * factor ** (x - x[0]) - y) <= width * 2).all()):
                return factor
        return None


def fit_staircase(rows: Observations, starts: Sequence[float]) -> Staircase | None:
    """The treads of a log, or None where it is not a staircase of equal lengths."""
    jumps = _jumps(rows)
    if jumps is None:
        return None
    above, upto = rows.x[jumps], rows.x[jumps + 1]  # a tread ends in (above, upto]
    found = _length(above, upto, starts, rows.work)
    if found is None:
        return None
    jump, length, lengths, placed = found
    origin = jump + (int(np.floor(rows.x[0])) - jump) // length * length
    number = np.floor((rows.x - origin) / length)
    firsts = np.flatnonzero(np.diff(number, prepend=number[0] - 1))
    return Staircase(origin, length, replace(rows.at(firsts), x=number[firsts]), lengths, placed)


def skips_in_treads(rows: Observations, starts: Sequence[float]) -> list[tuple[int, int]]:
    """The skips that make treads of equal lengths of these, some of which last longer as steps were skipped.

    Returns:
        Pairs (row, count), as in `skipped_steps`; none where that cannot be.
    """
    jumps = _jumps(rows)
    if jumps is None:
        return []
    above, upto = rows.x[jumps], rows.x[jumps + 1]
    options: list[tuple[int, int, int, int, list[float], list[float]]] = []
    for order, start in enumerate(starts):
        longest = int(np.floor(((upto - start) / np.arange(1, jumps.size + 1)).min()))
        least = max(1, longest - 1 - longest // _TREADS_SHARE, longest - _MOST_TRIED)
        for length in range(longest, least, -1):
            rows.work.spend(_COST_OF_LENGTH + jumps.size / _JUMPS_AT_ONCE)
            ends = start + length * np.arange(1, jumps.size + 1)
            lags = np.maximum.accumulate(np.maximum(above + 1 - ends, 0.0))
            if bool((ends + lags <= upto).all()) and lags[-1] <= max(_FEW, length // _TREADS_SHARE):
                places = int(np.count_nonzero(np.diff(lags, prepend=0.0)))
                options.append((places, order, significant(length), int(lags[-1]), ends.tolist(), lags.tolist()))
    if not options:
        return []
    _, _, _, _, ends_found, lags_found = min(options)
    return [
        (int(np.searchsorted(rows.x, end + before)), round(after - before))  # the first row after the tread should end
        for end, before, after in zip(ends_found, [0.0, *lags_found[:-1]], lags_found, strict=True)
        if after > before
    ]


def _jumps(rows: Observations) -> NDArray[np.intp] | None:
    """The rows before which a tread ends; None where the rates creep, or jump too often to be constant in between."""
    change = np.abs(np.diff(rows.y))
    both = rows.width[1:] + rows.width[:-1]
    jumps = np.flatnonzero(change > 2 * both)
    creeps = np.flatnonzero((change > 0.5 * both) & (change <= 2 * both))
    short = np.count_nonzero(np.diff(jumps) < 2)
    return None if jumps.size < 2 or creeps.size or short > jumps.size / 5 else jumps


def _length(
    above: NDArray[np.float64], upto: NDArray[np.float64], starts: Sequence[float], work: Work
) -> tuple[int, int, tuple[int, int], bool] | None:
    """Where a tread begins and how long each is, the roundest that every jump allows; and whether it can only be so."""
    gaps_low, gaps_high = above[1:] - upto[:-1], upto[1:] - above[:-1]
    high = int(np.ceil(gaps_high.min())) - 1
    low = max(2, int(np.floor(gaps_low[int(np.argmin(gaps_high))])) + 1, high - _MOST_TRIED)
    options: list[tuple[int, int, int, int, bool]] = []
    for length in range(low, high + 1):
        work.spend(_COST_OF_LENGTH + above.size / _JUMPS_AT_ONCE)
        turns = np.round(((above + upto) / 2 - (above[0] + upto[0]) / 2) / length)
        first = int(np.floor((above - turns * length).max())) + 1  # the first jump is at one of first, ..., last
        last = int(np.floor((upto - turns * length).min()))
        if first <= last:
            jumps = [first + (int(start) - first) % length for start in starts]
            fits = next((order for order, jump in enumerate(jumps) if jump <= last), len(jumps))
            placed = fits < len(jumps) or first == last
            options.append((fits, significant(length), -length, [*jumps, last][fits], placed))
    if not options:
        return None
    _, _, length, jump, placed = min(options)
    every = [-option[2] for option in options]
    return jump, -length, (min(every), max(every)), placed
