"""Hypotheses: phases that may explain the rows of a log, from the segments that were seen.

Each way to take the segments makes one draft; each place at which the run may begin and end makes it another. The first
whose numbers, once they are those that were meant, bring it near all rows is handed on.
"""

from __future__ import annotations

from collections.abc import Iterator

from kosine._logs.infer.draft import Draft
from kosine._logs.infer.joints import apart, draft_of, with_endpoints
from kosine._logs.infer.least_squares import refine
from kosine._logs.infer.merging import merged
from kosine._logs.infer.peak_step import drafts_with_peak, segments_with_peak, with_first_level
from kosine._logs.infer.rounding import significant
from kosine._logs.infer.run_bounds import bounded
from kosine._logs.infer.run_context import RunContext
from kosine._logs.infer.segments import Observations, Segment
from kosine._logs.infer.snapping import EXPLAINS, snapped, with_nearer_rates
from kosine._logs.precision import NEARLY

MOST_PHASES = 24
"""More phases than this do not explain a log: they only follow its rows."""

_ROUNDS_OF_SERIES = 5  # rates of which every second one may make a series
_ALIKE = 1e-9
_FEW_DIGITS = 4  # of a rate that somebody may have chosen
_FAR = 500.0  # half-widths that it may miss by while all of its numbers are free
_PLAUSIBLE = 50.0  # half-widths that a draft may miss by least squares and still be snapped to numbers that do not


def drafts_of(rows: Observations, run: RunContext, found: tuple[Segment, ...]) -> Iterator[Draft]:
    """The phases that all rows allow, as few and as round as can be; others of the kind after them.

    Args:
        rows: the log.
        run: what else is known of it.
        found: the segments of its rows.
    """
    rough = rows.rough()
    few = merged(rough, with_first_level(rough, found))
    for several in (few, found) if few != found else (found,):
        plain = draft_of(rough, several, run.ends[0])
        topped = segments_with_peak(rough, several)
        for idea in (
            plain,
            with_endpoints(plain, rough, several),
            None if topped is None else draft_of(rough, topped, run.ends[0]),
            apart(plain, rough, several),
        ):
            draft = None if idea is None else finished(rows, rough, idea, run)
            if draft is not None:
                yield draft


def finished(rows: Observations, rough: Observations, idea: Draft, run: RunContext) -> Draft | None:
    """The idea with the numbers that were meant, if they are near all rows: the shortest, where the first are long.

    Args:
        rows: the log.
        rough: its rows, see `Observations.rough`.
        idea: the phases.
        run: what else is known of the log.
    """
    nearly: Draft | None = None
    shortest: Draft | None = None
    fitted = refine(idea, rows)
    if not min(idea.worst(rough), fitted.draft.worst(rough)) <= _FAR:
        return None  # where it begins and ends takes numbers away from it
    for whole in bounded(fitted, rows, run):
        if whole.draft.worst(rough) <= _PLAUSIBLE:
            draft = snapped(whole, rows, run)
            worst = draft.worst(rows)
            if worst <= EXPLAINS:
                if shortest is None and max(_digits(draft)) <= _FEW_DIGITS:
                    return draft
                shortest = min(shortest or draft, draft, key=lambda each: sum(_digits(each)))
            if worst <= NEARLY and nearly is None:
                nearly = draft
    if shortest is not None or nearly is None:
        return shortest
    found = next((each for each in drafts_with_peak(nearly, rows, run) if each.worst(rows) <= EXPLAINS), None)
    return found or with_nearer_rates(nearly, rows)


def _digits(draft: Draft) -> list[int]:
    """How many digits each rate of a draft has.

    0 has none, nor has one that goes on a series of peaks or floors, and a third of the highest has as many as 3.
    """
    rates = draft.rates.tolist()
    return [_digits_of(rates[: index + 1], max(rates)) for index in range(len(rates))]


def _digits_of(rates: list[float], highest: float) -> int:
    """How many digits the last of these rates has."""
    rate = rates[-1]
    if not rate or _goes_on(rates):
        return 0
    return significant(3 * rate if 3 * rate == highest else rate)


def _goes_on(rates: list[float]) -> bool:
    """Whether the last rate is to the one two before as that is to the one two before it."""
    first, second, third = rates[-5::2] if len(rates) >= _ROUNDS_OF_SERIES else (0.0, 0.0, 1.0)
    return second > 0 and abs(first * third - second * second) <= _ALIKE * second * second
