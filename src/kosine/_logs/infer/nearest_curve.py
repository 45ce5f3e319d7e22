"""The single curve that comes nearest to a log which no schedule explains, and by how much it misses."""

from __future__ import annotations

from typing import NamedTuple

from kosine._logs.infer.curve_fits import FAMILIES
from kosine._logs.infer.segments import Observations


class NearestCurve(NamedTuple):
    """The curve that comes nearest to all rows.

    Attributes:
        name: of the curve.
        missed: how far the furthest row is off it, in half-widths.
    """

    name: str
    missed: float


def nearest_curve(rows: Observations) -> NearestCurve | None:
    """The curve whose furthest row is the least far off; None where none has finite rates."""
    found: list[NearestCurve] = []
    for kind in FAMILIES:
        arc = rows.fit(kind, 0, len(rows))
        missed = float("inf") if arc is None else float(rows.off(arc, 0, len(rows)).max())
        if missed < float("inf"):
            found.append(NearestCurve(kind.name, missed))
    return min(found, key=lambda each: each.missed, default=None)


def nearest_in_words(nearest: NearestCurve | None) -> str:
    """How far the nearest curve misses, as a sentence with a space before it."""
    if nearest is None:
        return ""
    return f" The nearest single curve, {nearest.name}, misses a row by {nearest.missed:,.3g} times its rounding."
