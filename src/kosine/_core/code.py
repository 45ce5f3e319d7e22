"""What a curve writes its formula with, as text of a program: numbers, operands, and the operations of a language.

`Curve.code` uses these; `_export` chooses the language and the operands, and lays the text out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

# --- numbers and operands -----------------------------------------------------------------------------------------


def integer(value: int) -> str:
    """`7885` as `7_885`, whatever type of integer a caller has left in the plan."""
    return int.__format__(value, "_d")


def real(value: float) -> str:
    """The shortest text of a float."""
    return float.__repr__(value)


def number(value: Fraction | float) -> str:
    """A whole number without a point, any other as the nearest float."""
    return integer(int(value)) if value == int(value) else real(float(value))


def atom(text: str) -> str:
    """The text in parentheses, unless it is one operand already."""
    return text if re.fullmatch(r"[\w.]+(\(.*\))?", text) and closes_at_its_end(text) else f"({text})"


def plus(text: str, value: int) -> str:
    """`text + value`, or without it where it is 0."""
    if not value:
        return text
    return f"{text} + {integer(value)}" if value > 0 else f"{text} - {integer(-value)}"


def power(base: str, exponent: str) -> str:
    """`base**exponent`; with spaces around the operator where an operand is more than a name or a number."""
    simple = r"-?[\w.]+"
    if exponent == "1":
        return base
    space = "" if re.fullmatch(simple, base) and re.fullmatch(simple, exponent) else " "
    return f"{base}{space}**{space}{exponent}"


def closes_at_its_end(text: str) -> bool:
    """Whether the first parenthesis of the text, if any, closes at its end."""
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == ")" and not depth:
            return position == len(text) - 1
    return True


# --- what a formula is written in, with, and as -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Language:
    """How a target writes the operations that formulas use."""

    prefix: str = ""
    pi: str = "pi"
    single: bool = False
    """Whether it computes in float32: a formula is then arranged to keep the digits that the result needs."""
    arrays: bool = False
    """Whether the step is an array, so that nothing may branch on it."""

    def call(self, function: str, *arguments: str) -> str:
        return f"{self.prefix}{function}({', '.join(arguments)})"

    def where(self, condition: str, then: str, otherwise: str) -> str:
        return (
            self.call("where", condition, then, otherwise) if self.arrays else f"{then} if {condition} else {otherwise}"
        )


@dataclass(frozen=True, slots=True)
class Operands:
    """What a formula is written with: each is the text of one operand of the program.

    A phase goes from the rate `start` to the rate `to`; `done` of its `span` steps are done and `left` are left.
    """

    start: str
    to: str
    rises: bool
    done: str
    left: str
    span: str
    steps: Fraction | None = None
    """What `span` is, where that is known when the program is written."""

    @property
    def low(self) -> str:
        return self.start if self.rises else self.to

    @property
    def high(self) -> str:
        return self.to if self.rises else self.start

    @property
    def spread(self) -> str:
        """How far apart the two rates are."""
        return _difference(self.high, self.low)

    def above_low(self, share: str) -> str:
        """The lower rate, and `share` on top of it."""
        return share if self.low == "0.0" else f"{self.low} + {share}"

    def weighed(self) -> str:
        """The rate, with the weight of `start` in the place of the braces."""
        if self.rises:
            return f"{self.to} - {_difference(self.to, self.start)} * {{}}"
        return self.above_low(f"{self.spread} * {{}}")


def _difference(high: str, low: str) -> str:
    return high if low == "0.0" else f"({high} - {low})"


@dataclass(frozen=True, slots=True)
class Formula:
    """A learning rate as text: `whole`, with `part` in the place of the braces.

    `part` may be on a line above it under the name `name`; `above` is a name and a text that must be above both.
    """

    whole: str
    part: str
    name: str = "weight"
    above: tuple[str, str] | None = None


# --- a formula as text, from the formula itself -------------------------------------------------------------------

_CONDITION, _SUM, _PRODUCT, _POWER, _OPERAND = range(5)  # how tightly the outermost operator of a text binds


@dataclass(frozen=True, slots=True)
class _Expression:
    """A number that is known as text only: computing with it writes the operations as text."""

    text: str
    binds: int = _OPERAND

    def inside(self, least: int) -> str:
        return self.text if self.binds >= least else f"({self.text})"

    def __add__(self, other: Any) -> _Expression:
        return _binary(self, "+", other, _SUM, _SUM)

    def __radd__(self, other: Any) -> _Expression:
        return _binary(other, "+", self, _SUM, _SUM)

    def __sub__(self, other: Any) -> _Expression:
        return _binary(self, "-", other, _SUM, _PRODUCT)

    def __rsub__(self, other: Any) -> _Expression:
        return _binary(other, "-", self, _SUM, _PRODUCT)

    def __mul__(self, other: Any) -> _Expression:
        return _binary(self, "*", other, _PRODUCT, _POWER)

    def __rmul__(self, other: Any) -> _Expression:
        return _binary(other, "*", self, _PRODUCT, _POWER)

    def __truediv__(self, other: Any) -> _Expression:
        return _binary(self, "/", other, _PRODUCT, _POWER)

    def __rtruediv__(self, other: Any) -> _Expression:
        return _binary(other, "/", self, _PRODUCT, _POWER)

    def __pow__(self, other: Any) -> _Expression:
        return _Expression(power(self.inside(_OPERAND), _expression(other).inside(_OPERAND)), _POWER)

    def __neg__(self) -> _Expression:
        return _Expression(f"-{self.inside(_POWER)}", _PRODUCT)

    def __lt__(self, other: Any) -> _Expression:
        return _binary(self, "<", other, _CONDITION, _SUM)

    def __gt__(self, other: Any) -> _Expression:
        return _binary(self, ">", other, _CONDITION, _SUM)


def _expression(value: Any) -> _Expression:
    if isinstance(value, _Expression):
        return value
    return _Expression(real(float(value)), _OPERAND if value >= 0 else _PRODUCT)


def _binary(left: Any, operator: str, right: Any, binds: int, right_binds: int) -> _Expression:
    first = _expression(left).inside(max(binds, _SUM))
    return _Expression(f"{first} {operator} {_expression(right).inside(right_binds)}", binds)


class _WrittenOperations:
    """The operations of curves (`curve.Operations`) on `_Expression`s, in a language."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def __getattr__(self, function: str) -> Callable[..., _Expression]:
        return lambda value: _Expression(self._language.call(function, _expression(value).text))

    def power(self, base: Any, exponent: Any) -> _Expression:
        raised: _Expression = _expression(base) ** exponent
        return raised

    def where(self, condition: Any, then: Any, otherwise: Any) -> _Expression:
        texts = (_expression(value).inside(_SUM) for value in (condition, then, otherwise))
        return _Expression(self._language.where(*texts), _OPERAND if self._language.arrays else _CONDITION)


def weight_code(
    weight: Callable[[Any], Callable[..., Any]], ratio: Fraction, ways: list[str], language: Language
) -> str:
    """A weight as one operand of text, from the function that computes it.

    Args:
        weight: makes the function from the operations that it is written in.
        ratio: how much longer the distance is than the share of the phase that it is counted in.
        ways: those shares, such as "left / span", as products.
        language: what to write in.
    """
    shares = [_Expression(way, _PRODUCT) for way in ways]
    distances = shares if ratio == 1 else [share * float(ratio) for share in shares]
    found = weight(_WrittenOperations(language))(*distances)
    return _expression(found).inside(_OPERAND)
