"""The same schedule over a longer or shorter run: every duration times a factor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

from kosine._core.curves.hold import Hold
from kosine._core.durations import Duration, TimeFactor, Units
from kosine._core.groups import Cycles, Part, Section
from kosine._core.lengths import inner_units
from kosine._core.numbers import round_half_up
from kosine._core.phase import Phase
from kosine._core.run import RunSize

_ONE = Fraction(1)


def longer(parts: Iterable[Part], factor: Fraction, run: RunSize) -> tuple[Part, ...]:
    """Parts of a schedule that last `factor` times as long in a run, which itself may be longer or shorter.

    Durations in steps, epochs, samples and tokens are multiplied exactly. A share of the run and the "rest" follow the
    run. Cycles keep their number. A staircase has its stairs: each tick of a section is multiplied, rounded to a whole
    step, and what counts ticks inside stays.
    """
    return tuple(_part(part, TimeFactor(factor, factor), run) for part in parts)


def _part(part: Part, factor: TimeFactor, run: RunSize) -> Part:
    if isinstance(part, Phase):
        return _phase(part, factor)
    if isinstance(part, Cycles):
        return replace(part, phases=tuple(_phase(phase, factor) for phase in part.phases))
    tick, inside = _tick(part, factor, run)
    return replace(
        part,
        parts=tuple(_part(each, inside, run) for each in part.parts),
        skip=part.skip.times(factor),
        duration=None if part.duration is None else part.duration.times(factor),
        tick=tick,
    )


def _phase(phase: Phase, factor: TimeFactor) -> Phase:
    return replace(phase, duration=phase.duration.times(factor), curve=phase.curve.scaled_in_time(factor))


def _tick(section: Section, factor: TimeFactor, run: RunSize) -> tuple[Duration, TimeFactor]:
    """How long a step of the section's clock lasts, and by what the durations inside are multiplied."""
    if section.tick == Duration.read(1):  # it is the clock around it
        return section.tick, factor
    inside = TimeFactor(factor.run, _ONE)
    if factor.clock == _ONE and section.tick.unit == "st":  # it counts the ticks of the section around it
        return section.tick, inside
    steps = section.tick.times(factor).steps(run)
    return Duration.read(max(1, round_half_up(steps))), inside


def without_endpoints(parts: tuple[Part, ...], units: Units) -> tuple[Part, ...]:
    """Phases that reach their end a step earlier and stay there, in place of `endpoint`."""
    return tuple(part for each in parts for part in _without_endpoint(each, units))


def _without_endpoint(part: Part, units: Units) -> Iterator[Part]:
    if isinstance(part, Section):
        yield replace(part, parts=without_endpoints(part.parts, inner_units(part, units)))
    elif isinstance(part, Cycles):
        phases = [phase for each in part.phases for phase in _reaching(each, units)]
        yield replace(part, phases=tuple(phases))
    else:
        yield from _reaching(part, units)


def _reaching(phase: Phase, units: Units) -> Iterator[Phase]:
    if not phase.endpoint or phase.duration.amount is None:
        yield replace(phase, endpoint=False)
        return
    steps = units.steps(phase.duration) - 1
    if steps > 0:
        yield replace(phase, duration=Duration("st", steps), endpoint=False)
    yield Phase(Hold(), Duration.read(1), phase.to, None)
