"""Which numbers of steps were most likely meant as epochs."""

from __future__ import annotations

from kosine._analysis.lint.plan_facts import PlanFacts
from kosine._core.groups import Cycles
from kosine._core.phase import Phase
from kosine._core.timeline import PlannedPart

_SMALL_PART = 20  # a curve of less than this part of an epoch ...
_TINY_PART = 100  # ... and of the run is hardly meant: 5 steps of warm-up in a run of 50 epochs


def epochs_as_steps(facts: PlanFacts) -> list[tuple[Phase | Cycles, PlannedPart, int]]:
    """Parts whose number of steps is most likely one of epochs, with that number."""
    if facts.epochs is None or facts.per_epoch is None or facts.total is None:
        return []
    found = _as_long_as_the_run(facts)
    if found:
        return found
    for part, planned in facts.written_parts:
        steps = whole_number(part, "st")
        if steps is None or (isinstance(part, Phase) and not planned.moves):
            continue
        if steps >= facts.per_epoch and planned.moves:
            return []  # this curve is meant in steps, so the others are, too
        most = facts.per_epoch - 1 if isinstance(part, Cycles) else facts.per_epoch // _SMALL_PART
        if 2 <= steps <= most and steps <= facts.epochs and steps * _TINY_PART <= facts.total:
            found.append((part, planned, steps))
    return found


def _as_long_as_the_run(facts: PlanFacts) -> list[tuple[Phase | Cycles, PlannedPart, int]]:
    """The first parts, where they last as many steps together as the run has epochs; holds may last half as many.

    For example linear(5), cosine(45) in a run of 50 epochs.
    """
    assert facts.epochs is not None
    assert facts.per_epoch is not None
    if facts.per_epoch < _SMALL_PART:
        return []
    found: list[tuple[Phase | Cycles, PlannedPart, int]] = []
    done = 0
    for part, planned in facts.written_parts:
        steps = whole_number(part, "st")
        if steps is None:
            if part is facts.written_parts[-1][0] and isinstance(part, Phase) and part.duration.amount is None:
                break  # the rest
            return []
        found.append((part, planned, steps))
        if isinstance(part, Cycles) and facts.epochs in {whole_number(phase, "st") for phase in part.phases}:
            return found
        done += steps
        if done > facts.epochs:
            return []
        if done == facts.epochs:
            return found if planned.falls or not planned.moves else []
    held = all(isinstance(part, Phase) and not planned.moves for part, planned, _ in found)
    return found if held and facts.epochs <= 2 * done else []


def whole_number(part: Phase | Cycles, unit: str) -> int | None:
    """The duration of a phase or a cycle as it is written in this unit; None in another unit, and for a fraction."""
    if isinstance(part, Phase):
        amount = part.duration.amount if part.duration.unit == unit and not part.duration.until else None
        return None if amount is None or amount.denominator != 1 else int(amount)
    durations = [phase.duration for phase in part.phases]
    amounts = [duration.amount for duration in durations if duration.unit == unit and duration.amount is not None]
    if len(amounts) < len(durations) or any(amount.denominator != 1 for amount in amounts):
        return None
    return sum(map(int, amounts))
