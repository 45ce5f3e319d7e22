"""What several curves share: weights, and the end of a phase that they count from."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context
from fractions import Fraction
from typing import Any, Literal

from kosine._core.curve import Operations

HALF_PI = Fraction("1.57079632679489661923132169163975144209858469968755291048747")


DECIMAL = Context(prec=40)


def lower_end(start: float, end: float) -> Literal["start", "end"]:
    """The end of the phase at which its lower value stands: the place to count from."""
    return "end" if start > end else "start"


def one_over(span: Fraction | None) -> Fraction:
    assert span is not None
    return 1 / span


def remaining_weight(ops: Operations, warp: float) -> Callable[[Any, Any], Any]:
    """1 - u ** warp from what is left, 1 - u, and what is done, u."""
    expm1, log, log1p, where = ops.expm1, ops.log, ops.log1p, ops.where

    def remaining(left: Any, done: Any) -> Any:
        near = left < done  # the logarithm of what is done, from the smaller of the two; the other addend is 0
        logarithm = log1p(-where(near, left, 0.0)) + log(where(near, 1.0, where(done > 0.0, done, 1.0)))
        return where(done > 0.0, -expm1(warp * logarithm), 1.0)

    return remaining


def rising_power(ops: Operations, exponent: float) -> Callable[[Any, Any], Any]:
    """1 - left ** exponent from left and done, where left + done = 1."""
    expm1, log, log1p, where = ops.expm1, ops.log, ops.log1p, ops.where

    def weight(left: Any, done: Any) -> Any:
        near = done < left
        logarithm = log1p(-where(near, done, 0.0)) + log(where(near, 1.0, where(left > 0.0, left, 1.0)))
        return where(left > 0.0, -expm1(exponent * logarithm), 1.0)

    return weight
