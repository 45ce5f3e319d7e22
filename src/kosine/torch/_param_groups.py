"""Param groups of an optimizer, and the plan that each follows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from kosine._core.schedule import Plan
from kosine.errors import Described, TrainingError, shown
from kosine.torch._plans import Plans

Group = dict[str, Any]
Key = tuple[str, int]
"""An entry of the param groups, and the number of a group."""


class GroupPlan(NamedTuple):
    """An entry of the param groups, a plan for it, and the groups that follow it, each with its factor."""

    name: str
    plan: Plan
    members: list[tuple[int, float]]


class Groups(NamedTuple):
    """The groups of an optimizer, and those that its scheduler knows already.

    Attributes:
        groups: those of the optimizer.
        first: the one that ratios refer to; it may have been removed from the optimizer.
        known: those that the scheduler drives; none at its start.
        now: by entry, the first group's value at the moment, where there are known groups.
        defaults: the optimizer's own values, which a group has that is added without one.
        relative: whether a plan's values are factors of each group's initial value.
    """

    groups: list[Group]
    first: Group
    known: list[Group]
    now: Mapping[str, float]
    defaults: Mapping[str, Any]
    relative: bool

    def plans(self, plans: Mapping[str, Plans]) -> list[GroupPlan]:
        """What each group follows. It notes initial values in them, once all of them are known to be right."""
        initials: dict[str, list[float]] = {}
        courses = []
        for name, given in plans.items():
            first, *initials[name] = self._initial_values(name)
            courses += self._courses(name, given, first, initials[name])
        for name, values in initials.items():
            for group, initial in zip(self.groups, values, strict=True):
                group.setdefault(f"initial_{name}", initial)
        part_tensors(self.groups, courses)
        return courses

    def _courses(self, name: str, given: Plans, first: float, initials: list[float]) -> list[GroupPlan]:
        if isinstance(given, Plan):
            factors = finite(initials, name) if self.relative else group_ratios(first, initials, name)
            return [GroupPlan(name, given, list(enumerate(factors)))]
        factors = finite(initials, name) if self.relative else [1.0] * len(self.groups)
        if isinstance(given, dict):
            names = [self._name_of(group) for group in self.groups]
            self._check_names(name, list(given), names)
            members = list(zip(names, range(len(names)), factors, strict=True))
            return [
                GroupPlan(name, plan, [(index, factor) for label, index, factor in members if label == called])
                for called, plan in given.items()
            ]
        if len(given) != len(self.groups):
            raise TrainingError(
                "A list of plans must have one for each param group.",
                received=Described(f"{len(given)} plans for `{name}`, {len(self.groups)} groups"),
                fix="Where a group was added later, build a new PlanLR and call `step(n)` on it.",
            )
        return [
            GroupPlan(name, plan, [(index, factor)])
            for index, (plan, factor) in enumerate(zip(given, factors, strict=True))
        ]

    def _name_of(self, group: Group) -> object:
        """A group's name; a state without names that the optimizer loads takes it away from the group."""
        return group.get("name", (same_group(group, self.known) or {}).get("name"))

    def _check_names(self, entry: str, plans: list[str], names: list[object]) -> None:
        unused = [] if self.known else [name for name in plans if name not in names]  # a group may be removed later
        if unused or any(name not in plans for name in names):
            raise TrainingError(
                'Plans by name must be for the names of the param groups, `group["name"]`, and each group must have '
                "one.",
                received=Described(f"plans for `{entry}`: {shown(plans)}; names of the groups: {shown(names)}"),
            )

    def _initial_values(self, name: str) -> list[float]:
        """Those of the first group, and of each."""
        values: list[float] = []
        shared: dict[int, float] = {}
        for group in (self.first, *self.groups):
            number = number_of(group, name)
            if f"initial_{name}" in group:
                value = float(group[f"initial_{name}"])
            elif (
                id(number) in shared
            ):  # the default of an optimizer is the tensor of its groups, which follows the plan
                value = shared[id(number)]
            else:
                value = self._added(group, name, float(number), values[0] if values else math.nan)
            if isinstance(number, torch.Tensor):
                shared[id(number)] = value
            values.append(value)
        return values

    def _added(self, group: Group, name: str, value: float, first: float) -> float:
        """The initial value of a group that has none yet.

        One that is added to a run at a value no higher than the first group's now has been lowered already: it keeps
        its share of the first group's.
        """
        now = self.now.get(name, 0.0)
        if not 0 < value <= now or value == self.defaults.get(name) or same_group(group, self.known):
            return value
        return value / now * first


def same_group(group: Group, groups: list[Group]) -> Group | None:
    """The group among others; an optimizer that loads a state makes new groups, but keeps their lists of parameters."""
    return next((other for other in groups if other["params"] is group["params"]), None)


def finite(initials: list[float], name: str) -> list[float]:
    if not all(math.isfinite(value) and value >= 0 for value in initials):
        raise TrainingError(
            f"The initial `{name}` of every param group must be finite and >= 0: the plan's values are factors of it.",
            received=Described(str(initials)),
        )
    return initials


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


def part_tensors(groups: list[Group], courses: list[GroupPlan]) -> None:
    """Give a separate tensor to each group that would share one with a group of another rate."""
    owners: dict[tuple[str, int], tuple[Plan, float]] = {}
    for course in courses:
        for index, ratio in course.members:
            number = number_of(groups[index], course.name)
            follows = (course.plan, ratio)
            if not isinstance(number, torch.Tensor) or owners.setdefault((course.name, id(number)), follows) == follows:
                continue
            put_value(groups[index], course.name, number.clone())


def _place(group: Group, name: str) -> tuple[str, int]:
    """The entry of a group that a number is in, and its position where the entry is a tuple."""
    if name in ("beta1", "beta2") and name not in group:
        return "betas", int(name[-1]) - 1
    return name, 0


def number_of(group: Group, name: str) -> Any:
    """The number that a plan drives: an entry of the group, or an element of one that is a tuple."""
    entry_name, position = _place(group, name)
    entry = group.get(entry_name)
    number = entry[position] if isinstance(entry, tuple | list) and len(entry) > position else entry
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
        fix="The two `betas` are `beta1` and `beta2`." if name in ("beta1", "beta2") else "",
    )


def put_value(group: Group, name: str, number: object) -> None:
    entry_name, position = _place(group, name)
    entry = group[entry_name]
    if isinstance(entry, tuple | list):
        number = type(entry)((*entry[:position], number, *entry[position + 1 :]))
    group[entry_name] = number


def noted(groups: list[Group], names: Mapping[str, Plans]) -> dict[Key, Any]:
    """The numbers that are in groups which a scheduler has driven before: they have an initial value."""
    return {
        (name, index): number.clone() if isinstance(number, torch.Tensor) else number
        for name in names
        for index, group in enumerate(groups)
        if f"initial_{name}" in group
        for number in [number_of(group, name)]
    }


def is_at(number: Any, value: float) -> bool:
    """Whether a number of a group is a plan's value, but for the rounding of another machine."""
    if isinstance(number, torch.Tensor):
        value = torch.as_tensor(value, dtype=number.dtype).item()
    return math.isclose(float(number), value, rel_tol=1e-6)


def set_by_others(
    numbers: Mapping[Key, Any], courses: list[GroupPlan], then: Mapping[str, list[Plan]], step: int
) -> dict[Key, Any]:
    """Those numbers which are not what the plans `then` had set at a step, nor are all others of their entry."""
    kept: dict[Key, Any] = {}
    for name, plans in then.items():
        own = [course for course in courses if course.name == name]
        if len(own) != len(plans):
            continue
        wanted = {
            (name, index): plan(step) * factor
            for course, plan in zip(own, plans, strict=True)
            for index, factor in course.members
        }
        there = {key: numbers[key] for key in wanted if key in numbers}
        if not all(is_at(number, wanted[key]) for key, number in there.items()):
            kept |= there
    return kept
