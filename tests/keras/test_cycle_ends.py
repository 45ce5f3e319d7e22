"""The models at the ends of cycles: saved at the exact batch, whole or not at all; the training stays as it is."""

import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

import kosine as ks
from kosine.keras import CycleEnds, LearningRateCallback, LearningRateSchedule, WarmUpCosineDecayScheduler
from kosine.testing.keras import probe_data
from tests.support.keras_probe import BACKEND, STEPS, compiled, fit

CYCLES = ks.sgdr(peak=0.1, period=7, stretch=2)  # over 49 steps it ends cycles at 6, 20 and 48
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 4)).astype("float32"), RNG.integers(0, 3, 40)


def follow(schedule: Any = CYCLES) -> LearningRateCallback:
    return LearningRateCallback(schedule, lint=False)


BATCH_NORMALIZATION, DROPOUT = keras.layers.BatchNormalization, partial(keras.layers.Dropout, 0.5)


def network(*kinds: Any, metrics: Iterable[str] = (), seed: int = 1) -> Any:
    """A small classifier of 20 batches an epoch."""
    keras.utils.set_random_seed(seed)
    layers = [kind() for kind in kinds]
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(5, "relu"), *layers, keras.layers.Dense(3, "softmax")]
    )
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=list(metrics))
    return model


def train(model: Any, *callbacks: Any, epochs: int = 2, **arguments: Any) -> Any:
    return model.fit(X, Y, batch_size=2, epochs=epochs, verbose=0, callbacks=list(callbacks), **arguments)


def weights(model_or_file: Any) -> list[NDArray[Any]]:
    model = model_or_file
    if isinstance(model_or_file, Path):
        model = keras.saving.load_model(model_or_file)
    return [np.array(keras.ops.convert_to_numpy(weight)) for weight in model.weights]


def equal(first: list[NDArray[Any]], second: list[NDArray[Any]]) -> bool:
    return all(map(np.array_equal, first, second))


def probe_row(model: Any) -> NDArray[np.float32]:
    return np.array(keras.ops.convert_to_numpy(model.get_layer("probe").weights[0]))[:, 0]


# --- the exact batch ---


@pytest.mark.parametrize("watched", [False, True], ids=["between batches", "after batches"])
def test_a_file_has_the_weights_after_the_last_step_of_its_cycle(tmp_path: Path, watched: bool) -> None:
    """Each batch of the probe moves one weight by its rate: those after the cycle's end are still 0."""
    x, y = probe_data(STEPS)
    more: dict[str, Any] = {}
    if watched:
        more = {"evaluate": (x, y), "callbacks": [keras.callbacks.EarlyStopping("val_loss", patience=9)]}
    schedule = ks.sgdr(peak=0.1, period=4, stretch=1.5, floor=0.01)  # 3, 9
    ends = CycleEnds(tmp_path / "{cycle}-{epoch}-{step}.keras", **more)
    fit(compiled(), ends, follow(schedule), epochs=1)
    plan = schedule.plan(epochs=1, steps_per_epoch=STEPS)
    assert [(row.cycle, row.epoch, row.step) for row in ends.cycles] == [(1, 1, 3), (2, 1, 9)]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1-1-3.keras", "2-1-9.keras"]
    for row in ends.cycles:
        assert row.file is not None
        loaded = keras.saving.load_model(row.file)
        rates = np.where(np.arange(STEPS) <= row.step, plan(np.arange(STEPS)), 0)
        np.testing.assert_allclose(probe_row(loaded), rates, rtol=1e-6)
        assert int(loaded.optimizer.iterations + 0) == row.step + 1
        assert float(loaded.optimizer.learning_rate + 0) == pytest.approx(plan(row.step), rel=1e-6)


def test_a_file_has_the_weights_of_a_loop_by_hand(tmp_path: Path) -> None:
    plan = CYCLES.plan(total_steps=49)
    ends = CycleEnds(tmp_path / "{cycle}.keras")
    train(network(), ends, follow(plan), epochs=3, shuffle=False)
    model, by_hand = network(), {}
    for step in range(49):
        model.optimizer.learning_rate.assign(plan(step))
        batch = slice(step % 20 * 2, step % 20 * 2 + 2)
        model.train_on_batch(X[batch], Y[batch])
        by_hand[step] = weights(model)
    assert [row.step for row in ends.cycles] == [6, 20, 48]
    for row in ends.cycles:
        assert row.file is not None
        for own, wanted in zip(weights(row.file), by_hand[row.step], strict=True):
            np.testing.assert_allclose(own, wanted, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["schedule in the optimizer", "drop-in"])
def test_other_sources_of_the_plan(tmp_path: Path, kind: str) -> None:
    ends = CycleEnds(tmp_path / "{cycle}.keras")
    if kind == "drop-in":
        fit(compiled(), WarmUpCosineDecayScheduler(0.1, 2 * STEPS), ends, epochs=2)
        assert [(row.step, row.epoch) for row in ends.cycles] == [(2 * STEPS - 1, 2)]
    else:
        schedule = LearningRateSchedule(ks.sgdr(peak=0.1, period=7).plan(total_steps=20))
        fit(compiled(keras.optimizers.SGD(schedule)), ends, epochs=2)
        assert [(row.step, row.epoch) for row in ends.cycles] == [(6, 1), (13, 2), (19, 2)]


def test_a_plan_with_phases_after_the_cycles_and_a_run_longer_than_it(tmp_path: Path) -> None:
    plan = CYCLES.plan(total_steps=7)
    ends = CycleEnds(tmp_path / "{cycle}.weights.h5", weights_only=True)
    fit(compiled(), ends, follow(plan), epochs=1)
    assert [row.step for row in ends.cycles] == [6]
    model = compiled()
    assert ends.cycles[0].file is not None
    model.load_weights(ends.cycles[0].file)
    assert np.count_nonzero(probe_row(model)) == 7


@pytest.mark.skipif(BACKEND == "torch", reason="Keras refuses steps_per_execution above 1 on PyTorch")
def test_cycles_that_end_with_an_execution_are_saved_and_others_refused(tmp_path: Path) -> None:
    ends = CycleEnds(tmp_path / "{cycle}.keras")
    message = re.escape(
        "steps_per_execution=4, and cycles that end after 7, 21, 30 steps. Make the cycles multiples of 4 steps, such "
        "as ends after 8, 20, 32 steps, or compile with steps_per_execution=1."
    )
    model = compiled(steps_per_execution=4)
    with pytest.raises(ks.TrainingError, match=message):
        fit(model, ends, follow(), epochs=3)
    assert not probe_row(model).any()
    assert not list(tmp_path.iterdir())
    aligned = ks.sgdr(peak=0.1, period=4, stretch=1.5, floor=0.01)  # 3, 9 = the end of the epoch
    for watchers in ([], [keras.callbacks.EarlyStopping("val_loss", patience=9)]):
        ends = CycleEnds(tmp_path / "{cycle}.keras", evaluate=probe_data(STEPS), callbacks=watchers)
        fit(compiled(steps_per_execution=4), ends, follow(aligned), epochs=1)
        assert [row.step for row in ends.cycles] == [3, 9]
        counts = [np.count_nonzero(probe_row(keras.saving.load_model(tmp_path / f"{n}.keras"))) for n in (1, 2)]
        assert counts == [4, 10]


# --- files ---


def test_the_last_files_are_kept(tmp_path: Path) -> None:
    ends = CycleEnds(tmp_path / "new" / "cycle-{cycle:02d}.keras", keep=2)
    fit(compiled(), ends, follow(ks.sgdr(peak=0.1, period=3)), epochs=1)
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == ["cycle-03.keras", "cycle-04.keras"]
    assert [None if row.file is None else row.file.name for row in ends.cycles] == [None, None, "cycle-03.keras",
        "cycle-04.keras"]  # fmt: skip
    assert str(ends.cycles).splitlines()[1].split() == ["1", "2", "1", "-"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "1.keras"
    fit(compiled(), CycleEnds(tmp_path / "{cycle}.keras"), follow(ks.constant(0.1)), epochs=1)
    before = file.read_bytes()

    def half(model: Any, path: Path, **_: Any) -> None:
        Path(path).write_bytes(before[: len(before) // 2])
        raise OSError(28, "No space left on device")

    model = compiled()
    monkeypatch.setattr(type(model), "save", half)
    with pytest.raises(OSError, match=f"No space left on device: '{re.escape(str(file))}'"):
        fit(model, CycleEnds(tmp_path / "{cycle}.keras"), follow(ks.constant(0.1)), epochs=1)
    assert file.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["1.keras"]


def test_files_of_an_earlier_run_that_would_stay_are_named(tmp_path: Path) -> None:
    (tmp_path / "cycle-09.keras").touch()
    with pytest.warns(ks.TrainingWarning, match=r"1 files of an earlier run .*cycle-09\.keras"):
        fit(compiled(), CycleEnds(tmp_path / "cycle-{cycle:02d}.keras"), follow(), epochs=1)


class Kill(keras.callbacks.Callback):  # type: ignore[misc]
    """Ends the run at the end of an epoch, before or after the backup, or in the middle of one."""

    def __init__(self, epoch: int, batch: int | None = None) -> None:
        super().__init__()
        self._at, self._epoch = (epoch, batch), -1

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if (self._epoch, batch) == self._at:
            raise ConnectionAbortedError

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if (epoch, None) == self._at:
            raise ConnectionAbortedError


TENS = ks.sgdr(peak=0.1, period=10)  # 9, 19 (the end of the first epoch), 29, 39


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> CycleEnds:
    """What a run along TENS saves that nothing interrupts."""
    ends = CycleEnds(tmp_path_factory.mktemp("whole") / "{cycle}-{val_loss:.4f}.keras", evaluate=(X, Y))
    train(network(), ends, follow(TENS), shuffle=False)
    return ends


@pytest.mark.parametrize("moment", ["before the backup", "after the backup", "inside an epoch"])
def test_a_run_that_is_killed_and_goes_on_saves_each_cycle_once(tmp_path: Path, moment: str, whole: CycleEnds) -> None:
    kill, backup = Kill(1, 15) if moment == "inside an epoch" else Kill(0), tmp_path / "backup"
    saved: list[str] = []

    class Noting(CycleEnds):
        def _save(self, end: int) -> None:
            super()._save(end)
            saved.append(str(end))

    name = tmp_path / "parts" / "{cycle}-{val_loss:.4f}.keras"
    for attempt in range(2):
        backing = keras.callbacks.BackupAndRestore(backup)
        killed = [] if attempt else [kill]
        callbacks = [*killed, backing] if moment == "before the backup" else [backing, *killed]
        ends = Noting(name, evaluate=(X, Y))
        try:
            train(network(), *callbacks, ends, follow(TENS), shuffle=False)
        except ConnectionAbortedError:
            saved.append("killed")
    wanted = {
        "before the backup": ["9", "19", "killed", "9", "19", "29", "39"],
        "after the backup": ["9", "19", "killed", "29", "39"],
        "inside an epoch": ["9", "19", "29", "killed", "29", "39"],
    }
    assert saved == wanted[moment]
    assert [row.step for row in ends.cycles] == [9, 19, 29, 39]
    assert len(list((tmp_path / "parts").iterdir())) == 4
    for own, other in zip(ends.cycles, whole.cycles, strict=True):
        assert own.file is not None
        assert other.file is not None
        assert own.file.name == other.file.name
        assert own.epoch == other.epoch
        assert equal(weights(own.file), weights(other.file))


# --- evaluation ---


@pytest.mark.parametrize("watched", [False, True])
def test_an_evaluation_leaves_the_training_as_it_is(tmp_path: Path, watched: bool) -> None:
    """With what has a random state, statistics and metrics, and with batches in a random order."""
    results = []
    for evaluate in (None, (X[:10], Y[:10])):
        model = network(BATCH_NORMALIZATION, DROPOUT, metrics=["accuracy"], seed=3)
        watchers = [keras.callbacks.EarlyStopping("val_loss", patience=9)] if watched and evaluate else []
        ends = CycleEnds(tmp_path / "{cycle}.keras", evaluate=evaluate, callbacks=watchers)
        log = train(model, ends, follow(ks.sgdr(peak=0.1, period=9)), validation_data=(X[10:], Y[10:]))
        results.append((weights(model), log.history, np.random.random(), ends.cycles))
    (first, logs, number, without), (second, same_logs, same_number, rows) = results
    assert equal(first, second)
    assert logs == same_logs
    assert number == same_number
    assert [dict(row.metrics) for row in without] == [{}] * 5
    for row in rows[-1:]:
        assert row.file is not None
        loaded = keras.saving.load_model(row.file)
        found = loaded.evaluate(X[:10], Y[:10], verbose=0, return_dict=True)
        assert row.metrics["val_loss"] == pytest.approx(found["loss"], rel=1e-6)
        assert row.metrics["val_accuracy"] == pytest.approx(found["accuracy"], rel=1e-6)
    assert str(rows).splitlines()[0].split() == ["cycle", "step", "epoch", "val_loss", "val_accuracy", "file"]


def test_callbacks_see_cycles_only(tmp_path: Path) -> None:
    """The loss of the probe on minus the data is the higher, the longer it trains: the first cycle is the best."""
    x, y = probe_data(STEPS)
    seen: list[tuple[str, int]] = []

    class Note(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            seen.append(("begin", epoch))

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            seen.append(("end", epoch))
            assert set(logs) == {"val_loss"}

    stop = keras.callbacks.EarlyStopping("val_loss", restore_best_weights=True)
    best = keras.callbacks.ModelCheckpoint(tmp_path / "best-{epoch}.keras", "val_loss", save_best_only=True)
    ends = CycleEnds(tmp_path / "{cycle}.keras", evaluate=(-x, y), callbacks=[stop, best, Note()])
    model, callback = compiled(), follow(ks.sgdr(peak=0.1, period=4, floor=0.01))
    fit(model, callback, ends, epochs=3)
    assert len(callback.history) == 8  # stopped at the batch that the second cycle ends at
    assert seen == [("begin", 0), ("end", 0), ("begin", 1), ("end", 1), ("begin", 2)]
    assert np.count_nonzero(probe_row(model)) == 4
    assert np.array_equal(probe_row(model), probe_row(keras.saving.load_model(tmp_path / "best-1.keras")))
    assert not (tmp_path / "best-2.keras").exists()


# --- the average ---


@pytest.mark.parametrize("keep", [None, 2])
def test_the_average_of_the_last_cycle_ends(tmp_path: Path, keep: int | None) -> None:
    model, ends = network(), CycleEnds(tmp_path / "{cycle}.keras", average=True, keep=keep)
    whole = CycleEnds(tmp_path / "all-{cycle}.keras")
    train(model, whole, ends, follow(ks.sgdr(peak=0.1, period=10)))
    last = weights(tmp_path / "4.keras")
    assert equal(weights(model), last)
    parts = [weights(tmp_path / f"all-{cycle}.keras") for cycle in range(1 if keep is None else 3, 5)]
    for own, *each in zip(weights(tmp_path / "average.keras"), *parts, strict=True):
        np.testing.assert_allclose(own, np.mean(each, axis=0, dtype=np.float64), rtol=1e-6, atol=1e-8)


def test_the_average_has_statistics_of_its_own(tmp_path: Path) -> None:
    model = network(BATCH_NORMALIZATION)
    with pytest.raises(ks.ArgumentError, match="`refresh` must be training data, as the model has BatchNormalization"):
        train(model, CycleEnds(tmp_path / "{cycle}.keras", average=True), follow())
    ends = CycleEnds(tmp_path / "{cycle}.weights.h5", weights_only=True, average=True, refresh=(X[:32], Y[:32]))
    train(model, ends, follow(ks.sgdr(peak=0.1, period=10)))
    averaged = network(BATCH_NORMALIZATION)
    averaged.optimizer.build(averaged.trainable_variables)
    averaged.load_weights(tmp_path / "average.weights.h5")
    kernel, bias, _, _, mean, variance = weights(averaged)[:6]
    hidden = np.maximum(X[:32] @ kernel + bias, 0)
    np.testing.assert_allclose(mean, hidden.mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(variance, hidden.var(0), rtol=1e-4, atol=1e-6)


# --- what is refused ---


@pytest.mark.parametrize(
    ("filepath", "arguments", "message"),
    [
        ("run/cycle.keras", {}, r'`filepath` must be a name with "\{cycle\}" or "\{step\}"'),
        ("{cycle}.h5", {}, r'`filepath` must be a name that ends in "\.keras"'),
        ("{cycle}.keras", {"weights_only": True}, r'ends in "\.weights\.h5"'),
        ("{cycle}-{val_loss}.keras", {}, r"where `evaluate` is given"),
        ("{cycle}-{loss}.keras", {"evaluate": (X, Y)}, r'the fields "cycle", "step" and "epoch"'),
        ("{cycle.keras", {}, "whose fields Python can format"),
        ("{cycle}.keras", {"keep": 0}, "`keep` must be an integer >= 1"),
        ("{cycle}.keras", {"refresh": X}, "`average` must be True"),
        ("{cycle}.keras", {"callbacks": [keras.callbacks.EarlyStopping()]}, "`evaluate` must be data"),
        (
            "{cycle}.keras",
            {"evaluate": (X, Y), "callbacks": [keras.callbacks.ReduceLROnPlateau()]},
            "a ReduceLROnPlateau. Pass it to `fit`",
        ),
    ],
)
def test_arguments_that_are_refused(filepath: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ks.ArgumentError, match=message):
        CycleEnds(filepath, **arguments)


@pytest.mark.parametrize(
    ("filepath", "arguments", "message"),
    [
        (3, {}, "`filepath` must be a name"),
        ("{cycle}.keras", {"evaluate": iter([])}, "`evaluate` must be data that can be read more than once"),
        ("{cycle}.keras", {"evaluate": (X, Y), "callbacks": [3]}, "`callbacks` must be a list of Keras callbacks"),
    ],
)
def test_arguments_of_a_wrong_type(filepath: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ks.ArgumentTypeError, match=message):
        CycleEnds(filepath, **arguments)


def test_a_fit_without_a_plan_or_with_an_endless_one_is_refused_before_the_first_batch(tmp_path: Path) -> None:
    ends, model = CycleEnds(tmp_path / "{cycle}.keras"), compiled()
    with pytest.raises(ks.TrainingError, match="CycleEnds needs a plan"):
        fit(model, ends, epochs=1)
    with pytest.raises(ks.PlanError, match="end"):
        fit(model, ends, follow(CYCLES.plan()), epochs=1)
    named = CycleEnds(tmp_path / "{cycle}-{val_accuracy}.keras", evaluate=probe_data(STEPS))
    with pytest.raises(ks.TrainingError, match="val_accuracy; `evaluate` gives val_loss"):
        fit(model, named, follow(), epochs=1)
    assert not probe_row(model).any()


# --- the logs ---


def test_the_logs_have_the_cycle_of_an_epochs_last_batch() -> None:
    model = compiled()
    fit(model, follow(ks.sgdr(peak=0.1, period=15)), epochs=3)
    assert model.history.history["cycle"] == [1, 2, 2]
    fit(model, follow(ks.warmup_cosine(peak=0.1, warmup=3)), epochs=1)
    assert "cycle" not in model.history.history
