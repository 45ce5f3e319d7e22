"""Reading logs: a CSV of 10**6 rows beside pandas, and how much memory `kosine check` takes for 10**7 rows.

It takes about two minutes and writes 0.8 GB into a temporary folder.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

import kosine as ks
from benchmarks.looking import KOSINE, peak_memory
from benchmarks.measure import interleaved_seconds, ratio
from benchmarks.tables import Table, report
from kosine._logs.read.read import read_log

ROWS, LONG = 10**6, 10**7
BLOCK = 10**5  # rows that are made at once
SCHEDULE = "warmup_cosine(peak=3e-4, warmup=2000)"
HEADER = "step,epoch,loss,learning_rate,grad_norm\n"
ROUNDS = 21


def write(path: Path, total: int, header: str, row: Callable[[int, float, float], str]) -> None:
    """Write a log of `total` steps; `row` makes the text of a step, its rate and another number."""
    plan = ks.parse(SCHEDULE).plan(total_steps=total)
    source = random.Random(0)

    def rows() -> Iterator[str]:
        for first in range(0, total, BLOCK):
            steps = np.arange(first, min(first + BLOCK, total))
            for step, rate in zip(steps.tolist(), plan(steps).tolist(), strict=True):
                yield row(step, rate, source.random())

    with path.open("w", encoding="ascii") as file:
        file.write(header)
        file.writelines(rows())


def exact(step: int, rate: float, other: float) -> str:
    """All digits, as Python and pandas write them."""
    return f"{step},{step / 1000!r},{2 + other!r},{rate!r},{other!r}\n"


def rounded(step: int, rate: float, other: float) -> str:
    """Few digits, as trainers print them."""
    return f"{step},{step / 1000:.3f},{2 + other:.4f},{rate:.4e},{other:.3f}\n"


def half_empty(step: int, rate: float, other: float) -> str:
    """A row for the rate and one for the loss, as Lightning writes them."""
    return f",{step // 2},{rate!r},\n" if step % 2 == 0 else f"{step // 1000},{step // 2},,{2 + other!r}\n"


LOGS = (
    ("10⁶ rows, all digits", HEADER, exact, "≤ 3"),
    ("10⁶ rows, rounded", HEADER, rounded, "≤ 3"),
    ("10⁶ rows, half of the cells empty", "epoch,step,lr-AdamW,train_loss\n", half_empty, "≤ 5"),
)


def tables() -> Iterator[Table]:
    rows = []
    with TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        write(path, LONG, HEADER, exact)  # before this process is large itself: a new one begins with its peak
        memory = peak_memory([*KOSINE, "check", str(path), SCHEDULE, "--total-steps", str(LONG)])
        for name, header, row, target in LOGS:
            write(path, ROWS, header, row)
            rivals = {
                "ours": partial(ks.read_trace, path),
                "rates": partial(read_log, path),
                "pandas": partial(pd.read_csv, path),
            }
            seconds = interleaved_seconds(rivals, ROUNDS)
            rates, ours = (ratio(seconds[which], seconds["pandas"]) for which in ("rates", "ours"))
            rows.append((name, rates, ours, target, median(seconds["pandas"])))
    columns = ("log", "rates alone, as check and infer read them", "with the losses", "target", "pandas, s")
    yield Table("read_trace / pandas.read_csv: ratio", columns, tuple(rows))
    yield Table(
        "Peak memory of kosine check on a log of 10⁷ rows: MB",
        ("command", "memory", "target"),
        (("kosine check", memory * 1024 / 1e6, "< 500"),),
    )


if __name__ == "__main__":
    report(tables)
