"""The targets whose program works out one step at a time in Python: `python`, and the closed form of `torch`."""

from __future__ import annotations

from kosine._export.cycle_lookup import find, peak, rate, table_of
from kosine._export.formulas import Language
from kosine._export.outline import Bend, Level, Levels, Loop, Outline
from kosine._export.printing import call, indented
from kosine._export.progress import course_of, written

_LANGUAGE = Language()


def function(outline: Outline, target: str) -> tuple[list[str], list[str]]:
    """The tables and the lines of `learning_rate(step)`."""
    tables: list[str] = []
    lines: list[str] = []
    loops = 0
    for piece in outline.pieces:
        inside = 4 if piece.stop is None else 8
        match piece:
            case Level():
                block = [f"return {outline.value(piece.value)}"]
            case Levels():
                added, block = _table(piece, outline, sum("RATES" in line for line in tables))
                tables += added
            case Bend():
                block = _bend(piece, outline, inside)
            case Loop():
                added, block = _loop(piece, outline, target, loops, inside)
                tables += added
                loops += 1
        name = piece.name if isinstance(piece, Bend | Loop) else "hold"
        if piece.stop is None:
            lines += [f"# {name}", *block] if len(outline.pieces) > 1 else block
        else:
            lines += [f"if step < {outline.step(piece.stop)}:  # {name}", *indented(block)]
    if not outline.pieces or outline.pieces[-1].stop is not None:
        assert outline.after is not None
        lines.append(f"return {outline.value(outline.after)}")
    body = ["def learning_rate(step: int) -> float:", *indented(lines)]
    return tables, body


def _table(piece: Levels, outline: Outline, place: int) -> tuple[list[str], list[str]]:
    boundaries, rates, lines = table_of(piece, outline, place)
    constants = [*call(f"{boundaries} = [", lines[0], 0, "]"), *call(f"{rates} = [", lines[1], 0, "]")]
    return constants, [f"return {rates}[bisect_right({boundaries}, step)]"]


def _bend(piece: Bend, outline: Outline, indent: int) -> list[str]:
    course = course_of(piece, outline, _LANGUAGE)
    start, to = outline.value(piece.start), outline.value(piece.to)
    return written("return ", piece.curve, start, to, piece.rises, course, _LANGUAGE, indent)


def _loop(loop: Loop, outline: Outline, target: str, place: int, indent: int) -> tuple[list[str], list[str]]:
    found = find(loop, outline, _LANGUAGE, target, place)
    if loop.shrinks and [beat.course for beat in found.beats] == [None]:
        return found.constants, [*found.lines, *peak(loop, outline, _LANGUAGE, found.cycle, indent, "return ")]
    lines = [*found.lines, *peak(loop, outline, _LANGUAGE, found.cycle, indent)]
    for number, beat in enumerate(found.beats):
        last = number == len(found.beats) - 1
        start, to = (rate(loop, outline, _LANGUAGE, value) for value in (beat.turn.start, beat.turn.to))
        if beat.course is None:
            block = [f"return {to}"]
        else:
            deeper = indent if last else indent + 4
            block = written("return ", beat.turn.curve, start, to, beat.turn.rises, beat.course, _LANGUAGE, deeper)
            if beat.guarded:
                block = [f"if {beat.course.left.whole} == 0:", f"    return {to}", *block]
        lines += block if last else [f"if {beat.until}:  # {beat.turn.name}", *indented(block)]
    return found.constants, lines
