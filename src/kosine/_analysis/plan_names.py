"""Several plans next to each other: that they are plans, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count as count_from

from kosine._core.schedule import Plan, Schedule
from kosine.errors import ArgumentError, ArgumentTypeError


def letters(count: int) -> list[str]:
    """A, B, ..., Z, A2, B2, ..."""
    return [chr(ord("A") + index % 26) + (str(index // 26 + 1) if index >= 26 else "") for index in range(count)]


def read_names(names: Sequence[str] | None, count: int) -> tuple[str, ...]:
    """The argument `names`: one for each plan, letters if None; equal names get a number."""
    if names is None:
        return tuple(letters(count))
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise ArgumentTypeError(argument="names", rule="a list of strings", received=names)
    if len(names) != count:
        raise ArgumentError(argument="names", rule=f"a list of {count} names, one for each plan", received=names)
    called: list[str] = []
    for name in names:
        free = (f"{name} ({number})" if number > 1 else name for number in count_from(1))
        called.append(next(each for each in free if each not in called))
    return tuple(called)


def check_plans(plans: Sequence[object], function: str) -> None:
    """Raise where there are fewer than two, or where one is something else than a plan, such as a schedule."""
    for plan in plans:
        if not isinstance(plan, Plan):
            fix = "Plan it first: `schedule.plan(total_steps=...)`." if isinstance(plan, Schedule) else ""
            raise ArgumentTypeError(f"`{function}` takes plans.", received=plan, fix=fix)
    if len(plans) < 2:
        raise ArgumentError(f"`{function}` takes two plans or more.", received=len(plans))
