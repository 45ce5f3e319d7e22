"""Which columns of a log to read: those that were asked for, or those that are known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from kosine._logs.read.known_formats import Columns, axis_of, kind_of, looked_for, plain, position_columns, rate_columns
from kosine._logs.trace import Axis
from kosine.errors import LogError, shown


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns say what."""

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
"""Columns of a log, or keys of a row; something with more is none, and to look at each of them takes long."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the caller asked for.

    Attributes:
        step_column: the column or the word before the position; None: a known one.
        rate_column: the column or the word before the rate; None: a known one.
    """

    step_column: str | None = None
    rate_column: str | None = None

    def layout(self, columns: Iterable[str]) -> Layout | None:
        """The columns to read; None if the ones that are needed are not all there."""
        names = list(columns)
        if len(names) > WIDEST:
            return None
        kind = kind_of(names)
        rates = tuple(rate_columns(names, (kind or Columns("")).rates))
        if self.rate_column is not None:
            rates = tuple(column for column in names if column.strip() == self.rate_column.strip())[:1]
        step, epoch = position_columns(names)
        if self.step_column is not None:
            step, epoch = next((column for column in names if column.strip() == self.step_column.strip()), None), None
        position = step if step is not None else epoch
        rates = tuple(column for column in dict.fromkeys(rates) if column != position)
        if position is None or not rates:
            return None
        kind = kind or Columns("table with a position and a rate")
        by_name = {plain(column): column for column in reversed(names)}
        return Layout(
            kind.name,
            position,
            cast("Axis", axis_of(position)),
            rates,
            epoch if position is step and not kind.group else None,
            by_name[kind.group] if kind.group else "",
            by_name.get(kind.total) if self.step_column is None else None,
            (by_name[kind.only[0]], kind.only[1]) if kind.only else None,
            kind.decimals,
        )

    def unknown(self, found: str) -> LogError:
        """The error for a log in which nothing is known."""
        asked = [
            f"{name}={shown(value)}"
            for name, value in (("step_column", self.step_column), ("rate_column", self.rate_column))
            if value is not None
        ]
        if asked:
            return LogError(f"The log has no {' and '.join(asked)} that could be read. Found: {found}.")
        return LogError(
            f"No learning rate was found in the log. Looked for: {looked_for()}. Found: {found}. If it is another "
            "table, JSON lines or text, name its columns: step_column=..., rate_column=... (--step-column ..., "
            "--rate-column ...)."
        )
