"""The functional scaling law: the loss of a run from the rates of its steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kosine._core.schedule import Plan

    _Vector = NDArray[np.float64]

BLOCKS = 256
"""Blocks of steps that a run is cut into, besides its phases."""
_SAMPLES = 64  # steps of a block whose rates are read; of a shorter block all of them
_JUMP = 0.02  # of the peak: a change from one row of a log to the next that ends a block


@dataclass(frozen=True, eq=False)
class Progress:
    """A run as the law sees it: how the sum of its rates grows, and the rates by that sum.

    Attributes:
        steps: where blocks of steps begin, from 0 on, and where the last one ends.
        sums: the sum of the rates of all steps before each of them.
        levels: the mean rate of each block, weighed by the rate itself; 0 where no step of it changes anything.
        rates: the first rate of each block, and the last one of the run.
        peak: the highest rate.
        doubt: how far the sum may be off at most, as a share, where rates between rows of a log are unknown.
    """

    steps: NDArray[np.int64]
    sums: _Vector
    levels: _Vector
    rates: _Vector
    peak: float
    doubt: float = 0.0

    def sum_at(self, steps: NDArray[np.float64] | NDArray[np.int64] | int) -> _Vector:
        """The sum of the rates of the steps before these."""
        return np.asarray(np.interp(steps, self.steps, self.sums), np.float64)

    def noise(self, sums: _Vector, tau: float, powers: Sequence[float]) -> _Vector:
        """The law's last term for C = 1 where the sum of the rates has these values; a row for each power.

        It is the sum over the blocks of level * (F(end) - F(begin)), where F(x) = (1 + (S - x) / tau)^(1 - p) / (p - 1)
        is the integral of the memory. A block of one rate is exact; in others, by Gruess' inequality, the error is at
        most a quarter of the spread of its rates, times the spread of the memory over it, times its share of S / tau.
        """
        back = np.log1p(np.maximum(sums[:, None] - self.sums[None, :], 0.0) / tau)
        return np.stack([np.diff(np.exp((1 - p) * back), axis=1) @ self.levels / (p - 1) for p in powers])


def progress_of_plan(plan: Plan, total: int | None = None) -> Progress:
    """The first `total` steps of a plan; all of it if None. Long blocks are sampled."""
    total = plan.total_steps if total is None else total
    assert total is not None
    firsts = [row.first_step for row in plan.phases if row.first_step < total]
    stop = [plan.after.first_step] if plan.after.first_step < total else []
    edges = np.unique(np.concatenate([np.linspace(0, total, BLOCKS + 1).astype(np.int64), firsts, stop])).astype(
        np.int64
    )
    counts = np.diff(edges)
    shares = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    looked = np.where(
        (counts > _SAMPLES)[:, None],
        (counts[:, None] * shares).astype(np.int64),
        np.minimum(np.arange(_SAMPLES), counts[:, None] - 1),
    )
    rates = plan((edges[:-1, None] + looked).ravel()).reshape(looked.shape)
    weights = np.where((counts > _SAMPLES)[:, None], counts[:, None] / _SAMPLES, np.arange(_SAMPLES) < counts[:, None])
    return _progress(
        edges, (weights * rates).sum(1), (weights * rates**2).sum(1), np.append(rates[:, 0], plan(total - 1))
    )


def progress_of_rows(steps: NDArray[np.int64], rates: _Vector) -> Progress:
    """The rates of a log: of each row at its step, and on a straight line between two rows.

    Before the first row the line goes on to 0 at step 0; the rate of the last row holds until the next would have come.
    What the sum of the rates may be off by is the sum over the
    gaps of half of what the rate changes in one, times its steps: all that a rate can do that stays between both.
    """
    if steps[0] > 0:
        steps, rates = np.append(np.int64(0), steps), np.append(0.0, rates)
    last = steps[-1] - steps[-2] if steps.size > 1 else 1
    steps, rates = np.append(steps, steps[-1] + last), np.append(rates, rates[-1])
    gaps, changes = np.diff(steps).astype(np.float64), np.diff(rates)
    sums = rates[:-1] * gaps + changes * (gaps - 1) / 2
    ends = rates[1:] - changes / gaps
    squares = gaps * (rates[:-1] ** 2 + rates[:-1] * ends + ends**2) / 3
    doubt = float(np.sum(np.abs(changes) * (gaps - 1) / 2) / (sums.sum() or 1.0))
    edges = np.flatnonzero(np.abs(changes) > _JUMP * rates.max())
    cuts = np.unique(np.concatenate([np.linspace(0, gaps.size, BLOCKS + 1).astype(np.int64), edges, edges + 1]))
    firsts = cuts[:-1]
    return _progress(
        steps[cuts], np.add.reduceat(sums, firsts), np.add.reduceat(squares, firsts), rates[cuts], doubt, rates.max()
    )


def _progress(
    steps: NDArray[np.int64],
    sums: _Vector,
    squares: _Vector,
    rates: _Vector,
    doubt: float = 0.0,
    peak: float | None = None,
) -> Progress:
    levels = np.divide(squares, sums, out=np.zeros_like(sums), where=sums > 0)
    total = np.concatenate([[0.0], np.cumsum(sums)])
    return Progress(steps, total, levels, rates, float(rates.max() if peak is None else peak), doubt)
