"""The totals of a run: its highest rate, the area under the curve, how long the rate is high."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kosine._analysis.cycles_across import cycles_across
from kosine._analysis.sampling import length
from kosine._core.evaluate import array_function
from kosine._core.numbers import SECONDS
from kosine._core.planned_cycles import PlannedCycles
from kosine._core.timeline import PlannedPart, PlannedPhase

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._core.schedule import Plan

_MOST_STEPS = 4096  # of a phase of which every step is added up; longer ones are sampled
_MOST_ROWS = 1024  # different phases of cycles that are all added up; of more cycles some are sampled
_EXTREMES = 32  # sampled cycles in which the peak is looked for
_LONG = 500  # steps of a cycle that hardly feels how its ends round to steps
_TOGETHER = 24  # shorter cycles that are taken together, so that their rounding evens out


@dataclass(frozen=True)
class Summary:
    """The numbers of a run; made by `summarize`.

    Attributes:
        total_steps: how many steps the run has.
        steps_per_epoch: how many of them are an epoch, where that is known.
        peak: the highest rate of any step.
        lowest: the lowest rate of any step.
        area: the sum of the rates of all steps.
        above_half: how many steps have a rate above half the peak.
        sampled: whether the area and the steps above half the peak were estimated from some of very many cycles.
        seconds: how long the run takes, where the plan knows the seconds of a step.
    """

    total_steps: int
    steps_per_epoch: int | None
    peak: float
    lowest: float
    area: float
    above_half: int
    sampled: bool = False
    seconds: float | None = None

    @property
    def epochs(self) -> float | None:
        """The run's length in epochs, where that is known."""
        return None if self.steps_per_epoch is None else self.total_steps / self.steps_per_epoch

    @property
    def mean(self) -> float:
        """The mean rate of a step."""
        return min(max(self.area / self.total_steps, self.lowest), self.peak)  # rounding must not take it out of these

    @property
    def mean_over_peak(self) -> float:
        """The mean rate as a share of the peak; 0 where every rate is 0."""
        return self.mean / self.peak if self.peak else 0.0

    @property
    def share_above_half(self) -> float:
        """The share of the steps whose rate is above half the peak."""
        return self.above_half / self.total_steps

    def in_words(self) -> dict[str, str]:
        """The totals as people read them, by name."""
        about = "about " if self.sampled else ""
        epochs = {} if self.epochs is None else {"epochs": f"{self.epochs:,.6g}"}
        return {
            "steps": f"{self.total_steps:,}",
            **epochs,
            **({} if self.seconds is None else {"time": _time(self.seconds)}),
            "area under the curve": f"{about}{self.area:,.6g}",
            "mean rate / peak": f"{about}{self.mean_over_peak:.4f}",
            "steps above half the peak": f"{about}{self.share_above_half:.2%}",
        }


def _time(seconds: float) -> str:
    """Seconds in the largest unit that they fill."""
    unit = max((unit for unit in SECONDS if SECONDS[unit] <= seconds), key=SECONDS.__getitem__, default="s")
    return f"{seconds / SECONDS[unit]:,.4g} {unit}"


def summarize(plan: Plan) -> Summary:
    """Add up the steps of a run, 0 to `total_steps` - 1, in a time that does not grow with their number.

    The peak, the lowest rate and the steps above half the peak are exact, as every curve is monotone between its ends.
    The area is exact up to the rounding of floats where phases last at most 4,096 steps. Longer phases are sampled,
    most closely at their ends, and parabolas through the samples are summed over the steps. The relative error is then
    at most 1e-7, for the usual curves 1e-10. Equal cycles are worked out once, however many they are.

    A group of more than 1,024 phases in cycles that all differ is sampled over its cycles, too, and `sampled` says so.
    Cycles differ by `stretch`, by `shrink`, or where the rounding of their lengths to steps hardly repeats. Where
    its cycles last 100 steps or more, the area is right within 0.1 % and the steps above half the peak within 1 %;
    where they last a few steps, within 2 % and 5 %. The peak and the lowest rate are those of the cycles looked at,
    among them the highest that a search finds.

    Args:
        plan: a plan with a length.

    Raises:
        PlanError: a plan of a schedule that never ends, made without a length.

    Example:
        >>> import kosine as ks
        >>> summary = ks.summarize(ks.warmup_cosine(peak=0.1, warmup=1000).plan(total_steps=10**9))
        >>> summary.peak, round(summary.mean_over_peak, 6), summary.above_half
        (0.1, 0.5, 499999999)
    """
    total = length(plan)
    rows = list(_rows(plan, total))
    ends = [rate for row in rows for rate in (row.first, row.last)]
    half = max(ends) / 2
    area = math.fsum(row.times * _area(row) for row in rows)
    some = any(row.sampled for row in rows)
    if any(part.shrinks for part in plan.parts):
        # Again: sampled cycles differ in whether they have a step above half.
        rows = list(_rows(plan, total, half))
    exact = sum(row.times * _above(row, half) for row in rows if not row.sampled)
    sampled = math.fsum(row.times * _above(row, half) for row in rows if row.sampled)
    above = min(max(0, int(exact) + round(sampled)), total)
    per_step = plan.run.seconds_per_step
    seconds = None if per_step is None else float(total * per_step)
    return Summary(total, plan.run.steps_per_epoch, max(ends), min(ends), area, above, some, seconds)


class _CountedRow(NamedTuple):
    """A row of the plan within the run, and how many times it counts: a float where it represents others."""

    row: PlannedPhase
    steps: int
    times: int | float
    first: float
    last: float

    @classmethod
    def of(cls, row: PlannedPhase, times: int | float = 1) -> _CountedRow:
        assert row.steps is not None
        rate = row.function()
        return cls(row, row.steps, times, rate(0), rate(row.steps - 1))

    @property
    def sampled(self) -> bool:
        return isinstance(self.times, float)


def _rows(plan: Plan, total: int, half: float | None = None) -> Iterator[_CountedRow]:
    """What the run is made of, less those of the sampled cycles that have no step above `half`."""
    stop = 0
    for part in plan.parts:
        if part.first_step >= total:
            return
        stop = min(part.stop, total)
        yield from _of_part(part, stop, half)
    if stop < total:
        yield _CountedRow.of(plan.after.between(0, total))


def _of_part(part: PlannedPart, stop: int, half: float | None) -> Iterator[_CountedRow]:
    """The rows of a part up to the step `stop`: those of equal cycles once, and of very many others some."""
    first = part.first_step
    cycles, period = part.repeats or (0, 0)
    if period and cycles * part.phases_in_cycle <= _MOST_ROWS and period < stop - first:
        whole, rest = divmod(stop - first, period)  # the pattern's first `rest` steps come once more than the others
        yield from _window(part, first, first + rest, whole + 1)
        yield from _window(part, first + rest, first + period, whole)
    elif part.repeated_rows(first, stop) > _MOST_ROWS and isinstance(part, PlannedCycles):
        yield from _sampled_cycles(part, stop, half)
    else:
        yield from _window(part, first, stop)


def _sampled_cycles(group: PlannedCycles, stop: int, half: float | None) -> Iterator[_CountedRow]:
    """The first cycle, the last, and of the many between them some that represent the others."""
    begin, end = group.cycle_at(group.first_step), group.cycle_at(stop - 1)
    if end - begin < 3:
        yield from _window(group, group.first_step, stop)
        return
    yield from _window(group, group.first_step, group.boundary(begin + 1))
    yield from _window(group, group.boundary(end), stop)
    middle = range(begin + 1, end)
    phases = group.phases_in_cycle
    if any(start < to for start, to in group.pairs):
        for cycle in cycles_across(group, middle, range(phases), stop, _EXTREMES):  # for the peak; they add nothing
            yield from (_CountedRow.of(row, 0.0) for row in group.rows_of([cycle]))
    mean, stretch = float(group.offsets[-1] * group.tick), float(group.part.stretch)
    together = _alike(group)
    for low, high in pairwise(_turns(group, middle, half)):
        nodes, weights = _samples(high - low, max(_MOST_ROWS // 4 // phases // together, 64))
        for node, weight in zip(nodes.tolist(), weights.tolist(), strict=True):
            count = together if weight > together and high - low > together else 1
            around = min(max(low + node - count // 2, low), high - count)
            rows = list(group.rows_of(middle[around : around + count]))
            times = weight / count
            if stretch > 1:  # by the exact length of the cycle at that place, as these few round to steps
                times *= count * mean * stretch ** middle[low + node] / (rows[-1].stop - rows[0].first_step)
            yield from (_CountedRow.of(row, times) for row in rows)


def _alike(group: PlannedCycles) -> int:
    """How many cycles represent one, so that how their ends round to steps evens out."""
    length, tick = float(group.offsets[-1]), group.offsets[-1].denominator
    if length >= _LONG or (group.part.stretch == 1 and tick == 1):
        return 1
    return tick * max(1, _TOGETHER // tick) if group.part.stretch == 1 and tick <= 4 * _TOGETHER else _TOGETHER


def _turns(group: PlannedCycles, cycles: range, half: float | None) -> list[int]:
    """Where among the cycles the sinking peaks begin to cut another value, so that the cycles' means bend."""

    def first_below(level: float) -> int:
        return bisect_left(cycles, True, key=lambda cycle: group.ceiling.at(cycle) <= level)

    end = len(cycles) if half is None else first_below(half)
    return sorted({0, end, *(turn for turn in map(first_below, set(group.values[:16])) if turn < end)})


def _window(part: PlannedPart, first: int, stop: int, times: int | float = 1) -> Iterator[_CountedRow]:
    """The rows of a part from the step `first` to before the step `stop`."""
    for row in part.rows(first, stop) if first < stop else ():
        seen = row.between(first, stop)
        if seen.steps:
            yield _CountedRow.of(seen, times)


def _area(counted: _CountedRow) -> float:
    """The sum of the rates of a row."""
    row, clock = counted.row, counted.row.clock
    if counted.first == counted.last:
        return counted.steps * counted.first
    inside = min(counted.steps, row.end_step - row.first_step) if row.endpoint else counted.steps
    tick = clock.tick
    ticks = (inside - 1 + clock.cut) // tick + 1
    nodes, weights = _samples(ticks, _MOST_STEPS // 8 if counted.sampled else _MOST_STEPS)
    rates = array_function(row.curve, clock)(np.maximum(nodes * tick - clock.cut, 0))
    weights = weights * tick
    weights[0] -= clock.cut
    weights[-1] -= ticks * tick - clock.cut - inside
    return float(np.sum(weights * rates)) + (counted.steps - inside) * clock.to


def _above(counted: _CountedRow, level: float) -> int:
    """How many steps of a row have a rate above `level`."""
    if (counted.first > level) == (counted.last > level):
        return counted.steps if counted.first > level else 0
    rate = counted.row.function()
    falls = counted.first > level
    turn = bisect_left(range(counted.steps), True, key=lambda offset: (rate(offset) > level) != falls)
    return turn if falls else counted.steps - turn


@lru_cache(maxsize=64)
def _samples(count: int, most: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Some of the numbers 0 to `count` - 1, closest at both ends, and the weights that make of them the sum of all."""
    if count <= most:
        return np.arange(count), np.ones(count)
    middle = count // 2
    rising, falling = _graded(middle, most // 2), count - 1 - _graded(count - 1 - middle, most // 2)[::-1]
    nodes = np.concatenate([rising, falling[1:]])
    left, right = np.diff(nodes)[::2].astype(np.float64), np.diff(nodes)[1::2].astype(np.float64)
    # Through three neighbouring nodes goes one parabola; its sum over the steps between them is linear in their rates.
    both = left + right
    ones, first, second = both, both * (both - 1) / 2, (both - 1) * both * (2 * both - 1) / 6  # sums of 1, t and t**2
    weights = np.zeros(len(nodes))
    weights[:-1:2] += (second - (left + both) * first + left * both * ones) / (left * both)
    weights[1::2] += (both * first - second) / (left * right)
    weights[2::2] += (second - left * first) / (both * right)
    weights[-1] += 1  # each parabola is summed up to before its last node
    return nodes, weights


def _graded(last: int, most: int) -> NDArray[np.int64]:
    """An odd number of the numbers from 0 to `last`: in about equal ratios at first, then in about equal distances."""
    near, far = np.geomspace(1, last / 8, 3 * most // 4), np.linspace(last / 8, last, most // 4)
    nodes = np.rint(np.concatenate([[0.0], near, far[1:]])).astype(np.int64)
    nodes = nodes[np.flatnonzero(np.diff(nodes, prepend=-1))]
    nodes[-1] = last  # a float does not have all the digits
    return nodes if len(nodes) % 2 else np.delete(nodes, -2)
