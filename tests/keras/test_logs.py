"""What a run leaves behind: the learning rate in the logs, and the history of every batch."""

import csv
from pathlib import Path

import keras
import numpy as np
import pytest

import kosine as ks
from kosine.keras._callback import LearningRateCallback
from kosine.keras._history import LearningRateHistory
from tests.support.keras_probe import LR, STEPS, compiled, fit


@pytest.mark.parametrize("first", [True, False], ids=["callback first", "CSVLogger first"])
def test_the_epochs_last_rate_is_in_history_and_csv(tmp_path: Path, first: bool) -> None:
    callback, logger = LearningRateCallback(LR), keras.callbacks.CSVLogger(tmp_path / "log.csv")
    model = compiled()
    fit(model, *([callback, logger] if first else [logger, callback]))
    last = LR.plan(epochs=4, steps_per_epoch=STEPS)(np.arange(STEPS - 1, 4 * STEPS, STEPS)).tolist()
    assert model.history.history["learning_rate"] == last
    with (tmp_path / "log.csv").open(newline="") as file:
        assert [float(row["learning_rate"]) for row in csv.DictReader(file)] == last


def test_the_progress_bar_shows_the_rate(capsys: pytest.CaptureFixture[str]) -> None:
    model, (x, y) = compiled(), (np.zeros((4, STEPS)), np.zeros((4, 1)))
    model.fit(x, y, batch_size=2, verbose=2, callbacks=[LearningRateCallback(ks.constant(0.125))])
    assert "learning_rate: 0.1250" in capsys.readouterr().out


def test_history_holds_every_batch(tmp_path: Path) -> None:
    callback = LearningRateCallback(LR)
    fit(compiled(), callback)
    history, plan = callback.history, LR.plan(epochs=4, steps_per_epoch=STEPS)
    assert history.plan == plan
    assert history.steps.dtype == np.int64
    np.testing.assert_array_equal(history.steps, np.arange(4 * STEPS))
    assert history.rates.dtype == np.float64
    np.testing.assert_array_equal(history.rates, plan(np.arange(4 * STEPS)))
    history.to_csv(tmp_path / "history.csv")
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["step", "rate"]
    assert [(int(step), float(rate)) for step, rate in rows[1:]] == [(t, plan(t)) for t in range(4 * STEPS)]


def test_history_draws_the_rates() -> None:
    callback = LearningRateCallback(LR)
    fit(compiled(), callback)
    axes = callback.history.plot()
    drawn = [np.asarray(line.get_ydata(), np.float64) for line in axes.get_lines()]
    assert max(rates.max() for rates in drawn) == pytest.approx(0.1, rel=1e-12)


def test_a_history_that_cannot_be_written_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "history.csv"
    path.write_text("old")
    history = LearningRateHistory(LR.plan(epochs=4, steps_per_epoch=STEPS))
    history.add(0, 5)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        history.to_csv(path)
    assert [p.name for p in tmp_path.iterdir()] == ["history.csv"]
    assert path.read_text() == "old"


def test_an_empty_history() -> None:
    history = LearningRateCallback(LR).history
    assert (len(history), history.steps.tolist(), history.rates.tolist()) == (0, [], [])
