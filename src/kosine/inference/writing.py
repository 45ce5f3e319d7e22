"""A draft as a schedule: whole steps, the constructors of the curves, and groups of phases that repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import kosine.shapes as shapes
from kosine.inference.curves import ENDLESS, HOLD, Kind
from kosine.inference.draft import Draft
from kosine.inference.rounding import round_rate, significant
from kosine.inference.settling import timescale
from kosine.phases import Phase
from kosine.schedule import Part, cycles

Written = Callable[[int], int | str]
"""A number of steps as a duration in the unit of the log."""


class Row(NamedTuple):
    """A phase in whole steps."""

    kind: Kind
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


def plausible(whole: Course) -> bool:
    """Whether a run may have been meant to go so: its jumps are few, or at round places.

    Jumps that are neither are a plateau scheduler's, or were made by hand, or by a resume that lost its state.
    """
    jumps = [index for index in range(1, len(whole.rows)) if whole.rows[index].start != whole.rows[index - 1].end]
    if all(row.kind is HOLD for row in whole.rows):
        places = [sum(row.steps for row in whole.rows[:index]) for index in jumps]
        return len(jumps) < 2 or all(significant(place) <= 2 for place in places)
    return all(_restarts(whole.rows[index - 1], whole.rows[index]) for index in jumps)


def _restarts(before: Row, after: Row) -> bool:
    """Whether a jump is a restart: a curve of the same kind goes down again, from no higher and for no less long."""
    falls = before.start > before.end and after.start > after.end
    return (
        falls and before.kind is after.kind and after.start <= before.start and after.steps >= 0.98 * before.steps - 1
    )


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
        return shapes.hold(duration, start=start)
    if row.timescale is not None:
        whole = round(row.timescale)
        exact = whole if abs(row.timescale - whole) <= 1e-9 * whole else f"{row.timescale:.9g}st"
        return {"inverse_sqrt": shapes.inverse_sqrt, "inverse_time": shapes.inverse_time}[row.kind.name](
            duration, start=start, timescale=exact
        )
    constructor: Callable[..., Phase] = getattr(shapes, row.kind.name)
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


def _grouped(rows: Sequence[Row], before: int, length: int, written: Written) -> Iterator[list[Part]]:
    inside = rows[before:]
    unit = inside[:length]
    again = next((index for index, row in enumerate(inside) if row.kind is not unit[index % length].kind), len(inside))
    if again <= length or all(row.kind is HOLD for row in unit):
        return
    lengths = [sum(row.steps for row in inside[at : at + length]) for at in range(0, again - length + 1, length)]
    peaks = [max(max(row.start, row.end) for row in inside[at : at + length]) for at in range(0, again, length)]
    whole = len(lengths)
    if whole < 2 and len(peaks) < 2:
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
            count = None if before + again == len(rows) else again // length
            made = cycles(*phases, stretch=int(factor) if factor == int(factor) else factor, shrink=shrink, count=count)
            tail = parts(inside[again - again % length :], written) if count else []
            yield [*parts(rows[:before], written, rest=False), made, *tail]
