"""Tables: CSV with commas, semicolons or tabs, columns that spaces align, and Markdown."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.read.collect import GroupCollection, number, numbers, unreadable
from kosine._logs.read.columns import WIDEST, ColumnChoice, ColumnLayout
from kosine._logs.read.csv_cells import CellBlocks, IrregularError
from kosine._logs.read.reading import Reading, reading_of
from kosine._logs.read.run_length import RunLength
from kosine._logs.read.stream import decoded
from kosine._logs.remark import Remark

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SEPARATORS = (",", "\t", ";")
_BAR, _SPACES, _SPACE = "|", "  ", " "
_DRAWN = (_BAR, _SPACES, _SPACE)
"""Separators of tables that are made to look at; two spaces or more where names have a space."""
_HEADER_WITHIN = 100  # lines
_ROW_WITHIN = 5  # lines after the header
_BEGINS_NUMBER = frozenset(" 0123456789.+-") | {""}
_RULE = frozenset("-+|=: ")  # what a line between rows is drawn with


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
    top = next((place for place, line in enumerate(lines) if line.strip()), 0)
    for place in range(top, min(len(lines), top + _HEADER_WITHIN)):
        for header in _headers(lines[place : place + 1 + _ROW_WITHIN], place == top, choice):
            header = replace(header, line=place)
            if header.layout is not None:
                return header
            if likeliest is None or (choice.values(header.columns) and not choice.values(likeliest.columns)):
                likeliest = header
    return likeliest


def _headers(lines: Sequence[str], top: bool, choice: ColumnChoice) -> Iterator[TableHeader]:
    """What the first of these lines can be the header of, with each separator that it has.

    Args:
        lines: the line and some after it.
        top: whether it is the first of the file.
        choice: the columns that are asked for.
    """
    for separator in (*_SEPARATORS, *_DRAWN):
        columns = _names(lines, separator)
        if not 1 <= len(columns) <= WIDEST or (len(columns) == 1 and separator != _SEPARATORS[0]):
            continue
        numeric = [isfinite(number(cell)) for cell in columns]
        header = _named(lines, separator, columns, choice) if not any(numeric) or separator in _SEPARATORS else None
        header = header or _bare(lines[0], separator, top and all(numeric), choice)
        if header is None and top and separator in _SEPARATORS and len(columns) > 1:
            header = TableHeader(0, separator, columns, None)
        if header is not None:
            yield header


def _named(lines: Sequence[str], separator: str, columns: tuple[str, ...], choice: ColumnChoice) -> TableHeader | None:
    """A header that has rates, also without a position: then it has no layout."""
    if not choice.values(columns):
        return None
    layout = choice.layout(columns)
    counting = layout or replace(choice, count_rows=True, step_column=None).layout(columns)
    position = None if layout is None or separator in _DRAWN else layout.position
    plain = position is not None and _may_be_rows(lines[1:], separator, columns, position)
    if plain or _have_row(lines[1:], separator, columns, counting):
        return TableHeader(0, separator, columns, layout)
    return None


def _bare(line: str, separator: str, numeric: bool, choice: ColumnChoice) -> TableHeader | None:
    """A row of a table without a header; it has a layout where columns are asked for by their numbers.

    Args:
        line: the row.
        separator: what is between two cells.
        numeric: whether the file begins with it and all of its cells are numbers.
        choice: the columns that are asked for.
    """
    cells = split_cells(line, separator)
    columns = tuple(str(number + 1) for number in range(len(cells)))
    if numeric and len(columns) == 1 and choice.count_rows and choice.value_column is None:
        choice = replace(choice, value_column="1")
    if choice.value_column is not None and not any(";" in cell or "\t" in cell for cell in cells):  # else separators
        layout = choice.layout(columns)
        if _have_row([line], separator, columns, layout):
            return TableHeader(0, separator, columns, layout, bare=True)
    return TableHeader(0, separator, columns, None, bare=True) if numeric else None


def _names(lines: Sequence[str], separator: str) -> tuple[str, ...]:
    """The cells of the first line; numpy writes # before them, and pandas nothing over the index of the rows."""
    names = split_cells(lines[0].lstrip("#% "), separator)
    indexed = separator == _SPACE and any(len(split_cells(line, separator)) == len(names) + 1 for line in lines[1:2])
    return ("", *names) if indexed else names


def _have_row(lines: Sequence[str], separator: str, columns: tuple[str, ...], layout: ColumnLayout | None) -> bool:
    """Whether one of the lines has as many cells as there are columns, with numbers where the layout has them."""
    if layout is None:
        return False
    places = {column: place for place, column in reversed(list(enumerate(columns)))}
    needed = [] if layout.position is None else [places[layout.position]]
    rates = [places[name] for name in layout.values]
    for line in lines:
        cells = split_cells(line.replace(",", ".") if separator == ";" else line, separator)
        if len(cells) != len(columns) or not all(isfinite(number(cells[place])) for place in needed):
            continue
        if any(isfinite(number(cells[place])) for place in rates):
            return True
    return False


def _may_be_rows(lines: Sequence[str], separator: str, columns: tuple[str, ...], position: str) -> bool:
    """Whether a line has as many cells as there are columns, or a number for the position; or no line is left."""
    place = columns.index(position)
    rows = [split_cells(line, separator) for line in lines if line.strip()]
    return not rows or any(
        len(row) == len(columns) or (len(row) > place and isfinite(number(row[place]))) for row in rows
    )


class TableReader:
    """Reads the rows of a table. Another header further down, as of a run that logs more, says what comes after it.

    Attributes:
        found: the rows.
        length: what the rows say of the run's length.
    """

    def __init__(self, header: TableHeader, layout: ColumnLayout, choice: ColumnChoice) -> None:
        self.found, self.length = GroupCollection(choice.count_rows, choice.of_losses), RunLength()
        self._choice = choice
        self._longer = self._others = 0
        self._axis = layout.axis
        self._first = layout
        self._skip = header.line + (not header.bare)
        self._by_line = bool(layout.group) or header.separator in _DRAWN
        self._take(header, layout)

    def _take(self, header: TableHeader, layout: ColumnLayout) -> None:
        self._header, self._layout = header, layout
        self._places = {column: place for place, column in reversed(list(enumerate(header.columns)))}
        self._first_value = self._places[layout.values[0]]

    def read(self, lines: bytes, blocks: CellBlocks) -> None:
        """Read the next lines of the file."""
        while self._skip and lines:
            self._skip -= 1
            lines = lines[lines.find(b"\n") + 1 :]
        self._by_line = self._by_line or self._layout.axis != self._axis
        if lines and (self._by_line or not self._read_regular(lines, blocks)):
            self._read_any(_rows(lines, self._header.separator))

    def reading(self) -> Reading:
        """What the lines that were read say."""
        reading = reading_of(self._first, self.found, self.length)
        if self._others:
            text = f"Rows below a header without {self._axis}s, which are left out: {self._others:,}."
            reading.remarks.append(Remark("other rows", self._others, text))
        if self._longer:
            text = f"Rows with more cells than the header, which are left out: {self._longer:,}."
            reading.remarks.append(Remark("cells", self._longer, text))
        return reading

    def _read_regular(self, lines: bytes, blocks: CellBlocks) -> bool:
        """Read lines that all have the same number of cells, with numbers in those that count; whether they are so."""
        layout, places = self._layout, self._places
        try:
            cells = blocks.of(lines, self._header.separator, len(self._header.columns))
            where = None if layout.position is None else cells.numbers(places[layout.position])
            rates = [cells.numbers(places[column]) for column in layout.values]
        except IrregularError:
            return False
        epochs = None if layout.epoch is None else partial(cells.every, places[layout.epoch])
        for name, values in zip(layout.values, rates, strict=True):
            new: NDArray[np.intp] = np.empty(0, np.intp)
            if self.found.needs_texts(name):
                new = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)
            self.found.columns(name, where, values, cells.texts(places[name], new), epochs)
        if layout.total is not None:
            for stated in dict.fromkeys(cells.every(places[layout.total]).tolist()):
                self.length.add(layout.total, stated)
        return True

    def _read_any(self, rows: list[Sequence[str]]) -> None:
        begin = 0
        for place, row in enumerate(rows):
            layout = self._layout_of(row)
            if layout is not None:
                self._read_rows(rows[begin:place])
                columns = tuple(cell.strip() for cell in row)
                self._take(replace(self._header, columns=columns), layout)
                begin = place + 1
        self._read_rows(rows[begin:])

    def _layout_of(self, row: Sequence[str]) -> ColumnLayout | None:
        """The layout that a row gives to those after it, where it is a header of other columns."""
        if len(row) <= self._first_value or row[self._first_value][:1] in _BEGINS_NUMBER or self._header.bare:
            return None
        cells = [cell.strip() for cell in row]
        return self._choice.layout(cells) if tuple(cells) != self._header.columns else None

    def _read_rows(self, rows: list[Sequence[str]]) -> None:
        layout, places, comma = self._layout, self._places, self._header.separator == ";"
        if layout.axis != self._axis:
            self._others += len(rows)
            return
        whole = [row for row in rows if not any(map(str.strip, row[len(self._header.columns) :]))]
        self._longer += len(rows) - len(whole)
        where = None if layout.position is None else _column(whole, places[layout.position], comma)
        positions = None if where is None else numbers(where)
        epochs = None if layout.epoch is None else partial(_epochs, whole, places[layout.epoch], comma)
        for column in layout.values:
            texts = _column(whole, places[column], comma)
            if not layout.group:
                rates = numbers(texts)
                printed = () if self.found.of_losses else texts
                self.found.columns(column, positions, rates, printed, epochs, unreadable(texts, rates))
                continue
            names = _column(whole, places[layout.group], False)
            for name, place, text in zip(names, where or [""] * len(names), texts, strict=True):
                self.found.row(name.strip(), place, text)
        if layout.total is not None:
            for stated in dict.fromkeys(_column(whole, places[layout.total], comma)):
                self.length.add(layout.total, stated)


def _rows(lines: bytes, separator: str) -> list[Sequence[str]]:
    """The cells of each line that has some."""
    some = (line for line in decoded(lines) if line)
    if separator in _DRAWN:
        return [split_cells(line, separator) for line in some if not _RULE.issuperset(line)]
    if b'"' in lines:  # each line on its own: a quote that is never closed must not swallow the rest of the file
        return [split_cells(line, separator) for line in some]
    return [line.split(separator) for line in some]


def _epochs(rows: list[Sequence[str]], place: int, comma: bool) -> NDArray[np.float64]:
    return numbers(_column(rows, place, comma))


def split_cells(line: str, separator: str) -> tuple[str, ...]:
    """The cells of one line, without the spaces around them."""
    if separator == _SPACE:
        return tuple(line.split())
    if separator == _SPACES:
        return tuple(re.split(r"\s{2,}", line.strip()))
    if separator == _BAR:
        cells = line.strip().removeprefix(_BAR).removesuffix(_BAR).split(_BAR)
        row = [cell.strip().strip("*`") for cell in cells]
    else:
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
