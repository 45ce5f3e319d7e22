"""The rows of a log next to a plan, in blocks: which rows another rate than the plan's stands in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from kosine.errors import LogError, PlanError

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
_UNITS = {"sample": "samples_per_step", "token": "tokens_per_step", "epoch": "steps_per_epoch"}


@dataclass(frozen=True, slots=True)
class Reading:
    """Which step of the plan a row shows: (own * factor + phase) rounded down, + offset, where `own` is its own step.

    Attributes:
        offset: added to the step.
        factor: steps of the plan in one step of the log.
        phase: with a factor 1/m, how many steps of the log had gone by when it began to be counted.
        averaged: whether a row shows the mean over the epoch that begins at its step.
        every: rows show the step that is a multiple of this.
        declared: whether the skipped steps that the log declares are taken off.
    """

    offset: int = 0
    factor: Fraction = Fraction(1)
    phase: int = 0
    averaged: bool = False
    every: int = 1
    declared: bool = False


@dataclass(frozen=True)
class Rows:
    """A log and a plan.

    Attributes:
        trace: the log.
        plan: the plan.
        steps_per_unit: steps of the plan in one unit of the log's axis.
        per_epoch: steps of an epoch where the axis counts epochs, else 1.
        highest: the highest rate of both, as far as the log goes, which the arithmetic's noise is in proportion to.
    """

    trace: Trace
    plan: Plan
    steps_per_unit: Fraction = field(init=False)
    per_epoch: int = field(init=False)
    highest: float = field(init=False)

    def __post_init__(self) -> None:
        unit = _steps_per_unit(self.trace, self.plan)
        ends = (float(self.trace.positions[0]), float(self.trace.positions[-1]))
        if not -_FARTHEST < ends[0] * unit <= ends[1] * unit < _FARTHEST:
            raise LogError(
                f"Positions must be below 2**60 steps. Received: a log of {self.trace.axis}s up to {ends[1]:g}."
            )
        object.__setattr__(self, "steps_per_unit", unit)
        object.__setattr__(self, "per_epoch", int(unit) if self.trace.axis == "epoch" else 1)
        last = max(0, int(self.own(slice(-1, None))[0]))
        seen = phases(self.plan, 0, last + 1)
        steps = np.array([step for row in seen for step in (row.first_step, min(row.stop - 1, last))], np.int64)
        highest = max(float(self.trace.rates.max()), float(self.plan(steps).max()))
        object.__setattr__(self, "highest", highest)

    def __len__(self) -> int:
        return len(self.trace)

    def own(self, index: Index) -> Steps:
        """The steps of rows, by their positions alone."""
        positions, unit = self.trace.positions[index], self.steps_per_unit
        if unit == 1 and positions.dtype == np.int64:
            return positions
        if positions.dtype == np.int64 and unit.numerator == 1:
            return (positions + unit.denominator // 2) // unit.denominator
        if positions.dtype == np.int64 and unit.denominator == 1:
            return positions * unit.numerator
        return np.floor(positions * float(unit) + 0.5).astype(np.int64)

    def steps(self, reading: Reading, index: Index) -> Steps:
        """The steps of rows, as they are read; below 0 where the plan has none."""
        return self._read(reading, self._counted(reading, index))

    def _counted(self, reading: Reading, index: Index) -> Steps:
        """The steps of rows, without those that the log declares as skipped if the reading says so."""
        own = self.own(index)
        if reading.declared:
            at = np.array([position for position, _ in self.trace.skipped])
            counts = np.cumsum([0, *(count for _, count in self.trace.skipped)])
            own = own - counts[np.searchsorted(at, self.trace.positions[index], side="right")]
        return own

    def _read(self, reading: Reading, own: Steps) -> Steps:
        if reading.every > 1:
            own = own // reading.every * reading.every
        if reading.factor != 1:
            own = (own * reading.factor.numerator + reading.phase) // reading.factor.denominator
        return own + reading.offset

    def planned(self, reading: Reading, index: Index) -> Rates:
        """The plan's rates for rows, as they are read; the first step's for steps below 0."""
        if not reading.averaged:
            return self.plan(np.maximum(self.steps(reading, index), 0))
        own = self._counted(reading, index)
        means = np.empty(own.shape, np.float64)
        inside = np.arange(self.per_epoch)
        together = max(1, _BLOCK // self.per_epoch)
        for begin in range(0, own.size, together):
            part = own[begin : begin + together, None] + inside
            means[begin : begin + together] = self.plan(np.maximum(self._read(reading, part), 0)).mean(axis=1)
        return means

    def tolerance(self, index: Index) -> Rates:
        """How far the plan's rate may be from each of these rows'."""
        rates = np.append(self.trace.rates[index], self.highest)
        width: Rates = self.trace.precision.half_width(rates)[:-1]
        return width + _ROUNDING * self.highest

    def off(self, reading: Reading, index: Index) -> NDArray[np.bool_]:
        """Which rows show another rate than the plan's."""
        apart = np.abs(self.planned(reading, index) - self.trace.rates[index])
        return (apart > self.tolerance(index)) | (self.steps(reading, index) < 0)

    def first_off(self, reading: Reading, begin: int = 0, stop: int | None = None) -> int | None:
        """The first row from `begin` on that shows another rate than the plan's."""
        return self.first(lambda index: self.off(reading, index), begin, stop)

    def last_off(self, reading: Reading, stop: int) -> int | None:
        """The last row before `stop` that shows another rate than the plan's."""
        size = 64
        while stop > 0:
            begin = max(0, stop - size)
            found = np.flatnonzero(self.off(reading, slice(begin, stop)))
            if found.size:
                return begin + int(found[-1])
            stop, size = begin, min(size * 4, _BLOCK)
        return None

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

    def explains(self, reading: Reading) -> bool:
        """Whether no row shows another rate than the plan's."""
        spread = np.unique(np.linspace(0, len(self) - 1, min(len(self), 256)).astype(np.int64))
        return not bool(self.off(reading, spread).any()) and self.first_off(reading) is None

    def blocks(self) -> Iterator[slice]:
        """All rows, some at a time."""
        for begin in range(0, len(self), _BLOCK):
            yield slice(begin, min(begin + _BLOCK, len(self)))


def phases(plan: Plan, first: int, stop: int) -> list[PlannedPhase]:
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
    count: int | None = getattr(plan.run, argument)
    if count is None:
        raise PlanError(
            f"The log counts {trace.axis}s, so the plan must know its `{argument}`: call `schedule.plan` with it. "
            f"Received: plan={plan!r}."
        )
    return Fraction(count) if trace.axis == "epoch" else Fraction(1, count)
