"""How the time of `infer` grows with the log: 10**3 to 10**6 rows, and the slope from 10**4 on.

It takes some minutes, and draws `docs/inference_growth.png`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

import kosine as ks
from benchmarks.measure import interleaved_seconds
from benchmarks.tables import Cell, Table, report
from kosine._core.files import whole_file
from kosine._display.figure import CURVE

ROWS = (10**3, 10**4, 10**5, 10**6)
ROUNDS = 5
SCHEDULES = {
    "warm-up and cosine": "warmup_cosine(peak=3e-4, warmup={tenth})",
    "sgdr of 6 cycles": "sgdr(peak=0.05, period={cycle}, stretch=2)",
}
OTHER = "#d62728"
PICTURE = Path(__file__).parents[2] / "docs" / "inference_growth.png"


def log(text: str, rows: int) -> ks.Trace:
    """The log of a run that logs each of its steps."""
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
    with whole_file(path, binary=True) as file:
        figure.savefig(file, format="png")


def tables() -> Iterator[Table]:
    rows: list[tuple[Cell, ...]] = []
    medians: dict[str, list[float]] = {}
    for name, text in SCHEDULES.items():
        rivals = {f"{count}": partial(ks.infer, log(text, count)) for count in ROWS}
        medians[name] = [median(values) for values in interleaved_seconds(rivals, ROUNDS).values()]
        slope = float(np.polyfit(np.log(ROWS[1:]), np.log(medians[name][1:]), 1)[0])
        rows.append((name, *medians[name], slope, "≤ 1.1"))
    draw(medians, PICTURE)
    columns = ("log", *(f"{count:,} rows" for count in ROWS), "slope from 10⁴", "target")
    yield Table("Growth of infer with the rows of the log: seconds", columns, tuple(rows))


if __name__ == "__main__":
    report(tables)
