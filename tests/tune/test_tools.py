"""A space in Optuna's own trials, and as data for Weights & Biases."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import optuna
import pytest

import kosine as ks

SPACE = ks.space(
    'Schedule(linear(integers(10, 90), start=0.0, to=log(1e-5, 1e-1, name="peak")), hold(), choice(cosine("10%", '
    'to=1e-6), linear("10%", to=1e-6), name="curve"), linear(share("5%", "40%"), to=uniform(0.0, 1e-6)), '
    'hold(choice(5, "1%", name="end")))'
)
NAMES = ["linear1_duration", "peak", "curve", "linear2_duration", "to", "end"]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield
    optuna.logging.set_verbosity(before)


def suggested(sampler: optuna.samplers.BaseSampler) -> list[ks.Schedule]:
    """The schedules of a study's trials, each of which is also made from the parameters that the trial keeps."""
    schedules: list[ks.Schedule] = []

    def objective(trial: optuna.Trial) -> float:
        batch = trial.suggest_int("batch", 8, 64)  # a parameter that is not the space's
        lr = SPACE.suggest(trial)
        schedules.append(lr)
        return batch + lr.plan(total_steps=1_000)(500)

    study = optuna.create_study(sampler=sampler)
    study.optimize(objective, n_trials=25)
    assert [SPACE(trial.params) for trial in study.trials] == schedules
    assert SPACE(study.best_params) == schedules[study.best_trial.number]
    return schedules


@pytest.mark.parametrize("sampler", [optuna.samplers.RandomSampler, optuna.samplers.TPESampler])
def test_two_studies_of_one_seed_train_the_same_schedules(sampler: Any) -> None:
    first = suggested(sampler(seed=4))
    assert first == suggested(sampler(seed=4))
    assert len({*first}) == 25
    assert first != suggested(sampler(seed=5))


def test_a_study_asks_for_the_same_values_in_both_ways() -> None:
    asked, suggesting = (optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1)) for _ in range(2))
    for _ in range(25):
        trial, other = asked.ask(SPACE.optuna()), suggesting.ask()
        assert SPACE(trial.params) == SPACE(**trial.params) == SPACE.suggest(other)
        assert trial.params == other.params
        assert list(trial.params) == NAMES


def test_optuna_has_the_bounds_of_the_space() -> None:
    assert SPACE.optuna() == {
        "linear1_duration": optuna.distributions.IntDistribution(10, 90),
        "peak": optuna.distributions.FloatDistribution(1e-5, 1e-1, log=True),
        "curve": optuna.distributions.CategoricalDistribution(('cosine("10%", to=1e-06)', 'linear("10%", to=1e-06)')),
        "linear2_duration": optuna.distributions.FloatDistribution(5.0, 40.0),
        "to": optuna.distributions.FloatDistribution(0.0, 1e-6),
        "end": optuna.distributions.CategoricalDistribution((5, "1%")),
    }


def test_a_trial_given_by_hand_makes_its_schedule() -> None:
    space = ks.space('warmup_cosine(peak=log(1e-4, 1e-2), warmup=choice("1%", "5%"))')
    trial = optuna.trial.FixedTrial({"peak": 3e-4, "warmup": "5%"})
    assert space.suggest(trial) == ks.warmup_cosine(peak=3e-4, warmup="5%")
    study = optuna.create_study()
    study.enqueue_trial({"peak": 3e-4, "warmup": "5%"})
    assert space.suggest(study.ask()) == ks.warmup_cosine(peak=3e-4, warmup="5%")


def test_trials_that_do_not_fit_the_run_can_be_pruned_and_the_study_goes_on() -> None:
    space = ks.space('wsd(peak=1.0, warmup=share("10%", "70%"), cooldown=share("10%", "70%"))')

    def objective(trial: optuna.Trial) -> float:
        try:
            plan = space.suggest(trial).plan(total_steps=1_000)
        except ks.PlanError as error:
            raise optuna.TrialPruned(str(error)) from error
        return float(plan([*range(1_000)]).sum())

    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(objective, n_trials=30)
    fits = [trial.params["warmup"] + trial.params["cooldown"] < 100 for trial in study.trials]
    states = optuna.trial.TrialState
    assert [trial.state for trial in study.trials] == [states.COMPLETE if fit else states.PRUNED for fit in fits]
    assert 0 < sum(fits) < 30


def test_a_median_pruner_stops_trials_of_a_space_at_the_ends_of_cycles() -> None:
    space = ks.space("sgdr(peak=log(1e-3, 1e-1), period=100, shrink=uniform(0.5, 1.0))")

    def objective(trial: optuna.Trial) -> float:
        plan = space.suggest(trial).plan(total_steps=500)
        error = 1.0
        for end in plan.cycle_ends:  # stands for a training: the error falls with the rates
            error = 1 - float(plan([*range(end)]).sum())
            trial.report(error, end)
            if trial.should_prune():
                raise optuna.TrialPruned
        return error

    pruner = optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=0)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0), pruner=pruner)
    study.optimize(objective, n_trials=15)
    pruned = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.PRUNED]
    assert pruned
    assert all(trial.last_step in (99, 199, 299, 399, 499) for trial in pruned)
    assert study.best_params["peak"] > max(trial.params["peak"] for trial in pruned) / 2


def test_a_sweep_of_wandb_has_the_bounds_and_its_configuration_makes_the_schedule() -> None:
    assert SPACE.wandb() == {
        "linear1_duration": {"distribution": "int_uniform", "min": 10, "max": 90},
        "peak": {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-1},
        "curve": {"values": ['cosine("10%", to=1e-06)', 'linear("10%", to=1e-06)']},
        "linear2_duration": {"distribution": "uniform", "min": 5.0, "max": 40.0},
        "to": {"distribution": "uniform", "min": 0.0, "max": 1e-6},
        "end": {"values": [5, "1%"]},
    }

    class Config:
        """What `wandb.config` is: neither a dict nor a Mapping."""

        def __init__(self, **values: Any) -> None:
            self._values = values

        def keys(self) -> Any:
            return self._values.keys()

        def __getitem__(self, name: str) -> Any:
            return self._values[name]

    for seed in range(20):
        assert SPACE(Config(batch=32, **SPACE.values(seed))) == SPACE.sample(seed)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [None, {"peak": 1e-3}, SPACE])
def test_what_is_no_trial(wrong: Any) -> None:
    with pytest.raises(ks.ArgumentTypeError, match="Argument `trial` must be a trial of Optuna"):
        SPACE.suggest(wrong)
    with pytest.raises(ks.ArgumentTypeError, match="Argument `hp` must be KerasTuner's HyperParameters"):
        SPACE.keras_tuner(wrong)


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_without_optuna_it_says_how_to_get_it() -> None:
    code = (
        "import sys; sys.modules['optuna'] = None\n"
        "import kosine as ks\n"
        "try: ks.space('constant(log(1, 2))').optuna()\n"
        "except ks.MissingPackageError as error: print(error)"
    )
    assert run(code) == ("`space.optuna` needs Optuna. Install it in your clone of kosine: pip install '.[optuna]'\n")
