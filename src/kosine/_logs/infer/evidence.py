"""Whether the rows of a log are enough to say that a schedule explains them.

Any n rows fit a schedule with n numbers. So a schedule explains a log only where rows are left over, which could have
contradicted it. Rows at one level say the same thing again and again, so few of them count.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kosine._core.groups import Cycles, Part
from kosine._core.phase import Phase
from kosine._logs.precision import COARSE

if TYPE_CHECKING:
    from kosine._core.schedule import Plan
    from kosine._logs.infer.segments import Observations

MARGIN = 3
"""Rows that must be left over."""
_SAME = 4  # rows at one level that count
_NUMBERS_OF_A_SKIP = 2
_USUAL_POWERS = (0.5, 0.9, 1.5)
_LOW = 0.2  # of the highest rate: a decay whose last row is above has not come down
_MOST_UNSEEN = 2  # numbers of phases that too few rows show: the bounds of such phases are open


@dataclass(frozen=True)
class Evidence:
    """How much a log says for a schedule.

    Attributes:
        rows: the rows that say something of their own.
        numbers: the numbers that the schedule was given to fit them.
        unseen: those of them that belong to phases with too few rows.
        are_zero: whether all rates are 0, as before a run's first update, or where a log rounds them so far.
        are_coarse: whether the rates are printed so coarsely that one print may be nearly any of them.
    """

    rows: int
    numbers: int
    unseen: int
    are_zero: bool = False
    are_coarse: bool = False

    @property
    def is_too_few(self) -> bool:
        """Whether fewer rows are left over than must be."""
        return self.rows < self.numbers + MARGIN

    @property
    def is_enough(self) -> bool:
        """Whether rows are left over that could have contradicted the schedule."""
        return not (self.is_too_few or self.are_zero or self.are_coarse) and self.unseen <= _MOST_UNSEEN


def evidence_for(plan: Plan, origin: int, rows: Observations, skips: int, ends: bool) -> Evidence:
    """What the rows of a log say for a plan.

    Args:
        plan: what explains them.
        origin: the position of its first step.
        rows: the log.
        skips: places at which the plan skips steps that the log does not declare.
        ends: whether the end of the run is one of the numbers.
    """
    parts, highest = plan.schedule.parts, float(rows.y.max())
    numbers = sum(map(_numbers, parts)) + _NUMBERS_OF_A_SKIP * skips + ends
    fitted = float(rows.y[-1]) > _LOW * highest and any(map(_is_fitted, parts))
    unseen = _unseen(plan, origin, rows, ends) + (_MOST_UNSEEN + 1) * fitted
    left_open, apart = 2 * float(np.median(rows.width)), float(np.ptp(rows.y))
    coarse = apart > 0 and left_open >= COARSE * apart
    return Evidence(
        _speaking(rows.y), numbers, unseen, are_zero=float(rows.y.max()) < sys.float_info.min, are_coarse=coarse
    )


def _is_fitted(part: Part) -> bool:
    """Whether a curve has an unusual power: before it comes down, it follows the rows and says little of the rest."""
    if not isinstance(part, Phase):
        return False
    power = part.curve.arguments().get("power")
    return isinstance(power, float) and power not in _USUAL_POWERS and not power.is_integer()


def _numbers(part: Part) -> int:
    """How many numbers a part of a schedule is written with."""
    if isinstance(part, Phase):
        values = (part.duration.amount, part.start, part.to)
        return sum(value is not None for value in values) + len(part.curve.arguments())
    if isinstance(part, Cycles):
        factors = (part.stretch != 1, part.shrink != 1, part.count is not None)
        return sum(map(_numbers, part.phases)) + sum(factors)
    return sum(map(_numbers, part.parts)) + bool(part.skip.amount) + (part.tick.amount != 1)


def _speaking(y: np.ndarray) -> int:
    """The rows, no more than four of those one after the other that have the same rate."""
    firsts = np.flatnonzero(np.diff(y, prepend=np.nan) != 0)
    return int(np.minimum(np.diff(np.append(firsts, y.size)), _SAME).sum())


def _unseen(plan: Plan, origin: int, rows: Observations, ends: bool) -> int:
    """The numbers of phases that have fewer rows than numbers; of a schedule without groups."""
    parts = plan.schedule.parts
    if not all(isinstance(part, Phase) for part in parts):
        return 0
    stops = np.array([phase.stop for phase in plan.phases[:-1]], np.float64) + origin
    cuts = [0, *np.searchsorted(rows.x + 0.5, stops).tolist(), len(rows)]
    missing = 0
    for index, part in enumerate(parts):
        own = _numbers(part) - _is_shared(parts, index) + (ends and index == len(parts) - 1)
        if own == 1 and plan.phases[index].steps == 1:
            continue  # the one step at a peak, which most logs do not show
        missing += max(0, own - _speaking(rows.y[cuts[index] : cuts[index + 1]]))
    return missing


def _is_shared(parts: Sequence[Part], index: int) -> bool:
    """Whether a phase ends at the rate that the next one begins at: the rows of that one show it."""
    part, after = parts[index], parts[index + 1] if index + 1 < len(parts) else None
    return isinstance(part, Phase) and part.to is not None and isinstance(after, Phase) and after.start is None
