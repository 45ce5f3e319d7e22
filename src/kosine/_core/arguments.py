"""Readers of arguments: each returns the value in its one type, or raises an error with the rule and the fix.

A reader checks the type first (`ArgumentTypeError`), then the range. The range belongs to the object that has the
value, so its error is the reader's `error`: a `ScheduleError` unless the caller passes another.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from kosine._core.numbers import MAGNITUDES, MAX_STEPS, whole_number
from kosine.errors import ArgumentTypeError, Described, KosineError, PlanError, ScheduleError, Text


def read_number(
    value: object,
    argument: str,
    rule: str,
    *,
    at_least: float = -math.inf,
    above: float = -math.inf,
    at_most: float = math.inf,
    error: type[KosineError] = ScheduleError,
) -> float:
    """A finite float between bounds; booleans and arrays are refused.

    Args:
        value: what the user passed.
        argument: its name.
        rule: what it must be, for the message: the bounds in words.
        at_least: the lowest value that is allowed.
        above: a value that it must be higher than.
        at_most: the highest value that is allowed.
        error: what is raised for a number outside the bounds, NaN, an infinity, or an integer beyond every float.

    Raises:
        ArgumentTypeError: not a number.
        KosineError: `error`.
    """
    # bool is an int, and NumPy 1.26 still makes a number of an array that has one element.
    if isinstance(value, bool) or not hasattr(value, "__float__") or getattr(value, "ndim", False):
        raise ArgumentTypeError(argument=argument, rule=rule, received=value, fix=without_quotes(value))
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError) as failed:
        raise ArgumentTypeError(argument=argument, rule=rule, received=value) from failed
    if not math.isfinite(number) or not at_least <= number <= at_most or not above < number:
        raise error(argument=argument, rule=rule, received=value)
    return number + 0.0  # -0.0 is written as 0.0


def read_at_least(value: object, argument: str, low: float, high: float = math.inf) -> float:
    """A finite number >= `low`, and <= `high`."""
    rule = f"a finite number >= {low:g}" if high == math.inf else f"a number from {low:g} to {high:g}"
    return read_number(value, argument, rule, at_least=low, at_most=high)


def read_above(value: object, argument: str, low: float, high: float = math.inf) -> float:
    """A finite number > `low`, and <= `high`."""
    rule = f"a finite number > {low:g}" if high == math.inf else f"a number > {low:g} and at most {high:g}"
    return read_number(value, argument, rule, above=low, at_most=high)


def read_rate(value: object, argument: str) -> float:
    """A learning rate: a finite float >= 0."""
    return read_number(value, argument, "a finite learning rate >= 0", at_least=0)


def read_index(value: object) -> int | None:
    """An integer of any type, exactly; None for anything else, a boolean and an array of one number too."""
    try:
        return None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]  # it says whether
    except TypeError:
        return None


def read_integer(
    value: object,
    argument: str,
    rule: str = "an integer",
    *,
    at_least: int = -MAX_STEPS,
    at_most: int | None = MAX_STEPS,
    error: type[KosineError] = ScheduleError,
    fix: Text = "",
) -> int:
    """An integer >= `at_least` that 64 bits hold; `fix` says what to write instead of a value of another type."""
    number = read_index(value)
    if number is None:
        raise ArgumentTypeError(argument=argument, rule=rule, received=value, fix=fix or _integer_meant(value))
    if number < at_least:
        raise error(argument=argument, rule=rule, received=value)
    if at_most is not None and number > at_most:
        raise error(argument=argument, rule=f"{rule} and at most 2**63 - 1", received=value)
    return number


def read_count(value: object, argument: str, at_least: int = 0) -> int:
    """A number of steps, epochs or cycles."""
    return read_integer(value, argument, f"an integer >= {at_least}", at_least=at_least)


def read_count_or_none(
    value: object, argument: str, fix: Text = "", *, rule: str = "an integer >= 1", at_most: int | None = MAX_STEPS
) -> int | None:
    """A size of a run, an integer >= 1 or a text with a magnitude such as "1.5M"; None where it is unknown."""
    if value is None:
        return None
    if isinstance(value, str) and value[-1:] in MAGNITUDES:
        number = whole_number(value)
        value = value if number is None else number
    if isinstance(value, str) and (meant := count_meant(value)):
        fix = f'Did you mean "{meant}"?'
    return read_integer(value, argument, rule, at_least=1, at_most=at_most, error=PlanError, fix=fix)


_COUNT_MEANT = re.compile(
    r"(?P<digits>\d[\d_,]{0,40}(?:\.\d{1,40})?) *(?P<magnitude>[kmgbt]?) *(?:tok|tokens?|sp|samples?|st|steps?)?",
    re.ASCII | re.IGNORECASE,
)


def count_meant(text: str) -> str | None:
    """What a wrong number with a magnitude means in the right form: "300 b tokens" is 300B; None where it has none."""
    match = _COUNT_MEANT.fullmatch(text.strip())
    if match is None or not match["magnitude"]:
        return None
    letter = match["magnitude"].upper()
    written = match["digits"] + ("k" if letter == "K" else letter)
    return None if written == text or whole_number(written) is None else written


def read_counts(values: object, argument: str, *, in_order: bool = False) -> list[int]:
    """A list of step numbers >= 0, with `in_order` none below the one before it."""
    listed = read_list(values, argument, "integers, such as [30, 80]")
    counts = [read_count(value, f"{argument}[{index}]") for index, value in enumerate(listed)]
    for earlier, later in pairwise(counts):
        if in_order and later < earlier:
            raise ScheduleError(argument=argument, rule="sorted", received=Described(f"{later} after {earlier}"))
    return counts


def read_list(values: object, argument: str, content: str) -> list[Any]:
    """A list or another iterable, but not a text or a dictionary."""
    if not isinstance(values, Iterable) or isinstance(values, str | bytes | Mapping):
        raise ArgumentTypeError(argument=argument, rule=f"a list of {content}", received=values)
    return list(values)


def read_flag(value: object, argument: str) -> bool:
    """True or False, and no other truthy or falsy value."""
    if not isinstance(value, bool):
        raise ArgumentTypeError(argument=argument, rule="True or False", received=value)
    return value


def read_choice(value: object, argument: str, choices: Sequence[str]) -> str:
    """One of a few words."""
    if not isinstance(value, str) or value not in choices:
        raise ScheduleError(argument=argument, rule=f"one of {list(choices)}", received=value)
    return value


def read_text(value: object, argument: str) -> str:
    """A text."""
    if not isinstance(value, str):
        raise ArgumentTypeError(argument=argument, rule="a string", received=value)
    return value


def without_quotes(value: object) -> str:
    """What to do about a number that is written as a text, as a sentence; nothing for anything else."""
    number = isinstance(value, str) and re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", value, re.ASCII)
    return f"Write {value} without quotes." if number and len(str(value)) < 40 else ""


def _integer_meant(value: object) -> str:
    """What to write instead of 1e3, "1000" or "10ep", as a sentence."""
    try:
        number = float(value) if isinstance(value, float | str) else math.nan
    except ValueError:
        return "Write a number without a unit."
    return f"Use {int(number)}." if number.is_integer() else ""
