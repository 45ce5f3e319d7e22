"""The words that sentences and tables of a verdict share."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kosine._logs.check.alignment import Alignment
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


def rows_text(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def lag_text(lag: int, trace: Trace, epoch: int | None) -> str:
    """A lag in steps, or in epochs where it is a whole number of them."""
    if epoch and epoch > 1 and lag % epoch == 0:
        return f"{'one epoch' if lag == epoch else f'{lag // epoch:,} epochs'} ({steps_text(lag)})"
    if trace.axis == "epoch" and epoch == 1:
        return "one epoch" if lag == 1 else f"{lag:,} epochs"
    return steps_text(lag)


def difference_at(read: Alignment, row: int) -> str:
    """What the plan expects at a row, and what the log has there."""
    expected, found = float(read.planned(slice(row, row + 1))[0]), float(read.trace.rates[row])
    return difference_text(expected, found, 6)


def difference(read: Alignment) -> str:
    """A sentence on the first row that shows another rate than the plan's."""
    row = read.first_miss()
    assert row is not None  # else the log would follow
    offset = f" (read with an offset of {read.offset:+,})" if read.offset else ""
    where = place(read.trace, read.trace.positions[row])
    return f"The log differs from the plan from {where} on{offset}: {difference_at(read, row)}."
