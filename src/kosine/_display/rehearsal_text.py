"""A rehearsal as text: what to do next, and the table that it rests on."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

from kosine._analysis.rehearsal import EXPONENT, EXPONENTS
from kosine._core.plain_text import aligned
from kosine._display.labels import RateStyle

if TYPE_CHECKING:
    from kosine._analysis.rehearsal import Rehearsal, RehearsedPeak

_WIDTH = 78  # characters of a line
_MOST_SEEDS = 4  # that have a column of their own


def rehearsal_text(rehearsal: Rehearsal) -> str:
    """The sentences, and a line for each peak."""
    return "\n".join([*textwrap.wrap(" ".join(sentences(rehearsal)), _WIDTH), "", *_table(rehearsal)])


def sentences(rehearsal: Rehearsal) -> list[str]:
    """What was found, what follows for the full run, how far to trust it, and what it cost."""
    return [_found(rehearsal), *_at_an_end(rehearsal), *_full_length(rehearsal), _cost(rehearsal)]


def heading(rehearsal: Rehearsal) -> str:
    """The first sentence: what was found."""
    return _found(rehearsal)


def _found(rehearsal: Rehearsal) -> str:
    near, seeds = rehearsal.within_noise, len(rehearsal.rows[0].losses)
    style = _style(rehearsal)
    best = f"The best of {len(rehearsal.rows)} peaks is {style(rehearsal.best, 3)}"
    if seeds == 1:
        return f"{best}; one seed leaves the noise open."
    if len(near) == 1:
        return f"{best}, and every other one is worse by more than the noise of {seeds} seeds."
    return f"{best}; {style(near[0], 3)} to {style(near[-1], 3)} are within the noise of {seeds} seeds."


def _at_an_end(rehearsal: Rehearsal) -> list[str]:
    if not rehearsal.beyond:
        return []
    style = _style(rehearsal)
    end = "lowest" if rehearsal.best == rehearsal.rows[0].peak else "highest"
    further = " and ".join(style(peak, 3) for peak in rehearsal.beyond)
    return [f"It is the {end} of the list, so the best one may lie further out: rehearse {further} too."]


def _full_length(rehearsal: Rehearsal) -> list[str]:
    if rehearsal.scale == 1:
        return []
    style, full = _style(rehearsal), rehearsal.plan.total_steps
    low, high = (style(peak, 2) for peak in rehearsal.peak)
    return [
        f"For the full {full:,} steps: about {style(rehearsal.full_best, 2)}, between {low} and {high}.",
        f"The best peak is taken to fall with the length to the power of {EXPONENT}; measured powers are "
        f"{EXPONENTS[0]} to {EXPONENTS[1]}, and the range has both.",
    ]


def _cost(rehearsal: Rehearsal) -> str:
    runs = sum(len(row.losses) for row in rehearsal.rows)
    share = f"{rehearsal.cost:.2g} times the {rehearsal.plan.total_steps:,} of one full run"
    return f"Cost: {runs} runs of {rehearsal.short.total_steps:,} steps, {share}."


def _table(rehearsal: Rehearsal) -> list[str]:
    """A line for each peak; seeds have columns where they are few."""
    seeds = range(len(rehearsal.rows[0].losses))
    single = len(seeds) == 1
    named = [f"seed {seed}" for seed in seeds] if 1 < len(seeds) <= _MOST_SEEDS else []
    lines = [["peak", *named, "loss" if single else "mean loss", ""]]
    for row in rehearsal.rows:
        cells = [_loss(loss) for loss in row.losses] if named else []
        lines.append([_style(rehearsal)(row.peak, 3), *cells, _mean(row), _note(rehearsal, row)])
    return aligned(lines, left=(0, len(lines[0]) - 1))


def _note(rehearsal: Rehearsal, row: RehearsedPeak) -> str:
    if row.peak == rehearsal.best:
        return "best"
    return "within noise" if row.peak in rehearsal.within_noise else ""


def _mean(row: RehearsedPeak) -> str:
    if not row.diverged:
        return _loss(row.mean)
    if row.diverged == len(row.losses):
        return "diverged"
    return f"{row.diverged} of {len(row.losses)} diverged"


def _loss(loss: float) -> str:
    return f"{loss:.4g}" if math.isfinite(loss) else "diverged"


def _style(rehearsal: Rehearsal) -> RateStyle:
    return RateStyle.of(rehearsal.rows[-1].peak)
