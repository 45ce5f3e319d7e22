"""What the targets `torch`, `optax` and `keras` share where a plan is written with the framework's own schedules."""

from __future__ import annotations

from kosine._core.code import number
from kosine._core.curves.cosine import Cosine
from kosine._core.curves.linear import Linear
from kosine._export.array_code import check_steps
from kosine._export.outline import ConstantPiece, CurvePiece, CyclePhase, CyclesPiece, Outline, ProgramPiece, TablePiece


def native_program(outline: Outline, library: str, body: list[str]) -> str:
    """The program of a schedule that a library has itself, one that counts steps in 32 bits."""
    check_steps(body, outline, library, "the schedule")
    return outline.program([f"import {library}"], [], body)


def flat_pieces(outline: Outline, most: int) -> list[ConstantPiece | CurvePiece] | None:
    """The phases one by one, and the rate after them where the run goes on; None: there are cycles, or too many."""
    pieces: list[ConstantPiece | CurvePiece] = []
    for piece in outline.pieces:
        if isinstance(piece, CyclesPiece):
            return None
        pieces += piece.constants if isinstance(piece, TablePiece) else [piece]
    if outline.after is not None and (not pieces or _goes_on(outline, pieces[-1])):
        pieces.append(ConstantPiece((pieces[-1].stop or 0) if pieces else 0, None, outline.after))
    return pieces if len(pieces) <= most else None


def _goes_on(outline: Outline, last: ProgramPiece) -> bool:
    """Whether the run has steps after the piece."""
    total = outline.plan.total_steps
    return last.stop is not None and (total is None or total > last.stop)


def span_text(piece: CurvePiece, outline: Outline) -> str:
    """How many steps the curve takes, by name where it has one."""
    assert piece.span is not None
    name = outline.spans.get(piece.first)
    return (
        name
        if name is not None and piece.stop is not None and piece.span == piece.stop - piece.first
        else number(piece.span)
    )


def share_text(part: float, whole: float, outline: Outline) -> str:
    """A rate as a share of another."""
    return "0.0" if not part else "1.0" if part == whole else f"{outline.value(part)} / {outline.value(whole)}"


def is_restart(cycles: CyclesPiece, outline: Outline) -> bool:
    """Whether the group is seen from its first cycle on, step by step, to the end of the run, all in whole steps."""
    group = cycles.group
    return (
        cycles.whole
        and group.tick == 1
        and cycles.first == group.boundary(0)
        and cycles is outline.pieces[-1]
        and not _goes_on(outline, cycles)
    )


def as_item(lines: list[str]) -> list[str]:
    return [*lines[:-1], f"{lines[-1]},"]


def is_cosine_cycle(warmup: CyclePhase | None, decay: CyclePhase) -> bool:
    cosine = isinstance(decay.curve, Cosine) and decay.curve.power == decay.curve.warp == 1
    plain = cosine and not decay.endpoint and decay.start > decay.to
    if warmup is None:
        return plain
    linear = isinstance(warmup.curve, Linear) and not warmup.endpoint
    return plain and linear and warmup.start < warmup.to == decay.start
