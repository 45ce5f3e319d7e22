"""A plan as a torch learning-rate scheduler, whose only state is the step."""

from __future__ import annotations

import bisect
import operator
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from kosine._analysis.lint.lint import warn_of
from kosine._core.arguments import read_flag, read_index
from kosine._core.run import CountLike, SecondsLike
from kosine._core.schedule import Plan
from kosine.errors import ArgumentTypeError, Described, TrainingError
from kosine.torch._count import Count, check_state, read_amount, read_count, refuse_a_place
from kosine.torch._param_groups import (
    GroupPlan,
    Groups,
    Key,
    is_at,
    noted,
    number_of,
    put_value,
    same_group,
    set_by_others,
)
from kosine.torch._plans import PlanLike, Plans, end_of, listed, plan_with_cycles, read_entries
from kosine.torch._state import (
    Saved,
    comparable,
    difference_text,
    plans_text,
    saved_plans,
    saved_ratios_to,
    saved_step,
    warn_of_change,
)
from kosine.torch._watch import LoopWatch, warn_of_another_hand, warn_of_own_rates, warn_of_the_end

_DRIVEN: weakref.WeakSet[Optimizer] = weakref.WeakSet()
"""Optimizers that a PlanLR has written into: what another one finds there does not come from a file."""

Given = PlanLike | Sequence[PlanLike] | Mapping[str, PlanLike]


class PlanLR(LRScheduler):  # type: ignore[misc]  # PyTorch's types are not read
    """Drives a torch optimizer along a plan: a `torch.optim.lr_scheduler.LRScheduler` whose only state is the step.

    The update of batch t uses plan(t), times the factor of its param group. The constructor sets the rates of step 0;
    each `step()` sets those of the next step. Call `step()` after `optimizer.step()`. The constructor neither steps nor
    patches the optimizer: it writes into the param groups, and registers two hooks. One sets the rates anew when the
    optimizer loads a state. The other counts the first updates, to see what the loop does, and is then removed.

    Param groups: with one plan the first group follows the plan, and every other group the plan times

        ratio = its initial rate / the first group's initial rate.

    So the plan's peak goes to the first group, whatever rate that was built with. With `relative=True` each group
    follows its own initial rate * plan(t), as with torch's LambdaLR; such a plan has a peak of 1. With a list of plans,
    or a mapping by the groups' names (`group["name"]`), each group follows its own plan, without ratios.

    A group's initial rate is its `initial_lr`, as in torch. A group without one gets its `lr` as `initial_lr`.
    Optimizers save `initial_lr`, so ratios survive a resume. The ratio is 1 where the initial rates are the same, also
    where they are 0. The first group is the one that was first when this scheduler was built. If it is moved or removed
    later, the others keep their ratio to it, and the state of this scheduler keeps its initial rate.

    A group that is added later joins at the next `step()`; to make it join at once, call `step(scheduler.last_epoch)`.
    Added at a rate that is not above the first group's at the time, it keeps its share of that: 10 % stay 10 %. A
    higher rate, and the optimizer's default, is its initial rate. A group that is added has no plan in a list, and in
    a mapping only if its name is there; without one `step()` raises an error.

    Other numbers in the param groups follow plans that are given by name, such as `momentum=` or `weight_decay=`. The
    same rules hold, with `initial_momentum` and so on. `beta1=` and `beta2=` drive the two elements of `betas`; of any
    other tuple, the plan drives the first.

    A rate that is a tensor is filled in place and stays the same object, also when the optimizer loads a state, so
    compiled and captured steps see it. Its type limits its precision: float16 keeps 3 digits, and rounds rates below
    3e-8 to 0. Groups that share a tensor but not a rate get a tensor each.

    Counting: with `count="tokens"` a step of the plan is a token, for batches whose tokens only the run knows. Each
    `step(tokens=n)` goes on by those of the update, and the next update uses the plan's rate at the count so far. So
    integers and `total_steps` are tokens, and durations such as "260Btok" work, too. The state is the count. Of the
    loop only the plan's end is watched. Processes that train together must pass the same n: the tokens of all of them.

    Resuming: build the scheduler as before, and load its state before or after the optimizer's. The optimizer's state
    alone has no step, so a run that loads only that begins the plan anew. The scheduler's state holds the step and the
    plans. A scheduler that was built with another plan, such as a branch of the first one, follows its own plan from
    that step on. It is silent where all steps that are done have the same rates in both; else it warns, names the first
    step that differs, and says how to branch. From the state of another scheduler it takes `last_epoch` as the step,
    and warns. A rate that another scheduler had set since, such as ReduceLROnPlateau after a warm-up, stays as it was
    saved.

    Args:
        optimizer: any `torch.optim.Optimizer`.
        plan: what the learning rate follows: a plan, or a schedule or its text (`"wsd(peak=1e-3, warmup=100)"`); or a
            list of them, one for each param group; or a mapping of the groups' names to them. Sequences and mappings of
            a configuration, such as OmegaConf's, are lists and mappings.
        total_steps: the length of the run in updates, for a schedule or a text; a plan has its own.
        epochs: as in `Schedule.plan`, like those that follow up to `clip`.
        steps_per_epoch: updates in an epoch. With 1 a step is an epoch: call `step()` once an epoch.
        samples_per_step: as in `Schedule.plan`.
        tokens_per_step: as in `Schedule.plan`.
        seconds_per_step: as in `Schedule.plan`.
        dataset_size: as in `Schedule.plan`.
        batch_size: as in `Schedule.plan`.
        accumulate: as in `Schedule.plan`.
        devices: as in `Schedule.plan`.
        drop_last: as in `Schedule.plan`.
        total_samples: as in `Schedule.plan`.
        total_tokens: as in `Schedule.plan`.
        total_time: as in `Schedule.plan`.
        clip: as in `Schedule.plan`; `scheduler.plan.clipped` says what was cut.
        last_epoch: -1 or None, as torch says a run that starts.
        relative: whether each group follows its own initial rate times the plan. It holds for all entries.
        count: what a step of the plan is: "steps": an update; "tokens" or "samples": one of those, of which `step`
            says how many an update had.
        lint: whether to warn of the errors that `kosine.lint` finds in the plan of the learning rate. It warns once,
            when this is built; not when it is copied or loads a state. For a list it warns of errors in all of its
            plans, as a frozen group has rate 0 on purpose.
        watch: whether to warn, once each, where the loop does something else than the plan assumes. A plan cannot drive
            a number that has the name of one of these arguments.
        entries: by name, what another number in the param groups follows, in the forms that `plan` has.

    Attributes:
        optimizer: the optimizer.
        plan: the plan; or the list of plans, or the mapping.
        last_epoch: the step whose rates are in the param groups: that of the next update; or the tokens or samples so
            far. (The name is torch's, for whom an epoch is a call of `step()`.) Setting it leaves the groups as they
            are until the next `step()`, as in torch.
        base_lrs: the initial rate of each group.

    Raises:
        ArgumentTypeError: no optimizer, or nothing that is a plan or can become one.
        PlanError: a schedule that needs a size of the run that is missing; a size beside a plan; or a plan whose steps
            are not what is counted.
        NotationError: a text that is not a schedule.
        TrainingError: no param group; a list or names of plans that do not match the groups; a name that is not a
            number in the groups, or is a tensor of another type than float or requires a gradient; an initial value
            that is negative or not finite; a first group whose initial value is 0, or too small to divide by, while
            another's is not; or a `last_epoch` of a run that has started.

    Warns:
        TrainingWarning: a plan of the learning rate wastes the training for certain (`lint=False` switches this off);
            or, switched off by `watch=False`: `step()` is called before the first update, once an epoch, or several
            times for each update; the run goes on beyond the plan's end; something else sets the rate between the
            steps; the optimizer was built with a rate 10 times the plan's peak or more, or a tenth of it or less; the
            first group was built with another rate than the peak, and another group with the peak or a higher rate than
            the first.

    Example:
        >>> import torch
        >>> import kosine as ks
        >>> body, head = torch.nn.Linear(4, 4), torch.nn.Linear(4, 1)
        >>> groups = [{"params": body.parameters()}, {"params": head.parameters(), "lr": 0.01}]
        >>> optimizer = torch.optim.SGD(groups, lr=0.1)
        >>> scheduler = ks.torch.PlanLR(optimizer, "warmup_cosine(peak=0.1, warmup=2)", total_steps=6)
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

        >>> scheduler = ks.torch.PlanLR(optimizer, "warmup_cosine(peak=0.1, warmup=1000)", 5000, count="tokens")
        >>> for tokens in (480, 520, 505):
        ...     optimizer.step()
        ...     scheduler.step(tokens=tokens)
        ...     print(scheduler.last_epoch, round(scheduler.get_last_lr()[0], 5))
        480 0.048
        1000 0.1
        1505 0.09612
    """

    _step_count = 1  # accelerate adds to it while gradients accumulate

    _plans: dict[str, Plans]
    _relative: bool
    _count: Count
    _begun: tuple[int, int]  # where the last two updates began, of tokens or samples
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
    _end: int | None  # the step beyond which the run is longer than the plan; None once that was said
    _watch: LoopWatch | None
    _watched: bool
    _remove_watch: Callable[[], object]
    _changed_at: int | None  # the last step at which somebody else had written into the last group
    _loaded: tuple[int, dict[Key, Any]] | None  # what the optimizer held when it was loaded, and the step at that time
    _state: tuple[int, Saved] | None  # of a state that was loaded: the step, and what it was saved with

    def __init__(
        self,
        optimizer: Optimizer,
        plan: Given,
        total_steps: CountLike | None = None,
        *,
        epochs: float | None = None,
        steps_per_epoch: CountLike | None = None,
        samples_per_step: CountLike | None = None,
        tokens_per_step: CountLike | None = None,
        seconds_per_step: SecondsLike | None = None,
        dataset_size: CountLike | None = None,
        batch_size: CountLike | None = None,
        accumulate: int | None = None,
        devices: int | None = None,
        drop_last: bool | None = None,
        total_samples: CountLike | None = None,
        total_tokens: CountLike | None = None,
        total_time: str | None = None,
        clip: bool | None = None,
        last_epoch: int | None = None,
        relative: bool = False,
        count: Literal["steps", "tokens", "samples"] = "steps",
        lint: bool = True,
        watch: bool = True,
        **entries: Given,
    ) -> None:
        size = {
            "total_steps": total_steps,
            "epochs": epochs,
            "steps_per_epoch": steps_per_epoch,
            "samples_per_step": samples_per_step,
            "tokens_per_step": tokens_per_step,
            "seconds_per_step": seconds_per_step,
            "dataset_size": dataset_size,
            "batch_size": batch_size,
            "accumulate": accumulate,
            "devices": devices,
            "drop_last": drop_last,
            "total_samples": total_samples,
            "total_tokens": total_tokens,
            "total_time": total_time,
            "clip": clip,
        }
        if not isinstance(optimizer, Optimizer):
            raise ArgumentTypeError(argument="optimizer", rule="a torch.optim.Optimizer", received=optimizer)
        if last_epoch is not None and read_index(last_epoch) != -1:
            raise TrainingError(
                "A PlanLR is built at step 0: to resume, call `load_state_dict`, or `step(n)`.",
                received={"last_epoch": last_epoch},
            )
        given = {name: number for name, number in size.items() if number is not None}
        count = read_count(count)
        plans = read_entries(plan, entries, given, count)
        relative, lint, watch = read_flag(relative, "relative"), read_flag(lint, "lint"), read_flag(watch, "watch")
        loaded = {} if optimizer in _DRIVEN else noted(optimizer.param_groups, plans)
        self._start(optimizer, plans, 0, {}, relative, watch, count)
        self._loaded = (0, loaded) if loaded else None
        whole = [each for each in listed(plans["lr"]) if not each.clipped]  # a smoke test is short on purpose
        if lint and whole:
            warn_of(whole, "PlanLR(..., lint=False)", stacklevel=2, severities=["error"])
        if watch and isinstance(plans["lr"], Plan):
            warn_of_own_rates(optimizer, self.base_lrs, plans["lr"], relative, stacklevel=2)

    def _start(
        self,
        optimizer: Optimizer,
        plans: dict[str, Plans],
        step: int,
        ratios_to: Mapping[str, float],
        relative: bool,
        watch: bool,
        count: Count,
    ) -> None:
        self.optimizer = optimizer
        self._plans = plans
        self._relative, self._count, self._begun = relative, count, (step, step)
        self._watched = watch
        self._groups, self._courses = [], []
        self._first_group = next(iter(optimizer.param_groups), {})
        self._rate = self._watch = self._changed_at = self._loaded = self._state = None
        self._end = end_of(listed(plans["lr"])) if watch else None
        self._set_rates(step, ratios_to)
        _DRIVEN.add(optimizer)
        this = weakref.ref(self)  # an optimizer that outlives its scheduler is free of it

        def after_load(_: Optimizer) -> None:
            scheduler = this()
            if scheduler is not None:
                scheduler._after_load()

        self._hook("register_load_state_dict_post_hook", after_load)
        if watch and count == "steps" and not any(plan.run.steps_per_epoch == 1 for plan in listed(plans["lr"])):
            self._begin_to_watch(this)

    def _begin_to_watch(self, this: weakref.ref[PlanLR]) -> None:
        def step() -> int | None:
            scheduler = this()
            return None if scheduler is None else scheduler.last_epoch

        def done() -> None:
            scheduler = this()
            if scheduler is not None:
                scheduler._leave_fast_path()

        plan = listed(self._plans["lr"])[0]
        self._watch = LoopWatch(step, plan, self._end, done)
        self._watch.restart(self.last_epoch)
        self._remove_watch = self._hook("register_step_post_hook", self._watch.updated)

    def _hook(self, register: str, function: Callable[..., None]) -> Callable[[], object]:
        """Register a hook of the optimizer for as long as this scheduler lives; what is returned removes it earlier."""
        owner: Any = self.optimizer
        while owner is not None:
            try:
                hook = getattr(owner, register)(function)
            except AttributeError:  # a wrapper without hooks, such as accelerate's
                owner = getattr(owner, "optimizer", None)
                continue
            removed = weakref.finalize(self, hook.remove)
            removed.atexit = False
            return removed
        return lambda: None

    @property
    def plan(self) -> Plans:
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
        self._courses[0].plan.phase_at(step)  # raises for anything but a step
        self._first, self._offset = operator.index(step), 0
        self._leave_fast_path()
        self._moved()

    @property
    def cycle_ended(self) -> bool:
        """Whether a cycle of the plan, or the run, ended with the last update, that of step `last_epoch` - 1.

        Where tokens or samples are counted, it ended with one of those in the last update; false after a load.
        Ask after `step()`: the model is then as `plan.cycle_ends` means it. Of plans for several param groups the one
        with the most cycles counts.

        Raises:
            PlanError: a plan without an end.
        """
        ends = self._cycle_ends
        return bisect.bisect_left(ends, self._last_begun) < bisect.bisect_left(ends, self.last_epoch)

    @cached_property
    def _cycle_ends(self) -> list[int]:
        ends: list[int] = plan_with_cycles(self.plan).cycle_ends.tolist()
        return ends

    @property
    def _last_begun(self) -> int:
        """The step of the plan that the last update began at; this one where none was counted since a load."""
        return max(self.last_epoch - 1, 0) if self._count == "steps" else self._begun[1]

    @property
    def base_lrs(self) -> list[float]:
        return [float(group["initial_lr"]) for group in self._groups]

    def step(self, epoch: int | None = None, *, tokens: int | None = None, samples: int | None = None) -> None:
        """Set the rates of the next step, or those of step `epoch`. Call it after each `optimizer.step()`.

        Args:
            epoch: the step of the next update, counted from 0: any step, in any order. None: the one after
                `last_epoch`. (The name is torch's.)
            tokens: with `count="tokens"` the number of tokens that the update had, in all its batches and processes.
            samples: with `count="samples"` its number of samples.

        Raises:
            StepError: a step below 0 or above 2**63 - 1.
            ArgumentTypeError: no integer.
            ArgumentError: a number of tokens or samples below 0.
            TrainingError: something else is given than what is counted; or a group was added whose values cannot
                follow: see the class.
        """
        by = 1
        if epoch is not None or tokens is not None or samples is not None or self._count != "steps":
            if epoch is not None and self._count == "steps":
                self._go_to(epoch)
                return
            by = self._counted(epoch, tokens, samples)
        offset = self._offset + by
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
            self._step_to(self._first + offset)

    def _go_to(self, step: int) -> None:
        self._courses[0].plan.phase_at(step)  # raises for anything but a step
        self._set_rates(operator.index(step))
        self._moved()

    def _counted(self, place: int | None, tokens: int | None, samples: int | None) -> int:
        """The tokens or samples of the last update."""
        if place is not None:
            refuse_a_place(self._count, place)
        by = read_amount(self._count, tokens, samples)
        self._begun = (self._begun[1], self.last_epoch)
        return by

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
        """The step, as `last_epoch`, and the plans as one text: a dict that `torch.load(weights_only=True)` reads.

        Where tokens or samples are counted, it says so as `count`. Where the group that ratios refer to is not the
        first any more, its initial values are added as `ratios_to`.
        """
        state = {"last_epoch": self.last_epoch, "plans": self._text}
        if self._count != "steps":
            state["count"] = self._count
        ratios_to = self._ratios_to()
        return {**state, "ratios_to": ratios_to} if ratios_to else state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go to the step that the state holds, along the plan that this scheduler was built with.

        Rates that another scheduler had set when the optimizer was saved stay until the next `step()`, as they did in
        the run that was saved. A state that is refused changes nothing.

        Args:
            state_dict: from `state_dict`; or from another scheduler, of which `last_epoch` counts.

        Raises:
            TrainingError: a state without a step, or one that counts something else, or with initial values in
                `ratios_to` that cannot be divided by.

        Warns:
            TrainingWarning: the plan that the state was saved with had other rates before the step; or the state is
                another scheduler's.
        """
        if not isinstance(state_dict, Mapping):
            raise TrainingError(
                "The state must be a dict that holds the step as `last_epoch`, as `state_dict()` returns it.",
                received=state_dict,
            )
        step = saved_step(state_dict, self._courses[0].plan)
        check_state(self._count, state_dict.get("count", "steps"))
        saved = saved_plans(state_dict)
        courses = self._new_courses(saved_ratios_to(state_dict)) or self._courses
        loaded = self._loaded[1] if self._loaded and self._loaded[0] == self.last_epoch else {}
        self._write(courses, step, set_by_others(loaded, courses, comparable(saved or {}, self._plans), step))
        self._loaded, self._state = None, (step, saved or {})
        self._moved()
        if saved is None:
            warn_of_change(
                "The state is not a PlanLR's: its `last_epoch` was taken as the step. If it counts something else, "
                "call `scheduler.step(n)`.",
                f"The next update is that of step {step}, and its rates are: "
                f"{', '.join(f'{rate:.6g}' for rate in self.get_lr())}.",
            )
        elif difference := difference_text(saved, self._plans, step):
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
            "relative": self._relative,
            "watch": self._watched,
            "count": self._count,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._start(**state)

    def __repr__(self) -> str:
        count = "" if self._count == "steps" else f", count={self._count!r}"
        return f"PlanLR({type(self.optimizer).__name__}, {self.plan!r}{count}, last_epoch={self.last_epoch})"

    @torch.compiler.disable  # type: ignore[untyped-decorator]  # a compiled loop need not trace how a phase is found
    def _step_to(self, step: int) -> None:
        self._look_around()
        self._set_rates(step)
        self._look_for_the_end()

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _set_rates(self, step: int, ratios_to: Mapping[str, float] | None = None) -> None:
        """Write the rates of a step; `ratios_to` are the initial values of a group that was removed."""
        self._write(self._new_courses(ratios_to) or self._courses, step, {})

    def _write(self, courses: list[GroupPlan], step: int, kept: Mapping[Key, float]) -> None:
        """Write the rates of a step, less those that are kept. All errors are raised before the first write."""
        groups = self.optimizer.param_groups
        writes = []
        for course in courses:
            value = course.plan(step)
            for index, ratio in course.members:
                group = groups[index]
                wanted = kept.get((course.name, index), value * ratio)
                writes.append((group, course.name, number_of(group, course.name), wanted))
        self._courses, self._groups = courses, [*groups]
        self._tensors = []
        for group, name, number, wanted in writes:
            if isinstance(number, torch.Tensor):
                self._tensors.append((group, name, number.fill_(wanted)))
            else:
                put_value(group, name, wanted)
        self._first, self._offset = step, 0
        self._leave_fast_path()
        self._rate = groups[-1]["lr"]
        if len(courses) == 1 and not self._tensors:
            self._prepare_fast_path(courses[0], step)

    def _new_courses(self, ratios_to: Mapping[str, float] | None) -> list[GroupPlan] | None:
        """What each group follows, where that has to be worked out anew."""
        groups = self.optimizer.param_groups
        if not groups:
            raise TrainingError(
                "The optimizer must have a param group.",
                received=Described("an optimizer whose `param_groups` is empty"),
                fix="Give it one with `add_param_group`.",
            )
        if not ratios_to and len(groups) == len(self._groups) and all(map(operator.is_, groups, self._groups)):
            return None
        first = self._first_group
        if ratios_to:
            initials = {f"initial_{name}": value for name, value in ratios_to.items()}
            first = {**first, **initials, "params": []}
        first = same_group(first, groups) or first
        now: dict[str, float] = {}
        for course in reversed(self._courses):
            own = float(first.get(f"initial_{course.name}", 1.0)) if self._relative else 1.0
            now[course.name] = course.plan(self.last_epoch) * own
        defaults = getattr(self.optimizer, "defaults", {})
        courses = Groups(groups, first, self._groups, now, defaults, self._relative).plans(self._plans)
        self._first_group = first
        return courses

    def _prepare_fast_path(self, course: GroupPlan, step: int) -> None:
        row = course.plan.phase_at(step)
        members = [(self._groups[index], ratio) for index, ratio in course.members]
        self._first, self._offset = row.first_step, step - row.first_step
        stop = row.stop if self._end is None else min(row.stop, self._end + 1)
        self._fast = (
            stop - row.first_step,
            row.function(),
            len(members),
            None if all(ratio == 1 for _, ratio in members) else members,
        )

    def _leave_fast_path(self) -> None:
        self._fast = 0, float, 0, None

    def _moved(self) -> None:
        """Somebody has set the step."""
        self._begun = (self.last_epoch, self.last_epoch)
        if self._watch is not None:
            self._watch.moved(self.last_epoch)
            self._stop_watching()
        self._look_for_the_end()

    def _stop_watching(self) -> None:
        if self._watch is not None and self._watch.over:
            self._watch = None
            self._remove_watch()

    def _look_around(self) -> None:
        """Notice, off the fast path, that the watch is over, and that somebody else writes rates at every step."""
        self._stop_watching()
        rate = self.optimizer.param_groups[-1]["lr"] if self.optimizer.param_groups else None
        same = (
            rate is self._rate
            or isinstance(rate, torch.Tensor)
            or len(self.optimizer.param_groups) != len(self._groups)
        )
        if not self._watched or same or rate == self._rate:
            return
        before, self._changed_at = self._changed_at, self.last_epoch
        if before == (self.last_epoch - 1 if self._count == "steps" else self._begun[0]):
            self._watched = False
            warn_of_another_hand(self._rate, rate, stacklevel=3)

    def _look_for_the_end(self) -> None:
        # The last update may go beyond the end by some of its tokens: the one after it must not begin there.
        if self._end is not None and self.last_epoch > self._last_begun >= self._end:
            end, self._end = self._end, None
            warn_of_the_end(self.last_epoch, end, self._count[:-1], self.get_lr(), stacklevel=3)

    def _after_load(self) -> None:
        """The optimizer has loaded a state: its groups are new, and the plan's rates are to be set in them.

        Where another scheduler had set the rates that were loaded, they stay until the next step.
        """
        groups, step = self.optimizer.param_groups, self.last_epoch
        loaded = noted(groups, self._plans)
        others = self._others_have_written()
        for loaded_from, name, tensor in self._tensors:
            group = same_group(loaded_from, groups)
            if group is not None:  # it may have been removed
                tensor.copy_(torch.as_tensor(number_of(group, name)))
                put_value(group, name, tensor)
        courses = self._new_courses(None) or self._courses
        if self._state and self._state[0] == step:  # the state that belongs to the optimizer's was loaded before
            kept = set_by_others(loaded, courses, comparable(self._state[1], self._plans), step)
        else:
            kept = loaded if others else {}
        self._write(courses, step, {key: float(number) for key, number in kept.items()})
        self._loaded = (step, loaded) if loaded else None

    def _others_have_written(self) -> bool:
        """Whether the groups hold something else than what this scheduler wrote; they are those before a load."""
        return not any(map(operator.is_, self._groups, self.optimizer.param_groups)) and not all(
            is_at(number_of(self._groups[index], course.name), course.plan(self.last_epoch) * ratio)
            for course in self._courses
            for index, ratio in course.members
        )

    @cached_property
    def _text(self) -> str:
        return plans_text(self._plans)

    def _ratios_to(self) -> dict[str, float]:
        """The initial values that ratios refer to, where the first group does not have them."""
        if same_group(self._first_group, self.optimizer.param_groups[:1]):
            return {}
        return {
            name: float(self._first_group[f"initial_{name}"])
            for name, given in self._plans.items()
            if isinstance(given, Plan)
        }
