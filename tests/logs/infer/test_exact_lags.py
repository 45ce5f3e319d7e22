"""Skipped steps in logs of many digits, as the Hugging Face Trainer writes them with mixed precision."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import kosine as ks
from tests.support.known_logs import FOLDER

Steps = NDArray[np.int64]


def log_of(kind: str, warmup: int, total: int, every: int, lost: list[int], peak: float = 3e-4) -> ks.Trace:
    """The log of a run whose optimizer skipped these steps."""
    plan = ks.Schedule(ks.linear(warmup, start=0.0, to=peak), getattr(ks, kind)(to=0.0)).plan(total_steps=total)
    at = np.arange(every, total + 1, every)
    return ks.Trace(at, plan(at - np.searchsorted(lost, at)))


@pytest.mark.parametrize(("file", "row"), [("amp200.csv", 200), ("amp700.csv", 700)])
def test_one_skipped_step(file: str, row: int) -> None:
    inference = ks.infer(ks.read_trace(FOLDER / file))
    assert repr(inference.schedule) == "Schedule(linear(500, start=0.0, to=1e-05), linear(to=0.0))"
    assert inference.skips == ((row, 1),)
    assert inference.plan is not None
    assert inference.plan.total_steps == 15_000


@pytest.mark.parametrize("kind", ["linear", "cosine"])
@pytest.mark.parametrize(
    ("warmup", "every", "lost"),
    [
        (500, 25, [3, 7]),  # before the first row: every row lags
        (500, 100, [10, 149, 351, 410]),  # in most gaps of the warm-up
        (250, 50, [97, 162, 172, 176, 210, 218, 237, 900, 2600, 4400]),
    ],
)
def test_skips_anywhere(kind: str, warmup: int, every: int, lost: list[int]) -> None:
    log = log_of(kind, warmup, 5000, every, lost)
    inference = ks.infer(log)
    assert repr(inference.schedule) == f"Schedule(linear({warmup}, start=0.0, to=0.0003), {kind}(to=0.0))"
    assert inference.plan is not None
    assert inference.plan.total_steps == 5000
    places = np.searchsorted([position for position, _ in inference.skips], log.positions, "right")
    counted = np.cumsum([0, *(count for _, count in inference.skips)])[places]
    np.testing.assert_array_equal(counted, np.searchsorted(lost, log.positions))


@pytest.mark.parametrize("rates", [[1e-6, 3e-4], [3e-5, 3e-4]])
def test_a_warmup_that_begins_above_0_skips_nothing(rates: list[float]) -> None:
    plan = ks.Schedule(ks.linear(100, start=rates[0], to=rates[1]), ks.cosine(to=0.0)).plan(total_steps=2000)
    at = np.arange(10, 2001, 10)
    inference = ks.infer(ks.Trace(at, plan(at)))
    assert (inference.schedule, inference.skips) == (plan.schedule, ())
