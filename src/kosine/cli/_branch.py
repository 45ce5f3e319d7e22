"""`kosine branch`: a plan up to a step, and from there on something else: a cooldown, a new warm-up, other phases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kosine._core.branches import SHAPES, Shape
from kosine._core.text_form import parse_parts
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
from kosine.cli._number_types import ParamType
from kosine.cli._output import json_option
from kosine.cli._planning import planned
from kosine.cli._run_options import run_size_options
from kosine.cli._schedule_argument import ScheduleCommand, ScheduleType
from kosine.cli._schedule_files import NamedSchedule
from kosine.errors import Name, PlanError

if TYPE_CHECKING:
    from kosine._core.groups import Part
    from kosine._core.schedule import Plan

_NAMES = {"over": "--cooldown", "warmup": "--rewarm", "total_steps": "--new-total-steps", "then": "--then"}


class Phases(ParamType):
    """Phases as a text form has them, without `Schedule` around them."""

    name = "phases"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Part, ...]:
        return value if isinstance(value, tuple) else parse_parts(str(value))


@click.command(
    "branch",
    cls=ScheduleCommand,
    epilog="""\b
Examples:
  kosine branch 'wsd(peak=1e-3, warmup=500)' --total-steps 10000 \\
    --at 6000 --cooldown 1000 -o cooldown.toml
  kosine branch run.toml --at 100% --rewarm 300 --peak 8e-4 \\
    --then 'cosine(to=1e-5)' --new-total-steps 20000
  kosine branch run.toml --at 6000 --then 'hold(1000), linear(500, to=0.0)'
  kosine branch run.toml --at 30ep --plot cut.png""",
)
@click.argument("schedule", type=ScheduleType())
@run_size_options
@at_option
@click.option(
    "--cooldown", type=Length(), metavar="LENGTH",
    help='A decay that lasts so long: steps, or "20%" of the new run.',
)  # fmt: skip
@click.option("--to", type=click.FLOAT, metavar="RATE", help="The rate that the cooldown ends at.  [default: 0]")
@click.option(
    "--shape", type=click.Choice(list(SHAPES)), metavar="CURVE",
    help=f"The curve of the cooldown: {', '.join(SHAPES)}.  [default: one_minus_sqrt]",
)  # fmt: skip
@click.option(
    "--rewarm", type=Length(), metavar="LENGTH",
    help="A warm-up that lasts so long, to --peak; --then says what follows.",
)  # fmt: skip
@click.option("--peak", type=click.FLOAT, metavar="RATE", help="The rate that the new warm-up ends at.")
@click.option("--then", type=Phases(), metavar="PHASES", help="Phases that follow, such as 'cosine(to=1e-5)'.")
@new_length_option(required=False)
@file_options
@json_option
def command(
    schedule: NamedSchedule,
    at: int | str,
    new_total_steps: int | str | None,
    output: Path | None,
    picture: Path | None,
    as_json: bool,
    *,
    cooldown: int | str | None,
    to: float | None,
    shape: Shape | None,
    rewarm: int | str | None,
    peak: float | None,
    then: tuple[Part, ...] | None,
    **size: Any,
) -> None:
    """Cut SCHEDULE before the step --at, and go on there with a cooldown, a new warm-up or other phases.

    All steps before it keep their rates, bit for bit, so a checkpoint of the run goes on along the new schedule.
    Without a further option the run ends at that step.
    """
    _check(cooldown=cooldown, to=to, shape=shape, rewarm=rewarm, peak=peak, then=then, length=new_total_steps)
    plan = planned(schedule, size)
    step, total = steps_at(plan, at), new_length(new_total_steps, plan)
    with errors_named(_NAMES):
        if cooldown is not None:
            new = plan.cooldown(at=step, over=cooldown, to=to or 0.0, shape=shape or "one_minus_sqrt")
        elif (
            rewarm is not None and peak is not None and then is not None and total is not None
        ):  # `_check` asks for them
            new = plan.rewarm(at=step, warmup=rewarm, peak=peak, then=then, total_steps=total)
        else:
            new = _followed(plan.until(step), then, total)
    print_new_plan(schedule.name, plan, new, step, output=output, picture=picture, as_json=as_json)


def _followed(cut: Plan, then: tuple[Part, ...] | None, total: int | None) -> Plan:
    try:
        return cut if then is None else cut.then(*then, total_steps=total)
    except PlanError as error:
        if error.missing == "total_steps":
            asked = (Name("then"), ' with a "rest" or a percentage needs ', Name("total_steps"), ".")
            raise PlanError(asked, missing=error.missing) from error
        raise


def _check(**given: object) -> None:
    """Refuse options that belong to another way to go on, and ask for those that are missing."""
    has = {name for name, value in given.items() if value is not None}
    if {"cooldown", "rewarm"} <= has:
        raise click.UsageError("Give one of --cooldown and --rewarm.")
    if {"cooldown", "then"} <= has:
        raise click.UsageError("A cooldown ends its run: --then goes with --rewarm, or alone.")
    for name, needed in (("to", "cooldown"), ("shape", "cooldown"), ("peak", "rewarm")):
        if name in has and needed not in has:
            raise click.UsageError(f"--{name} needs --{needed}, which says how long it lasts.")
    if "length" in has and "then" not in has:
        raise click.UsageError("--new-total-steps goes with --then; without it the other options give the length.")
    if "rewarm" in has and not {"peak", "then", "length"} <= has:
        raise click.UsageError(
            "--rewarm needs --peak, --then with the phases after the warm-up, such as 'cosine(to=1e-5)', and "
            "--new-total-steps."
        )
