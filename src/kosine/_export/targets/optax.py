"""Programs for Optax."""

from __future__ import annotations

from kosine._core.code import integer, number, power
from kosine._core.curves.cosine import Cosine
from kosine._core.curves.exponential import Exponential
from kosine._core.curves.linear import Linear
from kosine._core.curves.polynomial import Polynomial
from kosine._export.array_code import array_lines, check_rates, with_return
from kosine._export.languages import JAX
from kosine._export.native import (
    as_item,
    flat_pieces,
    is_cosine_cycle,
    is_restart,
    native_program,
    share_text,
    span_text,
)
from kosine._export.outline import ConstantPiece, CurvePiece, CyclesPiece, Outline, TablePiece
from kosine._export.printing import call, indented


def optax(outline: Outline) -> str:
    """A schedule: one of optax's own, or a function of the count of updates."""
    check_rates(outline, "optax")
    own = native_optax(outline)
    if own is not None:
        return native_program(outline, "optax", own)
    constants, lines = array_lines(outline, JAX, "optax", 4)
    text = ["def schedule(count):", *indented(['step = jnp.asarray(count, "int32")', *with_return(lines)])]
    return outline.program(["import jax.numpy as jnp"], constants, text)


_MOST_PIECES = 8  # joined schedules are all worked out at every step, and a program of them gets long


def native_optax(outline: Outline) -> list[str] | None:
    """`optax.join_schedules` and what it joins."""
    restarts = _optax_restarts(outline)
    if restarts is not None:
        return restarts
    pieces = flat_pieces(outline, _MOST_PIECES)
    if pieces is None:
        return None
    if len(pieces) == 2 and (lines := _optax_warmup_cosine(pieces[0], pieces[1], outline)):
        return lines
    schedules = []
    for piece in pieces:
        text = _optax_piece(piece, outline)
        if text is None:
            return None
        schedules.append(text)
    if len(schedules) == 1:
        return call(f"schedule = {schedules[0][0]}(", schedules[0][1], 0)
    inner = [line for name, arguments in schedules for line in as_item(call(f"{name}(", arguments, 8))]
    boundaries = ", ".join(outline.step(piece.first) for piece in pieces[1:])
    return ["schedule = optax.join_schedules(", "    [", *indented(inner, 8), "    ],", f"    [{boundaries}],", ")"]


def _optax_piece(piece: ConstantPiece | CurvePiece, outline: Outline) -> tuple[str, list[str]] | None:
    if isinstance(piece, ConstantPiece):
        return "optax.constant_schedule", [outline.value(piece.value)]
    start, to = outline.value(piece.start), outline.value(piece.to)
    if not piece.plain:
        return None
    match piece.curve:
        case Linear():
            return "optax.linear_schedule", [start, to, span_text(piece, outline)]
        case Polynomial(warp=1.0) if 1 <= piece.curve.power <= 2:
            return "optax.polynomial_schedule", [start, to, number(piece.curve.power), span_text(piece, outline)]
        case Cosine(warp=1.0) if not piece.rises and 1 <= piece.curve.power <= 2:
            arguments = [start, span_text(piece, outline)]
            arguments += [f"alpha={share_text(piece.to, piece.start, outline)}"] if piece.to else []
            arguments += [f"exponent={number(piece.curve.power)}"] if piece.curve.power != 1 else []
            return "optax.cosine_decay_schedule", arguments
        case Exponential(factor=None, base=None) if not piece.rises:
            return "optax.exponential_decay", [
                start,
                span_text(piece, outline),
                share_text(piece.to, piece.start, outline),
            ]
    return None


def _optax_warmup_cosine(
    first: ConstantPiece | CurvePiece, second: ConstantPiece | CurvePiece, outline: Outline
) -> list[str] | None:
    if not (
        isinstance(first, CurvePiece)
        and isinstance(second, CurvePiece)
        and first.plain
        and second.plain
        and isinstance(first.curve, Linear)
        and isinstance(second.curve, Cosine)
        and second.curve.warp == 1
        and 1 <= second.curve.power <= 2
        and first.rises
        and first.to == second.start > second.to
        and first.span == second.first
        and second.span is not None
    ):
        return None
    end = int(second.first + second.span)
    arguments = [
        f"init_value={outline.value(first.start)}",
        f"peak_value={outline.value(first.to)}",
        f"warmup_steps={outline.step(second.first)}",
        f"decay_steps={outline.step(end)}",
    ]
    arguments += [f"end_value={outline.value(second.to)}"] if second.to else []
    arguments += [f"exponent={number(second.curve.power)}"] if second.curve.power != 1 else []
    return call("schedule = optax.warmup_cosine_decay_schedule(", arguments, 0)


def _optax_restarts(outline: Outline) -> list[str] | None:
    """A few cycles of a cosine, after other phases."""
    cycles = outline.pieces[-1] if outline.pieces else None
    if (
        not isinstance(cycles, CyclesPiece)
        or not is_restart(cycles, outline)
        or len(outline.pieces) > 2
        or cycles.shrinks
    ):
        return None
    total = outline.plan.total_steps
    warmup = cycles.phases[0] if len(cycles.phases) == 2 else None
    decay = cycles.phases[-1]
    if total is None or not is_cosine_cycle(warmup, decay) or len(cycles.phases) > 2:
        return None
    count = cycles.group.cycle_at(total - 1) + 1
    if count > _MOST_PIECES:
        return None
    equal = cycles.stretch == 1
    growth = "" if equal else f" * {power(integer(int(cycles.stretch)), 'cycle')}"
    entries = {
        "init_value": outline.value(decay.start if warmup is None else warmup.start),
        "peak_value": outline.value(decay.start),
        "warmup_steps": "0" if warmup is None else f"{integer(int(warmup.end))}{growth}",
        "decay_steps": f"{integer(int(cycles.length))}{growth}",
        "end_value": outline.value(decay.to),
    }
    entry = ["{", *(f'    "{name}": {value},' for name, value in entries.items()), "}"]
    if equal:
        cosines = [f"optax.sgdr_schedule([cycle] * {count})"]
        above = [f"cycle = {entry[0]}", *entry[1:]]
    else:
        restarts = ["[", *indented([*entry, f"for cycle in range({count})"]), "]"]
        cosines = ["optax.sgdr_schedule(", *indented(restarts), ")"]
        above = []
    if len(outline.pieces) == 1:
        return [*above, f"schedule = {cosines[0]}", *cosines[1:]]
    first = outline.pieces[0]
    assert not isinstance(first, CyclesPiece)
    text = None if isinstance(first, TablePiece) else _optax_piece(first, outline)
    if text is None:
        return None
    boundary = outline.step(cycles.first)
    return [
        *above,
        f"restarts = {cosines[0]}",
        *cosines[1:],
        *call(f"warmup = {text[0]}(", text[1], 0),
        f"schedule = optax.join_schedules([warmup, restarts], [{boundary}])",
    ]
