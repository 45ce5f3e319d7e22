"""Which columns of a log to read: those that were asked for, or those that are known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from kosine._logs.read.known_formats import (
    ANY_ROWS,
    axis_of,
    comparable,
    looked_for,
    position_columns,
    rate_columns,
    row_format_of,
)
from kosine._logs.trace import Axis
from kosine.errors import LogError, Name, shown


@dataclass(frozen=True, slots=True)
class ColumnLayout:
    """Which columns of a log say what.

    Attributes:
        format: what to call the log.
        position: the column that the rows are placed by.
        axis: what it counts.
        rates: the columns with rates, one a param group.
        epoch: the column with the epoch, where steps may be counted anew in each.
        group: the column that says which run or param group a row is about.
        total: the column that says how long the run is.
        only: a column and the value it has in rows that count.
        decimals: the places after the point that the writer rounds to.
    """

    format: str
    position: str
    axis: Axis
    rates: tuple[str, ...]
    epoch: str | None = None
    group: str = ""
    total: str | None = None
    only: tuple[str, str] | None = None
    decimals: int | None = None


WIDEST = 10_000
"""Columns of a log, or keys of a row: whatever has more is something else, and to look at each takes long."""


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """What the caller asked for.

    Attributes:
        step_column: the column or the word before the position; None: a known one.
        rate_column: the column or the word before the rate; None: a known one.
    """

    step_column: str | None = None
    rate_column: str | None = None

    def layout(self, columns: Iterable[str]) -> ColumnLayout | None:
        """The columns to read; None if one of them is missing."""
        names = list(columns)
        if len(names) > WIDEST:
            return None
        known = row_format_of(names) or ANY_ROWS
        rates = tuple(rate_columns(names, known.rates))
        if self.rate_column is not None:
            rates = tuple(column for column in names if column.strip() == self.rate_column.strip())[:1]
        step, epoch = position_columns(names)
        if self.step_column is not None:
            step, epoch = next((column for column in names if column.strip() == self.step_column.strip()), None), None
        position = step if step is not None else epoch
        rates = tuple(column for column in dict.fromkeys(rates) if column != position)
        if position is None or not rates:
            return None
        by_name = {comparable(column): column for column in reversed(names)}
        return ColumnLayout(
            format=known.name,
            position=position,
            axis=axis_of(position),
            rates=rates,
            epoch=epoch if position is step and not known.group else None,
            group=by_name[known.group] if known.group else "",
            total=by_name.get(known.total) if self.step_column is None else None,
            only=(by_name[known.only[0]], known.only[1]) if known.only else None,
            decimals=known.decimals,
        )

    def unknown(self, found: str, names: Iterable[str] = ()) -> LogError:
        """The error for a log in which no learning rate was recognised; `names` are what it has instead."""
        instead = f"Found: {' '.join(filter(None, (found, listed(names))))}."
        asked: list[str] = []
        for name, value in (("step_column", self.step_column), ("rate_column", self.rate_column)):
            if value is not None:
                asked += [" and " if asked else "", Name(name), f" {shown(value)}"]
        if asked:
            return LogError(("The log has no ", *asked, " that could be read."), fix=instead)
        return LogError(
            f"No learning rate was found in the log. Looked for: {looked_for()}. {instead}",
            fix=(
                "If it is another table, JSON lines or text, name its columns with ",
                Name("step_column"),
                " and ",
                Name("rate_column"),
                ".",
            ),
        )


def listed(names: Iterable[str]) -> str:
    """Names in a message: not all of very many, and none of them very long."""
    return ", ".join(repr(name[:60]) for name in islice(names, 40))
