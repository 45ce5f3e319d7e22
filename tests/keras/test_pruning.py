"""An Optuna trial in Keras is asked at the ends of cycles, and stops `fit` there."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import optuna
import pytest

import kosine as ks


def test_a_trial_is_asked_where_a_cycle_ends_inside_an_epoch_and_stops_fit_there(tmp_path: Path) -> None:
    asked = []

    class PrunesAtTheSecond(optuna.pruners.BasePruner):
        def prune(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> bool:
            asked.append(trial.last_step)
            return len(asked) == 2

    trial = optuna.create_study(pruner=PrunesAtTheSecond()).ask()

    def ask(cycle: int, logs: dict[str, float]) -> None:
        trial.report(logs["val_loss"], cycle)
        if trial.should_prune():
            raise optuna.TrialPruned

    x, y = np.ones((20, 2), "float32"), np.zeros((20, 1), "float32")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    lr = ks.keras.LearningRateCallback(ks.sgdr(peak=0.1, period=3), lint=False)
    ends = ks.keras.CycleEnds(
        tmp_path / "{cycle}.keras", evaluate=(x, y), callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=ask)]
    )
    with pytest.raises(optuna.TrialPruned):
        model.fit(x, y, batch_size=2, epochs=2, verbose=0, callbacks=[lr, ends])
    assert asked == [0, 1]
    assert int(model.optimizer.iterations) == 6
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1.keras", "2.keras"]
