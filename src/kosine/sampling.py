"""Which steps of a plan are worth looking at: a bounded number of them, however long the run is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kosine.boundaries import Group, PlannedPhase
from kosine.errors import PlanError, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine.plan import Plan

COLUMNS = 1000
"""About the pixels across a picture: more points than a few for each are never seen."""

MOST_MARKS = 48
"""More bands or restart lines than this hide the curve."""


def trace(plan: Plan, columns: int = COLUMNS) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Steps, ascending, and their rates: few enough to draw, with the ends of every phase that can be seen.

    Every curve is monotone between its ends, so the first and the last step of a phase are its extremes. Where more
    phases than columns share the width, each column keeps the highest and the lowest of them.

    Args:
        plan: a plan with a length.
        columns: how many points can be told apart across the picture.

    Raises:
        PlanError: a plan of a schedule that never ends, made without a length.
    """
    total = length(plan)
    rows = _rows(plan, total, columns)
    least = 16 if len(rows) * 16 <= 4 * columns else 2
    steps: set[int] = {0, total - 1}
    for row in rows:
        last = min(row.stop, total) - 1 - row.first_step
        points = min(last, max(least, 2 * columns * (last + 1) // total))
        steps.update(row.first_step + last * k // points for k in range(points + 1) if points)
        steps.add(row.first_step)
    ordered = np.array(sorted(steps), np.int64)
    return ordered, np.asarray(plan(ordered), np.float64)


def thin(x: NDArray[Any], y: NDArray[Any], columns: int = COLUMNS) -> NDArray[np.intp]:
    """The indices that are worth drawing: of each column's points the first, the last, the highest and the lowest."""
    if x.size <= 4 * columns:
        return np.arange(x.size)
    low, high = float(x.min()), float(x.max())
    column = np.minimum(((x - low) / max(high - low, 1e-300) * columns).astype(np.int64), columns - 1)
    by_rate = np.lexsort((y, column))
    edges = np.flatnonzero(np.diff(column[by_rate], prepend=-1, append=columns))
    extremes = np.concatenate([by_rate[edges[:-1]], by_rate[edges[1:] - 1]])
    in_order = np.argsort(column, kind="stable")
    ends = np.concatenate([in_order[edges[:-1]], in_order[edges[1:] - 1]])
    return np.unique(np.concatenate([extremes, ends]))


def length(plan: Plan) -> int:
    """The number of steps to draw.

    Raises:
        PlanError: the plan has none.
    """
    if plan.total_steps is None:
        raise PlanError(
            f"A schedule that never ends cannot be drawn to its end. Received: {shown(plan.schedule)} planned without "
            "a length. Call `plan` with `total_steps`, or with `epochs` and `steps_per_epoch`."
        )
    return plan.total_steps


def restarts(plan: Plan, most: int = MOST_MARKS) -> list[int]:
    """The steps at which a cycle goes back to its start; none where there are more than `most`.

    A group that only holds its values, as in `step_decay`, goes back to nothing, and one that ends where it starts,
    such as a cosine down and up again, does not jump.
    """
    total = length(plan)
    steps: list[int] = []
    for group in (block for block in plan.blocks if isinstance(block, Group)):
        if group.values[::2] == group.values[1::2] or group.values[0] == group.values[-1]:
            continue
        if len(group.cycles_shown) - 1 > most - len(steps):
            return []
        steps += [group.boundary(cycle) for cycle in group.cycles_shown[1:]]
    return [step for step in steps if step < total]


def _rows(plan: Plan, total: int, columns: int) -> list[PlannedPhase]:
    """The phases to draw, a few for each column."""
    rows = [row for row in _candidates(plan, total, columns) if row.steps != 0 and row.first_step < total]
    if not rows or rows[-1].stop < total:
        rows.append(plan.phase_at(total - 1))
    if len(rows) <= 4 * columns:
        return rows
    first = np.array([row.first_step for row in rows], np.float64)
    keep = {
        *thin(first, np.array([row.first_lr for row in rows]), columns).tolist(),
        *thin(first, np.array([max(row.first_lr, row.end_lr) for row in rows]), columns).tolist(),
        *thin(first, np.array([min(row.first_lr, row.end_lr) for row in rows]), columns).tolist(),
    }
    return [rows[index] for index in sorted(keep)]


def _candidates(plan: Plan, total: int, columns: int) -> Iterator[PlannedPhase]:
    for block in plan.blocks:
        if isinstance(block, PlannedPhase):
            yield block
            continue
        cycles = block.cycles_shown
        chosen: Sequence[int] = cycles
        phases: Sequence[int] = range(len(block.part.phases))
        if (
            len(cycles) * len(phases) > 2 * columns
        ):  # one whole cycle for every other column, the highest and the last ones among them
            chosen = _cycles_across(block, min(block.boundary(cycles.stop), block.stop, total), columns // 2)
            if len(phases) > 8:
                values = block.values
                ends = {values.index(max(values)) // 2, values.index(min(values)) // 2}
                phases = sorted({0, *ends, len(phases) - 1})
        for cycle in chosen:
            for phase in phases:
                yield block.row(cycle, phase)


def _cycles_across(group: Group, stop: int, count: int) -> list[int]:
    """About `count` cycles, evenly spread over the width. Which ones are taken is a matter of looks: floats will do."""
    cycles, begin = group.cycles_shown, group.boundary(0)
    across = np.linspace(group.first_step - begin, stop - begin, count) / float(group.offsets[-1] * group.view.tick)
    growth = float(group.part.exact_stretch) - 1
    index = across if growth == 0 else np.log1p(across * growth) / math.log1p(growth)
    spread = set(np.clip(index, cycles[0], cycles[-1]).astype(np.int64).tolist())
    return sorted(spread | {cycles[0], cycles[-2:][0], cycles[-1]})
