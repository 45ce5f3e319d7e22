"""Keras' schedules beside Keras' own code: in float32, as it runs by default, and in float64.

Keras has one backend in a process, chosen by the environment, and one precision. So two processes evaluate the peer,
which are this file run as a script: it reads requests from standard input, one a line, and answers with the rates.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import kosine as ks
from kosine.dialects import keras
from tests.support.peers import assert_plannable_and_written, assert_same

FLOAT32, FLOAT64 = 2e-7, 1e-12

Peer = Callable[..., list[float]]


def answer_requests(dtype: str) -> None:
    import tests.support.bare_keras  # noqa: F401  # before Keras

    # isort: split
    import jax
    import keras as peer
    from keras.src.backend.common import dtypes

    peer.config.set_floatx(dtype)
    jax.config.update("jax_enable_x64", dtype == "float64")
    del dtypes.BIT64_TO_BIT32_DTYPE["float64"]  # it would make float32 of every sum and product
    for line in sys.stdin:
        name, arguments, first, steps, compiled = json.loads(line)
        schedule = jax.vmap(getattr(peer.optimizers.schedules, name)(**arguments))
        rates = (jax.jit(schedule) if compiled else schedule)(jax.numpy.arange(first, first + steps))
        assert rates.dtype == dtype
        print(json.dumps(np.asarray(rates, np.float64).tolist()), flush=True)


if __name__ == "__main__":
    answer_requests(sys.argv[1])
    sys.exit()


@contextmanager
def peer_in(dtype: str) -> Iterator[Peer]:
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", __name__, dtype]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    ) as process:
        requests, answers = process.stdin, process.stdout
        assert requests is not None
        assert answers is not None

        def rates(name: str, steps: int, first: int = 0, compiled: bool = False, **arguments: Any) -> list[float]:
            """Keras' rates at `steps` steps from `first` on."""
            print(json.dumps([name, arguments, first, steps, compiled]), file=requests, flush=True)
            values: list[float] = json.loads(answers.readline())
            assert len(values) == steps
            return values

        yield rates
        requests.close()
        assert process.wait() == 0


@pytest.fixture(scope="module")
def in_float32() -> Iterator[Peer]:
    with peer_in("float32") as rates:
        yield rates


@pytest.fixture(scope="module")
def in_float64() -> Iterator[Peer]:
    with peer_in("float64") as rates:
        yield rates


def test_the_version_is_the_one_that_is_followed() -> None:
    assert f"keras {importlib.metadata.version('keras')}" == keras.FOLLOWS


DECAY: dict[str, Any] = {"initial_learning_rate": 0.3, "decay_steps": 10, "decay_rate": 0.5}
POLYNOMIAL: dict[str, Any] = {"initial_learning_rate": 0.3, "decay_steps": 40}
COSINE: dict[str, Any] = {"initial_learning_rate": 0.3, "decay_steps": 100}
CASES: list[tuple[str, dict[str, Any]]] = [
    *[
        (name, {**DECAY, "decay_rate": rate, "staircase": staircase})
        for name in ("ExponentialDecay", "InverseTimeDecay")
        for rate in (0.5, 0.25, 1.0, 1.5)
        for staircase in (False, True)
    ],
    ("ExponentialDecay", {**DECAY, "decay_steps": 1}),
    ("ExponentialDecay", {**DECAY, "initial_learning_rate": 0.0}),
    ("ExponentialDecay", {**DECAY, "decay_steps": 7, "decay_rate": 0.96, "staircase": True}),
    ("InverseTimeDecay", {**DECAY, "decay_rate": 0.0}),
    ("InverseTimeDecay", {**DECAY, "decay_steps": 3, "decay_rate": 0.7}),
    ("InverseTimeDecay", {**DECAY, "decay_steps": 3, "decay_rate": 0.7, "staircase": True}),
    ("PiecewiseConstantDecay", {"boundaries": [30, 60, 90], "values": [0.3, 0.2, 0.5, 0.0]}),
    ("PiecewiseConstantDecay", {"boundaries": [0], "values": [0.3, 0.2]}),
    ("PiecewiseConstantDecay", {"boundaries": [5, 5, 6], "values": [0.3, 0.2, 0.1, 0.05]}),
    ("PiecewiseConstantDecay", {"boundaries": [1000], "values": [0.3, 0.2]}),
    *[
        ("PolynomialDecay", {**POLYNOMIAL, **arguments, "cycle": cycle})
        for cycle in (False, True)
        for arguments in (
            {},
            {"power": 2.0},
            {"power": 3.5, "end_learning_rate": 0.01},
            {"end_learning_rate": 0.0},
            {"decay_steps": 1},
            {"decay_steps": 2, "power": 1.5},
            {"decay_steps": 7, "end_learning_rate": 0.3},
            {"decay_steps": 4, "power": 100.0},  # the fifth cycle is no higher than its end
            {"decay_steps": 3, "power": 900.0},  # nor is the second step
            {"decay_steps": 1000},
        )
    ],
    ("PolynomialDecay", {**POLYNOMIAL, "end_learning_rate": 0.9, "power": 2.0}),
    *[
        ("CosineDecay", {**COSINE, **arguments})
        for arguments in (
            {},
            {"alpha": 0.1},
            {"alpha": 1.5},
            {"decay_steps": 1},
            {"warmup_steps": 20},
            {"warmup_target": 0.7, "warmup_steps": 20},
            {"warmup_target": 0.7, "warmup_steps": 20, "alpha": 0.1},
            {"warmup_target": 0.7},
            {"warmup_target": 0.1, "warmup_steps": 1},
            {"warmup_target": 0.0, "warmup_steps": 20},
        )
    ],
]


def rounding(name: str, arguments: dict[str, Any]) -> float:
    """How many times larger than elsewhere the float32 error of Keras' own formula may be."""
    factor = name == "ExponentialDecay" and arguments["decay_rate"] not in (0.25, 0.5, 1.0)
    power = arguments.get("power", 1.0) > 1  # of a rounded base
    return 3 if factor or power else 1


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=str)
def test_a_schedule_is_kerass(in_float64: Peer, in_float32: Peer, name: str, arguments: dict[str, Any]) -> None:
    schedule = getattr(keras, name)(**arguments)
    assert_same(schedule, in_float64(name, 200, **arguments), tolerance=FLOAT64)
    rates = in_float32(name, 200, **arguments)
    assert_same(schedule, rates, tolerance=FLOAT32 * rounding(name, arguments))
    assert_plannable_and_written(schedule)


def restarts(arguments: dict[str, Any], steps: int) -> dict[int, int]:
    """The steps at which a cycle begins exactly, and the number of that cycle."""
    found, position, cycle = {}, Fraction(0), 0
    while position < steps:
        if position.denominator == 1:
            found[int(position)] = cycle
        position += arguments["first_decay_steps"] * Fraction(repr(arguments.get("t_mul", 2.0))) ** cycle
        cycle += 1
    return found


def wrong_restarts(rates: list[float], arguments: dict[str, Any], tolerance: float) -> list[int]:
    """The restarts at which Keras is nearer to the floor than to the peak of the cycle, where the two can be told."""
    start, alpha = arguments["initial_learning_rate"], arguments.get("alpha", 0.0)
    heights = {
        step: start * (1 - alpha) * arguments.get("m_mul", 1.0) ** cycle
        for step, cycle in restarts(arguments, len(rates)).items()
    }
    return [
        step
        for step, height in heights.items()
        if height > tolerance * start and rates[step] - start * alpha < height / 2
    ]


RESTARTS: dict[str, Any] = {"initial_learning_rate": 0.3, "first_decay_steps": 10}


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"t_mul": 1.0},
        {"t_mul": 1.5, "m_mul": 0.9, "alpha": 0.1},
        {"t_mul": 1.25, "m_mul": 0.5},
        {"t_mul": 3.0, "m_mul": 0.5, "alpha": 0.5},
        {"t_mul": 1.0, "m_mul": 0.1, "alpha": 0.01},  # nothing is left of the cycles from 16 on
        {"t_mul": 1.0, "m_mul": 0.0, "alpha": 0.25},
        {"first_decay_steps": 1, "t_mul": 1.0},
        {"first_decay_steps": 1, "t_mul": 1.5},
        {"t_mul": 1.5, "m_mul": 0.01, "alpha": 0.25},
        {"alpha": 1.0, "m_mul": 0.5},
    ],
    ids=str,
)
def test_restarts_are_kerass(in_float64: Peer, in_float32: Peer, arguments: dict[str, Any]) -> None:
    arguments = {**RESTARTS, **arguments}
    schedule = keras.CosineDecayRestarts(**arguments)
    lost = 1 + 250 / arguments["first_decay_steps"]  # Keras takes the cycles that are done off a float32 quotient
    for peer, tolerance in ((in_float64, FLOAT64), (in_float32, FLOAT32 * lost)):
        rates = peer("CosineDecayRestarts", 250, **arguments)
        wrong = wrong_restarts(rates, arguments, tolerance)
        assert_same(schedule, rates, tolerance=tolerance, except_at=wrong)
    assert_plannable_and_written(schedule)


@pytest.mark.parametrize(("t_mul", "wrong"), [(10.0, [10, 110, 11_110]), (3.0, []), (2.0, [])])
def test_where_keras_has_the_floor_at_a_restart_the_peak_is_right(
    in_float32: Peer, t_mul: float, wrong: list[int]
) -> None:
    arguments: dict[str, Any] = {"initial_learning_rate": 1.0, "first_decay_steps": 10, "t_mul": t_mul, "alpha": 0.1}
    rates = in_float32("CosineDecayRestarts", 12_000, **arguments)
    assert wrong_restarts(rates, arguments, FLOAT32) == wrong
    schedule = keras.CosineDecayRestarts(**arguments)
    assert_same(schedule, rates, tolerance=1e-5, except_at=wrong)
    plan = schedule.plan()
    assert [rates[step] for step in wrong] == pytest.approx([0.1] * len(wrong), abs=1e-6)
    assert [plan(step) for step in wrong] == [1.0] * len(wrong)


@settings(max_examples=25)
@given(
    st.floats(1e-6, 2.0),
    st.integers(1, 60),
    st.sampled_from([1.0, 1.3, 1.75, 2.0]),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
)
def test_any_restarts_are_kerass(
    in_float64: Peer, start: float, steps: int, t_mul: float, m_mul: float, alpha: float
) -> None:
    arguments: dict[str, Any] = {
        "initial_learning_rate": start,
        "first_decay_steps": steps,
        "t_mul": t_mul,
        "m_mul": m_mul,
        "alpha": alpha,
    }
    schedule = keras.CosineDecayRestarts(**arguments)
    rates = in_float64("CosineDecayRestarts", 150, **arguments)
    assert_same(schedule, rates, tolerance=FLOAT64, except_at=wrong_restarts(rates, arguments, FLOAT64))
    assert_plannable_and_written(schedule)


@settings(max_examples=25)
@given(st.floats(1e-9, 2.0), st.integers(1, 48), st.floats(0.0, 1.0), st.floats(0.1, 30.0), st.booleans())
def test_any_polynomial_decay_is_kerass(
    in_float64: Peer, start: float, steps: int, end: float, power: float, cycle: bool
) -> None:
    arguments: dict[str, Any] = {
        "initial_learning_rate": start,
        "decay_steps": steps,
        "end_learning_rate": end * start,
        "power": power,
        "cycle": cycle,
    }
    schedule = keras.PolynomialDecay(**arguments)
    assert_same(schedule, in_float64("PolynomialDecay", 150, **arguments), tolerance=FLOAT64)
    assert_plannable_and_written(schedule)


@settings(max_examples=25)
@given(st.floats(1e-9, 2.0), st.integers(1, 48), st.floats(0.01, 1.5), st.booleans())
@pytest.mark.parametrize("name", ["ExponentialDecay", "InverseTimeDecay"])
def test_any_exponential_or_inverse_time_decay_is_kerass(
    in_float64: Peer, name: str, start: float, steps: int, rate: float, staircase: bool
) -> None:
    arguments: dict[str, Any] = {
        "initial_learning_rate": start,
        "decay_steps": steps,
        "decay_rate": rate,
        "staircase": staircase,
    }
    schedule = getattr(keras, name)(**arguments)
    assert_same(schedule, in_float64(name, 120, **arguments), tolerance=FLOAT64)
    assert_plannable_and_written(schedule)


def test_far_into_a_run_the_formulas_are_kerass(in_float64: Peer) -> None:
    cases: list[tuple[str, dict[str, Any]]] = [
        ("ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 10**5, "decay_rate": 0.96}),
        ("InverseTimeDecay", {"initial_learning_rate": 0.1, "decay_steps": 10**5, "decay_rate": 0.5}),
        (
            "CosineDecay",
            {
                "initial_learning_rate": 0.0,
                "warmup_target": 0.1,
                "warmup_steps": 10**4,
                "decay_steps": 10**6,
                "alpha": 0.01,
            },
        ),
        ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 1000, "t_mul": 1.5}),
        ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 999, "power": 1.5, "cycle": True}),
    ]
    for name, arguments in cases:
        plan = getattr(keras, name)(**arguments).plan()
        for first in (9_990, 500_000, 1_009_980, 2 * 10**6):
            rates = in_float64(name, 30, first=first, **arguments)
            assert plan(np.arange(first, first + 30)) == pytest.approx(rates, rel=0, abs=0.1 * FLOAT64), (name, first)


def test_a_growth_over_very_many_steps_is_not_cut() -> None:
    assert keras.ExponentialDecay(0.1, decay_steps=10**10, decay_rate=2.0).plan()(3 * 10**10) == pytest.approx(0.8)


@pytest.mark.parametrize("name", ["ExponentialDecay", "InverseTimeDecay"])
def test_where_a_compiled_staircase_of_keras_is_late_the_stair_is_right(in_float32: Peer, name: str) -> None:
    arguments: dict[str, Any] = {
        "initial_learning_rate": 1.0,
        "decay_steps": 41,
        "decay_rate": 0.5,
        "staircase": True,
    }
    rates = in_float32(name, 200, compiled=True, **arguments)
    late = [41, 82, 164]  # XLA multiplies with 1 / 41
    assert_same(getattr(keras, name)(**arguments), rates, tolerance=FLOAT32, except_at=late)
    assert [rates[step] for step in late] == [rates[step - 1] for step in late]


def test_where_a_compiled_power_of_keras_is_no_number_the_end_is_right(in_float32: Peer) -> None:
    arguments: dict[str, Any] = {
        "initial_learning_rate": 1.0,
        "decay_steps": 10,
        "end_learning_rate": 0.1,
        "power": 0.5,
    }
    rates = in_float32("PolynomialDecay", 20, compiled=True, **arguments)
    assert np.isnan(rates[10:]).all()  # XLA subtracts a product of 10 and 1 / 10 that is above 1
    schedule = keras.PolynomialDecay(**arguments)
    assert_same(schedule, rates[:10], tolerance=3 * FLOAT32)
    assert set(schedule.plan()(np.arange(10, 20))) == {0.1}


def test_beyond_a_growth_of_1e29_the_rate_stays_where_keras_goes_to_infinity(in_float32: Peer) -> None:
    arguments: dict[str, Any] = {"initial_learning_rate": 0.1, "decay_steps": 2, "decay_rate": 100.0}
    rates = in_float32("ExponentialDecay", 100, **arguments)
    plan = keras.ExponentialDecay(**arguments).plan()
    assert plan(np.arange(28)) == pytest.approx(rates[:28], rel=1e-5)
    assert rates[99] == np.inf
    assert plan(99) == plan(10**9) == pytest.approx(1e28, rel=1e-12)


RESTART: dict[str, Any] = {"initial_learning_rate": 0.3, "first_decay_steps": 10}
PIECES: dict[str, Any] = {"boundaries": [5, 7], "values": [0.3, 0.2, 0.1]}


@pytest.mark.parametrize(
    ("name", "valid", "wrong", "error", "message"),
    [
        (
            "ExponentialDecay",
            DECAY,
            {"initial_learning_rate": -1},
            ks.ScheduleError,
            r"`initial_learning_rate` must be",
        ),
        ("ExponentialDecay", DECAY, {"decay_steps": 0}, ks.ScheduleError, r"`decay_steps` must be .* >= 1"),
        (
            "ExponentialDecay",
            DECAY,
            {"decay_steps": 1e3},
            ks.ArgumentTypeError,
            r"integer >= 1\. .*=1000\.0\. Use 1000\.",
        ),
        ("ExponentialDecay", DECAY, {"decay_rate": 0.0}, ks.ScheduleError, r"`decay_rate` must be .* > 0"),
        ("ExponentialDecay", DECAY, {"decay_rate": 1e30}, ks.ScheduleError, r"`decay_rate` must be .* 1e\+29"),
        ("ExponentialDecay", DECAY, {"staircase": 1}, ks.ArgumentTypeError, r"`staircase` must be True or False"),
        (
            "InverseTimeDecay",
            DECAY,
            {"decay_rate": -0.1},
            ks.ScheduleError,
            r"`decay_rate` must be .* from 0 to 1e\+30",
        ),
        ("InverseTimeDecay", DECAY, {"decay_rate": 1e-30}, ks.ScheduleError, r"`decay_rate` must be 0 or more than"),
        ("InverseTimeDecay", DECAY, {"staircase": None}, ks.ArgumentTypeError, r"`staircase` must be True or False"),
        ("PiecewiseConstantDecay", PIECES, {"boundaries": [5]}, ks.ScheduleError, r"1 boundaries and 3 values"),
        (
            "PiecewiseConstantDecay",
            PIECES,
            {"boundaries": [7, 5]},
            ks.ScheduleError,
            r"`boundaries` must be sorted\. Received: boundaries=5 after 7",
        ),
        ("PiecewiseConstantDecay", PIECES, {"boundaries": [-5, 5]}, ks.ScheduleError, r"`boundaries\[0\]` must be"),
        ("PiecewiseConstantDecay", PIECES, {"boundaries": [5, 7.5]}, ks.ArgumentTypeError, r"`boundaries\[1\]` must"),
        ("PiecewiseConstantDecay", PIECES, {"values": 0.1}, ks.ArgumentTypeError, r"`values` must be a list"),
        ("PiecewiseConstantDecay", PIECES, {"values": [1, 2, -3]}, ks.ScheduleError, r"`values\[2\]` must be"),
        (
            "PiecewiseConstantDecay",
            PIECES,
            {"boundaries": [], "values": [1.0]},
            ks.ScheduleError,
            r"at least one step.* 0 boundaries",
        ),
        ("PolynomialDecay", POLYNOMIAL, {"power": 0}, ks.ScheduleError, r"`power` must be .* > 0"),
        ("PolynomialDecay", POLYNOMIAL, {"end_learning_rate": -1}, ks.ScheduleError, r"`end_learning_rate` must be"),
        ("PolynomialDecay", POLYNOMIAL, {"cycle": 2}, ks.ArgumentTypeError, r"`cycle` must be True or False"),
        (
            "PolynomialDecay",
            POLYNOMIAL,
            {"end_learning_rate": 0.4, "cycle": True},
            ks.ScheduleError,
            r"`end_learning_rate` must be at most `initial_learning_rate`.* end_learning_rate=0\.4",
        ),
        ("CosineDecay", COSINE, {"alpha": -0.1}, ks.ScheduleError, r"`alpha` must be .* >= 0"),
        ("CosineDecay", COSINE, {"warmup_target": -0.1}, ks.ScheduleError, r"`warmup_target` must be"),
        ("CosineDecay", COSINE, {"warmup_steps": -1}, ks.ScheduleError, r"`warmup_steps` must be .* >= 0"),
        ("CosineDecayRestarts", RESTART, {"first_decay_steps": 0}, ks.ScheduleError, r"`first_decay_steps` must be"),
        ("CosineDecayRestarts", RESTART, {"t_mul": 0.5}, ks.ScheduleError, r"`t_mul` must be .* >= 1"),
        ("CosineDecayRestarts", RESTART, {"m_mul": 1.5}, ks.ScheduleError, r"`m_mul` must be .* 0 to 1"),
        ("CosineDecayRestarts", RESTART, {"m_mul": -0.5}, ks.ScheduleError, r"`m_mul` must be .* 0 to 1"),
        ("CosineDecayRestarts", RESTART, {"alpha": 1.5}, ks.ScheduleError, r"`alpha` must be .* 0 to 1"),
    ],
)
def test_a_bad_argument_is_named(
    name: str, valid: dict[str, Any], wrong: dict[str, Any], error: type[Exception], message: str
) -> None:
    dialect = getattr(keras, name)
    dialect(**valid)
    with pytest.raises(error, match=message):
        dialect(**{**valid, **wrong})
