"""The losses of a run as its log has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

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

    Raises:
        LogError: no row with a finite loss, lengths that differ, a kind of another name.
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

    def __init__(
        self, positions: ArrayLike, values: ArrayLike, *, name: str = "loss", kind: LossKind = "validation"
    ) -> None:
        if kind not in get_args(LossKind):
            raise LogError(argument="kind", rule=f"one of {list(get_args(LossKind))}", received=kind)
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
        # The last row of each position: the first one of the reversed rows.
        where, last = np.unique(where[::-1], return_index=True)
        losses = losses[::-1][last]
        where.flags.writeable = losses.flags.writeable = False
        for attribute, value in {"positions": where, "values": losses, "name": name, "kind": kind}.items():
            object.__setattr__(self, attribute, value)


def _array(values: ArrayLike, argument: str) -> NDArray[Any]:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ArgumentTypeError(argument=argument, rule="a list of numbers", received=values) from error
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise ArgumentTypeError(argument=argument, rule="a list of numbers", received=values)
    return array
