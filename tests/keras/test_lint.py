"""What lint finds in the plan of a run is warned of: once for a plan, before the first batch."""

import warnings
from typing import Any

import pytest

import kosine as ks
from kosine.keras._callback import LearningRateCallback
from kosine.keras._dropin import WarmUpCosineDecayScheduler
from tests.support import keras_probe
from tests.support.keras_probe import LR, STEPS, assert_follows, compiled, fit

TAIL = ks.Schedule(ks.linear("1ep", start=0.1, to=0.0))


def warned(model: Any, *callbacks: Any, **arguments: Any) -> list[str]:
    return keras_probe.warned(model, *callbacks, **arguments)[0]


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


QUIET = [ks.warmup_cosine(peak=0.1, warmup=2), ks.sgdr(peak=0.1, period=10), ks.constant(0.1)]


@pytest.mark.parametrize("schedule", QUIET, ids=["fine", "cycles", "flat"])
def test_what_is_fine_is_silent(schedule: ks.Schedule) -> None:
    assert warned(compiled(), LearningRateCallback(schedule), epochs=2) == []


@pytest.mark.parametrize(
    ("schedule", "start"),
    [
        (ks.sgdr(peak=0.1, period=7), "K001: The run ends 0.6 epochs into a cycle of 0.7"),
        (ks.warmup_cosine(peak=0.1, warmup="60%"), "K006: The warm-up lasts 1.2 epochs, which is 60 %"),
    ],
    ids=["a cycle that is cut", "a long warm-up"],
)
def test_a_warning_of_lint_is_one_of_the_run(schedule: ks.Schedule, start: str) -> None:
    (message,) = warned(compiled(), LearningRateCallback(schedule), epochs=2)
    assert message.startswith(start)
    assert warned(compiled(), LearningRateCallback(schedule, lint=False), epochs=2) == []


def test_a_plan_longer_than_the_fit_is_one_warning() -> None:
    plan = QUIET[0].plan(epochs=5, steps_per_epoch=STEPS)
    assert warned(compiled(), LearningRateCallback(plan), epochs=2) == [
        "The plan has 50 steps, but `fit` trains 20: it stops at the learning rate 0.0721144. Plan for 20 steps, or "
        "pass the schedule instead of a plan; where later calls of `fit` train the rest, pass lint=False."
    ]


def test_a_tail_that_this_fit_does_not_train_is_not_warned_of() -> None:
    plan = TAIL.plan(epochs=5, steps_per_epoch=STEPS)
    (message,) = warned(compiled(), LearningRateCallback(plan), epochs=1)
    assert message.startswith("The plan has 50 steps, but `fit` trains 10")
    (message,) = warned(compiled(), LearningRateCallback(plan), epochs=5)
    assert message.startswith("The plan ends after 10 steps, but `fit` trains 50")


def test_a_run_that_goes_on_is_not_warned_of_again() -> None:
    assert warned(compiled(), LearningRateCallback(TAIL, origin="run"), epochs=4, initial_epoch=2) == []


def drop_in(total_steps: int, **arguments: Any) -> WarmUpCosineDecayScheduler:
    return WarmUpCosineDecayScheduler(0.1, total_steps, warmup_steps=2, **arguments)


@pytest.mark.parametrize(
    ("total_steps", "first", "message"),
    [
        (20, 0, None),
        (30, 10, None),
        (18, 0, "`total_steps` is 18, but `fit` trains up to step 20: the last 2 run at the rate 0. Pass 20."),
        (40, 0, None),  # a later `fit` may train the other 20
        (
            25,
            0,
            "`total_steps` is 25, but `fit` trains up to step 20: it stops at the rate 0.0149, 5 steps before the "
            "end. Pass 20.",
        ),
    ],
)
def test_the_drop_in_says_where_fit_trains_another_number_of_steps(
    total_steps: int, first: int, message: str | None
) -> None:
    callback = drop_in(total_steps, global_step_init=first)
    messages = warned(compiled(), callback, epochs=2)
    if message is None:
        assert messages == []
    else:
        (said,) = messages
        rate = f"{ks.keras.cosine_decay_with_warmup(19, 0.1, 25, warmup_steps=2):.6g}"
        assert said == message.replace("0.0149", rate)


def test_the_switch_is_true_or_false() -> None:
    with pytest.raises(ks.ArgumentTypeError, match=r"`lint` must be True or False\. Received: lint='no'"):
        LearningRateCallback(LR, lint="no")  # type: ignore[arg-type]
