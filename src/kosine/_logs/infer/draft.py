"""Phases in a row with the numbers that describe them: what the search for a schedule works on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.infer.curve_fits import ENDLESS, HOLD, FitFamily
from kosine._logs.infer.segments import Observations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_SOME = 1000  # rows that are looked at first
_SMALL = 1e-12  # the length of an empty phase
_COST_OF_PHASE, _ROWS_AT_ONCE = 30, 25  # see `Work`


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
        tied: the phase that ends at the same rate as the last phase; None: the last phase has its own end.
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
        """For the start and the end of each phase in turn, the number of the rate there."""
        return _slots(self.kinds, self.joined, self.tied)

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

    @property
    def free_numbers(self) -> Floats:
        """The numbers that the rows decide, bounds before rates."""
        return np.concatenate([self.bounds[self.free_bounds], self.rates[self.free_rates]])

    def with_numbers(self, bounds: Floats, rates: Floats) -> Draft:
        """The draft with other numbers; a bound that passes the one before or its limits stops there."""
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

    def predict_from(self, other: Draft, x: Floats, known: Floats) -> Floats:
        """The same, from the rates of a draft that differs in few numbers: only the phases that moved are new."""
        moved = (
            (self.bounds[:-1] != other.bounds[:-1])
            | (self.bounds[1:] != other.bounds[1:])
            | (self.starts != other.starts)
            | (self.ends != other.ends)
        )
        phases = np.flatnonzero(moved)
        if not phases.size:
            return known
        edges: list[tuple[int, int]] = []
        first, last = int(phases[0]), int(phases[-1])
        for draft in (self, other):
            cuts = [0, *np.searchsorted(x, draft.bounds[1:-1], "left").tolist(), x.size]
            edges.append((cuts[first], cuts[last + 1]))
        low, high = min(low for low, _ in edges), max(high for _, high in edges)
        rates = known.copy()
        rates[low:high] = self.predict(x[low:high])
        return rates

    def explains(self, rows: Observations, most: float) -> bool:
        """Whether no row is further off than this, in half-widths; some of the rows are looked at first."""
        some = rows.at(np.arange(0, len(rows), 1 + len(rows) // _SOME))
        return (len(some) == len(rows) or self.worst(some) <= most) and self.worst(rows) <= most

    def worst(self, rows: Observations) -> float:
        """How far the rows are off at most, in half-widths."""
        rows.work.spend(_COST_OF_PHASE * len(self.kinds) + len(rows) / _ROWS_AT_ONCE)
        return float((np.abs(self.predict(rows.x) - rows.y) / rows.width).max())


@lru_cache(64)
def _slots(kinds: tuple[FitFamily, ...], joined: tuple[bool, ...], tied: int | None) -> NDArray[np.intp]:
    slots = [0]
    for index, kind in enumerate(kinds):
        if index:
            slots.append(slots[-1] + (not joined[index - 1]))
        slots.append(slots[-1] + (kind is not HOLD))
    if tied is not None:
        slots[-1] = slots[2 * tied + 1]
    return np.array(slots, np.intp)
