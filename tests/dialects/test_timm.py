"""timm's schedulers beside timm's own code, loaded without the rest of timm, which would need torchvision."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import inspect
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

import kosine as ks
from kosine.dialects import timm
from tests.support.peers import assert_plannable_and_written, assert_same


@contextmanager
def _bare_package(name: str) -> Iterator[None]:
    """The package without what its own `__init__` imports; what is imported from it is forgotten again."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    bare = ModuleType(name)
    bare.__path__ = list(spec.submodule_search_locations)
    before = {key: sys.modules.pop(key) for key in list(sys.modules) if key.split(".")[0] == name}
    sys.modules[name] = bare
    try:
        yield
    finally:
        for key in [key for key in sys.modules if key.split(".")[0] == name]:
            del sys.modules[key]
        sys.modules.update(before)


with _bare_package("timm"):
    PEER = importlib.import_module("timm.scheduler")

CYCLIC = ("CosineLRScheduler", "PolyLRScheduler", "TanhLRScheduler")


def peer_rates(name: str, lr: float, steps: int, **arguments: Any) -> list[float]:
    """timm's rate at each step, after a `step_update` with it."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)
    scheduler = getattr(PEER, name)(optimizer, t_in_epochs=False, **arguments)
    rates = []
    for step in range(steps):
        scheduler.step_update(step)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def restarts(t_initial: int, cycle_mul: float, below: int) -> dict[int, int]:
    """The steps at which a cycle begins exactly, and the number of that cycle."""
    found, position, cycle = {}, Fraction(0), 0
    while position < below:
        if position.denominator == 1:
            found[int(position)] = cycle
        position += t_initial * Fraction(repr(cycle_mul)) ** cycle
        cycle += 1
    return found


def test_the_version_is_the_one_that_is_followed() -> None:
    assert f"timm {importlib.metadata.version('timm')}" == timm.FOLLOWS


DRIVING = {"optimizer", "t_in_epochs", "initialize", "noise_range_t", "noise_pct", "noise_std", "noise_seed"}
LEFT_OUT = DRIVING | {"stable_timescale", "stable_power"}  # of two stable functions that no phase is


@pytest.mark.parametrize("name", [name for name in timm.__all__ if name != "FOLLOWS"])
def test_arguments_and_defaults_are_timms(name: str) -> None:
    of_peer = inspect.signature(getattr(PEER, name)).parameters
    own = inspect.signature(getattr(timm, name)).parameters
    kept = [(p.name, p.default) for p in of_peer.values() if p.name not in LEFT_OUT]
    assert [(p.name, p.default) for p in own.values()] == [("lr", inspect.Parameter.empty), *kept]


WARMUPS: list[dict[str, Any]] = [
    {},
    {"warmup_t": 5, "warmup_lr_init": 0.01, "warmup_prefix": False},
    {"warmup_t": 5, "warmup_lr_init": 0.01, "warmup_prefix": True},
    {"warmup_t": 1, "warmup_prefix": False},
    {"warmup_t": 4, "warmup_lr_init": 2.0, "warmup_prefix": True},
    {"warmup_t": 70, "warmup_lr_init": 0.01, "warmup_prefix": False},
    {"warmup_lr_init": 0.3},
]
CYCLES: list[dict[str, Any]] = [
    {"t_initial": 12},
    {"t_initial": 12, "lr_min": 0.1},
    {"t_initial": 1},
    {"t_initial": 10, "lr_min": 0.05, "cycle_limit": 3},
    {"t_initial": 10, "lr_min": 0.05, "cycle_limit": 3, "cycle_decay": 0.5},
    {"t_initial": 7, "cycle_mul": 2.0, "cycle_decay": 0.7, "cycle_limit": 3},
    {"t_initial": 7, "cycle_mul": 1.5, "cycle_decay": 0.9, "cycle_limit": 4, "lr_min": 1e-3},
    {"t_initial": 9, "cycle_mul": 1.1, "cycle_limit": 5},
    {"t_initial": 10, "lr_min": 0.5, "cycle_limit": 4, "cycle_decay": 0.5},  # starts at, then below the floor
    {"t_initial": 10, "lr_min": 2.0, "cycle_limit": 3},  # rises
    {"t_initial": 10, "cycle_limit": 3, "cycle_decay": 1.5},
    {"t_initial": 4, "cycle_mul": 2.5, "cycle_limit": 3, "cycle_decay": 1.5, "lr_min": 0.1},
    {"t_initial": 10, "lr_min": 0.1, "cycle_limit": 3, "cycle_decay": 0.0},
    {"t_initial": 10, "cycle_limit": 3, "cycle_decay": 0.0},
    {"t_initial": 10, "lr_min": 0.1, "cycle_limit": 0},
]
MANY_CYCLES: list[dict[str, Any]] = [
    {"t_initial": 2, "cycle_limit": 1200, "cycle_decay": 0.5},  # the peak is 0 from cycle 1,075 on
    {"t_initial": 3, "cycle_mul": 4.0, "cycle_limit": 50},  # longer than a plan can be
    {"t_initial": 3, "cycle_limit": 2**62},
]
OWN: dict[str, list[dict[str, Any]]] = {
    "CosineLRScheduler": [{}, {"k_decay": 2.0}, {"k_decay": 0.5}],
    "PolyLRScheduler": [{}, {"k_decay": 2.0}, {"power": 2.0}, {"power": 0.9, "k_decay": 0.5}],
    "TanhLRScheduler": [{}, {"lb": -3.0, "ub": 2.0}],
}


def wrong_restarts(steps: int, arguments: dict[str, Any]) -> list[int]:
    """The restarts at which the floor of timm's float logarithm is not the cycle that begins there."""
    period, cycle_mul = arguments["t_initial"], arguments.get("cycle_mul", 1.0)
    warmup = arguments.get("warmup_t", 0)
    origin = warmup if arguments.get("warmup_prefix", False) else 0
    return [
        position + origin
        for position, cycle in restarts(period, cycle_mul, steps - origin).items()
        if cycle_mul != 1
        and position + origin >= warmup
        and cycle < arguments.get("cycle_limit", 1)
        and math.floor(math.log(1 - position / period * (1 - cycle_mul), cycle_mul)) != cycle
    ]


@pytest.mark.parametrize("cycles", CYCLES, ids=str)
@pytest.mark.parametrize("warmup", WARMUPS, ids=str)
@pytest.mark.parametrize("name", CYCLIC)
def test_a_cyclic_schedule_is_timms(name: str, warmup: dict[str, Any], cycles: dict[str, Any]) -> None:
    for own in OWN[name] if warmup in WARMUPS[:3] else OWN[name][:1]:
        arguments = {**cycles, **warmup, **own}
        schedule = getattr(timm, name)(0.7, **arguments)
        peer = peer_rates(name, 0.7, 120, **arguments)
        assert_same(schedule, peer, except_at=wrong_restarts(120, arguments))


@pytest.mark.parametrize("cycles", MANY_CYCLES, ids=str)
@pytest.mark.parametrize("name", CYCLIC)
def test_very_many_cycles_are_timms(name: str, cycles: dict[str, Any]) -> None:
    for lr in (0.7, 0.0):
        assert_same(getattr(timm, name)(lr, **cycles), peer_rates(name, lr, 100, **cycles))


@pytest.mark.parametrize("cycles", CYCLES + MANY_CYCLES, ids=str)
@pytest.mark.parametrize("name", CYCLIC)
def test_a_cyclic_schedule_can_be_planned_and_written(name: str, cycles: dict[str, Any]) -> None:
    for warmup in WARMUPS[1:3]:
        assert_plannable_and_written(getattr(timm, name)(0.7, **cycles, **warmup, **OWN[name][1]))


@settings(max_examples=40)
@given(
    name=st.sampled_from(CYCLIC),
    lr=st.floats(1e-6, 2.0),
    t_initial=st.integers(1, 60),
    lr_min=st.just(0.0) | st.floats(0.0, 0.1),
    cycle_mul=st.sampled_from([1, 1.0, 1.3, 1.75, 2.0, 3]),
    cycle_decay=st.sampled_from([1.0, 0.5, 0.9]),
    cycle_limit=st.integers(1, 6),
    warmup=st.fixed_dictionaries(
        {"warmup_t": st.integers(0, 40), "warmup_lr_init": st.floats(0.0, 0.1), "warmup_prefix": st.booleans()}
    ),
)
def test_any_cyclic_schedule_is_timms(
    name: str,
    lr: float,
    t_initial: int,
    lr_min: float,
    cycle_mul: float,
    cycle_decay: float,
    cycle_limit: int,
    warmup: dict[str, Any],
) -> None:
    arguments = {
        "t_initial": t_initial,
        "lr_min": lr_min,
        "cycle_mul": cycle_mul,
        "cycle_decay": cycle_decay,
        "cycle_limit": cycle_limit,
        **warmup,
    }
    schedule = getattr(timm, name)(lr, **arguments)
    wrong = wrong_restarts(250, arguments)
    if not wrong:  # what timm does there is pinned below
        assert_same(schedule, peer_rates(name, lr, 250, **arguments))
    assert_plannable_and_written(schedule)


@pytest.mark.parametrize("name", CYCLIC)
def test_where_timm_has_the_floor_at_a_restart_the_peak_is_right(name: str) -> None:
    arguments: dict[str, Any] = {"t_initial": 10, "cycle_mul": 3, "cycle_limit": 20, "lr_min": 0.1}
    wrong = wrong_restarts(10**9, arguments)
    assert wrong == [1210, 295_240, 7_971_610, 71_744_530, 645_700_810]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    peer = getattr(PEER, name)(optimizer, **arguments)
    plan = getattr(timm, name)(1.0, **arguments).plan()
    for step in wrong:
        (floor,) = peer._get_lr(step)
        assert floor == pytest.approx(0.1, abs=3e-3)  # tanh ends a little above its floor
        assert plan(step) == plan(0) == pytest.approx(1.0, abs=1e-6)
        assert plan(step + 1) == pytest.approx(peer._get_lr(step + 1)[0], rel=1e-6)
    peer_curve = peer_rates(name, 1.0, 1300, **arguments)
    assert_same(getattr(timm, name)(1.0, **arguments), peer_curve, except_at=[1210])


def test_a_warm_up_of_tanh_meets_the_curve_that_runs_under_it() -> None:
    plan = timm.TanhLRScheduler(1.0, t_initial=10, warmup_t=7).plan()
    assert plan(7) == pytest.approx(0.5, abs=1e-15)
    assert plan(6) == pytest.approx(0.5 * 6 / 7, abs=1e-15)


@pytest.mark.parametrize("warmup", WARMUPS, ids=str)
@pytest.mark.parametrize(
    "stairs",
    [
        {"decay_t": 30, "decay_rate": 0.1},
        {"decay_t": 1, "decay_rate": 0.97},
        {"decay_t": 2.4, "decay_rate": 0.97},  # EfficientNet
        {"decay_t": 7.25, "decay_rate": 0.5},
        {"decay_t": 10},
        {"decay_t": 9, "decay_rate": 0.0},
        {"decay_t": 8.5, "decay_rate": 0.0},
        {"decay_t": 1000, "decay_rate": 0.5},
    ],
    ids=str,
)
def test_a_staircase_is_timms(warmup: dict[str, Any], stairs: dict[str, Any]) -> None:
    for lr in (0.1, 0.0):
        schedule = timm.StepLRScheduler(lr, **stairs, **warmup)
        assert_same(schedule, peer_rates("StepLRScheduler", lr, 200, **stairs, **warmup))
        assert_plannable_and_written(schedule)


@settings(max_examples=20)
@given(
    st.just(0.0) | st.floats(1e-9, 2.0),
    st.integers(1, 50) | st.integers(4, 400).map(lambda quarters: quarters / 4),
    st.floats(0.01, 1.0),
    st.integers(0, 40),
    st.booleans(),
)
def test_any_staircase_is_timms(lr: float, decay_t: float, decay_rate: float, warmup_t: int, prefix: bool) -> None:
    arguments: dict[str, Any] = {
        "decay_t": decay_t,
        "decay_rate": decay_rate,
        "warmup_t": warmup_t,
        "warmup_prefix": prefix,
    }
    schedule = timm.StepLRScheduler(lr, **arguments)
    assert_same(schedule, peer_rates("StepLRScheduler", lr, 150, **arguments))
    assert_plannable_and_written(schedule)


def test_where_timm_falls_late_because_a_float_is_above_its_decimal() -> None:
    peer = peer_rates("StepLRScheduler", 1.0, 12, decay_t=2.2, decay_rate=0.5)
    rates = timm.StepLRScheduler(1.0, decay_t=2.2, decay_rate=0.5).plan()(np.arange(12))
    assert [step for step in range(12) if rates[step] != peer[step]] == [11]
    assert (peer[11], rates[11]) == (0.5**4, 0.5**5)


@pytest.mark.parametrize("warmup", WARMUPS, ids=str)
@pytest.mark.parametrize(
    "stairs",
    [
        {"decay_t": [30, 60, 90], "decay_rate": 0.1},
        {"decay_t": [1, 2, 40, 40, 41], "decay_rate": 0.5},
        {"decay_t": [0, 5, 10**6], "decay_rate": 1.25},
        {"decay_t": [], "decay_rate": 0.5},
        {"decay_t": [3, 7]},
        {"decay_t": [3, 7], "decay_rate": 0.0},
    ],
    ids=str,
)
def test_milestones_are_timms(warmup: dict[str, Any], stairs: dict[str, Any]) -> None:
    schedule = timm.MultiStepLRScheduler(0.1, **stairs, **warmup)
    assert_same(schedule, peer_rates("MultiStepLRScheduler", 0.1, 200, **stairs, **warmup))
    assert_plannable_and_written(schedule)


@pytest.mark.parametrize("warmup", [w for w in WARMUPS if "warmup_prefix" not in w] + [{"warmup_t": 8}], ids=str)
@pytest.mark.parametrize(
    "decay",
    [
        {},
        {"decay_fn": "linear"},
        {"decay_fn": "cosine"},
        {"decay_fn": "power"},
        {"decay_fn": "power", "decay_power": 2.0},
        {"decay_fn": "exp"},
        {"decay_fn": "exp", "decay_ratio": 1e-4},
    ],
    ids=str,
)
@pytest.mark.parametrize("lr_min", [0.0, 0.01, 0.5])
def test_warmup_stable_decay_is_timms(warmup: dict[str, Any], decay: dict[str, Any], lr_min: float) -> None:
    for t_initial, decay_t in ((50, 20), (50, 50), (1, 1)):
        arguments = {"t_initial": t_initial, "decay_t": decay_t, "lr_min": lr_min, **decay, **warmup}
        schedule = timm.WSDLRScheduler(0.1, **arguments)
        assert_same(schedule, peer_rates("WSDLRScheduler", 0.1, 80, **arguments))
        assert_plannable_and_written(schedule)


def test_by_epochs_a_clock_of_epochs_shows_each_rate_for_an_epoch() -> None:
    parts = timm.CosineLRScheduler(1.0, t_initial=12, lr_min=0.1, warmup_t=4).parts
    plan = ks.Schedule(ks.section(*parts, tick="1ep")).plan(epochs=14, steps_per_epoch=7)
    by_epochs = peer_rates("CosineLRScheduler", 1.0, 14, t_initial=12, lr_min=0.1, warmup_t=4)
    assert plan(np.arange(14 * 7)) == pytest.approx(np.repeat(by_epochs, 7), abs=1e-12)


Dialect = Callable[..., ks.Schedule]
COSINE: dict[str, Any] = {"lr": 0.1, "t_initial": 10}
STEP: dict[str, Any] = {"lr": 0.1, "decay_t": 10}
MILESTONES: dict[str, Any] = {"lr": 0.1, "decay_t": [10]}
WSD: dict[str, Any] = {"lr": 0.1, "t_initial": 10, "decay_t": 5}


@pytest.mark.parametrize(
    ("dialect", "valid", "wrong", "error", "message"),
    [
        (timm.CosineLRScheduler, COSINE, {"lr": -0.1}, ks.ScheduleError, r"`lr` must be .* lr=-0\.1"),
        (timm.CosineLRScheduler, COSINE, {"t_initial": 0}, ks.ScheduleError, r"`t_initial` must be .* >= 1"),
        (timm.CosineLRScheduler, COSINE, {"t_initial": 9.5}, ks.ArgumentTypeError, r"`t_initial` .* t_initial=9\.5"),
        (timm.CosineLRScheduler, COSINE, {"lr_min": -1}, ks.ScheduleError, r"`lr_min` must be"),
        (timm.CosineLRScheduler, COSINE, {"cycle_mul": 0.5}, ks.ScheduleError, r"`cycle_mul` must be .* >= 1"),
        (timm.CosineLRScheduler, COSINE, {"cycle_decay": -1}, ks.ScheduleError, r"`cycle_decay` must be .* >= 0"),
        (timm.CosineLRScheduler, COSINE, {"cycle_limit": -1}, ks.ScheduleError, r"`cycle_limit` must be .* >= 0"),
        (timm.CosineLRScheduler, COSINE, {"cycle_limit": 1.5}, ks.ArgumentTypeError, r"`cycle_limit` must be"),
        (timm.CosineLRScheduler, COSINE, {"warmup_t": -1}, ks.ScheduleError, r"`warmup_t` must be .* >= 0"),
        (timm.CosineLRScheduler, COSINE, {"warmup_lr_init": -1}, ks.ScheduleError, r"`warmup_lr_init` must be"),
        (timm.CosineLRScheduler, COSINE, {"warmup_prefix": 1}, ks.ArgumentTypeError, r"`warmup_prefix` must be True"),
        (timm.CosineLRScheduler, COSINE, {"k_decay": 0}, ks.ScheduleError, r"`k_decay` must be .* > 0"),
        (
            timm.CosineLRScheduler,
            COSINE,
            {"cycle_limit": 2000, "cycle_decay": 0.5, "lr_min": 0.01},
            ks.ScheduleError,
            r"`cycle_limit` must make at most 1,000 cycles that grow, .*\. Received: cycle_limit=2,000",
        ),
        (
            timm.CosineLRScheduler,
            COSINE,
            {"cycle_limit": 3, "cycle_decay": 1e300},
            ks.ScheduleError,
            r"`cycle_decay` must leave the rate finite\. Received: cycle_decay=1e\+300",
        ),
        (timm.PolyLRScheduler, COSINE, {"power": 0}, ks.ScheduleError, r"`power` must be .* > 0"),
        (timm.TanhLRScheduler, COSINE, {"lb": 3, "ub": 3}, ks.ScheduleError, r"`lb` must be below `ub`.* lb=3, ub=3"),
        (timm.TanhLRScheduler, COSINE, {"ub": math.inf}, ks.ScheduleError, r"`ub` must be a number > -20"),
        (timm.StepLRScheduler, STEP, {"decay_t": 0.5}, ks.ScheduleError, r"`decay_t` must be .* from 1 "),
        (timm.StepLRScheduler, STEP, {"decay_rate": 1.1}, ks.ScheduleError, r"`decay_rate` must be .* from 0 to 1"),
        (
            timm.MultiStepLRScheduler,
            MILESTONES,
            {"decay_t": [5, 3]},
            ks.ScheduleError,
            r"`decay_t` must be sorted\. Received: decay_t=3 after 5",
        ),
        (timm.MultiStepLRScheduler, MILESTONES, {"decay_t": [-1]}, ks.ScheduleError, r"`decay_t\[0\]` must be"),
        (timm.MultiStepLRScheduler, MILESTONES, {"decay_t": 5}, ks.ArgumentTypeError, r"`decay_t` must be a list"),
        (timm.MultiStepLRScheduler, MILESTONES, {"decay_rate": -1}, ks.ScheduleError, r"`decay_rate` must be .* >= 0"),
        (timm.WSDLRScheduler, WSD, {"decay_t": 11}, ks.ScheduleError, r"`decay_t` must be at most `t_initial`"),
        (timm.WSDLRScheduler, WSD, {"decay_t": 0}, ks.ScheduleError, r"`decay_t` must be .* >= 1"),
        (timm.WSDLRScheduler, WSD, {"stable_fn": "rsqrt"}, ks.ScheduleError, r'`stable_fn` must be "constant".*rsqrt'),
        (timm.WSDLRScheduler, WSD, {"stable_fn": "flat"}, ks.ScheduleError, r"`stable_fn` must be one of"),
        (timm.WSDLRScheduler, WSD, {"decay_fn": "sine"}, ks.ScheduleError, r"`decay_fn` must be one of"),
        (timm.WSDLRScheduler, WSD, {"decay_fn": abs}, ks.ArgumentTypeError, r"`decay_fn` must be the name of a curve"),
        (timm.WSDLRScheduler, WSD, {"decay_power": 0}, ks.ScheduleError, r"`decay_power` must be .* > 0"),
        (timm.WSDLRScheduler, WSD, {"decay_ratio": 1.0}, ks.ScheduleError, r"`decay_ratio` must be"),
    ],
)
def test_a_bad_argument_is_named(
    dialect: Dialect, valid: dict[str, Any], wrong: dict[str, Any], error: type[Exception], message: str
) -> None:
    dialect(**valid)
    with pytest.raises(error, match=message):
        dialect(**{**valid, **wrong})
