"""Where the phases of a run begin: exact positions in rational arithmetic, each rounded once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from kosine._core.curves.hold import Hold
from kosine._core.durations import CLIP, Duration, Units
from kosine._core.groups import Cycles, Part, Section, fills_rest, lasts_for_ever
from kosine._core.numbers import MAX_STEPS, round_half_up
from kosine._core.phase import Phase
from kosine._core.planned_cycles import PlannedCycles
from kosine._core.run import RunSize
from kosine._core.timeline import PlannedPart, PlannedPhase, planned_phase, sampled_phase
from kosine.errors import Name, PlanError, shown

_START = Fraction(0)

_MOST_BITS = 2**25  # of all positions of a schedule together: each addition takes time with its digits


@dataclass(frozen=True)
class Placed:
    """Parts of a plan in order, without those that last no step, and what follows them."""

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


def place(parts: Sequence[Part], run: RunSize, clipped: dict[str, None] | None = None) -> Placed:
    """Place the parts of a schedule in a run.

    Args:
        parts: the parts.
        run: the size of the run.
        clipped: where to note what was changed so that each phase lasts a step; None where nothing may be. Phases that
            end after the run are left as they are.

    Raises:
        PlanError: a length that is needed is missing, no step is left for the "rest", a positive duration rounds
            to no step, or the whole is longer than 2**63 - 1 steps.
    """
    length = None if run.total_steps is None else Fraction(run.total_steps)
    placed = _place(parts, Grid(Units(run, clipped=clipped), length, endless=length is None), None)
    for part in placed.parts:
        part.check()
    return placed


@dataclass(frozen=True, slots=True)
class Grid:
    """The steps that parts are placed in: those of the run, or those of a section.

    Attributes:
        units: what durations mean.
        length: how long all parts last together where one of them takes the rest; None where that is not known.
        continuous: whether the boundaries of phases stay exact.
        endless: whether a last phase that can goes on for ever, so that it needs no length.
    """

    units: Units
    length: Fraction | None
    continuous: bool = False
    endless: bool = False

    def rounded(self, position: Fraction) -> int:
        """The first step at or after a position; where positions are rounded, the nearest, half up."""
        return math.ceil(position) if self.continuous else round_half_up(position)

    def steps(self, phase: Phase) -> Fraction:
        """The exact length of a phase that does not take the rest."""
        steps = self.units.steps(phase.duration)
        return steps if self.continuous else self.units.at_least_one(steps, phase)


def _place(parts: Sequence[Part], grid: Grid, value: float | None, origin: Fraction = _START) -> Placed:
    """Place parts from the position `origin` on, entered from the rate `value`."""
    rest = rest_of(parts, grid)
    planned: list[PlannedPart] = []
    position: Fraction | None = origin
    digits = 0
    for part in parts:
        assert position is not None  # only the last part goes on for ever
        if isinstance(part, Cycles):
            group = PlannedCycles.place(part, position, value, grid.units, grid.continuous)
            placed = Placed((group,), None if group.endless else group.end, group.end_lr)
        elif isinstance(part, Section):
            placed = _place_section(part, grid, position, rest, value)
        else:
            placed = _place_phase(part, grid, position, rest, value, part is parts[-1])
        planned += placed.parts
        position, value = placed.end, placed.value
        if position is None:
            break
        digits += position.denominator.bit_length() if position.denominator > 1 else 0
        _check_position(parts, part, position, digits)
    assert value is not None
    return Placed(tuple(planned), position, value)


def _check_position(parts: Sequence[Part], part: Part, position: Fraction, digits: int) -> None:
    if digits > _MOST_BITS:
        raise PlanError(
            "The durations of a schedule must add up to fractions of a step that can be written down, and the "
            f"positions of {len(parts):,} parts have too many digits together, up to this part.",
            received=part,
        )
    if position > MAX_STEPS:
        raise PlanError(
            f"A plan has at most 2**63 - 1 steps, and this part of the schedule ends at step {float(position):.4g}.",
            received=part,
            fix="Check the units of its durations.",
        )


def _place_phase(
    phase: Phase, grid: Grid, position: Fraction, rest: Fraction | None, value: float | None, last: bool
) -> Placed:
    """Place a phase; one that rounds to no step is left out."""
    curve, first = phase.curve.resolved(grid.units), grid.rounded(position)
    start = value if phase.start is None else phase.start
    assert start is not None
    if last and grid.endless and lasts_for_ever(phase):
        end = curve.end(start, phase.to, None)
        row = PlannedPhase(curve.name, first, None, start, end, None, curve)
        return Placed((sampled_phase(row, position, None) if grid.continuous else row,), None, end)
    steps = grid.steps(phase) if phase.duration.amount is not None else rest
    assert steps is not None
    end = curve.end(start, phase.to, steps)
    curve.check(start, end)
    stop = position + steps
    row = planned_phase(curve, first, grid.rounded(stop) - first, start, end, phase.endpoint)
    if steps > 0 and row.steps == 0 and not grid.continuous:
        raise PlanError(
            f"A positive duration must last at least one step, and this phase is {float(steps):.4g} steps in this run "
            "and rounds to none.",
            received=phase,
            fix=CLIP,
        )
    if not row.steps:
        return Placed((), stop, end)
    return Placed((sampled_phase(row, position, steps) if grid.continuous else row,), stop, end)


def _place_section(
    section: Section, grid: Grid, position: Fraction, rest: Fraction | None, value: float | None
) -> Placed:
    """Place the parts of a section by its own clock, and keep what is seen of them."""
    units = grid.units
    first = grid.rounded(position)
    inner, (skip, part) = inner_units(section, units), skipped(section, units)
    tick = inner.tick // units.tick
    duration = rest if section.fills_rest else None
    if section.duration is not None and section.duration.amount is not None:
        duration = _duration(section, section.duration, units)
    length = None if duration is None else (duration + skip + part) / tick
    placed = _place(section.parts, Grid(inner, length, section.continuous, endless=True), value, -part)
    own = None if placed.end is None else _own_length(section, placed.end, tick, skip)
    if section.duration is None and duration is not None:  # its parts fill the rest, which need not be whole ticks
        own = duration
    placed = placed.slower(first - skip, tick)
    if section.duration is not None and duration is not None:
        end = position + duration
    elif own is not None:
        end = position + own
    else:
        return replace(placed, parts=seen_between(placed.parts, first, None))
    stop = grid.rounded(end)
    if section.duration is not None and section.duration.amount and not section.duration.floor and stop == first:
        raise PlanError(
            f"A positive duration must last at least one step, and that of a section is {float(end - position):.4g} "
            "steps in this run and rounds to none.",
            received={"duration": section.duration.written()},
            fix=CLIP,
        )
    seen = seen_between(placed.parts, first, stop)
    reached = seen[-1].stop if seen else first
    if reached < stop:  # its parts are over
        return Placed((*seen, level(reached, placed.value, stop)), end, placed.value)
    if seen and (own is None or stop < first + own - Fraction(1, 2)):
        return Placed(seen, end, value_at_cut(placed.parts, seen[-1], stop))
    if seen and placed.parts[-1].first_step < stop < placed.parts[-1].stop:  # it ends within a tick
        seen = (*seen[:-1], seen[-1].ending_at(placed.value))
    return Placed(seen, end, placed.value)


def _duration(section: Section, duration: Duration, units: Units) -> Fraction:
    """How long a section lasts that says it."""
    return units.at_least_one(units.steps(duration), section)


def value_at_cut(parts: Sequence[PlannedPart], last: PlannedPart, stop: int) -> float:
    """What the phase that is cut at `stop` has come to; one that begins there, such as a restart, is not cut."""
    following = next((part for part in parts if part.first_step <= stop < part.stop), None)
    row = None if following is None else following.row_at(stop)
    if row is not None and row.first_step == stop and 0 < row.clock.lead < 1:  # it has begun between two steps
        return row.first_lr
    return last.last_row.end_lr


def seen_between(parts: Iterable[PlannedPart], first: int, stop: int | None) -> tuple[PlannedPart, ...]:
    between = (part.between(first, stop) for part in parts)
    return tuple(part for part in between if part.first_step < part.stop)


def _own_length(section: Section, end: Fraction, tick: int, skip: int) -> Fraction:
    """How long a section lasts whose parts end at `end` of its clock: a continuous one while a step shows them."""
    return max(Fraction(0), (math.ceil(end) if section.continuous else end) * tick - Fraction(skip))


def skipped(section: Section, units: Units) -> tuple[int, Fraction]:
    """The whole steps that a section leaves out, and the part of a step that only a curve of continuous time knows."""
    skip = units.steps(section.skip)
    if section.continuous and units.steps(section.tick) == 1:
        return math.floor(skip), skip % 1
    return round_half_up(skip), _START


def inner_units(section: Section, units: Units) -> Units:
    tick = units.steps(section.tick)
    if tick.denominator != 1 and units.clipped is not None:
        tick = units.changed("A tick of a section", tick, max(1, round_half_up(tick)))
    if tick.denominator != 1 or tick < 1:
        raise PlanError(
            f"A tick of a section must last a whole number of steps, and this is {float(tick):.6g} steps in this run.",
            received={"tick": section.tick.written()},
            fix=CLIP,
        )
    if units.tick * int(tick) > MAX_STEPS:
        raise PlanError(
            "A tick of a section must last at most 2**63 - 1 steps, and the ticks of the section around it already "
            f"last {units.tick:,} steps.",
            received={"tick": section.tick.written()},
        )
    return replace(units, tick=units.tick * int(tick))


def rest_of(parts: Sequence[Part], grid: Grid) -> Fraction | None:
    """The exact length of the "rest"; None where no part takes it, or where that part goes on for ever."""
    length, rounded = grid.length, grid.rounded
    index = next((number for number, part in enumerate(parts) if fills_rest(part)), None)
    if index is None or (grid.endless and index == len(parts) - 1 and lasts_for_ever(parts[index])):
        return None
    part = parts[index]
    if length is None:
        raise PlanError(
            f'A "rest" phase needs the length of the run: {part!r}.',
            received={"total_steps": None},
            fix=("Give ", Name("total_steps"), ", or ", Name("epochs"), " and ", Name("steps_per_epoch"), "."),
            missing="total_steps",
        )
    before = sum((length_of(part, grid) for part in parts[:index]), Fraction(0))
    after = sum((length_of(part, grid) for part in parts[index + 1 :]), Fraction(0))
    rest = length - before - after
    steps = rounded(before + rest) - rounded(before)
    if steps >= 1:
        return rest
    taken, most = f"{rounded(before + after):,}", f"{rounded(length):,}"
    if grid.units.clipped is None:
        longer = f"Make the run longer, or the other phases shorter, by {1 - steps:,} step{'s' if steps < 0 else ''}. "
        raise PlanError(
            f"The fixed phases leave no step for the rest of the run: of its {most} steps they take {taken}.",
            received=part,
            fix=(longer, *CLIP),
        )
    grid.units.clipped[f"The fixed phases take {taken} of {most} steps, and {shown(part)} gets 1."] = None
    return Fraction(1)


def length_of(part: Part, grid: Grid) -> Fraction:
    """The exact length of a part that does not depend on the run."""
    if isinstance(part, Phase):
        return grid.steps(part)
    units = grid.units
    if isinstance(part, Cycles):
        return PlannedCycles.place(part, Fraction(0), 0.0, units, continuous=grid.continuous).end
    if part.duration is not None:
        return _duration(part, part.duration, units)
    inner = inner_units(part, units)
    within = Grid(inner, None, part.continuous)
    end = sum((length_of(inside, within) for inside in part.parts), Fraction(0))
    skip, fraction = skipped(part, units)
    return _own_length(part, end - fraction, inner.tick // units.tick, skip)
