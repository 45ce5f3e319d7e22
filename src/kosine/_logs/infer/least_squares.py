"""A draft fitted to the rows of a log by least squares, which also shows how sure each of its numbers is."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.infer.draft import Draft
from kosine._logs.infer.segments import Observations
from kosine.errors import missing_package

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_SAMPLE = 250  # rows of each phase that are fitted
_WORST = 200  # rows that are furthest off
_TURNS, _TURNS_AT_FIRST = 60, 20
_HOPELESS = 100.0  # half-widths off on average after the first turns: further ones do not bring it near enough
_COST = 60  # of a phase whose rates are worked out anew: see `Work`
_STEP = 2.0**-26  # of a number in its unit, for its derivative


@dataclass(frozen=True)
class FittedDraft:
    """A draft fitted to rows by least squares, and how sure its free numbers are.

    Attributes:
        draft: with its best numbers.
        spread: of each free number, bounds before rates, how far it may be off (one standard deviation).
    """

    draft: Draft
    spread: Floats


def sampled(rows: Observations, draft: Draft) -> NDArray[np.intp]:
    """The numbers of some rows of each phase: its first and last ones, and others between them."""
    cuts = [0, *np.searchsorted(rows.x, draft.bounds[1:-1], "left").tolist(), len(rows)]
    picked = []
    for low, high in pairwise(cuts):
        if high - low <= _SAMPLE:
            picked.append(np.arange(low, high))
        else:
            picked.append(np.linspace(low, high - 1, _SAMPLE).astype(np.intp))
    return np.unique(np.concatenate(picked))


def with_worst(sample: NDArray[np.intp], rows: Observations, draft: Draft) -> NDArray[np.intp]:
    """The rows of a sample and those of all rows that are furthest off."""
    off = np.abs(draft.predict(rows.x) - rows.y) / rows.width
    worst = np.argpartition(off, -_WORST)[-_WORST:] if off.size > _WORST else np.arange(off.size)
    return np.union1d(sample, worst)


def refine(draft: Draft, rows: Observations) -> FittedDraft:
    """The draft with the free numbers that have the least squares, in half-widths."""
    try:
        from scipy.optimize import least_squares
    except ModuleNotFoundError as error:
        raise missing_package("ks.infer", "SciPy", "infer") from error
    seen = rows.at(sampled(rows, draft))
    free_bounds, free_rates = np.flatnonzero(draft.free_bounds), np.flatnonzero(draft.free_rates)
    bounds, rates = draft.bounds, draft.rates
    span = float(rows.x[-1] - rows.x[0]) or 1.0
    least = max(1e-3 * (float(rows.y.max()) or 1.0), sys.float_info.min)
    units = np.concatenate([np.full(free_bounds.size, span), np.maximum(rates[free_rates], least)])
    if not units.size:
        return FittedDraft(draft, units)

    def numbers(free: Floats) -> tuple[Floats, Floats]:
        changed, rates_now = bounds.copy(), rates.copy()
        changed[free_bounds] = free[: free_bounds.size] * span
        rates_now[free_rates] = np.maximum((free * units)[free_bounds.size :], 1e-300)
        return changed, rates_now

    def off(free: Floats) -> Floats:
        return (draft.with_numbers(*numbers(free)).predict(seen.x) - seen.y) / seen.width

    def slopes(free: Floats) -> Floats:
        """The derivatives, of each number only in the phases that it moves."""
        here = draft.with_numbers(*numbers(free))
        rates, found = here.predict(seen.x), np.empty((seen.x.size, units.size))
        for place in range(units.size):
            moved = free.copy()
            moved[place] += _STEP * max(1.0, abs(free[place]))
            there = draft.with_numbers(*numbers(moved)).predict_from(here, seen.x, rates)
            found[:, place] = (there - rates) / seen.width / (moved[place] - free[place])
        return found

    start = draft.free_numbers / units
    if seen.x.size >= units.size and bool(np.isfinite(off(start)).all()):
        free = start
        for turns in (_TURNS_AT_FIRST, _TURNS - _TURNS_AT_FIRST):
            result = least_squares(off, free, slopes, method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=turns)
            free, jacobian = result.x, result.jac
            rows.work.spend(_COST * result.nfev * (len(draft.kinds) + 3 * units.size))
            if result.nfev < turns or float(result.cost) > _HOPELESS**2 * seen.x.size:
                break
    else:
        free, jacobian = start, np.zeros((0, units.size))
    information = 3 * jacobian.T @ jacobian  # rounding is even over a width: its variance is a third of that's square
    if not np.isfinite(information).all():
        return FittedDraft(draft.with_numbers(*numbers(free)), np.full(units.size, np.inf))
    links = np.linalg.pinv(information + np.eye(units.size) * 1e-12, hermitian=True)
    spread = np.sqrt(np.maximum(np.diag(links), 0)) * units
    return FittedDraft(draft.with_numbers(*numbers(free)), spread)
