"""Rows at the place of another row: a resume is sorted out; a log that does not place its rows is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kosine._logs.remark import rows
from kosine.errors import LogError, Name

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEW = 20  # one row in so many may have the place of another one, as after a resume
_SHORT = 0.7  # of the longest part: no epoch is as much shorter than others
_SHOWN = 8  # runs whose lengths a message gives
_BRANCH = 5  # rows after the log went back: fewer may be leftovers


def is_crowded(crowded: int, seen: int) -> bool:
    """Whether too many rows have the place of the row before and another value."""
    return crowded >= 2 and crowded * _FEW > seen


def refuse_crowded(positions: NDArray[Any], axis: str, crowded: int, seen: int) -> None:
    """Raise LogError where many rows have the place of the row before them, and another rate; or all have one place.

    Args:
        positions: of the rows that are kept.
        axis: what they count.
        crowded: how many rows have the place of the row before and another rate.
        seen: how many rows there were.
    """
    fix: tuple[str | Name, ...] = ("Name a column, key or word that counts all steps with ", Name("step_column"))
    if seen > 2 and (positions == positions[0]).all():
        raise LogError(
            f"All {seen:,} rows are at {axis} {positions[0]:,g}: a log of one run has its rates at different places.",
            fix=(*fix, "."),
        )
    if not is_crowded(crowded, seen):
        return
    cause = (
        "the log lacks the number of the batch in the epoch, or rounds its epochs too far"
        if axis == "epoch"
        else "the log counts its steps anew and lacks the epoch, or mixes several runs"
    )
    raise LogError(
        f"The log does not say where its rows are: {rows(crowded, 'has', 'have')} the {axis} of the row before and "
        f"another rate, of {seen:,}; {cause}.",
        fix=(*fix, ", or count the rows as steps with ", Name("count_rows"), "."),
    )


def refuse_many_runs(positions: NDArray[Any], rates: NDArray[np.float64], axis: str, value: str = "rate") -> None:
    """Raise LogError where the log starts again with other rates, and its last part has no more than half of the rows.

    Parts of one length may be the epochs of one run. Others are runs, and the last counts where it has most rows.
    """
    starts = _starts(positions)
    if not starts.size:
        return
    order = np.argsort(positions, kind="stable")
    where, values = positions[order], rates[order]
    other = int(np.count_nonzero((where[1:] == where[:-1]) & (values[1:] != values[:-1])))
    parts = np.diff([0, *starts.tolist(), positions.size])
    if other * _FEW <= where.size or 2 * parts[-1] > positions.size:
        return
    again = f"again {starts.size:,} times" if starts.size > 1 else "again"
    if starts.size == 1 or _are_runs(positions, starts):
        cause = f"it holds {parts.size:,} runs, of {_listed(parts.tolist())} rows"
    else:
        cause = "it holds several runs, or counts its steps anew and lacks the epoch"
    raise LogError(
        f"The log starts {again}, and {other:,} of its {where.size:,} rows have another {value} than one before at the "
        f"same {axis}: {cause}.",
        fix=("Cut it to one run, or name what counts all steps with ", Name("step_column"), "."),
    )


def _listed(counts: list[int]) -> str:
    shown = [f"{count:,}" for count in counts[:_SHOWN]]
    return f"{', '.join(shown)}, ..." if len(counts) > _SHOWN else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _starts(positions: NDArray[Any]) -> NDArray[np.int64]:
    """The rows at which the log starts again."""
    return 1 + np.flatnonzero((positions[1:] < positions[:-1]) & (positions[1:] <= positions[0]))


def _are_runs(positions: NDArray[Any], starts: NDArray[np.int64]) -> bool:
    """Whether the parts that begin so differ in length, as epochs do not; the last one may be cut off."""
    ends = np.maximum.reduceat(positions, np.concatenate(([0], starts)))[:-1] - positions[0]
    return bool(ends.min() < _SHORT * ends.max())


def of_last_branch(positions: NDArray[Any], rates: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rows to keep where the log went back.

    If the rows from there on have other rates than those before at the same places, the earlier ones belong to a run
    that was given up: all of them where the log started again, else those that lie beyond the end.
    """
    kept = np.ones(positions.size, np.bool_)
    back = np.flatnonzero(positions[1:] < positions[:-1])
    if not back.size:
        return kept
    start = int(back[-1]) + 1
    whole = _starts(positions)
    if whole.size and 2 * (positions.size - whole[-1]) > positions.size:
        start = int(whole[-1])
        given_up = np.ones(start, np.bool_)
    else:
        given_up = positions[:start] > positions[start:].max()
    if positions.size - start < _BRANCH or not given_up.any():
        return kept
    earlier = np.argsort(positions[:start], kind="stable")
    at = np.searchsorted(positions[:start][earlier], positions[start:], side="right") - 1
    before = earlier[np.maximum(at, 0)]
    same = (at >= 0) & (positions[before] == positions[start:])
    if 2 * np.count_nonzero(same & (rates[before] != rates[start:])) > np.count_nonzero(same):
        kept[:start] = ~given_up
    return kept
