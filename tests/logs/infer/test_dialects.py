"""What `kosine.dialects` can express, `infer` recovers from 200 rows of its plan."""

from __future__ import annotations

import numpy as np
import pytest

import kosine as ks
from kosine._logs.precision import Precision
from tests.support.dialect_plans import SCHEDULES, dialect_case
from tests.support.recovering import outcome_of

# The benchmark of dialects draws each several times; the quick tests have one each of some that are found at once.
QUICK = (
    "timm.StepLRScheduler",
    "timm.MultiStepLRScheduler",
    "huggingface.cosine",
    "keras.ExponentialDecay",
    "composer.MultiStepWithWarmupScheduler",
    "optax.linear_schedule",
    "torchtitan.lr_scheduler",
    "deepspeed.OneCycle",
    "deepspeed.LRRangeTest",
    "axolotl.RexLR",
)
UNKNOWN = {
    "huggingface.warmup_stable_decay",  # a warm-up that rises as a square root
}


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        *((name, 5) for name in QUICK),
        *(pytest.param(name, seed, marks=pytest.mark.slow) for name in SCHEDULES for seed in (0, 1, 2)),
    ],
)
def test_recovers_the_schedules_of_every_dialect(name: str, seed: int) -> None:
    case = dialect_case(name, seed)
    found = outcome_of(ks.infer(case.trace()), case.plan)
    assert found.kind in ("equal", "open") or (found.kind == "unexplained" and name in UNKNOWN)


# --- curves that began unseen, and rare ones ------------------------------------------------------------------------


def schedule_of(plan: ks.Plan, every: int) -> str:
    assert plan.total_steps is not None
    steps = np.arange(0, plan.total_steps, every)
    return repr(ks.infer(ks.Trace(steps, plan(steps))).schedule)


def test_a_cosine_that_runs_under_the_warmup() -> None:
    plan = ks.dialects.timm.CosineLRScheduler(5e-4, 300, lr_min=1e-5, warmup_t=5, warmup_lr_init=1e-6).plan()
    text = "Schedule(linear(5, start=1e-06, to=0.0005), section(cosine(start=0.0005, to=1e-05), skip=5))"
    assert schedule_of(plan, 1) == text


def test_where_a_hidden_curve_comes_up_is_open() -> None:
    plan = ks.dialects.timm.CosineLRScheduler(1e-3, 3000, warmup_t=100, warmup_lr_init=1e-5).plan()
    steps = np.arange(0, 3000, 30)
    inference = ks.infer(ks.Trace(steps, plan(steps)))
    at = next(each for each in inference.open if each.what == "linear to cosine")
    assert (at.low, at.high) == (91, 120)


def test_a_peak_between_two_steps() -> None:
    plan = ks.dialects.torch.OneCycleLR(0.01, total_steps=1005).plan(total_steps=1005)
    text = 'Schedule(section(cosine("300.5st", start=0.0004, to=0.01), cosine("703.5st", start=0.01, to=4e-08), '
    assert schedule_of(plan, 5) == text + "continuous=True))"


@pytest.mark.slow
def test_any_power() -> None:
    plan = ks.Schedule(ks.linear(100, start=0.0, to=0.1), ks.polynomial(to=0.0, power=1.3)).plan(total_steps=2000)
    assert schedule_of(plan, 10) == "Schedule(linear(100, start=0.0, to=0.1), polynomial(to=0.0, power=1.3))"


@pytest.mark.slow
def test_a_line_that_lost_its_state_is_no_cycle_of_a_power() -> None:
    steps = np.arange(0, 3000, 10)
    rates = 1e-3 * (1 - np.where(steps < 2300, steps, steps - 2300) / 3000)
    assert not ks.infer(ks.Trace(steps, rates)).explained


# --- DeepSpeed's warm-ups and stairs --------------------------------------------------------------------------------


def warmup_cosine(kind: str, **arguments: float) -> ks.Plan:
    schedule = ks.dialects.deepspeed.WarmupCosineLR(
        0.1, total_num_steps=1000, warmup_num_steps=100, warmup_type=kind, **arguments
    )
    return schedule.plan(total_steps=1000)


@pytest.mark.parametrize("every", [1, 5, 20])
def test_a_cosine_that_begins_a_step_before_its_line_ends(every: int) -> None:
    text = "Schedule(hold(1, start=0.0), linear(100, to=0.1), section(cosine(start=0.1, to=1e-05), skip=1))"
    assert schedule_of(warmup_cosine("linear"), every) == text


@pytest.mark.parametrize(("every", "low"), [(5, 0.0), (20, 0.01)])
def test_a_logarithm(every: int, low: float) -> None:
    start = "start=0.001, " if low else ""
    text = f"Schedule(hold(1, start=0.0), logarithm(99, {start}to=0.1, base=100.0), cosine(to=1e-05))"
    assert schedule_of(warmup_cosine("log", warmup_min_ratio=low), every) == text


def test_a_logarithm_before_a_level_or_a_line() -> None:
    deepspeed = ks.dialects.deepspeed
    level = deepspeed.WarmupLR(warmup_max_lr=0.1, warmup_num_steps=100)
    line = deepspeed.WarmupDecayLR(total_num_steps=1000, warmup_max_lr=0.1, warmup_num_steps=100)
    warm = "Schedule(hold(1, start=0.0), logarithm(99, to=0.1, base=100.0), "
    assert schedule_of(level.plan(total_steps=1000), 5) == warm + "hold())"
    assert schedule_of(line.plan(total_steps=1000), 20) == warm + "hold(1), linear(to=0.0))"


def test_a_quadratic_warmup() -> None:
    plan = ks.dialects.axolotl.get_cosine_schedule_with_quadratic_warmup(1e-3, 100, 1000).plan(total_steps=1000)
    text = "Schedule(polynomial(100, start=0.0, to=0.001, power=1.0, warp=2.0), cosine(to=0.0))"
    assert schedule_of(plan, 20) == text


def test_a_warmup_that_too_few_rows_show_is_no_jump() -> None:
    plan = warmup_cosine("linear")
    steps = np.arange(0, 1000, 50)
    inference = ks.infer(ks.Trace(steps, plan(steps)))
    assert not inference.explained
    assert "jumps" not in inference.sentence
    assert "linear from step 0 to 50" in inference.sentence


def test_a_line_that_two_rows_show_is_open() -> None:
    plan = ks.Schedule(ks.linear(100, start=0.0, to=0.1), ks.hold()).plan(total_steps=1000)
    steps = np.arange(0, 1000, 60)
    inference = ks.infer(ks.Trace(steps, plan(steps)))
    assert ("course of linear", 0.0) in [(each.what, each.low) for each in inference.open]


def test_stairs_up_and_down() -> None:
    schedule = ks.dialects.deepspeed.OneCycle(
        cycle_min_lr=0.005, cycle_max_lr=0.05, cycle_first_step_size=900, cycle_first_stair_count=5
    )
    plan = schedule.plan(total_steps=3000)
    dense = ks.infer(ks.Trace(np.arange(3000), plan(np.arange(3000)))).plan
    assert dense is not None
    assert bool((np.abs(dense(np.arange(3000)) - plan(np.arange(3000))) < 1e-12).all())
    steps = np.arange(0, 3000, 15)
    inference = ks.infer(ks.Trace(steps, plan(steps)))
    is_open = {(each.low, each.high) for each in inference.open if each.what == "hold to hold"}
    assert [each.position for each in inference.odd] == [900]
    assert is_open >= {(row - 14, row) for row in (180, 360, 540, 720, 1095, 1275, 1455, 1635)}


# --- cycles and drops ---------------------------------------------------------------------------------------------


def test_a_whole_cycle_is_no_skip() -> None:
    lengths = (20, 21, 21, 21)
    cosines = [
        0.001 + (0.01 * 0.95 ** max(turn - 1, 0) - 0.001) * (1 + np.cos(np.pi * np.arange(length) / length)) / 2
        for turn, length in enumerate(lengths)
    ]
    rates = np.concatenate([np.linspace(0.001, 0.01, 10, endpoint=False), *cosines])
    inference = ks.infer(ks.Trace(np.arange(rates.size), rates, axis="epoch"))
    assert inference.plan is not None
    assert inference.skips == ()
    assert [row.first_step for row in inference.plan.phases][:5] == [0, 10, 30, 51, 72]


def test_a_level_prints_as_one_number() -> None:
    rates = np.repeat([1e-4, 1e-5, 0.0], [300, 345, 621])  # 1e-6 is printed as 0.0
    trace = ks.Trace(np.arange(rates.size), rates, precision=Precision(decimals=5))
    assert (
        repr(ks.infer(trace).schedule) == "Schedule(hold(300, start=0.0001), hold(345, start=1e-05), hold(start=0.0))"
    )


def test_a_short_warmup_is_left_out() -> None:
    epochs = np.arange(1, 101)
    line = 0.01 * (1 - 0.99 * (epochs - 1) / 100)
    rates = np.where(epochs <= 3, line * epochs / 3.03, line)
    inference = ks.infer(ks.Trace(epochs, rates, axis="epoch"))
    assert repr(inference.schedule) == "Schedule(linear(start=0.01, to=0.0001))"
    assert [row.position for row in inference.odd] == [1, 2, 3]
    assert "warm-up" in [each.what for each in inference.open]


def test_a_long_warmup_that_multiplies_the_decay_is_left_out() -> None:
    epochs = np.arange(1, 151)
    line = 0.01 * (1 - 0.99 * (epochs - 1) / 200)
    inference = ks.infer(ks.Trace(epochs, np.minimum(epochs / 40, 1) * line, axis="epoch"))
    assert inference.schedule is not None
    assert "linear(start=0.01" in repr(inference.schedule)
    assert [row.position for row in inference.odd] == list(range(1, 40))
    assert inference.open[0].what == "warm-up"


@pytest.mark.slow
def test_rows_that_rise_in_another_way_are_no_such_warmup() -> None:
    epochs = np.arange(1, 151)
    line = 0.01 * (1 - 0.99 * (epochs - 1) / 200)
    inference = ks.infer(ks.Trace(epochs, np.minimum(epochs / 40, 1) ** 1.2 * line, axis="epoch"))
    assert inference.odd == ()


def test_a_constant_warmup_before_drops() -> None:
    rates = np.repeat([0.0033, 0.01, 0.001, 0.0001], [50, 1550, 510, 290])
    steps = np.arange(rates.size)
    found = repr(ks.infer(ks.Trace(steps, rates)).schedule)
    assert found.startswith("Schedule(hold(50, start=0.0033), hold(1550, start=0.01), hold(510, start=0.001), ")
    late = np.roll(rates, 400)  # the lower level is in the middle of the run: changed by hand
    assert not ks.infer(ks.Trace(steps, late)).explained


def test_a_longer_first_level_is_a_delay_and_no_skip() -> None:
    steps = np.arange(0, 3000, 15)
    rates = 1e-4 * 0.5 ** (np.maximum(steps - 30, 0) // 150)
    inference = ks.infer(ks.Trace(steps, rates))
    assert inference.skips == ()
    assert repr(inference.schedule) == "Schedule(hold(20, start=0.0001), cycles(hold(150, start=0.0001), shrink=0.5))"


def test_few_printed_rates_show_no_curve_that_misses_one() -> None:
    epochs = np.arange(0, 30, 0.1)
    rates = np.select([epochs < 5.1, epochs < 15.4], [0.0, 1e-6], 2e-6)  # a warm-up and a cosine, far too coarse
    assert not ks.infer(ks.Trace(epochs, rates, axis="epoch", precision=Precision(decimals=6))).explained


# --- giving up ----------------------------------------------------------------------------------------------------


def test_a_log_that_nothing_explains_says_what_its_pieces_are() -> None:
    steps = np.arange(0, 10_000, 100)  # Caffe's `inv`
    inference = ks.infer(ks.Trace(steps, 0.01 * (1 + 1e-4 * steps) ** -0.75))
    assert not inference.explained
    assert "pieces: cosine from step 0 to" in inference.sentence
    assert "The nearest single curve" in inference.sentence
