"""The schedule that explains the rows of a log: tried from the simplest idea on, each proven on every row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from kosine._core.curves.hold import hold
from kosine._core.groups import Part, cycles, section
from kosine._core.phase import Phase
from kosine._core.run import RunSize
from kosine._core.schedule import Plan, Schedule
from kosine._logs.infer.curve_fits import ENDLESS, HOLD
from kosine._logs.infer.draft import Draft
from kosine._logs.infer.hypotheses import MOST_PHASES, ROUGH, Run, explain
from kosine._logs.infer.segments import Rows, Stretch, stretches
from kosine._logs.infer.skipped_steps import Skip, moved, skip_after_restart, skips_around
from kosine._logs.infer.snapping import NEARLY
from kosine._logs.infer.staircase import Stairs, long_treads, stairs
from kosine._logs.infer.to_schedule import Written, course, parts, plausible, repeating
from kosine.errors import PlanError, ScheduleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SOME = 7  # stretches that are enough to see how phases repeat
_FEW_LEVELS = 5
_LATE = 50  # part of a tread that the first one may be longer by, as steps were skipped
_CHANGES = 2  # of the rate for each phase, at least: fewer are no staircase
_MOST_TURNS = 8
_BLOCK = 2**18  # rows that a plan is compared with at a time


@dataclass(frozen=True)
class Axis:
    """The unit of the log, and what is known of the run.

    Attributes:
        run: where it may begin and end.
        written: a number of steps as a duration.
        size: what turns such durations into steps.
        fills: whether the last phase lasts for the rest of the run.
    """

    run: Run
    written: Written
    size: RunSize
    fills: bool = True


@dataclass(frozen=True)
class Found:
    """What explains the rows.

    Attributes:
        plan: the schedule, planned for the run as far as the log tells how long it is.
        origin: the position of its first step.
        phases: how many phases it is written with.
        draft: their numbers, where nothing repeats; else None.
        skips: pairs (row, count): from that row on the log shows so many steps less than before.
        open: what of it could be otherwise: what, the lowest and the highest value, and a sentence; where there is a
            draft, that tells.
        rows: the rows at the positions without skips, where there are any.
    """

    plan: Plan
    origin: int
    phases: int
    draft: Draft | None
    skips: tuple[Skip, ...] = ()
    open: tuple[tuple[str, float, float, str], ...] = ()
    rows: Rows | None = None


def explanation(rows: Rows, axis: Axis) -> tuple[Found | None, tuple[Stretch, ...]]:
    """The simplest schedule that explains all rows, or None; and the stretches that were seen."""
    found = _stairs(rows, axis)
    if found is not None:
        return found, ()
    seen = tuple(islice(stretches(rows.rough(ROUGH)), MOST_PHASES + 1))
    found = _phases(rows, axis, seen)
    if found is None or found.phases > 3:
        late = _skipping(rows, axis, seen)
        if late is not None and (found is None or late.phases < found.phases):
            found = late
    return found, seen


def _phases(rows: Rows, axis: Axis, seen: tuple[Stretch, ...]) -> Found | None:
    if len(seen) > _SOME:
        found = _from_some(rows, axis, seen[:_SOME])
        if found is not None:
            return found
    if len(seen) > MOST_PHASES:
        return None
    return _first_proven(rows, axis, explain(rows, axis.run, seen))


def _from_some(rows: Rows, axis: Axis, seen: tuple[Stretch, ...]) -> Found | None:
    """The phases of the first rows, if they repeat and explain the others as well."""
    some = rows.part(0, seen[-1].stop)
    run = replace(axis.run, ends=(float(some.x[-1]) + 1,))
    found = _first_proven(rows, axis, explain(some, run, seen))
    return found if found is not None and found.draft is None else None


def _first_proven(rows: Rows, axis: Axis, drafts: Iterable[Draft]) -> Found | None:
    proven = (_proven(rows, axis, draft) for draft in drafts)
    return next((found for found in proven if found is not None), None)


def _proven(rows: Rows, axis: Axis, draft: Draft) -> Found | None:
    """The draft as a schedule, with what repeats in it as a group, that explains all rows."""
    whole = course(draft, float(rows.x[0]))
    for group in repeating(whole.rows, axis.written):
        plan = _planned(group, axis, axis.run.ends[0] - whole.origin)
        if plan is not None and explains(plan, whole.origin, rows):
            return Found(plan, whole.origin, len(group), None)
    if not plausible(whole, rows.x):
        return None
    endless = whole.rows[-1].kind is HOLD or whole.rows[-1].kind in ENDLESS
    stop = max(axis.run.ends[0], whole.stop) if endless else whole.stop
    fills = endless or whole.stop >= rows.x[-1]
    total = (stop if fills else max(axis.run.ends[0], stop)) - whole.origin
    plan = _planned(parts(whole.rows, axis.written, rest=fills and (axis.fills or endless)), axis, total)
    if plan is None or not explains(plan, whole.origin, rows):
        return None
    return Found(plan, whole.origin, len(whole.rows), draft)


def _planned(made: Sequence[Part], axis: Axis, total: float) -> Plan | None:
    try:
        return Plan(Schedule(*made), replace(axis.size, total_steps=round(total)))
    except (ScheduleError, PlanError):  # numbers that no schedule can have, such as a rise by more than 1e30
        return None


def explains(plan: Plan, origin: int, rows: Rows) -> bool:
    """Whether a plan has the rate of every row."""
    for low in range(0, len(rows), _BLOCK):
        part = rows.part(low, low + _BLOCK)
        off = np.abs(plan(steps_at(part.x, origin)) - part.y) / part.width
        if not float(off.max()) <= NEARLY:
            return False
    return True


def steps_at(x: NDArray[np.float64], origin: int) -> NDArray[np.int64]:
    """The steps of a plan at positions; before its first step that one."""
    return np.maximum(np.floor(x + 0.5).astype(np.int64) - origin, 0)


# --- treads -----------------------------------------------------------------------------------------------------------


def _stairs(rows: Rows, axis: Axis) -> Found | None:
    """A schedule whose rates stand still for equal times, if need be with skipped steps."""
    treads = stairs(rows, axis.run.starts)
    found = None if treads is None else _climbed(rows, axis, treads)
    skips = long_treads(rows, axis.run.starts) if found is None else []
    if not skips:
        return found
    shifted, later = moved(rows, skips), _without(axis, skips)
    treads = stairs(shifted, axis.run.starts)
    found = None if treads is None else _climbed(shifted, later, treads)
    return None if found is None else replace(found, skips=tuple(skips), rows=shifted)


def _without(axis: Axis, skips: Sequence[Skip]) -> Axis:
    """The axis of rows that were moved by skips."""
    lost = sum(count for _, count in skips)
    return replace(axis, run=replace(axis.run, ends=tuple(end - lost for end in axis.run.ends)))


def _climbed(rows: Rows, axis: Axis, treads: Stairs) -> Found | None:
    """A schedule whose rates stand still for the length of a tread."""
    length, levels = treads.length, treads.treads
    late = min((treads.origin - start) % length for start in axis.run.starts)
    if axis.run.begins and late > length // _LATE:
        return None
    total = axis.run.ends[0] - treads.origin
    factor = treads.factor
    if factor is not None:
        step = hold(axis.written(length), start=float(levels.y[0] / factor ** levels.x[0]))
        plan = _planned([cycles(step, shrink=factor)], axis, total)
        if plan is not None and explains(plan, treads.origin, rows):
            return Found(plan, treads.origin, 1, None, open=treads.open)
    if len(levels) <= _FEW_LEVELS:
        return None  # so few are written one by one
    inner = Axis(Run((0.0,), (float(levels.x[-1]) + 1,), axis.run.begins), lambda steps: steps, RunSize(), fills=False)
    found, _ = explanation(levels, inner)
    if found is None:
        return None
    leaves = sum(1 if isinstance(part, Phase) else len(part.phases) for part in found.plan.schedule.parts)
    changes = np.count_nonzero(np.diff(levels.y))
    if found.origin or found.skips or changes < _CHANGES * leaves:
        return None
    plan = _planned([section(*found.plan.schedule.parts, tick=axis.written(length))], axis, total)
    if plan is None or not explains(plan, treads.origin, rows):
        return None
    return Found(plan, treads.origin, found.phases + 1, None, open=treads.open)


# --- skipped steps ----------------------------------------------------------------------------------------------------


def _skipping(rows: Rows, axis: Axis, seen: tuple[Stretch, ...]) -> Found | None:
    """A schedule that explains the rows, if some steps were skipped."""
    skips: list[Skip] = []
    shifted, done = rows, set[int]()
    for _ in range(_MOST_TURNS):
        rough = shifted.rough(ROUGH)
        left = [stretch for stretch in seen if stretch.first not in done and stretch.arc.kind is not HOLD]
        if not left or len(seen) > MOST_PHASES:
            break
        longest = max(left, key=lambda stretch: stretch.stop - stretch.first)
        done.add(longest.first)
        found = skips_around(rough, longest)
        if found:
            skips += found
            shifted = moved(rows, skips)
            seen = tuple(islice(stretches(shifted.rough(ROUGH)), MOST_PHASES + 1))
    if not skips:
        return None
    again = skip_after_restart(shifted, seen)
    explained = (_explained(rows, axis, idea) for idea in ((skips, [*skips, *again]) if again else (skips,)))
    return next((found for found in explained if found is not None), None)


def _explained(rows: Rows, axis: Axis, skips: Sequence[Skip]) -> Found | None:
    """A schedule that explains the rows, if these steps were skipped."""
    shifted = moved(rows, skips)
    seen = tuple(islice(stretches(shifted.rough(ROUGH)), MOST_PHASES + 1))
    explained = _phases(shifted, _without(axis, skips), seen)
    return None if explained is None else replace(explained, skips=tuple(sorted(skips)), rows=shifted)
