"""Curves that began unseen: timm's cycles run under its warm-up, so that the log enters them late.

The rows after the warm-up are a log of their own, which begins in the middle of a run. Its schedule is a section that
is entered late, and the phases before it are those of the first rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kosine._core.groups import Cycles, Part, section
from kosine._logs.infer.curve_fits import Arc
from kosine._logs.infer.draft import Draft
from kosine._logs.infer.rounding import roundest
from kosine._logs.infer.run_context import DurationText
from kosine._logs.infer.segments import Observations, Segment

_UNSEEN = 0.5  # steps: a curve that begins so shortly before its first row is seen from its beginning
_MOST_STEPS = 10_000  # between two rows, of which each may be the end of the warm-up
_MEETS = 1e-6  # of the peak: a warm-up that comes as near as this reaches it

Open = tuple[str, float, float, str]
"""What a log leaves open: what, the lowest and the highest place, and the beginning of a sentence."""


@dataclass(frozen=True)
class Late:
    """A segment whose curve began before its rows, while others were seen.

    Attributes:
        index: its number.
        left: the position of the last row before it.
        right: the position of its first row.
    """

    index: int
    left: float
    right: float

    def hides(self, begin: float, before: Arc, after: Arc, width: float) -> bool:
        """Whether a curve began unseen: before the last row of the segment before, or before that one comes up to it.

        Args:
            begin: where the curve began.
            before: the curve of the segment before.
            after: the curve itself.
            width: how far both may be off there.
        """
        if begin < self.left - _UNSEEN:
            return True
        short, top = (float(arc.predict(np.array([begin]))[0]) for arc in (before, after))
        return begin < self.right - _UNSEEN and short < top - width

    def joint(self, before: Segment, peak: float, width: float) -> float:
        """Where the curve is entered: where the one before reaches the peak, else the roundest step."""
        steps = np.arange(self.left + 1, min(self.right, self.left + _MOST_STEPS) + 1)
        apart = np.abs(before.arc.predict(steps) - peak)
        nearest = int(np.argmin(apart))
        return (
            float(steps[nearest])
            if apart[nearest] <= max(_MEETS * peak, width)
            else roundest(self.left + 1, self.right)
        )

    def open(self, before: Segment, after: Segment) -> tuple[Open, ...]:
        """What the log leaves open of the joint."""
        return open_joint(before.arc.kind.name, after.arc.kind.name, self.left, self.right)


def late_from(rows: Observations, found: Sequence[Segment], index: int) -> Late:
    """The segment of this number, if its curve began before its rows."""
    first = found[index].first
    return Late(index, float(rows.x[first - 1]), float(rows.x[first]))


def late_parts(parts: Sequence[Part], steps: float, duration: DurationText) -> tuple[Part, ...]:
    """The parts without their first steps."""
    return (section(*parts, skip=duration(round(steps))),) if round(steps) > 0 else tuple(parts)


def open_joint(before: str, after: str, left: float, right: float) -> tuple[Open, ...]:
    """Between which steps a curve gives way to the next at a jump; nothing where rows stand on both sides."""
    if right - left <= 1:
        return ()
    return ((f"{before} to {after}", left + 1, right, f"The {before} may give way to the {after} at any step"),)


def open_before(group: Sequence[Part], draft: Draft, rows: Observations) -> tuple[Open, ...]:
    """What is open of the jumps between the phases before the cycles of a group, and into them."""
    alone = next((number for number, part in enumerate(group) if isinstance(part, Cycles)), 0)
    found: list[Open] = []
    for index in range(1, min(alone + 1, len(draft.kinds))):
        if not draft.joined[index - 1]:
            at = int(np.clip(np.searchsorted(rows.x, draft.bounds[index]), 1, len(rows) - 1))
            left, right = float(rows.x[at - 1]), float(rows.x[at])
            found += open_joint(draft.kinds[index - 1].name, draft.kinds[index].name, left, right)
    return tuple(found)
