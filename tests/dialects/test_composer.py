"""Composer's own schedulers beside the dialect; their source files need nothing of Composer but its notion of time."""

from __future__ import annotations

import functools
import importlib.util
import inspect
import itertools
import sys
import warnings
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import distribution, version
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

import kosine as ks
from kosine.dialects import composer
from tests.support.peers import assert_plannable_and_written

NAMES = [name for name in composer.__all__ if name != "FOLLOWS"]
PLAIN: dict[str, dict[str, Any]] = {
    "ConstantScheduler": {"alpha": 0.4},
    "LinearScheduler": {"alpha_i": 0.9, "alpha_f": 0.2},
    "CosineAnnealingScheduler": {"alpha_f": 0.1},
    "PolynomialScheduler": {"power": 1.7, "alpha_f": 0.1},
}
WARM: dict[str, dict[str, Any]] = {
    "ConstantWithWarmupScheduler": {"alpha": 0.4},
    "LinearWithWarmupScheduler": {"alpha_i": 0.9, "alpha_f": 0.2},
    "CosineAnnealingWithWarmupScheduler": {"alpha_f": 0.1},
    "PolynomialWithWarmupScheduler": {"power": 1.7, "alpha_f": 0.1},
}
EPOCH, SAMPLES, TOKENS = 7, 24, 100
SIZES = {"ba": Fraction(1), "ep": Fraction(EPOCH), "sp": Fraction(1, SAMPLES), "tok": Fraction(1, TOKENS)}
RUNS = ["1ba", "41ba", "5ep"]
TIMES = ["1ba", "13ba", "3ep", "100sp", "25tok", "1.05e3TOK", "0.5dur", "0.37dur", "1dur"]


@dataclass(frozen=True)
class Composer:
    """The modules `composer.optim.scheduler` and `composer.core.time`."""

    scheduler: ModuleType
    time: ModuleType

    @functools.cache  # noqa: B019  there is one of it
    def state(self, batch: int, run: str) -> SimpleNamespace:
        """What a scheduler reads of the trainer's state when so many batches of a run are done."""
        stamp = self.time.Timestamp(
            epoch=batch // EPOCH,
            batch=batch,
            sample=batch * SAMPLES,
            token=batch * TOKENS,
            batch_in_epoch=batch % EPOCH,
        )
        duration = self.time.Time.from_timestring(run)
        return SimpleNamespace(timestamp=stamp, max_duration=duration, dataloader_len=self.time.Time.from_batch(EPOCH))

    def factors(self, name: str, steps: int, run: str, **arguments: Any) -> NDArray[np.float64]:
        """What a scheduler multiplies the optimizer's rate with at each step."""
        scheduler = getattr(self.scheduler, name)(**arguments)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="\\s*The warmup duration is 0")
            return np.array([scheduler(self.state(step, run)) for step in range(steps)])


@pytest.fixture(scope="module")
def peer() -> Composer:
    """Composer's schedulers, loaded without the rest of Composer and what it needs."""
    with pytest.MonkeyPatch.context() as patch:

        def stand_in(name: str, **contents: Any) -> None:
            module = ModuleType(name)
            vars(module).update(contents)
            patch.setitem(sys.modules, name, module)

        def load(name: str) -> ModuleType:
            path = distribution("mosaicml").locate_file(name.replace(".", "/") + ".py")
            spec = importlib.util.spec_from_file_location(name, str(path))
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            patch.setitem(sys.modules, name, module)
            spec.loader.exec_module(module)
            return module

        stand_in("composer")
        stand_in("composer.core")
        load("composer.core.serializable")
        stand_in("composer.utils", StringEnum=load("composer.utils.string_enum").StringEnum)
        time = load("composer.core.time")
        stand_in("composer.core", State=object, Time=time.Time, TimeUnit=time.TimeUnit)
        return Composer(load("composer.optim.scheduler"), time)


def planned(schedule: ks.Schedule, run: str) -> ks.Plan:
    unit = run.lstrip("0123456789")
    steps = int(run.removesuffix(unit)) * SIZES[unit]
    assert steps.denominator == 1
    return schedule.plan(
        total_steps=int(steps), steps_per_epoch=EPOCH, samples_per_step=SAMPLES, tokens_per_step=TOKENS
    )


def assert_same(peer: Composer, name: str, run: str, /, **arguments: Any) -> None:
    """The plan of a run has Composer's rate at every step, also beyond the end; and it can be written and read."""
    lr = 0.3
    schedule: ks.Schedule = getattr(composer, name)(lr, **arguments)
    plan = planned(schedule, run)
    assert plan.total_steps is not None
    steps = 2 * plan.total_steps + 60
    rates = plan(np.arange(steps))
    expected = lr * peer.factors(name, steps, run, **arguments)
    wrong = np.flatnonzero(np.abs(rates - expected) > 1e-12 * expected.max())
    assert not wrong.size, f"step {wrong[0]}: {rates[wrong[0]]!r}, Composer {expected[wrong[0]]!r} in {plan!r}"
    assert ks.parse(repr(schedule)) == schedule
    assert ks.loads(ks.dumps(schedule)) == schedule


def test_it_follows_the_installed_version() -> None:
    assert f"composer {version('mosaicml')}" == composer.FOLLOWS


def test_it_has_every_scheduler_with_the_same_arguments(peer: Composer) -> None:
    assert set(NAMES) == set(peer.scheduler.__all__) - {"ComposerScheduler", "compile_composer_scheduler"}
    for name in NAMES:
        ours = list(inspect.signature(getattr(composer, name)).parameters.values())
        theirs = list(inspect.signature(getattr(peer.scheduler, name)).parameters.values())
        assert ours[0].name == "lr"
        assert [(entry.name, entry.default) for entry in ours[1:]] == [(entry.name, entry.default) for entry in theirs]


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("t_max", TIMES)
@pytest.mark.parametrize("run", RUNS[1:])
def test_one_curve(peer: Composer, name: str, t_max: str, run: str) -> None:
    assert_same(peer, name, run, t_max=t_max, **PLAIN[name])


@pytest.mark.parametrize("run", RUNS)
def test_defaults(peer: Composer, run: str) -> None:
    for name, arguments in PLAIN.items():
        assert_same(peer, name, run, **({"power": 2.0} if "power" in arguments else {}))
    for name in WARM:
        assert_same(peer, name, run, t_warmup="0.1dur")


@pytest.mark.parametrize("arguments", [{"alpha_f": 1.0}, {"alpha_f": 3.0}, {"alpha_f": 0.0}])
def test_curves_that_rise_or_do_not_move(peer: Composer, arguments: dict[str, float]) -> None:
    for name in ("LinearScheduler", "CosineAnnealingScheduler"):
        assert_same(peer, name, "40ba", **arguments)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 1.05])
@pytest.mark.parametrize("time", TIMES)
@pytest.mark.parametrize("run", RUNS[1:])
def test_decays_by_a_factor(peer: Composer, time: str, run: str, gamma: float) -> None:
    if gamma <= 1 or "dur" not in time:
        assert_same(peer, "ExponentialScheduler", run, gamma=gamma, decay_period=time)
    if gamma <= 1 or not time.lower().endswith(("sp", "tok")):
        assert_same(peer, "StepScheduler", run, gamma=gamma, step_size=time)


@pytest.mark.parametrize("time", ["10ba", "100sp", "0.5dur"])
def test_a_step_to_0(peer: Composer, time: str) -> None:
    assert_same(peer, "StepScheduler", "41ba", gamma=0.0, step_size=time)


def test_growth_ends_where_float32_does() -> None:
    plan = composer.ExponentialScheduler(1e-3, gamma=10.0, decay_period="2ba").plan()
    assert plan(2 * 29) == pytest.approx(1e26)
    assert plan(2 * 29 + 1000) == plan(60)
    share = composer.ExponentialScheduler(1e-3, gamma=10.0, decay_period="0.5dur").plan(total_steps=20)
    assert share(19) < share(20) == share(100) == pytest.approx(0.1)


MILESTONES = [
    [],
    ["0ba"],
    ["10ba", "30ba"],
    ["30ba", "10ba", "10ba"],
    ["1ep", "4ep"],
    ["0.37dur", "0.5dur", "0.99dur"],
    ["0.5dur", "1dur"],
    ["0dur", "0.05dur"],
]


@pytest.mark.parametrize("milestones", [*MILESTONES, ["100sp", "481sp"], ["1000tok", "2550tok"]], ids=str)
@pytest.mark.parametrize("run", RUNS)
def test_milestones(peer: Composer, milestones: list[str], run: str) -> None:
    assert_same(peer, "MultiStepScheduler", run, milestones=milestones)
    assert_same(peer, "MultiStepScheduler", run, milestones=milestones, gamma=0.0)


@pytest.mark.parametrize(
    ("t_warmup", "milestones"),
    [
        *itertools.product(["0ba", "12ba", "2ep", "0.3dur"], MILESTONES),
        ("290sp", ["100sp", "481sp"]),
        ("1210tok", ["1000tok", "2550tok"]),
        ("290sp", []),
    ],
    ids=str,
)
def test_milestones_after_a_warm_up(peer: Composer, t_warmup: str, milestones: list[str]) -> None:
    assert_same(peer, "MultiStepWithWarmupScheduler", "41ba", t_warmup=t_warmup, milestones=milestones)


@pytest.mark.parametrize("name", WARM)
@pytest.mark.parametrize("run", RUNS[1:])
@pytest.mark.parametrize(
    ("t_warmup", "t_max"),
    [
        ("0ba", "1dur"),
        ("1ba", "1dur"),
        ("13ba", "1dur"),
        ("2ep", "1dur"),
        ("0.1dur", "1dur"),
        ("0.37dur", "1dur"),
        ("1dur", "1dur"),
        ("13ba", "50ba"),
        ("60ba", "50ba"),
        ("50ba", "50ba"),
        ("2ep", "9ep"),
        ("10ba", "9ep"),
        ("2ep", "60ba"),
        ("0.1dur", "60ba"),
        ("0dur", "60ba"),
        ("100sp", "1441sp"),
        ("1030tok", "6000tok"),
        ("0tok", "6000tok"),
    ],
)
def test_a_warm_up_and_a_curve(peer: Composer, name: str, run: str, t_warmup: str, t_max: str) -> None:
    assert_same(peer, name, run, t_warmup=t_warmup, t_max=t_max, **WARM[name])


@pytest.mark.parametrize("name", WARM)
def test_a_run_in_samples(peer: Composer, name: str) -> None:
    assert_same(peer, name, f"{40 * SAMPLES}sp", t_warmup="100sp", **WARM[name])
    assert_same(peer, name, f"{40 * TOKENS}tok", t_warmup="0tok", **WARM[name])


@pytest.mark.parametrize("t_0", ["1ba", "9ba", "2ep", "100sp", "0.37dur"])
@pytest.mark.parametrize("t_mult", [1.0, 2, 3.0])
@pytest.mark.parametrize("run", RUNS[1:])
def test_warm_restarts(peer: Composer, t_0: str, t_mult: float, run: str) -> None:
    assert_same(peer, "CosineAnnealingWarmRestartsScheduler", run, t_0=t_0, t_mult=t_mult, alpha_f=0.1)


@pytest.mark.parametrize("t_0", ["3ba", "10ba", "100sp", "333tok"])
@pytest.mark.parametrize("t_mult", [1.15, 1.3, 1.5, 2.7])
def test_warm_restarts_whose_lengths_are_truncated(peer: Composer, t_0: str, t_mult: float) -> None:
    assert_same(peer, "CosineAnnealingWarmRestartsScheduler", "100ba", t_0=t_0, t_mult=t_mult)


def test_every_restart_is_listed_to_the_last_step(peer: Composer) -> None:
    schedule = composer.CosineAnnealingWarmRestartsScheduler(1.0, "3ba", t_mult=1.5)
    rows = schedule.plan().phases
    assert rows[-1].first_step > 2**60
    scheduler = peer.scheduler.CosineAnnealingWarmRestartsScheduler("3ba", t_mult=1.5)
    plan = schedule.plan()
    for row in rows[1:]:
        for step in (row.first_step - 1, row.first_step, row.first_step + 1):
            assert plan(step) == pytest.approx(scheduler(peer.state(step, "1ba")), rel=0, abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(
    run=st.integers(1, 60).map("{}ba".format) | st.integers(1, 6).map("{}ep".format),
    warmup=st.integers(0, 64),
    end=st.integers(60, 120),
    cuts=st.lists(st.integers(0, 64), max_size=4),
    alpha=st.floats(0.0, 2.0),
)
def test_any_run(peer: Composer, run: str, warmup: int, end: int, cuts: list[int], alpha: float) -> None:
    share = f"{warmup / 64}dur"  # a binary fraction: Composer's product with the length is exact
    assert_same(peer, "CosineAnnealingWithWarmupScheduler", run, t_warmup=share, alpha_f=alpha)
    assert_same(peer, "LinearWithWarmupScheduler", run, t_warmup=f"{warmup}ba", t_max=f"{end}ba", alpha_f=alpha)
    assert_same(
        peer, "MultiStepWithWarmupScheduler", run, t_warmup=share, milestones=[f"{cut / 64}dur" for cut in cuts]
    )
    assert_same(peer, "MultiStepScheduler", run, milestones=[f"{cut * 9}sp" for cut in cuts], gamma=alpha)
    assert_same(peer, "PolynomialScheduler", run, power=alpha + 0.5, t_max=f"{end * 5}sp")


def test_a_third_of_the_run_is_a_third(peer: Composer) -> None:
    for total_steps in (3, 9, 30, 31, 32):
        assert_same(peer, "CosineAnnealingScheduler", f"{total_steps}ba", t_max=f"{1 / 3}dur")
    assert repr(composer.CosineAnnealingScheduler(1.0, f"{1 / 3}dur")).startswith('Schedule(cosine("floor 100/3%"')


def test_a_float_product_below_the_whole_number_is_not_followed(peer: Composer) -> None:
    theirs = peer.factors("MultiStepScheduler", 100, "100ba", milestones=["0.29dur"])
    plan = composer.MultiStepScheduler(1.0, ["0.29dur"]).plan(total_steps=100)
    assert [plan(step) for step in (28, 29)] == [1.0, 0.1]
    assert list(theirs[[27, 28, 29]]) == [1.0, 0.1, 0.1]


def test_the_applied_rate(peer: Composer) -> None:
    """Where the clock goes on before the scheduler does, update t has plan(t); Composer's trainer does it after."""
    plan = composer.CosineAnnealingWithWarmupScheduler(0.3, "3ba").plan(total_steps=12)
    for late in (False, True):
        weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.SGD([weight], lr=0.3)
        state = SimpleNamespace(**vars(peer.state(0, "12ba")), optimizers=[optimizer])
        scheduler = peer.scheduler.compile_composer_scheduler(
            peer.scheduler.CosineAnnealingWithWarmupScheduler("3ba"), state
        )
        for step in range(15):
            before = weight.item()
            weight.grad = -torch.ones_like(weight)
            optimizer.step()
            assert weight.item() - before == pytest.approx(plan(max(step - late, 0)), rel=0, abs=1e-12)
            if late:
                scheduler.step()
            state.timestamp = peer.state(step + 1, "12ba").timestamp
            if not late:
                scheduler.step()


@pytest.mark.parametrize(
    "schedule",
    [
        composer.ConstantScheduler(0.1, 0.5),
        composer.ConstantScheduler(0.1, 0.5, "0.5dur"),
        composer.LinearScheduler(0.1),
        composer.CosineAnnealingScheduler(0.1, "0.3dur"),
        composer.PolynomialScheduler(0.1, 2.0, "5ba"),
        composer.ExponentialScheduler(0.1, 0.9, "5ba"),
        composer.StepScheduler(0.1, "5ba"),
        composer.MultiStepScheduler(0.1, ["0.3dur", "0.6dur"]),
        composer.CosineAnnealingWarmRestartsScheduler(0.1, "5ba", 1.5),
        composer.ConstantWithWarmupScheduler(0.1, "5ba"),
        composer.LinearWithWarmupScheduler(0.1, "0.3dur"),
        composer.CosineAnnealingWithWarmupScheduler(0.1, "0.3dur"),
        composer.PolynomialWithWarmupScheduler(0.1, "5ba", t_max="9ba"),
        composer.MultiStepWithWarmupScheduler(0.1, "5ba", ["0.3dur", "0.6dur"]),
    ],
    ids=repr,
)
def test_it_can_be_planned_for_any_run_and_written(schedule: ks.Schedule) -> None:
    assert_plannable_and_written(schedule)


def test_a_run_that_ends_within_its_warm_up_is_refused() -> None:
    with pytest.raises(ks.PlanError, match="The fixed phases leave no step for the rest"):
        composer.LinearWithWarmupScheduler(0.1, "10ba").plan(total_steps=10)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("StepScheduler", {"step_size": "0.3dur"}),
        ("ExponentialScheduler", {"gamma": 0.5, "decay_period": "0.3dur"}),
        ("CosineAnnealingWarmRestartsScheduler", {"t_0": "0.3dur"}),
    ],
)
def test_a_run_whose_fraction_is_no_step_is_refused(peer: Composer, name: str, arguments: dict[str, Any]) -> None:
    getattr(composer, name)(0.1, **arguments).plan(total_steps=4)
    with pytest.raises((ZeroDivisionError, ValueError), match=r"division by zero|decayed to 0"):
        peer.factors(name, 1, "3ba", **arguments)
    with pytest.raises(ks.PlanError, match="must last"):
        getattr(composer, name)(0.1, **arguments).plan(total_steps=3)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("LinearScheduler", {"lr": -1.0}, "`lr`"),
        ("LinearScheduler", {"alpha_i": -1.0}, "`alpha_i`"),
        ("LinearScheduler", {"alpha_f": float("nan")}, "`alpha_f`"),
        ("LinearScheduler", {"t_max": "0ba"}, "`t_max` must be longer than 0"),
        ("LinearScheduler", {"t_max": "1.5ep"}, "`t_max` must be a whole number"),
        ("LinearScheduler", {"t_max": "-5ba"}, "`t_max` must be a number >= 0"),
        ("LinearScheduler", {"t_max": "5 minutes"}, "`t_max` must be a number >= 0"),
        ("LinearScheduler", {"t_max": ""}, "`t_max` must be a number >= 0"),
        ("LinearScheduler", {"t_max": "2dur"}, '`t_max` must be at most "1dur"'),
        ("LinearScheduler", {"t_max": "3iter"}, "only Composer's trainer knows, not the schedule"),
        ("LinearScheduler", {"t_max": "30sec"}, "not known before the run"),
        ("LinearScheduler", {"t_max": "1h30m"}, "not known before the run"),
        ("CosineAnnealingScheduler", {"alpha_f": -0.1}, "`alpha_f`"),
        ("ConstantScheduler", {"alpha": -0.1}, "`alpha`"),
        ("PolynomialScheduler", {"power": 0.0}, "`power`"),
        ("ExponentialScheduler", {"gamma": 0.0}, "`gamma`"),
        ("ExponentialScheduler", {"gamma": 0.5, "decay_period": "0ep"}, "`decay_period` must be longer than 0"),
        ("StepScheduler", {"step_size": "0ba"}, "`step_size` must be longer than 0"),
        ("MultiStepScheduler", {"milestones": ["3ba", "5ba"], "gamma": 1e200}, "`gamma` must leave the rate finite"),
        ("StepScheduler", {"step_size": "1ba", "gamma": -0.1}, "`gamma`"),
        ("StepScheduler", {"step_size": "1sp", "gamma": 1.1}, "`gamma`"),
        ("MultiStepScheduler", {"milestones": ["1ba", "1ep"]}, "`milestones` must be in one unit"),
        ("MultiStepScheduler", {"milestones": ["1ba", "1xy"]}, r"`milestones\[1\]` must be a number"),
        ("CosineAnnealingWarmRestartsScheduler", {"t_0": "1ba", "t_mult": 0.9}, "`t_mult`"),
        ("CosineAnnealingWarmRestartsScheduler", {"t_0": "1ep", "t_mult": 1.5}, "`t_mult` must be a whole number"),
        ("CosineAnnealingWarmRestartsScheduler", {"t_0": "9999ba", "t_mult": 1.001}, "more than 1,000 cycles"),
        ("CosineAnnealingWarmRestartsScheduler", {"t_0": "0ba"}, "`t_0` must be longer than 0"),
        ("LinearWithWarmupScheduler", {"t_warmup": "1ba", "t_max": "0.5dur"}, "must not be shorter than the run"),
        (
            "LinearWithWarmupScheduler",
            {"t_warmup": "1ba", "t_max": "9sp"},
            "`t_warmup` and `t_max` must be in one unit",
        ),
        ("ConstantWithWarmupScheduler", {"t_warmup": "1tok", "t_max": "9sp"}, "must be in one unit"),
        (
            "MultiStepWithWarmupScheduler",
            {"t_warmup": "1sp", "milestones": ["1ba"]},
            "`t_warmup` and `milestones` must be in one unit",
        ),
    ],
)
def test_wrong_values(name: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ks.ScheduleError, match=message):
        getattr(composer, name)(**({"lr": 0.1} | arguments))


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("LinearScheduler", {"t_max": 10}, "`t_max` must be a time as Composer writes it"),
        ("LinearScheduler", {"alpha_i": "1"}, "`alpha_i`"),
        ("MultiStepScheduler", {"milestones": "1ba"}, "`milestones` must be a list of times"),
        ("LinearWithWarmupScheduler", {"t_warmup": "1ba", "scale_warmup": 1}, "`scale_warmup` must be True or False"),
    ],
)
def test_wrong_types(name: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ks.ArgumentTypeError, match=message):
        getattr(composer, name)(**({"lr": 0.1} | arguments))
