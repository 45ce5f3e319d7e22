"""Each way to train with Keras, proven by the weights: the rate that every batch applied is the plan's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import keras
import numpy as np
import pytest

import kosine as ks
from kosine.keras._callback import LearningRateCallback
from kosine.keras._schedule import LearningRateSchedule
from kosine.testing.keras import AppliedRates, minus_mean, probe_data
from tests.support.float32 import ulps
from tests.support.keras_probe import BACKEND, GRAPH_BACKENDS, LR, STEPS, Crash, assert_follows, compiled, fit

if BACKEND == "tensorflow":
    import tensorflow as tf

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


def follow(schedule: Any, **arguments: Any) -> LearningRateCallback:
    """A callback that is quiet about what is odd in the small schedules of these tests."""
    return LearningRateCallback(schedule, lint=False, **arguments)


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_fit_follows_the_schedule(mode: dict[str, Any]) -> None:
    callback = follow(LR)
    applied = fit(compiled(**mode), callback)
    assert_follows(applied, LR.plan(epochs=4, steps_per_epoch=STEPS), count=4 * STEPS)
    assert callback.history.steps.tolist() == list(range(4 * STEPS))


def test_a_single_callback_without_a_list() -> None:
    callback = follow(LR)
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

    applied = fit(compiled(), Wrapper(follow(ks.constant(0.25))), epochs=1)
    assert applied.tolist() == [0.25] * STEPS


def test_a_list_of_callbacks_made_before_fit() -> None:
    model, callback, applied = compiled(), follow(ks.sgdr(peak=0.1, period=7)), AppliedRates()
    callbacks = keras.callbacks.CallbackList([callback, applied], add_history=True, model=model)
    x, y = probe_data(STEPS)
    model.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0, callbacks=callbacks)
    assert_follows(applied.rates, ks.sgdr(peak=0.1, period=7).plan(), count=2 * STEPS)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_every_recipe_is_applied(schedule: ks.Schedule) -> None:
    applied = fit(compiled(), follow(schedule))
    assert_follows(applied, schedule.plan(epochs=4, steps_per_epoch=STEPS), count=4 * STEPS)


def test_a_plan_is_followed_as_it_is() -> None:
    plan = LR.plan(total_steps=45, steps_per_epoch=STEPS)
    assert_follows(fit(compiled(), follow(plan)), plan, count=4 * STEPS)


def test_a_plan_shorter_than_the_run_is_reported() -> None:
    plan = LR.plan(total_steps=25, steps_per_epoch=STEPS)
    with (
        pytest.warns(ks.TrainingWarning, match="K006: The warm-up lasts 1 epoch, which is 40 %"),
        pytest.warns(ks.TrainingWarning, match="The plan ends after 25 steps, but `fit` trains 40"),
    ):
        applied = fit(compiled(), LearningRateCallback(plan))
    assert_follows(applied, plan, count=4 * STEPS)


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_the_ends_of_a_run_too_long_for_a_table(mode: dict[str, Any]) -> None:
    plan = LR.plan(epochs=10**7, steps_per_epoch=STEPS)
    model, callback = compiled(**mode), follow(plan)
    assert_follows(fit(model, callback), plan, count=4 * STEPS)
    last = fit(model, callback, initial_epoch=10**7 - 4, epochs=10**7)
    assert_follows(last, plan, first=10**8 - 4 * STEPS, count=4 * STEPS)
    assert (last > 0).all()


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_the_schedule_given_to_the_optimizer_is_applied(mode: dict[str, Any]) -> None:
    plan = LR.plan(epochs=4, steps_per_epoch=STEPS)
    assert_follows(fit(compiled(keras.optimizers.SGD(LearningRateSchedule(plan)), **mode)), plan, count=4 * STEPS)


def test_gradient_accumulation_counts_batches() -> None:
    callback = follow(LR)
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
    applied = fit(model, follow(LR))
    assert_follows(applied, LR.plan(epochs=4, steps_per_epoch=STEPS), count=4 * STEPS)


@pytest.mark.usefixtures("mixed_float16")
def test_updates_skipped_by_loss_scaling_are_reported_and_caught_up_with_at_the_next_epoch() -> None:
    plan = ks.Schedule(ks.linear(start=0.0, to=1.0)).plan(epochs=2, steps_per_epoch=STEPS)
    x, y = probe_data(STEPS)
    x[:4] = np.inf  # the first two batches overflow, in both epochs
    data = {"x": x, "y": y, "batch_size": 2}
    with pytest.warns(ks.TrainingWarning, match="2 of 10 updates of epoch 0 were skipped"):
        applied = fit(model := compiled(), follow(plan), epochs=2, data=data)
    assert model.history.history["learning_rate"] == [plan(STEPS - 3), plan(2 * STEPS - 3)]  # of the last updates
    for epoch in range(2):  # the rates of the epoch's first eight steps went to its last eight batches
        assert_follows(applied[epoch * STEPS + 2 : (epoch + 1) * STEPS], plan, first=epoch * STEPS, count=STEPS - 2)


if GRAPH_BACKENDS:

    @pytest.mark.usefixtures("mixed_float16")
    def test_skipped_updates_within_an_execution_of_many_steps() -> None:
        x, y = probe_data(STEPS)
        x[:4] = np.inf
        callback = follow(LR)
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
            fit(model, follow(LR))


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_second_fit_starts_at_step_0(mode: dict[str, Any]) -> None:
    model = compiled(**mode)
    callback = follow(LR)
    plan = LR.plan(epochs=2, steps_per_epoch=STEPS)
    for _ in range(2):
        assert_follows(fit(model, callback, epochs=2), plan, count=2 * STEPS)
        assert callback.history.steps.tolist() == list(range(2 * STEPS))


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_a_second_fit_with_another_schedule_follows_the_other(mode: dict[str, Any]) -> None:
    model = compiled(**mode)
    other = ks.sgdr(peak=0.3, period=7)
    fit(model, follow(LR), epochs=2)
    assert_follows(fit(model, follow(other), epochs=2), other.plan(), count=2 * STEPS)


@pytest.mark.parametrize("offset", [0, STEPS])
@pytest.mark.parametrize("mode", MODES, ids=str)
def test_an_equal_schedule_set_in_between_leaves_no_stale_trace(mode: dict[str, Any], offset: int) -> None:
    plan = LR.plan(epochs=4, steps_per_epoch=STEPS)
    model, callback = compiled(**mode), follow(plan)
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
        assert_follows(fit(one, follow(plan), epochs=1), plan, count=STEPS)
    assert shared.offset == 0
    assert_follows(fit(other, epochs=1), plan, first=STEPS, count=STEPS)


@pytest.mark.parametrize("mode", MODES, ids=str)
def test_compiling_again_between_two_fits(mode: dict[str, Any]) -> None:
    model, callback = compiled(**mode), follow(LR)
    fit(model, callback, epochs=2)
    model.compile(model.optimizer, minus_mean, **mode)
    assert_follows(fit(model, callback, epochs=2), LR.plan(epochs=2, steps_per_epoch=STEPS), count=2 * STEPS)


def test_the_callback_replaces_a_schedule_of_keras() -> None:
    model = compiled(keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.5, 100)))
    fit(model, epochs=1)
    assert_follows(fit(model, follow(LR)), LR.plan(epochs=4, steps_per_epoch=STEPS), count=4 * STEPS)


def test_without_the_callback_the_last_rate_stays() -> None:
    model = compiled()
    plan = LR.plan(epochs=4, steps_per_epoch=STEPS)
    fit(model, follow(plan), epochs=2)
    assert set(fit(model, epochs=2)) == {np.float32(plan(2 * STEPS - 1))}


def test_initial_epoch_starts_there() -> None:
    model = compiled()
    fit(model, epochs=1)  # the optimizer has trained before
    callback = follow(LR)
    applied = fit(model, callback, epochs=4, initial_epoch=2)
    assert_follows(applied, LR.plan(epochs=4, steps_per_epoch=STEPS), first=2 * STEPS, count=2 * STEPS)
    assert callback.history.steps.tolist() == list(range(2 * STEPS, 4 * STEPS))


def test_one_fit_for_each_epoch_follows_a_plan() -> None:
    model, plan = compiled(), LR.plan(epochs=4, steps_per_epoch=STEPS)
    callback = follow(plan)
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

    whole = fit(start(), follow(schedule), epochs=5)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", save_freq=save_freq, double_checkpoint=False)
    crashed = AppliedRates()
    x, y = probe_data(STEPS)
    arguments = {"batch_size": 2, "epochs": 5, "shuffle": False, "verbose": 0}
    callbacks = [backup, Crash(2, 5), follow(schedule), crashed]
    with pytest.raises(ConnectionAbortedError, match="power cut"):
        start().fit(x, y, callbacks=callbacks, **arguments)
    model = compiled(keras.optimizers.SGD(0.5))  # a new process: nothing but the backup is left
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", save_freq=save_freq, double_checkpoint=False)
    callback, resumed = follow(schedule), AppliedRates()
    model.fit(x, y, callbacks=[callback, backup, resumed], **arguments)
    assert callback.history.steps[0] == 2 * STEPS
    np.testing.assert_array_equal(np.concatenate([crashed.rates, resumed.rates]), whole)


def backed_up(folder: Path, *callbacks: Any, schedule: ks.Schedule = LR, epochs: int = 4, **arguments: Any) -> Any:
    """Train a new model, from the backup in the folder on if there is one; returns the applied rates."""
    rates = AppliedRates()
    backup = keras.callbacks.BackupAndRestore(folder, **arguments)
    x, y = probe_data(STEPS)
    callbacks = (follow(schedule, origin="run"), backup, *callbacks, rates)
    with suppress(ConnectionAbortedError):
        compiled().fit(x, y, batch_size=2, epochs=epochs, shuffle=False, verbose=0, callbacks=list(callbacks))
    return rates.rates


def test_a_run_with_backups_within_epochs_that_crashes_twice_in_one_has_the_rates_of_where_keras_goes_on(
    tmp_path: Path,
) -> None:
    """Keras 3.15 forgets the epoch that it was brought back to until that epoch ends, and then begins at epoch 0."""
    plan = LR.plan(epochs=4, steps_per_epoch=STEPS)
    assert_follows(backed_up(tmp_path, Crash(2, 5), save_freq=3), plan, count=2 * STEPS)
    assert len(backed_up(tmp_path, Crash(2, 7), save_freq=3)) == 0  # of no whole epoch
    last = backed_up(tmp_path, save_freq=3)
    assert len(last) in (2 * STEPS, 4 * STEPS)
    assert_follows(last, plan, first=4 * STEPS - len(last), count=len(last))


@pytest.mark.parametrize(
    "other", [LR, ks.sgdr(peak=0.3, period=7, stretch=1.5), ks.constant(0.25)], ids=["the same", "restarts", "constant"]
)
def test_a_run_brought_back_with_another_schedule_follows_the_other_from_its_step_on(
    tmp_path: Path, other: ks.Schedule
) -> None:
    backed_up(tmp_path, Crash(2, 5))
    resumed = backed_up(tmp_path, schedule=other, epochs=6)
    assert_follows(resumed, other.plan(epochs=6, steps_per_epoch=STEPS), first=2 * STEPS, count=4 * STEPS)


BROKEN = {
    "half of the weights": ("latest.weights.h5", 0.5, OSError),
    "no weights": ("latest.weights.h5", 0.0, OSError),
    "half of the epoch": ("training_metadata.json", 0.5, ValueError),
    "no epoch": ("training_metadata.json", 0.0, ValueError),
}


@pytest.mark.parametrize(("name", "part", "error"), BROKEN.values(), ids=list(BROKEN))
def test_a_broken_backup_is_an_error_of_keras_and_nothing_was_trained(
    tmp_path: Path, name: str, part: float, error: type[Exception]
) -> None:
    backed_up(tmp_path, Crash(2, 5))
    os.truncate(tmp_path / name, int(part * (tmp_path / name).stat().st_size))
    model, callback = compiled(), follow(LR)
    with pytest.raises(error):
        fit(model, callback, keras.callbacks.BackupAndRestore(tmp_path))
    assert len(callback.history) == 0
    assert_follows(fit(model, callback), LR.plan(epochs=4, steps_per_epoch=STEPS), count=4 * STEPS)


def test_a_backup_that_lost_its_epoch_trains_from_the_beginning_with_the_rates_of_the_beginning(tmp_path: Path) -> None:
    """As after a kill between the two files of the first backup: Keras has the weights, and starts at epoch 0."""
    backed_up(tmp_path, Crash(2, 5))
    (tmp_path / "training_metadata.json").unlink()
    assert_follows(backed_up(tmp_path), LR.plan(epochs=4, steps_per_epoch=STEPS), count=4 * STEPS)


@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer:UserWarning")
def test_a_backup_without_the_optimizers_state_goes_on_at_its_epoch(tmp_path: Path) -> None:
    backed_up(tmp_path, Crash(2, 5))
    with h5py.File(tmp_path / "latest.weights.h5", "a") as file:
        for name in [*file["optimizer/vars"]]:
            del file["optimizer/vars"][name]
    plan = LR.plan(epochs=4, steps_per_epoch=STEPS)
    assert_follows(backed_up(tmp_path), plan, first=2 * STEPS, count=2 * STEPS)


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9])
def test_a_truncated_model_is_an_error_of_keras(tmp_path: Path, part: float) -> None:
    model, file = compiled(), tmp_path / "model.keras"
    fit(model, follow(LR))
    model.save(file)
    os.truncate(file, int(part * file.stat().st_size))
    with pytest.raises(ValueError, match="accessible"):
        keras.saving.load_model(file)


def test_a_model_saved_in_a_run_that_started_in_the_middle_loads_and_trains_on(tmp_path: Path) -> None:
    model, plan = compiled(), LR.plan(epochs=4, steps_per_epoch=STEPS)
    fit(model, follow(plan, origin="run"), initial_epoch=2, epochs=3)  # of an optimizer that has not trained before
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    callback = follow(plan)
    assert_follows(fit(again, callback, initial_epoch=3, epochs=4), plan, first=3 * STEPS, count=STEPS)


def test_a_saved_model_trains_on_at_the_last_rate_without_the_callback(tmp_path: Path) -> None:
    model, plan = compiled(), LR.plan(epochs=4, steps_per_epoch=STEPS)
    fit(model, epochs=1)
    fit(model, follow(plan), epochs=2)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert set(fit(again, epochs=2)) == {np.float32(plan(2 * STEPS - 1))}


@pytest.mark.parametrize("scheduled", ["before", "after"])
def test_weights_files_fit_with_and_without_the_callback(tmp_path: Path, scheduled: str) -> None:
    plan, model, again = LR.plan(epochs=4, steps_per_epoch=STEPS), compiled(), compiled()
    fit(model, *([follow(plan)] if scheduled == "before" else []), epochs=2)
    model.save_weights(tmp_path / "run.weights.h5")
    again.optimizer.build(again.trainable_variables)
    again.load_weights(tmp_path / "run.weights.h5")
    assert int(again.optimizer.iterations) == 2 * STEPS
    if scheduled == "before":
        assert set(fit(again, epochs=1)) == {np.float32(plan(2 * STEPS - 1))}
    else:
        applied = fit(again, follow(plan, origin="run"), initial_epoch=2)
        assert_follows(applied, plan, first=2 * STEPS, count=2 * STEPS)


def batches() -> Iterator[tuple[Any, Any]]:
    x, y = probe_data(STEPS)
    while True:
        for start in range(0, len(x), 2):
            yield x[start : start + 2], y[start : start + 2]


@pytest.mark.parametrize("steps_per_execution", [1, 5] if GRAPH_BACKENDS else [1])
def test_a_generator_with_steps_per_epoch(steps_per_execution: int) -> None:
    callback = follow(LR)
    model = compiled(steps_per_execution=steps_per_execution)
    applied = fit(model, callback, data={"x": batches()}, steps_per_epoch=STEPS)
    assert_follows(applied, LR.plan(epochs=4, steps_per_epoch=STEPS), count=4 * STEPS)
    assert len(callback.history) == 4 * STEPS


if GRAPH_BACKENDS:

    def test_an_epoch_that_is_no_multiple_of_steps_per_execution_is_reported() -> None:
        # Keras takes three executions of four batches from an endless generator.
        callback = follow(LR)
        with pytest.warns(ks.TrainingWarning, match="Epoch 0 had 12 batches, .* pass steps_per_epoch=12 to `fit`"):
            fit(compiled(steps_per_execution=4), callback, data={"x": batches()}, steps_per_epoch=STEPS)
        assert callback.history.steps[:14].tolist() == [*range(12), 10, 11]


def test_evaluate_and_predict_in_between_change_nothing() -> None:
    model, plan = compiled(), LR.plan(epochs=4, steps_per_epoch=STEPS)
    callback = follow(plan)
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
    model.evaluate(x, y, verbose=0, callbacks=[follow(LR)])
    assert set(fit(model, epochs=1)) == {np.float32(0.5)}


def test_an_interrupted_epoch_is_in_the_history() -> None:
    callback, x, y = follow(LR), *probe_data(STEPS)
    with pytest.raises(ConnectionAbortedError):
        compiled().fit(
            x, y, batch_size=2, epochs=4, shuffle=False, verbose=0, callbacks=[callback, Crash(1, 5)]
        )  # fmt: skip
    assert callback.history.steps.tolist() == list(range(STEPS + 6))


def test_stopping_in_the_middle_of_an_epoch() -> None:
    class Stop(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.stop_training = batch == 3

    callback = follow(LR)
    applied = fit(compiled(), callback, Stop(), epochs=2)
    assert_follows(applied[:4], LR.plan(epochs=2, steps_per_epoch=STEPS), count=4)
    assert callback.history.steps.tolist() == [0, 1, 2, 3]


if GRAPH_BACKENDS:

    @contextmanager
    def on_two_devices() -> Iterator[None]:
        """The models that are built and trained within have a copy of each weight on each device."""
        if BACKEND == "jax":
            devices = keras.distribution.list_devices()
            assert len(devices) == 2
            keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
            try:
                yield
            finally:
                keras.distribution.set_distribution(None)
        else:
            strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
            assert strategy.num_replicas_in_sync == 2
            with strategy.scope():
                yield

    class RatesOfEachDevice(AppliedRates):
        """Reads the probe's weights on the devices themselves: a column for each."""

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            value = self.model.get_layer(self.layer).kernel._value
            copies = [shard.data for shard in value.addressable_shards] if BACKEND == "jax" else value.values
            assert len({copy.device for copy in copies}) == 2
            self.epochs.append(np.stack([np.asarray(copy)[:, 0] for copy in copies], axis=1))

    @pytest.mark.parametrize("schedule", [LR, ks.sgdr(peak=0.1, period=7, stretch=1.5)], ids=["a table", "a formula"])
    def test_each_of_two_devices_applies_the_plan(tmp_path: Path, schedule: ks.Schedule) -> None:
        """From the start, in a second `fit`, and when a backup brings a run back that crashed."""
        plan = schedule.plan(epochs=4, steps_per_epoch=STEPS)

        def assert_each_follows(model: Any, *callbacks: Any, first: int, count: int) -> None:
            applied, (x, y) = RatesOfEachDevice(), probe_data(STEPS)
            callbacks = (follow(schedule), *callbacks, applied)
            with suppress(ConnectionAbortedError):
                model.fit(x, y, batch_size=2, epochs=4, shuffle=False, verbose=0, callbacks=list(callbacks))
            one, other = np.concatenate(applied.epochs).T
            np.testing.assert_array_equal(one, other)
            assert_follows(one, plan, first=first, count=count)

        with on_two_devices():
            model = compiled()
            assert_each_follows(model, first=0, count=4 * STEPS)
            backup = keras.callbacks.BackupAndRestore(tmp_path)
            assert_each_follows(model, backup, Crash(2, 5), first=0, count=2 * STEPS)
            again = keras.callbacks.BackupAndRestore(tmp_path)
            assert_each_follows(compiled(), again, first=2 * STEPS, count=2 * STEPS)


if BACKEND == "tensorflow":

    @pytest.mark.filterwarnings("ignore:Your input ran out of data:UserWarning")
    def test_the_phantom_steps_of_unknown_cardinality_are_taken_out_without_a_new_trace() -> None:
        # Keras 3.15's iterations gain a step without an update at the end of each epoch of such data.
        x, y = probe_data(STEPS)
        data = tf.data.Dataset.from_tensor_slices((x, y)).batch(2).filter(lambda x, y: True)
        model, callback = compiled(), follow(LR, steps_per_epoch=STEPS)
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
