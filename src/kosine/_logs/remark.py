"""What a reader says of a log, and what the positions in it count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Axis = Literal["step", "epoch", "sample", "token"]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something odd about a log, and what the reader did about it.

    Attributes:
        code: its kind, such as "doubles".
        rows: how many rows it is about.
        text: a sentence.
    """

    code: str
    rows: int
    text: str


def rows(count: int, one: str, many: str) -> str:
    """A count of rows and its verb."""
    return f"{count:,} {f'row {one}' if count == 1 else f'rows {many}'}"
