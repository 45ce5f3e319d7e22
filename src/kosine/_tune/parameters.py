"""The parameters of a space: each knows its range, reads a value that a tool hands back, and draws one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from numbers import Real
from typing import Protocol

from kosine._core.arguments import read_integer, read_number
from kosine._core.durations import Duration
from kosine._core.foreign_words import near
from kosine._core.phase import written_string
from kosine._core.plain_text import shortened
from kosine._core.text_form import Parser
from kosine.errors import ArgumentError, Described, ScheduleError, shown

Value = float | int | str | bool | None
"""A value of a parameter, as tools hold it: a number, a text, True, False or None."""

_ROUNDING = 1e-9
"""How far outside its range, as a share of the range's ends, a value may be: tools compute ranges in floats."""

_DIGITS = Context(prec=25)
"""Decimal logarithms are rounded correctly, so that every machine draws the same number."""

MOST_OPTIONS = 100


class Parameter(Protocol):
    """What stands in a space for an argument of a schedule."""

    def written(self, name: str | None = None) -> str:
        """The parameter as the text form writes it, with its name if one is given."""
        ...

    def read(self, value: object, name: str) -> Value:
        """The value that a user or a tool gives.

        Raises:
            ArgumentError: it is outside the range, or none of the options.
            ArgumentTypeError: it has another type.
        """
        ...

    def draw(self, share: float) -> Value:
        """The value at a share of the range, from 0 up to, not including, 1."""
        ...

    def ends(self) -> tuple[Value, ...]:
        """The values that the range has at its ends; all options of a choice."""
        ...

    def argument(self, value: Value) -> object:
        """What a value of this parameter is as the argument of a schedule."""
        ...


@dataclass(frozen=True, slots=True)
class Log:
    """A number whose logarithm is uniform: `log(1e-4, 1e-2)`.

    Attributes:
        low: the lowest value, > 0.
        high: the highest value.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _read_ends(self, "log", above=0)

    def written(self, name: str | None = None) -> str:
        return _written("log", self.low, self.high, name=name)

    def read(self, value: object, name: str) -> float:
        return _read_within(value, name, self.low, self.high)

    def draw(self, share: float) -> float:
        low, high = Decimal(self.low), Decimal(self.high)
        power = _DIGITS.multiply(Decimal(share), _DIGITS.ln(_DIGITS.divide(high, low)))
        return _clamped(float(_DIGITS.multiply(low, _DIGITS.exp(power))), self.low, self.high)

    def ends(self) -> tuple[float, float]:
        return self.low, self.high

    def argument(self, value: Value) -> object:
        return value


@dataclass(frozen=True, slots=True)
class Uniform:
    """A number, every one as likely as another: `uniform(0.5, 1.0)`.

    Attributes:
        low: the lowest value.
        high: the highest value.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _read_ends(self, "uniform")

    def written(self, name: str | None = None) -> str:
        return _written("uniform", self.low, self.high, name=name)

    def read(self, value: object, name: str) -> float:
        return _read_within(value, name, self.low, self.high)

    def draw(self, share: float) -> float:
        return _clamped(self.low * (1 - share) + self.high * share, self.low, self.high)

    def ends(self) -> tuple[float, float]:
        return self.low, self.high

    def argument(self, value: Value) -> object:
        return value


@dataclass(frozen=True, slots=True)
class Share:
    """A duration, as a share of the run: `share("5%", "60%")`. Its values are numbers of percent, 5.0 to 60.0.

    Attributes:
        low: the shortest, in percent of the run, >= 0.
        high: the longest, in percent of the run, <= 100.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        _read_ends(self, "share", at_least=0, at_most=100)

    def written(self, name: str | None = None) -> str:
        return _written("share", _percent(self.low), _percent(self.high), name=name)

    def read(self, value: object, name: str) -> float:
        fix = ""
        if isinstance(value, str) and (percent := read_percent(value)) is not None:
            value = percent
        elif isinstance(value, float) and 0 < value < self.low <= 100 * value <= self.high:
            fix = f"Values of a share are in percent: write {100 * value:g}."
        return _read_within(value, name, self.low, self.high, "a number of percent of the run", fix)

    def draw(self, share: float) -> float:
        return _clamped(self.low * (1 - share) + self.high * share, self.low, self.high)

    def ends(self) -> tuple[float, float]:
        return self.low, self.high

    def argument(self, value: Value) -> object:
        assert isinstance(value, float)
        return _percent(value)


@dataclass(frozen=True, slots=True)
class Integers:
    """An integer, both ends included: `integers(100, 2000)`.

    Attributes:
        low: the lowest value.
        high: the highest value.
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        for field in ("low", "high"):
            end = read_integer(getattr(self, field), field, error=ArgumentError)
            object.__setattr__(self, field, end)
        _check_order("integers", self.low, self.high)

    def written(self, name: str | None = None) -> str:
        return _written("integers", self.low, self.high, name=name)

    def read(self, value: object, name: str) -> int:
        if isinstance(value, float) and value.is_integer():  # JSON and sliders have no integers
            value = int(value)
        rule = f"an integer from {self.low} to {self.high}"
        number = read_integer(value, name, rule, at_least=self.low, at_most=None, error=ArgumentError)
        if number > self.high:
            raise ArgumentError(argument=name, rule=rule, received=value)
        return number

    def draw(self, share: float) -> int:
        return self.low + int(Fraction(share) * (self.high - self.low + 1))

    def ends(self) -> tuple[int, int]:
        return self.low, self.high

    def argument(self, value: Value) -> object:
        return value


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some options: `choice("1%", "5%")`.

    Attributes:
        options: numbers, texts, True, False or None. A curve or a whole schedule is an option as its text, such as
            "cosine(to=0.0)".
    """

    options: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.options:
            raise ArgumentError("`choice` needs options.", fix='Write them with commas, as in choice("1%", "5%").')
        if len(self.options) > MOST_OPTIONS:
            received = Described(f"{len(self.options):,}")
            raise ArgumentError(f"A choice has at most {MOST_OPTIONS:,} options.", received=received)
        seen: set[object] = set()
        for option in self.options:
            if isinstance(option, float) and not math.isfinite(option):
                raise ArgumentError("The options of a choice are finite numbers.", received=option)
            written = {text_of(option), (isinstance(option, bool), option)}
            if seen & written:
                raise ArgumentError("The options of a choice differ.", received=Described(f"{shown(option)} twice"))
            seen |= written

    def written(self, name: str | None = None) -> str:
        return _written("choice", *self.options, name=name)

    def read(self, value: object, name: str) -> Value:
        found = [option for option in self.options if _same(option, value)]
        if not found and isinstance(value, str):  # KerasTuner holds options of several types as texts
            found = [option for option in self.options if text_of(option) == value]
        if not found and isinstance(value, str) and is_call(value):  # the same call with other spaces or quotes
            made = Parser(value).expression()
            found = [option for option in self.options if self.argument(option) == made]
        if not found:
            meant = near(value, map(text_of, self.options)) if isinstance(value, str) else None
            rule = f"one of {shortened(', '.join(map(shown, self.options)), 300)}"
            fix = f"Did you mean {meant!r}?" if meant else ""
            raise ArgumentError(argument=name, rule=rule, received=value, fix=fix)
        return found[0]

    def draw(self, share: float) -> Value:
        return self.options[int(share * len(self.options))]

    def ends(self) -> tuple[Value, ...]:
        return self.options

    def argument(self, value: Value) -> object:
        return Parser(value).expression() if isinstance(value, str) and is_call(value) else value


def is_call(option: str) -> bool:
    """Whether the text of an option is a part of a schedule, or a whole one."""
    return "(" in option


def read_percent(text: str) -> float | None:
    """The number in a text such as "5%"; None where it has another form."""
    try:
        duration = Duration.read(text)
    except ScheduleError:
        return None
    return float(duration.amount) if duration.unit == "%" and duration.amount is not None else None


def _percent(number: float) -> str:
    short = f"{number:g}"
    return f"{short if float(short) == number else repr(number)}%"


def text_of(option: Value) -> str:
    """An option as a text, for tools that hold all of them so."""
    return option if isinstance(option, str) else repr(option)


def _same(option: Value, value: object) -> bool:
    """Whether a value is this option: 2.0 is 2, but True is not 1."""
    if isinstance(option, bool | None) or isinstance(value, bool | None):
        return option is value
    return isinstance(value, str | Real) and option == value


def _written(function: str, *values: Value, name: str | None) -> str:
    arguments = [value if isinstance(value, str) and is_call(value) else written_string(value) for value in values]
    if name is not None:
        arguments.append(f'name="{name}"')
    return f"{function}({', '.join(arguments)})"


def _read_ends(
    parameter: Log | Uniform | Share,
    function: str,
    *,
    above: float = -math.inf,
    at_least: float = -math.inf,
    at_most: float = math.inf,
) -> None:
    """Check the ends of a range and make floats of them."""
    rule = "a finite number" + ("" if above == -math.inf else f" > {above:g}")
    rule = rule if at_most == math.inf else f"a number from {at_least:g} to {at_most:g}"
    for field in ("low", "high"):
        end = read_number(
            getattr(parameter, field),
            field,
            rule,
            above=above,
            at_least=at_least,
            at_most=at_most,
            error=ArgumentError,
        )
        object.__setattr__(parameter, field, end)
    _check_order(function, parameter.low, parameter.high)


def _check_order(function: str, low: float, high: float) -> None:
    """Raise where a range has no width."""
    if low < high:
        return
    first, last = (f'"{_percent(end)}"' if function == "share" else repr(end) for end in (low, high))
    raise ArgumentError(
        f"A range of `{function}` begins with its lower end.",
        received=Described(f"{function}({first}, {last})"),
        fix=f"Write {function}({last}, {first})." if low > high else f"Write {first} itself.",
    )


def _read_within(value: object, name: str, low: float, high: float, number: str = "a number", fix: str = "") -> float:
    """A number of a range. One that misses an end by a rounding is that end."""
    rule = f"{number} from {low!r} to {high!r}"
    read = read_number(value, name, rule, error=ArgumentError)
    if not low - _ROUNDING * abs(low) <= read <= high + _ROUNDING * abs(high):
        raise ArgumentError(argument=name, rule=rule, received=value, fix=fix)
    return _clamped(read, low, high)


def _clamped(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
