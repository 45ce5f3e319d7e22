"""Numbers as people choose them: the shortest one in an interval, and how surprising such a number is there.

A log with its errors allows many numbers. A 0.0003 among them means little where every interval as wide holds a
number of one digit, and a lot where one in a thousand does. So the surprise, not the length, decides what was meant.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

_DIGITS = 17
_LEAST_PLACE = -308  # 10 to the power of less is not exact in a float


class RoundNumber(NamedTuple):
    """A short number in an interval.

    Attributes:
        value: the number.
        surprise: the share of intervals as wide that hold a number as short; small: hardly an accident.
    """

    value: float
    surprise: float


def significant(number: float) -> int:
    """How many digits it takes to write a number.

    Example:
        >>> significant(0.0019), significant(300.0)
        (2, 1)
    """
    return len(Decimal(repr(number)).normalize().as_tuple().digits)


def round_rate(middle: float, reach: float, scale: float, known: Iterable[float] = ()) -> RoundNumber:
    """The number with the fewest digits within `reach` of `middle`: 0, a known rate, or the shortest decimal.

    Args:
        middle: the best estimate.
        reach: how far off it may be.
        scale: the highest rate of all.
        known: rates that stand elsewhere in the schedule.
    """
    if not (math.isfinite(middle) and math.isfinite(reach)):
        return RoundNumber(middle, math.inf)
    if middle - reach <= 0:
        return RoundNumber(0.0, 2 * reach / scale if scale else math.inf)
    found = [
        RoundNumber(value, reach / value / 2) for value in known if 0 < abs(value - middle) <= reach or value == middle
    ]
    found.append(_shortest(middle, reach))
    return min(found, key=lambda each: each.surprise)


def _shortest(middle: float, reach: float) -> RoundNumber:
    top = math.floor(math.log10(middle + reach))
    for place in range(top, max(top - _DIGITS, _LEAST_PLACE), -1):
        count = round(middle / 10.0**place)
        value = float(f"{count}e{place}")
        if count and abs(value - middle) <= reach:
            return RoundNumber(value, 2 * reach / 10.0**place)
    return RoundNumber(middle, math.inf)


def round_step(middle: float, reach: float, bases: Iterable[float], special: Iterable[float] = ()) -> RoundNumber:
    """The roundest whole number within `reach` of `middle`, counted from any of the bases; or a special one."""
    found = [RoundNumber(float(round(middle)), 0.0 if reach < 0.2 else 1 + 2 * reach)]
    found += [
        RoundNumber(value, min(2 * reach, 4.0) / 16) for value in special if abs(value - middle) <= max(reach, 0.5)
    ]
    for base in bases:
        length = middle - base
        if length <= 0 or base != round(base):
            continue
        for place in range(math.floor(math.log10(max(length + reach, 1))), -1, -1):
            count = round(length / 10**place)
            if count and abs(count * 10**place - length) <= max(reach, 1e-6):
                found.append(RoundNumber(base + count * 10.0**place, 2 * reach / 10.0**place))
                break
    return min(found, key=lambda each: each.surprise)


def roundest(low: float, high: float) -> float:
    """The roundest whole number from `low` to `high`; the one after `low` if there is none."""
    for place in range(18, 0, -1):
        number = float(math.ceil(low / 10**place) * 10**place)
        if number <= high:
            return number
    return float(math.ceil(low))
