"""Which columns of a log to read: those that were asked for, or those that are known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from kosine._logs.read.known_formats import (
    ANY_ROWS,
    RowFormat,
    axis_of,
    comparable,
    looked_for,
    position_columns,
    rate_columns,
    row_format_of,
)
from kosine._logs.read.loss_names import loss_columns
from kosine._logs.read.run_length import length_column
from kosine._logs.remark import Axis
from kosine.errors import LogError, Name, shown


@dataclass(frozen=True, slots=True)
class ColumnLayout:
    """Which columns of a log say what.

    Attributes:
        format: what to call the log.
        position: the column that the rows are placed by; None where they are counted.
        axis: what it counts.
        values: the columns with rates, one a param group; or with losses.
        epoch: the column with the epoch, where steps may be counted anew in each.
        group: the column that says which run or param group a row is about.
        total: the column that says how long the run is.
        only: a column and the value it has in rows that count.
        decimals: the places after the point that the writer rounds to.
        epochs_from: the number of the first epoch, where steps are counted anew in each; None if it is not known.
    """

    format: str
    position: str | None
    axis: Axis
    values: tuple[str, ...]
    epoch: str | None = None
    group: str = ""
    total: str | None = None
    only: tuple[str, str] | None = None
    decimals: int | None = None
    epochs_from: int | None = None


WIDEST = 10_000
"""Columns of a log, or keys of a row: whatever has more is something else, and to look at each takes long."""


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """What the caller asked for.

    Attributes:
        step_column: the column or the word before the position; None: a known one.
        value_column: the column or the word before the rate; None: a known one.
        count_rows: whether to count the rows that have a rate, and look at no position.
        argument: the argument of the caller that is the value's column.
        sought: what is in it.
        plural: several of it.
        hint: a sentence that says what was looked for.
        of_losses: whether it is a loss.
    """

    argument: ClassVar[str] = "rate_column"
    sought: ClassVar[str] = "learning rate"
    plural: ClassVar[str] = "learning rates"
    of_losses: ClassVar[bool] = False
    hint: ClassVar[str] = f"Looked for: {looked_for()}. "
    step_column: str | None = None
    value_column: str | None = None
    count_rows: bool = False

    def layout(self, columns: Iterable[str]) -> ColumnLayout | None:
        """The columns to read; None if one of them is missing."""
        names = list(columns)
        if len(names) > WIDEST:
            return None
        step, epoch = self._positions(names)
        position = step if step is not None else epoch
        if (position is None and not self.count_rows) or not self.values(names):
            return None
        known = row_format_of(names) or ANY_ROWS
        values = tuple(column for column in dict.fromkeys(self.values(names, known)) if column != position)
        if not values:
            return None
        axis = axis_of(position, names)
        by_name = {comparable(column): column for column in reversed(names)}
        return ColumnLayout(
            format="table with a rate" if position is None and known is ANY_ROWS else known.name,
            position=position,
            axis=axis,
            values=values,
            epoch=epoch if position is step and not known.group else None,
            group=by_name[known.group] if known.group else "",
            total=None if position is None else length_column(names, axis),
            only=(by_name[known.only[0]], known.only[1]) if known.only else None,
            decimals=known.decimals,
            epochs_from=known.epochs_from,
        )

    def values(self, names: Sequence[str], known: RowFormat = ANY_ROWS) -> list[str]:
        """The columns with rates."""
        if self.value_column is None:
            return rate_columns(names, known.rates)
        return _named(names, self.value_column)[:1]

    def _positions(self, names: Sequence[str]) -> tuple[str | None, str | None]:
        """The column of the steps and that of the epochs; None for one that is not there or not looked at."""
        if self.count_rows:
            return None, None
        if self.step_column is None:
            return position_columns(names)
        return next(iter(_named(names, self.step_column)), None), None

    def unknown(self, found: str, names: Iterable[str] = ()) -> LogError:
        """The error for a log in which no value was recognised; `names` are what it has instead."""
        names = list(islice(names, WIDEST))
        instead = f"Found: {' '.join(filter(None, (found, listed(names))))}."
        rates, placed = self.values(names), self._positions(names) != (None, None)
        lacking: list[str] = []
        for name, value, there in (
            ("step_column", self.step_column, placed),
            (self.argument, self.value_column, bool(rates)),
        ):
            if value is not None and not there:
                lacking += [" and " if lacking else "", Name(name), f" {shown(value)}"]
        if lacking:
            return LogError(("The log has no ", *lacking, " that could be read."), fix=instead)
        if rates and placed:
            return LogError(
                f"The log has {self.plural} ({listed(rates[:3])}), but no row of it has both a position and one."
            )
        if rates:
            return _unplaced(f"{self.plural} ({listed(rates[:3])})", instead)
        return LogError(
            f"No {self.sought} was found in the log. {self.hint}{instead}",
            fix=(
                "If it is another table, JSON lines or text, name its columns with ",
                Name("step_column"),
                " and ",
                Name(self.argument),
                ".",
            ),
        )

    def without_names(self, columns: Sequence[str]) -> LogError:
        """The error for a table without a header, some of whose columns are asked for in vain, or none."""
        if self.value_column is not None or self.step_column is not None:
            return self.unknown("a table without a header, whose columns are", columns)
        those = f"its {len(columns):,} columns are" if len(columns) > 1 else "its only column is"
        return LogError(
            f"The log is a table without a header: {those} known by number, from 1.",
            fix=(
                f"Name the column of the {self.plural} with ",
                Name(self.argument),
                " and that of the steps with ",
                Name("step_column"),
                ", or count the rows as steps 0, 1, 2, ... with ",
                Name("count_rows"),
                ".",
            ),
        )


@dataclass(frozen=True, slots=True)
class LossChoice(ColumnChoice):
    """What the caller asked for where losses are read: `value_column` is the column or the word before the loss."""

    argument: ClassVar[str] = "loss_column"
    sought: ClassVar[str] = "loss"
    plural: ClassVar[str] = "losses"
    hint: ClassVar[str] = ""
    of_losses: ClassVar[bool] = True

    def values(self, names: Sequence[str], known: RowFormat = ANY_ROWS) -> list[str]:
        """The columns with losses; none in a table of several schedules."""
        if known.group:
            return []
        return loss_columns(names) if self.value_column is None else _named(names, self.value_column)[:1]


def _unplaced(values: str, instead: str) -> LogError:
    """The error for a log that has values, and nothing that says where in the run each of them was."""
    return LogError(
        f"The log has {values}, but no column of steps or epochs beside them. {instead}",
        fix=(
            "Name the column of steps with ",
            Name("step_column"),
            ", or count the rows as 0, 1, 2, ... with ",
            Name("count_rows"),
            ".",
        ),
    )


def _named(names: Iterable[str], asked: str) -> list[str]:
    return [column for column in names if column.strip() == asked.strip()]


def listed(names: Iterable[str]) -> str:
    """Names in a message: not all of very many, and none of them very long."""
    return ", ".join(repr(name[:60]) for name in islice(names, 40))
