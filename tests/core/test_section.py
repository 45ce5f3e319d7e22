"""Sections: parts that run by a clock of their own, compared with a plain reading of what they mean."""

from __future__ import annotations

import pickle
import re
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import kosine as ks
from tests.support.reference import rate_at
from tests.support.strategies import SMALL_RUN, small_schedules

ANY: list[Any] = [5, 1]  # what the type checker would refuse


def planned(schedule: ks.Schedule) -> ks.Plan | None:
    """The plan for the small run; None where it is refused because a phase or a cycle comes to nothing in it."""
    try:
        return schedule.plan(**SMALL_RUN)
    except ks.PlanError as error:
        if re.search(r"at least one step|shrinks to nothing", str(error)):
            return None
        raise


@given(small_schedules())
@settings(deadline=None, max_examples=2 * settings().max_examples)
def test_every_step_is_where_a_plain_reading_puts_it(schedule: ks.Schedule) -> None:
    plan = planned(schedule)
    if plan is None:
        return
    steps = [*range(40), *range(40, 100, 7)]  # beyond the run, too
    exact = [float(rate_at(schedule, SMALL_RUN, step)) for step in steps]
    # A few units in the last place, as everywhere; the rates are between 1e-5 and 1.
    np.testing.assert_allclose([plan(step) for step in steps], exact, rtol=4e-15, atol=1e-18)
    np.testing.assert_allclose(plan(np.array(steps)), exact, rtol=4e-15, atol=1e-18)


@given(small_schedules())
@settings(deadline=None)
def test_the_rows_tell_the_same(schedule: ks.Schedule) -> None:
    plan = planned(schedule)
    if plan is None:
        return
    for row, later in pairwise(plan.phases):
        assert row.stop == later.first_step
    for row in plan.phases:
        if row.steps:
            assert plan(row.first_step) == pytest.approx(row.first_lr, rel=1e-14) or row.name == "tanh"
            assert plan.phase_at(row.first_step) == row
            assert plan.phase_at(min(row.stop, row.first_step + 200) - 1) == row
    for step in range(80):
        row = plan.phase_at(step)
        clock = row.clock
        time = (step - row.first_step + clock.cut) // clock.tick + clock.lead
        assert clock.span is None or 0 <= time < clock.span + (clock.span == 0 or row.endpoint)


@given(small_schedules())
@settings(deadline=None)
def test_text_json_and_pickle_give_it_back(schedule: ks.Schedule) -> None:
    assert ks.parse(repr(schedule)) == schedule
    assert ks.loads(ks.dumps(schedule)) == schedule
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    plan = planned(schedule)
    assert plan is None or ks.loads(ks.dumps(plan)) == plan


def test_a_continuous_section_lasts_as_long_as_a_step_shows_it() -> None:
    plan = ks.Schedule(ks.section(ks.linear("2.4st", start=1.0, to=0.0), continuous=True), ks.hold(1, start=0.5)).plan()
    assert [plan(step) for step in range(5)] == pytest.approx([1, 7 / 12, 1 / 6, 0.5, 0.5])
    assert plan.total_steps == 4


RISE = ks.linear(5, start=0.5, to=1.0)


@pytest.mark.parametrize(
    ("part", "steps"),
    [
        (RISE, 5),
        (ks.cycles(RISE, ks.cosine(4, to=0.0), count=2), 18),
        (ks.cycles(ks.linear("0.5ep", start=0.5, to=1.0), stretch=2, count=3), 21),
        (ks.section(RISE, duration="2ep"), 12),
        (ks.section(RISE, ks.hold(4), skip=2), 7),
        (ks.section(RISE, skip=20), 0),
        (ks.section(RISE, tick=3, skip=4), 11),
        (ks.section(ks.section(ks.hold("1ep", start=0.5), RISE, tick=2), tick=3), 36),
        (ks.section(ks.section(RISE, skip=1), ks.hold(1), skip=2), 3),
        (ks.section(ks.linear("2.4st", start=0.5, to=1.0), continuous=True), 3),
        (ks.section(ks.linear("2.4st", start=0.5, to=1.0), skip="1.5st", continuous=True), 1),
        (ks.section(ks.cycles(ks.linear("0.5st", start=0.5, to=1.0), count=3), continuous=True), 2),
    ],
    ids=repr,
)
def test_a_part_before_or_after_the_rest_leaves_it_the_other_steps(part: Any, steps: int) -> None:
    for parts, number in (((part, ks.tanh(to=0.0)), -1), ((ks.tanh(start=1.0, to=0.0), part), 0)):
        plan = ks.Schedule(*parts).plan(**SMALL_RUN)
        row = plan.phases[number]
        assert (row.name, row.steps, plan.phases[-1].stop) == ("tanh", 60 - steps, 60)


@pytest.mark.parametrize(
    "text",
    [
        "section(linear(6, start=0.5, to=1.0), section(cosine(8, to=0.25), skip=1, tick=2), tick=3, skip=7)",
        "section(section(linear(6, start=0.5, to=1.0), skip=3, tick=2), tick=3, skip=5, duration=20)",
        "section(linear(6, start=0.5, to=1.0), duration=15), cosine(8, to=0.25)",
        "section(linear(6, start=0.5, to=1.0), duration=4), cosine(8, to=0.25)",
        "section(cycles(linear(6, start=0.5, to=1.0)), duration=15), cosine(8, to=0.25)",
        "section(cycles(linear(6, start=0.5, to=1.0)), skip=4, duration=15, tick=2), cosine(8, to=0.25)",
        "section(section(cycles(linear(6, start=0.5, to=1.0)), skip=4, duration=15), duration=30, tick=2), hold(2)",
        "section(linear(6, start=0.5, to=1.0), skip=9, duration=5), cosine(8, to=0.25)",
        'section(linear("5.5st", start=0.5, to=1.0), cosine("4.25st", to=0.25), skip="2.75st", continuous=True)',
        'section(linear("5.5st", start=0.5, to=1.0), cosine("4.25st", to=0.25), tick=3, skip=4, continuous=True)',
        'section(cycles(linear("5/2st", start=0.5, to=1.0)), skip="3.5st", duration=8, continuous=True), hold(2)',
        'linear("2.4st", start=0.5, to=1.0), section(cosine("4.4st", to=0.25), continuous=True), hold("2.4st")',
        'linear("2.4st", start=0.5, to=1.0), section(cosine("4.4st", to=0.25), linear(3, to=1.0)), hold("2.4st")',
        'section(cosine(start=1.0, to=0.25), duration="50%"), section(linear(to=1.0), tick=2, skip=6)',
        'hold("20%", start=0.5), section(exponential(factor=0.5, timescale="1ep"), skip=4, tick=2)',
        "section(inverse_sqrt(start=1.0, timescale=7), duration=20, skip=3), linear(6, to=1.0)",
        "section(section(cycles(linear(6, start=0.5, to=1.0)), duration=7), linear(3, to=0.25), tick=2)",
        "section(hold(2, start=0.5), section(cycles(linear(6, to=1.0)), skip=4, duration=7), hold(3), tick=2)",
        'section(linear("2.4st", start=0.5, to=1.0)), section(linear("2.4st", to=0.25)), hold("2.4st")',
        'section(linear(6, start=0.5, to=1.0), skip="2.6st"), hold(2)',
        'section(linear(start=0.5, to=1.0), skip="1.5st", duration=8, continuous=True)',
    ],
)
def test_these_sections_are_where_a_plain_reading_puts_them(text: str) -> None:
    schedule = ks.parse(f"Schedule({text})")
    plan = schedule.plan(**SMALL_RUN)
    exact = [float(rate_at(schedule, SMALL_RUN, step)) for step in range(70)]
    np.testing.assert_allclose([plan(step) for step in range(70)], exact, rtol=4e-15)
    np.testing.assert_allclose(plan(np.arange(70)), exact, rtol=4e-15)
    for row, later in pairwise([*plan.phases, plan.after]):
        assert row.stop in (later.first_step, 2**63)
        assert plan(row.first_step) == pytest.approx(row.first_lr)


def test_a_schedule_can_be_entered_late() -> None:
    whole = ks.warmup_cosine(peak=1.0, warmup=10).parts
    plan = ks.Schedule(ks.section(*whole, skip=7)).plan(total_steps=93)
    assert [plan(step) for step in range(95)] == [
        ks.Schedule(*whole).plan(total_steps=100)(step + 7) for step in range(95)
    ]


def test_a_schedule_can_be_left_early_and_the_next_goes_on_from_there() -> None:
    plan = ks.Schedule(ks.section(ks.linear(10, start=0.0, to=1.0), duration=4), ks.linear(4, to=0.0)).plan()
    assert [plan(step) for step in range(9)] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.3, 0.2, 0.1, 0])
    assert plan.total_steps == 8


def test_a_cut_at_a_restart_goes_on_from_the_end_of_the_cycle_before() -> None:
    falls = ks.section(ks.cycles(ks.linear(10, start=1.0, to=0.1)), duration=20)
    plan = ks.Schedule(falls, ks.linear(10, to=0.0)).plan()
    assert [plan(step) for step in (10, 19, 20, 25, 30)] == pytest.approx([1.0, 0.19, 0.1, 0.05, 0.0])
    assert ks.Schedule(falls).plan()(20) == 0.1


def test_a_phase_that_begins_between_two_steps_is_cut_too() -> None:
    falls = ks.section(ks.linear("0.75st", start=0.0, to=1.0), ks.linear("0.5st", to=0.0), duration=1, continuous=True)
    assert ks.Schedule(falls).plan()(1) == 0.5


def test_the_rows_of_a_group_that_is_cut_at_both_ends() -> None:
    group = ks.cycles(ks.linear(10, start=1.0, to=0.0), ks.cosine(10, to=0.5))
    plan = ks.Schedule(ks.section(group, skip=35, duration=30), ks.hold(5)).plan()
    rows = [(row.first_step, row.steps, row.name, row.cycle) for row in plan.phases]
    assert rows[:2] == [(0, 5, "cosine", 1), (5, 10, "linear", 2)]
    assert rows[-2:] == [(25, 5, "linear", 3), (30, 5, "hold", None)]
    assert len(rows) == 5


def test_far_out_an_array_has_the_rates_of_its_steps() -> None:
    last = 2**63 - 1
    for part, steps in [
        (ks.section(ks.exponential(start=1.0, factor=0.999), skip=last), [0, 1, last]),
        (ks.section(ks.inverse_sqrt(start=1.0, timescale=100), skip=last), [0, 1, last]),
        (ks.section(ks.inverse_sqrt(start=1.0, timescale=100), skip=10), [0, 1, last]),
        (ks.section(ks.exponential(start=1.0, factor=0.5), tick=2**62, skip=2**62 - 1), [0, 1, last]),
    ]:
        plan = ks.Schedule(part).plan()
        np.testing.assert_array_equal(plan(np.array(steps)), [plan(step) for step in steps])
        assert np.isfinite(plan(np.array(steps))).all()


def test_restarts_for_the_rest_of_the_run_and_then_a_cooldown() -> None:
    restarts = ks.section(ks.cycles(ks.cosine(30, start=1.0, to=0.1)), duration="rest")
    plan = ks.Schedule(restarts, ks.linear(20, to=0.0)).plan(total_steps=100)
    assert plan(60) == plan(30) == 1.0
    assert plan(79) == ks.Schedule(ks.cosine(30, start=1.0, to=0.1)).plan()(19)
    assert plan(80) == ks.Schedule(ks.cosine(30, start=1.0, to=0.1)).plan()(20)
    assert plan(90) == pytest.approx(plan(80) / 2)
    assert plan(100) == 0.0


def test_a_section_that_goes_on_for_ever_is_the_same_in_a_run_of_every_length() -> None:
    schedule = ks.Schedule(ks.section(ks.linear(100, start=0.0, to=1.0), ks.inverse_sqrt(timescale=100)))
    for total in (1, 3, 100, 10**6):
        plan = schedule.plan(total_steps=total)
        assert (plan(50), plan(100), plan(400)) == (0.5, 1.0, 0.5)
        assert plan.total_steps == total


def test_a_staircase_and_a_schedule_counted_in_epochs() -> None:
    stairs = ks.Schedule(ks.section(ks.exponential(start=1.0, factor=0.5), tick=100)).plan()
    assert [stairs(step) for step in (0, 99, 100, 199, 200)] == [1.0, 1.0, 0.5, 0.5, 0.25]
    by_epoch = ks.Schedule(ks.section(ks.cosine(4, start=1.0, to=0.0), tick="1ep")).plan(epochs=4, steps_per_epoch=10)
    assert [round(by_epoch(step), 6) for step in (0, 9, 10, 19, 20, 39, 40)] == [
        1,
        1,
        0.853553,
        0.853553,
        0.5,
        0.146447,
        0,
    ]


def test_a_continuous_section_keeps_fractions_of_a_step() -> None:
    exact = Fraction(10, 3)
    plan = ks.Schedule(ks.section(ks.cycles(ks.linear(exact, start=1.0, to=0.0)), continuous=True)).plan()
    assert [plan(step) for step in range(7)] == pytest.approx([1, 0.7, 0.4, 0.1, 0.8, 0.5, 0.2], rel=1e-15)
    assert plan(10**18) == 1.0
    assert plan(10**18 + 1) == pytest.approx(0.7, rel=1e-15)


def test_growing_cycles_of_a_continuous_section_are_exact_far_out() -> None:
    part = ks.cycles(ks.cosine("7/3st", start=1.0, to=0.0), stretch=1.001)
    plan = ks.Schedule(ks.section(part, continuous=True)).plan()
    stretch = Fraction(1001, 1000)
    for cycle in (1, 10, 1000, 5000):
        position = Fraction(7, 3) * (stretch**cycle - 1) / (stretch - 1)
        first = -(-position.numerator // position.denominator)
        done = (first - position) / (Fraction(7, 3) * stretch**cycle)
        assert plan(first) == pytest.approx(np.cos(np.pi / 2 * float(done)) ** 2, rel=1e-13)
        assert plan(first - 1) < 0.5


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: ks.section(), ks.ScheduleError, r"`section` needs at least one phase"),
        (lambda: ks.section(*ANY[:1]), ks.ArgumentTypeError, r"`section` takes phases .* Received: 5"),
        (
            lambda: ks.section(ks.hold(start=1.0), skip="rest"),
            ks.ScheduleError,
            r"""^Argument `skip` must be a duration other than "rest"\. Received: skip='rest'\.$""",
        ),
        (lambda: ks.section(ks.hold(start=1.0), tick=0), ks.ScheduleError, r"^Argument `tick` must be .* tick=0\.$"),
        (lambda: ks.section(ks.hold(start=1.0), tick="x"), ks.ScheduleError, r"^Argument `tick` must be a number"),
        (lambda: ks.section(ks.hold(start=1.0), skip="x"), ks.ScheduleError, r"^Argument `skip` must be a number"),
        (lambda: ks.section(ks.hold(start=1.0), duration="x"), ks.ScheduleError, r"^Argument `duration` must be a num"),
        (lambda: ks.section(ks.hold(start=1.0), tick="rest"), ks.ScheduleError, r"`tick` must be a positive duration"),
        (
            lambda: ks.section(ks.hold(start=1.0), continuous=ANY[1]),
            ks.ArgumentTypeError,
            r"`continuous` must be True or False\. Received: continuous=1",
        ),
        (
            lambda: ks.section(ks.linear(5, start=0.0, to=1.0, endpoint=True), continuous=True),
            ks.ScheduleError,
            r"^A continuous section .* `endpoint` must be False in it\. Received: linear\(5, .* endpoint=True\)\.$",
        ),
        (
            lambda: ks.Schedule(ks.section(ks.hold(start=1.0)), ks.cosine(5, to=0.0)),
            ks.ScheduleError,
            r"An endless section must come last.* as part 1 of 2\. Give it a `duration`",
        ),
        (
            lambda: ks.section(ks.warmup_cosine(peak=1.0, warmup=5)),  # type: ignore[arg-type]
            ks.ArgumentTypeError,
            r"Unpack it: section\(\*schedule\.parts, \.\.\.\)",
        ),
        (
            lambda: ks.Schedule(ks.hold(5, start=1.0), ks.section(ks.linear(5, to=2.0), duration="0.4st")).plan(),
            ks.PlanError,
            r"must last at least one step, and that of a section is 0.4 steps .* Received: duration='0.4st'",
        ),
        (
            lambda: ks.Schedule(ks.section(ks.section(ks.hold(start=1.0), tick=2**40), tick=2**40)).plan(),
            ks.PlanError,
            r"^A tick of a section must last at most 2\*\*63 - 1 steps, and the ticks of the section around it "
            r"already last 1,099,511,627,776 steps\. Received: tick=1099511627776\.$",
        ),
        (
            lambda: ks.Schedule(ks.section(ks.cycles(ks.linear("1e-30st", start=1.0, to=0.0)), continuous=True)).plan(
                total_steps=10
            ),
            ks.PlanError,
            r"at most 2\*\*63 - 1 cycles",
        ),
        (
            lambda: ks.Schedule(
                *(ks.linear(1 + Fraction(1, 10**59 + i), start=0.0, to=1.0) for i in range(1000))
            ).plan(),
            ks.PlanError,
            r"^The durations of a schedule must add up to .* 1,000 parts .* too many digits together, up to this "
            r"part\. Received: linear\(",
        ),
        (
            lambda: ks.Schedule(ks.section(ks.cosine(5, to=0.0))),
            ks.ScheduleError,
            r"first phase of a schedule needs a `start`",
        ),
        (
            lambda: ks.Schedule(ks.section(ks.cosine(start=1.0, to=0.0)), ks.cosine(to=0.0)),
            ks.ScheduleError,
            r"Only one phase of a schedule can last for the \"rest\"",
        ),
        (
            lambda: ks.Schedule(ks.section(ks.hold(start=1.0), tick="0.5ep")).plan(epochs=2, steps_per_epoch=3),
            ks.PlanError,
            r"A tick of a section must last a whole number of steps, and this is 1.5 steps .* Received: tick='0.5ep'",
        ),
        (
            lambda: ks.Schedule(ks.section(ks.cosine(start=1.0, to=0.0))).plan(),
            ks.PlanError,
            r'A "rest" phase needs the length of the run',
        ),
    ],
)
def test_what_makes_no_section_is_refused(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


def test_a_section_is_written_as_it_is_made() -> None:
    assert repr(ks.section(ks.hold(5, start=1.0))) == "section(hold(5, start=1.0))"
    part = ks.section(ks.linear("2.6st", start=0.0, to=1.0), skip=1, duration="1ep", tick=3, continuous=True)
    assert repr(part) == 'section(linear("2.6st", start=0.0, to=1.0), skip=1, duration="1ep", tick=3, continuous=True)'
    assert ks.parse(f"Schedule({part!r})") == ks.Schedule(part)


def test_sections_stand_in_sections_up_to_a_depth_that_can_be_read_back() -> None:
    part: ks.Section | ks.Cycles = ks.cycles(ks.linear(5, start=0.0, to=1.0), count=2)
    for _ in range(8):
        part = ks.section(part, skip=1)
    schedule = ks.Schedule(part)
    assert schedule.plan()(0) == 0.6
    assert ks.parse(repr(schedule)) == ks.loads(ks.dumps(schedule)) == schedule
    with pytest.raises(ks.ScheduleError, match=r"Sections can be nested at most 8 deep\. Received: section\(section\("):
        ks.section(part)


def test_shrinking_towards_a_value_and_with_the_number_of_the_cycle() -> None:
    group = ks.cycles(ks.linear(10, start=1.0, to=0.2), shrink=0.5, shrink_to=0.2)
    plan = ks.Schedule(group).plan()
    assert [plan(10 * cycle) for cycle in range(4)] == pytest.approx([1.0, 0.6, 0.4, 0.3])
    group = ks.cycles(ks.linear(10, start=1.0, to=0.0), shrink_power=0.5)
    assert [ks.Schedule(group).plan()(10 * cycle) for cycle in (0, 1, 3, 8)] == pytest.approx([1, 0.5**0.5, 0.5, 1 / 3])


@pytest.mark.parametrize("skip", ["0ep", "0%", "floor 0ep", "0st", 0])
def test_a_skip_of_nothing_is_read_back(skip: int | str) -> None:
    schedule = ks.Schedule(ks.section(ks.hold(start=1.0), skip=skip))
    assert ks.parse(repr(schedule)) == ks.loads(ks.dumps(schedule)) == schedule


@pytest.mark.parametrize("curve", [ks.exponential(5, start=1.0, to=1.0), ks.inverse_sqrt(5, start=0.1, to=0.1)])
def test_a_curve_between_equal_values_shrinks_like_a_hold(curve: ks.Phase) -> None:
    plan = ks.Schedule(ks.cycles(curve, shrink=0.5)).plan()
    assert plan(52) == plan(0) * 0.5**10
    assert plan(50_000) == 0.0


def test_a_group_of_holds_may_shrink_to_nothing() -> None:
    plan = ks.Schedule(ks.cycles(ks.hold(1, start=1.0), shrink=0.1)).plan(total_steps=1000)
    assert (plan(1), plan(999)) == (0.1, 0.0)


@pytest.mark.parametrize("continuous", [True, False])
@pytest.mark.parametrize("duration", ["rest", None])
def test_a_rest_inside_a_ticking_section_leaves_the_end_of_the_run_to_what_follows(
    continuous: bool, duration: str | None
) -> None:
    by_epochs = ks.section(ks.cosine(start=0.1, to=0.01), tick="1ep", continuous=continuous, duration=duration)
    plan = ks.Schedule(by_epochs, ks.linear("1ep", to=0.0)).plan(total_steps=950, steps_per_epoch=100)
    assert [(row.name, row.first_step, row.steps) for row in plan.phases] == [("cosine", 0, 850), ("linear", 850, 100)]
    assert plan(949) == pytest.approx(plan(850) / 100)
    assert plan(950) == 0.0


@pytest.mark.parametrize(
    "parts",
    [
        [ks.cosine("3.5st", start=0.1, to=0.01)],
        [ks.hold(2, start=0.3), ks.cosine("1.5st", start=0.1, to=0.01)],
        [ks.cycles(ks.hold(2, start=0.2), ks.cosine("3/2st", start=0.1, to=0.01), count=1)],
    ],
)
@pytest.mark.parametrize("depth", [1, 2])
def test_a_row_that_ends_within_a_tick_has_the_end_value_that_stands_at_the_next_step(
    parts: list[Any], depth: int
) -> None:
    for _ in range(depth):
        parts = [ks.section(*parts, tick=100 if len(parts) > 1 or not isinstance(parts[0], ks.Section) else 1)]
    plan = ks.Schedule(*parts, ks.linear(50, to=0.0)).plan()
    assert plan(350) == 0.01
    assert [row.end_lr for row in plan.phases][-2] == 0.01


def test_a_section_whose_ticks_end_before_its_length_holds_its_end() -> None:
    group = ks.cycles(ks.linear("49/3st", to=0.05), ks.hold(10), count=1)
    schedule = ks.Schedule(ks.hold("13.5st", start=0.1), ks.section(group, tick=5), ks.hold(9))
    plan = schedule.plan(total_steps=200)
    steps = np.arange(200)
    assert plan(steps).tolist() == [plan(step) for step in range(200)]
    assert all(row.first_step <= step < row.stop for step in range(200) for row in [plan.phase_at(step)])
