"""TensorBoard's event files: its own package knows what the records say, without TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kosine._logs.read.collect import BLOCK, GroupCollection
from kosine._logs.read.columns import ColumnChoice
from kosine._logs.read.known_formats import rate_columns
from kosine._logs.trace import Axis, Remark
from kosine.errors import LogError, missing_package

NAME = "TensorBoard event files"
_MOST_NAMES = 100_000  # of files in a folder that are looked at
_LARGEST = 1 << 24  # bytes of a record; larger ones hold graphs and pictures
_MARK = b"brain.Event:"


def is_event_file(head: bytes) -> bool:
    """Whether a file begins as event files do: with a record that names their version."""
    return _MARK in head[:64]


def event_files(folder: Path) -> list[Path]:
    """The event files in a folder and those in it, in the order of their names, which begin with the time.

    Raises:
        LogError: there are none.
    """
    found: list[Path] = []
    left = _MOST_NAMES
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names)[:left]:
            path = Path(place, name)
            if path.is_file():
                with path.open("rb") as file:
                    found += [path] if is_event_file(file.read(64)) else []
        left = max(left - len(names), 0)
    if not found:
        raise LogError(f"The folder {str(folder)!r} has no TensorBoard event files.", fix="Name the log in it.")
    return found


def read_events(files: list[Path], choice: ColumnChoice, found: GroupCollection) -> tuple[Axis, list[Remark]]:
    """Read the rates of one run from its event files; the axis, and what was odd.

    Raises:
        LogError: no tag with a rate, or rates in several folders, which are several runs.
        MissingPackageError: tensorboard is not installed.
    """
    tags: dict[str, _ScalarTag] = {}
    runs: dict[Path, None] = {}
    damaged: list[str] = []
    for path in files:
        for value, step in _values(path, damaged):
            tag = tags.get(value.tag)
            if tag is None:
                tag = tags[value.tag] = _ScalarTag(value.tag, _is_rate(value.tag, choice), found)
            if tag.is_rate:
                rate = _scalar(value)
                if rate is not None:
                    runs[path.parent] = None
                    tag.add(step, rate)
        for tag in tags.values():
            tag.flush()
    if len(runs) > 1:
        folders = ", ".join(repr(str(folder)) for folder in list(runs)[:10])
        raise LogError("There are several runs with rates in the folder.", fix=f"Name one of: {folders}.")
    if not runs:
        raise choice.unknown("the tags" if tags else "no tags", tags)
    text = f"Event files that are cut or damaged, and read up to there: {', '.join(damaged[:5])}."
    per_epoch = all(tag.name.startswith("epoch_") for tag in tags.values() if tag.is_rate)
    return "epoch" if per_epoch else "step", [Remark("damaged", len(damaged), text)] if damaged else []


class _ScalarTag:
    """The values of one tag, which wait to be taken in."""

    def __init__(self, name: str, is_rate: bool, found: GroupCollection) -> None:
        self.name = name
        self.is_rate = is_rate
        self._found = found
        self._steps: list[float] = []
        self._rates: list[float] = []

    def add(self, step: int, rate: float) -> None:
        self._steps.append(float(step))
        self._rates.append(rate)
        if len(self._rates) == BLOCK:
            self.flush()

    def flush(self) -> None:
        if self._rates:
            self._found.columns(self.name, np.array(self._steps), np.array(self._rates), None)
            self._steps, self._rates = [], []


def _is_rate(tag: str, choice: ColumnChoice) -> bool:
    return tag == choice.rate_column if choice.rate_column is not None else bool(rate_columns([tag]))


def _values(path: Path, damaged: list[str]) -> Iterator[tuple[Any, int]]:
    """The summary values of a file and their steps."""
    try:
        from google.protobuf.message import DecodeError
        from tensorboard.compat.proto.event_pb2 import Event
    except ImportError as error:
        raise missing_package("An event file", "tensorboard", "tensorboard") from error
    for record in _records(path, damaged):
        try:
            event = Event.FromString(record)
        except DecodeError:
            damaged.append(path.name)
            return
        if event.HasField("summary"):
            for value in event.summary.value:
                yield value, event.step


def _records(path: Path, damaged: list[str]) -> Iterator[bytes]:
    """The records of a file: 8 bytes of length, 4 of its checksum, the record, 4 of its checksum."""
    size = path.stat().st_size
    with path.open("rb") as file:
        while header := file.read(12):
            length = int.from_bytes(header[:8], "little")
            if len(header) < 12 or length + 4 > size - file.tell():
                damaged.append(path.name)
                return
            if length > _LARGEST:
                file.seek(length + 4, os.SEEK_CUR)
                continue
            yield file.read(length)
            file.seek(4, os.SEEK_CUR)


def _scalar(value: Any) -> float | None:
    """The number that a summary value holds: as its own field, or in a tensor; None for anything else."""
    from tensorboard.util.tensor_util import make_ndarray

    if value.HasField("simple_value"):
        return float(value.simple_value)
    if not value.HasField("tensor"):
        return None
    try:
        array = make_ndarray(value.tensor)
    except (TypeError, ValueError):  # a damaged or unknown kind of tensor
        return None
    return float(array.reshape(-1)[0]) if array.size == 1 and array.dtype.kind == "f" else None
