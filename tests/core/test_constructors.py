from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import kosine as ks


@pytest.mark.parametrize(
    ("recipe", "written"),
    [
        (ks.constant(3e-4), "Schedule(hold(start=0.0003))"),
        (ks.warmup_cosine(1.0), "Schedule(cosine(start=1.0, to=0.0))"),
        (ks.warmup_cosine(1.0, hold="5%"), 'Schedule(hold("5%", start=1.0), cosine(to=0.0))'),
        (
            ks.warmup_cosine(1.0, warmup=3, floor=0.1),
            "Schedule(linear(3, start=0.0, to=1.0), cosine(to=0.1))",
        ),
        (
            ks.sgdr(0.05, period="10ep", stretch=2, shrink=0.9, floor=1e-5, warmup=5),
            'Schedule(linear(5, start=0.0, to=0.05), cycles(cosine("10ep", start=0.05, to=1e-05), '
            "stretch=2.0, shrink=0.9))",
        ),
        (
            ks.sgdr(0.05, period="10ep", floor=1e-5, count=3),
            'Schedule(cycles(cosine("10ep", start=0.05, to=1e-05), count=3))',
        ),
        (ks.one_cycle_momentum(), 'Schedule(cosine("30%", start=0.95, to=0.85), cosine(to=0.95))'),
        (ks.piecewise([(0, 0.1)]), "Schedule(hold(start=0.1))"),
        (ks.piecewise([(0, 1e-3), (100, 1e-4)]), "Schedule(hold(100, start=0.001), hold(start=0.0001))"),
        (
            ks.piecewise(((0, 0.1), ("2.5ep", 0.2), ("5ep", 0))),
            'Schedule(hold("2.5ep", start=0.1), hold("2.5ep", start=0.2), hold(start=0.0))',
        ),
        (ks.one_cycle(1.0), 'Schedule(cosine("30%", start=0.04, to=1.0), cosine(to=4e-06))'),
        (
            ks.wsd(1.0, warmup=3, cooldown="10%", curve="linear"),
            'Schedule(linear(3, start=0.0, to=1.0), hold(), linear("10%", to=0.0))',
        ),
        (ks.wsd(1.0, curve="cosine"), 'Schedule(hold(start=1.0), cosine("20%", to=0.0))'),
        (
            ks.inverse_sqrt_decay(1.0, warmup="4ep"),
            'Schedule(linear("4ep", start=0.0, to=1.0), inverse_sqrt(timescale="4ep"))',
        ),
        (ks.inverse_sqrt_decay(1.0, timescale=9), "Schedule(inverse_sqrt(start=1.0, timescale=9))"),
        (ks.step_decay(0.1, every=30), "Schedule(cycles(hold(30, start=0.1), shrink=0.1))"),
    ],
)
def test_a_recipe_is_a_composition(recipe: ks.Schedule, written: str) -> None:
    assert repr(recipe) == written


def test_sgdr_restarts_at_the_published_epochs() -> None:
    plan = ks.sgdr(peak=0.05, period="10ep", stretch=2).plan(epochs=200, steps_per_epoch=391)
    assert [row.first_step / 391 for row in plan.phases] == [0, 10, 30, 70, 150]
    assert [plan(epoch * 391) for epoch in (0, 10, 30, 70, 150)] == [0.05] * 5
    fast = ks.sgdr(peak=0.05, period="1ep", stretch=2).plan(epochs=100, steps_per_epoch=391)
    assert [row.first_step // 391 for row in fast.phases] == [0, 1, 3, 7, 15, 31, 63]


def test_the_peak_of_cycle_i_is_shrunk_i_times() -> None:
    plan = ks.sgdr(peak=1.0, period=10, shrink=0.5, floor=0.01).plan(total_steps=50)
    assert [row.first_lr for row in plan.phases] == [1.0, 0.5, 0.25, 0.125, 0.0625]
    assert {row.end_lr for row in plan.phases} == {0.01}


def test_a_group_can_hold_a_warm_up_of_its_own() -> None:
    group = ks.cycles(ks.linear(2, start=0.0, to=1.0), ks.cosine(8, to=0.0), stretch=2, shrink=0.5)
    plan = ks.Schedule(group).plan(total_steps=30)
    rates = [plan(step) for step in (0, 1, 2, 10, 12, 14, 22)]
    assert rates == pytest.approx([0.0, 0.5, 1.0, 0.0, 0.25, 0.5, 0.25], rel=1e-15, abs=0)


def test_one_cycle_reaches_its_peak_exactly() -> None:
    plan = ks.one_cycle(peak=1.0).plan(total_steps=12)
    assert max(plan(step) for step in range(12)) == 1.0


def test_inverse_sqrt_decay_follows_the_transformer_formula() -> None:
    plan = ks.inverse_sqrt_decay(peak=0.7, warmup=4000).plan()
    for step in (4000, 4001, 10_000, 10**6, 10**9):
        assert plan(step) == pytest.approx(0.7 * (4000 / step) ** 0.5, rel=1e-14)


@pytest.mark.parametrize(
    ("recipe", "arguments", "error", "message"),
    [
        (ks.constant, {"lr": -0.1}, ks.ScheduleError, r"`lr` must be a finite learning rate >= 0\. Received: lr=-0.1"),
        (ks.constant, {"lr": "0.1"}, ks.ArgumentTypeError, r"`lr` must be .* Received: lr='0.1'"),
        (ks.warmup_cosine, {"peak": -1}, ks.ScheduleError, r"`peak` must be .* Received: peak=-1"),
        (ks.warmup_cosine, {"peak": float("nan")}, ks.ScheduleError, r"`peak` must be .* Received: peak=nan"),
        (ks.warmup_cosine, {"floor": 2.0}, ks.ScheduleError, r"`peak` must be at least `floor`.* peak=1.0, floor=2.0"),
        (ks.warmup_cosine, {"floor": -2.0}, ks.ScheduleError, r"`floor` must be .* Received: floor=-2.0"),
        (ks.warmup_cosine, {"warmup": "5eps"}, ks.ScheduleError, r"`warmup` must be a number followed by"),
        (ks.warmup_cosine, {"warmup": -5}, ks.ScheduleError, r"`warmup` must be >= 0\. Received: warmup=-5"),
        (ks.warmup_cosine, {"warmup": 5, "warmup_start": 2.0}, ks.ScheduleError, r"at least `warmup_start`"),
        (ks.warmup_cosine, {"warmup_start": -1.0}, ks.ScheduleError, r"`warmup_start` must be .*warmup_start=-1.0"),
        (ks.warmup_cosine, {"hold": "5 ep"}, ks.ScheduleError, r"`hold` must be a number followed by"),
        (ks.warmup_cosine, {"warmup": "rest"}, ks.ScheduleError, r"Only one phase .* \"rest\""),
        (ks.sgdr, {"period": "10eps"}, ks.ScheduleError, r"`period` must be a number followed by"),
        (ks.sgdr, {"period": 0}, ks.ScheduleError, r"`period` must be a duration > 0 .* Received: period=0"),
        (ks.sgdr, {"period": 9, "stretch": 0.5}, ks.ScheduleError, r"`stretch` must be a number from 1 .* stretch=0.5"),
        (ks.sgdr, {"period": 9, "shrink": 1.5}, ks.ScheduleError, r"`shrink` must be in \(0, 1\]"),
        (ks.sgdr, {"period": 9, "floor": 1.5}, ks.ScheduleError, r"`peak` must be at least `floor`"),
        (ks.one_cycle, {"start": 2.0}, ks.ScheduleError, r"`peak` must be at least `start`.* start=2.0"),
        (ks.one_cycle, {"floor": 2.0}, ks.ScheduleError, r"`peak` must be at least `floor`.* floor=2.0"),
        (ks.one_cycle, {"warmup": 0.3}, ks.ArgumentTypeError, r"`warmup` must be an integer .* warmup=0.3"),
        (ks.wsd, {"curve": "sine"}, ks.ScheduleError, r"`curve` must be one of .* Received: curve='sine'"),
        (ks.wsd, {"cooldown": "200%"}, ks.ScheduleError, r"`cooldown` must be at most \"100%\""),
        (ks.inverse_sqrt_decay, {}, ks.ScheduleError, r"needs a `timescale` where there is no warm-up"),
        (ks.inverse_sqrt_decay, {"timescale": "9"}, ks.ScheduleError, r"`timescale` must be a number followed by"),
        (ks.step_decay, {"every": 5, "factor": 0}, ks.ScheduleError, r"`factor` must be in \(0, 1\].* factor=0"),
        (ks.step_decay, {"every": 5, "factor": 1.1}, ks.ScheduleError, r"`factor` must be in \(0, 1\].* factor=1.1"),
        (ks.step_decay, {"every": "5"}, ks.ScheduleError, r"`every` must be a number followed by"),
    ],
)
def test_a_bad_argument_is_named(
    recipe: Callable[..., ks.Schedule], arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    first = {} if recipe is ks.constant else {"peak": 1.0}
    with pytest.raises(error, match=message):
        recipe(**{**first, **arguments})


def test_sgdr_with_a_count_stays_at_the_floor_after_the_last_cycle() -> None:
    plan = ks.sgdr(peak=0.05, period=10, stretch=2, shrink=0.5, floor=1e-3, count=3, warmup=5).plan(total_steps=200)
    assert [row.first_step for row in plan.phases] == [0, 5, 15, 35]
    assert plan(35) == 0.0125
    assert {plan(step) for step in range(75, 200)} == {1e-3}


def test_piecewise_changes_exactly_at_its_points() -> None:
    points = [(0, 1e-3), (100, 1e-4), (101, 3e-4), (350, 0.0)]
    plan = ks.piecewise(points).plan()
    for step in range(400):
        assert plan(step) == [rate for at, rate in points if at <= step][-1]


def test_piecewise_by_shares_of_the_run_rounds_each_point_once() -> None:
    plan = ks.piecewise([(0, 1.0), ("33.3%", 0.5), ("66.6%", 0.25)]).plan(total_steps=100)
    assert [step for step in range(1, 100) if plan(step) != plan(step - 1)] == [33, 67]


@pytest.mark.parametrize(
    ("points", "error", "message"),
    [
        ([], ks.ScheduleError, "`points` must be a list of pairs, the first of which is at 0"),
        ([(1, 0.1)], ks.ScheduleError, r"the first of which is at 0\..* Begin with \(0, rate\)"),
        ([(0, 0.1), (0, 0.2)], ks.ScheduleError, r"`points\[1\]` must be after the point before it"),
        ([(0, 0.1), (9, 0.2), (5, 0.2)], ks.ScheduleError, r"`points\[2\]` must be after the point before it"),
        ([(0, 0.1), (9, 0.2), ("5ep", 0.2)], ks.ScheduleError, "`points` must be in one unit"),
        ([(0, 0.1), ("rest", 0.2)], ks.ScheduleError, r"`points\[1\]` must be at a fixed point"),
        ([(0, 0.1), ("floor 5%", 0.2)], ks.ScheduleError, r"`points\[1\]` must be at a fixed point"),
        ([(0, -0.1)], ks.ScheduleError, r"`points\[0\]` must be a finite learning rate"),
        ([0, 0.1], ks.ArgumentTypeError, r"`points\[0\]` must be a pair of a point and a rate"),
        ([(0, 0.1), (5, 0.1, 3)], ks.ArgumentTypeError, r"`points\[1\]` must be a pair"),
        ({0: 0.1}, ks.ArgumentTypeError, "`points` must be a list of pairs"),
        ([(0, "0.1")], ks.ArgumentTypeError, r"`points\[0\]` must be a finite .* Write 0.1 without quotes"),
        ([(0, 0.1), (5.0, 0.1)], ks.ArgumentTypeError, r"`points\[1\]` must be an integer number of steps"),
    ],
)
def test_a_fault_of_a_point_is_named(points: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ks.piecewise(points)


@pytest.mark.parametrize(
    ("momenta", "message"),
    [
        ({"high": 1.0}, "`high` must be a momentum from 0 to below 1"),
        ({"low": -0.1}, "`low` must be a momentum from 0 to below 1"),
        ({"low": 0.96}, "`high` must be at least `low`"),
        ({"max_momentum": 0.9}, "Write `high` for max_momentum"),
    ],
)
def test_a_momentum_out_of_range_is_refused(momenta: dict[str, Any], message: str) -> None:
    with pytest.raises(ks.KosineError, match=message):
        ks.one_cycle_momentum(**momenta)
