"""LearningRateCallback warns of what surely wastes the training: once for a plan, before the first batch."""

import warnings
from typing import Any

import pytest

import kosine as ks
from kosine.keras._callback import LearningRateCallback
from kosine.keras._dropin import WarmUpCosineDecayScheduler
from tests.support.keras_probe import LR, assert_follows, compiled, fit

TAIL = ks.Schedule(ks.linear("1ep", start=0.1, to=0.0))


def warned(model: Any, *callbacks: Any, **arguments: Any) -> list[str]:
    """The warnings of kosine that a `fit` gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(model, *callbacks, **arguments)
    return [str(warning.message) for warning in caught if warning.category is ks.TrainingWarning]


def test_an_error_is_one_warning_with_the_fix_and_the_switch() -> None:
    assert warned(compiled(), LearningRateCallback(TAIL), epochs=2) == [
        "K003: The rate is 0 from step 10 on: in the last 1 epoch (50 % of the run) no weight changes any more. Write "
        "linear(start=0.1, to=0.0), without a duration, and it takes the rest of the run; or end the run after 1 "
        "epoch. (LearningRateCallback(..., lint=False) switches this check off.)"
    ]


def test_it_is_told_before_the_first_batch() -> None:
    model = compiled()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ks.TrainingWarning)
        with pytest.raises(ks.TrainingWarning, match=r"^K003"):
            fit(model, LearningRateCallback(TAIL), epochs=2)
    assert not model.get_weights()[0].any()


def test_a_plan_is_told_of_once_and_another_anew() -> None:
    model, callback = compiled(), LearningRateCallback(TAIL)
    assert len(warned(model, callback, epochs=2)) == 1
    assert warned(model, callback, epochs=2) == []
    (message,) = warned(model, callback, epochs=3)
    assert "in the last 2 epochs" in message


def test_it_can_be_switched_off_and_trains_the_same() -> None:
    callback = LearningRateCallback(TAIL, lint=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ks.TrainingWarning)
        applied = fit(compiled(), callback, epochs=2)
    assert callback.plan is not None
    assert_follows(applied, callback.plan, count=20)


@pytest.mark.parametrize("schedule", [LR, ks.sgdr(peak=0.1, period=7), ks.constant(0.1)], ids=["fine", "cycle", "flat"])
def test_what_is_no_error_is_not_warned_of(schedule: ks.Schedule) -> None:
    assert warned(compiled(), LearningRateCallback(schedule), epochs=2) == []


def test_a_tail_that_this_fit_does_not_train_is_not_warned_of() -> None:
    plan = TAIL.plan(epochs=5, steps_per_epoch=10)
    assert warned(compiled(), LearningRateCallback(plan), epochs=1) == []
    (message,) = warned(compiled(), LearningRateCallback(plan), epochs=5)
    assert message.startswith("The plan ends after 10 steps, but `fit` trains 50")


def test_a_run_that_goes_on_is_not_told_again() -> None:
    assert warned(compiled(), LearningRateCallback(TAIL), epochs=4, initial_epoch=2) == []


def test_the_drop_in_is_as_quiet_as_the_original() -> None:
    assert warned(compiled(), WarmUpCosineDecayScheduler(0.1, total_steps=10), epochs=2) == []


def test_the_switch_is_true_or_false() -> None:
    with pytest.raises(ks.ArgumentTypeError, match=r"`lint` must be True or False\. Received: lint='no'"):
        LearningRateCallback(LR, lint="no")  # type: ignore[arg-type]
