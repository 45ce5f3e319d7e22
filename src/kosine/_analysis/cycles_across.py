"""Which of very many cycles represent all of them: spread evenly, with the highest and the lowest ends among them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from kosine._core.planned_cycles import PlannedCycles

_WINDOW = 64  # neighbouring cycles that are compared
_FEW_STEPS = 8  # lengths of a short phase for which the first cycle that has it is looked at
_MOST_RISING = 4  # phases of a cycle whose highest end is looked for


def cycles_across(group: PlannedCycles, cycles: range, phases: Sequence[int], stop: int, count: int) -> list[int]:
    """About `count` cycles, evenly spread over the width, the first and the last two, and the highest.

    The choice only affects the picture, so floats are exact enough. But the extremes of equal cycles depend on how
    their ends round to steps. So for each cycle those of the next few that round furthest up and down are added. Where
    cycles grow or shrink, the highest is searched for between the spread ones.
    """
    begin = group.boundary(0)
    across = np.linspace(group.first_step - begin, stop - begin, count) / float(group.offsets[-1] * group.tick)
    growth = float(group.part.exact_stretch) - 1
    index = across if growth == 0 else np.log1p(across * growth) / math.log1p(growth)
    spread = {min(max(int(number), cycles[0]), cycles[-1]) for number in index.tolist()}
    spread |= {*cycles[:2], *cycles[-2:]}
    if growth == 0:
        spread |= _rounding_extremes(group, cycles, phases, spread)
    if growth or group.part.shrinks:
        rising = [phase for phase in phases if group.values[2 * phase] < group.values[2 * phase + 1]]
        rising.sort(key=lambda phase: -group.values[2 * phase + 1])
        for phase in rising[:_MOST_RISING]:
            spread.add(_highest(group, sorted(spread.union(_longer(group, cycles, phase) if growth else ())), phase))
    return sorted(spread)


def _rounding_extremes(group: PlannedCycles, cycles: range, phases: Sequence[int], near: set[int]) -> set[int]:
    """Beside each cycle in `near`, of equal cycles, those of the next few whose phases round furthest up and down.

    A phase of 7/3 steps lasts 2 steps in some cycles and 3 in others, and a longer one comes nearer to its end value.
    """
    period = group.offsets[-1]
    ends = {group.origin + group.offsets[number] for phase in phases for number in (phase, phase + 1)}
    whole = math.lcm(period.denominator, *(end.denominator for end in ends))
    if whole == 1:  # every phase begins at a whole step in every cycle
        return set()
    # In parts of 1 / whole of a step, so that what rounding leaves over is an integer.
    half = 0 if group.continuous else whole // 2
    step, starts = int(period * whole), [int(end * whole) + half for end in ends]
    found: set[int] = set()
    for cycle in near:
        window = cycles[cycle - cycles[0] :][: min(whole, _WINDOW)]
        for start in starts:
            parts = [(start + step * each) % whole for each in window]
            found |= {window[parts.index(min(parts))], window[parts.index(max(parts))]}
    return found


def _longer(group: PlannedCycles, cycles: range, phase: int) -> Iterator[int]:
    """The cycles in which a short phase may be a step longer for the first time, up to a few steps."""
    length, stretch = float(group.offsets[phase + 1] - group.offsets[phase]), float(group.part.stretch)
    for steps in range(math.ceil(length), math.ceil(length) + _FEW_STEPS if length < _WINDOW else 0):
        first = max(cycles[0], math.ceil(math.log(steps / length) / math.log(stretch)))
        yield from range(first, min(first + _WINDOW, cycles[-1] + 1))


def _highest(group: PlannedCycles, cycles: list[int], phase: int) -> int:
    """The cycle whose phase ends highest, near the highest of some: longer ones come nearer to a peak that sinks."""

    def end(cycle: int) -> float:
        row = group.row(cycle, phase)
        return row.function()(row.steps - 1) if row.steps else -math.inf

    while True:
        best = max(range(len(cycles)), key=lambda index: end(cycles[index]))
        low, high = cycles[max(best - 1, 0)], cycles[min(best + 1, len(cycles) - 1)]
        if len(cycles) > high - low:
            return cycles[best]
        step = max(1, (high - low) // _WINDOW)
        cycles = sorted({*range(low, high, step), cycles[best], high})
