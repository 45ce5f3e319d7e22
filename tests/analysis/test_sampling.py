"""What is looked at of a plan: few steps, among them every restart and every extreme that a picture can show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

import kosine as ks
from kosine._analysis.sampling import length, restarts, thin, trace
from kosine._analysis.summary import summarize
from kosine._core.planned_cycles import PlannedCycles
from tests.support.strategies import RUN, SMALL_RUN, schedules, small_schedules


def every_rate(plan: ks.Plan) -> NDArray[np.float64]:
    return np.asarray(plan(np.arange(length(plan))), np.float64)


def jumps(plan: ks.Plan) -> list[int]:
    """The first steps of all cycles but the first of each group, as far as they are in the run."""
    groups = (part for part in plan.parts if isinstance(part, PlannedCycles))
    return [
        step for group in groups for cycle in group.cycles_in_run[1:] if (step := group.boundary(cycle)) < length(plan)
    ]


def cosine(steps: int | str = 10, **arguments: Any) -> ks.Phase:
    return ks.cosine(steps, start=1.0, to=0.0, **arguments)


many_phases = [
    phase
    for i in range(300)
    for phase in (ks.linear(5 + i % 7, start=0.0, to=0.5 + i / 1000), ks.cosine(15 - i % 4, to=0.0))
]
RESTARTS = {
    "doubling from period 1": ks.sgdr(peak=0.05, period=1, stretch=2).plan(total_steps=2**40),
    "doubling, shrinking": ks.sgdr(peak=0.05, period=1, stretch=2, shrink=0.9, floor=1e-4).plan(total_steps=10**9),
    "growing slowly": ks.sgdr(peak=0.05, period=1, stretch=1.1).plan(total_steps=10**9),
    "equal": ks.sgdr(peak=0.05, period=10**6, warmup=12_345).plan(total_steps=10**9 - 77),
    "equal, of four phases": ks.Schedule(
        ks.cycles(ks.linear(3, start=0.1, to=0.9), ks.hold(2), cosine(7), ks.linear(1, start=0.3, to=0.2))
    ).plan(total_steps=13 * 990),
    "equal, of 50 phases": ks.Schedule(
        ks.cycles(*(ks.linear(7, start=0.2, to=0.9 if i == 29 else 0.1) for i in range(50)))
    ).plan(total_steps=350 * 800),
    "equal, not whole": ks.Schedule(ks.cycles(cosine("100/3st"))).plan(total_steps=30_000),
    "in continuous time": ks.Schedule(ks.section(ks.cycles(cosine("100/3st")), continuous=True)).plan(
        total_steps=30_000
    ),
    "in a section that is skipped into and cut": ks.Schedule(
        ks.linear(1000, start=0.0, to=0.5),
        ks.section(ks.cycles(cosine(), stretch=1.5), skip=25, duration=10**7),
        ks.linear(1000, start=0.1, to=0.0),
    ).plan(),
    "ticking once an epoch": ks.Schedule(ks.section(ks.cycles(cosine(), stretch=2), tick="1ep")).plan(
        epochs=5200, steps_per_epoch=1000
    ),
    "of a group that the run ends in": ks.Schedule(ks.cycles(cosine(10), count=10**6)).plan(total_steps=5003),
    "of many groups": ks.Schedule(*(ks.cycles(cosine(i + 1), count=4) for i in range(200))).plan(),
}


@pytest.mark.parametrize("name", RESTARTS)
def test_each_restart_is_there_with_the_step_before(name: str) -> None:
    plan = RESTARTS[name]
    steps, rates = trace(plan)
    expected = jumps(plan)
    assert 8 <= len(expected) < 1000
    assert {*expected, *(step - 1 for step in expected)} <= set(steps.tolist())
    assert rates.tolist() == [plan(step) for step in steps.tolist()]


@pytest.mark.parametrize("name", [name for name, plan in RESTARTS.items() if length(plan) <= 10**6])
@pytest.mark.parametrize("columns", [10, 1000])
def test_extremes_are_those_of_every_step(name: str, columns: int) -> None:
    every = every_rate(RESTARTS[name])
    rates = trace(RESTARTS[name], columns)[1]
    assert (rates.max(), rates.min()) == (every.max(), every.min())


LONG = {
    **RESTARTS,
    "10^6 equal cycles": ks.sgdr(peak=0.05, period=1000, warmup=500).plan(total_steps=10**9),
    "10^6 cycles of 60 phases": ks.Schedule(ks.cycles(*many_phases[:60])).plan(total_steps=10**9),
    "50 cycles of 600 phases": ks.Schedule(ks.cycles(*many_phases, stretch=1.1)).plan(total_steps=10**9),
    "10^5 shrinking cycles": ks.sgdr(peak=0.05, period=10_000, shrink=0.99999, floor=1e-6).plan(total_steps=10**9),
    "10^5 growing cycles": ks.sgdr(peak=0.05, period=1000, stretch=1.0001).plan(total_steps=10**9),
    "10^9 cycles that are not whole": ks.Schedule(ks.cycles(cosine("5/2st"), cosine("7/3st"))).plan(total_steps=10**10),
    "as many cycles as there can be": ks.sgdr(peak=0.05, period=2).plan(total_steps=2**63 - 1),
    "a line": ks.Schedule(ks.linear(start=0.0, to=1.0)).plan(total_steps=2**63 - 1),
    "10^6 epochs": ks.Schedule(ks.section(cosine(10**6), tick="1ep")).plan(epochs=10**6, steps_per_epoch=1000),
    "600 phases": ks.Schedule(*many_phases).plan(),
}


@pytest.mark.parametrize("name", LONG)
def test_few_steps_are_looked_at(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = {"rows": 0, "steps": 0}

    def counted(owner: type, method: str, what: str) -> None:
        original = getattr(owner, method)

        def counting(self: Any, *arguments: Any) -> Any:
            looked_at[what] += 1
            return original(self, *arguments)

        monkeypatch.setattr(owner, method, counting)

    plan = LONG[name]
    counted(PlannedCycles, "row", "rows")
    counted(ks.Plan, "__call__", "steps")
    steps, rates = trace(plan)
    monkeypatch.undo()
    assert steps.size + looked_at["steps"] <= 20_000
    assert looked_at["rows"] <= 20_000
    assert (steps[0], steps[-1]) == (0, length(plan) - 1)
    assert (np.diff(steps) > 0).all()
    assert rates.tolist() == plan(steps).tolist()


CROWDED = {
    "equal": ks.sgdr(peak=0.05, period=20, warmup=500).plan(total_steps=200_000),
    "shrinking": ks.sgdr(peak=0.05, period=20, shrink=0.9995, floor=1e-5).plan(total_steps=200_000),
    "growing": ks.sgdr(peak=0.05, period=20, stretch=1.0005).plan(total_steps=200_000),
    "up and down": ks.Schedule(ks.cycles(ks.linear(7, start=0.1, to=0.9), cosine(9))).plan(total_steps=200_000),
    "of 2.5 steps": ks.Schedule(ks.cycles(cosine("5/2st"))).plan(total_steps=200_000),
    "of 10/3 and 5/2 steps": ks.Schedule(ks.cycles(cosine("10/3st"), ks.linear("5/2st", to=0.7))).plan(
        total_steps=200_000
    ),
    "of 10/3 steps in continuous time": ks.Schedule(ks.section(ks.cycles(cosine("10/3st")), continuous=True)).plan(
        total_steps=200_000
    ),
    "of 12 phases": ks.Schedule(ks.cycles(*many_phases[:12])).plan(total_steps=200_000),
    "phases": ks.Schedule(*(phase for _ in range(10) for phase in many_phases)).plan(),
}


@pytest.mark.parametrize("name", CROWDED)
def test_each_column_shows_its_highest_and_its_lowest(name: str) -> None:
    plan = CROWDED[name]
    total, every = length(plan), every_rate(plan)
    steps, rates = trace(plan)
    assert steps.size <= 20_000
    for edges in np.array_split(np.arange(total + 1), 250):
        low, high = int(edges[0]), int(edges[-1])
        if high < total // 100 or high == low:  # the first cycles of a warm-up stand alone
            continue
        drawn = rates[(steps >= low) & (steps < high)]
        assert drawn.max() == pytest.approx(every[low:high].max(), rel=0.02)
        assert drawn.min() == pytest.approx(every[low:high].min(), rel=0.02, abs=2e-3 * every.max())
    assert (rates.max(), rates.min()) == pytest.approx((every.max(), every.min()), rel=1e-12)


@given(small_schedules(), st.integers(1, 30))
def test_extremes_of_short_runs_are_never_lost(schedule: ks.Schedule, columns: int) -> None:
    try:
        plan = schedule.plan(**SMALL_RUN)
    except ks.PlanError:
        return
    steps, rates = trace(plan, columns)
    every = every_rate(plan)
    assert rates.tolist() == every[steps].tolist()
    if len(jumps(plan)) + 4 <= columns:
        assert {*jumps(plan), *(step - 1 for step in jumps(plan))} <= set(steps.tolist())
    assert (rates.max(), rates.min()) == pytest.approx((every.max(), every.min()), rel=1e-12)


@settings(max_examples=20)
@given(schedules)
def test_extremes_of_long_runs_are_never_lost(schedule: ks.Schedule) -> None:
    plan = schedule.plan(**RUN)
    steps, rates = trace(plan)
    every = every_rate(plan)
    assert rates.tolist() == every[steps].tolist()
    assert (rates.max(), rates.min()) == pytest.approx((every.max(), every.min()), rel=1e-12)
    if len(jumps(plan)) < 500:
        assert {*jumps(plan), *(step - 1 for step in jumps(plan))} <= set(steps.tolist())


def test_stairs_have_both_sides() -> None:
    plan = ks.Schedule(ks.section(cosine(90), tick="1ep", skip="1/2ep")).plan(epochs=89, steps_per_epoch=1000)
    steps = set(trace(plan)[0].tolist())
    edges = np.flatnonzero(np.diff(every_rate(plan))) + 1
    assert edges.size == 89
    assert {*edges.tolist(), *(edges - 1).tolist()} <= steps


def test_restarts_count_the_cycles_of_the_run_only() -> None:
    plan = ks.Schedule(ks.cycles(cosine(10), count=10**6)).plan(total_steps=35)
    assert restarts(plan) == [10, 20, 30]


def test_thinning_keeps_the_ends_and_the_order() -> None:
    x = np.arange(100_000)
    keep = thin(x, np.sin(x / 10), 100)
    assert keep.size <= 400
    assert (np.diff(keep) > 0).all()
    assert (keep[0], keep[-1]) == (0, 99_999)


@pytest.mark.parametrize(
    ("schedule", "total"),
    [
        (
            ks.Schedule(
                ks.cycles(ks.linear(2, start=0.0, to=0.1), stretch=2, shrink=0.9, count=8),
                ks.cycles(ks.cosine(50, start=0.002, to=0.001)),
            ),
            10**6,
        ),
        (ks.Schedule(ks.cycles(ks.linear(1, start=0.0, to=1.0), stretch=1.001, shrink=0.5**0.001)), 10**5),
        (ks.Schedule(ks.cycles(ks.linear(3, start=0.0, to=0.05), stretch=1.001, shrink=0.999)), 10**6),
        (ks.Schedule(ks.cycles(ks.linear(2, start=0.0, to=1.0), stretch=1.001, shrink=0.9997)), 10**5),
        (ks.Schedule(ks.cycles(ks.linear("10.0003st", start=0.0, to=1.0))), 2 * 10**5),
    ],
    ids=["few cycles beside many", "1 step and more", "3 steps and more", "2 steps and more", "rounding that drifts"],
)
def test_warm_ups_of_sinking_and_growing_cycles_keep_their_highest_step(schedule: ks.Schedule, total: int) -> None:
    plan = schedule.plan(total_steps=total)
    highest = plan(np.arange(total)).max()
    assert trace(plan)[1].max() == highest
    assert summarize(plan).peak == highest


def test_cycles_of_two_holds_jump_back() -> None:
    two = ks.Schedule(ks.cycles(ks.hold(10, start=1.0), ks.hold(10, start=0.1))).plan(total_steps=60)
    assert restarts(two) == [20, 40]
    assert restarts(ks.step_decay(peak=1.0, every=10).plan(total_steps=60)) == []
