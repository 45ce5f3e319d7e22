"""In which steps of a run two plans can differ, found from their phases without evaluating a step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import NamedTuple, TypeVar

from kosine._core.curve import Clock
from kosine._core.evaluate import form_of
from kosine._core.timeline import PlannedPart, PlannedPhase

Planned = TypeVar("Planned", bound=PlannedPart)
_shape = attrgetter("kind", "ratio", "origin", "takes")


class Interval(NamedTuple):
    """Steps in one phase of either plan: each rate only rises or only falls there, so its ends are its extremes."""

    first: int
    last: int
    monotone: bool
    """Whether the difference, too, only rises or only falls."""


def overlaps(
    ours: Iterable[Planned], theirs: Iterable[Planned], first: int, stop: int
) -> Iterator[tuple[int, int, Planned, Planned]]:
    """The steps from `first` to before `stop`, cut where a part of either begins: first step, stop, and both parts."""
    mine, other = iter(ours), iter(theirs)
    here, there = next(mine), next(other)
    while first < stop:
        while here.stop <= first:
            here = next(mine)
        while there.stop <= first:
            there = next(other)
        end = min(here.stop, there.stop, stop)
        yield first, end, here, there
        first = end


def monotone_difference(ours: PlannedPhase, theirs: PlannedPhase, first: int) -> bool:
    """Whether the difference of two phases only rises or only falls.

    It does where one rises and the other falls, and where both are the same curve between other values: with the
    weight w of the curve it is (top - top') w + (bottom - bottom') (1 - w), which is linear in w.
    """
    mine, other = ours.clock, theirs.clock
    if _direction(mine) * _direction(other) <= 0:  # or one of them holds its value
        return True
    if (ours.curve, ours.endpoint, ours.pace(first)) != (theirs.curve, theirs.endpoint, theirs.pace(first)):
        return False
    return bool(_shape(form_of(ours.curve, mine)) == _shape(form_of(theirs.curve, other)))


def _direction(clock: Clock) -> int:
    return (clock.to > clock.start) - (clock.to < clock.start)
