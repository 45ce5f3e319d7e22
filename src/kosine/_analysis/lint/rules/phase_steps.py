"""Checks of the steps that a phase shows of its curve: too few, too coarse, or not the last."""

from __future__ import annotations

from collections.abc import Iterator

from kosine._analysis.lint.plan_facts import NEARLY, PlanFacts, SeenPhase, lasts_none
from kosine._analysis.lint.rule import Example, Remark, rule
from kosine._analysis.lint.wording import and_others, counted, rate
from kosine._core.numbers import MAX_STEPS
from kosine._core.phase import Phase
from kosine._core.timeline import PlannedPart, PlannedPhase


@rule(
    "K010",
    "A phase has fewer than two steps",
    severity="warning",
    why="A curve of one step has only one value: the one that it starts from (with `endpoint` the one that it ends "
    "at). A warm-up of one step from 0 only wastes a batch. Most often the length was meant in another unit, or a "
    'share of a short run, such as `"floor 5%"`, was rounded down to 0 or 1 step. Holds are not reported.',
    fix="Make it longer, write it in the unit that was meant, or leave it out.",
    example=Example("warmup_cosine(peak=1e-3, warmup=1, warmup_start=1e-5)", {"total_steps": 10_000}),
    mended=Example("warmup_cosine(peak=1e-3, warmup=100, warmup_start=1e-5)", {"total_steps": 10_000}),
)
def fewer_than_two_steps(facts: PlanFacts) -> Iterator[Remark]:
    short = [phase for phase in facts.phases if phase.moves and _shorter_than_two(phase)]
    if short:
        row, start, end = short[0].row, rate(short[0].first_lr), rate(short[0].end_lr)
        yield Remark(
            "warning",
            f"The {row.name} from {start} to {end} at step {row.first_step:,} lasts one step, so it only shows "
            f"{rate(row.first_lr)}.{and_others(short, 'phase')}",
            "Make it longer, or leave it out." + (' Did you mean "1ep"?' if facts.per_epoch else ""),
            row,
        )
    for part, lasting in facts.lasting_parts:
        floors = isinstance(part, Phase) and part.duration.floor
        if floors and isinstance(lasting, Phase) and lasts_none(lasting.duration, facts.plan.run):
            yield Remark(
                "warning",
                f"{part!r} lasts less than a step in this run, and as a floor it is left out.",
                "Make it longer, or leave it out.",
            )
            return


def _shorter_than_two(phase: SeenPhase) -> bool:
    """Whether it lasts one step as a whole, not only where a section cuts it; in a cycle, hardly more than one."""
    length = phase.written.length
    if length is None or length >= 2:
        return False
    return phase.row.steps == 1 and (length == 1 or len(phase.part.cycles_in_run) > 0)


@rule(
    "K011",
    "An endpoint is never reached",
    severity="warning",
    why="`endpoint=True` says that the phase's last step uses the end value exactly. Where that step lies outside the "
    "run, or outside the section of the phase, no update ever uses it. One step too many is a common miscount: steps "
    "are counted from 0.",
    fix="Make the phase end with the run, or leave out `endpoint`.",
    example=Example("Schedule(linear(1001, start=0.001, to=0.0, endpoint=True))", {"total_steps": 1000}),
    mended=Example("Schedule(linear(1000, start=0.001, to=0.0, endpoint=True))", {"total_steps": 1000}),
)
def endpoint_never_reached(facts: PlanFacts) -> Iterator[Remark]:
    rows = (_last_row(part, facts.total) for part in facts.parts)
    missed = [row for row in rows if row is not None and row.endpoint and _misses_its_end(facts, row)]
    if missed:
        row = missed[0]
        stop = row.stop if facts.total is None else min(row.stop, facts.total)
        yield Remark(
            "warning",
            f"The endpoint of the {row.name} from step {row.first_step:,} on is never reached: "
            f"{rate(row.clock.to)} would be the rate of step {row.end_step:,}, and its last step is {stop - 1:,}."
            f"{and_others(missed, 'phase')}",
            f"Make the {row.name} shorter by {counted(f'{row.end_step - stop + 1:,}', 'step')}, or leave "
            "out `endpoint`.",
            row,
        )


def _last_row(part: PlannedPart, total: int | None) -> PlannedPhase | None:
    """The phase that may lack its end: the last that is seen; None where the part has no last step."""
    stop = part.stop if total is None else min(part.stop, total)
    return None if stop > MAX_STEPS else part.row_at(stop - 1)


def _misses_its_end(facts: PlanFacts, row: PlannedPhase) -> bool:
    if facts.total is None or row.stop <= facts.total:
        return row.stop <= row.end_step
    if facts.total > row.end_step or (row.cycle is not None and facts.total == row.end_step):
        return False  # in a cycle the last step and the restart after it are what one step more or less decides
    if row.end_lr < row.first_lr:  # a decay of which more is missing is reported as that
        return row.steps is not None and (row.stop - facts.total) * NEARLY <= row.steps
    return not facts.ends_in_warmup


@rule(
    "K014",
    "The rate changes only once an epoch",
    severity="info",
    why="A curve on a clock that ticks in epochs is a staircase. SGDR's formula counts fractions of epochs and changes "
    "the rate with every batch; scripts that step a scheduler once an epoch only approximate it. In a short schedule "
    "the stairs are coarse: a warm-up over 5 epochs then has 5 rates, and the first of them, often 0, lasts an epoch. "
    "The severity is info, as published results may come from such a staircase. Holds, and rates that are multiplied "
    "with a factor once an epoch, are not reported: these are stairs by definition.",
    fix="Leave out the `tick` of the section, and give the phases inside durations in epochs.",
    example=Example(
        'Schedule(section(cosine(90, start=0.1, to=0.0), tick="1ep"))', {"epochs": 90, "steps_per_epoch": 500}
    ),
    mended=Example('Schedule(cosine("90ep", start=0.1, to=0.0))', {"epochs": 90, "steps_per_epoch": 500}),
)
def only_once_an_epoch(facts: PlanFacts) -> Iterator[Remark]:
    if facts.per_epoch is None or facts.per_epoch == 1:
        return
    for phase in facts.phases:
        if phase.moves and phase.written.curve.needs_span and phase.part.tick == facts.per_epoch:
            row = phase.row
            ticks = row.clock.span
            rates = "" if ticks is None or ticks > 20 else f": {counted(f'{float(ticks):g}', 'value')} in all"
            yield Remark(
                "info",
                f"The {row.name} from step {row.first_step:,} on changes only once an epoch, every "
                f"{facts.per_epoch:,} steps{rates}.",
                "For a change with every batch leave out `tick`, and give the phases durations in epochs"
                + (f': "{float(ticks):g}ep".' if ticks is not None else "."),
                row,
            )
            return
