"""A plan as the few pieces that its programs are written from, with their common names."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import ClassVar

from kosine._core.code import integer, plus, real
from kosine._core.curve import Curve
from kosine._core.curves.hold import Hold
from kosine._core.numbers import MAX_STEPS
from kosine._core.planned_cycles import PlannedCycles
from kosine._core.schedule import Plan
from kosine._core.timeline import PlannedPart, PlannedPhase
from kosine._export.printing import comment, program
from kosine.errors import Name, PlanError

MAX_ROWS = 4096
"""The most phases that a program lists where its cycles follow no shorter rule."""

_TABLE_LEVELS = 4  # this number of constants in a row becomes a table: longer, a chain of ifs is harder to read
_FEW_PHASES = 2  # a group with no more phases than this in all is written phase by phase
_CYCLES_FOR_EVER = 512  # cycles whose exact positions are worked out quickly when a program is loaded


@dataclass(frozen=True, slots=True)
class ConstantPiece:
    """A constant rate. `stop` is the step after the last; None: never."""

    first: int
    stop: int | None
    value: float
    name: ClassVar[str] = "hold"

    @property
    def rates(self) -> list[float]:
        return [self.value]


@dataclass(frozen=True, slots=True)
class TablePiece:
    """Constants one after the other."""

    constants: tuple[ConstantPiece, ...]
    name: ClassVar[str] = "hold"

    @property
    def rates(self) -> list[float]:
        return [constant.value for constant in self.constants]

    @property
    def first(self) -> int:
        return self.constants[0].first

    @property
    def stop(self) -> int | None:
        return self.constants[-1].stop


@dataclass(frozen=True, slots=True)
class CurvePiece:
    """One curve from `start` to `to`: at step t it has done (t - shift) // tick + lead of its `span` steps."""

    name: str
    first: int
    stop: int | None
    curve: Curve
    start: float
    to: float
    span: Fraction | None
    lead: Fraction
    shift: int
    tick: int

    @property
    def rises(self) -> bool:
        return self.start < self.to

    @property
    def rates(self) -> list[float]:
        return [self.start, self.to]

    @property
    def plain(self) -> bool:
        """Whether it begins with its curve's first step, and goes on step by step."""
        whole = self.span is None or self.span.denominator == 1
        return self.tick == 1 and not self.lead and self.shift == self.first and whole

    @property
    def limits(self) -> tuple[int, int | None]:
        """The first and the last whole step, counted in its own steps, that it shows."""
        last = None if self.stop is None else (self.stop - self.shift) // self.tick
        return (self.first - self.shift) // self.tick, last


@dataclass(frozen=True, slots=True)
class CyclePhase:
    """One phase of a cycle, at the exact positions `begin` to `end` of the first cycle."""

    name: str
    curve: Curve
    start: float
    to: float
    begin: Fraction
    end: Fraction
    endpoint: bool

    @property
    def rises(self) -> bool:
        return self.start < self.to

    @property
    def flat(self) -> bool:
        return self.curve.is_flat(self.start, self.to)


@dataclass(frozen=True, slots=True)
class CyclesPiece:
    """A group of phases that repeats."""

    group: PlannedCycles
    phases: tuple[CyclePhase, ...]

    @property
    def first(self) -> int:
        return self.group.first_step

    @property
    def stop(self) -> int | None:
        return None if self.group.stop > MAX_STEPS else self.group.stop

    @property
    def length(self) -> Fraction:
        return self.group.offsets[-1]

    @property
    def stretch(self) -> Fraction:
        return self.group.part.exact_stretch

    @property
    def peak(self) -> float:
        return self.group.ceiling.peak

    @property
    def rates(self) -> list[float]:
        """The rates of the first cycle."""
        return [rate for phase in self.phases for rate in (phase.start, phase.to)]

    @property
    def shrinks(self) -> bool:
        """Whether a later cycle is lower than the first."""
        return self.group.part.shrinks and max(self.rates) > self.lowest_peak

    @property
    def lowest_peak(self) -> float:
        """The lowest peak that a cycle may have."""
        part, ceiling = self.group.part, self.group.ceiling
        return max(ceiling.floor, part.shrink_to) if part.count is None else ceiling.at(part.count - 1)

    @property
    def name(self) -> str:
        return "cycles of " + ", ".join(phase.name for phase in self.phases)

    @property
    def whole(self) -> bool:
        """Whether every phase of every cycle begins at a whole step, counted from the first."""
        return (
            self.stretch.denominator == 1
            and all(offset.denominator == 1 for offset in self.group.offsets)
            and not (self.group.continuous and self.group.origin.denominator != 1)
        )

    @property
    def whole_origin(self) -> int:
        """Where the first cycle begins, in steps of the group's clock; of a group whose cycles are `whole`."""
        return math.floor(self.group.origin + Fraction(1, 2))

    def cycles_listed(self, plan: Plan, target: str, largest: int | None) -> int:
        """How many cycles a table must list: all, or of an endless group all up to the last step or those of the run.

        Args:
            plan: the plan that has the group.
            target: for the message.
            largest: the largest step that the target can count; None: any.

        Raises:
            PlanError: the run is unknown and needed, has more cycles than a program lists, or a cycle in it ends where
                the target cannot count.
        """
        group, needed = self.group, plan.total_steps if self.stop is None else self.stop
        last = MAX_STEPS if largest is None else largest
        if group.part.count is not None:
            listed = group.part.count
        elif self.stop is not None:
            listed = group.cycle_at(self.stop - 1) + 1
        else:
            # An endless group: growing cycles soon pass the last step that can be counted, and then all are listed.
            listed = 1
            while listed <= _CYCLES_FOR_EVER and group.boundary(listed) <= last:
                listed += 1
            if listed > _CYCLES_FOR_EVER:
                if needed is None:
                    raise PlanError(
                        f"Target {target!r} lists cycles that grow by a factor of {float(self.stretch)}, and cannot "
                        f"express {self.name} for ever.",
                        fix=("Plan the schedule with ", Name("total_steps"), "."),
                    )
                listed = max(listed, group.cycle_at(max(needed - 1, self.first)) + 1)
        if listed * len(self.phases) > MAX_ROWS:
            raise PlanError(
                f"Target {target!r} lists at most {MAX_ROWS:,} phases of cycles that grow, and cannot express "
                f"{self.name}, which has {listed * len(self.phases):,} of them in this run.",
                fix="Use cycles of equal length, or a `stretch` that is a whole number.",
            )
        if largest is not None:  # the table itself must fit into the target's integers
            while listed and group.boundary(listed, len(group.offsets) - 2) > largest:
                listed -= 1
            if not listed or (needed is not None and group.boundary(listed) < needed):
                raise PlanError(
                    f"Target {target!r} counts steps up to {largest:,}, and cannot express {self.name}, of which "
                    "a cycle in this run ends later.",
                    fix="Use the target 'python' or 'torch'.",
                )
        return listed


ProgramPiece = ConstantPiece | TablePiece | CurvePiece | CyclesPiece


@dataclass(frozen=True)
class Outline:
    """The pieces of a plan in order, and the rate after the last of them (None: it never ends)."""

    plan: Plan
    pieces: tuple[ProgramPiece, ...]
    after: float | None
    values: dict[float, str] = field(default_factory=dict)
    """The rates that have a name."""
    steps: dict[int, str] = field(default_factory=dict)
    """The boundaries that have a name."""
    spans: dict[int, str] = field(default_factory=dict)
    """The named lengths of pieces, by the piece's first step."""

    @classmethod
    def of(cls, plan: Plan) -> Outline:
        pieces: list[ProgramPiece] = []
        for block in plan.parts:
            for piece in _pieces(block):
                last = pieces[-1] if pieces else None
                if isinstance(piece, ConstantPiece) and isinstance(last, ConstantPiece) and last.value == piece.value:
                    pieces[-1] = ConstantPiece(last.first, piece.stop, last.value)
                else:
                    pieces.append(piece)
        # A constant at the end says the same as the rate after the last piece, which every program has anyway.
        after: float | None = None
        if not pieces or pieces[-1].stop is not None:
            after = plan.after.first_lr
            if pieces and isinstance(last := pieces[-1], ConstantPiece) and last.value == after:
                pieces.pop()
        elif isinstance(last := pieces[-1], ConstantPiece):
            after = last.value
            pieces.pop()
        outline = cls(plan, tuple(_with_tables(pieces, after)), after)
        outline._name_values()
        outline._name_steps()
        return outline

    @property
    def peak(self) -> float:
        return max(_rates(self.pieces, self.after))

    def _name_values(self) -> None:
        peak = self.peak
        self.values[peak] = "PEAK"
        last = self.after
        if last is None and isinstance(self.pieces[-1], CyclesPiece):
            last = min(self.pieces[-1].rates)
        lowest = min((rate for rate in _rates(self.pieces, self.after) if rate), default=0.0)
        if last and last not in self.values and last == lowest:
            self.values[last] = "FLOOR"
        first = self.pieces[0] if self.pieces else None
        if isinstance(first, CurvePiece) and first.rises and first.start and first.start not in self.values:
            self.values[first.start] = "WARMUP_START"
        for rate in _rates([piece for piece in self.pieces if not isinstance(piece, TablePiece)], self.after):
            if rate not in self.values and len(real(rate)) > 8:
                self.values[rate] = f"RATE_{sum(name.startswith('RATE') for name in self.values.values()) + 1}"

    def _name_steps(self) -> None:
        if self.plan.run.ramped:  # a phase may be several pieces
            return
        first = self.pieces[0] if self.pieces else None
        if isinstance(first, CurvePiece) and first.rises and first.plain and first.stop is not None:
            self.steps[first.stop] = self.spans[0] = "WARMUP_STEPS"
        last = self.pieces[-1] if self.pieces else None
        if last is None or last.stop is None or last.stop in self.steps:
            return
        if last.stop == self.plan.total_steps:
            self.steps[last.stop] = "TOTAL_STEPS"
            if isinstance(last, CurvePiece) and last.plain:
                self.spans[last.first] = "DECAY_STEPS" if last.first else "TOTAL_STEPS"

    @property
    def header(self) -> list[str]:
        return comment(repr(self.plan.schedule), self.plan.total_steps)

    def program(self, imports: Sequence[str], constants: Sequence[str], body: Sequence[str]) -> str:
        """A program of these parts, with the names that they use."""
        return program(self.header, imports, [*self.used_constants([*constants, *body]), *constants], body)

    def value(self, rate: float) -> str:
        return self.values.get(rate) or real(rate)

    def step(self, boundary: int) -> str:
        """A boundary by its name, or the step before one."""
        if boundary in self.steps:
            return self.steps[boundary]
        return f"{self.steps[boundary + 1]} - 1" if boundary + 1 in self.steps else integer(boundary)

    def since(self, step: str, boundary: int) -> str:
        """`step - boundary`."""
        if boundary and boundary in self.steps:
            return f"{step} - {self.steps[boundary]}"
        return plus(step, -boundary)

    def used_constants(self, lines: Sequence[str]) -> list[str]:
        """The named rates and lengths that the lines use."""
        named = [(name, real(rate)) for rate, name in self.values.items()]
        named += [(name, integer(step)) for step, name in self.steps.items()]
        named += [
            (name, integer(piece.stop - piece.first))
            for piece in self.pieces
            if (name := self.spans.get(piece.first)) == "DECAY_STEPS" and piece.stop is not None
        ]
        text = "\n".join(lines)
        return [f"{name} = {value}" for name, value in named if re.search(rf"\b{name}\b", text)]


def _rates(pieces: Sequence[ProgramPiece], after: float | None) -> list[float]:
    return [*([] if after is None else [after]), *(rate for piece in pieces for rate in piece.rates)]


def _pieces(part: PlannedPart) -> list[ProgramPiece]:
    if not isinstance(part, PlannedCycles):
        return [piece for row in part.rows(part.first_step, part.stop) for piece in _phase(row)]
    phases = tuple(
        CyclePhase(
            phase.curve.name,
            phase.curve,
            part.values[2 * number],
            part.values[2 * number + 1],
            part.offsets[number],
            part.offsets[number + 1],
            phase.endpoint,
        )
        for number, phase in enumerate(part.part.phases)
        if part.offsets[number] < part.offsets[number + 1]
    )
    cycles = CyclesPiece(part, phases)
    if cycles.whole and cycles.stretch == 1:
        cycles = replace(cycles, phases=tuple(_at_its_end(phase) for phase in phases))
    level = cycles.phases[0].start
    if all(phase.flat and phase.start == level for phase in cycles.phases) and not cycles.shrinks:
        return [ConstantPiece(cycles.first, cycles.stop, level)]
    if part.endless or len(part.cycles_shown) * part.phases_in_cycle > _FEW_PHASES:
        return [cycles]
    return [piece for row in part.rows_of(part.cycles_shown) for piece in _phase(row)]


def _at_its_end(phase: CyclePhase) -> CyclePhase:
    """The phase; one whose only step has the end value never has another."""
    if phase.endpoint and phase.end - phase.begin == 1:
        return replace(phase, curve=Hold(), start=phase.to)
    return phase


def _phase(row: PlannedPhase) -> list[ProgramPiece]:
    """A planned phase; its last steps are a separate constant where the formula does not have their value."""
    clock = row.clock
    stop = None if row.stop > MAX_STEPS else row.stop
    if row.curve.is_flat(clock.start, clock.to):
        return [ConstantPiece(row.first_step, stop, clock.start)]
    apart = clock.span == 0 or (row.endpoint and not row.curve.reaches_end)
    end = min(row.end_step, row.stop) if apart else row.stop
    pieces: list[ProgramPiece] = []
    if end > row.first_step:
        pieces.append(
            CurvePiece(
                row.curve.name,
                row.first_step,
                stop if end == row.stop else end,
                row.curve,
                clock.start,
                clock.to,
                clock.span,
                clock.lead,
                row.first_step - clock.cut,
                clock.tick,
            )
        )
    return [*pieces, ConstantPiece(end, stop, clock.to)] if end < row.stop else pieces


def _with_tables(pieces: list[ProgramPiece], after: float | None) -> list[ProgramPiece]:
    """The pieces, with many constants in a row as one table."""
    grouped: list[ProgramPiece] = []
    waiting: list[ConstantPiece] = []
    last = ConstantPiece(pieces[-1].stop or 0, None, after) if pieces and after is not None else None
    for piece in [*pieces, last]:
        if isinstance(piece, ConstantPiece):
            waiting.append(piece)
            continue
        grouped += [TablePiece(tuple(waiting))] if len(waiting) >= _TABLE_LEVELS else waiting
        waiting = []
        if piece is not None:
            grouped.append(piece)
    if len(waiting) >= _TABLE_LEVELS:
        return [*grouped, TablePiece(tuple(waiting))]
    return [*grouped, *(constant for constant in waiting if constant is not last)]
