"""Each schedule of `kosine.dialects.huggingface` beside the one that `transformers.get_scheduler` makes, stepped."""

from __future__ import annotations

import math
from fractions import Fraction
from importlib.metadata import version
from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings, strategies as st
from transformers.trainer_utils import SchedulerType

import kosine as ks
from kosine.dialects import huggingface as dialect
from tests.support.peers import assert_plannable_and_written, assert_same

Arguments = dict[str, Any]


def peer_rates(name: str, lr: float, arguments: Arguments, steps: int) -> list[float]:
    """The rate that each update finds in the optimizer."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    own = {
        argument: value
        for argument, value in arguments.items()
        if argument not in ("num_warmup_steps", "num_training_steps")
    }
    scheduler = transformers.get_scheduler(
        name, optimizer, arguments.get("num_warmup_steps"), arguments.get("num_training_steps"), own
    )
    rates = []
    for step in range(steps):
        if step:
            scheduler.step()
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
    return rates


def ours(name: str, lr: float, arguments: Arguments) -> ks.Schedule:
    schedule: ks.Schedule = getattr(dialect, name)(lr, **arguments)
    return schedule


def run(warmup: float, training: int, **more: Any) -> Arguments:
    return {"num_warmup_steps": warmup, "num_training_steps": training, **more}


def wsd(warmup: int, decay: int, **more: Any) -> Arguments:
    return {"num_warmup_steps": warmup, "num_decay_steps": decay, **more}


WITH_COSINE: list[tuple[str, Arguments]] = [
    (name, run(warmup, training, num_cycles=waves, **more))
    for name, more in (
        ("cosine", {}),
        ("cosine_with_restarts", {}),
        ("cosine_with_min_lr", {"min_lr": 0.01}),
        ("cosine_warmup_with_min_lr", {"min_lr_rate": 0.1}),
    )
    for warmup, training, waves in (
        (5, 30, 0.5),
        (5, 30, 1),
        (0, 30, 1.5),
        (1, 30, 0.3),
        (2, 31, 3),
        (10, 40, 7.25),
        (10, 41, 1 / 3),
        (5, 30, 0),
        (5, 30, 40),  # more waves than steps
        (0, 1, 0.5),
        (30, 30, 0.5),  # nothing but warm-up
        (30, 31, 0.5),
        (50, 30, 0.5),  # a warm-up that is longer than the run
        (50, 30, 3),
    )
]
CASES: list[tuple[str, Arguments]] = [
    ("constant", {}),
    ("constant_with_warmup", {"num_warmup_steps": 7}),
    ("constant_with_warmup", {"num_warmup_steps": 1}),
    ("constant_with_warmup", {"num_warmup_steps": 0}),
    ("linear", run(7, 40)),
    ("linear", run(0, 40)),
    ("linear", run(0, 1)),
    ("linear", run(40, 41)),
    ("linear", run(40, 40)),
    ("linear", run(50, 40)),
    ("polynomial", run(7, 40)),
    ("polynomial", run(0, 40, lr_end=0.01, power=2.0)),
    ("polynomial", run(7, 40, lr_end=0.0, power=0.5)),
    ("polynomial", run(40, 41)),
    ("polynomial", run(50, 40)),
    ("inverse_sqrt", {"num_warmup_steps": 7}),
    ("inverse_sqrt", {"num_warmup_steps": 1}),
    ("inverse_sqrt", {"num_warmup_steps": 0}),
    ("inverse_sqrt", {"num_warmup_steps": 7, "timescale": 3}),
    ("inverse_sqrt", {"num_warmup_steps": 0, "timescale": 20}),
    *WITH_COSINE,
    ("cosine", run(5, 30)),
    ("cosine_with_restarts", run(5, 30)),
    ("cosine_with_min_lr", run(5, 30, min_lr=0.0)),
    ("cosine_with_min_lr", run(5, 30, min_lr=0.3)),  # the "minimum" is above the rate
    ("cosine_with_min_lr", run(5, 30, min_lr_rate=0.5)),
    *(
        ("cosine_warmup_with_min_lr", run(warmup, 30, min_lr_rate=0.1, warmup_lr_rate=rate))
        for warmup in (0, 1, 2, 9)
        for rate in (None, 0.0, 0.25, 1.0, 1.5)
    ),
    *(
        (
            "warmup_stable_decay",
            wsd(9, 14, num_training_steps=40, warmup_type=rise, decay_type=fall, min_lr_ratio=ratio),
        )
        for rise in ("linear", "cosine", "1-sqrt")
        for fall in ("linear", "cosine", "1-sqrt")
        for ratio in (0, 0.1)
    ),
    ("warmup_stable_decay", wsd(9, 14, num_stable_steps=5)),
    ("warmup_stable_decay", wsd(9, 14, num_stable_steps=0, min_lr_ratio=0.2)),
    ("warmup_stable_decay", wsd(9, 14, num_stable_steps=5, num_cycles=1.3)),
    ("warmup_stable_decay", wsd(9, 14, num_stable_steps=5, num_cycles=0)),
    ("warmup_stable_decay", wsd(0, 0, num_stable_steps=5)),
    ("warmup_stable_decay", wsd(0, 0, num_stable_steps=0, min_lr_ratio=0.3)),
    ("warmup_stable_decay", wsd(0, 14, num_training_steps=14)),
    ("warmup_stable_decay", wsd(9, 14, num_training_steps=18)),  # the stable part would last -5 steps
    ("warmup_stable_decay", wsd(9, 14, num_training_steps=18, num_cycles=1.3, min_lr_ratio=0.1)),
    ("warmup_stable_decay", wsd(9, 14, num_training_steps=18, decay_type="1-sqrt")),
    ("warmup_stable_decay", wsd(9, 14, num_training_steps=6)),
    ("warmup_stable_decay", wsd(9, 14, num_training_steps=18, num_cycles=0)),
]


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=str)
def test_the_plan_has_the_peers_rate_at_every_step(name: str, arguments: Arguments) -> None:
    schedule = ours(name, 0.1, arguments)
    assert_same(schedule, peer_rates(name, 0.1, arguments, 100), except_at=wrong_restarts(name, arguments, 100))
    assert_plannable_and_written(schedule)


def wrong_restarts(name: str, arguments: Arguments, steps: int) -> list[int]:
    """Where Hugging Face's floats miss a restart: exactly, a whole number of cycles is done; in floats, not quite."""
    if name != "cosine_with_restarts":
        return []
    warmup, cycles = arguments["num_warmup_steps"], arguments.get("num_cycles", 1)
    decay = max(1, arguments["num_training_steps"] - warmup)
    done = range(min(decay, steps - warmup))
    return [
        warmup + step
        for step in done
        if Fraction(repr(cycles)) * step % decay == 0 and (float(cycles) * (float(step) / float(decay))) % 1.0 > 0.5
    ]


def test_the_peers_wrong_restart_is_not_followed() -> None:
    arguments = run(0, 44, num_cycles=22)
    wrong = wrong_restarts("cosine_with_restarts", arguments, 60)
    rates = peer_rates("cosine_with_restarts", 1.0, arguments, 60)
    plan = dialect.cosine_with_restarts(1.0, **arguments).plan()
    assert wrong == [30]
    assert rates[30] == pytest.approx(0.0, abs=1e-12)
    assert plan(30) == rates[28] == rates[32] == 1.0


@given(data=st.data(), warmup=st.integers(0, 20), training=st.integers(1, 60))
@settings(max_examples=60)
def test_any_number_of_restarts(data: st.DataObject, warmup: int, training: int) -> None:
    arguments = run(warmup, training, num_cycles=data.draw(st.integers(0, 40)))
    wrong = wrong_restarts("cosine_with_restarts", arguments, 80)
    rates = peer_rates("cosine_with_restarts", 0.3, arguments, 80)
    assert_same(dialect.cosine_with_restarts(0.3, **arguments), rates, except_at=wrong)


rates = st.floats(1e-4, 1.0)
lower_rates = st.just(0.0) | st.floats(1e-6, 1.0)
waves = st.integers(0, 50).map(lambda number: number / 10)
curves = st.sampled_from(["linear", "cosine", "1-sqrt"])
counts = st.integers(0, 60)
RUN = {"num_warmup_steps": st.integers(0, 40), "num_training_steps": st.integers(1, 60)}
ANY: dict[str, st.SearchStrategy[Arguments]] = {
    "constant_with_warmup": st.fixed_dictionaries({"num_warmup_steps": counts}),
    "linear": st.fixed_dictionaries(RUN),
    "cosine": st.fixed_dictionaries({**RUN, "num_cycles": waves}),
    "polynomial": st.fixed_dictionaries({**RUN, "lr_end": st.floats(0.0, 9e-5), "power": st.floats(0.1, 5.0)}),
    "inverse_sqrt": st.fixed_dictionaries({"num_warmup_steps": counts, "timescale": st.none() | st.integers(1, 100)}),
    "cosine_with_min_lr": st.fixed_dictionaries({**RUN, "num_cycles": waves, "min_lr": lower_rates}),
    "cosine_warmup_with_min_lr": st.fixed_dictionaries(
        {**RUN, "num_cycles": waves, "min_lr_rate": lower_rates, "warmup_lr_rate": st.none() | lower_rates}
    ),
    "warmup_stable_decay": st.fixed_dictionaries(
        {
            "num_warmup_steps": st.integers(0, 40),
            "num_decay_steps": st.integers(0, 40),
            "num_training_steps": counts,
            "warmup_type": curves,
            "decay_type": curves,
            "min_lr_ratio": lower_rates,
            "num_cycles": waves,
        }
    ),
}


@pytest.mark.parametrize("name", ANY)
@given(data=st.data(), lr=rates)
@settings(max_examples=40)
def test_any_arguments(name: str, data: st.DataObject, lr: float) -> None:
    arguments = data.draw(ANY[name])
    if name == "polynomial" and arguments["num_warmup_steps"] == arguments["num_training_steps"]:
        arguments["num_training_steps"] += 1
    schedule = ours(name, lr, arguments)
    share = max(arguments.get(argument) or 0.0 for argument in ("min_lr_rate", "min_lr_ratio"))
    peak = max(lr, arguments.get("min_lr", 0.0), lr * share)
    assert_same(schedule, peer_rates(name, lr, arguments, 80), peak=peak)
    assert ks.parse(repr(schedule)) == schedule


def test_a_polynomial_without_a_step_is_refused_where_the_peer_divides_by_0() -> None:
    with pytest.raises(ZeroDivisionError):
        peer_rates("polynomial", 0.1, run(5, 5), 6)
    with pytest.raises(ks.ScheduleError, match="`num_training_steps` must not equal `num_warmup_steps`"):
        dialect.polynomial(0.1, 5, 5)


def test_every_name_that_the_peer_knows_and_that_depends_on_the_step_alone() -> None:
    by_loss = {"reduce_lr_on_plateau", "greedy"}
    assert {kind.value for kind in SchedulerType} - by_loss == set(dialect.__all__) - {"FOLLOWS"}


INVALID: list[tuple[str, Arguments, type[ks.KosineError], str]] = [
    ("constant", {"lr": -1.0}, ks.ScheduleError, "`lr` must be a finite learning rate >= 0"),
    (
        "constant_with_warmup",
        {"lr": 1.0, "num_warmup_steps": -1},
        ks.ScheduleError,
        "`num_warmup_steps` must be an int",
    ),
    ("linear", {"lr": 1.0, **run(0, 0)}, ks.ScheduleError, "`num_training_steps` must be an integer >= 1"),
    ("linear", {"lr": 1.0, **run(0.1, 10)}, ks.ArgumentTypeError, "`num_warmup_steps` must be an integer >= 0"),
    ("cosine", {"lr": 1.0, **run(0, 10, num_cycles=-1)}, ks.ScheduleError, "`num_cycles` must be a finite number >= 0"),
    ("cosine", {"lr": 1.0, **run(0, 10, num_cycles=1e9)}, ks.ScheduleError, "`num_cycles` must be 0, or such that"),
    (
        "cosine",
        {"lr": 1.0, **run(0, 10**18, num_cycles=0.01)},
        ks.ScheduleError,
        "`num_cycles` must be 0, or such that",
    ),
    (
        "cosine_with_restarts",
        {"lr": 1.0, **run(0, 10, num_cycles=math.inf)},
        ks.ScheduleError,
        "`num_cycles` must be a",
    ),
    (
        "cosine_with_restarts",
        {"lr": 1.0, **run(0, 10, num_cycles=10**9)},
        ks.ScheduleError,
        "`num_cycles` must be 0, or",
    ),
    ("polynomial", {"lr": 1e-8, **run(0, 10)}, ks.ScheduleError, "`lr_end` must be below `lr`"),
    (
        "polynomial",
        {"lr": 1.0, **run(0, 10, power=0)},
        ks.ScheduleError,
        "`power` must be a number > 0 and at most 1000",
    ),
    ("polynomial", {"lr": 1.0, **run(0, 10, lr_end=-1.0)}, ks.ScheduleError, "`lr_end` must be a finite learning rate"),
    (
        "inverse_sqrt",
        {"lr": 1.0, "num_warmup_steps": 5, "timescale": 0},
        ks.ScheduleError,
        "`timescale` must be an int",
    ),
    ("cosine_with_min_lr", {"lr": 1.0, **run(0, 10)}, ks.ScheduleError, "Exactly one of the arguments `min_lr`"),
    ("cosine_with_min_lr", {"lr": 1.0, **run(0, 9, min_lr=0.1, min_lr_rate=0.1)}, ks.ScheduleError, "Exactly one of"),
    ("cosine_with_min_lr", {"lr": 0.0, **run(0, 9, min_lr=0.1)}, ks.ScheduleError, "`lr` must be > 0 where `min_lr`"),
    (
        "cosine_with_min_lr",
        {"lr": 1.0, **run(0, 9, min_lr=-0.1)},
        ks.ScheduleError,
        "`min_lr` must be a finite learning",
    ),
    (
        "cosine_with_min_lr",
        {"lr": 1.0, **run(0, 9, min_lr_rate=-0.1)},
        ks.ScheduleError,
        "`min_lr_rate` must be a finite",
    ),
    (
        "cosine_warmup_with_min_lr",
        {"lr": 1.0, **run(0, 9, min_lr=0.1, warmup_lr_rate=-1)},
        ks.ScheduleError,
        "`warmup_lr_rate` must be a finite number >= 0",
    ),
    (
        "warmup_stable_decay",
        {"lr": 1.0, **wsd(5, 5)},
        ks.ScheduleError,
        "needs `num_training_steps` or `num_stable_steps`",
    ),
    (
        "warmup_stable_decay",
        {"lr": 1.0, **wsd(5, 5, num_stable_steps=-1)},
        ks.ScheduleError,
        "`num_stable_steps` must be",
    ),
    (
        "warmup_stable_decay",
        {"lr": 1.0, **wsd(5, -5, num_stable_steps=1)},
        ks.ScheduleError,
        "`num_decay_steps` must be",
    ),
    (
        "warmup_stable_decay",
        {"lr": 1.0, **wsd(5, 5, num_stable_steps=5, warmup_type="sqrt")},
        ks.ScheduleError,
        "`warmup_type` must be one of",
    ),
    (
        "warmup_stable_decay",
        {"lr": 1.0, **wsd(5, 5, num_stable_steps=5, decay_type="exponential")},
        ks.ScheduleError,
        "`decay_type` must be one of",
    ),
    (
        "warmup_stable_decay",
        {"lr": 1.0, **wsd(5, 5, num_stable_steps=5, min_lr_ratio=-0.1)},
        ks.ScheduleError,
        "`min_lr_ratio` must be a finite number >= 0",
    ),
]


@pytest.mark.parametrize(("name", "arguments", "error", "message"), INVALID, ids=str)
def test_errors_name_the_argument(name: str, arguments: Arguments, error: type[ks.KosineError], message: str) -> None:
    with pytest.raises(error, match=message):
        getattr(dialect, name)(**arguments)


def test_it_follows_the_installed_version() -> None:
    assert dialect.FOLLOWS.removeprefix("transformers ") == version("transformers")
