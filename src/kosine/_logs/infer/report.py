"""An inference in words: the result, the open questions, and the shape of a log that no schedule explains."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.infer.curve_fits import ENDLESS, HOLD
from kosine._logs.infer.few_rows import bare_phases
from kosine._logs.infer.merging import merged
from kosine._logs.infer.open_rates import open_end, open_rates
from kosine._logs.infer.restart_steps import unseen_restarts
from kosine._logs.infer.result import LogPiece, OpenQuestion
from kosine._logs.infer.segments import Observations, Segment, cut_into_segments
from kosine._logs.infer.uncertainty import open_bounds
from kosine._logs.infer.unseen_warmup import MOST_UNSEEN
from kosine._logs.work import OutOfWorkError, Work

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from kosine._core.schedule import Plan
    from kosine._logs.infer.draft import Draft
    from kosine._logs.infer.run_context import RunContext
    from kosine._logs.infer.search import Explanation
    from kosine._logs.trace import Trace

_MOST_PIECES = 1000
_WORK, _WORK_ON_PIECES = 5e6, 6e5  # see `Work`
_FEW = 64  # pieces that are merged
_SHOWN = 3  # pieces that the sentence names
_NOT_LOOKED_FOR = "Which other bounds may be elsewhere was not worked out: it takes too long."
_INCOMPLETE = "The search reached its limit before it found a schedule for this log"
_JUMP = 0.05  # of the higher rate
_UNUSUAL = 3.0  # times the change that a piece has over as many steps
_ALIKE = 0.02  # the share by which the factors of a plateau scheduler may differ


def pieces_of(rows: Observations, seen: Sequence[Segment], unit: int) -> tuple[tuple[LogPiece, ...], bool]:
    """The segments of a log as data, from the first on; and whether they are all."""
    rough = replace(rows, work=Work(_WORK_ON_PIECES)).rough()
    found = tuple(seen)
    with suppress(OutOfWorkError):  # what was found until then is shown
        for segment in cut_into_segments(rough, found[-1].stop if found else 0):
            found = (*found, segment)
            if len(found) == _MOST_PIECES:
                break
        if len(found) <= _FEW:
            found = merged(rough, found)
    pieces = (_piece(each.arc.kind.name, rows.x / unit, rows.y, each.first, each.stop) for each in found)
    return tuple(pieces), bool(found) and found[-1].stop == len(rows)


def pieces_of_plan(plan: Plan, steps: NDArray[np.int64], trace: Trace) -> tuple[LogPiece, ...]:
    """The phases of a plan as data, as far as the rows of a trace show them, which are these steps of it."""
    pieces: list[LogPiece] = []
    first, size = 0, _FEW
    while first < steps.size and len(pieces) < _MOST_PIECES:
        phase, stop = plan.phase_at(int(steps[first])), first
        while stop < steps.size:
            part = steps[stop : stop + size]
            outside = np.flatnonzero((part < phase.first_step) | (part >= phase.stop))
            stop += int(outside[0]) if outside.size else part.size
            if outside.size:
                break
            size *= 2
        pieces.append(_piece(phase.name, trace.positions, trace.rates, first, stop))
        first, size = stop, max(_FEW, 2 * (stop - first))
    return tuple(pieces)


def _piece(name: str, positions: NDArray[np.generic], rates: NDArray[np.float64], first: int, stop: int) -> LogPiece:
    places = float(positions[first].item()), float(positions[stop - 1].item())
    return LogPiece(name, *places, float(rates[first]), float(rates[stop - 1]))


def unexplained(pieces: Sequence[LogPiece], axis: str, complete: bool, all_rows: bool, nearest: str) -> str:
    """Why no schedule explains a log of these pieces, as far as their shape shows.

    Args:
        pieces: the pieces of its first rows.
        axis: of the log.
        complete: whether the search tried every idea.
        all_rows: whether the pieces are all that the log has.
        nearest: how far the nearest single curve misses, as a sentence.
    """
    verdict = "No schedule explains this log" if complete else _INCOMPLETE
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
    jumps = [(before, after) for before, after in pairwise(pieces) if _jumps(before, after)]
    if jumps:
        drops = all(
            before.curve == after.curve == HOLD.name and after.first_rate < before.last_rate for before, after in jumps
        )
        again = " and later again" if len(jumps) > 1 else ""
        cause = "a plateau scheduler or by hand" if drops else "hand or by a resume that lost the schedule's state"
        return (
            f"{verdict}: it jumps at {axis} {place_text(jumps[0][1].first)}{again}, as when it is changed by {cause}."
        )
    if not pieces:
        return f"{verdict}."
    many = "" if all_rows else "more than "
    count = f"{many}{len(pieces):,} piece{'s' if len(pieces) > 1 else ''}"
    return f"{verdict}, which has {count}: {_first_pieces(pieces, axis)}.{nearest}"


def _jumps(before: LogPiece, after: LogPiece) -> bool:
    """Whether the rate changes between two pieces by much more than it does in them, or the other way."""
    change, gap = after.first_rate - before.last_rate, after.first - before.last
    usual = [0.0, *(_UNUSUAL * gap * _steepness(piece) for piece in (before, after))]
    seen = abs(change) > _JUMP * max(before.first_rate, after.first_rate)
    return seen and not min(usual) <= change <= max(usual)


def _steepness(piece: LogPiece) -> float:
    length = piece.last - piece.first
    return (piece.last_rate - piece.first_rate) / length if length else 0.0


def warmup_question(trace: Trace, count: int) -> OpenQuestion:
    """What is open of a warm-up that has too few rows for a curve, or the curve of a product."""
    until = float(trace.positions[count])
    first = "first row" if count == 1 else f"first {count} rows"
    short, product = "that is too short to show its curve", "whose rate is a line times that of the schedule"
    kind = product if count > MOST_UNSEEN else short
    text = f"The {first}, before {trace.axis} {place_text(until)}, may be a warm-up {kind}."
    return OpenQuestion("warm-up", None, until, text)


def steps_question(steps: int) -> OpenQuestion:
    """What is open of a log that places its rows by epochs and does not say how many steps they have."""
    text = f"The log does not say how many steps an epoch has: {steps:,} stand in for them, in each length as well."
    return OpenQuestion("steps of an epoch", None, None, text)


def begin_question(trace: Trace, begin: float) -> OpenQuestion:
    """What is open of the steps before the first row, where the first curve that the log shows begins at `begin`."""
    text = f"No row shows the rates before {trace.axis} {place_text(begin)}; those of the schedule are a guess."
    return OpenQuestion("begin of the run", 0.0, begin, text)


def _first_pieces(pieces: Sequence[LogPiece], axis: str) -> str:
    """The curves of the first pieces, and where each runs."""
    shown = [
        f"{piece.curve} from {axis} {place_text(piece.first)} to {place_text(piece.last)}" for piece in pieces[:_SHOWN]
    ]
    return ", ".join([*shown, "..."] if len(pieces) > _SHOWN else shown)


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
        declared = run.declared in (draft.bounds[-1], draft.bounds[-1] - found.origin)
        questions += _of_draft(draft, found.rows or rows, name, unit, declared)
    else:
        questions += [
            OpenQuestion(what, low / unit, high / unit, f"{text} {_interval(low / unit, high / unit)}.")
            for what, low, high, text in found.open
        ]
    for curve, begin, stop in bare_phases(found.plan, found.origin, found.rows or rows):
        low, high = begin / unit, stop / unit
        text = (
            f"The rows of the {curve} from {name} {place_text(low)} to {place_text(high)} show no curve between them."
        )
        questions.append(OpenQuestion(f"course of {curve}", low, high, text))
    for curve, place in unseen_restarts(found.plan, found.origin, found.rows or rows):
        text = f"The {name} {place_text(place / unit)} may have the last rate of one {curve}, or the first of the next."
        questions.append(OpenQuestion(f"{curve} to {curve}", place / unit, place / unit, text))
    if draft is not None and _drops(draft):
        text = "Such drops can also be made by a plateau scheduler or by hand."
        questions.append(OpenQuestion("cause of the drops", None, None, text))
    if draft is not None and _goes_on(draft, rows) and trace.total is None:
        text = "The log does not say what comes after the cosine: further cycles may follow."
        questions.append(OpenQuestion("what follows", float(draft.bounds[-1]) / unit, None, text))
    endless = draft is None or draft.kinds[-1] in (HOLD, *ENDLESS)
    if endless and trace.total is None:
        text = f"The log ends at {name} {place_text(last)}; it does not say how long the run is meant to be."
        questions.append(OpenQuestion("end of the run", last, None, text))
    return tuple(questions)


def _goes_on(draft: Draft, rows: Observations) -> bool:
    """Whether the last phase may be the first cycle of several, as far as the log goes."""
    return draft.kinds[-1].name == "cosine" and bool(rows.x[-1] <= draft.bounds[-1])


def _of_draft(draft: Draft, rows: Observations, name: str, unit: int, declared: bool) -> Iterator[OpenQuestion]:
    """The bounds and the rates of a draft that may be others, but for an end that the log declares."""
    last, end = draft.bounds.size - 1, None
    bounds: dict[int, tuple[float, float | None]] = {}
    complete = True
    try:
        bounds.update((index, (low, high)) for index, low, high in open_bounds(draft, _for_work(rows)))
        end = open_end(draft, _for_work(rows), declared)
    except OutOfWorkError:
        complete = False
    if end is not None:
        low, high = bounds.get(last, end.places)
        bounds[last] = min(low, end.places[0]), None if high is None else max(high, end.places[1])
    if declared:
        bounds.pop(last, None)
    for index, (low, high) in bounds.items():
        what, sentence = _bound(draft, index, name)
        least, most = low / unit, None if high is None else high / unit
        yield OpenQuestion(what, least, most, f"{sentence} {_interval(least, most)}.")
    if end is not None:
        yield _open_rate(draft, last - 1, True, *end.rates)
    for phase, at_end, low, high in open_rates(draft, _for_work(rows)):
        yield _open_rate(draft, phase, at_end, low, high)
    if not complete:
        yield OpenQuestion("other bounds", None, None, _NOT_LOOKED_FOR)


def _for_work(rows: Observations) -> Observations:
    """The rows, for as much work as one kind of question may take."""
    return replace(rows, work=Work(_WORK))


def _open_rate(draft: Draft, phase: int, at_end: bool, low: float, high: float) -> OpenQuestion:
    kind = draft.kinds[phase]
    if kind is HOLD:
        what, begin = "level of hold", "The hold may have"
    elif at_end:
        what, begin = f"last rate of {kind.name}", f"The {kind.name} may end at"
    else:
        what, begin = f"first rate of {kind.name}", f"The {kind.name} may begin at"
    return OpenQuestion(what, low, high, f"{begin} any rate from {low:.4g} to {high:.4g}.")


def _drops(draft: Draft) -> bool:
    """Whether a rate that is level, or rises, falls at once to a level one."""
    ends, starts = draft.ends[:-1], draft.starts[1:]
    falls = (starts < ends) & (draft.starts[:-1] <= ends)
    return any(fall and kind is HOLD for fall, kind in zip(falls, draft.kinds[1:], strict=True))


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
