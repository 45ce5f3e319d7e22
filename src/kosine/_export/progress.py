"""How far a curve has come, and its formula, as lines of a program."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from kosine._core.curve import Curve
from kosine._export.formulas import Language, Way, formula, is_smooth, keeps_pace
from kosine._export.outline import Bend, Outline
from kosine._export.printing import WIDTH, atom, bare, integer, number, plus, real, statement


@dataclass(frozen=True, slots=True)
class Distance:
    """A number of steps as text: an integer expression, and a part of a step that is added to it."""

    whole: str
    part: str = ""

    def text(self, language: Language) -> str:
        whole = language.cast(self.whole) if language.casts else self.whole
        return f"{whole} {self.part}" if self.part else whole


@dataclass(frozen=True, slots=True)
class Course:
    """Steps done, steps left, and of how many; `fixed` where the last is a plain number or a name."""

    done: Distance
    left: Distance
    span: Distance
    fixed: bool = True
    steps: Fraction | None = None
    """What `span` is, where that is known."""


def course_of(piece: Bend, outline: Outline, language: Language) -> Course:
    """How far a phase has come at `step`."""
    name, span = outline.spans.get(piece.first), piece.span
    steps = None if piece.stop is None or name is None else piece.stop - piece.first  # what `name` stands for
    clip = language.arrays and not is_smooth(piece.curve)
    lowest, beyond = piece.limits
    if piece.tick == 1 and not clip:
        own = None
    else:
        own = outline.since("step", piece.shift)
        own = own if piece.tick == 1 else f"{atom(own)} // {integer(piece.tick)}"
        if clip and beyond is None:
            own = language.call("maximum", own, integer(lowest))
        elif clip and beyond is not None:
            if span is not None and not keeps_pace(piece.curve):
                beyond = min(beyond, math.floor(span - piece.lead))
            stop = name if name is not None and beyond == steps else integer(beyond)
            own = language.call("clip", own, integer(lowest), stop)
    begun = math.floor(piece.lead)
    done = outline.since("step", piece.shift - begun) if own is None else plus(own, begun)
    if span is None:
        return Course(Distance(done, _part(piece.lead % 1)), Distance("0"), Distance("0"))
    rest = span - piece.lead
    ahead = math.floor(rest)
    if own is None:
        left = f"{outline.step(piece.shift + ahead)} - step"
    else:
        left = f"{name if name is not None and ahead == steps else integer(ahead)} - {own}"
    length = number(span)
    if name is not None and steps is not None:
        length = name if span == steps else f"{name} - 1" if span == steps - 1 else length
    return Course(Distance(done, _part(piece.lead % 1)), Distance(left, _part(rest % 1)), Distance(length), steps=span)


def _part(part: Fraction) -> str:
    return f"+ {real(float(part))}" if part else ""


def written(
    prefix: str,
    curve: Curve,
    start: str,
    to: str,
    rises: bool,
    course: Course,
    language: Language,
    indent: int,
) -> list[str]:
    """The lines that work out a curve's formula: in one if they fit and read well, else with its steps above it."""
    span = course.span.whole if course.fixed else course.span.text(language)
    texts = {"done": course.done.text(language), "left": course.left.text(language), "span": span}
    named = formula(curve, start, to, rises, Way("done", "left", "span", course.steps), language)
    every = " ".join([named.whole, named.part, *(named.above or ())])
    long = [name for name, text in texts.items() if not _is_simple(text) and _uses(every, name)]
    if not named.above and not language.casts and all(_uses(every, name) == 1 for name in long):
        way = Way(atom(texts["done"]), atom(texts["left"]), atom(span), course.steps)
        inline = formula(curve, start, to, rises, way, language)
        line = f"{prefix}{inline.whole.format(inline.part)}"
        if len(line) <= WIDTH - indent:
            return [line]
    done, left, length = (name if name in long else atom(text) for name, text in texts.items())
    way = Way(done, left, length, course.steps)
    text = formula(curve, start, to, rises, way, language)
    lines = [line for name in long for line in statement(f"{name} = ", texts[name], indent)]
    if text.above is not None:
        lines += statement(f"{text.above[0]} = ", text.above[1], indent)
    line = f"{prefix}{text.whole.format(text.part)}"
    if len(line) <= WIDTH - indent:
        return [*lines, line]
    return [
        *lines,
        *statement(f"{text.name} = ", bare(text.part), indent),
        *statement(prefix, text.whole.format(text.name), indent),
    ]


def _is_simple(text: str) -> bool:
    return re.fullmatch(r"[\w.]+", text) is not None


def _uses(text: str, name: str) -> int:
    return len(re.findall(rf"\b{name}\b", text))
