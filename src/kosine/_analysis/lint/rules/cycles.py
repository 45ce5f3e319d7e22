"""Checks of cycles: where the run cuts them, and how short they are."""

from __future__ import annotations

from collections.abc import Iterator

from kosine._analysis.lint.cycle_fit import CycleDecay, decay_ends_around, fitting_cycles
from kosine._analysis.lint.mistaken_units import epochs_as_steps
from kosine._analysis.lint.plan_facts import NEARLY, PlanFacts
from kosine._analysis.lint.rule import Example, Remark, rule
from kosine._analysis.lint.wording import alternatives, counted, rate, sentence
from kosine._core.groups import Cycles
from kosine._core.planned_cycles import PlannedCycles

_FEW_EPOCHS = 5  # a shorter run may well have several cycles in an epoch


@rule(
    "K001",
    "The run ends in the middle of a cycle",
    severity="warning",
    why="A cycle is useful once it is done: until then the rate is high, and so is the loss. The authors of SGDR "
    "(arXiv 1608.03983) recommend the model at the end of the last complete cycle; the training after it is wasted. "
    "Their own setting, T_0=10 and T_mult=2 over 200 epochs, stops 50 epochs into a cycle of 160.",
    fix="Train to the end of a cycle, or choose a first cycle with which the run ends there. Both are computed.",
    example=Example('sgdr(peak=0.05, period="10ep", stretch=2)', {"epochs": 200, "steps_per_epoch": 391}),
    mended=Example('sgdr(peak=0.05, period="40/3ep", stretch=2)', {"epochs": 200, "steps_per_epoch": 391}),
)
def in_the_middle_of_a_cycle(facts: PlanFacts) -> Iterator[Remark]:
    if facts.total is None or any(part.falls for part in facts.later):
        return
    group = facts.cycles_at(facts.total - 1)
    if group is None:
        return
    decay = CycleDecay.of(group)
    if decay is None or any(part is group for _, part, _ in epochs_as_steps(facts)):  # K012 says what is wrong
        return
    cycle = group.cycle_at(facts.total - 1)
    begin, length = group.boundary(cycle), group.boundary(cycle + 1) - group.boundary(cycle)
    done, leaves = group.boundary(cycle, decay.phase + 1), group.boundary(cycle, decay.stop)
    near = length // NEARLY  # a run of whole epochs may miss the end of a cycle by a few steps
    after = near if decay.stop < group.phases_in_cycle else 0  # else a step later is a restart
    if done - near <= facts.total <= leaves + after:
        return
    into, of = facts.of(facts.total - begin, length)
    row = group.row_at(facts.total - 1)
    lowest = min(group.values[2 * decay.phase + 1], group.ceiling.at(cycle))
    yield Remark(
        "warning",
        f"The run ends {into} into a cycle of {of} (cycle #{cycle + 1:,}): its last update has the rate "
        f"{rate(facts.rate_at(facts.total - 1))}, where the cycle goes down to {rate(lowest)}.",
        _mend_cycles(facts, group, decay, cycle, facts.total),
        row,
    )


def _mend_cycles(facts: PlanFacts, group: PlannedCycles, decay: CycleDecay, cycle: int, total: int) -> str:
    ways: list[str] = []
    if not facts.moves_with_the_run and group.section.stop is None:
        ends = [end for end in decay_ends_around(group, decay, total, cycle) if end > group.first_step]
        if ends:
            ways.append(f"end the run after {facts.either(*ends)}")
    periods = [
        f"{_durations(part)} ({counted(f'{count:,}', 'cycle')})"
        for count, part in fitting_cycles(group, decay, total, range(cycle, cycle + 3), facts.units(group.tick))
    ]
    if periods:
        first = "period" if group.phases_in_cycle == 1 else "first cycle"
        ways.append(f"give this run a {first} of {alternatives(periods)}")
    if not ways:
        ways.append("end the run where a cycle ends")
    return sentence(ways)


def _durations(part: Cycles) -> str:
    written = [phase.duration.written() for phase in part.phases]
    return " + ".join(f'"{text}"' if isinstance(text, str) else str(text) for text in written)


@rule(
    "K009",
    "A cycle is shorter than an epoch",
    severity="warning",
    why="In less than an epoch the model does not see all data once between two restarts, so it cannot converge. SGDR "
    "(arXiv 1608.03983) uses first cycles of 1 to 200 epochs, and cyclical rates (arXiv 1506.01186) half cycles of 2 "
    "to 10. Runs of fewer than 5 epochs are not reported, nor are cycles that only hold values.",
    fix="Make the cycle an epoch or more.",
    example=Example("sgdr(peak=0.05, period=250)", {"epochs": 20, "steps_per_epoch": 500}),
    mended=Example('sgdr(peak=0.05, period="5ep")', {"epochs": 20, "steps_per_epoch": 500}),
)
def cycle_shorter_than_an_epoch(facts: PlanFacts) -> Iterator[Remark]:
    if facts.per_epoch is None or (facts.epochs is not None and facts.epochs < _FEW_EPOCHS):
        return
    per_epoch = facts.per_epoch
    short = [group for group in facts.cycles if group.offsets[-1] * group.tick < per_epoch and group.moves]
    mistaken = [part for _, part, _ in epochs_as_steps(facts)] if short else []  # K012 says what is wrong
    for group in short:
        if not any(group is part for part in mistaken):
            length = float(group.offsets[-1] * group.tick)
            yield Remark(
                "warning",
                f"The first cycle lasts {length:,.6g} steps, less than an epoch of {per_epoch:,}.",
                f'Make it an epoch or more: "1ep" is {per_epoch:,} steps.',
                group.first_row(),
            )
            return
