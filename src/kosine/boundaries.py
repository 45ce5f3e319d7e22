"""Where the phases of a run begin: exact positions in rational arithmetic, each rounded half up once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from functools import cached_property

from kosine.durations import MAX_STEPS, RunSize, round_half_up
from kosine.errors import PlanError
from kosine.phases import Curve, Phase
from kosine.schedule import Ceiling, Cycles, starts_and_ends

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
        curve: the curve with its own arguments.
        endpoint: whether the last step uses `end_lr` exactly.
    """

    name: str
    first_step: int
    steps: int | None
    first_lr: float
    end_lr: float
    cycle: int | None
    curve: Curve
    endpoint: bool = False

    @property
    def stop(self) -> int:
        """The step after its last."""
        return MAX_STEPS + 1 if self.steps is None else self.first_step + self.steps

    @property
    def span(self) -> int | None:
        """After how many steps `end_lr` is reached."""
        return self.steps if self.steps is None else self.steps - self.endpoint


@dataclass(frozen=True)
class Group:
    """The cycles of a plan, found by integer arithmetic: no loop over past cycles, no logarithm, no float."""

    part: Cycles
    origin: Fraction
    first_step: int
    before: float | None
    run: RunSize
    offsets: tuple[Fraction, ...]
    """Where each phase of the first cycle begins, and where the cycle ends, counted from `origin`."""

    @classmethod
    def place(cls, part: Cycles, origin: Fraction, before: float | None, run: RunSize) -> Group:
        offsets = [Fraction(0)]
        for phase in part.phases:
            length = phase.duration.steps(run)
            if 0 < length < 1:
                raise PlanError(
                    f"A phase that repeats must last at least one step in every cycle. Received: {phase!r}, which "
                    f"is {float(length):.4g} steps in this run."
                )
            offsets.append(offsets[-1] + length)
        return cls(part, origin, round_half_up(origin), before, run, tuple(offsets))

    def check(self) -> None:
        """Raise PlanError where a cycle that is reached for certain has shrunk to nothing."""
        if self.part.shrink < 1:
            self.ceiling.check(self.cycles_shown() - 1, PlanError)

    @cached_property
    def ceiling(self) -> Ceiling:
        return Ceiling.of(self.part, self.before)

    @cached_property
    def values(self) -> tuple[float, ...]:
        """Start and end of each phase of the first cycle, in turn."""
        return tuple(starts_and_ends(self.part.phases, self.before))

    @property
    def endless(self) -> bool:
        return self.part.count is None

    @property
    def pattern(self) -> tuple[int, int] | None:
        """After how many cycles, and steps, the rounded boundaries and the values repeat exactly; None: never."""
        if not self.endless or self.part.stretch != 1 or self.part.shrink != 1:
            return None
        return self.offsets[-1].denominator, self.offsets[-1].numerator

    @cached_property
    def end(self) -> Fraction:
        """The exact position at which the last cycle ends."""
        assert self.part.count is not None
        stretch, count = self.part.exact_stretch, self.part.count
        if stretch == 1:
            return self.origin + count * self.offsets[-1]
        bits = max(stretch.numerator.bit_length(), stretch.denominator.bit_length())
        if count * (float(stretch) - 1) / float(stretch) > 200 or count * bits > 200 * _EXACT_POWER_BITS:
            raise PlanError(
                f"{count} cycles with stretch={self.part.stretch!r} last longer than 2**63 steps, or end at a "
                "position too long to write down. Use fewer cycles, or count=None."
            )
        return self.origin + self.offsets[-1] * (stretch**count - 1) / (stretch - 1)

    def boundary(self, cycle: int, phase: int = 0) -> int:
        """The first step of a phase of a cycle."""
        stretch = self.part.exact_stretch
        if stretch == 1:
            return round_half_up(self.origin + cycle * self.offsets[-1] + self.offsets[phase])
        bits = cycle * max(stretch.numerator.bit_length(), stretch.denominator.bit_length())
        if bits <= _EXACT_POWER_BITS:
            return round_half_up(self._position(stretch**cycle, phase))
        digits = 60
        while True:  # more digits until the bounds round to the same step; a tie has few digits and was exact above
            context = Context(prec=digits)
            growth = Fraction(
                context.power(context.divide(Decimal(stretch.numerator), Decimal(stretch.denominator)), cycle)
            )
            error = growth * (cycle + 10) / 10 ** (digits - 1)
            low, high = (round_half_up(self._position(growth + sign * error, phase)) for sign in (-1, 1))
            if low == high:
                return low
            digits *= 2

    def _position(self, growth: Fraction, phase: int) -> Fraction:
        """The exact position of a phase in the cycle that is `growth` times as long as the first."""
        past = self.offsets[-1] * (growth - 1) / (self.part.exact_stretch - 1)
        return self.origin + past + growth * self.offsets[phase]

    def cycle_at(self, step: int) -> int:
        """The cycle that `step`, at or after the group's first step, belongs to."""
        if self.part.exact_stretch == 1:
            # The largest i with floor(origin + i * length + 1/2) <= step.
            cycle = -((self.origin - step - Fraction(1, 2)) // self.offsets[-1]) - 1
        else:
            beyond = 1
            while self.boundary(beyond) <= step:
                beyond *= 2
            cycle = bisect_right(range(beyond), step, key=self.boundary) - 1
        return cycle if self.part.count is None else min(cycle, self.part.count - 1)

    def row(self, cycle: int, phase: int) -> PlannedPhase:
        first, stop = self.boundary(cycle, phase), self.boundary(cycle, phase + 1)
        ceiling = self.ceiling.at(cycle)
        template: Phase = self.part.phases[phase]
        return PlannedPhase(
            template.curve.name,
            first,
            stop - first,
            min(self.values[2 * phase], ceiling),
            min(self.values[2 * phase + 1], ceiling),
            cycle,
            template.curve,
            template.endpoint,
        )

    def row_at(self, step: int) -> PlannedPhase:
        cycle = self.cycle_at(step)
        phases = range(len(self.part.phases))
        phase = bisect_right(phases, step, key=lambda index: self.boundary(cycle, index)) - 1
        return self.row(cycle, phase)

    def cycles_shown(self) -> int:
        """How many cycles `plan.phases` lists: all of them, or for an endless group those that begin in the run."""
        if self.part.count is not None:
            return self.part.count
        if self.run.total_steps is None or self.run.total_steps <= self.first_step:
            return 1
        return self.cycle_at(self.run.total_steps - 1) + 1


Block = PlannedPhase | Group


def place(parts: Sequence[Phase | Cycles], run: RunSize) -> tuple[list[Block], float]:
    """The blocks of a plan in order, without those that last no step, and the value that the last one ends at.

    Raises:
        PlanError: a length that is needed is missing, no step is left for the "rest", a positive duration rounds
            to no step, or the whole is longer than 2**63 - 1 steps.
    """
    rest = _rest(parts, run)
    blocks: list[Block] = []
    position = Fraction(0)
    value: float | None = None
    for part in parts:
        if isinstance(part, Cycles):
            group = Group.place(part, position, value, run)
            group.check()
            blocks.append(group)
            if group.endless:
                return blocks, group.values[-1]
            position = group.end
            value = min(group.values[-1], group.ceiling.at((part.count or 1) - 1))
        else:
            length = rest if part.duration.amount is None else part.duration.steps(run)
            start = value if part.start is None else part.start
            assert start is not None
            value = part.curve.end(start, part.to, length, run)
            part.curve.check(start, value)
            first = round_half_up(position)
            if length is None:
                blocks.append(_planned(part, first, None, start, value))
                return blocks, value
            position += length
            steps = round_half_up(position) - first
            if length > 0 and steps == 0:
                raise PlanError(
                    f"A positive duration must last at least one step. Received: {part!r}, which is "
                    f"{float(length):.4g} steps in this run and rounds to none."
                )
            if steps:
                blocks.append(_planned(part, first, steps, start, value))
        if position > MAX_STEPS:
            raise PlanError(
                f"A plan has at most 2**63 - 1 steps. Received: a schedule whose part {part!r} ends at step "
                f"{float(position):.4g}. Check the units of its durations."
            )
    assert value is not None
    return blocks, value


def _planned(phase: Phase, first: int, steps: int | None, start: float, end: float) -> PlannedPhase:
    return PlannedPhase(phase.curve.name, first, steps, start, end, None, phase.curve, phase.endpoint)


def _rest(parts: Sequence[Phase | Cycles], run: RunSize) -> Fraction | None:
    """The exact length of the "rest" phase; None where there is none, or where it may last for ever."""
    index = next((i for i, part in enumerate(parts) if isinstance(part, Phase) and part.duration.amount is None), None)
    if index is None:
        return None
    phase = parts[index]
    assert isinstance(phase, Phase)
    if run.total_steps is None:
        if index == len(parts) - 1 and not phase.curve.needs_span and not phase.endpoint:
            return None
        raise PlanError(
            f'A "rest" phase needs the length of the run. Received: {phase!r} and total_steps=None. '
            "Call `plan` with `total_steps`, or with `epochs` and `steps_per_epoch`."
        )
    before = sum((_length(part, run) for part in parts[:index]), Fraction(0))
    after = sum((_length(part, run) for part in parts[index + 1 :]), Fraction(0))
    length = run.total_steps - before - after
    steps = round_half_up(before + length) - round_half_up(before)
    if steps < 1:
        raise PlanError(
            f"The fixed phases leave no step for the rest of the run. Received: {phase!r} in a run of "
            f"{run.total_steps:,} steps, of which the other phases take {round_half_up(before + after):,}. "
            f"Make the run longer, or the other phases shorter, by {1 - steps:,} step{'s' if steps < 0 else ''}."
        )
    return length


def _length(part: Phase | Cycles, run: RunSize) -> Fraction:
    if isinstance(part, Phase):
        return part.duration.steps(run)
    return Group.place(part, Fraction(0), 0.0, run).end
