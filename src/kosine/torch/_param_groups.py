"""Param groups of an optimizer, and the plan that each follows."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch

from kosine._core.schedule import Plan
from kosine.errors import ArgumentTypeError, Described, TrainingError, shown


class GroupPlan(NamedTuple):
    """An entry of the param groups, a plan for it, and the groups that follow it, with their ratios."""

    name: str
    plan: Plan
    members: list[tuple[int, float]]


def read_plans(value: object, argument: str) -> Plan | list[Plan]:
    if isinstance(value, Plan):
        return value
    plans = [plan for plan in value if isinstance(plan, Plan)] if isinstance(value, list | tuple) else []
    if isinstance(value, list | tuple) and len(plans) == len(value) > 0:
        return plans
    raise ArgumentTypeError(
        f"Argument `{argument}` must be a kosine Plan, or a list of Plans: call "
        "`schedule.plan(total_steps=...)` first.",
        received=Described(f"{argument}={shown(value)}{odd(value)}"),
    )


def odd(value: object) -> str:
    """Which element of a list is not a plan."""
    if not isinstance(value, list | tuple):
        return ""
    return next(
        (f", whose element {i} is {shown(one)}" for i, one in enumerate(value) if not isinstance(one, Plan)), ""
    )


def same_group(group: dict[str, Any], groups: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The group among others; an optimizer that loads a state makes new groups, but keeps their lists of parameters."""
    return next((other for other in groups if other["params"] is group["params"]), None)


def group_plans(
    groups: list[dict[str, Any]], plans: dict[str, Plan | list[Plan]], first_group: dict[str, Any]
) -> list[GroupPlan]:
    """What each group follows. It notes initial values in the groups, once all of them are known to be right."""
    initials: dict[str, list[float]] = {}
    courses = []
    for name, given in plans.items():
        first, *initials[name] = initial_values([first_group, *groups], name)
        if isinstance(given, Plan):
            courses.append(GroupPlan(name, given, list(enumerate(group_ratios(first, initials[name], name)))))
            continue
        if len(given) != len(groups):
            raise TrainingError(
                "A list of plans must have one for each param group.",
                received=Described(f"{len(given)} plans for `{name}`, {len(groups)} groups"),
                fix="Where a group was added later, build a new PlanLR and call `step(n)` on it.",
            )
        courses += [GroupPlan(name, plan, [(index, 1.0)]) for index, plan in enumerate(given)]
    for name, values in initials.items():
        for group, initial in zip(groups, values, strict=True):
            group.setdefault(f"initial_{name}", initial)
    part_tensors(groups, courses)
    return courses


def initial_values(groups: list[dict[str, Any]], name: str) -> list[float]:
    values: list[float] = []
    shared: dict[int, float] = {}
    for group in groups:
        number = number_of(group, name)
        if f"initial_{name}" in group:
            value = float(group[f"initial_{name}"])
        elif id(number) in shared:  # the default of an optimizer is the tensor of its groups, which follows the plan
            value = shared[id(number)]
        else:
            value = float(number)
        if isinstance(number, torch.Tensor):
            shared[id(number)] = value
        values.append(value)
    return values


def group_ratios(first: float, initials: list[float], name: str) -> list[float]:
    received = Described(f"{initials}{'' if first in initials else f', to {first}'}")
    if not all(math.isfinite(value) and value >= 0 for value in [first, *initials]):
        raise TrainingError(
            f"The initial `{name}` of every param group must be finite and >= 0: "
            "groups keep their ratio to the first's.",
            received=received,
            fix="Correct it, or pass a list of plans, one for each group.",
        )
    ratios = [1.0 if value == first else value / first if first else math.inf for value in initials]
    if not all(map(math.isfinite, ratios)):
        raise TrainingError(
            f"The first param group's initial `{name}` must not be 0 where another's is not, nor too small to divide "
            "by: groups keep their ratio to it.",
            received=received,
            fix="Pass a list of plans, one for each group.",
        )
    return ratios


def part_tensors(groups: list[dict[str, Any]], courses: list[GroupPlan]) -> None:
    """Give a separate tensor to each group that would share one with a group of another rate."""
    owners: dict[tuple[str, int], tuple[Plan, float]] = {}
    for course in courses:
        for index, ratio in course.members:
            number = number_of(groups[index], course.name)
            follows = (course.plan, ratio)
            if not isinstance(number, torch.Tensor) or owners.setdefault((course.name, id(number)), follows) == follows:
                continue
            put_value(groups[index], course.name, number.clone())


def number_of(group: dict[str, Any], name: str) -> Any:
    """The number that a plan drives: an entry of the group, or the first element of one that is a tuple."""
    entry = group.get(name)
    number = entry[0] if isinstance(entry, tuple | list) and entry else entry
    if isinstance(number, torch.Tensor) and number.numel() == 1 and name != "params":
        if not number.is_floating_point() or number.requires_grad:
            raise TrainingError(
                f"A tensor as `{name}` must be a floating-point one, and must not require a gradient: the plan "
                "fills it.",
                received=number,
                fix="Pass a float, or a tensor such as `torch.tensor(0.1)`.",
            )
        return number
    if isinstance(number, int | float) and not isinstance(number, bool):
        return number
    raise TrainingError(
        f"`{name}` must be a number in every param group, or a tuple whose first element is one.",
        received=Described(f"{name}={shown(entry)} in a group with: {', '.join(group)}"),
    )


def put_value(group: dict[str, Any], name: str, number: object) -> None:
    entry = group[name]
    group[name] = type(entry)((number, *entry[1:])) if isinstance(entry, tuple | list) else number
