"""Each verdict of `check`, on logs that are made for it."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import kosine as ks
from kosine._logs.check.check import check
from kosine._logs.check.verdict import Verdict
from kosine._logs.precision import Precision
from kosine._logs.trace import Trace
from tests.support.known_logs import FOLDER

PLAN = ks.warmup_cosine(peak=1e-3, warmup=100, hold=50, floor=1e-5).plan(total_steps=1000, steps_per_epoch=50)
STEPS = np.arange(0, 1000, 5)
EVERY = np.arange(1000)


def judged(positions: Any, steps: Any, plan: ks.Plan = PLAN, decimals: int | None = 7, **about: Any) -> Verdict:
    """The verdict about a log that shows the plan's rates at some steps."""
    rates = plan(np.asarray(steps))
    precision = Precision(decimals=decimals)
    return check(
        Trace(positions, rates if decimals is None else rates.round(decimals), precision=precision, **about), plan
    )


# --- it follows -------------------------------------------------------------------------------------------------------


def test_follows() -> None:
    verdict = judged(STEPS, STEPS)
    assert (verdict.kind, verdict.follows, verdict.offset, verdict.factor) == ("follows", True, 0, Fraction(1))
    assert verdict.first is None
    assert (verdict.off, verdict.compared, verdict.skips, verdict.jumps) == (0, 200, (), ())
    assert verdict.sentence == "The log follows the plan: its 200 rows cover steps 0 to 995 of 1,000."
    np.testing.assert_array_equal(verdict.expected(), PLAN(STEPS))


@pytest.mark.parametrize(("offset", "told"), [(1, "the rate of the next step (+1)"), (-1, "counted from 1 (-1)")])
def test_an_offset_of_one_step(offset: int, told: str) -> None:
    verdict = judged(STEPS[1:], STEPS[1:] + offset)
    assert (verdict.kind, verdict.follows, verdict.offset, verdict.first) == ("offset", True, offset, None)
    assert told in verdict.sentence
    np.testing.assert_array_equal(verdict.expected(), PLAN(STEPS[1:] + offset))


STAIRCASE = ks.Schedule(ks.section(ks.linear(4, start=1e-6, to=1e-3), ks.cosine(to=1e-5), tick="1ep"))


STAIRCASES = pytest.mark.parametrize(
    "plan", [STAIRCASE.plan(epochs=20, steps_per_epoch=50), PLAN], ids=["epochs", "steps"]
)


@STAIRCASES
def test_a_scheduler_that_is_given_the_last_epochs_number_lags_by_an_epoch(plan: ks.Plan) -> None:
    verdict = judged(EVERY, np.maximum(0, EVERY - 50), plan)
    assert (verdict.kind, verdict.cause, verdict.follows) == ("lags", "late by an epoch", False)
    assert (verdict.offset, verdict.skips) == (0, ())
    assert verdict.sentence.startswith(
        "The log lags behind the plan by one epoch (50 steps): each epoch has the rates of the one before"
    )


@STAIRCASES
def test_in_a_log_of_epochs_it_is_an_offset(plan: ks.Plan) -> None:
    epochs = np.arange(20)
    verdict = judged(epochs, np.maximum(0, epochs * 50 - 50), plan, axis="epoch")
    assert (verdict.kind, verdict.cause, verdict.follows) == ("offset", "late by an epoch", True)
    assert (verdict.offset, verdict.off, verdict.first) == (-50, 0, None)
    assert "an offset of one epoch (50 steps): each row shows the rate of the epoch before" in verdict.sentence


def test_deit_whose_first_two_rows_are_the_same() -> None:
    schedule = ks.Schedule(ks.linear(5, start=1e-6, to=5e-4), ks.section(ks.cosine(300, start=5e-4, to=1e-5), skip=5))
    epochs = np.arange(300)
    plan = schedule.plan(epochs=300, steps_per_epoch=1)
    verdict = judged(epochs, np.maximum(0, epochs - 1), plan, None, axis="epoch")
    assert (verdict.kind, verdict.cause, verdict.offset) == ("offset", "late by an epoch", -1)


def test_a_log_that_begins_mid_run_follows_a_plan_that_begins_there() -> None:
    """As `infer` plans it; a run that restarted stays within the steps of its plan."""
    verdict = judged(EVERY + 30_050, EVERY)
    assert (verdict.kind, verdict.follows, verdict.offset) == ("offset", True, -30_050)
    assert "it counts from 30,050, but begins at step 0 of the plan (-30,050 steps)" in verdict.sentence
    assert judged(EVERY[100:], EVERY[:900]).kind == "restarted"


def test_a_log_that_counts_from_0_but_begins_mid_run() -> None:
    verdict = judged(EVERY[:500], EVERY[500:])
    assert (verdict.kind, verdict.offset) == ("offset", 500)
    assert "it counts from 0, but begins at step 500 of the plan (+500 steps)" in verdict.sentence


def test_a_warmup_that_was_left_out_is_no_log_that_begins_mid_run() -> None:
    with_warmup, without = ks.sgdr(peak=0.1, period=200, warmup=100), ks.sgdr(peak=0.1, period=200)
    verdict = judged(EVERY, EVERY, without.plan(total_steps=1000))
    assert verdict.follows
    verdict = check(verdict.trace, with_warmup.plan(total_steps=1000))
    assert (verdict.kind, verdict.cause) == ("differs", "no warm-up")
    assert "without its warm-up of 100 steps" in verdict.sentence


@pytest.mark.parametrize("schedule", [ks.step_decay(peak=3e-4, every=166), ks.exponential(start=0.1, to=1e-4)])
def test_a_multiple_that_looks_like_the_further_course(schedule: Any) -> None:
    plan = (schedule if isinstance(schedule, ks.Schedule) else ks.Schedule(schedule)).plan(total_steps=500)
    steps = np.arange(330)
    verdict = check(Trace(steps, plan(steps) * 0.1), plan)
    assert verdict.kind == "differs"
    assert "Its rates are 0.1 times those of the plan throughout." in verdict.sentence


def test_an_exponential_from_its_midst_to_its_end_follows() -> None:
    plan = ks.Schedule(ks.exponential(start=0.1, to=1e-4)).plan(total_steps=1000)
    verdict = judged(np.arange(0, 600, 10), np.arange(400, 1000, 10), plan, decimals=None)
    assert (verdict.kind, verdict.offset) == ("offset", 400)


def test_a_log_that_begins_mid_run_and_counts_on_follows() -> None:
    assert judged(EVERY[500:900], EVERY[500:900]).sentence.endswith("its 400 rows cover steps 500 to 899 of 1,000.")


def test_rows_that_would_agree_with_an_offset_too() -> None:
    verdict = judged(EVERY[60:400], EVERY[60:400], decimals=4)
    assert (verdict.kind, verdict.offset) == ("follows", 0)


def test_one_row_is_not_enough_to_follow_nor_to_explain() -> None:
    verdict = judged([600], [600])
    assert (verdict.kind, verdict.follows) == ("too little", False)
    assert verdict.sentence.startswith("1 row agrees with the plan: too few to say that the run followed it.")
    verdict = judged([600], [700])
    assert (verdict.kind, verdict.cause) == ("differs", None)


@pytest.mark.parametrize(("count", "kind"), [(3, "too little"), (5, "too little"), (6, "offset"), (9, "offset")])
def test_rows_must_be_more_than_the_numbers_of_the_plan(count: int, kind: str) -> None:
    plan = ks.warmup_cosine(peak=1e-3, warmup="1ep", floor=1e-5).plan(epochs=count, steps_per_epoch=50)
    epochs = np.arange(count)
    assert judged(epochs, epochs * 50 + 49, plan, axis="epoch").kind == kind


@pytest.mark.parametrize(("count", "kind"), [(2, "too little"), (3, "follows")])
def test_three_rows_show_a_constant_plan(count: int, kind: str) -> None:
    assert judged(EVERY[:count], EVERY[:count], ks.constant(0.02).plan(total_steps=100)).kind == kind


def test_rows_that_all_lie_where_the_plan_stays() -> None:
    verdict = judged(EVERY[105:140], EVERY[105:140])
    assert (verdict.kind, verdict.follows) == ("too little", False)
    assert (
        "All 35 rows agree with the plan, but they lie where it stays at 0.001 (steps 105 to 139)" in verdict.sentence
    )


@pytest.mark.parametrize(("decimals", "kind"), [(3, "too little"), (4, "follows")])
def test_rates_that_are_printed_too_coarsely(decimals: int, kind: str) -> None:
    verdict = judged(EVERY, EVERY, decimals=decimals)
    assert verdict.kind == kind
    assert ("a printed rate leaves 0.001 open" in verdict.sentence) == (kind == "too little")


def test_phases_that_no_row_shows_are_named() -> None:
    steps = [*range(0, 100, 10), *range(200, 1000, 200)]
    verdict = judged(steps, steps)
    assert verdict.follows
    assert "No row lies in the plan's hold of steps 100 to 149: it was not seen." in verdict.remarks


# --- odd rows ---------------------------------------------------------------------------------------------------------


def test_odd_rows_are_named() -> None:
    rates = PLAN(EVERY)
    rates[[300, 600]] = 0.5
    trace = Trace(EVERY, rates)
    verdict = check(trace, PLAN)
    assert (verdict.kind, verdict.follows, verdict.off) == ("odd rows", False, 2)
    assert [(point.position, point.found) for point in verdict.odd] == [(300, 0.5), (600, 0.5)]
    assert "follows the plan but for 2 of 1,000 rows: step 300 (expected" in verdict.sentence
    assert "\nodd rows           step 300: expected" in str(verdict)
    assert not check(trace, PLAN, allow_odd_rows=1).follows
    allowed = check(trace, PLAN, allow_odd_rows=2)
    assert (allowed.kind, allowed.follows, allowed.allowed) == ("odd rows", True, True)
    assert allowed.sentence.endswith("2 odd rows are allowed, so the run follows.")


@pytest.mark.parametrize("decimals", [5, 6, None])
def test_an_odd_row_leaves_the_offset(decimals: int | None) -> None:
    plan = ks.warmup_cosine(peak=1e-4, warmup=10).plan(total_steps=40_000)
    steps = np.arange(10, 40_001, 10)
    rates = plan(steps - 1) if decimals is None else plan(steps - 1).round(decimals)
    rates[1333] *= 1.5
    verdict = check(Trace(steps, rates, precision=Precision(decimals=decimals)), plan)
    assert (verdict.kind, verdict.offset, [point.position for point in verdict.odd]) == ("odd rows", -1, [13_340])


def test_the_step_past_the_end_of_torchs_one_cycle() -> None:
    plan = ks.Schedule(ks.cosine(99, start=4e-5, to=1e-3), ks.cosine(900, to=4e-8)).plan(total_steps=1000)
    verdict = check(ks.read_trace(FOLDER / "onecycle.csv"), plan)
    assert (verdict.kind, verdict.cause, [point.position for point in verdict.odd]) == (
        "odd rows",
        "past the end",
        [1000],
    )
    assert (
        "the row at step 1,000 lies past the end of the plan, where the cosine of torch's OneCycleLR"
        in verdict.sentence
    )


@pytest.mark.parametrize("glitch", [1.0, 1e10, 1e300])
def test_a_glitch_excuses_no_other_row(glitch: float) -> None:
    rates, other = PLAN(EVERY), PLAN(EVERY) * (1 + 1e-5)
    rates[300] = other[300] = glitch
    assert [point.position for point in check(Trace(EVERY, rates), PLAN).odd] == [300]
    assert check(Trace(EVERY, other), PLAN).kind == "differs"


def test_one_odd_row_that_a_lag_explains_as_well() -> None:
    plan = ks.step_decay(peak=0.1, every=400).plan(total_steps=700)
    verdict = judged(EVERY[:700], np.where(EVERY[:700] == 400, 399, EVERY[:700]), plan)
    assert verdict.kind == "odd rows"
    assert "A lag of 1 step that shows in this row alone would explain it as well." in verdict.sentence


@pytest.mark.parametrize("count", [1, 12])
def test_rows_that_are_a_little_further_off_than_their_print_allows(count: int) -> None:
    rates = PLAN(EVERY).round(7)
    rates[500 : 500 + count] = PLAN(EVERY[500 : 500 + count]) + 5.6e-8
    verdict = check(Trace(EVERY, rates, precision=Precision(decimals=7)), PLAN)
    assert (verdict.kind, verdict.cause, verdict.off) == ("follows", "nearly", 0)
    assert "Its furthest row is 1.12 times as far off as its print leaves open." in verdict.sentence


def test_rows_beyond_the_run_stay_at_its_end_value() -> None:
    verdict = judged(np.arange(0, 1200, 10), np.arange(0, 1200, 10))
    assert verdict.follows
    assert "19 rows lie beyond the 1,000 steps of the plan." in verdict.remarks


def test_a_plan_without_a_length() -> None:
    plan = ks.inverse_sqrt_decay(peak=1e-3, warmup=100).plan()
    assert judged(STEPS, STEPS, plan).sentence == "The log follows the plan: its 200 rows cover steps 0 to 995."
    assert judged(STEPS, STEPS * 2, plan).factor == 2


def test_a_length_that_the_log_declares_otherwise() -> None:
    assert "The log declares a run of 2,000 steps, the plan has 1,000." in judged(STEPS, STEPS, total=2000).remarks


# --- epochs, samples, tokens ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "offset", "told"),
    [
        (0, 0, "cover steps 0 to 950"),
        (0, 49, "its epoch's last batch (+49 steps)"),
        (0, 50, "the next epoch's first batch (+50 steps)"),
        (1, -50, "its epoch's first batch, and epochs are counted from 1 (-50 steps)"),
        (1, -1, "its epoch's last batch, and epochs are counted from 1 (-1 steps)"),
    ],
)
def test_epochs(first: int, offset: int, told: str) -> None:
    epochs = np.arange(first, 20 + first)
    verdict = judged(epochs, epochs * 50 + offset, axis="epoch")
    assert verdict.follows
    assert (verdict.offset, verdict.steps_per_unit, verdict.averaged) == (offset, Fraction(50), False)
    assert told in verdict.sentence


@pytest.mark.parametrize("first", [0, 1])
def test_the_mean_of_each_epoch(first: int) -> None:
    means = PLAN(EVERY).reshape(20, 50).mean(axis=1)
    verdict = check(Trace(np.arange(first, first + 20), means, axis="epoch"), PLAN)
    assert (verdict.kind, verdict.averaged, verdict.offset) == ("offset", True, -50 * first)
    assert "the mean of its epoch" in verdict.sentence
    np.testing.assert_allclose(verdict.expected(), means)


def test_fractions_of_epochs() -> None:
    verdict = judged(np.arange(0, 20, 0.1), STEPS, axis="epoch")
    assert (verdict.kind, verdict.offset) == ("follows", 0)


@pytest.mark.parametrize(("axis", "argument"), [("sample", "samples_per_step"), ("token", "tokens_per_step")])
def test_samples_and_tokens(axis: str, argument: str) -> None:
    plan = PLAN.schedule.plan(total_steps=1000, **{argument: 32})
    verdict = judged(STEPS * 32, STEPS, plan, axis=axis)
    assert (verdict.kind, verdict.steps_per_unit) == ("follows", Fraction(1, 32))


@pytest.mark.parametrize(
    ("axis", "argument"),
    [("epoch", "steps_per_epoch"), ("sample", "samples_per_step"), ("token", "tokens_per_step")],
)
def test_a_unit_that_the_plan_does_not_know(axis: Any, argument: str) -> None:
    plan = PLAN.schedule.plan(total_steps=1000)
    with pytest.raises(ks.PlanError, match=rf"must know its `{argument}`\..* Give `{argument}`"):
        check(Trace([0, 1], [0.0, 1e-3], axis=axis), plan)


# --- skipped steps ----------------------------------------------------------------------------------------------------


def test_skipped_steps_are_found() -> None:
    steps = EVERY - 3 * (EVERY >= 300) - (EVERY >= 700)
    steps[300:303] = 299
    verdict = judged(EVERY, steps, decimals=None)
    assert (verdict.kind, verdict.follows, verdict.offset) == ("lags", False, 0)
    assert verdict.skips == ((300, 1), (301, 1), (302, 1), (700, 1))
    assert "lags behind the plan by 4 steps" in verdict.sentence
    assert "the first by step 300, the last by step 700" in verdict.sentence
    assert verdict.first is not None
    assert (verdict.first.position, verdict.first.step) == (300, 300)
    assert (verdict.first.expected, verdict.first.found) == (PLAN(300), PLAN(299))


def test_skips_in_a_hold_show_after_it() -> None:
    verdict = judged(EVERY, EVERY - 2 * (EVERY >= 120), decimals=None)
    assert (verdict.kind, verdict.skips) == ("lags", ((151, 2),))


def test_skips_that_the_log_declares_at_the_start() -> None:
    tens = np.arange(10, 1000, 10)
    verdict = judged(tens, np.maximum(tens - 19, [0, 2, *[0] * 97]), skipped=[(10, 10), (20, 8), (30, 1), (40, 0)])
    assert (verdict.kind, verdict.skips, verdict.offset) == ("lags", ((10, 10), (20, 8), (30, 1)), 0)


def test_declared_skips_that_explain_the_lag() -> None:
    verdict = judged(STEPS, STEPS - 5 * (STEPS >= 400), skipped=[(400, 5), (405, 0)])
    assert (verdict.kind, verdict.skips) == ("lags", ((400, 5),))
    assert "5 steps that the optimizer skipped, as the log itself declares: all of them by step 400" in verdict.sentence


def test_declared_skips_may_be_allowed() -> None:
    trace = judged(STEPS, STEPS - 5 * (STEPS >= 400), skipped=[(400, 5), (405, 0)]).trace
    verdict = check(trace, PLAN, allow_skips=True)
    assert (verdict.kind, verdict.cause, verdict.follows, verdict.off) == ("lags", "declared skips", True, 0)
    assert verdict.sentence.endswith("These steps are allowed, so the run follows.")
    other = judged(STEPS, STEPS - 5 * (STEPS >= 400), skipped=[(400, 3)]).trace
    assert not check(other, PLAN, allow_skips=True).follows


@pytest.mark.parametrize(("allowed", "follows"), [(False, False), (9, False), (10, True), (True, False)])
def test_so_many_skips_may_be_allowed_whatever_skipped_them(allowed: int, follows: bool) -> None:
    rows = np.arange(0, 1000, 25)
    trace = judged(rows, rows - 10 * (rows >= 500), decimals=None).trace
    assert check(trace, PLAN, allow_skips=allowed).follows is follows


def test_skips_of_mixed_precision_may_be_allowed() -> None:
    trace = judged(STEPS, STEPS - (STEPS >= 400)).trace
    assert not check(trace, PLAN).follows
    assert check(trace, PLAN, allow_skips=True).follows


def test_skips_of_a_log_of_epochs_are_not_said_to_be_of_mixed_precision() -> None:
    epochs = np.arange(20)
    verdict = judged(epochs, epochs * 50 - 50 * (epochs >= 8), decimals=None, axis="epoch")
    assert (verdict.kind, verdict.cause, verdict.skips) == ("lags", None, ((8, 50),))
    assert "lags behind the plan by one epoch (50 steps)" in verdict.sentence
    assert "mixed precision" not in verdict.sentence


def test_many_steps_at_once_are_not_said_to_be_of_mixed_precision() -> None:
    rows = np.arange(0, 1000, 25)
    verdict = judged(rows, rows - 10 * (rows >= 500), decimals=None)
    assert (verdict.kind, verdict.cause) == ("lags", None)
    assert "or a resume had trained them again" in verdict.sentence


def test_declared_skips_that_do_not_account_for_it() -> None:
    verdict = judged(STEPS, STEPS - 5 * (STEPS >= 400), skipped=[(400, 3)])
    assert (verdict.kind, verdict.skips) == ("lags", ((400, 5),))
    assert "The log declares 3 skipped steps, which do not account for it." in verdict.sentence


def test_declared_skips_that_do_not_show() -> None:
    verdict = judged(STEPS, STEPS, skipped=[(400, 3)])
    assert verdict.kind == "follows"
    assert "The log declares skipped steps, but its rates do not lag behind the plan." in verdict.remarks


def test_a_lag_that_grows_all_the_time_is_none() -> None:
    verdict = judged(EVERY, EVERY - EVERY // 40)
    assert verdict.kind == "differs"


@pytest.mark.parametrize(("every", "kind"), [(20, "differs"), (600, "lags")])
def test_how_many_skipped_steps_are_believed(every: int, kind: str) -> None:
    plan = ks.warmup_cosine(peak=1e-3, warmup=100).plan(total_steps=20_000)
    steps = np.arange(20_000)
    skipped = np.minimum(steps, 16) + steps // every  # a burst, then one in so many
    assert judged(steps, steps - skipped, plan, decimals=None).kind == kind


# --- too fast, too slow -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [2, 3, 8, 64])
@pytest.mark.parametrize("offset", [0, 1])
def test_too_fast(factor: int, offset: int) -> None:
    verdict = judged(EVERY, (EVERY + offset) * factor)
    assert (verdict.kind, verdict.factor) == ("too fast", Fraction(factor))
    assert f"{factor} times as fast as planned (as if each of {factor} processes" in verdict.sentence


@pytest.mark.parametrize("below", [2, 4, 16, 100])
@pytest.mark.parametrize("begun", [0, 1])
def test_too_slow(below: int, begun: int) -> None:
    verdict = judged(EVERY, (EVERY + begun) // below)
    assert (verdict.kind, verdict.factor) == ("too slow", Fraction(1, below))
    assert (
        f"at 1/{below} of the planned speed (as if the scheduler were called once for {below} batches"
        in verdict.sentence
    )


def test_once_an_epoch_and_steps_that_are_epochs() -> None:
    slow, fast = judged(EVERY, EVERY // 50), judged(EVERY[:20], EVERY[:20] * 50)
    assert (slow.kind, slow.factor, fast.kind, fast.factor) == ("too slow", Fraction(1, 50), "too fast", Fraction(50))
    assert "an epoch has 50 steps: the scheduler is called once an epoch" in slow.sentence
    assert "an epoch has 50 steps: the log's steps are epochs" in fast.sentence


@pytest.mark.parametrize(("first", "offset"), [(0, 0), (0, 49), (0, 50), (1, -50), (1, -1)])
@pytest.mark.parametrize("factor", [Fraction(2), Fraction(1, 4), Fraction(1, 50)])
def test_the_speed_of_epochs(first: int, offset: int, factor: Fraction) -> None:
    epochs = np.arange(first, 20 + first)
    verdict = judged(epochs, ((epochs * 50 + offset) * factor.numerator) // factor.denominator, axis="epoch")
    assert verdict.factor == factor


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("factor", [Fraction(2), Fraction(1, 4)])
def test_the_speed_of_means(first: int, factor: Fraction) -> None:
    rates = PLAN(EVERY * factor.numerator // factor.denominator).reshape(20, 50).mean(axis=1)
    verdict = check(Trace(np.arange(first, first + 20), rates, axis="epoch"), PLAN)
    assert (verdict.factor, verdict.averaged) == (factor, True)


def test_a_speed_that_is_another_length_as_well() -> None:
    plan = ks.warmup_cosine(peak=1e-3, warmup="10%").plan(total_steps=1000)
    verdict = judged(STEPS, STEPS * 2, plan)
    assert verdict.kind == "too fast"
    assert "The same schedule planned for 500 steps would explain the log as well." in verdict.remarks


def test_a_constant_log_has_no_speed() -> None:
    plan = ks.wsd(peak=1e-3, warmup=5, cooldown=100).plan(total_steps=500)
    verdict = judged(np.arange(9, 500, 10), np.full(50, 300), plan)
    assert verdict.kind == "differs"


def test_more_steps_an_epoch_than_factors_are_tried() -> None:
    plan = ks.warmup_cosine(peak=1e-3, warmup=10).plan(total_steps=100, steps_per_epoch=3000)
    steps = np.arange(0, 200_000, 1000)
    assert judged(steps, steps // 3000, plan).factor == Fraction(1, 3000)


def test_a_rate_that_never_moves() -> None:
    verdict = judged(STEPS, STEPS * 0)
    assert (verdict.kind, verdict.factor) == ("too slow", Fraction(0))
    assert "never moves from that of the plan's first step, 0" in verdict.sentence


# --- restarts and jumps -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0, 1])
def test_a_resume_that_lost_its_state(offset: int) -> None:
    called = np.where(EVERY < 412, EVERY, EVERY - 412) + offset
    verdict = judged(EVERY, called, decimals=None)
    assert (verdict.kind, verdict.offset) == ("restarted", offset)
    assert [(jump.position, jump.before, jump.after) for jump in verdict.jumps] == [(412, 412 + offset, offset)]
    assert "restarted at step 412" in verdict.sentence
    assert verdict.first is not None
    assert (verdict.first.position, verdict.first.found) == (412, PLAN(offset))
    assert verdict.off == 0


def test_a_restart_between_two_rows() -> None:
    verdict = judged(STEPS, np.where(STEPS < 412, STEPS, STEPS - 412), decimals=None)
    assert (verdict.kind, verdict.jumps[0].position) == ("restarted", 412)


def test_a_restart_in_a_hold_shows_after_it() -> None:
    plan = ks.step_decay(peak=0.1, every=100, factor=0.5).plan(total_steps=1000)
    verdict = judged(EVERY, np.where(EVERY < 60, EVERY, EVERY - 60), plan)
    assert (verdict.kind, verdict.first and verdict.first.position, verdict.jumps[0].position) == ("restarted", 100, 60)


@pytest.mark.parametrize(("first", "offset"), [(0, 0), (0, 49), (0, 50), (1, -50), (1, -1)])
def test_a_restart_with_an_epoch(first: int, offset: int) -> None:
    epochs = np.arange(first, 20 + first)
    steps = epochs * 50 + offset
    verdict = judged(epochs, np.where(steps < 500, steps, steps - 500), axis="epoch", decimals=None)
    at = epochs[steps >= 500][0]
    assert (verdict.kind, verdict.offset) == ("restarted", offset)
    assert [(jump.position, jump.before, jump.after) for jump in verdict.jumps] == [(at, 500, 0)]


def test_a_restart_of_means() -> None:
    rates = PLAN(np.where(EVERY < 500, EVERY, EVERY - 500)).reshape(20, 50).mean(axis=1)
    verdict = check(Trace(np.arange(20), rates, axis="epoch"), PLAN)
    assert (verdict.kind, verdict.averaged) == ("restarted", True)
    assert [(jump.position, jump.before, jump.after) for jump in verdict.jumps] == [(10, 500, 0)]
    assert "restarted at epoch 10" in verdict.sentence


def test_two_restarts() -> None:
    steps = np.concatenate([EVERY[:400], EVERY[:350], EVERY[:250]])
    verdict = judged(EVERY, steps)
    assert (verdict.kind, len(verdict.jumps)) == ("restarted", 2)
    assert "It jumps 1 more time." in verdict.sentence


def test_a_resume_from_an_older_state() -> None:
    verdict = judged(EVERY, np.where(EVERY < 500, EVERY, EVERY - 200), decimals=None)
    assert verdict.kind == "jumped"
    assert [(jump.position, jump.before, jump.after) for jump in verdict.jumps] == [(500, 500, 300)]
    assert verdict.sentence == "The log jumped at step 500 from step 500 to step 300 of the plan."


def test_a_log_of_a_run_that_had_restarted_before_it() -> None:
    verdict = judged(EVERY[600:], EVERY[600:] - 550)
    assert (verdict.kind, verdict.follows, verdict.jumps[0].position) == ("restarted", False, 550)


# --- it differs -------------------------------------------------------------------------------------------------------


def test_a_wrong_floor() -> None:
    other = ks.warmup_cosine(peak=1e-3, warmup=100, hold=50, floor=1e-4).plan(total_steps=1000)
    verdict = check(Trace(EVERY, other(EVERY)), PLAN)
    assert verdict.kind == "differs"
    assert verdict.first is not None
    assert (verdict.first.position, verdict.first.step) == (151, 151)
    assert (verdict.first.expected, verdict.first.found) == (PLAN(151), other(151))
    assert verdict.largest.position == 999
    assert verdict.off == 849
    assert "differs from the plan from step 151 on: expected 0.0009999966, found 0.0009999969" in verdict.sentence


def test_a_run_of_another_length() -> None:
    other = PLAN.schedule.plan(total_steps=1300)
    verdict = check(Trace(EVERY, other(EVERY).round(6), precision=Precision(decimals=6)), PLAN)
    assert verdict.kind == "differs"
    assert "the same schedule planned for 1,300 steps instead of 1,000" in verdict.sentence


def test_rates_that_are_a_multiple() -> None:
    verdict = check(Trace(STEPS, PLAN(STEPS) * 0.3), PLAN)
    assert verdict.kind == "differs"
    assert "Its rates are 0.3 times those of the plan throughout." in verdict.sentence


@pytest.mark.parametrize("offset", [1, -1])
def test_a_multiple_with_an_offset(offset: int) -> None:
    verdict = check(Trace(EVERY[1:], PLAN(EVERY[1:] + offset) * 8), PLAN)
    assert (verdict.kind, verdict.offset) == ("differs", offset)
    assert "Its rates are 8 times those of the plan throughout." in verdict.sentence


def test_a_rate_that_moves_only_once_an_epoch() -> None:
    verdict = judged(EVERY, EVERY // 50 * 50)
    assert verdict.kind == "differs"
    assert "The rate moves only once an epoch, every 50 steps." in verdict.sentence


def test_a_staircase_of_few_rates_is_no_lag() -> None:
    plan = ks.step_decay(peak=0.1, every=166).plan(total_steps=500, steps_per_epoch=25)
    verdict = judged(EVERY[:500], EVERY[:500] // 25 * 25, plan)
    assert "The rate moves only once an epoch, every 25 steps." in verdict.sentence


def test_two_rows_at_the_end_are_no_jump_and_not_odd() -> None:
    rates = PLAN(EVERY)
    rates[-2:] = 3e-4
    verdict = check(Trace(EVERY, rates), PLAN)
    assert (verdict.kind, verdict.off) == ("differs", 2)
    assert verdict.first is not None
    assert verdict.first.position == 998


@pytest.mark.parametrize("digits", range(3, 8))
def test_the_tolerance_is_the_printed_precision(digits: int) -> None:
    rates = np.array([float(f"{rate:.{digits - 1}e}") for rate in PLAN(EVERY).tolist()])
    assert check(Trace(EVERY, rates, precision=Precision(digits=digits)), PLAN).kind == "follows"
    rates[600] += 10.0 ** (np.floor(np.log10(rates[600])) + 1 - digits)
    verdict = check(Trace(EVERY, rates, precision=Precision(digits=digits)), PLAN)
    assert (verdict.kind, [point.position for point in verdict.odd]) == ("odd rows", [600])


def test_a_scheduler_that_stops() -> None:
    verdict = judged(EVERY, np.minimum(EVERY, 600), decimals=None)
    assert (verdict.kind, verdict.cause) == ("differs", "stopped")
    assert f"stays at {PLAN(600):.6g} from step 600 on, as if the scheduler were no longer called." in verdict.sentence


def test_a_scheduler_that_stops_between_two_rows() -> None:
    verdict = judged(STEPS, np.minimum(STEPS, 603), decimals=None)
    assert (verdict.kind, verdict.cause) == ("differs", "stopped")
    assert "from step 605 on" in verdict.sentence


def test_a_scheduler_that_stops_at_the_end_of_the_warmup() -> None:
    plan = ks.warmup_cosine(peak=1e-3, warmup=100).plan(total_steps=1000)
    verdict = judged(EVERY, np.minimum(EVERY, 100), plan, decimals=None)
    assert verdict.cause == "stopped"
    assert "stays at 0.001 from step 100 on, as if the scheduler were no longer called after the warm-up." in (
        verdict.sentence
    )


def test_a_rate_that_is_scaled_by_hand() -> None:
    rates = PLAN(EVERY) * np.where(EVERY < 600, 1, 0.1)
    verdict = check(Trace(EVERY, rates), PLAN)
    assert (verdict.kind, verdict.cause) == ("differs", "scaled by hand")
    assert "Its rates are 0.1 times those of the plan from step 600 on" in verdict.sentence


def test_a_rate_that_is_scaled_by_hand_for_a_while() -> None:
    rates = PLAN(EVERY) * np.where((EVERY < 600) | (EVERY >= 800), 1, 0.1)
    verdict = check(Trace(EVERY, rates), PLAN)
    assert verdict.cause == "scaled by hand"
    assert "0.1 times those of the plan from step 600 to step 799" in verdict.sentence


def test_a_rate_that_is_set_by_hand() -> None:
    rates = np.where(EVERY < 600, PLAN(EVERY), 1e-5)
    verdict = check(Trace(EVERY, rates), PLAN)
    assert (verdict.kind, verdict.cause) == ("differs", "set by hand")
    assert "Its rate stays at 1e-05 from step 600 on, as if the rate were changed by hand." in verdict.sentence


def test_a_rate_that_goes_back_to_the_first_and_stays_there_is_a_restart() -> None:
    plan = ks.step_decay(peak=0.1, every=400).plan(total_steps=1000)
    verdict = judged(EVERY[:900], np.where(EVERY[:900] < 600, EVERY[:900], EVERY[:900] - 600), plan)
    assert (verdict.kind, verdict.jumps[0].position) == ("restarted", 600)


WARMUP_COSINE: dict[str, Any] = {"peak": 1e-3, "warmup": 100, "warmup_start": 1e-4, "hold": 50, "floor": 1e-5}


@pytest.mark.parametrize(
    ("changes", "cause", "told"),
    [
        ({"floor": 5e-5}, "another floor", "with a floor of 5e-05 instead of 1e-05"),
        ({"peak": 3e-3}, "another peak", "with a peak of 0.003 instead of 0.001"),
        ({"warmup_start": 2e-4}, "another rate", "with a warm-up from 0.0002 instead of 0.0001"),
        ({"warmup": 130}, "another warm-up", "with a warm-up of 130 steps instead of 100"),
        ({"warmup": 0, "warmup_start": 0.0}, "no warm-up", "without its warm-up of 100 steps"),
        ({"hold": 200}, "another duration", "whose hold lasts 200 steps instead of 50"),
    ],
)
@pytest.mark.parametrize("decimals", [6, None])
def test_a_schedule_with_another_number(changes: dict[str, Any], cause: str, told: str, decimals: int | None) -> None:
    plan = ks.warmup_cosine(**WARMUP_COSINE).plan(total_steps=1000)
    other = ks.warmup_cosine(**{**WARMUP_COSINE, **changes}).plan(total_steps=1000)
    rates = other(EVERY) if decimals is None else other(EVERY).round(decimals)
    verdict = check(Trace(EVERY, rates, precision=Precision(decimals=decimals)), plan)
    assert (verdict.kind, verdict.cause) == ("differs", cause)
    assert f"It follows the same schedule {told}" in verdict.sentence


def test_several_numbers_that_explain_a_log_are_all_named() -> None:
    """A line to a higher floor is also a longer line."""
    plan = ks.Schedule(ks.linear(start=1e-3, to=0.0)).plan(total_steps=1000)
    verdict = check(Trace(EVERY, 1e-3 - EVERY * 8e-7), plan)
    assert "planned for 1,250 steps instead of 1,000, or with a floor of 0.0002 instead of 0." in verdict.sentence


# --- groups, text, errors, size ---------------------------------------------------------------------------------------


def test_rates_that_were_computed_in_float32() -> None:
    rates = PLAN(STEPS).astype(np.float32)
    assert check(Trace(STEPS, rates), PLAN).kind == "follows"
    assert check(Trace(STEPS, rates.tolist()), PLAN).kind == "follows"  # as a Keras History has them
    off = (rates * np.float32(1 + 1e-5)).astype(np.float32)
    assert check(Trace(STEPS, off), PLAN).kind == "differs"


def test_a_group_of_a_log_of_float32_is_no_other_group_of_itself() -> None:
    trace = Trace(STEPS, PLAN(STEPS).astype(np.float32))
    assert check(trace, PLAN).remarks == ()


def test_other_groups_are_mentioned() -> None:
    trace, head, frozen = Trace(STEPS, PLAN(STEPS)), Trace(STEPS, PLAN(STEPS) * 10), Trace(STEPS, PLAN(STEPS) ** 0)
    trace.groups.update({"head": head, "frozen": frozen})
    remarks = check(trace, PLAN).remarks
    assert "Group 'head' has 10 times the rate of 'learning_rate'." in remarks
    assert "Group 'frozen' does not follow 'learning_rate' at a constant ratio; it was not checked." in remarks


def test_the_remarks_of_the_trace_are_kept() -> None:
    trace = Trace([*STEPS.tolist(), 995], [*PLAN(STEPS).tolist(), PLAN(995)])
    assert "1 row repeats another one." in check(trace, PLAN).remarks


def test_print() -> None:
    verdict = judged(EVERY, np.where(EVERY < 412, EVERY, EVERY - 412))
    assert str(verdict) == (
        "The log restarted at step 412: there the schedule begins again at its first\n"
        "step, where step 412 would have come (a resume lost the state).\n"
        "\n"
        "rows compared       1,000\n"
        "different rates     528\n"
        "positions           step 0 to 999\n"
        "precision           7 decimals\n"
        "offset              0\n"
        "jumps               at step 412 from step 412 to step 0\n"
        "first difference    step 412: expected 0.00078549672, found 0, within 5e-08\n"
        "largest difference  step 412: expected 0.00078549672, found 0, within 5e-08"
    )
    assert repr(verdict) == "<Verdict: restarted>"


def test_wrong_arguments() -> None:
    trace: Any = Trace(STEPS, PLAN(STEPS))
    schedule: Any = PLAN.schedule
    with pytest.raises(ks.ArgumentTypeError, match=r"Argument `plan` must be a Plan\. Received: .* Plan it first"):
        check(trace, schedule)
    with pytest.raises(ks.ArgumentTypeError, match=r"`allow_odd_rows` must be an integer >= 0\. Received: .*-1"):
        check(trace, PLAN, allow_odd_rows=-1)
    with pytest.raises(
        ks.ArgumentTypeError, match=r"`trace` must be a Trace\. Received: .* Read a log with `ks\.read_trace"
    ):
        check(schedule, PLAN)


def test_positions_that_are_no_steps() -> None:
    with pytest.raises(ks.LogError, match=r"The positions of a log must be below 2\*\*60 steps"):
        check(Trace([0, 2**61], [0.0, 0.0]), PLAN)


def test_a_long_log_is_checked_in_blocks() -> None:
    plan = ks.warmup_cosine(peak=1e-3, warmup=10_000).plan(total_steps=2_000_000)
    steps = np.arange(2_000_000)
    lost = np.clip(steps - 1_000_000, 0, 3)  # three steps, one after another
    trace = Trace(steps, plan(steps - lost))
    tracemalloc.start()
    verdict = check(trace, plan)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (verdict.kind, verdict.skips) == ("lags", ((1_000_001, 1), (1_000_002, 1), (1_000_003, 1)))
    assert peak < 40e6


@pytest.mark.parametrize(
    ("rates", "schedule", "run"),
    [
        ([0.05], "warmup_cosine(peak=0.05, warmup=5)", {"total_steps": 10, "steps_per_epoch": 5}),
        ([0.0] * 3, "Schedule(one_minus_sqrt(7, start=0.001, to=1e-05))", {"total_steps": 8, "steps_per_epoch": 2}),
    ],
)
def test_a_log_too_short_to_move_once_an_epoch(rates: list[float], schedule: str, run: dict[str, int]) -> None:
    verdict = check(Trace(np.arange(len(rates)), rates), ks.parse(schedule).plan(**run))
    assert verdict.kind == "differs"
    assert "once an epoch" not in verdict.sentence
    assert verdict.first is not None


def test_the_search_for_shifts_ends() -> None:
    rates = np.random.default_rng(0).choice([0.0, 0.05, 0.1, 0.2], 2000)
    schedule = "Schedule(cycles(linear(3, start=0.2, to=0.0), linear(2, to=0.2)))"
    verdict = check(Trace(np.arange(2000), rates), ks.parse(schedule).plan(total_steps=4000))
    assert verdict.kind == "differs"
