"""The table that TensorBoard exports of one scalar, whose name stands in the file's name only."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePath

from kosine._logs.read.columns import ColumnChoice
from kosine._logs.read.known_formats import comparable
from kosine.errors import LogError, Name

_COLUMNS = ["wall time", "step", "value"]
_ENDS = re.compile(r"(?:lr|learning[ _-]?rate|loss)$", re.IGNORECASE)  # a run's name may begin with one


def is_scalar_export(header: str) -> bool:
    """Whether a table begins as one that TensorBoard exports."""
    return [comparable(column) for column in header.split(",")] == _COLUMNS


def choice_of_export(choice: ColumnChoice, source: str) -> ColumnChoice:
    """The columns of an export that is a learning rate, or a loss, by its file's name, such as "run-train-tag-lr.csv".

    Raises:
        LogError: the name says nothing of a learning rate.
    """
    if choice.value_column is not None:
        return choice
    _, marked, tag = PurePath(source).stem.rpartition("tag-")
    if choice.values([tag]) and (marked or _ENDS.search(tag)):
        return replace(choice, value_column="Value")
    raise LogError(
        "The table is a scalar that TensorBoard exported; only the file's name says which one, and it names no "
        f"{choice.sought}.",
        fix=("If it is one, give ", Name(choice.argument), " Value."),
    )
