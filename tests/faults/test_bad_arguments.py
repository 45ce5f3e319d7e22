"""What is no number, no step and no run, wherever one belongs: an error of kosine's own with a short message."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import kosine as ks

HUGE = 10**5000
"""Python itself does not write so many digits: it raises a ValueError that is not kosine's."""

NEVER: list[Any] = [math.nan, math.inf, -math.inf, HUGE, -HUGE, 10**400, True, "x", "1e400", b"1", [5], {}, object()]
NEVER += [np.array([5]), np.array([5, 6]), np.float64("nan"), 1j, "٣", "\ud800", "\0", "1\u202e"]

SCHEDULE = ks.warmup_cosine(0.1, warmup=2)
PLAN = SCHEDULE.plan(total_steps=10)

PLACES: dict[str, Callable[[Any], object]] = {
    "total_steps": lambda value: SCHEDULE.plan(total_steps=value),
    "epochs": lambda value: SCHEDULE.plan(epochs=value, steps_per_epoch=5),
    "steps_per_epoch": lambda value: SCHEDULE.plan(epochs=5, steps_per_epoch=value),
    "samples_per_step": lambda value: SCHEDULE.plan(total_steps=10, samples_per_step=value),
    "seconds_per_step": lambda value: SCHEDULE.plan(total_steps=10, seconds_per_step=value),
    "accumulate": lambda value: SCHEDULE.plan(total_steps=10, batch_size=1, accumulate=value),
    "total_tokens": lambda value: SCHEDULE.plan(total_tokens=value, tokens_per_step=1),
    "total_time": lambda value: SCHEDULE.plan(total_time=value, seconds_per_step=1),
    "phase_at": lambda value: PLAN.phase_at(value),
    "duration": lambda value: ks.hold(value, start=1.0),
    "start": lambda value: ks.hold(5, start=value),
    "to": lambda value: ks.linear(5, start=1.0, to=value),
    "power": lambda value: ks.polynomial(5, start=1.0, to=0.0, power=value),
    "timescale": lambda value: ks.exponential(start=1.0, factor=0.5, timescale=value),
    "stretch": lambda value: ks.cycles(ks.hold(5, start=1.0), stretch=value),
    "shrink": lambda value: ks.cycles(ks.hold(5, start=1.0), shrink=value),
    "count": lambda value: ks.cycles(ks.hold(5, start=1.0), count=value),
    "skip": lambda value: ks.section(ks.hold(5, start=1.0), skip=value),
    "tick": lambda value: ks.section(ks.hold(5, start=1.0), tick=value),
    "parts": lambda value: ks.Schedule(value),
    "phases": lambda value: ks.cycles(value),
    "parse": lambda value: ks.parse(value),
    "loads": lambda value: ks.loads(value),
    "path": lambda value: ks.read_trace(value if not isinstance(value, str) else value + "\0"),
    "positions": lambda value: ks.Trace([value], [0.1]),
    "rates": lambda value: ks.Trace([1], [value]),
    "total": lambda value: ks.Trace([1], [0.1], total=value),
    "skipped": lambda value: ks.Trace([1], [0.1], skipped=[(value, 1)]),
    "precision": lambda value: ks.Trace([1], [0.1], precision=value),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_wrong_value_is_refused_wherever_it_stands(place: str) -> None:
    values = [value for value in NEVER if not (place in ("positions", "rates") and value is True)]
    for value in values:
        with pytest.raises(ks.KosineError, match=r"Received|at least one") as caught:
            PLACES[place](value)
        assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "step",
    [value for value in NEVER if not isinstance(value, list | np.ndarray)]
    + [[math.nan], [0.5], [True], [HUGE], [2**63], [-1], ["1"], [None], [[1], [2, 3]], np.array([1, 10**400], object)],
    ids=lambda step: type(step).__name__,
)
def test_what_is_no_step_has_no_rate(step: Any) -> None:
    with pytest.raises((ks.StepError, ks.ArgumentTypeError)) as caught:
        PLAN(step)
    assert len(str(caught.value)) < 500


def test_epochs_that_nearly_disagree_are_told_in_few_digits() -> None:
    with pytest.raises(ks.PlanError, match="disagree") as caught:
        SCHEDULE.plan(total_steps=3, epochs=Fraction(HUGE + 1, HUGE), steps_per_epoch=5)  # type: ignore[arg-type]
    assert len(str(caught.value)) < 500


def test_a_stretch_beyond_every_run_is_refused() -> None:
    message = r"^Argument `stretch` must be a number from 1 to 2\*\*63\. Received: stretch=1e\+308\."
    with pytest.raises(ks.ScheduleError, match=message):
        ks.sgdr(0.1, period=1, stretch=1e308)
    plan = ks.sgdr(0.1, period=1, stretch=2.0**63).plan(total_steps=2**63 - 1, steps_per_epoch=1)
    assert plan.phases[1].steps == 9223372036854776000  # a float means its shortest decimal
    assert plan(2**62) == pytest.approx(0.05)
    assert str(plan)
