"""What the prints of a log tell about its precision."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from kosine._logs.precision import Precision
from kosine._logs.read.read import read_trace
from tests.support.real_logs import NAMES, real

COSINE = 6e-4 * (1 + np.cos(np.pi * np.arange(400) / 400)) / 2
WARMUP = 1e-3 * np.arange(1, 301) / 300


def found(texts: list[str]) -> Precision:
    return Precision.of_texts(texts)


PRINTS: dict[str, tuple[Callable[[float], str], Precision]] = {
    "repr": (repr, Precision()),
    "float32": (lambda rate: str(np.float32(rate)), Precision(single=True)),
    "float32 written as float64": (lambda rate: repr(float(np.float32(rate))), Precision(single=True)),
    "%.6f": (lambda rate: f"{rate:.6f}", Precision(decimals=6)),
    "%.8f": (lambda rate: f"{rate:.8f}", Precision(decimals=8)),
    "%.2e": (lambda rate: f"{rate:.2e}", Precision(digits=3)),
    "%.3E": (lambda rate: f"{rate:.3E}", Precision(digits=4)),
    "%.6E": (lambda rate: f"{rate:.6E}", Precision(digits=7)),
    "%.5g": (lambda rate: f"{rate:.5g}", Precision(digits=5)),
    "%.8g": (lambda rate: f"{rate:.8g}", Precision(digits=8)),
    "%.10g": (lambda rate: f"{rate:.10g}", Precision(digits=10)),
}


@pytest.mark.parametrize("curve", [COSINE, WARMUP], ids=["cosine", "warm-up"])
@pytest.mark.parametrize("name", PRINTS)
def test_a_format_is_found(name: str, curve: NDArray[np.float64]) -> None:
    write, expected = PRINTS[name]
    texts = [write(rate) for rate in curve.tolist()]
    got = found(texts)
    if expected.digits and got.decimals:  # within a decade of rates the two say the same
        got = Precision(got.decimals if min(map(float, texts)) > 1 else None, got.digits, got.single)
    assert got == expected
    errors = np.abs(np.array([float(text) for text in texts]) - curve)
    assert (errors <= found(texts).half_width(np.array([float(text) for text in texts]))).all()


@pytest.mark.parametrize("decimals", [5, 6, 7, 8])
def test_rounded_rates_in_json(decimals: int) -> None:
    """Here the zeros at the end are gone: 1e-06, 2e-06, 0.000101."""
    rates = [round(rate, decimals) for rate in (WARMUP * 3.7).tolist()]
    log = "".join(json.dumps({"step": step, "lr": rate}) + "\n" for step, rate in enumerate(rates))
    trace = read_trace(io.StringIO(log))
    assert trace.precision.decimals == decimals
    assert (np.abs(trace.rates - WARMUP * 3.7) <= trace.half_widths()).all()


@pytest.mark.parametrize(
    "texts",
    [
        ["0.001"] * 1000,
        ["0.1", "0.01", "0.001"],
        ["5e-05", "0.0"],
        [repr(0.1 / 2**power) for power in range(10)],
        [repr(round(0.1 - 0.01 * step, 2)) for step in range(10)],
        ["0"],
        [],
    ],
)
def test_round_numbers_are_exact(texts: list[str]) -> None:
    assert found(texts) == Precision()


def test_mixed_formats_of_espnet_are_as_coarse_as_the_coarsest() -> None:
    texts = [f"{rate:.3f}" if rate > 1e-3 else f"{rate:.3e}" for rate in (WARMUP * 5).tolist()]
    errors = np.abs(np.array([float(text) for text in texts]) - WARMUP * 5)
    assert (errors <= found(texts).half_width(np.array([float(text) for text in texts]))).all()


def test_a_writer_that_is_known_to_round_is_believed() -> None:
    """mmcv rounds to 5 decimals, which leaves one or two digits of small rates."""
    rates = [round(rate, 5) for rate in (WARMUP / 10).tolist()]
    rows = [{"mode": "train", "epoch": 1, "iter": step, "lr": rate} for step, rate in enumerate(rates)]
    trace = read_trace(io.StringIO("".join(json.dumps(row) + "\n" for row in rows)))
    assert trace.precision.decimals == 5


@pytest.mark.parametrize("name", NAMES)
def test_rates_of_real_logs_keep_their_distance(name: str) -> None:
    """A log with full precision is compared with full precision: one digit less would be seen."""
    log = real(name)
    trace = read_trace(log.file(), **log.arguments)
    printed = trace.precision.decimals or trace.precision.digits
    widest = float(trace.half_widths().max()) / max(log.rates)
    assert widest < (1e-3 if printed else 2e-6 if trace.precision.single else 1e-7)


@given(st.lists(st.floats(0, 10), min_size=1, max_size=50), st.sampled_from(sorted(PRINTS)))
def test_no_print_is_further_off_than_it_says(rates: list[float], name: str) -> None:
    write, _ = PRINTS[name]
    if "%" not in name:
        return
    texts = [write(rate) for rate in rates]
    precision = found(texts)
    if precision.decimals is None and precision.digits is None:  # too few to tell
        return
    values = np.array([float(text) for text in texts])
    assert (np.abs(values - np.array(rates)) <= precision.half_width(values) * (1 + 1e-9)).all()


@given(st.lists(st.text(max_size=12), max_size=20))
def test_any_texts_are_taken(texts: list[str]) -> None:
    assert isinstance(found(texts), Precision)
