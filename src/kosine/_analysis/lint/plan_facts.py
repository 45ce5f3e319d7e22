"""Facts about a plan for several checks: each is computed once, and never for each cycle or step."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from itertools import dropwhile, takewhile
from operator import attrgetter
from typing import NamedTuple

from kosine._analysis.lint.wording import alternatives, counted
from kosine._core.durations import Duration, Units
from kosine._core.groups import Cycles, Part, Section, lasts_for_ever, phases_of
from kosine._core.lengths import Grid
from kosine._core.numbers import MAX_STEPS, SECONDS, decimal
from kosine._core.phase import Phase
from kosine._core.planned_cycles import PlannedCycles
from kosine._core.run import RunSize
from kosine._core.schedule import Plan
from kosine._core.settling import settled
from kosine._core.timeline import PlannedPart, PlannedPhase, WrittenPhase

NEARLY = 100
"""A decay counts as done where less than a 100th of it is missing; jumps below a 100th of the peak are not reported."""

DEAD = 1e-9
"""Below this share of the highest rate a rate is practically 0: float32 loses updates that are so small."""

_MOST_CYCLES = 64  # in which a rate above 0 is looked for
_MOST_ZEROS = 10_000  # phases at 0 in a row that are looked through


class SeenPhase(NamedTuple):
    """A phase that begins in the run; of cycles only those of the first that is seen."""

    part: PlannedPart
    written: WrittenPhase

    @property
    def first_lr(self) -> float:
        return self.written.first_lr

    @property
    def end_lr(self) -> float:
        return self.written.end_lr

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
    def row(self) -> PlannedPhase:
        return self.part.first_row(self.written.number)


class PlanFacts:
    """A plan with the facts that the checks need."""

    def __init__(self, plan: Plan, longest_warmup: float) -> None:
        self.plan = plan
        self.longest_warmup = longest_warmup
        self.total = plan.total_steps
        self.per_epoch = plan.run.steps_per_epoch

    # --- single steps, found without the table that a plan makes for all of them ---

    def row_at(self, step: int) -> PlannedPhase:
        """The phase that `step` belongs to."""
        return self.part_at(step).row_at(step)

    def part_at(self, step: int) -> PlannedPart:
        parts = self.plan.parts
        number = bisect_right(parts, step, key=lambda part: part.first_step) - 1
        return self.plan.after if number < 0 or step >= parts[number].stop else parts[number]

    def rate_at(self, step: int) -> float:
        return self.row_at(step).value_at(step)

    # --- what the run is made of ---

    @cached_property
    def parts(self) -> tuple[PlannedPart, ...]:
        """The parts of the plan that begin in the run."""
        parts = self.plan.parts
        if self.total is None:
            return parts
        return parts[: bisect_left(parts, self.total, key=lambda part: part.first_step)]

    @cached_property
    def later(self) -> tuple[PlannedPart, ...]:
        """The parts of the plan that the run never reaches."""
        return self.plan.parts[len(self.parts) :]

    @cached_property
    def last(self) -> PlannedPart | None:
        """The part that the last step belongs to; None after the last part, and in a run without a length."""
        if self.total is None or not self.parts or self.parts[-1].stop < self.total:
            return None
        return self.parts[-1]

    @cached_property
    def cycles(self) -> tuple[PlannedCycles, ...]:
        """Those of the parts that are cycles."""
        return tuple(part for part in self.parts if isinstance(part, PlannedCycles))

    def cycles_at(self, step: int) -> PlannedCycles | None:
        """The cycles that a step belongs to; None where it belongs to none."""
        return next((cycles for cycles in self.cycles if cycles.first_step <= step < cycles.stop), None)

    @cached_property
    def phases(self) -> list[SeenPhase]:
        """The phases that begin in the run, in order; at least one."""
        stop = MAX_STEPS + 1 if self.total is None else self.total
        seen = [SeenPhase(part, written) for part in self.parts for written in part.opening(stop)]
        after = self.plan.after
        return seen or [SeenPhase(after, *after.opening(stop))]  # a section may skip all of its parts

    @cached_property
    def peak(self) -> float:
        """The highest rate of the phases that begin in the run."""
        return max(max(phase.first_lr, phase.end_lr) for phase in self.phases)

    @cached_property
    def decays(self) -> bool:
        """Whether the rate ever falls: along a curve, from phase to phase, or from cycle to cycle."""
        before = 0.0
        for phase in self.phases:
            if phase.falls or phase.first_lr < before:
                return True
            before = phase.end_lr
        return any(part.shrinks or part.values[-1] > part.values[0] for part in self.parts if self._repeats(part))

    def _repeats(self, part: PlannedPart) -> bool:
        """Whether a second cycle begins in the run."""
        cycles = len(part.cycles_in_run)  # of endless ones in a run without a length the first only
        return cycles > 1 or (cycles == 1 and part.endless and self.total is None)

    @cached_property
    def warmup(self) -> tuple[PlannedPhase, ...]:
        """The phases that rise at the start; phases before them that hold a value do not count."""
        parts = dropwhile(attrgetter("keeps_one_value"), self.plan.parts)
        return tuple(part.first_row() for part in takewhile(lambda part: part.only_rises, parts))

    @property
    def ends_in_warmup(self) -> bool:
        """Whether the run ends in a warm-up that something follows."""
        if self.total is None or not self.warmup or self.warmup[-1].stop <= self.total:
            return False
        return self.warmup[-1] is not self.plan.parts[-1]

    @property
    def trains(self) -> bool:
        """Whether an update of the run has a rate above 0."""
        return self.highest > 0 or any(self._trains_later(part) for part in self.parts)

    def _trains_later(self, part: PlannedPart) -> bool:
        """Whether a cycle after the first may have a rate above 0, as its phases round to other numbers of steps."""
        if not part.lengths_vary or not max(part.values) or not self._repeats(part):
            return False
        if self.total is None or len(part.cycles_in_run) > _MOST_CYCLES:
            return True
        rows = part.rows(part.first_step, min(part.stop, self.total))
        return any(self.rate_at(step) for row in rows for step in (row.first_step, row.stop - 1) if step < self.total)

    @cached_property
    def highest(self) -> float:
        """The highest rate of any update of the run: no curve rises and falls in one phase."""
        after = self.plan.after
        highest = after.first_lr if self.total is None or after.first_step < self.total else 0.0
        for phase in self.phases:
            if phase.first_lr > highest:
                highest = max(highest, phase.row.first_lr)
            if phase.end_lr > highest:
                stop = phase.row.stop if self.total is None else min(phase.row.stop, self.total)
                highest = max(highest, self.rate_at(stop - 1))
        return highest

    @cached_property
    def zeros_at_start(self) -> int:
        """How many steps at the start have rate 0."""
        step, stop = 0, MAX_STEPS + 1 if self.total is None else self.total
        for _ in range(_MOST_ZEROS):
            if step >= stop or self.rate_at(step):
                break
            step = self.part_at(step).steps_at_most(step, 0.0).stop
        return min(step, stop)

    @cached_property
    def zeros_at_end(self) -> int:
        """How many steps at the end have rate 0; 0 in a run without a length."""
        return self._tail(0.0)

    @cached_property
    def dead_at_end(self) -> int:
        """How many steps at the end have a rate that is practically 0."""
        return self._tail(DEAD * self.highest)

    def _tail(self, limit: float) -> int:
        """How many steps at the end have a rate of at most `limit`."""
        if self.total is None:
            return 0
        stop = self.total
        for _ in range(_MOST_ZEROS):
            if not stop or self.rate_at(stop - 1) > limit:
                break
            stop = self.part_at(stop - 1).steps_at_most(stop - 1, limit).start
        return self.total - stop

    # --- what was written ---

    @cached_property
    def written_parts(self) -> list[tuple[Phase | Cycles, PlannedPart]]:
        """The parts of the schedule with their planned parts, up to the first section, without empty ones.

        A section may show several of its parts, or only a piece of one, so from there on the two lists differ. Those
        of a clipped plan differ from the start.
        """
        pairs: list[tuple[Phase | Cycles, PlannedPart]] = []
        if self.plan.clipped:
            return pairs
        for part, lasting in self.lasting_parts:
            if isinstance(part, Section):
                break
            if isinstance(lasting, Phase) and lasts_none(lasting.duration, self.plan.run):
                continue
            pairs.append((part, self.plan.parts[len(pairs)]))
        return pairs

    @cached_property
    def lasting_parts(self) -> list[tuple[Part, Part]]:
        """The parts of the schedule, each with itself with a length that does not depend on its place.

        None are known where cycles are written out, as each lasts another number of steps.
        """
        parts, run = self.plan.schedule.parts, self.plan.run
        length = None if run.total_steps is None else Fraction(run.total_steps)
        units = Units(run, clipped={} if self.plan.clipped else None)
        lasting = settled(parts, Grid(units, length, endless=length is None))
        return list(zip(parts, lasting, strict=True)) if len(lasting) == len(parts) else []

    def written(self, planned: PlannedPart) -> Phase | Cycles | None:
        """The part of the schedule that became this part of the plan; None in and after a section."""
        return next((part for part, other in self.written_parts if other is planned), None)

    @cached_property
    def moves_with_the_run(self) -> bool:
        """Whether a run of another length has its phases at other steps."""
        return bool(relative_units(self.plan.schedule.parts))

    @cached_property
    def counts_data(self) -> bool:
        """Whether a duration is one in samples, tokens or time."""
        return any(duration.unit in ("sp", "tok", *SECONDS) for duration in _durations(self.plan.schedule.parts))

    @cached_property
    def can_take_the_rest(self) -> bool:
        """Whether a phase without a duration may be added: only where no other part takes the rest of the run."""
        rest = any(duration.unit == "rest" for duration in _durations(self.plan.schedule.parts))
        return not rest and not any(part.endless for part in self.plan.parts)

    def units(self, tick: int) -> Units:
        return Units(self.plan.run, tick)

    # --- words ---

    @property
    def epochs(self) -> Fraction | None:
        return None if self.total is None or self.per_epoch is None else Fraction(self.total, self.per_epoch)

    def amount(self, steps: int) -> str:
        """A number of steps, or of epochs where these are exact and short, without its unit."""
        return decimal(Fraction(steps, self.per_epoch or 1)) if self.in_epochs(steps) else f"{steps:,}"

    def in_epochs(self, *steps: int) -> bool:
        """Whether these numbers of steps are epochs with at most two decimals."""
        return self.per_epoch is not None and all(step * 100 % self.per_epoch == 0 for step in steps)

    def time(self, steps: int) -> str:
        """A number of steps with its unit: epochs where these are exact and short."""
        return counted(self.amount(steps), "epoch" if self.in_epochs(steps) else "step")

    def of(self, part: int, whole: int) -> tuple[str, str]:
        """Two numbers of steps, in one unit: the first with it, the second without."""
        if self.in_epochs(part, whole):
            return self.time(part), self.amount(whole)
        return counted(f"{part:,}", "step"), f"{whole:,}"

    def either(self, *steps: int) -> str:
        """Numbers of steps to choose from."""
        if self.in_epochs(*steps):
            return alternatives([*(self.amount(step) for step in steps[:-1]), self.time(steps[-1])])
        return alternatives([f"{step:,}" for step in steps]) + " steps"


def lasts_none(duration: Duration, run: RunSize) -> bool:
    """Whether a phase of this duration is left out of the plan."""
    return duration.amount == 0 or (duration.floor and not duration.steps(run))


def relative_units(parts: tuple[Part, ...]) -> set[str]:
    """Those of "%" and "rest" with which the phases follow the length around them."""
    last = parts[-1]
    while isinstance(last, Section):
        last = last.parts[-1]
    endless = last.duration if isinstance(last, Phase) and lasts_for_ever(last) else None
    return {each.unit for each in _durations(parts) if each.unit in ("%", "rest") and each is not endless}


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
