"""Rows at the place of another row: a resume is sorted out; a log that does not place its rows is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kosine._logs.trace import rows
from kosine.errors import LogError, Name

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEW = 20  # one row in so many may have the place of another one, as after a resume
_SHORT = 0.7  # of the longest part: no epoch is as much shorter than others
_BRANCH = 5  # rows after the log went back: fewer may be leftovers


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
    if crowded < 2 or crowded * _FEW <= seen:
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


def refuse_many_runs(positions: NDArray[Any], rates: NDArray[np.float64], axis: str) -> None:
    """Raise LogError where the log starts again several times, with other rates and as long each time.

    Such parts may be the epochs of one run. Parts of different lengths are runs, of which the last counts.
    """
    starts = _starts(positions)
    if starts.size < 2 or _are_runs(positions, starts):
        return
    order = np.argsort(positions, kind="stable")
    where, values = positions[order], rates[order]
    other = int(np.count_nonzero((where[1:] == where[:-1]) & (values[1:] != values[:-1])))
    if other * _FEW <= where.size:
        return
    raise LogError(
        f"The log starts again {starts.size:,} times, and {other:,} of its {where.size:,} rows have another rate than "
        f"one before at the same {axis}: it holds several runs, or counts its steps anew and lacks the epoch.",
        fix=("Cut it to one run, or name what counts all steps with ", Name("step_column"), "."),
    )


def _starts(positions: NDArray[Any]) -> NDArray[np.int64]:
    """The rows at which the log starts again."""
    return 1 + np.flatnonzero((positions[1:] < positions[:-1]) & (positions[1:] <= positions[0]))


def _are_runs(positions: NDArray[Any], starts: NDArray[np.int64]) -> bool:
    """Whether the parts that begin so differ in length, as epochs do not; the last one may be cut off."""
    ends = np.maximum.reduceat(positions, np.concatenate(([0], starts)))[:-1] - positions[0]
    return bool(ends.min() < _SHORT * ends.max())


def of_last_branch(positions: NDArray[Any], rates: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which rows to keep where the log went back.

    If the rows from there on have other rates than those before at the same places, the earlier ones that lie beyond
    the end belong to a run, or a part of one, that was given up.
    """
    kept = np.ones(positions.size, np.bool_)
    back = np.flatnonzero(positions[1:] < positions[:-1])
    if not back.size:
        return kept
    start = int(back[-1]) + 1
    beyond = positions[:start] > positions[start:].max()
    if positions.size - start < _BRANCH or not beyond.any():
        return kept
    earlier = np.argsort(positions[:start], kind="stable")
    at = np.searchsorted(positions[:start][earlier], positions[start:], side="right") - 1
    before = earlier[np.maximum(at, 0)]
    same = (at >= 0) & (positions[before] == positions[start:])
    if 2 * np.count_nonzero(same & (rates[before] != rates[start:])) > np.count_nonzero(same):
        kept[:start] = ~beyond
    return kept
