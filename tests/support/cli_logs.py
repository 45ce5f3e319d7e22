"""Logs as runs write them, for the tests of the commands that read them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import kosine as ks

SCHEDULE = "warmup_cosine(peak=0.1, warmup=10)"
RUN = ["--total-steps", "100"]
PLAN = ks.parse(SCHEDULE).plan(total_steps=100)


def rates(first: int = 0, stop: int = 100) -> list[float]:
    """The rates of the plan at its steps."""
    return [PLAN(step) for step in range(first, stop)]


def write_csv(path: Path, columns: dict[str, Sequence[float]], first: int = 0, decimals: int = 6) -> str:
    """A log with a row a step, and the name of its file."""
    lines = [",".join(["step", *columns])]
    for step, row in enumerate(zip(*columns.values(), strict=True), first):
        lines.append(",".join([str(step), *(f"{value:.{decimals}f}" for value in row)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)
