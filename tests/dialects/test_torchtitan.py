"""torchtitan's schedule beside its formula in 50 digits, worked out here from the source of version 0.3.0."""

from __future__ import annotations

import random
from typing import Any

import pytest

import kosine as ks
from kosine.dialects import torchtitan
from tests.support.exact import MP, ulps
from tests.support.peers import assert_plannable_and_written

DECAYS = ("linear", "sqrt", "cosine")


def theirs(step: int, lr: float, total: int, warmup: int, ratio: float | None, decay_type: str, factor: float) -> Any:
    """The rate that torchtitan's trainer has set when it makes update `step`."""
    warmup = min(warmup, total)
    decay = total - warmup if ratio is None else min(round(total * ratio), total - warmup)
    until = total + 1 - decay  # the stable part has one step more than the numbers say
    peak, floor = MP.mpf(lr), MP.mpf(lr * factor)
    if step < warmup:
        return peak * (step + 1) / warmup
    if step < until or not decay:  # without a decay torchtitan has no rate beyond the run
        return peak
    progress = MP.mpf(min(step + 1 - until, decay)) / decay
    kept = {"linear": 1 - progress, "sqrt": 1 - MP.sqrt(progress), "cosine": (1 + MP.cos(MP.pi * progress)) / 2}
    return floor + (peak - floor) * kept[decay_type]


def test_every_step_of_random_configurations() -> None:
    source = random.Random(17)
    for _ in range(300):
        lr, total = 10 ** source.uniform(-6, 0), source.randint(1, 60)
        warmup = source.choice([0, 1, 2, source.randint(0, total), source.randint(0, 80)])
        ratio = source.choice([None, 0.0, 1.0, 0.5, source.random()])
        decay_type, factor = source.choice(DECAYS), source.choice([0.0, 0.1, 1.0, source.random()])
        schedule = torchtitan.lr_scheduler(
            lr, total, warmup_steps=warmup, decay_ratio=ratio, decay_type=decay_type, min_lr_factor=factor
        )
        plan = schedule.plan(total_steps=total)
        for step in range(total + 20):
            exact = theirs(step, lr, total, warmup, ratio, decay_type, factor)
            assert ulps(plan(step), exact) <= 4, (step, schedule)
        assert_plannable_and_written(schedule)


def test_the_steps_around_each_boundary_by_hand() -> None:
    plan = torchtitan.lr_scheduler(1.0, 10, warmup_steps=4, decay_ratio=0.3, min_lr_factor=0.1).plan(total_steps=10)
    rates = [round(plan(step), 9) for step in range(11)]
    assert rates == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 0.7, 0.4, 0.1]


def test_its_defaults_are_those_of_its_configuration() -> None:
    assert torchtitan.lr_scheduler(1.0, 1000) == torchtitan.lr_scheduler(
        1.0, 1000, warmup_steps=200, decay_ratio=None, decay_type="linear", min_lr_factor=0.0
    )


def test_a_share_of_the_decay_is_rounded_as_python_does() -> None:
    rows = torchtitan.lr_scheduler(1.0, 50, warmup_steps=0, decay_ratio=0.25).plan().phases  # 12.5 steps
    assert [(row.name, row.steps) for row in rows] == [("hold", 38), ("linear", 12)]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lr": -1.0}, "`lr` must be a finite learning rate"),
        ({"total_steps": 0}, "`total_steps` must be an integer >= 1"),
        ({"warmup_steps": -1}, "`warmup_steps` must be an integer >= 0"),
        ({"decay_ratio": 1.1}, "`decay_ratio` must be"),
        ({"decay_type": "1-sqrt"}, "`decay_type` must be one of"),
        ({"min_lr_factor": -0.1}, "`min_lr_factor` must be"),
    ],
)
def test_wrong_values(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ks.ScheduleError, match=message):
        torchtitan.lr_scheduler(**({"lr": 1.0, "total_steps": 10} | wrong))
