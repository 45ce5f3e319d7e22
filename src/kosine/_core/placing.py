"""Where the phases of a run begin: exact positions in rational arithmetic, each rounded once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from kosine._core.counted import CountedPhase, counted_row
from kosine._core.curves.hold import Hold
from kosine._core.durations import CLIP, Units
from kosine._core.groups import Cycles, Part, Section, lasts_for_ever
from kosine._core.lengths import Grid, inner_units, own_length, rest_of, section_length, skipped
from kosine._core.numbers import MAX_STEPS
from kosine._core.phase import Phase
from kosine._core.planned_cycles import PlannedCycles
from kosine._core.run import RunSize
from kosine._core.settling import settled
from kosine._core.timeline import PlannedPart, PlannedPhase, planned_phase, sampled_phase
from kosine.errors import PlanError

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
    grid = Grid(Units(run, clipped=clipped), length, endless=length is None)
    return place_settled(settled(parts, grid), grid)


def place_settled(parts: Sequence[Part], grid: Grid) -> Placed:
    """Place parts whose lengths do not depend on their places."""
    placed = _place(parts, grid, None)
    for part in placed.parts:
        part.check()
    return placed


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
    first = grid.rounded(position)
    start = value if phase.start is None else phase.start
    assert start is not None
    if isinstance(phase, CountedPhase):
        return _place_counted(phase, grid, position, rest, start, last)
    curve = phase.curve.resolved(grid.units)
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
    if not row.steps:
        _check_no_step(phase, steps, grid)
        return Placed((), stop, end)
    return Placed((sampled_phase(row, position, steps) if grid.continuous else row,), stop, end)


def _check_no_step(phase: Phase, steps: Fraction, grid: Grid) -> None:
    """Raise where a phase without a step is longer than none."""
    if steps > 0 and not grid.continuous:
        raise PlanError(
            f"A positive duration must last at least one step, and this phase is {float(steps):.4g} steps in this run "
            "and rounds to none.",
            received=phase,
            fix=CLIP,
        )


def _place_counted(
    phase: CountedPhase, grid: Grid, position: Fraction, rest: Fraction | None, start: float, last: bool
) -> Placed:
    """Place a phase that moves with samples or tokens."""
    first = grid.rounded(position)
    if last and grid.endless and lasts_for_ever(phase):
        row = counted_row(phase, first, None, start)
        return Placed((row,), None, row.end_lr)
    steps = grid.steps(phase) if phase.duration.amount is not None else rest
    assert steps is not None
    stop = position + steps
    row = counted_row(phase, first, grid.rounded(stop), start)
    row.curve.check(start, row.end_lr)
    if not row.steps:
        _check_no_step(phase, steps, grid)
        return Placed((), stop, row.end_lr)
    return Placed((row,), stop, row.end_lr)


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
        duration = section_length(section, section.duration, units)
    length = None if duration is None else (duration + skip + part) / tick
    placed = _place(section.parts, Grid(inner, length, section.continuous, endless=True), value, -part)
    own = None if placed.end is None else own_length(section, placed.end, tick, skip)
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
