"""What the steps of a scheduler are: updates, or the tokens or samples of updates, which only the run knows."""

from __future__ import annotations

from typing import Literal

from kosine._core.arguments import read_integer
from kosine._core.schedule import Plan
from kosine.errors import ArgumentError, PlanError, TrainingError

Count = Literal["steps", "tokens", "samples"]

A_STEP: dict[str, str] = {"tokens": "tokens_per_step", "samples": "samples_per_step"}
"""The sizes of a step that are 1 where a step of the plan is a token, or a sample."""


def read_count(value: object) -> Count:
    if value == "steps" or value == "tokens" or value == "samples":
        return value
    raise ArgumentError(argument="count", rule='"steps", "tokens" or "samples"', received=value)


def check_steps(plan: Plan, argument: str, count: Count) -> None:
    """Refuse a plan whose steps are not what is counted."""
    if count != "steps" and getattr(plan.run, A_STEP[count]) != 1:
        raise PlanError(
            f'With count="{count}" a step of the plan is one of the {count}.',
            received={argument: plan},
            fix=f"Plan it so: `schedule.plan(total_steps=..., {A_STEP[count]}=1)`, where `total_steps` is the number "
            f"of {count} of the run.",
        )


def read_amount(count: Count, tokens: object, samples: object) -> int:
    """By how many steps of the plan an update goes on."""
    given = {name: number for name, number in (("tokens", tokens), ("samples", samples)) if number is not None}
    if count in given and len(given) == 1:
        return read_integer(given[count], count, "an integer >= 0", at_least=0, error=ArgumentError)
    if count == "steps":
        name = next(iter(given))
        raise TrainingError(
            "This PlanLR counts updates: each `step()` is one, whatever it was made of.",
            received=given,
            fix=f'To count {name}, build it with PlanLR(..., count="{name}"), and a plan whose steps are {name}.',
        )
    raise TrainingError(
        f"This PlanLR counts {count}, and `step` must say how many an update has had.",
        received=given or {count: None},
        fix=f"Call `scheduler.step({count}=n)`. Trainers that call `step()` themselves, such as Hugging Face's "
        f"Trainer, Lightning and accelerate, do not say it: count steps there, and plan with the mean "
        f"`{A_STEP[count]}`.",
    )


def refuse_a_place(count: Count, place: object) -> None:
    """Refuse `step(n)`: does it go to n, or on by n?"""
    raise TrainingError(
        f"This PlanLR counts {count}: whether `step(n)` goes to n or on by n is unclear.",
        received={"epoch": place},
        fix=f"To go on, call `scheduler.step({count}=n)`. To go to a place, set `scheduler.last_epoch = n` and call "
        f"`scheduler.step({count}=0)`.",
    )


def check_state(count: Count, saved: object) -> None:
    """Refuse a state that counts something else."""
    if saved != count:
        raise TrainingError(
            f"The state counts {saved}, and this PlanLR counts {count}.",
            received={"count": saved},
            fix=f"Build it with `count={saved!r}` and a plan whose steps are that. To go to a place that you know, set "
            "`scheduler.last_epoch`, and call `step` once.",
        )
