"""By how many steps rows of a log may be shifted against the plan: sets of whole numbers, kept as intervals.

A printed rate is one of many steps where the curve is flat and of few where it is steep, and one rate may be in many
phases. So the shifts that a row allows are a set of intervals; what explains several rows is in the sets of them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.check.alignment import Alignment, phases_between
from kosine._logs.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Interval = tuple[int, int]

_FEW = 4096  # steps that are looked at one by one
_WORK = 8e6  # see `Work`: it ends a search for shifts that leads nowhere
_COST_OF_PHASE, _COST_OF_LOOK, _ROWS_AT_ONCE = 2000, 500, 10
_ROUNDS = 100  # in which a set of shifts is made smaller by a row that contradicts


@dataclass(frozen=True, slots=True)
class ShiftedRun:
    """Rows one after the other that one shift explains.

    Attributes:
        begin: the first of them.
        stop: the row after the last.
        shift: the one that explains all of them.
    """

    begin: int
    stop: int
    shift: int


class Shifts:
    """Looks for the shifts of rows; the phases of the plan are monotone, so that bisection finds where a rate is."""

    def __init__(self, aligned: Alignment) -> None:
        self.aligned = aligned
        run = max(aligned.plan.total_steps or 0, aligned.own_step(-1))
        limit = 2 * run + 2 * aligned.steps_per_epoch + 1  # a jump may be as far as the run
        found = phases_between(aligned.plan, 0, limit)
        self.firsts = np.array([row.first_step for row in found], np.int64)
        self.lasts = np.array([min(row.stop, limit) - 1 for row in found], np.int64)
        self.rises = aligned.plan(self.lasts) >= aligned.plan(self.firsts)
        self.work = Work(_WORK)
        self._known: dict[int, tuple[Interval, ...]] = {}  # rows are asked about many times over

    def of_row(self, row: int) -> tuple[Interval, ...]:
        """Every shift with which a row shows the plan's rate."""
        if row not in self._known:
            self.work.spend(_COST_OF_PHASE * self.firsts.size)
            index = slice(row, row + 1)
            rate, width = float(self.aligned.trace.rates[row]), float(self.aligned.tolerance(index)[0])
            low, high = rate - width, rate + width
            begin = self._first(lambda rates: np.where(self.rises, rates >= low, rates <= high))
            stop = self._first(lambda rates: np.where(self.rises, rates > high, rates < low))
            own = self.aligned.own_step(row)
            found: list[Interval] = []
            for first, end in zip(begin.tolist(), stop.tolist(), strict=True):
                if first < end and found and found[-1][1] + 1 == first - own:
                    found[-1] = found[-1][0], end - 1 - own
                elif first < end:
                    found.append((first - own, end - 1 - own))
            self._known[row] = tuple(found)
        return self._known[row]

    def longest_run(
        self,
        begin: int,
        preferred: Callable[[tuple[Interval, ...]], int],
        within: Interval | None = None,
        stop: int | None = None,
    ) -> ShiftedRun | None:
        """The longest run of rows from `begin` on, up to `stop`, that one shift explains; `preferred` picks one.

        Every second trial takes the preferred shift, the others the middle of the interval around it: the row that
        contradicts the middle leaves about half of the shifts, so that the search ends soon however many there are.
        """
        limit = len(self.aligned) if stop is None else stop
        allowed = self.of_row(begin) if within is None else self.narrowed((within,), begin)
        best: ShiftedRun | None = None
        for turn in range(_ROUNDS if allowed else 0):
            shift = preferred(allowed)
            if turn % 2:
                low, high = next(interval for interval in allowed if interval[0] <= shift <= interval[1])
                shift = (low + high) // 2
            off = self.aligned.reread(offset=shift).first_miss(begin, limit)
            self.work.spend(_COST_OF_LOOK + ((limit if off is None else off) - begin) / _ROWS_AT_ONCE)
            rest = () if off is None else self.narrowed(allowed, off)
            if not rest:  # no other shift goes further
                limit = limit if off is None else off
                best = ShiftedRun(begin, limit, shift)
                if not turn % 2:
                    break
            else:
                allowed = rest
        return best

    def narrowed(self, allowed: tuple[Interval, ...], row: int) -> tuple[Interval, ...]:
        """Those of some shifts with which a row shows the plan's rate."""
        low, high = allowed[0][0], allowed[-1][1]
        if row in self._known or high - low > _FEW:
            return in_both(allowed, self.of_row(row))
        if high < low:
            return ()
        index = slice(row, row + 1)
        shifts = np.arange(low, high + 1)
        steps = self.aligned.own_steps(index) + shifts
        apart = np.abs(self.aligned.plan(np.maximum(steps, 0)) - self.aligned.trace.rates[index])
        fits = np.concatenate([[False], (apart <= self.aligned.tolerance(index)) & (steps >= 0), [False]])
        edges = np.flatnonzero(fits[1:] != fits[:-1]).tolist()
        found = tuple((low + first, low + stop - 1) for first, stop in zip(edges[::2], edges[1::2], strict=True))
        return in_both(allowed, found)

    def _first(self, passed: Callable[[NDArray[np.float64]], NDArray[np.bool_]]) -> NDArray[np.int64]:
        """The first step of each phase that passes; the step after its last where none does."""
        low, high = self.firsts.copy(), self.lasts + 1
        while bool((low < high).any()):
            middle = low + (high - low) // 2
            passes = passed(self.aligned.plan(np.minimum(middle, self.lasts)))
            open_ = low < high
            high = np.where(open_ & passes, middle, high)
            low = np.where(open_ & ~passes, middle + 1, low)
        return low


def nearest(intervals: tuple[Interval, ...], shift: int) -> int:
    """The shift of a set that is nearest to another."""
    ends = (min(max(shift, low), high) for low, high in intervals)
    return min(ends, key=lambda end: abs(end - shift))


def in_both(mine: tuple[Interval, ...], other: tuple[Interval, ...]) -> tuple[Interval, ...]:
    """The shifts that are in both sets."""
    found: list[Interval] = []
    i = j = 0
    while i < len(mine) and j < len(other):
        low, high = max(mine[i][0], other[j][0]), min(mine[i][1], other[j][1])
        if low <= high:
            found.append((low, high))
        if mine[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)
