"""JSON lines: an object on each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from kosine._logs.read.collect import GroupCollection
from kosine._logs.read.columns import ColumnChoice, ColumnLayout
from kosine._logs.read.known_formats import ANY_ROWS, ONLY_TABLES
from kosine._logs.read.reading import Reading, reading_of
from kosine._logs.read.run_length import RunLength
from kosine._logs.remark import Remark

_SHAPES = 1000  # sets of keys to remember
_DIGITS = 18
_KINDS = 8  # of rows, by the key of their position


class RecordReader:
    """JSON objects, each a row: reads those that have a rate.

    Objects with another key for the position, such as settings with "epochs", are a log of another kind: the kind with
    the most rows counts.

    Attributes:
        length: what the objects say of the run's length.
        keys: the keys of the objects.
        junk: how many parts of a list of rows are no object.
    """

    def __init__(self, choice: ColumnChoice) -> None:
        self._choice = choice
        self._layouts: dict[tuple[str, ...], ColumnLayout | None] = {}
        self._kinds: dict[str | None, tuple[ColumnLayout, GroupCollection]] = {}
        self._missing = 0
        self._of: set[int] = set()
        self.length = RunLength()
        self.keys: dict[str, None] = {}
        self.junk = 0

    @property
    def layout(self) -> ColumnLayout | None:
        """Of the kind with the most rows; None as long as there is no row."""
        kind = max(self._kinds.values(), key=lambda kind: kind[1].rows, default=None)
        return None if kind is None else kind[0]

    @property
    def found(self) -> GroupCollection:
        """The rows of the kind with the most."""
        layout = self.layout
        return GroupCollection() if layout is None else self._kinds[layout.position][1]

    @property
    def name(self) -> str:
        """What to call the log."""
        layout = self.layout
        return "" if layout is None else _name(layout)

    @property
    def lines(self) -> int:
        """The rows of the kind with the most."""
        return max((found.rows for _, found in self._kinds.values()), default=0)

    def readings(self) -> list[Reading]:
        """What the objects of each kind say of the run: the kind with the most rows first."""
        first = self.found
        first.missing = self._missing
        kinds = sorted(self._kinds.values(), key=lambda kind: kind[1] is not first)
        readings = [
            replace(reading_of(layout, found, self.length), format=_name(layout), batches=tuple(self._of))
            for layout, found in kinds
        ]
        left_out = sum(found.rows for _, found in kinds[1:])
        if left_out:
            text = f"Objects with another key for the position, which are left out: {left_out:,}."
            readings[0].remarks.append(Remark("other rows", left_out, text))
        return readings

    def see(self, keys: Iterable[str]) -> None:
        """Remember keys for the message that no rate was found."""
        if len(self.keys) < _SHAPES:
            self.keys.update(dict.fromkeys(keys))

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
            self.see(keys)
        if layout is None:
            self._missing += 1
            return
        if layout.only is not None and record[layout.only[0]] != layout.only[1]:
            return
        if layout.total is not None:
            self.length.add(layout.total, record[layout.total])
        position = None if layout.position is None else self._first(record[layout.position], layout.epoch is not None)
        epoch = None if layout.epoch is None else self._first(record[layout.epoch])
        for column in layout.values:
            value = record[column]
            if isinstance(value, dict):
                for name, one in value.items():
                    self.add(layout, f"{column}/{name}", position, one, epoch)
            elif isinstance(value, list):
                for place, one in enumerate(value):
                    self.add(layout, f"{column}[{place}]" if len(value) > 1 else column, position, one, epoch)
            else:
                self.add(layout, column, position, value, epoch)

    def _first(self, value: object, of_epoch: bool = False) -> object:
        """The first of two numbers such as 10/925, of which the second may be the batches of an epoch."""
        if not isinstance(value, str) or "/" not in value:
            return value
        first, _, of = value.partition("/")
        if of_epoch and of.isdecimal() and len(of) < _DIGITS and len(self._of) < _KINDS:
            self._of.add(int(of))
        return first

    def add(self, layout: ColumnLayout, name: str, position: object, rate: object, epoch: object) -> None:
        """Add one row of the param group `name`."""
        kind = self._kinds.get(layout.position)
        if kind is None:
            if len(self._kinds) == _KINDS:
                return
            kind = self._kinds[layout.position] = (
                layout,
                GroupCollection(self._choice.count_rows, self._choice.of_losses),
            )
        kind[1].row(name, position, rate, epoch)


def _name(layout: ColumnLayout) -> str:
    return ANY_ROWS.name if layout.format in ONLY_TABLES else layout.format


def _flat(record: Mapping[str, Any], depth: int = 3) -> dict[str, Any]:
    """An object with those inside of it opened: {"train": {"lr": 1}} is {"train/lr": 1}."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict) and depth:
            flat.update({f"{key}/{inner}": one for inner, one in _flat(value, depth - 1).items()})
        else:
            flat[key] = value
    return flat


def object_of(line: str) -> dict[str, Any] | None:
    """The object that a line is; None if it is something else."""
    try:
        record = json.loads(line, parse_float=str)  # as it was printed
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def begins_as_json(text: str) -> bool:
    """Whether a file that begins so is JSON, of either sort; a log line in brackets is not."""
    start = text.lstrip()
    after = {"{": ('"', "}", ""), "[": ("{", "[", "]", "")}
    return start[1:].lstrip()[:1] in after.get(start[:1], ())


def is_lines(lines: Sequence[str]) -> bool:
    """Whether a file that begins so has an object on each line, rather than one document on them all."""
    some = [line for line in lines if line.strip()]
    return objects_in(some) > 1 or (len(some) > 1 and object_of(some[0]) is not None)


def objects_in(lines: Iterable[str]) -> int:
    """How many of the first lines are objects."""
    return sum(object_of(line) is not None for line in islice(filter(str.strip, lines), 20))
