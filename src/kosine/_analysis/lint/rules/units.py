"""Checks of units: steps taken for epochs, and epochs taken for steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kosine._analysis.lint.mistaken_units import epochs_as_steps, whole_number
from kosine._analysis.lint.plan_facts import PlanFacts
from kosine._analysis.lint.rule import Example, Remark, rule
from kosine._analysis.lint.wording import and_others, counted
from kosine._core.durations import Duration
from kosine._core.groups import Cycles
from kosine._core.phase import Phase
from kosine._core.timeline import PlannedPart

_MANY_TIMES = 10  # that many times the epochs of the run are hardly meant as epochs
_MOST_EPOCHS = 1000
_FEW_STEPS = 300  # a run of no more may be one of epochs
_MOST_WRITTEN = 3  # parts that a fix writes out
_LARGEST_PRIME_TYPED = 7  # numbers that people type have no other prime factors than up to this


def _in_unit(part: Phase | Cycles, unit: str) -> str:
    """The part with the same numbers in another unit, as it is written."""
    if isinstance(part, Phase):
        return repr(replace(part, duration=replace(part.duration, unit=unit)))
    if len(part.phases) > 4:
        return "the same numbers with that unit"
    return repr(
        replace(
            part, phases=tuple(replace(phase, duration=Duration(unit, phase.duration.amount)) for phase in part.phases)
        )
    )


def _as_argument(part: Phase | Cycles, planned: PlannedPart) -> str:
    """The argument of a constructor that becomes such a part, in epochs; "" where none does."""
    if isinstance(part, Phase):
        other = planned.falls or planned.first_step or part.duration.until
        duration, argument = part.duration, "" if other else "warmup"
    else:
        duration, argument = part.phases[0].duration, "period" if planned.moves else "every"
        if len(part.phases) > 1:
            return ""
    return f'{argument}="{Duration("ep", duration.amount).written()}"' if argument else ""


@rule(
    "K012",
    "A number of steps looks like a number of epochs",
    severity="warning; info where it is the length of the run and the steps of an epoch are not known",
    why="A number without a unit is a number of steps. A warm-up of 5 in a run of 50 epochs of 788 steps is over after "
    "5 of its 39,400 steps. Only strong evidence is reported. First, in a schedule that has no curve of at least an "
    "epoch given in steps: a curve of at most as many steps as the run has epochs, a 20th of one epoch and a 100th of "
    "the run; or a first cycle shorter than an epoch, of at most as many steps as the run has epochs and a 100th of "
    "the run. Second, first phases, or a phase of a cycle, that last as many steps as the run has epochs, and holds "
    "that last at least half as many. Third, a whole run of at most 1,000 steps that is less than a tenth of one "
    "epoch. Where the steps of an epoch are not known, a run of at most 300 steps is reported as info.",
    fix='Write epochs as epochs: `"5ep"`; plan with `epochs=` and `steps_per_epoch=`.',
    example=Example("warmup_cosine(peak=1e-3, warmup=5, warmup_start=1e-5)", {"epochs": 50, "steps_per_epoch": 788}),
    mended=Example('warmup_cosine(peak=1e-3, warmup="5ep", warmup_start=1e-5)', {"epochs": 50, "steps_per_epoch": 788}),
)
def steps_that_look_like_epochs(facts: PlanFacts) -> Iterator[Remark]:
    mistaken = epochs_as_steps(facts)
    if mistaken:
        part, planned, steps = mistaken[0]
        what = "first cycle" if isinstance(part, Cycles) else part.curve.name
        written = [_in_unit(other, "ep") for other, _, _ in mistaken[:_MOST_WRITTEN]]
        arguments = [text for other, planned, _ in mistaken[:_MOST_WRITTEN] if (text := _as_argument(other, planned))]
        yield Remark(
            "warning",
            f"The {what} lasts {counted(f'{steps:,}', 'step')} of a run of {facts.time(facts.total or 0)}, each of "
            f"{facts.per_epoch:,} steps.{and_others(mistaken, 'part')}",
            f"If epochs were meant, write {' and '.join(written)}{' and so on' * (len(mistaken) > _MOST_WRITTEN)}"
            f"{', in a constructor ' * bool(arguments)}{' and '.join(arguments)}.",
            planned.first_row(),
        )
    total, per_epoch = facts.total, facts.per_epoch
    if per_epoch and total and total <= _MOST_EPOCHS and total * 10 <= per_epoch:
        yield Remark(
            "warning",
            f"The run lasts {counted(f'{total:,}', 'step')}, less than a tenth of an epoch of {per_epoch:,}.",
            f"If {counted(f'{total:,}', 'epoch')} were meant, plan with epochs={total} and "
            f"steps_per_epoch={per_epoch}: {total * per_epoch:,} steps.",
        )
    if per_epoch is None and total and total <= _FEW_STEPS and not facts.counts_data:
        steps_of_run = counted(f"{total:,}", "step")
        yield Remark(
            "info",
            f"The run lasts {steps_of_run}. A step is one training batch.",
            f"If these are epochs, plan with epochs={total} and steps_per_epoch=...",
        )


@rule(
    "K013",
    "A number of epochs looks like a number of steps",
    severity="warning",
    why="With this mistake a run gets hundreds of times too long, or a phase gets longer than any run. Only strong "
    "evidence is reported. First, a phase or a cycle of at least ten times as many epochs as the run has, whose number "
    "fits the run as steps. Second, a number of epochs that is a multiple of the steps per epoch, where these have a "
    "prime factor above 7, as 788 = 4 * 197 has. People do not choose such a number: it was computed as steps.",
    fix="Write steps without a unit: `500`; plan with `total_steps=`.",
    example=Example(
        'warmup_cosine(peak=1e-3, warmup="5%", warmup_start=1e-6)', {"epochs": 39_400, "steps_per_epoch": 788}
    ),
    mended=Example(
        'warmup_cosine(peak=1e-3, warmup="5%", warmup_start=1e-6)', {"total_steps": 39_400, "steps_per_epoch": 788}
    ),
)
def epochs_that_look_like_steps(facts: PlanFacts) -> Iterator[Remark]:
    if facts.epochs is None or facts.total is None or facts.per_epoch is None:
        return
    for part, planned in facts.written_parts:
        epochs = whole_number(part, "ep")
        if epochs is not None and facts.epochs * _MANY_TIMES <= epochs <= facts.total:
            what = "first cycle" if isinstance(part, Cycles) else part.curve.name
            yield Remark(
                "warning",
                f"The {what} lasts {counted(f'{epochs:,}', 'epoch')}, in a run of {facts.time(facts.total)}.",
                f"If {counted(f'{epochs:,}', 'step')} were meant, write {_in_unit(part, 'st')}.",
                planned.first_row(),
            )
            return
    epochs = facts.total // facts.per_epoch
    times = epochs // facts.per_epoch
    exact = facts.total == epochs * facts.per_epoch and epochs == times * facts.per_epoch
    if exact and times >= 2 and facts.per_epoch >= 50 and not _typed(facts.per_epoch):
        yield Remark(
            "warning",
            f"The run lasts {epochs:,} epochs, exactly {times:,} times the {facts.per_epoch:,} steps of an epoch.",
            f"If {epochs:,} steps were meant, plan with total_steps={epochs}, or epochs={times}.",
        )


def _typed(number: int) -> bool:
    """Whether a number is one that people choose: round in tens, twelves, sixteens or sevens."""
    for prime in (2, 3, 5, _LARGEST_PRIME_TYPED):
        while number % prime == 0:
            number //= prime
    return number == 1
