"""A plan as a torch learning-rate scheduler, whose only state is the step."""

from __future__ import annotations

import copy
import operator
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from kosine._analysis.lint.lint import warn_of
from kosine._core.arguments import read_flag
from kosine._core.json_form import dumps
from kosine._core.schedule import Plan
from kosine.errors import ArgumentTypeError, Described, TrainingError
from kosine.torch._param_groups import GroupPlan, group_plans, number_of, put_value, read_plans, same_group
from kosine.torch._state import difference_text, saved_ratios_to, saved_step, warn_of_change


class PlanLR(LRScheduler):  # type: ignore[misc]  # PyTorch's types are not read
    """Drives a torch optimizer along a plan: a `torch.optim.lr_scheduler.LRScheduler` whose only state is the step.

    The update of batch t uses plan(t), times the ratio of its param group. The constructor sets the rates of step 0;
    each `step()` sets those of the next step. Call `step()` after `optimizer.step()`. Called before it, every update
    uses the rate of the next step, without a warning. The constructor neither steps nor patches the optimizer: it
    writes into the param groups, and registers one hook that sets the rates anew when the optimizer loads a state.

    Param groups: with one plan the first group follows the plan, and every other group the plan times

        ratio = its initial rate / the first group's initial rate.

    A group's initial rate is its `initial_lr`, as in torch. A group without one gets its `lr` as `initial_lr`.
    Optimizers save `initial_lr`, so ratios survive a resume. The ratio is 1 where the initial rates are the same, also
    where they are 0. The first group is the one that was first when this scheduler was built. If it is moved or removed
    later, the others keep their ratio to it, and the state of this scheduler keeps its initial rate.

    A group that is added later joins at the next `step()`; its initial rate is the one that it was added with. To make
    it join at once, call `step(scheduler.last_epoch)`. With a list of plans each group follows its own plan, without
    ratios; a group that is added later has no plan, and `step()` raises an error.

    Other numbers in the param groups follow plans that are given by name, such as `momentum=` or `weight_decay=`. The
    same rules hold, with `initial_momentum` and so on. In a tuple, such as `betas`, the plan drives the first element.

    A rate that is a tensor is filled in place and stays the same object, also when the optimizer loads a state, so
    compiled and captured steps see it. Its type limits its precision: float16 keeps 3 digits, and rounds rates below
    3e-8 to 0. Groups that share a tensor but not a rate get a tensor each.

    Resuming: build the scheduler as before, and load its state before or after the optimizer's. The optimizer's state
    alone has no step, so a run that loads only that begins the plan anew. The scheduler's state holds the step and the
    plans. A scheduler that was built with another plan follows its own plan from that step on, and warns; this is the
    way to extend a run. From the state of another scheduler it takes `last_epoch` as the step, and warns.

    Args:
        optimizer: any `torch.optim.Optimizer`.
        plan: what the learning rate follows; or a list of plans, one for each param group.
        lint: whether to warn of the errors that `kosine.lint` finds in the plan of the learning rate. It warns once,
            when this is built; not when it is copied or loads a state. For a list it warns of errors in all of its
            plans, as a frozen group has rate 0 on purpose. (A plan cannot drive a number that is named `lint`.)
        entries: by name, a plan or a list of plans that another number in the param groups follows.

    Attributes:
        optimizer: the optimizer.
        plan: the plan, or the list of plans.
        last_epoch: the step whose rates are in the param groups: that of the next update. (The name is torch's, for
            whom an epoch is a call of `step()`.) Setting it is the same as `step(n)`.
        base_lrs: the initial rate of each group.

    Raises:
        ArgumentTypeError: no optimizer, or no plan; plan a `Schedule` first.
        TrainingError: no param group; a list of plans that does not match the groups; a name that is not a number in
            the groups, or is a tensor of another type than float or requires a gradient; an initial value that is
            negative or not finite; or a first group whose initial value is 0, or too small to divide by, while
            another's is not.

    Warns:
        TrainingWarning: a plan of the learning rate wastes the training for certain; `lint=False` switches this off.

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
    _courses: list[GroupPlan]
    _first_group: dict[str, Any]  # what ratios are to; it may have been removed since
    _tensors: list[tuple[dict[str, Any], str, torch.Tensor]]  # by group and entry: what is filled in place
    _first: int  # the step is _first + _offset
    _offset: int
    _fast: tuple[int, Callable[[int], float], int, list[tuple[dict[str, Any], float]] | None]
    """What `step` needs as long as nothing but rates is driven and the phase goes on: the offset at which it stops, the
    rate at an offset, the number of groups, and the groups with their ratios, None where all are 1."""
    _rate: object  # what was written into the last group

    def __init__(
        self, optimizer: Optimizer, plan: Plan | Sequence[Plan], *, lint: bool = True, **entries: Plan | Sequence[Plan]
    ) -> None:
        if not isinstance(optimizer, Optimizer):
            raise ArgumentTypeError(argument="optimizer", rule="a torch.optim.Optimizer", received=optimizer)
        if "lr" in entries:
            raise TrainingError(
                "The learning rate follows the argument `plan`.",
                received=Described("both `plan` and `lr`"),
                fix="Leave `lr` out.",
            )
        if "last_epoch" in entries:
            raise TrainingError(
                "A PlanLR is built at step 0: to resume, call `load_state_dict`, or `step(n)`.",
                received={"last_epoch": entries["last_epoch"]},
            )
        plans = {"lr": read_plans(plan, "plan")}
        plans |= {name: read_plans(value, name) for name, value in entries.items()}
        lint = read_flag(lint, "lint")
        self._start(optimizer, plans, 0, {})
        if lint:
            rates = plans["lr"]
            warn_of(
                [rates] if isinstance(rates, Plan) else rates,
                "PlanLR(..., lint=False)",
                stacklevel=2,
                severities=["error"],
            )

    def _start(
        self, optimizer: Optimizer, plans: dict[str, Plan | list[Plan]], step: int, ratios_to: Mapping[str, float]
    ) -> None:
        self.optimizer = optimizer
        self._plans = plans
        self._groups = []
        self._first_group = next(iter(optimizer.param_groups), {})
        self._rate = None
        self._set_rates(step, ratios_to)
        this = weakref.ref(self)  # an optimizer that outlives its scheduler is free of it

        def after_load(_: Optimizer) -> None:
            scheduler = this()
            if scheduler is not None:
                scheduler._after_load()

        owner: Any = optimizer
        while owner is not None:
            try:
                hook = owner.register_load_state_dict_post_hook(after_load)
                weakref.finalize(self, hook.remove).atexit = False
                break
            except AttributeError:  # a wrapper without hooks, such as accelerate's
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
                "A PlanLR is at a step >= 0.",
                received={"last_epoch": step},
                fix="It cannot be a part of torch's SequentialLR, which sets its parts back by a step: put all "
                "phases into one Schedule.",
            )
        self.step(step)

    @property
    def base_lrs(self) -> list[float]:
        return [float(group["initial_lr"]) for group in self._groups]

    def step(self, epoch: int | None = None) -> None:
        """Set the rates of the next step, or those of step `epoch`. Call it after each `optimizer.step()`.

        Args:
            epoch: the step of the next update, counted from 0: any step, in any order. None: the one after
                `last_epoch`. (The name is torch's.)

        Raises:
            StepError: a step below 0 or above 2**63 - 1.
            ArgumentTypeError: no integer.
            TrainingError: a group was added whose values cannot follow: see the class.
        """
        if epoch is not None:
            self._courses[0].plan.phase_at(epoch)  # raises for anything but a step
            self._set_rates(operator.index(epoch))
            return
        offset = self._offset + 1
        stop, value, count, members = self._fast
        groups = self.optimizer.param_groups
        if offset < stop and len(groups) == count and groups[-1]["lr"] is self._rate:
            self._offset = offset
            self._rate = rate = value(offset)
            if members is None:
                for group in groups:
                    group["lr"] = rate
            else:
                for group, (member, ratio) in zip(groups, members, strict=True):
                    if group is not member:
                        self._set_rates(self._first + offset)
                        return
                    group["lr"] = rate * ratio
                self._rate = groups[-1]["lr"]
        else:  # another phase, something else to drive, or somebody has changed the groups
            self._set_rates(self._first + offset)

    def get_last_lr(self) -> list[float]:
        """The rate of each param group that was set last: before `optimizer.step()`, the one that this update will use.

        It is computed from the plan, as a float: a tensor in a group has the precision of its type, and reading it
        would wait for the device. A group that has been added is missing until it has joined.
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
        """The step, as `last_epoch`, and the plans as JSON texts: a dict that `torch.load(weights_only=True)` reads.

        Where the group that ratios refer to is not the first any more, its initial values are added as `ratios_to`.
        """
        state = {"last_epoch": self.last_epoch, "plans": copy.deepcopy(self._texts)}
        ratios_to = self._ratios_to()
        return {**state, "ratios_to": ratios_to} if ratios_to else state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go to the step that the state holds, along the plan that this scheduler was built with.

        A state that is refused changes nothing.

        Args:
            state_dict: from `state_dict`; or from another scheduler, of which `last_epoch` counts.

        Raises:
            TrainingError: a state without a step, or with initial values in `ratios_to` that cannot be divided by.

        Warns:
            TrainingWarning: the state was saved with another plan, or by another scheduler.
        """
        if not isinstance(state_dict, Mapping):
            raise TrainingError(
                "The state must be a dict that holds the step as `last_epoch`, as `state_dict()` returns it.",
                received=state_dict,
            )
        step = saved_step(state_dict, self._courses[0].plan)
        saved = state_dict.get("plans")
        self._set_rates(step, saved_ratios_to(state_dict))
        if not isinstance(saved, Mapping):
            warn_of_change(
                "The state is not a PlanLR's: its `last_epoch` was taken as the step. If it counts something else, "
                "call `scheduler.step(n)`.",
                f"The next update is that of step {step}, and its rates are: "
                f"{', '.join(f'{rate:.6g}' for rate in self.get_lr())}.",
            )
        elif difference := difference_text(saved, self._texts, step):
            warn_of_change(
                "The state was saved with another plan. The run follows the plan that this PlanLR was built with.",
                f"The difference between the plan then and now:\n{difference}",
            )

    def __getstate__(self) -> dict[str, Any]:
        return {
            "optimizer": self.optimizer,
            "plans": self._plans,
            "step": self.last_epoch,
            "ratios_to": self._ratios_to(),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._start(**state)

    def __repr__(self) -> str:
        return f"PlanLR({type(self.optimizer).__name__}, {self.plan!r}, last_epoch={self.last_epoch})"

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # a compiled loop need not trace how a phase is found
    def _set_rates(self, step: int, ratios_to: Mapping[str, float] | None = None) -> None:
        """Write the rates of a step; `ratios_to` are the initial values of a group that was removed.

        All errors are raised before the first write.
        """
        groups = self.optimizer.param_groups
        if not groups:
            raise TrainingError(
                "The optimizer must have a param group.",
                received=Described("an optimizer whose `param_groups` is empty"),
                fix="Give it one with `add_param_group`.",
            )
        first_group, courses = self._first_group, None
        if ratios_to:
            initials = {f"initial_{name}": value for name, value in ratios_to.items()}
            first_group = {**first_group, **initials, "params": []}
        if ratios_to or len(groups) != len(self._groups) or not all(map(operator.is_, groups, self._groups)):
            first_group = same_group(first_group, groups) or first_group
            courses = group_plans(groups, self._plans, first_group)
        writes = []
        for course in courses or self._courses:
            value = course.plan(step)
            for index, ratio in course.members:
                group = groups[index]
                writes.append((group, course.name, number_of(group, course.name), value * ratio))
        if courses:
            self._courses, self._groups, self._first_group = courses, [*groups], first_group
        self._tensors = []
        for group, name, number, value in writes:
            if isinstance(number, torch.Tensor):
                self._tensors.append((group, name, number.fill_(value)))
            else:
                put_value(group, name, value)
        self._first, self._offset = step, 0
        self._fast = 0, float, 0, None
        if len(self._courses) == 1 and not self._tensors:
            self._prepare_fast_path(self._courses[0], step)

    def _prepare_fast_path(self, course: GroupPlan, step: int) -> None:
        row = course.plan.phase_at(step)
        members = [(self._groups[index], ratio) for index, ratio in course.members]
        self._first, self._offset = row.first_step, step - row.first_step
        self._fast = (
            row.stop - row.first_step,
            row.function(),
            len(members),
            None if all(ratio == 1 for _, ratio in members) else members,
        )
        self._rate = self._groups[-1]["lr"]

    def _after_load(self) -> None:
        for loaded_from, name, tensor in self._tensors:
            group = same_group(loaded_from, self.optimizer.param_groups)
            if group is not None:  # it may have been removed
                tensor.copy_(torch.as_tensor(number_of(group, name)))
                put_value(group, name, tensor)
        self._set_rates(self.last_epoch)

    @cached_property
    def _texts(self) -> dict[str, str | list[str]]:
        return {
            name: dumps(given) if isinstance(given, Plan) else [dumps(plan) for plan in given]
            for name, given in self._plans.items()
        }

    def _ratios_to(self) -> dict[str, float]:
        """The initial values that ratios refer to, where the first group does not have them."""
        if same_group(self._first_group, self.optimizer.param_groups[:1]):
            return {}
        return {
            name: float(self._first_group[f"initial_{name}"])
            for name, given in self._plans.items()
            if isinstance(given, Plan)
        }
