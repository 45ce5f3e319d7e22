"""The schedule of a plan with one number changed: a rate, or how long a phase lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from kosine._core.curves.hold import Hold
from kosine._core.durations import Duration
from kosine._core.groups import Cycles, Part, Section, phases_of
from kosine._core.phase import Phase
from kosine._core.schedule import Plan, Schedule

_MOST = 6  # rates that are looked at, and phases
_ORDER = ("floor", "peak", "start", "rate")


@dataclass(frozen=True, slots=True)
class WrittenRate:
    """A rate that a schedule names.

    Attributes:
        name: what it is: "peak", "floor", "start" (of a warm-up), or "rate".
        value: the rate.
        places: the phases that name it, by their numbers, and which of their rates it is.
    """

    name: str
    value: float
    places: frozenset[tuple[int, str]]


def written_rates(plan: Plan) -> list[WrittenRate]:
    """The rates that a schedule names, the floor and the peak first."""
    places: dict[float, set[tuple[int, str]]] = {}
    for number, phase in enumerate(phases_of(plan.schedule.parts)):
        for field, value in (("start", phase.start), ("to", phase.to)):
            if value is not None:
                places.setdefault(value, set()).add((number, field))
    found = []
    low, high = min(places), max(places)
    if warmup(plan) is not None:  # where it starts from is one number, and a floor of the same value is another
        start = next(value for value, at in places.items() if (0, "start") in at)
        found.append(WrittenRate("start", start, frozenset({(0, "start")})))
        places[start].discard((0, "start"))
        places = {value: at for value, at in places.items() if at}
        low = min(places)
    names = {low: "floor", high: "peak"}
    found += [WrittenRate(names.get(value, "rate"), value, frozenset(at)) for value, at in places.items()]
    return sorted(found, key=lambda rate: _ORDER.index(rate.name))[:_MOST]


def with_rate(plan: Plan, rate: WrittenRate, value: float) -> Plan:
    """The plan with another rate in its place; cycles that shrink towards it shrink towards the other.

    Raises:
        ScheduleError, PlanError: a value that the schedule does not allow.
    """

    def changed(number: int, phase: Phase) -> Phase:
        start = value if (number, "start") in rate.places else phase.start
        return replace(phase, start=start, to=value if (number, "to") in rate.places else phase.to)

    def shrunk(to: float) -> float:
        return value if to == rate.value and rate.name != "start" else to

    return _with_phases(plan, changed, shrunk)


def timed_phases(plan: Plan) -> Iterator[tuple[int, int]]:
    """The numbers of the phases that last a time of their own, and how many steps that is."""
    sections = [part for part in plan.schedule.parts if isinstance(part, Section)]
    in_sections = {id(phase) for phase in phases_of(sections)}
    for number, phase in enumerate(phases_of(plan.schedule.parts)):
        placed = phase.duration.until or (plan.run.ramped and phase.duration.unit in ("sp", "tok"))
        if number < _MOST and phase.duration.amount and not placed and id(phase) not in in_sections:
            yield number, max(1, round(phase.duration.steps(plan.run)))


def with_steps(plan: Plan, number: int, steps: int) -> Plan:
    """The plan with a phase that lasts another number of steps.

    Raises:
        PlanError: phases that do not fit the run.
    """
    duration = Duration("st", Fraction(steps))
    return _with_phases(plan, lambda at, phase: replace(phase, duration=duration) if at == number else phase)


def warmup(plan: Plan) -> Phase | None:
    """The first phase, where it is a warm-up."""
    first = plan.schedule.parts[0]
    if not isinstance(first, Phase) or first.start is None or first.to is None:
        return None
    return first if first.start < first.to and first.duration.amount else None


def without_warmup(plan: Plan) -> Iterator[Plan]:
    """The plan without its warm-up: what comes after waits at the peak until the warm-up is over, or begins at once.

    Raises:
        ScheduleError, PlanError: nothing is left, or it does not fit.
    """
    first = warmup(plan)
    rest = plan.schedule.parts[1:]
    if first is None or first.to is None or not rest:
        return
    yield Plan(Schedule(Phase(Hold(), first.duration, first.to, None), *rest), plan.run)
    yield Plan(Schedule(_from(rest[0], first.to), *rest[1:]), plan.run)


def _from(part: Part, start: float) -> Part:
    """A part that begins at a rate of its own."""
    if isinstance(part, Phase):
        return part if part.start is not None else replace(part, start=start)
    if isinstance(part, Cycles):
        first, *others = part.phases
        return replace(part, phases=(first if first.start is not None else replace(first, start=start), *others))
    return replace(part, parts=(_from(part.parts[0], start), *part.parts[1:]))


def _with_phases(
    plan: Plan, changed: Callable[[int, Phase], Phase], shrunk: Callable[[float], float] = lambda to: to
) -> Plan:
    """The plan of the same parts with other phases; `changed` gets the number of each among all."""
    number = iter(range(10**9))

    def rewritten(part: Part) -> Part:
        if isinstance(part, Phase):
            return changed(next(number), part)
        if isinstance(part, Cycles):
            phases = tuple(changed(next(number), phase) for phase in part.phases)
            return replace(part, phases=phases, shrink_to=shrunk(part.shrink_to))
        return replace(part, parts=tuple(rewritten(inner) for inner in part.parts))

    return Plan(Schedule(*(rewritten(part) for part in plan.schedule.parts)), plan.run)
