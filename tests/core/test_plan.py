from __future__ import annotations

import copy
import math
import pickle
import random
import tracemalloc
from fractions import Fraction
from typing import Any
from unittest.mock import ANY

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import kosine as ks
from tests.support.exact import ulps
from tests.support.strategies import RUN, compositions, schedules

EXAMPLE = ks.warmup_cosine(peak=1e-4, warmup="10ep", warmup_start=4e-6, hold=5).plan(epochs=50, steps_per_epoch=788)
LAST = 2**63 - 1
steps_of_a_run = st.integers(0, RUN["total_steps"] + 1000) | st.integers(0, LAST)


# --- what every plan does ----------------------------------------------------------------------------------------


@given(schedules, st.lists(steps_of_a_run, min_size=1, max_size=20))
@settings(max_examples=2 * settings().max_examples)
def test_any_step_in_any_order_gives_the_same_rate(schedule: ks.Schedule, steps: list[int]) -> None:
    plan = schedule.plan(**RUN)
    one_by_one = [plan(step) for step in steps]
    assert [plan(step) for step in reversed(steps)] == one_by_one[::-1]
    assert [schedule.plan(**RUN)(step) for step in steps] == one_by_one
    together = plan(np.array(steps))
    assert together.dtype == np.float64
    assert plan(np.array(steps[::-1])).tolist() == together[::-1].tolist()
    for scalar, element in zip(one_by_one, together.tolist(), strict=True):
        assert ulps(element, scalar) <= 4  # NumPy's exp, log and power may round differently from the C library's


@given(schedules)
@settings(max_examples=2 * settings().max_examples)
def test_every_rate_lies_between_the_ends_of_its_phase(schedule: ks.Schedule) -> None:
    plan = schedule.plan(**RUN)
    for row in plan.phases[:12]:
        assert row.steps is not None
        if not row.steps:
            continue
        low, high = sorted((row.first_lr, row.end_lr))
        offsets = np.unique(np.linspace(0, row.steps - 1, 9).astype(np.int64))
        rates = plan(row.first_step + offsets)
        slack = 2 * math.ulp(high)
        assert (rates >= low - slack).all()
        assert (rates <= high + slack).all()
        if row.steps > 1:
            assert plan(row.first_step) == row.first_lr
        assert plan(row.stop - 1) == row.end_lr or not row.endpoint


@given(schedules)
def test_rows_join_without_a_gap(schedule: ks.Schedule) -> None:
    plan = schedule.plan(**RUN)
    position = 0
    for row in plan.phases[:200]:
        assert row.first_step == position
        position = row.stop
        for step in {row.first_step, row.stop - 1} if row.steps else ():
            assert plan.phase_at(step) == row


@given(compositions(any_run=True), st.lists(st.integers(0, 10**7), min_size=1, max_size=8))
def test_without_rest_and_percent_the_length_of_the_run_changes_no_rate(
    schedule: ks.Schedule, steps: list[int]
) -> None:
    units = {name: value for name, value in RUN.items() if name != "total_steps"}
    plans = [schedule.plan(**units), *(schedule.plan(total_steps=total, **units) for total in (1, 1000, 10**6))]
    for step in steps:
        assert len({plan(step) for plan in plans}) == 1
        assert len({plan(np.array([0, step]))[1] for plan in plans}) == 1


@given(schedules)
def test_a_plan_survives_pickle_and_copies(schedule: ks.Schedule) -> None:
    plan = schedule.plan(**RUN)
    for twin in (pickle.loads(pickle.dumps(plan)), copy.deepcopy(plan), copy.copy(plan)):
        assert twin == plan
        assert hash(twin) == hash(plan)
        assert twin(RUN["total_steps"] - 1) == plan(RUN["total_steps"] - 1)


def test_a_plan_has_an_empty_dictionary_of_attributes() -> None:
    """torch's LambdaLR saves and updates that of the object that it calls."""
    assert vars(EXAMPLE) == {}
    vars(EXAMPLE).update(schedule=None)
    assert vars(EXAMPLE) == {}
    for twin in (pickle.loads(pickle.dumps(EXAMPLE)), copy.deepcopy(EXAMPLE), copy.copy(EXAMPLE)):
        assert (twin, vars(twin), twin(7_884)) == (EXAMPLE, {}, 1e-4)


def test_a_plan_is_a_frozen_value() -> None:
    schedule = EXAMPLE.schedule
    assert schedule.plan(total_steps=39_400, steps_per_epoch=788) == EXAMPLE
    assert hash(schedule.plan(total_steps=39_400, steps_per_epoch=788)) == hash(EXAMPLE)
    assert schedule.plan(total_steps=39_401, steps_per_epoch=788) != EXAMPLE
    assert hash(schedule.plan(total_steps=39_401, steps_per_epoch=788)) != hash(EXAMPLE)
    assert schedule != EXAMPLE
    with pytest.raises(AttributeError, match="`total_steps` cannot be set"):
        EXAMPLE.total_steps = 5
    with pytest.raises(AttributeError, match="`total_steps` cannot be deleted"):
        del EXAMPLE.total_steps


def test_the_shape_of_the_steps_is_the_shape_of_the_rates() -> None:
    int32: Any = np.int32(7_884)
    nested: Any = [[0, 7_880], [39_399, 39_400]]
    assert isinstance(EXAMPLE(7_884), float)
    assert isinstance(EXAMPLE(int32), float)
    assert EXAMPLE(np.zeros((2, 0, 3), np.int64)).shape == (2, 0, 3)
    assert EXAMPLE([]).shape == (0,)
    rates = EXAMPLE(nested)
    assert rates.tolist() == [[EXAMPLE(0), EXAMPLE(7_880)], [EXAMPLE(39_399), EXAMPLE(39_400)]]
    assert EXAMPLE(np.arange(39_400, dtype=np.uint16)).tolist() == EXAMPLE(range(39_400)).tolist()


def test_after_its_last_phase_a_plan_stays_at_the_end_value() -> None:
    plan = ks.Schedule(ks.linear(4, start=0.0, to=1.0), ks.cosine(4, to=0.25)).plan(total_steps=6)
    assert [plan(step) for step in (8, 9, 10**15, LAST)] == [0.25] * 4
    assert plan([8, LAST]).tolist() == [0.25, 0.25]
    assert plan.phase_at(LAST).name == "hold"


# --- restarts ----------------------------------------------------------------------------------------------------


def _exact_boundaries(period: int, stretch: str, last: int) -> list[int]:
    """First steps of the cycles up to `last`, by adding up their exact lengths."""
    position, length, factor = Fraction(0), Fraction(period), Fraction(stretch)
    boundaries: list[int] = []
    while position <= last and len(boundaries) < 400:
        boundaries.append((2 * position.numerator + position.denominator) // (2 * position.denominator))
        position += length
        length *= factor
    return boundaries


def test_restarts_are_where_exact_arithmetic_puts_them() -> None:
    source = random.Random(1608)
    for number in range(400):
        stretch = source.choice(["1", "1.1", "1.5", "2", "3", "10", f"{source.uniform(1, 4):.{source.randint(1, 9)}f}"])
        period = source.choice([source.randint(1, 20), source.randint(1, 10**5)])
        boundaries = _exact_boundaries(period, stretch, 10**12)
        schedule = ks.sgdr(peak=0.05, period=period, stretch=float(stretch))
        plan = schedule.plan(total_steps=boundaries[-1] + 1) if number % 2 else schedule.plan()
        cycles = range(1, len(boundaries) - 1)
        for cycle in {1, *source.sample(cycles, min(3, len(cycles)))}:
            before, here, after = boundaries[cycle - 1 : cycle + 2]
            assert plan(here) == 0.05, (period, stretch, cycle)
            last = 0.05 * math.sin(math.pi / 2 / (here - before)) ** 2
            assert plan(here - 1) == pytest.approx(last, rel=1e-14, abs=0), (period, stretch, cycle)
            second = 0.05 * math.cos(math.pi / 2 / (after - here)) ** 2
            assert plan(here + 1) == pytest.approx(second, rel=1e-13) or after == here + 1, (period, stretch, cycle)
            assert plan(np.array([here - 1, here, here + 1])).tolist() == [plan(here + i) for i in (-1, 0, 1)]


def test_cycles_after_a_warm_up_repeat_for_ever() -> None:
    plan = ks.sgdr(peak=1.0, period=10, warmup=3).plan()
    near, far = range(3, 13), range(3 + 10**18, 13 + 10**18)
    assert [plan(step) for step in far] == [plan(step) for step in near]
    assert plan(far).tolist() == plan(near).tolist()


@pytest.mark.parametrize("steps", [[10, 9], [25, 3, 14, 3], [10**12, 0], [0, 0, 1]])
def test_an_array_may_have_any_order(steps: list[int]) -> None:
    plan = ks.sgdr(peak=1.0, period=10).plan()
    assert plan(steps).tolist() == [plan(step) for step in steps]


def test_cycles_of_a_fraction_of_a_step_repeat_for_ever() -> None:
    group = ks.cycles(ks.linear("5/2st", start=0.5, to=1.0), ks.cosine("4/3st", to=0.25))
    for parts in ([group], [ks.hold(7, start=0.5), group], [ks.section(group, continuous=True)]):
        plan = ks.Schedule(*parts).plan()
        near, far = range(7, 30), range(7 + 23 * 10**15, 30 + 23 * 10**15)  # 6 cycles last 23 steps
        assert [plan(step) for step in far] == [plan(step) for step in near]
        assert [plan.phase_at(step).cycle for step in far] == [
            (plan.phase_at(step).cycle or 0) + 6 * 10**15 for step in near
        ]


def test_what_follows_a_shrinking_group_begins_where_its_last_cycle_ends() -> None:
    group = ks.cycles(ks.hold(2, start=1.0), ks.hold(3, start=0.8), shrink=0.5, shrink_power=1.0, count=3)
    plan = ks.Schedule(group, ks.hold(4)).plan()
    assert [plan(step) for step in (0, 2, 5, 9, 10, 14, 15, 19)] == pytest.approx(
        [1.0, 0.8, 0.25, 0.25, 1 / 12, 1 / 12, 1 / 12, 1 / 12]
    )


def test_an_array_that_ends_at_a_restart_restarts() -> None:
    plan = ks.sgdr(peak=1.0, period=10).plan()
    assert plan([9, 10]).tolist() == [plan(9), 1.0]


def test_boundaries_that_peers_miss() -> None:
    plan = ks.sgdr(peak=1.0, period=10, stretch=10).plan()
    assert [plan(step) for step in (10, 110, 1110, 11_110)] == [1.0] * 4
    assert ks.sgdr(peak=1.0, period=4, stretch=2).plan()(12) == 1.0
    assert ks.sgdr(peak=1.0, period=4, stretch=2).plan()(13) == pytest.approx(math.cos(math.pi / 32) ** 2, rel=1e-15)


@given(st.fractions(1, 50, max_denominator=100), st.integers(1, 300), st.integers(0, LAST))
def test_equal_cycles_of_any_length_repeat_for_ever(epochs: Fraction, steps_per_epoch: int, step: int) -> None:
    text = f"{float(epochs):.2f}ep"
    group = ks.cycles(ks.linear(text, start=0.0, to=1.0), ks.cosine(text, to=0.5))
    plan = ks.Schedule(ks.hold("0.7ep", start=0.3), group).plan(steps_per_epoch=max(2, steps_per_epoch))
    row = plan.phase_at(step)
    assert row.steps is not None
    expected = ks.Schedule(getattr(ks, row.name)(row.steps, start=row.first_lr, to=row.end_lr)).plan()
    assert plan(step) == expected(step - row.first_step)
    assert ulps(plan([0, step])[1], plan(step)) <= 4


@given(st.integers(1, 50), st.sampled_from([1.1, 1.5, 2, 1.00001]), st.integers(1, 8), st.integers(0, 10**5))
def test_a_finite_group_is_an_endless_one_up_to_its_end(period: int, stretch: float, count: int, step: int) -> None:
    cycle = ks.cosine(period, start=1.0, to=0.1)
    finite = ks.Schedule(ks.cycles(cycle, stretch=stretch, count=count)).plan()
    endless = ks.Schedule(ks.cycles(cycle, stretch=stretch)).plan()
    assert finite.total_steps is not None
    assert finite(step) == (endless(step) if step < finite.total_steps else 0.1)


# --- size --------------------------------------------------------------------------------------------------------


def test_20_001_phases() -> None:
    parts = [ks.linear(2 + i % 3, start=0.0, to=1.0) for i in range(20_001)]
    schedule = ks.Schedule(*parts)
    tracemalloc.start()
    plan = schedule.plan()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 400 * 20_001
    assert len(plan.phases) == 20_001
    assert plan.total_steps == 60_003
    assert (plan.phases[-1].first_step, plan.phases[-1].steps) == (59_999, 4)
    assert plan(60_001) == 0.5


@pytest.mark.parametrize(
    ("arguments", "cycles"),
    [({"period": 10}, 10**11), ({"period": 7, "stretch": 1.5}, 62), ({"period": 10, "stretch": 1.00001}, 1_381_559)],
)
def test_endless_cycles_in_a_run_of_10_to_the_12_steps(arguments: dict[str, Any], cycles: int) -> None:
    schedule = ks.sgdr(peak=1.0, **arguments)
    schedule.plan(total_steps=10**12)(0)  # what is made once for all plans is not counted
    tracemalloc.start()
    plan = schedule.plan(total_steps=10**12)
    last = plan(10**12 - 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 2**20
    assert len(plan.phases) == cycles
    row = plan.phases[-1]
    assert row == plan.phase_at(10**12 - 1)
    assert row.cycle == cycles - 1
    assert row.first_step <= 10**12 - 1 < row.stop
    assert row.steps is not None
    assert last == pytest.approx(math.cos(math.pi / 2 * (10**12 - 1 - row.first_step) / row.steps) ** 2, rel=1e-12)
    assert plan(np.array([10**12 - 1])).tolist() == [last]
    assert plan(row.first_step) == plan(0) == 1.0


def test_a_growing_group_far_out_agrees_with_exact_sums() -> None:
    plan = ks.sgdr(peak=1.0, period=10, stretch=1.00001).plan()
    position = Fraction(10) * (Fraction("1.00001") ** 20_000 - 1) / Fraction("0.00001")
    boundary = (2 * position.numerator + position.denominator) // (2 * position.denominator)
    assert plan(boundary) == 1.0
    assert plan(boundary - 1) < 0.1
    assert plan.phase_at(boundary).cycle == 20_000


def test_a_schedule_without_an_end_is_planned_without_a_length() -> None:
    plan = ks.inverse_sqrt_decay(peak=1.0, warmup=4).plan()
    assert plan.total_steps is None
    assert (plan.phases[-1].steps, plan.phases[-1].clock.span) == (None, None)
    assert plan(LAST) == pytest.approx(2.0 / math.sqrt(2.0**63), rel=1e-14)


# --- rows and text -----------------------------------------------------------------------------------------------


def test_the_rows_of_the_worked_example() -> None:
    rows = [
        (row.name, row.first_step, row.steps, row.stop, row.first_lr, row.end_lr, row.cycle) for row in EXAMPLE.phases
    ]
    assert rows == [
        ("linear", 0, 7_880, 7_880, 4e-6, 1e-4, None),
        ("hold", 7_880, 5, 7_885, 1e-4, 1e-4, None),
        ("cosine", 7_885, 31_515, 39_400, 1e-4, 0.0, None),
    ]
    assert EXAMPLE.total_steps == 39_400


def test_rows_are_a_sequence() -> None:
    rows = ks.sgdr(peak=1.0, period=10, warmup=5).plan(total_steps=46).phases
    assert len(rows) == 6
    assert [row.cycle for row in rows] == [None, 0, 1, 2, 3, 4]
    assert rows[-1] == rows[5]
    assert rows[1:5:2] == [rows[1], rows[3]]
    assert rows == list(rows)
    assert rows != list(rows)[:-1]
    assert rows != [*list(rows)[:-1], rows[0]]
    assert rows != 6
    assert rows == ANY
    with pytest.raises(IndexError, match=r"The plan lists 6 phases\. Received: index 6"):
        rows[6]


def test_the_first_rows_are_shown() -> None:
    rows = ks.sgdr(peak=1.0, period=10).plan(total_steps=80).phases
    assert repr(rows) == repr(list(rows))
    many = ks.sgdr(peak=1.0, period=10).plan(total_steps=90).phases
    assert repr(many) == f"{repr(list(rows))[:-1]}, ...]"


def test_a_plan_prints_as_a_table() -> None:
    assert str(EXAMPLE) == (
        "phase   first step   steps  epochs    from      to\n"
        "linear           0   7,880      10   4e-06  0.0001\n"
        "hold         7,880       5    0.01  0.0001  0.0001\n"
        "cosine       7,885  31,515   39.99  0.0001       0\n"
        "total               39,400      50"
    )
    assert repr(EXAMPLE) == f"{EXAMPLE.schedule!r}.plan(total_steps=39400, steps_per_epoch=788)"


def test_a_long_table_leaves_out_its_middle() -> None:
    lines = str(ks.sgdr(peak=0.05, period=10, warmup=5).plan(total_steps=10**12)).splitlines()
    assert len(lines) == 26
    assert lines[20] == "cosine  #19                           185                 10  0.05     0"
    assert lines[21:] == [
        "... 99,999,999,978 more",
        "cosine  #99,999,999,998   999,999,999,975                 10  0.05     0",
        "cosine  #99,999,999,999   999,999,999,985                 10  0.05     0",
        "cosine  #100,000,000,000  999,999,999,995                 10  0.05     0",
        "total                                      1,000,000,000,000",
    ]


def test_a_table_of_24_phases_is_whole() -> None:
    lines = str(ks.sgdr(peak=0.05, period=10).plan(total_steps=240)).splitlines()
    assert [line[:11] for line in lines[1:-1]] == [f"cosine  #{cycle:<2}" for cycle in range(1, 25)]


def test_a_table_tells_how_long_the_steps_of_a_section_last() -> None:
    fall = ks.section(ks.hold(1, start=1.0), ks.cycles(ks.linear(2, start=1.0, to=0.5), count=1), tick=2)
    assert str(ks.Schedule(fall).plan(total_steps=6)) == (
        "phase                first step  steps  from   to\n"
        "hold                          0      2     1    1\n"
        "linear  #1  every 2           2      4     1  0.5\n"
        "total                                6"
    )


@pytest.mark.parametrize(("total_steps", "end"), [(100, "0"), (101, "0.990099"), (200, "0.5")])
def test_a_phase_that_never_ends_shows_what_stands_at_the_end_of_the_run(total_steps: int, end: str) -> None:
    decay = ks.section(ks.hold(100, start=1.0), ks.inverse_time(timescale=100))
    plan = ks.Schedule(decay).plan(total_steps=total_steps, steps_per_epoch=10)
    assert str(plan).splitlines()[2].split() == ["inverse_time", "100", "for", "ever", "1", end]


def test_a_table_without_an_end() -> None:
    assert str(ks.constant(0.1).plan()) == (
        "phase  first step     steps  from   to\nhold            0  for ever   0.1  0.1\ntotal              for ever"
    )


# --- bad input ---------------------------------------------------------------------------------------------------

REST = ks.warmup_cosine(peak=1.0, warmup=10)


@pytest.mark.parametrize(
    ("schedule", "run", "error", "message"),
    [
        (REST, {}, ks.PlanError, r"\"rest\" phase needs the length of the run: cosine.* Received: total_steps=None"),
        (REST, {"total_steps": 10}, ks.PlanError, r"leave no step for the rest .* by 1 step\."),
        (REST, {"total_steps": 7}, ks.PlanError, r"leave no step .* its 7 steps they take 10\..* by 4 steps\."),
        (REST, {"total_steps": 0}, ks.PlanError, r"`total_steps` must be an integer >= 1\. .* total_steps=0"),
        (REST, {"total_steps": -5}, ks.PlanError, r"`total_steps` must be an integer >= 1\. .* total_steps=-5"),
        (REST, {"total_steps": 2**63}, ks.PlanError, r"at most 2\*\*63 - 1\. Received: total_steps=922337"),
        (REST, {"total_steps": 50.0}, ks.ArgumentTypeError, r"`total_steps` must be .* total_steps=50.0"),
        (REST, {"total_steps": True}, ks.ArgumentTypeError, r"`total_steps` must be .* total_steps=True"),
        (REST, {"total_steps": "50"}, ks.ArgumentTypeError, r"`total_steps` must be .* total_steps='50'"),
        (REST, {"epochs": 5}, ks.PlanError, r"`epochs` needs `steps_per_epoch`\. Received: epochs=5"),
        (REST, {"epochs": 0, "steps_per_epoch": 9}, ks.PlanError, r"`epochs` must be .* > 0\. Received: epochs=0"),
        (REST, {"epochs": -1, "steps_per_epoch": 9}, ks.PlanError, r"`epochs` must be .* > 0\. Received: epochs=-1"),
        (
            REST,
            {"epochs": float("nan"), "steps_per_epoch": 9},
            ks.PlanError,
            r"`epochs` must be a finite number of epochs > 0\. Received: epochs=nan",
        ),
        (REST, {"epochs": "5", "steps_per_epoch": 9}, ks.ArgumentTypeError, r"`epochs` must be .* epochs='5'"),
        (REST, {"epochs": 0.01, "steps_per_epoch": 9}, ks.PlanError, r"at least 1 .* steps\. Received: epochs=0.01"),
        (REST, {"epochs": 1e30, "steps_per_epoch": 9}, ks.PlanError, r"at most 2\*\*63 - 1 steps\. .* epochs=1e\+30"),
        (REST, {"epochs": 5, "steps_per_epoch": 0}, ks.PlanError, r"`steps_per_epoch` must be .* steps_per_epoch=0"),
        (
            REST,
            {"epochs": 5, "steps_per_epoch": 9, "total_steps": 44},
            ks.PlanError,
            r"^Arguments `total_steps` and `epochs` disagree\. Received: total_steps=44, epochs=5, .*=9, which make 45",
        ),
        (REST, {"samples_per_step": 0}, ks.PlanError, r"`samples_per_step` must be .* samples_per_step=0"),
        (REST, {"tokens_per_step": 1.5}, ks.ArgumentTypeError, r"`tokens_per_step` must be .* tokens_per_step=1.5"),
        (
            ks.Schedule(ks.hold("70%", start=1.0), ks.hold(), ks.cosine("40%", to=0.0)),
            {"total_steps": 100},
            ks.PlanError,
            r"leave no step for the rest .* they take 110\. Received: hold\(\)\..* by 11 steps",
        ),
        (
            ks.Schedule(ks.cycles(ks.cosine("5sp", start=1.0, to=0.0))),
            {"samples_per_step": 10},
            ks.PlanError,
            r"must last at least one step in every cycle, .* lasts 0.5 steps .* Received: cosine\(\"5sp\"",
        ),
        (
            ks.Schedule(ks.cycles(ks.cosine(10, start=1.0, to=0.3), shrink=0.5)),
            {"total_steps": 30},
            ks.PlanError,
            r"A cycle shrinks to nothing: with shrink=0.5 the peak 1.0 is 0.25 in cycle #3, not above the floor 0.3\. "
            r"Use a `shrink` nearer to 1, a smaller `shrink_power`, a lower floor, or fewer cycles\.$",
        ),
        (
            ks.Schedule(ks.cycles(ks.cosine(10, start=1.0, to=0.3), shrink=0.5, shrink_power=0.5)),
            {"total_steps": 30},
            ks.PlanError,
            r"A cycle shrinks to nothing: with shrink=0.5, shrink_power=0.5 the peak 1.0 is 0.144",
        ),
        (
            ks.Schedule(
                ks.inverse_sqrt(10, start=1.0, timescale=5), ks.cycles(ks.cosine(10, to=0.5), shrink=0.5, count=2)
            ),
            {},
            ks.PlanError,
            r"A cycle shrinks to nothing: .* in cycle #2, not above the floor 0.5",
        ),
        (
            ks.Schedule(ks.hold(2**62, start=1.0), ks.hold(2**62)),
            {},
            ks.PlanError,
            r"A plan has at most 2\*\*63 - 1 steps, .* ends at step 9.223e\+18\. Received: hold\(4611686018427387904\)",
        ),
        (
            ks.Schedule(ks.cycles(ks.cosine(10, start=1.0, to=0.0), stretch=2, count=10**9)),
            {},
            ks.PlanError,
            r"The cycles last longer than 2\*\*63 steps.* Received: count=1000000000, stretch=2.0",
        ),
        (
            ks.Schedule(ks.cycles(ks.cosine(10, start=1.0, to=0.0), stretch=2, count=401)),
            {},
            ks.PlanError,
            r"The cycles last longer than 2\*\*63 steps.* Received: count=401, stretch=2.0",
        ),
        (
            ks.Schedule(ks.cycles(ks.cosine(10, start=1.0, to=0.0), stretch=2, count=400)),
            {},
            ks.PlanError,
            r"A plan has at most 2\*\*63 - 1 steps, .* ends at step 2\.582e\+121",
        ),
        (
            ks.Schedule(ks.cycles(ks.cosine(10, start=1.0, to=0.0), stretch=1.0000001, count=10_923)),
            {},
            ks.PlanError,
            r"end at a position that is too long to write down\. .* Use fewer cycles, or count=None\.$",
        ),
    ],
)
def test_a_run_that_a_schedule_cannot_be_planned_for_is_refused(
    schedule: ks.Schedule, run: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        schedule.plan(**run)


@pytest.mark.parametrize(
    ("steps", "error", "message"),
    [
        (-1, ks.StepError, r"A step must be >= 0 and at most 2\*\*63 - 1: .* Received: -1"),
        (2**63, ks.StepError, r"at most 2\*\*63 - 1: .* Received: 9223372036854775808"),
        (np.int64(-1), ks.StepError, r"A step must be >= 0 .* Received: -1"),
        (np.uint64(2**63), ks.StepError, r"at most 2\*\*63 - 1: .* Received: 9223372036854775808"),
        (np.array([5, -1]), ks.StepError, r"A step must be >= 0 .* Received: -1"),
        (np.array([2**63], np.uint64), ks.StepError, r"at most 2\*\*63 - 1: .* Received: 9223372036854775808"),
        (
            1.0,
            ks.ArgumentTypeError,
            r"^Argument `steps` must be an integer or an array of integers\. Received: steps=1\.0\.",
        ),
        (np.float64(1.0), ks.ArgumentTypeError, r"`steps` must be an integer .* Received: steps=(np.float64\()?1.0"),
        (True, ks.ArgumentTypeError, r"`steps` must be an integer .* Received: steps=True"),
        ("3", ks.ArgumentTypeError, r"`steps` must be an integer .* Received: steps='3'"),
        (
            None,
            ks.ArgumentTypeError,
            r"^A plan is a function of .* `ks\.keras\.LearningRateSchedule\(plan\)` to the optim",
        ),
        (
            np.array([1.5]),
            ks.ArgumentTypeError,
            r"`steps` must be .* of dtype float64\. Count steps in integers: `int\(step\)`\.$",
        ),
        (np.array(1.5), ks.ArgumentTypeError, r"must be an integer\. Received: array\(1.5\)"),
        (np.array([True]), ks.ArgumentTypeError, r"`steps` must be .* of dtype bool\.$"),
        ([1, None], ks.ArgumentTypeError, r"`steps` must be .* Received: steps=\[1, None\] of dtype object"),
        ([[1], [1, 2]], ks.ArgumentTypeError, r"`steps` must be .* Received: steps=\[\[1\], \[1, 2\]\]"),
    ],
)
def test_steps_that_are_none_are_refused(steps: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        EXAMPLE(steps)
    with pytest.raises(error, match=message):
        ks.sgdr(peak=1.0, period=5000).plan()(steps)


class Traced:
    """A step that JAX traces, as far as a plan can tell: without a value, from a module of JAX."""

    __module__ = "jax._src.interpreters.partial_eval"

    def __array__(self, dtype: object = None, copy: object = None) -> object:
        raise TypeError


def test_a_step_that_jax_traces_is_told_where_to_go() -> None:
    hint = r" A plan is evaluated on the host; for Optax and inside `jit` use `ks\.jax\.schedule\(plan\)`\.$"
    for look_up in (EXAMPLE, EXAMPLE.phase_at):
        with pytest.raises(ks.ArgumentTypeError, match=hint):
            look_up(Traced())  # type: ignore[arg-type, call-overload]
    with pytest.raises(ks.ArgumentTypeError, match=r"A step must be an integer\. Received: 1\.0\.$"):
        EXAMPLE.phase_at(1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("step", "error", "message"),
    [
        (-1, ks.StepError, r"A step must be >= 0 .* Received: -1"),
        (1.0, ks.ArgumentTypeError, r"A step must be an integer\. Received: 1.0"),
        (True, ks.ArgumentTypeError, r"A step must be an integer\. Received: True"),
    ],
)
def test_phase_at_wants_a_step(step: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        EXAMPLE.phase_at(step)


def test_the_shortest_and_the_longest_run() -> None:
    for steps in (1, LAST):
        assert ks.constant(0.1).plan(total_steps=steps).total_steps == steps
        assert ks.constant(0.1).plan(epochs=steps, steps_per_epoch=1).total_steps == steps
        whole = ks.Schedule(ks.linear(steps, start=0.5, to=1.0)).plan()
        assert (whole.total_steps, whole(0), whole.phases[0].stop) == (steps, 0.5, steps)


def test_epochs_that_are_integers_stay_exact() -> None:
    assert ks.constant(0.1).plan(epochs=2**60 + 1, steps_per_epoch=1).total_steps == 2**60 + 1


def test_a_schedule_of_no_steps_is_refused() -> None:
    with pytest.raises(ks.PlanError, match=r"A plan must last at least one step\. Received: Schedule\(hold\(0, st"):
        ks.Schedule(ks.hold(0, start=0.1)).plan()


def test_a_shrinking_cycle_that_warms_up_never_lowers_its_floor() -> None:
    lr = ks.Schedule(ks.cycles(ks.linear(2, start=0.0, to=1.0), ks.cosine(8, to=0.4), shrink=0.7))
    plan = lr.plan(total_steps=20)
    assert [(row.first_lr, row.end_lr) for row in plan.phases] == [(0.0, 1.0), (1.0, 0.4), (0.0, 0.7), (0.7, 0.4)]
    with pytest.raises(ks.PlanError, match=r"the peak 1.0 is 0\.3\d+ in cycle #4, not above the floor 0.4"):
        lr.plan(total_steps=31)
    assert plan(10**6 + 9) >= 0.4 * 0.5
    assert plan(10**6 + 2) == 0.4


@pytest.mark.parametrize(
    "schedule",
    [
        ks.warmup_cosine(0.1, warmup=300, hold=5),
        ks.sgdr(0.1, period="10/3st", floor=0.01),
        ks.sgdr(0.1, period=30, stretch=1.5, shrink=0.9),
        ks.Schedule(ks.section(ks.exponential(start=0.1, factor=0.99), tick=7, skip=3)),
    ],
)
@pytest.mark.parametrize(
    "steps",
    [
        np.arange(5000) % 1700,
        np.arange(4000)[::-1],
        np.random.default_rng(0).integers(0, 900, (30, 40)),
        np.random.default_rng(0).integers(0, 2**62, 500),
        2**63 - 1 - np.array([0, 2, 1, 0, 1]),
        np.array([7, 3], np.int8),
    ],
    ids=["again and again", "backwards", "a grid", "far apart", "the last", "of few bits"],
)
def test_an_array_in_any_order_has_the_rates_of_its_steps_in_order(schedule: ks.Schedule, steps: Any) -> None:
    plan = schedule.plan(total_steps=5000)
    in_order, places = np.unique(steps, return_inverse=True)
    assert np.array_equal(plan(steps), plan(in_order)[places].reshape(steps.shape))


def test_scalars_jump_between_phases_and_back() -> None:
    plan = ks.warmup_cosine(0.1, warmup=300, hold=5).plan(total_steps=1000)
    fresh = {step: plan.schedule.plan(total_steps=1000)(step) for step in (0, 299, 300, 304, 305, 999, 1000, 2**63 - 1)}
    for first in fresh:
        for then in fresh:
            assert (plan(first), plan(then)) == (fresh[first], fresh[then])
