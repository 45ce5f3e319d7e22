"""An inference in words: the result, the open questions, and the shape of a log that no schedule explains."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.infer.curve_fits import ENDLESS, HOLD
from kosine._logs.infer.merging import merged
from kosine._logs.infer.result import LogPiece, OpenQuestion
from kosine._logs.infer.segments import Observations, Segment, cut_into_segments
from kosine._logs.infer.uncertainty import open_bounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kosine._logs.infer.draft import Draft
    from kosine._logs.infer.result import Inference
    from kosine._logs.infer.run_context import RunContext
    from kosine._logs.infer.search import Explanation
    from kosine._logs.trace import Trace

_MOST_PIECES = 1000
_ALIKE = 0.02  # the share by which the factors of a plateau scheduler may differ


def pieces_of(rows: Observations, seen: Sequence[Segment], unit: int) -> tuple[LogPiece, ...]:
    """The segments of a log as data."""
    rough = rows.rough()
    found = (
        tuple(seen) if seen and seen[-1].stop == len(rows) else tuple(islice(cut_into_segments(rough), _MOST_PIECES))
    )
    if len(found) <= 64:
        found = merged(rough, found)
    return tuple(
        LogPiece(
            each.arc.kind.name,
            float(rows.x[each.first]) / unit,
            float(rows.x[each.stop - 1]) / unit,
            float(rows.y[each.first]),
            float(rows.y[each.stop - 1]),
        )
        for each in found
    )


def unexplained(pieces: Sequence[LogPiece], axis: str) -> str:
    """Why no schedule explains a log of these pieces, as far as their shape shows."""
    verdict = "No schedule explains this log"
    levels = [piece.first_rate for piece in pieces]
    if len(pieces) > 2 and all(piece.curve == HOLD.name for piece in pieces) and min(levels) > 0:
        factors = np.array(levels[1:]) / np.array(levels[:-1])
        places = ", ".join(f"{place_text(piece.first)}" for piece in pieces[1:6])
        more = ", ..." if len(pieces) > 6 else ""
        if factors.max() < 1 and np.ptp(factors) <= _ALIKE * factors.max():
            return (
                f"{verdict}: its rate is multiplied by {float(np.median(factors)):.3g} at {axis} {places}{more}, at no "
                "regular times. That is what a plateau scheduler does, which follows the loss."
            )
        return f"{verdict}: its rate changes at {axis} {places}{more}, at no regular times."
    jumps = [
        (before, after)
        for before, after in pairwise(pieces)
        if abs(after.first_rate - before.last_rate) > 0.05 * max(before.first_rate, after.first_rate)
    ]
    if jumps:
        drops = all(
            before.curve == after.curve == HOLD.name and after.first_rate < before.last_rate for before, after in jumps
        )
        again = " and later again" if len(jumps) > 1 else ""
        cause = "a plateau scheduler or by hand" if drops else "hand or by a resume that lost the schedule's state"
        return (
            f"{verdict}: it jumps at {axis} {place_text(jumps[0][1].first)}{again}, as when it is changed by {cause}."
        )
    return f"{verdict}, which has {len(pieces):,} piece{'s' if len(pieces) > 1 else ''}."


def open_questions(
    trace: Trace, rows: Observations, run: RunContext, found: Explanation, unit: int
) -> tuple[OpenQuestion, ...]:
    """What the log does not decide."""
    questions: list[OpenQuestion] = []
    name, draft = trace.axis, found.draft
    first, last = float(trace.positions[0]), float(trace.positions[-1])
    if not run.begins:
        text = f"The log begins at {name} {place_text(first)}; what came before is not in it."
        questions.append(OpenQuestion("begin of the run", None, first, text))
    if draft is not None:
        for index, low, high in open_bounds(draft, found.rows or rows):
            what, sentence = _bound(draft, index, name)
            least, most = low / unit, None if high is None else high / unit
            questions.append(OpenQuestion(what, least, most, f"{sentence} {_interval(least, most)}."))
    else:
        questions += [
            OpenQuestion(what, low / unit, high / unit, f"{text} {_interval(low / unit, high / unit)}.")
            for what, low, high, text in found.open
        ]
    if draft is not None and _drops(draft):
        text = "Such drops can also be made by a plateau scheduler or by hand."
        questions.append(OpenQuestion("cause of the drops", None, None, text))
    endless = draft is None or draft.kinds[-1] in (HOLD, *ENDLESS)
    if endless and trace.total is None:
        text = f"The log ends at {name} {place_text(last)}; it does not say how long the run is meant to be."
        questions.append(OpenQuestion("end of the run", last, None, text))
    return tuple(questions)


def _drops(draft: Draft) -> bool:
    """Whether a level rate falls to another one."""
    levels = [kind is HOLD for kind in draft.kinds]
    return any(levels[at - 1] and levels[at] and draft.starts[at] < draft.ends[at - 1] for at in range(1, len(levels)))


def _bound(draft: Draft, index: int, name: str) -> tuple[str, str]:
    if index == 0:
        return f"begin of {draft.kinds[0].name}", f"The {draft.kinds[0].name} may begin at any {name}"
    if index == draft.bounds.size - 1:
        return f"end of {draft.kinds[-1].name}", f"The {draft.kinds[-1].name} may end at any {name}"
    before, after = draft.kinds[index - 1].name, draft.kinds[index].name
    if before == after:
        return f"{before} to {after}", f"The next {after} may begin at any {name}"
    return f"{before} to {after}", f"The {before} may give way to the {after} at any {name}"


def _interval(low: float, high: float | None) -> str:
    if high is None:
        return f"from {place_text(low)} on"
    return f"from {place_text(low)} to {place_text(high)}"


def place_text(value: float) -> str:
    return f"{round(value):,}" if abs(value) >= 100 else f"{value:.4g}"


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
