"""What a floor above 0 costs in terms of the bound on the last iterate, from a few hundred rates of the run.

`bound` has the exact sum for `rank`, with NumPy; `lint` does without.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from math import fsum, log, sqrt

from kosine._analysis.lint.plan_facts import PlanFacts

_NEAR = 128  # last steps, each of which is read
_BLOCKS = 64  # of a phase
_GROWTH = 1.1  # of blocks before the last steps: the nearer the end, the more a step counts


def cost_of_the_floor(facts: PlanFacts, begin: int, floor: float) -> float:
    """How far the best bound is above that of the same plan with its last decay down to 0, as a share of the latter.

    The decay takes the steps from `begin` to the end of the run, and comes down to `floor`, which is below its first
    rate. The share has an error of about 1e-3, whatever the length of the run.
    """
    edges = _edges(facts, begin)
    rates = [facts.plan((first + stop - 1) // 2) for first, stop in pairwise(edges)]
    start = facts.plan(begin)
    to_0 = [
        rate if first < begin else max(rate - floor, 0.0) * start / (start - floor)
        for first, rate in zip(edges, rates, strict=False)
    ]
    steps = [stop - first for first, stop in pairwise(edges)]
    return _best_bound(zip(steps, rates, strict=True)) / _best_bound(zip(steps, to_0, strict=True)) - 1


def _edges(facts: PlanFacts, begin: int) -> list[int]:
    """Where blocks of steps begin, and the end of the run; blocks of single steps near it."""
    total = facts.total or 0
    near = max(total - _NEAR, 0)
    ends = sorted({0, begin, near, *(part.first_step for part in facts.parts)})
    edges = set(range(near, total + 1))
    distance = float(_NEAR)
    while distance < total:
        edges.add(total - int(distance))
        distance *= _GROWTH
    for first, stop in pairwise(ends):
        edges.update(first + (stop - first) * block // _BLOCKS for block in range(_BLOCKS + 1))
    return sorted(edges)


def _best_bound(blocks: Iterable[tuple[int, float]]) -> float:
    """The bound at its best scale, 2 sqrt(a b), of blocks of steps with one rate; `bound.Bound` has the formulas."""
    total = squares = 0.0  # S and Q of all later steps
    terms = []
    for steps, rate in reversed(list(blocks)):
        if rate == 0:
            continue
        here = total + steps * rate
        if steps == 1:
            terms.append(rate / total * (squares + rate * rate) / here if total else 0.0)
        else:  # before the last hundred steps: the sum over 1 / S is one over x = S / rate, and x is large
            level = squares - rate * total
            harmonic = log(here / total) + 0.5 * rate * (1 / total - 1 / here)
            terms.append(level * (1 / total - 1 / here) + rate * harmonic)
        squares += steps * rate * rate
        total = here
    return 2 * sqrt(0.5 / total * (0.5 * squares / total + 0.5 * fsum(terms)))
