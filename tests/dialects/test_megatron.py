"""Megatron's own scheduler beside the dialect; its source file needs of Megatron only a function that logs."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from importlib.metadata import distribution, version
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import kosine as ks
from kosine.dialects import megatron
from tests.support.peers import assert_plannable_and_written, assert_same

STYLES = ["constant", "linear", "cosine", "inverse-square-root"]
WSD_STYLES = ["exponential", "linear", "cosine", "minus_sqrt"]
NO_WEIGHT_DECAY = {"start_wd": 0.0, "end_wd": 0.0, "wd_incr_steps": 1, "wd_incr_style": "constant"}
NO_RATE = {
    "init_lr": 0.0,
    "max_lr": 1.0,
    "min_lr": 0.0,
    "lr_warmup_steps": 0,
    "lr_decay_steps": 1,
    "lr_decay_style": "constant",
}


@pytest.fixture(scope="module")
def peer() -> ModuleType:
    """The module `megatron.core.optimizer_param_scheduler`, loaded without the rest of Megatron."""
    name = "megatron.core.optimizer_param_scheduler"
    path = distribution("megatron-core").locate_file(name.replace(".", "/") + ".py")
    spec = importlib.util.spec_from_file_location(name, str(path))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        for package in ("megatron", "megatron.core", "megatron.core.utils"):
            patch.setitem(sys.modules, package, ModuleType(package))
        vars(sys.modules["megatron.core.utils"])["log_single_rank"] = lambda *_: None
        spec.loader.exec_module(module)
    return module


def applied(peer: ModuleType, entry: str, steps: int, arguments: dict[str, Any]) -> list[float]:
    """What Megatron's scheduler writes into the optimizer for each update."""
    optimizer = SimpleNamespace(param_groups=[{}])
    scheduler = peer.OptimizerParamScheduler(optimizer, **arguments)
    values: list[float] = []
    for _ in range(steps):
        values.append(optimizer.param_groups[0][entry])
        scheduler.step(1)
    return values


def assert_same_rate(peer: ModuleType, **arguments: Any) -> None:
    schedule = megatron.OptimizerParamScheduler(**arguments)
    expected = applied(peer, "lr", arguments["lr_decay_steps"] + 30, NO_WEIGHT_DECAY | arguments)
    assert_same(schedule, expected)
    assert_plannable_and_written(schedule)


def test_it_follows_the_installed_version() -> None:
    assert f"megatron-core {version('megatron-core')}" == megatron.FOLLOWS


def test_its_arguments_are_those_of_megatron(peer: ModuleType) -> None:
    theirs = inspect.signature(peer.OptimizerParamScheduler).parameters
    for function in (megatron.OptimizerParamScheduler, megatron.weight_decay):
        for name, parameter in inspect.signature(function).parameters.items():
            assert parameter.default == theirs[name].default


RATES = [(0.0, 3e-4, 3e-5), (1e-5, 3e-4, 0.0), (0.1, 0.1, 0.1), (0.0, 0.7, 0.69)]


@pytest.mark.parametrize(("init_lr", "max_lr", "min_lr"), RATES)
@pytest.mark.parametrize(("warmup", "end"), [(0, 1), (0, 2), (0, 40), (1, 2), (1, 3), (10, 40), (39, 40)])
@pytest.mark.parametrize("style", STYLES)
def test_the_rate(
    peer: ModuleType, style: str, warmup: int, end: int, init_lr: float, max_lr: float, min_lr: float
) -> None:
    assert_same_rate(
        peer,
        init_lr=init_lr,
        max_lr=max_lr,
        min_lr=min_lr,
        lr_warmup_steps=warmup,
        lr_decay_steps=end,
        lr_decay_style=style,
    )


@pytest.mark.parametrize(("init_lr", "max_lr", "min_lr"), RATES)
@pytest.mark.parametrize(
    ("warmup", "end", "decay"),
    [
        (0, 40, 10),
        (0, 40, 40),
        (0, 40, 55),
        (0, 1, 1),
        (0, 1, 9),
        (10, 40, 0),
        (10, 40, 1),
        (10, 40, 12),
        (10, 40, 30),
        (10, 40, 31),
        (10, 40, 90),
        (39, 40, 1),
        (39, 40, 9),
    ],
)
@pytest.mark.parametrize("style", WSD_STYLES)
def test_warm_up_stable_decay(
    peer: ModuleType, style: str, warmup: int, end: int, decay: int, init_lr: float, max_lr: float, min_lr: float
) -> None:
    assert_same_rate(
        peer,
        init_lr=init_lr,
        max_lr=max_lr,
        min_lr=min_lr,
        lr_warmup_steps=warmup,
        lr_decay_steps=end,
        lr_decay_style="WSD",
        wsd_decay_steps=decay,
        lr_wsd_decay_style=style,
    )


@settings(max_examples=150, deadline=None)
@given(
    rates=st.lists(st.floats(0.0, 1.0, allow_subnormal=False), min_size=3, max_size=3).map(sorted),
    swap=st.booleans(),
    steps=st.lists(st.integers(0, 60), min_size=2, max_size=2, unique=True).map(sorted),
    decay=st.integers(0, 80),
    style=st.sampled_from([*STYLES, "WSD"]),
    wsd_style=st.sampled_from(WSD_STYLES),
)
def test_any_settings(
    peer: ModuleType, rates: list[float], swap: bool, steps: list[int], decay: int, style: str, wsd_style: str
) -> None:
    first, floor = (rates[1], rates[0]) if swap else (rates[0], rates[1])
    arguments: dict[str, Any] = {
        "init_lr": first,
        "max_lr": rates[2],
        "min_lr": floor,
        "lr_warmup_steps": steps[0],
        "lr_decay_steps": steps[1],
        "lr_decay_style": style,
        "wsd_decay_steps": decay,
        "lr_wsd_decay_style": wsd_style,
    }
    schedule = megatron.OptimizerParamScheduler(**arguments)
    assert_same(schedule, applied(peer, "lr", 2 * steps[1] + 5, NO_WEIGHT_DECAY | arguments))


def test_the_inverse_square_root_meets_its_floor_at_the_exact_step() -> None:
    schedule = megatron.OptimizerParamScheduler(0.0, 0.1, 0.01, 50, 20_000, "inverse-square-root")
    plan = schedule.plan()
    assert [row.first_step for row in plan.phases] == [0, 50, 5000]
    assert plan(4999) > plan(5000) == plan(20_000) == plan(20_001) == 0.01
    early = megatron.OptimizerParamScheduler(0.0, 0.1, 0.01, 50, 1000, "inverse-square-root").plan()
    assert early(1000) == pytest.approx(0.1 * (50 / 1000) ** 0.5)
    assert early(1001) == 0.01


@pytest.mark.parametrize("style", ["linear", "cosine"])
@pytest.mark.parametrize(("start_wd", "end_wd"), [(0.0, 0.1), (0.01, 0.1), (0.1, 0.1)])
@pytest.mark.parametrize("steps", [1, 2, 50])
def test_the_weight_decay(peer: ModuleType, style: str, start_wd: float, end_wd: float, steps: int) -> None:
    arguments = {"start_wd": start_wd, "end_wd": end_wd, "wd_incr_steps": steps, "wd_incr_style": style}
    schedule = megatron.weight_decay(**arguments)  # type: ignore[arg-type]
    assert_same(schedule, applied(peer, "weight_decay", steps + 20, NO_RATE | arguments))
    assert_plannable_and_written(schedule)


def test_a_constant_weight_decay(peer: ModuleType) -> None:
    arguments = {"start_wd": 0.1, "end_wd": 0.1, "wd_incr_steps": 0, "wd_incr_style": "constant"}
    schedule = megatron.weight_decay(**arguments)  # type: ignore[arg-type]
    assert_same(schedule, applied(peer, "weight_decay", 20, NO_RATE | arguments))
    assert_plannable_and_written(schedule)


GOOD: dict[str, Any] = {
    "init_lr": 0.0,
    "max_lr": 1.0,
    "min_lr": 0.1,
    "lr_warmup_steps": 10,
    "lr_decay_steps": 100,
    "lr_decay_style": "WSD",
    "wsd_decay_steps": 20,
    "lr_wsd_decay_style": "linear",
}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"init_lr": -0.1}, "`init_lr` must be a finite learning rate"),
        ({"init_lr": 1.1}, "`init_lr` must be at most `max_lr`"),
        ({"max_lr": float("inf")}, "`max_lr`"),
        ({"min_lr": -0.1}, "`min_lr` must be a finite learning rate"),
        ({"min_lr": 1.1}, "`min_lr` must be at most `max_lr`"),
        ({"lr_warmup_steps": -1}, "`lr_warmup_steps` must be an integer >= 0"),
        ({"lr_warmup_steps": 100}, "`lr_warmup_steps` must be below `lr_decay_steps`"),
        ({"lr_decay_steps": 0}, "`lr_decay_steps` must be an integer >= 1"),
        ({"lr_decay_style": "inverse_sqrt"}, "`lr_decay_style` must be one of"),
        ({"wsd_decay_steps": None}, "`wsd_decay_steps` must be given"),
        ({"wsd_decay_steps": -1}, "`wsd_decay_steps` must be an integer >= 0"),
        ({"lr_wsd_decay_style": None}, "`lr_wsd_decay_style` must be one of"),
        ({"lr_wsd_decay_style": "sqrt"}, "`lr_wsd_decay_style` must be one of"),
    ],
)
def test_wrong_values(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ks.ScheduleError, match=message):
        megatron.OptimizerParamScheduler(**(GOOD | wrong))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"max_lr": "1"}, "`max_lr`"), ({"lr_decay_steps": 10.5}, "`lr_decay_steps` must be an integer")],
)
def test_wrong_types(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ks.ArgumentTypeError, match=message):
        megatron.OptimizerParamScheduler(**(GOOD | wrong))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"start_wd": -0.1}, "`start_wd` must be a finite number >= 0"),
        ({"end_wd": 0.0}, "`end_wd` must be at least `start_wd`"),
        ({"wd_incr_steps": 0}, "`wd_incr_steps` must be an integer >= 1"),
        ({"wd_incr_style": "constant"}, "must be equal"),
        ({"wd_incr_style": "step"}, "`wd_incr_style` must be one of"),
    ],
)
def test_wrong_weight_decay(wrong: dict[str, Any], message: str) -> None:
    good = {"start_wd": 0.01, "end_wd": 0.1, "wd_incr_steps": 10, "wd_incr_style": "linear"}
    with pytest.raises(ks.ScheduleError, match=message):
        megatron.weight_decay(**(good | wrong))  # type: ignore[arg-type]
