"""JSON: an object on each line, or one document."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kosine._logs.read.collect import GroupCollection
from kosine._logs.read.columns import ColumnChoice, ColumnLayout
from kosine._logs.read.known_formats import comparable, rate_columns
from kosine._logs.read.reading import Reading
from kosine.errors import LogError, shown

LARGEST = 1 << 28
"""Characters of one document, which is held in memory."""
_SHAPES = 1000  # sets of keys to remember
_NODES = 100_000  # parts of a document to look at for the log


class BrokenDocumentError(LogError):
    """A file begins as a JSON document and is not one; its lines may be a log."""


class RecordReader:
    """JSON objects, each a row: reads those that have a rate."""

    def __init__(self, choice: ColumnChoice, found: GroupCollection) -> None:
        self._choice = choice
        self.found = found
        self._layouts: dict[tuple[str, ...], ColumnLayout | None] = {}
        self.layout: ColumnLayout | None = None
        self.total: int | None = None
        self.keys: dict[str, None] = {}
        self.junk = self.lines = 0

    @property
    def name(self) -> str:
        """What to call the log."""
        return "" if self.layout is None else self.layout.format

    def read_line(self, text: str) -> bool:
        """Whether a line is an object, which is read then."""
        try:
            record = json.loads(text, parse_float=str)  # as it was printed
        except (ValueError, RecursionError):
            return False
        if not isinstance(record, dict):
            return False
        self.record(record)
        return True

    def reading(self) -> Reading:
        """What the objects say of the run, where one has a rate."""
        assert self.layout is not None
        return Reading(self.layout.format, self.found, self.layout.axis, self.layout.decimals, self.total)

    def record(self, record: Mapping[str, Any]) -> None:
        """Read one object: the layout is that of its set of keys, which few of a log's rows differ in."""
        keys = tuple(record)
        try:
            layout = self._layouts[keys]
        except KeyError:
            layout = self._choice.layout(keys)
            if layout is None and any(isinstance(value, dict | list) for value in record.values()):
                flat = _flat(record)
                if flat.keys() != record.keys():
                    self.record(flat)
                    return
            if len(self._layouts) < _SHAPES:
                self._layouts[keys] = layout
            if len(self.keys) < _SHAPES:
                self.keys.update(dict.fromkeys(keys))
        if layout is None:
            self.found.missing += 1
            return
        if layout.only is not None and record[layout.only[0]] != layout.only[1]:
            return
        if self.layout is None:
            self.layout = layout
        self.lines += record[layout.rates[0]] is not None
        position, epoch = record[layout.position], None if layout.epoch is None else record[layout.epoch]
        if layout.total is not None and type(record[layout.total]) is int:
            self.total = record[layout.total]
        for column in layout.rates:
            value = record[column]
            if isinstance(value, dict):
                for name, one in value.items():
                    self.found.row(f"{column}/{name}", position, one, epoch)
            elif isinstance(value, list):
                for place, one in enumerate(value):
                    self.found.row(f"{column}[{place}]" if len(value) > 1 else column, position, one, epoch)
            else:
                self.found.row(column, position, value, epoch)


def read_document(data: str, choice: ColumnChoice, records: RecordReader, found: GroupCollection) -> ColumnLayout:
    """Read one JSON document: the first list of objects, or object of lists, that has a rate.

    Raises:
        LogError: too large or too deep, broken JSON, or nothing with a rate in it.
    """
    if len(data) > LARGEST:
        raise LogError(
            f"A JSON document can have {LARGEST:,} characters at most.",
            fix="Write the log as CSV or JSON lines instead.",
        )
    try:
        document = json.loads(data, parse_float=str)  # as they were printed
    except RecursionError as error:
        raise LogError("The JSON document is nested too deeply to be a log.") from error
    except ValueError as error:  # also a number of thousands of digits
        text = f"The log begins as a JSON document but is not one: {shown(str(error))[1:-1]}."
        raise BrokenDocumentError(text) from error
    if isinstance(document, dict) and not any(isinstance(value, dict | list) for value in document.values()):
        records.record(document)  # the only row of a log
        if records.layout is not None:
            return records.layout
    seen: dict[str, None] = {}
    for node in _nodes(document):
        if isinstance(node, dict):
            seen.update(dict.fromkeys(list(node)[:20]) if len(seen) < 60 else {})
            layout = _read_columns(node, choice, found)
        else:
            layout = _read_rows(node, records)
        if layout is not None:
            total = document.get("max_steps") if isinstance(document, dict) else None
            if type(total) is int and layout.axis == "step":
                records.total = total
            return layout
    raise choice.unknown("the keys" if seen else "no objects", seen)


def _nodes(document: object) -> Iterator[dict[str, Any] | list[Any]]:
    """The objects and lists of a document that may be logs, outer ones first."""
    waiting = deque([document])
    for _ in range(_NODES):
        if not waiting:
            return
        node = waiting.popleft()
        if isinstance(node, dict):
            yield node
            waiting.extend(value for value in node.values() if isinstance(value, dict | list))
        elif isinstance(node, list):
            if any(isinstance(value, dict) for value in node):
                yield node
            waiting.extend(value for value in node[:100] if isinstance(value, dict | list))


def _read_rows(rows: list[Any], records: RecordReader) -> ColumnLayout | None:
    for row in rows:
        if isinstance(row, dict):
            records.record(row)
        else:
            records.junk += 1
    return records.layout


def _read_columns(node: dict[str, Any], choice: ColumnChoice, found: GroupCollection) -> ColumnLayout | None:
    lists = {key: _listed(value) for key, value in node.items() if isinstance(value, list | dict)}
    columns = {key: value for key, value in lists.items() if value and not isinstance(value[0], dict | list)}
    layout = choice.layout(columns)
    if layout is None and choice.step_column is None:
        names = [choice.rate_column] if choice.rate_column in columns else rate_columns(columns)
        if not names or (choice.rate_column is not None and choice.rate_column not in columns):
            return None
        layout = ColumnLayout("Keras History JSON", "", "epoch", tuple(name for name in names if name is not None))
    if layout is None:
        return None
    places: Sequence[Any] = columns.get(layout.position) or range(len(columns[layout.rates[0]]))
    epochs = [None] * len(places) if layout.epoch is None else columns[layout.epoch]
    for column in layout.rates:
        for place, epoch, rate in zip(places, epochs, columns[column], strict=False):
            found.row(column, place, rate, epoch)
    return layout


def _listed(value: list[Any] | dict[str, Any]) -> list[Any]:
    """A column: a list, or the object of rows that pandas makes of one."""
    if isinstance(value, list):
        return value
    return list(value.values()) if all(key.isdigit() for key in value) else []


def _flat(record: Mapping[str, Any], depth: int = 3) -> dict[str, Any]:
    """An object with those inside of it opened: {"train": {"lr": 1}} is {"train/lr": 1}."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict) and depth:
            flat.update({f"{key}/{inner}": one for inner, one in _flat(value, depth - 1).items()})
        else:
            flat[key] = value
    return flat


def begins_as_json(text: str) -> bool:
    """Whether a file that begins so is JSON, of either sort; a log line in brackets is not."""
    start = text.lstrip()
    after = {"{": ('"', "}", ""), "[": ("{", "[", "]", "")}
    return start[1:].lstrip()[:1] in after.get(start[:1], ())


def is_lines(lines: Sequence[str]) -> bool:
    """Whether a file that begins so has an object on each line, rather than one document on them all."""
    some = [line for line in lines if line.strip()]
    objects = 0
    for line in some[:20]:
        try:
            objects += isinstance(json.loads(line), dict)
        except (ValueError, RecursionError):
            continue
    return objects > 1 or (objects == 1 and len(some) > 1 and not comparable(some[0]).endswith(("{", "[")))
