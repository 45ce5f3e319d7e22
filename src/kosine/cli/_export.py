"""`kosine export`: a schedule as a program or as data that needs no kosine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kosine._core.json_form import dumps, to_data
from kosine.cli._output import json_option, output_option, write_out
from kosine.cli._planning import planned
from kosine.cli._rate_lists import as_csv, as_objects
from kosine.cli._run_options import run_size_options
from kosine.cli._schedule_argument import ScheduleCommand, ScheduleType
from kosine.cli._schedule_files import NamedSchedule

if TYPE_CHECKING:
    from kosine._core.schedule import Plan

    Choice = click.Choice[str]
else:  # generic in newer releases of click only
    Choice = click.Choice

TARGETS = ("python", "numpy", "torch", "optax", "keras", "huggingface", "json", "csv")


class Target(Choice):
    """One of the targets; for another name of a target, the error suggests it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            from kosine._export.to_code import near_target

            near = near_target(str(value), TARGETS)
            self.fail(f"{error.message}{f' Did you mean {near!r}?' if near else ''}", param, ctx)


@click.command(
    "export",
    cls=ScheduleCommand,
    epilog="""\b
Examples:
  kosine export 'warmup_cosine(peak=1e-3)' --total-steps 1000 --to python
  kosine export 'sgdr(peak=0.05, period=1000)' --total-steps 9000 \\
    --to torch -o schedule.py
  kosine export gpt-3 --to json
  kosine export 'wsd(peak=3e-4, warmup=500)' --total-steps 10000 \\
    --to huggingface --format yaml -o schedule.yaml""",
)
@click.argument("schedule", type=ScheduleType())
@click.option(
    "--to", "target", type=Target(TARGETS, case_sensitive=False), required=True, metavar="TARGET",
    help="python, numpy, torch, optax, keras, huggingface: a program; json, csv: data.",
)  # fmt: skip
@click.option(
    "--format", "form", type=Choice(("python", "json", "yaml", "args"), case_sensitive=False), metavar="FORMAT",
    help="How huggingface is written: python, json, yaml, or args (options of a training script).",
)  # fmt: skip
@run_size_options
@output_option
@json_option
def command(
    schedule: NamedSchedule, target: str, form: str | None, output: Path | None, as_json: bool, **size: Any
) -> None:
    """Write SCHEDULE, planned for a run, as a program or as data that needs no kosine.

    The programs are functions of the step (python, numpy), a scheduler of the framework (torch, optax, keras) or
    training arguments (huggingface), which HfArgumentParser reads as json, yaml or args. csv has the rate of every step
    of the run; json has the phases and the run's size, and is itself a SCHEDULE that kosine reads.
    """
    if form is not None and target != "huggingface":
        raise click.UsageError(f"--format is for --to huggingface. Received: --to {target}.")
    plan = planned(schedule, size)
    parts = _wrapped(plan, target, form) if as_json else _plain(plan, target, form)
    write_out(parts, output, as_json)


def _plain(plan: Plan, target: str, form: str | None) -> Iterator[str]:
    if form is not None:
        from kosine._export.targets.huggingface import training_arguments

        yield training_arguments(plan, form)
    elif target == "csv":
        yield from as_csv(plan, _steps(plan))
    elif target == "json":
        yield dumps(plan) + "\n"
    else:
        from kosine._export.to_code import to_code

        yield to_code(plan, target)


def _steps(plan: Plan) -> range:
    from kosine._analysis.sampling import length

    return range(length(plan))


def _wrapped(plan: Plan, target: str, form: str | None) -> Iterator[str]:
    """The same in an object that names the target."""
    if target == "csv":
        rows = as_objects(plan, _steps(plan))
        yield from chain(['{"target": "csv", "data": '], rows, ["}\n"])
    elif target == "json":
        yield json.dumps({"target": target, "data": to_data(plan)}, indent=2) + "\n"
    else:
        text = "".join(_plain(plan, target, form))
        content = {"data": json.loads(text)} if form == "json" else {"program": text}
        yield json.dumps({"target": target, **content}, indent=2) + "\n"
