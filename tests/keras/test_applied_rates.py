"""Each way to train with Keras, proven by the weights: the rate that every batch applied is the plan's."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import torch

import kosine as ks
from kosine.keras import LearningRateCallback, LearningRateSchedule
from kosine.testing.keras import AppliedRates, minus_mean, probe_data
from tests.keras.probe import BACKEND, GRAPH_BACKENDS, LR, STEPS, Crash, Stream, assert_follows, compiled, fit, ulps

MODES: list[dict[str, Any]] = [{}, {"run_eagerly": True}]
if GRAPH_BACKENDS:  # Keras refuses steps_per_execution on PyTorch, and its jit_compile is torch.compile
    MODES += [{"jit_compile": True}, {"steps_per_execution": 4}, {"steps_per_execution": 4, "jit_compile": True}]

SCHEDULES = [
    LR,
    ks.sgdr(peak=0.1, period="1ep", stretch=1.5, shrink=0.9, warmup=4),
    ks.sgdr(peak=0.1, period="0.33ep"),
    ks.Schedule(ks.cycles(ks.linear(2, start=0.001, to=0.1), ks.cosine(5, to=0.01))),
    ks.one_cycle(peak=0.1),
    ks.wsd(peak=0.1, warmup=3),
    ks.inverse_sqrt_decay(peak=0.1, warmup=4),
    ks.step_decay(peak=0.1, every=7, factor=0.3),
    ks.Schedule(ks.exponential(20, start=1.0, to=1e-6, endpoint=True), ks.polynomial(to=1e-2, power=3)),
    ks.constant(0.3),
]


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_fit_follows_the_schedule(mode: dict[str, Any]) -> None:
    callback = LearningRateCallback(LR)
    applied = fit(compiled(**mode), callback)
    assert_follows(applied, LR.plan(epochs=4, steps_per_epoch=STEPS), count=4 * STEPS)
    assert callback.history.steps.tolist() == list(range(4 * STEPS))


def test_a_single_callback_without_a_list() -> None:
    callback = LearningRateCallback(LR)
    x, y = probe_data(STEPS)
    compiled().fit(x, y, batch_size=2, epochs=4, shuffle=False, verbose=0, callbacks=callback)
    assert callback.history.steps.tolist() == list(range(4 * STEPS))


def test_a_callback_inside_another() -> None:
    class Wrapper(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self, inner: Any) -> None:
            super().__init__()
            for name in ("set_params", "set_model", "on_train_begin", "on_epoch_begin"):
                setattr(self, name, getattr(inner, name))
            self.on_train_batch_end, self.on_epoch_end = inner.on_train_batch_end, inner.on_epoch_end

    applied = fit(compiled(), Wrapper(LearningRateCallback(ks.constant(0.25))), epochs=1)
    assert applied.tolist() == [0.25] * STEPS


def test_a_list_of_callbacks_made_before_fit() -> None:
    model, callback, applied = compiled(), LearningRateCallback(ks.sgdr(peak=0.1, period=7)), AppliedRates()
    callbacks = keras.callbacks.CallbackList([callback, applied], add_history=True, model=model)
    x, y = probe_data(STEPS)
    model.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0, callbacks=callbacks)
    assert_follows(applied.rates, ks.sgdr(peak=0.1, period=7).plan(), count=2 * STEPS)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_every_recipe_is_applied(schedule: ks.Schedule) -> None:
    applied = fit(compiled(), LearningRateCallback(schedule))
    assert_follows(applied, schedule.plan(epochs=4, steps_per_epoch=STEPS), count=4 * STEPS)


def test_a_plan_is_followed_as_it_is() -> None:
    plan = LR.plan(total_steps=45, steps_per_epoch=STEPS)
    assert_follows(fit(compiled(), LearningRateCallback(plan)), plan, count=4 * STEPS)


def test_a_plan_shorter_than_the_run_is_reported() -> None:
    plan = LR.plan(total_steps=25, steps_per_epoch=STEPS)
    with pytest.warns(ks.TrainingWarning, match="The plan ends after 25 steps, but `fit` trains 40"):
        applied = fit(compiled(), LearningRateCallback(plan))
    assert_follows(applied, plan, count=4 * STEPS)


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_the_ends_of_a_run_too_long_for_a_table(mode: dict[str, Any]) -> None:
    plan = LR.plan(epochs=10**7, steps_per_epoch=STEPS)
    model, callback = compiled(**mode), LearningRateCallback(plan)
    assert_follows(fit(model, callback), plan, count=4 * STEPS)
    last = fit(model, callback, initial_epoch=10**7 - 4, epochs=10**7)
    assert_follows(last, plan, first=10**8 - 4 * STEPS, count=4 * STEPS)
    assert (last > 0).all()


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_the_schedule_given_to_the_optimizer_is_applied(mode: dict[str, Any]) -> None:
    plan = LR.plan(epochs=4, steps_per_epoch=STEPS)
    assert_follows(fit(compiled(keras.optimizers.SGD(LearningRateSchedule(plan)), **mode)), plan, count=4 * STEPS)


def test_gradient_accumulation_counts_batches() -> None:
    callback = LearningRateCallback(LR)
    applied = fit(compiled(keras.optimizers.SGD(0.5, gradient_accumulation_steps=2)), callback)
    plan = LR.plan(epochs=4, steps_per_epoch=STEPS)
    # Batches 2k and 2k + 1 are applied together, halved, with the rate of the second.
    wanted = plan(np.arange(4 * STEPS) // 2 * 2 + 1)
    assert ulps(2 * applied, wanted).max() <= 8
    assert len(callback.history) == 4 * STEPS


@pytest.fixture
def mixed_float16() -> Iterator[None]:
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    yield
    keras.mixed_precision.set_dtype_policy("float32")


@pytest.mark.usefixtures("mixed_float16")
def test_mixed_precision_with_loss_scaling() -> None:
    model = compiled()
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    applied = fit(model, LearningRateCallback(LR))
    assert_follows(applied, LR.plan(epochs=4, steps_per_epoch=STEPS), count=4 * STEPS)


@pytest.mark.usefixtures("mixed_float16")
def test_updates_skipped_by_loss_scaling_are_reported_and_caught_up_with_at_the_next_epoch() -> None:
    plan = ks.Schedule(ks.linear(start=0.0, to=1.0)).plan(epochs=2, steps_per_epoch=STEPS)
    x, y = probe_data(STEPS)
    x[:4] = np.inf  # the first two batches overflow, in both epochs
    data = {"x": x, "y": y, "batch_size": 2}
    with pytest.warns(ks.TrainingWarning, match="2 of 10 updates of epoch 0 were skipped"):
        applied = fit(compiled(), LearningRateCallback(plan), epochs=2, data=data)
    for epoch in range(2):  # the rates of the epoch's first eight steps went to its last eight batches
        assert_follows(applied[epoch * STEPS + 2 : (epoch + 1) * STEPS], plan, first=epoch * STEPS, count=STEPS - 2)


if GRAPH_BACKENDS:

    @pytest.mark.usefixtures("mixed_float16")
    def test_skipped_updates_within_an_execution_of_many_steps() -> None:
        x, y = probe_data(STEPS)
        x[:4] = np.inf
        callback = LearningRateCallback(LR)
        with pytest.warns(ks.TrainingWarning, match="2 of 10 updates of epoch 0 were skipped") as caught:
            fit(compiled(steps_per_execution=5), callback, data={"x": x, "y": y, "batch_size": 2})
        assert len([warning for warning in caught if warning.category is ks.TrainingWarning]) == 1
        assert callback.history.steps.tolist() == list(range(4 * STEPS))


if BACKEND != "jax":  # there an optimizer is applied once a step, outside of train_step

    def test_two_updates_in_a_batch_are_reported() -> None:
        class Twice(keras.Model):  # type: ignore[misc]
            def train_step(self, *arguments: Any) -> Any:
                super().train_step(*arguments)
                return super().train_step(*arguments)

        inputs = keras.Input((STEPS,))
        model = Twice(inputs, keras.layers.Dense(1, use_bias=False, name="probe")(inputs))
        model.compile(keras.optimizers.SGD(0.5), minus_mean)
        with pytest.warns(ks.TrainingWarning, match="Epoch 0 had 10 batches but 20 updates"):
            fit(model, LearningRateCallback(LR))


def test_multi_optimizer_drives_every_optimizer() -> None:
    optimizer = keras.optimizers.MultiOptimizer(
        keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.5), {"first/.*": keras.optimizers.SGD(0.25)})
    )
    model = compiled(optimizer, layers=("first", "second"))
    first, second = AppliedRates("first"), AppliedRates("second")
    x, y = probe_data(STEPS)
    callbacks = [LearningRateCallback(LR), first, second]
    model.fit(x, y, batch_size=2, epochs=4, shuffle=False, verbose=0, callbacks=callbacks)
    plan = LR.plan(epochs=4, steps_per_epoch=STEPS)
    assert_follows(first.rates, plan, count=4 * STEPS)
    assert_follows(second.rates, plan, count=4 * STEPS)


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_second_fit_starts_at_step_0(mode: dict[str, Any]) -> None:
    model = compiled(**mode)
    callback = LearningRateCallback(LR)
    plan = LR.plan(epochs=2, steps_per_epoch=STEPS)
    for _ in range(2):
        assert_follows(fit(model, callback, epochs=2), plan, count=2 * STEPS)
        assert callback.history.steps.tolist() == list(range(2 * STEPS))


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_second_fit_with_another_schedule_follows_the_other(mode: dict[str, Any]) -> None:
    model = compiled(**mode)
    other = ks.sgdr(peak=0.3, period=7)
    fit(model, LearningRateCallback(LR), epochs=2)
    assert_follows(fit(model, LearningRateCallback(other), epochs=2), other.plan(), count=2 * STEPS)


@pytest.mark.parametrize("offset", [0, STEPS])
@pytest.mark.parametrize("mode", MODES, ids=str)
def test_an_equal_schedule_set_in_between_leaves_no_stale_trace(mode: dict[str, Any], offset: int) -> None:
    plan = LR.plan(epochs=4, steps_per_epoch=STEPS)
    model, callback = compiled(**mode), LearningRateCallback(plan)
    fit(model, callback, epochs=1)
    model.optimizer.learning_rate = LearningRateSchedule(plan, offset)
    for _ in range(2):
        assert_follows(fit(model, callback, epochs=2), plan, count=2 * STEPS)


def test_a_schedule_that_stands_in_two_models_is_left_alone() -> None:
    plan = LR.plan(epochs=4, steps_per_epoch=STEPS)
    shared = LearningRateSchedule(plan)
    one, other = compiled(keras.optimizers.SGD(shared)), compiled(keras.optimizers.SGD(shared))
    fit(other, epochs=1)
    for _ in range(2):
        assert_follows(fit(one, LearningRateCallback(plan), epochs=1), plan, count=STEPS)
    assert shared.offset == 0
    assert_follows(fit(other, epochs=1), plan, first=STEPS, count=STEPS)


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_compiling_again_between_two_fits(mode: dict[str, Any]) -> None:
    model, callback = compiled(**mode), LearningRateCallback(LR)
    fit(model, callback, epochs=2)
    model.compile(model.optimizer, minus_mean, **mode)
    assert_follows(fit(model, callback, epochs=2), LR.plan(epochs=2, steps_per_epoch=STEPS), count=2 * STEPS)


def test_the_callback_replaces_a_schedule_of_keras() -> None:
    model = compiled(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.5, 100)))
    fit(model, epochs=1)
    assert_follows(fit(model, LearningRateCallback(LR)), LR.plan(epochs=4, steps_per_epoch=STEPS), count=4 * STEPS)


def test_without_the_callback_the_installed_schedule_goes_on() -> None:
    model = compiled()
    plan = LR.plan(epochs=4, steps_per_epoch=STEPS)
    fit(model, LearningRateCallback(plan), epochs=2)
    assert_follows(fit(model, epochs=2), plan, first=2 * STEPS, count=2 * STEPS)


def test_initial_epoch_starts_there() -> None:
    model = compiled()
    fit(model, epochs=1)  # the optimizer has trained before
    callback = LearningRateCallback(LR)
    applied = fit(model, callback, epochs=4, initial_epoch=2)
    assert_follows(applied, LR.plan(epochs=4, steps_per_epoch=STEPS), first=2 * STEPS, count=2 * STEPS)
    assert callback.history.steps.tolist() == list(range(2 * STEPS, 4 * STEPS))


def test_one_fit_for_each_epoch_follows_a_plan() -> None:
    model, plan = compiled(), LR.plan(epochs=4, steps_per_epoch=STEPS)
    callback = LearningRateCallback(plan)
    applied = [fit(model, callback, initial_epoch=epoch, epochs=epoch + 1) for epoch in range(4)]
    assert_follows(np.concatenate(applied), plan, count=4 * STEPS)
    assert callback.history.steps.tolist() == list(range(4 * STEPS))


@pytest.mark.parametrize("save_freq", ["epoch", 3], ids=["each epoch", "each 3 batches"])
@pytest.mark.parametrize("trained_before", [0, 1])
def test_a_crashed_run_resumes_bit_for_bit(tmp_path: Path, save_freq: str | int, trained_before: int) -> None:
    schedule = ks.Schedule(ks.linear(15, start=0.01, to=0.3), ks.cycles(ks.cosine(9, to=0.02), stretch=1.3))

    def start() -> Any:
        keras.utils.clear_session()
        model = compiled(keras.optimizers.SGD(0.5))
        if trained_before:
            fit(model, epochs=trained_before)
        return model

    whole = fit(start(), LearningRateCallback(schedule), epochs=5)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", save_freq=save_freq, double_checkpoint=False)
    crashed = AppliedRates()
    x, y = probe_data(STEPS)
    arguments = {"batch_size": 2, "epochs": 5, "shuffle": False, "verbose": 0}
    callbacks = [backup, Crash(2, 5), LearningRateCallback(schedule), crashed]
    with pytest.raises(ConnectionAbortedError, match="power cut"):
        start().fit(x, y, callbacks=callbacks, **arguments)
    model = compiled(keras.optimizers.SGD(0.5))  # a new process: nothing but the backup is left
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", save_freq=save_freq, double_checkpoint=False)
    callback, resumed = LearningRateCallback(schedule), AppliedRates()
    model.fit(x, y, callbacks=[callback, backup, resumed], **arguments)
    assert callback.history.steps[0] == 2 * STEPS
    np.testing.assert_array_equal(np.concatenate([crashed.rates, resumed.rates]), whole)


def test_a_saved_model_trains_on_without_the_callback(tmp_path: Path) -> None:
    model, plan = compiled(), LR.plan(epochs=4, steps_per_epoch=STEPS)
    fit(model, epochs=1)
    fit(model, LearningRateCallback(plan), epochs=2)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert_follows(fit(again, epochs=2), plan, first=2 * STEPS, count=2 * STEPS)


def test_weights_only_files_load_into_an_optimizer_with_a_schedule(tmp_path: Path) -> None:
    model, plan = compiled(), LR.plan(epochs=4, steps_per_epoch=STEPS)
    fit(model, LearningRateCallback(plan), epochs=2)
    model.save_weights(tmp_path / "run.weights.h5")
    again = compiled(keras.optimizers.SGD(LearningRateSchedule(plan)))
    again.optimizer.build(again.trainable_variables)
    again.load_weights(tmp_path / "run.weights.h5")
    assert_follows(fit(again, epochs=2), plan, first=2 * STEPS, count=2 * STEPS)


def batches() -> Iterator[tuple[Any, Any]]:
    x, y = probe_data(STEPS)
    while True:
        for start in range(0, len(x), 2):
            yield x[start : start + 2], y[start : start + 2]


@pytest.mark.parametrize("steps_per_execution", [1, 5] if GRAPH_BACKENDS else [1])
def test_a_generator_with_steps_per_epoch(steps_per_execution: int) -> None:
    callback = LearningRateCallback(LR)
    model = compiled(steps_per_execution=steps_per_execution)
    applied = fit(model, callback, data={"x": batches()}, steps_per_epoch=STEPS)
    assert_follows(applied, LR.plan(epochs=4, steps_per_epoch=STEPS), count=4 * STEPS)
    assert len(callback.history) == 4 * STEPS


if GRAPH_BACKENDS:

    def test_an_epoch_that_is_no_multiple_of_steps_per_execution_is_reported() -> None:
        # Keras takes three executions of four batches from an endless generator.
        callback = LearningRateCallback(LR)
        with pytest.warns(ks.TrainingWarning, match="Epoch 0 had 12 batches, .* pass steps_per_epoch=12 to `fit`"):
            fit(compiled(steps_per_execution=4), callback, data={"x": batches()}, steps_per_epoch=STEPS)
        assert callback.history.steps[:14].tolist() == [*range(12), 10, 11]


@pytest.mark.filterwarnings("ignore:Your input ran out of data:UserWarning")  # so Keras finds the end of a stream
def test_data_that_does_not_know_its_length() -> None:
    callback = LearningRateCallback(LR, steps_per_epoch=STEPS)
    loader = torch.utils.data.DataLoader(Stream(), batch_size=2)
    applied = fit(compiled(), callback, data={"x": loader})
    assert_follows(applied, LR.plan(epochs=4, steps_per_epoch=STEPS), count=4 * STEPS)
    assert len(callback.history) == 4 * STEPS


@pytest.mark.filterwarnings("ignore:Your input ran out of data:UserWarning")
def test_a_schedule_in_steps_needs_no_length() -> None:
    schedule = ks.sgdr(peak=0.1, period=7)
    loader = torch.utils.data.DataLoader(Stream(), batch_size=2)
    assert_follows(fit(compiled(), LearningRateCallback(schedule), data={"x": loader}), schedule.plan(), count=40)


@pytest.mark.filterwarnings("ignore:Your input ran out of data:UserWarning")
def test_a_wrong_steps_per_epoch_is_reported() -> None:
    loader = torch.utils.data.DataLoader(Stream(), batch_size=2)
    callback = LearningRateCallback(ks.sgdr(peak=0.1, period="1ep"), steps_per_epoch=STEPS + 2)
    with pytest.warns(ks.TrainingWarning, match=re.escape("had 10 batches, but the schedule was planned for 12")):
        fit(compiled(), callback, data={"x": loader}, epochs=2)


def test_evaluate_and_predict_in_between_change_nothing() -> None:
    model, plan = compiled(), LR.plan(epochs=4, steps_per_epoch=STEPS)
    callback = LearningRateCallback(plan)
    x, y = probe_data(STEPS)
    validation = {"validation_data": (x[:6], y[:6]), "validation_freq": 2}
    first = fit(model, callback, epochs=2, **validation)
    model.evaluate(x[:4], y[:4], verbose=0, callbacks=[callback])
    model.predict(x[:4], verbose=0, callbacks=[callback])
    second = fit(model, callback, epochs=4, initial_epoch=2, **validation)
    assert_follows(np.concatenate([first, second]), plan, count=4 * STEPS)


def test_evaluate_first_leaves_a_constant_rate_alone() -> None:
    model = compiled()
    x, y = probe_data(STEPS)
    model.evaluate(x, y, verbose=0, callbacks=[LearningRateCallback(LR)])
    assert set(fit(model, epochs=1)) == {np.float32(0.5)}


def test_an_interrupted_epoch_is_in_the_history() -> None:
    callback, x, y = LearningRateCallback(LR), *probe_data(STEPS)
    with pytest.raises(ConnectionAbortedError):
        compiled().fit(
            x, y, batch_size=2, epochs=4, shuffle=False, verbose=0, callbacks=[callback, Crash(1, 5)]
        )  # fmt: skip
    assert callback.history.steps.tolist() == list(range(STEPS + 6))


def test_stopping_in_the_middle_of_an_epoch() -> None:
    class Stop(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.stop_training = batch == 3

    callback = LearningRateCallback(LR)
    applied = fit(compiled(), callback, Stop(), epochs=2)
    assert_follows(applied[:4], LR.plan(epochs=2, steps_per_epoch=STEPS), count=4)
    assert callback.history.steps.tolist() == [0, 1, 2, 3]


if BACKEND == "jax":

    def test_data_parallel_over_two_devices() -> None:
        devices = keras.distribution.list_devices()
        assert len(devices) == 2
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
        try:
            applied = fit(compiled(), LearningRateCallback(LR))
        finally:
            keras.distribution.set_distribution(None)
        assert_follows(applied, LR.plan(epochs=4, steps_per_epoch=STEPS), count=4 * STEPS)


if BACKEND == "tensorflow":
    import tensorflow as tf

    def test_mirrored_strategy_over_two_devices() -> None:
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        assert strategy.num_replicas_in_sync == 2
        with strategy.scope():
            model = compiled()
        callback = LearningRateCallback(LR)
        for _ in range(2):
            applied = fit(model, callback)
            assert_follows(applied, LR.plan(epochs=4, steps_per_epoch=STEPS), count=4 * STEPS)

    @pytest.mark.filterwarnings("ignore:Your input ran out of data:UserWarning")
    def test_the_phantom_steps_of_unknown_cardinality_are_taken_out_without_a_new_trace() -> None:
        # Keras 3.15's iterations gain a step without an update at the end of each epoch of such data.
        x, y = probe_data(STEPS)
        data = tf.data.Dataset.from_tensor_slices((x, y)).batch(2).filter(lambda x, y: True)
        model, callback = compiled(), LearningRateCallback(LR, steps_per_epoch=STEPS)
        functions = []
        remember = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: functions.append(model.train_function)
        )
        assert_follows(
            fit(model, callback, remember, data={"x": data}), LR.plan(epochs=4, steps_per_epoch=STEPS), count=4 * STEPS
        )
        assert len(set(functions)) == 1
        assert len(callback.history) == 4 * STEPS


def test_minus_mean_has_a_gradient_of_minus_one() -> None:
    model = compiled(keras.optimizers.SGD(1.0))
    assert fit(model, epochs=1).tolist() == [1.0] * STEPS
    assert model.loss is minus_mean
