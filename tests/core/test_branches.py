"""Plans made from plans: the past is the parent's bit for bit, and what follows is what the word says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import kosine as ks
from kosine._core.fixing import fixed
from tests.support.strategies import RUN, SMALL_RUN, compositions, schedules, small_schedules

WSD = ks.wsd(peak=1e-3, warmup=100, cooldown="20%").plan(total_steps=10_000)
COSINE = ks.Schedule(ks.linear(500, start=0.0, to=1e-3), ks.cosine(to=1e-4)).plan(total_steps=10_000)

BRANCHES: dict[str, Callable[[ks.Plan, int, int], ks.Plan]] = {
    "until": lambda plan, at, more: plan.until(at),
    "then": lambda plan, at, more: plan.then(ks.linear(more, to=0.0)),
    "cooldown": lambda plan, at, more: plan.cooldown(at=at, over=more),
    "rewarm": lambda plan, at, more: plan.rewarm(
        at=at, warmup=3, peak=2.0, then=ks.cosine(to=0.01), total_steps=at + 3 + more
    ),
    "stretch": lambda plan, at, more: plan.extend(total_steps=_longer(plan, more), at=at, how="stretch"),
    "hold": lambda plan, at, more: plan.extend(total_steps=_longer(plan, more), at=at, how="hold"),
    "meet": lambda plan, at, more: plan.extend(total_steps=_longer(plan, more), at=at, how="meet", over=2),
}


def _longer(plan: ks.Plan, more: int) -> int:
    return (plan.total_steps or 0) + more


def ulps(rate: float, other: float) -> float:
    return float(abs(rate - other) / np.spacing(max(abs(rate), abs(other), 1e-300)))


def check_branch(plan: ks.Plan, at: int, how: str, more: int) -> bool:
    """Whether the plan has this branch; if it has, all that a branch promises is checked."""
    try:
        branch = BRANCHES[how](plan, at, more)
    except (ks.PlanError, ks.ScheduleError):
        return False
    before = np.arange(at if how != "then" else plan.total_steps or 0)
    assert np.array_equal(plan(before), branch(before)), (plan, at, how, branch)
    if how in ("stretch", "hold", "cooldown"):
        assert ulps(branch(at), plan(at)) <= 1, (plan, at, how, branch)
    if how in ("stretch", "hold"):
        assert branch.total_steps == _longer(plan, more)
    assert ks.loads(ks.dumps(branch)) == branch
    assert ks.parse(repr(branch.schedule)) == branch.schedule
    return True


@pytest.mark.parametrize("examples", [60, pytest.param(1500, marks=pytest.mark.slow)])
@pytest.mark.parametrize("how", BRANCHES)
def test_random_plans_have_branches_with_their_past(how: str, examples: int) -> None:
    made = 0

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(small_schedules() | compositions(), st.integers(1, 60), st.integers(1, 50))
    def check(schedule: ks.Schedule, at: int, more: int) -> None:
        nonlocal made
        try:
            plan = schedule.plan(**SMALL_RUN)
        except ks.PlanError:
            return
        made += check_branch(plan, at, how, more)

    check()
    assert made > examples / 20


SHORT = ks.linear(1, start=1.0, to=0.5)


@pytest.mark.parametrize(
    ("phase", "at", "more"),
    [
        (ks.exponential(6, start=0.551072054425711, factor=0.9, timescale="7/2st"), 5, 1),
        (ks.exponential("0.5ep", start=0.875, to=0.080078125, base=4.0), 2, 1),
        (ks.cosine("0.5ep", start=0.4572747662607462, to=0.06090399839959369, power=2.0), 1, 49),
    ],
)
def test_a_stretched_curve_of_thirds_of_a_step_goes_on_at_its_rate(phase: ks.Phase, at: int, more: int) -> None:
    assert check_branch(ks.Schedule(phase, SHORT).plan(**SMALL_RUN), at, "stretch", more)


def test_a_stretch_from_where_a_curve_is_done() -> None:
    parts = (ks.linear(9, start=1.0, to=0.5), ks.polynomial(11, start=1.0, to=0.5, power=2.0, endpoint=True))
    plan = ks.Schedule(ks.linear(14, start=1.0, to=0.5), ks.section(*parts, skip=3)).plan(**SMALL_RUN)
    assert all(check_branch(plan, at, "stretch", 1) for at in range(14, 40))


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(small_schedules())
def test_a_fixed_schedule_has_the_same_rates_in_a_longer_run(schedule: ks.Schedule) -> None:
    try:
        plan = schedule.plan(**SMALL_RUN)
    except ks.PlanError:
        return
    same = ks.Schedule(*fixed(schedule.parts, plan.run))
    longer = same.plan(**{**SMALL_RUN, "total_steps": 97})
    steps = np.arange(SMALL_RUN["total_steps"])
    assert np.array_equal(plan(steps), longer(steps))


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(schedules)
def test_a_fixed_schedule_of_a_million_steps(schedule: ks.Schedule) -> None:
    try:
        plan = schedule.plan(**RUN)
    except ks.PlanError:
        return
    longer = ks.Schedule(*fixed(schedule.parts, plan.run)).plan(**{**RUN, "total_steps": 2 * 10**6})
    steps = np.unique(np.linspace(0, 10**6 - 1, 3000).astype(int))
    assert np.array_equal(plan(steps), longer(steps))


# --- what each word says, in figures ---


def test_a_cooldown_starts_at_the_rate_of_the_parent_and_ends_where_it_is_asked_to() -> None:
    branch = WSD.cooldown(at=6000, over=1000, to=1e-5, shape="linear")
    assert branch.total_steps == 7000
    assert (branch(5999), branch(6000), branch(7000)) == (1e-3, 1e-3, 1e-5)
    assert branch(6500) == pytest.approx(5.05e-4, rel=1e-14)
    assert WSD.cooldown(at=6000, over="20%").total_steps == 7500
    assert WSD.cooldown(at="60%", over="1500st") == WSD.cooldown(at=6000, over="20%")


@pytest.mark.parametrize(("shape", "half"), [("one_minus_sqrt", 1 - 0.5**0.5), ("linear", 0.5), ("cosine", 0.5)])
def test_the_shapes_of_a_cooldown(shape: Any, half: float) -> None:
    assert WSD.cooldown(at=6000, over=1000, shape=shape)(6500) == pytest.approx(1e-3 * half, rel=1e-14)


def test_a_stretch_is_the_rest_of_the_curve_in_slow_motion() -> None:
    longer = COSINE.extend(total_steps=20_000, at=6000, how="stretch")  # 4,000 steps are left, and 14,000 are wanted
    for done in range(0, 4001, 2):
        assert longer(6000 + 7 * done // 2) == pytest.approx(COSINE(6000 + done), rel=1e-13)
    assert longer(20_000) == 1e-4


def test_a_hold_puts_a_constant_in_between() -> None:
    longer = COSINE.extend(total_steps=12_000, at=6000, how="hold")
    assert set(longer(np.arange(6000, 8001)).tolist()) == {COSINE(6000)}
    steps = np.arange(6000, 10_000)
    assert np.array_equal(longer(steps + 2000), COSINE(steps))


def test_to_meet_is_to_come_to_the_plan_of_the_long_run() -> None:
    longer = COSINE.extend(total_steps=20_000, at=6000, how="meet", over=200)
    whole = COSINE.schedule.plan(total_steps=20_000)
    assert longer(6000) == COSINE(6000)
    assert longer(6100) == pytest.approx((COSINE(6000) + whole(6200)) / 2, rel=1e-14)
    steps = np.arange(6200, 20_001)
    assert longer(steps) == pytest.approx(whole(steps), rel=1e-14)


def test_a_rewarm_rises_to_the_new_peak_and_follows_the_new_phases() -> None:
    branch = COSINE.rewarm(at=10_000, warmup=300, peak=8e-4, then=[ks.hold(700), ks.cosine(to=0.0)], total_steps=20_000)
    assert branch(10_000) == 1e-4
    assert branch(10_150) == pytest.approx(4.5e-4, rel=1e-14)
    assert (branch(10_300), branch(11_000), branch(20_000)) == (8e-4, 8e-4, 0.0)


def test_what_comes_then() -> None:
    assert WSD.until(600).then(ks.linear("25%", to=0.0), total_steps=800).total_steps == 800
    whole = WSD.then(ks.cycles(ks.cosine(100, start=1e-3, to=0.0), count=2))
    assert (whole.total_steps, whole(10_000), whole(10_100), whole(10_200)) == (10_200, 1e-3, 1e-3, 0.0)
    assert WSD.until(600).then(ks.constant(1e-5).plan(total_steps=50).schedule, total_steps=650)(640) == 1e-5


def test_the_units_of_a_branch() -> None:
    plan = ks.warmup_cosine(peak=1.0, warmup="1ep").plan(epochs=10, steps_per_epoch=100, tokens_per_step=1000)
    assert plan.until("3ep") == plan.until(300) == plan.until("300ktok") == plan.until("30%")
    assert plan.until("3ep").run.steps_per_epoch == 100


def test_branches_of_branches() -> None:
    stable = ks.wsd(peak=1e-3, warmup=100, cooldown="20%").plan(total_steps=10**6)
    twice = stable.cooldown(at=6000, over=500).rewarm(
        at=6500, warmup=100, peak=1e-3, then=ks.hold(), total_steps=12_000
    )
    last = twice.cooldown(at=12_000 - 500, over=500)
    steps = np.arange(6000)
    assert np.array_equal(last(steps), stable(steps))
    assert last(12_000) == 0.0
    assert "section" not in repr(last)


def test_a_million_cycles_have_a_branch() -> None:
    plan = ks.sgdr(peak=0.1, period=10).plan(total_steps=10**9)
    branch = plan.cooldown(at=10**8 + 3, over=100)
    steps = np.array([0, 9, 10, 10**8, 10**8 + 2])
    assert np.array_equal(plan(steps), branch(steps))
    assert branch(10**8 + 3) == plan(10**8 + 3)


UNTYPED: Any = WSD
UNTYPED_LONG: Any = COSINE


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (lambda: UNTYPED.until(0), ks.PlanError, ("at", "from 1 to 10,000")),
        (lambda: UNTYPED.until(10_001), ks.PlanError, ("at", "10,000")),
        (lambda: UNTYPED.until("rest"), ks.PlanError, ("at",)),
        (lambda: UNTYPED.until(2.5), ks.ArgumentTypeError, ("at",)),
        (lambda: UNTYPED.cooldown(at=9500, over=1000), ks.PlanError, ("500 steps after step 9,500", "extend")),
        (lambda: UNTYPED.cooldown(at=50, over=1000), ks.PlanError, ("warm-up", "at=100")),
        (lambda: UNTYPED.cooldown(at=600, over=0), ks.PlanError, ("over",)),
        (lambda: UNTYPED.cooldown(at=600, over="100%"), ks.PlanError, ("over",)),
        (lambda: UNTYPED.cooldown(at=600, over=100, to=1.0), ks.ScheduleError, ("to", "0.001")),
        (lambda: UNTYPED.cooldown(at=600, over=100, shape="sqrt"), ks.ArgumentError, ("shape", "one_minus_sqrt")),
        (lambda: UNTYPED.rewarm(at=50, warmup=9, peak=1.0, then=ks.hold(), total_steps=99), ks.PlanError, ("warm-up",)),
        (
            lambda: UNTYPED.rewarm(at=600, warmup=9, peak=0.0, then=ks.hold(), total_steps=999),
            ks.ScheduleError,
            ("peak",),
        ),
        (
            lambda: UNTYPED.rewarm(at=600, warmup=9, peak=1.0, then=0.1, total_steps=999),
            ks.ArgumentTypeError,
            ("then",),
        ),
        (lambda: UNTYPED_LONG.extend(total_steps=9000, at=6000, how="hold"), ks.PlanError, ("10,000 steps", "until")),
        (lambda: UNTYPED_LONG.extend(total_steps=20_000, at=10_000, how="hold"), ks.PlanError, ("then", "rewarm")),
        (lambda: UNTYPED_LONG.extend(total_steps=20_000, at=100, how="stretch"), ks.PlanError, ("warm-up", "at=500")),
        (
            lambda: UNTYPED_LONG.extend(total_steps=20_000, at=600, how="longer"),
            ks.ArgumentError,
            ("stretch", "meet"),
        ),
        (
            lambda: UNTYPED_LONG.extend(total_steps=20_000, at=600, how="meet", over=19_400),
            ks.PlanError,
            ("over", "19,400"),
        ),
        (lambda: ks.sgdr(peak=1.0, period=9).plan().then(ks.hold(5)), ks.PlanError, ("until",)),
        (
            lambda: ks.warmup_cosine(peak=1.0, warmup=100).plan(total_steps=10, clip=True).until(5),
            ks.PlanError,
            ("smoke test",),
        ),
    ],
)
def test_what_has_no_branch_says_why(
    wrong: Callable[[], object], error: type[Exception], words: tuple[str, ...]
) -> None:
    with pytest.raises(error) as raised:
        wrong()
    for word in words:
        assert word in str(raised.value)
