"""The table that TensorBoard exports of one scalar, whose name stands in the file's name only."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePath

from kosine._logs.read.columns import ColumnChoice
from kosine._logs.read.known_formats import comparable
from kosine.errors import LogError, Name

_COLUMNS = ["wall time", "step", "value"]
_ENDS = re.compile(r"(?:lr|learning[ _-]?rate)$", re.IGNORECASE)  # a run's name may begin with one
_ENDS_AS_LOSS = re.compile(r"loss$", re.IGNORECASE)


def is_scalar_export(header: str) -> bool:
    """Whether a table begins as one that TensorBoard exports."""
    return [comparable(column) for column in header.split(",")] == _COLUMNS


def tag_of(source: str) -> str:
    """The name of the scalar, as the file's name has it."""
    return PurePath(source).stem.rpartition("tag-")[2]


def choice_of_export(choice: ColumnChoice, source: str) -> ColumnChoice:
    """The columns of an export that is a learning rate, or a loss, by its file's name, such as "run-train-tag-lr.csv".

    Raises:
        LogError: the name says nothing of what is looked for.
    """
    if choice.value_column is not None:
        return choice
    marked, tag = "tag-" in PurePath(source).stem, tag_of(source)
    ends = _ENDS_AS_LOSS if choice.of_losses else _ENDS
    if choice.values([tag]) and (marked or ends.search(tag)):
        return replace(choice, value_column="Value")
    raise LogError(
        "The table is a scalar that TensorBoard exported; only the file's name says which one, and it names no "
        f"{choice.sought}.",
        fix=("If it is one, give ", Name(choice.argument), " Value."),
    )
