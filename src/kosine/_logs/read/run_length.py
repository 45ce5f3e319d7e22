"""The length of a run as its log states it."""

from __future__ import annotations

from collections.abc import Iterable

from kosine._core.numbers import MAX_STEPS
from kosine._logs.read.collect import number
from kosine._logs.read.known_formats import comparable
from kosine._logs.remark import Axis, Remark

_NAMES: dict[Axis, tuple[str, ...]] = {
    "step": (
        "max_steps",
        "total_steps",
        "max_iters",
        "total_iters",
        "max_iter",
        "train_iters",
        "num_training_steps",
        "max_updates",
        "total_num_updates",
    ),
    "epoch": ("num_train_epochs", "total_epochs", "max_epochs", "max_epoch", "num_epochs", "n_epochs"),
}
"""What settings and rows call it, the surest first."""


def length_column(columns: Iterable[str], axis: Axis) -> str | None:
    """The column or key that says how long the run is, in units of the axis."""
    by_name = {comparable(column): column for column in columns}
    return next((by_name[name] for name in _NAMES.get(axis, ()) if name in by_name), None)


class RunLength:
    """The length that rows or settings state: one number, the same wherever it stands."""

    def __init__(self) -> None:
        self.stated: int | None = None
        self._others = 0
        self._column = ""

    def add(self, column: str, value: object) -> None:
        """Take in a statement; what cannot be a length, such as -1, states nothing."""
        length = number(value)
        if not 1 <= length <= MAX_STEPS or length != int(length):
            return
        if self.stated is None:
            self.stated, self._column = int(length), column
        elif length != self.stated:
            self._others += 1

    def agreed(self, furthest: float, axis: Axis, remarks: list[Remark]) -> int | None:
        """The length, where all statements agree and no row is behind it; else None, and a remark says why.

        Args:
            furthest: the last position of the rows; some logs count from 1.
            axis: what the positions count.
            remarks: takes what disagrees.
        """
        if self.stated is None:
            return None
        if self._others:
            text = f"{self._column!r} changes within the log, and is not taken for the length of the run."
        elif furthest > self.stated:
            text = f"The log gives the run {self.stated:,} {axis}s and has rows up to {axis} {furthest:,g}: "
            text += "its length is taken to be unknown."
        else:
            return self.stated
        remarks.append(Remark("length", self._others or 1, text))
        return None
