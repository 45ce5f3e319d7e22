"""Logs whose schedules are known: read whole, recovered, and recognised; and cycles of any lengths."""

from __future__ import annotations

import numpy as np
import pytest

import kosine as ks
from benchmarks.logs.__main__ import score
from tests.support.known_logs import KNOWN_LOGS, KnownLog


@pytest.mark.parametrize("log", KNOWN_LOGS, ids=lambda log: log.file)
def test_a_known_log_is_read_recovered_and_recognised(log: KnownLog) -> None:
    read, found, of_truth, of_found, _ = score(log)
    assert read == "right"
    if log.plan is None:
        assert (found, of_found) == ("rightly none", "")
        return
    assert found in ("right", "rightly open")
    shows = "lags" if log.skips else "odd rows" if log.odd else None
    for verdict in (of_truth, of_found):
        assert verdict == shows if shows else verdict in ("follows", "offset")


@pytest.mark.parametrize("seed", range(8))
def test_cycles_of_any_length_skip_nothing(seed: int) -> None:
    """As Keras callbacks make them: a cycle is no skip of its length, and its first row is not odd."""
    rng = np.random.default_rng(seed)
    period, warmup, cycles = int(rng.integers(8, 60)), int(rng.integers(1, 15)), int(rng.integers(3, 7))
    fall = ks.cosine(period, start=0.01, to=0.001, endpoint=True)
    again = ks.cycles(fall, shrink=float(rng.choice([1.0, 0.95, 0.8])))
    first = ks.linear(warmup, start=0.001, to=0.01), ks.cosine(period, to=0.001, endpoint=True)
    plan = ks.Schedule(*first, again).plan(total_steps=warmup + period * cycles)
    steps = np.arange(warmup + period * cycles)
    inference = ks.infer(ks.Trace(steps, plan(steps), axis="epoch"))
    assert (inference.skips, inference.odd) == ((), ())
    np.testing.assert_allclose(inference.expected(), plan(steps), rtol=1e-9)
