"""Fewer segments: those whose rows their neighbours can explain are merged into them.

A segment that was followed as far as its curve goes may have taken rows of the next one. Rates printed with few digits
make a curve look level for some rows. Both leave short segments that belong to no phase.
"""

from __future__ import annotations

from kosine._logs.infer.curve_fits import CURVED, HOLD
from kosine._logs.infer.segments import Observations, Segment

_FEW = 8  # rows: a longer segment of a level rate is a phase


def merged(rows: Observations, found: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """The segments without those whose rows their neighbours can explain."""
    index = 0
    while len(found) > 1 and index < len(found):
        without = _without(rows, found, index)
        found, index = (found, index + 1) if without is None else (without, max(index - 2, 0))
    return found


def _without(rows: Observations, found: tuple[Segment, ...], index: int) -> tuple[Segment, ...] | None:
    """The segments without one, whose rows the one before or after can explain, or both together; None if not."""
    gone = found[index]
    for place in (index - 1, index + 1):
        if 0 <= place < len(found):
            low, high = min(place, index), max(place, index)
            if HOLD in (gone.arc.kind, found[place].arc.kind) and gone.stop - gone.first > _FEW:
                continue
            arc = rows.through(found[place].arc.kind, found[low].first, found[high].stop)
            if arc is not None:
                return *found[:low], Segment(found[low].first, found[high].stop, arc), *found[high + 1 :]
    if 0 < index < len(found) - 1 and gone.stop - gone.first <= _FEW:
        before, after = found[index - 1], found[index + 1]
        for cut in range(gone.first + 1, gone.stop):
            left = rows.through(before.arc.kind, before.first, cut)
            right = rows.through(after.arc.kind, cut, after.stop)
            if left is not None and right is not None:
                whole = Segment(before.first, cut, left), Segment(cut, after.stop, right)
                return *found[: index - 1], *whole, *found[index + 2 :]
    if gone.arc.kind in CURVED and index < len(found) - 1 and gone.stop - gone.first <= _FEW:
        after = found[index + 1]
        for cut in range(gone.first + 1, gone.stop) if after.arc.kind.begins else ():
            level, right = rows.through(HOLD, gone.first, cut), rows.through(after.arc.kind, cut, after.stop)
            if level is not None and right is not None:
                return (
                    *found[:index],
                    Segment(gone.first, cut, level),
                    Segment(cut, after.stop, right),
                    *found[index + 2 :],
                )
    return None
