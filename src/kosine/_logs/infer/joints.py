"""Segments joined to a draft: where one curve ends and the next begins, and whether they meet there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.infer.curve_fits import HOLD
from kosine._logs.infer.draft import Draft
from kosine._logs.infer.rounding import roundest
from kosine._logs.infer.segments import Observations, Segment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_OVERLAP = 4096  # rows around a joint
_SLACK = 1e-6  # of the distance of two rows: a fitted place that is a row's own may be off by its rounding
_NEARLY = 6.0  # half-widths
_LEVEL = 2  # rows after the end of the last curve that are more than a row beyond it


def draft_of(rows: Observations, found: Sequence[Segment], total: float | None) -> Draft:
    """The phases that the segments show, joined where their curves meet."""
    kinds = tuple(segment.arc.kind for segment in found)
    last = float(rows.x[-1])
    end = total if total is not None and total > last else last + 1
    bounds = [float(rows.x[0]) if found[0].arc.begin is None else found[0].arc.begin]
    joined: list[bool] = []
    free = [found[0].arc.kind.begins]
    for before, after in pairwise(found):
        place, meets = _joint(rows, before, after)
        bounds.append(place)
        joined.append(meets)
        free.append(meets or before.arc.kind.ends or after.arc.kind.begins)
    bounds.append(_last_bound(rows, found[-1], end))
    free.append(found[-1].arc.kind.ends)
    places = np.maximum.accumulate(np.array(bounds))
    starts = [_value(segment, places[index]) for index, segment in enumerate(found)]
    ends = [_value(segment, places[index + 1]) for index, segment in enumerate(found)]
    draft = Draft(
        kinds,
        places,
        np.array(starts),
        np.array(ends),
        tuple(joined),
        (False,) * len(found),
        _limits(rows, found, joined),
        np.array(free),
        np.ones(0, np.bool_),
    )
    return replace(draft, free_rates=np.ones(draft.rates.size, np.bool_))


def _last_bound(rows: Observations, segment: Segment, end: float) -> float:
    """Where the last phase ends: where its curve says so, or where it comes down to 0, or with the run."""
    last, stated = float(rows.x[-1]), segment.arc.end
    if stated is not None:
        after = rows.part(int(np.searchsorted(rows.x, stated)), len(rows))
        level = len(after) > _LEVEL and bool((np.abs(after.y - after.y[-1]) <= after.width).all())
        return stated if level else max(stated, last)
    places = np.linspace(last, end, 65)
    rates = segment.arc.predict(places)
    below = np.flatnonzero(rates < 0)
    if not below.size or not below[0]:
        return float(places[0]) if below.size else end
    right = int(below[0])
    share = float(rates[right - 1] / (rates[right - 1] - rates[right]))
    return float(places[right - 1] + share * (places[right] - places[right - 1]))


def _limits(rows: Observations, found: Sequence[Segment], joined: Sequence[bool]) -> Floats:
    """Between which places each bound may move: one at a jump only between the two rows around it."""
    limits = np.tile([[-np.inf], [np.inf]], len(found) + 1)
    for index, after in enumerate(found[1:]):
        if not joined[index]:
            left, right = float(rows.x[after.first - 1]), float(rows.x[after.first])
            limits[:, index + 1] = left + 1e-9 * max(1.0, abs(left)), right
    return limits


def with_endpoints(draft: Draft, rows: Observations, found: Sequence[Segment]) -> Draft | None:
    """The draft with phases that reach their end in their last row, where rows look so; None if none does."""
    endpoints = (*(_has_endpoint(rows, *pair) for pair in pairwise(found)), False)
    return replace(draft, endpoints=endpoints) if any(endpoints) else None


def apart(draft: Draft, rows: Observations, found: Sequence[Segment]) -> Draft | None:
    """The draft with a jump where a rise gives way to a curve that may cross it by accident; None if none does."""
    rises = (draft.starts[:-1] < draft.ends[:-1]) & (draft.starts[1:] > draft.ends[1:])
    between = [float(rows.x[after.first] - rows.x[after.first - 1]) > 1 for after in found[1:]]
    crosses = [meets and rise and gap for meets, rise, gap in zip(draft.joined, rises.tolist(), between, strict=True)]
    if not any(crosses):
        return None
    joined = tuple(meets and not cross for meets, cross in zip(draft.joined, crosses, strict=True))
    bounds, free = draft.bounds.copy(), draft.free_bounds.copy()
    for index in np.flatnonzero(crosses).tolist():
        crossing, right = math.floor(bounds[index + 1]), float(rows.x[found[index + 1].first])
        bounds[index + 1] = roundest(min(crossing + 1.0, right), right)  # after it the rate falls
        free[index + 1] = found[index + 1].arc.kind.begins
    starts = [_value(segment, bounds[index]) for index, segment in enumerate(found)]
    ends = [_value(segment, bounds[index + 1]) for index, segment in enumerate(found)]
    moved = replace(
        draft,
        bounds=bounds,
        starts=np.array(starts),
        ends=np.array(ends),
        joined=joined,
        limits=_limits(rows, found, joined),
        free_bounds=free,
    )
    return replace(moved, free_rates=np.ones(moved.rates.size, np.bool_))


def with_jump(draft: Draft, rows: Observations, found: Sequence[Segment], index: int) -> Draft:
    """The draft with a jump into the phase of this number."""
    joined = tuple(meets and number != index for number, meets in enumerate(draft.joined, 1))
    starts, ends = draft.starts.copy(), draft.ends.copy()
    place = draft.bounds[index]
    starts[index], ends[index - 1] = _value(found[index], place), _value(found[index - 1], place)
    parted = replace(draft, starts=starts, ends=ends, joined=joined, limits=_limits(rows, found, joined))
    return replace(parted, free_rates=np.ones(parted.rates.size, np.bool_))


def _has_endpoint(rows: Observations, before: Segment, after: Segment) -> bool:
    """Whether the last row of a segment shows where its curve ends, though the next begins one step later only."""
    left, right, end = float(rows.x[after.first - 1]), float(rows.x[after.first]), before.arc.end
    jumps = abs(rows.y[after.first] - rows.y[after.first - 1]) > 100 * rows.width[after.first - 1]
    return end is not None and right - left == 1 and abs(end - left) < 0.5 and bool(jumps)


def _value(segment: Segment, place: float) -> float:
    return max(0.0, float(segment.arc.predict(np.array([place]))[0]))


def _joint(rows: Observations, before: Segment, after: Segment) -> tuple[float, bool]:
    """Where one curve ends and the next begins, and whether they meet there.

    A curve may have been followed a little too far, so they may meet before the first row of the next segment; but only
    where the rows in between lie on both.
    """
    left, right = float(rows.x[after.first - 1]), float(rows.x[after.first])
    if before.arc.kind is after.arc.kind is HOLD:  # two levels are printed as two numbers
        return roundest(left + 1, right), False
    stated = [place for place in (after.arc.begin, before.arc.end) if place is not None]
    low, high = _both(rows, before, after)
    places = np.unique(np.concatenate([np.linspace(low, high, 101), np.linspace(left, right, 101)]))
    apart = before.arc.predict(places) - after.arc.predict(places)
    slack = _SLACK * (right - left)
    near = [place for place in stated if min(low, 2 * left - right) - slack <= place <= high + slack]
    width = 4 * float(rows.width[after.first - 1 : after.first + 1].max())
    moved = 0.3 * abs(
        float(rows.y[after.first] - rows.y[after.first - 1])
    )  # the start of a steep curve is not known exactly
    for place in near:
        if abs(_apart(before, after, place)) <= max(width, moved if place <= right else 0.0):
            return place, True
    crossing = np.flatnonzero((apart[1:] > 0) != (apart[:-1] > 0))
    if crossing.size:
        middle = (left + right) / 2
        return float(places[min(crossing.tolist(), key=lambda index: abs(places[index] - middle))]), True
    closest = int(np.argmin(np.abs(apart)))
    if abs(float(apart[closest])) <= width:
        return float(places[closest]), True
    return min(max(near[0], left + 1e-9 * max(1.0, abs(left))), right) if near else roundest(left + 1, right), False


def _both(rows: Observations, before: Segment, after: Segment) -> tuple[float, float]:
    """The positions around the joint up to which the rows lie on both curves, or nearly."""
    back = slice(max(before.first, after.first - _OVERLAP), after.first)
    missed = np.flatnonzero(~(rows.off(after.arc, back.start, back.stop) <= _NEARLY))
    low = back.start + int(missed[-1]) if missed.size else back.start
    ahead = slice(after.first, min(after.stop, after.first + _OVERLAP))
    missed = np.flatnonzero(~(rows.off(before.arc, ahead.start, ahead.stop) <= _NEARLY))
    high = ahead.start + int(missed[0]) if missed.size else ahead.stop - 1
    return float(rows.x[min(low, after.first - 1)]), float(rows.x[high])


def _apart(before: Segment, after: Segment, place: float) -> float:
    at = np.array([place])
    return float(before.arc.predict(at)[0] - after.arc.predict(at)[0])
