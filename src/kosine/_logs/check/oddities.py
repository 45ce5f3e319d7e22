"""Runs that followed but for a few odd rows, which are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.check.diagnosis import Cause, Diagnosis, declared_skips, total_skipped
from kosine._logs.check.evidence import lack_of_evidence
from kosine._logs.check.follow import convention
from kosine._logs.check.wording import difference_at, place, rows_text, steps_text
from kosine._logs.odd_rows import odd_rows

if TYPE_CHECKING:
    from kosine._logs.check.alignment import Alignment

_NAMED = 3  # rows in a sentence


def has_odd_rows(aligned: Alignment) -> Diagnosis | None:
    """The way of reading the rows with the fewest odd ones."""
    ways = aligned.conventions()
    ways += [way.reread(declared=True) for way in ways] if declared_skips(aligned.trace) else []
    found = [(rows, way) for way in ways if (rows := odd_rows(way.all_misses())) is not None]
    if not found:
        return None
    rows, way = min(found, key=lambda each: each[0].size)
    if lack_of_evidence(way):
        return None
    past = _turns_up_past_the_end(way, rows)
    sentence = (
        f"The log follows the plan but for {rows.size:,} of {rows_text(len(way))}{_as_read(way)}: "
        f"{_past_the_end(way) if past else _named(way, rows)}."
    )
    cause: Cause | None = "past the end" if past else None
    if way.declared:
        cause = "declared skips"
    skips = declared_skips(way.trace) if way.declared else ()
    return Diagnosis("odd rows", way, sentence, cause, skips=skips, odd=tuple(rows.tolist()))


def _as_read(way: Alignment) -> str:
    offset = f", with an offset ({convention(way)})" if way.offset or way.averaged else ""
    skipped = total_skipped(declared_skips(way.trace)) if way.declared else 0
    return offset + (f", less the {steps_text(skipped)} that the log declares as skipped" if skipped else "")


def _named(way: Alignment, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> str:
    named = [f"{place(way.trace, way.trace.positions[row])} ({difference_at(way, row)})" for row in rows.tolist()]
    more = f" and {len(named) - _NAMED:,} more" if len(named) > _NAMED else ""
    return ", ".join(named[:_NAMED]) + more


def _turns_up_past_the_end(way: Alignment, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> bool:
    """Whether the one odd row is torch's OneCycleLR one step past its last, where its cosine goes on and turns up."""
    total, last = way.plan.total_steps, len(way) - 1
    if total is None or rows.tolist() != [last]:
        return False
    step, rate = int(way.steps(slice(last, last + 1))[0]), float(way.trace.rates[last])
    width = float(way.tolerance(slice(last, last + 1))[0])
    ends = [end for end in (total - 1, total) if end < step <= 2 * end]  # the step that has the end value
    return any(
        abs(way.plan(2 * end - step) - rate) <= width and way.plan.phase_at(2 * end - step).name == "cosine"
        for end in ends
    )


def _past_the_end(way: Alignment) -> str:
    last = len(way) - 1
    return (
        f"the row at {place(way.trace, way.trace.positions[last])} lies past the end of the plan, where the cosine of "
        f"torch's OneCycleLR turns up again ({difference_at(way, last)})"
    )
