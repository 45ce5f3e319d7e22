"""The targets whose program works out one step at a time in Python: `python`, and the closed form of `torch`."""

from __future__ import annotations

from kosine._export.cycle_lookup import find_cycle, peak, rate, table_of
from kosine._export.languages import PYTHON
from kosine._export.outline import ConstantPiece, CurvePiece, CyclesPiece, Outline, TablePiece
from kosine._export.printing import call, indented
from kosine._export.progress import formula_lines, progress_of


def scalar_lines(outline: Outline, target: str) -> tuple[list[str], list[str]]:
    """The tables and the lines of `learning_rate(step)`."""
    tables: list[str] = []
    lines: list[str] = []
    groups = 0
    for piece in outline.pieces:
        inside = 4 if piece.stop is None else 8
        match piece:
            case ConstantPiece():
                block = [f"return {outline.value(piece.value)}"]
            case TablePiece():
                added, block = _table(piece, outline, sum("RATES" in line for line in tables))
                tables += added
            case CurvePiece():
                block = _curve(piece, outline, inside)
            case CyclesPiece():
                added, block = _cycles(piece, outline, target, groups, inside)
                tables += added
                groups += 1
        if piece.stop is None:
            lines += [f"# {piece.name}", *block] if len(outline.pieces) > 1 else block
        else:
            lines += [f"if step < {outline.step(piece.stop)}:  # {piece.name}", *indented(block)]
    if not outline.pieces or outline.pieces[-1].stop is not None:
        assert outline.after is not None
        lines.append(f"return {outline.value(outline.after)}")
    body = ["def learning_rate(step: int) -> float:", *indented(lines)]
    return tables, body


def _table(piece: TablePiece, outline: Outline, place: int) -> tuple[list[str], list[str]]:
    boundaries, rates, lines = table_of(piece, outline, place)
    constants = [*call(f"{boundaries} = [", lines[0], 0, "]"), *call(f"{rates} = [", lines[1], 0, "]")]
    return constants, [f"return {rates}[bisect_right({boundaries}, step)]"]


def _curve(piece: CurvePiece, outline: Outline, indent: int) -> list[str]:
    progress = progress_of(piece, outline, PYTHON)
    start, to = outline.value(piece.start), outline.value(piece.to)
    return formula_lines("return ", piece, (start, to), progress, PYTHON, indent)


def _cycles(cycles: CyclesPiece, outline: Outline, target: str, place: int, indent: int) -> tuple[list[str], list[str]]:
    lookup = find_cycle(cycles, outline, PYTHON, target, place)
    if cycles.shrinks and [branch.progress for branch in lookup.branches] == [None]:
        return lookup.constants, [*lookup.lines, *peak(cycles, outline, PYTHON, lookup.cycle, indent, "return ")]
    lines = [*lookup.lines, *peak(cycles, outline, PYTHON, lookup.cycle, indent)]
    for number, branch in enumerate(lookup.branches):
        last = number == len(lookup.branches) - 1
        start, to = (rate(cycles, outline, PYTHON, value) for value in (branch.phase.start, branch.phase.to))
        if branch.progress is None:
            block = [f"return {to}"]
        else:
            deeper = indent if last else indent + 4
            block = formula_lines("return ", branch.phase, (start, to), branch.progress, PYTHON, deeper)
            if branch.guarded:
                block = [f"if {branch.progress.left.whole} == 0:", f"    return {to}", *block]
        lines += block if last else [f"if {branch.until}:  # {branch.phase.name}", *indented(block)]
    return lookup.constants, lines
