"""The last-iterate bound of a plan: what convex theory says of the loss at the end of a run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from kosine._core.schedule import Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = 2**14
"""Steps that are added up at a time, as their sums stay in the cache; they are carried on exactly rounded."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The bound D² a / g + G² b g on the expected loss above the optimum after the last step, at the scale g.

    With rates g * s_1, ..., g * s_T, where s_T > 0,

        a = 1 / (2 S_1),
        b = Q_1 / (2 S_1) + 1/2 sum over k < T of s_k / S_(k+1) * Q_k / S_k,

    where S_k is the sum of the s from k on, and Q_k that of their squares. D is the distance to the optimum, and G
    bounds the gradients; the problem is convex. Source: arXiv 2501.18965, theorem 3.1; arXiv 2310.07831, theorem 10.

    Attributes:
        distance: a.
        noise: b.
    """

    distance: float
    noise: float

    @property
    def best(self) -> float:
        """The bound at the best scale, 2 sqrt(a b), in units of D * G; it does not depend on the scale of the rates."""
        return 2 * math.sqrt(self.distance * self.noise)

    @property
    def scale(self) -> float:
        """The best scale, sqrt(a / b), in units of D / G."""
        return math.sqrt(self.distance / self.noise)

    def excess(self, times: float) -> float:
        """How far above the best bound the bound is at `times` the best scale, as a share: (t + 1 / t) / 2 - 1."""
        return (times + 1 / times) / 2 - 1


_MOST_STEPS = 2**22  # of a run of which every step is read; longer ones are read in blocks of steps
_TAIL = 2**16  # last steps of a longer run, each of which is read: there a step counts most
_MOST_ROWS = 2**12  # different phases of a longer run that is read in blocks
_BLOCKS = 2**13  # blocks of a phase


def bound(plan: Plan, peak: float) -> Bound:
    """The bound of a plan that has a length, its rates as shares of `peak`.

    Each rate is read once, from the end of the run. Runs of more than 4 million steps with few phases are read in
    blocks of steps, 8,192 a phase, whose rates are taken as the one in the middle: their bound has an error of about
    1e-7.
    """
    assert plan.total_steps is not None
    sums, total = _Sums(), plan.total_steps
    in_blocks = total > _MOST_STEPS and len(plan.phases) <= _MOST_ROWS
    tail = total - _TAIL if in_blocks else 0
    for stop in range(total, tail, -CHUNK):
        sums.add_steps(plan(np.arange(max(tail, stop - CHUNK), stop)) / peak)
    if in_blocks:
        edges = _edges(plan, tail)
        middles = edges[:-1] + edges[1:] - 1  # twice the middle step, which may lie between two steps
        sums.add_blocks(np.diff(edges), (plan(middles // 2) + plan((middles + 1) // 2)) / (2 * peak))
    return sums.bound()


def _edges(plan: Plan, stop: int) -> NDArray[np.int64]:
    """Where the blocks of the steps before `stop` begin, and `stop`."""
    ends = sorted({0, stop, *(row.first_step for row in plan.phases if row.first_step < stop), plan.after.first_step})
    inside = [end for end in ends if end <= stop]
    cuts = [np.linspace(first, last, _BLOCKS + 1).astype(np.int64) for first, last in pairwise(inside)]
    return np.unique(np.concatenate(cuts))


class _Sums:
    """What the bound adds up, from the end of the run to its beginning."""

    def __init__(self) -> None:
        self.rates = 0.0  # S
        self.squares = 0.0  # Q
        self.terms: list[float] = []

    def add_steps(self, rates: NDArray[np.float64]) -> None:
        """Steps before those that were added, in the order of the run."""
        back = np.ascontiguousarray(rates[::-1])
        if self.rates == 0:
            back = np.trim_zeros(back, "f")  # the last steps that change nothing
        if back.size == 0:
            return
        squared = back * back
        sums = np.empty(back.size + 1)
        sums[0] = 0.0
        np.cumsum(back, out=sums[1:])
        sums += self.rates
        squares = np.cumsum(squared)
        squares += self.squares
        first = int(self.rates == 0)  # the last step of the run stands in no term
        terms = back[first:] * squares[first:]
        terms /= sums[first:-1] * sums[first + 1 :]
        self.terms.append(float(np.sum(terms)))
        self.rates += float(np.sum(back))
        self.squares += float(np.sum(squared))

    def add_blocks(self, steps: NDArray[np.int64], rates: NDArray[np.float64]) -> None:
        """Blocks of steps of one rate, before those that were added, in the order of the run.

        In a block of m steps of the rate s, before which Q = s S + c holds, the terms are
        c (1 / S_last - 1 / S_first) + s * s * (1 / S + 1 / (S + s) + ... + 1 / (S + (m - 1) s)).
        """
        moving = rates > 0
        count, rate = steps[moving][::-1].astype(float), rates[moving][::-1]
        here = self.rates + np.cumsum(count * rate)
        squares = self.squares + np.cumsum(count * rate * rate)
        later = np.concatenate([[self.rates], here[:-1]])
        level = np.concatenate([[self.squares], squares[:-1]]) - rate * later
        harmonic = _digamma(here / rate) - _digamma(later / rate)
        self.terms.append(float(np.sum(level * (1 / later - 1 / here) + rate * harmonic)))
        self.rates, self.squares = float(here[-1]), float(squares[-1])

    def bound(self) -> Bound:
        return Bound(0.5 / self.rates, 0.5 * self.squares / self.rates + 0.5 * math.fsum(self.terms))


def _digamma(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The derivative of the logarithm of the gamma function; its series, for x of 1,000 and more."""
    return np.log(x) - 0.5 / x - 1 / (12 * x * x)
