"""Where two plans differ first, and where most, from as few steps as possible."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kosine._analysis.overlaps import Interval, monotone_difference, overlaps
from kosine._core.timeline import PlannedPhase

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._core.schedule import Plan

    Steps = NDArray[np.int64]
    Rates = NDArray[np.float64]

_MOST_STEPS = 10_000_000  # steps that may differ: up to this number, each is evaluated
_MOST_PROOF_STEPS = 2**20  # steps that are evaluated to prove where the plans differ, in longer runs
_CHUNK = 2**18  # steps that are evaluated together
_TOGETHER = 2**15  # intervals that are cut into pieces together
_PIECES = 8  # of an interval: fewer take more rounds, more take steps that add no information
_MOST_ROWS = 4096  # repeated phases that are compared one by one
_MOST_SHORT_ROWS = 2**15  # repeated phases whose steps are all evaluated instead, where these are not too many
_ACROSS = 256  # places at which the phases are compared, of more repeated phases
_ROUNDING = 1e-14  # of the highest rate: rates that differ by less are the same but for their rounding


@dataclass(frozen=True, slots=True)
class Difference:
    """Where one plan differs from the first.

    Attributes:
        name: the name of the plan.
        first_step: the first step at which the two differ by more than the tolerance; None if they never do.
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


class DifferenceSearch:
    """Looks for the first and the largest difference of two plans, and keeps the best that it has evaluated.

    Most steps need no look. Where both plans show the same phase by the same clock, they do not differ. In any other
    interval, where either rate only rises or only falls, the rates at the two ends bound the difference between them
    (`OpenIntervals.bound`). So the search cuts the intervals whose bound allows a larger difference than the one that
    is known, or an earlier one, until none is left: branch and bound. `looked_at` counts what was evaluated.
    """

    def __init__(self, mine: Plan, other: Plan, total: int, tolerance: float, peak: float) -> None:
        self.mine, self.other, self.total = mine, other, total
        self.limit = tolerance * peak
        # A bound that exceeds the largest difference by rounding alone would be cut down to single steps in vain.
        self.slack = _ROUNDING * peak
        # With a tolerance near the rounding of a rate, rounding decides, and no difference is sure to be monotone.
        self.rounded = tolerance > 100 * _ROUNDING
        self.first: int | None = None
        self.step, self.largest = 0, 0.0
        self.rates = mine(0), other(0)
        self.looked_at = 0

    def difference(self, name: str) -> Difference:
        """Where the second plan, called `name`, differs from the first."""
        sure = self._search()
        return Difference(name, self.first, self.step, self.rates, self.largest, None if sure else self.looked_at)

    def look(self, steps: Steps) -> tuple[Rates, Rates]:
        """Evaluate both plans at steps, and keep the first and the largest difference among them."""
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
        """Look for both, and say whether what was found is certain."""
        if self.mine == self.other:
            return True
        intervals, complete = self._intervals()
        if not intervals:
            return complete
        first, last = (np.array([getattr(item, end) for item in intervals], np.int64) for end in ("first", "last"))
        known: int | None = None  # the step up to which no earlier difference hides
        if float((last - first + 1.0).sum()) <= _MOST_STEPS:
            self._look_at_all(first, last)
        else:
            ends = self._with_ends(first, last)
            monotone = np.array([interval.monotone for interval in intervals])
            # A monotone difference is largest at an end, and both ends are evaluated already.
            certain = self._find_largest(ends.take(~monotone))
            if self.first is not None or not certain or not self.rounded:
                known = self._find_first(ends.take(~monotone), ends.take(monotone))
            complete = complete and certain and known is None
        if not complete and self.first is not None:
            self._narrow(int(last[last < self.first].max(initial=0)) if known is None else known, self.first)
        return complete

    def _intervals(self) -> tuple[list[Interval], bool]:
        """Where the two can differ, ascending, and whether these are all; of too many cycles only some are."""
        found: list[Interval] = []
        complete, left = True, _MOST_ROWS
        mine, other = ((*plan.parts, plan.after) for plan in (self.mine, self.other))
        for first, stop, ours, theirs in overlaps(mine, other, 0, self.total):
            if ours.follows_from(first) == theirs.follows_from(first):
                continue
            if ours.period and theirs.period:  # what differs differs in each common repetition, so one says it all
                stop = min(stop, first + math.lcm(ours.period, theirs.period))
            # Of cycles either every phase is compared, or where these are short every step, or only some of them.
            rows_there = ours.repeated_rows(first, stop) + theirs.repeated_rows(first, stop)
            if left < rows_there <= _MOST_SHORT_ROWS and stop - first <= _MOST_STEPS:
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
                    found.append(self._interval(mine_row, other_row, begin, end))
        return found, complete

    def _some(self, first: int, stop: int) -> list[Interval]:
        """Intervals at some steps: spread evenly, and more densely at both ends, where cycles are often cut."""
        doubling = [2**power for power in range((stop - first).bit_length())]
        steps = {first + (stop - 1 - first) * index // _ACROSS for index in range(_ACROSS + 1)}
        steps.update(first + distance for distance in doubling if first + distance < stop)
        steps.update(stop - distance for distance in doubling)
        found: list[Interval] = []
        for step in sorted(steps):
            if not found or step > found[-1].last:
                found.append(self._interval(self.mine.phase_at(step), self.other.phase_at(step), first, stop))
        return found

    def _interval(self, mine: PlannedPhase, other: PlannedPhase, first: int, stop: int) -> Interval:
        """The steps from `first` to before `stop` that two phases share."""
        begin = max(mine.first_step, other.first_step, first)
        end = min(mine.stop, other.stop, stop)
        return Interval(begin, end - 1, self.rounded and monotone_difference(mine, other, begin))

    def _look_at_all(self, first: Steps, last: Steps) -> None:
        before: Steps = np.concatenate([[0], np.cumsum(last - first + 1)])
        for low in range(0, int(before[-1]), _CHUNK):
            index = np.arange(low, min(low + _CHUNK, int(before[-1])), dtype=np.int64)
            interval = np.searchsorted(before, index, "right") - 1
            self.look(first[interval] + index - before[interval])

    def _with_ends(self, low: Steps, high: Steps) -> OpenIntervals:
        rates = self.look(np.stack([low, high], axis=1).ravel())
        mine, other = (of_plan.reshape(-1, 2).T for of_plan in rates)
        return OpenIntervals(low, high, mine[0], mine[1], other[0], other[1])

    def _find_largest(self, pool: OpenIntervals) -> bool:
        """Cut the intervals in which more than the largest difference may hide; False if they are too many."""
        most = self.looked_at + _MOST_PROOF_STEPS
        while True:
            pool = pool.take(pool.above(self.largest + self.slack))
            if not pool.low.size:
                return True
            if self.looked_at > most:
                return False
            chosen = np.zeros(pool.low.size, np.bool_)
            chosen[np.argsort(-pool.bound, kind="stable")[:_TOGETHER]] = True
            pool = self._cut(pool.take(chosen)).joined(pool.take(~chosen))

    def _find_first(self, pool: OpenIntervals, monotone: OpenIntervals) -> int | None:
        """Cut the intervals before the first difference where another may hide.

        Returns:
            None if there is none, else the step up to which that is certain.
        """
        # In a monotone interval that starts within the limit and ends beyond it, halving finds the first such step.
        leaves = (np.abs(monotone.mine_low - monotone.other_low) <= self.limit) & (
            np.abs(monotone.mine_high - monotone.other_high) > self.limit
        )
        for low, high in zip(monotone.low[leaves][:1].tolist(), monotone.high[leaves][:1].tolist(), strict=True):
            if self.first is None or low < self.first:
                self._halve(low, high)
        most = self.looked_at + _MOST_PROOF_STEPS
        while True:
            pool = pool.take(pool.above(self.limit))
            if self.first is not None:
                pool = pool.take(pool.low < self.first)
            if not pool.low.size:
                return None
            if self.looked_at > most:
                return int(pool.low[0])
            pool = self._cut(pool.take(slice(_TOGETHER))).joined(pool.take(slice(_TOGETHER, None)))

    def _cut(self, pool: OpenIntervals) -> OpenIntervals:
        """Each interval in pieces; those that belong together share an end."""
        span, parts = (pool.high - pool.low)[:, None], np.arange(_PIECES + 1, dtype=np.int64)
        steps: Steps = pool.low[:, None] + span // _PIECES * parts + span % _PIECES * parts // _PIECES
        mine, other = (rates.reshape(-1, _PIECES - 1) for rates in self.look(steps[:, 1:-1].ravel()))
        mine = np.column_stack([pool.mine_low, mine, pool.mine_high])
        other = np.column_stack([pool.other_low, other, pool.other_high])
        tables: tuple[NDArray[Any], ...] = steps, mine, other
        return OpenIntervals(*(table[:, end].ravel() for table in tables for end in (slice(-1), slice(1, None))))

    def _halve(self, low: int, high: int) -> None:
        """Find the first difference in an interval whose difference only rises or only falls."""
        while high - low > 1:
            middle = low + (high - low) // 2
            self.look(np.array([middle], np.int64))
            low, high = (low, middle) if self.first is not None and self.first <= middle else (middle, high)

    def _narrow(self, low: int, high: int) -> None:
        """Look for an earlier difference between a step without one and the first that is known, by halving.

        It may miss one, as it does not look at every step; the result says then that it is not certain.
        """
        while high - low > 1:
            middle = low + (high - low) // 2
            around = self._interval(self.mine.phase_at(middle), self.other.phase_at(middle), low + 1, high)
            steps = np.unique([*np.linspace(around.first, around.last, 64).astype(np.int64).tolist(), middle])
            steps = np.clip(steps, low + 1, high - 1)
            self.look(steps)
            assert self.first is not None
            if self.first < high:
                high = self.first
                low = max(low, int(steps[steps < high].max(initial=low)))
            else:
                low = int(steps[-1])


class OpenIntervals(NamedTuple):
    """Intervals that may hide a difference, with both rates at both ends, as arrays."""

    low: Steps
    high: Steps
    mine_low: Rates
    mine_high: Rates
    other_low: Rates
    other_high: Rates

    @property
    def bound(self) -> Rates:
        """The most that both can differ by inside: each rate only rises or only falls, so it lies between its ends.

        Both may also rise or fall in step, so this is seldom reached; each cut makes it smaller.
        """
        return np.maximum(np.abs(self.mine_low - self.other_high), np.abs(self.mine_high - self.other_low))

    def above(self, difference: float) -> NDArray[np.bool_]:
        """Which have steps inside, where the difference may be greater."""
        return (self.high - self.low > 1) & (self.bound > difference)

    def take(self, index: Any) -> OpenIntervals:
        return OpenIntervals(*(values[index] for values in self))

    def joined(self, other: OpenIntervals) -> OpenIntervals:
        return OpenIntervals(*(np.concatenate(pair) for pair in zip(self, other, strict=True)))
