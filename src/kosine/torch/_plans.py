"""Plans as arguments: a plan, a schedule or its text; alone, one for each param group, or by the groups' names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kosine._core.json_form import loads
from kosine._core.run import read_run
from kosine._core.schedule import Plan, Schedule
from kosine._core.text_form import parse
from kosine.errors import ArgumentTypeError, Described, PlanError, TrainingError, shown
from kosine.torch._count import A_STEP, Count, check_steps

PlanLike = Plan | Schedule | str
"""What a number of the param groups may follow: a plan, or a schedule or its text, which the run's size makes one."""

Plans = Plan | list[Plan] | dict[str, Plan]
"""A plan for all param groups; one for each, in order; or one for each, by the groups' names."""

_RULE = (
    "a Plan, a Schedule, or the text of one; or a list of them, one for each param group; or a mapping of them by the "
    "groups' names"
)


def read_entries(
    plan: object, entries: Mapping[str, object], size: Mapping[str, Any], count: Count = "steps"
) -> dict[str, Plans]:
    """The plans of all numbers that are driven, by name; that of the learning rate is the first, "lr"."""
    if "lr" in entries:
        raise TrainingError(
            "The learning rate follows the argument `plan`.",
            received=Described("both `plan` and `lr`"),
            fix="Leave `lr` out.",
        )
    if "betas" in entries and "beta1" in entries:
        raise TrainingError(
            "`betas` drives the first of the betas, and so does `beta1`.",
            received=Described("both"),
            fix="Leave one of them out; the second is `beta2`.",
        )
    if count != "steps":
        size = {A_STEP[count]: 1, **size}
    arguments = {"lr": ("plan", plan), **{name: (name, given) for name, given in entries.items()}}
    return {name: read_plans(given, argument, size, count) for name, (argument, given) in arguments.items()}


def read_plans(value: Any, argument: str, size: Mapping[str, Any], count: Count) -> Plans:
    """One argument. Configurations such as OmegaConf's are sequences and mappings of their own."""
    if isinstance(value, PlanLike):
        return _read_plan(value, argument, size, count)
    kind = type(value)
    if hasattr(kind, "keys") and hasattr(kind, "__getitem__"):
        named = {name: _read_plan(value[name], f"{argument}[{name!r}]", size, count) for name in value}
        if named and all(isinstance(name, str) for name in named):
            return named
    elif isinstance(value, Sequence) or (hasattr(kind, "__len__") and hasattr(kind, "__getitem__")):
        listed = [_read_plan(value[index], f"{argument}[{index}]", size, count) for index in range(len(value))]
        if listed:
            return listed
    raise ArgumentTypeError(argument=argument, rule=_RULE, received=value)


def _read_plan(value: object, argument: str, size: Mapping[str, Any], count: Count) -> Plan:
    if isinstance(value, str):
        value = loads(value) if value.lstrip().startswith("{") else parse(value)
    if isinstance(value, Schedule):
        value, size = value.plan(**size), {}
    if not isinstance(value, Plan):
        rule = "a Plan, a Schedule, or the text of one" if "[" in argument else _RULE
        raise ArgumentTypeError(argument=argument, rule=rule, received=value)
    check_steps(value, argument, count)
    known = {**value.run.known(), "total_steps": value.total_steps}
    asked = read_run(**size).known()
    if any(known.get(name) != number for name, number in asked.items()):
        raise PlanError(
            "A Plan has the size of its run already.",
            received={argument: value, **{name: Described(shown(number)) for name, number in asked.items()}},
            fix="Leave the size out, or pass the Schedule: `plan.schedule`.",
        )
    return value


def listed(plans: Plans) -> list[Plan]:
    """The plans, in the order in which param groups are given to them."""
    return [plans] if isinstance(plans, Plan) else list(plans.values() if isinstance(plans, dict) else plans)


def keyed(plans: Plans) -> dict[object, Plan]:
    """The plans by what they are for: None for all param groups, a number or a name for one."""
    if isinstance(plans, Plan):
        return {None: plans}
    return dict(plans.items()) if isinstance(plans, dict) else dict(enumerate(plans))


def end_of(plans: Iterable[Plan]) -> int | None:
    """The step after the last that any of the plans is for; None where one goes on.

    A plan for a run with a length ends with it. One without a length stays at its last value on purpose, such as after
    a warm-up, unless that is 0.
    """
    ends = [
        plan.total_steps if plan.run.total_steps is not None or plan.after.first_lr == 0 else None for plan in plans
    ]
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) else None


def plan_with_cycles(plans: Plans) -> Plan:
    """The plan with the most cycles, of several for param groups: others may be those of frozen ones."""
    return max(listed(plans), key=lambda plan: plan.cycle_ends.size)
