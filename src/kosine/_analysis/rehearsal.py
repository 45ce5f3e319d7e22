"""What a rehearsal found: the loss at each peak, and the peak for the full length."""

from __future__ import annotations

import csv
import math
import os
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, variance

from kosine._core.files import whole_file
from kosine._core.schedule import Plan
from kosine._core.views import Result

EXPONENT = 0.3
"""The best peak is taken to be proportional to one over this power of the run's length."""

EXPONENTS = (0.2, 0.32)
"""The powers that were measured: 0.2 on language models of 124M parameters, 0.32 in arXiv 2409.19913."""


@dataclass(frozen=True)
class RehearsedPeak:
    """The runs at one peak.

    Attributes:
        peak: the highest learning rate of the rehearsed plan.
        losses: the final loss of each seed; infinity where the run diverged.
    """

    peak: float
    losses: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean of the losses; infinity where a seed diverged."""
        return fmean(self.losses) if math.isfinite(sum(self.losses)) else math.inf

    @property
    def diverged(self) -> int:
        """How many seeds ended at a loss that is NaN or infinite."""
        return sum(math.isinf(loss) for loss in self.losses)


@dataclass(frozen=True, repr=False)
class Rehearsal(Result):
    """A schedule that was trained at a share of its length, at several peaks; made by `rehearse`.

    `print` shows it as a table, `plot()` draws it.

    Attributes:
        rows: the peaks in order, each with the final loss of every seed and their mean.
        plan: the plan that was rehearsed, at its full length and with its own peak.
        short: the same plan at the length that was trained.
        scale: the length that was trained, as a share of the full one.
    """

    rows: tuple[RehearsedPeak, ...]
    plan: Plan
    short: Plan
    scale: float

    @cached_property
    def _best_row(self) -> RehearsedPeak:
        return min(self.rows, key=lambda row: row.mean)

    @property
    def best(self) -> float:
        """The peak with the lowest mean loss, at the length that was trained."""
        return self._best_row.peak

    @cached_property
    def noise(self) -> float:
        """The standard error of the difference between two means, s * sqrt(2 / seeds); 0 with one seed.

        s**2 is the variance of the losses between the seeds of a peak, pooled over the better half of the peaks, of
        which no seed diverged, and over two at least: far from the best peak losses vary much more.
        """
        seeds = len(self._best_row.losses)
        if seeds < 2:
            return 0.0
        finite = sorted((row for row in self.rows if math.isfinite(row.mean)), key=lambda row: row.mean)
        better = finite[: max(2, math.ceil(len(finite) / 2))]
        return math.sqrt(fmean(variance(row.losses) for row in better) * 2 / seeds)

    @property
    def within_noise(self) -> tuple[float, ...]:
        """The peaks whose mean loss is at most `noise` above the lowest; the best peak is one of them."""
        most = self._best_row.mean + self.noise
        return tuple(row.peak for row in self.rows if row.mean <= most)

    @property
    def full_best(self) -> float:
        """The best peak, carried to the full length: best * scale**0.3."""
        return float(self.best * self.scale**EXPONENT)

    @property
    def peak(self) -> tuple[float, float]:
        """Where the best peak of the full length lies.

        From the lowest peak within noise times scale**0.32 to the highest times scale**0.2: the best peak falls with
        the length of a run, and measured exponents lie between these two.
        """
        slow, fast = EXPONENTS
        near = self.within_noise
        return near[0] * self.scale**fast, near[-1] * self.scale**slow

    @property
    def beyond(self) -> tuple[float, ...]:
        """Peaks to rehearse as well, where the best one is the lowest or the highest; () where it lies between."""
        peaks = [row.peak for row in self.rows]
        found: tuple[float, ...] = ()
        if self.best == peaks[0]:
            found = _continued(peaks[1], peaks[0])
        elif self.best == peaks[-1]:
            found = _continued(peaks[-2], peaks[-1])
        return tuple(sorted(found))

    @property
    def steps(self) -> int:
        """The steps that all runs trained together, those of diverged runs in full."""
        return (self.short.total_steps or 0) * sum(len(row.losses) for row in self.rows)

    @property
    def cost(self) -> float:
        """The steps of all runs together, as a multiple of one full run."""
        return self.steps / (self.plan.total_steps or 1)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a line for each run: its peak, its seed, and its final loss, which is `inf` where it diverged.

        Args:
            path: the file; it appears whole or not at all.

        Raises:
            OSError: the file cannot be written; a file that was there before is unchanged.
        """
        with whole_file(path) as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(["peak", "seed", "loss"])
            lines.writerows([row.peak, seed, loss] for row in self.rows for seed, loss in enumerate(row.losses))

    def __repr__(self) -> str:
        return f"<Rehearsal of {len(self.rows)} peaks: the best is {self.best:g}>"


def _continued(before: float, end: float) -> tuple[float, ...]:
    """Two peaks past the end of a list, at the distance of its last two."""
    ratio = end / before
    return tuple(float(f"{end * ratio**power:.2g}") for power in (1, 2))
