"""Warm-ups that a schedule's phases do not show: YOLO's lasts three epochs and multiplies the rates of the decay.

A log of epochs has three rows of it, and so few rows show no curve. Where epochs have few batches it lasts longer, and
its rates are the product of a line and the decay. In both cases its rows are left out where one schedule explains all
rows after them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kosine._logs.infer.curve_fits import HOLD, LOOSE
from kosine._logs.infer.segments import Observations, Segment

MOST_UNSEEN = 5
"""Rows of a warm-up that show no curve: more of them must be a product."""
_ONE_IN = 10  # rows of a log may be of such a warm-up
_SHARE = 0.8  # of a log that one curve goes through
_PRODUCT_SHARE = 0.6  # of it after a warm-up that is a product
_NEAR = 1e-3  # of the peak: how far the rates of a product may be off a line, once the decay is divided out


def rows_of_warmup(rows: Observations, seen: Sequence[Segment]) -> int:
    """How many of the first rows may be a warm-up that shows no curve of its own; 0 where the log has none.

    Args:
        rows: the log.
        seen: its first segments.
    """
    longest = max(seen, key=lambda segment: segment.stop - segment.first, default=None)
    if longest is None or longest.stop - longest.first < _PRODUCT_SHARE * len(rows):
        return 0
    missed = np.flatnonzero(~(rows.off(longest.arc, 0, longest.first) <= LOOSE))
    count = int(missed[-1]) + 1 if missed.size else 0
    few = 1 < count <= min(MOST_UNSEEN, len(rows) // _ONE_IN) and longest.stop - longest.first >= _SHARE * len(rows)
    alone = longest.arc.kind is not HOLD and longest.stop == len(rows)  # a line times a level is a line
    many = alone and count > MOST_UNSEEN and _is_product(rows.part(0, count), longest)
    return count if few or many else 0


def _is_product(warmup: Observations, decay: Segment) -> bool:
    """Whether these rates are those of a decay times a line that rises from 0 or near it to 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = warmup.y / decay.arc.predict(warmup.x)
    if not bool(np.isfinite(shares).all()) or not 0 <= shares[0] < shares[-1] <= 1 + _NEAR:
        return False
    slope = float(shares[-1] - shares[0]) / float(warmup.x[-1] - warmup.x[0])
    line = shares[0] + slope * (warmup.x - warmup.x[0])
    nearly_there = shares[-1] + 1.5 * slope * float(np.diff(warmup.x)[-1]) >= 1
    return nearly_there and float(np.abs(shares - line).max()) <= _NEAR
