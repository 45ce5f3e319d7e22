"""Which steps of a plan are worth looking at: a bounded number of them, however long the run is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from kosine._analysis.cycles_across import cycles_across
from kosine._core.evaluate import array_function
from kosine._core.numbers import MAX_STEPS
from kosine._core.planned_cycles import PlannedCycles
from kosine._core.timeline import PlannedPhase
from kosine.errors import Name, PlanError, Text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._core.schedule import Plan

COLUMNS = 1000
"""About the pixels across a picture: more points than a few for each are never seen."""

GIVE_A_LENGTH: Text = ("Give ", Name("total_steps"), ", or ", Name("epochs"), " and ", Name("steps_per_epoch"), ".")

MOST_MARKS = 48
"""More bands or restart lines than this hide the curve."""


def trace(plan: Plan, columns: int = COLUMNS) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Steps, ascending, and their rates: few enough to draw, with the ends of every phase that can be seen.

    Every curve is monotone between its ends, so the first and the last step of a phase are its extremes. Where there
    are at most as many cycles as columns, all restarts are included, with the step before each. Of more cycles a few
    for each column are included; of more phases than columns, those with the highest and the lowest ends.

    Args:
        plan: a plan with a length.
        columns: how many points the picture can show side by side.

    Raises:
        PlanError: a plan of a schedule that never ends, made without a length.
    """
    total = length(plan)
    rows = _rows(plan, total, columns)
    least = 16 if len(rows) * 16 <= 4 * columns else 2
    steps = [np.array(_steps(row, total, columns, least), np.int64) for row in rows]
    return np.concatenate(steps), np.concatenate([_rates(row, own) for row, own in zip(rows, steps, strict=True)])


def thin(x: NDArray[Any], y: NDArray[Any], columns: int = COLUMNS) -> NDArray[np.intp]:
    """The indices that are worth drawing: of each column's points the first, the last, the highest and the lowest."""
    if x.size <= 4 * columns:
        return np.arange(x.size)  # four points a column are no more than what would be kept
    low, high = float(x.min()), float(x.max())
    column = np.minimum(((x - low) / max(high - low, 1e-300) * columns).astype(np.int64), columns - 1)
    by_rate = np.lexsort((y, column))
    edges = np.flatnonzero(np.diff(column[by_rate], prepend=-1, append=columns))
    extremes = np.concatenate([by_rate[edges[:-1]], by_rate[edges[1:] - 1]])
    in_order = np.argsort(column, kind="stable")
    ends = np.concatenate([in_order[edges[:-1]], in_order[edges[1:] - 1]])
    return np.unique(np.concatenate([extremes, ends]))


def length(plan: Plan) -> int:
    """The number of steps of the run; PlanError where the plan has none."""
    if plan.total_steps is None:
        raise PlanError(
            "A schedule that never ends can be shown only for a run with a length.",
            received=plan.schedule,
            fix=GIVE_A_LENGTH,
            missing="total_steps",
        )
    return plan.total_steps


def restarts(plan: Plan, most: int = MOST_MARKS) -> list[int]:
    """The steps at which a cycle goes back to its start; none where there are more than `most`.

    A group that ends where it starts, such as a cosine down and up again or the single holds of `step_decay`, does not
    jump back.
    """
    total = length(plan)
    steps: list[int] = []
    for part in plan.parts:
        if part.jumps_back:
            if len(part.cycles_in_run) - 1 > most - len(steps):
                return []
            steps += part.later_cycles()
    return [step for step in steps if step < total]


def _rows(plan: Plan, total: int, columns: int) -> list[PlannedPhase]:
    """The phases to draw, a few for each column."""
    counts = [len(part.cycles_in_run) for part in plan.parts if part.cycles_in_run]
    most = columns if sum(counts) <= columns else columns // len(counts)
    rows: list[PlannedPhase] = []
    jumps: set[int] = set()  # the first steps of the cycles that are all drawn
    for part in plan.parts:
        if part.first_step >= total:
            break
        if isinstance(part, PlannedCycles):
            every_cycle = len(part.cycles_in_run) <= most
            rows += _cycle_rows(part, total, columns, every_cycle)
            jumps.update(map(part.boundary, part.cycles_in_run) if every_cycle else ())
        else:
            rows += part.rows(part.first_step, total)
    rows = [row for row in rows if row.steps != 0 and row.first_step < total]
    if not rows or rows[-1].stop < total:
        rows.append(plan.phase_at(total - 1))
    if len(rows) <= 8 * columns:
        return rows
    begins = np.array([row.first_step for row in rows], np.int64)
    first, last = (np.array(rates) for rates in zip(*(_ends(row, total) for row in rows), strict=True))
    keep = {*thin(begins, first, columns).tolist(), *thin(begins, last, columns).tolist()}
    keep |= {at for i in range(1, len(rows)) if rows[i].first_step in jumps for at in (i - 1, i)}
    return [rows[index] for index in sorted(keep)]


def _cycle_rows(group: PlannedCycles, total: int, columns: int, every_cycle: bool) -> Iterator[PlannedPhase]:
    """The phases of a group to draw: of each cycle, or of cycles spread evenly, those that show how it goes."""
    cycles = group.cycles_in_run
    phases = _drawn_phases(group, max(1, columns // len(cycles)))
    chosen: Iterable[int] = cycles
    if not every_cycle:
        stop = min(group.boundary(cycles.stop), group.stop, total)
        share = max(2, columns // 2 * (stop - group.first_step) // total)
        if len(cycles) > share:
            chosen = cycles_across(group, cycles, phases, stop, share)
    first = group.row_at(group.first_step)
    yield first
    for cycle in chosen:
        for phase in phases:
            row = group.row(cycle, phase)
            if row.first_step > first.first_step:
                yield row


def _drawn_phases(group: PlannedCycles, columns: int) -> list[int]:
    """All phases of a cycle that has few, else its ends and those with the highest and the lowest ends."""
    count = len(group.part.phases)
    if count <= 4 * columns:
        return list(range(count))
    cycles = group.cycles_in_run
    rows = [group.row(cycles[min(1, len(cycles) - 1)], phase) for phase in range(count)]
    position = np.array(group.offsets[:-1], np.float64)
    first, last = (np.array(rates) for rates in zip(*(_ends(row) for row in rows), strict=True))
    return sorted({*thin(position, first, columns).tolist(), *thin(position, last, columns).tolist()})


def _steps(row: PlannedPhase, total: int, columns: int, least: int) -> list[int]:
    """Steps of a phase, ascending: both ends, and between them as many as can be seen."""
    last = min(row.stop, total) - 1 - row.first_step
    points = min(last, max(least, 2 * columns * (last + 1) // total))
    cut, tick = row.clock.cut, row.clock.tick
    ticks = (last + cut) // tick
    if tick > 1 and ticks <= points:  # both sides of each stair
        between = {number * tick - cut - side for number in range(1, ticks + 1) for side in (1, 0)}
    else:
        between = {last * k // points for k in range(1, points)}
    return [row.first_step + offset for offset in sorted({0, *between, last})]


def _rates(row: PlannedPhase, steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """The rates of ascending steps of one phase. The plan gives the same, but must look for the phase first."""
    inside = int(np.searchsorted(steps, row.end_step)) if row.endpoint and row.end_step <= MAX_STEPS else steps.size
    rates = np.full(steps.shape, row.clock.to)
    if inside:
        rates[:inside] = array_function(row.curve, row.clock)(steps[:inside] - row.first_step)
    return rates


def _ends(row: PlannedPhase, total: int = MAX_STEPS) -> tuple[float, float]:
    """The rates of the first and the last step of a phase."""
    rate = row.function()
    return rate(0), rate(max(min(row.stop, total) - 1 - row.first_step, 0))
