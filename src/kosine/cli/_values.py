"""`kosine values`: the rates of some steps as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kosine.cli._number_types import Count, Steps
from kosine.cli._output import json_option, output_option, write_out
from kosine.cli._planning import planned
from kosine.cli._rate_lists import as_csv, as_objects
from kosine.cli._run_options import run_size_options
from kosine.cli._schedule_argument import ScheduleCommand, ScheduleType
from kosine.cli._schedule_files import NamedSchedule

if TYPE_CHECKING:
    from kosine._core.schedule import Plan


@click.command(
    "values",
    cls=ScheduleCommand,
    epilog="""\b
Examples:
  kosine values gpt-3 --at 0,100,93749
  kosine values 'sgdr(peak=0.05, period="10ep")' \\
    --epochs 30 --steps-per-epoch 100 --per-epoch
  kosine values 'one_cycle(peak=0.1)' --total-steps 1e6 --every 1000 -o x.csv""",
)
@click.argument("schedule", type=ScheduleType())
@click.option("--at", type=Steps(), multiple=True, metavar="STEPS", help="These steps, such as 0,7880,39399.")
@click.option("--every", type=Count(1), metavar="N", help="Step 0 and every Nth step after it.")
@click.option("--per-epoch", is_flag=True, help="The first step of each epoch.")
@run_size_options
@output_option
@json_option
def command(
    schedule: NamedSchedule,
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
    """
    if bool(at) + (every is not None) + per_epoch != 1:
        raise click.UsageError("Give one of --at, --every and --per-epoch: they say which steps.")
    from kosine._analysis.sampling import length

    plan = planned(schedule, size)
    steps: Sequence[int]
    if every is not None:
        steps = range(0, length(plan), every)
    elif per_epoch:
        steps = range(0, length(plan), _epoch(plan))
    else:
        steps = [step for part in at for step in part]
    write_out(as_objects(plan, steps) if as_json else as_csv(plan, steps), output, as_json)


def _epoch(plan: Plan) -> int:
    if plan.run.steps_per_epoch is None:
        raise click.UsageError("--per-epoch needs --steps-per-epoch, or --dataset-size and --batch-size.")
    return plan.run.steps_per_epoch
