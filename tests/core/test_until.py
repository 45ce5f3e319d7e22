"""`until=`: a phase that ends at a position of the run."""

from __future__ import annotations

import pickle

import pytest

import kosine as ks
from kosine._core.curves import CONSTRUCTORS

RUN = {"total_steps": 1_000, "steps_per_epoch": 10, "samples_per_step": 4, "tokens_per_step": 2_000}


def stops(schedule: ks.Schedule, **run: int) -> list[int]:
    return [row.stop for row in schedule.plan(**(run or RUN)).phases]


@pytest.mark.parametrize(
    ("until", "stop"),
    [
        (500, 500),
        ("30ep", 300),
        ("80%", 800),
        ("0.5Mtok", 250),
        ("1000sp", 250),
        ("250.5st", 251),
        ("floor 25.09%", 250),
    ],
)
def test_a_phase_ends_at_a_position_in_any_unit(until: int | str, stop: int) -> None:
    schedule = ks.Schedule(ks.linear(100, start=0.0, to=1.0), ks.cosine(until=until, to=0.1), ks.hold())
    assert stops(schedule)[:2] == [100, stop]
    plan = schedule.plan(**RUN)
    assert plan(stop) == 0.1
    assert plan(stop - 1) > 0.1
    plain = ks.Schedule(ks.linear(100, start=0.0, to=1.0), ks.cosine(stop - 100, to=0.1), ks.hold()).plan(**RUN)
    assert [plan(step) for step in range(stop)] == [plain(step) for step in range(stop)]


def test_the_rest_begins_where_the_position_is() -> None:
    schedule = ks.Schedule(ks.linear("5ep", start=0.0, to=1.0), ks.hold(until="80%"), ks.one_minus_sqrt(to=0.0))
    assert stops(schedule) == [50, 800, 1000]
    assert stops(schedule, total_steps=333, steps_per_epoch=3) == [15, 266, 333]


def test_a_position_is_exact_whatever_came_before() -> None:
    parts = [ks.linear("100/3st", start=0.0, to=1.0), ks.hold("50/7st"), ks.cosine(until="90.5st", to=0.0)]
    assert stops(ks.Schedule(*parts)) == [33, 40, 91]  # half up, rounded once


@pytest.mark.parametrize("name", sorted(CONSTRUCTORS))
def test_every_curve_has_it_and_is_written_with_it(name: str) -> None:
    constructor = CONSTRUCTORS[name]
    phase = constructor(until="260Btok") if name == "hold" else constructor(until="260Btok", to=1e-5)
    assert 'until="260Btok"' in repr(phase)
    schedule = ks.Schedule(ks.linear(3, start=0.0, to=1.0), phase)
    other = ks.Schedule(
        ks.linear(3, start=0.0, to=1.0), constructor("260Btok", **({} if name == "hold" else {"to": 1e-5}))
    )
    for again in (ks.parse(repr(schedule)), ks.loads(ks.dumps(schedule)), pickle.loads(pickle.dumps(schedule))):
        assert again == schedule
        assert hash(again) == hash(schedule)
    assert schedule != other


def test_a_duration_and_a_position_are_one_too_many() -> None:
    with pytest.raises(ks.ScheduleError, match=r"for a duration or until a position\. .*duration=5, until=10"):
        ks.cosine(5, until=10, to=0.0)
    text = '{"format": "kosine", "version": 1, "schedule": [{"curve": "hold", "duration": 5, "until": 7, "start": 1}]}'
    with pytest.raises(ks.ScheduleError, match="for a duration or until a position"):
        ks.loads(text)
    with pytest.raises(ks.ScheduleError, match="`until` must be a position"):
        ks.hold(until="rest", start=1.0)


def test_a_position_before_the_beginning_is_refused_with_both() -> None:
    schedule = ks.Schedule(ks.linear("60ep", start=0.0, to=1.0), ks.hold(until="50%"), ks.cosine(to=0.0))
    with pytest.raises(ks.PlanError, match=r"begins at step 600 and would end at step 500\."):
        schedule.plan(**RUN)
    smoke = schedule.plan(**RUN, clip=True)
    assert smoke.clipped == ('hold(until="50%") lasts 1 step instead of -100.',)
    assert [row.stop for row in smoke.phases] == [600, 601, 1000]


def test_a_position_at_the_beginning_is_no_phase() -> None:
    plan = ks.Schedule(ks.linear(500, start=0.0, to=1.0), ks.hold(until="50%"), ks.cosine(to=0.0)).plan(**RUN)
    assert [row.name for row in plan.phases] == ["linear", "cosine"]
    assert {finding.code for finding in ks.lint(plan)} == {"K004", "K006"}


def test_cycles_refuse_it() -> None:
    with pytest.raises(ks.ScheduleError, match="inside `cycles` lasts for a duration: every cycle is in another place"):
        ks.cycles(ks.cosine(until=100, start=1.0, to=0.0))


def test_after_a_rest_it_is_refused() -> None:
    with pytest.raises(ks.ScheduleError, match='After a "rest" phase a phase lasts for a duration'):
        ks.Schedule(ks.hold(start=1.0), ks.cosine(until="80%", to=0.0))
    with pytest.raises(ks.ScheduleError, match='After a "rest" phase'):
        ks.section(ks.hold(start=1.0), ks.cosine(until="80%", to=0.0), duration=100)


def test_in_a_section_positions_are_those_of_its_clock() -> None:
    inside = ks.section(ks.linear(until=10, start=0.0, to=1.0), ks.hold(until=40), ks.cosine(until=50, to=0.0))
    assert stops(ks.Schedule(ks.hold(100, start=0.5), inside)) == [100, 110, 140, 150]
    late = ks.section(ks.linear(until=10, start=0.0, to=1.0), ks.hold(until=40), ks.cosine(until=50, to=0.0), skip=20)
    assert stops(ks.Schedule(ks.hold(100, start=0.5), late)) == [100, 120, 130]
    stairs = ks.section(ks.linear(until=2, start=0.0, to=1.0), ks.cosine(until="5ep", to=0.0), tick="1ep")
    assert stops(ks.Schedule(stairs)) == [20, 50]


def test_branches_and_exports_of_it_are_those_of_the_durations() -> None:
    by_position = ks.Schedule(ks.linear("5ep", start=0.0, to=1.0), ks.hold(until="80%"), ks.cosine(to=0.0)).plan(**RUN)
    by_length = ks.Schedule(ks.linear(50, start=0.0, to=1.0), ks.hold(750), ks.cosine(200, to=0.0)).plan(**RUN)
    branch = by_position.cooldown(at=400, over=100)
    assert [branch(step) for step in range(500)] == [by_length.cooldown(at=400, over=100)(step) for step in range(500)]
    space: dict[str, object] = {}
    exec(ks.to_code(by_position, "python"), space)
    function = space["learning_rate"]
    assert callable(function)
    assert [function(step) for step in range(0, 1_000, 7)] == pytest.approx([by_length(s) for s in range(0, 1_000, 7)])
    assert ks.compare(by_position, by_length).differences[0].first_step is None
