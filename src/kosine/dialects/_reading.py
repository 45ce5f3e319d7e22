"""The arguments of the dialects: each is read once, and an error names it as the peer does."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from fractions import Fraction

from kosine.durations import MAX_STEPS
from kosine.errors import ArgumentTypeError, ScheduleError, shown
from kosine.phases import read_number


def read_count(value: object, argument: str, at_least: int = 0) -> int:
    """An integer number of steps, epochs or cycles."""
    rule = f"Argument `{argument}` must be an integer >= {at_least}"
    try:
        if isinstance(value, bool):
            raise TypeError("a truth value is no count")
        count = operator.index(value)  # type: ignore[arg-type]  # whether it has one is what is asked here
    except TypeError as error:
        raise ArgumentTypeError(f"{rule}. Received: {argument}={shown(value)}.") from error
    if not at_least <= count <= MAX_STEPS:
        raise ScheduleError(f"{rule} and at most 2**63 - 1. Received: {argument}={shown(value)}.")
    return count


def read_counts(values: object, argument: str) -> list[int]:
    """A list of step numbers >= 0."""
    if not isinstance(values, Iterable) or isinstance(values, str | bytes):
        raise ArgumentTypeError(
            f"Argument `{argument}` must be a list of integers. Received: {argument}={shown(values)}."
        )
    return [read_count(value, f"{argument}[{index}]") for index, value in enumerate(values)]


def read_at_least(value: object, argument: str, low: float, high: float = math.inf) -> float:
    """A finite number >= `low`, and <= `high`."""
    rule = f"a finite number >= {low:g}" if high == math.inf else f"a number from {low:g} to {high:g}"
    number = read_number(value, argument, rule)
    if not low <= number <= high:
        raise ScheduleError(f"Argument `{argument}` must be {rule}. Received: {argument}={shown(value)}.")
    return number + 0.0  # -0.0 is written as 0.0


def read_above(value: object, argument: str, low: float, high: float = math.inf) -> float:
    """A finite number > `low`, and <= `high`."""
    rule = f"a finite number > {low:g}" if high == math.inf else f"a number > {low:g} and at most {high:g}"
    number = read_number(value, argument, rule)
    if not low < number <= high:
        raise ScheduleError(f"Argument `{argument}` must be {rule}. Received: {argument}={shown(value)}.")
    return number


def read_choice(value: object, argument: str, choices: Sequence[str]) -> str:
    """One of a few words."""
    if not isinstance(value, str) or value not in choices:
        raise ScheduleError(
            f"Argument `{argument}` must be one of {list(choices)}. Received: {argument}={shown(value)}."
        )
    return value


def exact(number: float) -> Fraction:
    """The decimal fraction that was written: 0.1 is 1/10, not the float nearest to it."""
    return Fraction(repr(float(number)))
