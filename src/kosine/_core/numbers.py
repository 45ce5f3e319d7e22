"""Exact numbers: decimals as they were written, "1.5M", positions rounded once, the last step there is."""

from __future__ import annotations

import re
from fractions import Fraction

MAX_STEPS = 2**63 - 1
"""The last step that a plan is defined at: steps are 64-bit integers."""

MAGNITUDES = {"k": 3, "M": 6, "G": 9, "B": 9, "T": 12}
"""The powers of ten of the letters after a number of steps, samples or tokens."""

SECONDS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}
"""How many seconds the units of time have."""

TIME_WORDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "min"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
}
"""Words that people write for the units of time."""

_WHOLE = re.compile(
    r"(?P<sign>[+-]?)(?P<digits>\d{1,40}(?:_\d{1,40}){0,12}|\d{1,3}(?:,\d{3}){1,12})(?:\.(?P<decimals>\d{0,40}))?"
    r"(?:[eE]\+?(?P<exponent>\d{1,2})|(?P<magnitude>[kMGBT]))?",
    re.ASCII,
)


def whole_number(text: str) -> int | None:
    """The whole number in a text such as "1_000_000", "1,000,000", "1.5e6" or "1.5M"; None for any other text.

    It is worked out in digits: a float would round what is longer than 2**53.
    """
    match = _WHOLE.fullmatch(text.strip())
    if match is None:
        return None
    decimals = (match["decimals"] or "").rstrip("0")
    power = MAGNITUDES.get(match["magnitude"], 0) + int(match["exponent"] or 0)
    if len(decimals) > power:
        return None
    return int(match["sign"] + re.sub("[,_]", "", match["digits"]) + decimals + "0" * (power - len(decimals)))


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
