"""A draft as a schedule: whole steps, the constructors of the curves, and groups of phases that repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kosine._core import curves
from kosine._core.groups import Part, cycles
from kosine._core.phase import Phase
from kosine._logs.infer.curve_fits import ENDLESS, HOLD, FitFamily
from kosine._logs.infer.draft import Draft
from kosine._logs.infer.rounding import round_rate, significant
from kosine._logs.infer.snapping import timescale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_MOST_MULTIPLE = 25
"""Milestones are few multiples of an epoch or of a round number of steps; what follows the loss comes at any time."""
_DIGITS = 2  # of a round number of steps
_COARSE = 0.05  # of what they are multiples of: drops that are known less well may be multiples of anything
_LOW = 0.2  # of the peak: a line that is above has not come down to its end
_SAME = 0.01  # of the rate: two curves that are as near as this go the same way

Written = Callable[[int], int | str]
"""A number of steps as a duration in the unit of the log."""


class Row(NamedTuple):
    """A phase in whole steps."""

    kind: FitFamily
    steps: int
    start: float
    end: float
    timescale: float | None = None
    endpoint: bool = False


@dataclass(frozen=True)
class Course:
    """Phases from the position `origin` to before `stop`, as rows of whole steps."""

    origin: int
    rows: tuple[Row, ...]

    @property
    def stop(self) -> int:
        return self.origin + sum(row.steps for row in self.rows)


def course(draft: Draft, first: float) -> Course:
    """The phases of a settled draft; a level one before them where the first curve begins after the log does."""
    bounds = [round(bound) for bound in draft.bounds.tolist()]
    rows = [
        Row(
            kind,
            bounds[index + 1] - bounds[index],
            float(draft.starts[index]),
            float(draft.ends[index]),
            timescale(draft) if kind in ENDLESS and index == len(draft.kinds) - 1 else None,
            draft.endpoints[index],
        )
        for index, kind in enumerate(draft.kinds)
    ]
    if bounds[0] > first:
        rows.insert(0, Row(HOLD, bounds[0] - int(first), rows[0].start, rows[0].start))
        bounds.insert(0, int(first))
    return Course(bounds[0], tuple(row for row in rows if row.steps > 0))


def plausible(whole: Course, x: Floats) -> bool:
    """Whether a run may have been meant to go so: its jumps are restarts, drops at multiples of one time, or one drop.

    Jumps that are neither are a plateau scheduler's, or were made by hand, or by a resume that lost its state.

    Args:
        whole: the phases.
        x: the positions of the rows of the log.
    """
    rows = whole.rows
    places = whole.origin + np.cumsum([row.steps for row in rows])
    level, drops = all(row.kind is HOLD for row in rows), []
    for before, after, place in zip(rows, rows[1:], places.tolist(), strict=False):
        if after.start == before.end:
            continue
        if before.kind is HOLD and after.kind is HOLD and (level or after.start < before.start):
            drops.append(place)
        elif not _restarts(before, after):
            return False
    begin = whole.origin if abs(whole.origin) <= 1 else 0  # a log that begins later counts its steps from there as well
    return len(drops) < 2 or _regular(drops, x, begin)


def _regular(drops: Sequence[int], x: Floats, begin: int) -> bool:
    """Whether all drops can be at multiples of one number of steps, small ones of one that the log can tell."""
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


def _restarts(before: Row, after: Row) -> bool:
    """Whether a jump is a restart: a curve of the same kind goes down again, from no higher and for no less long.

    One that goes the same way for longer than before is no restart, but a resume that lost its state.
    """
    falls = before.start > before.end and after.start > after.end and before.kind is after.kind
    if not falls or after.start > before.start or after.steps < 0.98 * before.steps - 1:
        return False
    longer = after.steps > 1.02 * before.steps + 1
    there = float(after.kind.values(after.start, after.end, np.array([before.steps / max(after.steps, 1)]))[0])
    return not (longer and after.start == before.start and abs(there - before.end) <= _SAME * before.start)


def parts(rows: Sequence[Row], written: Written, *, rest: bool = True) -> list[Part]:
    """The phases as a schedule has them; the last one lasts for the rest of the run."""
    made: list[Part] = []
    stood: float | None = None
    for number, row in enumerate(rows):
        last = rest and number == len(rows) - 1
        made.append(_phase(row, "rest" if last else written(row.steps), row.start if row.start != stood else None))
        stood = row.end
    return made


def _phase(row: Row, duration: int | str, start: float | None) -> Phase:
    if row.kind is HOLD:
        return curves.hold(duration, start=start)
    constructor: Callable[..., Phase] = curves.CONSTRUCTORS[row.kind.name]
    if row.timescale is not None:
        whole = round(row.timescale)
        exact = whole if abs(row.timescale - whole) <= 1e-9 * whole else f"{row.timescale:.9g}st"
        return constructor(duration, start=start, timescale=exact)
    arguments: dict[str, Any] = dict(row.kind.arguments)
    if row.endpoint:
        arguments["endpoint"] = True
    return constructor(duration, start=start, to=row.end, **arguments)


# --- phases that repeat -----------------------------------------------------------------------------------------------


def repeating(rows: Sequence[Row], written: Written) -> Iterator[list[Part]]:
    """The same phases with those that repeat as a group, the shortest way to say it first."""
    for before in range(3):
        for length in (1, 2, 3):
            if len(rows) - before > length:
                yield from _grouped(rows, before, length, written)


def _comes_down(unit: Sequence[Row]) -> bool:
    """Whether what is seen to begin again had come to its end before, so that it is no resume that lost its state."""
    last = unit[-1]
    return last.end < last.start and (last.kind.ends or last.end <= _LOW * max(row.start for row in unit))


def _grouped(rows: Sequence[Row], before: int, length: int, written: Written) -> Iterator[list[Part]]:
    inside = rows[before:]
    unit = inside[:length]
    again = next((index for index, row in enumerate(inside) if row.kind is not unit[index % length].kind), len(inside))
    if again <= length or all(row.kind is HOLD for row in unit):
        return
    lengths = [sum(row.steps for row in inside[at : at + length]) for at in range(0, again - length + 1, length)]
    peaks = [max(max(row.start, row.end) for row in inside[at : at + length]) for at in range(0, again, length)]
    whole = len(lengths)
    if whole < 2 and (len(peaks) < 2 or not _comes_down(unit)):
        return
    stretch = 1.0
    if whole > 1:
        ratio = (lengths[whole - 1] / lengths[0]) ** (1 / (whole - 1))
        stretch = round_rate(ratio, 1.5 / lengths[0], ratio).value
    ratio = (peaks[-1] / peaks[0]) ** (1 / (len(peaks) - 1)) if peaks[0] else 1.0
    shrinks = {round_rate(ratio, reach * ratio, ratio).value for reach in (1e-9, 1e-6, 1e-4, 1e-3)}
    for shrink in sorted(shrinks, key=lambda value: len(repr(value))):
        if not (stretch >= 1 and 0 < shrink <= 1):
            continue
        stretches = {1.0, stretch} if whole < 2 or abs(stretch - 1) < 0.05 else {stretch}
        for factor in sorted(stretches):
            group = parts(unit, written, rest=False)
            phases = [part for part in group if isinstance(part, Phase)]
            counts: list[int | None] = [None] if before + again == len(rows) else []
            if whole > 1 and whole * length == again:
                counts.append(whole)  # the last cycle is not followed by another one
            elif not counts and again // length > 1:
                counts.append(again // length)
            for count in counts:
                stretched = int(factor) if factor == int(factor) else factor
                made = cycles(*phases, stretch=stretched, shrink=shrink, count=count)
                tail = parts(inside[again - again % length :], written) if count and len(inside) > again else []
                yield [*parts(rows[:before], written, rest=False), made, *tail]
