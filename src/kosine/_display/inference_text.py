"""An inference as text."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from kosine._core.plain_text import aligned
from kosine._logs.infer.report import place_text

if TYPE_CHECKING:
    from kosine._logs.infer.result import Inference

_WIDTH = 78  # characters of a line


def inference_text(inference: Inference) -> str:
    """The sentence, and a table of what it rests on."""
    trace = inference.trace
    lines = [
        ["rows", f"{len(trace):,}, {trace.axis} {place_text(trace.positions[0])} to {place_text(trace.positions[-1])}"]
    ]
    lines.append(["printed to", str(trace.precision)])
    if inference.plan is not None:
        lines.append(["largest residual", f"{inference.residual:.3g}"])
        lines.append(["offset", f"{inference.offset:+d}" if inference.offset else "0"])
    if inference.skips:
        lines.append(["skipped steps", f"{sum(count for _, count in inference.skips):,}"])
    table = aligned(lines, left=(0, 1))
    opens = [line for each in inference.open for line in textwrap.wrap(f"open: {each.text}", _WIDTH)]
    if inference.plan is None:
        shape = [["curve", "first", "last", "from", "to"]]
        shape += [
            [
                piece.curve,
                f"{place_text(piece.first)}",
                f"{place_text(piece.last)}",
                f"{piece.first_rate:.6g}",
                f"{piece.last_rate:.6g}",
            ]
            for piece in inference.pieces[:24]
        ]
        table += ["", *aligned(shape)]
    return "\n".join([*textwrap.wrap(inference.sentence, _WIDTH), "", *table, *opens])
