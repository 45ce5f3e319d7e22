"""A new curve works everywhere at once, or fails where its file is imported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar

import pytest

from kosine._core.curve import Curve, Form
from kosine._core.curves import CLASSES, CONSTRUCTORS
from kosine._core.curves._registry import constructor_of
from kosine._core.curves.exponential import Exponential
from kosine._core.curves.linear import Linear
from kosine._core.phase import Phase, new_phase


def test_a_curve_of_a_few_lines_works_everywhere() -> None:
    # In a process of its own, so that no other test meets a curve that kosine does not have.
    command = [sys.executable, "-m", "tests.support.toy_curve_everywhere"]
    found = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=120)
    assert (found.stdout, found.stderr) == ("ok\n", "")


@dataclass(frozen=True, slots=True)
class Line(Curve):
    name: ClassVar[str] = "line"

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        return Linear().form(start, end, span)


@dataclass(frozen=True, slots=True)
class Bend(Line):
    bend: float = 1.0


@dataclass(frozen=True, slots=True)
class Power(Curve):
    """The distance depends on the two values, so that no code follows from the formula."""

    name: ClassVar[str] = "line"

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        return Exponential().form(start, end, span)


@dataclass(frozen=True, slots=True)
class FallingLine(Curve):
    """A line on the way down only."""

    name: ClassVar[str] = "line"

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        return (Linear() if start > end else Exponential()).form(start, end, span)


@dataclass(frozen=True, slots=True)
class Floored(Curve):
    """A line whose end is a field of its own."""

    name: ClassVar[str] = "line"
    floor: float = 0.5

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        return Linear().form(start, self.floor, span)


@dataclass(frozen=True, slots=True)
class Formless(Curve):
    name: ClassVar[str] = "line"


@dataclass(frozen=True, slots=True)
class Nameless(Curve):
    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        return Linear().form(start, end, span)


def constructor(curve: Callable[[], Curve], name: str = "line") -> Callable[..., Phase]:
    def line(
        duration: Any = "rest", *, to: float, start: float | None = None, endpoint: bool = False, until: Any = None
    ) -> Phase:
        return new_phase(curve(), duration, start, to, endpoint, until)

    line.__name__ = name
    return line


def floored(
    duration: Any = "rest",
    *,
    to: float,
    start: float | None = None,
    floor: float = 0.5,
    endpoint: bool = False,
    until: Any = None,
) -> Phase:
    return new_phase(Floored(floor=floor), duration, start, to, endpoint, until)


floored.__name__ = "line"


def line_without_endpoint(duration: Any = "rest", *, to: float, start: float | None = None, until: Any = None) -> Phase:
    return new_phase(Line(), duration, start, to, False, until)


line_without_endpoint.__name__ = "line"


@pytest.mark.parametrize(
    ("curve", "made", "fault"),
    [
        (Nameless, constructor(Nameless), "it has no `name`"),
        (Formless, constructor(Line), "it does not define `form`"),
        (Line, constructor(Line, "straight"), "its `name` is 'line', and its constructor is called 'straight'"),
        (Linear, constructor(Linear, "linear"), "there is a curve 'linear' already"),
        (Line, constructor(Linear), "its constructor makes a phase of Linear"),
        (Line, line_without_endpoint, "its constructor has no argument `endpoint`, which every curve has"),
        (Bend, constructor(Bend), "its constructor has no argument `bend`, which is a field of it"),
        (Floored, floored, r"its rates do not grow with `start` and `to`: .* it needs a method `scaled`"),
        (FallingLine, constructor(FallingLine), r"`code`, which .* takes the distance in two addends"),
        (Power, constructor(Power), "it needs a method `code`, which cannot be derived from `form`"),
    ],
)
def test_what_a_curve_misses_is_said_at_import(curve: Any, made: Callable[..., Phase], fault: str) -> None:
    before = dict(CONSTRUCTORS), dict(CLASSES)
    with pytest.raises(TypeError, match=fault):
        constructor_of(curve)(made)
    assert before == (CONSTRUCTORS, CLASSES)
