"""A comparison as a table."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from kosine._core.plain_text import aligned, shortened

if TYPE_CHECKING:
    from kosine._analysis.compare import Comparison

_WIDTH = 80  # columns


def comparison_text(comparison: Comparison) -> str:
    """The plans with their areas, where each differs from the first, and remarks on the comparison."""
    lines = [*_plans_table(comparison), "", *_differences_table(comparison), *_remarks(comparison)]
    return "\n".join(lines)


def _plans_table(comparison: Comparison) -> list[str]:
    """Each plan with its letter, its length and its area."""
    per_epoch = comparison.steps_per_epoch
    rows = [["", "plan", "steps", *(["epochs"] if per_epoch else []), "area", f"of {comparison.marks[0]}'s"]]
    whole = comparison.summaries[0].area
    for mark, summary in zip(comparison.marks, comparison.summaries, strict=True):
        epochs = [f"{summary.total_steps / per_epoch:.6g}"] if per_epoch else []
        share = f"{100 * summary.area / whole:.5g} %" if whole else ""
        rows.append([mark, "", f"{summary.total_steps:,}", *epochs, f"{summary.area:.6g}", share])
    room = _WIDTH - sum(max(len(row[column]) for row in rows) + 2 for column in range(len(rows[0])) if column != 1)
    for row, plan, name, mark in zip(rows[1:], comparison.plans, comparison.names, comparison.marks, strict=True):
        row[1] = shortened(repr(plan.schedule)[len("Schedule(") : -1] if name == mark else name, max(room, 8))
    return aligned(rows, left=(0, 1))


def _differences_table(comparison: Comparison) -> list[str]:
    """Where each further plan differs from the first."""
    if comparison.equal:
        return [_equal(comparison)]
    first, per_epoch, peak = comparison.marks[0], comparison.steps_per_epoch, comparison.peak
    rows = [["", "differs from", "most at step", f"rate of {first}", "its rate", "difference", "of peak"]]
    for mark, difference in zip(comparison.marks[1:], comparison.differences, strict=True):
        if not difference.largest:
            rows.append([mark, "never", "", "", "", "", ""])
            continue
        begin = "never" if difference.first_step is None else f"step {difference.first_step:,}"
        rates = [f"{rate:.4g}" for rate in difference.rates]
        share = f"{100 * difference.largest / peak:.3g} %" if peak else ""
        rows.append([mark, begin, f"{difference.step:,}", *rates, f"{difference.largest:.4g}", share])
        if per_epoch and difference.first_step is not None:
            epochs = [f"epoch {round(step / per_epoch, 2):.10g}" for step in (difference.first_step, difference.step)]
            rows.append(["", *epochs, "", "", "", ""])
    return aligned(rows)


def _equal(comparison: Comparison) -> str:
    steps = f"{comparison.total_steps:,} step{'s' if comparison.total_steps > 1 else ''}"
    seen = "" if comparison.exhaustive else ", as far as was looked at"
    if not any(difference.largest for difference in comparison.differences):
        return f"They are equal: the same rates at all {steps}{seen}."
    most = max(difference.largest for difference in comparison.differences)
    return (
        f"They are equal: over {steps} no two rates differ by more than {most:.4g},{seen[1:]}\n"
        f"within the tolerance of {comparison.tolerance:g} of the peak, {comparison.peak:.6g}."
    )


def _remarks(comparison: Comparison) -> list[str]:
    """What a reader must know of how the plans were compared."""
    found: list[str] = []
    total = comparison.total_steps
    for plan, mark in zip(comparison.plans, comparison.marks, strict=True):
        end = plan.total_steps or 0
        if end < total:
            goes_on = f"stays at {plan(end):.6g}" if plan.after.first_step <= end else "goes on as its schedule does"
            found.append(f"{mark} ends at step {end:,} of {total:,}; from there on it {goes_on}.")
    for mark, difference in zip(comparison.marks[1:], comparison.differences, strict=True):
        if difference.looked_at is not None:
            found.append(
                f"{mark}: {difference.looked_at:,} of {total:,} steps were looked at; elsewhere {mark} may "
                "differ earlier, or more."
            )
    lines = [line for remark in found for line in textwrap.wrap(remark, _WIDTH, subsequent_indent="   ")]
    return ["", *lines] if lines else []
