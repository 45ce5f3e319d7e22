"""A schedule that does not fit its run, cut to it: what a smoke test trains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from kosine._core.foreign_words import listed
from kosine._core.groups import Part
from kosine._core.placing import Placed, place, seen_between, value_at_cut
from kosine._core.run import RunSize
from kosine._core.timeline import PlannedPart
from kosine.errors import PlanError


def place_clipped(parts: Sequence[Part], run: RunSize) -> tuple[Placed, RunSize, tuple[str, ...]]:
    """Place the parts of a schedule in a run, cut to it where they do not fit.

    Returns:
        The parts, the run as the plan has it, and what was changed, as sentences. Where the schedule fits, the run
        does not ask to clip, and nothing was changed.

    Raises:
        PlanError: the run leaves more open than its length settles, such as `steps_per_epoch`.
    """
    strict = replace(run, clip=False)
    try:
        return place(parts, strict), strict, ()
    except PlanError:
        changed: dict[str, None] = {}
        placed = place(parts, run, changed)
    if run.total_steps is not None:
        placed = _cut(placed, run.total_steps, changed)
    return placed, run, tuple(changed)


def _cut(placed: Placed, total: int, changed: dict[str, None]) -> Placed:
    """The steps that the run trains: the first ones, or where their rates are all 0, those from the first above on."""
    begin = _first_above_0(placed)
    if begin < total:
        begin = 0
    else:
        changed[f"The run begins at step {begin:,} of the schedule, the first with a rate above 0."] = None
    stop = begin + total
    changed |= dict.fromkeys(_left_out(placed.parts, stop))
    cut = replace(placed, parts=seen_between(placed.parts, begin, stop))
    if placed.parts and placed.parts[-1].stop > stop:
        value = value_at_cut(placed.parts, cut.parts[-1], stop)
        cut = replace(cut, end=Fraction(stop), value=value)
    return cut.slower(-begin, 1)


def _first_above_0(placed: Placed) -> int:
    """The first step whose rate is above 0; where all rates are 0, the first step."""
    for part in placed.parts:
        step = part.first_step
        while any(part.values) and step < part.stop:
            row = part.row_at(step)
            if row.function()(step - row.first_step):
                return step
            step = part.steps_at_most(step, 0.0).stop
    return placed.parts[-1].stop if placed.parts and placed.value else 0


def _left_out(parts: Sequence[PlannedPart], stop: int) -> Iterator[str]:
    """What the run does not train of phases that end, as sentences."""
    for part in parts:
        if part.first_step < stop < part.stop and not part.endless:
            trained, steps = stop - part.first_step, part.stop - part.first_step
            yield f"The run ends after {trained:,} of the {steps:,} steps of {_name(part)}."
    late = [_name(part) for part in parts if part.first_step >= stop]
    if late:
        yield f"The run ends before {listed(late if len(late) < 4 else [*late[:2], f'{len(late) - 2:,} more'])}."


def _name(part: PlannedPart) -> str:
    row = part.first_row()
    return f"`{row.name}`" if row.cycle is None else f"the cycles of `{row.name}`"
