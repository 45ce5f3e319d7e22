"""The steps at which polynomials restart: Keras shows the end of a cycle there, others the beginning of the next.

Where no row is at such a step, the log leaves open which of the two rates it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from kosine._core.schedule import Plan
    from kosine._logs.infer.segments import Observations

_KIND = "polynomial"
_MOST = 24  # restarts that are looked at


def unseen_restarts(plan: Plan, origin: int, rows: Observations) -> Iterator[tuple[str, int]]:
    """The curve and the position of each restart of a polynomial that no row is at.

    Args:
        plan: what explains the rows.
        origin: the position of its first step.
        rows: the log.
    """
    for before, after in islice(pairwise(plan.phases), _MOST):
        place = after.first_step + origin
        inside = bool(rows.x[0] < place < rows.x[-1])
        if before.name == after.name == _KIND and inside and not bool(np.any(np.abs(rows.x - place) < 0.5)):
            yield before.name, place
