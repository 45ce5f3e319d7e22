"""The numbers of a draft by linear programs: those with which the furthest row is nearest, and the range of each.

Least squares answer another question. A rate that is printed with few digits is off to the same side for many rows. The
smallest sum of squares may then leave some row outside of its half-width although other numbers bring every row inside.
The rates are nearly linear in the numbers, so a linear program finds such numbers in a few turns. Few rows decide, and
each turn adds those that the last one missed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.infer.draft import Draft
from kosine._logs.infer.least_squares import sampled, with_worst
from kosine._logs.infer.segments import Observations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_TURNS = 25
_PROGRAMS = 8  # with ever more rows, the last with all
_ROWS_OF_NUMBER, _AT_ONCE = 4, 40  # that the first program has, and that each missed that join the next
_MISSED = 1e-6  # half-widths that a row may be further off than the program says
_COST_OF_PROGRAM, _COST_OF_NUMBER, _COST_OF_CELL = 4000, 300, 2.5  # see `Work`


def centred(draft: Draft, rows: Observations) -> Draft:
    """The draft whose row that is furthest off, in half-widths, is the least far off: a linear program."""
    free_bounds, free_rates = np.flatnonzero(draft.free_bounds), np.flatnonzero(draft.free_rates)
    count = free_bounds.size + free_rates.size
    if not count:
        return draft
    sample = sampled(rows, draft)
    best, least = draft, draft.worst(rows)
    for _ in range(_TURNS):
        rows.work.spend(_COST_OF_NUMBER * count)
        seen = rows.at(sample)
        off = (draft.predict(seen.x) - seen.y) / seen.width
        changes, units = changes_of(draft, seen, off)
        nearest = _least_far(changes, off, _boxes(draft, units), rows)
        if nearest is None:
            break
        moved = nearest[:-1] * units
        bounds, rates = draft.bounds.copy(), draft.rates.copy()
        bounds[free_bounds] += moved[: free_bounds.size]
        rates[free_rates] = np.maximum(rates[free_rates] + moved[free_bounds.size :], 0.0)
        nearer = draft.with_numbers(bounds, rates)
        stands = nearer.worst(seen) >= float(np.abs(off).max()) - 1e-6
        draft = draft if stands else nearer
        worst = draft.worst(rows)
        best, least = (draft, worst) if worst < least else (best, least)
        more = with_worst(sample, rows, draft)
        if least <= float(nearest[-1]) + 1e-3 or (stands and more.size == sample.size):
            break
        sample = more
    return best


def _least_far(changes: Floats, off: Floats, boxes: list[tuple[float, float]], rows: Observations) -> Floats | None:
    """The moves of the numbers with which the furthest row is the least far off, and how far that is.

    Few rows decide, so the program is solved for some of them, and those that it misses join them in the next turn.
    """
    from scipy.optimize import linprog

    count, goal = changes.shape[1], np.append(np.zeros(changes.shape[1]), 1.0)
    chosen = np.linspace(0, off.size - 1, min(off.size, _ROWS_OF_NUMBER * (count + 1))).astype(np.intp)
    chosen = np.union1d(chosen, _largest(np.abs(off)))
    for turn in range(_PROGRAMS):
        if turn == _PROGRAMS - 1:
            chosen = np.arange(off.size)
        rows.work.spend(_COST_OF_PROGRAM + _COST_OF_CELL * (count + 1) * chosen.size)
        some, so_far, ones = changes[chosen], off[chosen], np.ones((chosen.size, 1))
        result = linprog(
            goal,
            A_ub=np.vstack([np.hstack([some, -ones]), np.hstack([-some, -ones])]),
            b_ub=np.concatenate([-so_far, so_far]),
            bounds=[*boxes, (0.0, None)],
        )
        if not result.success:
            return None
        nearest: Floats = result.x
        missed = np.maximum(np.abs(off + changes @ nearest[:-1]) - nearest[-1], 0.0)
        if float(missed.max()) <= _MISSED * max(float(nearest[-1]), 1.0):
            break
        chosen = np.union1d(chosen, _largest(missed))
    return nearest


def _largest(amounts: Floats) -> NDArray[np.intp]:
    """The places of the largest amounts."""
    return np.argpartition(amounts, -_AT_ONCE)[-_AT_ONCE:] if amounts.size > _AT_ONCE else np.arange(amounts.size)


def _boxes(draft: Draft, units: Floats) -> list[tuple[float, float]]:
    """How far each free number may be moved in one turn, in its unit: within its limits, and no rate below 0."""
    bounds, rates = draft.bounds[draft.free_bounds], draft.rates[draft.free_rates]
    low, high = draft.limits[:, draft.free_bounds] - bounds
    least = np.maximum(np.concatenate([low, -rates]) / units, -1.0)
    most = np.minimum(np.concatenate([high, np.full(rates.size, np.inf)]) / units, 1.0)
    return list(zip(least.tolist(), most.tolist(), strict=True))


def changes_of(draft: Draft, seen: Observations, off: Floats) -> tuple[Floats, Floats]:
    """How far each row moves, in half-widths, when a free number changes by its unit; and these units."""
    columns, units = [], []
    rates, bounds = draft.rates, draft.bounds
    span, top = max(float(bounds[-1] - bounds[0]), 1.0), float(seen.y.max()) or 1.0
    predicted = draft.predict(seen.x)
    for which, index in [
        *(("bounds", index) for index in np.flatnonzero(draft.free_bounds).tolist()),
        *(("rates", index) for index in np.flatnonzero(draft.free_rates).tolist()),
    ]:
        small = 1e-7 * (span if which == "bounds" else max(float(rates[index]), 1e-6 * top))
        small = max(small, sys.float_info.min)
        numbers = {"bounds": bounds.copy(), "rates": rates.copy()}
        numbers[which][index] += small
        there = draft.with_numbers(numbers["bounds"], numbers["rates"]).predict_from(draft, seen.x, predicted)
        moved = (there - seen.y) / seen.width - off
        most = float(np.abs(moved).max())
        unit = small * (30.0 / most) if most else small  # a unit moves some row by 30 half-widths
        units.append(unit)
        columns.append(moved * (unit / small))
    return np.stack(columns, axis=1), np.array(units)


def ranges(draft: Draft, rows: Observations) -> tuple[Floats, Floats]:
    """The lowest and the highest value of each free number with which the others can still explain every row."""
    from scipy.optimize import linprog

    seen = rows.at(with_worst(sampled(rows, draft), rows, draft))
    off = (draft.predict(seen.x) - seen.y) / seen.width
    changes, units = changes_of(draft, seen, off)
    numbers = draft.free_numbers
    ends = []
    for sign in (1.0, -1.0):
        for index in range(numbers.size):
            rows.work.spend(_COST_OF_PROGRAM)
            result = linprog(
                sign * (np.arange(numbers.size) == index),
                A_ub=np.vstack([changes, -changes]),
                b_ub=np.concatenate([1.0 - off, 1.0 + off]).clip(0.0),
                bounds=_boxes(draft, units),
            )
            ends.append(numbers[index] + units[index] * (float(result.x[index]) if result.success else 0.0))
    low, high = np.array(ends).reshape(2, -1)
    return low, high
