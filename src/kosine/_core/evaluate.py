"""The value of one phase on the host, in float64: `math` for one step, NumPy for arrays, from the one formula."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, cast

from kosine._core.curve import Clock, Curve, Form, Operations
from kosine._core.curves.hold import Hold
from kosine._core.numbers import MAX_STEPS

_EXACT_BITS = 26  # an integer of 26 bits times a float of 26 bits is exact in float64's 53 bits

# The operations that curves are written in, for one number.
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


def form_of(curve: Curve, clock: Clock) -> Form:
    """The form of the curve of a phase; between equal values nothing moves, whatever the curve."""
    return (Hold() if clock.start == clock.to else curve).form(clock.start, clock.to, clock.span)


@lru_cache(maxsize=4096)
def scalar_function(curve: Curve, clock: Clock) -> Callable[[int], float]:
    """The function of the integer offset from the phase's first step, up to where the curve ends."""
    return bind(form_of(curve, clock), clock, _MATH)


@lru_cache(maxsize=4096)
def array_function(curve: Curve, clock: Clock) -> Callable[[Any], Any]:
    """The same function of an int64 array of rising offsets; its result is a float64 array."""
    import numpy as np

    form = form_of(curve, clock)
    of_numbers = bind(form, clock, cast(Operations, np))
    if clock.plain and _highest_count(form, clock).bit_length() <= _EXACT_BITS:
        # NumPy multiplies floats by floats in one pass; integers it would convert in each product.
        return lambda offsets: of_numbers(offsets.astype(np.float64))
    if clock.plain and (clock.span or 0) < MAX_STEPS:
        return of_numbers

    one_by_one = np.frompyfunc(scalar_function(curve, clock), 1, 1)
    last = MAX_STEPS - math.ceil(max(clock.lead, clock.span or 0)) - clock.cut - clock.tick

    def of_any_offset(offsets: Any) -> Any:
        if offsets[-1] <= last:
            return of_numbers(offsets)
        # Beyond `last` the sums of integers in the formula overflow in NumPy; Python's do not.
        return one_by_one(offsets.astype(object)).astype(np.float64)

    return of_any_offset


def _highest_count(form: Form, clock: Clock) -> int:
    """How far the steps of a curve count; 0 where an endless curve needs no more digits than a float has."""
    if clock.span is None:
        return MAX_STEPS if form.takes == "split" else 0
    return math.ceil(clock.span)


# The rate is a weighed mean of two values, and its weight comes from the distance ratio * steps. The ratio is an exact
# fraction. As one float it would be rounded, and the distance once more; a power or an exponential magnifies both. So
# it is held as the sum of two floats, high + low, where `high` has only 26 bits: times an integer of up to 26 bits
# that is exact.


def bind(form: Form, clock: Clock, ops: Operations) -> Callable[[Any], Any]:
    """The formula of `form` as a function of the offset, with every constant worked out."""
    if not form.ratio:  # the distance stays 0, where every curve that can stand still weighs its top with 1
        value = form.top
        return lambda offset: value
    total = _highest_count(form, clock)
    if clock.plain and total.bit_length() <= _EXACT_BITS:
        return _bind_short(form, total, form.weight(ops))
    return _bind_long(form, clock, total, form.weight(ops))


def _bind_short(form: Form, total: int, weight: Callable[..., Any]) -> Callable[[Any], Any]:
    """A whole curve of fewer than 2**26 steps, the hot path: the distance is rounded once.

    The functions differ only in what they take; each is written out, because every batch of a run calls it.
    """
    high, low = split(form.ratio, _EXACT_BITS)
    top, bottom, from_start = form.top, form.bottom, form.origin == "start"
    if form.takes == "split":

        def split_value(offset: Any) -> Any:
            steps = offset if from_start else total - offset
            share = weight(steps * high, steps * low)
            return top * share + bottom * (1.0 - share)

        return split_value
    if form.takes == "both":

        def both_value(offset: Any) -> Any:
            left = total - offset
            share = weight(left * high + left * low, offset * high + offset * low)
            return top * share + bottom * (1.0 - share)

        return both_value
    if form.kind == "linear":  # its weight is the distance itself
        if from_start:

            def line_from_start(offset: Any) -> Any:
                share = offset * high + offset * low
                return top * share + bottom * (1.0 - share)

            return line_from_start

        def line_from_end(offset: Any) -> Any:
            left = total - offset
            share = left * high + left * low
            return top * share + bottom * (1.0 - share)

        return line_from_end
    if from_start:
        if not bottom:  # the second addend would be 0: one product and one sum less
            return lambda offset: top * weight(offset * high + offset * low)

        def value_from_start(offset: Any) -> Any:
            share = weight(offset * high + offset * low)
            return top * share + bottom * (1.0 - share)

        return value_from_start
    if not bottom:

        def value_to_zero(offset: Any) -> Any:
            left = total - offset
            return top * weight(left * high + left * low)

        return value_to_zero

    def value_from_end(offset: Any) -> Any:
        left = total - offset
        share = weight(left * high + left * low)
        return top * share + bottom * (1.0 - share)

    return value_from_end


def _bind_long(form: Form, clock: Clock, total: int, weight: Callable[..., Any]) -> Callable[[Any], Any]:
    """A curve of more steps, or a phase that shows only a part of its curve, or shows it more slowly."""
    high, low = split(form.ratio, _EXACT_BITS)
    top, bottom, takes, from_start = form.top, form.bottom, form.takes, form.origin == "start"
    # Counts of more than 26 bits are cut into their lowest 26 bits and the rest, so that each product is exact.
    lowest_bits = (1 << _EXACT_BITS) - 1 if total.bit_length() > _EXACT_BITS else 0
    cut, tick = clock.cut, clock.tick
    (done, done_part), (left, left_part) = ((whole, float(part * form.ratio)) for whole, part in endpoints(clock))

    def distance(steps: Any, part: float) -> tuple[Any, Any]:
        """The distance of whole steps and of a part of one, as two addends, the second the smaller or 0."""
        if lowest_bits:
            small = steps & lowest_bits
            most, rest = (steps - small) * high, small * high  # both exact, and `most` is 0 or the larger
            coarse = most + rest
            # most - coarse + rest is what the sum has rounded off, exactly (Dekker's fast two-sum).
            fine = (most - coarse + rest) + (steps * low + part)
        else:
            coarse, fine = steps * high, steps * low + part
        if not part:
            return coarse, fine
        whole = coarse + fine  # beside no step or a few, a part of a step is not small
        return whole, coarse - whole + fine

    def value(offset: Any) -> Any:
        steps = (offset + cut) // tick if tick > 1 else offset
        if from_start:
            coarse, fine = distance(steps + done, done_part)
        else:
            coarse, fine = distance(left - steps, left_part)
        if takes == "distance":
            share = weight(coarse + fine)
        elif takes == "split":
            share = weight(coarse, fine)
        else:
            share = weight(coarse + fine, sum(distance(steps + done, done_part)))
        return top * share + bottom * (1.0 - share)

    return value


def endpoints(clock: Clock) -> tuple[tuple[int, Fraction], tuple[int, Fraction]]:
    """What a curve has done and has left at its phase's first step: whole steps, and the part of a step beyond them."""
    done, left = clock.lead, (clock.span or 0) - clock.lead
    return (math.floor(done), done % 1), (math.floor(left), left % 1)


def split(ratio: Fraction, bits: int) -> tuple[float, float]:
    """A ratio as the sum of two floats, the first of them with at most `bits` significant bits."""
    if not ratio:
        return 0.0, 0.0
    mantissa, exponent = math.frexp(float(ratio))
    high = math.ldexp(round(mantissa * 2**bits), exponent - bits)
    return high, float(ratio - Fraction(high))
