"""Which stretches of a run two plans can differ in, by what their phases are, without a look at a step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from kosine._core.curve import Clock
from kosine._core.evaluate import form_of
from kosine._core.timeline import Block, Group, PlannedPhase


class Stretch(NamedTuple):
    """Steps that stand in one phase of either plan, so that both rates only rise or only fall there."""

    first: int
    last: int
    one_way: bool
    """Whether the difference, too, only rises or only falls."""


def overlaps(
    ours: Sequence[Block], theirs: Sequence[Block], first: int, stop: int
) -> Iterator[tuple[int, int, Block, Block]]:
    """The steps that two lists of blocks share, one block of either at a time."""
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


def same(ours: Block, theirs: Block, first: int) -> bool:
    """Whether two blocks show the same curve by the same clock from the step `first` on, and so the same rates."""
    if isinstance(ours, Group) or isinstance(theirs, Group):
        return isinstance(ours, Group) and isinstance(theirs, Group) and _cycles_of(ours) == _cycles_of(theirs)
    mine, other = ours.clock, theirs.clock
    if mine.start == mine.to or other.start == other.to:
        return mine.start == mine.to == other.start == other.to
    if (ours.curve, ours.endpoint, mine.start, mine.to) != (theirs.curve, theirs.endpoint, other.start, other.to):
        return False
    return _pace(ours, mine, first) == _pace(theirs, other, first)


def _cycles_of(group: Group) -> tuple[object, ...]:
    """What the rates of a group follow from, whatever its end."""
    part, view = replace(group.part, count=None), group.view
    return part, group.origin, group.values, group.offsets, group.continuous, view._replace(stop=None)


def period(block: Block) -> int | None:
    """After how many steps the rates of a block repeat; None: never."""
    if isinstance(block, Group):
        return block.repeats[1] if block.repeats else None
    return 1 if block.clock.start == block.clock.to else None


def rows(block: Block, first: int, stop: int) -> Iterator[PlannedPhase]:
    if not isinstance(block, Group):
        yield block
        return
    for cycle in range(block.cycle_at(first), block.cycle_at(stop - 1) + 1):
        for phase in range(len(block.part.phases)):
            row = block.row(cycle, phase)
            if row.steps:
                yield row


def row_count(block: Block, first: int, stop: int) -> int:
    """How many rows `rows` gives at most."""
    if not isinstance(block, Group):
        return 0
    return (block.cycle_at(stop - 1) - block.cycle_at(first) + 1) * len(block.part.phases)


def one_way(ours: PlannedPhase, theirs: PlannedPhase, first: int) -> bool:
    """Whether the difference of two phases only rises or only falls.

    It does where one rises and the other falls, and where both are the same curve between other values: with the
    weight w of the curve it is (top - top') w + (bottom - bottom') (1 - w), which is linear in w.
    """
    mine, other = ours.clock, theirs.clock
    if _direction(mine) * _direction(other) <= 0:
        return True
    if (ours.curve, ours.endpoint) != (theirs.curve, theirs.endpoint) or _pace(ours, mine, first) != _pace(
        theirs, other, first
    ):
        return False
    form, their_form = form_of(ours.curve, mine), form_of(theirs.curve, other)
    return (form.kind, form.ratio, form.origin, form.takes) == (
        their_form.kind,
        their_form.ratio,
        their_form.origin,
        their_form.takes,
    )


def _direction(clock: Clock) -> int:
    return (clock.to > clock.start) - (clock.to < clock.start)


def _pace(row: PlannedPhase, clock: Clock, first: int) -> tuple[object, ...]:
    """How the curve of a phase goes on from the step `first`, whatever its values."""
    clock = clock.later(first - row.first_step) if first > row.first_step else clock
    return clock.span, clock.lead, clock.tick, clock.cut
