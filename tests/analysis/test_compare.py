"""`compare`: where plans differ, against a look at every step."""

from __future__ import annotations

import math
import time
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings, strategies as st

import kosine as ks
from kosine._analysis import differences as search
from kosine._analysis.differences import Difference
from tests.support.strategies import RUN, SMALL_RUN, schedules, small_schedules

LONG = 10**9


def difference(first: ks.Plan, second: ks.Plan, tolerance: float = 1e-9) -> Difference:
    return ks.compare(first, second, tolerance=tolerance).differences[0]


def sgdr(total_steps: int = LONG, **arguments: Any) -> ks.Plan:
    return ks.sgdr(**{"peak": 0.05, "period": 10_000, **arguments}).plan(total_steps=total_steps)


def annealed(total_steps: int = LONG, **arguments: Any) -> ks.Plan:
    return ks.warmup_cosine(**{"peak": 1e-3, "warmup": 10**6, **arguments}).plan(total_steps=total_steps)


def agrees(found: Difference, first: ks.Plan, second: ks.Plan, total: int, tolerance: float) -> None:
    """Check a difference against every step."""
    steps = np.arange(total)
    rates, others = first(steps), second(steps)
    apart = np.abs(rates - others)
    peak = max(rates[: first.total_steps].max(), others[: second.total_steps].max())
    over = np.flatnonzero(apart > tolerance * peak)
    assert found.first_step == (over[0] if over.size else None)
    assert found.largest == abs(found.rates[1] - found.rates[0]) == pytest.approx(apart[found.step], abs=1e-15 * peak)
    assert found.rates == pytest.approx((rates[found.step], others[found.step]), rel=1e-14)
    assert found.largest == pytest.approx(apart.max(), rel=0, abs=1e-13 * peak)


# --- against every step -----------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    schedule=small_schedules(),
    other=small_schedules(),
    tolerance=st.sampled_from([0.0, 1e-9, 1e-3, 0.1]),
    every=st.sampled_from([0, 10**7]),
)
def test_small_plans_of_different_lengths(
    schedule: ks.Schedule, other: ks.Schedule, tolerance: float, every: int
) -> None:
    try:
        first, second = schedule.plan(**SMALL_RUN), other.plan(**{**SMALL_RUN, "total_steps": 200})
    except ks.PlanError:
        reject()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "_MOST_STEPS", every)  # 0: the way of long runs
        found = difference(first, second, tolerance)
    assert found.looked_at is None
    agrees(found, first, second, 200, tolerance)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(schedule=schedules, other=schedules, tolerance=st.sampled_from([0.0, 1e-9, 1e-3]), same=st.booleans())
def test_plans_of_a_million_steps(schedule: ks.Schedule, other: ks.Schedule, tolerance: float, same: bool) -> None:
    first, second = schedule.plan(**RUN), (schedule if same else other).plan(**{**RUN, "steps_per_epoch": 98})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "_MOST_STEPS", 1000)
        patch.setattr(search, "_MOST_SHORT_ROWS", 0)
        found = difference(first, second, tolerance)
    if found.looked_at is None:
        agrees(found, first, second, 10**6, tolerance)
    else:  # cycles of a few steps
        assert found.looked_at > 256
        assert found.first_step is None or abs(first(found.first_step) - second(found.first_step)) > 0
        assert found.largest == abs(first(found.step) - second(found.step))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(schedule=small_schedules(), tolerance=st.sampled_from([0.0, 1e-9]))
def test_a_plan_equals_itself_in_a_longer_run(schedule: ks.Schedule, tolerance: float) -> None:
    try:
        plan = schedule.plan(**SMALL_RUN)
    except ks.PlanError:
        reject()
    found = difference(plan, ks.parse(repr(schedule)).plan(**SMALL_RUN), tolerance)
    assert found == Difference("B", None, 0, (plan(0), plan(0)), 0.0)


@pytest.mark.parametrize("tolerance", [0.0, 1e-9])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([ks.cosine(1000, start=1.0, to=0.0)], [ks.cosine(1000, start=1.0, to=0.0)]),
        ([ks.section(ks.cosine(1000, start=1.0, to=0.0), skip=100)], [ks.section(ks.cosine(1000, start=1.0, to=0.0))]),
        (
            [ks.cosine(1000, start=1.0, to=0.1)],
            [
                ks.section(ks.cosine(1000, start=1.0, to=0.1), duration=123),
                ks.section(ks.cosine(1000, start=1.0, to=0.1), skip=123),
            ],
        ),
        ([ks.cosine(1000, start=1.0, to=0.0)], [ks.cosine(1000, start=1.0, to=0.0, endpoint=True)]),
        ([ks.section(ks.cosine(500, start=1.0, to=0.0), tick=2)], [ks.cosine(1000, start=1.0, to=0.0)]),
        ([ks.polynomial(1000, start=1.0, to=0.0, power=2)], [ks.polynomial(1000, start=1.0, to=0.0, power=3)]),
        ([ks.linear(1000, start=1.0, to=0.5)], [ks.exponential(1000, start=1.0, to=0.5)]),
        ([ks.exponential(1000, start=1.0, to=0.1)], [ks.exponential(1000, start=1.0, to=0.01)]),
    ],
    ids=["the same", "entered late", "a cut", "endpoint", "ticks", "power", "curve", "exponential"],
)
def test_pairs_of_curves_the_way_of_long_runs(
    one: list[Any], other: list[Any], tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_MOST_STEPS", 0)
    first, second = ks.Schedule(*one).plan(), ks.Schedule(*other).plan()
    agrees(difference(first, second, tolerance), first, second, 1000, tolerance)


# --- what people compare ----------------------------------------------------------------------------------------------


def test_warmup_that_is_off_by_one() -> None:
    first, second = annealed(10_000, warmup=500), annealed(10_000, warmup=501)
    found = difference(first, second)
    assert found.first_step == 1
    assert found.step == 500
    assert found.largest == pytest.approx(1e-3 / 501, rel=1e-9)
    assert found.rates == (1e-3, second(500))


def test_tolerance_is_a_share_of_the_highest_rate() -> None:
    first, second = (ks.constant(rate).plan(total_steps=10) for rate in (1.0, 1.01))
    assert ks.compare(first, second, tolerance=0.0099).equal is False
    assert ks.compare(first, second, tolerance=0.01).equal is True
    assert ks.compare(first, second, tolerance=0.01).differences[0].largest == pytest.approx(0.01)
    assert ks.compare(first, first, tolerance=0).equal is True


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            ks.sgdr(peak=0.05, period=10_000),
            ks.Schedule(ks.cycles(ks.cosine(10_000, start=0.05, to=0.0), count=LONG // 10_000)),
        ),
        (
            ks.sgdr(peak=0.05, period=10_000),
            ks.Schedule(
                ks.cycles(ks.cosine(10_000, start=0.05, to=0.0), count=70_000),
                ks.cosine(10_000, start=0.05, to=0.0),
                ks.cycles(ks.cosine(10_000, start=0.05, to=0.0)),
            ),
        ),
        (
            ks.Schedule(ks.linear("10%", start=0.0, to=1.0), ks.cosine(to=0.0)),
            ks.Schedule(ks.linear(LONG // 10, start=0.0, to=1.0), ks.cosine(9 * LONG // 10, to=0.0)),
        ),
        (
            ks.Schedule(ks.cosine(LONG, start=1.0, to=0.0)),
            ks.Schedule(
                ks.section(ks.cosine(LONG, start=1.0, to=0.0), duration=12345),
                ks.section(ks.cosine(LONG, start=1.0, to=0.0), skip=12345),
            ),
        ),
        (ks.constant(0.1), ks.Schedule(ks.linear(7, start=0.1, to=0.1), ks.cycles(ks.hold(1000, start=0.1)))),
        (
            ks.sgdr(peak=0.05, period=1000, stretch=2),
            ks.Schedule(ks.cycles(ks.cosine(1000, start=0.05, to=0.0), stretch=2, count=50)),
        ),
    ],
    ids=["count", "cycles in three", "percent", "a cut curve", "levels", "growing"],
)
def test_equal_schedules_written_differently(one: ks.Schedule, other: ks.Schedule) -> None:
    comparison = ks.compare(one.plan(total_steps=LONG), other.plan(total_steps=LONG))
    assert comparison.equal
    assert comparison.exhaustive


@pytest.mark.parametrize("cycle", [0, 1, 49_999, 99_999])
def test_one_cycle_among_many_that_differs(cycle: int) -> None:
    shape = ks.cosine(10_000, start=0.05, to=0.0)
    parts: list[Any] = [ks.cosine(10_000, start=0.06, to=0.0), ks.cycles(shape)]
    if cycle:
        parts.insert(0, ks.cycles(shape, count=cycle))
    found = difference(sgdr(), ks.Schedule(*parts).plan(total_steps=LONG))
    assert found.first_step == found.step == cycle * 10_000
    assert found.rates == (0.05, 0.06)
    assert found.looked_at is None


def many_phases(number: int | None, steps: int) -> ks.Plan:
    """6,000 phases, of which the peak of one pair differs."""
    phases: list[ks.Phase] = []
    for index in range(3000):
        phases += [ks.linear(steps, start=1e-4, to=2e-3 if index == number else 1e-3), ks.cosine(steps, to=1e-4)]
    return ks.Schedule(*phases).plan()


def test_one_phase_among_many_that_differs() -> None:
    found = difference(many_phases(None, 1000), many_phases(2234, 1000))
    assert found.first_step == 2234 * 2000 + 1
    assert found.step == 2234 * 2000 + 1000
    assert found.rates == (1e-3, 2e-3)
    assert found.looked_at is None


def test_long_curves_of_other_values_and_shapes_are_found_exactly() -> None:
    found = difference(annealed(), annealed(floor=1e-5))
    assert (found.step, found.looked_at) == (LONG - 1, None)
    assert found.first_step is not None
    first, second = annealed(), annealed(floor=1e-5)
    assert abs(first(found.first_step) - second(found.first_step)) > 1e-12
    assert abs(first(found.first_step - 1) - second(found.first_step - 1)) <= 1e-12

    cosine, line = (ks.Schedule(curve(start=1.0, to=0.0)).plan(total_steps=LONG) for curve in (ks.cosine, ks.linear))
    found = difference(cosine, line)
    share = math.asin(2 / math.pi) / math.pi  # where the two slopes are equal
    assert found.step in (
        pytest.approx(share * LONG, abs=1000),
        pytest.approx((1 - share) * LONG, abs=1000),
    )
    assert found.largest == pytest.approx((1 + math.cos(math.pi * share)) / 2 - (1 - share), rel=1e-12)
    assert found.first_step == 2  # at step 1 they differ by a little less than 1e-9
    assert found.looked_at is None


def test_cycles_with_a_common_period_are_accounted_for() -> None:
    found = difference(sgdr(period=10_000), sgdr(period=15_000))
    assert found.looked_at is None
    agrees(found, sgdr(30_000, period=10_000), sgdr(30_000, period=15_000), 30_000, 1e-9)
    low, high = ks.hold(2, start=0.1), ks.hold(2, start=0.2)
    four, six = (ks.Schedule(ks.cycles(*holds)).plan(total_steps=LONG) for holds in ((low, high), (low, high, low)))
    assert difference(four, six).first_step == 6


def test_what_cannot_be_accounted_for_is_said() -> None:
    shrinking = ks.Schedule(ks.cycles(ks.cosine(10_000, start=0.05, to=0.0), shrink=0.99999))
    comparison = ks.compare(sgdr(), shrinking.plan(total_steps=LONG))
    found = comparison.differences[0]
    assert not comparison.exhaustive
    assert found.looked_at is not None
    assert 1000 < found.looked_at < 20_000_000
    assert found.first_step == 10_000
    assert found.step == LONG - 10_000
    assert f"{found.looked_at:,} of 1,000,000,000 steps were looked at" in str(comparison)


def test_first_difference_is_narrowed_down_between_samples() -> None:
    """Each cycle is lower by 1e-13 of the peak, which is more than the tolerance from cycle 10,001 on."""
    sinking = ks.Schedule(ks.cycles(ks.cosine(10_000, start=0.05, to=0.0), shrink=1 - 1e-13)).plan(total_steps=LONG)
    found = difference(sgdr(), sinking)
    assert found.looked_at is not None
    assert found.first_step == pytest.approx(10_000 * 10_000, rel=1e-3)


@pytest.mark.parametrize(
    "other",
    [
        lambda: sgdr(stretch=1.0001),
        lambda: sgdr(period="100/3st"),
        lambda: sgdr(period=10_001),
        lambda: annealed(warmup=10**6 + 1),
        lambda: ks.Schedule(ks.polynomial(start=0.05, to=0.0, power=1.5)).plan(total_steps=LONG),
    ],
    ids=["growing", "fractions", "drifting", "another curve", "no cycles"],
)
def test_long_runs_take_little_time(other: Any) -> None:
    plans = sgdr(), other()
    begin = time.process_time()
    difference(*plans)
    assert time.process_time() - begin < 10  # of this process: about one


def test_memory_is_bounded() -> None:
    first, second = (
        ks.Schedule(curve).plan(total_steps=LONG)
        for curve in (ks.linear(start=1.0, to=0.0), ks.polynomial(start=1.0, to=0.0, power=1))
    )
    tracemalloc.start()
    found = difference(first, second)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.first_step is None  # the same but for the rounding, which only a look at every step could show
    assert found.looked_at is not None
    assert peak < 300e6


def test_the_longest_run_there_is() -> None:
    total = 2**63 - 1
    cosine, line = (ks.Schedule(curve(start=1.0, to=0.0)).plan(total_steps=total) for curve in (ks.cosine, ks.linear))
    found = difference(cosine, line)
    assert found.largest == pytest.approx(0.1052568311765, rel=1e-12)
    assert found.first_step == pytest.approx(1e-9 * total, rel=1e-3)


# --- lengths and names ------------------------------------------------------------------------------------------------


def test_different_lengths_are_compared_over_the_longest() -> None:
    short, long = annealed(100, warmup=10), annealed(200, warmup=10)
    comparison = ks.compare(short, long)
    assert comparison.total_steps == 200
    assert [summary.total_steps for summary in comparison.summaries] == [100, 200]
    assert "A ends at step 100 of 200; from there on it stays at 0." in str(comparison)
    endless = ks.compare(sgdr(100, period=60), sgdr(300, period=60))
    assert endless.equal
    assert "A ends at step 100 of 300; from there on it goes on as its schedule does." in str(endless)


def test_plan_without_a_length_takes_that_of_the_longest() -> None:
    comparison = ks.compare(ks.constant(0.1).plan(), sgdr(100), annealed(50, warmup=10))
    assert [plan.total_steps for plan in comparison.plans] == [100, 100, 50]
    assert comparison.total_steps == 100


def test_names() -> None:
    plan = ks.constant(0.1).plan(total_steps=5)
    assert ks.compare(plan, plan, plan).names == ("A", "B", "C")
    assert ks.compare(plan, plan, names=["x", "y"]).names == ("x", "y")
    assert ks.compare(plan, plan, plan, names=["x", "x", "x"]).names == ("x", "x (2)", "x (3)")
    many = ks.compare(*[plan] * 54)
    assert many.marks[24:28] == ("Y", "Z", "A2", "B2")
    assert len(set(many.marks)) == 54


@pytest.mark.parametrize(
    ("plans", "arguments", "error", "pattern"),
    [
        ([], {}, ks.ArgumentError, r"two plans or more\. Received: 0"),
        (["plan"], {}, ks.ArgumentError, r"two plans or more\. Received: 1"),
        (["plan", "schedule"], {}, ks.ArgumentTypeError, r"takes plans\. Received: Schedule.*Plan it first"),
        (["plan", "text"], {}, ks.ArgumentTypeError, r"takes plans\. Received: 'text'\.$"),
        (["endless", "endless"], {}, ks.PlanError, r"never end.*Received: Schedule.*total_steps"),
        (["plan", "plan"], {"tolerance": -1e-9}, ks.ArgumentError, r">= 0.*tolerance=-1e-09"),
        (["plan", "plan"], {"tolerance": math.nan}, ks.ArgumentError, r"tolerance=nan"),
        (["plan", "plan"], {"tolerance": "no"}, ks.ArgumentTypeError, r"tolerance='no'"),
        (
            ["plan", "plan"],
            {"names": ["x"]},
            ks.ArgumentError,
            r"a list of 2 names, one for each plan. Received: names=\['x'\]",
        ),
        (["plan", "plan"], {"names": "xy"}, ks.ArgumentTypeError, r"list of strings. Received: names='xy'"),
        (["plan", "plan"], {"names": [1, 2]}, ks.ArgumentTypeError, r"list of strings"),
    ],
)
def test_mistakes(plans: list[str], arguments: Any, error: type[Exception], pattern: str) -> None:
    schedule = ks.constant(0.1)
    known: dict[str, Any] = {"plan": schedule.plan(total_steps=5), "schedule": schedule, "endless": schedule.plan()}
    with pytest.raises(error, match=pattern):
        ks.compare(*[known.get(name, name) for name in plans], **arguments)


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_table() -> None:
    first = annealed(10_000, warmup=500)
    plan = ks.wsd(peak=1e-3, warmup=500, cooldown="20%").plan(total_steps=10_000, steps_per_epoch=300)
    assert str(ks.compare(first, plan, first, names=["cosine", "w" * 99, "again"])) == "\n".join(
        [
            "   plan                                        steps   epochs     area    of A's",
            "A  cosine                                     10,000  33.3333        5     100 %",
            f"B  {'w' * 38}...  10,000  33.3333  8.41667  168.33 %",
            "C  again                                      10,000  33.3333        5     100 %",
            "",
            "   differs from  most at step  rate of A  its rate  difference  of peak",
            "B      step 501         8,000  0.0001054     0.001   0.0008946   89.5 %",
            "     epoch 1.67   epoch 26.67",
            "C         never",
        ]
    )


def test_table_of_equal_plans_says_so_in_a_sentence() -> None:
    plan = annealed(100, warmup=10)
    assert str(ks.compare(plan, plan)).endswith("\n\nThey are equal: the same rates at all 100 steps.")
    near = ks.compare(plan, annealed(100, warmup=10, peak=1e-3 * (1 + 1e-12)))
    assert str(near).endswith(
        "They are equal: over 100 steps no two rates differ by more than 1e-15,\n"
        "within the tolerance of 1e-09 of the peak, 0.001."
    )


@pytest.mark.parametrize("total", [1, 100, LONG, 2**63 - 1])
def test_table_fits_80_columns(total: int) -> None:
    plans = [
        ks.constant(1.23456789e-5).plan(total_steps=total, steps_per_epoch=7),
        ks.constant(9.87654321e-5).plan(total_steps=total),
        ks.sgdr(peak=1e-5, period=7).plan(total_steps=max(total // 2, 1)),
    ]
    text = str(ks.compare(*plans, names=["first " * 30, "ü" * 200, "third"]))
    assert max(map(len, text.splitlines())) <= 80


def test_all_rates_0() -> None:
    plan = ks.constant(0.0).plan(total_steps=10)
    assert ks.compare(plan, plan, ks.Schedule(ks.linear(10, start=0.0, to=0.0)).plan()).equal
    other = ks.compare(plan, ks.constant(0.1).plan(total_steps=10))
    assert other.differences[0].largest == 0.1
    assert "of A's" in str(other)


@pytest.mark.parametrize("columns", [50, 1000])
def test_trace_holds_what_the_table_says(columns: int) -> None:
    plans = sgdr(), sgdr(LONG // 2, period=10_001), ks.constant(0.02).plan(total_steps=LONG)
    comparison = ks.compare(*plans)
    steps, rates = comparison.trace(columns)
    assert steps[0] == 0
    assert steps[-1] == LONG - 1
    assert (np.diff(steps) > 0).all()
    assert steps.size < 100 * columns
    for plan, values in zip(plans, rates, strict=True):
        assert (values == plan(steps)).all()
    for found, values in zip(comparison.differences, rates[1:], strict=True):
        assert np.abs(values - rates[0]).max() >= found.largest
        assert found.first_step in steps


def test_pictures() -> None:
    comparison = ks.compare(annealed(100, warmup=10), annealed(100, warmup=20))
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    assert comparison.plot(ax=axes) is axes
    assert len(axes.get_lines()) >= 2
    assert "svg" in comparison._repr_html_()
    assert repr(comparison) == "<Comparison of A, B: different>"
