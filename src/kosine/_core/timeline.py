"""Phases and cycles at their steps in a run: the rows of a plan."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import NamedTuple

from kosine._core.curve import Clock, Curve
from kosine._core.durations import Units
from kosine._core.evaluate import scalar_function
from kosine._core.groups import Ceiling, Cycles, starts_and_ends
from kosine._core.numbers import MAX_STEPS, round_half_up
from kosine._core.phase import Phase
from kosine._core.run import RunSize
from kosine.errors import PlanError

START = Fraction(0)


_LONGEST_POWER_BITS = 2**18


_EXACT_POWER_BITS = 8192  # beyond it the greatest common divisors of exact fractions get slow


@dataclass(frozen=True, slots=True)
class PlannedPhase:
    """One phase of a plan: the row of `plan.phases`.

    Attributes:
        name: the curve's name.
        first_step: its first step, counted from 0.
        steps: how many steps it lasts; None where it goes on for ever.
        first_lr: the learning rate at its first step.
        end_lr: the learning rate that it ends at; approached by its last step and reached at the step after,
            or reached by its last step with `endpoint`.
        cycle: which repetition of its group it belongs to, from 0; None outside a group.
        curve: the curve with its own arguments, its durations in steps.
        endpoint: whether the last step uses `end_lr` exactly.
        clock: which part of the curve it shows, and how fast.
    """

    name: str
    first_step: int
    steps: int | None
    first_lr: float
    end_lr: float
    cycle: int | None
    curve: Curve
    endpoint: bool = False
    own_clock: Clock | None = None
    """The clock of a phase in a section; None for a phase that shows its whole curve, step by step."""

    @property
    def stop(self) -> int:
        """The step after its last."""
        return MAX_STEPS + 1 if self.steps is None else self.first_step + self.steps

    @property
    def clock(self) -> Clock:
        if self.own_clock is not None:
            return self.own_clock
        span = None if self.steps is None else Fraction(self.steps - self.endpoint)
        return Clock(self.first_lr, self.end_lr, span)

    @property
    def end_step(self) -> int:
        """The first step at which the end value stands: `stop`, or with `endpoint` the last step or so."""
        clock = self.clock
        if not self.endpoint or clock.span is None:
            return self.stop
        return self.first_step + max(0, math.ceil(clock.span - clock.lead) * clock.tick - clock.cut)

    def function(self) -> Callable[[int], float]:
        """The learning rate as a function of the steps done since `first_step`, up to where the phase stops."""
        clock = self.clock
        end, reached = clock.to, self.end_step - self.first_step
        if reached == 0:
            return lambda offset: end
        value = scalar_function(self.curve, clock)
        return (lambda offset: end if offset >= reached else value(offset)) if self.endpoint else value

    def value_at(self, step: int) -> float:
        """The learning rate at a step of this phase, or at the step after it."""
        clock = self.clock
        steps = step - self.first_step
        if clock.span is not None and (steps + clock.cut) // clock.tick + clock.lead >= clock.span:
            return clock.to
        return scalar_function(self.curve, clock)(steps)

    def between(self, first: int, stop: int | None) -> PlannedPhase:
        """The part of this phase from the step `first` to before the step `stop`; it may last no step."""
        begin = max(first, self.first_step)
        end = self.stop if stop is None else min(stop, self.stop)
        if (begin, end) == (self.first_step, self.stop):
            return self
        last = self.steps is None and end == self.stop
        part = replace(
            self,
            first_step=begin,
            steps=None if last else max(0, end - begin),
            own_clock=self.clock.later(begin - self.first_step),
        )
        return part._with_values()

    def slower(self, base: int, tick: int) -> PlannedPhase:
        """This phase with each of its steps lasting `tick` steps, where step 0 becomes the step `base`."""
        steps = None if self.steps is None else self.steps * tick
        row = replace(self, first_step=base + tick * self.first_step, steps=steps)
        return row if tick == 1 else replace(row, own_clock=self.clock.slower(tick))

    def _with_values(self) -> PlannedPhase:
        """This phase with the values that its clock shows at its two ends."""
        end = self.clock.to if self.steps is None else self.value_at(self.stop)
        return replace(self, first_lr=self.value_at(self.first_step), end_lr=end)


def planned_phase(
    curve: Curve, first: int, steps: int, start: float, to: float, endpoint: bool, cycle: int | None = None
) -> PlannedPhase:
    only = to if endpoint and steps == 1 else start
    return PlannedPhase(curve.name, first, steps, only, to, cycle, curve, endpoint)


def sampled_phase(row: PlannedPhase, position: Fraction, length: Fraction | None) -> PlannedPhase:
    """A phase of a continuous section, whose curve begins at an exact position and lasts an exact length."""
    lead = row.first_step - position
    if not lead and (length is None or length == row.steps):
        return row
    return replace(row, own_clock=Clock(row.first_lr, row.end_lr, length, lead))._with_values()


class View(NamedTuple):
    """How the steps of a section are seen in the run: step n lasts `tick` steps from `base` + `tick` * n on."""

    base: int = 0
    tick: int = 1
    first: int = 0
    stop: int | None = None
    """Only the steps from `first` to before `stop` are seen."""

    def slower(self, base: int, tick: int) -> View:
        stop = None if self.stop is None else base + tick * self.stop
        return View(base + tick * self.base, tick * self.tick, base + tick * self.first, stop)

    def between(self, first: int, stop: int | None) -> View:
        stops = [step for step in (stop, self.stop) if step is not None]
        return self._replace(first=max(first, self.first), stop=min(stops, default=None))


WHOLE_VIEW = View()


@dataclass(frozen=True)
class Group:
    """The cycles of a plan, found by integer arithmetic: no loop over past cycles, no logarithm, no float."""

    part: Cycles
    origin: Fraction
    before: float | None
    run: RunSize
    offsets: tuple[Fraction, ...]
    """Where each phase of the first cycle begins, and where the cycle ends, counted from `origin`."""
    continuous: bool = False
    view: View = WHOLE_VIEW

    @classmethod
    def place(
        cls, part: Cycles, origin: Fraction, before: float | None, units: Units, continuous: bool = False
    ) -> Group:
        offsets = [Fraction(0)]
        for phase in part.phases:
            length = units.steps(phase.duration)
            if 0 < length < 1 and not continuous:
                raise PlanError(
                    f"A phase that repeats must last at least one step in every cycle. Received: {phase!r}, which "
                    f"is {float(length):.4g} steps in this run."
                )
            offsets.append(offsets[-1] + length)
        if not offsets[-1]:
            raise PlanError(f"A cycle must last at least one step. Received: {part!r}, which lasts none in this run.")
        return cls(part, origin, before, units.run, tuple(offsets), continuous)

    def slower(self, base: int, tick: int) -> Group:
        return replace(self, view=self.view.slower(base, tick))

    def between(self, first: int, stop: int | None) -> Group:
        return replace(self, view=self.view.between(first, stop))

    def check(self) -> None:
        """Raise PlanError where a cycle that is reached for certain has shrunk to nothing."""
        if self.part.shrinks:
            self.ceiling.check(self.cycles_shown[-1], PlanError)

    @cached_property
    def ceiling(self) -> Ceiling:
        return Ceiling.of(self.part, self.before)

    @cached_property
    def values(self) -> tuple[float, ...]:
        """Start and end of each phase of the first cycle, in turn."""
        return tuple(starts_and_ends(self.part.phases, self.before))

    @cached_property
    def first_step(self) -> int:
        return max(self.view.first, self.boundary(0))

    @cached_property
    def stop(self) -> int:
        """The step after its last; beyond every step where there is none."""
        ends = [MAX_STEPS + 1]
        if self.part.count is not None:
            ends.append(self._seen(self._rounded(self.end)))
        if self.view.stop is not None:
            ends.append(self.view.stop)
        return min(ends)

    @property
    def endless(self) -> bool:
        return self.part.count is None and self.view.stop is None

    @property
    def end_lr(self) -> float:
        """The value that the last cycle ends at, where there is one."""
        return (
            self.values[-1] if self.part.count is None else min(self.values[-1], self.ceiling.at(self.part.count - 1))
        )

    @property
    def repeats(self) -> tuple[int, int] | None:
        """After how many cycles, and steps, the rounded boundaries and the values are the same again; None: never."""
        if self.part.stretch != 1 or self.part.shrinks:
            return None
        return self.offsets[-1].denominator, self.offsets[-1].numerator * self.view.tick

    @property
    def pattern(self) -> tuple[int, int] | None:
        """The same, where it holds for ever."""
        return self.repeats if self.endless else None

    @cached_property
    def end(self) -> Fraction:
        """The exact position at which the last cycle ends."""
        assert self.part.count is not None
        stretch, count = self.part.exact_stretch, self.part.count
        if stretch == 1:
            return self.origin + count * self.offsets[-1]
        bits = max(stretch.numerator.bit_length(), stretch.denominator.bit_length())
        if count * (float(stretch) - 1) / float(stretch) > 200 or count * bits > _LONGEST_POWER_BITS:
            raise PlanError(
                f"{count} cycles with stretch={self.part.stretch!r} last longer than 2**63 steps, or end at a "
                "position too long to write down. Use fewer cycles, or count=None."
            )
        return self.origin + self.offsets[-1] * (stretch**count - 1) / (stretch - 1)

    def boundary(self, cycle: int, phase: int = 0) -> int:
        """The first step of a phase of a cycle, were all of the group seen."""
        return self._seen(self._rounded_position(cycle, phase)[0])

    def _seen(self, step: int) -> int:
        return self.view.base + self.view.tick * step

    def _rounded(self, position: Fraction) -> int:
        return math.ceil(position) if self.continuous else round_half_up(position)

    def _rounded_position(self, cycle: int, phase: int) -> tuple[int, Fraction]:
        """Where a phase of a cycle begins: the step, and the position, exact to 40 digits behind the point."""
        stretch = self._stretch
        if stretch == 1:
            position = self.origin + cycle * self.offsets[-1] + self.offsets[phase]
            return self._rounded(position), position
        bits = cycle * max(stretch.numerator.bit_length(), stretch.denominator.bit_length())
        if bits <= _EXACT_POWER_BITS:
            position = self._position(stretch**cycle, phase)
            return self._rounded(position), position
        digits = 60
        while True:  # more digits until the bounds round to the same step; a tie has few digits and was exact above
            low, high = (self._position(growth, phase) for growth in _power_within(stretch, cycle, digits))
            if self._rounded(low) == self._rounded(high) and high - low < Fraction(1, 10**40):
                return self._rounded(low), low
            digits *= 2

    @cached_property
    def _stretch(self) -> Fraction:
        return self.part.exact_stretch

    @cached_property
    def _course(self) -> tuple[Fraction, tuple[Fraction, ...]]:
        """Where cycles would have begun, had there always been smaller ones; and each phase's distance from there."""
        before = self.offsets[-1] / (self._stretch - 1)
        return self.origin - before, tuple(before + offset for offset in self.offsets)

    def _position(self, growth: Fraction, phase: int) -> Fraction:
        """The exact position of a phase in the cycle that is `growth` times as long as the first."""
        base, distances = self._course
        return base + growth * distances[phase]

    def cycle_at(self, step: int) -> int:
        """The cycle that `step`, at or after the group's first step, belongs to."""
        own = (step - self.view.base) // self.view.tick
        if self._stretch == 1:
            # The largest i whose boundary is not after the step.
            if self.continuous:
                cycle = (own - self.origin) // self.offsets[-1]
            else:
                cycle = -((self.origin - own - Fraction(1, 2)) // self.offsets[-1]) - 1
        else:
            low, width = self._cycle_about(own), 1
            while low and self._rounded_position(low, 0)[0] > own:
                low, width = max(0, low - width), 2 * width
            high, width = low + 1, 1
            while self._rounded_position(high, 0)[0] <= own:
                low, high, width = high, high + width, 2 * width
            cycle = bisect_right(range(high), own, low, key=lambda cycle: self._rounded_position(cycle, 0)[0]) - 1
        return cycle if self.part.count is None else min(cycle, self.part.count - 1)

    def _cycle_about(self, own: int) -> int:
        """Where to begin to look for the cycle of a step: floats may miss it, the exact boundaries decide."""
        growth = float(self._stretch - 1)
        cycles = max(0.0, float((own - self.origin) / self.offsets[-1]))  # were they all as long as the first
        return int(math.log1p(cycles * growth) / math.log1p(growth))

    def row(self, cycle: int, phase: int) -> PlannedPhase:
        """A phase of a cycle; of one that is not seen, or rounds to nothing, a row of no steps."""
        (first, position), (stop, end) = (self._rounded_position(cycle, number) for number in (phase, phase + 1))
        ceiling = self.ceiling.at(cycle)
        template: Phase = self.part.phases[phase]
        start, to = (min(value, ceiling) for value in self.values[2 * phase : 2 * phase + 2])
        row = planned_phase(template.curve, first, stop - first, start, to, template.endpoint, cycle)
        if self.continuous and stop > first:
            row = sampled_phase(row, position, end - position)
        return row.slower(self.view.base, self.view.tick).between(self.view.first, self.view.stop)

    def row_at(self, step: int) -> PlannedPhase:
        return self.row(*self._phase_at(step))

    def _phase_at(self, step: int) -> tuple[int, int]:
        cycle = self.cycle_at(step)
        phases = range(len(self.part.phases))
        return cycle, bisect_right(phases, step, key=lambda index: self.boundary(cycle, index)) - 1

    @cached_property
    def cycles_shown(self) -> range:
        """The cycles that `plan.phases` lists: those that are seen, of an endless group those that begin in the run."""
        first = self.cycle_at(self.view.first) if self.view.first > self.boundary(0) else 0
        if not self.endless:
            last = self.cycle_at(self.stop - 1) if self.view.stop is not None else (self.part.count or 1) - 1
        elif self.run.total_steps is None or self.run.total_steps <= self.first_step:
            last = first
        else:
            last = self.cycle_at(self.run.total_steps - 1)
        if last - first >= MAX_STEPS:
            raise PlanError(f"A run has at most 2**63 - 1 cycles. Received: {self.part!r}, which has more in this run.")
        return range(first, max(first, last) + 1)

    @property
    def cycles_in_run(self) -> range:
        """Those of the cycles shown that begin in the run; at least one."""
        cycles, total = self.cycles_shown, self.run.total_steps
        if total is None or self.endless or total >= self.stop:
            return cycles
        last = self.cycle_at(total - 1) if total > self.first_step else cycles[0]
        return range(cycles[0], max(cycles[0], last) + 1)

    @cached_property
    def rows_shown(self) -> range:
        """Their phases, counted through all cycles: from the first that is seen to the last."""
        phases, cycles = len(self.part.phases), self.cycles_shown
        first, last = cycles[0] * phases, cycles[-1] * phases + phases - 1
        if self.view.first > self.boundary(0):
            first = self._row_number(self.view.first)
        if self.view.stop is not None:
            last = self._row_number(self.stop - 1)
        return range(first, last + 1)

    def _row_number(self, step: int) -> int:
        cycle, phase = self._phase_at(step)
        return cycle * len(self.part.phases) + phase


@lru_cache(maxsize=2**10)  # both ends of a phase, and each look at it, need the same
def _power_within(base: Fraction, exponent: int, digits: int) -> tuple[Fraction, Fraction]:
    """Two numbers that the power lies between, worked out with so many digits."""
    context = Context(prec=digits)
    power = Fraction(context.power(context.divide(Decimal(base.numerator), Decimal(base.denominator)), exponent))
    error = power * (exponent + 10) / 10 ** (digits - 1)
    return power - error, power + error


Block = PlannedPhase | Group
