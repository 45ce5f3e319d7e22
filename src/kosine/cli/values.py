"""`kosine values`: the rates of some steps as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kosine.cli.output import json_option, output_option, write_out
from kosine.cli.run_size import AnyType, Count, planned, run_size_options
from kosine.cli.source import Source, SourceType
from kosine.errors import PlanError, shown

if TYPE_CHECKING:
    from kosine.plan import Plan

_CHUNK = 2**14  # steps that are worked out at a time: the memory does not grow with the run


class Steps(AnyType):
    """Steps as people list them: 0,7880,39_399 or '0 7880 39399'."""

    name = "steps"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        if isinstance(value, list):
            return value
        words = value.replace(",", " ").split()
        if not words:
            self.fail("no step is given.", param, ctx)
        return [Count().convert(word, param, ctx) for word in words]


@click.command(
    "values",
    epilog="""\b
Examples:
  kosine values 'warmup_cosine(peak=1e-3, warmup=500)' --total-steps 39400 --at 0,500,39399
  kosine values 'sgdr(peak=0.05, period="10ep")' --epochs 30 --steps-per-epoch 100 --per-epoch
  kosine values 'one_cycle(peak=0.1)' --total-steps 1e6 --every 1000 -o rates.csv""",
)
@click.argument("schedule", type=SourceType())
@click.option("--at", type=Steps(), multiple=True, metavar="STEPS", help="These steps, such as 0,7880,39399.")
@click.option("--every", type=Count(1), metavar="N", help="Step 0 and every Nth step after it.")
@click.option("--per-epoch", is_flag=True, help="The first step of each epoch.")
@run_size_options
@output_option
@json_option
def command(
    schedule: Source,
    at: tuple[list[int], ...],
    every: int | None,
    per_epoch: bool,
    output: Path | None,
    as_json: bool,
    **size: Any,
) -> None:
    """Print the learning rates of SCHEDULE as CSV, with all their digits.

    Choose the steps with one of --at, --every and --per-epoch. Steps count from 0; those of --at may lie past the end
    of the run. The columns are step, epoch where --steps-per-epoch is known, and learning_rate.

    SCHEDULE is the text form in single quotes, an expression such as warmup_cosine(peak=1e-3, warmup="5ep"); a .json
    or .toml file; - for standard input; or the name of a published recipe.
    """
    if bool(at) + (every is not None) + per_epoch != 1:
        raise click.UsageError("Give one of --at, --every and --per-epoch: they say which steps.")
    plan = planned(schedule, size)
    steps: Sequence[int]
    if every is not None:
        steps = range(0, run_length(plan), every)
    elif per_epoch:
        steps = range(0, run_length(plan), _epoch(plan))
    else:
        steps = [step for part in at for step in part]
    write_out(as_objects(plan, steps) if as_json else as_csv(plan, steps), output, quiet=as_json)


def as_csv(plan: Plan, steps: Iterable[int]) -> Iterator[str]:
    """The rates of steps as the text of a CSV file, in pieces."""
    header = "step,learning_rate\n" if plan.run.steps_per_epoch is None else "step,epoch,learning_rate\n"
    for lines in _rows(plan, steps):
        yield header + "".join(f"{','.join(map(repr, line))}\n" for line in lines)
        header = ""


def as_objects(plan: Plan, steps: Iterable[int]) -> Iterator[str]:
    """The same as the text of a list in JSON, in pieces."""
    names = ("step", "learning_rate") if plan.run.steps_per_epoch is None else ("step", "epoch", "learning_rate")
    before = "[\n  "
    for lines in _rows(plan, steps):
        objects = (", ".join(f'"{name}": {value!r}' for name, value in zip(names, line, strict=True)) for line in lines)
        yield before + ",\n  ".join(f"{{{each}}}" for each in objects)
        before = ",\n  "
    yield "\n]\n"


def run_length(plan: Plan) -> int:
    """The number of steps of a run.

    Raises:
        PlanError: it is not known.
    """
    if plan.total_steps is None:
        raise PlanError(
            f"A schedule that never ends has no last step. Received: {shown(plan.schedule)}. "
            "Call `plan` with `total_steps`, or with `epochs` and `steps_per_epoch`."
        )
    return plan.total_steps


def _epoch(plan: Plan) -> int:
    if plan.run.steps_per_epoch is None:
        raise click.UsageError("--per-epoch needs --steps-per-epoch, or --dataset-size and --batch-size.")
    return plan.run.steps_per_epoch


def _rows(plan: Plan, steps: Iterable[int]) -> Iterator[list[tuple[float, ...]]]:
    """Each step with its epoch, where that is known, and its rate; many of them at a time."""
    per_epoch = plan.run.steps_per_epoch
    remaining = iter(steps)
    while chunk := list(islice(remaining, _CHUNK)):
        rates = plan(chunk).tolist()
        if per_epoch is None:
            yield list(zip(chunk, rates, strict=True))
        else:
            epochs = (step // per_epoch if step % per_epoch == 0 else step / per_epoch for step in chunk)
            yield list(zip(chunk, epochs, rates, strict=True))
