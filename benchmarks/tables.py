"""The results of a part of the report: tables of plain values, which Markdown rounds and JSON keeps whole."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any


@dataclass(frozen=True)
class Spread:
    """The median of repeated measurements, and their quartiles."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        low, middle, high = quantiles(values, n=4, method="inclusive")
        return cls(middle, low, high)

    def scaled(self, factor: float) -> Spread:
        return Spread(self.median * factor, self.low * factor, self.high * factor)


Cell = str | int | float | Spread | None


@dataclass(frozen=True)
class Table:
    """Rows under columns. The title says what the numbers are, with their unit; the note explains them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title}: {row} has not a cell for each of {self.columns}")

    def markdown(self) -> str:
        """The table as Markdown, under its title."""
        lines = [self.columns, ("---", *["---:"] * (len(self.columns) - 1))]
        lines += [tuple(text(cell) for cell in row) for row in self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"**{self.title}**\n\n{table}\n" + (f"\n{self.note}\n" if self.note else "")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Table:
        def cell(value: Any) -> Cell:
            return Spread(**value) if isinstance(value, dict) else value

        rows = tuple(tuple(cell(value) for value in row) for row in data["rows"])
        return cls(data["title"], tuple(data["columns"]), rows, data["note"])


def text(cell: Cell) -> str:
    """A cell as people read it: three digits of a measurement, all digits of a count."""
    match cell:
        case None:
            return ""
        case str():
            return cell
        case int():
            return f"{cell:,}"
        case float():
            return number(cell)
        case Spread(median, low, high):
            return f"{number(median)} ({number(low)} to {number(high)})"


def number(value: float) -> str:
    """Three significant digits, of very large and small numbers two and a power of ten."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    power = int(f"{value:.2e}".partition("e")[2])  # of the rounded number: 9.996 is 10.0
    if -3 <= power < 5:
        return f"{value:,.{max(0, 2 - power)}f}"
    return f"{value:.1e}"


def report(tables: Callable[[], Iterable[Table]]) -> None:
    """Print the tables as they are made; with `--json FILE` write them there, too."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the tables to this file as JSON, too")
    file: Path | None = parser.parse_args().json
    made = []
    for table in tables():
        print(table.markdown(), flush=True)
        made.append(table.as_json())
    if file is not None:
        file.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
