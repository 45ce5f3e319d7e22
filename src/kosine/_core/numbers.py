"""Exact numbers: decimals as they were written, positions rounded once, the last step there is."""

from __future__ import annotations

from fractions import Fraction

MAX_STEPS = 2**63 - 1
"""The last step that a plan is defined at: steps are 64-bit integers."""


def decimal(value: Fraction) -> str:
    """An exact decimal fraction as digits, without an exponent; any other fraction as a/b."""
    shift = 0
    while (value * 10**shift).denominator != 1:
        shift += 1
        if shift > 30:
            return f"{value.numerator}/{value.denominator}"
    digits = str(int(value * 10**shift))
    if not shift:
        return digits
    digits = digits.rjust(shift + 1, "0")
    return f"{digits[:-shift]}.{digits[-shift:]}"


def round_half_up(position: Fraction) -> int:
    """The step nearest to an exact position; a position halfway between two steps goes to the later one."""
    return (2 * position.numerator + position.denominator) // (2 * position.denominator)


def exact(number: float) -> Fraction:
    """The decimal fraction that was written: 0.1 is 1/10, not the float nearest to it."""
    return Fraction(repr(float(number)))
