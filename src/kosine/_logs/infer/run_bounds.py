"""Where the run begins and ends: the first and the last bound of a draft, where the curves themselves do not say."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.infer.curve_fits import ENDLESS, HOLD, LINEAR
from kosine._logs.infer.draft import Draft
from kosine._logs.infer.least_squares import FittedDraft, refine
from kosine._logs.infer.rounding import RoundNumber, round_rate, roundest, significant
from kosine._logs.infer.run_context import RunContext
from kosine._logs.infer.segments import Observations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_DIGITS = 2  # of a rate that a line may be meant to end at
_CONVINCING = 0.1  # of a round rate: see `rounding`
_KNOWN = 1e-3  # of the highest rate: a start that is known so well may be a third of it
_SURE = 0.02  # of the highest rate: a line that leads to 0 so surely was meant to begin there
_BACK = 1.0  # of the length that is seen: a line is followed so far to before the log
_MAYBE = 20.0  # standard deviations from 0 that a floor is fitted at which may be 0
_VISIBLE = 3.0  # a line is meant to fall to 0 if it would within this many times the length that is seen


def bounded(fitted: FittedDraft, rows: Observations, run: RunContext) -> Iterator[FittedDraft]:
    """The draft, fitted anew for each place at which the run may begin and each at which it may end."""
    for with_end in ended(fitted, run):
        for with_both in begun(refine(with_end, rows), run):
            yield refine(with_both, rows)


def begun(fitted: FittedDraft, run: RunContext) -> Iterator[Draft]:
    """The draft with its first bound where the run may begin, if the log shows that and the curve does not."""
    draft = fitted.draft
    kind, first = draft.kinds[0], float(draft.bounds[0])
    if kind.begins or not (run.begins or kind is LINEAR):
        yield draft
        return
    spread = 4 * max(fitted.spread.tolist()[int(draft.free_bounds.sum())], 1e-12 * float(draft.starts[0]))
    scale = max(float(draft.starts.max()), float(draft.ends.max()))
    options = []
    for order, place in enumerate(run.starts):
        start = _extrapolated(draft, 0, place)
        if start is None or start < -spread or place > first:
            continue
        thirds = [scale / 3] if spread <= _KNOWN * scale else []  # where mmcv's and detectron2's warm-ups begin
        each = round_rate(max(start, 0.0), spread, scale, thirds)
        zero = abs(start) <= max(spread, 1e-9 * scale) and kind is not HOLD
        unseen, seen = first - place, float(draft.bounds[1]) - first
        if not run.begins and (unseen > _BACK * seen or not (spread < _SURE * scale if zero else _is_striking(each))):
            continue  # the line need not have begun there
        short = 1 if each.value in thirds else significant(each.value)
        digits = 0 if zero else short if each.surprise <= 0.3 else 99
        options.append((digits, order, place, 0.0 if zero else start))
    for digits, _, place, start in sorted(options):
        bounds, rates, free_rates = _drops_from(draft, place), draft.rates.copy(), draft.free_rates.copy()
        bounds[0], rates[0] = place, start
        free_rates[0] = bool(digits)
        yield replace(draft.with_numbers(bounds, rates), free_rates=free_rates)
    if not (options and run.begins):
        yield draft


def _drops_from(draft: Draft, place: float) -> Floats:
    """The bounds of the draft, those between two levels at the roundest steps that are counted from a place."""
    bounds = draft.bounds.copy()
    for index in range(1, len(draft.kinds)):
        low, high = draft.limits[:, index].tolist()
        if draft.kinds[index - 1] is draft.kinds[index] is HOLD and abs(place) == 1 and math.isfinite(low + high):
            bounds[index] = place + roundest(math.floor(low) + 1 - place, high - place)
    return bounds


def ended(fitted: FittedDraft, run: RunContext) -> Iterator[Draft]:
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
    ends = run.ends
    if run.declared is not None and _counts_from_1(fitted):
        ends = (run.declared + 1, *ends)
    place = next((end for end in ends if _is_round(_extrapolated(draft, -1, end), reach, scale)), None)
    if place is not None:
        yield _ending(draft, place)
    place_of_0 = zero_crossing(draft)
    if place_of_0 is not None and place_of_0 - draft.bounds[-2] <= _VISIBLE * (run.ends[0] - draft.bounds[-2]):
        bounds, rates = draft.bounds.copy(), draft.rates.copy()
        free_bounds, free_rates = draft.free_bounds.copy(), draft.free_rates.copy()
        bounds[-1], rates[-1] = place_of_0, 0.0
        free_bounds[-1], free_rates[-1] = True, False
        yield replace(draft.with_numbers(bounds, rates), free_bounds=free_bounds, free_rates=free_rates)
    for end in dict.fromkeys((run.ends[0], run.ends[-1])) if place is None else ():
        if (_extrapolated(draft, -1, end) or 0.0) > 0:
            yield _ending(draft, end)


def _counts_from_1(fitted: FittedDraft) -> bool:
    """Whether the first line begins at a rounder rate where the log's steps count from 1."""
    draft = fitted.draft
    if draft.kinds[0].begins or draft.kinds[0] is HOLD:
        return False
    spread = 4 * float(fitted.spread[int(draft.free_bounds.sum())]) + 1e-12 * float(draft.rates.max())
    at_0, at_1 = (_extrapolated(draft, 0, place) for place in (0.0, 1.0))
    scale = float(draft.rates.max())
    return _is_round(at_1, spread, scale) and not _is_round(at_0, spread, scale)


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
    return _is_striking(round_rate(max(rate, 0.0), reach, scale))


def _is_striking(each: RoundNumber) -> bool:
    """Whether a number is so short that it was hardly found by accident."""
    return each.surprise < _CONVINCING and significant(each.value) <= _DIGITS


def _extrapolated(draft: Draft, index: int, place: float) -> float | None:
    """The rate that the curve of a phase would have at a place outside it; None where it has no finite value there."""
    kind = draft.kinds[index]
    index %= len(draft.kinds)
    start, end = float(draft.starts[index]), float(draft.ends[index])
    length = float(draft.bounds[index + 1] - draft.bounds[index])
    if not length:
        return None
    share = np.array([(place - float(draft.bounds[index])) / length])
    rate = float(kind.beyond(start, end, share)[0])
    return rate if np.isfinite(rate) else None


def zero_crossing(draft: Draft) -> float | None:
    """Where the last phase would reach 0, if it does."""
    start, end = float(draft.starts[-1]), float(draft.ends[-1])
    length = float(draft.bounds[-1] - draft.bounds[-2])
    share = start / (start - end) if start > end else None
    if share is None or draft.kinds[-1].name not in ("linear", "one_minus_sqrt"):
        return None
    return float(draft.bounds[-2]) + length * (share if draft.kinds[-1].name == "linear" else share**2)
