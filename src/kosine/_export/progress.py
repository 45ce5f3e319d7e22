"""How far a curve has come, and its formula, as lines of a program."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from kosine._core.code import Formula, Operands, atom, integer, number, plus, real
from kosine._export.languages import TargetLanguage
from kosine._export.outline import CurvePiece, CyclePhase, Outline
from kosine._export.printing import WIDTH, bare, statement


@dataclass(frozen=True, slots=True)
class StepCount:
    """A number of steps as text: an integer expression, and a part of a step that is added to it."""

    whole: str
    part: str = ""

    def text(self, language: TargetLanguage) -> str:
        whole = language.cast(self.whole) if language.casts else self.whole
        return f"{whole} {self.part}" if self.part else whole


@dataclass(frozen=True, slots=True)
class Progress:
    """Steps done, steps left, and of how many; `fixed` where the last is a plain number or a name."""

    done: StepCount
    left: StepCount
    span: StepCount
    fixed: bool = True
    steps: Fraction | None = None
    """What `span` is, where that is known."""


def progress_of(piece: CurvePiece, outline: Outline, language: TargetLanguage) -> Progress:
    """How far a phase has come at `step`."""
    name, span = outline.spans.get(piece.first), piece.span
    steps = None if piece.stop is None or name is None else piece.stop - piece.first  # what `name` stands for
    # In an array every formula is worked out at every step of the run, and chosen from afterwards. Outside its phase a
    # curve may take the root of a negative number, so there its steps are held at the phase's ends.
    clip = language.arrays and not piece.curve.is_smooth
    lowest, beyond = piece.limits
    if piece.tick == 1 and not clip:
        own = None
    else:
        own = outline.since("step", piece.shift)
        own = own if piece.tick == 1 else f"{atom(own)} // {integer(piece.tick)}"
        if clip and beyond is None:
            own = language.call("maximum", own, integer(lowest))
        elif clip and beyond is not None:
            if span is not None and not piece.curve.keeps_pace:
                beyond = min(beyond, math.floor(span - piece.lead))
            stop = name if name is not None and beyond == steps else integer(beyond)
            own = language.call("clip", own, integer(lowest), stop)
    begun = math.floor(piece.lead)
    done = outline.since("step", piece.shift - begun) if own is None else plus(own, begun)
    if span is None:
        return Progress(StepCount(done, _part(piece.lead % 1)), StepCount("0"), StepCount("0"))
    rest = span - piece.lead
    ahead = math.floor(rest)
    # What is left is an integer less the step, never the span less what is done: so it is exact near the end.
    if own is None:
        left = f"{outline.step(piece.shift + ahead)} - step"
    else:
        left = f"{name if name is not None and ahead == steps else integer(ahead)} - {own}"
    length = number(span)
    if name is not None and steps is not None:
        length = name if span == steps else f"{name} - 1" if span == steps - 1 else length
    return Progress(
        StepCount(done, _part(piece.lead % 1)), StepCount(left, _part(rest % 1)), StepCount(length), steps=span
    )


def _part(part: Fraction) -> str:
    return f"+ {real(float(part))}" if part else ""


def formula_lines(
    prefix: str,
    phase: CurvePiece | CyclePhase,
    rates: tuple[str, str],
    progress: Progress,
    language: TargetLanguage,
    indent: int,
) -> list[str]:
    """The lines that work out a curve's formula: in one if they fit and read well, else with its steps above it.

    Args:
        prefix: the text before the formula, such as "return ".
        phase: the curve and whether it rises.
        rates: the two rates that it goes from and to, one operand each.
        progress: how far it has come.
        language: what the program is written in.
        indent: how far the lines will be indented.
    """

    def code(done: str, left: str, span: str) -> Formula:
        return phase.curve.code(Operands(*rates, phase.rises, done, left, span, progress.steps), language)

    span = progress.span.whole if progress.fixed else progress.span.text(language)
    texts = {"done": progress.done.text(language), "left": progress.left.text(language), "span": span}
    # Written with the bare names first, to see how often the formula uses each.
    named = code("done", "left", "span")
    every = " ".join([named.whole, named.part, *(named.above or ())])
    long = [name for name, text in texts.items() if not _is_simple(text) and _uses(every, name)]
    if not named.above and not language.casts and all(_uses(every, name) == 1 for name in long):
        inline = code(atom(texts["done"]), atom(texts["left"]), atom(span))
        line = f"{prefix}{inline.whole.format(inline.part)}"
        if len(line) <= WIDTH - indent:
            return [line]
    text = code(*(name if name in long else atom(text) for name, text in texts.items()))
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
