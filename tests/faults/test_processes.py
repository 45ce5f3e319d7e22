"""Values that are pickled or copied, in this process and in a new one: equal, with the same rates."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from typing import Any

import numpy as np
import pytest

import kosine as ks

LR = ks.Schedule(
    ks.linear("1ep", start=0.0, to=1.0),
    ks.section(ks.exponential("5ep", start=1.0, factor=0.5), tick="1ep", duration="7/3ep"),
    ks.cycles(ks.cosine("10/3st", start=1.0, to=0.1), stretch=1.1, shrink=0.999),
)
PLAN = LR.plan(total_steps=10**6, steps_per_epoch=97)
STEPS = np.array([0, 1, 96, 97, 98, 500, 999, 10**6, 2**53 + 1])
TRACE = ks.Trace(STEPS[:-1], PLAN(STEPS[:-1]), total=10**6, skipped=[(5, 1)], name="lr", source="a.csv")
VALUES: dict[str, Any] = {
    "schedule": LR,
    "plan": PLAN,
    "phase": ks.cosine("5ep", start=1.0, to=0.0, power=2.0),
    "cycles": LR.parts[2],
    "section": LR.parts[1],
    "rows": list(PLAN.phases[:5]),
}


def returned(value: Any) -> tuple[Any, list[float] | None, str]:
    """What another process makes of a value."""
    rates = value(STEPS).tolist() if isinstance(value, ks.Plan) else None
    return value, rates, repr(value)


@pytest.fixture(scope="module")
def there_and_back() -> dict[str, tuple[Any, list[float] | None, str]]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        names = [*VALUES, "trace", "verdict"]
        results = pool.map(returned, [*VALUES.values(), TRACE, ks.check(TRACE, PLAN)])
        return dict(zip(names, results, strict=True))


@pytest.mark.parametrize("name", VALUES)
def test_a_value_is_equal_after_another_process(name: str, there_and_back: dict[str, Any]) -> None:
    value, rates, written = there_and_back[name]
    assert value == VALUES[name]
    assert written == repr(VALUES[name])
    if name != "rows":
        assert hash(value) == hash(VALUES[name])
    if name == "plan":
        assert rates == PLAN(STEPS).tolist()
        assert value(STEPS).tolist() == rates


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("used", [False, True])
def test_a_copy_is_equal(name: str, used: bool) -> None:
    value = VALUES[name]
    if used and name == "plan":
        value(STEPS)  # what it remembers of its look-ups is no part of it
    for copied in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert copied == value
        assert repr(copied) == repr(value)


def same_trace(one: ks.Trace, other: ks.Trace) -> bool:
    fields = [field for field in ks.Trace.__slots__ if field not in ("positions", "rates", "groups")]
    return (
        not (one.positions.flags.writeable or one.rates.flags.writeable)
        and all(getattr(one, field) == getattr(other, field) for field in fields)
        and one.positions.tolist() == other.positions.tolist()
        and one.rates.tolist() == other.rates.tolist()
        and list(one.groups) == list(other.groups)
    )


def test_a_trace_and_a_verdict_are_equal_after_another_process(there_and_back: dict[str, Any]) -> None:
    trace, verdict = there_and_back["trace"][0], there_and_back["verdict"][0]
    assert same_trace(trace, TRACE)
    assert trace.groups["lr"] is trace
    assert same_trace(copy.deepcopy(TRACE), TRACE)
    assert str(verdict) == str(ks.check(TRACE, PLAN))
    assert verdict.kind == "follows"
    assert str(ks.check(trace, PLAN)) == str(verdict)
