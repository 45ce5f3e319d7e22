"""How predictions of the loss did on public runs of language models.

Run as `python -m benchmarks.predict`. The losses are in `benchmarks/data/loss_curves.csv`.
"""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from statistics import fmean

import numpy as np

import kosine as ks
from benchmarks.tables import Cell, Spread, Table, report
from kosine._logs.predict.fit import fit_law
from kosine._logs.predict.law import progress_of_plan
from kosine._logs.predict.past_runs import data_of, read_runs

RUNS = Path(__file__).parent / "data" / "loss_curves.csv"
SLIMPAJAMA, LONG = "SlimPajama 124M", "SlimPajama 124M, long"
MULTI_POWER_LAW = ("MultiPowerLaw 25M", "MultiPowerLaw 100M")


@dataclass(frozen=True, eq=False)
class Run:
    """A public run."""

    family: str
    peak: float
    plan: ks.Plan
    losses: ks.Losses
    final: float
    """The loss over the whole validation set, or the last one of the curve."""

    @property
    def steps(self) -> int:
        return self.plan.total_steps or 0

    @property
    def name(self) -> str:
        """What its schedule does: its last curve, how long it is, and where it ends."""
        last = self.plan.phases[-1]
        share, end = round(100 * (last.steps or 0) / self.steps), round(100 * self.plan(self.steps) / self.peak)
        return f"{last.name} {share} % to {end} %"

    @property
    def end(self) -> float:
        """The last loss of the curve: what is predicted."""
        return float(self.losses.values[-1])

    @property
    def last_step(self) -> int:
        return int(self.losses.positions[-1])

    @property
    def is_curve(self) -> bool:
        return self.losses.positions.size > 1

    @property
    def is_constant(self) -> bool:
        return self.plan(self.steps) == self.peak


@dataclass(frozen=True)
class Said:
    """What was predicted of the last loss of a run."""

    run: Run
    loss: float
    low: float
    high: float

    @property
    def error(self) -> float:
        return self.loss - self.run.end

    @property
    def held(self) -> bool:
        return self.low <= self.run.end <= self.high


@dataclass(frozen=True)
class Trial:
    """What was predicted from some runs for others."""

    past: tuple[Run, ...]
    said: tuple[Said, ...]

    def lost(self) -> list[float]:
        """For each length: how far the run with the lowest prediction ended above the one that ended lowest."""
        by_length: dict[int, list[Said]] = defaultdict(list)
        for said in self.said:
            by_length[said.run.steps].append(said)
        several = [group for group in by_length.values() if len(group) > 1]
        return [
            min(group, key=lambda said: said.loss).run.final - min(said.run.final for said in group)
            for group in several
        ]


@cache
def runs() -> dict[tuple[str, float], list[Run]]:
    """The runs by family and peak."""
    found: dict[tuple[str, float], list[Run]] = defaultdict(list)
    with RUNS.open(encoding="utf-8") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            parts = (map(int, part.split(":")) for part in row["steps"].split())
            steps = list(chain.from_iterable(range(first, last + 1, stride) for first, last, stride in parts))
            losses = ks.Losses(steps, [float(loss) for loss in row["losses"].split()])
            plan = ks.parse(row["schedule"]).plan(total_steps=int(row["total_steps"]))
            run = Run(row["family"], float(row["peak"]), plan, losses, float(row["final_loss"] or losses.values[-1]))
            found[run.family, run.peak].append(run)
    return dict(found)


def trial(past: Sequence[Run], others: Iterable[Run]) -> Trial | None:
    """Predict the last losses of other runs as `ks.predict` does; None where it refuses the past runs."""
    try:
        given = read_runs([(run.losses, run.plan) for run in past])
    except ks.LogError:
        return None
    fit = fit_law(data_of(given))
    said = []
    for run in others:
        if run in past or not max(each.steps for each in past) / 4 <= run.steps <= 4 * max(each.steps for each in past):
            continue
        progress = progress_of_plan(run.plan)
        loss, low, high = fit.spread(fit.losses(progress, progress.sum_at(np.array([run.last_step]))))
        said.append(Said(run, float(loss[0]), float(low[0]), float(high[0])))
    return Trial(tuple(past), tuple(said))


def alone(found: Sequence[Run], length: int | None = None) -> list[Trial]:
    """Each run of a length with a decay, alone, predicts all others of its family and peak."""
    past = [run for run in found if run.is_curve and not run.is_constant and length in (None, run.steps)]
    return [each for run in past if (each := trial([run], found)) is not None]


@cache
def families() -> dict[str, list[Trial]]:
    """The trials of each family of runs."""
    by_family = runs()
    trials = {
        f"{SLIMPAJAMA}, peak {peak:g}: one run of 25,000 steps, others of 15,000 to 50,000": alone(
            by_family[SLIMPAJAMA, peak], 25_000
        )
        for peak in (1e-3, 5e-4, 2e-3)
    }
    long = by_family[LONG, 1e-3]
    base = [run for run in long if run.steps == 50_000]
    trials[f"{SLIMPAJAMA}: one run of 50,000 steps, others of 100,000 and 200,000"] = _present([trial(base, long)])
    trials["four other models and data sets: the shortest run that is long enough, longer ones"] = _present(
        [
            _shortest(found)
            for (family, _), found in by_family.items()
            if family not in (SLIMPAJAMA, LONG, *MULTI_POWER_LAW)
        ]
    )
    for family in MULTI_POWER_LAW:
        found = by_family[family, 3e-4]
        trials[f"{family}: one run, others of 16,000 to 72,000 steps"] = alone(found)
        trials[f"{family}: a cosine, a constant rate and two stages, the others"] = _present(
            [trial([run for run in found if _is_of_three(run)], found)]
        )
    return trials


def _is_of_three(run: Run) -> bool:
    """Whether the authors of the multi-power law fit it to the run."""
    text = repr(run.plan.schedule)
    return "start=9e-05" in text or (run.steps == 24_000 and ("cosine" in text or run.is_constant))


def _shortest(found: Sequence[Run]) -> Trial | None:
    """From the shortest run that is not refused: the longer ones."""
    for run in sorted(found, key=lambda run: run.steps):
        longer = [other for other in found if other.steps > run.steps]
        if run.is_curve and not run.is_constant and longer and (each := trial([run], longer)) is not None:
            return each
    return None


def _present(trials: Iterable[Trial | None]) -> list[Trial]:
    return [each for each in trials if each is not None]


def of_families() -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, trials in families().items():
        said = [each for trial in trials for each in trial.said]
        off = np.abs([each.error for each in said])
        lost = [each for trial in trials for each in trial.lost()]
        rows.append(
            (
                *(name, len(trials), len(said), float(off.mean()), float(np.quantile(off, 0.9)), float(off.max())),
                *(fmean(each.error for each in said), fmean(each.held for each in said)),
                fmean((each.high - each.low) / 2 for each in said),
                *((fmean(lost), max(lost), len(lost)) if lost else (None, None, 0)),
            )
        )
    return Table(
        "Losses that were predicted of public runs",
        (
            *("past runs, and what was predicted", "fits", "predictions", "error, mean", "90 %", "at most"),
            *("mean with its sign", "held by the range", "half of the range"),
            *("loss lost by the schedule picked, mean", "at most", "picks"),
        ),
        tuple(rows),
        "Error: of the last loss of the curve. Loss lost: the final loss of the schedule with the lowest prediction, "
        "less the lowest of the runs of its length. The constants of the method were chosen on these runs. Of runs "
        "that exist twice one is left out.",
    )


def of_fits() -> Table:
    """What each of the runs of 25,000 steps says."""
    rows: list[tuple[Cell, ...]] = []
    for each in alone(runs()[SLIMPAJAMA, 1e-3], 25_000):
        off = [abs(said.error) for said in each.said]
        rows.append((each.past[0].name, fmean(off), max(off), fmean(said.held for said in each.said), max(each.lost())))
    return Table(
        f"{SLIMPAJAMA}, peak 0.001: predictions from each run of 25,000 steps",
        ("fitted to", "error, mean", "at most", "held by the range", "loss lost by the schedule picked, at most"),
        tuple(rows),
    )


def of_other_peaks() -> Table:
    """What is refused: peaks further than a factor of 2, and the ones just inside."""
    found = runs()
    past = next(run for run in found[SLIMPAJAMA, 1e-3] if run.steps == 25_000 and run.name == "linear 20 % to 0 %")
    rows: list[tuple[Cell, ...]] = []
    for peak in (1e-4, 5e-4, 2e-3):
        each = trial([past], found[SLIMPAJAMA, peak])
        assert each is not None
        off = [said.error for said in each.said]
        rows.append((f"{peak:g}", len(off), fmean(off), fmean(map(abs, off)), fmean(said.held for said in each.said)))
    return Table(
        f"{SLIMPAJAMA}: another peak, predicted from one run at 0.001",
        ("peak", "predictions", "mean with its sign", "error, mean", "held by the range"),
        tuple(rows),
        "`ks.predict` refuses the first one.",
    )


def of_time() -> Table:
    found = runs()
    rows: list[tuple[Cell, ...]] = []
    for name, past in {
        "one run of 125 losses": [run for run in found[SLIMPAJAMA, 1e-3] if run.steps == 25_000 and run.is_curve][:1],
        "three runs": [run for run in found[MULTI_POWER_LAW[0], 3e-4] if _is_of_three(run)],
    }.items():
        rows.append((name, Spread.of(_seconds(past) for _ in range(5))))
    return Table("The time of a fit", ("fitted to", "s"), tuple(rows))


def _seconds(past: Sequence[Run]) -> float:
    begin = time.process_time()
    fit_law(data_of(read_runs([(run.losses, run.plan) for run in past])))
    return time.process_time() - begin


def tables() -> Iterator[Table]:
    yield of_families()
    yield of_fits()
    yield of_other_peaks()
    yield of_time()


if __name__ == "__main__":
    report(tables)
