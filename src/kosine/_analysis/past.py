"""Whether a run that goes on along a plan has that plan's past: the steps that it has done along another one."""

from __future__ import annotations

from dataclasses import replace

from kosine._analysis.differences import DifferenceSearch
from kosine._analysis.lint.plan_facts import PlanFacts
from kosine._core.schedule import Plan

TOLERANCE = 1e-9  # of the peak: rates that are nearer are the same


def first_difference(before: Plan, now: Plan, step: int) -> int | None:
    """The first of the steps before `step` at which two plans have other rates; None where they share their past.

    Phases that both plans share are not evaluated, so it costs the same after a thousand steps and after 10**9.
    """
    if before == now or step == 0:
        return None
    before, now = (
        plan if plan.total_steps is not None else Plan(plan.schedule, replace(plan.run, total_steps=step + 1))
        for plan in (before, now)
    )
    peak = max(PlanFacts(plan, 1.0).peak for plan in (before, now))
    return DifferenceSearch(before, now, step, TOLERANCE, peak).difference("").first_step


def rates_at(before: Plan, now: Plan, step: int) -> tuple[str, str]:
    """The two rates at a step, with as many digits as tell them apart."""
    rates = before(step), now(step)
    digits = next((digits for digits in (6, 9, 12) if f"{rates[0]:.{digits}g}" != f"{rates[1]:.{digits}g}"), 17)
    return f"{rates[0]:.{digits}g}", f"{rates[1]:.{digits}g}"


def how_to_share_the_past(first: int | None, step: int) -> str:
    """What to do about a run that has done `step` steps, of which `first` is the first that differs, where known."""
    branch = (
        f"make the branch from the plan that the run began with, at step {step:,} or later, such as "
        f"`plan.cooldown(at={step}, over=...)` or `plan.extend(at={step}, total_steps=..., how=...)`: its past is the "
        "same"
    )
    if not first:
        return f"To change only what comes, {branch}."
    return (
        f"The two plans are the same before step {first:,}: go on from a checkpoint of that step or an earlier one. "
        f"Or {branch}."
    )
