"""The rows of a log held against a plan: which step each row shows, and which rows show another rate than the plan's.

A log may hold millions of rows, so every question is answered for some rows at a time. A search for the first row that
contradicts looks at few rows before it looks at many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from kosine._core.ramps import Ramp
from kosine._logs.odd_rows import most_odd_rows
from kosine.errors import LogError, Name, PlanError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._core.schedule import Plan
    from kosine._core.timeline import PlannedPhase
    from kosine._logs.trace import Trace

    Steps = NDArray[np.int64]
    Rates = NDArray[np.float64]
    Index = slice | NDArray[Any]

_BLOCK = 2**18  # rows that are looked at together
_MOST_PHASES = 512  # that are looked at for the highest rate, and for the steps that a rate may be of
_ROUNDING = 2e-15  # of a rate: the plan's own, 4 ulp at most, and that of a mean
_FARTHEST = 2**60  # steps: beyond, what is added to them could overflow
_OUT_OF_PROPORTION = 100
_UNITS = {"sample": "samples_per_step", "token": "tokens_per_step", "epoch": "steps_per_epoch"}


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """The rows of a log, read as steps of a plan in one way; `reread` gives another way.

    The position of a row alone gives its own step. The row shows the plan's step

        (own * factor + phase) rounded down, + offset

    Attributes:
        trace: the log.
        plan: the plan.
        steps_per_unit: steps of the plan in one unit of the log's axis.
        steps_per_epoch: steps of an epoch where the axis counts epochs, else 1.
        highest: the highest rate of both, as far as the log goes; the noise of the arithmetic is in proportion to it.
        offset: added to the step.
        factor: steps of the plan in one step of the log.
        phase: with a factor 1/m, or with `every`, how many steps of the log had gone by when it began to be counted.
        averaged: whether a row shows the mean over the epoch that begins at its step.
        every: rows show the step that is a multiple of this.
        declared: whether the skipped steps that the log declares are taken off.
        slack: how many times what the print leaves open a row may be off.
        early: whether rows before the plan's first step have that step's rate.
    """

    trace: Trace
    plan: Plan
    steps_per_unit: Fraction
    steps_per_epoch: int
    highest: float
    offset: int = 0
    factor: Fraction = Fraction(1)
    phase: int = 0
    averaged: bool = False
    every: int = 1
    declared: bool = False
    slack: float = 1.0
    early: bool = False

    @classmethod
    def of(cls, trace: Trace, plan: Plan) -> Self:
        """Each row read as its own step.

        Raises:
            PlanError: the plan does not know the unit of the log's axis.
            LogError: positions beyond every step.
        """
        unit = _steps_per_unit(trace, plan)
        first, last = float(trace.positions[0]), float(trace.positions[-1])
        if not -_FARTHEST < first * unit <= last * unit < _FARTHEST:
            raise LogError("The positions of a log must be below 2**60 steps.", received={"first": first, "last": last})
        aligned = cls(trace, plan, unit, int(unit) if trace.axis == "epoch" else 1, 0.0)
        return replace(aligned, highest=max(_highest_of_log(trace), aligned._highest_planned()))

    def _highest_planned(self) -> float:
        last = max(0, self.own_step(-1))
        seen = phases_between(self.plan, 0, last + 1)
        # a phase is monotone, so its highest rate is at one of its ends
        steps = np.array([step for row in seen for step in (row.first_step, min(row.stop - 1, last))], np.int64)
        return float(self.plan(steps).max())

    def reread(self, **changes: Any) -> Self:
        """The same rows read in another way."""
        return replace(self, **changes)

    def with_plan(self, plan: Plan) -> Self:
        """The same rows read in the same way, against another plan."""
        other = replace(self, plan=plan)
        return replace(other, highest=max(_highest_of_log(self.trace), other._highest_planned()))

    @property
    def is_plain(self) -> bool:
        """Whether each row shows its own step."""
        return self.offset == 0 and self.factor == 1 and not self.averaged and self.every == 1 and not self.declared

    def __len__(self) -> int:
        return len(self.trace)

    # --- the step of a row --------------------------------------------------------------------------------------------

    def own_step(self, row: int) -> int:
        """The step of one row, by its position alone; -1 is the last row."""
        return int(self.own_steps(slice(row, row + 1 or None))[0])

    def own_steps(self, index: Index) -> Steps:
        """The steps of rows, by their positions alone."""
        positions, unit = self.trace.positions[index], self.steps_per_unit
        if unit == 1 and positions.dtype == np.int64:
            return positions
        if positions.dtype == np.int64 and unit.numerator == 1:  # integers stay exact where a float would round
            return (positions + unit.denominator // 2) // unit.denominator
        if positions.dtype == np.int64 and unit.denominator == 1:
            return positions * unit.numerator
        return np.floor(positions * float(unit) + 0.5).astype(np.int64)

    def steps(self, index: Index) -> Steps:
        """The steps of the plan that rows show; below 0 before the plan begins."""
        return self._shown(self._counted(index))

    def _counted(self, index: Index) -> Steps:
        """The steps of rows as the log counts them, less the skipped steps that it declares if they are subtracted."""
        own = self.own_steps(index)
        if self.declared:
            at = np.array([position for position, _ in self.trace.skipped])
            counts = np.cumsum([0, *(count for _, count in self.trace.skipped)])
            own = own - counts[np.searchsorted(at, self.trace.positions[index], side="right")]
        return own

    def _shown(self, own: Steps) -> Steps:
        if self.every > 1:
            own = (own + self.phase) // self.every * self.every
        if self.factor != 1:
            own = (own * self.factor.numerator + self.phase) // self.factor.denominator
        return own + self.offset

    # --- the plan's rate at a row, and rows that have another ---------------------------------------------------------

    def planned(self, index: Index) -> Rates:
        """The plan's rates for rows; the first step's for steps below 0."""
        if not self.averaged:
            return self.plan(np.maximum(self.steps(index), 0))
        own = self._counted(index)
        means = np.empty(own.shape, np.float64)
        inside = np.arange(self.steps_per_epoch)
        together = max(1, _BLOCK // self.steps_per_epoch)
        for begin in range(0, own.size, together):
            part = own[begin : begin + together, None] + inside
            means[begin : begin + together] = self.plan(np.maximum(self._shown(part), 0)).mean(axis=1)
        return means

    def expected(self) -> Rates:
        """The plan's rates for all rows."""
        rates = np.empty(len(self), np.float64)
        for index in self.blocks():
            rates[index] = self.planned(index)
        return rates

    def tolerance(self, index: Index) -> Rates:
        """How far the plan's rate may be from each of these rows'."""
        rates = np.append(np.minimum(self.trace.rates[index], self.highest), self.highest)
        width: Rates = self.trace.precision.half_width(rates)[:-1]
        return self.slack * (width + _ROUNDING * self.highest)

    def misses(self, index: Index) -> NDArray[np.bool_]:
        """Which rows show another rate than the plan's, or lie before its first step."""
        differ = self.differ(index)
        return differ if self.early else differ | (self.steps(index) < 0)

    def differ(self, index: Index) -> NDArray[np.bool_]:
        """Which rows show another rate than the plan's, where its first rate counts before its first step."""
        differ: NDArray[np.bool_] = np.abs(self.planned(index) - self.trace.rates[index]) > self.tolerance(index)
        return differ

    def half_widths_off(self, index: Index) -> Rates:
        """How far rows are from the plan's rate, in what their print leaves open."""
        off: Rates = self.slack * np.abs(self.planned(index) - self.trace.rates[index]) / self.tolerance(index)
        return off

    def all_misses(self) -> NDArray[np.bool_]:
        """For every row, whether it shows another rate than the plan's."""
        return np.concatenate([self.misses(index) for index in self.blocks()])

    def explains_all(self) -> bool:
        """Whether no row shows another rate than the plan's."""
        return not bool(self.misses(self.spread(256)).any()) and self.first_miss() is None

    def first_miss(self, begin: int = 0, stop: int | None = None) -> int | None:
        """The first row from `begin` on that shows another rate than the plan's."""
        return self.first(self.misses, begin, stop)

    def last_miss(self, stop: int) -> int | None:
        """The last row before `stop` that shows another rate than the plan's."""
        return self.last(self.misses, stop)

    def count_misses(self) -> int:
        """How many rows show another rate than the plan's."""
        return sum(int(np.count_nonzero(self.misses(index))) for index in self.blocks())

    # --- rows, some at a time -----------------------------------------------------------------------------------------

    def first(self, test: Callable[[slice], NDArray[np.bool_]], begin: int = 0, stop: int | None = None) -> int | None:
        """The first row from `begin` on that passes a test."""
        size = 64  # small at first: most searches end soon
        stop = len(self) if stop is None else stop
        while begin < stop:
            index = slice(begin, min(begin + size, stop))
            found = np.flatnonzero(test(index))
            if found.size:
                return begin + int(found[0])
            begin, size = index.stop, min(size * 4, _BLOCK)
        return None

    def last(self, test: Callable[[slice], NDArray[np.bool_]], stop: int) -> int | None:
        """The last row before `stop` that passes a test."""
        size = 64
        while stop > 0:
            begin = max(0, stop - size)
            found = np.flatnonzero(test(slice(begin, stop)))
            if found.size:
                return begin + int(found[-1])
            stop, size = begin, min(size * 4, _BLOCK)
        return None

    def blocks(self) -> Iterator[slice]:
        """All rows, some at a time."""
        for begin in range(0, len(self), _BLOCK):
            yield slice(begin, min(begin + _BLOCK, len(self)))

    def spread(self, count: int) -> NDArray[np.int64]:
        """This number of rows, spread evenly over all."""
        return np.unique(np.linspace(0, len(self) - 1, min(len(self), count)).astype(np.int64))

    def typical_gap(self) -> int:
        """How many steps usually lie between two rows; at least a unit of the log's axis."""
        own = self.own_steps(slice(0, 1000))
        return max(self.steps_per_epoch, int(np.median(np.diff(own)))) if own.size > 1 else self.steps_per_epoch

    # --- how logs count -----------------------------------------------------------------------------------------------

    def conventions(self) -> list[Self]:
        """The ways in which logs count, the simplest first.

        A log of steps shows the rate of the step, of the next one, or counts from 1. A log of epochs shows the first
        batch of each epoch, the last one, the next epoch's first or a mean, and may count from 1 as well.
        """
        if self.trace.axis != "epoch":
            return [self.reread(offset=offset) for offset in (0, 1, -1)]
        epoch = self.steps_per_epoch
        forward = [(offset, False) for offset in dict.fromkeys((0, epoch - 1, epoch))]
        back = [(offset, False) for offset in (-epoch, -1) if (offset, False) not in forward]
        means = epoch > 1 and self.trace.positions.dtype == np.int64  # a fraction of an epoch has no mean
        ways = [*forward, (0, True), *back, (-epoch, True)] if means else [*forward, *back]
        return [self.reread(offset=offset, averaged=averaged) for offset, averaged in ways]


def _highest_of_log(trace: Trace) -> float:
    """The highest rate, but for a few that are out of all proportion: those would excuse every other row."""
    few = most_odd_rows(len(trace))
    highest = float(trace.rates.max())
    if len(trace) <= few:
        return highest
    usual = float(np.partition(trace.rates, -1 - few)[-1 - few])
    return usual if 0 < usual * _OUT_OF_PROPORTION < highest else highest


def phases_between(plan: Plan, first: int, stop: int) -> list[PlannedPhase]:
    """The phases that the steps from `first` on belong to, up to `stop`; the first ones of very many."""
    found: list[PlannedPhase] = []
    while first < stop and len(found) < _MOST_PHASES:
        found.append(plan.phase_at(first))
        first = found[-1].stop
    return found


def _steps_per_unit(trace: Trace, plan: Plan) -> Fraction:
    if trace.axis == "step":
        return Fraction(1)
    argument = _UNITS[trace.axis]
    count: int | Ramp | None = getattr(plan.run, argument)
    if isinstance(count, Ramp):
        raise PlanError(
            (
                f"The log counts {trace.axis}s, and ",
                Name(argument),
                " of the plan is a ramp: rows of one count may be of several steps.",
            ),
            received={"axis": trace.axis},
            fix="Log the step, too.",
        )
    if count is None:
        raise PlanError(
            (f"The log counts {trace.axis}s, so the plan must know its ", Name(argument), "."),
            received={"plan": plan},
            fix=("Give ", Name(argument), " when you plan the schedule."),
        )
    return Fraction(count) if trace.axis == "epoch" else Fraction(1, count)
