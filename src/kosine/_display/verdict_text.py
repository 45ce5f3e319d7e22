"""A verdict as text."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from kosine._core.plain_text import aligned, printable
from kosine._logs.check.wording import difference_text, factor_text, jump_text, number, offset_text, place

if TYPE_CHECKING:
    from kosine._logs.check.verdict import Point, Verdict
    from kosine._logs.trace import Trace

_WIDTH = 80  # columns


_LISTED = 4  # skips and jumps


def verdict_text(verdict: Verdict) -> str:
    """The sentence, a small table, and the remarks."""
    trace = verdict.trace
    rows = [["rows compared", f"{verdict.compared:,}"], ["different rates", f"{verdict.different:,}"]]
    rows.append(["positions", _span(trace)])
    rows += [["rows that are off", f"{verdict.off:,}"]] if verdict.off else []
    rows += [["precision", str(trace.precision)], ["offset", offset_text(verdict.offset, verdict.averaged)]]
    if verdict.factor != 1:
        rows.append(["factor", factor_text(verdict.factor)])
    rows += _listed("skipped steps", [f"{count:,} by {place(trace, at)}" for at, count in verdict.skips])
    rows += _listed("jumps", [jump_text(trace, jump) for jump in verdict.jumps])
    if verdict.odd:
        rows += _listed("odd rows", [_point(trace, point) for point in verdict.odd])
    else:
        rows += _differences(verdict)
    lines = [*textwrap.wrap(printable(verdict.sentence), _WIDTH), "", *aligned(rows, left=(0, 1))]
    remarks = [line for remark in verdict.remarks for line in textwrap.wrap(printable(remark), _WIDTH)]
    return "\n".join([*lines, *([""] if remarks else []), *remarks])


def _differences(verdict: Verdict) -> list[list[str]]:
    """The first and the largest difference, or how small the largest is."""
    trace, largest = verdict.trace, verdict.largest
    if verdict.first:
        return [
            ["first difference", _point(trace, verdict.first)],
            ["largest difference", _point(trace, largest)],
        ]
    apart = abs(largest.expected - largest.found)
    if not apart:
        return [["differences", "none"]]
    where = f"{apart:.2g} at {place(trace, largest.position)}, within {largest.half_width:.2g}"
    return [["largest difference", where]]


def _span(trace: Trace) -> str:
    return f"{place(trace, trace.positions[0])} to {number(trace.positions[-1])}"


def _point(trace: Trace, point: Point) -> str:
    step = "" if trace.axis == "step" and point.position == point.step else f" (step {point.step:,} of the plan)"
    rates = difference_text(point.expected, point.found, 8)
    return f"{place(trace, point.position)}{step}: {rates}, within {point.half_width:.2g}"


def _listed(name: str, lines: list[str]) -> list[list[str]]:
    """A line for each of a few, and how many more there are."""
    shown = lines if len(lines) <= _LISTED else [*lines[: _LISTED - 1], f"and {len(lines) - _LISTED + 1:,} more"]
    return [[name if i == 0 else "", line] for i, line in enumerate(shown)]
