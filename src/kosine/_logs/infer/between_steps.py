"""Phases that begin between two steps, as those of torch's OneCycleLR and of cycles that grow by a fraction do.

The peak of OneCycleLR is at step 0.3 N - 1, a fraction for most N. A draft in whole steps misses the rows then, and the
same draft with the bounds that least squares found explains them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from kosine._core.groups import Section, section
from kosine._logs.infer.draft import Draft
from kosine._logs.infer.joints import draft_of
from kosine._logs.infer.least_squares import FittedDraft, refine
from kosine._logs.infer.merging import merged
from kosine._logs.infer.run_bounds import bounded
from kosine._logs.infer.run_context import RunContext
from kosine._logs.infer.segments import Observations, Segment
from kosine._logs.infer.snapping import snapped
from kosine._logs.infer.to_schedule import SnappedPhase, phase_of
from kosine._logs.precision import NEARLY

_MOST_PHASES = 12
_MISSED = 50.0  # half-widths that a fitted draft may miss before its numbers are those that were meant
_WHOLE = 1e-3  # of a step: a bound that is as near to a whole step is at it
_SURE = 0.02  # steps that a bound may be off at most, or it is as well at a whole step
_REACH = 4.0  # standard deviations
_PARTS = 100  # of a step, at most, that a bound is at


def drafts_between_steps(rows: Observations, run: RunContext, found: tuple[Segment, ...]) -> Iterator[Draft]:
    """Drafts whose phases begin between two steps, and whose other numbers are those that were meant.

    Args:
        rows: the log.
        run: what else is known of it.
        found: the segments of its rows.
    """
    rough = rows.rough()
    few = merged(rough, found)
    if len(few) > _MOST_PHASES or (len(few) == 1 and not few[0].arc.kind.ends):
        return
    fitted = refine(draft_of(rough, few, run.ends[0]), rows)
    for whole in bounded(fitted, rows, run):
        fixed = _at_fractions(whole)
        if fixed is not None and whole.draft.worst(rough) <= _MISSED:
            draft = snapped(refine(fixed, rows), rows, run)
            if draft.worst(rows) <= NEARLY:
                yield draft


def section_between_steps(draft: Draft, first: float) -> tuple[Section, int]:
    """The phases of a draft as a section, and the position of its first step.

    Args:
        draft: the phases.
        first: the position of the log's first row.
    """
    origin = int(min(np.floor(draft.bounds[0]), first))
    places = [_simple(bound - origin) for bound in draft.bounds.tolist()]
    phases = []
    for index, (low, high) in enumerate(pairwise(places)):
        phase = SnappedPhase(
            draft.kinds[index], 1, float(draft.starts[index]), float(draft.ends[index]), None, draft.endpoints[index]
        )
        phases.append(phase_of(phase, f"{high - low}st", phase.start))
    return section(*phases, continuous=True), origin


def _simple(place: float) -> Fraction:
    return Fraction(place).limit_denominator(_PARTS)


def _at_fractions(fitted: FittedDraft) -> Draft | None:
    """The draft with its free bounds at simple fractions; None where they are none, or all may be whole steps."""
    draft = fitted.draft
    bounds, free = draft.bounds.copy(), np.flatnonzero(draft.free_bounds)
    fractions = False
    for place, spread in zip(free.tolist(), fitted.spread[: free.size].tolist(), strict=True):
        bound, reach = float(bounds[place]), max(_REACH * spread, 1e-9 * abs(float(bounds[place])))
        if reach > _SURE:
            return None
        if abs(bound - round(bound)) <= max(reach, _WHOLE):
            bounds[place] = round(bound)
        else:
            simple = float(_simple(bound))
            if abs(simple - bound) > reach:
                return None
            bounds[place], fractions = simple, True
    if not fractions or bounds[0] != round(bounds[0]):
        return None
    return replace(draft.with_numbers(bounds, draft.rates), free_bounds=np.zeros_like(draft.free_bounds))
