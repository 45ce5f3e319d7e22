from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

import kosine as ks
from tests.strategies import schedules

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
            r"`Schedule` takes phases .* Received: 5",
        ),
        (
            lambda: ks.Schedule(*PARTS_OF_NO_SCHEDULE[1:]),
            ks.ArgumentTypeError,
            r"`Schedule` takes phases .* Received: \[cosine",
        ),
        (lambda: ks.Schedule(ks.cosine(5, to=0.0)), ks.ScheduleError, r"first phase of a schedule needs a `start`"),
        (
            lambda: ks.Schedule(ks.cycles(ks.cosine(5, to=0.0))),
            ks.ScheduleError,
            r"first phase of a schedule needs a `start`.* Received: cosine\(5, to=0.0\)",
        ),
        (lambda: ks.Schedule(REST, REST), ks.ScheduleError, r"Only one phase .* \"rest\" of the run"),
        (
            lambda: ks.Schedule(ks.cycles(FALL), FALL),
            ks.ScheduleError,
            r"endless group must stand last.* as part 1 of 2\. Give it a `count`",
        ),
        (lambda: ks.Schedule(REST, ks.cycles(FALL)), ks.ScheduleError, r"\"rest\" phase and an endless group cannot"),
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
        ([], {}, ks.ScheduleError, r"`cycles` needs at least one phase"),
        ([5], {}, ks.ArgumentTypeError, r"`cycles` takes phases .* Received: 5"),
        ([ks.cycles(FALL)], {}, ks.ArgumentTypeError, r"`cycles` takes phases .* Received: cycles"),
        ([REST], {}, ks.ScheduleError, r"needs a duration of its own.* Received: cosine\(start=1.0, to=0.0\)"),
        ([ks.hold(0, start=1.0)], {}, ks.ScheduleError, r"A cycle must last at least one step"),
        ([ks.inverse_sqrt(5, timescale=2)], {}, ks.ScheduleError, r"takes `to`, not `timescale`"),
        ([FALL], {"stretch": 0.999}, ks.ScheduleError, r"`stretch` must be >= 1.* Received: stretch=0.999"),
        ([FALL], {"stretch": -2}, ks.ScheduleError, r"`stretch` must be >= 1.* Received: stretch=-2.0"),
        ([FALL], {"stretch": float("nan")}, ks.ScheduleError, r"`stretch` must be .* Received: stretch=nan"),
        ([FALL], {"stretch": float("inf")}, ks.ScheduleError, r"`stretch` must be .* Received: stretch=inf"),
        ([FALL], {"stretch": "2"}, ks.ArgumentTypeError, r"`stretch` must be .* Received: stretch='2'"),
        ([FALL], {"stretch": True}, ks.ArgumentTypeError, r"`stretch` must be .* Received: stretch=True"),
        ([FALL], {"shrink": 0}, ks.ScheduleError, r"`shrink` must be in \(0, 1\]\. Received: shrink=0"),
        ([FALL], {"shrink": 1.0001}, ks.ScheduleError, r"`shrink` must be in \(0, 1\]\. Received: shrink=1.0001"),
        ([FALL], {"shrink": float("nan")}, ks.ScheduleError, r"`shrink` must be .* Received: shrink=nan"),
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


def test_a_schedule_shows_the_expression_that_makes_it() -> None:
    schedule = ks.Schedule(
        ks.linear("10ep", start=4e-6, to=1e-4, endpoint=True),
        ks.cycles(ks.hold(5), ks.polynomial("2.50ep", to=0.0, power=3), stretch=1.5, shrink=0.5, count=4),
        ks.inverse_sqrt(start=1.0, timescale="2e6tok"),
    )
    assert repr(schedule) == (
        'Schedule(linear("10ep", start=4e-06, to=0.0001, endpoint=True), '
        'cycles(hold(5), polynomial("2.5ep", to=0.0, power=3.0), stretch=1.5, shrink=0.5, count=4), '
        'inverse_sqrt(start=1.0, timescale="2Mtok"))'
    )


def test_a_broken_repr_does_not_hide_the_error() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError

    with pytest.raises(ks.ArgumentTypeError, match=r"Received: <Broken whose repr raises RuntimeError>"):
        ks.Schedule(Broken())  # type: ignore[arg-type]
