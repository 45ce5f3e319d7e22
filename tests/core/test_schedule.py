from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

import kosine as ks
from tests.support.strategies import schedules

FALL = ks.cosine(5, start=1.0, to=0.0)
REST = ks.cosine(start=1.0, to=0.0)
PARTS_OF_NO_SCHEDULE: list[Any] = [5, [FALL]]


@given(schedules)
def test_a_schedule_survives_pickle_and_copies(schedule: ks.Schedule) -> None:
    for twin in (pickle.loads(pickle.dumps(schedule)), copy.deepcopy(schedule), copy.copy(schedule)):
        assert twin == schedule
        assert hash(twin) == hash(schedule)
        assert repr(twin) == repr(schedule)


def test_schedules_compare_by_value() -> None:
    recipe = ks.warmup_cosine(peak=1e-4, warmup="10ep", warmup_start=4e-6, hold=5, floor=0.0)
    written = ks.Schedule(ks.linear("10ep", start=4e-6, to=1e-4), ks.hold(5), ks.cosine(to=0.0))
    assert recipe == written
    assert len({recipe, written}) == 1
    assert recipe != ks.Schedule(*list(recipe)[:-1])
    assert hash(recipe) != hash(ks.Schedule(*list(recipe)[:-1]))
    assert recipe != "a schedule"


def test_a_schedule_is_frozen() -> None:
    schedule = ks.constant(0.1)
    with pytest.raises(AttributeError, match="`parts` cannot be set"):
        schedule.parts = ()
    with pytest.raises(AttributeError, match="`parts` cannot be deleted"):
        del schedule.parts
    with pytest.raises(AttributeError, match="cannot assign to field"):
        ks.hold(5, start=1.0).start = 2.0  # type: ignore[misc]
    with pytest.raises(AttributeError, match="cannot assign to field"):
        ks.cycles(FALL).count = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: ks.Schedule(), ks.ScheduleError, r"`Schedule` needs at least one phase"),
        (
            lambda: ks.Schedule(*PARTS_OF_NO_SCHEDULE[:1]),
            ks.ArgumentTypeError,
            r"`Schedule` takes phases .* Received: 5\.$",
        ),
        (
            lambda: ks.Schedule(*PARTS_OF_NO_SCHEDULE[1:]),
            ks.ArgumentTypeError,
            r"`Schedule` takes phases .* Received: \[cosine.*\]\. Unpack it: Schedule\(\*phases\)\.$",
        ),
        (lambda: ks.Schedule(ks.cosine(5, to=0.0)), ks.ScheduleError, r"first phase of a schedule needs a `start`"),
        (
            lambda: ks.Schedule(ks.cycles(ks.cosine(5, to=0.0))),
            ks.ScheduleError,
            r"first phase of a schedule needs a `start`.* Received: cosine\(5, to=0.0\)",
        ),
        (
            lambda: ks.Schedule(REST, REST),
            ks.ScheduleError,
            r'^Only one phase .* "rest" of the run\. Received: cosine\(start=1\.0, to=0\.0\) and cosine\(st',
        ),
        (
            lambda: ks.Schedule(REST, ks.hold()),
            ks.ScheduleError,
            r"Received: cosine\(start=1\.0, to=0\.0\) and hold\(\)\. Give one of them a duration\.$",
        ),
        (
            lambda: ks.Schedule(ks.cycles(FALL), FALL),
            ks.ScheduleError,
            r"endless group must come last.* Received: cycles\(cosine.* as part 1 of 2\. Give it a `count`",
        ),
        (
            lambda: ks.Schedule(REST, ks.cycles(FALL)),
            ks.ScheduleError,
            r'^A "rest" phase and an endless group cannot .* cosine\(start=.*\) and cycles\(cosine',
        ),
        (
            lambda: ks.Schedule(ks.hold(5, start=0.0), ks.exponential(5, to=1.0)),
            ks.ScheduleError,
            r"`start` and `to` must be > 0\. Received: start=0.0, to=1.0",
        ),
        (
            lambda: ks.Schedule(FALL, ks.hold(5), ks.inverse_sqrt(5, to=0.5)),
            ks.ScheduleError,
            r"`to` must be > 0 and at most `start`\. Received: start=0.0, to=0.5",
        ),
        (
            lambda: ks.Schedule(ks.section(ks.hold(5, start=0.0), ks.exponential(5, to=1.0))),
            ks.ScheduleError,
            r"`start` and `to` must be > 0\. Received: start=0.0, to=1.0",
        ),
        (
            lambda: ks.Schedule(ks.hold(5, start=0.0), ks.section(ks.exponential(5, to=1.0))),
            ks.ScheduleError,
            r"`start` and `to` must be > 0\. Received: start=0.0, to=1.0",
        ),
        (
            lambda: ks.Schedule(ks.section(FALL), ks.exponential(5, to=1.0)),
            ks.ScheduleError,
            r"`start` and `to` must be > 0\. Received: start=0.0, to=1.0",
        ),
        (
            lambda: ks.Schedule(ks.hold(5, start=1.0), ks.cycles(ks.cosine(5, to=0.5), shrink=0.5, count=2)),
            ks.ScheduleError,
            r"A cycle shrinks to nothing: with shrink=0.5 the peak 1.0 is 0.5 in cycle #2, not above the floor 0.5",
        ),
        (
            lambda: ks.Schedule(ks.cycles(ks.cosine(5, start=1.0, to=0.5), shrink=0.5)),
            ks.ScheduleError,
            r"A cycle shrinks to nothing: with shrink=0.5 the peak 1.0 is 0.5 in cycle #2, not above the floor 0.5",
        ),
        (
            lambda: ks.Schedule(ks.cycles(ks.cosine(5, start=1.0, to=0.5), shrink=0.5, count=2)),
            ks.ScheduleError,
            r"A cycle shrinks to nothing: with shrink=0.5 the peak 1.0 is 0.5 in cycle #2, not above the floor 0.5",
        ),
    ],
)
def test_parts_that_make_no_schedule_are_refused(
    build: Callable[[], ks.Schedule], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        build()


@pytest.mark.parametrize(
    ("phases", "keywords", "error", "message"),
    [
        ([], {}, ks.ScheduleError, r"^`cycles` needs at least one phase\.$"),
        ([5], {}, ks.ArgumentTypeError, r"`cycles` takes phases .* Received: 5\.$"),
        ([(FALL,)], {}, ks.ArgumentTypeError, r"Received: \(cosine.*\)\. Unpack it: cycles\(\*phases\)\.$"),
        ([ks.cycles(FALL)], {}, ks.ArgumentTypeError, r"`cycles` takes phases .* Received: cycles"),
        ([REST], {}, ks.ScheduleError, r'^A phase inside .* other than "rest"\. Received: cosine\(start=1.0, to=0.0\)'),
        ([ks.hold(0, start=1.0)], {}, ks.ScheduleError, r"A cycle must last at least one step"),
        (
            [ks.inverse_sqrt(5, timescale=2)],
            {},
            ks.ScheduleError,
            r"^A phase inside `cycles` takes `to`, not `timescale` or `factor`, so that it can be stretched\. Rec",
        ),
        (
            [FALL],
            {"stretch": 0.999},
            ks.ScheduleError,
            r"^Argument `stretch` must be a number from 1 to 2\*\*63\. Received: stretch=0\.999\.",
        ),
        (
            [FALL],
            {"stretch": -2},
            ks.ScheduleError,
            r"`stretch` must be a number from 1 to 2\*\*63\. Received: stretch=-2\.",
        ),
        (
            [FALL],
            {"stretch": float("nan")},
            ks.ScheduleError,
            r"`stretch` must be a number from 1 to 2\*\*63\. Received: stretch=nan",
        ),
        ([FALL], {"stretch": float("inf")}, ks.ScheduleError, r"`stretch` must be .* Received: stretch=inf"),
        ([FALL], {"stretch": "2"}, ks.ArgumentTypeError, r"`stretch` must be .* Received: stretch='2'"),
        ([FALL], {"stretch": True}, ks.ArgumentTypeError, r"`stretch` must be .* Received: stretch=True"),
        ([FALL], {"shrink": 0}, ks.ScheduleError, r"`shrink` must be in \(0, 1\]\. Received: shrink=0"),
        ([FALL], {"shrink": 1.0001}, ks.ScheduleError, r"`shrink` must be in \(0, 1\]\. Received: shrink=1.0001"),
        (
            [FALL],
            {"shrink": float("nan")},
            ks.ScheduleError,
            r"`shrink` must be in \(0, 1\]\. Received: shrink=nan",
        ),
        (
            [FALL],
            {"stretch": 1e19},
            ks.ScheduleError,
            r"^Argument `stretch` must be a number from 1 to 2\*\*63\. .* stretch=1e\+19\.$",
        ),
        ([FALL], {"shrink_to": -1}, ks.ScheduleError, r"`shrink_to` must be a finite .* Received: shrink_to=-1\."),
        ([FALL], {"shrink_power": "1"}, ks.ArgumentTypeError, r"`shrink_power` must be a number from 0 to 1000\."),
        ([FALL], {"shrink_power": 1000.5}, ks.ScheduleError, r"`shrink_power` must be .* shrink_power=1000\.5\.$"),
        ([FALL], {"shrink_power": -0.5}, ks.ScheduleError, r"`shrink_power` must be .* shrink_power=-0\.5\.$"),
        ([FALL], {"count": 0}, ks.ScheduleError, r"`count` must be an integer >= 1.* Received: count=0"),
        ([FALL], {"count": 2**63}, ks.ScheduleError, r"`count` must be an integer >= 1.* Received: count=9223372"),
        ([FALL], {"count": 2.0}, ks.ArgumentTypeError, r"`count` must be an integer >= 1.* Received: count=2.0"),
        ([FALL], {"count": True}, ks.ArgumentTypeError, r"`count` must be an integer >= 1.* Received: count=True"),
    ],
)
def test_arguments_that_make_no_group_are_refused(
    phases: list[Any], keywords: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        ks.cycles(*phases, **keywords)


@pytest.mark.parametrize(
    ("value", "name", "message"),
    [
        (ks.constant(0.1), "total_steps", "Call `schedule.plan(total_steps=...)`: the plan has it."),
        (ks.constant(0.1), "save", "Call `schedule.plan(total_steps=...)`: the plan has it."),
        (ks.constant(0.1).plan(total_steps=9), "lint", "Write `ks.lint(...)`: it is a function."),
        (ks.constant(0.1).plan(total_steps=9), "colour", "A Plan has no attribute 'colour'."),
        (ks.constant(0.1), "colour", "A Schedule has no attribute 'colour'."),
        (ks.section(FALL), "plan", "Make a schedule of it first: Schedule(section)."),
        (ks.section(FALL), "plot", "Make a schedule of it first: Schedule(section)."),
        (ks.section(FALL), "colour", "A section has no attribute 'colour'."),
    ],
)
def test_an_attribute_of_a_plan_is_told_where_it_is(
    value: ks.Schedule | ks.Plan | ks.Section, name: str, message: str
) -> None:
    with pytest.raises(AttributeError, match=f"^A .* has no attribute {name!r}\\.") as caught:
        getattr(value, name)
    assert str(caught.value).endswith(message)


def test_a_schedule_has_no_rate_at_a_step() -> None:
    with pytest.raises(
        ks.ArgumentTypeError,
        match=r"^A Schedule does not know its run, so it has no rate at a step\. "
        r"Received: Schedule\(hold\(start=0\.1\)\)\. Call `schedule\.plan\(total_steps=",
    ):
        ks.constant(0.1)(5)


def test_a_group_may_shrink_nearly_to_nothing() -> None:
    """The last cycle that there is counts, and what is cut in a section may be no end value."""
    fall = ks.cosine(5, start=1.0, to=0.3)
    assert ks.Schedule(ks.cycles(fall, shrink=0.5, count=2)).plan().phases[-1].first_lr == 0.5
    assert ks.Schedule(ks.cycles(fall, shrink=0.5)).plan(total_steps=10).phases[-1].first_lr == 0.5
    cut = ks.section(FALL, duration=2)
    assert ks.Schedule(cut, ks.exponential(5, to=1.0)).plan().phases[-1].end_lr == 1.0


def test_what_an_argument_of_a_group_may_be_at_most() -> None:
    group = ks.cycles(FALL, stretch=2.0**63, shrink_power=1000, count=2**63 - 1)
    assert (group.stretch, group.shrink_power, group.count) == (2.0**63, 1000.0, 2**63 - 1)


def test_a_schedule_shows_the_expression_that_makes_it() -> None:
    schedule = ks.Schedule(
        ks.linear("10ep", start=4e-6, to=1e-4, endpoint=True),
        ks.cycles(ks.hold(5), ks.polynomial("2.50ep", to=0.0, power=3), stretch=1.5, shrink=0.5, count=4),
        ks.section(ks.cycles(ks.cosine(5, to=0.0), shrink_to=0.5, shrink_power=0.25), duration="5ep"),
        ks.inverse_sqrt(start=1.0, timescale="2e6tok"),
    )
    assert repr(schedule) == (
        'Schedule(linear("10ep", start=4e-06, to=0.0001, endpoint=True), '
        'cycles(hold(5), polynomial("2.5ep", to=0.0, power=3.0), stretch=1.5, shrink=0.5, count=4), '
        'section(cycles(cosine(5, to=0.0), shrink_to=0.5, shrink_power=0.25), duration="5ep"), '
        'inverse_sqrt(start=1.0, timescale="2Mtok"))'
    )


def test_a_broken_repr_does_not_hide_the_error() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    with pytest.raises(ks.ArgumentTypeError, match=r"Received: <Broken whose repr raises RuntimeError>"):
        ks.Schedule(Broken())  # type: ignore[arg-type]
