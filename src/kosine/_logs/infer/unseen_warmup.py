"""A warm-up that is over after a few rows: YOLO's lasts three epochs, so a log of epochs has three rows of it.

So few rows show no curve. They are left out where one schedule explains all rows after them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kosine._logs.infer.curve_fits import LOOSE
from kosine._logs.infer.segments import Observations, Segment

_MOST = 5  # rows of a warm-up that show no curve,
_ONE_IN = 10  # and one in so many of a log
_SHARE = 0.8  # of a log that one curve goes through


def rows_of_warmup(rows: Observations, seen: Sequence[Segment]) -> int:
    """How many of the first rows may be a warm-up that shows no curve; 0 where the log has none.

    Args:
        rows: the log.
        seen: its first segments.
    """
    longest = max(seen, key=lambda segment: segment.stop - segment.first, default=None)
    if longest is None or longest.stop - longest.first < _SHARE * len(rows):
        return 0
    missed = np.flatnonzero(~(rows.off(longest.arc, 0, longest.first) <= LOOSE))
    count = int(missed[-1]) + 1 if missed.size else 0
    return count if 1 < count <= min(_MOST, len(rows) // _ONE_IN) else 0
