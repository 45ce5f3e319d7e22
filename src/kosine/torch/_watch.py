"""Whether the loop around a scheduler does what the plan assumes: one step for each update, after it."""

from __future__ import annotations

import inspect
import math
import sys
import warnings
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.amp import GradScaler
from torch.optim import Optimizer

from kosine._analysis.lint.plan_facts import PlanFacts
from kosine._core.schedule import Plan
from kosine.errors import TrainingWarning

SWITCH = "(PlanLR(..., watch=False) switches this off.)"

_FAR = 10  # times: how far an optimizer's own rate may be from the peak
_TRAINERS_RATES = (5e-5, 2e-5)  # those of Hugging Face's TrainingArguments and TRL's SFTConfig, where nobody chose one


class LoopWatch:
    """Looks at the first updates of a loop, until it knows the loop's kind; then its owner removes it.

    It is a hook that the optimizer calls after each update, and compares the scheduler's step with that at the update
    before: the scheduler itself does nothing more for it. With O for an update and S for a step of the scheduler,

        O S O S O S           is right;
        S O S O               steps before the first update;
        S O O O O S O O       steps once an epoch;
        O S S S O S S S O     steps several times an update: for each batch that accumulates, or for each process.

    Loss scaling skips updates, so a loop with a `GradScaler` is judged only where its scale shows that none was. Steps
    of a loop that goes forward to where it resumes come before the first update, and are more than one.

    Args:
        step_of: the scheduler's step; None when it is gone.
        rate_at: the plan's rate at a step.
        total_steps: the step at which the plan ends; None where it does not.
        done: called once, when the watch is over. (A hook that removes itself breaks the optimizer's loop over hooks.)
    """

    def __init__(
        self,
        step_of: Callable[[], int | None],
        rate_at: Callable[[int], float],
        total_steps: int | None,
        done: Callable[[], None],
    ) -> None:
        self.over = False
        self._step_of, self._rate_at, self._total, self._done = step_of, rate_at, total_steps, done
        self._nested: bool | None = None
        self._scaler: Any = None
        self._scale = math.nan
        self.restart(0)

    def restart(self, step: int) -> None:
        """Begin anew where somebody has set the step: a run that resumes."""
        self._step = step
        self._gaps: deque[int] = deque(maxlen=2)  # steps of the scheduler before the last updates
        self._updates = 0
        self._since = 0  # updates since the last step of the scheduler
        self._between = 0  # updates between that step and the one before it

    def moved(self, step: int) -> None:
        """The scheduler was set to a step: a loop that does so between updates needs no counting."""
        if self._updates:
            self._end()
        else:
            self.restart(step)

    def updated(self, optimizer: Optimizer, *_: object) -> None:
        """The hook: the optimizer has done an update."""
        if torch.compiler.is_compiling() or self.over or self._is_inside_another(optimizer):
            return
        step = self._step_of()
        if step is None:
            return
        gap, self._step = step - self._step, step
        if gap:
            self._between, self._since = self._since, 0
        self._since += 1
        self._updates += 1
        if gap > 1 and not self._none_was_skipped():
            self._gaps.clear()
        else:
            self._gaps.append(gap)
        self._judge()

    def _judge(self) -> None:
        gaps = [*self._gaps]
        if self._between > 1 and self._since == 2:
            self._end(self._once_an_epoch(self._between))
        elif len(gaps) == 2 and gaps[0] == gaps[1] > 1 and self._updates > 2:
            self._end(self._several_times(gaps[1]))
        elif gaps == [1, 1]:
            first = self._updates == 2 and self._none_was_skipped()
            self._end(self._too_early() if first else "")

    def _once_an_epoch(self, updates: int) -> str:
        if self._total is not None and updates > self._total:
            return ""  # more updates in an epoch than the plan has steps: its steps are epochs
        plan = (
            ""
            if self._total is None
            else f": at this pace its {self._total:,} steps take {self._total * updates:,} updates"
        )
        return (
            f"`scheduler.step()` was called once in {updates:,} updates, and a step of the plan is an update{plan}. "
            'Call `scheduler.step()` after each `optimizer.step()`; in Lightning set `"interval": "step"`. If a step '
            "of the plan is an epoch on purpose, plan with `steps_per_epoch=1`."
        )

    def _several_times(self, steps: int) -> str:
        end = (
            ""
            if self._total is None
            else f": the plan's {self._total:,} steps end after {self._total / steps:,.6g} updates"
        )
        return (
            f"`scheduler.step()` was called {steps} times for each update{end}. Call it once, after "
            "`optimizer.step()`: where gradients accumulate, only for the batch that updates; with accelerate and "
            "several processes, leave the scheduler out of `prepare`."
        )

    def _too_early(self) -> str:
        return (
            "`scheduler.step()` was called before the first `optimizer.step()`, so every update uses the rate of the "
            f"next step: the first one used {self._rate_at(self._step - 1):.6g}, and the plan begins with "
            f"{self._rate_at(self._step - 2):.6g}. Call `scheduler.step()` after `optimizer.step()`. To resume, call "
            "`load_state_dict`, or `step(n)`."
        )

    def _end(self, message: str = "") -> None:
        self.over = True
        self._scaler = None
        self._done()
        if message:
            warnings.warn(f"{message} {SWITCH}", TrainingWarning, stacklevel=5)

    def _none_was_skipped(self) -> bool:
        """Whether loss scaling surely left no update out since its scale was last looked at."""
        if self._scaler is None or not self._scaler.is_enabled():
            return True
        before, self._scale = self._scale, self._scaler.get_scale()
        return before == self._scale and self._scaler.get_growth_interval() > 3  # it falls where one is skipped

    def _is_inside_another(self, optimizer: Optimizer) -> bool:
        """Whether a class's `step` was called by its subclass's: the optimizer calls its hooks after both.

        The first call of the hook says whether there are such calls, and whether a scaler of the loss is around them.
        """
        if self._nested is False:
            return False
        frame: Any = sys._getframe(2)
        code, frame = frame.f_code, frame.f_back
        inside = False
        while frame is not None:
            if frame.f_code is code and frame.f_locals.get("self") is optimizer:
                inside = True
            elif frame.f_code is GradScaler.step.__code__ and self._scaler is None:
                self._scaler = frame.f_locals["self"]
                self._scale = getattr(self._scaler, "_init_scale", math.nan)
            frame = frame.f_back
        if self._nested is None:
            self._nested = inside
        return inside


def warn_of_own_rates(optimizer: Optimizer, rates: list[float], plan: Plan, relative: bool, stacklevel: int) -> None:
    """Warn where the rates that the optimizer was built with say that something else is meant than the plan does.

    Args:
        optimizer: the optimizer.
        rates: the initial rate of each group; the plan's peak goes to the first.
        plan: the plan of all groups.
        relative: whether it is a factor of them.
        stacklevel: as in `warnings.warn`, counted from the caller.
    """
    peak, own = PlanFacts(plan, 1.0).peak, rates[0]
    message = ""
    if relative:
        if peak and _is_far(peak, 1.0):
            message = (
                f"With `relative=True` the plan is a factor of each group's own rate: the first group, built with "
                f"{own:.6g}, gets at most {own * peak:.6g}. Give the plan a peak of about 1, or leave `relative` out."
            )
    elif not peak or not own or math.isclose(own, peak):
        return
    elif any(math.isclose(rate, peak) or rate > own for rate in rates):
        highest = max(rates[1:])
        message = (
            f"The plan's peak, {peak:.6g}, goes to the first param group, which was built with {own:.6g}. The others "
            f"keep their ratio to it, so group {rates.index(highest, 1)} gets up to {highest / own * peak:.6g}. If the "
            "peak is meant for another group, build the optimizer with that one first; or pass a plan for each group, "
            "or `relative=True` and a plan with a peak of 1."
        )
    elif _is_far(own, peak) and not _is_default(optimizer, own):
        message = (
            f"The optimizer was built with a rate of {own:.6g}, far from the plan's peak, {peak:.6g}. The plan's rates "
            "apply. Build the optimizer with the plan's peak; or, if the plan is a factor of the optimizer's rate, "
            "pass `relative=True`."
        )
    if message:
        warnings.warn(f"{message} {SWITCH}", TrainingWarning, stacklevel=stacklevel + 1)


def _is_far(one: float, other: float) -> bool:
    return max(one, other) >= _FAR * min(one, other)


def _is_default(optimizer: Any, rate: float) -> bool:
    """Whether a rate is one that an optimizer has when nobody chooses."""
    while hasattr(optimizer, "optimizer"):  # a wrapper, such as accelerate's
        optimizer = optimizer.optimizer
    parameters: Mapping[str, Any] = inspect.signature(type(optimizer)).parameters
    return rate in _TRAINERS_RATES or ("lr" in parameters and bool(parameters["lr"].default == rate))


def warn_of_the_end(step: int, end: int, unit: str, rates: list[float], stacklevel: int) -> None:
    shown = ", ".join(f"{rate:.6g}" for rate in rates[:8])
    warnings.warn(
        f"The plan ended at {unit} {end:,}, and the run goes on: the next update is that of {unit} {step:,}, and the "
        f"rate stays at {shown}. Plan for all {'update' if unit == 'step' else unit}s of the run, with `total_steps`. "
        f"{SWITCH}",
        TrainingWarning,
        stacklevel=stacklevel + 1,
    )


def warn_of_another_hand(written: object, found: object, stacklevel: int) -> None:
    warnings.warn(
        f"Something else sets the learning rate between the steps: PlanLR wrote {written:.6g} and found {found:.6g} "
        "there at the next step, for the second time. PlanLR writes the plan's rate over it, so the change lasts for "
        "one update. Schedulers do not chain with it (ChainedScheduler): put all phases into one Schedule. " + SWITCH,
        TrainingWarning,
        stacklevel=stacklevel + 1,
    )
