"""`kosine extend`: the plan of a longer run, of which some steps are done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kosine._core.branches import WAYS, Way
from kosine.cli._new_plan import (
    Length,
    at_option,
    errors_named,
    file_options,
    new_length,
    new_length_option,
    print_new_plan,
    steps_at,
)
from kosine.cli._output import json_option
from kosine.cli._planning import planned
from kosine.cli._run_options import run_size_options
from kosine.cli._schedule_argument import ScheduleCommand, ScheduleType
from kosine.cli._schedule_files import NamedSchedule


@click.command(
    "extend",
    cls=ScheduleCommand,
    epilog="""\b
Examples:
  kosine extend 'warmup_cosine(peak=1e-3, warmup=500)' --total-steps 10000 \\
    --at 6000 --new-total-steps 20000 --how stretch -o longer.toml
  kosine extend run.toml --at 6000 --new-total-steps 20000 \\
    --how meet --over 200""",
)
@click.argument("schedule", type=ScheduleType())
@run_size_options
@at_option
@new_length_option(required=True)
@click.option(
    "--how", type=click.Choice(WAYS), required=True, metavar="WAY",
    help="stretch: what is left takes longer. hold: the rate stays, then what was left follows. meet: the rate warms "
    "up to where it would be in a run of the new length.",
)  # fmt: skip
@click.option(
    "--over", type=Length(), metavar="LENGTH",
    help='How long "meet" takes to get there: steps, or a share of the new run.  [default: 1%]',
)  # fmt: skip
@file_options
@json_option
def command(
    schedule: NamedSchedule,
    at: int | str,
    new_total_steps: int | str,
    how: Way,
    over: int | str | None,
    output: Path | None,
    picture: Path | None,
    as_json: bool,
    **size: Any,
) -> None:
    """Make the run of SCHEDULE longer, after --at steps of it are done.

    All steps before it keep their rates, bit for bit, so a checkpoint of the run goes on along the new schedule.
    """
    if over is not None and how != "meet":
        raise click.UsageError("--over goes with --how meet.")
    plan = planned(schedule, size)
    step, total = steps_at(plan, at), new_length(new_total_steps, plan)
    assert total is not None
    with errors_named({"total_steps": "--new-total-steps"}):
        new = plan.extend(total_steps=total, at=step, how=how, over="1%" if over is None else over)
    print_new_plan(schedule.name, plan, new, step, output=output, picture=picture, as_json=as_json)
