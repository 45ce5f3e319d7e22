"""The targets whose program works out arrays of steps: the closed forms of `numpy`, `optax` and `keras`."""

from __future__ import annotations

from kosine._export.cycle_lookup import find_cycle, peak, rate, table_of
from kosine._export.languages import TargetLanguage
from kosine._export.outline import ConstantPiece, CurvePiece, CyclesPiece, Outline, TablePiece
from kosine._export.printing import WIDTH, array, assignment, check_integers, statement
from kosine._export.progress import formula_lines, progress_of
from kosine.errors import PlanError

Written = tuple[list[str], list[str], str]
"""Constants, lines, and the value that they work out."""


_LARGEST_STEP = 2**31 - 1


_LARGEST_RATE = (2 - 2**-23) * 2.0**127


# A phase covers those before it from its first step on: `rate = where(step < first, rate, this)`. So no phase needs to
# know its end, and the program has one line a phase however many there are.


def with_return(lines: list[str]) -> list[str]:
    """The lines, with the last statement returned, which sets `rate`."""
    last = max(number for number, line in enumerate(lines) if line.startswith("rate = "))
    return [*lines[:last], lines[last].replace("rate = ", "return ", 1), *lines[last + 1 :]]


def check_rates(outline: Outline, target: str) -> None:
    if outline.peak > _LARGEST_RATE:
        raise PlanError(
            f"Target {target!r} computes in float32, up to {_LARGEST_RATE:.4g}, and cannot express the rate "
            f"{outline.peak!r}.",
            fix="Use the target 'numpy', 'python' or 'torch'.",
        )


def check_steps(lines: list[str], outline: Outline, target: str, phase: str) -> None:
    check_integers([*lines, *outline.used_constants(lines)], _LARGEST_STEP, target, phase)


def array_lines(outline: Outline, language: TargetLanguage, target: str, indent: int) -> tuple[list[str], list[str]]:
    """The constants, and the lines that work out `rate` from the array `step`: phase after phase, each over the last.

    Raises:
        PlanError: a phase that the target cannot express.
    """
    tables: list[str] = []
    lines: list[str] = []
    groups = 0
    for number, piece in enumerate(outline.pieces):
        result = "rate" if not number else "cycled" if isinstance(piece, CyclesPiece) else piece.name
        added: list[str] = []
        match piece:
            case ConstantPiece() | TablePiece():
                added, block, value = _constants(piece, outline, language, sum("RATES" in line for line in tables))
                block += statement("rate = ", value, indent, piece.name) if not number else []
            case CurvePiece():
                value, block = result, _curve(piece, outline, language, result, indent)
            case CyclesPiece():
                value = result
                added, block = _cycles(piece, outline, language, target, groups, result, indent)
                groups += 1
        if not number and isinstance(piece, CurvePiece):
            block = _noted(block, piece.name, indent)
        elif number and isinstance(piece, CyclesPiece):
            block = [f"# {piece.name}", *block]
        if number:
            block += _from(outline.step(piece.first), value, "" if value == result else piece.name, language, indent)
        if language.single:
            check_steps([*added, *block], outline, target, f"{piece.name} from step {piece.first:,} on")
        tables += added
        lines += block
    last = outline.pieces[-1] if outline.pieces else None
    if last is None:
        return [], statement(
            "rate = ", language.call("full", "step.shape", outline.value(outline.after or 0.0)), indent
        )
    if last.stop is not None:
        lines += _from(outline.step(last.stop), outline.value(outline.after or 0.0), "", language, indent)
    return tables, lines


def _noted(lines: list[str], note: str, indent: int) -> list[str]:
    """The lines with a comment: behind the only one if it fits there."""
    fits = len(lines) == 1 and len(f"{lines[0]}  # {note}") <= WIDTH - indent
    return [f"{lines[0]}  # {note}"] if fits else [f"# {note}", *lines]


def _from(first: str, value: str, note: str, language: TargetLanguage, indent: int) -> list[str]:
    return statement("rate = ", language.where(f"step < {first}", "rate", value), indent, note)


def _constants(piece: ConstantPiece | TablePiece, outline: Outline, language: TargetLanguage, place: int) -> Written:
    if isinstance(piece, ConstantPiece):
        return [], [], outline.value(piece.value)
    boundaries, rates, lines = table_of(piece, outline, place)
    kinds = ("int32", "float32") if language.single else ("int64", "float64")
    constants = array(boundaries, lines[0], kinds[0]) + array(rates, lines[1], kinds[1])
    above, index = language.search(boundaries, "step")
    return constants, above, language.call("take", rates, index)


def _curve(piece: CurvePiece, outline: Outline, language: TargetLanguage, result: str, indent: int) -> list[str]:
    progress = progress_of(piece, outline, language)
    start, to = outline.value(piece.start), outline.value(piece.to)
    return formula_lines(f"{result} = ", piece, (start, to), progress, language, indent)


def _cycles(
    cycles: CyclesPiece, outline: Outline, language: TargetLanguage, target: str, place: int, result: str, indent: int
) -> tuple[list[str], list[str]]:
    lookup = find_cycle(cycles, outline, language, target, place)
    lines = [line for text in lookup.lines for line in assignment(text, indent)]
    if cycles.shrinks and [branch.progress for branch in lookup.branches] == [None]:
        return lookup.constants, [*lines, *peak(cycles, outline, language, lookup.cycle, indent, f"{result} = ")]
    lines += peak(cycles, outline, language, lookup.cycle, indent)
    for number, branch in enumerate(lookup.branches):
        start, to = (rate(cycles, outline, language, value) for value in (branch.phase.start, branch.phase.to))
        block, value = [], to
        if branch.progress is not None:
            value = branch.phase.name if number or branch.guarded else result
            block = formula_lines(f"{value} = ", branch.phase, (start, to), branch.progress, language, indent)
            if branch.guarded:
                is_last = f"{branch.progress.left.whole} == 0"
                block += statement(f"{value} = ", language.where(is_last, to, value), indent)
        if number:
            until = lookup.branches[number - 1].until
            block += statement(f"{result} = ", language.where(until, result, value), indent)
        elif value != result:
            block += statement(f"{result} = ", value, indent)
        # Phases of one cycle may need the same span: it is worked out once.
        known = [line for line in lines if line.startswith("span = ")][-1:]
        block = [line for line in block if line not in known]
        lines += _noted(block, branch.phase.name, indent) if not number and len(lookup.branches) > 1 else block
    return lookup.constants, lines
