"""A plan as a table."""

from __future__ import annotations

import math

from kosine._core.plain_text import aligned
from kosine._core.schedule import Plan
from kosine._core.timeline import PlannedPhase

_TABLE_LINES = 24  # phases that a table shows


def plan_table(plan: Plan) -> str:
    """The phases of a plan as a table for a terminal; the middle rows are left out where there are many."""
    return "\n".join(aligned(plan_table_lines(plan)))


def plan_table_lines(plan: Plan) -> list[list[str]]:
    """The cells of that table: the header, a line for each phase, and the total."""
    rows = plan.phases
    per_epoch = plan.run.steps_per_epoch
    shown_rows: list[PlannedPhase | None] = list(rows[:_TABLE_LINES])
    if len(rows) > _TABLE_LINES:
        shown_rows = [*rows[: _TABLE_LINES - 4], None, *rows[-3:]]
    header = ["phase", "first step", "steps", *(["epochs"] if per_epoch else []), "from", "to"]
    lines = [header]
    for row in shown_rows:
        if row is None:
            lines.append([f"... {len(rows) - _TABLE_LINES + 1:,} more"] + [""] * (len(header) - 1))
            continue
        epochs = [_epochs(row.steps, per_epoch)] if per_epoch else []
        name = row.name if row.cycle is None else f"{row.name}  #{row.cycle + 1:,}"
        if row.clock.tick > 1 and row.name != "hold":
            name += f"  every {row.clock.tick:,}"
        steps = "for ever" if row.steps is None else f"{row.steps:,}"
        end = row.end_lr
        if row.steps is None and plan.total_steps is not None and plan.total_steps > row.first_step:
            end = plan(plan.total_steps)  # the rate at the end of the run
        lines.append([name, f"{row.first_step:,}", steps, *epochs, f"{row.first_lr:.6g}", f"{end:.6g}"])
    total = "for ever" if plan.total_steps is None else f"{plan.total_steps:,}"
    epochs = [_epochs(plan.total_steps, per_epoch)] if per_epoch else []
    return [*lines, ["total", "", total, *epochs, "", ""]]


def _epochs(steps: int | None, per_epoch: int) -> str:
    return "" if steps is None else f"{math.floor(steps / per_epoch * 100 + 0.5) / 100:g}"
