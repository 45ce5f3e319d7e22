"""A prediction as a table."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from kosine._core.plain_text import aligned, printable, shortened

if TYPE_CHECKING:
    from kosine._logs.predict.prediction import PredictedPlan, Prediction

_WIDTH = 80  # columns
_TESTED = (
    "Tested on public runs only, all of them one-pass pre-training of language models with AdamW: from one run of "
    "25,000 steps the error of the last loss was 0.010 to 0.021 on average, and the range held 89 to 94 % of these "
    "losses."
)


def prediction_text(prediction: Prediction) -> str:
    """The plans in the order of their losses, with ranges, and what the numbers rest on."""
    lines = [*aligned(_rows(prediction), left=(0, 1)), ""]
    for remark in (*prediction.reasons, _fit(prediction), _TESTED):
        lines += textwrap.wrap(printable(remark), _WIDTH)
    return "\n".join(lines)


def sentence(prediction: Prediction) -> str:
    """The result in one sentence."""
    best = prediction.best
    loss = f"{best.loss:.4f}, {best.low:.4f} to {best.high:.4f}"
    if len(prediction.rows) == 1:
        return f"The predicted loss at the end is {loss}."
    return f"Of {len(prediction.rows)} plans {best.name} has the lowest predicted loss: {loss}."


def _rows(prediction: Prediction) -> list[list[str]]:
    rows = [["", "plan", "steps", "loss", "range", "above the best"]]
    for row in prediction.rows:
        above = "best" if row is prediction.best else f"+{row.loss - prediction.loss:.4f}"
        rows.append(
            [row.mark, "", f"{row.plan.total_steps:,}", f"{row.loss:.4f}", f"{row.low:.4f} to {row.high:.4f}", above]
        )
    if len(rows) == 2:
        rows = [row[:-1] for row in rows]
    room = _WIDTH - sum(max(len(row[column]) for row in rows) + 2 for column in range(len(rows[0])) if column != 1)
    for line, row in zip(rows[1:], prediction.rows, strict=True):
        line[1] = shortened(called(row), max(room, 8))
    return rows


def called(row: PredictedPlan) -> str:
    """The name of a plan, or its schedule where it has a letter only."""
    return repr(row.plan.schedule)[len("Schedule(") : -1] if row.name == row.mark else row.name


def _fit(prediction: Prediction) -> str:
    fit = prediction.fit
    return (
        f"The best fit has L0 = {fit.l0:.4g}, A = {fit.a:.3g}, alpha = {fit.alpha:.3g}, C = {fit.c:.3g}, "
        f"tau = {fit.tau:.3g}."
    )
