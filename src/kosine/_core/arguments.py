"""Readers of arguments: each returns the value in its one type, or raises an error with the fix."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from kosine._core.numbers import MAX_STEPS
from kosine.errors import ArgumentTypeError, PlanError, ScheduleError, shown


def read_number(value: object, argument: str, rule: str) -> float:
    """A finite float, or an error that names the argument.

    Raises:
        ArgumentTypeError: not a number (a boolean is none).
        ScheduleError: NaN, an infinity, or an integer that no float can hold.
    """
    # NumPy 1.26 still makes a number of an array that has one.
    if isinstance(value, bool) or not hasattr(value, "__float__") or getattr(value, "ndim", False):
        raise ArgumentTypeError(
            f"Argument `{argument}` must be {rule}. Received: {argument}={shown(value)}.{without_quotes(value)}"
        )
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError) as error:
        raise ArgumentTypeError(
            f"Argument `{argument}` must be {rule}. Received: {argument}={shown(value)}."
        ) from error
    if not math.isfinite(number):
        raise ScheduleError(f"Argument `{argument}` must be {rule}. Received: {argument}={shown(value)}.")
    return number


def read_index(value: object) -> int | None:
    """An integer of any type, exactly; None for anything else, a boolean and an array of one number too."""
    try:
        return None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]  # it says whether
    except TypeError:
        return None


def without_quotes(value: object) -> str:
    """What to do about a number that is written as a text, as a sentence; nothing for anything else."""
    number = isinstance(value, str) and re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value, re.ASCII)
    return f" Write {value} without quotes." if number and len(str(value)) < 40 else ""


def read_rate(value: object, argument: str) -> float:
    """A learning rate: a finite float >= 0."""
    rate = read_number(value, argument, "a finite learning rate >= 0")
    if rate < 0:
        raise ScheduleError(
            f"Argument `{argument}` must be a finite learning rate >= 0. Received: {argument}={shown(value)}."
        )
    return rate + 0.0  # -0.0 is written as 0.0


def read_flag(value: object, argument: str) -> bool:
    """True or False, not something that is merely truthy."""
    if not isinstance(value, bool):
        raise ArgumentTypeError(f"Argument `{argument}` must be True or False. Received: {argument}={shown(value)}.")
    return value


def read_range(value: float, argument: str, low: float, high: float) -> float:
    rule = f"a number > {low:g} and at most {high:g}"
    number = read_number(value, argument, rule)
    if not low < number <= high:
        raise ScheduleError(f"Argument `{argument}` must be {rule}. Received: {argument}={shown(value)}.")
    return number


def read_count_or_none(value: object, argument: str) -> int | None:
    if value is None:
        return None
    count = read_index(value)
    if count is None:
        raise ArgumentTypeError(f"Argument `{argument}` must be an integer >= 1. Received: {argument}={shown(value)}.")
    if not 1 <= count <= MAX_STEPS:
        raise PlanError(
            f"Argument `{argument}` must be an integer >= 1 and at most 2**63 - 1. Received: {argument}={shown(value)}."
        )
    return count


def read_integer(value: object, argument: str, rule: str = "an integer") -> int:
    """Any integer that 64 bits hold."""
    try:
        if isinstance(value, bool):
            raise TypeError("a truth value is no count")
        number = operator.index(value)  # type: ignore[arg-type]  # whether it has one is what is asked here
    except TypeError as error:
        raise ArgumentTypeError(
            f"Argument `{argument}` must be {rule}. Received: {argument}={shown(value)}.{_integer_meant(value)}"
        ) from error
    if abs(number) > MAX_STEPS:
        raise ScheduleError(
            f"Argument `{argument}` must be {rule} and at most 2**63 - 1. Received: {argument}={shown(value)}."
        )
    return number


def read_count(value: object, argument: str, at_least: int = 0) -> int:
    """An integer number of steps, epochs or cycles."""
    rule = f"an integer >= {at_least}"
    count = read_integer(value, argument, rule)
    if count < at_least:
        raise ScheduleError(f"Argument `{argument}` must be {rule}. Received: {argument}={shown(value)}.")
    return count


def read_counts(values: object, argument: str, *, in_order: bool = False) -> list[int]:
    """A list of step numbers >= 0, with `in_order` none below the one before it."""
    listed = read_list(values, argument, "integers, such as [30, 80]")
    counts = [read_count(value, f"{argument}[{index}]") for index, value in enumerate(listed)]
    for earlier, later in pairwise(counts):
        if in_order and later < earlier:
            raise ScheduleError(f"Argument `{argument}` must be sorted. Received: {later} after {earlier}.")
    return counts


def read_list(values: object, argument: str, content: str) -> list[Any]:
    """A list of anything, or whatever else can be iterated over; a text or a dictionary is none."""
    if not isinstance(values, Iterable) or isinstance(values, str | bytes | Mapping):
        raise ArgumentTypeError(
            f"Argument `{argument}` must be a list of {content}. Received: {argument}={shown(values)}."
        )
    return list(values)


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


def _integer_meant(value: object) -> str:
    """What to write instead of 1e3, "1000" or "10ep", as a sentence."""
    try:
        number = float(value) if isinstance(value, float | str) else math.nan
    except ValueError:
        return " Write a number without a unit."
    return f" Use {int(number)}." if number.is_integer() else ""
