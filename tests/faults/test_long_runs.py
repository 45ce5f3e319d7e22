"""Runs at the limits of 32-bit integers, of floats and of 64-bit integers: exact rates and exact boundaries."""

from __future__ import annotations

import numpy as np
import pytest

import kosine as ks
from tests.support.exact import CASES, MP, Case, ulps

LENGTHS = (2**31 - 1, 2**31, 2**31 + 1, 2**53 - 1, 2**53, 2**53 + 1, 2**62, 2**63 - 1)


def most_ulps(steps: int) -> float:
    """What the accuracy tests allow up to 10**12 steps; beyond 2**53 their distances have more digits than a float."""
    return 4 if steps <= 2**53 + 1 else 6


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("steps", LENGTHS)
def test_first_middle_and_last_rates_are_exact(case: Case, steps: int) -> None:
    plan = case.schedule(steps).plan()
    assert plan.total_steps == steps
    some = [0, 1, 2, steps // 3, steps // 2 - 1, steps // 2, steps // 2 + 1, steps - 3, steps - 2, steps - 1]
    rates = [plan(step) for step in some]
    for step, rate in zip(some, rates, strict=True):
        with MP.workdps(120):  # the formula of the cosine loses 38 digits at the first of 2**63 steps
            assert ulps(rate, case.value(step, steps)) <= most_ulps(steps), step
    assert plan(np.array(some)).tolist() == pytest.approx(rates, rel=1e-15, abs=0)
    assert plan(steps) == case.to


@pytest.mark.parametrize("steps", LENGTHS)
def test_boundaries_are_exact(steps: int) -> None:
    plan = ks.warmup_cosine(1.0, warmup=steps // 3, hold=1).plan(total_steps=steps)
    assert [row.first_step for row in plan.phases] == [0, steps // 3, steps // 3 + 1]
    assert sum(row.steps or 0 for row in plan.phases) == steps
    at = steps // 3
    assert plan(at) == 1.0
    assert plan.phase_at(at - 1).name == "linear"
    assert plan.phase_at(at).name == "hold"


@pytest.mark.parametrize("steps", LENGTHS)
@pytest.mark.parametrize("period", [1, 7, 2**20 + 1])
def test_restarts_are_exact(period: int, steps: int) -> None:
    plan = ks.sgdr(1.0, period=period, floor=0.5).plan(total_steps=steps)
    last = (steps - 1) // period * period
    assert plan.phases[-1].first_step == last
    assert len(plan.phases) == (steps - 1) // period + 1
    assert plan(last) == 1.0
    assert plan(last - 1) == plan(period - 1)
    assert plan(np.array([last - 1, last])).tolist() == [plan(period - 1), 1.0]


@pytest.mark.parametrize("steps", LENGTHS)
def test_restarts_of_growing_cycles_are_exact(steps: int) -> None:
    plan = ks.sgdr(1.0, period=10, stretch=2, floor=0.5).plan(total_steps=steps)
    cycle = (steps // 10).bit_length() - 1  # cycle i begins at 10 * (2**i - 1)
    first = 10 * (2**cycle - 1)
    assert plan.phase_at(first).cycle == cycle
    assert plan(first) == 1.0
    assert plan.phase_at(first - 1).cycle == cycle - 1
    assert plan(first - 1) < 0.51


@pytest.mark.parametrize("steps", [2**63, 2**64, 10**30])
def test_what_is_longer_than_64_bits_is_refused(steps: int) -> None:
    with pytest.raises(ks.PlanError, match=r"at most 2\*\*63 - 1"):
        ks.constant(0.1).plan(total_steps=steps)
    with pytest.raises(ks.ScheduleError, match=r"at most 2\*\*63 - 1"):
        ks.hold(steps, start=0.1)
    with pytest.raises(ks.PlanError, match=r"at most 2\*\*63 - 1"):
        ks.Schedule(ks.hold(2**62, start=0.1), ks.hold(2**62)).plan()
    plan = ks.constant(0.1).plan(total_steps=2**63 - 1)
    for step in (steps, [steps], [0, steps]):
        with pytest.raises((ks.StepError, ks.ArgumentTypeError)):
            plan(step)
