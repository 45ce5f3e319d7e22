"""The score of reading, `infer` and `check` on logs whose schedules are known, by the program that wrote them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from time import process_time
from typing import TYPE_CHECKING

import numpy as np

import kosine as ks
from benchmarks.tables import Cell, Table, report
from kosine._logs.check.check import check
from kosine.errors import KosineError
from tests.support.known_logs import KNOWN_LOGS, KnownLog
from tests.support.recovering import judged

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPEN = 2.0  # printed units that steps between two rows may be off by, where the numbers of the curve are open
RIGHT = {"equal": "right", "open": "rightly open", "unexplained": "gave up", "different": "wrong"}


def tables() -> Iterator[Table]:
    marks = [score(log) for log in KNOWN_LOGS]
    rows: list[tuple[Cell, ...]] = [(log.program, log.file, *mark) for log, mark in zip(KNOWN_LOGS, marks, strict=True)]
    columns = ("program", "log", "read", "infer", "check of the true plan", "check of what infer found", "CPU s")
    yield Table("Logs whose schedules are known", columns, tuple(rows))
    counts = [Counter(answers) for answers in list(zip(*marks, strict=True))[:4]]
    yield Table(
        f"Sums of {len(KNOWN_LOGS)} logs",
        ("question", "answers"),
        tuple(
            (name, ", ".join(f"{answer}: {count}" for answer, count in count.most_common()))
            for name, count in zip(columns[2:6], counts, strict=True)
        ),
    )


def score(log: KnownLog) -> tuple[str, str, str, str, float]:
    """Whether a log is read, recovered and recognised, and in what time."""
    begin = process_time()
    try:
        trace = log.trace()
    except KosineError as error:
        return f"error: {type(error).__name__}", "", "", "", process_time() - begin
    read = "right" if len(trace) == log.rows else f"{len(trace)} of {log.rows} rows"
    inference = ks.infer(trace)
    again = ""
    if inference.plan is not None:
        again = check(trace, inference.plan).kind
    if log.plan is None:
        found = "rightly none" if inference.plan is None else "wrong"
        return read, found, "", again, process_time() - begin
    outcome = judged(inference, log.rates, log.steps_per_unit, log.skips, log.odd)
    found = RIGHT[outcome.kind]
    if found == "wrong" and outcome.off <= OPEN and any(each.what.startswith("last rate") for each in inference.open):
        found = RIGHT["open"]
    if inference.plan is not None:
        rows = trace.positions[~np.isin(trace.positions, log.odd)]
        if curves(inference.plan, inference.steps(rows)) != curves(log.plan, log.steps(rows)):
            found = "other curves"
    return read, found, check(trace, log.plan).kind, again, process_time() - begin


def curves(plan: ks.Plan, steps: NDArray[np.int64]) -> list[str]:
    """The curves that these steps of a plan show, one after the other."""
    return [phase.name for phase, _ in groupby(plan.phase_at(step) for step in steps.tolist())]


if __name__ == "__main__":
    report(tables)
