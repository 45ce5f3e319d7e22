"""Where cycles end, and which first cycle lets them end with the run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from kosine._core.durations import Units
from kosine._core.groups import Cycles
from kosine._core.planned_cycles import PlannedCycles
from kosine.errors import KosineError, PlanError

_MOST_PHASES = 4  # of a cycle, whose durations can still be written in a sentence
_MOST_DIGITS = 13
_LONGEST_EXACT = 9  # characters, such as "200/127ep"
_LONGEST_POWER_BITS = 8192  # beyond it an exact fraction is too long to write anyway


class CycleDecay(NamedTuple):
    """Where in every cycle the decay is done."""

    phase: int
    """The phase that falls to the lowest value that any phase falls to."""
    stop: int
    """The phase after it that leaves that value; the number of phases where the cycle ends at it."""

    @classmethod
    def of(cls, group: PlannedCycles) -> CycleDecay | None:
        """None where no phase falls."""
        pairs = group.pairs
        falling = [index for index, (start, end) in enumerate(pairs) if end < start]
        if not falling:
            return None
        phase = min(falling, key=lambda index: pairs[index][1])
        # Holds at the lowest value that follow, as in a trapezoid with a floor, are a part of the cycle's low end.
        stop = phase + 1
        while stop < len(pairs) and pairs[stop] == (pairs[phase][1],) * 2:
            stop += 1
        return cls(phase, stop)


def decay_ends_around(group: PlannedCycles, decay: CycleDecay, total: int, cycle: int) -> list[int]:
    """The step after the last decay that is done by `total`, in `cycle` or the one before, and after the next one."""
    numbers = range(max(0, cycle - 1), cycle + 2 if group.part.count is None else min(cycle + 2, group.part.count))
    ends = [group.boundary(number, decay.phase + 1) for number in numbers]
    return [*[end for end in ends if end <= total][-1:], *[end for end in ends if end > total][:1]]


def fitting_cycles(
    group: PlannedCycles, decay: CycleDecay, total: int, counts: range, units: Units
) -> Iterator[tuple[int, Cycles]]:
    """Numbers of cycles, and the same cycles of another length, so that the last decay is done at the step `total`.

    Args:
        group: the cycles.
        decay: where in each cycle their decay is done.
        total: the length of the run.
        counts: the numbers of cycles to try.
        units: what durations in the group mean.
    """
    if len(group.part.phases) > _MOST_PHASES:
        return
    position = Fraction(total - group.section.base, group.tick) - group.origin
    stretch = group.part.exact_stretch
    bits = max(stretch.numerator.bit_length(), stretch.denominator.bit_length())
    for count in counts:
        if count < 1 or (group.part.count or count) < count or (stretch != 1 and count * bits > _LONGEST_POWER_BITS):
            continue
        # With cycles of 1, s, s**2, ... times the first, count - 1 whole ones and the last up to its decay are done.
        growth = stretch ** (count - 1)
        before = count - 1 if stretch == 1 else (growth - 1) / (stretch - 1)
        scale = position / (group.offsets[-1] * before + growth * group.offsets[decay.phase + 1])
        part = _scaled(group, scale, decay, total, count, units)
        if part is not None:
            yield count, part


def _scaled(
    group: PlannedCycles, scale: Fraction, decay: CycleDecay, total: int, count: int, units: Units
) -> Cycles | None:
    """The cycles with all durations times `scale`: exactly if that is short, else with the fewest digits that fit."""
    durations = [phase.duration for phase in group.part.phases]
    exact = [(duration.amount or Fraction(0)) * scale for duration in durations]
    written = [
        str(replace(duration, amount=amount).written()) for duration, amount in zip(durations, exact, strict=True)
    ]
    rounded = (
        amounts
        for digits in range(_MOST_DIGITS)
        if _near(amounts := [Fraction(round(amount * 10**digits), 10**digits) for amount in exact], exact)
    )
    candidates = [exact] if max(map(len, written)) <= _LONGEST_EXACT else rounded
    fit = next((each for each in candidates if _ends(group, each, decay, total, count, units)), None)
    return None if fit is None else _with(group.part, fit)


def _near(amounts: list[Fraction], exact: list[Fraction]) -> bool:
    """Whether the phases keep their proportions."""
    return all(abs(one - other) * 1000 <= other for one, other in zip(amounts, exact, strict=True))


def _with(part: Cycles, amounts: list[Fraction]) -> Cycles:
    pairs = zip(part.phases, amounts, strict=True)
    return replace(
        part, phases=tuple(replace(phase, duration=replace(phase.duration, amount=new)) for phase, new in pairs)
    )


def _ends(
    group: PlannedCycles, amounts: list[Fraction], decay: CycleDecay, total: int, count: int, units: Units
) -> bool:
    """Whether with these durations the decay of the last cycle is done at the very step `total`."""
    try:
        placed = PlannedCycles.place(_with(group.part, amounts), group.origin, group.before, units, group.continuous)
        placed.ceiling.check(count - 1, PlanError)
    except KosineError:  # a phase of less than a step, or a cycle that has shrunk to nothing
        return False
    return replace(placed, section=group.section).boundary(count - 1, decay.phase + 1) == total
