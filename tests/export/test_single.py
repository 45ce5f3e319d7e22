"""The programs for Optax and Keras, which compute in float32."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

import kosine as ks
from kosine._export.to_code import to_code
from tests.support.export_cases import PLANS, RECIPES, highest_end, names_of
from tests.support.strategies import bent_schedules

ROOT = Path(__file__).parents[2]
TOLERANCE = 2e-7
LOOSER = 3e-7  # in TensorFlow's and PyTorch's vector kernels
WARPED = 5e-7  # where a power of the time magnifies its rounding, or a logarithm has six roundings of 6e-8
STEPS = np.arange(1000)


def tolerance(plan: ks.Plan) -> float:
    return WARPED if any(word in repr(plan) for word in ("warp=", "logarithm")) else TOLERANCE


def assert_near(rates: NDArray[Any], plan: ks.Plan) -> None:
    allowed = tolerance(plan) * highest_end(plan)
    assert rates.shape == STEPS.shape
    assert np.abs(rates.astype(np.float64) - plan(STEPS)).max() <= allowed


def optax_rates(program: str) -> NDArray[Any]:
    schedule = names_of(program)["schedule"]
    rates = jax.jit(jax.vmap(lambda step: schedule(step) + jnp.zeros(())))(jnp.asarray(STEPS))
    assert rates.dtype == jnp.float32
    return np.asarray(rates)


@pytest.mark.parametrize("name", PLANS)
def test_optax(name: str) -> None:
    assert_near(optax_rates(to_code(PLANS[name], "optax")), PLANS[name])


@settings(max_examples=10, deadline=None)
@given(bent_schedules(longest=300))
def test_any_exponents_and_parts_of_steps(schedule: ks.Schedule) -> None:
    try:
        plan = schedule.plan()
    except ks.PlanError:  # a timescale of less than a step, or a skip beyond the end
        return
    compiled = jax.jit(names_of(to_code(plan, "optax"))["schedule"])
    steps = np.resize(np.arange(min(plan.total_steps or 600, 600)), 600)  # one shape
    rates = np.broadcast_to(compiled(jnp.asarray(steps)), steps.shape)
    allowed = tolerance(plan) * highest_end(plan)
    assert np.abs(rates.astype(np.float64) - plan(steps)).max() <= allowed


@pytest.mark.parametrize("name", RECIPES)
def test_optax_takes_a_count_of_any_kind(name: str) -> None:
    schedule, plan = names_of(to_code(PLANS[name], "optax"))["schedule"], PLANS[name]
    for step in (0, 1, 500, 999):
        for count in (step, np.int64(step), jnp.asarray(step)):
            assert abs(float(schedule(count)) - plan(step)) <= TOLERANCE * highest_end(plan)


NATIVE_OPTAX = {
    "constant_schedule": ks.constant(0.1),
    "linear_schedule": ks.Schedule(ks.linear(start=0.1, to=0.01)),
    "polynomial_schedule": ks.Schedule(ks.polynomial(start=0.1, to=0.0)),
    "cosine_decay_schedule": ks.Schedule(ks.cosine(start=0.1, to=0.01, power=2.0)),
    "exponential_decay": ks.Schedule(ks.exponential(start=0.1, to=1e-5)),
    "warmup_cosine_decay_schedule": ks.warmup_cosine(0.1, warmup=100, floor=0.01),
    "join_schedules": ks.warmup_cosine(0.1, warmup=100, hold=100),
    "sgdr_schedule": ks.sgdr(0.1, period=300),
    "sgdr_schedule, warm-up": ks.sgdr(0.1, period=100, stretch=2, warmup=20),
    "jnp.sin, many cycles": ks.sgdr(0.1, period=10),  # a joined schedule works out every cycle at every step
    "jnp.sqrt": ks.wsd(0.1, warmup=10),
    "jnp.exp, staircase": ks.step_decay(0.1, every=30, factor=0.96),
}


@pytest.mark.parametrize("name", NATIVE_OPTAX)
def test_optax_uses_its_own_schedule_where_that_is_right(name: str) -> None:
    plan = NATIVE_OPTAX[name].plan(total_steps=1000)
    program = to_code(plan, "optax")
    assert f"{name.partition(',')[0]}(" in program
    assert_near(optax_rates(program), plan)


def test_restarts_are_right_to_the_step_in_a_long_run() -> None:
    plan = ks.sgdr(1.0, period=7, stretch=1.1).plan(total_steps=2**24)
    compiled = jax.jit(jax.vmap(names_of(to_code(plan, "optax"))["schedule"]))
    firsts = np.array([row.first_step for row in plan.phases])
    assert firsts.size > 100
    assert np.all(np.asarray(compiled(jnp.asarray(firsts))) == 1.0)
    assert np.abs(np.asarray(compiled(jnp.asarray(firsts[1:] - 1))) - plan(firsts[1:] - 1)).max() <= TOLERANCE


def keras_rates(programs: dict[str, str], backend: str, folder: Path) -> dict[str, NDArray[Any]]:
    """The rates of Keras programs, each worked out on one backend in a process of its own."""
    for number, program in enumerate(programs.values()):
        (folder / f"program_{number}.py").write_text(program, encoding="utf-8")
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "tests.support.keras_rates", str(folder)]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr[-4000:]
    with np.load(folder / "rates.npz") as rates:
        return {name: rates[f"program_{number}"] for number, name in enumerate(programs)}


NATIVE_KERAS = {
    "PiecewiseConstantDecay": ks.constant(0.1),
    "PiecewiseConstantDecay, holds": ks.Schedule(*(ks.hold(60, start=0.1 / number) for number in range(1, 18))),
    "CosineDecay": ks.Schedule(ks.cosine(start=0.1, to=0.01)),
    "CosineDecay, warm-up": ks.warmup_cosine(0.1, warmup=100, warmup_start=0.01, floor=0.01),
    "CosineDecay, goes on": ks.Schedule(ks.linear(50, start=0.0, to=0.1), ks.cosine(200, to=0.0)),
    "PolynomialDecay": ks.Schedule(ks.linear(start=0.1, to=0.01)),
    "PolynomialDecay, power": ks.Schedule(ks.polynomial(500, start=0.1, to=0.01)),
    "ExponentialDecay": ks.Schedule(ks.exponential(start=0.1, to=1e-4)),
    "InverseTimeDecay": ks.Schedule(ks.inverse_time(start=0.1, timescale=100)),
    "LearningRate": ks.sgdr(0.1, period=100),  # CosineDecayRestarts finds the cycle in float32
    "LearningRate, hold": ks.warmup_cosine(0.1, warmup=100, hold=10),
    "LearningRate, power": ks.Schedule(ks.polynomial(start=0.1, to=0.0, power=0.5)),
    "LearningRate, staircase": ks.step_decay(0.1, every=30),
}


@pytest.fixture(scope="module")
def keras_plans() -> dict[str, ks.Plan]:
    own = {name: schedule.plan(total_steps=1000) for name, schedule in NATIVE_KERAS.items()}
    return {**PLANS, **own}


def test_keras_compiled_by_jax(keras_plans: dict[str, ks.Plan], tmp_path: Path) -> None:
    programs = {name: to_code(keras_plans[name], "keras") for name in (*RECIPES, *NATIVE_KERAS)}
    for name in NATIVE_KERAS:
        assert f"{name.partition(',')[0]}(" in programs[name]
    for name, rates in keras_rates(programs, "jax", tmp_path).items():
        assert_near(rates, keras_plans[name])


@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_keras_on_the_other_backends(keras_plans: dict[str, ks.Plan], tmp_path: Path, backend: str) -> None:
    programs = {name: to_code(plan, "keras") for name, plan in keras_plans.items()}
    for name, rates in keras_rates(programs, backend, tmp_path).items():
        steps = STEPS[:: len(STEPS) // len(rates)]
        assert len(steps) == len(rates) >= 25
        plan = keras_plans[name]
        allowed = WARPED if "warp=" in repr(plan) else LOOSER
        assert np.abs(rates - plan(steps)).max() <= allowed * highest_end(plan), name
