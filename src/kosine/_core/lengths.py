"""How long parts last: each in steps of its clock, and what is left for the "rest"."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from kosine._core.durations import CLIP, Duration, Units
from kosine._core.groups import Cycles, Part, Section, fills_rest, lasts_for_ever
from kosine._core.numbers import MAX_STEPS, round_half_up
from kosine._core.phase import Phase
from kosine._core.planned_cycles import PlannedCycles
from kosine.errors import Name, PlanError, shown

_START = Fraction(0)


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


def section_length(section: Section, duration: Duration, units: Units) -> Fraction:
    """How long a section lasts that says it."""
    return units.at_least_one(units.steps(duration), section)


def own_length(section: Section, end: Fraction, tick: int, skip: int) -> Fraction:
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


def rest_index(parts: Sequence[Part], grid: Grid) -> int | None:
    """The number of the part that takes the "rest"; None where no part does, or where that part goes on for ever."""
    index = next((number for number, part in enumerate(parts) if fills_rest(part)), None)
    if index is None or (grid.endless and index == len(parts) - 1 and lasts_for_ever(parts[index])):
        return None
    return index


def rest_of(parts: Sequence[Part], grid: Grid) -> Fraction | None:
    """The exact length of the "rest"; None where no part takes it, or where that part goes on for ever."""
    length, rounded = grid.length, grid.rounded
    index = rest_index(parts, grid)
    if index is None:
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
        return section_length(part, part.duration, units)
    inner = inner_units(part, units)
    within = Grid(inner, None, part.continuous)
    end = sum((length_of(inside, within) for inside in part.parts), Fraction(0))
    skip, fraction = skipped(part, units)
    return own_length(part, end - fraction, inner.tick // units.tick, skip)
