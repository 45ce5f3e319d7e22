"""A plan as a torch learning-rate scheduler, whose only state is the step."""

from __future__ import annotations

import operator
import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from kosine.errors import ArgumentTypeError, KosineError, StepError, TrainingError, TrainingWarning, shown
from kosine.notation import dumps, loads
from kosine.plan import Plan

_LONGEST_TEXT = 1_000  # characters of a plan that a warning shows


class PlanLR(LRScheduler):  # type: ignore[misc]  # PyTorch's types are not read
    """Drives a torch optimizer along a plan: a `torch.optim.lr_scheduler.LRScheduler` whose only state is the step.

    The update of batch t uses plan(t), times the ratio of its param group. Building it sets the rates of step 0; each
    `step()`, called after `optimizer.step()`, sets those of the next. Building it neither steps nor patches anything:
    it writes into the param groups, and registers one hook that sets the rates anew when the optimizer loads a state.

    Param groups: with one plan the first group follows the plan, and every other group the plan times

        ratio = its initial rate / the first group's initial rate.

    A group's initial rate is its `initial_lr` where it has one, as torch has it, else its `lr`, which is then noted as
    its `initial_lr`: optimizers save that, so ratios outlast a resume. The ratio is 1 where the initial rates are the
    same, be they 0. With a list of plans each group follows its own, and there are no ratios. A group that is added
    later joins at the next `step()`, and the rate that it was added with is its initial one; to let it join at once,
    call `step(scheduler.last_epoch)`. With a list there is no plan for it, and `step()` says so.

    Other numbers in the param groups follow the plans that are given by their names, such as `momentum=` or
    `weight_decay=`, by the same rules and with `initial_momentum` and so on. Of an entry that is a tuple, such as
    `betas`, the first element is driven.

    A rate that is a tensor is filled in place and stays the same object, also when the optimizer loads a state, so that
    compiled and captured steps see it. Groups that share a tensor but not a rate get a tensor each.

    Resuming: build it as before, and load its state before or after the optimizer's own. The state holds the step, and
    the plans to compare with: a scheduler that was built with another plan follows its own from that step on, and
    warns. That is how a run is extended. From the state of another scheduler it takes `last_epoch` as the step, and
    warns.

    Args:
        optimizer: any `torch.optim.Optimizer`.
        plan: what the learning rate follows; or a list of plans, one for each param group.
        entries: by name, a plan or a list of plans that another number in the param groups follows.

    Attributes:
        optimizer: the optimizer.
        plan: the plan, or the list of plans.
        last_epoch: the step whose rates are in the param groups: that of the next update. (The name is torch's, for
            whom an epoch is a call of `step()`.) Setting it is the same as `step(n)`.
        base_lrs: the initial rate of each group.

    Raises:
        ArgumentTypeError: no optimizer, or no plan; plan a `Schedule` first.
        TrainingError: a list of plans that does not match the groups, a name that is no number in the groups, or a
            first group whose initial value is 0 while another's is not.

    Example:
        >>> import torch
        >>> import kosine as ks
        >>> body, head = torch.nn.Linear(4, 4), torch.nn.Linear(4, 1)
        >>> groups = [{"params": body.parameters()}, {"params": head.parameters(), "lr": 0.01}]
        >>> optimizer = torch.optim.SGD(groups, lr=0.1)
        >>> scheduler = ks.torch.PlanLR(optimizer, ks.warmup_cosine(peak=0.1, warmup=2).plan(total_steps=6))
        >>> for step in range(6):
        ...     print(step, [round(rate, 5) for rate in scheduler.get_last_lr()])
        ...     optimizer.step()
        ...     scheduler.step()
        0 [0.0, 0.0]
        1 [0.05, 0.005]
        2 [0.1, 0.01]
        3 [0.08536, 0.00854]
        4 [0.05, 0.005]
        5 [0.01464, 0.00146]
    """

    _step_count = 1  # accelerate adds to it while gradients accumulate

    _plans: dict[str, Plan | list[Plan]]
    _groups: list[dict[str, Any]]  # those that `_courses` are for
    _courses: list[_Course]
    _tensors: list[tuple[int, str, torch.Tensor]]  # by group and entry: what is filled in place
    _first: int  # the step is _first + _offset
    _offset: int
    _fast: tuple[int, Callable[[int], float], int, list[float] | None]
    """What `step` needs as long as nothing but rates is driven and the phase goes on: the offset at which it stops, the
    rate at an offset, the number of groups, and their ratios, None where all are 1."""
    _rate: object  # what was written into the last group

    def __init__(self, optimizer: Optimizer, plan: Plan | Sequence[Plan], **entries: Plan | Sequence[Plan]) -> None:
        if not isinstance(optimizer, Optimizer):
            raise ArgumentTypeError(
                f"Argument `optimizer` must be a torch.optim.Optimizer. Received: optimizer={shown(optimizer)}."
            )
        if "lr" in entries:
            raise TrainingError(
                "The learning rate follows the argument `plan`. Received: both `plan` and `lr`. Leave `lr` out."
            )
        if "last_epoch" in entries:
            raise TrainingError(
                "A PlanLR is built at step 0: to resume, call `load_state_dict`, or `step(n)`. "
                f"Received: last_epoch={shown(entries['last_epoch'])}."
            )
        plans = {"lr": _read_plans(plan, "plan")}
        plans |= {name: _read_plans(value, name) for name, value in entries.items()}
        self._start(optimizer, plans, 0)

    def _start(self, optimizer: Optimizer, plans: dict[str, Plan | list[Plan]], step: int) -> None:
        self.optimizer = optimizer
        self._plans = plans
        self._groups = []
        self._rate = None
        self._set_rates(step)
        this = weakref.ref(self)  # an optimizer that outlives its scheduler is free of it

        def after_load(_: Optimizer) -> None:
            scheduler = this()
            if scheduler is not None:
                scheduler._after_load()

        owner: Any = optimizer
        while owner is not None:
            try:
                owner.register_load_state_dict_post_hook(after_load)
                break
            except AttributeError:  # a wrapper, such as accelerate's, that has no hooks of its own
                owner = getattr(owner, "optimizer", None)

    @property
    def plan(self) -> Plan | list[Plan]:
        return self._plans["lr"]

    @property
    def last_epoch(self) -> int:
        return self._first + self._offset

    @last_epoch.setter
    def last_epoch(self, step: int) -> None:
        if step == -1:
            raise TrainingError(
                "A PlanLR is at a step >= 0. Received: last_epoch=-1. It cannot be a part of torch's SequentialLR, "
                "which sets its parts back by a step: put all phases into one Schedule."
            )
        self.step(step)

    @property
    def base_lrs(self) -> list[float]:
        return [float(group["initial_lr"]) for group in self._groups]

    def step(self, epoch: int | None = None) -> None:
        """Set the rates of the next step, or those of step `epoch`. Call it after each `optimizer.step()`.

        Args:
            epoch: the step of the plan that the next update is, counted from 0: any step, in any order, as often as
                wanted. None: the one after `last_epoch`. (The name is torch's.)

        Raises:
            StepError: a step below 0 or above 2**63 - 1.
            ArgumentTypeError: no integer.
            TrainingError: a group was added whose values cannot follow: see the class.
        """
        if epoch is not None:
            self._courses[0].plan.phase_at(epoch)  # fails for what is no step
            self._set_rates(operator.index(epoch))
            return
        offset = self._offset + 1
        stop, value, count, ratios = self._fast
        groups = self.optimizer.param_groups
        if offset < stop and len(groups) == count and groups[-1]["lr"] is self._rate:
            self._offset = offset
            self._rate = rate = value(offset)
            if ratios is None:
                for group in groups:
                    group["lr"] = rate
            else:
                for group, ratio in zip(groups, ratios, strict=True):
                    group["lr"] = rate * ratio
                self._rate = groups[-1]["lr"]
        else:  # another phase, something else to drive, or somebody has changed the groups
            self._set_rates(self._first + offset)

    def get_last_lr(self) -> list[float]:
        """The rate of each param group that was set last: before `optimizer.step()`, the one that this update will use.

        It is worked out from the plan, as a float: a tensor in a group holds what its type keeps of it, and reading
        it would wait for the device. A group that has been added is missing until it has joined.
        """
        return self.get_lr()

    def get_lr(self) -> list[float]:
        """The same as `get_last_lr`."""
        rates = [0.0] * len(self._groups)
        for course in self._courses:
            if course.name == "lr":
                rate = course.plan(self.last_epoch)
                for index, ratio in course.members:
                    rates[index] = rate * ratio
        return rates

    def state_dict(self) -> dict[str, Any]:
        """The step, as `last_epoch`, and the plans as JSON texts: a dict that `torch.load(weights_only=True)` reads."""
        return {"last_epoch": self.last_epoch, "plans": _texts(self._plans)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go to the step that the state holds, along the plan that this scheduler was built with.

        Args:
            state_dict: from `state_dict`; or from another scheduler, of which `last_epoch` counts.

        Raises:
            TrainingError: no step in it.

        Warns:
            TrainingWarning: the state was saved with another plan, or by another scheduler.
        """
        try:
            step = operator.index(state_dict["last_epoch"])
            self._courses[0].plan.phase_at(step)
        except (KeyError, TypeError, StepError) as error:
            raise TrainingError(
                "The state must hold the step, an integer >= 0, as `last_epoch`. "
                f"Received: last_epoch={shown(state_dict.get('last_epoch'))}, among: {', '.join(map(str, state_dict))}."
            ) from error
        self._set_rates(step)
        saved = state_dict.get("plans")
        if not isinstance(saved, Mapping):
            _warn(
                "The state is not a PlanLR's: its `last_epoch` was taken as the step. If it counts something else, "
                "call `scheduler.step(n)`.",
                f"The next update is that of step {step}, and its rates are: "
                f"{', '.join(f'{rate:.6g}' for rate in self.get_lr())}.",
            )
        elif difference := _difference(saved, _texts(self._plans), step):
            _warn(
                "The state was saved with another plan. The run follows the plan that this PlanLR was built with.",
                f"The difference between the plan then and now:\n{difference}",
            )

    def __getstate__(self) -> dict[str, Any]:
        return {"optimizer": self.optimizer, "plans": self._plans, "step": self.last_epoch}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._start(**state)

    def __repr__(self) -> str:
        return f"PlanLR({type(self.optimizer).__name__}, {self.plan!r}, last_epoch={self.last_epoch})"

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # a compiled loop need not trace how a phase is found
    def _set_rates(self, step: int) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self._groups) or not all(map(operator.is_, groups, self._groups)):
            self._courses = _courses(groups, self._plans)
            self._groups = [*groups]
        self._tensors = []
        for course in self._courses:
            value = course.plan(step)
            for index, ratio in course.members:
                tensor = _write(groups[index], course.name, value * ratio)
                if tensor is not None:
                    self._tensors.append((index, course.name, tensor))
        self._first, self._offset = step, 0
        self._fast = 0, float, 0, None
        if len(self._courses) == 1 and not self._tensors:
            self._prepare_fast_path(self._courses[0], step)

    def _prepare_fast_path(self, course: _Course, step: int) -> None:
        row = course.plan.phase_at(step)
        ratios = [ratio for _, ratio in course.members]
        self._first, self._offset = row.first_step, step - row.first_step
        self._fast = (
            row.stop - row.first_step,
            row.function(),
            len(ratios),
            None if set(ratios) == {1.0} else ratios,
        )
        self._rate = self._groups[-1]["lr"]

    def _after_load(self) -> None:
        groups = self.optimizer.param_groups
        for index, name, tensor in self._tensors:
            if index < len(groups):  # a group may have been removed
                tensor.copy_(torch.as_tensor(_number(groups[index], name)))
                _put(groups[index], name, tensor)
        self._set_rates(self.last_epoch)


class _Course(NamedTuple):
    """An entry of the param groups, a plan for it, and the groups that follow it, with their ratios."""

    name: str
    plan: Plan
    members: list[tuple[int, float]]


def _read_plans(value: object, argument: str) -> Plan | list[Plan]:
    if isinstance(value, Plan):
        return value
    plans = [plan for plan in value if isinstance(plan, Plan)] if isinstance(value, list | tuple) else []
    if isinstance(value, list | tuple) and len(plans) == len(value) > 0:
        return plans
    raise ArgumentTypeError(
        f"Argument `{argument}` must be a kosine Plan, or a list of Plans: call `schedule.plan(total_steps=...)` "
        f"first. Received: {argument}={shown(value)}{_odd(value)}."
    )


def _odd(value: object) -> str:
    """Which element of a list is no plan."""
    if not isinstance(value, list | tuple):
        return ""
    return next(
        (f", whose element {i} is {shown(one)}" for i, one in enumerate(value) if not isinstance(one, Plan)), ""
    )


def _courses(groups: list[dict[str, Any]], plans: dict[str, Plan | list[Plan]]) -> list[_Course]:
    """What each group follows. It notes initial values in the groups, once all of them are known to be right."""
    initials = {name: _initial_values(groups, name) for name in plans}
    courses = []
    for name, given in plans.items():
        if isinstance(given, Plan):
            courses.append(_Course(name, given, list(enumerate(_ratios(initials[name], name)))))
            continue
        if len(given) != len(groups):
            raise TrainingError(
                f"A list of plans must have one for each param group. Received: {len(given)} plans for `{name}`, "
                f"{len(groups)} groups. Where a group was added later, build a new PlanLR and call `step(n)` on it."
            )
        courses += [_Course(name, plan, [(index, 1.0)]) for index, plan in enumerate(given)]
    for name, values in initials.items():
        for group, initial in zip(groups, values, strict=True):
            group.setdefault(f"initial_{name}", initial)
    _part_tensors(groups, courses)
    return courses


def _initial_values(groups: list[dict[str, Any]], name: str) -> list[float]:
    values: list[float] = []
    shared: dict[int, float] = {}
    for group in groups:
        number = _number(group, name)
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


def _ratios(initials: list[float], name: str) -> list[float]:
    first = initials[0]
    if first == 0 and any(initials):
        raise TrainingError(
            f"The first param group's initial `{name}` must not be 0 where another's is not: groups keep their ratio "
            f"to it. Received: {initials}. Pass a list of plans, one for each group."
        )
    return [1.0 if value == first else value / first for value in initials]


def _part_tensors(groups: list[dict[str, Any]], courses: list[_Course]) -> None:
    """Give a tensor of its own to each group that would share one with a group of another rate."""
    owners: dict[tuple[str, int], tuple[Plan, float]] = {}
    for course in courses:
        for index, ratio in course.members:
            number = _number(groups[index], course.name)
            follows = (course.plan, ratio)
            if not isinstance(number, torch.Tensor) or owners.setdefault((course.name, id(number)), follows) == follows:
                continue
            _put(groups[index], course.name, number.clone())


def _number(group: dict[str, Any], name: str) -> Any:
    """The number that a plan drives: an entry of the group, or the first element of one that is a tuple."""
    entry = group.get(name)
    number = entry[0] if isinstance(entry, tuple | list) and entry else entry
    if isinstance(number, torch.Tensor) and number.numel() == 1 and name != "params":
        return number
    if isinstance(number, int | float) and not isinstance(number, bool):
        return number
    raise TrainingError(
        f"`{name}` must be a number in every param group, or a tuple whose first element is one. "
        f"Received: {name}={shown(entry)} in a group with: {', '.join(group)}."
    )


def _put(group: dict[str, Any], name: str, number: object) -> None:
    entry = group[name]
    group[name] = type(entry)((number, *entry[1:])) if isinstance(entry, tuple | list) else number


def _write(group: dict[str, Any], name: str, value: float) -> torch.Tensor | None:
    """Set a number; returns the tensor that it was written into, if it is one."""
    entry = group[name]
    number = entry[0] if isinstance(entry, tuple | list) else entry
    if isinstance(number, torch.Tensor):
        return number.fill_(value)
    _put(group, name, value)
    return None


def _texts(plans: dict[str, Plan | list[Plan]]) -> dict[str, str | list[str]]:
    return {
        name: dumps(given) if isinstance(given, Plan) else [dumps(plan) for plan in given]
        for name, given in plans.items()
    }


def _warn(what: str, details: str) -> None:
    # Two warnings: Trainer catches them when it loads a state, and drops one that is alone (transformers 5.23).
    warnings.warn(what, TrainingWarning, stacklevel=3)
    warnings.warn(details, TrainingWarning, stacklevel=3)


def _difference(saved: Mapping[str, Any], own: Mapping[str, Any], step: int) -> str:
    """What a saved state and this scheduler drive differently, line by line; "" where nothing."""
    lines: list[str] = []
    for name in {**own, **saved}:
        theirs, ours = (
            given if isinstance(given, list) else [given] for given in (saved.get(name, []), own.get(name, []))
        )
        for index, (their_text, our_text) in enumerate(zip_longest(theirs, ours)):
            before, now = _loaded(their_text), _loaded(our_text)
            if before == now:
                continue
            group = f" of group {index}" if max(len(theirs), len(ours)) > 1 else ""
            lines.append(f"{name}{group} at step {step}: {_value(before, step)} then, {_value(now, step)} now")
            lines += [f"  {when}: {_cut(plan)}" for when, plan in (("then", before), (" now", now))]
    return "\n".join(lines)


def _loaded(text: str | None) -> Any:
    """The plan that a text means; the text itself where it cannot be read, as one of a later version of kosine."""
    try:
        return None if text is None else loads(text)
    except KosineError:
        return text


def _value(plan: Any, step: int) -> str:
    return f"{plan(step):.6g}" if isinstance(plan, Plan) else "unknown" if plan else "no plan"


def _cut(plan: Any) -> str:
    text = "no plan" if plan is None else plan if isinstance(plan, str) else repr(plan)
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}..."
