"""What `ks.predict` refuses, each with the reason and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import kosine as ks
from tests.support.law_runs import COSINE, WSD, Law, trace

LAW = Law()
PLAN = WSD.plan(total_steps=6000)
PAST = LAW.run(PLAN)
LOSSES = PAST[0]
WANTED = COSINE.plan(total_steps=6000)
AGAIN = ks.sgdr(peak=1e-3, period=2000)
STEPS = np.arange(6000)
CONSTANT = ks.Schedule(ks.linear(200, start=0.0, to=1e-3), ks.hold()).plan(total_steps=6000)
BRANCH = ks.Trace(np.arange(4800, 6000), PLAN(np.arange(4800, 6000)), losses=LOSSES)

EPOCHS = ks.Losses(LOSSES.positions / 100, LOSSES.values, axis="epoch")
TOKENS = ks.Losses(LOSSES.positions * 10, LOSSES.values, axis="token")


def losses(values: Any, every: int = 40) -> tuple[ks.Losses, ks.Plan]:
    steps = np.arange(every, 6001, every)
    return ks.Losses(steps, values(steps) if callable(values) else values), PLAN


LOGS: dict[str, tuple[Callable[[], Any], type[ks.KosineError], str]] = {
    "few losses": (
        lambda: LAW.run(PLAN, every=150),
        ks.LogError,
        "has 36 losses after the first tenth of the run .*; a fit needs 40.*Log the loss more often",
    ),
    "no losses": (lambda: ks.Trace(STEPS, PLAN(STEPS)), ks.LogError, "has no losses.*loss_column"),
    "a constant rate": (
        lambda: LAW.run(CONSTANT),
        ks.LogError,
        "rate is the same at all losses.*a run with a decay among them",
    ),
    "cut before the decay": (
        lambda: (ks.Losses(LOSSES.positions[:119], LOSSES.values[:119]), PLAN),
        ks.LogError,
        "rate is the same at all losses",
    ),
    "restarts": (
        lambda: (LOSSES, AGAIN.plan(total_steps=6000)),
        ks.LogError,
        r"rises again after step 1,9\d\d.*no public run had any",
    ),
    "restarts in a log": (
        lambda: ks.Trace(STEPS, AGAIN.plan(total_steps=6000)(STEPS), losses=LOSSES),
        ks.LogError,
        "rises again after step",
    ),
    "a dip before the peak": (
        lambda: ks.Trace(STEPS, np.where((STEPS > 100) & (STEPS < 150), 1e-5, PLAN(STEPS)), losses=LOSSES),
        ks.LogError,
        "rises again after step",
    ),
    "a log that outlasts its plan": (
        lambda: (LOSSES, WSD.plan(total_steps=3000)),
        ks.LogError,
        "losses up to step 6,000, and the plan .* ends at step 3,000.*with its whole length",
    ),
    "a log that contradicts its plan": (
        lambda: (ks.Trace(STEPS, PLAN(STEPS) / 2, losses=LOSSES), PLAN),
        ks.LogError,
        r"rates of run 1 are not those of the plan .*at step \d.*the log has 0.0005, and the plan 0.001",
    ),
    "losses that rise": (lambda: losses(lambda steps: 3 + steps / 1e4), ks.LogError, "do not fall: from 3.* to 3"),
    "losses that jump": (
        lambda: losses(lambda steps: 3 - steps / 1e8 + np.sin(steps)),
        ks.LogError,
        "law explains .* of how the losses differ|do not fall",
    ),
    "losses below 0": (lambda: losses(lambda steps: -steps / 1e4), ks.LogError, "losses <= 0"),
    "too few rates": (lambda: trace(PAST, every=1000), ks.LogError, "too few rates.*uncertain by up to"),
    "a branch alone": (
        lambda: BRANCH,
        ks.LogError,
        "first rate is that of step 4,800.*put the rows of that run before",
    ),
    "no rate above 0": (lambda: ks.Trace(STEPS, 0.0 * STEPS, losses=LOSSES), ks.LogError, "rates that are all 0"),
    "epochs": (
        lambda: ks.Trace(
            STEPS / 100,
            PLAN(STEPS),
            axis="epoch",
            losses=ks.Losses(LOSSES.positions / 100, LOSSES.values, axis="epoch"),
        ),
        ks.LogError,
        "counts epochs.*steps_per_epoch",
    ),
    "tokens": (
        lambda: ks.Trace(
            STEPS * 10, PLAN(STEPS), axis="token", losses=ks.Losses(LOSSES.positions * 10, LOSSES.values, axis="token")
        ),
        ks.LogError,
        "counts tokens.*tokens_per_step",
    ),
    "a run twice": (lambda: [PAST, PAST], ks.ArgumentError, "has the losses of.*Give each run once"),
    "two kinds": (
        lambda: [PAST, (ks.Losses(LOSSES.positions, LOSSES.values + 0.1, kind="training"), PLAN)],
        ks.ArgumentError,
        "must be of one kind",
    ),
    "none": (list, ks.ArgumentError, "one run at least"),
    "losses alone": (lambda: LOSSES, ks.ArgumentTypeError, r"traces with losses, or pairs"),
    "a schedule": (lambda: (LOSSES, WSD), ks.ArgumentTypeError, "Plan it first"),
    "a number": (lambda: 3, ks.ArgumentTypeError, "traces with losses"),
}


@pytest.mark.parametrize("case", LOGS)
def test_past_runs_that_say_too_little(case: str) -> None:
    make, kind, said = LOGS[case]
    with pytest.raises(kind, match=said):
        ks.predict(make(), WANTED)


PLANS: dict[str, tuple[Any, type[ks.KosineError], str]] = {
    "a high peak": (2.1 * WANTED, ks.PlanError, "more than a factor of 2 .*peaks of 0.0005 to 0.002"),
    "a low peak": (WANTED / 2.1, ks.PlanError, "more than a factor of 2"),
    "too long": (COSINE.plan(total_steps=24_001), ks.PlanError, "6,000 steps.*Predict 1,500 to 24,000 steps"),
    "too short": (COSINE.plan(total_steps=1499), ks.PlanError, "below a quarter"),
    "restarts": (AGAIN.plan(total_steps=6000), ks.PlanError, "rises again.*restarts"),
    "a rise without a cycle": (
        ks.Schedule(ks.hold(3000, start=1e-3), ks.hold(100, start=1e-4), ks.hold(start=1e-3)).plan(total_steps=6000),
        ks.PlanError,
        "rises again",
    ),
    "no rate above 0": (ks.constant(0.0).plan(total_steps=6000), ks.PlanError, "all 0"),
    "no length": (ks.constant(1e-3).plan(), ks.PlanError, "needs the length"),
    "a schedule": (COSINE, ks.ArgumentTypeError, "Plan it first"),
    "a list": ([WANTED, WANTED], ks.ArgumentTypeError, r"ks.predict\(runs, a, b\)"),
}


@pytest.mark.parametrize("case", PLANS)
def test_plans_beyond_what_was_tested(case: str) -> None:
    plan, kind, said = PLANS[case]
    with pytest.raises(kind, match=said):
        ks.predict(PAST, plan)


def test_no_plan_and_wrong_names() -> None:
    with pytest.raises(ks.ArgumentError, match="one plan or more"):
        ks.predict(PAST)
    with pytest.raises(ks.ArgumentError, match="one for each plan"):
        ks.predict(PAST, WANTED, names=["a", "b"])


@pytest.mark.parametrize(
    "plan", [2 * WANTED, WANTED / 2, COSINE.plan(total_steps=24_000), COSINE.plan(total_steps=1500)]
)
def test_the_limits_themselves_are_predicted(plan: ks.Plan) -> None:
    found = ks.predict(PAST, plan)
    assert found.low < found.loss < found.high


def test_a_decay_among_several_runs_is_enough() -> None:
    assert ks.predict([LAW.run(CONSTANT), PAST], WANTED).low < 4


def test_an_error_of_a_plan_names_its_argument() -> None:
    with pytest.raises(ks.PlanError) as caught:
        ks.predict(PAST, ks.constant(1e-3).plan())
    assert caught.value.missing == "total_steps"


def test_a_peak_that_no_row_has_is_within_the_limits() -> None:
    steps = np.arange(7, 6000, 50)
    log = ks.Trace(np.append(0, steps), 0.999 * PLAN(np.append(0, steps)), losses=LOSSES)
    assert ks.predict(log, 2 * WANTED).low > 0


def test_one_whole_cycle_is_no_restart() -> None:
    cycle = ks.Schedule(ks.cycles(ks.cosine(6000, start=1e-3, to=0.0))).plan(total_steps=6000)
    same = ks.Schedule(ks.cosine(start=1e-3, to=0.0)).plan(total_steps=6000)
    assert ks.predict(PAST, cycle).loss == ks.predict(PAST, same).loss


def test_the_report_names_the_loss() -> None:
    losses = ks.Losses(LOSSES.positions, LOSSES.values, name="eval_wiki_loss")
    assert "validation loss 'eval_wiki_loss': 1" in " ".join(str(ks.predict((losses, PLAN), WANTED)).split())


@pytest.mark.parametrize(
    ("runs", "fix"),
    [("log.csv", r"ks.read_trace\(path\)"), (LOSSES, r"ks.predict\(\(losses, plan\), other\)")],
)
def test_runs_that_are_not_read_or_have_no_plan(runs: Any, fix: str) -> None:
    with pytest.raises(ks.ArgumentTypeError, match=fix):
        ks.predict(runs, WANTED)
