"""Numbers, lines and whole programs as text, laid out as `ruff format` leaves them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from kosine._core.code import atom, closes_at_its_end
from kosine.errors import PlanError

WIDTH = 88
"""The longest line of a program: ruff's and black's own default."""

_MATH = ("ceil", "exp", "expm1", "floor", "log", "log1p", "pi", "sin", "sqrt")
_STANDARD = {
    "math": "import math",
    "bisect_right": "from bisect import bisect_right",
    "Fraction": "from fractions import Fraction",
}
_LONGEST_COMMENT = 600


def bare(text: str) -> str:
    """The text without parentheses around all of it."""
    return text[1:-1] if text.startswith("(") and closes_at_its_end(text) else text


def statement(prefix: str, expression: str, indent: int, comment: str = "") -> list[str]:
    """`prefix expression  # comment`; an expression that is too long gets parentheses and separate lines."""
    line, room = f"{prefix}{expression}", WIDTH - indent
    note = f"  # {comment}" if comment else ""
    if len(line + note) <= room:
        return [line + note]
    above = [f"# {comment}"] if comment else []
    if len(line) <= room:
        return [*above, line]
    if atom(expression) == expression and expression.endswith(")"):  # a call is opened, not put in parentheses
        function, _, arguments = expression[:-1].partition("(")
        return [*above, f"{prefix}{function}(", *indented(_arguments(arguments, room - 4)), ")"]
    inner = [expression] if len(expression) <= room - 4 else _split(expression)
    return [*above, f"{prefix}(", *indented(inner), ")"]


def _arguments(arguments: str, room: int) -> list[str]:
    """The arguments of a call, on one line or with one a line."""
    if len(arguments) <= room:
        return [arguments]
    places = _outside(arguments, r",(?= )")
    starts = [0, *(place + 2 for place in places)]
    return [f"{arguments[start:stop]}," for start, stop in zip(starts, [*places, None], strict=True)]


def assignment(line: str, indent: int) -> list[str]:
    """A line `name = expression`, in parentheses if it is too long."""
    name, _, expression = line.partition(" = ")
    return statement(f"{name} = ", expression, indent)


def _split(expression: str) -> list[str]:
    """The operands of the loosest operators outside parentheses, each on a line."""
    for operators in (r" (?=(if|else) )", r" (?=[+-] )", r" (?=[*/] )"):
        places = _outside(expression, operators)
        if places:
            starts = [0, *(place + 1 for place in places)]
            return [expression[start:stop] for start, stop in zip(starts, [*places, None], strict=True)]
    return [expression]


def _outside(expression: str, pattern: str) -> list[int]:
    """Where a pattern begins outside all parentheses."""
    depths, depth = [], 0
    for character in expression:
        depth += (character in "([") - (character in ")]")
        depths.append(depth)
    return [match.start() for match in re.finditer(pattern, expression) if not depths[match.start()]]


def call(prefix: str, arguments: Sequence[str], indent: int, suffix: str = ")") -> list[str]:
    """A call or a list on one line, or with one argument a line if it is too long."""
    line = f"{prefix}{', '.join(arguments)}{suffix}"
    if len(line) <= WIDTH - indent and "\n" not in line:
        return [line]
    inner = [f"    {line}" for argument in arguments for line in f"{argument},".split("\n")]
    return [prefix, *inner, suffix]


def array(name: str, items: Sequence[str], kind: str) -> list[str]:
    """A constant that is an array of NumPy."""
    line = f'{name} = np.array([{", ".join(items)}], "{kind}")'
    if len(line) <= WIDTH:
        return [line]
    inner = [f"{line}," for line in ("\n".join(call("[", items, 4, "]")), f'"{kind}"')]
    return [f"{name} = np.array(", *indented("\n".join(inner).split("\n")), ")"]


def from_import(module: str, names: Sequence[str]) -> list[str]:
    """An import of some names, on one line or with one name a line."""
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= WIDTH:
        return [line]
    return ["\n".join([f"from {module} import (", *(f"    {name}," for name in names), ")"])]


def indented(lines: Iterable[str], by: int = 4) -> list[str]:
    return [" " * by + line if line else line for line in lines]


def comment(schedule: str, total_steps: int | None) -> list[str]:
    """The comment that describes a program. Any text stays a comment."""
    plain = "".join(character if character.isprintable() else " " for character in schedule)
    plain = plain.encode("ascii", "backslashreplace").decode()
    if len(plain) > _LONGEST_COMMENT:
        plain = plain[: _LONGEST_COMMENT - 3] + "..."
    length = "for ever"
    if total_steps is not None:
        length = f"over {int.__format__(total_steps, ',')} step{'s' if total_steps > 1 else ''}"
    lines = [f"The learning rate of this schedule {length}, counted from 0:"]
    lines += textwrap.wrap(plain, WIDTH - 2, break_on_hyphens=False)
    return [f"# {line}" for line in lines]


def program(head: Sequence[str], imports: Sequence[str], constants: Sequence[str], body: Sequence[str]) -> str:
    """A module: the comment, the imports, the constants, the functions.

    What the standard library and NumPy must give is found in the text; `imports` are the others.
    """
    text = _code([*constants, *body])
    standard = [line for name, line in _STANDARD.items() if re.search(rf"(?<![\w.]){name}\b", text)]
    functions = [name for name in _MATH if re.search(rf"(?<![\w.]){name}\b", text)]
    standard += [f"from math import {', '.join(functions)}"] if functions else []
    if re.search(r"(?<![\w.])np\.", text):
        imports = [*imports, "import numpy as np"]
    blocks = [head, sorted(standard, key=_import_order), sorted(imports, key=_import_order), constants]
    upper = "\n\n".join("\n".join(block) for block in blocks if block)
    gap = "\n\n\n" if body[0].startswith(("def ", "class ", "@")) else "\n\n"
    return f"{upper}{gap}" + "\n".join(body) + "\n"


def _import_order(line: str) -> tuple[bool, str]:
    """As isort has it: plain imports first, then by module."""
    return line.startswith("from "), line.split()[1]


def _code(lines: Iterable[str]) -> str:
    """The lines without their comments and strings; no string of a program holds a `#`."""
    return "\n".join(re.sub(r'"[^"]*"', '""', line.split("#")[0]) for line in lines)


def check_integers(lines: Iterable[str], largest: int, target: str, phase: str) -> None:
    """Raise where a program for 32-bit steps would hold a longer integer.

    Raises:
        PlanError: an integer that is too long.
    """
    text = re.sub(r"Fraction\([^)]*\)", "", _code(lines))  # those are Python's own
    for digits in re.findall(r"(?<![\w.])[0-9][0-9_]*(?![\w.])", text):
        if int(digits) > largest:
            raise PlanError(
                f"Target {target!r} counts steps in 32 bits, up to {largest:,}, and cannot express {phase}, "
                f"whose closed form needs the integer {int(digits):,}.",
                fix="Use the target 'numpy', 'python' or 'torch'.",
            )
