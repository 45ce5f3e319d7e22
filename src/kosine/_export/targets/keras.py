"""Programs for Keras."""

from __future__ import annotations

from collections.abc import Sequence

from kosine._core.code import integer, number, real
from kosine._core.curves.cosine import Cosine
from kosine._core.curves.exponential import Exponential
from kosine._core.curves.inverse import InverseTime
from kosine._core.curves.linear import Linear
from kosine._core.curves.polynomial import Polynomial
from kosine._export.array_code import array_lines, check_rates, with_return
from kosine._export.languages import KERAS
from kosine._export.native import flat_pieces, native_program, share_text, span_text
from kosine._export.outline import ConstantPiece, CurvePiece, Outline
from kosine._export.printing import call, indented


def keras(outline: Outline) -> str:
    """A schedule: one of Keras' own, or a class that is registered, so that an optimizer that has it can be saved."""
    check_rates(outline, "keras")
    own = native_keras(outline)
    if own is not None:
        return native_program(outline, "keras", own)
    constants, lines = array_lines(outline, KERAS, "keras", 8)
    inner = ["def __call__(self, step):", *indented(['step = ops.cast(step, "int32")', *with_return(lines)])]
    inner += ["", "def get_config(self):", "    return {}"]
    text = [
        '@keras.saving.register_keras_serializable("learning_rate")',
        "class LearningRate(keras.optimizers.schedules.LearningRateSchedule):",
        *indented(inner),
        "",
        "",
        "schedule = LearningRate()",
    ]
    return outline.program(["import keras", "from keras import ops"], constants, text)


def native_keras(outline: Outline) -> list[str] | None:
    """One of `keras.optimizers.schedules`."""
    pieces = flat_pieces(outline, 64)
    if not pieces:
        return None
    named: tuple[str, list[str]] | None = None
    if all(isinstance(piece, ConstantPiece) for piece in pieces):
        named = _keras_levels([piece for piece in pieces if isinstance(piece, ConstantPiece)], outline)
    elif len(pieces) == 1 and isinstance(pieces[0], CurvePiece):
        named = _keras_piece(pieces[0], outline)
    elif (
        len(pieces) <= 3 and isinstance(first := pieces[0], CurvePiece) and isinstance(second := pieces[1], CurvePiece)
    ):
        held = len(pieces) == 2 or (isinstance(last := pieces[2], ConstantPiece) and last.value == second.to)
        named = _keras_warmup_cosine(first, second, outline) if held else None
    if (
        named is None
        and len(pieces) == 2
        and isinstance(first := pieces[0], CurvePiece)
        and isinstance(pieces[1], ConstantPiece)
    ):
        held = pieces[1].value == first.to and not isinstance(first.curve, Exponential | InverseTime)
        named = _keras_piece(first, outline) if held else None
    if named is None:
        return None
    return call(f"schedule = keras.optimizers.schedules.{named[0]}(", named[1], 0)


def _keras_levels(levels: Sequence[ConstantPiece], outline: Outline) -> tuple[str, list[str]]:
    """The value before a boundary is that of the steps up to it, itself included."""
    values = [outline.value(level.value) for level in levels]
    boundaries = [integer(level.first - 1) for level in levels[1:]]
    if not boundaries:  # a constant; Keras needs a boundary
        values, boundaries = values * 2, ["1"]
    lists = [
        "\n".join(call(f"{name}=[", texts, 4, "]")) for name, texts in (("boundaries", boundaries), ("values", values))
    ]
    return "PiecewiseConstantDecay", lists


def _keras_piece(piece: CurvePiece, outline: Outline) -> tuple[str, list[str]] | None:
    start, to = outline.value(piece.start), outline.value(piece.to)
    if not piece.plain:
        return None
    match piece.curve:
        case Linear():
            return "PolynomialDecay", [start, span_text(piece, outline), f"end_learning_rate={to}"]
        case Polynomial(warp=1.0) if 1 <= piece.curve.power <= 2:
            end, exponent = f"end_learning_rate={to}", f"power={real(piece.curve.power)}"
            return "PolynomialDecay", [start, span_text(piece, outline), end, exponent]
        case Cosine(power=1.0, warp=1.0) if not piece.rises:
            alpha = [f"alpha={share_text(piece.to, piece.start, outline)}"] if piece.to else []
            return "CosineDecay", [start, span_text(piece, outline), *alpha]
        case Exponential(factor=None, base=None) if not piece.rises:
            return "ExponentialDecay", [start, span_text(piece, outline), share_text(piece.to, piece.start, outline)]
        case InverseTime() if piece.curve.timescale is not None:
            scale = piece.curve.timescale.amount
            assert scale is not None
            return "InverseTimeDecay", [start, f"decay_steps={number(scale)}", "decay_rate=1.0"]
    return None


def _keras_warmup_cosine(first: CurvePiece, second: CurvePiece, outline: Outline) -> tuple[str, list[str]] | None:
    decay = _keras_piece(second, outline)
    if not (
        decay is not None
        and decay[0] == "CosineDecay"
        and isinstance(first.curve, Linear)
        and first.plain
        and first.to == second.start
        and first.span == second.first
    ):
        return None
    arguments = [
        f"initial_learning_rate={outline.value(first.start)}",
        f"decay_steps={decay[1][1]}",
        *decay[1][2:],
        f"warmup_target={outline.value(first.to)}",
        f"warmup_steps={outline.step(second.first)}",
    ]
    return "CosineDecay", arguments
