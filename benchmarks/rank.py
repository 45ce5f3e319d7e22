"""How the ranking by the bound did on public runs of language models with 124M parameters.

Run as `python -m benchmarks.rank`. The losses are in `benchmarks/data/lr_scheduling_runs.csv`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

import numpy as np

import kosine as ks

RUNS = Path(__file__).parent / "data" / "lr_scheduling_runs.csv"
FAMILY = "slimpajama llama_norm 12x12 bs50x2"
LENGTHS = (25_000, 50_000)
PEAKS = (1e-4, 5e-4, 1e-3, 2e-3)


@dataclass
class Shape:
    """One schedule at several peaks."""

    name: str
    plan: ks.Plan
    losses: dict[float, list[float]] = field(default_factory=lambda: defaultdict(list))

    @property
    def best(self) -> tuple[float, float]:
        """The best peak and its loss: the lowest point of a parabola in the logarithm of the peak."""
        peaks = sorted(self.losses)
        losses = [fmean(self.losses[peak]) for peak in peaks]
        middle = min(max(int(np.argmin(losses)), 1), len(peaks) - 2)
        three = slice(middle - 1, middle + 2)
        square, slope, level = np.polyfit(np.log(peaks[three]), losses[three], 2)
        peak = float(np.clip(-slope / (2 * square), np.log(peaks[0]), np.log(peaks[-1])))
        return float(np.exp(peak)), float(square * peak**2 + slope * peak + level)
