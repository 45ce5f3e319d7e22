"""From fitted numbers to the intended ones: whole steps, round rates, a floor of 0.

People write schedules with short numbers, and one known number changes the estimates of the others. So the numbers are
rounded one after another, the most surprising first, and the others are fitted anew each time. The first tries use the
errors that least squares estimate for each number; the last one uses the exact ranges from linear programs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.infer.curve_fits import ENDLESS
from kosine._logs.infer.draft import Draft
from kosine._logs.infer.least_squares import FittedDraft, refine, sampled
from kosine._logs.infer.minimax import centred, changes_of, ranges
from kosine._logs.infer.rounding import RoundNumber, round_rate, round_step, significant
from kosine._logs.infer.run_context import RunContext
from kosine._logs.infer.segments import Observations
from kosine._logs.infer.timescales import is_timescale, share_of, timescale_range
from kosine._logs.work import OutOfWorkError, Work

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_TRIES = ((15.0, 0.05), (3.5, 0.3), (2.5, 0.1), (2.0, 0.02), (0.0, -1.0))
"""Standard deviations that a number may be off, and how rare a round one must be: ever stricter, and at last any."""

EXPLAINS = 1 + 1e-6
"""Half-widths that a row may be off at most."""

_VAGUE = 0.003  # of its distance from the beginning: a bound that is known less well may as well be round

_MOST_FOR_SHORT = 3e5  # for shorter rates of a draft that already explains all rows: see `Work`

_LONG = 4  # digits: a rate that has more was hardly chosen

_PLAIN, _NEAR = 3, 0.005  # digits of a rate that is not long, and how near one of two digits must be to be tried
_THIRD = 1e-4  # how near a third of the highest rate must be

_HOPELESS = 600.0  # half-widths that the nearest numbers miss by: no others will do

_RATIOS = (0.1, 0.01, 0.5)  # of another rate: a floor is often a tenth of the peak
_MOVED = (0.1, 0.02, 0.004, 0.0008, 1e-4, 1e-5)
"""Half-widths by which the digits left out of a rate that is not round may move any row, as far as all allow it."""


def snapped(fitted: FittedDraft, rows: Observations, run: RunContext) -> Draft:
    """The draft with the roundest numbers that all rows allow; where none fit, those with the smallest miss.

    Args:
        fitted: the draft, fitted by least squares.
        rows: the log.
        run: where the run may have begun, and where it may end: even at a step that is not round, such as the one
            after the last row.
    """
    middle = centred(fitted.draft, rows)
    if middle.worst(rows) > _HOPELESS:
        return middle
    best: tuple[float, Draft] | None = None
    for reach, convincing in _TRIES:
        draft = _by_surprise(fitted, rows, run, reach, convincing)
        worst = draft.worst(rows)
        if worst <= EXPLAINS:
            cheap = replace(rows, work=Work(_MOST_FOR_SHORT, rows.work))
            return _with_plain_rates(_with_short_rates(draft, cheap), rows)
        if best is None or worst < best[0]:
            best = worst, draft
    assert best is not None
    draft = _by_ranges(best[1], fitted.draft, rows, run)
    return draft if draft.worst(rows) < best[0] else best[1]


def with_nearer_rates(draft: Draft, rows: Observations) -> Draft:
    """The draft with the rates that are nearest to all rows for its bounds, if they bring every row near enough."""
    free = replace(draft, free_bounds=np.zeros_like(draft.free_bounds), free_rates=draft.rates > 0)
    nearer = centred(free, rows)
    return _shortened(nearer, rows) if nearer.worst(rows) <= EXPLAINS else draft


def _by_ranges(best: Draft, fitted: Draft, rows: Observations, run: RunContext) -> Draft:
    """The same from the exact ranges of the numbers, where least squares misjudge them."""
    all_free = replace(best, free_bounds=fitted.free_bounds, free_rates=fitted.free_rates)
    draft = centred(all_free, rows)
    while bool(draft.free_bounds.any() or draft.free_rates.any()):
        if draft.worst(rows) > EXPLAINS:
            return best
        low, high = ranges(draft, rows)
        found = _candidates(draft, (low + high) / 2, (high - low) / 2, rows, run)
        count = int(draft.free_bounds.sum())
        order = sorted(range(len(found)), key=lambda index: (found[index].surprise, index))
        if not any(each.surprise <= 1 for each in found) and count < len(found):
            order = [*range(count), *order]
        place = order[0]
        middle, reach = float(low[place] + high[place]) / 2, float(high[place] - low[place]) / 2
        nearest = float(round(middle)) if place < count else _shortest_near(middle, reach)
        tried = (centred(_fixed(draft, {place: value}), rows) for value in (found[place].value, nearest))
        draft = next((each for each in tried if each.worst(rows) <= EXPLAINS), _fixed(draft, {place: nearest}))
    return draft


def _shortest_near(middle: float, reach: float) -> float:
    return round_rate(middle, reach / 8, middle).value if middle > 0 else 0.0


def _by_surprise(fitted: FittedDraft, rows: Observations, run: RunContext, reach: float, convincing: float) -> Draft:
    """The most surprising numbers first, the others fitted anew after each."""
    while True:
        draft = fitted.draft
        found = _candidates(draft, draft.free_numbers, reach * fitted.spread, rows, run)
        chosen = [index for index, each in enumerate(found) if each.surprise < 1e-3]
        if not chosen:
            least = min(range(len(found)), key=lambda index: found[index].surprise, default=None)
            if least is None or found[least].surprise > convincing:
                break
            chosen = [least]
        fitted = refine(_fixed(draft, {index: found[index].value for index in chosen}), rows)
    draft = fitted.draft
    while bool(draft.free_bounds.any()):  # no round numbers any more: the nearest whole steps, the surest first
        draft = centred(draft, rows)
        spread = refine(draft, rows).spread
        surest = int(np.argmin(spread[: int(draft.free_bounds.sum())]))
        place, sure = float(draft.bounds[np.flatnonzero(draft.free_bounds)[surest]]), float(spread[surest])
        vague = convincing > 0 and sure > _VAGUE * (place - float(draft.bounds[0]) or sure)
        step = round_step(place, sure, (0.0, float(draft.bounds[0])), run.ends).value if vague else float(round(place))
        draft = _fixed(draft, {surest: step})
    return _shortened(centred(draft, rows), rows)


def _candidates(
    draft: Draft, middles: Floats, reaches: Floats, rows: Observations, run: RunContext
) -> list[RoundNumber]:
    """For each free number of the draft, bounds before rates, the roundest within its reach of its middle."""
    scale = float(rows.y.max()) or 1.0
    estimates = zip(middles.tolist(), reaches.tolist(), strict=True)
    found: list[RoundNumber] = []
    known_bounds = [float(bound) for bound in draft.bounds[~draft.free_bounds]]
    lengths = np.diff(draft.bounds)[~(draft.free_bounds[1:] | draft.free_bounds[:-1])].tolist()
    for index in np.flatnonzero(draft.free_bounds).tolist():
        bases = [float(draft.bounds[0]) if index and not draft.free_bounds[0] else 0.0]
        again: list[float] = []
        if index and not draft.free_bounds[index - 1]:
            bases.append(float(draft.bounds[index - 1]))
            again = [bases[-1] + length for length in lengths]
        special = run.starts if index == 0 else [*run.ends, *again] if index == draft.bounds.size - 1 else again
        found.append(round_step(*next(estimates), bases, [each for each in special if each not in known_bounds]))
    rates = draft.rates
    known = [float(rate) for rate in np.unique(rates[~draft.free_rates]) if rate]
    known += [float(f"{rate * ratio:.15g}") for rate in known for ratio in _RATIOS]  # 0.1 * 6e-4 is meant as 6e-5
    for index in np.flatnonzero(draft.free_rates).tolist():
        middle, width = next(estimates)
        width = max(width, 1e-13 * scale)
        if index == rates.size - 1 and draft.kinds[-1] in ENDLESS:
            found.append(_by_timescale(draft, width))
        else:
            found.append(round_rate(middle, width, scale, known))
    return found


def _by_timescale(draft: Draft, width: float) -> RoundNumber:
    """The share that an endless curve ends at, where its timescale is round."""
    if draft.free_bounds[-2]:
        return RoundNumber(float(draft.rates[-1]), np.inf)  # it follows from where the curve begins
    middle, reach = timescale_range(draft, width)
    if not is_timescale(middle):
        return RoundNumber(float(draft.rates[-1]), np.inf)
    each = round_rate(middle, reach, middle, (float(draft.bounds[-2] - draft.bounds[0]),))
    if each.value <= 0:
        return RoundNumber(float(draft.rates[-1]), np.inf)
    return RoundNumber(share_of(draft, each.value), each.surprise)


def _fixed(draft: Draft, numbers: dict[int, float]) -> Draft:
    """The draft with some of its free numbers, by their place among them, at these values for good."""
    free_bounds, free_rates = np.flatnonzero(draft.free_bounds), np.flatnonzero(draft.free_rates)
    bounds, rates = draft.bounds.copy(), draft.rates.copy()
    is_free_bound, is_free_rate = draft.free_bounds.copy(), draft.free_rates.copy()
    for place, value in numbers.items():
        if place < free_bounds.size:
            bounds[free_bounds[place]] = value
            is_free_bound[free_bounds[place]] = False
        else:
            rates[free_rates[place - free_bounds.size]] = value
            is_free_rate[free_rates[place - free_bounds.size]] = False
    return replace(draft.with_numbers(bounds, rates), free_bounds=is_free_bound, free_rates=is_free_rate)


def _shortened(draft: Draft, rows: Observations) -> Draft:
    """The draft with no more digits of its free rates than the rows need."""
    free = np.flatnonzero(draft.free_rates)
    if not free.size:
        return draft
    seen = rows.at(sampled(rows, draft))
    changes, units = changes_of(draft, seen, (draft.predict(seen.x) - seen.y) / seen.width)
    scale = float(rows.y.max()) or 1.0
    shorter = draft
    for moved in _MOVED:
        rates = draft.rates.copy()
        for column, index in enumerate(free.tolist()):
            most = float(np.abs(changes[:, column]).max())
            reach = units[column] * moved / most if most else scale
            if index == rates.size - 1 and draft.kinds[-1] in ENDLESS:
                rates[index] = _round_timescale(draft, reach)
            else:
                rates[index] = round_rate(float(rates[index]), reach, scale).value
        shorter = draft.with_numbers(draft.bounds, rates)
        if shorter.explains(rows, EXPLAINS):
            break
    return shorter


def _with_short_rates(draft: Draft, rows: Observations) -> Draft:
    """The draft with each long rate as short as all rows allow, as far as the work lasts."""
    try:
        for index in np.flatnonzero(draft.rates > 0).tolist():
            draft = _with_short_rate(draft, index, rows)
    except OutOfWorkError:
        return draft  # long rates explain the rows as well
    return draft


def _with_short_rate(draft: Draft, index: int, rows: Observations) -> Draft:
    """The draft with this rate, if it is long, as short as all rows allow, while the other long ones make up for it."""
    long = np.array([significant(rate) > _LONG for rate in draft.rates.tolist()])
    share = draft.kinds[-1] in ENDLESS and index == draft.rates.size - 1
    if share or not long[index]:
        return draft
    long[index] = False
    if draft.kinds[-1] in ENDLESS:
        long[-1] = True
    rate = float(draft.rates[index])
    for digits in range(1, significant(rate) - 1):
        short = float(f"{rate:.{digits - 1}e}")
        if abs(short - rate) > _VAGUE * rate:
            continue
        rates = draft.rates.copy()
        rates[index] = short
        tried = replace(draft.with_numbers(draft.bounds, rates), free_rates=long)
        tried = _shortened(centred(replace(tried, free_bounds=np.zeros_like(draft.free_bounds)), rows), rows)
        if tried.worst(rows) <= EXPLAINS:
            return tried
    return draft


def _with_plain_rates(draft: Draft, rows: Observations) -> Draft:
    """The draft with each long rate as one of two digits, or a third of the highest, as all rows allow one by one."""
    third = float(draft.rates.max()) / 3  # mmcv's and detectron2's warm-ups begin there
    for index in range(draft.rates.size - (draft.kinds[-1] in ENDLESS)):
        long = float(draft.rates[index])
        for plain, near in ((float(f"{long:.1e}"), _NEAR), (third, _THIRD)):
            if abs(plain - long) <= near * long and significant(long) > _PLAIN:
                rates = draft.rates.copy()
                rates[index] = plain
                tried = draft.with_numbers(draft.bounds, rates)
                draft = tried if tried.worst(rows) <= EXPLAINS else draft
    return draft


def _round_timescale(draft: Draft, reach: float) -> float:
    """The share that an endless curve ends at, with as short a timescale as lets it move so far."""
    middle, reach_of_steps = timescale_range(draft, reach)
    if not is_timescale(middle):
        return float(draft.rates[-1])
    whole = float(round(middle))
    if whole and abs(whole - middle) <= 8 * reach_of_steps:
        return share_of(draft, whole)
    return share_of(draft, round_rate(middle, reach_of_steps, middle).value)
