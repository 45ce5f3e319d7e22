"""A plan under examination: what several checks ask of it, worked out once, and never for each cycle or step."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from kosine._analysis.lint.wording import alternatives, counted
from kosine._core.curve import Curve
from kosine._core.durations import Duration, Units
from kosine._core.groups import Cycles, Part, Section, lasts_for_ever, phases_of
from kosine._core.numbers import MAX_STEPS, decimal
from kosine._core.phase import Phase
from kosine._core.run import RunSize
from kosine._core.schedule import Plan
from kosine._core.timeline import Block, Group, PlannedPhase

NEARLY = 100
"""A decay that lacks less than this part counts as done, and a jump by less than this part of the peak as none."""


DEAD = 1e-9
"""Below this part of the highest rate a rate is practically 0."""


_MOST_CYCLES = 64  # cycles that are looked through for a rate above 0


_MOST_ZEROS = 10_000  # phases at 0 in a row that are looked through


class Piece(NamedTuple):
    """A phase that begins in the run; of a group only those of the first cycle that is seen."""

    first_lr: float
    end_lr: float
    block: Block
    number: int = 0
    """Which phase of the cycle it is, in a group."""

    @property
    def moves(self) -> bool:
        return self.first_lr != self.end_lr

    @property
    def falls(self) -> bool:
        return self.end_lr < self.first_lr

    @property
    def rises(self) -> bool:
        return self.end_lr > self.first_lr

    @property
    def curve(self) -> Curve:
        return self.block.part.phases[self.number].curve if isinstance(self.block, Group) else self.block.curve

    @property
    def row(self) -> PlannedPhase:
        return first_row(self.block, self.number)


class Case:
    """A plan and what is asked of it."""

    def __init__(self, plan: Plan, longest_warmup: float) -> None:
        self.plan = plan
        self.longest_warmup = longest_warmup
        self.total = plan.total_steps
        self.per_epoch = plan.run.steps_per_epoch
        self._shows_nothing: dict[tuple[int, float], bool] = {}  # by the identity of a group, and the limit

    # --- single steps, found without the table that a plan makes for all of them ---

    def row_at(self, step: int) -> PlannedPhase:
        """The phase that `step` belongs to."""
        block = self.block_at(step)
        return block.row_at(step) if isinstance(block, Group) else block

    def block_at(self, step: int) -> Block:
        blocks = self.plan.blocks
        number = bisect_right(blocks, step, key=lambda block: block.first_step) - 1
        return self.plan.after if number < 0 or step >= blocks[number].stop else blocks[number]

    def rate_at(self, step: int) -> float:
        return self.row_at(step).value_at(step)

    # --- what the run is made of ---

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The phases and groups that begin in the run."""
        blocks = self.plan.blocks
        if self.total is None:
            return blocks
        return blocks[: bisect_left(blocks, self.total, key=lambda block: block.first_step)]

    @cached_property
    def later(self) -> tuple[Block, ...]:
        """The phases and groups that the run never gets to."""
        return self.plan.blocks[len(self.blocks) :]

    @cached_property
    def last(self) -> Block | None:
        """The phase or group that the last step belongs to; None where that is known to be none, or nothing is."""
        if self.total is None or not self.blocks or self.blocks[-1].stop < self.total:
            return None
        return self.blocks[-1]

    @cached_property
    def pieces(self) -> list[Piece]:
        pieces: list[Piece] = []
        for block in self.blocks:
            if isinstance(block, PlannedPhase):
                pieces.append(Piece(block.first_lr, block.end_lr, block))
            else:
                pieces += self._pieces_of(block)
        after = self.plan.after
        return pieces or [Piece(after.first_lr, after.end_lr, after)]  # a section may leave out all of its parts

    def _pieces_of(self, group: Group) -> Iterator[Piece]:
        first, count = group.cycles_shown[0], len(group.part.phases)
        ceiling = group.ceiling.at(first)
        stop = group.stop if self.total is None else min(self.total, group.stop)
        if stop < group.boundary(first, count):
            count = bisect_left(range(count), stop, key=lambda index: group.boundary(first, index))
        begin = bisect_left(range(count), group.first_step, key=lambda index: group.boundary(first, index + 1) - 1)
        for index in range(begin, count):
            start, end = (min(value, ceiling) for value in group.values[2 * index : 2 * index + 2])
            yield Piece(start, end, group, index)

    @cached_property
    def peak(self) -> float:
        """The highest rate of the phases that begin in the run."""
        return max(max(piece.first_lr, piece.end_lr) for piece in self.pieces)

    @cached_property
    def decays(self) -> bool:
        """Whether the rate ever falls: along a curve, from phase to phase, or from cycle to cycle."""
        before = 0.0
        for piece in self.pieces:
            if piece.falls or piece.first_lr < before:
                return True
            before = piece.end_lr
        groups = (block for block in self.blocks if isinstance(block, Group) and self._repeats(block))
        return any(group.part.shrinks or group.values[-1] > group.values[0] for group in groups)

    def _repeats(self, group: Group) -> bool:
        """Whether a second cycle begins in the run."""
        return group.part.count != 1 if self.total is None else len(group.cycles_in_run) > 1

    @cached_property
    def warmup(self) -> tuple[PlannedPhase, ...]:
        """The phases that rise at the start, without those before them that hold a value."""
        blocks = self.plan.blocks
        begin = next((i for i, block in enumerate(blocks) if not is_flat(block)), len(blocks))
        rising: list[PlannedPhase] = []
        for block in blocks[begin:]:
            if not isinstance(block, PlannedPhase) or block.end_lr <= block.first_lr:
                break
            rising.append(block)
        return tuple(rising)

    @property
    def trains(self) -> bool:
        """Whether an update of the run has a rate above 0."""
        return self.highest > 0 or any(isinstance(block, Group) and self._trains_later(block) for block in self.blocks)

    def _trains_later(self, group: Group) -> bool:
        """Whether a cycle after the first may have a rate above 0, as its phases round to other numbers of steps."""
        varies = group.part.stretch != 1 or any(offset.denominator > 1 for offset in group.offsets)
        if not varies or not max(group.values) or not self._repeats(group):
            return False
        if self.total is None or len(group.cycles_in_run) > _MOST_CYCLES:
            return True
        rows = (group.row(cycle, phase) for cycle in group.cycles_in_run for phase in range(len(group.part.phases)))
        ends = (step for row in rows if row.steps for step in (row.first_step, row.stop - 1))
        return any(self.rate_at(step) for step in ends if step < self.total)

    @cached_property
    def highest(self) -> float:
        """The highest rate of any update of the run: no curve rises and falls in one phase."""
        after = self.plan.after
        highest = after.first_lr if self.total is None or after.first_step < self.total else 0.0
        for piece in self.pieces:
            if piece.first_lr > highest:
                highest = max(highest, piece.row.first_lr)
            if piece.end_lr > highest:
                stop = piece.row.stop if self.total is None else min(piece.row.stop, self.total)
                highest = max(highest, self.rate_at(stop - 1))
        return highest

    @cached_property
    def zeros_at_start(self) -> int:
        """How many steps have rate 0 before the first that has not."""
        step, stop = 0, MAX_STEPS + 1 if self.total is None else self.total
        for _ in range(_MOST_ZEROS):
            if step >= stop or self.rate_at(step):
                break
            step = self._none_around(step).stop
        return min(step, stop)

    @cached_property
    def zeros_at_end(self) -> int:
        """How many steps have rate 0 after the last that has not; 0 in a run without a length."""
        return self._tail(0.0)

    @cached_property
    def dead_at_end(self) -> int:
        """How many steps have a rate that is practically 0 after the last that has not."""
        return self._tail(DEAD * self.highest)

    def _tail(self, limit: float) -> int:
        """How many steps at the end have a rate of at most `limit`."""
        if self.total is None:
            return 0
        stop = self.total
        for _ in range(_MOST_ZEROS):
            if not stop or self.rate_at(stop - 1) > limit:
                break
            stop = self._none_around(stop - 1, limit).start
        return self.total - stop

    def _none_around(self, step: int, limit: float = 0.0) -> range:
        """Steps around one with a rate of at most `limit` that have no more, either."""
        row, block = self.row_at(step), self.block_at(step)
        if not isinstance(block, Group):
            return _at_most(row, step, limit)
        cycle = block.cycle_at(step)
        if block.ceiling.at(cycle) <= limit:  # it has shrunk, and goes on shrinking
            shrunk = bisect_left(range(cycle), True, key=lambda number: block.ceiling.at(number) <= limit)
            return range(max(block.first_step, block.boundary(shrunk)), block.stop)
        key = id(block), limit
        if key not in self._shows_nothing:
            self._shows_nothing[key] = _shows_nothing(block, limit)
        if self._shows_nothing[key]:
            return range(block.first_step, block.stop)
        return _at_most(row, step, limit)

    # --- what was written ---

    @cached_property
    def parts(self) -> list[tuple[Phase | Cycles, Block]]:
        """The parts of the schedule and what became of them, up to the first section: parts without a step are left."""
        pairs: list[tuple[Phase | Cycles, Block]] = []
        for part in self.plan.schedule.parts:
            if isinstance(part, Section):
                break
            if isinstance(part, Phase) and lasts_none(part.duration, self.plan.run):
                continue
            pairs.append((part, self.plan.blocks[len(pairs)]))
        return pairs

    def part_of(self, block: Block) -> Phase | Cycles | None:
        """The part of the schedule that became this block, where that is simple to tell."""
        return next((part for part, other in self.parts if other is block), None)

    @cached_property
    def moves_with_the_run(self) -> bool:
        """Whether a run of another length has its phases at other steps."""
        parts = self.plan.schedule.parts
        last = parts[-1]
        while isinstance(last, Section):
            last = last.parts[-1]
        endless = last.duration if isinstance(last, Phase) and lasts_for_ever(last) else None
        return any(each.unit in ("%", "rest") and each is not endless for each in _durations(parts))

    @cached_property
    def counts_data(self) -> bool:
        """Whether a duration is one in samples or tokens."""
        return any(duration.unit in ("sp", "tok") for duration in _durations(self.plan.schedule.parts))

    @cached_property
    def can_take_the_rest(self) -> bool:
        """Whether a phase without a duration may be added: there is no other, and nothing that is endless."""
        return not any(duration.unit == "rest" for duration in _durations(self.plan.schedule.parts)) and not any(
            isinstance(block, Group) and block.endless for block in self.plan.blocks
        )

    def units(self, tick: int) -> Units:
        return Units(self.plan.run, tick)

    # --- words ---

    @property
    def epochs(self) -> Fraction | None:
        return None if self.total is None or self.per_epoch is None else Fraction(self.total, self.per_epoch)

    def amount(self, steps: int) -> str:
        """So many steps without their unit, as `unit` has it."""
        return decimal(Fraction(steps, self.per_epoch or 1)) if self.in_epochs(steps) else f"{steps:,}"

    def in_epochs(self, *steps: int) -> bool:
        """Whether these numbers of steps are epochs with at most two decimals."""
        return self.per_epoch is not None and all(step * 100 % self.per_epoch == 0 for step in steps)

    def time(self, steps: int) -> str:
        """So many steps, in epochs where these are exact and short."""
        return counted(self.amount(steps), "epoch" if self.in_epochs(steps) else "step")

    def of(self, part: int, whole: int) -> tuple[str, str]:
        """Two numbers of steps, in one unit: the first with it, the second without."""
        if self.in_epochs(part, whole):
            return self.time(part), self.amount(whole)
        return counted(f"{part:,}", "step"), f"{whole:,}"

    def either(self, *steps: int) -> str:
        """Some numbers of steps, one of which is to be chosen."""
        if self.in_epochs(*steps):
            return alternatives([*(self.amount(step) for step in steps[:-1]), self.time(steps[-1])])
        return alternatives([f"{step:,}" for step in steps]) + " steps"


def lasts_none(duration: Duration, run: RunSize) -> bool:
    """Whether a phase of this duration is left out of the plan."""
    return duration.amount == 0 or (duration.floor and not duration.steps(run))


def _at_most(row: PlannedPhase, step: int, limit: float) -> range:
    """Steps of a phase around `step`, whose rate is at most `limit`, of which that is true, too."""
    if row.first_lr <= limit and row.end_lr <= limit:
        return range(row.first_step, row.stop)
    if row.first_lr > limit:  # it falls
        steps = range(row.first_step, step + 1)
        return range(steps[bisect_left(steps, True, key=lambda each: row.value_at(each) <= limit)], row.stop)
    steps = range(step, row.stop)
    return range(row.first_step, step + bisect_left(steps, True, key=lambda each: row.value_at(each) > limit))


def _shows_nothing(group: Group, limit: float) -> bool:
    """Whether each phase of equal cycles has at most this rate, or starts from it and is over a step later."""
    offsets = group.offsets
    if group.part.stretch != 1 or group.continuous or any(offset.denominator != 1 for offset in offsets):
        return False
    for index, phase in enumerate(group.part.phases):
        start, end = group.values[2 * index : 2 * index + 2]
        only = end if phase.endpoint else start
        steps = offsets[index + 1] - offsets[index]
        if steps and (only > limit or (max(start, end) > limit and steps > 1)):
            return False
    return group.origin.denominator == 1


def first_row(block: Block, index: int = 0) -> PlannedPhase:
    return block.row(block.cycles_shown[0], index) if isinstance(block, Group) else block


def last_row(block: Block) -> PlannedPhase:
    return block.row_at(block.stop - 1) if isinstance(block, Group) else block


def is_flat(block: Block) -> bool:
    """Whether it is a phase that stays at one value."""
    return isinstance(block, PlannedPhase) and block.first_lr == block.end_lr


def falls(block: Block) -> bool:
    """Whether a curve in it falls."""
    if isinstance(block, PlannedPhase):
        return block.end_lr < block.first_lr
    return any(end < start for start, end in zip(block.values[::2], block.values[1::2], strict=True))


def moves(block: Block) -> bool:
    """Whether a curve in it moves."""
    if isinstance(block, PlannedPhase):
        return block.end_lr != block.first_lr
    return any(end != start for start, end in zip(block.values[::2], block.values[1::2], strict=True))


def _durations(parts: tuple[Part, ...]) -> Iterator[Duration]:
    for part in parts:
        if isinstance(part, Section):
            yield part.skip
            yield part.tick
            if part.duration is not None:
                yield part.duration
            yield from _durations(part.parts)
        else:
            yield from (phase.duration for phase in phases_of([part]))
