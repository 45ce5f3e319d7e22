"""What `infer` may say: no schedule from too few rows, odd rows named, and open what the log does not fix."""

from __future__ import annotations

import numpy as np
import pytest

import kosine as ks
from kosine._logs.precision import Precision
from tests.support.known_logs import FOLDER

PLAN = ks.warmup_cosine(peak=3e-4, warmup=100).plan(total_steps=1000)


def printed(rates: np.ndarray, digits: int | None) -> np.ndarray:
    return rates if digits is None else np.array([float(f"{rate:.{digits - 1}e}") for rate in rates.tolist()])


# --- too few rows -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", range(1, 8))
@pytest.mark.parametrize("seed", range(3))
def test_any_few_rows_are_no_schedule(rows: int, seed: int) -> None:
    rates = np.sort(np.random.default_rng([rows, seed]).uniform(1e-4, 1e-3, rows))[::-1]
    inference = ks.infer(ks.Trace(np.arange(rows), rates))
    assert (inference.schedule, inference.plan) == (None, None)


def test_the_sentence_has_the_rows_the_numbers_and_the_candidate() -> None:
    one = ks.infer(ks.Trace([0], [0.1]))
    assert one.sentence.startswith(
        "No schedule is certain: 1 row is too few for the 1 number of Schedule(hold(start=0.1))"
    )
    two = ks.infer(ks.Trace([0, 1], [0.1, 0.1]))
    assert two.sentence.startswith("No schedule is certain: 2 rows are too few for the 1 number of Schedule(hold(")
    line = ks.infer(ks.Trace([0, 1, 2], [0.1, 0.095, 0.09]))
    assert "3 rows are too few for the" in line.sentence
    assert "linear(" in line.sentence


def test_rows_at_one_level_say_one_thing() -> None:
    assert ks.infer(ks.Trace(np.arange(4), np.full(4, 0.1))).explained
    inference = ks.infer(ks.Trace(np.arange(200), np.where(np.arange(200) < 199, 0.1, 0.05)))
    assert not inference.explained or inference.odd


def test_the_sentence_counts_rows_and_numbers() -> None:
    inference = ks.infer(ks.Trace(np.arange(1000), PLAN(np.arange(1000))))
    assert "explains all 1,000 rows with 5 numbers" in inference.sentence


def test_a_curve_is_not_extrapolated_to_the_time_before_the_run() -> None:
    rates = ks.Schedule(ks.polynomial(start=5e-5, to=5e-7, power=2.0)).plan(total_steps=12_345)(np.arange(0, 5900, 100))
    inference = ks.infer(ks.Trace(np.arange(0, 5900, 100), printed(rates, 4), precision=Precision(digits=4)))
    assert "cosine" not in repr(inference.schedule)


def test_no_level_lies_between_two_printed_rates() -> None:
    rates = np.repeat([1e-4, 1e-5, 0.0], [10, 6, 6])
    coarse = ks.infer(ks.Trace(np.arange(22), rates, precision=Precision(decimals=5)))
    assert coarse.plan is None or not np.any(np.isclose(coarse.expected(), 5e-6))


# --- odd rows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("row", "factor"), [(57, 1.5), (420, 0.3), (999, 3.0), (130, 4.0)])
@pytest.mark.parametrize("digits", [None, 6])
def test_one_odd_row_is_named(row: int, factor: float, digits: int | None) -> None:
    rates = printed(PLAN(np.arange(1000)), digits)
    rates[row] = printed(rates[[row]] * factor + 1e-6, digits)[0]
    inference = ks.infer(ks.Trace(np.arange(1000), rates, precision=Precision(digits=digits)))
    assert inference.schedule == PLAN.schedule
    (odd,) = inference.odd
    assert (odd.position, odd.found) == (row, rates[row])
    assert odd.expected == pytest.approx(float(PLAN(row)), rel=1e-3)
    assert "explains all but 1 of 1,000 rows" in inference.sentence
    assert f"step {row} has" in inference.sentence
    width = inference.trace.half_widths().max()
    assert inference.residual <= width


def test_a_block_left_over_from_an_earlier_run() -> None:
    rates = PLAN(np.arange(1000))
    rates[400:403] = [1e-5, 1.1e-5, 1.2e-5]
    inference = ks.infer(ks.Trace(np.arange(1000), rates))
    assert (inference.schedule, [odd.position for odd in inference.odd]) == (PLAN.schedule, [400, 401, 402])


@pytest.mark.parametrize(
    ("file", "schedule", "position"),
    [
        ("onecycle.csv", "Schedule(cosine(99, start=4e-05, to=0.001), cosine(to=4e-08))", 1000),
        (
            "lastrow.csv",
            'Schedule(linear("5ep", start=0.001, to=0.01), cosine("20ep", to=0.001), linear(to=0.008))',
            31,
        ),
    ],
)
def test_the_last_row_of_real_logs(file: str, schedule: str, position: int) -> None:
    inference = ks.infer(ks.read_trace(FOLDER / file))
    assert repr(inference.schedule) == schedule
    assert [odd.position for odd in inference.odd] == [position]


def test_where_every_row_fits_no_row_is_odd() -> None:
    assert ks.infer(ks.Trace(np.arange(1000), PLAN(np.arange(1000)))).odd == ()


def test_a_change_by_hand_is_not_odd() -> None:
    rates = PLAN(np.arange(1000))
    rates[996:] = 5e-5
    inference = ks.infer(ks.Trace(np.arange(1000), rates))
    assert not inference.explained


# --- open questions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_what_is_open_holds_the_truth(seed: int) -> None:
    rng = np.random.default_rng(seed)
    total, peak = int(rng.choice([1000, 5000, 12_345])), float(rng.choice([1e-3, 3e-4, 5e-5, 0.1]))
    floor = float(f"{peak * rng.choice([0, 0.01, 0.1, 0.03]):.4g}")
    plan = ks.warmup_cosine(peak=peak, warmup=total // 20, floor=floor).plan(total_steps=total)
    digits = int(rng.integers(3, 7))
    at = np.arange(0, int(total * rng.uniform(0.2, 0.9)), int(rng.choice([5, 10])))
    inference = ks.infer(ks.Trace(at, printed(plan(at), digits), precision=Precision(digits=digits)))
    assert inference.plan is not None
    open_ = {question.what: (question.low, question.high) for question in inference.open}
    low, high = open_.get("end of cosine", (inference.plan.total_steps, inference.plan.total_steps))
    assert low is not None
    assert low <= total <= (high or np.inf)
    found = inference.plan.phases[-1].end_lr
    least, most = open_.get("last rate of cosine", (found, found))
    assert least is not None
    assert most is not None
    assert least - 1e-5 * peak <= floor <= most + 1e-5 * peak


def test_the_floor_of_a_cosine_that_has_not_come_down_is_open() -> None:
    plan = ks.warmup_cosine(peak=3e-4, warmup=40, floor=1e-5).plan(total_steps=800)
    inference = ks.infer(ks.Trace(np.arange(49), printed(plan(np.arange(49)), 5), precision=Precision(digits=5)))
    (floor,) = (each for each in inference.open if each.what == "last rate of cosine")
    assert floor.low == 0
    assert floor.high is not None
    assert floor.high > 1e-5
    assert "may end at any rate from 0 to" in floor.text
    assert any(each.what == "what follows" for each in inference.open)


def test_a_level_of_one_digit_is_open() -> None:
    inference = ks.infer(ks.Trace(np.arange(20), np.full(20, 6e-4), precision=Precision(decimals=4)))
    (level,) = (each for each in inference.open if each.what == "level of hold")
    assert (level.low, level.high) == pytest.approx((5.5e-4, 6.5e-4))


def test_a_warmup_of_few_levels_is_no_curve_that_began_before_the_run() -> None:
    rates = np.round(np.minimum(np.arange(200) / 50, 1) * 5.7e-4, 4)
    inference = ks.infer(ks.Trace(np.arange(200), rates, precision=Precision(decimals=4)))
    assert "cosine" not in repr(inference.schedule)


# --- numbers as they were written -----------------------------------------------------------------------------------


def test_the_last_row_of_a_trainer_that_counts_from_1_is_the_length() -> None:
    at = np.arange(10, 50_001, 10)
    for schedule in (ks.warmup_cosine(peak=3e-4, warmup=500, floor=3e-5), ks.constant(3e-4)):
        plan = schedule.plan(total_steps=50_000)
        inference = ks.infer(ks.Trace(at, plan(at)))
        assert inference.plan is not None
        assert inference.plan.total_steps == 50_000


def test_the_declared_length_is_the_length_and_not_open() -> None:
    plan = ks.warmup_cosine(peak=3e-4, warmup=500).plan(total_steps=12_030)
    at = np.arange(100, 12_030, 100)
    inference = ks.infer(ks.Trace(at, plan(at), total=12_030))
    assert (inference.plan and inference.plan.total_steps, inference.open) == (12_030, ())


def test_a_short_rate_is_preferred_to_a_long_one() -> None:
    plan = ks.Schedule(ks.inverse_sqrt(start=0.015, timescale=1114)).plan(total_steps=8000)
    at = np.arange(0, 6400, 50)
    inference = ks.infer(ks.Trace(at, printed(plan(at), 3), precision=Precision(digits=3)))
    assert "start=0.015," in repr(inference.schedule)


def test_a_last_row_that_the_cycles_explain_is_not_odd() -> None:
    plan = ks.sgdr(peak=3e-4, period=1666, floor=3e-6).plan(total_steps=5000)
    inference = ks.infer(ks.Trace(np.arange(5000), plan(np.arange(5000))))
    assert (inference.schedule, inference.odd) == (plan.schedule, ())


@pytest.mark.parametrize("count", [1, 4, 100])
def test_rates_of_0_alone_show_no_schedule(count: int) -> None:
    """As a run writes them whose first steps were all skipped, or a log with too few decimals."""
    found = ks.infer(ks.Trace(np.arange(count), np.zeros(count)))
    assert found.schedule is None
    assert "0, as before a run's first update" in found.sentence


@pytest.mark.parametrize(
    ("power", "cut", "digits"), [(2.0, 0.2, 4), (0.5, 0.2, 3), (0.5, 0.1, 6), (3.0, 0.1, 4), (1.5, 0.4, 3)]
)
def test_a_polynomial_that_has_not_come_down_gets_no_other_power(power: float, cut: float, digits: int) -> None:
    """At first many powers are alike: a power of 1.99 that ends elsewhere went through these rows."""
    text = f"Schedule(linear(400, start=0.0, to=0.001), polynomial(to=0.0, power={power}))"
    plan = ks.parse(text).plan(total_steps=20_000)
    at = np.arange(0, int(20_000 * cut), 10)
    inference = ks.infer(ks.Trace(at, printed(plan(at), digits), precision=Precision(digits=digits)))
    assert inference.schedule in (None, plan.schedule)
