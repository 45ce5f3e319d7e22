"""A schedule that does not fit its run, cut to it by `plan(..., clip=True)`."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import kosine as ks
from tests.support.strategies import compositions, schedules, small_schedules

WARMUP = ks.warmup_cosine(peak=0.1, warmup="5ep")
SHORT = {"epochs": 1, "steps_per_epoch": 32}

sizes = st.fixed_dictionaries(
    {
        "total_steps": st.integers(1, 60),
        "steps_per_epoch": st.integers(1, 8),
        "samples_per_step": st.integers(1, 64),
        "tokens_per_step": st.integers(1, 2000),
        "seconds_per_step": st.sampled_from([0.01, 0.3, 7]),
    }
)


def rates_of(plan: ks.Plan) -> list[float]:
    assert plan.total_steps is not None
    return [plan(step) for step in range(plan.total_steps)]


def test_a_warmup_longer_than_the_run_keeps_its_slope_and_is_cut() -> None:
    plan = WARMUP.plan(**SHORT, clip=True)
    whole = WARMUP.plan(epochs=50, steps_per_epoch=32)
    assert rates_of(plan) == [whole(step) for step in range(32)]
    assert [(row.name, row.first_step, row.steps) for row in plan.phases] == [("linear", 0, 32)]
    assert plan(32) == plan(10**6) == whole(32)
    assert plan.clipped == (
        "The fixed phases take 160 of 32 steps, and cosine(to=0.0) gets 1.",
        "The run ends after 32 of the 160 steps of `linear`.",
        "The run ends before `cosine`.",
    )


def test_a_fraction_that_rounds_to_no_step_lasts_one_and_the_rest_ends_with_the_run() -> None:
    plan = ks.warmup_cosine(peak=0.1, warmup="1%").plan(**SHORT, clip=True)
    assert [(row.name, row.first_step, row.steps) for row in plan.phases] == [("linear", 0, 1), ("cosine", 1, 31)]
    assert (plan(0), plan(1), plan(32)) == (0.0, 0.1, 0.0)
    assert plan.clipped == ('linear("1%", start=0.0, to=0.1) lasts 1 step instead of 0.32.',)


def test_parts_of_less_than_a_step_leave_room_for_what_ends_with_the_run() -> None:
    lr = ks.Schedule(*[ks.linear("1%", start=0.1, to=0.2)] * 4, ks.hold(), ks.linear("12.5%", to=0.0))
    plan = lr.plan(total_steps=32, clip=True)
    assert [row.steps for row in plan.phases] == [1, 1, 1, 1, 24, 4]


@pytest.mark.parametrize("warmup", ["1%", 5, "5ep"])
def test_a_run_of_one_step_trains_at_a_rate_above_0(warmup: Any) -> None:
    plan = ks.warmup_cosine(peak=0.1, warmup=warmup).plan(total_steps=1, steps_per_epoch=8, clip=True)
    steps = {"1%": 1, 5: 5, "5ep": 40}[warmup]
    assert plan(0) == pytest.approx(0.1 / steps, rel=1e-15)
    assert "The run begins at step 1 of the schedule, the first with a rate above 0." in plan.clipped


@pytest.mark.parametrize(
    ("schedule", "size", "steps"),
    [
        (ks.sgdr(0.1, period="1%"), {"total_steps": 3}, [1, 1, 1]),
        (ks.Schedule(ks.cycles(ks.hold("floor 1%", start=0.1), ks.hold("2%"))), {"total_steps": 2}, [0, 1, 0, 1]),
        (ks.Schedule(ks.cycles(ks.hold("floor 1%", start=0.1), ks.hold(0))), {"total_steps": 2}, [1, 0, 1]),
        (ks.Schedule(ks.section(ks.hold(2, start=0.1), tick="1%"), ks.hold()), {"total_steps": 5}, [2, 3]),
        (ks.Schedule(ks.section(ks.hold(2, start=0.1), tick="30%"), ks.hold()), {"total_steps": 11}, [6, 5]),
        (ks.Schedule(ks.section(ks.hold(start=0.1), duration="1%"), ks.hold()), {"total_steps": 5}, [1, 4]),
        (ks.Schedule(ks.inverse_sqrt(start=0.1, timescale="floor 1%")), {"total_steps": 5}, [5]),
    ],
)
def test_what_has_to_last_a_step_lasts_one(schedule: ks.Schedule, size: dict[str, Any], steps: list[int]) -> None:
    with pytest.raises(ks.PlanError, match=r"`plan\(\.\.\., clip=True\)`"):
        schedule.plan(**size)
    plan = schedule.plan(**size, clip=True)
    assert [row.steps for row in plan.phases] == steps
    assert plan.clipped


def test_the_error_names_the_argument() -> None:
    with pytest.raises(ks.PlanError, match=r"by 129 steps\. For a smoke test, .*: `plan\(\.\.\., clip=True\)`\.$"):
        WARMUP.plan(**SHORT)


def test_a_length_that_is_missing_is_still_refused() -> None:
    with pytest.raises(ks.PlanError, match="needs `steps_per_epoch`") as caught:
        WARMUP.plan(total_steps=32, clip=True)
    assert caught.value.missing == "steps_per_epoch"


def test_clip_is_true_or_false() -> None:
    with pytest.raises(ks.ArgumentTypeError, match="`clip` must be True or False"):
        WARMUP.plan(**SHORT, clip=1)


def test_a_clipped_plan_is_a_value() -> None:
    plan = WARMUP.plan(**SHORT, clip=True)
    assert repr(plan).endswith(".plan(total_steps=32, steps_per_epoch=32, clip=True)")
    assert eval(repr(plan), vars(ks)) == plan == WARMUP.plan(total_steps=32, steps_per_epoch=32, clip=True)
    assert plan != WARMUP.plan(epochs=2, steps_per_epoch=32, clip=True)
    assert ks.loads(ks.dumps(plan)) == plan
    assert ks.loads(ks.dumps(plan)).clipped == plan.clipped


@settings(deadline=None, max_examples=60)
@given(schedules | small_schedules(), sizes)
def test_clip_plans_every_schedule_and_equals_the_strict_plan_where_there_is_one(
    schedule: ks.Schedule, size: dict[str, Any]
) -> None:
    plan = schedule.plan(**size, clip=True)
    rates = rates_of(plan)
    assert rates == list(plan(np.arange(size["total_steps"])))
    assert ks.loads(ks.dumps(plan)) == plan
    try:
        strict = schedule.plan(**size)
    except ks.PlanError:
        assert plan.clipped
        assert plan.total_steps == size["total_steps"]
        assert all(row.stop <= size["total_steps"] for row in plan.phases)
        assert any(rates) or not plan(10**6)
    else:
        assert plan == strict
        assert plan.clipped == ()


@settings(deadline=None, max_examples=30)
@given(compositions(any_run=True), st.integers(1, 2000))
def test_a_clipped_run_trains_the_first_steps_of_a_long_one(opening: ks.Schedule, total: int) -> None:
    size: dict[str, Any] = {
        "steps_per_epoch": 97,
        "samples_per_step": 32,
        "tokens_per_step": 1000,
        "seconds_per_step": 0.3,
    }
    parts = ks.section(*opening.parts, duration=2000)
    whole = ks.Schedule(parts).plan(**size)
    clipped = ks.Schedule(parts, ks.cosine(start=1.0, to=0.0)).plan(total_steps=total, **size, clip=True)
    first_rates = [whole(step) for step in range(total)]
    if any(first_rates):
        assert rates_of(clipped) == first_rates
    else:
        assert clipped(0) > 0
