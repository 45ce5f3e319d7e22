"""The rows of param groups while a log is read: compact, and of bounded number however long the log is."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from kosine._logs.precision import PrintedRates
from kosine._logs.remark import Remark, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

MOST_ROWS = 1 << 24
"""Rows that are kept, of all groups together; of a longer log every 2nd, 4th, ... is."""
MOST_GROUPS = 64
BLOCK = 1 << 15
_EPOCH = 1 << 32  # an epoch and a step in it as one number, which float64 holds exactly


class GroupRows:
    """The rows of one param group, and what their texts say about their precision; or the rows of one loss."""

    __slots__ = (
        "_anew",
        "_crowded",
        "_epochs",
        "_last",
        "_latest",
        "_pair",
        "_positions",
        "_prints",
        "_rates",
        "_resets",
        "_rests",
        "_stated",
        "kept",
        "name",
        "seen",
        "stride",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self._pair = False
        self.seen = self.kept = 0
        self.stride = 1
        self._positions: NDArray[Any] = np.empty(0, np.int64)
        self._rates: NDArray[np.float64] = np.empty(0)
        self._prints = PrintedRates()
        self._anew = True
        self._epochs = self._stated = False
        self._last = math.inf, -math.inf
        self._latest = math.nan, math.nan
        self._resets = self._rests = self._crowded = 0

    @property
    def needs_texts(self) -> bool:
        """Whether the texts of further rates can still say something about the precision."""
        return self._prints.needs_more

    @property
    def furthest(self) -> float:
        """The last position, of the rows that are kept; 0 where steps are counted anew in each epoch."""
        return 0.0 if self._epochs or not self.kept else float(self._positions[: self.kept].max())

    def add(
        self,
        positions: NDArray[np.float64] | None,
        rates: NDArray[np.float64],
        texts: Iterable[str] | None,
        epochs: Callable[[], NDArray[np.float64]] | None,
        most: int,
        anew: bool = False,
        pair: bool = False,
    ) -> None:
        """Add rows, all with a finite position and rate.

        Args:
            positions: of the rows; None to count them.
            rates: of the rows.
            texts: the different prints of rates; None where all were stored as float32; empty if not `needs_texts`.
            epochs: the epoch of each row where the log has both, as steps may be counted anew in each; asked for
                once they go back.
            most: how many rows to keep.
            anew: whether the positions are known to be counted anew in each epoch.
            pair: whether to keep the epochs also where the positions do not go back, as those of few losses may not.
        """
        self._pair = pair
        self._prints.add(texts, rates)
        self._stated = self._stated or anew
        if positions is None:
            positions = np.arange(self.seen, self.seen + len(rates), dtype=np.float64)
        elif epochs is not None:
            positions = self._paired(positions, epochs)
        self._count_crowded(positions, rates)
        first = -self.seen % self.stride
        self.seen += len(rates)
        where, values = positions[first :: self.stride], rates[first :: self.stride]
        self._append(where, values)
        while self.kept > most:
            self._thin()

    def _count_crowded(self, positions: NDArray[np.float64], rates: NDArray[np.float64]) -> None:
        """Count the rows at the place of the row before them, with another rate."""
        place, rate = self._latest
        at, other = np.append(place, positions), np.append(rate, rates)
        self._crowded += int(np.count_nonzero((at[1:] == at[:-1]) & (other[1:] != other[:-1])))
        self._latest = float(positions[-1]), float(rates[-1])

    def _append(self, positions: NDArray[np.float64], rates: NDArray[np.float64]) -> None:
        """Add rows to those that are kept, which grow in place: no moment holds them twice."""
        if self._positions.dtype.kind == "i" and not _whole(positions):
            self._positions = self._positions.astype(np.float64)
        kept, self.kept = self.kept, self.kept + len(rates)
        if self.kept > len(self._rates):
            room = self.kept + self.kept // 8 + BLOCK
            self._positions.resize(room, refcheck=False)
            self._rates.resize(room, refcheck=False)
        self._positions[kept : self.kept] = positions
        self._rates[kept : self.kept] = rates

    def _paired(self, steps: NDArray[np.float64], epochs: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Steps with their epochs, from where steps first go back; just steps before."""
        if not self._anew or not 0 <= steps.min() <= steps.max() < _EPOCH:
            self._anew = False
            self._unpair()
            return steps
        before, step = self._last
        back = np.diff(steps, prepend=step) <= 0
        again = self._epochs or bool(back.any())
        again = again or self._stated or self._pair
        if self.seen and not again:
            self._last = before, float(steps[-1])
            return steps
        stated = epochs()
        known = np.isfinite(stated)
        first = math.floor(stated[known][0]) if known.any() else before
        before = before if self.seen else first
        if not self._epochs:
            if not again or first == math.inf:
                self._last = before, float(steps[-1])
                return steps
            self._epochs = True
            if self.kept:  # all taken to be of one epoch: this one, or that before
                latest = max(int(first) - int(back[0]), 0)
                self._rests += max(latest - int(before), 0) if before < math.inf else 0
                self._positions[: self.kept] = _pairs(latest, self._positions[: self.kept])
                before = latest
        if not known.all():  # a row without an epoch is of the one before
            stated = np.concatenate(([before if before < math.inf else 0.0], stated))
            stated = stated[np.maximum.accumulate(np.where(known, np.arange(1, known.size + 1), 0))]
        stated = np.clip(np.floor(stated), 0, 1 << 20)
        further = np.diff(stated, prepend=before) > 0
        self._resets += int(np.count_nonzero(further & back))
        self._rests += int(np.count_nonzero(further & ~back))
        self._last = float(stated[-1]), float(steps[-1])
        return _pairs(stated, steps)

    def _unpair(self) -> None:
        """Keep just the steps: they are not counted anew in each epoch."""
        if self._epochs:
            self._epochs = False
            kept = self._positions[: self.kept]
            np.remainder(kept, _EPOCH, out=kept)

    def _thin(self) -> None:
        """Keep every second of the rows that are kept."""
        half = (self.kept + 1) // 2
        for values in (self._positions, self._rates):
            values[:half] = values[: self.kept : 2]
        self.kept = half
        self.stride *= 2

    def take(self) -> TakenRows:
        """The rows; the series is empty afterwards."""
        anew = self._epochs and (self._stated or self._resets > self._rests)
        if not anew and not self._pair:
            self._unpair()
        positions, rates = self._positions, self._rates
        self._positions, self._rates = np.empty(0, np.int64), np.empty(0)
        positions.resize(self.kept, refcheck=False)
        rates.resize(self.kept, refcheck=False)
        epochs = np.empty(0)
        if self._epochs:
            epochs, positions = np.divmod(positions, _EPOCH)
        return TakenRows(
            self.name,
            positions,
            rates,
            epochs,
            self._resets,
            self._crowded,
            self.seen,
            self.stride,
            self._prints,
            anew,
        )


@dataclass(frozen=True, slots=True)
class TakenRows:
    """The rows of a group once all are read.

    Attributes:
        name: of the group.
        positions: of the rows that are kept; the step in its epoch where there are `epochs`.
        rates: of these rows.
        epochs: of each row, where steps are counted anew in each; else empty, or those of losses.
        resets: how many times steps were counted anew.
        crowded: rows at the place of the row before them, with another rate.
        seen: all rows.
        stride: one row of so many is kept.
        prints: how the rates were printed.
        anew: whether steps are counted anew in each epoch.
    """

    name: str
    positions: NDArray[Any]
    rates: NDArray[np.float64]
    epochs: NDArray[Any]
    resets: int
    crowded: int
    seen: int
    stride: int
    prints: PrintedRates
    anew: bool


def _whole(positions: NDArray[np.float64]) -> bool:
    return bool((np.abs(positions) < 2**62).all() and (positions == np.floor(positions)).all())


def _pairs(epochs: NDArray[Any] | float, steps: NDArray[Any]) -> NDArray[Any]:
    """An epoch and a step in it as one number."""
    pairs: NDArray[Any] = epochs * _EPOCH + steps
    return pairs


class GroupCollection:
    """The rows of all param groups of a log, filled row by row or column by column.

    Attributes:
        count_rows: whether the rows with a rate are counted, each group's on its own, whatever their positions are.
        groups: the rows of each param group, by name.
        missing: rows in which no group has a rate.
        left_out: rows of more groups than are kept.
        sharers: collections that share the memory.
        of_losses: whether the values are losses: it does not matter how they were printed.
    """

    __slots__ = (
        "_missing",
        "_unreadable",
        "_waiting",
        "count_rows",
        "groups",
        "left_out",
        "missing",
        "of_losses",
        "sharers",
    )

    def __init__(self, count_rows: bool = False, of_losses: bool = False) -> None:
        self.count_rows, self.of_losses = count_rows, of_losses
        self.groups: dict[str, GroupRows] = {}
        self._waiting: dict[str, _PendingRows] = {}
        self.missing = self.left_out = 0
        self.sharers = 1
        self._missing: Counter[str] = Counter()
        self._unreadable: Counter[str] = Counter()

    @property
    def rows(self) -> int:
        """Of the group with the most."""
        self.finish()
        return max((group.seen for group in self.groups.values()), default=0)

    @property
    def furthest(self) -> float:
        """The last position of all groups; 0 where steps are counted anew in each epoch."""
        self.finish()
        return max((group.furthest for group in self.groups.values()), default=0.0)

    def needs_texts(self, name: str) -> bool:
        """Whether the texts of further rates of a group can still say something about the precision."""
        return not self.of_losses and (name not in self.groups or self.groups[name].needs_texts)

    @property
    def is_empty(self) -> bool:
        """Whether there is no row yet."""
        return not (self.groups or self._waiting)

    def row(self, name: str, position: object, rate: object, epoch: object = None, anew: bool = False) -> None:
        """Add one row, of numbers or texts; a rate as text says how it was printed.

        See `GroupRows.add`.
        """
        waiting = self._waiting.get(name)
        if waiting is None:
            if len(self._waiting) == MOST_GROUPS:
                self.left_out += 1
                return
            waiting = self._waiting[name] = _PendingRows()
        waiting.anew = waiting.anew or anew
        waiting.positions.append(number(position))
        waiting.texts.append(rate if isinstance(rate, str) else repr(rate) if isinstance(rate, int | float) else "")
        waiting.epochs.append(number(epoch))
        if len(waiting.texts) == BLOCK:
            self._flush(name, waiting)

    def columns(
        self,
        name: str,
        positions: NDArray[np.float64] | None,
        rates: NDArray[np.float64],
        texts: Iterable[str] | None,
        epochs: Callable[[], NDArray[np.float64]] | None = None,
        odd: int = 0,
        anew: bool = False,
        pair: bool = False,
    ) -> None:
        """Add rows of one group, some of which have an odd rate; those without a finite position and rate are counted.

        See `GroupRows.add`.
        """
        series = self.groups.get(name)
        positions = None if self.count_rows else positions
        good = np.isfinite(rates) if positions is None else np.isfinite(positions) & np.isfinite(rates)
        if not good.all():
            odd += int(np.count_nonzero(np.isfinite(rates) & ~good))
            self._unreadable[name] += odd
            self._missing[name] += int(good.size - np.count_nonzero(good)) - odd
            positions, rates = None if positions is None else positions[good], rates[good]
            epochs = None if epochs is None else partial(_some, epochs, good)
        if not rates.size:
            return
        if series is None:
            if len(self.groups) == MOST_GROUPS:
                self.left_out += rates.size
                return
            series = self.groups[name] = GroupRows(name)
        series.add(positions, rates, texts, epochs, MOST_ROWS // len(self.groups) // self.sharers, anew, pair)

    def _flush(self, name: str, waiting: _PendingRows) -> None:
        rates = numbers(waiting.texts)
        epochs, odd = partial(np.array, waiting.epochs), unreadable(waiting.texts, rates)
        texts = () if self.of_losses else waiting.texts
        self.columns(name, np.array(waiting.positions), rates, texts, epochs, odd, waiting.anew, self.of_losses)
        self._waiting[name] = _PendingRows()

    def finish(self) -> None:
        """Take in the rows that wait."""
        for name, waiting in self._waiting.items():
            if waiting.texts:
                self._flush(name, waiting)

    def remarks(self, name: str, value: str = "rate") -> list[Remark]:
        """What was odd about the rows of a group, which lack a `value`."""
        remarks = []
        unreadable, missing = self._unreadable[name], self._missing[name] + self.missing
        if unreadable:
            text = f"{rows(unreadable, 'has', 'have')} something else where a number is expected."
            remarks.append(Remark("unreadable", unreadable, text))
        if missing:
            remarks.append(Remark(f"no {value}", missing, f"{rows(missing, 'has', 'have')} no {value}."))
        if self.left_out:
            text = f"There are more than {MOST_GROUPS} param groups; {rows(self.left_out, 'is', 'are')} left out."
            remarks.append(Remark("many groups", self.left_out, text))
        return remarks


def _some(values: Callable[[], NDArray[np.float64]], rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    return values()[rows]


class _PendingRows:
    __slots__ = ("anew", "epochs", "positions", "texts")

    def __init__(self) -> None:
        self.anew = False
        self.positions: list[float] = []
        self.texts: list[str] = []
        self.epochs: list[float] = []


_ABSENT = frozenset(("", "na", "n/a", "nan", "none", "null", "-", "inf", "-inf", "infinity", "-infinity", "<na>"))


def unreadable(texts: Sequence[str], values: NDArray[np.float64]) -> int:
    """How many of the texts are neither a finite number nor a usual way to say that there is none."""
    return sum(1 for row in np.flatnonzero(~np.isfinite(values)).tolist() if texts[row].strip().lower() not in _ABSENT)


def number(value: object) -> float:
    """A finite float or NaN, of a number or its text."""
    try:
        return float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return math.nan


def numbers(texts: Sequence[str]) -> NDArray[np.float64]:
    """Floats, NaN where a text is not a number."""
    try:
        return np.fromiter(map(float, texts), np.float64, len(texts))
    except ValueError:
        return np.fromiter(map(number, texts), np.float64, len(texts))
