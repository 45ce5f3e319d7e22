"""The result of an inference as a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from kosine._logs.infer.report import place_text
from kosine._logs.infer.snapping import EXPLAINS

if TYPE_CHECKING:
    from kosine._core.schedule import Schedule
    from kosine._logs.infer.evidence import Evidence
    from kosine._logs.infer.result import Inference, OddRow

_MOST_NAMED = 3  # odd rows


def explained_in_words(inference: Inference, odd: Sequence[OddRow], numbers: int, worst: float) -> str:
    """Which schedule explains how many rows with how many numbers, which rows it does not, and what the offset means.

    Args:
        inference: the result.
        odd: the rows that the schedule does not explain.
        numbers: how many numbers it has.
        worst: how far the other rows are off it at most, in half-widths.
    """
    count = len(inference.trace)
    rows = f"all but {len(odd)} of {count:,} rows" if odd else f"all {count:,} rows"
    nearly = f", the furthest to {worst:.2f} times its rounding" if worst > EXPLAINS else ""
    sentence = f"{inference.schedule!r} explains {rows} with {numbers} number{'s' if numbers > 1 else ''}{nearly}. "
    unknown = any(each.what == "steps of an epoch" for each in inference.open)
    steps = f" {inference.steps_per_unit} steps stand in for an epoch." if unknown else ""
    return sentence + offset_in_words(inference) + steps + _odd_in_words(odd, inference.trace.axis)


def _odd_in_words(odd: Sequence[OddRow], axis: str) -> str:
    if not odd:
        return ""
    named = "; ".join(
        f"{axis} {place_text(each.position)} has {each.found:.6g} instead of {each.expected:.6g}"
        for each in odd[:_MOST_NAMED]
    )
    more = f"; and {len(odd) - _MOST_NAMED:,} more" if len(odd) > _MOST_NAMED else ""
    return f" Odd: {named}{more}."


def too_few_in_words(schedule: Schedule, evidence: Evidence, count: int) -> str:
    """Why a schedule that goes through all rows of a log is not shown by them.

    Args:
        schedule: the one that goes through them.
        evidence: what the rows say for it.
        count: how many rows the log has.
    """
    numbers = f"{evidence.numbers} number{'s' if evidence.numbers > 1 else ''}"
    if evidence.are_zero:
        rows = f"All {count:,} rates are" if count > 1 else "The only rate is"
        return f"No schedule is certain: {rows[0].lower()}{rows[1:]} 0, as before a run's first update."
    if evidence.are_coarse:
        return f"No schedule is certain: the rates are printed so coarsely that many fit, one of them {schedule!r}."
    if evidence.is_too_few:
        rows = f"{count:,} row{'' if count == 1 else 's'}"
        apart = f", of which only {evidence.rows:,} say something new," if evidence.rows < count else ""
        few = f"{rows}{apart} {'is' if count == 1 else 'are'} too few for the {numbers} of {schedule!r}"
        left = evidence.rows - evidence.numbers
        why = f"Any {rows} would fit a schedule with so many." if left <= 0 else f"Only {left:,} could contradict it."
        return f"No schedule is certain: {few}. {why}"
    return (
        f"No schedule is certain: {evidence.unseen} of the {numbers} of {schedule!r} belong to phases of which the log "
        "shows too few rows."
    )


def offset_in_words(inference: Inference) -> str:
    """What the offset means, as a sentence."""
    axis, offset, unit = inference.trace.axis, inference.offset, inference.steps_per_unit
    if unit == 1 and offset in (0, 1, -1):
        return {
            0: f"Each row shows the rate of its own {axis}, counted from 0.",
            1: f"Each row shows the rate of the next {axis}.",
            -1: f"The log counts from 1, or shows the rate of the {axis} before.",
        }[offset]
    batches = {0: "epoch's first batch", unit - 1: "epoch's last batch", unit: "next epoch's first batch"}
    if unit != 1 and offset in batches:
        return f"Each row shows the rate of the {batches[Fraction(offset)]}."
    return f"The schedule's step 0 is at {axis} {place_text(-offset / float(unit))}."
