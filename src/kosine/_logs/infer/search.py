"""The schedule that explains the rows of a log: the simplest idea first, each tested on every row.

The order of the ideas: rates that are constant for equal times; a few phases in a row, with those that repeat as
cycles; warm-ups with a rare curve; skipped steps that rates of many digits show one by one; phases that begin between
two steps, or unseen under a warm-up; where all that takes more than three phases, fewer of them with skipped steps; and
rare curves. Once the treads of a staircase are known, they are the rows of a new log, so the search looks for its
levels in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from kosine._core.curves.hold import hold
from kosine._core.groups import Part, cycles, phases_of, section
from kosine._core.run import RunSize
from kosine._core.schedule import Plan, Schedule
from kosine._logs.infer.between_steps import drafts_between_steps, section_between_steps
from kosine._logs.infer.curve_fits import CURVED, ENDLESS, HOLD
from kosine._logs.infer.draft import Draft
from kosine._logs.infer.exact_lags import exact_lags
from kosine._logs.infer.few_rows import only_follow, skips_explain_rows
from kosine._logs.infer.hypotheses import MOST_PHASES, drafts_of, finished
from kosine._logs.infer.joints import draft_of
from kosine._logs.infer.late_curves import Late, late_from, late_parts, open_before, open_joint
from kosine._logs.infer.peak_step import with_first_level
from kosine._logs.infer.rare_curves import first_of_decay, has_fallen, rare_segments
from kosine._logs.infer.rare_rises import rising_drafts
from kosine._logs.infer.rounding import roundest
from kosine._logs.infer.run_context import RunContext, steps_at
from kosine._logs.infer.segments import Observations, Segment, cut_into_segments
from kosine._logs.infer.skipped_steps import Skip, skip_after_restart, skips_around, total_skipped, without_skips
from kosine._logs.infer.snapping import EXPLAINS
from kosine._logs.infer.staircase import Staircase, fit_staircase, skips_in_treads
from kosine._logs.infer.to_schedule import drops_after_rise, is_plausible, repeating, schedule_parts, snapped_phases
from kosine._logs.precision import NEARLY
from kosine._logs.work import OutOfWorkError, Work
from kosine.errors import PlanError, ScheduleError

_SOME = 7  # segments that are enough to see how phases repeat
_FEW_LEVELS = 5
_MOST_OPEN = 24  # drops that are named as open
_COARSE = 1e-3  # of the peak
_LATE = 50  # part of a tread that the first one may be longer by, as steps were skipped
_CHANGES = 2  # of the rate for each phase, at least: fewer changes make no staircase
_FEW_CHANGES = 8  # of the printed rate: what only nearly explains so few says too little
_MOST_TURNS = 8
_MOST_OF_A_CYCLE = 0.5  # that is skipped at one place
_MOST_LOST = 0.5  # of a run: a log that lost more of its steps shows a restart, which goes back
_BLOCK = 2**18  # rows that a plan is compared with at a time, at most
_FIRST = 256  # rows that it is compared with at first
# See `Work`: as much as none of 1,000 random logs needs that have a schedule, several times over.
_MOST_FOR_TREADS, _MOST_FOR_SEGMENTS, _MOST_FOR_PHASES, _MOST_FOR_SKIPS = 1e6, 1.2e6, 2e6, 2e6
_MOST_FOR_STRAIGHT, _MOST_FOR_LATE, _MOST_FOR_RARE, _MOST_RARE = 3e5, 6e5, 1e6, 4
_MOST_FOR_LAGS, _MOST_FOR_RISES = 6e5, 6e5
_OFF = 4.0  # half-widths that two curves may be off where they meet
_HALF, _BEFORE = 0.5, 2.0  # of the length that is seen: a curve may begin so far before
_ONE_UNIT = 0.999  # of the last printed place
_COST_OF_PLAN, _ROWS_AT_ONCE = 500, 10


if TYPE_CHECKING:
    from numpy.typing import NDArray

Found = TypeVar("Found")


@dataclass(frozen=True)
class Explanation:
    """What explains the rows.

    Attributes:
        plan: the schedule, planned for the run as far as the log shows how long it is.
        origin: the position of its first step.
        phases: how many phases it is written with.
        draft: their numbers, where nothing repeats; else None.
        worst: how far the rows are off it at most, in half-widths.
        skips: pairs (row, count): from that row on the log is `count` more steps behind.
        open: what of it could be otherwise: what, the lowest and the highest value, and a sentence; empty with a draft,
            whose bounds show it.
        rows: the rows without the skips, where there are any.
        drops: whether a rise ends in a drop: a warm-up that leads to another peak, or one step that was not seen.
    """

    plan: Plan
    origin: int
    phases: int
    draft: Draft | None
    worst: float
    skips: tuple[Skip, ...] = ()
    open: tuple[tuple[str, float, float, str], ...] = ()
    rows: Observations | None = None
    drops: bool = False


@dataclass(frozen=True)
class Searched:
    """What a search led to.

    Attributes:
        found: the simplest schedule that explains all rows, or None.
        seen: the first segments of the rows, as far as they were looked for.
        complete: whether every idea was tried; if not, a schedule may exist although none was found.
    """

    found: Explanation | None
    seen: tuple[Segment, ...]
    complete: bool


def search(rows: Observations, run: RunContext) -> Searched:
    """Try the ideas one after the other, each for as much work as it may take."""
    found, complete = _within(_MOST_FOR_TREADS, rows, lambda some: _as_staircase(some, run))
    if found is not None:
        return Searched(found, (), complete)
    seen, cut = _first_segments(rows)
    complete = complete and cut
    if not seen:
        return Searched(None, (), complete=False)
    found, tried = _within(_MOST_FOR_PHASES, rows, lambda some: _as_phases(some, run, seen))
    complete = complete and tried
    if found is not None and _may_be_straight(rows, found):
        straight, _ = _within(_MOST_FOR_STRAIGHT, rows, lambda some: _as_straight(some, run))
        found = straight if straight is not None and straight.phases <= found.phases else found
    if found is None or found.phases > 3:
        risen, tried = _within(_MOST_FOR_RISES, rows, lambda some: _with_rare_rise(some, run))
        complete = complete and tried
        if risen is not None and (found is None or risen.phases < found.phases):
            return Searched(risen, seen, complete)
    exact, tried = _within(_MOST_FOR_LAGS, rows, lambda some: _with_exact_lags(some, run, found))
    complete = complete and tried
    if exact is not None:
        return Searched(exact, seen, complete)
    if found is None:
        found, tried = _within(_MOST_FOR_LATE, rows, lambda some: _between_steps(some, run, seen))
        complete = complete and tried
    if found is None:
        found, tried = _within(_MOST_FOR_LATE, rows, lambda some: _entered_late(some, run, seen))
        complete = complete and tried
    if found is None or found.phases > 3:
        late, tried = _within(_MOST_FOR_SKIPS, rows, lambda some: _with_skips(some, run, seen))
        complete = complete and tried
        if late is not None and (found is None or late.phases < found.phases):
            found = late
    if found is None:
        found, tried = _within(_MOST_FOR_RARE, rows, lambda some: _with_rare_curves(some, run, seen))
        complete = complete and tried
    return Searched(found, seen, complete)


def _within(most: float, rows: Observations, idea: Callable[[Observations], Found]) -> tuple[Found | None, bool]:
    """What an idea leads to, and whether it could be followed to its end."""
    try:
        return idea(replace(rows, work=Work(most, rows.work))), True
    except OutOfWorkError:
        return None, False


def _first_segments(rows: Observations) -> tuple[tuple[Segment, ...], bool]:
    """The first segments, as far as they are found in the work that they may take, and whether that was enough."""
    some = replace(rows, work=Work(_MOST_FOR_SEGMENTS, rows.work)).rough()
    found: list[Segment] = []
    try:
        for segment in islice(cut_into_segments(some), MOST_PHASES + 1):
            found.append(segment)
    except OutOfWorkError:
        return tuple(found), False
    return tuple(found), True


def _segments_of(rows: Observations) -> tuple[Segment, ...]:
    """The first segments: one more than an explanation may have phases."""
    return tuple(islice(cut_into_segments(rows.rough()), MOST_PHASES + 1))


def _as_phases(rows: Observations, run: RunContext, seen: tuple[Segment, ...]) -> Explanation | None:
    if len(seen) > _SOME:
        found = _from_some(rows, run, seen[:_SOME])
        if found is not None:
            return found
    if len(seen) > MOST_PHASES or seen[-1].stop < len(rows):
        return None
    return _first_proven(rows, run, drafts_of(rows, run, seen))


def _may_be_straight(rows: Observations, found: Explanation) -> bool:
    """Whether the rates are printed so coarsely that a straight curve may pass for a bent one."""
    bent = found.draft is not None and any(kind in CURVED for kind in found.draft.kinds)
    return bent and found.phases > 1 and float(rows.width.min()) > _COARSE * float(rows.y.max())


def _as_straight(rows: Observations, run: RunContext) -> Explanation | None:
    segments = tuple(islice(cut_into_segments(rows.rough(), straight=True), _FEW_LEVELS + 1))
    return _first_proven(rows, run, drafts_of(rows, run, segments)) if segments[-1].stop == len(rows) else None


def _from_some(rows: Observations, run: RunContext, seen: tuple[Segment, ...]) -> Explanation | None:
    """The phases of the first rows, if they repeat and explain the others as well."""
    if seen[-1].arc.kind is HOLD:  # the flat end of a cycle, of which the next one shows more
        seen = seen[:-1]
    some = rows.part(0, seen[-1].stop)
    found = _first_proven(rows, run, drafts_of(some, replace(run, ends=(float(some.x[-1]) + 1,)), seen))
    return found if found is not None and found.draft is None else None


def _first_proven(rows: Observations, run: RunContext, drafts: Iterable[Draft]) -> Explanation | None:
    """The first that explains all rows; if none does, the first that nearly does."""
    return _first_exact(found for draft in drafts for found in _proven(rows, run, draft))


def _first_exact(ideas: Iterable[Explanation]) -> Explanation | None:
    nearly: Explanation | None = None
    try:
        for found in ideas:
            if found.worst <= EXPLAINS and not found.drops:
                return found
            nearly = found if nearly is None or found.worst <= EXPLAINS < nearly.worst else nearly
    except OutOfWorkError:
        if nearly is None:
            raise
    return nearly


def _proven(rows: Observations, run: RunContext, draft: Draft) -> Iterator[Explanation]:
    """The draft as schedules, those with what repeats in it as a group first, that explain all rows or nearly do."""
    whole = snapped_phases(draft, float(rows.x[0]))
    for group in repeating(whole.phases, run.duration):
        plan = _planned(group, run, run.ends[0] - whole.origin)
        worst = _worst(plan, whole.origin, rows)
        if plan is not None and worst <= NEARLY:
            yield Explanation(plan, whole.origin, len(group), None, worst, open=open_before(group, draft, rows))
    if not whole.phases or not is_plausible(whole, rows.x):  # rows so close that they are one step
        return
    if only_follow(whole, rows.x):
        return
    if whole.origin < _earliest(rows, run):
        return  # a curve that began before the run did, or long before
    endless = whole.phases[-1].kind is HOLD or whole.phases[-1].kind in ENDLESS
    stop = max(run.ends[0] + (whole.origin == 1), whole.stop) if endless else whole.stop
    fills = endless or whole.stop >= rows.x[-1]
    total = (stop if fills else max(run.ends[0], stop)) - whole.origin
    plan = _planned(schedule_parts(whole.phases, run.duration, rest=fills and (run.fills or endless)), run, total)
    worst = _worst(plan, whole.origin, rows)
    if plan is not None and worst <= NEARLY:
        yield Explanation(plan, whole.origin, len(whole.phases), draft, worst, drops=drops_after_rise(whole))


def _earliest(rows: Observations, run: RunContext) -> float:
    """Where a curve may begin: before a log that counts from 0 only where the rate has come down by half since."""
    if run.begins and float(rows.y[-1]) > _HALF * float(rows.y[0]):
        return min(run.starts)
    return min(0.0, float(rows.x[0])) - _BEFORE * float(rows.x[-1] - rows.x[0])


def _planned(made: Sequence[Part], run: RunContext, total: float) -> Plan | None:
    try:
        return Plan(Schedule(*made), replace(run.size, total_steps=round(total)))
    except (ScheduleError, PlanError):  # numbers that no schedule can have, such as a rise by more than 1e30
        return None


def _worst(plan: Plan | None, origin: int, rows: Observations) -> float:
    """How far the rows are off a plan at most, in half-widths; infinite where that is too far to explain them."""
    low, size, worst = 0, _FIRST, 0.0 if plan is not None else math.inf
    tells = np.count_nonzero(np.diff(rows.y)) > _FEW_CHANGES and has_fallen(rows)
    most = NEARLY if tells else EXPLAINS
    while plan is not None and low < len(rows) - bool(low):
        part = rows.part(low, low + size)
        rows.work.spend(_COST_OF_PLAN + len(part) / _ROWS_AT_ONCE)
        rates = plan(steps_at(part.x, origin))
        worst = max(worst, float((np.abs(rates - part.y) / part.width).max()))
        if not worst <= most or _print_apart(rates, part):
            return math.inf
        low, size = low + size - 1, min(4 * size, _BLOCK)  # the last row again, beside the next one
    return worst


# --- phases that begin between two steps ------------------------------------------------------------------------------


def _between_steps(rows: Observations, run: RunContext, seen: tuple[Segment, ...]) -> Explanation | None:
    """A schedule whose phases begin between two steps."""
    if len(seen) > MOST_PHASES or seen[-1].stop < len(rows):
        return None
    for draft in drafts_between_steps(rows, run, seen):
        whole = snapped_phases(draft, float(rows.x[0]))
        if not is_plausible(whole, rows.x) or only_follow(whole, rows.x):
            continue
        part, origin = section_between_steps(draft, float(rows.x[0]))
        plan = _planned([part], run, max(run.ends[0], math.ceil(draft.bounds[-1])) - origin)
        worst = _worst(plan, origin, rows)
        if plan is not None and worst <= NEARLY:
            return Explanation(plan, origin, len(draft.kinds), draft, worst)
    return None


# --- curves that are entered late ----------------------------------------------------------------------------------


def _entered_late(rows: Observations, run: RunContext, seen: tuple[Segment, ...]) -> Explanation | None:
    """A schedule whose later phases began unseen, while a warm-up was followed."""
    seen = with_first_level(rows, seen)
    most = first_of_decay(seen)
    if most and len(seen) > _FEW_LEVELS:
        stairs = _stairs_after_warmup(rows, run, seen)
        if stairs is not None:
            return stairs
    late = late_from(rows, seen, most)
    if not late.index or not _begins_unseen(rows, seen, late):
        return None
    after = rows.part(seen[late.index].first, len(rows))
    later = _as_phases(after, replace(run, begins=False), _segments_of(after))
    return None if later is None else _after_warmup(rows, run, seen, late, later)


def _begins_unseen(rows: Observations, seen: tuple[Segment, ...], late: Late) -> bool:
    before, after = seen[late.index - 1].arc, seen[late.index].arc
    width = _OFF * float(rows.width[seen[late.index].first])
    return after.begin is not None and late.hides(after.begin, before, after, width)


def _stairs_after_warmup(rows: Observations, run: RunContext, seen: tuple[Segment, ...]) -> Explanation | None:
    """A schedule whose rates are constant for equal times after a warm-up."""
    after = rows.part(seen[1].first, len(rows))
    later = _as_staircase(after, replace(run, begins=False))
    if later is None or later.skips:
        return None
    return _after_warmup(rows, run, seen, late_from(rows, seen, 1), later)


def _after_warmup(
    rows: Observations, run: RunContext, seen: tuple[Segment, ...], late: Late, later: Explanation
) -> Explanation | None:
    """The schedule of the rows from a segment on, entered late after that of the rows before."""
    if later.origin > late.right:
        return None
    joint, before, peak = float(later.origin), seen[late.index - 1], float(later.plan(0))
    width = _OFF * float(rows.width[seen[late.index].first])
    if joint < late.left or (joint < late.right and float(before.arc.predict(np.array([joint]))[0]) < peak - width):
        joint = late.joint(before, peak, width)
    first = int(np.searchsorted(rows.x, joint))
    warm_rows, shown = rows.part(0, first), (*seen[: late.index - 1], replace(before, stop=first))
    warm = next(drafts_of(warm_rows, replace(run, ends=(joint,)), shown), None) if first > before.first else None
    if warm is None:
        return None
    whole = snapped_phases(warm, float(rows.x[0]))
    if only_follow(whole, warm_rows.x):
        return None
    parts = schedule_parts(whole.phases, run.duration, rest=False)
    parts += late_parts(later.plan.schedule.parts, whole.stop - later.origin, run.duration)
    total = later.plan.total_steps
    stop = run.ends[0] if total is None else later.origin + total
    plan = _planned(parts, run, stop - whole.origin)
    worst = _worst(plan, whole.origin, rows)
    if plan is None or worst > NEARLY:
        return None
    jumps = joint > later.origin or abs(float(before.arc.predict(np.array([joint]))[0]) - peak) > width
    is_open = (*(late.open(before, seen[late.index]) if jumps else ()), *later.open)
    return Explanation(plan, whole.origin, len(whole.phases) + later.phases, None, worst, open=is_open)


# --- rare curves ------------------------------------------------------------------------------------------------------


def _with_rare_curves(rows: Observations, run: RunContext, seen: tuple[Segment, ...]) -> Explanation | None:
    """A schedule whose decay has a rare curve, from the end of the warm-up on or entered late."""
    most = first_of_decay(seen)
    for count in range(min(most, 1), most + 1):
        for first in _firsts_of_decay(rows, seen, count):
            found = _with_rare_decay(rows, run, seen[:count], first)
            if found is not None:
                return found
    return None


def _with_rare_rise(rows: Observations, run: RunContext) -> Explanation | None:
    """A schedule whose warm-up has a rare curve."""
    for idea in rising_drafts(rows.rough(), run) if run.begins else ():
        explained = _first_proven(rows, run, _finished(rows, run, idea))
        if explained is not None:
            return explained
    return None


def _firsts_of_decay(rows: Observations, seen: tuple[Segment, ...], count: int) -> list[int]:
    """The first row of a decay after this many segments: the last row of the warm-up, too, where that has the peak."""
    first = seen[count].first if count else 0
    return [first, first - 1] if count and rows.y[first - 1] > rows.y[first] else [first]


def _with_rare_decay(
    rows: Observations, run: RunContext, before: tuple[Segment, ...], first: int
) -> Explanation | None:
    """The same, where the decay is seen from a row on."""
    after = rows.part(first, len(rows))
    inside = replace(run, begins=False) if before else run
    warm = (*before[:-1], replace(before[-1], stop=first)) if before else ()
    for decay in islice(rare_segments(after.rough(), (float(after.x[0]), *run.starts)), _MOST_RARE):
        if before and not decay[0].arc.kind.begins:  # it begins where the warm-up meets it
            later = [replace(each, first=each.first + first, stop=each.stop + first) for each in decay]
            found = _first_proven(rows, run, _drafts_of_these(rows, run, (*warm, *later)))
        else:
            found = _first_proven(after, inside, _drafts_of_these(after, inside, decay))
            if found is not None and before:
                seen = (*warm, replace(decay[0], first=first, stop=len(rows)))
                found = _after_warmup(rows, run, seen, late_from(rows, seen, len(before)), found)
        if found is not None and (found.worst <= EXPLAINS or has_fallen(after)):
            return found
    return None


def _drafts_of_these(rows: Observations, run: RunContext, found: Sequence[Segment]) -> Iterator[Draft]:
    yield from _finished(rows, run, draft_of(rows.rough(), found, run.ends[0]))


def _finished(rows: Observations, run: RunContext, idea: Draft) -> Iterator[Draft]:
    draft = finished(rows, rows.rough(), idea, run)
    if draft is not None:
        yield draft


def _print_apart(rates: NDArray[np.float64], rows: Observations) -> bool:
    """Whether two rows at one level of a schedule have rates that no level prints as, one unit apart."""
    apart = np.abs(np.diff(rows.y)) >= _ONE_UNIT * (rows.width[1:] + rows.width[:-1])
    return bool((apart & (np.diff(rates) == 0)).any())


# --- treads -----------------------------------------------------------------------------------------------------------


def _as_staircase(rows: Observations, run: RunContext) -> Explanation | None:
    """A schedule whose rates are constant for equal times, if necessary with skipped steps."""
    treads = fit_staircase(rows, run.starts)
    found = None if treads is None else _of_treads(rows, run, treads)
    skips = skips_in_treads(rows, run.starts) if found is None else []
    if not skips:
        return found
    shifted, later = without_skips(rows, skips), run.shortened(total_skipped(skips))
    treads = fit_staircase(shifted, run.starts)
    found = None if treads is None else _of_treads(shifted, later, treads)
    if found is None:
        return None
    if len(skips) == 1 and skips[0][0] <= int(np.argmax(np.diff(rows.y) != 0)) + 1:
        delayed = _after_delay(rows, run, found, skips[0][1])
        found = found if delayed is None else delayed
        skips = skips if delayed is None else []
    is_open = dict.fromkeys((*found.open, *_open_drops(rows)))
    return replace(found, skips=tuple(skips), rows=shifted if skips else None, open=tuple(is_open))


def _after_delay(rows: Observations, run: RunContext, found: Explanation, steps: int) -> Explanation | None:
    """The same levels after a first one of at least so many steps more, as Optax's `transition_begin` makes them."""
    parts, level = found.plan.schedule.parts, float(found.plan(0))
    for delay in dict.fromkeys((int(roundest(steps, steps + float(np.diff(rows.x).min()) - 1)), steps)):
        plan = _planned([hold(run.duration(delay), start=level), *parts], run, run.ends[0] - found.origin)
        worst = _worst(plan, found.origin, rows)
        if plan is not None and worst <= NEARLY:
            return replace(found, plan=plan, phases=found.phases + 1, worst=worst)
    return None


def _open_drops(rows: Observations) -> Iterator[tuple[str, float, float, str]]:
    """Where each level may change: anywhere between two rows."""
    changes = np.flatnonzero(np.diff(rows.y) != 0)
    for row in changes[:_MOST_OPEN].tolist():
        yield from open_joint("hold", "hold", *rows.x[row : row + 2].tolist())
    if changes.size > _MOST_OPEN and float(np.diff(rows.x).max()) > 1:
        low, high = float(rows.x[changes[_MOST_OPEN]]) + 1, float(rows.x[changes[-1] + 1])
        yield "later holds", low, high, "Each later hold may begin anywhere between two rows,"


def _of_treads(rows: Observations, run: RunContext, treads: Staircase) -> Explanation | None:
    """A schedule whose rates are constant for the length of a tread."""
    length, levels = treads.length, treads.treads
    late = min((treads.origin - start) % length for start in run.starts)
    if run.begins and late > length // _LATE:
        return None
    total = run.ends[0] - treads.origin
    both_ways = np.ptp(np.sign(np.diff(levels.y))) > 1  # up and down again: DeepSpeed's stairs down begin a step later
    is_open = treads.open if treads.placed and not both_ways else (*treads.open, *_open_drops(rows))
    factor = treads.factor
    if factor is not None:
        step = hold(run.duration(length), start=float(levels.y[0] / factor ** levels.x[0]))
        plan = _planned([cycles(step, shrink=factor)], run, total)
        worst = _worst(plan, treads.origin, rows)
        if plan is not None and worst <= NEARLY:
            return Explanation(plan, treads.origin, 1, None, worst, open=is_open)
    if len(levels) <= _FEW_LEVELS:
        return None  # so few are written one by one
    inner = RunContext((0.0,), (float(levels.x[-1]) + 1,), run.begins, lambda steps: steps, RunSize(), fills=False)
    found = search(levels, inner).found
    if found is None:
        return None
    changes = np.count_nonzero(np.diff(levels.y))
    if found.origin or found.skips or changes < _CHANGES * len([*phases_of(found.plan.schedule.parts)]):
        return None
    plan = _planned([section(*found.plan.schedule.parts, tick=run.duration(length))], run, total)
    worst = _worst(plan, treads.origin, rows)
    if plan is None or worst > NEARLY:
        return None
    return Explanation(plan, treads.origin, found.phases + 1, None, worst, open=is_open)


# --- skipped steps ----------------------------------------------------------------------------------------------------


def _with_exact_lags(rows: Observations, run: RunContext, plain: Explanation | None) -> Explanation | None:
    """A schedule that explains the rows with the skipped steps that their rates show, simpler than without."""
    for skips in exact_lags(rows, run.declared):
        found = after_skips(rows, run, skips)
        late = plain is not None and plain.draft is not None and plain.draft.starts[0] > 0
        if found is not None and (plain is None or found.phases < plain.phases + late):
            return found
    return None


def _with_skips(rows: Observations, run: RunContext, seen: tuple[Segment, ...]) -> Explanation | None:
    """A schedule that explains the rows, if some steps were skipped."""
    skips: list[Skip] = []
    shifted, done = rows, set[int]()
    for _ in range(_MOST_TURNS):
        rough = shifted.rough()
        left = [segment for segment in seen if segment.first not in done and segment.arc.kind is not HOLD]
        if not left or len(seen) > MOST_PHASES or seen[-1].stop < len(rows):
            break
        longest = max(left, key=lambda segment: segment.stop - segment.first)
        done.add(longest.first)
        found = skips_around(rough, longest)
        if found:
            skips += found
            shifted = without_skips(rows, skips)
            seen = _segments_of(shifted)
    if not skips or total_skipped(skips) > _MOST_LOST * (rows.x[-1] - rows.x[0]):
        return None
    again = skip_after_restart(shifted, seen)
    ideas = [(skips, seen), *([([*skips, *again], None)] if again else [])]
    explained = (after_skips(rows, run, idea, known) for idea, known in ideas)
    return _first_exact(found for found in explained if found is not None)


def after_skips(
    rows: Observations, run: RunContext, skips: Sequence[Skip], known: tuple[Segment, ...] | None = None
) -> Explanation | None:
    """A schedule that explains the rows, if these steps were skipped; `known` are their segments then."""
    shifted = without_skips(rows, skips)
    seen = _segments_of(shifted) if known is None else known
    explained = _as_phases(shifted, run.shortened(total_skipped(skips)), seen)
    if explained is None or _skips_a_cycle(explained, shifted, skips):
        return None
    if skips_explain_rows(explained.plan, explained.origin, shifted, skips):
        return None
    return replace(explained, skips=tuple(sorted(skips)), rows=shifted)


def _skips_a_cycle(found: Explanation, shifted: Observations, skips: Sequence[Skip]) -> bool:
    """Whether so many steps are skipped at a place as most of a cycle has: a run goes through each of its cycles."""
    for row, count in skips:
        phase = found.plan.phase_at(int(steps_at(shifted.x[[row]], found.origin)[0]))
        if phase.cycle is not None and phase.steps and count > _MOST_OF_A_CYCLE * phase.steps:
            return True
    return False
