"""The parts of a plan with "rest" and "%" as steps, so that they mean the same in a run of another length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from fractions import Fraction

from kosine._core.counted import CountedPhase, CountedRow, at_pace
from kosine._core.curve import Curve
from kosine._core.curves.hold import Hold
from kosine._core.durations import Duration, Units
from kosine._core.groups import Cycles, Part, Section, fills_rest, is_endless, lasts_for_ever, phases_of
from kosine._core.lengths import Grid, inner_units, length_of, rest_of, skipped
from kosine._core.phase import Phase
from kosine._core.placing import place_settled
from kosine._core.run import RunSize
from kosine._core.settling import settled
from kosine._core.timeline import PlannedPhase
from kosine.errors import PlanError

_TICK = Duration.read(1)


def fixed(parts: Sequence[Part], run: RunSize) -> tuple[Part, ...]:
    """The parts of a schedule as `place` would place them in this run, in any run with the same units."""
    length = None if run.total_steps is None else Fraction(run.total_steps)
    grid = Grid(Units(run), length, endless=length is None)
    lasting = settled(parts, grid)
    if any(isinstance(part, CountedPhase) for part in phases_of(lasting)):
        lasting = _in_pieces(lasting, grid)
    return _fixed(lasting, grid)


def _in_pieces(parts: Sequence[Part], grid: Grid) -> tuple[Part, ...]:
    """The parts, with phases that move with samples or tokens as one continuous section for each stage of the ramp."""
    rows = {row.first_step: row for row in place_settled(parts, grid).parts if isinstance(row, CountedRow)}
    rest, position = rest_of(parts, grid), Fraction(0)
    found: list[Part] = []
    for number, part in enumerate(parts):
        if number == len(parts) - 1 and (is_endless(part) or lasts_for_ever(part)):
            end = None
        else:
            end = position + (rest if rest is not None and fills_rest(part) else length_of(part, grid))
        row = rows.get(grid.rounded(position))
        if isinstance(part, CountedPhase) and row is not None:
            found += _pieces(row, position, end)
        elif isinstance(part, CountedPhase):  # it shows one step, or none
            assert end is not None
            found.append(_short(part, grid.rounded(position), grid.rounded(end), end - position))
        elif isinstance(part, Section) and any(isinstance(phase, CountedPhase) for phase in phases_of([part])):
            raise PlanError(
                "A section whose phases count samples or tokens has no branches where steps take ever more of them.",
                received=part,
                fix="Write its parts as phases of the schedule.",
            )
        else:
            found.append(part)
        position = position if end is None else end
    return tuple(found)


def _short(part: CountedPhase, first: int, stop: int, length: Fraction) -> Phase:
    """A phase of one step or none; a pace of its own brings it to where these steps bring it."""
    if not part.curve.keeps_pace:
        return Phase(part.curve, Duration("st", length), part.start, part.to, part.endpoint)
    if first == stop:
        return Phase(Hold(), Duration("st", length), part.start, None)
    pace = Fraction(part.ramp.stages[part.ramp.stage_at(first + part.origin)][1]) / length
    return Phase(at_pace(part.curve, pace), Duration("st", length), part.start, part.to, part.endpoint)


def _pieces(row: CountedRow, begin: Fraction, end: Fraction | None) -> Iterator[Part]:
    """The pieces of a phase that begins and ends at exact positions."""
    for piece in row.rows(row.first_step, row.stop):
        stop = end if piece.stop == row.stop else Fraction(piece.stop)
        clock, duration = piece.clock, None if stop is None else Duration("st", stop - begin)
        span = Duration("rest", None) if clock.span is None else Duration("st", clock.span)
        to = None if row.curve.keeps_pace else clock.to
        if row.endpoint and piece.stop == row.stop:
            yield from _up_to_the_end(Phase(piece.curve, span, clock.start, to), clock.lead, piece, begin, end)
            return
        yield Section((Phase(piece.curve, span, clock.start, to),), Duration("st", clock.lead), duration, _TICK, True)
        begin = Fraction(piece.stop)


def _up_to_the_end(
    phase: Phase, lead: Fraction, piece: PlannedPhase, begin: Fraction, end: Fraction | None
) -> Iterator[Part]:
    """The last piece of a phase with `endpoint`: its last step has the end value."""
    last = Fraction(piece.stop - 1)
    if piece.first_step < last:
        yield Section((phase,), Duration("st", lead), Duration("st", last - begin), _TICK, True)
        begin = last
    assert end is not None
    yield Phase(Hold(), Duration("st", end - begin), piece.end_lr, None)


def _fixed(parts: Sequence[Part], grid: Grid) -> tuple[Part, ...]:
    rest = rest_of(parts, grid)
    return tuple(_fixed_part(part, grid, rest) for part in parts)


def _fixed_part(part: Part, grid: Grid, rest: Fraction | None) -> Part:
    if isinstance(part, Phase):
        return _fixed_phase(part, grid.units, rest)
    if isinstance(part, Cycles):
        return replace(part, phases=tuple(_fixed_phase(phase, grid.units, None) for phase in part.phases))
    return _fixed_section(part, grid, rest)


def _fixed_phase(phase: Phase, units: Units, rest: Fraction | None) -> Phase:
    return replace(phase, duration=_in_steps(phase.duration, units, rest), curve=_fixed_curve(phase.curve, units))


def _fixed_curve(curve: Curve, units: Units) -> Curve:
    values = {field.name: getattr(curve, field.name) for field in fields(curve)}
    durations = {name: _in_steps(value, units) for name, value in values.items() if isinstance(value, Duration)}
    return replace(curve, **durations) if durations else curve


def _fixed_section(section: Section, grid: Grid, rest: Fraction | None) -> Section:
    inner, (skip, part) = inner_units(section, grid.units), skipped(section, grid.units)
    duration = rest if section.fills_rest else None
    if section.duration is not None and section.duration.amount is not None:
        duration = grid.units.steps(section.duration)
    length = None if duration is None else (duration + skip + part) / (inner.tick // grid.units.tick)
    return replace(
        section,
        parts=_fixed(section.parts, Grid(inner, length, section.continuous, endless=True)),
        skip=_in_steps(section.skip, grid.units),
        tick=_in_steps(section.tick, grid.units),
        duration=_fixed_length(section, grid.units, rest),
    )


def _fixed_length(section: Section, units: Units, rest: Fraction | None) -> Duration | None:
    if section.duration is not None:
        return _in_steps(section.duration, units, rest)
    return None if rest is None or not section.fills_rest else Duration("st", rest)


def _in_steps(duration: Duration, units: Units, rest: Fraction | None = None) -> Duration:
    """A duration that does not depend on the length of the run; the rest stays where its phase goes on for ever."""
    if duration.amount is None:
        return duration if rest is None else Duration("st", rest)
    return Duration("st", units.steps(duration)) if duration.unit == "%" else duration
