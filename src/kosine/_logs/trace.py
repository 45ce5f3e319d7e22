"""What a log says about the learning rate of a run: rows in order, each position once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Protocol, get_args

import numpy as np

from kosine._core.arguments import read_index
from kosine._core.numbers import MAX_STEPS
from kosine._logs.losses import Losses
from kosine._logs.precision import Precision, are_float32
from kosine._logs.remark import Axis, Remark, rows
from kosine.errors import ArgumentTypeError, LogError, Name

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_MOST_RATE = 1e300  # sums and products of a few rates are finite


class Placing(Protocol):
    """How the rows of a log of epochs are placed."""

    @property
    def resolution(self) -> int | None:
        """Steps of an epoch with which each row is at a whole one; None if the positions show it."""
        ...

    def positions(self, epochs: NDArray[Any], steps_per_epoch: int) -> NDArray[np.float64]:
        """The epochs of the rows, where an epoch has so many steps."""
        ...


class Trace:
    """The learning rate of a run as its log has it; `read_trace` makes one from a file.

    The rows are put in the order of their positions. Rows without a finite rate are left out; of rows at the same
    position the last one counts, as a resumed run writes its steps again. `remarks` says what was done.

    Args:
        positions: where in the run each rate was logged, in units of `axis`; whole numbers, or fractions of epochs.
        rates: the rate at each position, >= 0; NaN where a row lacks it.
        axis: what the positions count: "step", "epoch", "sample" or "token".
        precision: how exactly the log shows its rates. If None, `check` and `infer` assume float32 where every rate is
            a float32 number, else float64.
        name: what the log calls the rate, or its param group.
        source: the origin, such as the file's name.
        format: the kind of log.
        total: the length of the run as the log declares it, in units of `axis`; None if it does not.
        steps_per_epoch: the steps of an epoch as the log declares them, for an axis of epochs; None if it does not.
        skipped: pairs (position, count): how many optimizer steps the log declares as skipped since the pair before.
        losses: the losses of the run, at positions in units of `axis`; None if there are none, as `needed_losses` says.
        remarks: what was odd about the file.

    Attributes:
        positions: ascending, each once; int64, or float64 where some are not whole. Read-only, as `rates` is.
        rates: float64, of the same length.
        groups: the traces of all param groups of the log, by name; this one among them.

    Raises:
        LogError: no row with a rate, a rate below 0 or above 1e300, lengths that differ, an impossible total or count.
        ArgumentTypeError: an argument of another type.

    Example:
        >>> import kosine as ks
        >>> trace = ks.Trace([0, 1, 1, 2], [0.1, 0.2, 0.2, 0.3])
        >>> trace.positions.tolist(), trace.rates.tolist()
        ([0, 1, 2], [0.1, 0.2, 0.3])
        >>> print(trace.remarks[0].text)
        1 row repeats another one.
    """

    __slots__ = (
        "_no_losses",
        "_placing",
        "axis",
        "format",
        "groups",
        "losses",
        "name",
        "positions",
        "precision",
        "rates",
        "remarks",
        "skipped",
        "source",
        "steps_per_epoch",
        "total",
    )

    _no_losses: tuple[str | Name, ...]
    _placing: Placing | None
    axis: Axis
    format: str
    groups: dict[str, Trace]
    losses: Losses | None
    name: str
    positions: NDArray[Any]
    precision: Precision
    rates: NDArray[np.float64]
    remarks: tuple[Remark, ...]
    skipped: tuple[tuple[int, int], ...]
    source: str
    steps_per_epoch: int | None
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
        steps_per_epoch: int | None = None,
        skipped: Iterable[tuple[int, int]] = (),
        losses: Losses | None = None,
        remarks: Sequence[Remark] = (),
    ) -> None:
        if axis not in get_args(Axis):
            raise LogError(argument="axis", rule=f"one of {list(get_args(Axis))}", received=axis)
        if precision is not None and not isinstance(precision, Precision):
            raise ArgumentTypeError(argument="precision", rule="a Precision or None", received=precision)
        if losses is not None and not isinstance(losses, Losses):
            raise ArgumentTypeError(argument="losses", rule="Losses or None", received=losses)
        where, values = _read_array(positions, "positions"), _read_array(rates, "rates")
        if where.shape != values.shape:
            raise LogError(
                ("Arguments ", Name("positions"), " and ", Name("rates"), " must have the same length."),
                received={"len(positions)": where.size, "len(rates)": values.size},
            )
        where, values, found = _cleaned(where, values)
        for name_, value in {
            "_no_losses": (),
            "_placing": None,
            "axis": axis,
            "format": format,
            "groups": {name: self},
            "losses": losses,
            "name": name,
            "positions": where,
            "precision": precision or Precision(),
            "rates": values,
            "remarks": (*remarks, *found),
            "skipped": _read_skips(skipped),
            "source": source,
            "steps_per_epoch": _read_count(steps_per_epoch, "steps_per_epoch"),
            "total": _read_count(total, "total"),
        }.items():
            setattr(self, name_, value)
        where.flags.writeable = values.flags.writeable = False

    def __setstate__(self, state: tuple[None, dict[str, Any]]) -> None:
        for name, value in state[1].items():
            setattr(self, name, value)
        self.positions.flags.writeable = self.rates.flags.writeable = False  # copies forget it

    def placed_by(self, placing: Placing) -> Trace:
        """The trace; its positions become more exact once the steps of an epoch are known."""
        other = copy(self)
        other._placing = placing
        return other

    def with_steps_per_epoch(self, steps_per_epoch: int | None) -> Trace:
        """The trace with the positions that these steps of an epoch give, where the log left them open.

        Raises:
            LogError: the log shows that an epoch has more steps.
        """
        if self._placing is None or steps_per_epoch is None or self.axis != "epoch":
            return self
        other = copy(self)
        other.positions = self._placing.positions(self.positions, steps_per_epoch)
        other.positions.flags.writeable = False
        if self.losses is not None:
            other.losses = self.losses.moved(self.positions, other.positions)
        return other

    def with_losses(self, losses: Losses | None, why: tuple[str | Name, ...] = ()) -> Trace:
        """The trace with the losses of its log; `why` says why there are none, where the log has something like it."""
        other = copy(self)
        other.losses, other._no_losses = losses, why
        return other

    def needed_losses(self) -> Losses:
        """The losses of the run.

        Raises:
            LogError: there are none, and why.
        """
        if self.losses is None:
            raise LogError(self._no_losses or ("The log has no losses.",), where=self.source)
        return self.losses

    @property
    def resolution(self) -> int | None:
        """Steps of an epoch that suit the rows, where the log does not say how many there are; None if any do."""
        return None if self._placing is None else self._placing.resolution

    def as_computed(self) -> Trace:
        """The trace; with the precision of float32 where its rates are such numbers and nothing else is known.

        A framework that computes in float32 is up to 1.2e-7 off its own formula. Only the numbers themselves can show
        that: a rate that was computed in float64 is hardly ever a float32 number.
        """
        if self.precision != Precision() or not are_float32(self.rates):
            return self
        single = copy(self)
        single.precision = Precision(single=True)
        return single

    def half_widths(self) -> NDArray[np.float64]:
        """How far each rate may be from the one that was used: half of the last printed place, plus rounding errors."""
        return self.precision.half_width(self.rates)

    def __len__(self) -> int:
        return int(self.rates.size)

    def __repr__(self) -> str:
        of = f" of {self.source}" if self.source else ""
        return f"<Trace{of}: {len(self):,} rates, {self.axis} {self.positions[0]} to {self.positions[-1]}>"


def check_trace(value: object) -> None:
    """Raise ArgumentTypeError where the argument `trace` is something else."""
    if not isinstance(value, Trace):
        fix = "Read a log with `ks.read_trace(path)`, or make one of arrays: `ks.Trace(steps, rates)`."
        raise ArgumentTypeError(argument="trace", rule="a Trace", received=value, fix=fix)


def _read_array(values: ArrayLike, argument: str) -> NDArray[Any]:
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise ArgumentTypeError(argument=argument, rule="an array of numbers", received=values) from error
    if array.dtype.kind not in "iuf" or array.ndim != 1:
        raise ArgumentTypeError(argument=argument, rule="an array of numbers with one dimension", received=values)
    return array


def _read_count(value: object, argument: str) -> int | None:
    count = read_index(value)
    if value is not None and count is None:
        raise ArgumentTypeError(argument=argument, rule="an integer >= 1 or None", received=value)
    if count is not None and not 1 <= count <= MAX_STEPS:
        raise LogError(argument=argument, rule=">= 1 and at most 2**63 - 1", received=value)
    return count


def _read_skips(skipped: object) -> tuple[tuple[int, int], ...]:
    rule = "pairs of integers, (position, count)"
    try:
        pairs = [(read_index(position), read_index(count)) for position, count in skipped]  # type: ignore[attr-defined]
    except (TypeError, ValueError) as error:
        raise ArgumentTypeError(argument="skipped", rule=rule, received=skipped) from error
    skips = []
    for position, count in pairs:
        if position is None or count is None:
            raise ArgumentTypeError(argument="skipped", rule=rule, received=skipped)
        if abs(position) > MAX_STEPS or not 0 <= count <= MAX_STEPS:
            limits = f"{rule}, each at most 2**63 - 1 and no count below 0"
            raise LogError(argument="skipped", rule=limits, received=skipped)
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
        raise LogError("A trace needs at least one row with a rate.")
    for extreme in (float(rates.min()), float(rates.max())):
        if not 0 <= extreme <= _MOST_RATE:
            raise LogError(f"A learning rate in a log must be >= 0 and at most {_MOST_RATE:g}.", received=extreme)
    rates = _private(rates, np.float64)
    positions = _private(positions, np.int64 if _whole(positions) else np.float64)
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
            remarks.append(Remark("doubles", again, f"{rows(again, 'repeats', 'repeat')} another one."))
        if against:
            text = (
                f"{rows(against, 'says', 'say')} another rate than one before at the same place; the last one counts."
            )
            remarks.append(Remark("conflicts", against, text))
        last = np.append(~same, True)
        positions, rates = positions[last], rates[last]
    return positions, rates, remarks


def _private(values: NDArray[Any], kind: type) -> NDArray[Any]:
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
