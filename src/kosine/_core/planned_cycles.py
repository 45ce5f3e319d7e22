"""Cycles at their steps in a run, however many they are."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from typing import NamedTuple

from kosine._core.durations import CLIP, Units
from kosine._core.groups import Ceiling, Cycles, starts_and_ends
from kosine._core.numbers import MAX_STEPS, round_half_up
from kosine._core.phase import Phase
from kosine._core.run import RunSize
from kosine._core.timeline import PlannedPart, PlannedPhase, WrittenPhase, planned_phase, sampled_phase
from kosine.errors import PlanError

_NONE = Fraction(0)
_LONGEST_POWER_BITS = 2**18  # of the exact length of a group of cycles that grow
_EXACT_POWER_BITS = 8192  # beyond it the greatest common divisors of exact fractions get slow
_PATTERN_CYCLES = 256  # the longest pattern that is listed ahead though the run may not reach its end


class SectionSteps(NamedTuple):
    """Where the steps of a section are in the run: its step n lasts `tick` steps from `base` + `tick` * n on."""

    base: int = 0
    tick: int = 1
    first: int = 0
    stop: int | None = None
    """Only the steps from `first` to before `stop` are seen."""
    end_lr: float | None = None
    """The end value, where `stop` falls into a tick that shows an earlier rate."""

    def slower(self, base: int, tick: int) -> SectionSteps:
        stop = None if self.stop is None else base + tick * self.stop
        return SectionSteps(base + tick * self.base, tick * self.tick, base + tick * self.first, stop, self.end_lr)

    def between(self, first: int, stop: int | None) -> SectionSteps:
        stops = [step for step in (stop, self.stop) if step is not None]
        seen = self._replace(first=max(first, self.first), stop=min(stops, default=None))
        return seen if seen.stop == self.stop else seen._replace(end_lr=None)


OUTSIDE_SECTIONS = SectionSteps()


@dataclass(frozen=True)
class PlannedCycles(PlannedPart):
    """Cycles at their steps in the run, found by integer arithmetic: no loop over past cycles, no logarithm, no float.

    The numbers of cycles count from 0. A section may show a piece only of all that is described here.

    Attributes:
        part: the cycles of the schedule.
        origin: the exact position of the first cycle, in steps of the clock of its section.
        before: the rate before the first cycle; None where the plan begins with it.
        run: the run that the schedule was planned for.
        offsets: where each phase of the first cycle begins, and where the cycle ends, counted from `origin`.
        continuous: whether the boundaries stay exact, and curves are sampled at the steps between them.
        section: where the steps of that clock are in the run.
    """

    part: Cycles
    origin: Fraction
    before: float | None
    run: RunSize
    offsets: tuple[Fraction, ...]
    continuous: bool = False
    section: SectionSteps = OUTSIDE_SECTIONS

    @classmethod
    def place(
        cls, part: Cycles, origin: Fraction, before: float | None, units: Units, continuous: bool = False
    ) -> PlannedCycles:
        lengths = [units.steps(phase.duration) for phase in part.phases]
        if not any(lengths) and units.clipped is None:
            problem = "A cycle must last at least one step, and this one lasts none in this run."
            raise PlanError(problem, received=part, fix=CLIP)
        if not any(lengths):
            lengths = [units.changed(each, Fraction(0), 1) if each.duration.amount else _NONE for each in part.phases]
        for number, (phase, length) in enumerate(zip(part.phases, lengths, strict=True)):
            if 0 < length < 1 and not continuous:
                lengths[number] = units.at_least_one(length, phase)
                if lengths[number] < 1:
                    raise PlanError(
                        "A phase that repeats must last at least one step in every cycle, and this one lasts "
                        f"{float(length):.4g} steps in this run.",
                        received=phase,
                        fix=CLIP,
                    )
        return cls(part, origin, before, units.run, tuple(accumulate(lengths, initial=_NONE)), continuous)

    def slower(self, base: int, tick: int) -> PlannedCycles:
        return replace(self, section=self.section.slower(base, tick))

    def between(self, first: int, stop: int | None) -> PlannedCycles:
        return replace(self, section=self.section.between(first, stop))

    def ending_at(self, value: float) -> PlannedCycles:
        return replace(self, section=self.section._replace(end_lr=value))

    def check(self) -> None:
        if self.part.shrinks:
            self.ceiling.check(self.cycles_shown[-1], PlanError)

    @cached_property
    def ceiling(self) -> Ceiling:
        return Ceiling.of(self.part, self.before)

    @cached_property
    def values(self) -> tuple[float, ...]:
        return tuple(starts_and_ends(self.part.phases, self.before))

    @cached_property
    def first_step(self) -> int:
        return max(self.section.first, self.boundary(0))

    @cached_property
    def stop(self) -> int:
        ends = [MAX_STEPS + 1]
        if self.part.count is not None:
            ends.append(self._in_run(self._rounded(self.end)))
        if self.section.stop is not None:
            ends.append(self.section.stop)
        return min(ends)

    @property
    def phases_in_cycle(self) -> int:
        return len(self.part.phases)

    @property
    def endless(self) -> bool:
        return self.part.count is None and self.section.stop is None

    @property
    def end_lr(self) -> float:
        """The value that the last cycle ends at, where there is one."""
        return (
            self.values[-1] if self.part.count is None else min(self.values[-1], self.ceiling.at(self.part.count - 1))
        )

    @property
    def repeats(self) -> tuple[int, int] | None:
        if self.part.stretch != 1 or self.part.shrinks:
            return None
        # A cycle of 7/2 steps begins between two steps every other time, so the rounded boundaries repeat after two.
        return self.offsets[-1].denominator, self.offsets[-1].numerator * self.section.tick

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
                "The cycles last longer than 2**63 steps, or end at a position that is too long to write down.",
                received={"count": count, "stretch": self.part.stretch},
                fix="Use fewer cycles, or count=None.",
            )
        return self.origin + self.offsets[-1] * (stretch**count - 1) / (stretch - 1)

    def boundary(self, cycle: int, phase: int = 0) -> int:
        """The first step of a phase of a cycle, were all of the group seen."""
        return self._in_run(self._rounded_position(cycle, phase)[0])

    def _in_run(self, step: int) -> int:
        return self.section.base + self.section.tick * step

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
    def _limit(self) -> tuple[Fraction, tuple[Fraction, ...]]:
        """Where ever smaller cycles before the first would begin, and each phase's distance from there.

        Cycles that grow by the factor s are a geometric series, so the phases of cycle i stand at s**i times these
        distances from that point: one power gives all boundaries of a cycle, without a sum over those before it.
        """
        before = self.offsets[-1] / (self._stretch - 1)
        return self.origin - before, tuple(before + offset for offset in self.offsets)

    def _position(self, growth: Fraction, phase: int) -> Fraction:
        """The exact position of a phase in the cycle that is `growth` times as long as the first."""
        base, distances = self._limit
        return base + growth * distances[phase]

    def cycle_at(self, step: int) -> int:
        """The cycle that `step`, at or after the group's first step, belongs to."""
        own = (step - self.section.base) // self.section.tick
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
        row = row.slower(self.section.base, self.section.tick).between(self.section.first, self.section.stop)
        if self.section.end_lr is not None and row.stop == self.section.stop:
            row = row.ending_at(self.section.end_lr)
        return row

    def row_at(self, step: int) -> PlannedPhase:
        return self.row(*self._phase_at(step))

    def _phase_at(self, step: int) -> tuple[int, int]:
        cycle = self.cycle_at(step)
        phases = range(self.phases_in_cycle)
        return cycle, bisect_right(phases, step, key=lambda index: self.boundary(cycle, index)) - 1

    @cached_property
    def cycles_shown(self) -> range:
        """The cycles that `plan.phases` lists: those that are seen, of an endless group those that begin in the run."""
        first = self.cycle_at(self.section.first) if self.section.first > self.boundary(0) else 0
        if not self.endless:
            last = self.cycle_at(self.stop - 1) if self.section.stop is not None else (self.part.count or 1) - 1
        elif self.run.total_steps is None or self.run.total_steps <= self.first_step:
            last = first
        else:
            last = self.cycle_at(self.run.total_steps - 1)
        if last - first >= MAX_STEPS:
            raise PlanError("A run has at most 2**63 - 1 cycles, and here it has more.", received=self.part)
        return range(first, max(first, last) + 1)

    @property
    def cycles_in_run(self) -> range:  # at least one
        cycles, total = self.cycles_shown, self.run.total_steps
        if total is None or self.endless or total >= self.stop:
            return cycles
        last = self.cycle_at(total - 1) if total > self.first_step else cycles[0]
        return range(cycles[0], max(cycles[0], last) + 1)

    # --- the answers of cycles ---

    @property
    def tick(self) -> int:
        return self.section.tick

    @property
    def shrinks(self) -> bool:
        return self.part.shrinks

    @property
    def goes_down(self) -> bool:
        return self.part.shrinks or len(set(self.values)) > 1

    @property
    def lengths_vary(self) -> bool:
        return self.part.stretch != 1 or any(offset.denominator > 1 for offset in self.offsets)

    @property
    def ends_anywhere(self) -> bool:
        return self.part.shrinks

    @property
    def jumps_back(self) -> bool:
        return self.values[0] != self.values[-1]

    @property
    def period(self) -> int | None:
        return self.repeats[1] if self.repeats else None

    def follows_from(self, step: int) -> Hashable:
        # Wherever the cycles end, and however many there are, the rates up to there are the same.
        section = self.section._replace(stop=None, end_lr=None)
        return replace(self.part, count=None), self.origin, self.values, self.offsets, self.continuous, section

    def steps_at_most(self, step: int, limit: float) -> range:
        cycle = self.cycle_at(step)
        if self.ceiling.at(cycle) <= limit:  # it has shrunk, and goes on shrinking
            shrunk = bisect_left(range(cycle), True, key=lambda number: self.ceiling.at(number) <= limit)
            return range(max(self.first_step, self.boundary(shrunk)), self.stop)
        if self._highest_shown is not None and self._highest_shown <= limit:
            return range(self.first_step, self.stop)
        return self.row_at(step).steps_at_most(step, limit)

    @cached_property
    def _highest_shown(self) -> float | None:
        """No step of equal cycles has a higher rate; None where their phases round to different numbers of steps.

        It is below the peak where a phase lasts one step: that step has the value at the phase's start only.
        """
        lengths = [stop - first for first, stop in pairwise(self.offsets)]
        if self.part.stretch != 1 or self.continuous or any(each.denominator > 1 for each in (self.origin, *lengths)):
            return None
        return max(
            max(ends) if steps > 1 else ends[1] if phase.endpoint else ends[0]
            for phase, ends, steps in zip(self.part.phases, self.pairs, lengths, strict=True)
            if steps
        )

    @property
    def row_count(self) -> int:
        return len(self._rows_shown)

    def later_cycles(self) -> Iterator[int]:
        return (self.boundary(cycle) for cycle in self.cycles_in_run[1:])

    def listed_row(self, number: int) -> PlannedPhase:
        return self.row(*divmod(self._rows_shown[number], self.phases_in_cycle))

    def rows(self, first: int, stop: int) -> Iterator[PlannedPhase]:
        return self.rows_of(range(self.cycle_at(first), self.cycle_at(stop - 1) + 1))

    def rows_of(self, cycles: Iterable[int]) -> Iterator[PlannedPhase]:
        """The rows of whole cycles, without those that round to no step."""
        rows = (self.row(cycle, number) for cycle in cycles for number in range(self.phases_in_cycle))
        return (row for row in rows if row.steps)

    def repeated_rows(self, first: int, stop: int) -> int:
        return (self.cycle_at(stop - 1) - self.cycle_at(first) + 1) * self.phases_in_cycle

    def first_row(self, number: int = 0) -> PlannedPhase:
        return self.row(self.cycles_shown[0], number)

    def opening(self, stop: int) -> Iterator[WrittenPhase]:
        first, count = self.cycles_shown[0], self.phases_in_cycle
        ceiling, stop = self.ceiling.at(first), min(stop, self.stop)
        if stop < self.boundary(first, count):
            count = bisect_left(range(count), stop, key=lambda number: self.boundary(first, number))
        begin = bisect_left(range(count), self.first_step, key=lambda number: self.boundary(first, number + 1) - 1)
        pairs = self.pairs
        for number in range(begin, count):
            start, end = (min(value, ceiling) for value in pairs[number])
            length = (self.offsets[number + 1] - self.offsets[number]) * self.tick
            yield WrittenPhase(self.part.phases[number].curve, start, end, length, number)

    def table(self, most: int) -> tuple[list[PlannedPhase], int]:
        first, wanted = self.cycles_shown[0], len(self.cycles_in_run)
        if self.pattern and self.pattern[0] <= _PATTERN_CYCLES:  # the whole of it, also where the first cycle is cut
            wanted = max(wanted, self.pattern[0] + 1)
        listed = min(wanted, max(1, most // self.phases_in_cycle))
        whole = listed == len(self.cycles_shown) and not self.endless
        reached = self.stop if whole else min(self.boundary(first + listed), MAX_STEPS + 1)
        return list(self.rows_of(range(first, first + listed))), reached

    @cached_property
    def _rows_shown(self) -> range:
        """The phases of the cycles shown, counted through all cycles: from the first that is seen to the last."""
        phases, cycles = self.phases_in_cycle, self.cycles_shown
        first, last = cycles[0] * phases, cycles[-1] * phases + phases - 1
        if self.section.first > self.boundary(0):
            first = self._row_number(self.section.first)
        if self.section.stop is not None:
            last = self._row_number(self.stop - 1)
        return range(first, last + 1)

    def _row_number(self, step: int) -> int:
        cycle, phase = self._phase_at(step)
        return cycle * self.phases_in_cycle + phase


@lru_cache(maxsize=2**10)  # both ends of a phase, and each look at it, need the same
def _power_within(base: Fraction, exponent: int, digits: int) -> tuple[Fraction, Fraction]:
    """Two numbers that the power lies between, worked out with `digits` digits."""
    context = Context(prec=digits)
    power = Fraction(context.power(context.divide(Decimal(base.numerator), Decimal(base.denominator)), exponent))
    error = power * (exponent + 10) / 10 ** (digits - 1)
    return power - error, power + error
