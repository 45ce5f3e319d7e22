"""The same plan over a shorter run: its phases begin where theirs do, scaled, and its rates are theirs."""

from fractions import Fraction

import numpy as np
import pytest

import kosine as ks

FIFTH = Fraction(1, 5)
RUN = {"epochs": 50, "steps_per_epoch": 100}


@pytest.mark.parametrize(
    ("plan", "short"),
    [
        (
            ks.warmup_cosine(peak=0.1, warmup="10ep", hold=500).plan(**RUN),
            ks.warmup_cosine(peak=0.1, warmup="2ep", hold=100).plan(total_steps=1000, steps_per_epoch=100),
        ),
        (
            ks.wsd(peak=0.1, warmup="2%", cooldown="20%").plan(total_steps=1000),
            ks.wsd(peak=0.1, warmup="2%", cooldown="20%").plan(total_steps=200),
        ),
        (
            ks.sgdr(peak=0.1, period=70, stretch=2, warmup=5, count=3).plan(),
            ks.sgdr(peak=0.1, period=14, stretch=2, warmup=1, count=3).plan(),
        ),
        (
            ks.Schedule(ks.linear("50Mtok", start=0.0, to=0.1), ks.hold("500sp")).plan(
                total_steps=150, tokens_per_step=10**6, samples_per_step=5
            ),
            ks.Schedule(ks.linear("10Mtok", start=0.0, to=0.1), ks.hold("100sp")).plan(
                total_steps=30, tokens_per_step=10**6, samples_per_step=5
            ),
        ),
        (
            ks.inverse_sqrt_decay(peak=0.1, warmup=100).plan(total_steps=1000),
            ks.inverse_sqrt_decay(peak=0.1, warmup=20).plan(total_steps=200),
        ),
        (
            ks.Schedule(ks.section(ks.linear(20, start=0.0, to=0.1), skip=10, duration="5ep")).plan(**RUN),
            ks.Schedule(ks.section(ks.linear(4, start=0.0, to=0.1), skip=2, duration="1ep")).plan(
                total_steps=1000, steps_per_epoch=100
            ),
        ),
    ],
)
def test_the_short_plan_is_the_one_that_is_written_for_the_short_run(plan: ks.Plan, short: ks.Plan) -> None:
    assert plan.scaled_in_time(FIFTH) == short
    assert plan.scaled_in_time(Fraction(1)) == plan


@pytest.mark.parametrize(
    "plan",
    [
        ks.Schedule(ks.exponential(start=0.1, factor=0.99)).plan(total_steps=1000),
        ks.Schedule(ks.exponential(start=0.1, factor=0.5, timescale=100)).plan(total_steps=1000),
        ks.warmup_cosine(peak=0.1, warmup=100).plan(total_steps=1000),
        ks.sgdr(peak=0.1, period=50, stretch=2).plan(total_steps=350),
    ],
)
def test_each_step_has_the_rate_of_the_fifth_step_of_the_long_plan(plan: ks.Plan) -> None:
    short = plan.scaled_in_time(FIFTH)
    assert short.total_steps is not None
    steps = np.arange(short.total_steps)
    assert short(steps) == pytest.approx(plan(5 * steps), rel=1e-12)


def test_a_staircase_keeps_its_stairs() -> None:
    stairs = ks.Schedule(ks.section(ks.hold(2, start=0.1), ks.exponential(factor=0.5), tick="1ep"))
    plan = stairs.plan(epochs=5, steps_per_epoch=101)
    short = plan.scaled_in_time(FIFTH)  # 20.2 steps a tick
    middles = [20 * tick + 10 for tick in range(5)]
    assert [short(step) for step in middles] == [plan(101 * tick + 50) for tick in range(5)]
    assert short.total_steps == 101


def test_a_phase_of_less_than_a_step_is_refused() -> None:
    with pytest.raises(ks.PlanError, match=r"this phase is 0\.4 steps"):
        ks.warmup_cosine(peak=0.1, warmup=2).plan(total_steps=1000).scaled_in_time(FIFTH)
