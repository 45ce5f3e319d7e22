"""What a trace makes of its rows."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from kosine._logs.trace import Trace
from kosine.errors import ArgumentTypeError, LogError


def test_rows_are_put_in_order_and_told_of() -> None:
    trace = Trace([5, 6, 7, 5, 6, 3], [0.5, 0.6, 0.7, 0.5, 0.9, np.nan], name="lr")
    assert trace.positions.tolist() == [5, 6, 7]
    assert trace.rates.tolist() == [0.5, 0.9, 0.7]
    assert [(remark.code, remark.rows) for remark in trace.remarks] == [
        ("no rate", 1),
        ("out of order", 1),
        ("starts again", 1),
        ("doubles", 1),
        ("conflicts", 1),
    ]
    assert trace.remarks[2].text == "The log starts again from 5 after 7: a new run in the same file?"
    assert repr(trace) == "<Trace: 3 rates, step 5 to 7>"


def test_the_arrays_of_others_stay_theirs() -> None:
    positions, rates = np.arange(5), np.ones(5)
    trace = Trace(positions, rates)
    rates[0] = 2
    assert trace.rates[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        trace.rates[0] = 3


def test_arrays_that_nobody_writes_to_are_not_copied() -> None:
    positions, rates = np.arange(5), np.ones(5)
    positions.flags.writeable = rates.flags.writeable = False
    trace = Trace(positions, rates)
    assert np.shares_memory(trace.positions, positions)
    assert np.shares_memory(trace.rates, rates)
    assert not np.shares_memory(Trace(positions[1:], rates[1:]).rates, rates)


@pytest.mark.parametrize(
    ("positions", "kind"),
    [([0, 1], "i"), ([0.0, 1.0], "i"), ([0.5, 1.0], "f"), ([1e300, 1.0], "f"), (np.array([2**63, 1], np.uint64), "f")],
)
def test_positions_are_whole_where_they_can_be(positions: Any, kind: str) -> None:
    assert Trace(positions, [0.5, 0.6]).positions.dtype.kind == kind


@pytest.mark.parametrize(
    ("positions", "rates", "message"),
    [
        ([], [], "at least one row"),
        ([0], [np.inf], "at least one row"),
        ([0, 1], [0.5], "must have the same length. Received: len(positions)=2, len(rates)=1"),
        ([0], [-0.5], "must be >= 0 and at most 1e+300. Received: -0.5"),
        ([0], [1.1e300], "at most 1e+300. Received: 1.1e+300"),
    ],
)
def test_rows_that_are_no_trace(positions: list[float], rates: list[float], message: str) -> None:
    with pytest.raises(LogError, match=re.escape(message)):
        Trace(np.array(positions, float), np.array(rates, float))


@pytest.mark.parametrize("values", ["text", [[1, 2]], ["a"], [None], [1, [2]]])
def test_things_that_are_no_numbers(values: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="Argument `positions` must be an array of numbers"):
        Trace(values, [0.5])


def test_an_axis_that_does_not_exist() -> None:
    with pytest.raises(LogError, match="Argument `axis` must be one of"):
        Trace([0], [0.5], axis="hour")  # type: ignore[arg-type]  # what is tested


@given(st.lists(st.tuples(st.integers(0, 20), st.floats(0, 1)), min_size=1, max_size=60))
def test_the_last_row_of_each_place_counts(rows: list[tuple[int, float]]) -> None:
    trace = Trace([row[0] for row in rows], [row[1] for row in rows])
    assert dict(zip(trace.positions.tolist(), trace.rates.tolist(), strict=True)) == dict(rows)
    assert trace.positions.tolist() == sorted(dict(rows))
