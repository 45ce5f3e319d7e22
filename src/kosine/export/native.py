"""What a framework's own schedules can express exactly, as text: the native programs of `torch`, `optax` and `keras`.

Each function gives the lines of a program, or None where no native schedule is right at every step of the run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kosine.export.outline import Bend, Level, Levels, Loop, Outline, Piece, Turn
from kosine.export.text import call, indented, integer, number, power, program, real
from kosine.shapes import Cosine, Exponential, InverseTime, Linear, Polynomial

_MOST_PIECES = 8  # joined schedules are all worked out at every step, and a program of them gets long
_RECURSION_STEPS = 100_000  # torch multiplies from step to step; so far it strays by less than 1e-12 of the peak
_FEW_PIECES = 4


@dataclass(frozen=True, slots=True)
class Native:
    """A program that needs no closed form."""

    imports: list[str]
    body: list[str]

    def text(self, outline: Outline) -> str:
        return program(outline.header, self.imports, outline.used_constants(self.body), self.body)


def _flat_pieces(outline: Outline, most: int) -> list[Level | Bend] | None:
    """The phases one by one, and the rate after them where the run goes on; None: there are cycles, or too many."""
    pieces: list[Level | Bend] = []
    for piece in outline.pieces:
        if isinstance(piece, Loop):
            return None
        pieces += piece.levels if isinstance(piece, Levels) else [piece]
    if outline.after is not None and (not pieces or _goes_on(outline, pieces[-1])):
        pieces.append(Level((pieces[-1].stop or 0) if pieces else 0, None, outline.after))
    return pieces if len(pieces) <= most else None


def _goes_on(outline: Outline, last: Piece) -> bool:
    """Whether the run has steps after the piece."""
    total = outline.plan.total_steps
    return last.stop is not None and (total is None or total > last.stop)


def _span(piece: Bend, outline: Outline) -> str:
    """How many steps the curve takes, by name where it has one."""
    assert piece.span is not None
    name = outline.spans.get(piece.first)
    return (
        name
        if name is not None and piece.stop is not None and piece.span == piece.stop - piece.first
        else number(piece.span)
    )


def _share(part: float, whole: float, outline: Outline) -> str:
    """A rate as a share of another."""
    return "0.0" if not part else "1.0" if part == whole else f"{outline.value(part)} / {outline.value(whole)}"


def _is_restart(loop: Loop, outline: Outline) -> bool:
    """Whether the group is seen from its first cycle on, step by step, to the end of the run, all in whole steps."""
    group = loop.group
    return (
        loop.whole
        and group.view.tick == 1
        and loop.first == group.boundary(0)
        and loop is outline.pieces[-1]
        and not _goes_on(outline, loop)
    )


# --- optax ------------------------------------------------------------------------------------------------------


def optax(outline: Outline) -> Native | None:
    """`optax.join_schedules` and what it joins."""
    restarts = _optax_restarts(outline)
    if restarts is not None:
        return Native(["import optax"], restarts)
    pieces = _flat_pieces(outline, _MOST_PIECES)
    if pieces is None:
        return None
    if len(pieces) == 2 and (lines := _optax_warmup_cosine(pieces[0], pieces[1], outline)):
        return Native(["import optax"], lines)
    schedules = []
    for piece in pieces:
        text = _optax_piece(piece, outline)
        if text is None:
            return None
        schedules.append(text)
    if len(schedules) == 1:
        return Native(["import optax"], call(f"schedule = {schedules[0][0]}(", schedules[0][1], 0))
    inner = [line for name, arguments in schedules for line in _item(call(f"{name}(", arguments, 8))]
    boundaries = ", ".join(outline.step(piece.first) for piece in pieces[1:])
    body = ["schedule = optax.join_schedules(", "    [", *indented(inner, 8), "    ],", f"    [{boundaries}],", ")"]
    return Native(["import optax"], body)


def _item(lines: list[str]) -> list[str]:
    return [*lines[:-1], f"{lines[-1]},"]


def _optax_piece(piece: Level | Bend, outline: Outline) -> tuple[str, list[str]] | None:
    if isinstance(piece, Level):
        return "optax.constant_schedule", [outline.value(piece.value)]
    start, to = outline.value(piece.start), outline.value(piece.to)
    if not piece.plain:
        return None
    match piece.curve:
        case Linear():
            return "optax.linear_schedule", [start, to, _span(piece, outline)]
        case Polynomial(warp=1.0) if 1 <= piece.curve.power <= 2:
            return "optax.polynomial_schedule", [start, to, number(piece.curve.power), _span(piece, outline)]
        case Cosine(warp=1.0) if not piece.rises and 1 <= piece.curve.power <= 2:
            arguments = [start, _span(piece, outline)]
            arguments += [f"alpha={_share(piece.to, piece.start, outline)}"] if piece.to else []
            arguments += [f"exponent={number(piece.curve.power)}"] if piece.curve.power != 1 else []
            return "optax.cosine_decay_schedule", arguments
        case Exponential(factor=None, base=None) if not piece.rises:
            return "optax.exponential_decay", [start, _span(piece, outline), _share(piece.to, piece.start, outline)]
    return None


def _optax_warmup_cosine(first: Level | Bend, second: Level | Bend, outline: Outline) -> list[str] | None:
    if not (
        isinstance(first, Bend)
        and isinstance(second, Bend)
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
    """Few cycles of a cosine, after phases of their own."""
    loop = outline.pieces[-1] if outline.pieces else None
    if not isinstance(loop, Loop) or not _is_restart(loop, outline) or len(outline.pieces) > 2 or loop.shrinks:
        return None
    total = outline.plan.total_steps
    warmup = loop.turns[0] if len(loop.turns) == 2 else None
    decay = loop.turns[-1]
    if total is None or not _is_cosine_cycle(warmup, decay) or len(loop.turns) > 2:
        return None
    cycles = loop.group.cycle_at(total - 1) + 1
    if cycles > _MOST_PIECES:
        return None
    equal = loop.stretch == 1
    growth = "" if equal else f" * {power(integer(int(loop.stretch)), 'cycle')}"
    entries = {
        "init_value": outline.value(decay.start if warmup is None else warmup.start),
        "peak_value": outline.value(decay.start),
        "warmup_steps": "0" if warmup is None else f"{integer(int(warmup.end))}{growth}",
        "decay_steps": f"{integer(int(loop.length))}{growth}",
        "end_value": outline.value(decay.to),
    }
    entry = ["{", *(f'    "{name}": {value},' for name, value in entries.items()), "}"]
    if equal:
        cosines = [f"optax.sgdr_schedule([cycle] * {cycles})"]
        above = [f"cycle = {entry[0]}", *entry[1:]]
    else:
        restarts = ["[", *indented([*entry, f"for cycle in range({cycles})"]), "]"]
        cosines = ["optax.sgdr_schedule(", *indented(restarts), ")"]
        above = []
    if len(outline.pieces) == 1:
        return [*above, f"schedule = {cosines[0]}", *cosines[1:]]
    first = outline.pieces[0]
    assert not isinstance(first, Loop)
    text = None if isinstance(first, Levels) else _optax_piece(first, outline)
    if text is None:
        return None
    boundary = outline.step(loop.first)
    return [
        *above,
        f"restarts = {cosines[0]}",
        *cosines[1:],
        *call(f"warmup = {text[0]}(", text[1], 0),
        f"schedule = optax.join_schedules([warmup, restarts], [{boundary}])",
    ]


def _is_cosine_cycle(warmup: Turn | None, decay: Turn) -> bool:
    cosine = isinstance(decay.curve, Cosine) and decay.curve.power == decay.curve.warp == 1
    plain = cosine and not decay.endpoint and decay.start > decay.to
    if warmup is None:
        return plain
    linear = isinstance(warmup.curve, Linear) and not warmup.endpoint
    return plain and linear and warmup.start < warmup.to == decay.start


# --- Keras ------------------------------------------------------------------------------------------------------


def keras(outline: Outline) -> Native | None:
    """One of `keras.optimizers.schedules`."""
    pieces = _flat_pieces(outline, 64)
    if not pieces:
        return None
    named: tuple[str, list[str]] | None = None
    if all(isinstance(piece, Level) for piece in pieces):
        named = _keras_levels([piece for piece in pieces if isinstance(piece, Level)], outline)
    elif len(pieces) == 1 and isinstance(pieces[0], Bend):
        named = _keras_piece(pieces[0], outline)
    elif len(pieces) <= 3 and isinstance(first := pieces[0], Bend) and isinstance(second := pieces[1], Bend):
        held = len(pieces) == 2 or (isinstance(last := pieces[2], Level) and last.value == second.to)
        named = _keras_warmup_cosine(first, second, outline) if held else None
    if named is None and len(pieces) == 2 and isinstance(first := pieces[0], Bend) and isinstance(pieces[1], Level):
        held = pieces[1].value == first.to and not isinstance(first.curve, Exponential | InverseTime)
        named = _keras_piece(first, outline) if held else None
    if named is None:
        return None
    return Native(["import keras"], call(f"schedule = keras.optimizers.schedules.{named[0]}(", named[1], 0))


def _keras_levels(levels: Sequence[Level], outline: Outline) -> tuple[str, list[str]]:
    """The value before a boundary is that of the steps up to it, itself included."""
    values = [outline.value(level.value) for level in levels]
    boundaries = [integer(level.first - 1) for level in levels[1:]]
    if not boundaries:  # a constant; Keras wants a boundary
        values, boundaries = values * 2, ["1"]
    lists = [
        "\n".join(call(f"{name}=[", texts, 4, "]")) for name, texts in (("boundaries", boundaries), ("values", values))
    ]
    return "PiecewiseConstantDecay", lists


def _keras_piece(piece: Bend, outline: Outline) -> tuple[str, list[str]] | None:
    start, to = outline.value(piece.start), outline.value(piece.to)
    if not piece.plain:
        return None
    match piece.curve:
        case Linear():
            return "PolynomialDecay", [start, _span(piece, outline), f"end_learning_rate={to}"]
        case Polynomial(warp=1.0) if 1 <= piece.curve.power <= 2:
            end, exponent = f"end_learning_rate={to}", f"power={real(piece.curve.power)}"
            return "PolynomialDecay", [start, _span(piece, outline), end, exponent]
        case Cosine(power=1.0, warp=1.0) if not piece.rises:
            alpha = [f"alpha={_share(piece.to, piece.start, outline)}"] if piece.to else []
            return "CosineDecay", [start, _span(piece, outline), *alpha]
        case Exponential(factor=None, base=None) if not piece.rises:
            return "ExponentialDecay", [start, _span(piece, outline), _share(piece.to, piece.start, outline)]
        case InverseTime() if piece.curve.timescale is not None:
            scale = piece.curve.timescale.amount
            assert scale is not None
            return "InverseTimeDecay", [start, f"decay_steps={number(scale)}", "decay_rate=1.0"]
    return None


def _keras_warmup_cosine(first: Bend, second: Bend, outline: Outline) -> tuple[str, list[str]] | None:
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


# --- torch ------------------------------------------------------------------------------------------------------


def torch(outline: Outline) -> tuple[list[str], list[str]] | None:
    """The names of `torch.optim.lr_scheduler` that are needed, and the lines that make a scheduler of `optimizer`."""
    if not outline.peak:
        return None
    if len(outline.pieces) == 1 and isinstance(loop := outline.pieces[0], Loop):
        named = _torch_loop(loop, outline)
        return None if named is None else ([named[0]], _returned(*named))
    levels = _flat_pieces(outline, 64)
    if levels is None:
        return None
    if len(levels) > 1 and all(isinstance(piece, Level) for piece in levels):
        named = _torch_steps([piece for piece in levels if isinstance(piece, Level)], outline)
        return None if named is None else ([named[0]], _returned(*named))
    return _torch_sequence(levels, outline)


def _returned(name: str, arguments: list[str]) -> list[str]:
    return call(f"return {name}(", ["optimizer", *arguments], 4)


def _torch_loop(loop: Loop, outline: Outline) -> tuple[str, list[str]] | None:
    part, turn = loop.group.part, loop.turns[0]
    if not _is_restart(loop, outline):
        return None
    if len(loop.turns) > 1:
        return _torch_wave(loop, outline)
    period = integer(int(loop.length))
    if turn.flat and loop.stretch == 1 and loop.shrinks and not part.shrink_to and not part.shrink_power:
        return ("StepLR", [f"step_size={period}", f"gamma={real(part.shrink)}"]) if part.shrink <= 0.999 else None
    if not loop.shrinks and _is_cosine_cycle(None, turn) and turn.start == outline.peak:
        growth = [f"T_mult={integer(int(loop.stretch))}"] if loop.stretch > 1 else []
        floor = [f"eta_min={outline.value(turn.to)}"] if turn.to else []
        return "CosineAnnealingWarmRestarts", [f"T_0={period}", *growth, *floor]
    return None


def _torch_wave(loop: Loop, outline: Outline) -> tuple[str, list[str]] | None:
    """Down and up again: what torch's cosine does after its end."""
    down, up = loop.turns[0], loop.turns[-1]
    total = outline.plan.total_steps
    if (
        len(loop.turns) != 2
        or not _is_cosine_cycle(None, down)
        or up.curve != down.curve
        or up.endpoint
        or (up.start, up.to) != (down.to, down.start)
        or 2 * down.end != up.end
        or down.start != outline.peak
        or loop.stretch != 1
        or loop.shrinks
        or total is None
        or total > _RECURSION_STEPS
    ):
        return None
    floor = [f"eta_min={outline.value(down.to)}"] if down.to else []
    return "CosineAnnealingLR", [f"T_max={integer(int(down.end))}", *floor]


def _torch_steps(levels: Sequence[Level], outline: Outline) -> tuple[str, list[str]] | None:
    first = levels[0].value
    gamma = levels[1].value / first if first else 0.0
    if not gamma or first != outline.peak:
        return None
    if any(not math.isclose(level.value, first * gamma**place, rel_tol=1e-14) for place, level in enumerate(levels)):
        return None
    milestones = ", ".join(integer(level.first) for level in levels[1:])
    return "MultiStepLR", [f"milestones=[{milestones}]", f"gamma={real(gamma)}"]


def _torch_sequence(pieces: Sequence[Level | Bend], outline: Outline) -> tuple[list[str], list[str]] | None:
    if not 1 <= len(pieces) <= _FEW_PIECES:
        return None
    schedulers = [_torch_piece(piece, outline, len(pieces) == 1) for piece in pieces]
    found = [scheduler for scheduler in schedulers if scheduler is not None]
    if len(found) < len(pieces):
        return None
    if len(found) == 1:
        return [found[0][0]], _returned(*found[0])
    inner = [line for name, arguments in found for line in _item(call(f"{name}(", ["optimizer", *arguments], 8))]
    milestones = ", ".join(outline.step(piece.first) for piece in pieces[1:])
    lines = ["schedulers = [", *indented(inner), "]"]
    lines.append(f"return SequentialLR(optimizer, schedulers, milestones=[{milestones}])")
    return sorted({"SequentialLR", *(name for name, _ in found)}), lines


def _torch_piece(piece: Level | Bend, outline: Outline, alone: bool) -> tuple[str, list[str]] | None:
    peak = outline.peak
    if isinstance(piece, Level):
        return ("ConstantLR", ["factor=1.0"]) if piece.value == peak else None
    if not piece.plain or piece.span is None:
        return _torch_exponential(piece, outline) if alone else None
    if piece.span > _RECURSION_STEPS:
        return None
    span = _span(piece, outline)
    match piece.curve:
        case Linear() if piece.start:
            start = [f"start_factor={_share(piece.start, peak, outline)}"]
            end = [] if piece.to == peak else [f"end_factor={_share(piece.to, peak, outline)}"]
            return "LinearLR", [*start, *end, f"total_iters={span}"]
        case Cosine(power=1.0, warp=1.0) if piece.start == peak and not piece.rises:
            floor = [f"eta_min={outline.value(piece.to)}"] if piece.to else []
            return "CosineAnnealingLR", [f"T_max={span}", *floor]
        case Polynomial(warp=1.0) if alone and piece.start == peak and not piece.to:
            return "PolynomialLR", [f"total_iters={span}", f"power={number(piece.curve.power)}"]
    return _torch_exponential(piece, outline) if alone else None


def _torch_exponential(piece: Bend, outline: Outline) -> tuple[str, list[str]] | None:
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
