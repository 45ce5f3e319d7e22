"""A schedule whose steps are the log's own, for a log that begins in the middle of a run.

The phases that a log shows begin where their curves do: some steps after the log's step 0, or before it. The rates
before the first row are in no log. They are taken as a warm-up where a decay begins after a few steps, else as level;
phases that began before step 0 are entered late.
"""

from __future__ import annotations

from dataclasses import replace

from kosine._core.curves.hold import hold
from kosine._core.curves.linear import linear
from kosine._core.groups import Part, fills_rest, section
from kosine._core.phase import Phase
from kosine._core.schedule import Plan, Schedule
from kosine._logs.infer.run_context import RunContext
from kosine.errors import PlanError, ScheduleError

_SHORT = 0.15  # of the run: no warm-up is longer


def at_own_steps(plan: Plan, origin: int, first: float, run: RunContext) -> tuple[Plan, int]:
    """The plan and the position of its first step, which is one at which logs count from where it can be.

    Args:
        plan: what explains the log.
        origin: the position of its first step.
        first: the position of the log's first row; a plan has no steps below 0.
        run: what else is known of the run.
    """
    total = plan.run.total_steps
    if first < 0 or origin in run.origins or (total is not None and total + origin < 1):
        return plan, origin
    parts = (
        _later(plan, origin, first, run) if origin > 0 else (section(*plan.schedule.parts, skip=run.duration(-origin)),)
    )
    size = plan.run if total is None else replace(plan.run, total_steps=total + origin)
    try:
        return Plan(Schedule(*parts), size), 0
    except (PlanError, ScheduleError):  # beyond 2**63 steps
        return plan, origin


def _later(plan: Plan, origin: int, row: float, run: RunContext) -> tuple[Part, ...]:
    """The parts with a level rate before them; `row` is the position of the first row."""
    first, *others = plan.schedule.parts
    if not (isinstance(first, Phase) and first.curve.keeps_value):
        before = _unseen(plan, origin, row, run)
        return before, replace(first, start=None) if isinstance(first, Phase) else first, *others
    if fills_rest(first):
        return first, *others
    return hold(run.duration(plan.phases[0].stop + origin), start=plan(0)), *others


def _unseen(plan: Plan, origin: int, row: float, run: RunContext) -> Phase:
    """What may come before a plan in a log: a warm-up, where it is short and a decay follows, but no row is in it."""
    first, total = plan.phases[0], plan.run.total_steps
    is_short = total is not None and origin <= min(_SHORT * (total + origin), row)
    if is_short and plan(first.stop - 1) < plan(0):
        return linear(run.duration(origin), start=0.0, to=plan(0))
    return hold(run.duration(origin), start=plan(0))
