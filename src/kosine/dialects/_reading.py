"""The arguments of the dialects: each is read once, and an error names it as the peer does."""

from __future__ import annotations

import difflib
import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from kosine.durations import MAX_STEPS
from kosine.errors import ArgumentTypeError, ScheduleError, shown
from kosine.phases import read_number, read_rate


def read_lr(value: object) -> float:
    """The argument `lr`: the base rate, which the peers take from the optimizer."""
    if hasattr(value, "param_groups"):
        raise ArgumentTypeError(
            "Argument `lr` must be the learning rate that the optimizer was built with, not the optimizer. "
            f"Received: lr={shown(value)}."
        )
    return read_rate(value, "lr")


def no_such_name(module: str, name: str, known: Iterable[str], absent: Mapping[str, str]) -> AttributeError:
    """The error for a name that a module lacks: why it does, or which one was probably meant."""
    peer = module.rpartition(".")[2]
    near = difflib.get_close_matches(name.lower(), {one.lower(): one for one in known}, 1)
    meant = next((one for one in known if near and one.lower() == near[0]), None)
    fix = f" {absent[name]}" if name in absent else f" Did you mean `{meant}`?" if meant else ""
    return AttributeError(f"kosine.dialects.{peer} has no {name!r}.{fix}", name=name)


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


def exact(number: float) -> Fraction:
    """The decimal fraction that was written: 0.1 is 1/10, not the float nearest to it."""
    return Fraction(repr(float(number)))


def _integer_meant(value: object) -> str:
    """What to write instead of 1e3, "1000" or "10ep", as a sentence."""
    try:
        number = float(value) if isinstance(value, float | str) else math.nan
    except ValueError:
        return " Write a number without a unit."
    return f" Use {int(number)}." if number.is_integer() else ""
