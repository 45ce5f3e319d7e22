"""Programs for PyTorch."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kosine._core.code import integer, number, real
from kosine._core.curves.cosine import Cosine
from kosine._core.curves.exponential import Exponential
from kosine._core.curves.linear import Linear
from kosine._core.curves.polynomial import Polynomial
from kosine._export.native import (
    as_item,
    flat_pieces,
    is_cosine_cycle,
    is_restart,
    share_text,
    span_text,
)
from kosine._export.outline import ConstantPiece, CurvePiece, CyclesPiece, Outline
from kosine._export.printing import call, from_import, indented
from kosine._export.scalar_code import scalar_lines


def torch(outline: Outline) -> str:
    """A function that makes a scheduler: one of PyTorch's own, or `LambdaLR` with the closed form."""
    own = native_torch(outline)
    names, lines = own if own is not None else (["LambdaLR"], [])
    tables: list[str] = []
    body: list[str] = []
    if own is None:
        tables, body = scalar_lines(outline, "torch")
        ratio = "learning_rate(step) / PEAK" if outline.peak else "0.0"
        lines = [f"return LambdaLR(optimizer, lambda step: {ratio})"]
        body += ["", ""]
    lr = f" with lr={outline.value(outline.peak)}" if outline.peak else ""
    documentation = f'"""For an optimizer{lr}; call `step()` after each update."""'
    head = f"def make_scheduler(optimizer: Optimizer) -> {names[0] if len(names) == 1 else 'SequentialLR'}:"
    body += [head, *indented([documentation, *lines])]
    imports = ["from torch.optim import Optimizer", *from_import("torch.optim.lr_scheduler", names)]
    return outline.program(imports, tables, body)


_RECURSION_STEPS = 100_000  # torch multiplies from step to step; so far it strays by less than 1e-12 of the peak
_FEW_PIECES = 4


def native_torch(outline: Outline) -> tuple[list[str], list[str]] | None:
    """The names of `torch.optim.lr_scheduler` that are needed, and the lines that make a scheduler of `optimizer`."""
    if not outline.peak:
        return None
    if len(outline.pieces) == 1 and isinstance(cycles := outline.pieces[0], CyclesPiece):
        named = _torch_cycles(cycles, outline)
        return None if named is None else ([named[0]], _returned(*named))
    levels = flat_pieces(outline, 64)
    if levels is None:
        return None
    if len(levels) > 1 and all(isinstance(piece, ConstantPiece) for piece in levels):
        named = _torch_steps([piece for piece in levels if isinstance(piece, ConstantPiece)], outline)
        return None if named is None else ([named[0]], _returned(*named))
    return _torch_sequence(levels, outline)


def _returned(name: str, arguments: list[str]) -> list[str]:
    return call(f"return {name}(", ["optimizer", *arguments], 4)


def _torch_cycles(cycles: CyclesPiece, outline: Outline) -> tuple[str, list[str]] | None:
    part, phase = cycles.group.part, cycles.phases[0]
    if not is_restart(cycles, outline):
        return None
    if len(cycles.phases) > 1:
        return _torch_wave(cycles, outline)
    period = integer(int(cycles.length))
    if phase.flat and cycles.stretch == 1 and cycles.shrinks and not part.shrink_to and not part.shrink_power:
        return ("StepLR", [f"step_size={period}", f"gamma={real(part.shrink)}"]) if part.shrink <= 0.999 else None
    if not cycles.shrinks and is_cosine_cycle(None, phase) and phase.start == outline.peak:
        growth = [f"T_mult={integer(int(cycles.stretch))}"] if cycles.stretch > 1 else []
        floor = [f"eta_min={outline.value(phase.to)}"] if phase.to else []
        return "CosineAnnealingWarmRestarts", [f"T_0={period}", *growth, *floor]
    return None


def _torch_wave(cycles: CyclesPiece, outline: Outline) -> tuple[str, list[str]] | None:
    """Down and up again: what torch's cosine does after its end."""
    down, up = cycles.phases[0], cycles.phases[-1]
    total = outline.plan.total_steps
    if (
        len(cycles.phases) != 2
        or not is_cosine_cycle(None, down)
        or up.curve != down.curve
        or up.endpoint
        or (up.start, up.to) != (down.to, down.start)
        or 2 * down.end != up.end
        or down.start != outline.peak
        or cycles.stretch != 1
        or cycles.shrinks
        or total is None
        or total > _RECURSION_STEPS
    ):
        return None
    floor = [f"eta_min={outline.value(down.to)}"] if down.to else []
    return "CosineAnnealingLR", [f"T_max={integer(int(down.end))}", *floor]


def _torch_steps(levels: Sequence[ConstantPiece], outline: Outline) -> tuple[str, list[str]] | None:
    first = levels[0].value
    gamma = levels[1].value / first if first else 0.0
    if not gamma or first != outline.peak:
        return None
    if any(not math.isclose(level.value, first * gamma**place, rel_tol=1e-14) for place, level in enumerate(levels)):
        return None
    milestones = ", ".join(integer(level.first) for level in levels[1:])
    return "MultiStepLR", [f"milestones=[{milestones}]", f"gamma={real(gamma)}"]


def _torch_sequence(
    pieces: Sequence[ConstantPiece | CurvePiece], outline: Outline
) -> tuple[list[str], list[str]] | None:
    if not 1 <= len(pieces) <= _FEW_PIECES:
        return None
    schedulers = [_torch_piece(piece, outline, len(pieces) == 1) for piece in pieces]
    found = [scheduler for scheduler in schedulers if scheduler is not None]
    if len(found) < len(pieces):
        return None
    if len(found) == 1:
        return [found[0][0]], _returned(*found[0])
    inner = [line for name, arguments in found for line in as_item(call(f"{name}(", ["optimizer", *arguments], 8))]
    milestones = ", ".join(outline.step(piece.first) for piece in pieces[1:])
    lines = ["schedulers = [", *indented(inner), "]"]
    lines.append(f"return SequentialLR(optimizer, schedulers, milestones=[{milestones}])")
    return sorted({"SequentialLR", *(name for name, _ in found)}), lines


def _torch_piece(piece: ConstantPiece | CurvePiece, outline: Outline, alone: bool) -> tuple[str, list[str]] | None:
    peak = outline.peak
    if isinstance(piece, ConstantPiece):
        return ("ConstantLR", ["factor=1.0"]) if piece.value == peak else None
    if not piece.plain or piece.span is None:
        return _torch_exponential(piece) if alone else None
    if piece.span > _RECURSION_STEPS:
        return None
    span = span_text(piece, outline)
    match piece.curve:
        case Linear() if piece.start:
            start = [f"start_factor={share_text(piece.start, peak, outline)}"]
            end = [] if piece.to == peak else [f"end_factor={share_text(piece.to, peak, outline)}"]
            return "LinearLR", [*start, *end, f"total_iters={span}"]
        case Cosine(power=1.0, warp=1.0) if piece.start == peak and not piece.rises:
            floor = [f"eta_min={outline.value(piece.to)}"] if piece.to else []
            return "CosineAnnealingLR", [f"T_max={span}", *floor]
        case Polynomial(warp=1.0) if alone and piece.start == peak and not piece.to:
            return "PolynomialLR", [f"total_iters={span}", f"power={number(piece.curve.power)}"]
    return _torch_exponential(piece) if alone else None


def _torch_exponential(piece: CurvePiece) -> tuple[str, list[str]] | None:
    curve = piece.curve
    if not (
        isinstance(curve, Exponential)
        and curve.factor is not None
        and curve.factor <= 0.999
        and (curve.timescale is None or curve.timescale.amount == 1)
        and not piece.lead
        and piece.shift == piece.first == 0
    ):
        return None
    gamma = f"gamma={real(curve.factor)}"
    return ("ExponentialLR", [gamma]) if piece.tick == 1 else ("StepLR", [f"step_size={integer(piece.tick)}", gamma])
