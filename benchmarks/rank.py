"""How the ranking by the bound did on public runs of language models with 124M parameters.

Run as `python -m benchmarks.rank`. The losses are in `benchmarks/data/lr_scheduling_runs.csv`.
"""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import permutations
from pathlib import Path
from statistics import fmean, median

import numpy as np
from scipy.stats import kendalltau, spearmanr

import kosine as ks
from benchmarks.tables import Cell, Spread, Table, report
from kosine._analysis.bound import bound
from kosine._analysis.rank import LOWEST_END
from kosine._analysis.summary import summarize

RUNS = Path(__file__).parent / "data" / "lr_scheduling_runs.csv"
FAMILY = "slimpajama llama_norm 12x12 bs50x2"
LENGTHS = (25_000, 50_000)
PEAKS = (1e-4, 5e-4, 1e-3, 2e-3)  # those at which every schedule was trained
REFERENCE = "cosine 99 % to 0 %"


@dataclass
class Runs:
    """One schedule at several peaks."""

    plan: ks.Plan
    losses: dict[float, list[float]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        peak = summarize(self.plan).peak
        self.bound = bound(self.plan, peak)
        self.ends_low = self.plan(self.plan.total_steps or 0) <= LOWEST_END * peak

    def loss(self, peak: float) -> float:
        return fmean(self.losses[peak])

    @property
    def best(self) -> tuple[float, float]:
        """The best peak and its loss: the lowest point of a parabola in the logarithm of the peak, through three."""
        peaks = sorted(self.losses)
        losses = [self.loss(peak) for peak in peaks]
        middle = min(max(int(np.argmin(losses)), 1), len(peaks) - 2)
        parabola = np.polyfit(np.log(peaks[middle - 1 : middle + 2]), losses[middle - 1 : middle + 2], 2)
        lowest = np.clip(-parabola[1] / (2 * parabola[0]), np.log(peaks[0]), np.log(peaks[-1]))
        return float(np.exp(lowest)), float(np.polyval(parabola, lowest))


@cache
def runs_of(length: int) -> dict[str, Runs]:
    """The runs of one length by what their schedule does: its last curve, how long it is, and where it ends."""
    found: dict[str, Runs] = {}
    with RUNS.open() as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            if row["family"] != FAMILY or int(row["total_steps"]) != length:
                continue
            plan = ks.parse(row["schedule"]).plan(total_steps=length)
            last, peak = plan.phases[-1], summarize(plan).peak
            if peak not in PEAKS:
                continue
            share, end = round(100 * (last.steps or 0) / length), round(100 * plan(length) / peak)
            runs = found.setdefault(f"{last.name} {share} % to {end} %", Runs(plan))
            runs.losses[peak].append(float(row["final_loss"]))
    return {name: runs for name, runs in found.items() if len(runs.losses) > 2}


def factor(one: float, other: float) -> float:
    return max(one / other, other / one)


def of_peaks() -> Table:
    """What follows from the best peak of the cosine."""
    rows: list[tuple[Cell, ...]] = []
    for length in LENGTHS:
        found = runs_of(length)
        scale = found[REFERENCE].best[0] / found[REFERENCE].bound.scale
        lowest = min(each.bound.best for each in found.values())
        for name, runs in found.items():
            peak, loss = runs.best
            said = scale * runs.bound.scale
            above = 100 * (runs.bound.best / lowest - 1)
            rows.append((f"{name}, {length:,} steps", loss, above, peak, said, factor(peak, said)))
    return Table(
        "Best peaks of schedules: measured, and from the best peak of the cosine by the bound",
        ("schedule", "loss", "bound above the lowest, %", "best peak", "from the cosine's", "off by"),
        tuple(rows),
        "The best peak and its loss are the lowest point of a parabola in the logarithm of the peak, through the three "
        f"peaks around the lowest loss of {PEAKS}. kosine gives no best peak for the schedules that end above "
        f"{100 * LOWEST_END:g} % of it.",
    )


def of_transfer() -> Table:
    return Table(
        "The bound against the final losses of language models with 124M parameters",
        (
            *("runs", "pairs", "best peak off by, median", "at most", "the same peak for all, median", "at most"),
            *("Kendall, order of schedules", "loss lost by its first", "Spearman, schedules and peaks", "of"),
        ),
        tuple(_transfer(length) for length in LENGTHS),
        "A pair is a schedule whose best peak is known and another for which it follows; both end near 0. Spearman: "
        "all pairs of a schedule and a peak, with one number, the scale, from the best peak of the cosine.",
    )


def _transfer(length: int) -> tuple[Cell, ...]:
    found = runs_of(length)
    pairs = list(permutations([runs for runs in found.values() if runs.ends_low], 2))
    off = [factor(a.best[0] / a.bound.scale * b.bound.scale, b.best[0]) for a, b in pairs]
    kept = [factor(a.best[0], b.best[0]) for a, b in pairs]
    order = kendalltau([runs.bound.best for runs in found.values()], [runs.best[1] for runs in found.values()])
    first = min(found.values(), key=lambda runs: runs.bound.best)
    lost = first.best[1] - min(runs.best[1] for runs in found.values())
    scale = found[REFERENCE].best[0] / found[REFERENCE].bound.scale
    each = [(runs, peak) for runs in found.values() for peak in runs.losses]
    said = [runs.bound.best * (1 + runs.bound.excess(peak / scale / runs.bound.scale)) for runs, peak in each]
    ranks = spearmanr(said, [runs.loss(peak) for runs, peak in each])
    peaks = (len(off), median(off), max(off), median(kept), max(kept))
    return (f"{length:,} steps", *peaks, order.statistic, lost, ranks.statistic, len(said))


def of_time() -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, schedule in {
        "warm-up and cosine": ks.warmup_cosine(peak=1e-3, warmup="1%"),
        "warm-up, hold, 1 - sqrt": ks.wsd(peak=1e-3, warmup="1%", cooldown="20%"),
        "growing cycles": ks.sgdr(peak=1e-3, period=1000, stretch=2),
    }.items():
        for steps in (10**6, 10**9):
            plan = schedule.plan(total_steps=steps)
            rows.append((f"{name}, {steps:,} steps", Spread.of(1000 * _seconds(plan) for _ in range(7))))
    return Table("The time of a bound", ("plan", "ms"), tuple(rows))


def _seconds(plan: ks.Plan) -> float:
    begin = time.perf_counter()
    bound(plan, 1e-3)
    return time.perf_counter() - begin


def tables() -> Iterator[Table]:
    yield of_transfer()
    yield of_peaks()
    yield of_time()


if __name__ == "__main__":
    report(tables)
