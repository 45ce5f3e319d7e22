"""axolotl's schedulers beside their formulas in 50 digits, worked out here from the source of version 0.19.0."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import pytest

import kosine as ks
from kosine.dialects import axolotl, huggingface
from tests.support.exact import MP, ulps
from tests.support.peers import assert_plannable_and_written

CASES = 70


def rex(step: int, high: float, low: float, total: int, warmup: int) -> Any:
    """torch steps a scheduler once when it is made, and this one counts from 0 before that: update 0 has count 1."""
    count = step + 1
    if count <= warmup:
        return MP.mpf(high) * count / warmup
    if count >= total:
        return MP.mpf(low)
    z = MP.mpf(total - count) / (total - warmup)
    return low + (MP.mpf(high) - low) * z / ((1 - MP.mpf(0.9)) + MP.mpf(0.9) * z)


def wave(progress: Fraction, cycles: float) -> Any:
    turns = Fraction(str(cycles)) * progress % 1
    return (1 + MP.cos(2 * MP.pi * turns.numerator / turns.denominator)) / 2


def between(lr: float, ratio: float, share: Any) -> Any:
    floor = MP.mpf(lr * ratio)
    return floor + (lr - floor) * share


def assert_every_step(schedule: ks.Schedule, steps: int, exact: Any, most: float = 4) -> None:
    plan = schedule.plan(total_steps=steps)
    for step in range(steps):
        value = exact(step)
        assert plan(step) == value or ulps(plan(step), value) <= most, (step, schedule)
    assert_plannable_and_written(schedule)


def draws() -> Any:
    source = random.Random(17)
    for _ in range(CASES):
        lr, total = 10 ** source.uniform(-6, 0), source.randint(1, 50)
        yield source, lr, total, min(total, source.choice([0, 1, 2, source.randint(0, total)]))


def test_rex() -> None:
    for source, high, total, warmup in draws():
        low = source.choice([0.0, high * source.random(), high])
        schedule = axolotl.RexLR(high, low, total, warmup)
        assert_every_step(schedule, total + 10, lambda t, a=(high, low, total, warmup): rex(t, *a), most=8)


def test_a_cosine_to_a_share_rises_again() -> None:
    for source, lr, total, warmup in draws():
        warm, ratio = warmup + source.choice([0, 0, 60]), source.choice([0.0, 0.1, source.random()])

        def exact(step: int, lr: float = lr, warm: int = warm, total: int = total, ratio: float = ratio) -> Any:
            if step < warm:
                return MP.mpf(lr) * step / warm
            return between(lr, ratio, wave(Fraction(step - warm, max(1, total - warm)), 0.5))

        schedule = axolotl.get_cosine_schedule_with_min_lr(lr, warm, total, ratio)
        assert_every_step(schedule, 2 * total + 70, exact)
        assert schedule == huggingface.cosine_with_min_lr(lr, warm, total, min_lr_rate=ratio)


def test_a_cosine_that_ends_early() -> None:
    for source, lr, total, warmup in draws():
        share, ratio = source.choice([0.0, 0.8, 1.0, source.random()]), source.choice([0.0, 0.1, source.random()])
        cycles = source.choice([0.5, 0.5, 0.25, 1.0, 2.0])

        def exact(
            step: int,
            lr: float = lr,
            warm: int = warmup,
            end: int = int(total * share),
            ratio: float = ratio,
            cycles: float = cycles,
        ) -> Any:
            if step < warm:
                return MP.mpf(lr) * step / warm
            return between(lr, ratio, wave(Fraction(min(step, end) - warm, max(1, end - warm)), cycles))

        schedule = axolotl.get_cosine_schedule_with_warmup_decay_constant(lr, warmup, total, share, ratio, cycles)
        assert_every_step(schedule, total + 20, exact)


def test_a_quadratic_warm_up() -> None:
    for source, lr, total, warmup in draws():
        cycles = source.choice([0.5, 0.5, 1.0, 2.0])

        def exact(step: int, lr: float = lr, warm: int = warmup, total: int = total, cycles: float = cycles) -> Any:
            if step < warm:
                return MP.mpf(lr) * (MP.mpf(step) / warm) ** 2
            return lr * wave(Fraction(step - warm, max(1, total - warm)), cycles)

        schedule = axolotl.get_cosine_schedule_with_quadratic_warmup(lr, warmup, total, cycles)
        assert_every_step(schedule, 2 * total + 5, exact)


def test_its_rex_is_above_that_of_the_paper() -> None:
    plan = axolotl.RexLR(1.0, 0.0, 100, num_warmup_steps=1).plan()
    paper = ks.Schedule(ks.rex(99, start=1.0, to=0.0)).plan()
    assert max(plan(step) - paper(step) for step in range(100)) == pytest.approx(0.38, abs=0.01)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"max_lr": 0.0}, "`max_lr` must be > 0: axolotl divides by it"),
        ({"min_lr": 2.0}, "`min_lr` must be at most `max_lr`"),
        ({"total_steps": 0}, "`total_steps` must be an integer >= 1"),
        ({"num_warmup_steps": 11}, "`num_warmup_steps` must be at most `total_steps`"),
    ],
)
def test_wrong_values_of_rex(wrong: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {"max_lr": 1.0, "min_lr": 0.1, "total_steps": 10, "num_warmup_steps": 2}
    with pytest.raises(ks.ScheduleError, match=message):
        axolotl.RexLR(**(good | wrong))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lr": -1.0}, "`lr` must be a finite learning rate"),
        ({"num_warmup_steps": -1}, "`num_warmup_steps` must be an integer >= 0"),
        ({"num_training_steps": 0}, "`num_training_steps` must be an integer >= 1"),
        ({"constant_lr_ratio": 1.5}, "`constant_lr_ratio` must be"),
        ({"min_lr_ratio": 1.5}, "`min_lr_ratio` must be"),
        ({"num_cycles": -1.0}, "`num_cycles` must be"),
    ],
)
def test_wrong_values_of_a_cosine(wrong: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {
        "lr": 1.0,
        "num_warmup_steps": 2,
        "num_training_steps": 10,
        "constant_lr_ratio": 0.8,
        "min_lr_ratio": 0.1,
    }
    with pytest.raises(ks.ScheduleError, match=message):
        axolotl.get_cosine_schedule_with_warmup_decay_constant(**(good | wrong))
