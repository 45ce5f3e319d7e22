"""The numbers of a run, against a sum over every step."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

import kosine as ks
from kosine._analysis.summary import Summary, summarize
from tests.support.strategies import RUN, SMALL_RUN, schedules, small_schedules


def looked_at_every_step(plan: ks.Plan) -> Summary:
    assert plan.total_steps is not None
    rates = plan(np.arange(plan.total_steps))
    area = float(np.sum(rates)) if rates.size > 10**5 else math.fsum(rates.tolist())
    peak = float(rates.max())
    above = int((rates > peak / 2).sum())
    return Summary(plan.total_steps, plan.run.steps_per_epoch, peak, float(rates.min()), area, above)


def assert_right(plan: ks.Plan, area: float = 1e-7, above: float = 0.0) -> None:
    mine, every = summarize(plan), looked_at_every_step(plan)
    assert (mine.total_steps, mine.steps_per_epoch) == (every.total_steps, every.steps_per_epoch)
    assert mine.peak == pytest.approx(every.peak, rel=1e-14)
    assert mine.lowest == pytest.approx(every.lowest, rel=1e-14 if not above else 1e-2, abs=1e-300)
    assert mine.area == pytest.approx(every.area, rel=area, abs=1e-300)
    assert mine.above_half == pytest.approx(every.above_half, rel=above, abs=0)


# --- any schedule -----------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(schedules)
def test_any_schedule(schedule: ks.Schedule) -> None:
    plan = schedule.plan(**RUN)
    assume(len(plan.phases) < 5_000)  # the sum over every step, not ours, takes its time with more
    if len(plan.phases) > 1024:
        assert_right(plan, area=1e-3, above=1e-2)
    else:
        assert_right(plan)


@settings(max_examples=150, deadline=None)
@given(small_schedules(), st.integers(1, 150))
def test_any_section_in_shorter_and_longer_runs(schedule: ks.Schedule, total_steps: int) -> None:
    try:
        plan = schedule.plan(**{**SMALL_RUN, "total_steps": total_steps})
    except ks.PlanError:  # no room for a phase in so short a run
        return
    assert_right(plan, area=1e-13)


# --- long phases ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "curve",
    [
        ks.linear(start=0.0, to=1.0),
        ks.cosine(start=1.0, to=0.0),
        ks.cosine(start=1.0, to=1e-5, endpoint=True),
        ks.cosine(start=1.0, to=0.0, power=1000),
        ks.cosine(start=1.0, to=0.0, warp=1000),
        ks.cosine(start=1.0, to=0.0, warp=0.01),
        ks.one_minus_sqrt(start=1.0, to=0.0),
        ks.one_minus_sqrt(start=0.0, to=1.0),
        ks.polynomial(start=1.0, to=0.0, power=0.1),
        ks.polynomial(start=0.0, to=1.0, power=50),
        ks.exponential(start=1.0, to=1e-29),
        ks.exponential(start=1e-29, to=1.0),
        ks.exponential(start=1.0, factor=0.5, timescale=1000),
        ks.inverse_sqrt(start=1.0, to=1e-9),
        ks.inverse_sqrt(start=1.0, timescale=1),
        ks.inverse_time(start=1.0, timescale=3),
        ks.tanh(start=1.0, to=0.0),
        ks.tanh(start=1.0, to=0.0, lower=-19, upper=20),
    ],
    ids=repr,
)
@pytest.mark.parametrize("total_steps", [4096, 4097, 1_000_003])
def test_long_phases_are_within_a_ten_millionth(curve: ks.Phase, total_steps: int) -> None:
    assert_right(ks.Schedule(curve).plan(total_steps=total_steps), area=1e-13 if total_steps == 4096 else 1e-7)


def test_staircase_sums_its_stairs() -> None:
    stairs = ks.section(ks.one_minus_sqrt(10**5, start=1.0, to=0.0, endpoint=True), tick=17, skip=2)
    assert_right(ks.Schedule(stairs).plan(total_steps=2_000_003), area=1e-9)
    cut = ks.section(ks.section(ks.cosine(10**5, start=1.0, to=0.0), tick=7), skip=3, duration=400_001)
    assert_right(ks.Schedule(cut, ks.linear(to=1.0)).plan(total_steps=500_000), area=1e-9)


def test_run_that_is_shorter_or_longer_than_its_phases() -> None:
    lr = ks.Schedule(ks.linear(1000, start=0.0, to=1.0), ks.cosine(10**6, to=0.25))
    for total_steps in (1, 500, 1000, 1001, 300_000, 10**6 + 1000, 3 * 10**6):
        assert_right(lr.plan(total_steps=total_steps))


def test_longest_run() -> None:
    longest = 2**63 - 1
    summary = summarize(ks.warmup_cosine(peak=0.1, warmup="10%").plan(total_steps=longest))
    assert (summary.total_steps, summary.peak) == (longest, 0.1)
    assert summary.mean_over_peak == pytest.approx(0.5, rel=1e-9)
    assert summary.above_half == pytest.approx(longest // 2, rel=1e-12)
    assert summarize(ks.constant(0.3).plan(total_steps=longest)) == Summary(
        longest, None, 0.3, 0.3, 0.3 * longest, longest
    )


# --- groups -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "schedule",
    [
        ks.sgdr(peak=0.05, period=100),
        ks.sgdr(peak=0.05, period="31/3st"),
        ks.sgdr(peak=0.05, period="12.34ep", warmup=777),
        ks.Schedule(
            ks.cycles(ks.linear(3, start=0.1, to=1.0), ks.cosine("7/2st", to=0.1), count=1000), ks.linear(to=1.0)
        ),
        ks.Schedule(ks.section(ks.cycles(ks.cosine(10, start=1.0, to=0.0)), tick=7, skip=23)),
        ks.Schedule(ks.section(ks.cycles(ks.cosine("10/3st", start=1.0, to=0.0)), skip="5/2st", continuous=True)),
    ],
    ids=repr,
)
def test_equal_cycles_are_exact_however_many(schedule: ks.Schedule) -> None:
    assert_right(schedule.plan(total_steps=500_003, steps_per_epoch=97), area=1e-12)


def test_equal_cycles_cost_no_more_than_one() -> None:
    one = ks.sgdr(peak=0.05, period=100).plan(total_steps=100)
    many = ks.sgdr(peak=0.05, period=100).plan(total_steps=10**13)
    summary = summarize(many)
    assert summary.above_half == 10**11 * summarize(one).above_half
    assert summary.area == pytest.approx(10**11 * summarize(one).area, rel=1e-14)


GROUPS: list[dict[str, Any]] = [
    {"shrink": 0.9999},
    {"shrink": 0.99999},
    {"shrink": 0.999},
    {"shrink_power": 0.5},
    {"shrink_power": 0.5, "shrink_to": 0.045},
    {"stretch": 1.0001},
    {"stretch": 1.0001, "shrink": 0.999},
]


@pytest.mark.parametrize("arguments", GROUPS, ids=repr)
def test_cycles_that_all_differ(arguments: dict[str, Any]) -> None:
    group = ks.cycles(ks.hold(10, start=0.04), ks.cosine(90, start=0.05, to=0.0), **arguments)
    plan = ks.Schedule(ks.linear(5, start=0.0, to=0.01), group).plan(total_steps=250_000)
    assert len(plan.phases) > 1024
    assert_right(plan, area=1e-3, above=1e-2)


def test_up_to_a_thousand_cycles_that_differ_are_exact() -> None:
    plan = ks.sgdr(peak=0.05, period=10, stretch=1.001, shrink=0.999).plan(total_steps=17_000)
    assert 900 < len(plan.phases) < 1024
    assert_right(plan, area=1e-12)


def test_cycles_whose_rounding_never_repeats() -> None:
    plan = ks.sgdr(peak=0.05, period="431000/4093st").plan(total_steps=500_003)
    assert_right(plan, area=1e-3, above=1e-2)


def test_a_long_run_takes_no_longer() -> None:
    for schedule in (
        ks.sgdr(peak=0.05, period=10_000),
        ks.sgdr(peak=0.05, period=10_000, shrink=0.9999),
        ks.sgdr(peak=0.05, period=100, stretch=1.00003),
    ):
        plan = schedule.plan(total_steps=10**9)
        started = time.process_time()
        summarize(plan)
        assert time.process_time() - started < 2, schedule


# --- what follows from them -------------------------------------------------------------------------------------


def test_ratios() -> None:
    summary = summarize(
        ks.Schedule(ks.hold(30, start=0.4), ks.hold(10, start=0.2)).plan(total_steps=40, steps_per_epoch=16)
    )
    assert summary == Summary(40, 16, 0.4, 0.2, summary.area, 30)
    assert summary.area == pytest.approx(14.0)
    assert (summary.epochs, summary.mean, summary.mean_over_peak, summary.share_above_half) == pytest.approx(
        (2.5, 0.35, 0.875, 0.75)
    )
    assert summarize(ks.constant(0.1).plan(total_steps=3)).mean == 0.1
    assert summarize(ks.constant(0.1).plan(total_steps=3)).epochs is None


def test_all_zero_has_no_ratio_that_is_not_a_number() -> None:
    summary = summarize(ks.constant(0.0).plan(total_steps=3))
    assert (summary.peak, summary.area, summary.mean_over_peak, summary.share_above_half) == (0, 0, 0, 0)


def test_plan_without_a_length_says_so() -> None:
    with pytest.raises(ks.PlanError, match="total_steps"):
        summarize(ks.constant(0.1).plan())
