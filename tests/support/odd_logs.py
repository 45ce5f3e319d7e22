"""Logs as no run should write them, and short ones of real runs: few rows, extreme rates, glitches, gaps, noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import kosine as ks
from kosine._logs.precision import Precision
from kosine._logs.remark import Axis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rates = NDArray[np.float64]

_ODD_RATES = (0.0, 5e-324, 1e-300, 1e-30, 1e-5, 0.05, 0.1, 0.1, 0.3, 1.0, 1e5, 1e10, 1e30, 1e300)
_RATES = (0.0, 1e-5, 1e-4, 3e-4, 1e-3, 0.05, 0.1, 0.2, 0.3)
_SCHEDULES = (
    "warmup_cosine(peak={peak}, warmup={tenth}, floor={low})",
    "wsd(peak={peak}, warmup={tenth}, cooldown={third})",
    "sgdr(peak={peak}, period={third}, stretch={stretch})",
    "Schedule(linear({third}, start={low}, to={peak}), linear(to=0.0))",
    "Schedule(linear({tenth}, start=0.0, to={peak}), inverse_sqrt(timescale={tenth}))",
    "Schedule(exponential(start={peak}, to={low}))",
    "step_decay(peak={peak}, every={third}, factor=0.5)",
    "Schedule(linear({tenth}, start=0.0, to={peak}), polynomial(to={low}, power=2.0))",
    "Schedule(section(cosine({tenth}, start={peak}, to=0.0), tick=3))",
)


def odd_log(seed: int) -> ks.Trace:
    """A log of one of several kinds, by its seed; every table of finite numbers may come."""
    rng = np.random.default_rng([seed, 1])
    match seed % 8:
        case 0:
            rates = rng.choice(_ODD_RATES, int(rng.integers(1, 7)))
        case 1:
            rates = rng.choice(_RATES, int(rng.integers(1, 30)))
        case 2:
            rates = rng.uniform(0.01, 0.1, int(rng.integers(5, 62)))
        case 3:
            rates = 10.0 ** rng.uniform(-320, 300, int(rng.integers(2, 20)))
        case 4:  # a run with a glitch
            rates = _of_a_run(rng)
            rates[int(rng.integers(rates.size))] = rng.choice(_ODD_RATES)
        case 5:  # a run of any scale
            rates = _of_a_run(rng) * 10.0 ** rng.integers(-310, 290)
        case _:
            return short_log(seed)
    return _trace(rng, _positions(rng, rates.size), rates)


def short_log(seed: int) -> ks.Trace:
    """The log of a run of 20 to 400 steps, rounded; some are cut, thinned, with an offset, or with skipped steps."""
    rng = np.random.default_rng([seed, 2])
    total = int(rng.integers(20, 400))
    called = np.arange(total)
    if rng.random() < 0.4:
        called = called - np.cumsum(rng.random(total) < rng.choice([0.01, 0.05, 0.1]))
    rates = _plan(rng, total)(np.maximum(called, 0))
    positions = np.arange(total) + int(rng.choice([0, 0, 0, 1, 7, 500]))
    first = int(rng.integers(total // 2)) if rng.random() < 0.3 else 0
    kept = np.flatnonzero(rng.random(total) < rng.choice([1.0, 1.0, 0.5, 0.1]))
    kept = np.append(kept[kept >= first], total - 1)
    return _trace(rng, positions[np.unique(kept)], rates[np.unique(kept)])


def _of_a_run(rng: np.random.Generator) -> Rates:
    total = int(rng.integers(5, 120))
    return np.array(_plan(rng, total)(np.arange(total)))


def _plan(rng: np.random.Generator, total: int) -> ks.Plan:
    peak = float(rng.choice([1e-3, 3e-4, 0.1, 0.05])) if rng.random() < 0.7 else float(f"{rng.uniform(1e-5, 0.3):.3g}")
    text = str(rng.choice(_SCHEDULES)).format(
        peak=peak,
        low=float(f"{peak * rng.choice([0.1, 0.01]):.4g}"),
        tenth=max(2, round(total * rng.uniform(0.02, 0.2))),
        third=max(2, round(total * rng.uniform(0.15, 0.5))),
        stretch=rng.choice([1, 2, 1.5]),
    )
    return ks.parse(text).plan(total_steps=total)


def _positions(rng: np.random.Generator, rows: int) -> Rates:
    positions: Rates = np.arange(rows, dtype=np.float64)
    match int(rng.integers(6)):
        case 0:
            positions = np.cumsum(rng.integers(1, 50, rows)).astype(np.float64) - float(rng.integers(60))
        case 1:
            positions = np.cumsum(rng.random(rows) + 1e-3)
        case 2:
            positions = positions * float(10.0 ** rng.integers(0, 15)) - rng.choice([0.0, 1e9])
        case 3:
            positions = np.cumsum(np.exp(rng.uniform(0, 25, rows))).round()
    return np.asarray(positions, np.float64)


def _trace(rng: np.random.Generator, positions: NDArray[np.generic], rates: Rates) -> ks.Trace:
    axis: Axis = "step"
    if rng.random() < 0.2:
        axis = ("epoch", "sample", "token")[int(rng.integers(3))]
    digits, precision = int(rng.integers(2, 9)), Precision()
    match int(rng.integers(3)):
        case 0:
            precision = Precision(digits=digits)
            rates = np.array([float(f"{rate:.{digits - 1}e}") for rate in rates.tolist()])
        case 1:
            precision = Precision(decimals=digits)
            rates = np.round(rates, digits)
    return ks.Trace(positions, np.minimum(rates, 1e300), axis=axis, precision=precision)
