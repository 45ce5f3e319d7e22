"""What a newcomer types first: sizes of data, words of other libraries, and schedules where something else belongs."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

import kosine as ks

LR = ks.warmup_cosine(peak=1.0, warmup="1ep")


def test_a_run_is_sized_by_its_data() -> None:
    plan = LR.plan(epochs=3, dataset_size=105, batch_size=10)
    assert plan == LR.plan(epochs=3, steps_per_epoch=11, samples_per_step=10)
    assert LR.plan(epochs=3, dataset_size=100, batch_size=10).total_steps == 30
    assert LR.plan(total_steps=30, steps_per_epoch=10, batch_size=7).run.samples_per_step == 7


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ({"dataset_size": 100}, "Argument `dataset_size` needs `batch_size`. Received: dataset_size=100."),
        (
            {"dataset_size": 100, "batch_size": 10, "steps_per_epoch": 9},
            "Arguments `dataset_size` and `batch_size` make 10 steps per epoch. Received: steps_per_epoch=9. Leave",
        ),
        ({"dataset_size": 0, "batch_size": 10}, "Argument `dataset_size` must be an integer >= 1. Received: dataset_s"),
        (
            {"epochs": 5},
            "`epochs` needs `steps_per_epoch`. Received: epochs=5, steps_per_epoch=None. Give it, or `data",
        ),
    ],
)
def test_a_size_that_does_not_go_together_is_refused(run: dict[str, int], message: str) -> None:
    with pytest.raises(ks.PlanError, match=re.escape(message)):
        LR.plan(**run)


lr: Any = LR  # the slips of this list are those that a type checker would find
kosine: Any = ks
CALLS: list[tuple[Callable[[], object], str]] = [
    (lambda: lr.plan(epochs=5, steps_per_epoch=12608 / 16), "steps_per_epoch=788.0. The last batch of an epoch counts"),
    (
        lambda: lr.plan(epochs=5, steps_per_epoch=12608 / 16),
        "write math.ceil(dataset_size / batch_size), or give `data",
    ),
    (lambda: lr.plan(1000), "`plan` cannot be called like this: too many positional arguments."),
    (lambda: lr.plan(1000), "Write plan(total_steps=1000). Its arguments are plan(*, total_steps=None"),
    (lambda: lr.plan(num_training_steps=9), "no argument 'num_training_steps'. Write `total_steps` for num_train"),
    (lambda: lr(), "does not know its run, so it has no rate at a step."),
    (lambda: lr(5), "Call `schedule.plan(total_steps=...)`, and use the plan."),
    (lambda: lr(5), "In Keras pass `ks.keras.LearningRateSchedule(plan)` to the optimizer, or `ks.keras.Learning"),
    (
        lambda: kosine.sgdr(T_0=10, T_mult=2),
        "Write `period` for T_0 and `stretch` for T_mult. Its arguments are sgdr(peak,",
    ),
    (lambda: kosine.sgdr(0.1, 10), "Write period=10. Its arguments are sgdr(peak, *, period,"),
    (
        lambda: kosine.warmup_cosine(learning_rate_base=1.0, warmup_steps=5, total_steps=9),
        "Write `peak` for learning_rate_base and `warmup` for warmup_steps. A schedule does not know its run",
    ),
    (
        lambda: kosine.warmup_cosine(learning_rate_base=1.0, warmup_steps=5, total_steps=9),
        "give the size of the run to `schedule.plan(...)`. Its arguments are",
    ),
    (
        lambda: kosine.sgdr(eta_max=1.0, T_0=5, T_mult=2),
        "`sgdr` has no arguments 'eta_max', 'T_0' and 'T_mult'. "
        "Write `peak` for eta_max, `period` for T_0 and `stretch` for T_mult.",
    ),
    (lambda: kosine.warmup_cosine(peak=1, T_max=100), "A schedule does not know its run: give the size"),
    (lambda: kosine.wsd(peak=1, decay="10%"), "Write `cooldown` for decay."),
    (lambda: kosine.wsd(peak=1, decay_ratio="10%"), "Write `cooldown` for decay_ratio."),
    (lambda: kosine.wsd(peak=1, min_lr_factor=0.1), "min_lr_factor is a share of the peak."),
    (lambda: kosine.wsd(peak=1, cos_min_ratio=0.1), "cos_min_ratio is a share of the peak."),
    (lambda: kosine.cosine(to=0.0, k=2.0), "Write `warp` for k."),
    (lambda: kosine.polynomial(to=0.0, k_decay=2.0), "Write `warp` for k_decay."),
    (lambda: kosine.warmup_cosine(peak=1, k=2.0), "Write `warp` of the curve, as in `ks.cosine(to=0.0, warp=2.0)`"),
    (lambda: kosine.infinite(peak=1, eta_const=0.5), "Write `constant` for eta_const."),
    (lambda: kosine.warmup_cosine(peak=1, eta_min=0), "Write `floor` for eta_min."),
    (lambda: kosine.warmup_cosine(lr=1), "Write `peak` for lr."),
    (
        lambda: kosine.warmup_cosine(initial_learning_rate=0.0, warmup_target=1.0),
        "Write `warmup_start` for initial_learning_rate and `peak` for warmup_target.",
    ),
    (
        lambda: kosine.warmup_cosine(init_value=0.0, peak_value=1.0, end_value=0.0),
        "Write `warmup_start` for init_value, `peak` for peak_value and `floor` for end_value.",
    ),
    (lambda: kosine.warmup_cosine(initial_learning_rate=1.0), "Write `peak` for initial_learning_rate."),
    (lambda: kosine.cosine(init_value=1.0, to=0.0), "Write `start` for init_value."),
    (lambda: kosine.piecewise(boundaries=[5], values=[1, 2]), "Write `points` for boundaries and `points` for values."),
    (lambda: kosine.warmup_cosine(base_lr=1), "Write `peak` for base_lr."),
    (lambda: kosine.warmup_cosine(max_lr=1), "Write `peak` for max_lr."),
    (lambda: kosine.warmup_cosine(peak=1, num_warmup_steps=5), "Write `warmup` for num_warmup_steps."),
    (lambda: kosine.warmup_cosine(peak=1, warmup_lr_init=0), "Write `warmup_start` for warmup_lr_init."),
    (lambda: kosine.warmup_cosine(peak=1, verbose=1), "A schedule prints nothing: `print(plan)` shows its phases."),
    (
        lambda: kosine.warmup_cosine(peak=1, alpha=0.1),
        "Write `floor`, or `to`, the rate itself: alpha is a share of the",
    ),
    (lambda: kosine.step_decay(peak=1, step_size=5, gamma=0.1), "Write `every` for step_size and `factor` for gamma."),
    (lambda: kosine.warmup_cosine(peek=1), "`warmup_cosine` has no argument 'peek'. Did you mean `peak`?"),
    (
        lambda: kosine.warmup_cosine(),
        "`warmup_cosine` cannot be called like this: missing a required argument: 'peak'.",
    ),
]


@pytest.mark.parametrize(("call", "fix"), CALLS, ids=[fix[:40] for _, fix in CALLS])
def test_a_slip_is_answered_with_the_fix(call: Callable[[], object], fix: str) -> None:
    with pytest.raises(ks.ArgumentTypeError, match=re.escape(fix)):
        call()


def test_a_unit_that_is_nearly_right_is_answered_with_the_right_one() -> None:
    with pytest.raises(ks.ScheduleError, match=r'Received: duration=\'10e\'\. Did you mean "10ep"\?'):
        ks.linear("10e", start=0.0, to=1.0)


@pytest.mark.parametrize("value", [LR, LR.plan(total_steps=9, steps_per_epoch=3)], ids=["schedule", "plan"])
@pytest.mark.parametrize("name", ["set_params", "set_model", "on_batch_end", "on_train_begin", "async_safe"])
def test_a_schedule_or_plan_among_the_callbacks_is_refused(value: ks.Schedule | ks.Plan, name: str) -> None:
    with pytest.raises(ks.ArgumentTypeError, match=r"in `callbacks=\[...\]`.* `ks\.keras\.LearningRateCallback\("):
        getattr(value, name)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (LR, "A Schedule does not know its run, so it has no rate at an epoch"),
        (LR.plan(total_steps=9, steps_per_epoch=3), "A Plan is a function of the step alone"),
    ],
    ids=["schedule", "plan"],
)
def test_a_call_with_epoch_and_rate_is_refused_with_no_type_error(value: ks.Schedule | ks.Plan, problem: str) -> None:
    """Keras' LearningRateScheduler would take a TypeError for a function of the epoch alone."""
    with pytest.raises(
        ks.ArgumentError, match=problem + r"\. Received: 0, 0\.1\. .*`ks\.keras\.LearningRateCallback\("
    ):
        value(0, 0.1)  # type: ignore[call-overload]
    assert not issubclass(ks.ArgumentError, TypeError)


@pytest.mark.parametrize(("name", "room"), [("LearningRateCallback", "keras"), ("PlanLR", "torch")])
def test_a_name_of_an_adapter_is_found(name: str, room: str) -> None:
    with pytest.raises(AttributeError, match=rf"Did you mean `ks\.{room}\.{name}`\?"):
        getattr(ks, name)


def test_an_attribute_that_a_plan_lacks_is_an_attribute_error() -> None:
    assert not hasattr(LR.plan(total_steps=9, steps_per_epoch=3), "rates")


def test_signatures_are_those_of_the_functions() -> None:
    assert list(inspect.signature(ks.sgdr).parameters)[:3] == ["peak", "period", "stretch"]
    assert "dataset_size" in inspect.signature(ks.Schedule.plan).parameters


def test_a_text_pasted_from_python_is_read() -> None:
    assert ks.parse("ks.Schedule(ks.linear(5, start=0.0, to=1.0), kosine.cosine(to=0.0))") == ks.parse(
        "Schedule(linear(5, start=0.0, to=1.0), cosine(to=0.0))"
    )
