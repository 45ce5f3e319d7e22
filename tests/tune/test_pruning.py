"""Runs are stopped where they are comparable, at the ends of cycles: Optuna's own pruner decides."""

from __future__ import annotations

import optuna
import pytest

import kosine as ks

STEPS = 80
SHORT = ks.sgdr(peak=0.5, period=20).plan(total_steps=STEPS)
LONG = ks.sgdr(peak=0.5, period=40).plan(total_steps=STEPS)
TOO_FAST = ks.sgdr(peak=1.9, period=20, floor=1.0).plan(total_steps=STEPS)
optuna.logging.set_verbosity(optuna.logging.WARNING)


def train(trial: optuna.Trial, plan: ks.Plan, report_at: set[int]) -> float:
    """The expected loss of gradient descent with noise, x <- x - rate * (x + noise), on x**2."""
    loss = 1.0
    for step in range(STEPS):
        loss = (1 - plan(step)) ** 2 * loss + plan(step) ** 2
        if step in report_at:
            trial.report(loss, step)
            if trial.should_prune():
                raise optuna.TrialPruned
    return loss


def outcomes(at_cycle_ends: bool) -> list[optuna.trial.FrozenTrial]:
    """Two runs with short cycles, then one with long ones, then one whose rates are too high."""
    plans = [SHORT, SHORT, LONG, TOO_FAST]

    def objective(trial: optuna.Trial) -> float:
        plan = plans[trial.number]
        return train(trial, plan, set(plan.cycle_ends.tolist()) if at_cycle_ends else set(range(9, STEPS, 10)))

    study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=2))
    study.optimize(objective, n_trials=len(plans))
    return study.trials


def test_at_cycle_ends_the_good_run_goes_on_and_the_bad_one_stops_at_its_first() -> None:
    first, _, long, too_fast = outcomes(at_cycle_ends=True)
    assert [*first.intermediate_values] == [19, 39, 59, 79]
    assert (long.state, [*long.intermediate_values]) == (optuna.trial.TrialState.COMPLETE, [39, 79])
    assert (too_fast.state, [*too_fast.intermediate_values]) == (optuna.trial.TrialState.PRUNED, [19])
    assert long.value == pytest.approx(first.value, rel=0.5)


def test_elsewhere_a_run_as_good_as_the_others_is_stopped_in_the_middle_of_its_cycle() -> None:
    _, _, long, _ = outcomes(at_cycle_ends=False)
    assert (long.state, long.last_step) == (optuna.trial.TrialState.PRUNED, 9)
