"""A plan as a stand-alone program, for use without kosine.

`outline` takes a plan apart into pieces. `cycle_lookup` finds the cycle of a step, `progress` says how far a curve has
come, and each curve writes its own formula (`Curve.code`). `scalar_code` and `array_code` join them to programs. What
a framework's own schedules can express is in its file in `targets`, with the help of `native`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

from kosine._core.schedule import Plan, check_plan
from kosine._export.outline import Outline
from kosine._export.targets.huggingface import huggingface
from kosine._export.targets.keras import keras
from kosine._export.targets.numpy import numpy
from kosine._export.targets.optax import optax
from kosine._export.targets.python import python
from kosine._export.targets.torch import torch
from kosine.errors import ArgumentError, ArgumentTypeError

__all__ = ["to_code"]

_TARGETS: dict[str, Callable[[Outline], str]] = {
    "python": python,
    "numpy": numpy,
    "torch": torch,
    "optax": optax,
    "keras": keras,
    "huggingface": huggingface,
}

_OTHER_NAMES = {
    "hf": "huggingface",
    "transformers": "huggingface",
    "jax": "optax",
    "flax": "optax",
    "tensorflow": "keras",
}


def to_code(plan: Plan, target: str) -> str:
    """The shortest clear program that reproduces a plan without kosine.

    It uses a schedule of the target's own where that is exactly right at every step of the run, else the closed form.
    Restarts are found by integers. The program begins with the schedule's text form as a comment, is laid out as
    `ruff format` does, and takes only numbers from the user's input.

    - "python": `learning_rate(step)`, a pure function of one step; right past the end of the run, too.
    - "numpy": the same for a step or an array of steps.
    - "torch": `make_scheduler(optimizer)`, an LRScheduler; the optimizer must be built with the rate that its docstring
      names, the peak. Schedulers that multiply from step to step are used for phases of up to 100,000 steps, where they
      stray by less than 1e-12 of the peak.
    - "optax": `schedule`, a function of the count of updates.
    - "keras": `schedule`, a LearningRateSchedule.
    - "huggingface": `training_arguments`, keyword arguments of transformers' TrainingArguments.

    The peak is the highest rate that a phase goes from or to, also where a section leaves that end out. Python, NumPy
    and PyTorch agree with the plan within 1e-12 of it. Optax and Keras compute in float32 and count steps in 32 bits:
    in runs of up to 2**24 steps they agree within 2e-7 of it, within 3e-7 for Keras on TensorFlow and PyTorch, and
    within 5e-7 for curves with a `warp`. Cycles that grow by a factor with a fraction are a table of at most
    4,096 phases: where they are few, of all up to the last step that the target can count, else of those in the run,
    past which the programs for Python and PyTorch raise an error and the others stay at the last rate.

    Args:
        plan: the plan.
        target: "python", "numpy", "torch", "optax", "keras" or "huggingface".

    Raises:
        PlanError: the target cannot express a phase; the message says which, why, and which target can.
        ArgumentError: an unknown target.
        ArgumentTypeError: not a plan, or a target that is not a text.

    Example:
        >>> import kosine as ks
        >>> print(ks.to_code(ks.warmup_cosine(peak=1e-3, warmup=100).plan(total_steps=1000), "python"))
        # The learning rate of this schedule over 1,000 steps, counted from 0:
        # Schedule(linear(100, start=0.0, to=0.001), cosine(to=0.0))
        <BLANKLINE>
        from math import pi, sin
        <BLANKLINE>
        PEAK = 0.001
        WARMUP_STEPS = 100
        TOTAL_STEPS = 1_000
        DECAY_STEPS = 900
        <BLANKLINE>
        <BLANKLINE>
        def learning_rate(step: int) -> float:
            if step < WARMUP_STEPS:  # linear
                return PEAK * step / WARMUP_STEPS
            if step < TOTAL_STEPS:  # cosine
                return PEAK * sin(pi / 2 / DECAY_STEPS * (TOTAL_STEPS - step)) ** 2
            return 0.0
        <BLANKLINE>
    """
    check_plan(plan)
    rule = f"one of {list(_TARGETS)}"
    if not isinstance(target, str):
        raise ArgumentTypeError(argument="target", rule=rule, received=target)
    if target not in _TARGETS:
        near = near_target(target, _TARGETS)
        raise ArgumentError(
            argument="target", rule=rule, received=target, fix=f"Did you mean {near!r}?" if near else ""
        )
    return _TARGETS[target](Outline.of(plan))


def near_target(name: str, targets: Iterable[str]) -> str | None:
    """The target that a name most likely means; None where that is not clear."""
    other = _OTHER_NAMES.get(name.lower())
    return other or next(iter(difflib.get_close_matches(name.lower(), list(targets), n=1)), None)
