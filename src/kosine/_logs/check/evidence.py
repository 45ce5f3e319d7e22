"""Whether the rows that agree with a plan are enough to say that the run followed it.

One row agrees with many plans, and so do rows that all lie where a plan stays at one rate. A plan that stays at one
rate everywhere is another matter: a few rows show it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.check.alignment import phases_between
from kosine._logs.check.wording import rows_text
from kosine._logs.precision import COARSE

if TYPE_CHECKING:
    from kosine._core.timeline import PlannedPhase
    from kosine._logs.check.alignment import Alignment

_MARGIN = 2  # rows beyond the numbers that the seen part of the plan is made of
_ENOUGH = 8  # rows, however many numbers
_LOOKED_AT = 2**12  # rows


def lack_of_evidence(read: Alignment) -> str | None:
    """Why rows that all agree do not show that the run followed, as a sentence; None where they do."""
    count = len(read)
    needed = min(_free_numbers(read) + _MARGIN, _ENOUGH) if count < _ENOUGH else 0
    if count < needed:
        verb = "agrees" if count == 1 else "agree"
        return (
            f"{rows_text(count)} {verb} with the plan: too few to say that the run followed it. "
            f"The part of the plan that the log covers needs at least {needed:,}."
        )
    some = read.spread(_LOOKED_AT)
    planned = read.planned(some)
    low, high = float(planned.min()), float(planned.max())
    if low == high:
        return None if _is_constant(read, low) else _only_where_it_stays(read, low)
    left_open = 2 * float(np.median(read.tolerance(some)))
    if left_open >= COARSE * (high - low):
        return (
            f"All {rows_text(count)} agree with the plan, but they are printed too coarsely to say that the run "
            f"followed it: the plan goes from {low:.6g} to {high:.6g} there, and a printed rate leaves {left_open:.2g} "
            "open."
        )
    return None


def _only_where_it_stays(read: Alignment, rate: float) -> str:
    steps = read.steps(np.array([0, len(read) - 1]))
    return (
        f"All {rows_text(len(read))} agree with the plan, but they lie where it stays at {rate:.6g} (steps "
        f"{steps[0]:,} to {steps[1]:,}): too little to say that the run followed it. Its other steps were not seen."
    )


def _is_constant(read: Alignment, rate: float) -> bool:
    """Whether a plan has this rate alone, as far as the run goes."""
    last = max(int(read.steps(np.array([len(read) - 1]))[0]), 0)
    stop = max(read.plan.total_steps or 0, last + 1)
    return all(row.first_lr == rate == row.end_lr for row in phases_between(read.plan, 0, stop))


def _free_numbers(read: Alignment) -> int:
    """The numbers that make the part of the plan which the rows cover: rates other than 0, and lengths."""
    first, last = (max(0, int(step)) for step in read.steps(np.array([0, len(read) - 1])))
    seen = [row for row in phases_between(read.plan, first, last + 1) if not row.cycle]  # of cycles, the first
    count, before = 0, None
    for number, row in enumerate(seen):
        ends = row.first_lr != row.end_lr or number < len(seen) - 1
        count += _new_rates(row, before) + ends  # the length of what ends
        before = row.end_lr
    return max(count, 1)


def _new_rates(row: PlannedPhase, before: float | None) -> int:
    starts = row.first_lr not in (0, before)
    return starts + (row.end_lr not in (0, row.first_lr))
