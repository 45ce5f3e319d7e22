"""The plan that stands in a model's optimizer, and another one in its place."""

from __future__ import annotations

import warnings
from typing import Any

from kosine._analysis.past import first_difference, how_to_share_the_past, rates_at
from kosine._core.schedule import Plan
from kosine.errors import ArgumentTypeError, Described, TrainingError, TrainingWarning
from kosine.keras._internals import iterations, optimizers, rate_of
from kosine.keras._schedule import LearningRateSchedule


def plan_of(model: Any) -> Plan:
    """The plan of the `LearningRateSchedule` in the model's optimizer, such as that of a model from a file.

    Args:
        model: a compiled Keras model.

    Raises:
        TrainingError: an optimizer without one, or several with different plans.

    Example:
        >>> import keras, kosine as ks
        >>> plan = ks.wsd(peak=1e-3, warmup=100).plan(total_steps=1000)
        >>> model = keras.Sequential([keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.AdamW(ks.keras.LearningRateSchedule(plan)), "mse")
        >>> ks.keras.plan_of(model) == plan
        True
    """
    return _schedules(model)[0][1].plan


def set_plan(model: Any, plan: Plan) -> None:
    """Give the model's optimizer another plan, such as a branch of the one that it has.

    The run goes on along it: the update that the optimizer counts as t uses `plan(t - offset)`, with the `offset` of
    the `LearningRateSchedule` that was there. The counts, the weights and the optimizer's other state stay. The plan is
    saved with the model.

    Args:
        model: a compiled Keras model whose optimizer has a `LearningRateSchedule`; so have all parts of a
            `MultiOptimizer`, with the same plan.
        plan: what to follow from the next update on.

    Raises:
        ArgumentTypeError: no plan.
        TrainingError: an optimizer without a `LearningRateSchedule`, or several with different plans.
        PlanError: a plan longer than the backend can count.

    Warns:
        TrainingWarning: an update that is done had another rate than the plan has at its step; the warning names the
            first.

    Example:
        >>> import keras, kosine as ks
        >>> plan = ks.wsd(peak=1e-3, warmup=100).plan(total_steps=1000)
        >>> model = keras.Sequential([keras.layers.Dense(1)])
        >>> model.compile(keras.optimizers.AdamW(ks.keras.LearningRateSchedule(plan)), "mse")
        >>> ks.keras.set_plan(model, plan.cooldown(at=600, over=100))
        >>> ks.keras.plan_of(model).total_steps
        700
    """
    if not isinstance(plan, Plan):
        raise ArgumentTypeError(
            argument="plan", rule="a kosine Plan, such as a branch of `plan_of(model)`", received=plan
        )
    schedules = _schedules(model)
    following = [(optimizer, LearningRateSchedule(plan, there.offset)) for optimizer, there in schedules]
    before, now = schedules[0][1].plan, plan
    done = max(iterations(optimizer) - there.offset for optimizer, there in schedules)
    first = first_difference(before, now, max(done, 0))
    for optimizer, schedule in following:
        optimizer.learning_rate = schedule
    model.train_function = None  # it was traced with the plan before
    if first is not None:
        then, there_now = rates_at(before, now, first)
        warnings.warn(
            f"The run has done {done:,} steps along another plan: at step {first:,} the rate was {then}, and the plan "
            f"that was set has {there_now} there. {how_to_share_the_past(first, done)}",
            TrainingWarning,
            stacklevel=2,
        )


def _schedules(model: Any) -> list[tuple[Any, LearningRateSchedule]]:
    """The optimizers of a model, each with its schedule."""
    rates = [(optimizer, rate_of(optimizer)) for optimizer in optimizers(model)]
    found = [(optimizer, rate) for optimizer, rate in rates if isinstance(rate, LearningRateSchedule)]
    if not found or len(found) < len(rates):
        raise TrainingError(
            "Each optimizer of the model must have a LearningRateSchedule of kosine.",
            received=Described(", ".join(f"{type(optimizer).__name__}" for optimizer, _ in rates) or "no optimizer"),
            fix="Pass the plan to a LearningRateCallback instead; or compile the model with "
            "`LearningRateSchedule(plan)` as the optimizer's learning rate.",
        )
    if any(schedule.plan != found[0][1].plan for _, schedule in found):
        raise TrainingError(
            "The optimizers of the model follow different plans.",
            received=Described(f"{len(found)} optimizers"),
            fix="Set each one's: `optimizer.learning_rate = ks.keras.LearningRateSchedule(plan)`.",
        )
    return found
