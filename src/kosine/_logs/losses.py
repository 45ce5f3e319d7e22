"""The losses of a run as its log has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from kosine._logs.remark import Axis, Remark
from kosine.errors import ArgumentTypeError, LogError, Name

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LossKind = Literal["training", "validation"]


@dataclass(frozen=True, slots=True, eq=False)
class Losses:
    """The loss of a run at positions of it: of training, or of a validation set.

    The rows are put in the order of their positions. Rows without a finite loss are left out; of rows at the same
    position the last one counts, as a resumed run writes its steps again.

    Args:
        positions: where in the run each loss was logged, in units of the trace's axis; counted as optimizer steps that
            are done, or as the log counts them.
        values: the loss at each position, without unit; NaN where a row lacks it.
        name: what the log calls the loss.
        kind: "validation", or "training".
        axis: what the positions count: "step", "epoch", "sample" or "token".
        remarks: what was odd about them, and which other losses the log has.

    Raises:
        LogError: no row with a finite loss, lengths that differ, a kind or an axis of another name.
        ArgumentTypeError: an argument of another type.

    Example:
        >>> losses = Losses([0, 100, 200], [10.4, float("nan"), 5.1])
        >>> losses.positions.tolist(), losses.values.tolist()
        ([0, 200], [10.4, 5.1])
    """

    positions: NDArray[Any]
    values: NDArray[np.float64]
    name: str = field(default="loss")
    kind: LossKind = field(default="validation")
    axis: Axis = field(default="step")
    remarks: tuple[Remark, ...] = field(default=())

    def __init__(
        self,
        positions: ArrayLike,
        values: ArrayLike,
        *,
        name: str = "loss",
        kind: LossKind = "validation",
        axis: Axis = "step",
        remarks: Sequence[Remark] = (),
    ) -> None:
        for argument, choice, names in (("kind", kind, LossKind), ("axis", axis, Axis)):
            if choice not in get_args(names):
                raise LogError(argument=argument, rule=f"one of {list(get_args(names))}", received=choice)
        where, losses = _array(positions, "positions"), _array(values, "values").astype(np.float64)
        if where.shape != losses.shape:
            raise LogError(
                ("Arguments ", Name("positions"), " and ", Name("values"), " must have the same length."),
                received={"len(positions)": where.size, "len(values)": losses.size},
            )
        finite = np.isfinite(losses) & np.isfinite(where.astype(np.float64))
        where, losses = where[finite], losses[finite]
        if not where.size:
            raise LogError(argument="values", rule="one finite loss at least", received=values)
        if not (where[1:] > where[:-1]).all():
            # The last row of each position: the first one of the reversed rows.
            where, last = np.unique(where[::-1], return_index=True)
            losses = losses[::-1][last]
        where.flags.writeable = losses.flags.writeable = False
        for attribute, value in {
            "positions": where,
            "values": losses,
            "name": name,
            "kind": kind,
            "axis": axis,
            "remarks": tuple(remarks),
        }.items():
            object.__setattr__(self, attribute, value)

    def moved(self, before: NDArray[Any], after: NDArray[Any]) -> Losses:
        """The losses on an axis whose positions `before`, which ascend, are those of `after`."""
        return replace(self, positions=moved(self.positions, before, after))


def moved(positions: NDArray[Any], before: NDArray[Any], after: NDArray[Any]) -> NDArray[Any]:
    """Positions on an axis whose positions `before`, which do not descend, are those of `after`.

    They are moved in proportion between two of them, and beyond them all as the first and the last one go on.
    """
    old, at = np.unique(before, return_index=True)
    if old.size < 2:
        return positions
    new, where = after[at], positions.astype(np.float64)
    place = np.clip(np.searchsorted(old, where, side="right") - 1, 0, old.size - 2)
    share = (where - old[place]) / (old[place + 1] - old[place])
    inside: NDArray[Any] = new[place] + share * (new[place + 1] - new[place])
    slope = (new[-1] - new[0]) / (old[-1] - old[0])
    beyond = np.where(where > old[-1], new[-1] + (where - old[-1]) * slope, new[0] + (where - old[0]) * slope)
    return np.where((where < old[0]) | (where > old[-1]), beyond, inside)


def _array(values: ArrayLike, argument: str) -> NDArray[Any]:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ArgumentTypeError(argument=argument, rule="a list of numbers", received=values) from error
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise ArgumentTypeError(argument=argument, rule="a list of numbers", received=values)
    return array
