"""The parts of a plan: the questions that every part answers, and the phase that is placed once."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from kosine._core.curve import Clock, Curve
from kosine._core.evaluate import scalar_function
from kosine._core.numbers import MAX_STEPS


class WrittenPhase(NamedTuple):
    """A phase as it is written, before a section cuts it or a cycle shrinks it."""

    curve: Curve
    first_lr: float
    end_lr: float
    length: Fraction | None
    """How many steps of its clock its whole curve takes, exactly; None where it goes on for ever."""
    number: int = 0
    """Which phase of its cycle it is."""


class PlannedPart(ABC):
    """A part of a plan, at its steps in the run: a phase placed once (`PlannedPhase`) or cycles (`PlannedCycles`).

    Both answer the same questions, so callers treat them alike. A phase placed once is one row, outside of any cycle.
    No answer looks at every cycle.

    Attributes:
        first_step: its first step, counted from 0.
        stop: the step after its last; for an endless part, beyond every step.
        end_lr: the learning rate that it ends at.
        endless: whether it goes on for ever.
        values: the rates that each of its phases starts from and ends at, in turn; in cycles those of the first.
        tick: the number of steps of its clock in one of its steps.
        phases_in_cycle: of how many phases a cycle consists.
        cycles_in_run: the cycles that begin in the run; none of a phase placed once.
        shrinks: whether later cycles are lower.
        repeats: after how many cycles, and steps, the rates are the same again; None: never.
    """

    __slots__ = ()

    if TYPE_CHECKING:  # fields of a dataclass: a property here would become their default

        @property
        def first_step(self) -> int: ...
        @property
        def end_lr(self) -> float: ...

    @property
    @abstractmethod
    def stop(self) -> int: ...

    @property
    @abstractmethod
    def endless(self) -> bool: ...

    @property
    @abstractmethod
    def values(self) -> tuple[float, ...]: ...

    @property
    @abstractmethod
    def tick(self) -> int: ...

    @property
    def phases_in_cycle(self) -> int:
        return len(self.values) // 2

    @property
    def cycles_in_run(self) -> range:
        return range(0)

    @property
    def shrinks(self) -> bool:
        return False

    @property
    def repeats(self) -> tuple[int, int] | None:
        return None

    @property
    def pattern(self) -> tuple[int, int] | None:
        """What `repeats` says, where it holds for ever."""
        return self.repeats if self.endless else None

    # --- how the rates go ---

    @property
    def pairs(self) -> list[tuple[float, float]]:
        """The two values that each phase lies between; in cycles those of the first."""
        return list(zip(self.values[::2], self.values[1::2], strict=True))

    @property
    def moves(self) -> bool:
        """Whether a curve in it moves."""
        return any(start != end for start, end in self.pairs)

    @property
    def falls(self) -> bool:
        """Whether a curve in it falls."""
        return any(end < start for start, end in self.pairs)

    @property
    def goes_down(self) -> bool:
        """Whether the rate goes down anywhere in it: along a curve, from phase to phase, or from cycle to cycle."""
        return self.falls

    @property
    def keeps_one_value(self) -> bool:
        """Whether it is a phase placed once that stays at one value."""
        return False

    @property
    def only_rises(self) -> bool:
        """Whether it is a phase placed once that rises."""
        return False

    @property
    def lengths_vary(self) -> bool:
        """Whether its phases last more steps in one cycle than in another."""
        return False

    @property
    @abstractmethod
    def ends_anywhere(self) -> bool:
        """Whether its length decides how far it falls: its curve, or its shrinking, has no fixed end."""

    @property
    def jumps_back(self) -> bool:
        """Whether the rate jumps where a cycle follows another."""
        return False

    def later_cycles(self) -> Iterator[int]:
        """The first steps of the cycles in the run, but for the first of them."""
        return iter(())

    @property
    @abstractmethod
    def period(self) -> int | None:
        """After how many steps the rates are the same again; None: never."""

    @abstractmethod
    def follows_from(self, step: int) -> Hashable:
        """What decides the rates from a step of it on: equal for two parts that go on with the same rates."""

    @abstractmethod
    def steps_at_most(self, step: int, limit: float) -> range:
        """Steps around one whose rate is at most `limit`, of which that is true, too; not always all of them."""

    # --- its rows ---

    @property
    @abstractmethod
    def row_count(self) -> int:
        """How many rows of it `plan.phases` lists."""

    @abstractmethod
    def listed_row(self, number: int) -> PlannedPhase:
        """The row of this number among those that `plan.phases` lists."""

    @abstractmethod
    def row_at(self, step: int) -> PlannedPhase:
        """The row that a step of it belongs to."""

    @abstractmethod
    def rows(self, first: int, stop: int) -> Iterator[PlannedPhase]:
        """The rows of the cycles from that of the step `first` to that of the step before `stop`, where they last."""

    def repeated_rows(self, first: int, stop: int) -> int:
        """How many of these rows are those of cycles, with those that round to no step."""
        return 0

    @abstractmethod
    def first_row(self, number: int = 0) -> PlannedPhase:
        """The phase with this number of the first cycle that is seen."""

    @property
    def last_row(self) -> PlannedPhase:
        """The row that its last step belongs to."""
        return self.row_at(self.stop - 1)

    @abstractmethod
    def opening(self, stop: int) -> Iterator[WrittenPhase]:
        """The phases of its first cycle that begin before the step `stop`."""

    @abstractmethod
    def table(self, most: int) -> tuple[list[PlannedPhase], int]:
        """Rows to look a step up in, about `most` where they are those of cycles, and the step that they reach."""

    # --- inside sections ---

    @abstractmethod
    def slower(self, base: int, tick: int) -> PlannedPart:
        """It with each of its steps lasting `tick` steps, where step 0 becomes the step `base`."""

    @abstractmethod
    def between(self, first: int, stop: int | None) -> PlannedPart:
        """What is seen of it from the step `first` to before the step `stop`; that may be nothing."""

    @abstractmethod
    def ending_at(self, value: float) -> PlannedPart:
        """It with this end value, where the tick that its end falls into shows an earlier rate."""

    def check(self) -> None:  # noqa: B027  a phase placed once never shrinks
        """Raise PlanError where a cycle that is reached for certain has shrunk to nothing."""


@dataclass(frozen=True, slots=True)
class PlannedPhase(PlannedPart):
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
        """The first step that has the end value: `stop`, or with `endpoint` about the last step."""
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

    def ending_at(self, value: float) -> PlannedPhase:
        return replace(self, end_lr=value)

    def _with_values(self) -> PlannedPhase:
        """This phase with the values that its clock shows at its two ends."""
        end = self.clock.to if self.steps is None else self.value_at(self.stop)
        return replace(self, first_lr=self.value_at(self.first_step), end_lr=end)

    # --- the answers of one row ---

    @property
    def endless(self) -> bool:
        return self.steps is None

    @property
    def values(self) -> tuple[float, ...]:
        return self.first_lr, self.end_lr

    @property
    def tick(self) -> int:
        return 1 if self.own_clock is None else self.own_clock.tick

    @property
    def keeps_one_value(self) -> bool:
        return not self.moves

    @property
    def only_rises(self) -> bool:
        return self.end_lr > self.first_lr

    @property
    def ends_anywhere(self) -> bool:
        return self.moves and not self.curve.needs_span

    @property
    def period(self) -> int | None:
        return 1 if self.clock.start == self.clock.to else None

    def follows_from(self, step: int) -> Hashable:
        clock = self.clock
        if clock.start == clock.to:  # then it does not matter by which curve
            return clock.start
        return self.curve, self.endpoint, clock.start, clock.to, self.pace(step)

    def pace(self, step: int) -> Hashable:
        """How its curve goes on from a step on, whatever the values that it lies between."""
        clock = self.clock
        clock = clock.later(step - self.first_step) if step > self.first_step else clock
        return clock.span, clock.lead, clock.tick, clock.cut

    def steps_at_most(self, step: int, limit: float) -> range:
        if self.first_lr <= limit and self.end_lr <= limit:
            return range(self.first_step, self.stop)
        # A curve only rises or only falls, so the steps at most at the limit are those of one of its two ends.
        if self.first_lr > limit:
            steps = range(self.first_step, step + 1)
            return range(steps[bisect_left(steps, True, key=lambda each: self.value_at(each) <= limit)], self.stop)
        steps = range(step, self.stop)
        return range(self.first_step, step + bisect_left(steps, True, key=lambda each: self.value_at(each) > limit))

    @property
    def row_count(self) -> int:
        return 1

    def listed_row(self, number: int) -> PlannedPhase:
        return self

    def row_at(self, step: int) -> PlannedPhase:
        return self

    def rows(self, first: int, stop: int) -> Iterator[PlannedPhase]:
        yield self

    def first_row(self, number: int = 0) -> PlannedPhase:
        return self

    def opening(self, stop: int) -> Iterator[WrittenPhase]:
        length = self.steps if self.own_clock is None else self.own_clock.span
        yield WrittenPhase(self.curve, self.first_lr, self.end_lr, None if length is None else Fraction(length))

    def table(self, most: int) -> tuple[list[PlannedPhase], int]:
        return [self], self.stop


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
