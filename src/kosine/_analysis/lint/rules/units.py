"""Checks of how long things last: phases and cycles that are too short, and one unit taken for another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kosine._analysis.lint.context import Case, Piece, falls, first_row, lasts_none, moves
from kosine._analysis.lint.rule import Example, Remark, rule
from kosine._analysis.lint.wording import and_others, counted, rate
from kosine._core.durations import Duration
from kosine._core.groups import Cycles
from kosine._core.phase import Phase
from kosine._core.timeline import Block, Group

_FEW_EPOCHS = 5  # a shorter run may well have several cycles in an epoch
_SMALL_PART = 20  # n steps that are less than this part of an epoch ...
_TINY_PART = 100  # ... and than this part of the run are hardly meant as steps
_MANY_TIMES = 10  # so many epochs more than the run has are hardly meant as epochs
_MOST_EPOCHS = 1000
_FEW_STEPS = 300  # a run of no more may be one of epochs
_MOST_WRITTEN = 3  # parts that a fix writes out
_LARGEST_PRIME_TYPED = 7  # numbers that people type have no other prime factors than up to this


@rule(
    "K009",
    "A cycle is shorter than an epoch",
    severity="warning",
    why="Within less than an epoch the model has not even seen all data once between two restarts, so there is "
    "nothing to converge to. SGDR (arXiv 1608.03983) uses first cycles of 1 to 200 epochs, and cyclical rates "
    "(arXiv 1506.01186) half cycles of 2 to 10. Runs of fewer than 5 epochs are not reported, nor are cycles that "
    "only hold values.",
    fix="Make the cycle an epoch or more.",
    example=Example("sgdr(peak=0.05, period=250)", {"epochs": 20, "steps_per_epoch": 500}),
    mended=Example('sgdr(peak=0.05, period="5ep")', {"epochs": 20, "steps_per_epoch": 500}),
)
def cycle_shorter_than_an_epoch(case: Case) -> Iterator[Remark]:
    if case.per_epoch is None or (case.epochs is not None and case.epochs < _FEW_EPOCHS):
        return
    short = [
        group
        for group in case.blocks
        if isinstance(group, Group) and group.offsets[-1] * group.view.tick < case.per_epoch and moves(group)
    ]
    mistaken = [block for _, block, _ in epochs_as_steps(case)] if short else []  # K012 says what is wrong
    for group in short:
        if not any(group is block for block in mistaken):
            length = float(group.offsets[-1] * group.view.tick)
            yield Remark(
                "warning",
                f"The first cycle lasts {length:,.6g} steps, less than an epoch of {case.per_epoch:,}.",
                f'Make it an epoch or more: "1ep" is {case.per_epoch:,} steps.',
                first_row(group),
            )
            return


@rule(
    "K010",
    "A phase has fewer than two steps",
    severity="warning",
    why="A curve of one step has no course: that step has the value that it starts from (with `endpoint` the one that "
    "it ends at). A warm-up of one step from 0 is one wasted batch and no warm-up. As a rule a length was meant "
    'in another unit, or a share of a short run has rounded down to nothing, such as `"floor 5%"`. Holds are not '
    "reported.",
    fix="Make it longer, write it in the unit that was meant, or leave it out.",
    example=Example("warmup_cosine(peak=1e-3, warmup=1, warmup_start=1e-5)", {"total_steps": 10_000}),
    mended=Example("warmup_cosine(peak=1e-3, warmup=100, warmup_start=1e-5)", {"total_steps": 10_000}),
)
def fewer_than_two_steps(case: Case) -> Iterator[Remark]:
    rows = [piece for piece in case.pieces if piece.moves and _shorter_than_two(piece)]
    if rows:
        row, start, end = rows[0].row, rate(rows[0].first_lr), rate(rows[0].end_lr)
        yield Remark(
            "warning",
            f"The {row.name} from {start} to {end} at step {row.first_step:,} lasts one step, so it only shows "
            f"{rate(row.first_lr)}.{and_others(rows, 'phase')}",
            "Make it longer, or leave it out." + (' Did you mean "1ep"?' if case.per_epoch else ""),
            row,
        )
    for part in case.plan.schedule.parts:
        if isinstance(part, Phase) and part.duration.floor and lasts_none(part.duration, case.plan.run):
            yield Remark(
                "warning",
                f"{part!r} lasts less than a step in this run, and as a floor it is left out.",
                "Make it longer, or leave it out.",
            )
            return


def _shorter_than_two(piece: Piece) -> bool:
    block = piece.block
    if isinstance(block, Group):
        length = (block.offsets[piece.number + 1] - block.offsets[piece.number]) * block.view.tick
        return length == 1 or (length < 2 and piece.row.steps == 1)
    return block.steps == 1 and (block.own_clock is None or block.own_clock.span == 1)


def epochs_as_steps(case: Case) -> list[tuple[Phase | Cycles, Block, int]]:
    """Parts whose number of steps is most likely one of epochs, with that number."""
    if case.epochs is None or case.per_epoch is None or case.total is None:
        return []
    found = _as_long_as_the_run(case)
    if found:
        return found
    for part, block in case.parts:
        steps = _whole(part, "st")
        if steps is None or (isinstance(part, Phase) and not moves(block)):
            continue
        if steps >= case.per_epoch and moves(block):
            return []  # whoever wrote this knows the steps of an epoch
        most = case.per_epoch - 1 if isinstance(part, Cycles) else case.per_epoch // _SMALL_PART
        if 2 <= steps <= most and steps <= case.epochs and steps * _TINY_PART <= case.total:
            found.append((part, block, steps))
    return found


def _as_long_as_the_run(case: Case) -> list[tuple[Phase | Cycles, Block, int]]:
    """Leading parts whose steps add up to the run's number of epochs, or holds that alone are timed, to most of it."""
    assert case.epochs is not None
    assert case.per_epoch is not None
    if case.per_epoch < _SMALL_PART:
        return []
    found: list[tuple[Phase | Cycles, Block, int]] = []
    done = 0
    for part, block in case.parts:
        steps = _whole(part, "st")
        if steps is None:
            if part is case.parts[-1][0] and isinstance(part, Phase) and part.duration.amount is None:
                break  # the rest
            return []
        found.append((part, block, steps))
        if isinstance(part, Cycles) and case.epochs in {_whole(phase, "st") for phase in part.phases}:
            return found
        done += steps
        if done > case.epochs:
            return []
        if done == case.epochs:
            return found if falls(block) or not moves(block) else []
    held = all(isinstance(part, Phase) and not moves(block) for part, block, _ in found)
    return found if held and case.epochs <= 2 * done else []


def _whole(part: Phase | Cycles, unit: str) -> int | None:
    """How long a phase, or the first cycle of a group, was said to be in this unit; None for another or a fraction."""
    if isinstance(part, Phase):
        amount = part.duration.amount if part.duration.unit == unit else None
        return None if amount is None or amount.denominator != 1 else int(amount)
    durations = [phase.duration for phase in part.phases]
    amounts = [duration.amount for duration in durations if duration.unit == unit and duration.amount is not None]
    if len(amounts) < len(durations) or any(amount.denominator != 1 for amount in amounts):
        return None
    return sum(map(int, amounts))


def _in_unit(part: Phase | Cycles, unit: str) -> str:
    """The part with the same numbers in another unit, as it is written."""
    if isinstance(part, Phase):
        return repr(replace(part, duration=Duration(unit, part.duration.amount)))
    if len(part.phases) > 4:
        return "the same numbers with that unit"
    return repr(
        replace(
            part, phases=tuple(replace(phase, duration=Duration(unit, phase.duration.amount)) for phase in part.phases)
        )
    )


def _in_a_recipe(part: Phase | Cycles, block: Block) -> str:
    """The argument of a recipe that becomes such a part, in epochs; "" where there is none."""
    if isinstance(part, Phase):
        duration, argument = part.duration, "" if falls(block) or block.first_step else "warmup"
    else:
        duration, argument = part.phases[0].duration, "period" if moves(block) else "every"
        if len(part.phases) > 1:
            return ""
    return f'{argument}="{Duration("ep", duration.amount).written()}"' if argument else ""


@rule(
    "K012",
    "A number of steps looks like a number of epochs",
    severity="warning; info where it is the length of the run and the steps of an epoch are not known",
    why="A number without a unit is a number of steps. A warm-up of 5 in a run of 50 epochs of 788 steps is over "
    "before it has begun. Reported is strong evidence only: a curve of n steps, n at most the number of epochs of "
    "the run, a 20th of one epoch and a 100th of the run, or a first cycle of n steps, n at most the number of epochs "
    "and a 100th of the run, and less than an epoch, in a schedule that has no curve of at least an epoch given in "
    "steps; first phases, or a phase of a cycle, that last as many steps as the run has epochs, and holds that last at "
    "least half as many; and a whole run of at most 1,000 steps that is less than a tenth of one epoch. Where the "
    "steps of an epoch are not known, a run of at most 300 steps is worth a second look.",
    fix='Write epochs as epochs: `"5ep"`; plan with `epochs=` and `steps_per_epoch=`.',
    example=Example("warmup_cosine(peak=1e-3, warmup=5, warmup_start=1e-5)", {"epochs": 50, "steps_per_epoch": 788}),
    mended=Example('warmup_cosine(peak=1e-3, warmup="5ep", warmup_start=1e-5)', {"epochs": 50, "steps_per_epoch": 788}),
)
def steps_that_look_like_epochs(case: Case) -> Iterator[Remark]:
    mistaken = epochs_as_steps(case)
    if mistaken:
        part, block, steps = mistaken[0]
        what = "first cycle" if isinstance(part, Cycles) else part.curve.name
        written = [_in_unit(other, "ep") for other, _, _ in mistaken[:_MOST_WRITTEN]]
        recipe = [text for other, block, _ in mistaken[:_MOST_WRITTEN] if (text := _in_a_recipe(other, block))]
        yield Remark(
            "warning",
            f"The {what} lasts {counted(f'{steps:,}', 'step')} of a run of {case.time(case.total or 0)}, each of "
            f"{case.per_epoch:,} steps.{and_others(mistaken, 'part')}",
            f"If epochs were meant, write {' and '.join(written)}{' and so on' * (len(mistaken) > _MOST_WRITTEN)}"
            f"{', in a recipe ' * bool(recipe)}{' and '.join(recipe)}.",
            first_row(block),
        )
    if case.per_epoch and case.total and case.total <= _MOST_EPOCHS and case.total * 10 <= case.per_epoch:
        yield Remark(
            "warning",
            f"The run lasts {counted(f'{case.total:,}', 'step')}, less than a tenth of an epoch of {case.per_epoch:,}.",
            f"If {counted(f'{case.total:,}', 'epoch')} were meant, plan with epochs={case.total} and "
            f"steps_per_epoch={case.per_epoch}: {case.total * case.per_epoch:,} steps.",
        )
    if case.per_epoch is None and case.total and case.total <= _FEW_STEPS and not case.counts_data:
        steps_of_run = counted(f"{case.total:,}", "step")
        yield Remark(
            "info",
            f"The run lasts {steps_of_run}. A step is one training batch.",
            f"If these are epochs, plan with epochs={case.total} and steps_per_epoch=...",
        )


@rule(
    "K013",
    "A number of epochs looks like a number of steps",
    severity="warning",
    why="The other way round a run gets hundreds of times too long, or a phase longer than any run. Reported is "
    "strong evidence only: a phase or a cycle of at least ten times as many epochs as the run has, whose number "
    "fits the run as steps; and a number of epochs that is a multiple of the steps per epoch where these are no "
    "number that people type (they have a prime factor above 7, as 788 = 4 * 197 has), so that it was surely "
    "computed as steps.",
    fix="Write steps without a unit: `500`; plan with `total_steps=`.",
    example=Example(
        'warmup_cosine(peak=1e-3, warmup="5%", warmup_start=1e-6)', {"epochs": 39_400, "steps_per_epoch": 788}
    ),
    mended=Example(
        'warmup_cosine(peak=1e-3, warmup="5%", warmup_start=1e-6)', {"total_steps": 39_400, "steps_per_epoch": 788}
    ),
)
def epochs_that_look_like_steps(case: Case) -> Iterator[Remark]:
    if case.epochs is None or case.total is None or case.per_epoch is None:
        return
    for part, block in case.parts:
        epochs = _whole(part, "ep")
        if epochs is not None and case.epochs * _MANY_TIMES <= epochs <= case.total:
            what = "first cycle" if isinstance(part, Cycles) else part.curve.name
            yield Remark(
                "warning",
                f"The {what} lasts {counted(f'{epochs:,}', 'epoch')}, in a run of {case.time(case.total)}.",
                f"If {counted(f'{epochs:,}', 'step')} were meant, write {_in_unit(part, 'st')}.",
                first_row(block),
            )
            return
    epochs = case.total // case.per_epoch
    times = epochs // case.per_epoch
    exact = case.total == epochs * case.per_epoch and epochs == times * case.per_epoch
    if exact and times >= 2 and case.per_epoch >= 50 and not _typed(case.per_epoch):
        yield Remark(
            "warning",
            f"The run lasts {epochs:,} epochs, exactly {times:,} times the {case.per_epoch:,} steps of an epoch.",
            f"If {epochs:,} steps were meant, plan with total_steps={epochs}, or epochs={times}.",
        )


def _typed(number: int) -> bool:
    """Whether a number is one that people choose: round in tens, twelves, sixteens or sevens."""
    for prime in (2, 3, 5, _LARGEST_PRIME_TYPED):
        while number % prime == 0:
            number //= prime
    return number == 1


@rule(
    "K014",
    "The rate changes only once an epoch",
    severity="info",
    why="A curve on a clock that ticks in epochs is a staircase: SGDR's formula counts fractions of epochs and is "
    "updated with every batch, and the scripts that step a scheduler once an epoch only approach it. In a short "
    "schedule the steps are coarse: a warm-up over 5 epochs then has 5 rates, and the first of them, often 0, "
    "lasts an epoch. It is info, as the results of others may have been made just so. Not reported are holds, and "
    "rates that are multiplied with a factor once an epoch: these are stairs by definition.",
    fix="Leave out the `tick` of the section, and give the phases inside durations in epochs.",
    example=Example(
        'Schedule(section(cosine(90, start=0.1, to=0.0), tick="1ep"))', {"epochs": 90, "steps_per_epoch": 500}
    ),
    mended=Example('Schedule(cosine("90ep", start=0.1, to=0.0))', {"epochs": 90, "steps_per_epoch": 500}),
)
def only_once_an_epoch(case: Case) -> Iterator[Remark]:
    if case.per_epoch is None or case.per_epoch == 1:
        return
    for piece in case.pieces:
        if piece.moves and piece.curve.needs_span and _tick(piece.block) == case.per_epoch:
            row = piece.row
            ticks = row.clock.span
            rates = "" if ticks is None or ticks > 20 else f": {counted(f'{float(ticks):g}', 'value')} in all"
            yield Remark(
                "info",
                f"The {row.name} from step {row.first_step:,} on changes only once an epoch, every "
                f"{case.per_epoch:,} steps{rates}.",
                "For a change with every batch leave out `tick`, and give the phases durations in epochs"
                + (f': "{float(ticks):g}ep".' if ticks is not None else "."),
                row,
            )
            return


def _tick(block: Block) -> int:
    if isinstance(block, Group):
        return block.view.tick
    return 1 if block.own_clock is None else block.own_clock.tick
