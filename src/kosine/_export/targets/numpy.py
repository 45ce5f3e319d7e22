"""Programs for NumPy."""

from __future__ import annotations

from kosine._export.array_code import NUMPY, body
from kosine._export.formulas import meets_logarithm_of_0
from kosine._export.outline import Bend, Loop, Outline
from kosine._export.printing import indented, program


def numpy(outline: Outline) -> str:
    """A function of one step or an array of them."""
    constants, lines = body(outline, NUMPY, "numpy", 4)
    curves = [piece.curve for piece in outline.pieces if isinstance(piece, Bend)]
    curves += [turn.curve for piece in outline.pieces if isinstance(piece, Loop) for turn in piece.turns]
    ignores = ['@np.errstate(divide="ignore")  # log(0) is -inf: nothing is done yet']
    text = [
        *(ignores if any(map(meets_logarithm_of_0, curves)) else []),
        "def learning_rate(step):",
        *indented(["step = np.asarray(step)", *lines, "return rate[()]"]),
    ]
    return program(
        outline.header, ["import numpy as np"], outline.used_constants([*constants, *text]) + constants, text
    )


def _numpy_steps(constants: list[str]) -> list[str]:
    return ["import numpy as np"] if any("np." in line for line in constants) else []
