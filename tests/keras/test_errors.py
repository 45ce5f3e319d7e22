"""Set-ups that would not follow the schedule fail before the first batch, and leave the weights alone."""

import warnings
from typing import Any

import keras
import numpy as np
import pytest
import torch

import kosine as ks
from kosine.keras import LearningRateCallback, LearningRateSchedule, WarmUpCosineDecayScheduler
from tests.keras.probe import BACKEND, LR, STEPS, Stream, compiled, fit


def stream() -> dict[str, Any]:
    return {"x": torch.utils.data.DataLoader(Stream(), batch_size=2)}


@pytest.mark.parametrize(
    "rival",
    [
        keras.callbacks.ReduceLROnPlateau(monitor="loss"),
        keras.callbacks.LearningRateScheduler(lambda epoch: 0.1),
        LearningRateCallback(LR),
        WarmUpCosineDecayScheduler(0.1, 40),
    ],
    ids=lambda rival: type(rival).__name__,
)
@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_a_rival_callback_is_refused(rival: Any, first: bool) -> None:
    model, own = compiled(), LearningRateCallback(LR)
    match = f"Only one callback can set the learning rate. Received: .*{type(rival).__name__}"
    with pytest.raises(ks.TrainingError, match=match):
        fit(model, *([rival, own] if first else [own, rival]))
    assert not np.any(model.get_weights()[0])


def test_unknown_steps_per_epoch_are_named() -> None:
    with pytest.raises(ks.TrainingError, match="Pass `steps_per_epoch` to LearningRateCallback"):
        fit(compiled(), LearningRateCallback(LR), data=stream())


def test_a_run_that_starts_in_the_middle_needs_the_steps_per_epoch() -> None:
    with pytest.raises(ks.TrainingError, match="starts in the middle needs the number of steps per epoch"):
        fit(compiled(), LearningRateCallback(ks.sgdr(peak=0.1, period=7)), data=stream(), initial_epoch=1)


def test_steps_per_epoch_that_disagree_are_named() -> None:
    with pytest.raises(ks.TrainingError, match=r"disagree\. Received: fit: 10, LearningRateCallback: 12"):
        fit(compiled(), LearningRateCallback(LR, steps_per_epoch=12))


def test_a_plan_for_other_epochs_is_named() -> None:
    with pytest.raises(ks.TrainingError, match=r"disagree\. Received: fit: 10, the plan: 7"):
        fit(compiled(), LearningRateCallback(LR.plan(epochs=4, steps_per_epoch=7)))


def test_a_schedule_longer_than_the_run_fails_before_training() -> None:
    model = compiled()
    with pytest.raises(ks.PlanError, match="leave no step for the rest of the run"):
        fit(model, LearningRateCallback(LR), epochs=1)
    assert not np.any(model.get_weights()[0])


def test_after_a_refused_fit_the_optimizer_is_as_it_was() -> None:
    model = compiled()
    with pytest.raises(ks.PlanError, match="leave no step"):
        fit(model, LearningRateCallback(LR), epochs=1)
    assert set(fit(model, epochs=1)) == {np.float32(0.5)}
    model.optimizer.learning_rate = 0.25
    assert set(fit(model, keras.callbacks.ReduceLROnPlateau(monitor="loss"), epochs=1)) == {np.float32(0.25)}


def test_units_that_fit_does_not_know_are_named() -> None:
    with pytest.raises(ks.TrainingError, match=r"Pass a plan to LearningRateCallback: schedule\.plan"):
        fit(compiled(), LearningRateCallback(ks.warmup_cosine(peak=0.1, warmup="8sp")))


def test_a_later_start_than_where_the_last_fit_ended_needs_the_steps_per_epoch() -> None:
    callback, model = LearningRateCallback(ks.sgdr(peak=0.1, period=7)), compiled()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Your input ran out of data", UserWarning)
        fit(model, callback, data=stream(), epochs=2)
        assert len(fit(model, callback, data=stream(), epochs=3, initial_epoch=2)) == STEPS
        with pytest.raises(ks.TrainingError, match="starts in the middle needs the number of steps per epoch"):
            fit(model, callback, data=stream(), epochs=7, initial_epoch=5)


def test_a_plan_as_the_learning_rate_is_named() -> None:
    with pytest.raises(
        ks.ArgumentTypeError, match=r"In Keras, give the optimizer `ks.keras.LearningRateSchedule\(plan"
    ):
        fit(compiled(keras.optimizers.SGD(LR.plan(epochs=4, steps_per_epoch=STEPS))), epochs=1)


@pytest.mark.parametrize("offset", [-1, 1.5, "3", True], ids=repr)
def test_an_offset_that_is_no_count_is_refused(offset: Any) -> None:
    with pytest.raises(ks.KosineError, match="`offset` must be an integer >= 0"):
        LearningRateSchedule(LR.plan(epochs=4, steps_per_epoch=STEPS), offset)


@pytest.mark.parametrize("wrong", [1e-3, "cosine(to=0)", None, [LR], lambda step: 0.1], ids=repr)
def test_what_is_no_schedule_is_refused(wrong: Any) -> None:
    with pytest.raises(ks.ArgumentTypeError, match="Argument `schedule` must be a kosine Schedule or Plan"):
        LearningRateCallback(wrong)


@pytest.mark.parametrize("wrong", [0, -3])
def test_a_steps_per_epoch_below_1_is_refused(wrong: int) -> None:
    with pytest.raises(
        ks.PlanError, match=f"`steps_per_epoch` must be an integer >= 1 .* Received: steps_per_epoch={wrong}"
    ):
        LearningRateCallback(LR, steps_per_epoch=wrong)


def test_a_fractional_steps_per_epoch_is_refused() -> None:
    with pytest.raises(ks.ArgumentTypeError, match="`steps_per_epoch` must be an integer"):
        LearningRateCallback(LR, steps_per_epoch=2.5)  # type: ignore[arg-type]


def test_a_schedule_instead_of_a_plan_is_refused() -> None:
    with pytest.raises(ks.ArgumentTypeError, match=r"Argument `plan` must be a kosine Plan: call `schedule.plan"):
        LearningRateSchedule(LR)  # type: ignore[arg-type]


if BACKEND != "tensorflow":

    def test_more_steps_than_the_backend_counts_are_refused() -> None:
        with pytest.raises(ks.PlanError, match="counts steps in int32, up to 2,147,483,647"):
            LearningRateSchedule(LR.plan(total_steps=2**31, steps_per_epoch=100))
