"""Where the cycles of a plan end: the steps whose weights are worth keeping."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from kosine._core.timeline import PlannedPart
from kosine.errors import Described, PlanError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_CYCLES = 10**6  # an array of more would take memory that nobody means to spend


def cycle_ends(parts: Sequence[PlannedPart], total_steps: int | None) -> NDArray[Any]:
    """The steps that `Plan.cycle_ends` says."""
    import numpy as np

    if total_steps is None:
        raise PlanError(
            "The cycles of a plan without an end never stop ending.",
            missing="total_steps",
            received={"total_steps": None},
            fix="Plan the schedule for a run: `schedule.plan(total_steps=...)`.",
        )
    count = sum(len(part.cycles_in_run) for part in parts)
    if count > _MOST_CYCLES:
        raise PlanError(
            f"The ends of at most {_MOST_CYCLES:,} cycles are listed.", received=Described(f"{count:,} cycles")
        )
    starts = {before.stop for before, after in pairwise(parts) if _restarts(before, after)}
    for part in parts:
        if part.moves and part.cycles_in_run:  # the steps of a staircase are no cycles
            starts.update(step for step in part.later_cycles() if part.first_step < step < part.stop)
            starts.add(part.stop)
    ends = {step - 1 for step in starts if 0 < step < total_steps}
    return np.array(sorted(ends | {total_steps - 1}), np.int64)


def _restarts(before: PlannedPart, after: PlannedPart) -> bool:
    """Whether the rate goes up again after cycles or a decay: a restart, or a warm-up of a new cycle."""
    start, end = after.pairs[0]
    return before.falls and max(start, end) > before.end_lr
