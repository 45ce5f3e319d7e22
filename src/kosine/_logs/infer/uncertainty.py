"""What a log leaves open: the numbers of an explanation that could be others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.infer.curve_fits import ENDLESS, HOLD
from kosine._logs.infer.draft import Draft
from kosine._logs.infer.least_squares import refine
from kosine._logs.infer.minimax import centred
from kosine._logs.infer.open_rates import all_free
from kosine._logs.infer.rounding import significant
from kosine._logs.infer.run_bounds import zero_crossing
from kosine._logs.infer.segments import Observations
from kosine._logs.infer.snapping import EXPLAINS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FAR = 2.0**20  # of the length that was seen: an end beyond it is unknown
_HALVINGS = 7
_DIGITS = 2  # of a rate that a decay may be meant to end at
_SLACK = 0.01  # half-widths that the search for the nearest numbers may leave


def open_bounds(draft: Draft, rows: Observations) -> Iterator[tuple[int, float, float | None]]:
    """The bounds that may be elsewhere: their number, and the lowest and the highest place; None: any later one."""
    kinds, count = draft.kinds, draft.bounds.size
    free = all_free(draft)
    stated = free.free_bounds
    spread = dict(zip(np.flatnonzero(stated).tolist(), refine(free, rows).spread.tolist(), strict=False))
    for index in range(count):
        if 0 < index < count - 1 and _steepness_unknown(draft, rows, index):
            left, right = _neighbours(rows.x, float(draft.bounds[index]))
            if right - left > 1:
                yield index, left + 1, right
        elif stated[index]:
            if spread[index] > 0.15:
                low, high = (_limit(free, rows, index, sign, spread[index]) for sign in (-1, 1))
                assert low is not None
                if high is None or round(low) < round(high):
                    yield index, low, high
        elif 0 < index < count - 1:
            left, right = _neighbours(rows.x, float(draft.bounds[index]))
            if right - left > 1:
                yield index, left + 1, right
        elif (
            index == count - 1
            and kinds[-1] is not HOLD
            and kinds[-1] not in ENDLESS
            and (draft.bounds[-1] > rows.x[-1] + 1 or not _final(draft))
        ):
            yield index, float(rows.x[-1]) + 1, _latest_zero(draft, rows)


def _latest_zero(draft: Draft, rows: Observations) -> float | None:
    """Where the last phase reaches 0 at the latest: as flat as its rows allow; None if it never does."""
    seen, length = float(rows.x[-1] - draft.bounds[-2]), float(draft.bounds[-1] - draft.bounds[-2])
    raised = 2 * float(rows.width[-1]) * max(length / seen, 1.0) if seen > 0 else math.inf
    end = float(draft.ends[-1]) + raised
    return zero_crossing(replace(draft, ends=np.append(draft.ends[:-1], end))) if end < draft.starts[-1] else None


def _final(draft: Draft) -> bool:
    """Whether the last rate is one that a decay may be meant to end at."""
    return draft.ends[-1] < draft.starts[-1] and significant(float(draft.ends[-1])) <= _DIGITS


def _steepness_unknown(draft: Draft, rows: Observations, index: int) -> bool:
    """Whether the phase before a bound, or after it, has too few rows to say how steep its curve is."""
    for phase in (index - 1, index):
        inside = np.searchsorted(rows.x, draft.bounds[phase : phase + 2])
        kind = draft.kinds[phase]
        if kind is not HOLD and not kind.begins and not kind.ends and inside[1] - inside[0] < 2:
            return True
    return False


def _neighbours(x: NDArray[np.float64], bound: float) -> tuple[float, float]:
    """The last row before a bound, and the first at it or after."""
    at = int(np.clip(np.searchsorted(x, bound), 1, x.size - 1))
    return float(x[at - 1]), float(x[at])


def _limit(free: Draft, rows: Observations, index: int, sign: int, spread: float) -> float | None:
    """Up to where a bound may move to one side while other numbers make up for it; None: as far as you like."""
    bound = float(free.bounds[index])
    fixed = replace(free, free_bounds=np.where(np.arange(free.bounds.size) == index, False, free.free_bounds))
    edge = np.inf if sign > 0 else float(rows.x[-1]) if index == free.bounds.size - 1 else -np.inf

    def fits(distance: float) -> bool:
        bounds = fixed.bounds.copy()
        bounds[index] = bound + sign * distance
        if not (np.diff(bounds) >= 0).all() or (sign < 0 and bounds[index] < edge and index == bounds.size - 1):
            return False
        draft = refine(replace(fixed, bounds=bounds), rows).draft
        return draft.worst(rows) <= EXPLAINS or centred(draft, rows).worst(rows) <= EXPLAINS + _SLACK

    span = float(rows.x[-1] - rows.x[0])
    good, bad = 0.0, max(spread / 2, 0.5)
    while fits(bad):
        good, bad = bad, bad * 3
        if bad > _FAR * span:
            return None
    for _ in range(_HALVINGS):
        middle = (good + bad) / 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    return bound + sign * bad
