"""Rates that a log leaves open: a floor that a decay did not come down to, and rates that few digits leave vague."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from kosine._logs.infer.curve_fits import HOLD
from kosine._logs.infer.draft import Draft
from kosine._logs.infer.least_squares import refine
from kosine._logs.infer.minimax import centred, ranges
from kosine._logs.infer.segments import Observations
from kosine._logs.infer.snapping import EXPLAINS

_HALVINGS = 15
_NEAR = 0.05  # of how far a rate may go: that is known well enough
_FIRST = 0.003  # of the rate that the last phase begins at: the first step that is tried
_SLACK = 0.01  # half-widths that the search for the nearest numbers may leave
_MUCH = 0.02  # of the highest rate of a phase: a rate that is known better is not called open
_UNSEEN = 1e-8  # of the highest rate of all: no run would differ
_SAME = 1e-6  # of the rate that the last phase begins at
_SURE = 2.0  # the same in half-widths of the log


@dataclass(frozen=True)
class OpenEnd:
    """The rates that the last phase may end at, and the places at which it comes to them."""

    rates: tuple[float, float]
    places: tuple[float, float]


def open_rates(draft: Draft, rows: Observations) -> Iterator[tuple[int, bool, float, float]]:
    """The rates of a draft that may be others, but for the one that the last phase ends at: see `open_end`.

    Yields:
        The number of the phase, whether the rate is the one that it ends at, and the lowest and the highest rate.
    """
    free = all_free(draft)
    slots, count = draft.slots, int(free.free_bounds.sum())
    low, high = ranges(free, rows)
    unseen = _UNSEEN * float(rows.y.max())
    spans = zip(low[count:].tolist(), high[count:].tolist(), strict=True)
    for slot, (least, most) in enumerate(spans):
        phase, at_end = divmod(int(np.flatnonzero(slots == slot)[0]), 2)
        ends = draft.kinds[-1].ends and draft.bounds[-1] <= rows.x[-1] + 1
        if slot == len(low) - count - 1 and draft.kinds[-1] is not HOLD and not ends:
            continue
        if most - least > max(_MUCH * float(max(draft.starts[phase], draft.ends[phase])), unseen):
            yield phase, bool(at_end), max(least, 0.0), most


def open_end(draft: Draft, rows: Observations, declared: bool) -> OpenEnd | None:
    """How far down the last phase may go, and until when, where the log ends before it does; None: its rows say it.

    Args:
        draft: the phases.
        rows: the log.
        declared: whether the log declares where the last phase ends.
    """
    if not draft.kinds[-1].ends or draft.tied is not None or draft.bounds[-1] <= rows.x[-1] + 1:
        return None
    free = all_free(draft)
    bounds = np.append(free.free_bounds[:-1], not declared)
    fixed = replace(free, free_bounds=bounds, free_rates=np.append(free.free_rates[:-1], False))
    fitting = [fixed]  # what fits so far; each trial begins at the last one

    def fits(rate: float) -> bool:
        near = fitting[-1]
        tried = refine(near.with_numbers(near.bounds, np.append(near.rates[:-1], rate)), rows).draft
        if tried.worst(rows) > EXPLAINS:
            tried = centred(tried, rows)
        if tried.worst(rows) > EXPLAINS + _SLACK:
            return False
        fitting.append(tried)
        return True

    floor, width, top = float(free.rates[-1]), float(rows.width[-1]), float(free.starts[-1])
    lowest = _furthest(fits, floor, _FIRST * top, 0.0)
    fitting.append(fixed)
    rates = lowest, _furthest(fits, floor, _FIRST * top, top)
    if rates[1] - rates[0] <= max(_SURE * width, _SAME * float(free.starts[-1])):
        return None
    places = [float(each.bounds[-1]) for each in fitting]
    return OpenEnd(rates, (min(places), max(places)))


def all_free(draft: Draft) -> Draft:
    """The draft with every number free that its rows decide."""
    count = draft.bounds.size
    stated = np.zeros(count, np.bool_)
    for index in range(count):
        before = draft.kinds[index - 1] if index else None
        after = draft.kinds[index] if index < count - 1 else None
        joined = before is not None and after is not None and draft.joined[index - 1]
        stated[index] = joined or bool(before and before.ends) or bool(after and after.begins)
    return replace(draft, free_bounds=stated, free_rates=np.ones(draft.rates.size, np.bool_))


def _furthest(fits: Callable[[float], bool], start: float, first: float, end: float) -> float:
    """How far a rate may go from one that fits towards another one; the first step is as small as this."""
    good, bad = start, start + math.copysign(min(first, abs(end - start)), end - start)
    while fits(bad):
        if bad == end:
            return end
        good, bad = bad, bad + math.copysign(min(3 * abs(bad - start), abs(end - bad)), end - start)
    for _ in range(_HALVINGS):
        if abs(bad - good) <= _NEAR * abs(good - start):
            break
        middle = (good + bad) / 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    return bad
