"""The value of one phase on the host, in float64: `math` for one step, NumPy for arrays, from the one formula."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, cast

from kosine.durations import MAX_STEPS, RunSize
from kosine.phases import Curve, Form, Operations

_EXACT_BITS = 26  # a 26-bit integer times a 26-bit coefficient is exact in float64's 53 bits


_MATH = cast(
    Operations,
    SimpleNamespace(
        sin=math.sin,
        sqrt=math.sqrt,
        exp=math.exp,
        expm1=math.expm1,
        log=math.log,
        log1p=math.log1p,
        power=math.pow,
        where=lambda condition, then, otherwise: then if condition else otherwise,
    ),
)


@lru_cache(maxsize=4096)
def scalar_function(curve: Curve, start: float, end: float, span: int | None, run: RunSize) -> Callable[[int], float]:
    """The function of the integer offset 0 <= t < span from the phase's first step."""
    return bind(curve.form(start, end, span, run), span, _MATH)


@lru_cache(maxsize=4096)
def array_function(curve: Curve, start: float, end: float, span: int | None, run: RunSize) -> Callable[[Any], Any]:
    """The same function of an int64 array of offsets; its result is a float64 array."""
    import numpy as np

    if span is not None and span > MAX_STEPS:  # a cycle that ends where NumPy's integers cannot count
        one_by_one = np.frompyfunc(scalar_function(curve, start, end, span, run), 1, 1)
        return lambda offsets: one_by_one(offsets.astype(object)).astype(np.float64)
    of_floats = bind(curve.form(start, end, span, run), span, cast(Operations, np))
    if span is not None and span.bit_length() > _EXACT_BITS:
        return of_floats
    return lambda offsets: of_floats(offsets.astype(np.float64))


def bind(form: Form, span: int | None, ops: Operations) -> Callable[[Any], Any]:
    """The formula of `form` as a function of the offset, with every constant worked out."""
    if not form.ratio:  # the distance stays 0, and every curve that can say so weighs its top with 1 there
        value = form.top
        return lambda offset: value
    weight = form.weight(ops)
    high, low = split(form.ratio, _EXACT_BITS)
    top, bottom = form.top, form.bottom
    total = 0 if span is None else span

    if form.takes == "distance" and total.bit_length() <= _EXACT_BITS:
        # The hot path. offset * high is exact, so the distance is rounded once.
        if form.origin == "start":
            if not bottom:
                return lambda offset: top * weight(offset * high + offset * low)

            def from_start(offset: Any) -> Any:
                share = weight(offset * high + offset * low)
                return top * share + bottom * (1.0 - share)

            return from_start
        if not bottom:
            return lambda offset: top * weight((total - offset) * high + (total - offset) * low)

        def from_end(offset: Any) -> Any:
            left = total - offset
            share = weight(left * high + left * low)
            return top * share + bottom * (1.0 - share)

        return from_end

    mask = (1 << _EXACT_BITS) - 1 if total.bit_length() > _EXACT_BITS else 0

    def addends(steps: Any) -> tuple[Any, Any]:
        if not mask:
            return steps * high, steps * low
        small = steps & mask
        most, rest = (steps - small) * high, small * high  # both exact, and `most` is 0 or the larger
        coarse = most + rest
        return coarse, (most - coarse + rest) + steps * low

    def general(offset: Any) -> Any:
        here, there = (offset, total - offset) if form.origin == "start" else (total - offset, offset)
        coarse, fine = addends(here)
        match form.takes:
            case "distance":
                share = weight(coarse + fine)
            case "split":
                share = weight(coarse, fine)
            case "both":
                share = weight(coarse + fine, sum(addends(there)))
        return top * share + bottom * (1.0 - share)

    return general


def split(ratio: Fraction, bits: int) -> tuple[float, float]:
    """A ratio as the sum of two floats, the first of them with at most `bits` significant bits."""
    if not ratio:
        return 0.0, 0.0
    mantissa, exponent = math.frexp(float(ratio))
    high = math.ldexp(round(mantissa * 2**bits), exponent - bits)
    return high, float(ratio - Fraction(high))
