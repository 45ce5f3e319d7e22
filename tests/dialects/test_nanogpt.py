"""The schedule of `kosine.dialects.nanogpt` beside its published formula."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import kosine as ks
from kosine.dialects import nanogpt
from tests.support.peers import assert_plannable_and_written, assert_same


def published(step: int, peak: float, warmup: int, end: int, floor: float) -> float:
    """The rate that nanoGPT gives (train.py of karpathy/nanoGPT, commit dc81cb3), in this test's own words."""
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    if step > end:
        return floor
    done = (step - warmup) / (end - warmup)
    return floor + (peak - floor) * (1 + math.cos(math.pi * done)) / 2


@pytest.mark.parametrize(
    ("peak", "warmup", "end", "floor"),
    [
        (6e-4, 20, 60, 6e-5),
        (1e-3, 100, 101, 1e-4),
        (1e-3, 0, 50, 0.0),
        (1e-3, 1, 50, 1e-4),
        (1e-3, 60, 50, 1e-4),  # the warm-up is longer than the run
        (1e-4, 5, 50, 1e-3),  # the "floor" is above the peak
    ],
)
def test_the_plan_has_the_published_rate_at_every_step(peak: float, warmup: int, end: int, floor: float) -> None:
    schedule = nanogpt.get_lr(learning_rate=peak, warmup_iters=warmup, lr_decay_iters=end, min_lr=floor)
    assert_same(schedule, [published(step, peak, warmup, end, floor) for step in range(150)])
    assert_plannable_and_written(schedule)


def test_the_defaults_are_those_of_the_settings() -> None:
    plan = nanogpt.get_lr().plan()
    for step in (0, 1, 1999, 2000, 2001, 300_000, 599_999, 600_000, 600_001, 10**9):
        assert plan(step) == pytest.approx(published(step, 6e-4, 2000, 600_000, 6e-5), rel=1e-12)
    assert_plannable_and_written(nanogpt.get_lr())


@given(
    peak=st.floats(1e-6, 1.0), warmup=st.integers(0, 60), end=st.integers(0, 60), floor=st.just(0.0) | st.floats(0, 0.1)
)
@settings(max_examples=50)
def test_any_arguments(peak: float, warmup: int, end: int, floor: float) -> None:
    if end == warmup:
        with pytest.raises(ks.ScheduleError, match="`lr_decay_iters` must not equal `warmup_iters`"):
            nanogpt.get_lr(learning_rate=peak, warmup_iters=warmup, lr_decay_iters=end, min_lr=floor)
    else:
        rates = [published(step, peak, warmup, end, floor) for step in range(80)]
        assert_same(nanogpt.get_lr(learning_rate=peak, warmup_iters=warmup, lr_decay_iters=end, min_lr=floor), rates)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"learning_rate": -1.0}, ks.ScheduleError, "`learning_rate` must be a finite learning rate >= 0"),
        ({"min_lr": math.inf}, ks.ScheduleError, "`min_lr` must be a finite learning rate >= 0"),
        ({"warmup_iters": -1}, ks.ScheduleError, "`warmup_iters` must be an integer >= 0"),
        ({"lr_decay_iters": 6e5}, ks.ArgumentTypeError, "`lr_decay_iters` must be an integer >= 0"),
    ],
)
def test_errors_name_the_argument(arguments: dict[str, Any], error: type[ks.KosineError], message: str) -> None:
    with pytest.raises(error, match=message):
        nanogpt.get_lr(**arguments)
