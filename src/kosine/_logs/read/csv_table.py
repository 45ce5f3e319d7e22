"""Tables: CSV with commas, semicolons or tabs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.read.collect import GroupCollection, number, numbers, unreadable
from kosine._logs.read.columns import WIDEST, ColumnChoice, ColumnLayout
from kosine._logs.read.csv_cells import CellBlock, IrregularError
from kosine._logs.read.stream import decoded

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SEPARATORS = ",\t;"
_HEADER_WITHIN = 100  # lines


@dataclass(frozen=True, slots=True)
class TableHeader:
    """Where a table begins and what its columns are.

    Attributes:
        line: the number of lines before it.
        separator: what is between two cells.
        columns: the names.
        layout: which of the columns to read; None if no rate and position were recognised.
        bare: whether the table has no header: the columns are named by their numbers, from 1.
    """

    line: int
    separator: str
    columns: tuple[str, ...]
    layout: ColumnLayout | None
    bare: bool = False


def find_header(lines: Sequence[str], choice: ColumnChoice) -> TableHeader | None:
    """The first line that can be the header of a log; without a layout where no known format fits."""
    likeliest = None
    for place, line in enumerate(lines[:_HEADER_WITHIN]):
        for separator in _SEPARATORS:
            columns = _cells(line, separator)
            if not 2 <= len(columns) <= WIDEST:
                continue
            layout = choice.layout(columns)
            if layout is not None:
                return TableHeader(place, separator, columns, layout)
            if likeliest is None and all(number(cell) == number(cell) for cell in columns):
                bare = tuple(str(place + 1) for place in range(len(columns)))
                likeliest = TableHeader(place, separator, bare, choice.layout(bare), bare=True)
                if likeliest.layout is not None:
                    return likeliest
            elif likeliest is None and place == 0:
                likeliest = TableHeader(place, separator, columns, None)
    return likeliest


def read_table(pieces: Iterable[bytes], header: TableHeader, layout: ColumnLayout, found: GroupCollection) -> None:
    """Add the rows of a table to what was found.

    Args:
        pieces: the lines of the file, from the first, some at a time.
        header: where the table begins.
        layout: which columns to read.
        found: takes the rows.
    """
    skip = header.line + (not header.bare)
    for piece in pieces:
        lines = piece
        while skip and lines:
            skip -= 1
            lines = lines[lines.find(b"\n") + 1 :]
        if lines and (layout.group or not _read_regular(lines, header, layout, found)):
            _read_any(lines, header, layout, found)


def _read_regular(lines: bytes, header: TableHeader, layout: ColumnLayout, found: GroupCollection) -> bool:
    """Read lines that all have the same number of cells, with numbers in those that count; whether they are so."""
    places = {column: place for place, column in reversed(list(enumerate(header.columns)))}
    try:
        cells = CellBlock(lines, header.separator, len(header.columns))
        where = cells.numbers(places[layout.position])
        rates = [cells.numbers(places[column]) for column in layout.rates]
    except IrregularError:
        return False
    epochs = None if layout.epoch is None else partial(cells.every, places[layout.epoch])
    for name, values in zip(layout.rates, rates, strict=True):
        new = np.flatnonzero(np.diff(values, prepend=np.nan) != 0) if found.needs_texts(name) else np.empty(0, np.intp)
        found.columns(name, where, values, cells.texts(places[name], new), epochs)
    return True


def _read_any(lines: bytes, header: TableHeader, layout: ColumnLayout, found: GroupCollection) -> None:
    places = {column: place for place, column in reversed(list(enumerate(header.columns)))}
    comma = header.separator == ";"
    rows: list[Sequence[str]]
    if b'"' in lines:  # each line on its own: a quote that is never closed must not swallow the rest of the file
        rows = [_cells(line, header.separator) for line in decoded(lines) if line]
    else:
        rows = [line.split(header.separator) for line in decoded(lines) if line]
    where = _column(rows, places[layout.position], comma)
    positions = numbers(where)
    epochs = None if layout.epoch is None else partial(_epochs, rows, places[layout.epoch], comma)
    for column in layout.rates:
        texts = _column(rows, places[column], comma)
        if not layout.group:
            rates = numbers(texts)
            found.columns(column, positions, rates, texts, epochs, unreadable(texts, rates))
            continue
        for name, place_, text in zip(_column(rows, places[layout.group], False), where, texts, strict=True):
            found.row(name.strip(), place_, text)


def _epochs(rows: list[Sequence[str]], place: int, comma: bool) -> NDArray[np.float64]:
    return numbers(_column(rows, place, comma))


def _cells(line: str, separator: str) -> tuple[str, ...]:
    try:
        row = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:  # a cell longer than the module takes
        row = line.split(separator)
    return tuple(cell.strip() for cell in row)


def _column(rows: list[Sequence[str]], place: int, comma: bool) -> list[str]:
    try:
        cells = [row[place] for row in rows]
    except IndexError:  # a line that was cut
        cells = [row[place] if place < len(row) else "" for row in rows]
    return [cell.replace(",", ".") for cell in cells] if comma else cells
