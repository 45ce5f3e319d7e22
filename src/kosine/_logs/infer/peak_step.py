"""A step at the peak between a warm-up and the decay after it, as nanoGPT, llm.c and torchtitan have; one before it.

At most one row of a log shows it, so it has no segment. Where the next curve determines its own beginning, as a cosine
does, the segments show the step: the line ends before that beginning. Otherwise the sign is that phases without the
step fit only nearly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np

from kosine._logs.infer.curve_fits import HOLD, LINEAR, Arc
from kosine._logs.infer.draft import Draft
from kosine._logs.infer.least_squares import refine
from kosine._logs.infer.run_context import RunContext
from kosine._logs.infer.segments import Observations, Segment
from kosine._logs.infer.snapping import snapped

_NEAR = 0.1  # steps that the beginning of a curve may be off
_TOP = 6.0  # half-widths that a curve may be off there


def with_first_level(rows: Observations, found: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """The segments with a level one of the first row where two rows make a line that another one goes on from.

    DeepSpeed's warm-ups begin one step late: the first step has the rate of the second.
    """
    if len(found) < 2 or not (found[0].arc.kind is found[1].arc.kind is LINEAR and found[0].stop == LINEAR.rows):
        return found
    later = Segment(1, found[1].stop, found[1].arc)
    if rows.followed(later.arc, 1, later.stop) < later.stop:
        return found
    return Segment(0, 1, Arc(HOLD, partial(np.full_like, fill_value=float(rows.y[0])))), later, *found[2:]


def segments_with_peak(rows: Observations, found: tuple[Segment, ...]) -> tuple[Segment, ...] | None:
    """The segments with a level one of a row or two between a line and the curve that begins after it; None if none.

    Such a level may be without a row: the first row of the curve is then at its beginning.
    """
    for index, (before, after) in enumerate(pairwise(found)):
        begin = after.arc.begin
        if begin is None or before.arc.kind is not LINEAR:
            continue
        first = int(np.searchsorted(rows.x, begin - _NEAR))
        top, above = (float(segment.arc.predict(np.array([begin]))[0]) for segment in (after, before))
        width = _TOP * float(rows.width[min(first, len(rows) - 1)])
        cut = first - (abs(float(rows.y[first - 1]) - top) <= width)
        enough = before.first + LINEAR.rows <= cut and first + after.arc.kind.rows < after.stop
        if above > top + width and first >= before.stop - 1 and enough:
            return (
                *found[:index],
                Segment(before.first, cut, before.arc),
                Segment(cut, first, Arc(HOLD, partial(np.full_like, fill_value=top))),
                Segment(first, after.stop, after.arc),
                *found[index + 2 :],
            )
    return None


def drafts_with_peak(draft: Draft, rows: Observations, run: RunContext) -> Iterator[Draft]:
    """The draft with one step at the peak between a warm-up and what follows: nanoGPT, llm.c and torchtitan have it."""
    kinds = draft.kinds
    for index in range(1, len(kinds)):
        if kinds[index - 1] is LINEAR and kinds[index] is not HOLD and draft.starts[index - 1] < draft.ends[index - 1]:
            peak = float(draft.starts[index])
            for first in (float(draft.bounds[index]), float(draft.bounds[index]) - 1):
                bounds = np.insert(draft.bounds, index, first)
                bounds[index + 1] = first + 1
                free = np.zeros(bounds.size, np.bool_)
                free[-1] = kinds[-1].ends
                longer = Draft(
                    (*kinds[:index], HOLD, *kinds[index:]),
                    bounds,
                    np.insert(draft.starts, index, peak),
                    np.insert(draft.ends, index, peak),
                    (*draft.joined[: index - 1], True, True, *draft.joined[index:]),
                    (*draft.endpoints[:index], False, *draft.endpoints[index:]),
                    np.tile([[-np.inf], [np.inf]], bounds.size),
                    free,
                    np.zeros(0, np.bool_),
                )
                rates = np.ones(longer.rates.size, np.bool_)
                rates[0] = draft.starts[0] != 0
                fitted = refine(replace(longer, free_rates=rates), rows)
                yield snapped(fitted, rows, run)
