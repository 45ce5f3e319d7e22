"""A verdict in words, and as a table."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kosine._logs.check.verdict import Jump
    from kosine._logs.trace import Trace


def place(trace: Trace, position: float) -> str:
    """A position with its unit, such as "step 1,000"."""
    return f"{trace.axis} {number(position)}"


def number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:,.10g}"


def factor_text(factor: Fraction) -> str:
    if not factor:
        return "0"
    return f"{factor.numerator:,}" if factor.denominator == 1 else f"{factor.numerator:,}/{factor.denominator:,}"


def offset_text(offset: int, averaged: bool) -> str:
    told = f"{offset:+,}" if offset else "0"
    return f"{told}, mean of an epoch" if averaged else told


def difference_text(expected: float, found: float, digits: int) -> str:
    """Two rates with so many digits, or with as many as tell them apart."""
    told = next((count for count in range(digits, 17) if f"{expected:.{count}g}" != f"{found:.{count}g}"), 17)
    return f"expected {expected:.{told}g}, found {found:.{told}g}"


def jump_text(trace: Trace, jump: Jump) -> str:
    return f"at {place(trace, jump.position)} from step {jump.before:,} to step {jump.after:,}"
