"""The programs for Python, NumPy and PyTorch, which compute in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

import kosine as ks
from kosine._export.to_code import to_code
from tests.support.export_cases import PLANS, highest_end, names_of, peak_of, steps_of
from tests.support.strategies import bent_schedules, schedules

TOLERANCE = 1e-12
EVERY = pytest.mark.parametrize("name", PLANS)


def applied_rates(program: str, plan: ks.Plan) -> NDArray[np.float64]:
    """The rate that each update of plain SGD used: with a gradient of -1, what it added to the weight."""
    names = names_of(program)
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], lr=names.get("PEAK", 0.0))
    scheduler = names["make_scheduler"](optimizer)
    assert isinstance(scheduler, torch.optim.lr_scheduler.LRScheduler)
    rates = []
    for _ in steps_of(plan):
        with torch.no_grad():
            weight.zero_()
        weight.grad = -torch.ones_like(weight)
        optimizer.step()
        scheduler.step()
        rates.append(weight.item())
    return np.array(rates)


@EVERY
def test_python(name: str) -> None:
    plan = PLANS[name]
    learning_rate = names_of(to_code(plan, "python"))["learning_rate"]
    steps = steps_of(plan, beyond=400)
    rates = np.array([learning_rate(int(step)) for step in steps])
    assert np.abs(rates - plan(steps)).max() <= TOLERANCE * peak_of(plan)


@EVERY
def test_numpy(name: str) -> None:
    plan = PLANS[name]
    learning_rate = names_of(to_code(plan, "numpy"))["learning_rate"]
    steps = steps_of(plan, beyond=400)
    rates = learning_rate(steps)
    assert rates.dtype == np.float64
    assert np.abs(rates - plan(steps)).max() <= TOLERANCE * peak_of(plan)
    assert np.abs(learning_rate(steps[:6].reshape(2, 3)) - rates[:6].reshape(2, 3)).max() <= TOLERANCE * peak_of(plan)
    for step in (0, 1, 999):
        single = learning_rate(step)
        assert isinstance(single, float)
        assert abs(single - rates[step]) <= TOLERANCE * peak_of(plan)


@EVERY
def test_torch(name: str) -> None:
    plan = PLANS[name]
    rates = applied_rates(to_code(plan, "torch"), plan)
    assert np.abs(rates - plan(steps_of(plan))).max() <= TOLERANCE * peak_of(plan)


@settings(max_examples=150)
@given(schedule=schedules, total_steps=st.integers(1200, 3000))
def test_any_schedule_as_python_and_numpy(schedule: ks.Schedule, total_steps: int) -> None:
    run: dict[str, Any] = {"steps_per_epoch": 97, "samples_per_step": 32, "tokens_per_step": 1000}
    try:
        plan = schedule.plan(total_steps=total_steps, **run)
    except ks.PlanError:  # no step left for the "rest", or a cycle that shrinks to nothing
        return
    steps = steps_of(plan)
    allowed = TOLERANCE * max(float(plan(steps).max()), np.finfo(float).tiny)
    learning_rate = names_of(to_code(plan, "python"))["learning_rate"]
    assert np.abs(np.array([learning_rate(int(step)) for step in steps]) - plan(steps)).max() <= allowed
    assert np.abs(names_of(to_code(plan, "numpy"))["learning_rate"](steps) - plan(steps)).max() <= allowed


@settings(max_examples=60, deadline=None)
@given(schedule=bent_schedules(longest=300))
def test_any_exponents_and_parts_of_steps(schedule: ks.Schedule) -> None:
    try:
        plan = schedule.plan()
    except ks.PlanError:  # a timescale of less than a step, or a skip beyond the end
        return
    steps = np.arange(min(plan.total_steps or 600, 600))
    allowed = TOLERANCE * highest_end(plan)
    learning_rate = names_of(to_code(plan, "python"))["learning_rate"]
    assert np.abs(np.array([learning_rate(int(step)) for step in steps]) - plan(steps)).max() <= allowed
    assert np.abs(names_of(to_code(plan, "numpy"))["learning_rate"](steps) - plan(steps)).max() <= allowed


def test_steps_of_few_bits_do_not_wrap_around() -> None:
    plan = PLANS["of fractions"]
    learning_rate = names_of(to_code(plan, "numpy"))["learning_rate"]
    for kind in ("int8", "uint8", "int16", "uint64"):
        assert learning_rate(np.arange(100, dtype=kind)) == pytest.approx(plan(np.arange(100)), rel=TOLERANCE)


FALLING = {
    "linear": ks.linear(200_000, start=1e-3, to=0.0),
    "cosine": ks.cosine(200_000, start=1e-3, to=0.0),
    "cosine, power and warp": ks.cosine(200_000, start=1e-3, to=0.0, power=1.5, warp=1.5),
    "polynomial": ks.polynomial(200_000, start=1e-3, to=0.0, power=3.5),
    "polynomial, warp": ks.polynomial(200_000, start=1e-3, to=0.0, warp=0.5),
    "exponential": ks.exponential(200_000, start=1e-3, to=1e-30),
    "exponential, base": ks.exponential(200_000, start=1e-3, to=0.0, base=10.0),
    "one_minus_sqrt": ks.one_minus_sqrt(200_000, start=1e-3, to=0.0),
    "tanh": ks.tanh(200_000, start=1e-3, to=0.0, upper=20.0),
}


@pytest.mark.parametrize("curve", FALLING)
@pytest.mark.parametrize("target", ["python", "numpy"])
def test_the_last_steps_of_a_decay_keep_their_digits(target: str, curve: str) -> None:
    plan = ks.Schedule(FALLING[curve]).plan()
    learning_rate = names_of(to_code(plan, target))["learning_rate"]
    for step in (199_999, 199_998, 199_900, 150_000, 3):
        assert learning_rate(step) == pytest.approx(plan(step), rel=TOLERANCE, abs=0)


ENDLESS = {
    "equal": ks.sgdr(0.05, period=7),
    "of fractions": ks.sgdr(0.05, period="7/3st", warmup=3),
    "doubling": ks.sgdr(0.05, period=10, stretch=2, floor=1e-3),
    "thousandfold": ks.sgdr(0.05, period=3, stretch=1000),
    "by a half": ks.sgdr(0.05, period=10, stretch=1.5, warmup=7),
    "by a tenth": ks.sgdr(0.05, period=10, stretch=1.1),
    "continuous": ks.Schedule(
        ks.section(ks.cycles(ks.cosine("7.5st", start=0.1, to=0.0), stretch=1.5), continuous=True)
    ),
    "staircase": ks.step_decay(0.1, every=30, factor=0.999),
    "inverse_sqrt": ks.inverse_sqrt_decay(0.1, warmup=100),
}


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("target", ["python", "numpy", "torch"])
def test_a_plan_without_an_end_is_right_for_ever(target: str, name: str) -> None:
    plan = ENDLESS[name].plan()
    names = names_of(to_code(plan, target))
    if "learning_rate" not in names:  # a scheduler of torch's own, which counts on from step to step
        assert "CosineAnnealingWarmRestarts" in names or "StepLR" in names
        return
    for exponent in range(1, 18):
        for step in (10**exponent - 1, 10**exponent, 3 * 10**exponent + 7):
            assert abs(names["learning_rate"](step) - plan(step)) <= TOLERANCE * 0.1


@pytest.mark.parametrize(("period", "stretch"), [(10, 2), (7, 3), (10, 10), (3, 1.5), (11, 1.1), ("10/3st", 1)])
@pytest.mark.parametrize("target", ["python", "numpy"])
def test_every_restart_is_at_its_step(target: str, period: int | str, stretch: float) -> None:
    plan = ks.sgdr(1.0, period=period, stretch=stretch).plan(total_steps=10**6)
    learning_rate = names_of(to_code(plan, target))["learning_rate"]
    for row in plan.phases[:300]:
        assert learning_rate(row.first_step) == 1.0
        assert learning_rate(row.stop - 1) == pytest.approx(plan(row.stop - 1), rel=1e-12)


def test_past_a_table_that_ends_with_the_run_no_rate_is_made_up() -> None:
    plan = ks.sgdr(1.0, period=1, stretch=1.001).plan(total_steps=1200)
    last = plan.phases[-1].stop
    assert names_of(to_code(plan, "numpy"))["learning_rate"](10 * last) == pytest.approx(plan(last - 1))
    with pytest.raises(ValueError, match="not enough values"):
        names_of(to_code(plan, "python"))["learning_rate"](10 * last)


NATIVE_TORCH = {
    "ConstantLR": ks.constant(0.1),
    "CosineAnnealingLR": ks.Schedule(ks.cosine(start=0.1, to=0.01)),
    "CosineAnnealingLR, up again": ks.Schedule(ks.cycles(ks.cosine(90, start=0.1, to=0.01), ks.cosine(90, to=0.1))),
    "CosineAnnealingWarmRestarts": ks.sgdr(0.05, period=10, stretch=2, floor=0.001),
    "StepLR": ks.step_decay(0.1, every=30, factor=0.5),
    "StepLR, by ticks": ks.Schedule(ks.section(ks.exponential(start=0.1, factor=0.5), tick=30)),
    "MultiStepLR": ks.Schedule(ks.hold(30, start=0.1), ks.hold(50, start=0.01), ks.hold(start=0.001)),
    "ExponentialLR": ks.Schedule(ks.exponential(start=0.1, factor=0.99)),
    "LinearLR": ks.Schedule(ks.linear(start=0.1, to=0.0)),
    "PolynomialLR": ks.Schedule(ks.polynomial(start=0.1, to=0.0, power=3.0)),
    "SequentialLR": ks.warmup_cosine(0.1, warmup=100, warmup_start=0.01, hold=10, floor=0.001),
    "LambdaLR": ks.warmup_cosine(0.1, warmup=100),  # LinearLR cannot start at 0
    "LambdaLR, long": ks.Schedule(ks.cosine(200_000, start=0.1, to=0.0)),  # the recursion strays
    "LambdaLR, goes on": ks.Schedule(ks.cosine(100, start=0.1, to=0.0)),  # the native one would rise again
    "LambdaLR, by little": ks.step_decay(0.1, every=1, factor=0.99999),
    "LambdaLR, shrinks": ks.sgdr(0.05, period=10, shrink=0.9),
}


@pytest.mark.parametrize("name", NATIVE_TORCH)
def test_torch_uses_its_own_scheduler_where_that_is_right(name: str) -> None:
    plan = NATIVE_TORCH[name].plan(total_steps=1000)
    program = to_code(plan, "torch")
    assert f"return {name.partition(',')[0]}(" in program
    assert np.abs(applied_rates(program, plan) - plan(steps_of(plan))).max() <= TOLERANCE * peak_of(plan)


def test_groups_of_an_optimizer_keep_their_ratio() -> None:
    names = names_of(to_code(PLANS["warmup_cosine, floor"], "torch"))
    weights = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    groups = [{"params": [weights[0]], "lr": names["PEAK"]}, {"params": [weights[1]], "lr": 10 * names["PEAK"]}]
    optimizer = torch.optim.SGD(groups)
    scheduler = names["make_scheduler"](optimizer)
    for _ in range(70):
        optimizer.step()
        scheduler.step()
    first, second = (group["lr"] for group in optimizer.param_groups)
    assert first == pytest.approx(0.7 * names["PEAK"], rel=1e-12)
    assert second == pytest.approx(10 * first, rel=1e-12)
