"""Set-ups that would not follow the schedule fail before the first batch, and leave the weights alone."""

import json
import re
import warnings
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import keras
import numpy as np
import pytest

import kosine as ks
from kosine.keras._callback import LearningRateCallback
from kosine.keras._dropin import WarmUpCosineDecayScheduler
from kosine.keras._schedule import LearningRateSchedule
from kosine.testing.keras import probe_data
from tests.support.float32 import ulps
from tests.support.keras_probe import BACKEND, LR, STEPS, assert_follows, compiled, fit

LAST_STEP = 2**63 - 1 if BACKEND == "tensorflow" else 2**31 - 1


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


def test_steps_per_epoch_that_disagree_are_named() -> None:
    with pytest.raises(ks.TrainingError, match=r"disagree\. Received: fit: 10, LearningRateCallback: 12"):
        fit(compiled(), LearningRateCallback(LR, steps_per_epoch=12))


def test_a_plan_for_other_epochs_is_named() -> None:
    with pytest.raises(ks.TrainingError, match=r"disagree\. Received: fit: 10, the plan: 7"):
        fit(compiled(), LearningRateCallback(LR.plan(epochs=4, steps_per_epoch=7)))


def test_a_plan_counts_the_batches_that_keras_counts() -> None:
    x, y = probe_data(STEPS)  # 20 samples: 6 batches of 3 and one of 2
    callback = LearningRateCallback(LR.plan(epochs=2, dataset_size=20, batch_size=3), lint=False)
    fit(compiled(), callback, data={"x": x, "y": y, "batch_size": 3}, epochs=2)
    assert callback.history.steps.tolist() == list(range(14))


def test_a_plan_in_updates_is_refused_where_gradients_are_accumulated() -> None:
    model = compiled(keras.optimizers.SGD(0.5, gradient_accumulation_steps=2))
    plan = LR.plan(epochs=4, dataset_size=20, batch_size=2, accumulate=2)
    with pytest.raises(ks.TrainingError, match=r"Received: fit: 10, the plan: 5\. A step of Keras is a batch"):
        fit(model, LearningRateCallback(plan))


def test_a_schedule_in_time_is_to_be_planned() -> None:
    timed = ks.warmup_cosine(peak=0.1, warmup="5min")
    message = r"or how long it takes\. .* Pass a plan .*seconds_per_step=\.\.\."
    with pytest.raises(ks.TrainingError, match=message):
        fit(compiled(), LearningRateCallback(timed))
    plan = timed.plan(epochs=4, steps_per_epoch=STEPS, seconds_per_step=60)
    assert_follows(fit(compiled(), LearningRateCallback(plan, lint=False)), plan, count=4 * STEPS)


def test_after_a_refused_fit_the_optimizer_is_as_it_was() -> None:
    model = compiled()
    with pytest.raises(ks.TrainingError, match="`fit` does not say how many samples"):
        fit(model, LearningRateCallback(ks.warmup_cosine(peak=0.1, warmup="8sp")))
    assert set(fit(model, epochs=1)) == {np.float32(0.5)}
    model.optimizer.learning_rate = 0.25
    assert set(fit(model, keras.callbacks.ReduceLROnPlateau(monitor="loss"), epochs=1)) == {np.float32(0.25)}


def test_units_that_fit_does_not_know_are_named() -> None:
    with pytest.raises(ks.TrainingError, match=r"Pass a plan to LearningRateCallback: schedule\.plan"):
        fit(compiled(), LearningRateCallback(ks.warmup_cosine(peak=0.1, warmup="8sp")))


def test_a_plan_as_the_learning_rate_is_named() -> None:
    with pytest.raises(
        ks.ArgumentTypeError, match=r"In Keras, pass `ks\.keras\.LearningRateSchedule\(plan\)` to the opt"
    ):
        fit(compiled(keras.optimizers.SGD(LR.plan(epochs=4, steps_per_epoch=STEPS))), epochs=1)


@pytest.mark.parametrize("offset", [1.5, "3", True, None, LAST_STEP + 1, -LAST_STEP - 1], ids=repr)
def test_an_offset_that_is_no_count_is_refused(offset: Any) -> None:
    with pytest.raises(ks.ArgumentTypeError, match=r"`offset` must be an integer that int\d\d holds: .* Received: of"):
        LearningRateSchedule(LR.plan(epochs=4, steps_per_epoch=STEPS), offset)


@pytest.mark.parametrize("wrong", [1e-3, "cosine(to=0)", None, [LR], abs], ids=repr)
def test_what_is_no_schedule_is_refused(wrong: Any) -> None:
    with pytest.raises(ks.ArgumentTypeError, match="Argument `schedule` must be a kosine Schedule or Plan"):
        LearningRateCallback(wrong)


@pytest.mark.parametrize("wrong", [0, -3])
def test_a_steps_per_epoch_below_1_is_refused(wrong: int) -> None:
    with pytest.raises(
        ks.PlanError, match=rf"`steps_per_epoch` must be an integer >= 1\. Received: steps_per_epoch={wrong}"
    ):
        LearningRateCallback(LR, steps_per_epoch=wrong)


def test_a_fractional_steps_per_epoch_is_refused() -> None:
    with pytest.raises(ks.ArgumentTypeError, match="`steps_per_epoch` must be an integer"):
        LearningRateCallback(LR, steps_per_epoch=2.5)  # type: ignore[arg-type]


def test_a_schedule_instead_of_a_plan_is_refused() -> None:
    with pytest.raises(ks.ArgumentTypeError, match=r"Argument `plan` must be a kosine Plan: call `schedule.plan"):
        LearningRateSchedule(LR)  # type: ignore[arg-type]


# How many steps a backend counts

LONGEST = {
    "with a rest": LR.plan(total_steps=LAST_STEP, steps_per_epoch=STEPS),
    "a table": ks.Schedule(ks.linear(9, start=0.0, to=0.1), ks.hold(LAST_STEP - 9)).plan(),
    "cycles": ks.Schedule(ks.cycles(ks.cosine(7, start=0.1, to=0.01))).plan(total_steps=LAST_STEP),
}
HOST_LAST_STEP = 2**63 - 1


@pytest.mark.parametrize("plan", LONGEST.values(), ids=list(LONGEST))
def test_a_plan_of_as_many_steps_as_the_backend_counts_is_followed_to_its_end(plan: ks.Plan) -> None:
    steps = np.array([0, 1, LAST_STEP // 2, LAST_STEP - 2, LAST_STEP - 1])
    tensor = keras.ops.convert_to_tensor(steps, "int64" if LAST_STEP == HOST_LAST_STEP else "int32")
    rates = keras.ops.convert_to_numpy(LearningRateSchedule(plan)(tensor))
    assert ulps(rates, plan(steps)).max() <= 8


if BACKEND == "tensorflow":

    def test_a_run_beyond_int32_trains() -> None:
        plan = LR.plan(epochs=2**31, steps_per_epoch=STEPS)
        applied = fit(compiled(), LearningRateCallback(LR, origin="run"), epochs=2**31, initial_epoch=2**31 - 2)
        assert ulps(applied, plan(2**31 * STEPS - 2 * STEPS + np.arange(2 * STEPS))).max() <= 8

else:
    TOO_LONG = {
        "with a rest": LR.plan(total_steps=2**31, steps_per_epoch=STEPS),
        "fixed phases": ks.Schedule(ks.linear(9, start=0.0, to=0.1), ks.hold(2**31 - 8)).plan(),
        "cycles": ks.Schedule(ks.cycles(ks.cosine(7, start=0.1, to=0.01))).plan(total_steps=2**31),
    }

    @pytest.mark.parametrize("plan", TOO_LONG.values(), ids=list(TOO_LONG))
    def test_a_plan_of_more_steps_than_the_backend_counts_is_refused(plan: ks.Plan) -> None:
        message = r"counts steps in int32, up to 2,147,483,647\. Received: total_steps=214748364[89]"
        with pytest.raises(ks.PlanError, match=message):
            LearningRateSchedule(plan)
        model = compiled()
        with pytest.raises(ks.PlanError, match=message):
            fit(model, LearningRateCallback(plan))
        assert set(fit(model, epochs=1)) == {np.float32(0.5)}  # nothing was installed

    ENDLESS = ks.sgdr(peak=0.1, period=7)

    @pytest.mark.parametrize(
        "callback",
        [
            LearningRateCallback(LR),
            LearningRateCallback(ENDLESS),
            LearningRateCallback(ENDLESS.plan()),
            LearningRateCallback(LR.plan(total_steps=100, steps_per_epoch=STEPS)),
            WarmUpCosineDecayScheduler(0.1, 100),
        ],
        ids=["a schedule", "an endless schedule", "an endless plan", "a plan that ends before", "the drop-in"],
    )
    @pytest.mark.parametrize("initial_epoch", [0, 2**31 // STEPS])
    def test_a_run_of_more_steps_than_the_backend_counts_is_refused(callback: Any, initial_epoch: int) -> None:
        model = compiled()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ks.TrainingWarning)  # of a plan that is shorter than the run
            with pytest.raises(ks.PlanError, match=r"up to 2,147,483,647\. Received: a `fit` of 2,147,483,650 steps"):
                fit(model, callback, epochs=2**31 // STEPS + 1, initial_epoch=initial_epoch)
        assert not np.any(model.get_weights()[0])
        assert set(fit(model, epochs=1)) == {np.float32(0.5)}

    def test_a_run_of_as_many_steps_as_the_backend_counts_trains() -> None:
        x, y = probe_data(STEPS)
        one_step = {"x": x[:2], "y": y[:2], "batch_size": 2}
        applied = fit(
            compiled(), LearningRateCallback(LR, origin="run"), data=one_step, epochs=2**31 - 1, initial_epoch=2**31 - 2
        )
        plan = LR.plan(total_steps=2**31 - 1, steps_per_epoch=1)
        assert ulps(applied[0], plan(2**31 - 2)) <= 8


# Configurations


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda config: config.pop("plan"), r'must have the fields "plan" and "offset" .* the fields \[\'offset\'\]'),
        (lambda config: config.pop("offset"), r"the fields \['plan'\]"),
        (lambda config: config.update(name="schedule"), r"the fields \['name', 'offset', 'plan'\]"),
        (lambda config: config.update(offset="3"), "has a wrong type: Argument `offset` must be an integer"),
        (lambda config: config.update(offset=None), "has a wrong type: Argument `offset` must be an integer"),
        (lambda config: config.update(offset=2.0), "has a wrong type: Argument `offset` must be an integer"),
        (lambda config: config.update(plan=None), "must be a JSON object. Received: None"),
        (lambda config: config.update(plan="constant(0.1)"), "must be a JSON object. Received: 'constant"),
        (lambda config: config["plan"].pop("run"), '"plan" must be a plan, with its "run". Received: Schedule'),
        (lambda config: config["plan"].pop("schedule"), r"lacks \['schedule'\]"),
        (lambda config: config["plan"].pop("version"), 'needs an integer "version"'),
        (lambda config: config["plan"].update(version=2), "Update kosine"),
        (lambda config: config["plan"].update(extra=1), "has the unknown fields"),
        (lambda config: config["plan"]["run"].update(total_steps="40"), "`total_steps` must be an integer"),
        (lambda config: config["plan"]["run"].update(total_steps=-1), "`total_steps` must be an integer >= 1"),
        (lambda config: config["plan"]["run"].update(total_steps=3), "leave no step for the rest of the run"),
        (lambda config: config["plan"]["schedule"].clear(), "at least one"),
        (lambda config: config["plan"]["schedule"][0].update(to="fast"), "`to` must be a finite learning rate"),
        (lambda config: config["plan"]["schedule"][0].update(to=float("nan")), "`to` must be a finite learning rate"),
        (lambda config: config["plan"]["schedule"][0].pop("curve"), '"curve" must be one of'),
    ],
)
def test_a_saved_model_whose_schedule_is_corrupt_is_refused(tmp_path: Path, change: Any, message: str) -> None:
    model = compiled(keras.optimizers.SGD(LearningRateSchedule(LR.plan(epochs=4, steps_per_epoch=STEPS))))
    model.save(tmp_path / "model.keras")
    with ZipFile(tmp_path / "model.keras") as saved, ZipFile(tmp_path / "corrupt.keras", "w") as corrupt:
        for name in saved.namelist():
            content = saved.read(name)
            if name == "config.json":
                config = json.loads(content)
                change(config["compile_config"]["optimizer"]["config"]["learning_rate"]["config"])
                content = json.dumps(config).encode()
            corrupt.writestr(name, content)
    with pytest.raises(ks.KosineError, match=message):
        keras.saving.load_model(tmp_path / "corrupt.keras")


@pytest.mark.parametrize("config", [None, [], "plan", 3], ids=repr)
def test_a_configuration_that_is_no_dict_is_refused(config: Any) -> None:
    with pytest.raises(
        ks.NotationError, match=f"no other, as `get_config` writes them. Received: {re.escape(repr(config))}"
    ):
        LearningRateSchedule.from_config(config)


@pytest.mark.parametrize("value", [ks.constant(0.1), ks.constant(0.1).plan(total_steps=4)], ids=["schedule", "plan"])
def test_what_is_no_callback_is_refused_before_training(value: ks.Schedule | ks.Plan) -> None:
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ks.ArgumentTypeError, match=r"`ks\.keras\.LearningRateCallback\(schedule\)`"):
        model.fit(np.zeros((8, 2)), np.zeros((8, 1)), verbose=0, callbacks=[value])
    with pytest.raises(ks.ArgumentError, match=r"`ks\.keras\.LearningRateCallback\(schedule\)`"):
        model.fit(
            np.zeros((8, 2)), np.zeros((8, 1)), verbose=0, callbacks=[keras.callbacks.LearningRateScheduler(value)]
        )


def test_a_learning_rate_schedule_is_no_callback() -> None:
    schedule = LearningRateSchedule(ks.constant(0.1).plan(total_steps=4))
    with pytest.raises(ks.ArgumentTypeError, match=r"^A LearningRateSchedule cannot be used in `callbacks="):
        keras.callbacks.CallbackList([schedule], model=keras.Sequential(), epochs=1)  # as `fit` makes it


def test_a_schedule_as_the_learning_rate_of_an_optimizer_names_what_to_pass() -> None:
    optimizer = keras.optimizers.SGD(ks.constant(0.1))
    with pytest.raises(ks.ArgumentTypeError, match=r"`ks\.keras\.LearningRateSchedule\(plan\)` to the optimizer"):
        float(optimizer.learning_rate)
