"""The size of a run: the numbers that turn epochs, shares, samples and tokens into steps."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

from kosine._core.arguments import read_count_or_none, read_flag, read_index, read_number
from kosine._core.numbers import MAX_STEPS, round_half_up
from kosine._core.ramps import Ramp, read_per_step
from kosine.errors import Described, Name, PlanError, Text, shown


@dataclass(frozen=True, slots=True)
class RunSize:
    """What is known of one run: the numbers that turn epochs, fractions, samples and tokens into steps."""

    total_steps: int | None = None
    steps_per_epoch: int | None = None
    samples_per_step: int | Ramp | None = None
    tokens_per_step: int | Ramp | None = None
    clip: bool = False
    """Whether the schedule is cut to the run: its phases do not fit."""

    def known(self) -> dict[str, Any]:
        """What is known, by the names of the arguments of `Schedule.plan`, as these are written."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        written = {name: value.written() if isinstance(value, Ramp) else value for name, value in values.items()}
        return {name: value for name, value in written.items() if value not in (None, False)}

    @property
    def ramped(self) -> bool:
        """Whether a step takes other numbers of samples or tokens in other places of the run."""
        return isinstance(self.samples_per_step, Ramp) or isinstance(self.tokens_per_step, Ramp)

    def per_step(self, unit: str) -> int | Ramp | None:
        """How much of a unit of data, "sp" or "tok", a step takes."""
        return self.samples_per_step if unit == "sp" else self.tokens_per_step


_WHOLE_EPOCHS: Text = (
    "The last batch of an epoch counts even if it is not full: write math.ceil(dataset_size / batch_size), or give ",
    Name("dataset_size"),
    " and ",
    Name("batch_size"),
    ".",
)


def read_run(
    total_steps: object = None,
    epochs: object = None,
    steps_per_epoch: object = None,
    samples_per_step: object = None,
    tokens_per_step: object = None,
    dataset_size: object = None,
    batch_size: object = None,
    clip: object = False,
) -> RunSize:
    """The run's size, checked: `steps_per_epoch` from the size of the data, and the total from it and `epochs`."""
    total = read_count_or_none(total_steps, "total_steps")
    fix = _WHOLE_EPOCHS if isinstance(steps_per_epoch, float) else ""
    per_epoch = read_count_or_none(steps_per_epoch, "steps_per_epoch", fix)
    samples = read_per_step(samples_per_step, "samples_per_step")
    batch = read_count_or_none(batch_size, "batch_size")
    if dataset_size is not None:
        if isinstance(samples, Ramp):
            raise PlanError(
                ("An epoch has no fixed number of steps where ", Name("samples_per_step"), " changes."),
                received={"dataset_size": dataset_size},
                fix='Leave the size of the data out, and count in samples: "2e6sp".',
            )
        per_epoch = _steps_of_data(read_count_or_none(dataset_size, "dataset_size"), batch, per_epoch)
    if epochs is not None:
        total = _steps_of_epochs(epochs, per_epoch, total)
    tokens = read_per_step(tokens_per_step, "tokens_per_step")
    return RunSize(total, per_epoch, batch if samples is None else samples, tokens, read_flag(clip, "clip"))


def _steps_of_data(dataset: int | None, batch: int | None, per_epoch: int | None) -> int:
    """The batches of an epoch, the last of which may be smaller."""
    assert dataset is not None
    if batch is None:
        raise PlanError(
            ("Argument ", Name("dataset_size"), " needs ", Name("batch_size"), "."),
            received={"dataset_size": dataset},
            missing="batch_size",
        )
    steps = -(-dataset // batch)
    if per_epoch not in (None, steps):
        raise PlanError(
            ("Arguments ", Name("dataset_size"), " and ", Name("batch_size"), f" make {steps} steps per epoch."),
            received={"steps_per_epoch": per_epoch},
            fix="Leave one of them out.",
        )
    return steps


def _steps_of_epochs(epochs: object, per_epoch: int | None, total: int | None) -> int:
    number = read_number(epochs, "epochs", "a finite number of epochs > 0", above=0, error=PlanError)
    received = {"epochs": epochs, "steps_per_epoch": per_epoch}
    if per_epoch is None:
        raise PlanError(
            ("Argument ", Name("epochs"), " needs ", Name("steps_per_epoch"), "."),
            received=received,
            fix=("Give it, or ", Name("dataset_size"), " and ", Name("batch_size"), "."),
            missing="steps_per_epoch",
        )
    whole = read_index(epochs)
    exact = Fraction(repr(number)) if whole is None else Fraction(whole)
    product = round_half_up(exact * per_epoch)
    if total is not None and total != product:
        raise PlanError(
            ("Arguments ", Name("total_steps"), " and ", Name("epochs"), " disagree."),
            received={
                "total_steps": total,
                "epochs": epochs,
                "steps_per_epoch": Described(f"{per_epoch}, which make {shown(product)}"),
            },
        )
    if not 1 <= product <= MAX_STEPS:
        raise PlanError(
            (
                "Arguments ",
                Name("epochs"),
                " and ",
                Name("steps_per_epoch"),
                " must make at least 1 and at most 2**63 - 1 steps.",
            ),
            received=received,
        )
    return product
