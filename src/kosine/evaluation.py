"""The value of one phase on the host, in float64: `math` for one step, NumPy for arrays, from the one formula."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, cast

from kosine.durations import MAX_STEPS
from kosine.phases import Clock, Curve, Form, Operations

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
def scalar_function(curve: Curve, clock: Clock) -> Callable[[int], float]:
    """The function of the integer offset from the phase's first step, up to where the curve ends."""
    return bind(curve.form(clock.start, clock.to, clock.span), clock, _MATH)


@lru_cache(maxsize=4096)
def array_function(curve: Curve, clock: Clock) -> Callable[[Any], Any]:
    """The same function of an int64 array of offsets; its result is a float64 array."""
    import numpy as np

    if clock.span is not None and clock.span + clock.tick > MAX_STEPS:  # where NumPy's integers cannot count
        one_by_one = np.frompyfunc(scalar_function(curve, clock), 1, 1)
        return lambda offsets: one_by_one(offsets.astype(object)).astype(np.float64)
    form = curve.form(clock.start, clock.to, clock.span)
    of_floats = bind(form, clock, cast(Operations, np))
    if not clock.plain or _counted(form, clock).bit_length() > _EXACT_BITS:
        return of_floats
    return lambda offsets: of_floats(offsets.astype(np.float64))


def _counted(form: Form, clock: Clock) -> int:
    """How far the steps of a curve count; 0 where an endless curve needs no more digits than a float has."""
    if clock.span is None:
        return MAX_STEPS if form.takes == "split" else 0
    return math.ceil(clock.span)


def bind(form: Form, clock: Clock, ops: Operations) -> Callable[[Any], Any]:
    """The formula of `form` as a function of the offset, with every constant worked out."""
    if not form.ratio:  # the distance stays 0, and every curve that can say so weighs its top with 1 there
        value = form.top
        return lambda offset: value
    weight = form.weight(ops)
    high, low = split(form.ratio, _EXACT_BITS)
    top, bottom = form.top, form.bottom
    total = _counted(form, clock)

    if form.takes == "distance" and total.bit_length() <= _EXACT_BITS and clock.plain:
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
    cut, tick = clock.cut, clock.tick
    (done, done_part), (left, left_part) = ((whole, float(part * form.ratio)) for whole, part in endpoints(clock))

    def addends(steps: Any, part: float) -> tuple[Any, Any]:
        if mask:
            small = steps & mask
            most, rest = (steps - small) * high, small * high  # both exact, and `most` is 0 or the larger
            coarse = most + rest
            fine = (most - coarse + rest) + (steps * low + part)
        else:
            coarse, fine = steps * high, steps * low + part
        if not part:
            return coarse, fine
        whole = coarse + fine  # a part of a step is no small addend of none or a few steps
        return whole, coarse - whole + fine

    def general(offset: Any) -> Any:
        steps = (offset + cut) // tick if tick > 1 else offset
        ends = (steps + done, done_part), (left - steps, left_part)
        here, there = ends if form.origin == "start" else ends[::-1]
        coarse, fine = addends(*here)
        match form.takes:
            case "distance":
                share = weight(coarse + fine)
            case "split":
                share = weight(coarse, fine)
            case "both":
                share = weight(coarse + fine, sum(addends(*there)))
        return top * share + bottom * (1.0 - share)

    return general


def endpoints(clock: Clock) -> tuple[tuple[int, Fraction], tuple[int, Fraction]]:
    """What a clock has done and has left at the phase's first step: whole steps, and the part of a step over them."""
    done, left = clock.lead, (clock.span or 0) - clock.lead
    return (math.floor(done), done % 1), (math.floor(left), left % 1)


def split(ratio: Fraction, bits: int) -> tuple[float, float]:
    """A ratio as the sum of two floats, the first of them with at most `bits` significant bits."""
    if not ratio:
        return 0.0, 0.0
    mantissa, exponent = math.frexp(float(ratio))
    high = math.ldexp(round(mantissa * 2**bits), exponent - bits)
    return high, float(ratio - Fraction(high))
