"""From the rows of a log to phases that explain all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.infer.curve_fits import CURVED, ENDLESS, HOLD, LINEAR, Arc
from kosine._logs.infer.draft import Draft, Fitted, drafted, refine, with_endpoints
from kosine._logs.infer.rounding import round_rate, significant
from kosine._logs.infer.segments import Rows, Stretch
from kosine._logs.infer.snapping import EXPLAINS, NEARLY, settled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_PHASES = 24
"""More phases than these are no explanation."""

_PLAUSIBLE = 50.0  # half-widths that a draft may miss by least squares and still be settled on numbers that do not
_FEW = 8  # rows
_NEAR = 0.1  # steps that the beginning of a curve may be off
_TOP = 6.0  # half-widths that a curve may be off there
ROUGH = 1e-6
"""Of the peak: near 0 the rows of a curve are too precise to follow it by."""
_DIGITS = 2  # of a rate that a line may be meant to end at
_CONVINCING = 0.1  # of a round rate: see `rounding`
_MAYBE = 20.0  # standard deviations from 0 that a floor is fitted at which may be 0
_VISIBLE = 3.0  # a line that falls to 0 within so many times the length that is seen of it is meant to


@dataclass(frozen=True)
class Run:
    """What is known of the run beside its rates.

    Attributes:
        starts: positions at which it may have begun, the likeliest first.
        ends: positions at which it may end, the likeliest first: the step after the last.
        begins: whether the log shows its beginning.
    """

    starts: tuple[float, ...]
    ends: tuple[float, ...]
    begins: bool


def explain(rows: Rows, run: Run, found: tuple[Stretch, ...]) -> Iterator[Draft]:
    """The phases that all rows allow, as few and as round as can be; others of the kind after them.

    Args:
        rows: the log.
        run: what else is known of it.
        found: the stretches of its rows.
    """
    rough = rows.rough(ROUGH)
    few = fewer(rough, found)
    for several in (few, found) if few != found else (found,):
        plain = drafted(rough, several, run.ends[0])
        topped = _topped(rough, several)
        for idea in (
            plain,
            with_endpoints(plain, rough, several),
            None if topped is None else drafted(rough, topped, run.ends[0]),
        ):
            draft = None if idea is None else _finished(rows, rough, idea, run)
            if draft is not None:
                yield draft


def _finished(rows: Rows, rough: Rows, idea: Draft, run: Run) -> Draft | None:
    """The idea with the numbers that were meant, if they are near all rows."""
    nearly: Draft | None = None
    fitted = refine(idea, rows)
    for ended in _ended(fitted, run):
        for begun in _begun(refine(ended, rows), run):
            whole = refine(begun, rows)
            if whole.draft.worst(rough) <= _PLAUSIBLE:
                draft = settled(whole, rows, run.starts, run.ends)
                worst = draft.worst(rows)
                if worst <= EXPLAINS:
                    return draft
                if worst <= NEARLY and nearly is None:
                    nearly = draft
    if nearly is None:
        return None
    return next((each for each in _with_a_peak(nearly, rows, run) if each.worst(rows) <= EXPLAINS), nearly)


def _topped(rows: Rows, found: tuple[Stretch, ...]) -> tuple[Stretch, ...] | None:
    """The stretches with a level one of a row or two between a line and the curve that begins after it; None if none.

    Such a level may have no row of its own: the first one of the curve is at its beginning.
    """
    for index, (before, after) in enumerate(pairwise(found)):
        begin = after.arc.begin
        if begin is None or before.arc.kind is not LINEAR:
            continue
        first = int(np.searchsorted(rows.x, begin - _NEAR))
        top, above = (float(stretch.arc.predict(np.array([begin]))[0]) for stretch in (after, before))
        width = _TOP * float(rows.width[min(first, len(rows) - 1)])
        cut = first - (abs(float(rows.y[first - 1]) - top) <= width)
        enough = before.first + LINEAR.rows <= cut and first + after.arc.kind.rows < after.stop
        if above > top + width and first >= before.stop - 1 and enough:
            return (
                *found[:index],
                Stretch(before.first, cut, before.arc),
                Stretch(cut, first, Arc(HOLD, partial(np.full_like, fill_value=top))),
                Stretch(first, after.stop, after.arc),
                *found[index + 2 :],
            )
    return None


def _with_a_peak(draft: Draft, rows: Rows, run: Run) -> Iterator[Draft]:
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
                yield settled(fitted, rows, run.starts, run.ends)


# --- fewer phases ---------------------------------------------------------------------------------------------------


def fewer(rows: Rows, found: tuple[Stretch, ...]) -> tuple[Stretch, ...]:
    """The stretches without those whose rows their neighbours can explain."""
    index = 0
    while len(found) > 1 and index < len(found):
        without = _without(rows, found, index)
        found, index = (found, index + 1) if without is None else (without, max(index - 2, 0))
    return found


def _without(rows: Rows, found: tuple[Stretch, ...], index: int) -> tuple[Stretch, ...] | None:
    """The stretches without one, whose rows the one before or after can explain, or both together; None if not."""
    gone = found[index]
    for place in (index - 1, index + 1):
        if 0 <= place < len(found):
            low, high = min(place, index), max(place, index)
            if HOLD in (gone.arc.kind, found[place].arc.kind) and gone.stop - gone.first > _FEW:
                continue
            arc = rows.through(found[place].arc.kind, found[low].first, found[high].stop)
            if arc is not None:
                return *found[:low], Stretch(found[low].first, found[high].stop, arc), *found[high + 1 :]
    if 0 < index < len(found) - 1 and gone.stop - gone.first <= _FEW:
        before, after = found[index - 1], found[index + 1]
        for cut in range(gone.first + 1, gone.stop):
            left = rows.through(before.arc.kind, before.first, cut)
            right = rows.through(after.arc.kind, cut, after.stop)
            if left is not None and right is not None:
                whole = Stretch(before.first, cut, left), Stretch(cut, after.stop, right)
                return *found[: index - 1], *whole, *found[index + 2 :]
    if gone.arc.kind in CURVED and index < len(found) - 1 and gone.stop - gone.first <= _FEW:
        after = found[index + 1]
        for cut in range(gone.first + 1, gone.stop) if after.arc.kind.begins else ():
            level, right = rows.through(HOLD, gone.first, cut), rows.through(after.arc.kind, cut, after.stop)
            if level is not None and right is not None:
                return (
                    *found[:index],
                    Stretch(gone.first, cut, level),
                    Stretch(cut, after.stop, right),
                    *found[index + 2 :],
                )
    return None


# --- where the run begins and ends ------------------------------------------------------------------------------------


def _begun(fitted: Fitted, run: Run) -> Iterator[Draft]:
    """The draft with its first bound where the run may begin, if the log shows that and the curve does not tell."""
    draft = fitted.draft
    kind, first = draft.kinds[0], float(draft.bounds[0])
    if kind.begins or not run.begins:
        yield draft
        return
    spread = 4 * max(fitted.spread.tolist()[int(draft.free_bounds.sum())], 1e-12 * float(draft.starts[0]))
    scale = max(float(draft.starts.max()), float(draft.ends.max()))
    options = []
    for order, place in enumerate(run.starts):
        start = _extrapolated(draft, 0, place)
        if start is None or start < -spread or place > first:
            continue
        each = round_rate(max(start, 0.0), spread, scale)
        zero = abs(start) <= max(spread, 1e-9 * scale) and kind is not HOLD
        digits = 0 if zero else significant(each.value) if each.surprise <= 0.3 else 99
        options.append((digits, order, place, 0.0 if zero else start))
    for digits, _, place, start in sorted(options):
        bounds, rates, free_rates = draft.bounds.copy(), draft.rates.copy(), draft.free_rates.copy()
        bounds[0], rates[0] = place, start
        free_rates[0] = bool(digits)
        yield replace(draft.with_numbers(bounds, rates), free_rates=free_rates)
    if not options:
        yield draft


def _ended(fitted: Fitted, run: Run) -> Iterator[Draft]:
    """The draft with its last bound where the run may end, if the curve does not say where."""
    draft = fitted.draft
    kind = draft.kinds[-1]
    if kind.ends:
        again = _as_before(draft, run.ends[-1])
        if again is not None:
            yield again
        if again is None and 0 < draft.rates[-1] <= _MAYBE * fitted.spread[-1]:
            rates, free_rates = draft.rates.copy(), draft.free_rates.copy()
            rates[-1], free_rates[-1] = 0.0, False
            yield replace(draft.with_numbers(draft.bounds, rates), free_rates=free_rates)
        yield draft
        return
    if kind is HOLD or kind in ENDLESS or draft.ends[-1] >= draft.starts[-1]:
        yield _ending(draft, run.ends[0])
        return
    scale = float(draft.rates.max()) or 1.0
    reach = 4 * float(fitted.spread[-1]) + 1e-12 * scale
    place = next((end for end in run.ends if _is_round(_extrapolated(draft, -1, end), reach, scale)), None)
    if place is not None:
        yield _ending(draft, place)
    place_of_0 = zero(draft)
    if place_of_0 is not None and place_of_0 - draft.bounds[-2] <= _VISIBLE * (run.ends[0] - draft.bounds[-2]):
        bounds, rates = draft.bounds.copy(), draft.rates.copy()
        free_bounds, free_rates = draft.free_bounds.copy(), draft.free_rates.copy()
        bounds[-1], rates[-1] = place_of_0, 0.0
        free_bounds[-1], free_rates[-1] = True, False
        yield replace(draft.with_numbers(bounds, rates), free_bounds=free_bounds, free_rates=free_rates)
    for end in dict.fromkeys((run.ends[0], run.ends[-1])) if place is None else ():
        if (_extrapolated(draft, -1, end) or 0.0) > 0:
            yield _ending(draft, end)


def _as_before(draft: Draft, seen: float) -> Draft | None:
    """The draft whose last phase, of which the log shows a part, goes on as the cycle before did; None if none did."""
    same = [index for index, kind in enumerate(draft.kinds[:-1]) if kind is draft.kinds[-1]]
    if not same or draft.bounds[-1] <= seen or draft.starts[same[-1]] <= draft.ends[same[-1]]:
        return None
    length = float(draft.bounds[same[-1] + 1] - draft.bounds[same[-1]])
    before = float(draft.bounds[same[-2] + 1] - draft.bounds[same[-2]]) if len(same) > 1 else 0.0
    if before:
        length *= round(100 * length / before) / 100 if same[-2] > 0 or draft.bounds[0] <= seen - length else 1.0
    bounds = draft.bounds.copy()
    bounds[-1] = max(bounds[-2] + length, seen)
    again = replace(draft, bounds=bounds, free_rates=draft.free_rates[:-1], tied=same[-1])
    return again.with_numbers(bounds, draft.rates[:-1])


def _ending(draft: Draft, place: float) -> Draft:
    """The draft with its last bound at a place, its last curve as before."""
    bounds, rates = draft.bounds.copy(), draft.rates.copy()
    bounds[-1] = place
    if draft.kinds[-1] is not HOLD:
        rates[-1] = max(_extrapolated(draft, -1, place) or 0.0, 0.0)
    if draft.kinds[-1] in ENDLESS:
        rates[-1] /= float(draft.starts[-1])
    return draft.with_numbers(bounds, rates)


def _is_round(rate: float | None, reach: float, scale: float) -> bool:
    if rate is None or rate <= -reach:
        return False
    each = round_rate(max(rate, 0.0), reach, scale)
    return each.surprise < _CONVINCING and significant(each.value) <= _DIGITS


def _extrapolated(draft: Draft, index: int, place: float) -> float | None:
    """The rate that the curve of a phase would have at a place outside it; None where it has none."""
    kind = draft.kinds[index]
    index %= len(draft.kinds)
    start, end = float(draft.starts[index]), float(draft.ends[index])
    length = float(draft.bounds[index + 1] - draft.bounds[index])
    if not length:
        return None
    share = np.array([(place - float(draft.bounds[index])) / length])
    rate = float(kind.beyond(start, end, share)[0])
    return rate if np.isfinite(rate) else None


def zero(draft: Draft) -> float | None:
    """Where the last phase would reach 0, if it does."""
    start, end = float(draft.starts[-1]), float(draft.ends[-1])
    length = float(draft.bounds[-1] - draft.bounds[-2])
    share = start / (start - end) if start > end else None
    if share is None or draft.kinds[-1].name not in ("linear", "one_minus_sqrt"):
        return None
    return float(draft.bounds[-2]) + length * (share if draft.kinds[-1].name == "linear" else share**2)
