"""Durations that depend on their place as durations in steps: `until`, and samples and tokens of which steps take more.

Parts before a "rest" are walked from the start, those after it from the end. What comes out has no such duration, so
that placing adds lengths as ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from fractions import Fraction

from kosine._core.counted import CountedPhase
from kosine._core.durations import Duration
from kosine._core.groups import Ceiling, Cycles, Part, Section, phases_of
from kosine._core.lengths import Grid, inner_units, length_of, rest_index
from kosine._core.phase import Phase
from kosine._core.ramps import Ramp
from kosine.errors import PlanError

_START = Fraction(0)
_MOST_PHASES = 10_000  # of cycles that are written out
_ONE_STEP, _NO_STEP = Duration.read(1), Duration.read(0)


def settled(parts: Sequence[Part], grid: Grid) -> Sequence[Part]:
    """The parts of a schedule, each with a length that does not depend on its place.

    Raises:
        PlanError: a phase that lasts until a position before its beginning, or a duration in samples or tokens whose
            place is not known where steps take more of them.
    """
    if not grid.units.run.ramped and not any(phase.duration.until for phase in phases_of(parts)):
        return parts
    return _settled(parts, grid, 0)


def _settled(parts: Sequence[Part], grid: Grid, origin: int | None) -> tuple[Part, ...]:
    """Parts of a clock whose step 0 is the step `origin` of the run; None where its steps are not those of the run."""
    rest = rest_index(parts, grid)
    last = len(parts) - 1 if rest is None else rest
    done: list[Part] = []
    position = _START
    for number in range(last + 1):
        found = list(_forward(parts[number], grid, origin, position))
        done += found
        if number < last:
            position += sum((length_of(part, grid) for part in found), _START)
    return (*done, *_backward(parts[last + 1 :], grid, origin))


# --- forward, from a beginning that is known ---


def _forward(part: Part, grid: Grid, origin: int | None, position: Fraction) -> Iterator[Part]:
    """What a part that begins at a position becomes: one part, or cycles written out as their phases."""
    if isinstance(part, Phase):
        yield _phase(part, grid, origin, _forward_duration(part, grid, origin, position))
    elif isinstance(part, Section):
        yield _section(part, grid, origin, position)
    elif origin is None or not any(_ramp(phase.duration, grid) for phase in part.phases):
        yield part
    elif (steady := _steady(part, grid, origin + position)) is not None:
        yield steady
    else:
        for phase in _written_out(part):
            found = _phase(phase, grid, origin, _forward_duration(phase, grid, origin, position))
            yield found
            position += length_of(found, grid)


def _forward_duration(phase: Phase, grid: Grid, origin: int | None, position: Fraction) -> Duration:
    duration, units = phase.duration, grid.units
    if duration.until:
        zero = None if origin is None else Fraction(origin)
        end = units.steps(replace(duration, until=False), zero)
        if end >= position:
            return Duration("st", end - position)
        if units.clipped is not None:
            return Duration("st", units.changed(phase, end - position, 1))
        raise PlanError(
            f"A phase ends after it begins, and this one begins at step {_written(position)} and would end at step "
            f"{_written(end)}.",
            received=phase,
            fix="Let it end later, or make the phases before it shorter.",
        )
    if _ramp(duration, grid) is None or origin is None:
        return duration
    return Duration("st", units.steps(duration, origin + position))


def _written(position: Fraction) -> str:
    return f"{int(position):,}" if position.denominator == 1 else f"{float(position):,.6g}"


def _phase(phase: Phase, grid: Grid, origin: int | None, duration: Duration) -> Phase:
    """The phase with a duration in steps; one that counts samples or tokens moves with them."""
    ramp = _clock_ramp(phase, grid)
    if ramp is None or origin is None or phase.curve.keeps_value:
        return replace(phase, duration=duration)
    return CountedPhase(phase.curve, duration, phase.start, phase.to, phase.endpoint, ramp=ramp, origin=origin)


def _clock_ramp(phase: Phase, grid: Grid) -> Ramp | None:
    """What a phase moves with where that is a ramp: its timescale says it, and without one its duration."""
    values = (getattr(phase.curve, each.name) for each in fields(phase.curve))
    own = [value for value in values if isinstance(value, Duration)]
    return _ramp(own[0] if own else phase.duration, grid)


def _ramp(duration: Duration, grid: Grid) -> Ramp | None:
    """The ramp that decides how many steps a duration has."""
    per_step = grid.units.run.per_step(duration.unit) if duration.unit in ("sp", "tok") else None
    return per_step if isinstance(per_step, Ramp) else None


def _section(section: Section, grid: Grid, origin: int | None, position: Fraction) -> Section:
    """A section whose clock may be that of the run, from its beginning on."""
    begin = None if origin is None else origin + position
    duration = section.duration
    if duration is not None and duration.amount is not None and _ramp(duration, grid) and begin is not None:
        duration = Duration("st", grid.units.steps(duration, begin))
    same = section.skip == _NO_STEP and section.tick == _ONE_STEP and not section.continuous
    inner_origin = origin + grid.rounded(position) if same and origin is not None else None
    length = None
    if duration is not None and duration.amount is not None and section.skip == _NO_STEP:
        length = grid.units.steps(duration) / (inner_units(section, grid.units).tick // grid.units.tick)
    inner = Grid(inner_units(section, grid.units), length, section.continuous, endless=True)
    return replace(section, parts=_settled(section.parts, inner, inner_origin), duration=duration)


def _steady(part: Cycles, grid: Grid, begin: Fraction) -> Cycles | None:
    """Cycles in steps where nothing changes any more after their beginning; None elsewhere."""
    phases: list[Phase] = []
    for phase in part.phases:
        ramp = _ramp(phase.duration, grid)
        if ramp is None:
            phases.append(phase)
            continue
        if begin < ramp.steps[-1]:
            return None
        assert phase.duration.amount is not None
        phases.append(replace(phase, duration=Duration("st", phase.duration.amount / ramp.stages[-1][1])))
    return replace(part, phases=tuple(phases))


def _written_out(part: Cycles) -> Iterator[Phase]:
    """The phases of cycles one after the other."""
    if part.count is None or part.count * len(part.phases) > _MOST_PHASES:
        raise PlanError(
            "Cycles in samples or tokens begin where a step takes a fixed number of them, or have a count: each is "
            "another number of steps.",
            received=part,
            fix=f"Give them a `count` of at most {_MOST_PHASES // len(part.phases):,}, or durations in steps.",
        )
    if part.phases[0].start is None:
        raise PlanError(
            "The first phase of cycles in samples or tokens needs a `start` where steps take ever more of them.",
            received=part,
        )
    ceiling = Ceiling.of(part, None)
    growth = Fraction(1)
    for cycle in range(part.count):
        most = ceiling.at(cycle) if part.shrinks else None
        for phase in part.phases:
            amount = phase.duration.amount
            assert amount is not None
            start, to = (value if value is None or most is None else min(value, most) for value in _ends(phase))
            yield replace(phase, duration=replace(phase.duration, amount=amount * growth), start=start, to=to)
        growth *= part.exact_stretch


def _ends(phase: Phase) -> tuple[float | None, float | None]:
    return phase.start, phase.to


# --- backward, from an end that is known ---


def _backward(parts: Sequence[Part], grid: Grid, origin: int | None) -> tuple[Part, ...]:
    """Parts after a "rest": they end with the run, or with the section around them."""
    if grid.length is None:
        return tuple(parts)
    end = grid.length
    done: list[Part] = []
    for part in reversed(parts):
        found = _ending_at(part, grid, origin, end)
        done.append(found)
        end -= length_of(found, grid)
    return tuple(reversed(done))


def _ending_at(part: Part, grid: Grid, origin: int | None, end: Fraction) -> Part:
    if isinstance(part, Phase):
        return _phase(part, grid, origin, _backward_duration(part.duration, grid, origin, end))
    if isinstance(part, Section):
        if part.duration is None:
            return _section(part, grid, None, _START)
        duration = _backward_duration(part.duration, grid, origin, end)
        return _section(replace(part, duration=duration), grid, origin, end - grid.units.steps(duration))
    steady = None if origin is None else _steady(part, grid, Fraction(grid.length or 0) + origin)
    if steady is None or origin is None:
        return part
    begin = origin + end - length_of(steady, grid)
    return part if _steady(part, grid, begin) is None else steady


def _backward_duration(duration: Duration, grid: Grid, origin: int | None, end: Fraction) -> Duration:
    ramp = _ramp(duration, grid)
    if ramp is None or origin is None or duration.amount is None:
        return duration
    begin = ramp.steps_of(ramp.count_at(origin + end) - duration.amount)
    return Duration("st", origin + end - begin)
