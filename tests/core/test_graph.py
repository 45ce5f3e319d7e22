"""What a traced graph computes in float32, by NumPy in the place of a device, against the plan."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

import kosine as ks
from kosine._core.traced import PhaseTable, tabulate
from tests.support.float32 import assert_follows
from tests.support.strategies import bent_schedules

_OPERATIONS = SimpleNamespace(
    cast=lambda values, dtype: np.asarray(values).astype(dtype),
    take=lambda values, index, axis: np.take(values, index, axis=axis, mode="clip"),
    unstack=lambda values, number, axis: [values[..., place] for place in range(number)],
    searchsorted=lambda boundaries, steps, side: np.searchsorted(boundaries, steps, side=side),
    **{
        name: getattr(np, name)
        for name in (
            *("bitwise_and", "exp", "expand_dims", "expm1", "log", "log1p", "maximum", "minimum", "power"),
            *("reshape", "sin", "sqrt", "sum", "where"),
        )
    },
)


def by_formula(plan: ks.Plan, steps: NDArray[np.int64], dtype: str) -> NDArray[np.float32]:
    """The rates worked out as in long runs, however short the run is."""
    table = tabulate(plan, dtype, max_table_steps=-1)
    assert isinstance(table, PhaseTable)
    with np.errstate(all="ignore"):  # of the formulas of other phases at these steps
        rates = np.broadcast_to(table(steps.astype(dtype), _OPERATIONS), steps.shape)
    assert rates.dtype == np.float32
    return rates


def some_steps(plan: ks.Plan) -> NDArray[np.int64]:
    """Around both ends of each of the first phases, near and far, and between them."""
    inside = np.unique(np.append(0, np.geomspace(1, 10**9, 60)).astype(np.int64))
    chosen = [np.zeros(1, np.int64)]
    for row in plan.phases[:30]:
        near = inside[: 20 if row.steps is None else np.searchsorted(inside, row.steps)]
        chosen += [row.first_step + near] if row.steps is None else [row.first_step + near, row.stop - 1 - near]
    return np.unique(np.concatenate(chosen))


EXPONENTS: list[Any] = [
    ks.cosine(start=0.1, to=1e-7, power=2.0),
    ks.cosine(start=0.1, to=1e-7, power=20.0),
    ks.cosine(start=0.1, to=1e-7, power=1000.0),
    ks.cosine(start=0.1, to=1e-7, power=30.0, warp=30.0),
    ks.cosine(start=1e-7, to=0.1, warp=20.0),
    ks.cosine(start=1e-7, to=0.1, power=0.001, warp=1000.0),
    ks.polynomial(start=0.1, to=1e-7, power=50.0, warp=50.0),
    ks.polynomial(start=0.1, to=0.0, power=3.0, warp=20.0),
    ks.polynomial(start=0.1, to=0.0, power=1000.0),
    ks.polynomial(start=0.0, to=0.1, power=0.3, warp=20.0),
]


@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("curve", EXPONENTS, ids=repr)
def test_an_exponent_magnifies_no_rounding(curve: Any, dtype: str) -> None:
    for total in (400_000, 2**31 - 1 if dtype == "int32" else 2**62):
        plan = ks.Schedule(curve).plan(total_steps=total)
        steps = np.unique(np.append(some_steps(plan), np.linspace(0, total - 1, 20_000, dtype=np.int64)))
        assert_follows(by_formula(plan, steps, dtype), plan, steps)


LONG: list[tuple[ks.Schedule, dict[str, int]]] = [
    (
        ks.Schedule(
            ks.cosine(26, start=0.0003, to=0.0, power=2.0, endpoint=True),
            ks.cycles(ks.linear("3%", start=0.0025, to=0.001), stretch=1.01),
        ),
        {"total_steps": 200},
    ),
    (
        ks.Schedule(
            ks.cycles(
                ks.cosine(240_000, start=0.001, to=0.0, power=3.0),
                ks.tanh(140_000, start=0.7, to=1.0, endpoint=True),
                ks.tanh("2000ep", to=0.0025),
                stretch=1.5,
            )
        ),
        {"total_steps": 10**7, "steps_per_epoch": 50},
    ),
]


@pytest.mark.parametrize(("schedule", "run"), LONG, ids=str)
def test_cycles_that_neither_end_nor_repeat(schedule: ks.Schedule, run: dict[str, int]) -> None:
    plan = schedule.plan(**run)
    steps = np.append(some_steps(plan), np.arange(200))
    assert_follows(by_formula(plan, steps, "int32"), plan, steps)


@settings(max_examples=40, deadline=None)
@given(bent_schedules(longest=10**6))
def test_any_curve_near_the_ends_of_its_phases(drawn: ks.Schedule) -> None:
    try:
        plan = drawn.plan()
    except ks.PlanError:  # a skip beyond the end, or a timescale of less than a step
        return
    steps = some_steps(plan)
    assert_follows(by_formula(plan, steps, "int32"), plan, steps)
