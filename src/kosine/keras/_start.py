"""What a run says before its first batch: what it will do, and what is odd about where it starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from kosine._analysis.lint.lint import LONGEST_WARMUP
from kosine._analysis.lint.plan_facts import PlanFacts
from kosine._analysis.past import how_to_share_the_past
from kosine._core.schedule import Plan, Schedule
from kosine.errors import ArgumentError, ArgumentTypeError
from kosine.keras._internals import iterations, rate_variable
from kosine.keras._parts import read_pattern

EVERY_PART = ""
"""The pattern of a schedule that was given alone."""

_SAME = 1e-5
"""The share by which two rates may differ and be the same: the one was rounded to float32, or to bfloat16's graph."""


def read_schedules(value: object) -> dict[str, Schedule | Plan]:
    """The schedules by pattern; EVERY_PART is the pattern of one that stands alone."""
    if not isinstance(value, Mapping):
        return {EVERY_PART: read_schedule(value, "schedule")}
    if not value:
        raise ArgumentError(argument="schedule", rule='at least one pattern, such as {".*": schedule}', received=value)
    if not all(isinstance(pattern, str) and pattern for pattern in value):
        raise ArgumentTypeError(
            argument="schedule", rule='patterns such as "backbone/.*" as keys', received=list(value)
        )
    return {read_pattern(pattern, "schedule"): read_schedule(each, "schedule") for pattern, each in value.items()}


def read_schedule(value: object, argument: str) -> Schedule | Plan:
    if isinstance(value, Schedule | Plan):
        return value
    raise ArgumentTypeError(
        argument=argument,
        rule='a kosine Schedule or Plan, such as `warmup_cosine(peak=1e-3, warmup="5ep")`',
        received=value,
    )


def in_one_line(plan: Plan) -> str:
    """What a plan does, for a line above the training's own."""
    facts = PlanFacts(plan, LONGEST_WARMUP)
    said = []
    if facts.warmup and facts.warmup[-1].steps is not None:
        said.append(f"warm-up until {_at(plan, facts.warmup[-1].stop)}")
    said.append(f"peak {facts.peak:.6g}")
    if plan.total_steps is not None:
        said.append(f"{plan(plan.total_steps - 1):.6g} at the end, {_at(plan, plan.total_steps)}")
    return ", ".join(said)


def _at(plan: Plan, step: int) -> str:
    per_epoch = plan.run.steps_per_epoch
    return f"step {step:,}" + ("" if per_epoch is None else f" (epoch {step / per_epoch:.6g})")


def what_is_odd_about_going_on(plan: Plan, step: int, followed: list[tuple[Any, Plan]], epoch: int) -> str:
    """What a user should know of a run whose first step is not the plan's; empty where it goes on as it was.

    Args:
        plan: the plan of the model.
        step: its first step in this run.
        followed: the optimizers, each with the plan that it follows.
        epoch: the first epoch.
    """
    rate = plan(step)
    if iterations(followed[0][0]) == 0:
        if rate == plan(0) and not PlanFacts(plan, LONGEST_WARMUP).warmup:
            return ""
        return (
            f"`fit` starts at epoch {epoch}, which is step {step:,} of the schedule (rate {rate:.6g}), but the "
            "optimizer has done no update: what comes before that step is never trained. For a new phase of training "
            'with this schedule from its beginning, pass origin="fit". For a run that goes on, restore the optimizer, '
            'too, as BackupAndRestore and load_model do; origin="run" says that this start is meant.'
        )
    for optimizer, own in followed:
        last = _last_rate(optimizer, step)
        planned = own(step - 1)
        if last is None or abs(last - planned) <= _SAME * max(last, planned):
            continue
        whose = "the optimizer's last rate" if len(followed) == 1 else f"the last rate of {optimizer.name}"
        return (
            f"The run jumps: {whose} was {last:.6g}, and the schedule has {planned:.6g} at that step; it goes on with "
            f"{own(step):.6g} at step {step:,}. {how_to_share_the_past(None, step)} A run that is extended follows the "
            'plan that it began with where that plan is passed; origin="run" says that the jump is meant.'
        )
    return ""


def _last_rate(optimizer: Any, step: int) -> float | None:
    """The rate of the optimizer's last update, where that is the one before a step, and is known."""
    variable = rate_variable(optimizer)
    if variable is None or iterations(optimizer) != step:
        return None
    return float(keras.ops.convert_to_numpy(variable))
