"""The table of curves. A curve that misses something is refused here, when its file is imported."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from fractions import Fraction
from typing import TypeVar

from kosine._core.curve import Curve
from kosine._core.foreign_words import translates_foreign_words
from kosine._core.phase import Phase

CONSTRUCTORS: dict[str, Callable[..., Phase]] = {}
"""Every curve's phase constructor by its name, as the text form and JSON know it."""

CLASSES: dict[str, type[Curve]] = {}
"""Every curve's class by the name of its constructor."""

Constructor = TypeVar("Constructor", bound=Callable[..., Phase])


def constructor_of(curve: type[Curve]) -> Callable[[Constructor], Constructor]:
    """Decorate the constructor of a curve's phase: from then on the curve is known everywhere.

    The constructor is called once, for a phase from 2 to 1 over 4 steps. The curve of that phase must answer every
    question that the rest of kosine has for a curve.

    Raises:
        TypeError: something is missing; the message says what.
    """

    def registered(constructor: Constructor) -> Constructor:
        for fault in _faults(curve, constructor):
            raise TypeError(f"The curve {curve.__name__} cannot be used: {fault}")
        called = translates_foreign_words(constructor)
        CONSTRUCTORS[curve.name] = called
        CLASSES[curve.name] = curve
        return called

    return registered


def _faults(curve: type[Curve], constructor: Callable[..., Phase]) -> list[str]:
    name = getattr(curve, "name", None)
    if name is None:
        return ["it has no `name`."]
    if name != constructor.__name__:
        return [f"its `name` is {name!r}, and its constructor is called {constructor.__name__!r}."]
    if name in CONSTRUCTORS:
        return [f"there is a curve {name!r} already."]
    if inspect.isabstract(curve):
        return [f"it does not define `{method}`." for method in sorted(curve.__abstractmethods__)]
    parameters = set(inspect.signature(constructor).parameters)
    missing = sorted({"duration", "until", "start", "to", "endpoint"} - parameters)
    if missing:
        return [f"its constructor has no argument `{missing[0]}`, which every curve has."]
    example = constructor(4, start=2.0) if curve.keeps_value else constructor(4, start=2.0, to=1.0)
    if type(example.curve) is not curve:
        return [f"its constructor makes a phase of {type(example.curve).__name__}."]
    unknown = sorted({field.name for field in fields(curve)} - parameters)
    if unknown:
        return [f"its constructor has no argument `{unknown[0]}`, which is a field of it."]
    if not _scales(example.curve):
        return ["its rates do not grow with `start` and `to`: a field of it is a rate, so it needs a method `scaled`."]
    why = example.curve.why_no_code() if curve.code is Curve.code else ""
    return [f"it needs a method `code`, which cannot be derived from `form`. {why}"] if why else []


def _scales(curve: Curve) -> bool:
    """Whether twice the rates make the same curve, twice as high."""
    span = Fraction(4)
    forms = [curve.form(2.0, 1.0, span), curve.scaled(Fraction(2)).form(4.0, 2.0, span)]
    one, two = (form._replace(weight=forms[0].weight) for form in forms)
    return one._replace(top=2 * one.top, bottom=2 * one.bottom) == two
