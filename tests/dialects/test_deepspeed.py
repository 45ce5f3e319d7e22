"""DeepSpeed's schedulers beside their formulas in 50 digits, worked out here from the source of version 0.19.8.

The scheduler counts the updates that are done from -1 on: before update t its count is t - 1.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest

import kosine as ks
from kosine.dialects import deepspeed
from tests.support.exact import MP, ulps
from tests.support.peers import assert_plannable_and_written

CASES = 80


def warmed(count: int, length: int, kind: str) -> Any:
    """The share of the warm-up that is done while it lasts."""
    return MP.log(count + 1) / MP.log(length) if kind == "log" else MP.mpf(count) / length


def warmup_lr(count: int, low: float, high: float, length: int, kind: str, total: int | None = None) -> Any:
    """With a total a line to `low` follows."""
    length = max(2, length)
    if count < 0:
        return MP.mpf(low)
    if count < length:
        share = warmed(count, length, kind)
    elif total is None:
        share = MP.mpf(1)
    else:
        share = max(MP.mpf(0), MP.mpf(total - count) / max(1, total - length))
    return low + (MP.mpf(high) - low) * share


def warmup_cosine_lr(count: int, lr: float, first: float, length: int, kind: str, last: float, total: int) -> Any:
    length = max(2, length)
    if count < 0:
        return MP.mpf(0)
    low, floor, peak = MP.mpf(lr * first), MP.mpf(lr * last), MP.mpf(lr)
    if count < length:
        return low + (peak - low) * warmed(count, length, kind)
    progress = min(Fraction(1), Fraction(count - length + 1, max(1, total - length)))
    return floor + (peak - floor) * (1 + MP.cos(MP.pi * progress.numerator / progress.denominator)) / 2


def one_cycle(step: int, low: float, high: float, sizes: tuple[int, int], stairs: tuple[int, int], decay: Any) -> Any:
    (first, second), (up, down) = sizes, stairs
    rate, interval = decay
    whole = first + second
    if step > whole:
        return low / (1 + MP.mpf(rate) * (step - whole) / interval) if interval else MP.mpf(low)
    place = step % whole
    rises = place <= first
    share = Fraction(place, first) if rises else Fraction(whole - place, second)
    count = up if rises else down
    if count:
        share = Fraction(share * count // 1, count)
    return low + (MP.mpf(high) - low) * share.numerator / share.denominator


def assert_every_step(schedule: ks.Schedule, steps: int, exact: Callable[[int], Any], most: float = 4) -> None:
    plan = schedule.plan(total_steps=steps)
    for step in range(steps):
        value = exact(step)
        assert plan(step) == value or ulps(plan(step), value) <= most, (step, schedule)
    assert_plannable_and_written(schedule)


def draws() -> Iterator[tuple[random.Random, float, int, int, str]]:
    source = random.Random(17)
    for _ in range(CASES):
        lr, total = 10 ** source.uniform(-6, 0), source.randint(1, 60)
        yield source, lr, total, source.randint(1, 30), source.choice(["log", "linear"])


def test_a_warm_up() -> None:
    for source, high, _, length, kind in draws():
        low = source.choice([0.0, high * source.random(), high, 2 * high])
        schedule = deepspeed.WarmupLR(warmup_max_lr=high, warmup_min_lr=low, warmup_num_steps=length, warmup_type=kind)
        numbers = (low, high, length, kind)
        assert_every_step(schedule, length + 20, lambda t, numbers=numbers: warmup_lr(t - 1, *numbers))  # type: ignore[misc]


def test_a_warm_up_and_a_line() -> None:
    for source, high, total, length, kind in draws():
        low = source.choice([0.0, high * source.random()])
        schedule = deepspeed.WarmupDecayLR(
            total_num_steps=total,
            warmup_max_lr=high,
            warmup_min_lr=low,
            warmup_num_steps=length,
            warmup_type=kind,
        )
        numbers = (low, high, length, kind, total)
        assert_every_step(schedule, total + 40, lambda t, numbers=numbers: warmup_lr(t - 1, *numbers))  # type: ignore[misc]


def test_a_warm_up_and_a_cosine() -> None:
    for source, lr, total, length, kind in draws():
        first, last = source.choice([0.0, 0.1, source.random()]), source.choice([0.0001, 0.1, source.random()])
        schedule = deepspeed.WarmupCosineLR(
            lr,
            total_num_steps=total,
            warmup_min_ratio=first,
            warmup_num_steps=length,
            cos_min_ratio=last,
            warmup_type=kind,
        )
        numbers = (lr, first, length, kind, last, total)
        assert_every_step(schedule, total + 40, lambda t, numbers=numbers: warmup_cosine_lr(t - 1, *numbers))  # type: ignore[misc]


def test_one_cycle() -> None:
    for source, high, first, second, _ in draws():
        low, second = high * source.random(), source.choice([0, second, second])
        up, down = (source.choice([0, 0, source.randint(1, 12)]) for _ in "ud")
        rate, interval = source.choice([0.0, 0.1, 1.0]), source.choice([0, 1, source.randint(1, 50)])
        schedule = deepspeed.OneCycle(
            cycle_min_lr=low,
            cycle_max_lr=high,
            decay_lr_rate=rate,
            cycle_first_step_size=first,
            cycle_second_step_size=second,
            cycle_first_stair_count=up,
            cycle_second_stair_count=down,
            decay_step_size=interval,
        )
        numbers = (low, high, (first, second), (up, down), (rate, interval))
        assert_every_step(schedule, 150, lambda t, numbers=numbers: one_cycle(t, *numbers))  # type: ignore[misc]


def test_both_halves_of_a_cycle_are_alike_unless_told() -> None:
    size = {"cycle_min_lr": 0.1, "cycle_max_lr": 1.0, "cycle_first_step_size": 12}
    assert deepspeed.OneCycle(**size, cycle_first_stair_count=4) == deepspeed.OneCycle(  # type: ignore[arg-type]
        **size,  # type: ignore[arg-type]
        cycle_second_step_size=12,
        cycle_first_stair_count=4,
        cycle_second_stair_count=4,
    )


def test_a_range_test() -> None:
    for source, low, _, size, _ in draws():
        rate, stairs = source.choice([0.0, 1.0, 0.5, source.random()]), source.random() < 0.5
        schedule = deepspeed.LRRangeTest(
            lr_range_test_min_lr=low,
            lr_range_test_step_size=size,
            lr_range_test_step_rate=rate,
            lr_range_test_staircase=stairs,
        )

        def exact(step: int, low: float = low, size: int = size, rate: float = rate, stairs: bool = stairs) -> Any:
            return low * (1 + MP.mpf(rate) * (step // size if stairs else MP.mpf(step) / size))

        assert_every_step(schedule, 150, exact)


GOOD: dict[str, dict[str, Any]] = {
    "WarmupLR": {"warmup_max_lr": 1.0},
    "WarmupDecayLR": {"total_num_steps": 10},
    "WarmupCosineLR": {"lr": 1.0, "total_num_steps": 10},
    "OneCycle": {"cycle_min_lr": 0.1, "cycle_max_lr": 1.0},
    "LRRangeTest": {},
}


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("WarmupLR", {"warmup_max_lr": -1.0}, "`warmup_max_lr` must be a finite learning rate"),
        ("WarmupLR", {"warmup_min_lr": -1.0}, "`warmup_min_lr` must be a finite learning rate"),
        ("WarmupLR", {"warmup_num_steps": 0}, "`warmup_num_steps` must be an integer >= 1"),
        ("WarmupLR", {"warmup_type": "cosine"}, "`warmup_type` must be one of"),
        ("WarmupDecayLR", {"total_num_steps": 0}, "`total_num_steps` must be an integer >= 1"),
        ("WarmupCosineLR", {"cos_min_ratio": -0.1}, "`cos_min_ratio` must be"),
        ("WarmupCosineLR", {"warmup_min_ratio": -0.1}, "`warmup_min_ratio` must be"),
        ("OneCycle", {"cycle_max_lr": 0.01}, "`cycle_max_lr` must be at least `cycle_min_lr`"),
        ("OneCycle", {"cycle_first_step_size": 0}, "`cycle_first_step_size` must be an integer >= 1"),
        ("OneCycle", {"cycle_second_step_size": -1}, "`cycle_second_step_size` must be an integer >= 0"),
        ("OneCycle", {"cycle_first_stair_count": 1001}, "`cycle_first_stair_count` must be at most 1,000"),
        ("OneCycle", {"decay_lr_rate": -1.0}, "`decay_lr_rate` must be"),
        ("LRRangeTest", {"lr_range_test_step_size": 0}, "`lr_range_test_step_size` must be an integer >= 1"),
        ("LRRangeTest", {"lr_range_test_step_rate": -1.0}, "`lr_range_test_step_rate` must be"),
        ("LRRangeTest", {"lr_range_test_min_lr": 1e308}, "`lr_range_test_step_rate` must leave the rate finite"),
    ],
)
def test_wrong_values(name: str, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ks.ScheduleError, match=message):
        getattr(deepspeed, name)(**(GOOD[name] | wrong))
