"""`ks.predict`: the law against its direct sum, runs that follow it, public runs, and what changes nothing."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import kosine as ks
from benchmarks.predict import SLIMPAJAMA, runs, trial
from kosine._logs.predict.law import progress_of_plan, progress_of_rows
from tests.support.law_runs import COSINE, LINE, STAGES, WSD, Law, noise, trace

LAW = Law()
PAST = LAW.run(WSD.plan(total_steps=6000))


def final(plan: ks.Plan) -> float:
    assert plan.total_steps is not None
    return float(LAW.losses(plan, np.array([plan.total_steps]))[0])


@pytest.mark.parametrize("schedule", [WSD, COSINE, LINE, STAGES], ids=["wsd", "cosine", "line", "stages"])
@pytest.mark.parametrize(("rates", "within"), [(10, 1e-2), (100, 2e-3), (1000, 5e-4)])
def test_the_blocks_add_up_to_the_sum_over_the_steps(schedule: ks.Schedule, rates: int, within: float) -> None:
    """Within 1 % where the memory is as long as ten rates of the peak, and less where it is longer."""
    plan = schedule.plan(total_steps=8000)
    steps = np.linspace(400, 8000, 20).astype(np.int64)
    progress = progress_of_plan(plan)
    found = progress.noise(progress.sum_at(steps), rates * 1e-3, (1.4, 2.0))
    for row, p in zip(found, (1.4, 2.0), strict=True):
        direct = noise(plan, steps, rates * 1e-3, p)
        assert np.abs(row - direct).max() < within * direct.max()


@pytest.mark.parametrize("schedule", [WSD, COSINE, STAGES], ids=["wsd", "cosine", "stages"])
def test_the_rates_of_a_log_are_those_of_its_plan(schedule: ks.Schedule) -> None:
    plan = schedule.plan(total_steps=6000)
    rates = plan(np.arange(6000))
    sums = np.append(0.0, np.cumsum(rates))
    steps = np.arange(0, 6001, 50)
    assert progress_of_rows(np.arange(6000), rates).sum_at(steps) == pytest.approx(sums[steps], rel=2e-4, abs=1e-3)
    some = np.arange(0, 6000, 50)
    sparse = progress_of_rows(some, rates[some])
    # What lies between two rows is unknown; `doubt` says how far the sum may be off for that.
    assert abs(sparse.sums[-1] - sums[-1]) <= sparse.doubt * sums[-1]
    assert 0 < sparse.doubt < 0.02


def test_a_long_plan_costs_no_more() -> None:
    short, long = (progress_of_plan(COSINE.plan(total_steps=steps)) for steps in (10**6, 10**9))
    assert long.sums[-1] / 10**9 == pytest.approx(short.sums[-1] / 10**6, rel=1e-3)
    assert long.sums.size == short.sums.size


@pytest.mark.parametrize("past", [WSD, COSINE, LINE, STAGES], ids=["wsd", "cosine", "line", "stages"])
def test_a_run_that_follows_the_law_predicts_others(past: ks.Schedule) -> None:
    run = LAW.run(past.plan(total_steps=6000))
    plans = [schedule.plan(total_steps=steps) for schedule in (WSD, COSINE, LINE) for steps in (6000, 18_000)]
    found = ks.predict(run, *plans)
    said = {row.mark: row.loss for row in found.rows}
    assert [said[mark] for mark in "ABCDEF"] == pytest.approx([final(plan) for plan in plans], abs=1e-3)
    assert found.fit.explained > 0.9999


def test_the_numbers_of_the_law_are_found() -> None:
    fit = ks.predict([PAST, LAW.run(COSINE.plan(total_steps=6000))], LINE.plan(total_steps=6000)).fit
    assert fit.p == LAW.p
    assert (fit.l0, fit.a, fit.alpha, fit.c, fit.tau) == pytest.approx(
        (LAW.l0, LAW.a, LAW.alpha, LAW.c, LAW.tau), rel=0.02
    )


def test_a_run_predicts_its_own_end() -> None:
    losses, plan = PAST
    found = ks.predict(PAST, plan)
    assert found.loss == pytest.approx(losses.values[-1], abs=1e-3)
    assert found.low <= losses.values[-1] <= found.high
    assert found.fitted[0][-1] == pytest.approx(found.loss, abs=1e-9)


def test_the_result() -> None:
    plans = [schedule.plan(total_steps=6000) for schedule in (COSINE, WSD, LINE)]
    found = ks.predict(PAST, *plans, names=["cosine", "wsd", "line"])
    assert sorted(row.name for row in found.rows) == ["cosine", "line", "wsd"]
    assert [row.mark for row in sorted(found.rows, key=lambda row: row.mark)] == ["A", "B", "C"]
    assert [row.loss for row in found.rows] == sorted(row.loss for row in found.rows)
    assert (found.loss, found.low, found.high) == (found.best.loss, found.best.low, found.best.high)
    for row in found.rows:
        assert row.steps[-1] == row.plan.total_steps
        assert row.curve[-1] == row.loss
        assert (row.lows < row.curve).all()
        assert (row.curve < row.highs).all()
        assert row.highs[-1] - row.lows[-1] >= 2 * 0.004 - 1e-12
    assert repr(found).startswith(f"<Prediction: {found.best.name} ends at {found.loss:.4f}")


def close(one: ks.Prediction, other: ks.Prediction, within: float) -> None:
    for first, second in zip(one.rows, other.rows, strict=True):
        assert (first.loss, first.low, first.high) == pytest.approx((second.loss, second.low, second.high), abs=within)


def test_the_order_of_the_runs_changes_nothing() -> None:
    plan = COSINE.plan(total_steps=12_000)
    two = [PAST, LAW.run(LINE.plan(total_steps=8000))]
    close(ks.predict(two, plan), ks.predict(two[::-1], plan), 1e-6)


def test_a_log_with_all_rates_and_one_with_some_say_what_the_plan_says() -> None:
    plan = COSINE.plan(total_steps=12_000)
    by_plan = ks.predict(PAST, plan)
    close(ks.predict(trace(PAST), plan), by_plan, 2e-3)
    close(ks.predict(trace(PAST, every=20), plan), by_plan, 5e-3)
    close(ks.predict((trace(PAST), PAST[1]), plan), by_plan, 1e-9)


def test_fewer_losses_say_the_same() -> None:
    plan = COSINE.plan(total_steps=12_000)
    close(ks.predict(LAW.run(PAST[1], every=100), plan), ks.predict(PAST, plan), 2e-3)


def test_the_unit_of_the_rates_changes_nothing() -> None:
    """Rates a thousand times as high, as in another parametrization of the model."""
    plan = COSINE.plan(total_steps=12_000)
    losses, own = PAST
    close(ks.predict((losses, 1000 * own), 1000 * plan), ks.predict(PAST, plan), 1e-6)


def test_epochs_and_tokens_become_steps() -> None:
    losses, plan = PAST
    plan_ = plan.schedule.plan(total_steps=6000, steps_per_epoch=100)
    steps = np.arange(0, 6000)
    epochs = ks.Losses(losses.positions / 100, losses.values, axis="epoch")
    log = ks.Trace(steps / 100, plan(steps), axis="epoch", losses=epochs)
    wanted = COSINE.plan(total_steps=12_000)
    close(ks.predict((log, plan_), wanted), ks.predict(PAST, wanted), 1e-9)
    close(ks.predict((epochs, plan_), wanted), ks.predict(PAST, wanted), 1e-9)
    tokens = ks.Losses(losses.positions * 1000, losses.values, axis="token")
    counted = plan.schedule.plan(total_steps=6000, tokens_per_step=1000)
    close(ks.predict((tokens, counted), wanted), ks.predict(PAST, wanted), 1e-9)
    said = ks.Trace(steps / 100, plan(steps), axis="epoch", losses=epochs, steps_per_epoch=100)
    close(ks.predict(said, wanted), ks.predict(PAST, wanted), 2e-3)


def test_noise_widens_the_range() -> None:
    losses, plan = PAST
    noisy = losses.values + np.random.default_rng(0).normal(0, 0.02, losses.values.size)
    wanted = COSINE.plan(total_steps=12_000)
    found, clean = ks.predict((ks.Losses(losses.positions, noisy), plan), wanted), ks.predict(PAST, wanted)
    assert found.high - found.low > 2 * (clean.high - clean.low)
    assert found.low <= final(wanted) <= found.high


def test_public_runs() -> None:
    """From the shortest decay of 25,000 steps: the others of 15,000 to 50,000."""
    found = runs()[SLIMPAJAMA, 1e-3]
    past = next(run for run in found if run.steps == 25_000 and run.name == "linear 10 % to 0 %")
    done = trial([past], found)
    assert done is not None
    assert len(done.said) == 33
    assert np.mean([abs(each.error) for each in done.said]) < 0.013
    assert np.mean([each.held for each in done.said]) > 0.8
    assert max(done.lost()) < 0.006


def test_a_run_that_was_stopped_is_as_long_as_its_losses() -> None:
    losses, plan = PAST
    cut = ks.Losses(losses.positions[:130], losses.values[:130])
    nearly = ks.Losses(losses.positions[:-3], losses.values[:-3])
    found = [ks.predict((each, plan), plan).runs[0].total_steps for each in (cut, nearly, losses)]
    assert found == [5200, 6000, 6000]


def test_numpy_is_enough() -> None:
    code = (
        "import sys; sys.modules['scipy'] = None\n"
        "import kosine as ks\n"
        "plan = ks.wsd(peak=1e-3, warmup=200).plan(total_steps=6000)\n"
        "steps = range(40, 6001, 40)\n"
        "losses = ks.Losses(steps, [3 + 90 / (step + 100) + 60 * plan(step) for step in steps])\n"
        "print(ks.predict((losses, plan), plan).loss)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) == pytest.approx(3 + 90 / 6100, abs=0.01)
