"""A run gives the optimizer back as it was: to assign to, to train on with, to save, and to load without kosine."""

import contextlib
import gc
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kosine as ks
from kosine.keras import LearningRateCallback, LearningRateSchedule, WarmUpCosineDecayScheduler
from kosine.testing.keras import AppliedRates, minus_mean, probe_data
from tests.support.keras_probe import BACKEND, LR, STEPS, Crash, assert_follows, compiled, fit

if BACKEND == "tensorflow":
    import tensorflow as tf

SHORT = ks.warmup_cosine(peak=0.1, warmup=3)
PLAN = LR.plan(epochs=4, steps_per_epoch=STEPS)
LAST = np.float32(PLAN(4 * STEPS - 1))


def follow(schedule: Any = LR, **arguments: Any) -> LearningRateCallback:
    return LearningRateCallback(schedule, lint=False, **arguments)


def rate(model: Any) -> np.float32:
    value = keras.ops.convert_to_numpy(model.optimizer.learning_rate)
    assert value.dtype == np.float32
    return np.float32(value)


def untouched(model: Any) -> bool:
    """Nothing of kosine's stands in the model or its optimizer."""
    return not {"apply", "kosine_driver", "_get_current_learning_rate"} & set(vars(model.optimizer)) and not {
        "make_train_function",
        "kosine_driver",
        "train_step",
    } & set(vars(model))


class Interrupt(keras.callbacks.Callback):  # type: ignore[misc]
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch == 3:
            raise KeyboardInterrupt


class StopTraining(keras.callbacks.Callback):  # type: ignore[misc]
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.model.stop_training = batch == 3


def drop_in() -> WarmUpCosineDecayScheduler:
    return WarmUpCosineDecayScheduler(0.1, 4 * STEPS, warmup_learning_rate=0.01, warmup_steps=STEPS,
        hold_base_rate_steps=5)  # fmt: skip


@pytest.mark.parametrize("callback", [follow, drop_in])
def test_after_fit_the_rate_is_the_variable_that_it_was_and_holds_the_last_rate(callback: Any) -> None:
    model = compiled()
    variable = model.optimizer.learning_rate
    fit(model, callback())
    assert model.optimizer.learning_rate is variable
    assert rate(model) == LAST
    assert untouched(model)
    assert set(fit(model, epochs=1)) == {LAST}
    model.optimizer.learning_rate = 0.25
    assert set(fit(model, epochs=1)) == {np.float32(0.25)}


@pytest.mark.parametrize("end", [Interrupt, StopTraining, lambda: Crash(0, 3)], ids=["Ctrl-C", "stop", "exception"])
def test_after_a_run_that_ends_early_the_rate_can_be_assigned(end: Any) -> None:
    model = compiled()
    try:
        fit(model, follow(), end())
    except (KeyboardInterrupt, ConnectionAbortedError):
        ended = "by an exception"
    else:
        ended = "as it should"
    assert ended == ("as it should" if end is StopTraining else "by an exception")
    assert rate(model) == np.float32(PLAN(3))
    model.optimizer.learning_rate = 0.25
    assert set(fit(model, epochs=1)) == {np.float32(0.25)}
    assert untouched(model)
    assert_follows(fit(model, follow()), PLAN, count=4 * STEPS)


def test_an_interrupted_optimizer_that_a_loop_of_the_users_own_goes_on_with_trains_at_its_variable() -> None:
    model = compiled()
    with pytest.raises(ConnectionAbortedError):
        fit(model, follow(), Crash(0, 3))
    model.optimizer.learning_rate = 0.25
    x, y = probe_data(STEPS)
    model.get_layer("probe").set_weights([np.zeros((STEPS, 1), np.float32)])
    for batch in range(STEPS):
        model.train_on_batch(x[2 * batch : 2 * batch + 2], y[2 * batch : 2 * batch + 2])
    assert set(model.get_layer("probe").get_weights()[0][:, 0]) == {np.float32(0.25)}


def test_keras_own_callbacks_set_the_rate_afterwards() -> None:
    model = compiled()
    fit(model, follow())
    fit(model, keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.5), epochs=1)
    assert rate(model) == np.float32(0.5)
    x, y = probe_data(STEPS)
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="loss", mode="max", factor=0.5, patience=0, cooldown=0)
    model.fit(x, y, batch_size=2, epochs=3, verbose=0, callbacks=[plateau])
    assert rate(model) < np.float32(0.5)


HALVED = ks.Schedule(ks.hold(2 * STEPS, start=0.5), ks.hold(start=0.25)).plan()


@pytest.mark.parametrize("own", ["keras", "kosine"])
def test_an_optimizer_with_a_schedule_of_its_own_has_it_again_afterwards(own: str) -> None:
    if own == "keras":
        schedule = keras.optimizers.schedules.PiecewiseConstantDecay([2 * STEPS - 1], [0.5, 0.25])
    else:
        schedule = LearningRateSchedule(HALVED)
    model = compiled(keras.optimizers.SGD(schedule))
    assert_follows(fit(model, follow(SHORT), epochs=1), SHORT.plan(epochs=1, steps_per_epoch=STEPS), count=STEPS)
    assert fit(model, epochs=2).tolist() == [0.5] * STEPS + [0.25] * STEPS


def test_files_of_a_run_load_where_kosine_cannot_be_imported(tmp_path: Path) -> None:
    model = compiled()
    each = keras.callbacks.ModelCheckpoint(tmp_path / "epoch{epoch}.keras")
    often = keras.callbacks.ModelCheckpoint(tmp_path / "batch.keras", save_freq=7)
    fit(model, each, follow(), often, epochs=2)
    model.save(tmp_path / "end.keras")
    other = compiled(keras.optimizers.Adam(0.5))
    fit(other, drop_in())
    other.save(tmp_path / "drop_in.keras")
    names = ["epoch1", "epoch2", "batch", "end", "drop_in"]
    program = [sys.executable, "-m", "tests.support.keras_without_kosine"]
    result = subprocess.run([*program, *(str(tmp_path / f"{name}.keras") for name in names)],
        capture_output=True, text=True, check=False)  # fmt: skip
    assert result.returncode == 0, result.stderr
    plan = LR.plan(epochs=2, steps_per_epoch=STEPS)
    wanted = [(plan(9), 10), (plan(19), 20), (plan(13), 14), (plan(19), 20), (PLAN(39), 40)]
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [(np.float32(rate), int(done)) for rate, done, _ in lines] == [(np.float32(r), d) for r, d in wanted]
    assert {kind for _, _, kind in lines} == {"Variable"}


@pytest.mark.parametrize("scheduled", [True, False])
def test_the_layout_of_the_optimizers_variables_stays(scheduled: bool) -> None:
    class Layout(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seen = [variable.path for variable in self.model.optimizer.variables]

    model, layout = compiled(keras.optimizers.Adam(0.5, name="adam")), Layout()
    fit(model, *([follow(SHORT)] if scheduled else []), layout, epochs=1)
    assert [path.split("/")[-1] for path in layout.seen[:2]] == ["iteration", "learning_rate"]
    assert len(layout.seen) == 4


if BACKEND == "tensorflow":

    @pytest.mark.parametrize("callback", [follow, drop_in])
    def test_tensorflow_exports_and_checkpoints_during_and_after_the_run(tmp_path: Path, callback: Any) -> None:
        class During(keras.callbacks.Callback):  # type: ignore[misc]
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                if epoch == 1:
                    checkpoint(self.model, tmp_path / "during")

        def checkpoint(model: Any, path: Path) -> None:
            tf.train.Checkpoint(model=model, optimizer=model.optimizer).write(str(path))

        model = compiled()
        fit(model, During(), callback())
        checkpoint(model, tmp_path / "after")
        for name, wanted in (("during", PLAN(2 * STEPS - 1)), ("after", LAST)):
            again = compiled()
            again.optimizer.build(again.trainable_variables)
            tf.train.Checkpoint(model=again, optimizer=again.optimizer).read(str(tmp_path / name)).assert_consumed()
            assert rate(again) == np.float32(wanted)
        x = np.eye(STEPS, dtype=np.float32)
        model.export(tmp_path / "exported", verbose=False)
        tf.saved_model.save(model, str(tmp_path / "saved"))
        exported = tf.saved_model.load(str(tmp_path / "exported"))
        np.testing.assert_allclose(exported.serve(x), model(x), rtol=1e-6)  # of the same operations in another graph
        assert len(tf.lite.TFLiteConverter.from_keras_model(model).convert()) > 0


def test_a_second_fit_along_the_same_schedule_makes_no_new_train_function() -> None:
    class Functions(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[Any] = []

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.seen.append(self.model.train_function)

    model, functions = compiled(), Functions()
    for _ in range(3):
        assert_follows(fit(model, follow(), functions), PLAN, count=4 * STEPS)
    assert len(set(functions.seen)) == 1
    fit(model, follow(ks.constant(0.5)), functions, epochs=1)
    assert len(set(functions.seen)) == 2


if BACKEND == "jax":

    def test_nnx_mode_is_refused_before_the_first_batch(monkeypatch: pytest.MonkeyPatch) -> None:
        model = compiled()
        monkeypatch.setattr(keras.config, "is_nnx_enabled", lambda: True)
        with pytest.raises(ks.TrainingError, match="NNX mode cannot be driven by a callback"):
            fit(model, follow())
        assert not model.get_weights()[0].any()

    def test_a_second_fit_compiles_nothing(caplog: pytest.LogCaptureFixture) -> None:
        import jax

        model = compiled()
        fit(model, follow(SHORT), epochs=1)
        fit(model, follow(SHORT), epochs=1)
        with jax.log_compiles(), caplog.at_level("WARNING"):
            fit(model, follow(SHORT), epochs=1)
        assert not [record for record in caplog.records if "train_step" in record.getMessage()]
        caplog.clear()
        with jax.log_compiles(), caplog.at_level("WARNING"):
            fit(model, follow(ks.constant(0.5)), epochs=1)
        assert [record for record in caplog.records if "train_step" in record.getMessage()]


if BACKEND == "torch":

    def test_torch_compile_leaves_the_update_to_python() -> None:
        import torch

        class Compiled(keras.callbacks.Callback):  # type: ignore[misc]
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                graphs: list[Any] = []
                variables = self.model.trainable_variables
                gradients = [torch.ones_like(variable.value) for variable in variables]
                step = torch.compile(self.model.optimizer.apply, backend=lambda graph, _: graphs.append(graph))
                step(gradients, variables)
                self.graphs = graphs

        compiled_apart = Compiled()
        fit(compiled(), follow(SHORT), compiled_apart, epochs=1)
        assert compiled_apart.graphs == []

    def test_no_step_reads_from_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
        """A read waits until a GPU has done what it was given: as many as without the callback are made."""
        import torch

        reads: list[str] = []

        def counting(name: str) -> Any:
            method = getattr(torch.Tensor, name)

            def read(tensor: Any, *arguments: Any) -> Any:
                reads.append(name)
                return method(tensor, *arguments)

            return read

        def reads_of_an_epoch(steps: int, *callbacks: Any) -> int:
            model, (x, y) = compiled(), probe_data(STEPS)
            x, y = np.tile(x, (steps // STEPS, 1)), np.tile(y, (steps // STEPS, 1))
            with monkeypatch.context() as patch:
                for name in ("item", "__int__", "__float__", "__bool__", "__index__", "cpu", "numpy", "tolist"):
                    patch.setattr(torch.Tensor, name, counting(name))
                reads.clear()
                model.fit(x, y, batch_size=2, verbose=0, callbacks=list(callbacks))
            return len(reads)

        plain = reads_of_an_epoch(10 * STEPS) - reads_of_an_epoch(STEPS)
        along = reads_of_an_epoch(10 * STEPS, follow(SHORT)) - reads_of_an_epoch(STEPS, follow(SHORT))
        assert along <= plain


def test_a_copy_of_the_optimizer_made_during_the_run_has_nothing_of_kosine() -> None:
    import copy

    class Copy(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            optimizer = self.model.optimizer
            self.config = optimizer.get_config()
            if BACKEND == "torch":  # the variables of the others cannot be copied while a run has their values
                self.copied = copy.deepcopy(optimizer)

    model, copied = compiled(), Copy()
    fit(model, follow(SHORT), copied, epochs=1)
    assert copied.config["learning_rate"] == 0.5
    if BACKEND == "torch":
        variable = keras.Variable(np.zeros(1, np.float32))
        copied.copied.build([variable])
        copied.copied.apply([keras.ops.convert_to_tensor(np.ones(1, np.float32))], [variable])
        assert keras.ops.convert_to_numpy(variable).tolist() == [-0.5]


def test_an_exception_keeps_neither_the_data_nor_what_was_iterated_over() -> None:
    model, callback, (x, y) = compiled(), follow(SHORT), probe_data(STEPS)
    kept = weakref.ref(x)
    with contextlib.suppress(ConnectionAbortedError):
        model.fit(x, y, batch_size=2, verbose=0, callbacks=[callback, Crash(0, 3)])
    del x
    gc.collect()
    assert kept() is None


def test_two_models_take_turns_with_one_callback_each() -> None:
    one, other = compiled(), compiled()
    for _ in range(2):
        for model, schedule in ((one, LR), (other, ks.constant(0.25))):
            plan = schedule.plan(epochs=2, steps_per_epoch=STEPS)
            assert_follows(fit(model, follow(schedule), epochs=2), plan, count=2 * STEPS)


def test_a_callback_that_runs_in_one_fit_is_refused_in_another() -> None:
    callback = follow()

    class Nested(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                with pytest.raises(ks.TrainingError, match="A callback follows one `fit` at a time"):
                    fit(compiled(), callback, epochs=1)

    assert_follows(fit(compiled(), callback, Nested()), PLAN, count=4 * STEPS)


def test_no_epochs_change_nothing() -> None:
    model, (x, y) = compiled(), probe_data(STEPS)
    assert model.fit(x, y, epochs=0, verbose=0, callbacks=[follow()]).history == {}
    assert untouched(model)
    assert set(fit(model, epochs=1)) == {np.float32(0.5)}


def test_a_callback_that_makes_the_train_function_anew_trains_on_along_the_plan() -> None:
    class Anew(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 1:
                self.model.make_train_function(force=True)

    model = compiled()
    assert_follows(fit(model, follow(), Anew()), PLAN, count=4 * STEPS)
    assert untouched(model)


if BACKEND != "jax":  # where Keras cannot compile during `fit`

    @pytest.mark.parametrize("when", ["on_epoch_begin", "on_epoch_end"])
    def test_a_callback_that_compiles_the_model_anew_trains_on_along_the_plan(when: str) -> None:
        class Compile(keras.callbacks.Callback):  # type: ignore[misc]
            def anew(self, epoch: int, logs: Any = None) -> None:
                if epoch == 1:
                    self.model.compile(keras.optimizers.SGD(3.0), minus_mean)
                    self.model.make_train_function()

        setattr(Compile, when, Compile.anew)
        assert_follows(fit(compiled(), follow(), Compile()), PLAN, count=4 * STEPS)


def test_a_loop_of_the_users_own_that_calls_the_callbacks_follows_the_plan() -> None:
    model, (x, y) = compiled(), probe_data(STEPS)
    callbacks = keras.callbacks.CallbackList([follow(), applied := AppliedRates()], model=model, epochs=2, steps=STEPS)
    callbacks.on_train_begin()
    for epoch in range(2):
        callbacks.on_epoch_begin(epoch)
        for batch in range(STEPS):
            model.train_on_batch(x[2 * batch : 2 * batch + 2], y[2 * batch : 2 * batch + 2])
            callbacks.on_train_batch_end(batch)
        callbacks.on_epoch_end(epoch)
    callbacks.on_train_end()
    assert_follows(applied.rates, LR.plan(epochs=2, steps_per_epoch=STEPS), count=2 * STEPS)
    assert untouched(model)
