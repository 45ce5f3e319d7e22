"""How big a run is: steps from data, batches, samples, tokens and time, exactly, and as one length."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, strategies as st

import kosine as ks

LR = ks.constant(0.1)


def steps(**size: Any) -> int | None:
    return LR.plan(**size).total_steps


# --- batches and updates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "per_epoch", "samples"),
    [
        ({}, 32, 32),
        ({"accumulate": 4}, 8, 128),
        ({"accumulate": 5}, 7, 160),  # 32 batches: six times five, and two
        ({"accumulate": 100}, 1, 3200),
        ({"devices": 4}, 8, 128),
        ({"accumulate": 3, "devices": 4}, 3, 384),
        ({"drop_last": True}, 31, 32),
        ({"drop_last": True, "accumulate": 4}, 8, 128),  # 31 batches: the last update has three
        ({"drop_last": True, "accumulate": 4, "devices": 2}, 4, 256),
        ({"dataset_size": "1k", "batch_size": "0.032k"}, 32, 32),
    ],
)
def test_an_update_takes_a_batch_of_each_device_as_often_as_gradients_are_added_up(
    size: dict[str, Any], per_epoch: int, samples: int
) -> None:
    plan = LR.plan(**{"epochs": 2, "dataset_size": 1000, "batch_size": 32, **size})
    assert (plan.run.steps_per_epoch, plan.run.samples_per_step) == (per_epoch, samples)
    assert plan.total_steps == 2 * per_epoch


def test_what_an_update_takes_is_in_the_plan_and_not_how_it_came_about() -> None:
    plan = LR.plan(epochs=2, dataset_size=1000, batch_size=32, accumulate=4)
    assert repr(plan).endswith(".plan(total_steps=16, steps_per_epoch=8, samples_per_step=128)")
    assert ks.loads(ks.dumps(plan)) == plan


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"total_steps": 9, "accumulate": 4}, "Argument `accumulate` needs `batch_size`. Received: accumulate=4."),
    ({"total_steps": 9, "devices": 4}, "Argument `devices` needs `batch_size`. Received: devices=4."),
    ({"total_steps": 9, "drop_last": True}, "Argument `drop_last` needs `dataset_size`. Received: drop_last=True."),
    (
        {"epochs": 2, "steps_per_epoch": 32, "batch_size": 32, "accumulate": 4},
        "Argument `steps_per_epoch` counts updates, and `accumulate` goes with batches. Received: steps_per_epoch=32, "
        "accumulate=4. Give `dataset_size` instead of `steps_per_epoch`; or leave `accumulate` out, and write "
        "math.ceil(batches / accumulate) updates.",
    ),
    (
        {"dataset_size": 1000, "batch_size": 32, "accumulate": 4, "steps_per_epoch": 32},
        "Arguments `dataset_size`, `batch_size` and `accumulate` make 8 steps per epoch. Received: steps_per_epoch=32.",
    ),
    (
        {"total_steps": 9, "batch_size": 32, "accumulate": 4, "samples_per_step": 32},
        "Arguments `batch_size` and `accumulate` make 128 samples per step. Received: samples_per_step=32.",
    ),
    (
        {"dataset_size": 1000, "batch_size": 32, "samples_per_step": 64},
        "Argument `batch_size` makes 32 samples per step. Received: samples_per_step=64.",
    ),
    (
        {"epochs": 1, "dataset_size": 31, "batch_size": 8, "devices": 4, "drop_last": True},
        "With `drop_last` an epoch needs a full batch on every device. Received: dataset_size=31, batch_size=8, "
        "devices=4.",
    ),
    ({"total_steps": 9, "batch_size": 2**62, "accumulate": 4}, "A step has at most 2**63 - 1 samples. Received: batch"),
    # lengths
    ({"total_tokens": "300B"}, "Argument `total_tokens` needs `tokens_per_step`. Received: total_tokens='300B'."),
    ({"total_samples": 9}, "Argument `total_samples` needs `samples_per_step` (or `batch_size`). Received: total_s"),
    ({"total_time": "30min"}, "Argument `total_time` needs `seconds_per_step`. Received: total_time='30min'."),
    (
        {"total_steps": 5, "total_samples": "1.2M", "batch_size": 32},
        "Arguments `total_steps` and `total_samples` disagree. Received: total_steps=5, total_samples='1.2M', "
        "samples_per_step=32, which make 37500.",
    ),
    (
        {"epochs": 2, "steps_per_epoch": 10, "total_time": "1min", "seconds_per_step": 0.5},
        "Arguments `epochs` and `total_time` disagree. Received: epochs=2, steps_per_epoch=10, which make 20, "
        "total_time='1min', seconds_per_step=0.5, which make 120.",
    ),
    (
        {"total_time": "1s", "seconds_per_step": 2},
        "Arguments `total_time` and `seconds_per_step` must make at least 1 and at most 2**63 - 1 steps. Received: "
        "total_time='1s', seconds_per_step=2.",
    ),
    ({"total_tokens": 10**30, "tokens_per_step": 1}, "must make at least 1 and at most 2**63 - 1 steps. Received: tot"),
    (
        {"total_samples": 9, "samples_per_step": 10, "drop_last": True},
        "Arguments `total_samples` and `samples_per_step` must make at least 1 and at most 2**63 - 1 steps.",
    ),
    # seconds
    ({"total_steps": 9, "seconds_per_step": 0}, "Argument `seconds_per_step` must be a number of seconds > 0. Rec"),
    ({"total_steps": 9, "seconds_per_step": "1/0"}, "`seconds_per_step` must be a number of seconds > 0. Received: "),
    ({"total_steps": 9, "seconds_per_step": Fraction(1, 10**60)}, "a fraction with at most 60 digits. Received: sec"),
    ({"total_time": "30 min", "seconds_per_step": 1}, "Received: total_time='30 min'. Did you mean \"30min\"? Write"),
    ({"total_time": "1 Hour", "seconds_per_step": 1}, 'Did you mean "1h"? Write "90s", "30min", "1.5h" or "2d".'),
    ({"total_time": "30m", "seconds_per_step": 1}, 'Did you mean "30min"? Write "90s", "30min", "1.5h" or "2d".'),
    ({"total_time": "30ep", "seconds_per_step": 1}, '=\'30ep\'. Write "90s", "30min", "1.5h" or "2d".'),
]


@pytest.mark.parametrize(("size", "message"), REFUSED, ids=[message[:50] for _, message in REFUSED])
def test_sizes_that_do_not_go_together_are_refused(size: dict[str, Any], message: str) -> None:
    with pytest.raises(ks.PlanError, match=re.escape(message)):
        LR.plan(**size)


def test_one_batch_is_an_update_where_nothing_else_is_said() -> None:
    size: dict[str, Any] = {"epochs": 3, "dataset_size": 105, "batch_size": 10}
    assert LR.plan(**size, accumulate=1, devices=1, drop_last=False) == LR.plan(**size)
    assert LR.plan(total_steps=9, accumulate=1, devices=1) == LR.plan(total_steps=9)
    assert LR.plan(total_steps=9, batch_size=16, samples_per_step=64).run.samples_per_step == 64


# --- lengths in samples, tokens and time ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ({"total_tokens": "300B", "tokens_per_step": 3_200_000}, 93_750),  # GPT-3
        ({"total_tokens": "300B", "tokens_per_step": 2**22}, 71_526),
        ({"total_tokens": "300B", "tokens_per_step": 2**22, "drop_last": True}, 71_525),
        ({"total_tokens": "0.3T", "tokens_per_step": "3.2M"}, 93_750),
        ({"total_samples": "1.2M", "batch_size": 32, "accumulate": 4, "devices": 8}, 1_172),
        ({"total_samples": "1.2M", "batch_size": 32, "accumulate": 4, "devices": 8, "drop_last": True}, 1_171),
        ({"total_samples": 1, "samples_per_step": 1024}, 1),
        ({"total_time": "30min", "seconds_per_step": 0.25}, 7_200),
        ({"total_time": "1s", "seconds_per_step": 0.1}, 10),  # its shortest decimal: the float is above a tenth
        ({"total_time": "1s", "seconds_per_step": 0.3}, 3),  # the fourth would end after it
        ({"total_time": "1.5h", "seconds_per_step": Fraction(1, 3)}, 16_200),
        ({"total_time": ".5d", "seconds_per_step": 7}, 6_171),
        ({"total_steps": "1M"}, 10**6),
        ({"epochs": 2, "steps_per_epoch": "10k"}, 20_000),
        ({"total_steps": 93_750, "total_tokens": "300B", "tokens_per_step": 3_200_000}, 93_750),
    ],
)
def test_a_length_in_any_unit_is_one_in_steps(size: dict[str, Any], expected: int) -> None:
    assert steps(**size) == expected


@given(st.integers(1, 10**60), st.integers(1, 2**63 - 1))
def test_the_fewest_steps_that_see_so_many_tokens(total: int, tokens: int) -> None:
    fewest = -(-total // tokens)
    if fewest < 2**63:
        assert steps(total_tokens=total, tokens_per_step=tokens) == fewest


@given(st.fractions(Fraction(1, 10**9), 100, max_denominator=10**20))
def test_the_seconds_of_a_step_are_exact_and_are_read_back(seconds: Fraction) -> None:
    timed = ks.Schedule(ks.linear("90s", start=0.0, to=1.0), ks.hold())
    plan = timed.plan(total_steps=10**12, seconds_per_step=seconds)
    assert ks.loads(ks.dumps(plan)) == plan
    assert plan.phases[0].steps == math.floor(Fraction(90) / seconds + Fraction(1, 2))


@pytest.mark.parametrize(
    ("seconds", "written"), [(0.1, "0.1"), (2, "2"), (2.0, "2"), (Fraction(1, 3), "'1/3'"), ("2/6", "'1/3'")]
)
def test_the_seconds_of_a_step_are_written_as_shortly_as_they_are_read_back(seconds: Any, written: str) -> None:
    plan = LR.plan(total_steps=9, seconds_per_step=seconds)
    assert repr(plan) == f"Schedule(hold(start=0.1)).plan(total_steps=9, seconds_per_step={written})"
    assert ks.loads(ks.dumps(plan)) == plan
    assert LR.plan(**plan.run.known()) == plan


@pytest.mark.parametrize(
    ("size", "fix"),
    [
        (
            {"total_steps": 1000 / 32},
            "total_steps=31.25. A last batch that is not full counts, too: write math.ceil(samples / batch_size), or "
            "give `total_samples` and `batch_size`.",
        ),
        ({"total_steps": 1e3}, "total_steps=1000.0. Use 1000."),
        ({"epochs": 2, "steps_per_epoch": 1000 / 128}, "write math.ceil(dataset_size / batch_size), or give `dataset"),
        ({"total_tokens": 300e9, "tokens_per_step": 9}, "total_tokens=300000000000.0. Use 300000000000."),
        ({"total_tokens": "300Btok", "tokens_per_step": 9}, "total_tokens='300Btok'. Did you mean \"300B\"?"),
        ({"total_tokens": "300 b tokens", "tokens_per_step": 9}, 'Did you mean "300B"?'),
        ({"total_samples": "1.2345k", "tokens_per_step": 9}, 'integer >= 1 or a text such as "300B". Received: total'),
        ({"total_steps": "1m"}, "total_steps='1m'. Did you mean \"1M\"?"),
        ({"total_steps": "10K"}, "total_steps='10K'. Did you mean \"10k\"?"),
        ({"total_steps": "1000"}, "total_steps='1000'. Use 1000."),
        ({"total_steps": 9, "seconds_per_step": "0.3"}, "seconds_per_step='0.3'. Write 0.3 without quotes."),
        ({"total_time": 30, "seconds_per_step": 1}, 'total_time=30. Write "30s" or "30min".'),
        ({"total_time": 1.5, "seconds_per_step": 1}, 'total_time=1.5. Write "90s", "30min", "1.5h" or "2d".'),
        ({"gradient_accumulation_steps": 4}, "Write `accumulate` for gradient_accumulation_steps."),
        (
            {"world_size": 4, "train_samples": 4},
            "Write `devices` for world_size and `total_samples` for train_samples.",
        ),
    ],
)
def test_a_size_of_another_form_is_answered_with_the_right_one(size: dict[str, Any], fix: str) -> None:
    with pytest.raises(ks.ArgumentTypeError, match=re.escape(fix)):
        LR.plan(**size)


# --- durations in time ------------------------------------------------------------------------------------------------


TIMED = ks.Schedule(ks.linear("30min", start=0.0, to=1.0), ks.hold("1/3h"), ks.cosine(to=0.0))


def test_durations_in_time_are_placed_by_the_measured_speed() -> None:
    plan = TIMED.plan(total_time="2h", seconds_per_step=0.5)
    assert [(row.first_step, row.steps) for row in plan.phases] == [(0, 3600), (3600, 2400), (6000, 8400)]
    assert TIMED.plan(total_time="2h", seconds_per_step=1)(1800) == plan(3600) == 1.0


def test_durations_in_time_are_written_as_text_and_as_json() -> None:
    plan = TIMED.plan(total_time="2h", seconds_per_step=0.5)
    assert repr(TIMED) == 'Schedule(linear("30min", start=0.0, to=1.0), hold("1/3h"), cosine(to=0.0))'
    assert ks.parse(repr(TIMED)) == TIMED
    assert ks.loads(ks.dumps(plan)) == plan


def test_a_plan_with_durations_in_time_branches_and_scales_in_time() -> None:
    plan = TIMED.plan(total_time="2h", seconds_per_step=0.5)
    cooled = plan.cooldown(at="40min", over="10min")
    assert (cooled.total_steps, cooled(4799), cooled(6000)) == (6000, 1.0, 0.0)
    half = plan.scaled_in_time(Fraction(1, 2))
    assert half.schedule.parts[0] == ks.linear("15min", start=0.0, to=1.0)
    assert [row.steps for row in half.phases] == [1800, 1200, 4200]


def test_the_summary_says_how_long_the_run_takes() -> None:
    size: dict[str, Any] = {"total_steps": 7200, "seconds_per_step": 0.25}
    assert ks.summarize(LR.plan(**size)).seconds == 1800
    words = [ks.summarize(LR.plan(**{**size, "total_steps": n})).in_words()["time"] for n in (1, 300, 7200, 10**6)]
    assert words == ["0.25 s", "1.25 min", "30 min", "2.894 d"]
    assert "time" not in ks.summarize(LR.plan(total_steps=9)).in_words()


def test_points_in_time_may_be_in_several_units() -> None:
    lr = ks.piecewise([(0, 0.1), ("30min", 0.01), ("1.5h", 0.001)])
    assert lr == ks.Schedule(ks.hold("0.5h", start=0.1), ks.hold("1h", start=0.01), ks.hold(start=0.001))
    with pytest.raises(ks.ScheduleError, match=r"`points` must be in one unit\. Received: points="):
        ks.piecewise([(0, 0.1), ("30min", 0.01), ("5ep", 0.001)])


def test_lint_takes_few_steps_of_a_run_in_time_for_meant() -> None:
    plans = [
        ks.warmup_cosine(peak=0.1, warmup=warmup, warmup_start=0.01).plan(total_steps=100, seconds_per_step=60)
        for warmup in (10, "10min")
    ]
    assert [sum(remark.code == "K012" for remark in ks.lint(plan)) for plan in plans] == [1, 0]
