"""`0.1 * schedule`: every rate times a factor."""

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import kosine as ks
from kosine._core.numbers import exact
from tests.support.strategies import SMALL_RUN, recipes, small_schedules

LR = ks.sgdr(peak=0.05, period="10ep", warmup="1ep", floor=3e-4)
TENTH = ks.sgdr(peak=0.005, period="10ep", warmup="1ep", floor=3e-5)
factors = st.one_of(st.floats(1e-6, 1e6), st.integers(1, 1000), st.fractions("1/1000", 1000))


@pytest.mark.parametrize(
    "scaled", [0.1 * LR, LR * 0.1, LR / 10, LR / 10.0, LR * Fraction(1, 10), np.float64(0.1) * LR, LR / np.int64(10)]
)
def test_a_float_means_its_shortest_decimal(scaled: ks.Schedule) -> None:
    assert scaled == TENTH
    assert hash(scaled) == hash(TENTH)
    assert repr(scaled) == repr(TENTH)
    assert ks.dumps(scaled) == ks.dumps(TENTH)


@pytest.mark.parametrize(
    ("value", "twice"),
    [
        (ks.hold(5, start=0.1), ks.hold(5, start=0.2)),
        (ks.exponential(start=0.1, factor=0.5), ks.exponential(start=0.2, factor=0.5)),
        (ks.exponential(9, start=0.1, to=0.01, base=4), ks.exponential(9, start=0.2, to=0.02, base=4)),
        (ks.cosine("1ep", to=0.0, power=2.0), ks.cosine("1ep", to=0.0, power=2.0)),
        (
            ks.cycles(ks.cosine(9, start=0.1, to=0.01), shrink=0.5, shrink_to=0.02, shrink_power=0.1),
            ks.cycles(ks.cosine(9, start=0.2, to=0.02), shrink=0.5, shrink_to=0.04, shrink_power=0.1),
        ),
        (
            ks.section(ks.section(ks.linear(9, start=0.1, to=0.3)), skip=2, duration=5, tick=2, continuous=True),
            ks.section(ks.section(ks.linear(9, start=0.2, to=0.6)), skip=2, duration=5, tick=2, continuous=True),
        ),
        (
            ks.warmup_cosine(0.1, warmup="5ep").plan(epochs=1, steps_per_epoch=9, clip=True),
            ks.warmup_cosine(0.2, warmup="5ep").plan(epochs=1, steps_per_epoch=9, clip=True),
        ),
    ],
)
def test_phases_cycles_sections_and_plans_are_scaled_alike(value: Any, twice: Any) -> None:
    assert 2 * value == value * 2 == value / 0.5 == twice


@settings(deadline=None, max_examples=50)
@given(small_schedules() | recipes(), factors)
def test_the_rates_are_the_products(schedule: ks.Schedule, factor: Any) -> None:
    plan = schedule.plan(**SMALL_RUN, clip=True)
    scaled = factor * plan
    assert scaled == (factor * schedule).plan(**SMALL_RUN, clip=True)
    assert ks.parse(repr(scaled.schedule)) == scaled.schedule
    by = exact(factor) if isinstance(factor, float) else factor
    for step in range(70):
        product = by * Fraction(plan(step))
        assert abs(Fraction(scaled(step)) - product) <= 8 * Fraction(math.ulp(float(product)))


@settings(deadline=None, max_examples=30)
@given(small_schedules(), st.integers(-20, 20))
def test_powers_of_two_are_exact_at_every_step(schedule: ks.Schedule, exponent: int) -> None:
    plan = schedule.plan(**SMALL_RUN, clip=True)
    scaled = plan * Fraction(2) ** exponent
    assert list(scaled(np.arange(70))) == list(plan(np.arange(70)) * 2.0**exponent)


@pytest.mark.parametrize("value", [LR, LR.plan(epochs=50, steps_per_epoch=10), LR.parts[0]])
@pytest.mark.parametrize("foreign", [True, "2", None, [1], Decimal(2), 1j, np.ones(2), np.ones(()), LR])
def test_other_types_are_a_type_error_as_in_python(value: Any, foreign: Any) -> None:
    with pytest.raises(TypeError, match=r"operand|sequence"):
        value * foreign
    with pytest.raises(TypeError, match=r"operand|sequence"):
        value / foreign


@pytest.mark.parametrize("factor", [-1, -0.5, math.nan, math.inf, np.float64("nan")])
def test_a_factor_is_finite_and_above_0(factor: Any) -> None:
    with pytest.raises(ks.ScheduleError, match="`factor` must be a finite number > 0"):
        LR * factor
    with pytest.raises(ks.ScheduleError, match="`factor` must be a finite number > 0"):
        LR / factor


def test_a_factor_of_0_names_the_constant() -> None:
    with pytest.raises(ks.ScheduleError, match=r"> 0\. Received: factor=0\. Use `ks\.constant\(0\.0\)`"):
        0 * LR


@pytest.mark.parametrize(("factor", "size"), [(1e308, "large"), (1e-323, "small"), (10**400, "large")])
def test_a_rate_that_no_float_holds_is_refused(factor: Any, size: str) -> None:
    with pytest.raises(ks.ScheduleError, match=f"makes a rate too {size} for a float"):
        factor * ks.constant(10.0 if size == "large" else 0.1)
