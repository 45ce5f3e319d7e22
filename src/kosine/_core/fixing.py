"""The parts of a plan with "rest" and "%" as steps, so that they mean the same in a run of another length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from fractions import Fraction

from kosine._core.curve import Curve
from kosine._core.durations import Duration, Units
from kosine._core.groups import Cycles, Part, Section
from kosine._core.lengths import Grid, inner_units, rest_of, skipped
from kosine._core.phase import Phase
from kosine._core.run import RunSize


def fixed(parts: Sequence[Part], run: RunSize) -> tuple[Part, ...]:
    """The parts of a schedule as `place` would place them in this run, in any run with the same units."""
    length = None if run.total_steps is None else Fraction(run.total_steps)
    return _fixed(parts, Grid(Units(run), length, endless=length is None))


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
