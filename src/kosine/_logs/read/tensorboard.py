"""TensorBoard's event files: its own package knows what the records say, without TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kosine._logs.read.collect import BLOCK, GroupCollection
from kosine._logs.read.columns import ColumnChoice, LossChoice
from kosine._logs.read.loss_names import says_its_set
from kosine._logs.read.reading import Reading
from kosine._logs.remark import Axis, Remark
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


def read_events(
    files: list[Path], choice: ColumnChoice, losses: LossChoice | None
) -> tuple[list[Reading], list[Reading], list[str], list[Remark]]:
    """Read the values of one run from its event files, and its losses besides; the tags, and what was odd.

    Raises:
        LogError: no tag with a value, or values in several folders, which are several runs.
        MissingPackageError: tensorboard is not installed.
    """
    tags: dict[tuple[Path, str], _ScalarTag] = {}
    runs: dict[Path, None] = {}
    damaged: list[str] = []
    found = GroupCollection()
    for path in files:
        for value, step in _values(path, damaged):
            tag = tags.get((path.parent, value.tag))
            if tag is None:
                tag = tags[path.parent, value.tag] = _ScalarTag(value.tag, path.parent, choice, losses, found)
            number = _scalar(value) if tag.is_sought else None
            if number is not None:
                tag.add(step, number)
                if tag.is_value:
                    runs[path.parent] = None
        for tag in tags.values():
            tag.flush()
    folders = [folder for folder in runs if not (isinstance(choice, LossChoice) and says_its_set(folder.name))]
    if len(folders) > 1:
        named = ", ".join(repr(str(folder)) for folder in folders[:10])
        raise LogError(f"There are several runs with {choice.plural} in the folder.", fix=f"Name one of: {named}.")
    names = list(dict.fromkeys(name for _, name in tags))
    if not runs:
        raise choice.unknown("the tags" if tags else "no tags", names)
    text = f"Event files that are cut or damaged, and read up to there: {', '.join(damaged[:5])}."
    remarks = [Remark("damaged", len(damaged), text)] if damaged else []
    run = [*folders, *runs][0]
    of_losses = [tag.reading(run) for tag in tags.values() if tag.is_loss]
    if isinstance(choice, LossChoice):
        return of_losses, [], names, remarks
    per_epoch = all(tag.axis == "epoch" for tag in tags.values() if tag.is_value)
    return [Reading(NAME, found, "epoch" if per_epoch else "step")], of_losses, names, remarks


class _ScalarTag:
    """The values of one tag in one folder, which wait to be taken in.

    Attributes:
        is_value: whether it is one of the values that are looked for.
        is_loss: whether it is a loss.
        axis: what its steps count.
    """

    def __init__(
        self, name: str, folder: Path, choice: ColumnChoice, losses: LossChoice | None, rates: GroupCollection
    ) -> None:
        self.is_value = bool(choice.values([name]))
        beside = losses is not None and not self.is_value and bool(losses.values([name]))
        self.is_loss = beside or (self.is_value and isinstance(choice, LossChoice))
        self.axis: Axis = "epoch" if name.startswith("epoch_") else "step"
        self._name, self._folder = name, folder
        self._found = GroupCollection(of_losses=True) if self.is_loss else rates
        self._steps: list[float] = []
        self._numbers: list[float] = []

    @property
    def is_sought(self) -> bool:
        """Whether its values are needed."""
        return self.is_value or self.is_loss

    def add(self, step: int, number: float) -> None:
        self._steps.append(float(step))
        self._numbers.append(number)
        if len(self._numbers) == BLOCK:
            self.flush()

    def flush(self) -> None:
        if self._numbers:
            self._found.columns(self._name, np.array(self._steps), np.array(self._numbers), None)
            self._steps, self._numbers = [], []

    def reading(self, run: Path) -> Reading:
        """The losses of the tag; those of another folder than the run's, such as validation, begin with its name."""
        groups = self._found.groups
        if self._folder != run and self._name in groups:
            groups[f"{self._folder.name}/{self._name}"] = groups.pop(self._name)
        return Reading(NAME, self._found, self.axis)


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
