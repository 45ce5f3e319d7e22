"""Programs for plain Python."""

from __future__ import annotations

from kosine._export.outline import Outline
from kosine._export.scalar_code import scalar_lines


def python(outline: Outline) -> str:
    """A function of one step."""
    tables, body = scalar_lines(outline, "python")
    return outline.program([], tables, body)
