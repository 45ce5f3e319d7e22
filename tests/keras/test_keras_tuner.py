"""A space in KerasTuner's own search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras_tuner  # type: ignore[import-untyped]
import pytest

import kosine as ks

SPACE = ks.space(
    'Schedule(linear(integers(10, 90), start=0.0, to=log(1e-5, 1e-1, name="peak")), hold(), choice(cosine("10%", '
    'to=1e-6), linear("10%", to=1e-6), name="curve"), linear(share("5%", "40%"), to=uniform(0.0, 1e-6)), '
    'hold(choice(5, "1%", name="end")))'
)


def searched(folder: Path, seed: int) -> list[ks.Schedule]:
    """The schedules of the trials of a search, in which a number stands for a training."""
    schedules: list[ks.Schedule] = []

    class Search(keras_tuner.RandomSearch):  # type: ignore[misc]  # KerasTuner has no types
        def run_trial(self, trial: Any, *arguments: Any, **keywords: Any) -> float:
            trial.hyperparameters.Int("batch", 8, 64)  # a parameter that is not the space's
            lr = SPACE.keras_tuner(trial.hyperparameters)
            schedules.append(lr)
            assert SPACE(trial.hyperparameters.values) == lr
            return lr.plan(total_steps=1_000)(500)

    search = Search(max_trials=12, seed=seed, directory=folder, project_name=str(seed), overwrite=True)
    search.search(verbose=0)
    (best,) = search.get_best_hyperparameters()
    assert SPACE(best.values) in schedules
    return schedules


@pytest.mark.filterwarnings("ignore:(currentThread|getName):DeprecationWarning")  # of KerasTuner
def test_two_searches_of_one_seed_train_the_same_schedules(tmp_path: Path) -> None:
    first = searched(tmp_path / "a", 4)
    assert first == searched(tmp_path / "b", 4)
    assert len({*first}) == 12
    assert first != searched(tmp_path / "c", 5)


def test_keras_tuner_has_the_bounds_of_the_space() -> None:
    hp = keras_tuner.HyperParameters()
    assert SPACE.keras_tuner(hp) == SPACE(**{name: each.ends()[0] for name, each in SPACE.parameters.items()})
    found = {each.name: each for each in hp.space}
    assert list(found) == list(SPACE.parameters)
    assert [(found[name].min_value, found[name].max_value) for name in ("peak", "linear2_duration", "to")] == [
        (1e-5, 1e-1),
        (5.0, 40.0),
        (0.0, 1e-6),
    ]
    assert (found["peak"].sampling, found["to"].sampling) == ("log", "linear")
    assert (found["linear1_duration"].min_value, found["linear1_duration"].max_value) == (10, 90)
    assert found["end"].values == ["5", "1%"]  # KerasTuner's options have one type
    assert hp.values["end"] == "5"
