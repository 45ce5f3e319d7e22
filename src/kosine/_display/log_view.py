"""What a picture of a log shows, whatever draws it: its rows, the plan's curve under them, and where they part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kosine._analysis.sampling import COLUMNS, trace
from kosine._core.schedule import Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._logs.trace import Trace

_SMALL = 0.05  # of the run: of a log that covers less, only the part of the plan around it is shown


class PlanCurve(NamedTuple):
    """The curve of a plan on the axis of a log."""

    positions: NDArray[np.float64]
    steps: NDArray[np.int64]
    rates: NDArray[np.float64]


@dataclass(frozen=True)
class LogView:
    """A log and the plan that it is held against, in units of the log's own axis.

    Attributes:
        log: the log.
        plan: the plan; None where no schedule is known.
        expected: the plan's rate at each row of the log.
        offset: the plan's step that is drawn at position 0.
        steps_per_unit: how many steps of the plan a unit of the log's axis has.
        skips: (position, count) of steps that the plan did not advance by.
    """

    log: Trace
    plan: Plan | None
    expected: NDArray[np.float64] | None
    offset: int = 0
    steps_per_unit: Fraction = Fraction(1)
    skips: tuple[tuple[int, int], ...] = ()

    @property
    def log_name(self) -> str:
        """What to call the log's rows: its file, and its param group where there are others."""
        group = f" ({self.log.name})" if len(self.log.groups) > 1 else ""
        return f"{self.log.source or self.log.name}{group}"

    @property
    def limits(self) -> tuple[float, float]:
        """The steps that are shown: the whole run, or those around a log that covers little of it."""
        low, high = float(self.log.positions[0]), float(self.log.positions[-1])
        begin, end = low, self._after(high)
        if self.plan is None:
            return begin, high if high > low else end
        ends = self._positions(np.array([0, self.plan.total_steps or 0], np.int64)).tolist()
        begin, end = min(begin, max(ends[0], 0.0)), max(end, ends[1])
        if 0 < high - low < _SMALL * (end - begin):
            pad = 0.1 * (high - low)
            return max(begin, low - pad), min(end, self._after(high) + pad)
        return begin, end

    @property
    def steps_per_epoch(self) -> int | None:
        """The steps of an epoch, where the axis counts the steps of the plan."""
        if self.plan is None or self.log.axis != "step" or abs(self.offset) > 1 or self.skips:
            return None
        return self.plan.run.steps_per_epoch

    def rows(self, columns: int = COLUMNS) -> NDArray[np.intp]:
        """The rows of the log that are worth drawing: of each column the ends, the extremes and what is furthest off.

        They are looked for a column at a time, as a log may have more rows than there is room for twice.
        """
        positions, rates = self.log.positions, self.log.rates
        if len(self.log) <= 4 * columns:
            return np.arange(len(self.log))
        edges = np.searchsorted(positions, np.linspace(positions[0], positions[-1], columns + 1)[1:-1]).tolist()
        found: set[int] = set()
        for first, stop in pairwise([0, *edges, len(self.log)]):
            if first == stop:
                continue
            here = rates[first:stop]
            curves = [here] if self.expected is None else [here, here - self.expected[first:stop]]
            found.update((first, stop - 1))
            found.update(first + int(at) for curve in curves for at in (curve.argmin(), curve.argmax()))
        return np.array(sorted(found), np.intp)

    def course(self, columns: int = COLUMNS) -> PlanCurve | None:
        """The curve of the plan over what is shown, and in its log's units."""
        if self.plan is None:
            return None
        low, high = self.limits
        first, stop = np.maximum(self._steps(np.array([low, high])), 0).tolist()
        last = max(first, stop - 1)
        plan = self.plan
        if plan.total_steps is None:
            plan = Plan(plan.schedule, replace(plan.run, total_steps=last + 1))
        ends = [step for row in (plan.phase_at(first), plan.phase_at(last)) for step in (row.first_step, row.stop - 1)]
        even = np.linspace(first, last, 4 * columns).astype(np.int64)
        worth = np.unique(np.concatenate([trace(plan, columns)[0], even, np.clip(ends, first, last)]))
        places = np.array([place for place, _ in self.skips], np.float64)
        around = [self._positions(worth), places, places - float(1 / self.steps_per_unit)]
        positions = np.unique(np.concatenate(around))
        steps = self._steps(positions)
        shown = (positions >= low) & (steps <= last) & (steps >= 0)
        return PlanCurve(positions[shown], steps[shown], plan(steps[shown]))

    def _after(self, position: float) -> float:
        """Where the step after one begins."""
        return position + float(1 / self.steps_per_unit)

    def _steps(self, positions: NDArray[Any]) -> NDArray[np.int64]:
        """The steps of the plan at positions of the log; below 0 before it begins."""
        read = np.floor(positions * float(self.steps_per_unit) + 0.5).astype(np.int64) + self.offset
        places, skipped = self._skipped
        return np.asarray(read - skipped[np.searchsorted(places, positions, side="right")])

    def _positions(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """The positions of steps of the plan in the log, after the skipped steps before them."""
        places, skipped = self._skipped
        starts = np.maximum.accumulate(places * float(self.steps_per_unit) + self.offset - skipped[1:])
        late = skipped[np.searchsorted(starts, steps, side="right")]
        return np.asarray((steps - self.offset + late) / float(self.steps_per_unit))

    @property
    def _skipped(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The places of skipped steps, ascending, and how many there were before the first, the second, ..."""
        found = sorted(self.skips)
        counts = np.array([0, *(count for _, count in found)], np.int64)
        return np.array([place for place, _ in found], np.float64), np.cumsum(counts)
