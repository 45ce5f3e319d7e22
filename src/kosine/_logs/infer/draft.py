"""Phases in a row, joined, fitted to all rows of a log together."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.infer.curve_fits import ENDLESS, HOLD, FitFamily
from kosine._logs.infer.rounding import roundest
from kosine._logs.infer.segments import Rows, Stretch
from kosine.errors import MissingPackageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_SAMPLE = 250  # rows of each phase that are fitted
_SMALL = 1e-12
_WORST = 200
_TURNS = 30
_OVERLAP = 4096  # rows around a joint
_NEARLY = 6.0  # half-widths


@dataclass(frozen=True)
class Draft:
    """A schedule in the making, on the axis of the log.

    Attributes:
        kinds: the curve of each phase.
        bounds: where each phase begins, and where the last one ends; one more than the phases.
        starts: the rate at which each phase begins.
        ends: the rate at which each phase ends.
        joined: whether each phase begins at the rate at which the one before ended; one less than the phases.
        endpoints: whether each phase reaches its end one step before the next begins.
        limits: the lowest and the highest place of each bound, as two rows.
        tied: the phase at whose end stands the rate that the last phase goes to as well; None: it has its own.
        free_bounds: which bounds the rows decide.
        free_rates: which of the rates, see `rates`, the rows decide.
    """

    kinds: tuple[FitFamily, ...]
    bounds: Floats
    starts: Floats
    ends: Floats
    joined: tuple[bool, ...]
    endpoints: tuple[bool, ...]
    limits: Floats
    free_bounds: NDArray[np.bool_]
    free_rates: NDArray[np.bool_]
    tied: int | None = None

    @property
    def slots(self) -> NDArray[np.intp]:
        """For the start and the end of each phase in turn, the number of the rate that stands there."""
        slots = [0]
        for index, kind in enumerate(self.kinds):
            if index:
                slots.append(slots[-1] + (not self.joined[index - 1]))
            slots.append(slots[-1] + (kind is not HOLD))
        if self.tied is not None:
            slots[-1] = slots[2 * self.tied + 1]
        return np.array(slots, np.intp)

    @property
    def rates(self) -> Floats:
        """The rates at the joints, each once; of a curve that has no end, the last is a share of its start."""
        slots = self.slots
        rates = np.zeros(int(slots.max()) + 1)
        rates[slots[1::2]] = self.ends
        rates[slots[0::2]] = self.starts
        if self.kinds[-1] in ENDLESS:
            rates[-1] = self.ends[-1] / self.starts[-1]
        return rates

    def with_numbers(self, bounds: Floats, rates: Floats) -> Draft:
        slots = self.slots
        starts, ends = rates[slots[0::2]], rates[slots[1::2]]
        if self.kinds[-1] in ENDLESS:
            ends[-1] *= starts[-1]
        places = np.maximum.accumulate(np.clip(bounds, *self.limits))
        return replace(self, bounds=places, starts=starts, ends=ends)

    def predict(self, x: Floats) -> Floats:
        """The rates at ascending positions; before the first phase its start, after the last one its end."""
        rates = np.empty(x.shape)
        cuts = [0, *np.searchsorted(x, self.bounds[1:-1], "left").tolist(), x.size]
        for index, kind in enumerate(self.kinds):
            low, high = cuts[index], cuts[index + 1]
            if high > low:
                length = max(float(self.bounds[index + 1] - self.bounds[index]) - self.endpoints[index], _SMALL)
                share = (x[low:high] - self.bounds[index]) / length
                rates[low:high] = kind.values(float(self.starts[index]), float(self.ends[index]), share)
        return rates

    def worst(self, rows: Rows) -> float:
        """How far the rows are off at most, in half-widths."""
        return float((np.abs(self.predict(rows.x) - rows.y) / rows.width).max())


@dataclass(frozen=True)
class Fitted:
    """A draft fitted to rows by least squares, and how sure its free numbers are.

    Attributes:
        draft: with its best numbers.
        spread: of each free number, bounds before rates, how far it may be off (one standard deviation).
    """

    draft: Draft
    spread: Floats


def sample(rows: Rows, draft: Draft) -> Rows:
    """Some rows of each phase: its first and last ones, and others between them."""
    cuts = [0, *np.searchsorted(rows.x, draft.bounds[1:-1], "left").tolist(), len(rows)]
    picked = []
    for low, high in pairwise(cuts):
        if high - low <= _SAMPLE:
            picked.append(np.arange(low, high))
        else:
            picked.append(np.linspace(low, high - 1, _SAMPLE).astype(np.intp))
    index = np.unique(np.concatenate(picked))
    return Rows(rows.x[index], rows.y[index], rows.width[index])


def with_worst(seen: Rows, rows: Rows, draft: Draft) -> Rows:
    """The rows of a sample and those of all rows that are furthest off."""
    off = np.abs(draft.predict(rows.x) - rows.y) / rows.width
    worst = np.argpartition(off, -_WORST)[-_WORST:] if off.size > _WORST else np.arange(off.size)
    index = np.unique(np.concatenate([np.searchsorted(rows.x, seen.x), worst]))
    return Rows(rows.x[index], rows.y[index], rows.width[index])


def refine(draft: Draft, rows: Rows) -> Fitted:
    """The draft with the free numbers that have the least squares, in half-widths."""
    try:
        from scipy.optimize import least_squares
    except ModuleNotFoundError as error:
        raise MissingPackageError("ks.infer needs SciPy: pip install 'kosine[infer]'") from error
    seen = sample(rows, draft)
    free_bounds, free_rates = np.flatnonzero(draft.free_bounds), np.flatnonzero(draft.free_rates)
    bounds, rates = draft.bounds, draft.rates
    span = float(rows.x[-1] - rows.x[0]) or 1.0
    least = max(1e-3 * (float(rows.y.max()) or 1.0), sys.float_info.min)
    units = np.concatenate([np.full(free_bounds.size, span), np.maximum(rates[free_rates], least)])
    if not units.size:
        return Fitted(draft, units)

    def numbers(free: Floats) -> tuple[Floats, Floats]:
        changed, rates_now = bounds.copy(), rates.copy()
        changed[free_bounds] = free[: free_bounds.size] * span
        rates_now[free_rates] = np.maximum((free * units)[free_bounds.size :], 1e-300)
        return changed, rates_now

    def off(free: Floats) -> Floats:
        return (draft.with_numbers(*numbers(free)).predict(seen.x) - seen.y) / seen.width

    start = np.concatenate([bounds[free_bounds], rates[free_rates]]) / units
    if seen.x.size >= units.size:
        result = least_squares(
            off, start, method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=_TURNS * (1 + units.size)
        )
        free, jacobian = result.x, result.jac
    else:
        free, jacobian = start, np.zeros((0, units.size))
    information = 3 * jacobian.T @ jacobian  # rounding is even over a width: its variance is a third of that's square
    links = np.linalg.pinv(information + np.eye(units.size) * 1e-12, hermitian=True)
    spread = np.sqrt(np.maximum(np.diag(links), 0)) * units
    return Fitted(draft.with_numbers(*numbers(free)), spread)


def drafted(rows: Rows, found: Sequence[Stretch], total: float | None) -> Draft:
    """The phases that the stretches show, joined where their curves meet."""
    kinds = tuple(stretch.arc.kind for stretch in found)
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
    bounds.append(_last_bound(found[-1], last, end))
    free.append(found[-1].arc.kind.ends)
    places = np.maximum.accumulate(np.array(bounds))
    starts = [_value(stretch, places[index]) for index, stretch in enumerate(found)]
    ends = [_value(stretch, places[index + 1]) for index, stretch in enumerate(found)]
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


def _last_bound(stretch: Stretch, last: float, end: float) -> float:
    """Where the last phase ends: where its curve says so, or where it comes down to 0, or with the run."""
    if stretch.arc.end is not None:
        return max(stretch.arc.end, last)
    places = np.linspace(last, end, 65)
    below = np.flatnonzero(stretch.arc.predict(places) < 0)
    return float(places[below[0]]) if below.size else end


def _limits(rows: Rows, found: Sequence[Stretch], joined: Sequence[bool]) -> Floats:
    """Between which places each bound may move: one at a jump only between the two rows around it."""
    limits = np.tile([[-np.inf], [np.inf]], len(found) + 1)
    for index, after in enumerate(found[1:]):
        if not joined[index]:
            left, right = float(rows.x[after.first - 1]), float(rows.x[after.first])
            limits[:, index + 1] = left + 1e-9 * max(1.0, abs(left)), right
    return limits


def with_endpoints(draft: Draft, rows: Rows, found: Sequence[Stretch]) -> Draft | None:
    """The draft with phases that reach their end in their last row, where rows look so; None if none does."""
    endpoints = (*(_has_endpoint(rows, *pair) for pair in pairwise(found)), False)
    return replace(draft, endpoints=endpoints) if any(endpoints) else None


def _has_endpoint(rows: Rows, before: Stretch, after: Stretch) -> bool:
    """Whether the last row of a stretch shows where its curve ends, though the next begins one step later only."""
    left, right, end = float(rows.x[after.first - 1]), float(rows.x[after.first]), before.arc.end
    jumps = abs(rows.y[after.first] - rows.y[after.first - 1]) > 100 * rows.width[after.first - 1]
    return end is not None and right - left == 1 and abs(end - left) < 0.5 and bool(jumps)


def _value(stretch: Stretch, place: float) -> float:
    return max(0.0, float(stretch.arc.predict(np.array([place]))[0]))


def _joint(rows: Rows, before: Stretch, after: Stretch) -> tuple[float, bool]:
    """Where one curve gives way to the next, and whether they meet there.

    A curve may have been followed a little too far, so they may meet before the first row of the next stretch; but only
    where the rows in between lie on both.
    """
    left, right = float(rows.x[after.first - 1]), float(rows.x[after.first])
    told = [place for place in (after.arc.begin, before.arc.end) if place is not None]
    low, high = _both(rows, before, after)
    places = np.unique(np.concatenate([np.linspace(low, high, 101), np.linspace(left, right, 101)]))
    apart = before.arc.predict(places) - after.arc.predict(places)
    near = [place for place in told if min(low, 2 * left - right) <= place <= high]
    width = 4 * float(rows.width[after.first - 1 : after.first + 1].max())
    moved = 0.3 * abs(float(rows.y[after.first] - rows.y[after.first - 1]))  # a steep start is not told exactly
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


def _both(rows: Rows, before: Stretch, after: Stretch) -> tuple[float, float]:
    """The positions around the joint up to which the rows lie on both curves, or nearly."""
    back = slice(max(before.first, after.first - _OVERLAP), after.first)
    missed = np.flatnonzero(~(rows.off(after.arc, back.start, back.stop) <= _NEARLY))
    low = back.start + int(missed[-1]) if missed.size else back.start
    ahead = slice(after.first, min(after.stop, after.first + _OVERLAP))
    missed = np.flatnonzero(~(rows.off(before.arc, ahead.start, ahead.stop) <= _NEARLY))
    high = ahead.start + int(missed[0]) if missed.size else ahead.stop - 1
    return float(rows.x[min(low, after.first - 1)]), float(rows.x[high])


def _apart(before: Stretch, after: Stretch, place: float) -> float:
    at = np.array([place])
    return float(before.arc.predict(at)[0] - after.arc.predict(at)[0])
