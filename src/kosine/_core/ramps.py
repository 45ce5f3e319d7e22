"""Samples or tokens a step that change in the run, such as a batch that grows: counts to steps and back, exactly."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any, Protocol, TypeVar

from kosine._core.arguments import read_count_or_none, read_index, read_integer, read_list
from kosine._core.numbers import MAX_STEPS, whole_number
from kosine.errors import ArgumentTypeError, Described, Name, PlanError


class Scheduled(Protocol):
    """A schedule, whose values are here what a step takes."""

    @property
    def parts(self) -> tuple[Any, ...]: ...


PerStepLike = int | str | Sequence[tuple[int | str, int]] | Scheduled
"""What `samples_per_step` and `tokens_per_step` may be written as: a number, the stages of a ramp, or a schedule."""

_MOST_STEPS = 10**6  # of a slope of sizes, each of which is looked at

Number = TypeVar("Number", int, Fraction)

_RULE = "an integer >= 1, a list of pairs, such as [(0, 65_536), (4_000_000_000, 131_072)], or a Schedule"


@dataclass(frozen=True, slots=True)
class Ramp:
    """Stages of a run, each with its own number of samples or tokens in a step.

    A step that begins at the count c takes the amount of the last stage whose beginning is at most c, as Megatron's
    `--rampup-batch-size` does: a step that goes over a boundary keeps the amount that it began with.

    Attributes:
        stages: the count that each stage begins at, the first at 0, and what a step takes from there on.
        counts: the count at the first step of each stage, at or after the count that it begins at.
        steps: the first step of each stage; that of the next where a step goes over the whole of it.
    """

    stages: tuple[tuple[int, int], ...]
    counts: tuple[int, ...] = field(init=False, repr=False, compare=False)
    steps: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        count = step = 0
        counts, steps = [0], [0]
        for (_, amount), (stop, _) in pairwise(self.stages):
            if count < stop:
                taken = -((count - stop) // amount)
                step += taken
                count += taken * amount
            counts.append(count)
            steps.append(step)
        object.__setattr__(self, "counts", tuple(counts))
        object.__setattr__(self, "steps", tuple(steps))

    def stage_at(self, step: int | Fraction) -> int:
        """The number of the stage that a step belongs to."""
        return max(0, bisect_right(self.steps, step) - 1)

    def count_at(self, step: Number) -> Number:
        """How much the steps before `step` have taken together; inside a step it grows evenly."""
        stage = self.stage_at(step)
        return self.counts[stage] + (step - self.steps[stage]) * self.stages[stage][1]

    def steps_of(self, count: Fraction) -> Fraction:
        """The position, in steps, at which so much has been taken."""
        stage = max(0, bisect_right(self.counts, count) - 1)
        return self.steps[stage] + (count - self.counts[stage]) / Fraction(self.stages[stage][1])

    def written(self) -> list[tuple[int, int]]:
        """The list that `read_per_step` turns back into this ramp."""
        return list(self.stages)


def count_at(step: int | Fraction, per_step: int | Ramp) -> Fraction:
    """How many samples or tokens the steps before `step` take together."""
    return per_step.count_at(Fraction(step)) if isinstance(per_step, Ramp) else Fraction(step) * per_step


def steps_of(count: int | Fraction, per_step: int | Ramp) -> Fraction:
    """The position of a count of samples or tokens, in steps; the step after the last that it needs is its ceiling."""
    return per_step.steps_of(Fraction(count)) if isinstance(per_step, Ramp) else Fraction(count) / per_step


def read_per_step(value: object, argument: str) -> int | Ramp | None:
    """What a step takes: a number, or the stages of a ramp.

    Raises:
        PlanError: no stage, a first one that does not begin at 0, one that begins at or before the one before it, or a
            number below 1.
        ArgumentTypeError: neither an integer nor a list of pairs.
    """
    if isinstance(value, Ramp):
        return value
    if hasattr(value, "parts") and hasattr(value, "plan"):
        return _ramp_of_schedule(value, argument)
    if isinstance(value, str) and "(" in value:
        fix = "Read the text first: `ks.parse(text)`."
        raise ArgumentTypeError(argument=argument, rule=_RULE, received=value, fix=fix)
    if value is None or isinstance(value, str | float) or read_index(value) is not None:
        return read_count_or_none(value, argument)
    pairs = read_list(value, argument, "pairs, such as [(0, 65_536), (4_000_000_000, 131_072)]")
    stages = [_read_stage(pair, argument, number) for number, pair in enumerate(pairs)]
    if not stages or stages[0][0] != 0:
        rule = "a list of stages, the first of which begins at 0"
        raise PlanError(argument=argument, rule=rule, received=value, fix="Begin with (0, amount).")
    for number, ((earlier, _), (later, _)) in enumerate(pairwise(stages), start=1):
        if later <= earlier:
            received = Described(f"{later:,} after {earlier:,}")
            raise PlanError(argument=f"{argument}[{number}]", rule="after the stage before it", received=received)
    return _ramp(stages)


def _ramp_of_schedule(schedule: Any, argument: str) -> int | Ramp:
    """The stages of a schedule whose values are what a step takes, rounded to whole samples or tokens.

    A hold is one stage. In any other phase each step has a stage of its own, where it takes another amount.
    """
    plan = schedule.plan(samples_per_step=1, tokens_per_step=1)  # its steps are counts
    if plan.total_steps is None and plan.phases[-1].steps is not None:
        rule = "a schedule without endless cycles"
        raise PlanError(argument=argument, rule=rule, received=schedule)
    stages: list[tuple[int, int]] = []
    count = looked_at = 0
    for row in (*plan.phases, plan.after):
        count = max(count, row.first_step)
        while count < row.stop:
            begin = row.first_step if row.curve.keeps_value else count
            amount = _whole_amount(plan(count), argument, count)
            if not stages or stages[-1][1] != amount:
                stages.append((begin, amount))
            if row.steps is None:
                return _ramp(stages)
            count += amount * (-((count - row.stop) // amount) if row.curve.keeps_value else 1)
            if (looked_at := looked_at + 1) > _MOST_STEPS:
                rule = f"a schedule with at most {_MOST_STEPS:,} steps on its slopes"
                fix = "Give the stages of a staircase, or `ks.batch_ramp(...)`."
                raise PlanError(argument=argument, rule=rule, received=schedule, fix=fix)
    return _ramp(stages)


def _whole_amount(value: float, argument: str, count: int) -> int:
    amount = math.floor(value + 0.5)
    if not 1 <= amount <= MAX_STEPS:
        received = Described(f"{value:g} from count {count:,} on")
        raise PlanError(argument=argument, rule="at least 1 at each step", received=received)
    return amount


def _ramp(stages: list[tuple[int, int]]) -> int | Ramp:
    return Ramp(tuple(stages)) if len(stages) > 1 else stages[0][1]


def _read_stage(pair: object, argument: str, number: int) -> tuple[int, int]:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        rule = 'a pair of a count and of what a step takes from there on, such as ("4B", 131_072)'
        raise ArgumentTypeError(argument=f"{argument}[{number}]", rule=rule, received=pair)
    begin, amount = pair
    if type(begin) is int and type(amount) is int and 0 <= begin <= MAX_STEPS and 0 < amount <= MAX_STEPS:
        return begin, amount
    name = f"{argument}[{number}]"
    return read_amount(begin, name), read_integer(amount, name, "an integer >= 1", at_least=1, error=PlanError)


def read_amount(value: object, argument: str, *, at_least: int = 0) -> int:
    """A whole number of samples or tokens: an integer, or a text such as "4B" or "1.5Mtok"."""
    rule = f'an integer >= {at_least}, or a text such as "4B"'
    if isinstance(value, str):
        number = whole_number(value.removesuffix("tok").removesuffix("sp"))
        if number is None:
            raise PlanError(argument=argument, rule=rule, received=value)
        value = number
    return read_integer(value, argument, rule, at_least=at_least, error=PlanError)


def batch_ramp(*, start: int, to: int, over: int | str, increment: int) -> list[tuple[int, int]]:
    """The stages of a batch that grows evenly, for `samples_per_step` or `tokens_per_step` of `Schedule.plan`.

    Stage i = 0, 1, ..., n begins at the count i over / n, rounded up, and takes start + i increment, where n is
    (to - start) / increment. Megatron-LM's `--rampup-batch-size start increment over` with `--global-batch-size to`
    makes the same batches.

    Args:
        start: what the first step takes, in samples or tokens.
        to: what a step takes after the ramp.
        over: how long the ramp lasts, in samples or tokens; a text such as "12B" is one, too.
        increment: how much a stage takes more than the one before it; `to` is a whole number of increments above
            `start`.

    Raises:
        PlanError: a number below 1, an end at or below the start, an increment that does not lead from one to the
            other, or a ramp so short that two stages begin at one count.
        ArgumentTypeError: a value that is not an integer.

    Source: Megatron-LM, megatron/core/num_microbatches_calculator.py.

    Example:
        >>> import kosine as ks
        >>> ks.batch_ramp(start=32, to=128, over=300_000, increment=32)
        [(0, 32), (100000, 64), (200000, 96), (300000, 128)]
    """
    counts = {"start": start, "to": to, "increment": increment}
    first, last, more = (
        read_integer(value, name, "an integer >= 1", at_least=1, error=PlanError) for name, value in counts.items()
    )
    length = read_amount(over, "over", at_least=1)
    if last <= first:
        raise PlanError(argument="to", rule=("above ", Name("start")), received={"start": first, "to": last})
    increments, left = divmod(last - first, more)
    if left:
        raise PlanError(
            "A ramp leads from its start to its end in whole increments.",
            received=counts,
            fix=f"End at {last - left:,}, or at {last - left + more:,}.",
        )
    if length < increments:
        rule = f"at least {increments:,}, one for each increment"
        raise PlanError(argument="over", rule=rule, received=over)
    return [(-(-number * length // increments), first + number * more) for number in range(increments + 1)]
