"""A draft as a schedule: whole steps, the constructors of the curves, and groups of phases that repeat."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kosine._core import curves
from kosine._core.groups import Part, cycles
from kosine._core.phase import Phase
from kosine._logs.infer.curve_fits import ENDLESS, HOLD, LINEAR, FitFamily
from kosine._logs.infer.draft import Draft
from kosine._logs.infer.rounding import round_rate, significant
from kosine._logs.infer.run_context import DurationText
from kosine._logs.infer.timescales import is_timescale, timescale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_MOST_MULTIPLE = 25
"""Milestones are few multiples of an epoch or of a round number of steps; what follows the loss comes at any time."""
_DIGITS = 2  # of a round number of steps
_COARSE = 0.05  # of what they are multiples of: drops that are known less well may be multiples of anything
_WARMUP = 0.2  # of the steps that were seen: a constant warm-up is shorter
_LOW = 0.2  # of the peak: a line that is above has not come down to its end
_DIGITS_OF_TWO = 4  # of a factor that two cycles show
_ROWS_AFTER = 3  # that show what a rate jumps to, where it is not level before and after
_SAME = 0.01  # of the rate: two curves that are as near as this go the same way


class SnappedPhase(NamedTuple):
    """A phase in whole steps."""

    kind: FitFamily
    steps: int
    start: float
    end: float
    timescale: float | None = None
    endpoint: bool = False


@dataclass(frozen=True)
class SnappedPhases:
    """Phases of whole steps, one after the other, from the position `origin` to before `stop`."""

    origin: int
    phases: tuple[SnappedPhase, ...]

    @property
    def stop(self) -> int:
        return self.origin + sum(phase.steps for phase in self.phases)


def snapped_phases(draft: Draft, first: float) -> SnappedPhases:
    """The phases of a draft whose numbers are snapped; before them a level one where the log begins earlier."""
    bounds = [round(bound) for bound in draft.bounds.tolist()]
    endless = draft.kinds[-1] in ENDLESS and is_timescale(timescale(draft))
    phases = [
        SnappedPhase(
            kind,
            bounds[index + 1] - bounds[index],
            float(draft.starts[index]),
            float(draft.ends[index]),
            timescale(draft) if endless and index == len(draft.kinds) - 1 else None,
            draft.endpoints[index],
        )
        for index, kind in enumerate(draft.kinds)
    ]
    if bounds[0] > first:
        phases.insert(0, SnappedPhase(HOLD, bounds[0] - int(first), phases[0].start, phases[0].start))
        bounds.insert(0, int(first))
    return SnappedPhases(bounds[0], tuple(_with_single_steps([phase for phase in phases if phase.steps > 0])))


def _with_single_steps(phases: list[SnappedPhase]) -> list[SnappedPhase]:
    """The phases; a line of one step between two levels is a level, too."""
    made = phases.copy()
    for index in range(1, len(phases) - 1):
        phase, beside = phases[index], {phases[index - 1].kind, phases[index + 1].kind}
        if phase.kind is LINEAR and phase.steps == 1 and not phase.endpoint and beside == {HOLD}:
            made[index] = phase._replace(kind=HOLD, end=phase.start)
    return made


def is_plausible(whole: SnappedPhases, x: Floats) -> bool:
    """Whether a run may have been meant to go so: its jumps are restarts, drops, or the end of a level warm-up.

    A jump up of another kind was made by hand, or by a resume that lost its state; and so was the drop of a rate that
    falls already, unless it restarts.

    Args:
        whole: the phases.
        x: the positions of the rows of the log.
    """
    phases = whole.phases
    places = (whole.origin + np.cumsum([phase.steps for phase in phases])).tolist()
    jumps = [index for index in range(1, len(phases)) if phases[index].start != phases[index - 1].end]
    if all(phase.kind is HOLD for phase in phases):
        falls = all(phases[index].start < phases[index - 1].end for index in jumps)
        begin = whole.origin if abs(whole.origin) <= 1 else 0  # a log that begins later counts from there as well
        usual = falls or len(jumps) < 2 or _is_warmed_up(whole) or _has_even_stairs(whole, x, begin)
        return usual or _regular([places[index - 1] for index in jumps], x, begin)
    seen = np.diff(np.searchsorted(x, [whole.origin, *places])).tolist()
    return all(
        _may_jump(phases[index - 1], phases[index], first=index == 1) and seen[index] >= _ROWS_AFTER for index in jumps
    )


def _is_warmed_up(whole: SnappedPhases) -> bool:
    """Whether a short lower level begins the run, such as mmcv's constant warm-up, and only drops follow it."""
    (first, *later), steps = whole.phases, whole.stop - whole.origin
    short = first.steps <= _WARMUP * steps and abs(whole.origin) <= first.steps
    falls = all(after.start < before.start for before, after in pairwise(later))
    return short and falls and 0 < first.start < later[0].start


def _has_even_stairs(whole: SnappedPhases, x: Floats, begin: int) -> bool:
    """Whether the levels rise by even stairs to a top of one row, and fall by even ones after it, as DeepSpeed's do."""
    levels = [phase.start for phase in whole.phases]
    places = whole.origin + np.cumsum([phase.steps for phase in whole.phases])
    top = int(np.argmax(levels))
    up, down = np.diff(levels[: top + 1]), np.diff(levels[top:])
    if not (up.size > 1 and down.size > 2 and (up > 0).all() and (down < 0).all()):
        return False
    alone = np.searchsorted(x, places[top]) - np.searchsorted(x, places[top - 1]) == 1
    return bool(alone) and _is_even(places[:top], x, begin) and _is_even(places[top + 1 : -1], x, int(places[top]))


def _is_even(places: Floats, x: Floats, begin: int) -> bool:
    """Whether each place can be its number times one length after the beginning, rounded up or down."""
    at = np.clip(np.searchsorted(x, places), 1, x.size - 1)
    numbers = np.arange(1, places.size + 1)
    low, high = (x[at - 1] - begin) / numbers, (x[at] + 1 - begin) / numbers
    return bool(low.max() < high.min())


def drops_after_rise(whole: SnappedPhases) -> bool:
    """Whether a rise of the rate ends higher than the next phase begins."""
    pairs = pairwise(whole.phases)
    return any(before.start < before.end and after.start < before.end for before, after in pairs)


def _may_jump(before: SnappedPhase, after: SnappedPhase, *, first: bool) -> bool:
    """Whether a schedule may jump from one phase, the first of all or not, to the next."""
    if after.start < before.end and before.start <= before.end and after.end <= after.start:
        return True
    return (first and before.kind is HOLD) or _restarts(before, after)


def _regular(drops: Sequence[int], x: Floats, begin: int) -> bool:
    """Whether all drops can be at multiples of one number of steps, small ones of one that the log resolves."""
    at = np.clip(np.searchsorted(x, drops), 1, x.size - 1)
    low, high = x[at - 1] + 1 - begin, x[at] - begin  # each drop is between two rows
    clear = len(drops) > 2 or all(significant(drop - begin) <= _DIGITS for drop in drops)
    for last in range(len(drops), (_MOST_MULTIPLE if clear else _MOST_MULTIPLE // 2) + 1):
        least, most = low[-1] / last, high[-1] / last
        multiples = np.round((low + high) / (least + most))
        if multiples[0] < 1 or float((high - low).max()) > _COARSE * least:
            continue
        if max(least, float((low / multiples).max())) <= min(most, float((high / multiples).min())) * (1 + 1e-9):
            return True
    return False


def _restarts(before: SnappedPhase, after: SnappedPhase) -> bool:
    """Whether a jump is a restart: a curve of the same kind goes down again, from no higher and for no less long.

    One that goes the same way for longer than before is a resume that lost its state.
    """
    falls = before.start > before.end and after.start > after.end and before.kind is after.kind
    if not falls or after.start > before.start or after.steps < 0.98 * before.steps - 1:
        return False
    longer = after.steps > 1.02 * before.steps + 1
    there = float(after.kind.values(after.start, after.end, np.array([before.steps / max(after.steps, 1)]))[0])
    return not (longer and after.start == before.start and abs(there - before.end) <= _SAME * before.start)


def schedule_parts(phases: Sequence[SnappedPhase], duration: DurationText, *, rest: bool = True) -> list[Part]:
    """The phases as a schedule has them; the last one lasts for the rest of the run."""
    made: list[Part] = []
    stood: float | None = None
    for number, phase in enumerate(phases):
        last = rest and number == len(phases) - 1
        made.append(
            phase_of(phase, "rest" if last else duration(phase.steps), phase.start if phase.start != stood else None)
        )
        stood = phase.end
    return made


def phase_of(phase: SnappedPhase, duration: int | str, start: float | None) -> Phase:
    """The phase as a schedule has it; without a `start` it begins where the one before ends."""
    if phase.kind is HOLD:
        return curves.hold(duration, start=start)
    constructor: Callable[..., Phase] = curves.CONSTRUCTORS[phase.kind.name]
    if phase.timescale is not None:
        whole = round(phase.timescale)
        exact = whole if abs(phase.timescale - whole) <= 1e-9 * whole else f"{phase.timescale:.9g}st"
        return constructor(duration, start=start, timescale=exact)
    arguments: dict[str, Any] = dict(phase.kind.arguments)
    if phase.endpoint:
        arguments["endpoint"] = True
    return constructor(duration, start=start, to=phase.end, **arguments)


# --- phases that repeat -----------------------------------------------------------------------------------------------


def repeating(phases: Sequence[SnappedPhase], duration: DurationText) -> Iterator[list[Part]]:
    """The same phases with those that repeat as a group, the shortest way to say it first."""
    for length in (1, 2, 3):
        for before in range(3):
            if len(phases) - before > length:
                yield from _grouped(phases, before, length, duration)


def _comes_down(unit: Sequence[SnappedPhase]) -> bool:
    """Whether what begins again had come to its end before: a resume that lost its state would cut it short."""
    last = unit[-1]
    return last.end < last.start and (last.kind.ends or last.end <= _LOW * max(phase.start for phase in unit))


def _grouped(phases: Sequence[SnappedPhase], before: int, length: int, duration: DurationText) -> Iterator[list[Part]]:
    """The phases after the first `before` as cycles of `length` phases each, in every way that they may be written."""
    inside = phases[before:]
    unit = inside[:length]
    kinds = (index for index, phase in enumerate(inside) if phase.kind is not unit[index % length].kind)
    again = next(kinds, len(inside))  # how many phases repeat
    if again <= length or all(phase.kind is HOLD for phase in unit):
        return
    lengths = [sum(phase.steps for phase in inside[at : at + length]) for at in range(0, again - length + 1, length)]
    peaks = [max(max(phase.start, phase.end) for phase in inside[at : at + length]) for at in range(0, again, length)]
    whole = len(lengths)
    alike = length > 1 and all(phase.kind is unit[0].kind for phase in unit)  # cycles of their own
    if whole < 2 and (alike or len(peaks) < 2 or not _comes_down(unit)):
        return
    counts: list[int | None] = [None] if before + again == len(phases) else []
    if whole > 1 and whole * length == again:
        counts.append(whole)  # the last cycle is not followed by another one
    elif not counts and again // length > 1:
        counts.append(again // length)
    if None not in counts and again == len(inside) - 1 and inside[-1].kind is HOLD:
        counts.insert(0, None)  # the first rows of a cycle are as good as level
    cycle = [part for part in schedule_parts(unit, duration, rest=False) if isinstance(part, Phase)]
    first = schedule_parts(phases[:before], duration, rest=False)
    for shrink, stretch, count in product(_shrinks(peaks), _stretches(lengths), counts):
        tail = schedule_parts(inside[again - again % length :], duration) if count and len(inside) > again else []
        yield [*first, cycles(*cycle, stretch=stretch, shrink=shrink, count=count), *tail]


def _stretches(lengths: Sequence[int]) -> list[int | float]:
    """The factors by which each cycle may be longer than the last."""
    if len(lengths) < 2:
        return [1]
    ratio = (lengths[-1] / lengths[0]) ** (1 / (len(lengths) - 1))
    stretch = round_rate(ratio, 1.5 / lengths[0], ratio).value  # each bound may be a step and a half off
    if stretch < 1:
        return []
    found = {1.0, stretch} if abs(stretch - 1) < 0.05 else {stretch}
    return [int(factor) if factor == int(factor) else factor for factor in sorted(found)]


def _shrinks(peaks: Sequence[float]) -> list[float]:
    """The factors by which each cycle may be lower than the last, the shortest number first."""
    if peaks[0] and not peaks[-1]:
        return []  # no factor leads down to 0
    ratio = (peaks[-1] / peaks[0]) ** (1 / (len(peaks) - 1)) if peaks[0] else 1.0
    found = {round_rate(ratio, reach * ratio, ratio).value for reach in (1e-9, 1e-6, 1e-4, 1e-3)}
    most = _DIGITS_OF_TWO if len(peaks) == 2 else math.inf  # two cycles have some factor, whatever made them
    return sorted(
        (shrink for shrink in found if 0 < shrink <= 1 and significant(shrink) <= most),
        key=lambda each: len(repr(each)),
    )
