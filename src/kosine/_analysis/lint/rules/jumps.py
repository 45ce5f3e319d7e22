"""Checks of where the rate jumps."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from kosine._analysis.lint.plan_facts import NEARLY, PlanFacts, SeenPhase
from kosine._analysis.lint.rule import Example, Remark, rule
from kosine._analysis.lint.wording import and_others, rate


@rule(
    "K005",
    "The rate jumps up where nothing restarts",
    severity="warning",
    why="A restart is a jump up on purpose. Anywhere else a jump up most often comes from a value that was changed in "
    "one phase and not in the next. The sudden high rate can undo what was learned, or make the training diverge. Not "
    "reported are: the start of a new cycle; a phase after a decay that goes back to no more than the highest rate "
    "before, which is a restart written by hand; a low rate that is held at the start, the constant warm-up of arXiv "
    "1512.03385; and jumps of less than 1 % of the peak.",
    fix="Leave out the `start` of the later phase: it then begins where the last one ended.",
    example=Example(
        'Schedule(cosine("90ep", start=0.1, to=1e-4), hold(start=0.01))',
        {"epochs": 100, "steps_per_epoch": 500},
    ),
    mended=Example('Schedule(cosine("90ep", start=0.1, to=1e-4), hold())', {"epochs": 100, "steps_per_epoch": 500}),
)
def jump_up(facts: PlanFacts) -> Iterator[Remark]:
    highest = 0.0
    jumps: list[tuple[float, SeenPhase]] = []
    for before, phase in pairwise(facts.phases):
        highest = max(highest, before.first_lr, before.end_lr)
        end = before.end_lr if before.part is phase.part else before.part.last_row.end_lr
        step, start = phase.row.first_step, phase.row.first_lr  # a section may skip the beginning of a cycle
        if (start - end) * NEARLY <= facts.peak or start <= end:
            continue
        shown = facts.rate_at(step - 1) if step else end  # a short decay does not come to its end
        if (facts.rate_at(step) - shown) * NEARLY <= facts.peak:
            continue
        if not _restarts(before, phase, highest) and not _constant_warmup(facts, before):
            jumps.append((shown, phase))
    if jumps:
        before_it, phase = jumps[0]
        row = phase.row
        first = facts.rate_at(row.first_step)
        yield Remark(
            "warning",
            f"The rate jumps from {rate(before_it)} up to {rate(first)} at step {row.first_step:,}, where the "
            f"{row.name} begins, and nothing restarts there.{and_others(jumps, 'jump')}",
            f"Let the phase before end at {rate(first)}, or leave out the `start` of the {row.name}, and it begins "
            "where that one ends.",
            row,
        )


def _restarts(before: SeenPhase, phase: SeenPhase, highest: float) -> bool:
    """Whether a jump after a decay begins a phase like one before it."""
    return before.falls and phase.first_lr <= highest and (phase.moves or phase.first_lr == highest)


def _constant_warmup(facts: PlanFacts, before: SeenPhase) -> bool:
    """Whether what comes before a jump is a low rate at the start of the run."""
    part = before.part
    if not part.keeps_one_value or part.first_step != 0:
        return False
    return facts.total is None or part.stop <= facts.longest_warmup * facts.total
