"""How the time of `infer` grows with the log: 10**3 to 10**6 rows, and the slope from 10**4 on.

Run as `python -m benchmarks.inference_growth`, which takes some minutes; `-o FOLDER` says where to draw the plot.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

import kosine as ks
from benchmarks.measure import interleaved_seconds, print_table
from kosine.plotting.figure import CURVE

ROWS = (10**3, 10**4, 10**5, 10**6)
ROUNDS = 5
SCHEDULES = {
    "warm-up and cosine": "warmup_cosine(peak=3e-4, warmup={tenth})",
    "sgdr of 6 cycles": "sgdr(peak=0.05, period={cycle}, stretch=2)",
}
OTHER = "#d62728"


def log(text: str, rows: int) -> ks.Trace:
    """The log of a run of so many steps, each of them logged."""
    plan = ks.parse(text.format(tenth=rows // 10, cycle=-(-rows // 63))).plan(total_steps=rows)
    return ks.Trace(range(rows), plan(np.arange(rows)))


def draw(seconds: dict[str, list[float]], path: Path) -> None:
    """The plot of seconds over rows, both logarithmic."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for (name, values), colour in zip(seconds.items(), (CURVE, OTHER), strict=True):
        axes.loglog(ROWS, values, "o-", color=colour, label=name)
    axes.loglog(ROWS, [values[-1] * rows / ROWS[-1] for rows in ROWS], ":", color="0.5", label="linear")
    axes.set(xlabel="rows of the log", ylabel="seconds of infer")
    axes.legend()
    figure.savefig(path)


def main(arguments: Sequence[str] = ()) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", type=Path, default=Path("runs"), metavar="FOLDER", help="where to draw the plot")
    folder: Path = parser.parse_args(arguments).o
    folder.mkdir(parents=True, exist_ok=True)
    table = [["median seconds of infer", *(f"{rows:,} rows" for rows in ROWS), "slope from 10⁴", "target"]]
    medians: dict[str, list[float]] = {}
    for name, text in SCHEDULES.items():
        rivals = {f"{rows}": partial(ks.infer, log(text, rows)) for rows in ROWS}
        medians[name] = [median(values) for values in interleaved_seconds(rivals, ROUNDS).values()]
        slope = float(np.polyfit(np.log(ROWS[1:]), np.log(medians[name][1:]), 1)[0])
        table.append([name, *(f"{value:.3f}" for value in medians[name]), f"{slope:.2f}", "<= 1.1"])
    print_table(table)
    path = folder / "inference_growth.png"
    draw(medians, path)
    print(f"wrote {path}")


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
