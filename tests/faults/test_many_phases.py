"""Schedules of very many phases: what is large but valid is built, planned, written and read again."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import kosine as ks

BYTES_A_PHASE = 2000
"""The bound for a schedule, its plan, its text or document, and the schedule read from it, all at once."""


def many(phases: int) -> ks.Schedule:
    rates = (0.25 + number % 7 * 1e-3 for number in range(phases))
    return ks.Schedule(*(ks.linear(5, start=0.5, to=rate) for rate in rates))


def check_all(phases: int) -> None:
    lr = many(phases)
    plan = lr.plan()
    assert plan.total_steps == 5 * phases
    assert len(plan.phases) == phases
    assert plan(5 * phases - 5) == 0.5
    steps = np.array([0, 5 * (phases // 2), 5 * phases])
    assert plan(steps).tolist() == [0.5, 0.5, plan.phases[-1].end_lr]
    assert ks.parse(repr(lr)) == lr
    assert ks.loads(ks.dumps(lr)) == lr


def test_phases_take_a_bounded_number_of_bytes_each() -> None:
    tracemalloc.start()
    try:
        check_all(5000)
        assert tracemalloc.get_traced_memory()[1] < 5000 * BYTES_A_PHASE
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_a_million_phases() -> None:
    check_all(10**6)
