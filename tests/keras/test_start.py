"""What a run says in time: at its start, where it jumps or is cut, and where nothing is applied."""

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import kosine as ks
from kosine.keras import LearningRateCallback
from kosine.testing.keras import AppliedRates, minus_mean, probe_data, probe_model
from tests.support.keras_probe import BACKEND, LR, STEPS, assert_follows, compiled, fit, warned


def follow(schedule: Any = LR, **arguments: Any) -> LearningRateCallback:
    return LearningRateCallback(schedule, lint=False, **arguments)


# One line


@pytest.mark.parametrize(
    ("schedule", "line"),
    [
        (
            ks.warmup_cosine(peak=0.1, warmup=5),
            "warm-up until step 5 (epoch 0.5), peak 0.1, 0.000394265 at the end, step 30 (epoch 3)",
        ),
        (ks.constant(0.1), "peak 0.1, 0.1 at the end, step 30 (epoch 3)"),
    ],
)
def test_a_line_says_what_the_run_will_do(schedule: Any, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    x, y = probe_data(STEPS)
    for verbose, lint, lines in ((2, True, [f"kosine: {line}"]), (0, True, []), (2, False, [])):
        callback = LearningRateCallback(schedule, lint=lint)
        compiled().fit(x, y, batch_size=2, epochs=3, verbose=verbose, callbacks=[callback])
        printed = capsys.readouterr().out.splitlines()
        assert [line for line in printed if line.startswith("kosine")] == lines


# Where a run starts


def tuned(**arguments: Any) -> tuple[list[str], Any]:
    """A second phase of training as tutorials write it: compiled anew, with `initial_epoch`."""
    model = compiled()
    fit(model, epochs=2)
    model.compile(keras.optimizers.SGD(0.5), minus_mean)
    return warned(model, follow(**arguments), initial_epoch=2, epochs=6)


def test_a_fresh_optimizer_in_the_middle_of_a_schedule_is_reported_with_both_ways() -> None:
    messages, applied = tuned()
    assert messages == [
        "`fit` starts at epoch 2, which is step 20 of the schedule (rate 0.0969846), but the optimizer has done no "
        "update: what comes before that step is never trained. For a new phase of training with this schedule from "
        'its beginning, pass origin="fit". For a run that goes on, restore the optimizer, too, as BackupAndRestore '
        'and load_model do; origin="run" says that this start is meant.'
    ]
    assert_follows(applied, LR.plan(epochs=6, steps_per_epoch=STEPS), first=2 * STEPS, count=4 * STEPS)


def test_origin_run_says_that_it_is_meant() -> None:
    messages, applied = tuned(origin="run")
    assert messages == []
    assert_follows(applied, LR.plan(epochs=6, steps_per_epoch=STEPS), first=2 * STEPS, count=4 * STEPS)


def test_origin_fit_begins_with_the_schedule() -> None:
    messages, applied = tuned(origin="fit")
    assert messages == []
    assert_follows(applied, LR.plan(epochs=4, steps_per_epoch=STEPS), count=4 * STEPS)


def test_a_backup_of_a_run_with_origin_fit_goes_on_where_it_stopped(tmp_path: Path) -> None:
    class Crash(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 4:
                raise ConnectionAbortedError

    def run(*callbacks: Any) -> Any:
        backup = keras.callbacks.BackupAndRestore(tmp_path)
        return warned(compiled(), follow(origin="fit"), backup, *callbacks, initial_epoch=2, epochs=6)

    with pytest.raises(ConnectionAbortedError):
        run(Crash())
    messages, applied = run()
    assert messages == []
    assert_follows(applied, LR.plan(epochs=4, steps_per_epoch=STEPS), first=2 * STEPS, count=2 * STEPS)


def test_another_origin_is_refused() -> None:
    with pytest.raises(ks.ArgumentError, match='`origin` must be "run" or "fit"'):
        LearningRateCallback(LR, origin="epoch")  # type: ignore[arg-type]


@pytest.mark.parametrize("again", ["the same callback", "another", "a loaded model"])
def test_a_run_that_is_extended_warns_of_the_jump_with_both_rates(again: str, tmp_path: Path) -> None:
    model, callback = compiled(), follow()
    fit(model, callback, epochs=4)
    if again == "a loaded model":
        model.save(tmp_path / "model.keras")
        model = keras.saving.load_model(tmp_path / "model.keras")
    old, new = (LR.plan(epochs=epochs, steps_per_epoch=STEPS) for epochs in (4, 8))
    (message,), _ = warned(model, callback if again == "the same callback" else follow(), initial_epoch=4, epochs=8)
    assert message.startswith(
        f"The run jumps: the optimizer's last rate was {old(39):.6g}, and the schedule has {new(39):.6g} at that step; "
        f"it goes on with {new(40):.6g} at step 40."
    )


def test_a_run_that_goes_on_along_its_plan_is_silent() -> None:
    model, plan = compiled(), LR.plan(epochs=8, steps_per_epoch=STEPS)
    fit(model, follow(plan), epochs=4)
    assert warned(model, follow(plan), initial_epoch=4, epochs=8)[0] == []


# Smoke tests


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (ks.warmup_cosine(peak=0.1, warmup="5ep"), "The run ends after 10 of the 50 steps of `linear`."),
        (ks.warmup_cosine(peak=0.1, warmup="1%"), 'linear("1%", start=0.0, to=0.1) lasts 1 step instead of 0.1.'),
    ],
)
def test_a_run_too_short_for_its_schedule_trains_and_says_what_was_cut(schedule: ks.Schedule, said: str) -> None:
    (message,), applied = warned(compiled(), follow(schedule), epochs=1)
    assert message.startswith("The schedule is cut to fit the run: ")
    assert said in message
    assert applied.any()
    assert_follows(applied, schedule.plan(epochs=1, steps_per_epoch=STEPS, clip=True), count=STEPS)


# Optimizers that are not driven


def test_an_optimizer_that_wraps_another_is_refused_by_name() -> None:
    class Wrapped(keras.optimizers.Optimizer):  # type: ignore[misc]
        def __init__(self, inner: Any) -> None:
            super().__init__(learning_rate=0.0)
            self.inner = inner

    with pytest.raises(ks.TrainingError, match=r"Received: an optimizer of the class Wrapped\. Give the inner"):
        fit(compiled(Wrapped(keras.optimizers.SGD(0.5))), follow())


if BACKEND != "jax":  # where a train step of one's own is written without the optimizer's state

    class TwoOptimizers(keras.Model):  # type: ignore[misc]
        """Trains with `second`, or also with the optimizer that it was compiled with."""

        first_too = False

        def train_step(self, data: Any) -> Any:
            gradient = keras.ops.zeros_like(self.trainable_variables[0].value) - 1.0
            for optimizer in (self.second, *([self.optimizer] if self.first_too else [])):
                optimizer.apply([gradient], self.trainable_variables)
            return {"loss": 0.0}

    def two_optimizers() -> Any:
        probe = probe_model(STEPS)
        model = TwoOptimizers(probe.inputs, probe.outputs)
        model.compile(keras.optimizers.RMSprop(0.1), minus_mean)
        model.second = keras.optimizers.SGD(0.5)
        return model

    @pytest.mark.filterwarnings("ignore:.*does not have a `compute_loss`")
    def test_a_model_that_trains_with_other_optimizers_is_named_with_the_way_that_works() -> None:
        model = two_optimizers()
        messages, _ = warned(model, follow(), epochs=2)
        each = "Give each of them a LearningRateSchedule(plan) instead."
        assert messages == [
            "LearningRateCallback drives model.optimizer, and the model has other optimizers: second (SGD). They keep "
            f"their own rates. {each}",
            "model.optimizer (RMSprop) did no update in epoch 0, so the schedule was not applied: the model trains "
            f"with second (SGD). {each}",
        ]
        assert "learning_rate" not in model.history.history

    def test_one_that_is_driven_and_one_that_is_not() -> None:
        model = two_optimizers()
        model.first_too = True
        messages, _ = warned(model, follow(), epochs=2)
        assert [message.split(":")[0] for message in messages] == [
            "LearningRateCallback drives model.optimizer, and the model has other optimizers"
        ]


def test_a_model_without_trainable_variables_is_named() -> None:
    model = compiled()
    model.trainable = False
    model.compile(keras.optimizers.SGD(0.5), minus_mean)
    x, y = probe_data(STEPS)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = model.fit(x, y, batch_size=2, verbose=0, callbacks=[follow(ks.constant(0.5))])
    messages = [str(warning.message) for warning in caught if warning.category is ks.TrainingWarning]
    assert messages == [
        "model.optimizer (SGD) did no update in epoch 0, so the schedule was not applied: the model has no trainable "
        "variables."
    ]
    assert "learning_rate" not in history.history


@pytest.mark.filterwarnings("error")
def test_a_subclass_that_leaves_batches_unreported_trains_and_logs_all_the_same() -> None:
    class Silent(LearningRateCallback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            pass

    callback = Silent(LR, lint=False)
    assert_follows(fit(compiled(), callback, epochs=2), LR.plan(epochs=2, steps_per_epoch=STEPS), count=2 * STEPS)
    assert callback.history.steps.tolist() == list(range(2 * STEPS))


# Loggers


def test_the_logs_of_batches_have_the_rate_where_a_callback_reads_them() -> None:
    class Batches(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.rates: list[float] = []

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.rates.append(logs["learning_rate"])

    batches = Batches()
    fit(compiled(), batches, follow())
    assert batches.rates == LR.plan(epochs=4, steps_per_epoch=STEPS)(np.arange(4 * STEPS)).tolist()


@pytest.mark.parametrize("update_freq", ["epoch", "batch"])
def test_tensorboard_has_the_rates_that_were_applied(tmp_path: Path, update_freq: str) -> None:
    board = keras.callbacks.TensorBoard(tmp_path, update_freq=update_freq)
    model, applied, (x, y) = compiled(), AppliedRates(), probe_data(STEPS)
    model.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0, callbacks=[board, follow(), applied])
    trace = {rate: step for step, rate in enumerate(applied.rates.tolist())}
    events = scalars(tmp_path / "train")
    assert events["epoch_learning_rate"] == pytest.approx([applied.rates[9], applied.rates[19]], rel=1e-6)
    assert events["epoch_learning_rate"] == pytest.approx(model.history.history["learning_rate"], rel=1e-6)
    assert len(trace) == 15  # a hold has one rate
    if update_freq == "batch":
        assert events["batch_learning_rate"] == pytest.approx(applied.rates.tolist(), rel=1e-6)
    else:
        assert "batch_learning_rate" not in events


def scalars(folder: Path) -> dict[str, list[float]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util

    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return {
        tag: [float(tensor_util.make_ndarray(event.tensor_proto)) for event in events.Tensors(tag)]
        for tag in events.Tags()["tensors"]
        if events.SummaryMetadata(tag).plugin_data.plugin_name == "scalars"
    }
