"""Rates that a log leaves open: a floor that a decay did not come down to, and rates that few digits leave vague."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from kosine._logs.infer.curve_fits import ENDLESS
from kosine._logs.infer.draft import Draft
from kosine._logs.infer.least_squares import refine
from kosine._logs.infer.minimax import centred, ranges
from kosine._logs.infer.segments import Observations
from kosine._logs.infer.snapping import EXPLAINS

_HALVINGS = 12
_SLACK = 0.01  # half-widths that the search for the nearest numbers may leave
_MUCH = 0.02  # of the highest rate of a phase: a rate that is known better is not called open
_SURE = 1.0  # the same in half-widths of the log


def open_rates(draft: Draft, rows: Observations) -> Iterator[tuple[int, bool, float, float]]:
    """The rates of a draft that may be others.

    Yields:
        The number of the phase, whether the rate is the one that it ends at, and the lowest and the highest rate.
    """
    free = _all_free(draft)
    last = len(draft.kinds) - 1
    slots = draft.slots
    floor = draft.kinds[-1].ends and draft.tied is None and draft.bounds[-1] > rows.x[-1] + 1
    low, high = ranges(free, rows)
    count = int(free.free_bounds.sum())
    spans = zip(low[count:].tolist(), high[count:].tolist(), strict=True)
    for slot, (least, most) in enumerate(spans):
        phase, at_end = divmod(int(np.flatnonzero(slots == slot)[0]), 2)
        if phase == last and at_end and (floor or draft.kinds[-1] in ENDLESS or not draft.kinds[-1].ends):
            continue
        if most - least > _MUCH * float(max(draft.starts[phase], draft.ends[phase])):
            yield phase, bool(at_end), max(least, 0.0), most
    if floor:
        least, most = _floors(free, rows)
        if most - least > _SURE * float(rows.width[-1]) and most > least:
            yield last, True, least, most


def _all_free(draft: Draft) -> Draft:
    """The draft with every number free that its rows decide."""
    count = draft.bounds.size
    stated = np.zeros(count, np.bool_)
    for index in range(count):
        before = draft.kinds[index - 1] if index else None
        after = draft.kinds[index] if index < count - 1 else None
        joined = before is not None and after is not None and draft.joined[index - 1]
        stated[index] = joined or bool(before and before.ends) or bool(after and after.begins)
    return replace(draft, free_bounds=stated, free_rates=np.ones(draft.rates.size, np.bool_))


def _floors(free: Draft, rows: Observations) -> tuple[float, float]:
    """The lowest and the highest rate that the last phase may end at, while all other numbers make up for it."""
    floor, top = float(free.rates[-1]), float(free.starts[-1])
    fixed = replace(free, free_rates=np.append(free.free_rates[:-1], False))

    def fits(rate: float) -> bool:
        tried = refine(fixed.with_numbers(fixed.bounds, np.append(fixed.rates[:-1], rate)), rows).draft
        return tried.worst(rows) <= EXPLAINS or centred(tried, rows).worst(rows) <= EXPLAINS + _SLACK

    return _furthest(fits, floor, 0.0), _furthest(fits, floor, top)


def _furthest(fits: Callable[[float], bool], good: float, bad: float) -> float:
    """How far a rate may go from one that fits towards another one."""
    if good == bad or fits(bad):
        return bad
    for _ in range(_HALVINGS):
        middle = (good + bad) / 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    return bad
