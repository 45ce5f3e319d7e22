"""Programs for NumPy."""

from __future__ import annotations

from kosine._export.array_code import array_lines
from kosine._export.languages import NUMPY
from kosine._export.outline import CurvePiece, CyclesPiece, Outline
from kosine._export.printing import indented


def numpy(outline: Outline) -> str:
    """A function of one step or an array of them."""
    constants, lines = array_lines(outline, NUMPY, "numpy", 4)
    curves = [piece.curve for piece in outline.pieces if isinstance(piece, CurvePiece)]
    curves += [phase.curve for piece in outline.pieces if isinstance(piece, CyclesPiece) for phase in piece.phases]
    ignores = ['@np.errstate(divide="ignore")  # log(0) is -inf: nothing is done yet']
    text = [
        *(ignores if any(curve.meets_logarithm_of_0 for curve in curves) else []),
        "def learning_rate(step):",
        *indented(["step = np.asarray(step)", *lines, "return rate[()]"]),
    ]
    return outline.program([], constants, text)
