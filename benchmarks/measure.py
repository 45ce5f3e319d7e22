"""Interleaved timing: the rivals take turns, so a slow moment of the machine falls on all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter


def interleaved_seconds(rivals: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """The seconds of each rival in `rounds` rounds of one call each, in turn (A B A B ...)."""
    for call in rivals.values():  # once unmeasured: imports, caches and lazily made functions
        call()
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for _ in range(rounds):
        for name, call in rivals.items():
            begin = perf_counter()
            call()
            seconds[name].append(perf_counter() - begin)
    return seconds


def interleaved_medians(rivals: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median seconds of each rival; see `interleaved_seconds`."""
    return {name: median(values) for name, values in interleaved_seconds(rivals, rounds).items()}


def print_table(rows: list[list[str]]) -> None:
    """Rows of cells, the first row a header, in aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
