"""An example run that a schedule is drawn for while the length of the real run is unknown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from fractions import Fraction
from typing import NamedTuple

from kosine._core.durations import Duration
from kosine._core.groups import Cycles, Part, Section
from kosine._core.numbers import MAX_STEPS, SECONDS
from kosine._core.phase import Phase
from kosine._core.planned_cycles import PlannedCycles
from kosine._core.run import RunSize
from kosine._core.schedule import Plan, Schedule
from kosine._core.timeline import PlannedPart
from kosine.errors import PlanError

_EPOCH = 100
_LEAST = 1000
"""Steps of an example run where the schedule gives no hint of a length."""


class Example(NamedTuple):
    """A plan that can be drawn, and the run that was assumed for it in words; "" without an assumption."""

    plan: Plan
    run: str


def example(schedule: Schedule, known: RunSize | None = None) -> Example:
    """Plan a schedule for a run in which its phases can be seen.

    A schedule with a fixed length is planned for that length. One that fills the run gets one of which its fixed phases
    take at most about half, and one that never ends gets its first three or four cycles.

    Args:
        schedule: the schedule.
        known: what is known of the run, other than its length.

    Raises:
        PlanError: no run was found that the schedule can be planned for.
    """
    known = known or RunSize()
    amounts: dict[str, list[Fraction]] = {}
    for duration in _durations(schedule.parts):
        if duration.amount:
            unit, factor = ("s", SECONDS[duration.unit]) if duration.unit in SECONDS else (duration.unit, 1)
            amounts.setdefault(unit, []).append(duration.amount * factor)
    size = RunSize(
        None,
        known.steps_per_epoch or (_steps_per_epoch(schedule.parts, amounts["ep"]) if "ep" in amounts else None),
        known.samples_per_step or (_per_step(amounts["sp"]) if "sp" in amounts else None),
        known.tokens_per_step or (_per_step(amounts["tok"]) if "tok" in amounts else None),
        known.seconds_per_step or (_seconds_per_step(amounts["s"]) if "s" in amounts else None),
    )
    try:
        plan = Plan(schedule, size)
    except PlanError:
        plan = _shortest(schedule, size, relative=amounts.keys() <= {"%"})
    if plan.total_steps is None or plan.run.total_steps is not None:
        plan = _longer(plan)
    return Example(plan, _words(plan.run, known))


def _shortest(schedule: Schedule, size: RunSize, relative: bool) -> Plan:
    """The plan for the shortest run of 1, 2 or 5 times a power of ten steps, or epochs, that has room for everything.

    Raises:
        PlanError: there is none.
    """
    total = _LEAST if relative else size.steps_per_epoch or 10
    while True:
        try:
            plan = Plan(schedule, replace(size, total_steps=total))
            break
        except PlanError:
            if total == MAX_STEPS:
                raise
            total = min(total * 10, MAX_STEPS)
    for share in () if relative else (2, 5):
        try:
            plan = Plan(schedule, replace(size, total_steps=max(1, total // share)))
        except PlanError:
            break
    return plan


def _longer(plan: Plan) -> Plan:
    """The plan for a run of which fixed phases take at most about half, and in which what never ends is seen to repeat.

    Where the schedule cannot be planned for so long a run, the plan for a shorter one.
    """
    for total in (*_lengths(plan), plan.run.total_steps):
        try:
            return Plan(plan.schedule, replace(plan.run, total_steps=total))
        except PlanError:
            continue
    return plan


def _lengths(plan: Plan) -> Iterator[int]:
    """Lengths of a run that show the plan well, the best first."""
    last = plan.parts[-1] if plan.parts else plan.after
    shortest, per_epoch = plan.run.total_steps or 0, plan.run.steps_per_epoch
    if last.endless and isinstance(last, PlannedCycles):
        for cycles in range(4 if last.part.stretch <= 2 else 3, 0, -1):
            yield min(max(last.boundary(last.cycles_shown[0] + cycles), 2 * last.first_step, shortest), MAX_STEPS)
        return
    filled = shortest * 5 // 2
    if last.endless:
        filled = max(filled, 2 * last.first_step, last.first_step + _steps_to_see(last))
    yield min(_round(filled, per_epoch), MAX_STEPS)


def _steps_to_see(last: PlannedPart) -> int:
    """How long a phase without an end takes to show its course."""
    steps, row = 1, last.first_row()
    while 0.3 * row.first_lr <= row.value_at(row.first_step + steps) <= 3 * row.first_lr:
        steps *= 2
        if last.first_step + steps > MAX_STEPS:
            return _LEAST
    return steps


def _round(steps: int, steps_per_epoch: int | None) -> int:
    """A number of steps or epochs with three digits, not below `steps`."""
    unit = steps_per_epoch or 1
    count = -(-steps // unit)
    digit: int = 10 ** max(0, len(str(count)) - 3)
    return -(-count // digit) * digit * unit


def _durations(parts: Iterable[Part]) -> Iterator[Duration]:
    """Every duration that depends on the run."""
    for part in parts:
        if isinstance(part, Phase):
            yield part.duration
            values = (getattr(part.curve, each.name) for each in fields(part.curve))
            yield from (value for value in values if isinstance(value, Duration))
        elif isinstance(part, Cycles):
            yield from _durations(part.phases)
        else:
            yield from (each for each in (part.skip, part.tick, part.duration) if each is not None)
            yield from _durations(part.parts)


def _steps_per_epoch(parts: Iterable[Part], amounts: list[Fraction]) -> int:
    """Enough that the shortest duration is at least a step and a tick of a section is a whole number of steps."""
    ticks = math.lcm(*_tick_parts(parts))
    least = _EPOCH
    while min(amounts) * least < 1:
        least *= 10
    return min(-(-least // ticks) * ticks, MAX_STEPS)


def _tick_parts(parts: Iterable[Part], outer: Fraction = Fraction(1)) -> Iterator[int]:
    """Into how many parts the ticks of sections divide an epoch; `outer` is the tick around them, in steps."""
    for part in parts:
        if isinstance(part, Section):
            amount = part.tick.amount or Fraction(1)
            if part.tick.unit == "ep":
                yield (amount / outer).denominator
            yield from _tick_parts(part.parts, outer * amount if part.tick.unit == "st" else outer)


def _per_step(amounts: list[Fraction]) -> int:
    """A power of ten of samples or tokens: the longest duration is thousands of steps, and the shortest is one."""
    most, size = min(min(amounts), max(amounts) / 1000), 1
    while size * 10 <= most:
        size *= 10
    return size


def _seconds_per_step(amounts: list[Fraction]) -> Fraction:
    """As `_per_step`; less than a second where the shortest duration is."""
    return min(Fraction(_per_step(amounts)), *amounts)


def _words(run: RunSize, known: RunSize) -> str:
    words: list[str] = []
    total, per_epoch = run.total_steps, run.steps_per_epoch
    if total is not None:
        whole = per_epoch is not None and total % per_epoch == 0
        epochs = f"{total // (per_epoch or 1):,} epoch{'s' if total != per_epoch else ''} of {per_epoch or 0:,} steps"
        words.append(f"a run of {epochs if whole else f'{total:,} steps'}")
    if per_epoch != known.steps_per_epoch and (total is None or total % (per_epoch or 1)):
        words.append(f"epochs of {per_epoch:,} steps")
    if run.samples_per_step != known.samples_per_step:
        words.append(f"{run.samples_per_step:,} samples a step")
    if run.tokens_per_step != known.tokens_per_step:
        words.append(f"{run.tokens_per_step:,} tokens a step")
    if run.seconds_per_step is not None and run.seconds_per_step != known.seconds_per_step:
        words.append(f"{float(run.seconds_per_step):g} second{'s' if run.seconds_per_step != 1 else ''} a step")
    return ", ".join(words)
