"""Which rows of a log are odd: a few that a reading misses, where it explains all others.

    rows = odd_rows(misses)     # misses: for each row, whether the best reading misses it

`odd_rows` returns the odd rows in order, none of them where nothing is off, and None where the rows that are off are
more than odd. `check` and `infer` both ask it, so that both name the same rows.

A row is odd when it was left over from an earlier run, when it was written by hand, or when it is the step past the end
of torch's OneCycleLR. Rows that are off together are part of another schedule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEW = 3  # odd rows of a log that may have them,
_ONE_IN = 100  # and one in so many of a long one
_SHORT = 10  # rows for each odd one, at least
_TOGETHER = 3  # odd rows next to each other
_AT_THE_END = 1  # odd rows after the last row that fits: more of them are a phase of their own


def odd_rows(misses: NDArray[np.bool_]) -> NDArray[np.int64] | None:
    """The odd rows, ascending; None where the rows that are off are too many, or stand together.

    At most three rows are odd, or one in a hundred, and one in ten of a short log. At most three of them stand next to
    each other, as YOLO's rows of its warm-up do, and at most one after the last row that fits.

    Args:
        misses: for each row of a log, in order, whether the reading misses it.

    Example:
        >>> odd_rows(np.arange(200) == 57)
        array([57])
        >>> odd_rows(np.arange(200) >= 198) is None  # something else begins there
        True
    """
    rows: NDArray[np.int64] = np.flatnonzero(misses)
    count = int(misses.size)
    if not rows.size:
        return rows
    if rows.size > most_odd_rows(count):
        return None
    edges = np.flatnonzero(np.diff(rows) > 1) + 1
    for together in np.split(rows, edges):
        if together.size > (_AT_THE_END if together[-1] == count - 1 else _TOGETHER):
            return None
    return rows


def most_odd_rows(count: int) -> int:
    """How many rows of a log with this many may be odd."""
    return min(max(_FEW, count // _ONE_IN), count // _SHORT)
