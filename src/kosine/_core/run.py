"""The size of a run: the numbers that turn epochs, shares, samples and tokens into steps."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from kosine._core.arguments import read_count_or_none, read_index, read_number
from kosine._core.numbers import MAX_STEPS, round_half_up
from kosine.errors import Name, PlanError, ScheduleError, shown


@dataclass(frozen=True, slots=True)
class RunSize:
    """What is known of one run: the numbers that turn epochs, fractions, samples and tokens into steps."""

    total_steps: int | None = None
    steps_per_epoch: int | None = None
    samples_per_step: int | None = None
    tokens_per_step: int | None = None


def read_run(
    total_steps: object = None,
    epochs: object = None,
    steps_per_epoch: object = None,
    samples_per_step: object = None,
    tokens_per_step: object = None,
) -> RunSize:
    """The run's size, checked; `epochs` and `steps_per_epoch` give the total."""
    total = read_count_or_none(total_steps, "total_steps")
    per_epoch = read_count_or_none(steps_per_epoch, "steps_per_epoch")
    if epochs is not None:
        rule = "a finite number of epochs > 0"
        try:
            number = read_number(epochs, "epochs", rule)
        except ScheduleError as error:
            raise PlanError(str(error)) from None
        if number <= 0:
            raise PlanError(f"Argument `epochs` must be {rule}. Received: epochs={shown(epochs)}.")
        if per_epoch is None:
            raise PlanError(
                ("Argument ", Name("epochs"), " needs ", Name("steps_per_epoch"), "."),
                received={"epochs": epochs, "steps_per_epoch": None},
                missing="steps_per_epoch",
            )
        whole = read_index(epochs)
        exact = Fraction(repr(number)) if whole is None else Fraction(whole)
        product = round_half_up(exact * per_epoch)
        if total is not None and total != product:
            raise PlanError(
                "Arguments `total_steps` and `epochs` disagree. "
                f"Received: total_steps={total}, epochs={shown(epochs)}, steps_per_epoch={per_epoch}, "
                f"which make {shown(product)}."
            )
        if not 1 <= product <= MAX_STEPS:
            raise PlanError(
                "Arguments `epochs` and `steps_per_epoch` must make at least 1 and at most 2**63 - 1 steps. "
                f"Received: epochs={shown(epochs)}, steps_per_epoch={per_epoch}."
            )
        total = product
    return RunSize(
        total,
        per_epoch,
        read_count_or_none(samples_per_step, "samples_per_step"),
        read_count_or_none(tokens_per_step, "tokens_per_step"),
    )
