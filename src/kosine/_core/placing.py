"""Where the phases of a run begin: exact positions in rational arithmetic, each rounded once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from kosine._core.curves.hold import Hold
from kosine._core.durations import Units
from kosine._core.groups import Cycles, Part, Section, fills_rest, lasts_for_ever
from kosine._core.numbers import MAX_STEPS, round_half_up
from kosine._core.phase import Phase
from kosine._core.planned_cycles import PlannedCycles
from kosine._core.run import RunSize
from kosine._core.timeline import PlannedPart, PlannedPhase, planned_phase, sampled_phase
from kosine.errors import Name, PlanError, shown

START = Fraction(0)

_MOST_BITS = 2**25  # of all positions of a schedule together: each addition takes time with its digits


@dataclass(frozen=True)
class Placed:
    """The parts of a plan in order, without those that last no step, and what follows them."""

    parts: tuple[PlannedPart, ...]
    end: Fraction | None
    """The exact position of the end; None where the parts go on for ever."""
    value: float
    """The learning rate at the end and after it."""

    def slower(self, base: int, tick: int) -> Placed:
        return replace(self, parts=tuple(part.slower(base, tick) for part in self.parts))


def level(first: int, value: float, stop: int | None = None) -> PlannedPhase:
    """A hold from the step `first` on."""
    return PlannedPhase("hold", first, None if stop is None else stop - first, value, value, None, Hold())


def place(parts: Sequence[Part], run: RunSize) -> Placed:
    """Place the parts of a schedule in a run.

    Raises:
        PlanError: a length that is needed is missing, no step is left for the "rest", a positive duration rounds
            to no step, or the whole is longer than 2**63 - 1 steps.
    """
    length = None if run.total_steps is None else Fraction(run.total_steps)
    placed = _place(parts, Units(run), length, None)
    for part in placed.parts:
        part.check()
    return placed


def _place(
    parts: Sequence[Part],
    units: Units,
    length: Fraction | None,
    value: float | None,
    section: Section | None = None,
    origin: Fraction = START,
) -> Placed:
    """Place parts from `origin` on, in the steps of one clock; a "rest" makes them last `length`."""
    continuous = section is not None and section.continuous
    rounded: Callable[[Fraction], int] = math.ceil if continuous else round_half_up
    goes_on = section is not None or length is None
    rest = _rest(parts, units, length, rounded, goes_on)
    planned: list[PlannedPart] = []
    position = origin
    digits = 0
    for part in parts:
        first = rounded(position)
        if isinstance(part, Cycles):
            group = PlannedCycles.place(part, position, value, units, continuous)
            planned.append(group)
            if group.endless:
                return Placed(tuple(planned), None, group.end_lr)
            position, value = group.end, group.end_lr
        elif isinstance(part, Section):
            placed = _place_section(part, units, position, rest, value, rounded)
            planned += placed.parts
            value = placed.value
            if placed.end is None:
                return Placed(tuple(planned), None, value)
            position = placed.end
        else:
            curve = part.curve.resolved(units)
            start = value if part.start is None else part.start
            assert start is not None
            if goes_on and part is parts[-1] and lasts_for_ever(part):
                value = curve.end(start, part.to, None)
                row = PlannedPhase(curve.name, first, None, start, value, None, curve)
                planned.append(sampled_phase(row, position, None) if continuous else row)
                return Placed(tuple(planned), None, value)
            steps = units.steps(part.duration) if part.duration.amount is not None else rest
            assert steps is not None
            value = curve.end(start, part.to, steps)
            curve.check(start, value)
            begin, position = position, position + steps
            row = planned_phase(curve, first, rounded(position) - first, start, value, part.endpoint)
            if steps > 0 and row.steps == 0 and not continuous:
                raise PlanError(
                    f"A positive duration must last at least one step. Received: {part!r}, which is "
                    f"{float(steps):.4g} steps in this run and rounds to none."
                )
            if row.steps:
                planned.append(sampled_phase(row, begin, steps) if continuous else row)
        digits += position.denominator.bit_length() if position.denominator > 1 else 0
        if digits > _MOST_BITS:
            raise PlanError(
                "The durations of a schedule must add up to fractions of a step that can be written down. Received: "
                f"{len(parts):,} parts whose positions have too many digits together, up to {shown(part)}."
            )
        if position > MAX_STEPS:
            raise PlanError(
                f"A plan has at most 2**63 - 1 steps. Received: a schedule whose part {part!r} ends at step "
                f"{float(position):.4g}. Check the units of its durations."
            )
    assert value is not None
    return Placed(tuple(planned), position, value)


def _place_section(
    section: Section,
    units: Units,
    position: Fraction,
    rest: Fraction | None,
    value: float | None,
    rounded: Callable[[Fraction], int],
) -> Placed:
    """Place the parts of a section by its own clock, and keep what is seen of them."""
    first = rounded(position)
    inner, (skip, part) = _inner_units(section, units), _skipped(section, units)
    tick = inner.tick // units.tick
    duration = rest if section.fills_rest else None
    if section.duration is not None and section.duration.amount is not None:
        duration = units.steps(section.duration)
    length = None if duration is None else (duration + skip + part) / tick
    placed = _place(section.parts, inner, length, value, section, -part)
    own = None if placed.end is None else _own_length(section, placed.end, tick, skip)
    placed = placed.slower(first - skip, tick)
    if section.duration is not None and duration is not None:
        end = position + duration
    elif own is not None:
        end = position + own
    else:
        return replace(placed, parts=_seen(placed.parts, first, None))
    stop = rounded(end)
    if section.duration is not None and section.duration.amount and not section.duration.floor and stop == first:
        raise PlanError(
            f"A positive duration must last at least one step. Received: duration={section.duration.written()!r} of a "
            f"section, which is {float(end - position):.4g} steps in this run and rounds to none."
        )
    seen = _seen(placed.parts, first, stop)
    if seen and (own is None or stop < first + own - Fraction(1, 2)):
        return Placed(seen, end, _value_at_cut(placed.parts, seen[-1], stop))
    reached = seen[-1].stop if seen else first
    if reached < stop:
        seen = (*seen, level(reached, placed.value, stop))
    return Placed(seen, end, placed.value)


def _value_at_cut(parts: Sequence[PlannedPart], last: PlannedPart, stop: int) -> float:
    """What the phase that is cut at `stop` has come to; one that begins there, such as a restart, is not cut."""
    following = next((part for part in parts if part.first_step <= stop < part.stop), None)
    row = None if following is None else following.row_at(stop)
    if row is not None and row.first_step == stop and 0 < row.clock.lead < 1:  # it has begun between two steps
        return row.first_lr
    return last.last_row.end_lr


def _seen(parts: Iterable[PlannedPart], first: int, stop: int | None) -> tuple[PlannedPart, ...]:
    between = (part.between(first, stop) for part in parts)
    return tuple(part for part in between if part.first_step < part.stop)


def _own_length(section: Section, end: Fraction, tick: int, skip: int) -> Fraction:
    """How long a section lasts whose parts end at `end` of its clock: a continuous one while a step shows them."""
    return max(Fraction(0), (math.ceil(end) if section.continuous else end) * tick - Fraction(skip))


def _skipped(section: Section, units: Units) -> tuple[int, Fraction]:
    """The whole steps that a section leaves out, and the part of a step that only a curve of continuous time knows."""
    skip = units.steps(section.skip)
    if section.continuous and units.steps(section.tick) == 1:
        return math.floor(skip), skip % 1
    return round_half_up(skip), START


def _inner_units(section: Section, units: Units) -> Units:
    tick = units.steps(section.tick)
    if tick.denominator != 1 or tick < 1:
        raise PlanError(
            "A tick of a section must last a whole number of steps. "
            f"Received: tick={section.tick.written()!r}, which is {float(tick):.6g} steps in this run."
        )
    if units.tick * int(tick) > MAX_STEPS:
        raise PlanError(
            "A tick of a section must last at most 2**63 - 1 steps. "
            f"Received: tick={section.tick.written()!r} in sections whose ticks already last {units.tick:,} steps."
        )
    return Units(units.run, units.tick * int(tick))


def _rest(
    parts: Sequence[Part],
    units: Units,
    length: Fraction | None,
    rounded: Callable[[Fraction], int],
    goes_on: bool,
) -> Fraction | None:
    """The exact length of the "rest"; None where there is none, or where it may last for ever."""
    index = next((number for number, part in enumerate(parts) if fills_rest(part)), None)
    if index is None or (goes_on and index == len(parts) - 1 and lasts_for_ever(parts[index])):
        return None
    part = parts[index]
    if length is None:
        raise PlanError(
            f'A "rest" phase needs the length of the run: {part!r}.',
            received={"total_steps": None},
            fix=("Give ", Name("total_steps"), ", or ", Name("epochs"), " and ", Name("steps_per_epoch"), "."),
            missing="total_steps",
        )
    before = sum((_length(part, units) for part in parts[:index]), Fraction(0))
    after = sum((_length(part, units) for part in parts[index + 1 :]), Fraction(0))
    rest = length - before - after
    steps = rounded(before + rest) - rounded(before)
    if steps < 1:
        raise PlanError(
            f"The fixed phases leave no step for the rest of the run. Received: {part!r} in a run of "
            f"{rounded(length):,} steps, of which the other phases take {rounded(before + after):,}. "
            f"Make the run longer, or the other phases shorter, by {1 - steps:,} step{'s' if steps < 0 else ''}."
        )
    return rest


def _length(part: Part, units: Units) -> Fraction:
    """The exact length of a part that has one of its own."""
    if isinstance(part, Phase):
        return units.steps(part.duration)
    if isinstance(part, Cycles):
        return PlannedCycles.place(part, Fraction(0), 0.0, units, continuous=True).end
    if part.duration is not None:
        return units.steps(part.duration)
    inner = _inner_units(part, units)
    end = sum((_length(inside, inner) for inside in part.parts), Fraction(0))
    skip, fraction = _skipped(part, units)
    return _own_length(part, end - fraction, inner.tick // units.tick, skip)
