"""What a log says about the learning rate of a run, in order and without doubles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from kosine._core.arguments import read_index
from kosine._core.numbers import MAX_STEPS
from kosine._logs.precision import Precision
from kosine.errors import ArgumentTypeError, LogError, shown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_MOST_RATE = 1e300  # sums and products of a few rates are finite

Axis = Literal["step", "epoch", "sample", "token"]


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that was odd about a log, and what was made of it.

    Attributes:
        code: its kind, such as "doubles".
        rows: how many rows it is about.
        text: a sentence.
    """

    code: str
    rows: int
    text: str


class Trace:
    """The learning rate of a run as its log tells it; `read_trace` makes one from a file.

    The rows are put in the order of their positions. Rows without a finite rate are left out; of rows at the same
    position the last one counts, as a resumed run writes its steps again. `remarks` tells what was done.

    Args:
        positions: where in the run each rate was logged, in units of `axis`; whole numbers, or fractions of epochs.
        rates: the rate at each position, >= 0; NaN where a row has none.
        axis: what the positions count: "step", "epoch", "sample" or "token".
        precision: how exactly the log says its rates; float64 if None.
        name: what the log calls the rate, or its param group.
        source: where it came from, such as the file's name.
        format: the kind of log.
        total: the length of the run as the log declares it, in units of `axis`; None if it does not.
        skipped: pairs (position, count): how many optimizer steps since the pair before were skipped, as the log
            declares it.
        remarks: what was odd about the file.

    Attributes:
        positions: ascending, each once; int64, or float64 where some are not whole. Read-only, as `rates` is.
        rates: float64, of the same length.
        groups: the traces of all param groups of the log, by name; this one among them.

    Raises:
        LogError: no row with a rate, a rate below 0 or above 1e300, lengths that differ, a total or a count that no run
            has.
        ArgumentTypeError: something that is no array of numbers, no total, no pairs or no precision.

    Example:
        >>> import kosine as ks
        >>> trace = ks.Trace([0, 1, 1, 2], [0.1, 0.2, 0.2, 0.3])
        >>> trace.positions.tolist(), trace.rates.tolist()
        ([0, 1, 2], [0.1, 0.2, 0.3])
        >>> print(trace.remarks[0].text)
        1 row says again what another one says.
    """

    __slots__ = (
        "axis",
        "format",
        "groups",
        "name",
        "positions",
        "precision",
        "rates",
        "remarks",
        "skipped",
        "source",
        "total",
    )

    axis: Axis
    format: str
    groups: dict[str, Trace]
    name: str
    positions: NDArray[Any]
    precision: Precision
    rates: NDArray[np.float64]
    remarks: tuple[Remark, ...]
    skipped: tuple[tuple[int, int], ...]
    source: str
    total: int | None

    def __init__(
        self,
        positions: ArrayLike,
        rates: ArrayLike,
        *,
        axis: Axis = "step",
        precision: Precision | None = None,
        name: str = "learning_rate",
        source: str = "",
        format: str = "",
        total: int | None = None,
        skipped: Iterable[tuple[int, int]] = (),
        remarks: Sequence[Remark] = (),
    ) -> None:
        if axis not in get_args(Axis):
            raise LogError(f"Argument `axis` must be one of {list(get_args(Axis))}. Received: axis={shown(axis)}.")
        if precision is not None and not isinstance(precision, Precision):
            raise ArgumentTypeError(f"Argument `precision` must be a Precision. Received: {shown(precision)}.")
        where, values = _read(positions, "positions"), _read(rates, "rates")
        if where.shape != values.shape:
            raise LogError(
                "Arguments `positions` and `rates` must have the same length. "
                f"Received: {where.size} and {values.size}."
            )
        where, values, found = _cleaned(where, values)
        for name_, value in {
            "axis": axis,
            "format": format,
            "groups": {name: self},
            "name": name,
            "positions": where,
            "precision": precision or Precision(),
            "rates": values,
            "remarks": (*remarks, *found),
            "skipped": _read_skips(skipped),
            "source": source,
            "total": _read_total(total),
        }.items():
            setattr(self, name_, value)
        where.flags.writeable = values.flags.writeable = False

    def __setstate__(self, state: tuple[None, dict[str, Any]]) -> None:
        for name, value in state[1].items():
            setattr(self, name, value)
        self.positions.flags.writeable = self.rates.flags.writeable = False  # which copies forget

    def half_widths(self) -> NDArray[np.float64]:
        """How far each rate may be from the one that was used: half of the last printed place, and the arithmetic."""
        return self.precision.half_width(self.rates)

    def __len__(self) -> int:
        return int(self.rates.size)

    def __repr__(self) -> str:
        of = f" of {self.source}" if self.source else ""
        return f"<Trace{of}: {len(self):,} rates, {self.axis} {self.positions[0]} to {self.positions[-1]}>"


def _read(values: ArrayLike, argument: str) -> NDArray[Any]:
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise ArgumentTypeError(
            f"Argument `{argument}` must be an array of numbers. Received: {shown(values)}."
        ) from error
    if array.dtype.kind not in "iuf" or array.ndim != 1:
        raise ArgumentTypeError(
            f"Argument `{argument}` must be an array of numbers with one dimension. Received: {shown(values)}."
        )
    return array


def _read_total(total: object) -> int | None:
    length = read_index(total)
    if total is not None and length is None:
        raise ArgumentTypeError(f"Argument `total` must be an integer >= 1 or None. Received: total={shown(total)}.")
    if length is not None and not 1 <= length <= MAX_STEPS:
        raise LogError(f"Argument `total` must be >= 1 and at most 2**63 - 1. Received: total={shown(total)}.")
    return length


def _read_skips(skipped: object) -> tuple[tuple[int, int], ...]:
    rule = "Argument `skipped` must be pairs of integers, (position, count)"
    try:
        pairs = [(read_index(position), read_index(count)) for position, count in skipped]  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise ArgumentTypeError(f"{rule}. Received: skipped={shown(skipped)}.") from error
    skips = []
    for position, count in pairs:
        if position is None or count is None:
            raise ArgumentTypeError(f"{rule}. Received: skipped={shown(skipped)}.")
        if abs(position) > MAX_STEPS or not 0 <= count <= MAX_STEPS:
            raise LogError(f"{rule}, each at most 2**63 - 1 and no count below 0. Received: skipped={shown(skipped)}.")
        skips.append((position, count))
    return tuple(skips)


def _cleaned(positions: NDArray[Any], rates: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.float64], list[Remark]]:
    """The rows with a rate, in order, each position once, and what was done for it."""
    remarks: list[Remark] = []
    good = np.isfinite(rates) & np.isfinite(positions)
    missing = int(good.size - np.count_nonzero(good))
    if missing:
        remarks.append(Remark("no rate", missing, f"{rows(missing, 'has', 'have')} no rate."))
        positions, rates = positions[good], rates[good]
    if not rates.size:
        raise LogError("A trace needs at least one row with a rate. Received: none.")
    if float(rates.min()) < 0:
        raise LogError(f"A learning rate must be >= 0. Received: {float(rates.min())!r} among the rates.")
    if float(rates.max()) > _MOST_RATE:
        raise LogError(
            f"A learning rate in a log must be at most {_MOST_RATE:g}. "
            f"Received: {float(rates.max())!r} among the rates."
        )
    rates = _own(rates, np.float64)
    positions = _own(positions, np.int64 if _whole(positions) else np.float64)
    backwards = positions[1:] < positions[:-1]
    back = np.flatnonzero(backwards)
    if back.size:
        remarks.extend(_order(positions, back))
        order = np.argsort(positions, kind="stable")
        positions, rates = positions[order], rates[order]
    same = positions[1:] == positions[:-1]
    if bool(same.any()):
        other = same & (rates[1:] != rates[:-1])
        again, against = int(np.count_nonzero(same & ~other)), int(np.count_nonzero(other))
        if again:
            remarks.append(Remark("doubles", again, f"{rows(again, 'says', 'say')} again what another one says."))
        if against:
            text = (
                f"{rows(against, 'says', 'say')} another rate than one before at the same place; the last one counts."
            )
            remarks.append(Remark("conflicts", against, text))
        last = np.append(~same, True)
        positions, rates = positions[last], rates[last]
    return positions, rates, remarks


def _own(values: NDArray[Any], kind: type) -> NDArray[Any]:
    """The values in an array that nobody else writes to: a copy, unless they are locked already."""
    if values.dtype == kind and not values.flags.writeable and values.flags.owndata:
        return values
    return np.array(values, kind)


def _whole(positions: NDArray[Any]) -> bool:
    """Whether int64 can hold the positions."""
    if positions.dtype.kind in "iu":
        return positions.dtype != np.uint64 or int(positions.max()) < 2**63
    return float(np.abs(positions).max()) < 2**63 and bool((positions == np.floor(positions)).all())


def _order(positions: NDArray[Any], back: NDArray[np.int64]) -> Iterable[Remark]:
    """What to say of positions that go back at these rows."""
    first = int(back[0])
    text = f"The log goes back {back.size:,} {'times' if back.size > 1 else 'time'}, first from "
    text += f"{positions[first]} to {positions[first + 1]}."
    yield Remark("out of order", int(back.size), text)
    again = back[positions[back + 1] <= positions[0]]
    again = again[positions[again] > positions[0]]
    if again.size:
        first = int(again[0])
        text = f"The log starts again from {positions[first + 1]} after {positions[first]}: a new run in the same file?"
        yield Remark("starts again", int(again.size), text)


def rows(count: int, one: str, many: str) -> str:
    """A count of rows and its verb."""
    return f"{count:,} {f'row {one}' if count == 1 else f'rows {many}'}"
