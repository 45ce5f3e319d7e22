"""Programs for NumPy."""

from __future__ import annotations

from kosine._export.array_code import array_lines
from kosine._export.languages import NUMPY
from kosine._export.outline import Outline
from kosine._export.printing import indented


def numpy(outline: Outline) -> str:
    """A function of one step or an array of them."""
    constants, lines = array_lines(outline, NUMPY, "numpy", 4)
    text = ["def learning_rate(step):", *indented(['step = np.asarray(step, "int64")', *lines, "return rate[()]"])]
    return outline.program([], constants, text)
