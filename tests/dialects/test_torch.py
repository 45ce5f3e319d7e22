"""Each schedule of `kosine.dialects.torch` beside torch's own scheduler, stepped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st

import kosine as ks
from kosine.dialects import torch as dialect
from tests.support.peers import assert_plannable_and_written, assert_same

Arguments = dict[str, Any]


def an_optimizer(lr: float) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)


def the_scheduler(name: str, optimizer: torch.optim.Optimizer, arguments: Arguments) -> Any:
    own = {"cycle_momentum": False} if name == "OneCycleLR" else {}
    return getattr(torch.optim.lr_scheduler, name)(optimizer, **arguments, **own)


def stepped(optimizer: torch.optim.Optimizer, scheduler: Any, steps: int) -> list[float]:
    """The rate that each update finds in the optimizer."""
    rates = []
    for step in range(steps):
        if step:
            scheduler.step()
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
    return rates


def torch_rates(name: str, lr: float, arguments: Arguments, steps: int) -> list[float]:
    optimizer = an_optimizer(lr)
    return stepped(optimizer, the_scheduler(name, optimizer, arguments), steps)


def ours(name: str, lr: float, arguments: Arguments) -> ks.Schedule:
    base = {} if name == "OneCycleLR" else {"lr": lr}
    schedule: ks.Schedule = getattr(dialect, name)(**base, **arguments)
    return schedule


CASES: list[tuple[str, Arguments]] = [
    ("CosineAnnealingLR", {"T_max": 8}),
    ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 1}),
    ("CosineAnnealingLR", {"T_max": 2, "eta_min": 0.3}),  # the optimizer's rate is 0.1: it rises first
    ("CosineAnnealingLR", {"T_max": 5, "eta_min": 0.1}),
    ("CosineAnnealingWarmRestarts", {"T_0": 6}),
    ("CosineAnnealingWarmRestarts", {"T_0": 1}),
    ("CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 2}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 3, "eta_min": 0.02}),
    ("CosineAnnealingWarmRestarts", {"T_0": 5, "T_mult": 2, "eta_min": 0.2}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 1e-3, "total_iters": 20}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 9}),
    ("LinearLR", {"start_factor": 0.5, "end_factor": 0.5, "total_iters": 3}),
    ("LinearLR", {"total_iters": 1}),
    ("LinearLR", {"total_iters": 0}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 1.0}),
    ("ConstantLR", {"factor": 0.1, "total_iters": 1}),
    ("ConstantLR", {"factor": 0.1, "total_iters": 0}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 30, "power": 0.9}),
    ("PolynomialLR", {"total_iters": 30, "power": 3}),
    ("PolynomialLR", {"total_iters": 1, "power": 2.0}),
    ("PolynomialLR", {"total_iters": 0, "power": 2.0}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("ExponentialLR", {"gamma": 1.0}),
    ("ExponentialLR", {"gamma": 1.1}),
    ("ExponentialLR", {"gamma": 0.0}),
    ("ExponentialLR", {"gamma": 1e-20}),
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 1, "gamma": 0.5}),
    ("StepLR", {"step_size": 3, "gamma": 2.0}),
    ("StepLR", {"step_size": 3, "gamma": 1}),
    ("StepLR", {"step_size": 9, "gamma": 0}),
    ("MultiStepLR", {"milestones": [10, 20]}),
    ("MultiStepLR", {"milestones": [10, 10, 20], "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [20, 10, 1], "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [0, 4], "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [0, 0], "gamma": 3.0}),
    ("MultiStepLR", {"milestones": [5], "gamma": 0.0}),
    ("MultiStepLR", {"milestones": []}),
]


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=str)
def test_the_plan_has_torchs_rate_at_every_step(name: str, arguments: Arguments) -> None:
    schedule = ours(name, 0.1, arguments)
    assert_same(schedule, torch_rates(name, 0.1, arguments, 100))
    assert_plannable_and_written(schedule)


ONE_CYCLES: list[Arguments] = [
    {"total_steps": 12},
    {"total_steps": 10},
    {"total_steps": 1},
    {"total_steps": 2},
    {"total_steps": 3},
    {"epochs": 4, "steps_per_epoch": 7},
    {"total_steps": 5, "epochs": 4, "steps_per_epoch": 7},
    {"total_steps": 20, "anneal_strategy": "linear", "pct_start": 0.37},
    {"total_steps": 20, "pct_start": 0.0},
    {"total_steps": 20, "pct_start": 0.01},
    {"total_steps": 20, "pct_start": 1.0},
    {"total_steps": 1, "pct_start": 0.0},
    {"total_steps": 20, "div_factor": 0.5, "final_div_factor": 0.25},
    {"total_steps": 40, "three_phase": True},
    {"total_steps": 40, "three_phase": True, "anneal_strategy": "linear", "pct_start": 0.21},
    {"total_steps": 40, "three_phase": True, "pct_start": 0.01},
    {"total_steps": 40, "three_phase": True, "pct_start": 0.0},
    {"total_steps": 40, "three_phase": True, "pct_start": 0.5},
    {"total_steps": 5, "three_phase": True, "pct_start": 0.6},  # the second phase ends with the run
    {"total_steps": 3, "three_phase": True, "pct_start": 2 / 3},
    {"total_steps": 40, "three_phase": True, "pct_start": 0.7},  # the second phase is cut by the end of the run
    {"total_steps": 40, "three_phase": True, "pct_start": 1.0},
]


@pytest.mark.parametrize("arguments", ONE_CYCLES, ids=str)
def test_one_cycle_has_torchs_rate_up_to_its_end_and_holds(arguments: Arguments) -> None:
    schedule = dialect.OneCycleLR(0.5, **arguments)
    steps = arguments.get("total_steps") or arguments["epochs"] * arguments["steps_per_epoch"]
    assert_same(schedule, torch_rates("OneCycleLR", 0.1, {"max_lr": 0.5, **arguments}, steps))
    plan = schedule.plan(total_steps=steps)
    assert plan(steps) == plan(steps - 1) == plan(10 * steps)
    assert_plannable_and_written(schedule)


def torch_momenta(arguments: Arguments, steps: int) -> list[float]:
    """The momentum that each update finds in the optimizer, under torch's defaults."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1, momentum=0.5)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.5, **arguments)
    momenta = []
    for step in range(steps):
        if step:
            optimizer.step()
            scheduler.step()
        momenta.append(float(optimizer.param_groups[0]["momentum"]))
    return momenta


@pytest.mark.parametrize(
    "arguments", [*ONE_CYCLES, {"total_steps": 30, "base_momentum": 0.7, "max_momentum": 0.8}], ids=str
)
def test_one_cycle_momentum_is_torchs_at_every_step(arguments: Arguments) -> None:
    own = {name: value for name, value in arguments.items() if not name.endswith("div_factor")}
    schedule = dialect.one_cycle_momentum(**own)
    steps = arguments.get("total_steps") or arguments["epochs"] * arguments["steps_per_epoch"]
    assert_same(schedule, torch_momenta(arguments, steps))
    assert_plannable_and_written(schedule)


def test_one_cycle_past_the_end() -> None:
    """torch gives one rate too many, which is on its way up again, and then raises."""
    optimizer = an_optimizer(0.1)
    scheduler = the_scheduler("OneCycleLR", optimizer, {"max_lr": 1.0, "total_steps": 12})
    beyond = stepped(optimizer, scheduler, 13)[12]
    with pytest.raises(ValueError, match="Tried to step 13 times"):
        scheduler.step()
    held = dialect.OneCycleLR(1.0, total_steps=12).plan()(12)
    assert held == pytest.approx(4e-6)
    assert beyond > 1000 * held


@pytest.mark.parametrize(("steps", "share"), [(10, 0.1), (1, 1.0), (49, 1 / 49), (3, 1 / 3)])
@pytest.mark.parametrize("three_phase", [True, False])
def test_a_rise_of_no_step_is_refused(steps: int, share: float, three_phase: bool) -> None:
    """torch divides by 0 there or, where the product is not quite 1 in floats, takes a side by chance."""
    with pytest.raises(ks.ScheduleError, match="`pct_start` must not be 1 / total_steps"):
        dialect.OneCycleLR(1.0, total_steps=steps, pct_start=share, three_phase=three_phase)
    with pytest.raises(ZeroDivisionError):
        torch_rates("OneCycleLR", 0.1, {"max_lr": 1.0, "total_steps": 10, "pct_start": 0.1}, 1)


Pieces = Sequence[tuple[str, Arguments]]


def sequence_rates(lr: float, pieces: Pieces, milestones: list[int], steps: int) -> list[float]:
    optimizer = an_optimizer(lr)
    schedulers = [the_scheduler(name, optimizer, arguments) for name, arguments in pieces]
    return stepped(optimizer, torch.optim.lr_scheduler.SequentialLR(optimizer, schedulers, list(milestones)), steps)


WARMUP = ("LinearLR", {"start_factor": 0.1, "total_iters": 5})
ANNEALING = ("CosineAnnealingLR", {"T_max": 12})
RESTARTS = ("CosineAnnealingWarmRestarts", {"T_0": 4, "T_mult": 2})
SEQUENCES: list[tuple[Pieces, list[int]]] = [
    ([WARMUP, ANNEALING], [5]),
    ([WARMUP, ANNEALING], [3]),  # the warm-up is cut
    ([WARMUP, ANNEALING], [9]),  # the warm-up's end is held
    ([WARMUP, RESTARTS], [5]),
    ([RESTARTS, WARMUP], [9]),
    ([ANNEALING, RESTARTS, WARMUP], [17, 30]),
    ([ANNEALING, ("StepLR", {"step_size": 4}), ("ExponentialLR", {"gamma": 0.9})], [30, 41]),
    ([("ExponentialLR", {"gamma": 1.1}), ("PolynomialLR", {"total_iters": 7}), WARMUP], [10, 20]),
    ([("MultiStepLR", {"milestones": [2, 3]}), ("MultiStepLR", {"milestones": [0, 3, 3]})], [8]),
    ([("ConstantLR", {"total_iters": 3}), ("ConstantLR", {}), ANNEALING], [4, 10]),
    ([WARMUP, ANNEALING], [0]),
    ([("LinearLR", {"total_iters": 0}), ANNEALING], [0]),
    ([("ConstantLR", {"total_iters": 0}), ANNEALING], [6]),
    ([WARMUP, RESTARTS, ANNEALING], [5, 5]),
    ([WARMUP, RESTARTS, ANNEALING], [0, 0]),
    ([ANNEALING], []),
]


@pytest.mark.parametrize(("pieces", "milestones"), SEQUENCES, ids=str)
def test_a_sequence_has_torchs_rate_at_every_step(pieces: Pieces, milestones: list[int]) -> None:
    schedule = dialect.SequentialLR([ours(name, 0.1, arguments) for name, arguments in pieces], milestones)
    assert_same(schedule, sequence_rates(0.1, pieces, milestones, 80))
    assert_plannable_and_written(schedule)


def test_a_one_cycle_in_a_sequence_sets_the_base_rate_of_the_others() -> None:
    cycle: Arguments = {"max_lr": 0.5, "total_steps": 20, "div_factor": 10.0}
    schedule = dialect.SequentialLR([ours(WARMUP[0], 0.05, WARMUP[1]), dialect.OneCycleLR(**cycle)], [5])
    assert_same(schedule, sequence_rates(0.1, [WARMUP, ("OneCycleLR", cycle)], [5], 25))


def test_torch_itself_has_two_answers_for_no_iterations() -> None:
    """Why the docstring of SequentialLR names total_iters=0: what begins at a milestone takes torch's other formula."""
    nothing = {"total_iters": 0}
    assert sequence_rates(0.1, [WARMUP, ("ConstantLR", nothing)], [5], 7)[5:] == [0.1, 0.1]
    assert torch_rates("ConstantLR", 0.1, nothing, 2) == [0.1 / 3, 0.1 / 3]
    with pytest.raises(ZeroDivisionError):
        sequence_rates(0.1, [WARMUP, ("LinearLR", nothing)], [5], 7)


def test_torchs_wrong_restart_is_not_followed() -> None:
    """`step(epoch)` finds the cycle by a logarithm: at 1110 the floor, where `step()` and the plan have the peak."""
    optimizer = an_optimizer(1.0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=10, T_mult=10)
    optimizer.step()
    scheduler.step(1110)
    plan = dialect.CosineAnnealingWarmRestarts(1.0, T_0=10, T_mult=10).plan()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.0, abs=1e-12)
    assert plan(1110) == 1.0
    assert torch_rates("CosineAnnealingWarmRestarts", 1.0, {"T_0": 10, "T_mult": 10}, 1111)[1110] == 1.0


def test_growth_ends_before_1e30() -> None:
    plan = dialect.ExponentialLR(0.5, gamma=10).plan()
    assert plan(28) == pytest.approx(0.5e28, rel=1e-12)
    assert plan(29) == pytest.approx(0.5e29, rel=1e-12)
    assert plan(30) == plan(10**9) == plan(29)
    staircase = dialect.StepLR(0.5, step_size=4, gamma=10).plan()
    assert staircase(115) == pytest.approx(0.5e28, rel=1e-12)
    assert staircase(116) == staircase(10**9) == pytest.approx(0.5e29, rel=1e-12)
    for gamma in (1e20, 1 + 2**-52, math.nextafter(1, 0)):
        assert_plannable_and_written(dialect.StepLR(0.5, step_size=10**6, gamma=gamma))


rates = st.floats(1e-6, 1.0)
shares = st.floats(0.0, 1.0)
ANY: dict[str, st.SearchStrategy[Arguments]] = {
    "CosineAnnealingLR": st.fixed_dictionaries({"T_max": st.integers(1, 40), "eta_min": st.just(0.0) | rates}),
    "CosineAnnealingWarmRestarts": st.fixed_dictionaries(
        {"T_0": st.integers(1, 30), "T_mult": st.integers(1, 4), "eta_min": st.just(0.0) | rates}
    ),
    "LinearLR": st.fixed_dictionaries(
        {"start_factor": st.floats(1e-3, 1.0), "end_factor": shares, "total_iters": st.integers(0, 70)}
    ),
    "ConstantLR": st.fixed_dictionaries({"factor": st.floats(1e-3, 1.0), "total_iters": st.integers(0, 70)}),
    "PolynomialLR": st.fixed_dictionaries({"total_iters": st.integers(0, 70), "power": st.floats(0.1, 5.0)}),
    "ExponentialLR": st.fixed_dictionaries({"gamma": st.floats(0.0, 1.2)}),
    "StepLR": st.fixed_dictionaries({"step_size": st.integers(1, 30), "gamma": st.floats(0.0, 2.0)}),
    "MultiStepLR": st.fixed_dictionaries(
        {"milestones": st.lists(st.integers(0, 70), max_size=6), "gamma": st.floats(0.0, 2.0)}
    ),
}


@pytest.mark.parametrize("name", ANY)
@given(data=st.data(), lr=rates)
@settings(max_examples=25)
def test_any_arguments(name: str, data: st.DataObject, lr: float) -> None:
    arguments = data.draw(ANY[name])
    peak = max(lr, arguments.get("eta_min", 0.0))
    assert_same(ours(name, lr, arguments), torch_rates(name, lr, arguments, 80), peak=peak)


@given(
    steps=st.integers(1, 60),
    share=shares,
    strategy=st.sampled_from(["cos", "linear"]),
    div_factor=st.floats(0.5, 1e3),
    final_div_factor=st.floats(0.5, 1e4),
    three_phase=st.booleans(),
)
@settings(max_examples=100)
def test_any_one_cycle(
    steps: int, share: float, strategy: str, div_factor: float, final_div_factor: float, three_phase: bool
) -> None:
    if math.isclose(share * steps, 1, rel_tol=1e-6):
        share /= 2
    arguments: Arguments = {
        "max_lr": 1.0,
        "total_steps": steps,
        "pct_start": share,
        "anneal_strategy": strategy,
        "div_factor": div_factor,
        "final_div_factor": final_div_factor,
        "three_phase": three_phase,
    }
    schedule = dialect.OneCycleLR(**arguments)
    assert_same(schedule, torch_rates("OneCycleLR", 0.1, arguments, steps), peak=1.0)
    assert ks.parse(repr(schedule)) == schedule


@given(data=st.data(), names=st.lists(st.sampled_from(sorted(ANY)), min_size=1, max_size=4))
@settings(max_examples=50)
def test_any_sequence(data: st.DataObject, names: list[str]) -> None:
    pieces = []
    for name in names:
        arguments = data.draw(ANY[name])
        if arguments.get("total_iters") == 0:
            arguments["total_iters"] = 1
        pieces.append((name, arguments))
    milestones = sorted(data.draw(st.lists(st.integers(0, 60), min_size=len(names) - 1, max_size=len(names) - 1)))
    schedule = dialect.SequentialLR([ours(name, 0.1, arguments) for name, arguments in pieces], milestones)
    peak = max(arguments.get("eta_min", 0.1) for _, arguments in pieces)
    assert_same(schedule, sequence_rates(0.1, pieces, milestones, 80), peak=peak)


INVALID: list[tuple[str, Arguments, type[ks.KosineError], str]] = [
    ("CosineAnnealingLR", {"lr": -1.0, "T_max": 5}, ks.ScheduleError, "`lr` must be a finite learning rate"),
    ("CosineAnnealingLR", {"lr": "a", "T_max": 5}, ks.ArgumentTypeError, "`lr` must be a finite learning rate"),
    ("CosineAnnealingLR", {"lr": 0.1, "T_max": 0}, ks.ScheduleError, "`T_max` must be an integer >= 1"),
    ("CosineAnnealingLR", {"lr": 0.1, "T_max": "10ep"}, ks.ArgumentTypeError, "`T_max`.*Write a number without a unit"),
    ("MultiStepLR", {"lr": 0.1, "milestones": [3, 5], "gamma": 1e200}, ks.ScheduleError, "`gamma` must leave the rate"),
    ("CosineAnnealingLR", {"lr": 0.1, "T_max": 10.5}, ks.ArgumentTypeError, "`T_max` must be an integer >= 1"),
    ("CosineAnnealingLR", {"lr": 0.1, "T_max": 5, "eta_min": -0.1}, ks.ScheduleError, "`eta_min` must be a finite"),
    ("CosineAnnealingWarmRestarts", {"lr": 0.1, "T_0": 0}, ks.ScheduleError, "`T_0` must be an integer >= 1"),
    ("CosineAnnealingWarmRestarts", {"lr": 0.1, "T_0": True}, ks.ArgumentTypeError, "`T_0` must be an integer >= 1"),
    ("CosineAnnealingWarmRestarts", {"lr": 0.1, "T_0": 1, "T_mult": 1.5}, ks.ArgumentTypeError, "`T_mult` must be an"),
    (
        "CosineAnnealingWarmRestarts",
        {"lr": 0.1, "T_0": 1, "T_mult": 0},
        ks.ScheduleError,
        "`T_mult` must be an integer",
    ),
    (
        "LinearLR",
        {"lr": 0.1, "start_factor": 0.0},
        ks.ScheduleError,
        "`start_factor` must be a number > 0 and at most 1",
    ),
    (
        "LinearLR",
        {"lr": 0.1, "start_factor": 1.1},
        ks.ScheduleError,
        "`start_factor` must be a number > 0 and at most 1",
    ),
    ("LinearLR", {"lr": 0.1, "end_factor": -0.1}, ks.ScheduleError, "`end_factor` must be a number from 0 to 1"),
    ("LinearLR", {"lr": 0.1, "total_iters": -1}, ks.ScheduleError, "`total_iters` must be an integer >= 0"),
    ("ConstantLR", {"lr": 0.1, "factor": 0}, ks.ScheduleError, "`factor` must be a number > 0 and at most 1"),
    ("ConstantLR", {"lr": 0.1, "factor": 2.0}, ks.ScheduleError, "`factor` must be a number > 0 and at most 1"),
    ("PolynomialLR", {"lr": 0.1, "power": 0.0}, ks.ScheduleError, "`power` must be a number > 0 and at most 1000"),
    ("PolynomialLR", {"lr": 0.1, "total_iters": 2.5}, ks.ArgumentTypeError, "`total_iters` must be an integer >= 0"),
    ("ExponentialLR", {"lr": 0.1, "gamma": -0.5}, ks.ScheduleError, "`gamma` must be a number from 0 to 1e"),
    ("ExponentialLR", {"lr": 0.1, "gamma": math.nan}, ks.ScheduleError, "`gamma` must be a number from 0 to 1e"),
    ("StepLR", {"lr": 0.1, "step_size": 0}, ks.ScheduleError, "`step_size` must be an integer >= 1"),
    ("MultiStepLR", {"lr": 0.1, "milestones": [5, -1]}, ks.ScheduleError, r"`milestones\[1\]` must be an integer >= 0"),
    ("MultiStepLR", {"lr": 0.1, "milestones": [5.5]}, ks.ArgumentTypeError, r"`milestones\[0\]` must be an integer"),
    ("MultiStepLR", {"lr": 0.1, "milestones": 5}, ks.ArgumentTypeError, "`milestones` must be a list of integers"),
    ("MultiStepLR", {"lr": 0.1, "milestones": [5], "gamma": -1}, ks.ScheduleError, "`gamma` must be a finite number"),
    ("OneCycleLR", {"max_lr": 1.0}, ks.ScheduleError, "needs `total_steps`, or both"),
    ("OneCycleLR", {"max_lr": 1.0, "epochs": 5}, ks.ScheduleError, "needs `total_steps`, or both"),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 0}, ks.ScheduleError, "`total_steps` must be an integer >= 1"),
    (
        "OneCycleLR",
        {"max_lr": 1.0, "total_steps": 9, "pct_start": 1.1},
        ks.ScheduleError,
        "`pct_start` must be a number",
    ),
    (
        "OneCycleLR",
        {"max_lr": 1.0, "total_steps": 9, "div_factor": 0},
        ks.ScheduleError,
        "`div_factor` must be a finite",
    ),
    (
        "OneCycleLR",
        {"max_lr": 1.0, "total_steps": 9, "final_div_factor": -1},
        ks.ScheduleError,
        "`final_div_factor` mu",
    ),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "anneal_strategy": "cosine"}, ks.ScheduleError, "must be one of"),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "three_phase": 1}, ks.ArgumentTypeError, "must be True or False"),
    ("SequentialLR", {"schedules": [], "milestones": []}, ks.ScheduleError, "one step less than there are schedules"),
    (
        "SequentialLR",
        {"schedules": [ks.constant(1), ks.constant(1)], "milestones": []},
        ks.ScheduleError,
        "one step less",
    ),
    ("SequentialLR", {"schedules": [ks.constant(1)] * 3, "milestones": [5, 4]}, ks.ScheduleError, "must be sorted"),
    (
        "SequentialLR",
        {"schedules": ks.constant(1), "milestones": []},
        ks.ArgumentTypeError,
        "must be a list of schedules",
    ),
    ("SequentialLR", {"schedules": [0.1], "milestones": []}, ks.ArgumentTypeError, "must be a list of schedules"),
]


@pytest.mark.parametrize(("name", "arguments", "error", "message"), INVALID, ids=str)
def test_errors_name_the_argument(name: str, arguments: Arguments, error: type[ks.KosineError], message: str) -> None:
    with pytest.raises(error, match=message):
        getattr(dialect, name)(**arguments)


def test_it_follows_the_installed_version() -> None:
    assert dialect.FOLLOWS.removeprefix("torch ") == version("torch").partition("+")[0]
