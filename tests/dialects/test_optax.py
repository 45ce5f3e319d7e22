"""Optax's schedules beside Optax's own code, in float32 as it runs by default and in float64."""

from __future__ import annotations

import importlib.metadata
import inspect
import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import optax as peer
import pytest
from hypothesis import given, settings, strategies as st

import kosine as ks
from kosine.dialects import optax
from tests.support.jax_probe import enable_x64
from tests.support.peers import assert_plannable_and_written, assert_same

FLOAT32, FLOAT64 = 2e-7, 1e-12
NAMES = [name for name in optax.__all__ if name != "FOLLOWS"]


def rates_of(schedule: Callable[[Any], Any], steps: int, exact: bool = True, first: int = 0) -> list[float]:
    """What an Optax schedule gives at each step."""
    with enable_x64(exact):
        rates = jax.vmap(schedule)(jax.numpy.arange(first, first + steps))
    return [float(rate) for rate in np.asarray(rates, np.float64)]


def test_the_version_is_the_one_that_is_followed() -> None:
    assert f"optax {importlib.metadata.version('optax')}" == optax.FOLLOWS


@pytest.mark.parametrize("name", NAMES)
def test_arguments_and_defaults_are_optaxs(name: str) -> None:
    own, of_peer = (inspect.signature(getattr(module, name)).parameters for module in (optax, peer.schedules))
    assert [(p.name, p.default) for p in own.values()] == [(p.name, p.default) for p in of_peer.values()]


WARMUP: dict[str, Any] = {"init_value": 0.1, "peak_value": 0.7, "warmup_steps": 20}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("constant_schedule", {"value": 3e-4}),
    ("constant_schedule", {"value": 0}),
    *[
        ("linear_schedule", {"init_value": start, "end_value": end, **steps})
        for start, end in ((0.0, 0.3), (0.3, 0.01), (0.3, 0.3))
        for steps in (
            {"transition_steps": 100},
            {"transition_steps": 60, "transition_begin": 30},
            {"transition_steps": 60, "transition_begin": -30},
            {"transition_steps": 1},
            {"transition_steps": 0, "transition_begin": 30},
            {"transition_steps": -5},
        )
    ],
    *[
        ("polynomial_schedule", {"init_value": start, "end_value": end, "power": power, **steps})
        for start, end in ((0.0, 0.3), (0.3, 0.01))
        for power in (0.5, 1, 2.0, 3.3)
        for steps in (
            {"transition_steps": 100},
            {"transition_steps": 60, "transition_begin": 30},
            {"transition_steps": 0},
        )
    ],
    ("piecewise_constant_schedule", {"init_value": 0.3}),
    ("piecewise_constant_schedule", {"init_value": 0.3, "boundaries_and_scales": {}}),
    ("piecewise_constant_schedule", {"init_value": 0.3, "boundaries_and_scales": {60: 0.1, 30: 0.5, 90: 3.0}}),
    ("piecewise_constant_schedule", {"init_value": 0.3, "boundaries_and_scales": {0: 0.5, 1: 0.5, 100: 0}}),
    ("piecewise_constant_schedule", {"init_value": 0.3, "boundaries_and_scales": {1000: 0.5}}),
    *[
        (
            "piecewise_interpolate_schedule",
            {"interpolate_type": kind, "init_value": 0.3, "boundaries_and_scales": scales},
        )
        for kind in ("linear", "cosine")
        for scales in (None, {}, {60: 0.1, 30: 0.5, 90: 3.0}, {0: 0.5, 10: 0.5}, {0: 0.5}, {100: 0.0})
    ],
    *[
        ("linear_onecycle_schedule", {"transition_steps": steps, "peak_value": 0.7, **arguments})
        for steps in (100, 12, 3, 2, 1)
        for arguments in (
            {},
            {"pct_start": 0.0},
            {"pct_start": 0.5, "pct_final": 0.5},
            {"pct_final": 1.0},
            {"div_factor": 4.0, "final_div_factor": 10.0},
        )
    ],
    *[
        ("cosine_onecycle_schedule", {"transition_steps": steps, "peak_value": 0.7, **arguments})
        for steps in (100, 12, 3, 2, 1)
        for arguments in ({}, {"pct_start": 0.0}, {"pct_start": 1.0}, {"div_factor": 4.0, "final_div_factor": 10.0})
    ],
    *[
        ("exponential_decay", {"init_value": 0.3, "transition_steps": 10, "decay_rate": rate, **arguments})
        for rate in (0.5, 0.96, 1.0, 1.1)
        for staircase in (False, True)
        for arguments in (
            {"staircase": staircase},
            {"staircase": staircase, "transition_begin": 25},
            {"staircase": staircase, "transition_begin": -25},
            {"staircase": staircase, "transition_begin": 25, "end_value": 0.2},
            {"staircase": staircase, "end_value": 0.5},
            {"staircase": staircase, "end_value": 0.3},
            {"staircase": staircase, "end_value": 0.0},
        )
    ],
    ("exponential_decay", {"init_value": 0.3, "transition_steps": 0, "decay_rate": 0.5, "end_value": 0.5}),
    ("exponential_decay", {"init_value": 0.3, "transition_steps": 10, "decay_rate": 0.0, "end_value": 0.5}),
    ("exponential_decay", {"init_value": 0.3, "transition_steps": 1, "decay_rate": 0.9}),
    ("exponential_decay", {"init_value": 0.0, "transition_steps": 10, "decay_rate": 1.5, "end_value": 0.5}),
    ("exponential_decay", {"init_value": 0.0, "transition_steps": 10, "decay_rate": 0.5}),
    # the bound is met exactly at a step
    ("exponential_decay", {"init_value": 0.5, "transition_steps": 10, "decay_rate": 0.5, "end_value": 0.125}),
    (
        "exponential_decay",
        {"init_value": 0.5, "transition_steps": 10, "decay_rate": 0.5, "end_value": 0.125, "staircase": True},
    ),
    *[
        ("cosine_decay_schedule", {"init_value": 0.7, "decay_steps": 100, **arguments})
        for arguments in ({}, {"alpha": 0.1}, {"alpha": 1.5}, {"exponent": 2.0}, {"exponent": 0.5, "alpha": 0.01})
    ],
    ("cosine_decay_schedule", {"init_value": 0.7, "decay_steps": 1}),
    ("warmup_constant_schedule", WARMUP),
    ("warmup_constant_schedule", {**WARMUP, "warmup_steps": 0}),
    *[
        ("warmup_cosine_decay_schedule", {**WARMUP, "decay_steps": 100, **arguments})
        for arguments in (
            {},
            {"end_value": 0.05},
            {"end_value": 0.9},
            {"exponent": 2.0, "end_value": 0.05},
            {"warmup_steps": 0},
            {"warmup_steps": 99},
            {"peak_value": 0.0, "end_value": 0.5},
            {"init_value": 0.9},
        )
    ],
    *[
        ("warmup_exponential_decay_schedule", {**WARMUP, "transition_steps": 10, **arguments})
        for arguments in (
            {"decay_rate": 0.8},
            {"decay_rate": 0.8, "transition_begin": 15, "staircase": True, "end_value": 0.1},
            {"decay_rate": 1.2, "end_value": 0.9},
            {"decay_rate": 0.8, "warmup_steps": 0},
            {"decay_rate": 0.0},
        )
    ],
    *[
        ("sgdr_schedule", {"cosine_kwargs": kwargs})
        for kwargs in (
            [{**WARMUP, "decay_steps": 50}],
            [{**WARMUP, "decay_steps": length, "end_value": 0.01 * length} for length in (25, 40, 21, 60)],
            [
                {**WARMUP, "warmup_steps": 0, "decay_steps": 30},
                {**WARMUP, "peak_value": 0.2, "decay_steps": 40, "exponent": 2.0},
            ],
        )
    ],
]


def rounding(name: str, arguments: dict[str, Any]) -> float:
    """How many times larger than elsewhere the float32 error of Optax' own formula may be."""
    root = 0.5 in (arguments.get("power"), arguments.get("exponent"))  # of a small difference near the end
    factor = arguments.get("decay_rate", 0.5) not in (0.0, 0.5, 1.0)  # its own rounding error is multiplied, too
    return 3 if root or factor else 1


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=str)
def test_a_schedule_is_optaxs(name: str, arguments: dict[str, Any]) -> None:
    schedule, of_peer = getattr(optax, name)(**arguments), getattr(peer.schedules, name)(**arguments)
    assert_same(schedule, rates_of(of_peer, 150), tolerance=FLOAT64)
    assert_same(schedule, rates_of(of_peer, 150, exact=False), tolerance=FLOAT32 * rounding(name, arguments))
    assert_plannable_and_written(schedule)


@settings(max_examples=25)
@given(
    st.floats(1e-6, 2.0),
    st.floats(0.0, 2.0),
    st.integers(0, 60),
    st.integers(1, 100),
    st.floats(0.0, 1.0),
    st.sampled_from([0.5, 1.0, 1.7, 3.0]),
)
def test_any_warmup_cosine_decay_is_optaxs(
    peak: float, start: float, warmup: int, decay: int, end: float, exponent: float
) -> None:
    arguments: dict[str, Any] = {
        "init_value": start,
        "peak_value": peak,
        "warmup_steps": warmup,
        "decay_steps": warmup + decay,
        "end_value": end * peak,
        "exponent": exponent,
    }
    schedule = optax.warmup_cosine_decay_schedule(**arguments)
    of_peer = peer.warmup_cosine_decay_schedule(**arguments)
    assert_same(schedule, rates_of(of_peer, 200), tolerance=FLOAT64)
    assert_plannable_and_written(schedule)


@settings(max_examples=40)
@given(
    st.floats(1e-4, 2.0),
    st.integers(1, 48),
    st.floats(0.05, 1.5),
    st.integers(-10, 60),
    st.booleans(),
    st.none() | st.just(0.0) | st.floats(1e-300, 3.0),  # JAX takes numbers below 2e-308 for 0
)
def test_any_exponential_decay_is_optaxs(
    start: float, steps: int, rate: float, begin: int, staircase: bool, end: float | None
) -> None:
    arguments: dict[str, Any] = {
        "init_value": start,
        "transition_steps": steps,
        "decay_rate": rate,
        "transition_begin": begin,
        "staircase": staircase,
        "end_value": None if end is None else end * start,
    }
    schedule = optax.exponential_decay(**arguments)
    assert_same(schedule, rates_of(peer.exponential_decay(**arguments), 120), tolerance=FLOAT64)
    assert_plannable_and_written(schedule)


def compiled(schedule: Callable[[Any], Any], steps: int) -> list[float]:
    rates = jax.jit(jax.vmap(schedule))(jax.numpy.arange(steps))
    return [float(rate) for rate in rates]


def test_where_a_compiled_staircase_of_optax_is_late_the_stair_is_right() -> None:
    arguments: dict[str, Any] = {"init_value": 1.0, "transition_steps": 41, "decay_rate": 0.5, "staircase": True}
    rates, late = compiled(peer.exponential_decay(**arguments), 200), [41, 82, 164]  # XLA multiplies with 1 / 41
    assert_same(optax.exponential_decay(**arguments), rates, tolerance=FLOAT32, except_at=late)
    assert [rates[step] for step in late] == [rates[step - 1] for step in late]


def test_where_a_compiled_power_of_optax_is_no_number_the_end_is_right() -> None:
    arguments: dict[str, Any] = {"init_value": 1.0, "end_value": 0.1, "power": 0.5, "transition_steps": 10}
    rates = compiled(peer.polynomial_schedule(**arguments), 20)
    assert np.isnan(rates[10:]).all()  # XLA subtracts a product of 10 and 1 / 10 that is above 1
    schedule = optax.polynomial_schedule(**arguments)
    assert_same(schedule, rates[:10], tolerance=3 * FLOAT32)
    assert set(schedule.plan()(np.arange(10, 20))) == {0.1}


@pytest.mark.parametrize("staircase", [False, True])
def test_beyond_a_growth_of_1e29_the_rate_stays_where_optax_goes_to_infinity(staircase: bool) -> None:
    arguments: dict[str, Any] = {
        "init_value": 0.1,
        "transition_steps": 2,
        "decay_rate": 100.0,
        "staircase": staircase,
    }
    rates = rates_of(peer.exponential_decay(**arguments), 100, exact=False)
    schedule = optax.exponential_decay(**arguments)
    plan = schedule.plan()
    assert plan(np.arange(28)) == pytest.approx(rates[:28], rel=1e-5)
    assert rates[99] == np.inf
    assert plan(99) == plan(10**9) == pytest.approx(1e27 if staircase else 1e28, rel=1e-12)
    assert_plannable_and_written(schedule)


def test_schedules_are_joined_as_optax_joins_them() -> None:
    lengths = (30, 1, 0, 40)
    boundaries = [int(boundary) for boundary in np.cumsum(lengths)]
    makers: list[Callable[[Any], Any]] = [
        lambda module: module.linear_schedule(0.0, 1.0, 10),
        lambda module: module.constant_schedule(0.5),
        lambda module: module.constant_schedule(0.7),
        lambda module: module.cosine_decay_schedule(1.0, 90),
        lambda module: module.exponential_decay(1.0, 10, 0.5, staircase=True, transition_begin=3),
    ]
    schedule = optax.join_schedules([make(optax) for make in makers], boundaries)
    of_peer = peer.join_schedules([make(peer) for make in makers], boundaries)
    assert_same(schedule, rates_of(of_peer, 200), tolerance=FLOAT64)
    assert_same(schedule, rates_of(of_peer, 200, exact=False), tolerance=FLOAT32)
    assert_plannable_and_written(schedule)


def test_any_kosine_schedule_can_be_joined() -> None:
    first, second = ks.sgdr(1.0, period=4, stretch=2), ks.step_decay(0.5, every=10)
    plan = optax.join_schedules([first, second], [17]).plan()
    steps = np.arange(60)
    expected = np.where(steps < 17, first.plan()(steps), second.plan()(np.maximum(steps - 17, 0)))
    assert plan(steps) == pytest.approx(expected, rel=1e-14)
    assert plan(16) == first.plan()(16) > 0


def test_a_long_run_is_optaxs() -> None:
    arguments: dict[str, Any] = {
        "init_value": 0.0,
        "peak_value": 1e-3,
        "warmup_steps": 10_000,
        "decay_steps": 10**6,
        "end_value": 1e-5,
    }
    plan = optax.warmup_cosine_decay_schedule(**arguments).plan()
    for first in (9_990, 500_000, 999_990, 10**7):
        rates = rates_of(peer.warmup_cosine_decay_schedule(**arguments), 20, first=first)
        assert plan(np.arange(first, first + 20)) == pytest.approx(rates, rel=0, abs=1e-15)


@pytest.mark.parametrize(("rate", "end"), [(0.5, 0.01), (2.0, 100.0)])
def test_a_decay_over_very_many_steps_reaches_its_end_no_sooner(rate: float, end: float) -> None:
    plan = optax.exponential_decay(1.0, 10**10, rate, end_value=end).plan()
    assert plan(3 * 10**10) == pytest.approx(rate**3)
    assert plan(10**12) == end


def test_the_last_stair_of_a_growth_may_be_far_below_its_end() -> None:
    plan = optax.exponential_decay(1.0, 3, 2e9, staircase=True, end_value=4.9e19).plan()
    assert [plan(step) for step in (2, 3, 6, 9, 100)] == pytest.approx([1.0, 2e9, 4e18, 4.9e19, 4.9e19])


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith("_schedule")])
def test_a_name_without_its_ending_is_the_same_function(name: str) -> None:
    assert getattr(optax, name.removesuffix("_schedule")) is getattr(optax, name)


@pytest.mark.parametrize("name", ["sine", "join", "exponential_decay_schedule", "schedule", ""])
def test_no_other_name_is_known(name: str) -> None:
    with pytest.raises(AttributeError, match=f"has no '{name}'"):
        getattr(optax, name)


LINEAR: dict[str, Any] = {"init_value": 0.1, "end_value": 0.0, "transition_steps": 10}
DECAY: dict[str, Any] = {"init_value": 0.1, "transition_steps": 10, "decay_rate": 0.5}
WHOLE: dict[str, Any] = {**WARMUP, "decay_steps": 100}
CYCLE: dict[str, Any] = {"transition_steps": 100, "peak_value": 1.0}
STAIRS: dict[str, Any] = {"init_value": 0.1, "boundaries_and_scales": {5: 0.5}}
ONE = ks.constant(0.1)


@pytest.mark.parametrize(
    ("name", "valid", "wrong", "error", "message"),
    [
        ("constant_schedule", {"value": 0.1}, {"value": -0.1}, ks.ScheduleError, r"`value` must be .* value=-0\.1"),
        ("linear_schedule", LINEAR, {"init_value": "a"}, ks.ArgumentTypeError, r"`init_value` must be"),
        ("linear_schedule", LINEAR, {"end_value": math.nan}, ks.ScheduleError, r"`end_value` must be .*nan"),
        ("linear_schedule", LINEAR, {"transition_steps": 9.5}, ks.ArgumentTypeError, r"`transition_steps` must be"),
        ("linear_schedule", LINEAR, {"transition_begin": "2"}, ks.ArgumentTypeError, r"`transition_begin` must be"),
        ("polynomial_schedule", {**LINEAR, "power": 2}, {"power": 0}, ks.ScheduleError, r"`power` must be .* > 0"),
        (
            "piecewise_constant_schedule",
            STAIRS,
            {"boundaries_and_scales": {5: -1.0}},
            ks.ScheduleError,
            r"`boundaries_and_scales\[5\]` must be .* >= 0",
        ),
        (
            "piecewise_constant_schedule",
            STAIRS,
            {"boundaries_and_scales": {-5: 1.0}},
            ks.ScheduleError,
            r"`list\(boundaries_and_scales\)\[0\]` must be an integer >= 0",
        ),
        (
            "piecewise_constant_schedule",
            STAIRS,
            {"boundaries_and_scales": [5]},
            ks.ArgumentTypeError,
            r"`boundaries_and_scales` must be a dictionary",
        ),
        (
            "piecewise_interpolate_schedule",
            {**STAIRS, "interpolate_type": "cosine"},
            {"interpolate_type": "sine"},
            ks.ScheduleError,
            r"`interpolate_type` must be one of .*'sine'",
        ),
        ("linear_onecycle_schedule", CYCLE, {"transition_steps": 0}, ks.ScheduleError, r"`transition_steps` .* >= 1"),
        ("linear_onecycle_schedule", CYCLE, {"pct_start": 0.9}, ks.ScheduleError, r"`pct_start` must be .* to 0\.85"),
        ("linear_onecycle_schedule", CYCLE, {"pct_final": 1.1}, ks.ScheduleError, r"`pct_final` must be .* 0 to 1"),
        ("linear_onecycle_schedule", CYCLE, {"div_factor": 0}, ks.ScheduleError, r"`div_factor` must be .* > 0"),
        ("cosine_onecycle_schedule", CYCLE, {"pct_start": -0.1}, ks.ScheduleError, r"`pct_start` must be .* 0 to 1"),
        ("cosine_onecycle_schedule", CYCLE, {"final_div_factor": -1}, ks.ScheduleError, r"`final_div_factor` must be"),
        ("exponential_decay", DECAY, {"decay_rate": -0.5}, ks.ScheduleError, r"`decay_rate` must be .* from 0"),
        ("exponential_decay", DECAY, {"staircase": 1}, ks.ArgumentTypeError, r"`staircase` must be True or False"),
        ("exponential_decay", DECAY, {"end_value": -1.0}, ks.ScheduleError, r"`end_value` must be"),
        (
            "exponential_decay",
            {**DECAY, "decay_rate": 2.0, "init_value": 1e-30},
            {"end_value": 1.0},
            ks.ScheduleError,
            r"`end_value` must be at most 1e29 / decay_rate times",
        ),
        (
            "cosine_decay_schedule",
            {"init_value": 0.1, "decay_steps": 9},
            {"decay_steps": 0},
            ks.ScheduleError,
            r"`decay_steps` must be .* >= 1",
        ),
        (
            "cosine_decay_schedule",
            {"init_value": 0.1, "decay_steps": 9},
            {"alpha": -1},
            ks.ScheduleError,
            r"`alpha` must be .* >= 0",
        ),
        (
            "cosine_decay_schedule",
            {"init_value": 0.1, "decay_steps": 9},
            {"exponent": 0},
            ks.ScheduleError,
            r"`exponent` must be .* > 0",
        ),
        ("warmup_constant_schedule", WARMUP, {"peak_value": -1}, ks.ScheduleError, r"`peak_value` must be"),
        ("warmup_cosine_decay_schedule", WHOLE, {"warmup_steps": -1}, ks.ScheduleError, r"`warmup_steps` .* >= 0"),
        (
            "warmup_cosine_decay_schedule",
            WHOLE,
            {"decay_steps": 20},
            ks.ScheduleError,
            r"`decay_steps` must be above `warmup_steps`.* warmup_steps=20, decay_steps=20",
        ),
        (
            "warmup_exponential_decay_schedule",
            {**WARMUP, "transition_steps": 10, "decay_rate": 0.5},
            {"warmup_steps": -1},
            ks.ScheduleError,
            r"`warmup_steps` must be .* >= 0",
        ),
        ("sgdr_schedule", {"cosine_kwargs": [WHOLE]}, {"cosine_kwargs": []}, ks.ScheduleError, r"at least one cycle"),
        (
            "sgdr_schedule",
            {"cosine_kwargs": [WHOLE]},
            {"cosine_kwargs": [WHOLE, WARMUP]},
            TypeError,
            r"warmup_cosine_decay_schedule\(\) missing 1 required positional argument: 'decay_steps'",
        ),
        (
            "piecewise_constant_schedule",
            STAIRS,
            {"boundaries_and_scales": {3: 1e300, 5: 1e300}},
            ks.ScheduleError,
            r"`boundaries_and_scales\[5\]` must leave the rate finite",
        ),
        (
            "join_schedules",
            {"schedules": [ONE, ONE], "boundaries": [5]},
            {"boundaries": [5, 6]},
            ks.ScheduleError,
            r"one step less than there are schedules.*\. Received: 2 schedules and boundaries=\[5, 6\]",
        ),
        (
            "join_schedules",
            {"schedules": [ONE, ONE, ONE], "boundaries": [5, 6]},
            {"boundaries": [6, 5]},
            ks.ScheduleError,
            r"`boundaries` must be sorted\. Received: boundaries=5 after 6",
        ),
        (
            "join_schedules",
            {"schedules": [ONE, ONE], "boundaries": [5]},
            {"schedules": [ONE, 0.1]},
            ks.ArgumentTypeError,
            r"must be a list of schedules.*\. Received: schedules\[1\]=0\.1",
        ),
    ],
)
def test_a_bad_argument_is_named(
    name: str, valid: dict[str, Any], wrong: dict[str, Any], error: type[Exception], message: str
) -> None:
    dialect = getattr(optax, name)
    dialect(**valid)
    with pytest.raises(error, match=message):
        dialect(**{**valid, **wrong})
