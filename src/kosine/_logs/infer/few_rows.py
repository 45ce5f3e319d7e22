"""Phases that have no row to spare: any two rows lie on a line, so such phases say nothing of the rates between.

One of them may be what was meant, as a short warm-up is. Several next to each other only follow the rows of another
curve.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from kosine._core.phase import Phase
from kosine._logs.infer.curve_fits import HOLD, LINEAR
from kosine._logs.infer.skipped_steps import Skip
from kosine._logs.infer.to_schedule import SnappedPhases

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._core.schedule import Plan
    from kosine._logs.infer.segments import Observations

_OF_A_LINE, _OF_A_CURVE = 3, 4  # rows that leave one to spare
_MOST = 2  # phases without a row to spare
_MANY = 0.2  # of the steps of a phase: mixed precision skips fewer of a warm-up


def only_follow(whole: SnappedPhases, x: NDArray[np.float64]) -> bool:
    """Whether phases only follow rows.

    Two next to each other, or more than two in all, have no row to spare; or one that rises to another rate than the
    next begins at, so that nothing bears it out.
    """
    phases = whole.phases
    places = np.cumsum([whole.origin, *(phase.steps for phase in phases)]).tolist()
    meets = [*(before.end == after.start for before, after in pairwise(phases)), False]
    bare = [
        phase.kind is not HOLD
        and _rows(x, places[index], places[index + 1], joined=meets[index]) < _least(phase.kind.name)
        for index, phase in enumerate(phases)
    ]
    for index, phase in enumerate(phases[:-1]):
        if bare[index] and not meets[index] and phase.start < phase.end:
            return True
    return sum(bare) > _MOST or any(before and after for before, after in pairwise(bare))


def skips_explain_rows(plan: Plan, origin: int, rows: Observations, skips: Sequence[Skip]) -> bool:
    """Whether the skipped steps make a phase of few rows: with enough of them, it can be on any of its rows.

    It has no row to spare, or it lost many of its steps and has not as many rows to spare as places where they were.
    """
    places = [(float(rows.x[row]), count) for row, count in skips]
    for spare in (0, len(places)):
        for _, begin, stop in bare_phases(plan, origin, rows, spare):
            lost = sum(count for place, count in places if begin <= place <= stop)
            if lost > (_MANY * (stop - begin) if spare else 0):
                return True
    return False


def bare_phases(plan: Plan, origin: int, rows: Observations, spare: int = 0) -> Iterator[tuple[str, int, int]]:
    """The phases before the cycles of a plan, if any, that have no row to spare: the curve, and its two bounds.

    Args:
        plan: what explains the rows.
        origin: the position of its first step.
        rows: the log.
        spare: rows that are to be left over besides.
    """
    parts, last = plan.schedule.parts, float(rows.x[-1])
    for index, part in enumerate(parts):
        if not isinstance(part, Phase) or index >= len(plan.phases):
            return
        phase = plan.phases[index]
        after = parts[index + 1] if index + 1 < len(parts) else None
        begin = phase.first_step + origin
        stop = last + 1 if phase.stop is None else min(phase.stop + origin, last + 1)
        joined = isinstance(after, Phase) and after.start is None
        inside = stop - begin > 1 and part.curve.name != HOLD.name
        if inside and _rows(rows.x, begin, stop, joined=joined) < _least(part.curve.name) + spare:
            yield part.curve.name, begin, round(stop)


def _least(curve: str) -> int:
    return _OF_A_LINE if curve == LINEAR.name else _OF_A_CURVE


def _rows(x: NDArray[np.float64], begin: float, stop: float, *, joined: bool) -> int:
    """How many rows are on a phase, with that at its end where the next one begins at this rate."""
    first, last = np.searchsorted(x + 0.5, [begin, stop])
    at_end = joined and last < x.size and abs(float(x[last]) - stop) < 0.5
    return int(last - first) + bool(at_end)
