"""The targets whose program works out arrays of steps: the closed forms of `numpy`, `optax` and `keras`."""

from __future__ import annotations

from kosine._export.cycle_lookup import find, peak, rate, table_of
from kosine._export.formulas import Language
from kosine._export.outline import Bend, Level, Levels, Loop, Outline
from kosine._export.printing import WIDTH, array, assignment, check_integers, statement
from kosine._export.progress import course_of, written
from kosine.errors import PlanError

NUMPY = Language("np.", "np.pi", arrays=True)


JAX = Language("jnp.", "jnp.pi", arrays=True, single=True)


KERAS = Language("ops.", "pi", arrays=True, single=True, casts=True)


Written = tuple[list[str], list[str], str]
"""Constants, lines, and the value that they work out."""


_LARGEST_STEP = 2**31 - 1


_LARGEST_RATE = (2 - 2**-23) * 2.0**127


def _returned(lines: list[str]) -> list[str]:
    """The lines, with the last statement returned, which sets `rate`."""
    last = max(number for number, line in enumerate(lines) if line.startswith("rate = "))
    return [*lines[:last], lines[last].replace("rate = ", "return ", 1), *lines[last + 1 :]]


def _check_rates(outline: Outline, target: str) -> None:
    if outline.peak > _LARGEST_RATE:
        raise PlanError(
            f"Target {target!r} computes in float32, up to {_LARGEST_RATE:.4g}, and cannot express the rate "
            f"{outline.peak!r}. Use the target 'numpy', 'python' or 'torch'."
        )


def _check_steps(lines: list[str], outline: Outline, target: str, phase: str) -> None:
    check_integers([*lines, *outline.used_constants(lines)], _LARGEST_STEP, target, phase)


def body(outline: Outline, language: Language, target: str, indent: int) -> tuple[list[str], list[str]]:
    """The constants, and the lines that work out `rate` from the array `step`: phase after phase, each over the last.

    Raises:
        PlanError: a phase that the target cannot express.
    """
    tables: list[str] = []
    lines: list[str] = []
    loops = 0
    for number, piece in enumerate(outline.pieces):
        name = piece.name if isinstance(piece, Bend | Loop) else "hold"
        result = "rate" if not number else "cycled" if isinstance(piece, Loop) else name
        added: list[str] = []
        match piece:
            case Level() | Levels():
                added, block, value = _levels(piece, outline, language, sum("RATES" in line for line in tables))
                block += statement("rate = ", value, indent, name) if not number else []
            case Bend():
                value, block = result, _bend(piece, outline, language, result, indent)
            case Loop():
                value = result
                added, block = _loop(piece, outline, language, target, loops, result, indent)
                loops += 1
        if not number and isinstance(piece, Bend):
            block = _noted(block, name, indent)
        elif number and isinstance(piece, Loop):
            block = [f"# {name}", *block]
        if number:
            block += _from(outline.step(piece.first), value, "" if value == result else name, language, indent)
        if language.single:
            _check_steps([*added, *block], outline, target, f"{name} from step {piece.first:,} on")
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


def _from(first: str, value: str, note: str, language: Language, indent: int) -> list[str]:
    return statement("rate = ", language.call("where", f"step < {first}", "rate", value), indent, note)


def _levels(piece: Level | Levels, outline: Outline, language: Language, place: int) -> Written:
    if isinstance(piece, Level):
        return [], [], outline.value(piece.value)
    boundaries, rates, lines = table_of(piece, outline, place)
    kinds = ("int32", "float32") if language.single else ("int64", "float64")
    constants = array(boundaries, lines[0], kinds[0]) + array(rates, lines[1], kinds[1])
    above, index = language.search(boundaries, "step")
    return constants, above, language.call("take", rates, index)


def _bend(piece: Bend, outline: Outline, language: Language, result: str, indent: int) -> list[str]:
    course = course_of(piece, outline, language)
    start, to = outline.value(piece.start), outline.value(piece.to)
    return written(f"{result} = ", piece.curve, start, to, piece.rises, course, language, indent)


def _loop(
    loop: Loop, outline: Outline, language: Language, target: str, place: int, result: str, indent: int
) -> tuple[list[str], list[str]]:
    found = find(loop, outline, language, target, place)
    lines = [line for text in found.lines for line in assignment(text, indent)]
    if loop.shrinks and [beat.course for beat in found.beats] == [None]:
        return found.constants, [*lines, *peak(loop, outline, language, found.cycle, indent, f"{result} = ")]
    lines += peak(loop, outline, language, found.cycle, indent)
    for number, beat in enumerate(found.beats):
        start, to = (rate(loop, outline, language, value) for value in (beat.turn.start, beat.turn.to))
        block, value = [], to
        if beat.course is not None:
            value = beat.turn.name if number or beat.guarded else result
            block = written(f"{value} = ", beat.turn.curve, start, to, beat.turn.rises, beat.course, language, indent)
            if beat.guarded:
                is_last = f"{beat.course.left.whole} == 0"
                block += statement(f"{value} = ", language.call("where", is_last, to, value), indent)
        if number:
            until = found.beats[number - 1].until
            block += statement(f"{result} = ", language.call("where", until, result, value), indent)
        elif value != result:
            block += statement(f"{result} = ", value, indent)
        known = [line for line in lines if line.startswith("span = ")][-1:]
        block = [line for line in block if line not in known]
        lines += _noted(block, beat.turn.name, indent) if not number and len(found.beats) > 1 else block
    return found.constants, lines
