"""A slow, plain reading of what schedules mean, written apart from kosine's own arithmetic.

Time is an exact fraction. Nothing is looked up: for every step the parts are walked through from the beginning.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import fields
from fractions import Fraction
from typing import Any

import kosine as ks
from kosine._core.durations import Duration
from kosine._core.groups import Part
from tests.support.exact import MP, curve_value


def rate_at(schedule: ks.Schedule, run: dict[str, Any], step: int) -> Any:
    """The exact rate at a step, as an mpmath number."""
    return _Clock(schedule.parts, run, 1, False, Fraction(run["total_steps"]), top=True).rate(Fraction(step), None)


class _Clock:
    """The parts of a schedule or of a section, by its clock."""

    def __init__(
        self,
        parts: Sequence[Part],
        run: dict[str, Any],
        tick: int,
        continuous: bool,
        length: Fraction | None,
        top: bool = False,
        shift: Fraction = Fraction(0),
    ) -> None:
        self.parts, self.run, self.tick, self.continuous = parts, run, tick, continuous
        self.length, self.top = length, top
        self.shift = shift  # the steps show this clock at its whole steps and so much of one

    def rounded(self, position: Fraction) -> Fraction:
        if self.continuous:
            return math.ceil(position - self.shift) + self.shift
        return Fraction(math.floor(position + Fraction(1, 2)))

    def steps(self, duration: Duration) -> Fraction:
        assert duration.amount is not None
        run, amount = self.run, duration.amount
        if duration.unit == "st":
            return amount
        in_steps: dict[str, Callable[[], Fraction]] = {
            "ep": lambda: amount * run["steps_per_epoch"],
            "%": lambda: amount * run["total_steps"] / 100,
            "sp": lambda: amount / run["samples_per_step"],
            "tok": lambda: amount / run["tokens_per_step"],
            "s": lambda: amount / Fraction(str(run["seconds_per_step"])),
            "min": lambda: amount * 60 / Fraction(str(run["seconds_per_step"])),
        }
        return Fraction(in_steps[duration.unit]()) / self.tick

    def skipped(self, part: ks.Section) -> Fraction:
        skip = self.steps(part.skip)
        exact = part.continuous and self.steps(part.tick) == 1
        return skip if exact else Fraction(math.floor(skip + Fraction(1, 2)))

    def shown(self, part: ks.Section, inner: _Clock, whole: Fraction) -> Fraction:
        """How long a section lasts whose parts last `whole` steps of its clock."""
        return inner.rounded(whole) * self.steps(part.tick) if part.continuous else whole * self.steps(part.tick)

    def part_length(self, part: Part) -> Fraction | None:
        """How long a part lasts; None: for ever."""
        if isinstance(part, ks.Cycles):
            if part.count is None:
                return None
            cycle = sum((self.steps(phase.duration) for phase in part.phases), Fraction(0))
            return cycle * sum((Fraction(repr(part.stretch)) ** i for i in range(part.count)), Fraction(0))
        if isinstance(part, ks.Section):
            if part.duration is not None and part.duration.amount is not None:
                return self.steps(part.duration)
            if part.duration is not None or part.fills_rest:
                return self.rest(part)
            inner = self.inner(part)
            lengths = [inner.part_length(inside) for inside in part.parts]
            if None in lengths:
                return None
            whole = sum((length for length in lengths if length is not None), Fraction(0))
            return max(Fraction(0), self.shown(part, inner, whole) - self.skipped(part))
        if part.duration.amount is None:
            if not self.top and part is self.parts[-1] and not part.curve.needs_span and not part.endpoint:
                return None
            return self.rest(part)
        return self.steps(part.duration)

    def rest(self, part: Part) -> Fraction:
        assert self.length is not None
        others = (self.part_length(other) for other in self.parts if other is not part)
        return self.length - sum((other for other in others if other is not None), Fraction(0))

    def inner(self, part: ks.Section) -> _Clock:
        tick, length = self.steps(part.tick), None
        assert tick.denominator == 1
        if part.duration is not None or part.fills_rest:
            own = self.part_length_of_window(part)
            length = (own + self.skipped(part)) / tick
        shift = self.skipped(part) % 1 if part.continuous else Fraction(0)
        return _Clock(part.parts, self.run, self.tick * int(tick), part.continuous, length, shift=shift)

    def part_length_of_window(self, part: ks.Section) -> Fraction:
        if part.duration is not None and part.duration.amount is not None:
            return self.steps(part.duration)
        return self.rest(part)

    def rate(self, time: Fraction, value: Any, at: Fraction | None = None) -> Any:
        """The rate at a time of this clock, entered from `value`; what the phase there comes to `at` a later one."""
        position = Fraction(0)
        for part in self.parts:
            length = self.part_length(part)
            begin, position = position, position + (length or 0)
            inside = length is None or (time if self.continuous else self.rounded(time)) < self.edge(position)
            if inside and isinstance(part, ks.Section):
                return self.section_rate(part, begin, time, value, at)
            if inside and isinstance(part, ks.Cycles):
                return self.cycles_rate(part, begin, time, value, at)
            if inside and isinstance(part, ks.Phase):
                return self.phase_rate(part, begin, length, time, value, at)
            value = self.value_after(part, begin, length, value)
        return value

    def edge(self, position: Fraction) -> Fraction:
        return position if self.continuous else self.rounded(position)

    def value_after(self, part: Part, begin: Fraction, length: Fraction | None, value: Any) -> Any:
        assert length is not None
        if isinstance(part, ks.Section):
            inner, stop = self.inner(part), self.rounded(begin + length)
            lengths = [inner.part_length(inside) for inside in part.parts]
            if None not in lengths:
                whole = sum((length for length in lengths if length is not None), Fraction(0))
                end = self.shown(part, inner, whole) - self.skipped(part)
                if stop + Fraction(1, 2) >= self.rounded(begin) + end:  # nothing was cut off
                    return inner.rate(whole + 1, value)
            return self.section_rate(part, begin, stop - 1, value, stop)
        if isinstance(part, ks.Cycles):
            assert part.count is not None
            return self.capped(part, part.count - 1, self.values(part.phases, value)[-1][1], value)
        start = value if part.start is None else MP.mpf(part.start)
        arguments = self.arguments(part)
        if part.to is None:
            return curve_value(part.curve.name, start, None, number(length), number(length), arguments)
        return MP.mpf(part.to)

    def section_rate(
        self, part: ks.Section, begin: Fraction, time: Fraction, value: Any, at: Fraction | None = None
    ) -> Any:
        inner, tick, skip = self.inner(part), self.steps(part.tick), self.skipped(part)

        def inside(moment: Fraction) -> Fraction:
            passed = moment - self.rounded(begin) + skip
            return passed if part.continuous and tick == 1 else Fraction(passed // tick)

        if at is None:
            return inner.rate(inside(time), value)
        shown, later = inside(time), inside(at)
        if part.continuous and shown < later:  # the phase just before the cut, also one that no step shows
            shown = later - Fraction(1, 10**30)
        return inner.rate(shown, value, later)

    def values(self, phases: Sequence[ks.Phase], value: Any) -> list[tuple[Any, Any]]:
        ends = []
        for phase in phases:
            start = value if phase.start is None else MP.mpf(phase.start)
            value = start if phase.to is None else MP.mpf(phase.to)
            ends.append((start, value))
        return ends

    def capped(self, part: ks.Cycles, cycle: int, rate: Any, before: Any) -> Any:
        ends = self.values(part.phases, before)
        peak = max(max(pair) for pair in ends)
        lows = [min(pair) for pair in ends if pair[0] != pair[1]]
        share = MP.mpf(part.shrink) ** cycle * MP.mpf(cycle + 1) ** -part.shrink_power
        ceiling = part.shrink_to + (peak - part.shrink_to) * share
        return min(rate, max([ceiling, *lows]))

    def cycles_rate(
        self, part: ks.Cycles, begin: Fraction, time: Fraction, before: Any, at: Fraction | None = None
    ) -> Any:
        stretch, position, cycle = Fraction(repr(part.stretch)), begin, 0
        lengths = [self.steps(phase.duration) for phase in part.phases]
        while True:
            growth = stretch**cycle
            stop = position + growth * sum(lengths)
            if time < self.edge(stop) or cycle + 1 == part.count:
                break
            position, cycle = stop, cycle + 1
        ends = self.values(part.phases, before)
        for phase, length, (start, to) in zip(part.phases, lengths, ends, strict=True):
            first, position = position, position + growth * length
            if time < self.edge(position):
                ends_now = (self.capped(part, cycle, end, before) for end in (start, to))
                return self.curve_rate(phase, first, position, time if at is None else at, *ends_now)
        return self.capped(part, cycle, ends[-1][1], before)

    def phase_rate(
        self,
        part: ks.Phase,
        begin: Fraction,
        length: Fraction | None,
        time: Fraction,
        value: Any,
        at: Fraction | None = None,
    ) -> Any:
        start = value if part.start is None else MP.mpf(part.start)
        stop = None if length is None else begin + length
        return self.curve_rate(
            part, begin, stop, time if at is None else at, start, None if part.to is None else MP.mpf(part.to)
        )

    def curve_rate(
        self, phase: ks.Phase, begin: Fraction, stop: Fraction | None, time: Fraction, start: Any, to: Any
    ) -> Any:
        first = self.edge(begin)
        span = None if stop is None else self.edge(stop) - first - phase.endpoint
        done = time - first
        if span is not None and done >= span:  # the last step of a phase with `endpoint`, or the end itself
            if to is not None or phase.curve.keeps_value:
                return start if to is None else to
            done = span
        return curve_value(
            phase.curve.name, start, to, number(done), None if span is None else number(span), self.arguments(phase)
        )

    def arguments(self, phase: ks.Phase) -> dict[str, Any]:
        found = {field.name: getattr(phase.curve, field.name) for field in fields(phase.curve)}
        return {
            name: number(self.steps(value)) if isinstance(value, Duration) else value
            for name, value in found.items()
            if value is not None
        }


def number(fraction: Fraction) -> Any:
    return MP.mpf(fraction.numerator) / fraction.denominator
