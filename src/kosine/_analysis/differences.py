"""Where two plans differ first, and where most, from no more steps than it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kosine._analysis.overlaps import Stretch, one_way, overlaps
from kosine._core.timeline import PlannedPhase

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._core.schedule import Plan

    Steps = NDArray[np.int64]
    Rates = NDArray[np.float64]

_EVERY = 10_000_000  # up to so many steps that may differ, each of them is looked at
_MOST = 2**20  # how many are looked at beyond that to prove which differ
_CHUNK = 2**18  # steps that are looked at together
_OPEN = 2**15  # stretches that are cut into pieces together
_PIECES = 8  # how many pieces each is cut into
_MOST_ROWS = 4096  # repeated phases that are listed; of more, only some are looked at
_SHORT_ROWS = 2**15  # of so many every step is looked at all the same, where the steps are not too many
_ACROSS = 256  # how many are looked at of more
_ROUNDING = 1e-14  # of the highest rate: rates that differ by less are the same but for their rounding


@dataclass(frozen=True, slots=True)
class Difference:
    """Where one plan differs from the first.

    Attributes:
        name: the name of the plan.
        first_step: the first step at which the two differ by more than the tolerance; None if they do nowhere.
        step: the step at which they differ most; the first step if they never differ.
        rates: the first plan's rate there, and this plan's.
        largest: the difference there, without its sign.
        looked_at: how many steps were looked at where they are too many to be sure of all; None: every step is
            accounted for.
    """

    name: str
    first_step: int | None
    step: int
    rates: tuple[float, float]
    largest: float
    looked_at: int | None = None


class Search:
    """Looks for the first difference and for the largest, and notes what it has come across."""

    def __init__(self, mine: Plan, other: Plan, total: int, tolerance: float, peak: float) -> None:
        self.mine, self.other, self.total = mine, other, total
        self.limit = tolerance * peak
        self.slack = _ROUNDING * peak
        self.rounded = tolerance > 100 * _ROUNDING
        self.first: int | None = None
        self.step, self.largest = 0, 0.0
        self.rates = mine(0), other(0)
        self.looked_at = 0

    def difference(self, name: str) -> Difference:
        sure = self._search()
        return Difference(name, self.first, self.step, self.rates, self.largest, None if sure else self.looked_at)

    def look(self, steps: Steps) -> tuple[Rates, Rates]:
        """Evaluate both at steps."""
        mine, other = self.mine(steps), self.other(steps)
        apart = np.abs(mine - other)
        self.looked_at += steps.size
        at = int(np.argmax(apart))
        if apart[at] > self.largest or (apart[at] == self.largest and steps[at] < self.step):
            self.step, self.largest = int(steps[at]), float(apart[at])
            self.rates = float(mine[at]), float(other[at])
        over = steps[apart > self.limit]
        if over.size and (self.first is None or over.min() < self.first):
            self.first = int(over.min())
        return mine, other

    def _search(self) -> bool:
        """Whether what was found is certain."""
        if self.mine == self.other:
            return True
        stretches, complete = self._stretches()
        if not stretches:
            return complete
        first, last = (np.array([getattr(item, end) for item in stretches], np.int64) for end in ("first", "last"))
        known: int | None = None
        if float((last - first + 1.0).sum()) <= _EVERY:
            self._look_at_all(first, last)
        else:
            ends = self._with_ends(first, last)
            one_way = np.array([stretch.one_way for stretch in stretches])
            certain = self._find_largest(ends.take(~one_way))
            if self.first is not None or not certain or not self.rounded:
                known = self._find_first(ends.take(~one_way), ends.take(one_way))
            complete = complete and certain and known is None
        if not complete and self.first is not None:
            self._narrow(int(last[last < self.first].max(initial=0)) if known is None else known, self.first)
        return complete

    def _stretches(self) -> tuple[list[Stretch], bool]:
        """Where the two can differ, ascending, and whether that is all; of too many cycles only some are among it."""
        found: list[Stretch] = []
        complete, left = True, _MOST_ROWS
        mine, other = ((*plan.parts, plan.after) for plan in (self.mine, self.other))
        for first, stop, ours, theirs in overlaps(mine, other, 0, self.total):
            if ours.follows_from(first) == theirs.follows_from(first):
                continue
            if ours.period and theirs.period:  # what differs differs in each common repetition, so one says it all
                stop = min(stop, first + math.lcm(ours.period, theirs.period))
            rows_there = ours.repeated_rows(first, stop) + theirs.repeated_rows(first, stop)
            if left < rows_there <= _SHORT_ROWS and stop - first <= _EVERY:
                self._look_at_all(np.array([first]), np.array([stop - 1]))
                continue
            if rows_there > left:
                complete = False
                found += self._some(first, stop)
                continue
            left -= rows_there
            for begin, end, mine_row, other_row in overlaps(
                ours.rows(first, stop), theirs.rows(first, stop), first, stop
            ):
                if mine_row.follows_from(begin) != other_row.follows_from(begin):
                    found.append(self._stretch(mine_row, other_row, begin, end))
        return found, complete

    def _some(self, first: int, stop: int) -> list[Stretch]:
        """The phases at some steps, spread evenly and more densely at both ends."""
        doubling = [2**power for power in range((stop - first).bit_length())]
        steps = {first + (stop - 1 - first) * index // _ACROSS for index in range(_ACROSS + 1)}
        steps.update(first + distance for distance in doubling if first + distance < stop)
        steps.update(stop - distance for distance in doubling)
        found: list[Stretch] = []
        for step in sorted(steps):
            if not found or step > found[-1].last:
                found.append(self._stretch(self.mine.phase_at(step), self.other.phase_at(step), first, stop))
        return found

    def _stretch(self, mine: PlannedPhase, other: PlannedPhase, first: int, stop: int) -> Stretch:
        """What two phases share of the steps from `first` to before `stop`."""
        begin = max(mine.first_step, other.first_step, first)
        end = min(mine.stop, other.stop, stop)
        return Stretch(begin, end - 1, self.rounded and one_way(mine, other, begin))

    def _look_at_all(self, first: Steps, last: Steps) -> None:
        before: Steps = np.concatenate([[0], np.cumsum(last - first + 1)])
        for low in range(0, int(before[-1]), _CHUNK):
            index = np.arange(low, min(low + _CHUNK, int(before[-1])), dtype=np.int64)
            stretch = np.searchsorted(before, index, "right") - 1
            self.look(first[stretch] + index - before[stretch])

    def _with_ends(self, low: Steps, high: Steps) -> _Open:
        rates = self.look(np.stack([low, high], axis=1).ravel())
        mine, other = (of_plan.reshape(-1, 2).T for of_plan in rates)
        return _Open(low, high, mine[0], mine[1], other[0], other[1])

    def _find_largest(self, pool: _Open) -> bool:
        """Cut the stretches in which more than the largest difference may hide; False if they are too many."""
        most = self.looked_at + _MOST
        while True:
            pool = pool.take(pool.above(self.largest + self.slack))
            if not pool.low.size:
                return True
            if self.looked_at > most:
                return False
            chosen = np.zeros(pool.low.size, np.bool_)
            chosen[np.argsort(-pool.bound, kind="stable")[:_OPEN]] = True
            pool = self._cut(pool.take(chosen)).joined(pool.take(~chosen))

    def _find_first(self, pool: _Open, one_way: _Open) -> int | None:
        """Cut the stretches before the first difference where another may hide.

        Returns:
            None if there is none, else the step up to which that is certain.
        """
        leaves = (np.abs(one_way.mine_low - one_way.other_low) <= self.limit) & (
            np.abs(one_way.mine_high - one_way.other_high) > self.limit
        )
        for low, high in zip(one_way.low[leaves][:1].tolist(), one_way.high[leaves][:1].tolist(), strict=True):
            if self.first is None or low < self.first:
                self._halve(low, high)
        most = self.looked_at + _MOST
        while True:
            pool = pool.take(pool.above(self.limit))
            if self.first is not None:
                pool = pool.take(pool.low < self.first)
            if not pool.low.size:
                return None
            if self.looked_at > most:
                return int(pool.low[0])
            pool = self._cut(pool.take(slice(_OPEN))).joined(pool.take(slice(_OPEN, None)))

    def _cut(self, pool: _Open) -> _Open:
        """Each stretch in pieces; those that belong together share an end."""
        span, parts = (pool.high - pool.low)[:, None], np.arange(_PIECES + 1, dtype=np.int64)
        steps: Steps = pool.low[:, None] + span // _PIECES * parts + span % _PIECES * parts // _PIECES
        mine, other = (rates.reshape(-1, _PIECES - 1) for rates in self.look(steps[:, 1:-1].ravel()))
        mine = np.column_stack([pool.mine_low, mine, pool.mine_high])
        other = np.column_stack([pool.other_low, other, pool.other_high])
        tables: tuple[NDArray[Any], ...] = steps, mine, other
        return _Open(*(table[:, end].ravel() for table in tables for end in (slice(-1), slice(1, None))))

    def _halve(self, low: int, high: int) -> None:
        """Find the first difference in a stretch whose difference only rises or only falls."""
        while high - low > 1:
            middle = low + (high - low) // 2
            self.look(np.array([middle], np.int64))
            low, high = (low, middle) if self.first is not None and self.first <= middle else (middle, high)

    def _narrow(self, low: int, high: int) -> None:
        """Look for an earlier difference between a step without one and the first that is known."""
        while high - low > 1:
            middle = low + (high - low) // 2
            around = self._stretch(self.mine.phase_at(middle), self.other.phase_at(middle), low + 1, high)
            steps = np.unique([*np.linspace(around.first, around.last, 64).astype(np.int64).tolist(), middle])
            steps = np.clip(steps, low + 1, high - 1)
            self.look(steps)
            assert self.first is not None
            if self.first < high:
                high = self.first
                low = max(low, int(steps[steps < high].max(initial=low)))
            else:
                low = int(steps[-1])


class _Open(NamedTuple):
    """Stretches that may hide a difference, with both rates at both ends."""

    low: Steps
    high: Steps
    mine_low: Rates
    mine_high: Rates
    other_low: Rates
    other_high: Rates

    @property
    def bound(self) -> Rates:
        """The most that both can differ by: each only rises or only falls, so it stays between its ends."""
        return np.maximum(np.abs(self.mine_low - self.other_high), np.abs(self.mine_high - self.other_low))

    def above(self, difference: float) -> NDArray[np.bool_]:
        """Which have steps inside, where the difference may be greater."""
        return (self.high - self.low > 1) & (self.bound > difference)

    def take(self, index: Any) -> _Open:
        return _Open(*(values[index] for values in self))

    def joined(self, other: _Open) -> _Open:
        return _Open(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))
