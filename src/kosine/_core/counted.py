"""Phases that move with samples or tokens, of which steps take ever more: one curve, at another pace each stage."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction

from kosine._core.curve import Clock, Curve
from kosine._core.durations import Duration
from kosine._core.evaluate import scalar_function
from kosine._core.numbers import MAX_STEPS
from kosine._core.phase import Phase
from kosine._core.ramps import Ramp
from kosine._core.timeline import PlannedPhase, planned_phase

_LISTED = 128  # pieces of a phase that are listed ahead; beyond them each step finds its own by bisection


@dataclass(frozen=True, slots=True, repr=False)
class CountedPhase(Phase):
    """A phase at a known place in a run, whose curve moves with what the steps take.

    Attributes:
        ramp: what the steps take.
        origin: the step of the run that step 0 of its clock is.
    """

    ramp: Ramp = field(kw_only=True)
    origin: int = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Course:
    """How far a curve has come at each step: as far as the count, of all that its phase takes.

    Attributes:
        ramp: what the steps take.
        shift: how many steps of the run come before step 0 of the plan's part.
        began: the count at which the curve begins.
        counts: how much the phase takes; None where it goes on for ever.
        curve: the curve; its own durations count what the ramp counts.
        start: the value that it begins at.
        to: the value that it ends at.
    """

    ramp: Ramp
    shift: int
    began: int
    counts: int | None
    curve: Curve
    start: float
    to: float

    def stage_at(self, step: int) -> int:
        return self.ramp.stage_at(step + self.shift)

    def first_step(self, stage: int) -> int:
        return self.ramp.steps[stage] - self.shift

    def stop(self, stage: int) -> int:
        return self.first_step(stage + 1) if stage + 1 < len(self.ramp.stages) else MAX_STEPS + 1

    def done(self, step: int) -> int:
        """How much the steps of the curve before this one take."""
        return self.ramp.count_at(step + self.shift) - self.began

    def curve_of(self, stage: int) -> Curve:
        return at_pace(self.curve, self.ramp.stages[stage][1])

    def clock(self, stage: int, first: int) -> Clock:
        """The clock of the steps of a stage, which begin at `first`: each of them is the same part of the curve."""
        amount = self.ramp.stages[stage][1]
        span = None if self.counts is None else Fraction(self.counts, amount)
        return Clock(self.start, self.to, span, Fraction(self.done(first), amount))


def at_pace(curve: Curve, amount: int | Fraction) -> Curve:
    """The curve with its durations in steps that take this amount."""
    values = {each.name: getattr(curve, each.name) for each in fields(curve)}
    counted = {name: value.amount for name, value in values.items() if isinstance(value, Duration)}
    steps = {name: Duration("st", Fraction(count or 0) / amount) for name, count in counted.items()}
    return replace(curve, **steps) if steps else curve


@dataclass(frozen=True, slots=True)
class CountedRow(PlannedPhase):
    """A phase of a plan that moves with samples or tokens: one row, in a piece for each stage of the ramp."""

    course: Course = field(kw_only=True)

    # --- the pieces ---

    def _piece(self, stage: int) -> PlannedPhase:
        first = max(self.first_step, self.course.first_step(stage))
        stop = min(self.stop, self.course.stop(stage))
        curve, clock = self.course.curve_of(stage), self.course.clock(stage, first)
        value = scalar_function(curve, clock)
        return PlannedPhase(
            curve.name,
            first,
            None if stop > MAX_STEPS else stop - first,
            self.first_lr if first == self.first_step else value(0),
            self.end_lr if stop == self.stop else value(stop - first),
            self.cycle,
            curve,
            self.endpoint,
            clock,
        )

    def row_at(self, step: int) -> PlannedPhase:
        return self._piece(self.course.stage_at(step))

    def rows(self, first: int, stop: int) -> Iterator[PlannedPhase]:
        begin, end = max(first, self.first_step), min(stop, self.stop)
        for stage in range(self.course.stage_at(begin), self.course.stage_at(end - 1) + 1):
            if self.course.first_step(stage) < self.course.stop(stage):
                yield self._piece(stage)

    def table(self, most: int) -> tuple[list[PlannedPhase], int]:
        listed: list[PlannedPhase] = []
        for row in self.rows(self.first_step, self.stop):
            if len(listed) == min(most, _LISTED):
                return listed, row.first_step
            listed.append(row)
        return listed, self.stop

    # --- its values ---

    def value_at(self, step: int) -> float:
        course = self.course
        if course.counts is not None and course.done(step) >= course.counts:
            return course.to
        stage = course.stage_at(step)
        first = course.first_step(stage)
        return scalar_function(course.curve_of(stage), course.clock(stage, first))(step - first)

    def function(self) -> Callable[[int], float]:
        return lambda offset: self.value_at(self.first_step + offset)

    @property
    def end_step(self) -> int:
        if not self.endpoint or self.course.counts is None:
            return self.stop
        reached = self.course.ramp.steps_of(Fraction(self.course.began + self.course.counts))
        return max(self.first_step, math.ceil(reached) - self.course.shift)

    def follows_from(self, step: int) -> Hashable:
        return self.course.start if self.course.start == self.course.to else (self.course, self.endpoint)

    def pace(self, step: int) -> Hashable:
        return self.course

    # --- inside sections ---

    def slower(self, base: int, tick: int) -> CountedRow:
        assert tick == 1  # the place of what stands in a section with a tick is not known
        course = replace(self.course, shift=self.course.shift - base)
        return replace(self, first_step=self.first_step + base, course=course)

    def between(self, first: int, stop: int | None) -> CountedRow:
        begin = max(first, self.first_step)
        end = self.stop if stop is None else min(stop, self.stop)
        if (begin, end) == (self.first_step, self.stop):
            return self
        last = self.steps is None and end == self.stop
        row = replace(self, first_step=begin, steps=None if last else max(0, end - begin))
        return replace(row, first_lr=self.value_at(begin), end_lr=self.end_lr if last else self.value_at(end))


def counted_row(phase: CountedPhase, first: int, stop: int | None, start: float) -> PlannedPhase:
    """A phase that begins at the step `first` of its clock and stops at `stop`; None: it goes on for ever."""
    ramp, shift = phase.ramp, phase.origin
    began = ramp.count_at(first + shift)
    stage = len(ramp.stages) - 1 if stop is None else ramp.stage_at(max(first, stop - 1) + shift)
    counts = None if stop is None else ramp.count_at(stop - phase.endpoint + shift) - began
    amount = ramp.stages[stage][1]
    curve = at_pace(phase.curve, amount)
    end = curve.end(start, phase.to, None if counts is None else Fraction(counts, amount))
    if stop is not None and stop - first <= 1:
        return planned_phase(curve, first, stop - first, start, end, phase.endpoint)
    course = Course(ramp, shift, began, counts, phase.curve, start, end)
    steps = None if stop is None else stop - first
    return CountedRow(curve.name, first, steps, start, end, None, curve, phase.endpoint, course=course)
