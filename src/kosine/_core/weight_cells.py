"""Polynomials in float32 for the weights of curves whose formula magnifies every rounding.

An exponent multiplies the relative error of what it is the exponent of, so no order of operations in float32 keeps such
a weight within a few units in the last place. The host finds the polynomials in float64, once for all phases that have
the same exponents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from kosine._core.curve import Operations
from kosine._core.graph_tables import WeightCells

Floats = NDArray[np.float64]

_LEAST = -100  # the cells begin at 2 to this power, far below one step of a phase of 2**63
_DEGREE = 3
_TOLERANCE = 2.0**-27  # relative: an eighth of a unit in the last place
_NOTHING = 2.0**-160  # and absolute: far below the smallest float32
_MOST_GROWTH = 1.5  # in a cell: its highest terms would round off digits of its lowest values
_HALVINGS = 20  # 15 are the most that the exponents up to 1000 need

# A polynomial is found from four places between 0 and 1, at which it is close to the best one, and checked at others.
_PLACES: Floats = (1 - np.cos(np.pi * (np.arange(_DEGREE + 1.0) + 0.5) / (_DEGREE + 1))) / 2
_FROM_PLACES: Floats = np.linalg.inv(np.vander(_PLACES)).T.astype(np.float64)
_CHECKS: Floats = np.linspace(0.0, 1.0, 9)
_AT_CHECKS: Floats = np.vander(_CHECKS, _DEGREE + 1).T


def weight_cells(weight: Callable[[Any], Callable[..., Any]], takes_both: bool) -> WeightCells:
    """The cells of a weight of what is left and what is done, two shares that are 1 together.

    Args:
        weight: the weight, as in a `Form`.
        takes_both: whether it takes both shares; else it takes what is left as two addends.
    """
    bound = weight(cast(Operations, np))

    def near_start(done: Floats) -> Floats:
        return np.asarray(bound(1.0 - done, done if takes_both else 0.0))

    def near_end(left: Floats) -> Floats:
        return np.asarray(bound(left, 1.0 - left if takes_both else 0.0))

    halves = (near_start, near_end)
    with np.errstate(all="ignore"):  # the logarithm of nothing is left to `where`, and small weights become 0
        begins, widths, coefficients = _cells(halves, np.exp2(np.arange(_LEAST, -1.0)))
        ends = [half(np.zeros(1)) for half in halves]
    blocks: list[Floats] = []
    for end, found in zip(ends, coefficients, strict=True):
        before = np.concatenate([np.zeros(2 + _DEGREE), end])  # below the first cell the weight is the end's
        blocks += [before[None], np.column_stack([begins, 1 / widths, found])]
    return WeightCells(begins.astype(np.float32), np.concatenate(blocks).astype(np.float32))


def _cells(halves: Sequence[Callable[[Floats], Floats]], begins: Floats) -> tuple[Floats, Floats, list[Floats]]:
    """Cells that have a good polynomial for each half: where they begin, their widths, the coefficients.

    A cell without one is halved; the first ones are as wide as the place where they begin.
    """
    widths = begins
    found = []
    for halving in range(_HALVINGS + 1):
        good = np.ones(len(begins), bool)
        coefficients = []
        for half in halves:
            fitted = half(begins[:, None] + widths[:, None] * _PLACES) @ _FROM_PLACES
            exact = half(begins[:, None] + widths[:, None] * _CHECKS)
            good &= (np.abs(fitted @ _AT_CHECKS - exact) <= _TOLERANCE * exact + _NOTHING).all(axis=1)
            good &= exact.max(axis=1) <= _MOST_GROWTH * exact.min(axis=1) + _NOTHING
            coefficients.append(fitted)
        good |= halving == _HALVINGS
        found.append([begins[good], widths[good], *(fitted[good] for fitted in coefficients)])
        widths = np.repeat(widths[~good] / 2, 2)
        begins = np.repeat(begins[~good], 2)
        begins[1::2] += widths[1::2]
    begins, widths, *coefficients = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort(begins)
    return begins[order], widths[order], [fitted[order] for fitted in coefficients]
