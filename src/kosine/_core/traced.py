"""A plan as constants and a few operations, for graphs that are traced once and run on a device in float32.

The rates of a short run are a table, each the float32 nearest to the plan's. In a long run the phase is found with
integers, in the type of the step. The small integer that remains is cast last, and in two parts, so that the distance
of `curve.Form` is rounded once however long the phase is; the curves are the same formulas that the host runs. The
number of operations depends on how many different formulas there are, not on the number of phases or cycles.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kosine._core.curve import Form
from kosine._core.evaluate import endpoints, form_of, split
from kosine._core.graph_tables import PhaseTable, RateTable, Repeat, SharedFormula
from kosine._core.placing import level
from kosine._core.planned_cycles import PlannedCycles
from kosine._core.schedule import Plan
from kosine._core.timeline import PlannedPart, PlannedPhase
from kosine._core.weight_cells import weight_cells
from kosine.errors import PlanError

__all__ = ["PhaseTable", "RateTable", "check_length", "last_step", "tabulate"]

MAX_TABLE_STEPS = 2**17  # steps of a run whose rates are looked up: half a megabyte of constants
MAX_CYCLE_ROWS = 2**17  # repeated phases that a graph holds as constants: about 4 MB

_VANISHED = 110  # e to the minus 110 is 0 in float32
_FAR = 2**24  # steps for which a plan without a length must be exact, before a rate is held
_SHORT_BITS = 16  # of the steps of a phase that need no split: float32's 24 leave 8 for the coefficient
_COUNT_FURTHER = "count in int64: Keras on TensorFlow does, and JAX with `jax_enable_x64`."


def last_step(step_dtype: str) -> int:
    """The largest step that a backend counts to."""
    return int(np.iinfo(step_dtype).max)


def check_length(plan: Plan, step_dtype: str) -> None:
    """Raise PlanError where the run is longer than the backend can count."""
    if plan.total_steps is not None and plan.total_steps > last_step(step_dtype):
        raise PlanError(
            f"This backend counts steps in {step_dtype}, up to {last_step(step_dtype):,}.",
            received={"total_steps": plan.total_steps},
            fix=f"Plan for fewer, larger batches, or {_COUNT_FURTHER}",
        )


def tabulate(plan: Plan, step_dtype: str, *, max_table_steps: int = MAX_TABLE_STEPS) -> RateTable | PhaseTable:
    """The constants of `plan` for a graph whose steps are of the type "int32" or "int64".

    Past the end of the run an endless group goes on cycling as on the host, except where its cycles neither repeat
    nor end and are more than MAX_CYCLE_ROWS: then the value that the last listed cycle ends at is held.

    Raises:
        PlanError: the run is longer than the type can count, or has more different cycles than MAX_CYCLE_ROWS.
    """
    last = last_step(step_dtype)
    check_length(plan, step_dtype)
    final = plan.parts[-1] if plan.parts else plan.after
    repeat = _pattern(final, last)
    stop = plan.after.first_step if repeat is None else repeat.first + repeat.period
    if final.endless and final.keeps_one_value:
        stop = final.first_step
    if stop <= max_table_steps:
        return RateTable(_float32(plan(np.arange(stop + 1))), repeat, step_dtype)
    rows, repeat = _rows(plan, last)
    return _phase_table(rows, repeat, step_dtype)


def _rows(plan: Plan, last: int) -> tuple[list[PlannedPhase], Repeat | None]:
    """The phases that a graph needs, in order, none with `endpoint`, and the pattern that they end in, if any."""
    rows: list[PlannedPhase] = []
    repeat = None
    for part in plan.parts:
        if isinstance(part, PlannedCycles):
            listed, repeat = _cycles(part, plan.total_steps, last)
            rows += listed
        else:
            rows += part.rows(part.first_step, part.stop)
    rows = _countable(rows or [plan.after], plan.total_steps, last)
    if repeat is None and rows[-1].steps is not None:
        stop = rows[-1].stop
        rows.append(plan.after if stop == plan.after.first_step else level(stop, rows[-1].end_lr))
    return [part for row in rows for part in _without_endpoint(row) if part.first_step <= last], repeat


def _phase_table(rows: list[PlannedPhase], repeat: Repeat | None, step_dtype: str) -> PhaseTable:
    forms = [form_of(row.curve, row.clock) for row in rows]
    counts = [_count(form, row, last_step(step_dtype)) for form, row in zip(forms, rows, strict=True)]
    counted = max(count.bit_length() for count in counts)
    if counted <= _SHORT_BITS:  # a step times the coefficient is exact as it is
        step_bits, coefficient_bits = counted, 24 - max(8, counted)
    else:
        step_bits, coefficient_bits = 8, 16
    ticked = any(row.tick > 1 for row in rows)
    numbers: dict[Hashable, int] = {}
    formulas: list[SharedFormula] = []
    integers, floats = [], []
    for row, form, count in zip(rows, forms, counts, strict=True):
        if form.kind not in numbers:
            numbers[form.kind] = len(numbers)
            formulas.append(_formula(form))
        clock = row.clock
        mask = (1 << max(0, count.bit_length() - step_bits)) - 1
        (done, done_part), (left, left_part) = endpoints(clock)
        shift = clock.cut - row.first_step
        anchor, sign, parts = (done, 1, (done_part, left_part))
        if form.origin == "end":
            anchor, sign, parts = (left, -1, (left_part, done_part))
        if not ticked:  # the shift is a part of the anchor
            anchor, shift = anchor + sign * shift, 0
        anchor = (anchor + 2**63) % 2**64 - 2**63  # as 64 bits wrap it around
        integers.append((shift, clock.tick, anchor, sign, mask, done + left, numbers[form.kind]))
        distances = itertools.chain.from_iterable(split(part * form.ratio, 24) for part in parts)
        floats.append((*split(form.ratio, coefficient_bits), form.top, form.bottom, *distances))
    return PhaseTable(
        np.array([row.first_step for row in rows], np.int64),
        np.array(integers, np.int64),
        _float32(np.array(floats)),
        tuple(formulas),
        repeat,
        step_dtype,
    )


def _formula(form: Form) -> SharedFormula:
    """The formula of a row, or what stands for it where float32 has too few digits for it."""
    if form.magnifies:
        return SharedFormula(weight_cells(form.weight, form.takes == "both").weight, "smaller")
    return SharedFormula(form.weight, form.takes)


def _count(form: Form, row: PlannedPhase, last: int) -> int:
    """How far the steps of a row's curve count; 0 where an endless curve needs no more digits than a float has."""
    if not form.ratio:
        return 0
    span = row.clock.span
    if form.takes == "split":  # beyond, an exponential is 0 in float32; within, it needs every digit
        return min(last if span is None else math.ceil(span), last, math.ceil(_VANISHED / abs(form.ratio)))
    return 0 if span is None else math.ceil(span)


def _float32(values: NDArray[np.float64]) -> NDArray[np.float32]:
    largest = float(np.finfo(np.float32).max)
    if values.max() > largest:
        raise PlanError(f"A learning rate in a graph is at most {largest:.4g}.", received=float(values.max()))
    return values.astype(np.float32)


def _pattern(part: PlannedPart, last: int) -> Repeat | None:
    """The pattern in which equal cycles repeat for ever, if it is short enough to hold and to be reached."""
    if part.pattern is None:
        return None
    cycles, steps = part.pattern
    fits = cycles * part.phases_in_cycle <= MAX_CYCLE_ROWS and part.first_step + steps <= last
    return Repeat(part.first_step, steps) if fits else None


def _cycles(group: PlannedCycles, total_steps: int | None, last: int) -> tuple[list[PlannedPhase], Repeat | None]:
    """The rows of a group, as many as a graph needs, and the pattern that they end in, where they do."""
    first = group.cycles_shown[0]
    pattern = _pattern(group, last)
    if pattern is not None and group.pattern is not None:
        cut = group.first_step > group.boundary(first)
        cycles = range(first, first + group.pattern[0] + cut)
        return list(group.rows_of(cycles)), pattern
    rows: list[PlannedPhase] = []
    for cycle in itertools.count(first) if group.endless else group.cycles_shown:
        if len(rows) + group.phases_in_cycle > MAX_CYCLE_ROWS:
            reached = group.boundary(cycle)
            if not group.endless or total_steps is None or reached < total_steps:
                raise PlanError(
                    f"A graph holds at most {MAX_CYCLE_ROWS:,} different cycles, and there are more "
                    f"{'in this run' if total_steps else 'without a length of the run'}.",
                    received=group.part,
                    fix="Use a period of whole steps without `shrink`, a `shrink` further from 1, or a plan with the "
                    "run's length.",
                )
            break
        begin = group.boundary(cycle)
        if begin > last:
            break
        if group.endless and group.part.shrinks and begin >= group.first_step:  # not in a first cycle that is cut
            floor = max(0.0, group.ceiling.floor)
            lowest = max(floor, group.part.shrink_to)
            # From here on the ceiling is the same float32 in every cycle.
            settled = np.float32(group.ceiling.at(cycle)) == np.float32(lowest)
            if settled and lowest == floor and min(group.values) >= floor:
                return [*rows, level(begin, floor)], None
            if settled and group.part.stretch == 1:  # from here on the cycles are the same to a graph
                length, cycles_later = group.offsets[-1], group.offsets[-1].denominator
                repeat = Repeat(begin, length.numerator * group.tick)
                if cycles_later * group.phases_in_cycle <= MAX_CYCLE_ROWS and sum(repeat) <= last:
                    return [*rows, *group.rows_of(range(cycle, cycle + cycles_later))], repeat
        rows += group.rows_of([cycle])
    return rows, None


def _countable(rows: list[PlannedPhase], total_steps: int | None, last: int) -> list[PlannedPhase]:
    """The rows up to the first step whose phase has counts that the type cannot hold; from there its value is held.

    Raises:
        PlanError: the run needs the steps after it.
    """
    for number, row in enumerate(rows):
        clock = row.clock
        if clock.span is None:
            most = (last - math.ceil(clock.lead)) * clock.tick - clock.cut
            reached = row.first_step + min(most, last - clock.cut)
            whole = clock.tick <= last and (row.curve.keeps_value or clock.plain or reached >= last)
        else:
            whole = max(math.ceil(clock.span), (row.steps or 0) + clock.cut, clock.tick) <= last
            reached = row.first_step
        if whole:
            continue
        reached = max(row.first_step, reached) if clock.tick <= last else row.first_step
        needed = total_steps
        if needed is None:
            needed = 0 if clock.span is None else _FAR
        if reached < needed:
            run = "plan without a length" if total_steps is None else f"run of {total_steps:,} steps"
            raise PlanError(
                f"This backend counts steps up to {last:,}, and a phase has more: {row.curve.name} from step "
                f"{row.first_step:,} on, in a {run}.",
                fix=f"Plan for the steps that the run has, or {_COUNT_FURTHER}",
            )
        held = level(reached, row.value_at(reached))
        counted = [row.between(row.first_step, reached)] if reached > row.first_step else []
        return [*rows[:number], *counted, held]
    return rows


def _without_endpoint(row: PlannedPhase) -> Iterator[PlannedPhase]:
    """A phase with `endpoint` as a shorter phase without and the steps at its end value."""
    reached = min(row.end_step, row.stop)
    if not row.endpoint or row.steps is None:
        yield row
        return
    if reached > row.first_step:
        yield replace(row, steps=reached - row.first_step, endpoint=False, own_clock=row.clock)
    if row.stop > reached:
        yield level(reached, row.clock.to, row.stop)
