"""The words that sentences and tables of a verdict share."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kosine._logs.check.diagnosis import Jump
    from kosine._logs.trace import Trace


def place(trace: Trace, position: float) -> str:
    """A position with its unit, such as "step 1,000"."""
    return f"{trace.axis} {number(position)}"


def number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:,.10g}"


def steps_text(count: int) -> str:
    return f"{count:,} step{'' if count == 1 else 's'}"


def factor_text(factor: Fraction) -> str:
    if not factor:
        return "0"
    return f"{factor.numerator:,}" if factor.denominator == 1 else f"{factor.numerator:,}/{factor.denominator:,}"


def offset_text(offset: int, averaged: bool) -> str:
    text = f"{offset:+,}" if offset else "0"
    return f"{text}, mean of an epoch" if averaged else text


def difference_text(expected: float, found: float, digits: int) -> str:
    """Two rates with at least these digits, and with enough of them to differ."""
    enough = next((count for count in range(digits, 17) if f"{expected:.{count}g}" != f"{found:.{count}g}"), 17)
    return f"expected {expected:.{enough}g}, found {found:.{enough}g}"


def jump_text(trace: Trace, jump: Jump) -> str:
    return f"at {place(trace, jump.position)} from step {jump.before:,} to step {jump.after:,}"
