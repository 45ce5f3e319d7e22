"""From fitted numbers to those that were meant: whole steps, round rates, a floor of 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.infer.curve_fits import ENDLESS
from kosine._logs.infer.draft import Draft, Fitted, refine, sample, with_worst
from kosine._logs.infer.rounding import Round, round_rate, round_step
from kosine._logs.infer.segments import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_TRIES = ((15.0, 0.05), (3.5, 0.3), (2.5, 0.1), (2.0, 0.02), (0.0, -1.0))
"""Standard deviations that a number may be off, and how rare a round one must be: ever stricter, and at last any."""

EXPLAINS = 1 + 1e-6
"""Half-widths that a row may be off at most."""

NEARLY = 1.2
"""The same where no numbers do better: what a linear program leaves of a curved valley."""

_Run = tuple[Sequence[float], Sequence[float]]

_VAGUE = 0.003  # of its distance from the beginning: a bound that is known less well may as well be round

_HOPELESS = 300.0  # half-widths that the nearest numbers miss by: no others will do

_RATIOS = (1.0, 0.1, 0.01, 0.5)
_TURNS = 25
_MOVED = (0.1, 0.02, 0.004, 0.0008, 1e-4, 1e-5)
"""Half-widths by which the digits left out of a rate that is not round may move any row, as far as all allow it."""


def settled(fitted: Fitted, rows: Rows, starts: Sequence[float], ends: Sequence[float]) -> Draft:
    """The draft with the roundest numbers that all rows allow; where none do, the ones that miss the least.

    Args:
        fitted: the draft, fitted by least squares.
        rows: the log.
        starts: where the run may have begun.
        ends: where it may end, even if that is no round number: such as the step after the last row.
    """
    middle = centred(fitted.draft, rows)
    if middle.worst(rows) > _HOPELESS:
        return middle
    best: tuple[float, Draft] | None = None
    for reach, convincing in _TRIES:
        draft = _by_surprise(fitted, rows, (starts, ends), reach, convincing)
        worst = draft.worst(rows)
        if worst <= EXPLAINS:
            return draft
        if best is None or worst < best[0]:
            best = worst, draft
    assert best is not None
    draft = _by_ranges(best[1], fitted.draft, rows, (starts, ends))
    return draft if draft.worst(rows) < best[0] else best[1]


def _by_ranges(best: Draft, fitted: Draft, rows: Rows, run: _Run) -> Draft:
    """The same from the exact ranges of the numbers, where least squares misjudge them.

    They do where a rate is printed with few digits: its errors have the same sign for many rows then.
    """
    all_free = replace(best, free_bounds=fitted.free_bounds, free_rates=fitted.free_rates)
    draft = centred(all_free, rows)
    while bool(draft.free_bounds.any() or draft.free_rates.any()):
        if draft.worst(rows) > EXPLAINS:
            return best
        low, high = _ranges(draft, rows)
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


def _ranges(draft: Draft, rows: Rows) -> tuple[Floats, Floats]:
    """The lowest and the highest value of each free number with which the others can still explain every row."""
    from scipy.optimize import linprog

    seen = with_worst(sample(rows, draft), rows, draft)
    off = (draft.predict(seen.x) - seen.y) / seen.width
    changes, units = _changes(draft, seen, off)
    numbers = np.concatenate([draft.bounds[draft.free_bounds], draft.rates[draft.free_rates]])
    ends = []
    for sign in (1.0, -1.0):
        for index in range(numbers.size):
            result = linprog(
                sign * (np.arange(numbers.size) == index),
                A_ub=np.vstack([changes, -changes]),
                b_ub=np.concatenate([1.0 - off, 1.0 + off]).clip(0.0),
                bounds=_boxes(draft, units),
            )
            ends.append(numbers[index] + units[index] * (float(result.x[index]) if result.success else 0.0))
    low, high = np.array(ends).reshape(2, -1)
    return low, high


def _by_surprise(fitted: Fitted, rows: Rows, run: _Run, reach: float, convincing: float) -> Draft:
    """The most surprising numbers first, the others fitted anew after each."""
    while True:
        draft = fitted.draft
        numbers = np.concatenate([draft.bounds[draft.free_bounds], draft.rates[draft.free_rates]])
        found = _candidates(draft, numbers, reach * fitted.spread, rows, run)
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
        step = round_step(place, sure, (0.0, float(draft.bounds[0])), run[1]).value if vague else float(round(place))
        draft = _fixed(draft, {surest: step})
    return _shortened(centred(draft, rows), rows)


def _candidates(draft: Draft, middles: Floats, reaches: Floats, rows: Rows, run: _Run) -> list[Round]:
    """For each free number of the draft, bounds before rates, the roundest within its reach of its middle."""
    scale = float(rows.y.max()) or 1.0
    estimates = zip(middles.tolist(), reaches.tolist(), strict=True)
    found: list[Round] = []
    settled_bounds = [float(bound) for bound in draft.bounds[~draft.free_bounds]]
    lengths = np.diff(draft.bounds)[~(draft.free_bounds[1:] | draft.free_bounds[:-1])].tolist()
    for index in np.flatnonzero(draft.free_bounds).tolist():
        bases = [float(draft.bounds[0]) if index and not draft.free_bounds[0] else 0.0]
        again: list[float] = []
        if index and not draft.free_bounds[index - 1]:
            bases.append(float(draft.bounds[index - 1]))
            again = [bases[-1] + length for length in lengths]
        special = run[0] if index == 0 else [*run[1], *again] if index == draft.bounds.size - 1 else again
        found.append(round_step(*next(estimates), bases, [each for each in special if each not in settled_bounds]))
    rates = draft.rates
    known = [float(rate) * ratio for rate in np.unique(rates[~draft.free_rates]) if rate for ratio in _RATIOS]
    for index in np.flatnonzero(draft.free_rates).tolist():
        middle, width = next(estimates)
        width = max(width, 1e-13 * scale)
        if index == rates.size - 1 and draft.kinds[-1] in ENDLESS:
            found.append(_by_timescale(draft, width))
        else:
            found.append(round_rate(middle, width, scale, known))
    return found


def timescale(draft: Draft) -> float:
    """The timescale of the last phase, in steps, where its curve has one."""
    power = ENDLESS[draft.kinds[-1]]
    return float(draft.bounds[-1] - draft.bounds[-2]) / ((float(draft.starts[-1]) / float(draft.ends[-1])) ** power - 1)


def _by_timescale(draft: Draft, width: float) -> Round:
    """The share that an endless curve ends at, where its timescale is round."""
    if draft.free_bounds[-2]:
        return Round(float(draft.rates[-1]), np.inf)  # it follows from where the curve begins
    middle, reach = _timescales(draft, width)
    each = round_rate(middle, reach, middle, (float(draft.bounds[-2] - draft.bounds[0]),))
    return Round(_share(draft, each.value), each.surprise) if each.value > 0 else Round(middle, np.inf)


def _timescales(draft: Draft, width: float) -> tuple[float, float]:
    """The timescale of an endless curve, and how far it moves with the share that the curve ends at."""
    middle = timescale(draft)
    moved = draft.with_numbers(draft.bounds, np.append(draft.rates[:-1], min(draft.rates[-1] + width, 1 - 1e-12)))
    return middle, abs(timescale(moved) - middle)


def _share(draft: Draft, steps: float) -> float:
    """The share that the last phase ends at with a timescale of so many steps."""
    length = float(draft.bounds[-1] - draft.bounds[-2])
    return float((1 + length / steps) ** (-1 / ENDLESS[draft.kinds[-1]]))


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


def centred(draft: Draft, rows: Rows) -> Draft:
    """The draft whose row that is furthest off, in half-widths, is the least far off: a linear program."""
    from scipy.optimize import linprog

    free_bounds, free_rates = np.flatnonzero(draft.free_bounds), np.flatnonzero(draft.free_rates)
    count = free_bounds.size + free_rates.size
    if not count:
        return draft
    seen = sample(rows, draft)
    best, least = draft, draft.worst(rows)
    for _ in range(_TURNS):  # the rates are nearly linear in the numbers; few rows decide, and each turn has more
        off = (draft.predict(seen.x) - seen.y) / seen.width
        changes, units = _changes(draft, seen, off)
        ones = np.ones((off.size, 1))
        result = linprog(
            np.append(np.zeros(count), 1.0),
            A_ub=np.vstack([np.hstack([changes, -ones]), np.hstack([-changes, -ones])]),
            b_ub=np.concatenate([-off, off]),
            bounds=[*_boxes(draft, units), (0.0, None)],
        )
        if not result.success:
            break
        moved = result.x[:-1] * units
        bounds, rates = draft.bounds.copy(), draft.rates.copy()
        bounds[free_bounds] += moved[: free_bounds.size]
        rates[free_rates] = np.maximum(rates[free_rates] + moved[free_bounds.size :], 0.0)
        nearer = draft.with_numbers(bounds, rates)
        stands = nearer.worst(seen) >= float(np.abs(off).max()) - 1e-6
        draft = draft if stands else nearer
        worst = draft.worst(rows)
        best, least = (draft, worst) if worst < least else (best, least)
        more = with_worst(seen, rows, draft)
        if least <= float(result.x[-1]) + 1e-3 or (stands and len(more) == len(seen)):
            break
        seen = more
    return best


def _boxes(draft: Draft, units: Floats) -> list[tuple[float, float]]:
    """How far each free number may be moved in a linear program, in its unit: within its limits, rates not below 0."""
    bounds, rates = draft.bounds[draft.free_bounds], draft.rates[draft.free_rates]
    low, high = draft.limits[:, draft.free_bounds] - bounds
    least = np.maximum(np.concatenate([low, -rates]) / units, -1.0)
    most = np.minimum(np.concatenate([high, np.full(rates.size, np.inf)]) / units, 1.0)
    return list(zip(least.tolist(), most.tolist(), strict=True))


def _changes(draft: Draft, seen: Rows, off: Floats) -> tuple[Floats, Floats]:
    """How far each row moves, in half-widths, when a free number changes by a unit of its own, and these units."""
    columns, units = [], []
    rates, bounds = draft.rates, draft.bounds
    span, top = max(float(bounds[-1] - bounds[0]), 1.0), float(seen.y.max()) or 1.0
    for which, index in [
        *(("bounds", index) for index in np.flatnonzero(draft.free_bounds).tolist()),
        *(("rates", index) for index in np.flatnonzero(draft.free_rates).tolist()),
    ]:
        small = 1e-7 * (span if which == "bounds" else max(float(rates[index]), 1e-6 * top))
        numbers = {"bounds": bounds.copy(), "rates": rates.copy()}
        numbers[which][index] += small
        moved = (draft.with_numbers(numbers["bounds"], numbers["rates"]).predict(seen.x) - seen.y) / seen.width - off
        most = float(np.abs(moved).max())
        unit = small * (30.0 / most) if most else small  # a unit moves some row by 30 half-widths
        units.append(unit)
        columns.append(moved * (unit / small))
    return np.stack(columns, axis=1), np.array(units)


def _shortened(draft: Draft, rows: Rows) -> Draft:
    """The draft with no more digits of its free rates than the rows need."""
    free = np.flatnonzero(draft.free_rates)
    if not free.size:
        return draft
    seen = sample(rows, draft)
    changes, units = _changes(draft, seen, (draft.predict(seen.x) - seen.y) / seen.width)
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
        if shorter.worst(rows) <= EXPLAINS:
            break
    return shorter


def _round_timescale(draft: Draft, reach: float) -> float:
    """The share that an endless curve ends at, with as short a timescale as lets it move so far."""
    middle, reach_of_steps = _timescales(draft, reach)
    whole = float(round(middle))
    if whole and abs(whole - middle) <= 8 * reach_of_steps:
        return _share(draft, whole)
    return _share(draft, round_rate(middle, reach_of_steps, middle).value)
