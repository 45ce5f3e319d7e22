"""`kosine predict`: the loss of schedules that were not trained, from the logs of past runs."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from kosine.cli._errors import CommandError
from kosine.cli._log_argument import loss_column_option, reading_options
from kosine.cli._number_types import ParamType
from kosine.cli._output import json_option, print_result
from kosine.cli._pictures import picture_option, write_picture
from kosine.cli._planning import planned
from kosine.cli._run_options import LENGTHS, RUN_NAMES, run_size_options
from kosine.cli._schedule_argument import ScheduleCommand, ScheduleType, read_schedule, take_standard_input
from kosine.cli._schedule_files import NamedSchedule
from kosine.errors import KosineError, LogError, PlanError

if TYPE_CHECKING:
    from kosine._core.schedule import Plan
    from kosine._logs.losses import Losses
    from kosine._logs.predict.prediction import PredictedPlan, Prediction
    from kosine._logs.trace import Trace

_WORDS = {"(trace, plan)": "LOG:PLAN", "ks.read_trace(path, loss_column=...)": "--loss-column"}
"""What `predict` calls otherwise in Python."""
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")


class PastLog(NamedTuple):
    """A log, and the schedule that its run followed, where that is given."""

    log: str
    schedule: NamedSchedule | None = None


class PastLogType(ParamType):
    """LOG or LOG:PLAN; a log may be `-`."""

    name = "log"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> PastLog:
        if isinstance(value, PastLog):
            return value
        log, plan = split(str(value))
        if ctx is None or ctx.resilient_parsing:
            return PastLog(log)
        for part in (log, plan):
            if part == "-":
                take_standard_input(ctx, "one LOG or SCHEDULE only")
        try:
            return PastLog(log, None if plan is None else read_schedule(plan))
        except KosineError as error:
            raise CommandError(error) from error

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(incomplete, type="file")]


def split(text: str) -> tuple[str, str | None]:
    """The log and the plan of LOG:PLAN, at the first colon that follows the name of a file.

    The name of a log that exists may have colons, and so may a plan. Where no file is there, the colon of a drive, as
    in C:/runs/log.csv, belongs to the name of the log.
    """
    if os.path.exists(text):  # noqa: PTH110  pathlib raises for long texts
        return text, None
    colons = [place for place, character in enumerate(text) if character == ":"]
    first = 2 if _DRIVE.match(text) else 0
    for place in colons:
        log = text[:place]
        if log == "-" or (place >= first and os.path.isfile(log)):  # noqa: PTH113
            return log, text[place + 1 :]
    after = next((place for place in colons if place >= first), None)
    return (text, None) if after is None else (text[:after], text[after + 1 :])


@click.command(
    "predict",
    cls=ScheduleCommand,
    epilog="""\b
Examples:
  kosine predict wsd.csv --schedule 'warmup_cosine(peak=1e-3, warmup=200)' \\
    --total-steps 12000
  kosine predict wsd.csv --loss-column val_loss --total-steps 12000 \\
    --schedule 'wsd(peak=1e-3, warmup=200)' \\
    --schedule 'linear_to_zero(peak=1e-3, warmup=200)' --plot losses.png
  kosine predict losses.csv:wsd.json --total-steps 12000 \\
    --schedule 'warmup_cosine(peak=1e-3, warmup=200)'""",
)
@click.argument("logs", type=PastLogType(), nargs=-1, required=True, metavar="LOG[:PLAN]...")
@click.option(
    "--schedule", "schedules", type=ScheduleType(), multiple=True, metavar="SCHEDULE",
    help="A schedule whose loss is predicted; give it again for several.",
)  # fmt: skip
@run_size_options
@loss_column_option
@reading_options
@picture_option("--plot")
@json_option
def command(
    logs: tuple[PastLog, ...],
    schedules: tuple[NamedSchedule, ...],
    output: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Predict the loss at the end of a schedule, or of a longer run, from the losses of past runs of the same task.

    LOG is a file that a run wrote, with its losses and its learning rates. After a colon comes the schedule that the
    run followed, where the log lacks rates: a file with its length in [run], or phases that have all their steps. The
    options of the run's size are about the schedules that are predicted; --steps-per-epoch also says how many steps an
    epoch of a log has.
    """
    from kosine._logs.predict.predict import predict

    if not schedules:
        raise click.UsageError("Give what to predict: --schedule SCHEDULE.")
    reading = {name: options.pop(name) for name in ("loss_column", "group", "step_column", "rate_column", "count_rows")}
    runs = [_run(each, reading, options) for each in logs]
    plans = [planned(schedule, options) for schedule in schedules]
    try:
        prediction = predict(runs, *plans, names=[schedule.name for schedule in schedules])
    except KosineError as error:
        raise CommandError(error, RUN_NAMES, words=_WORDS) from error
    if output is not None:
        write_picture(prediction, output, "Prediction")
    print_result(prediction, _data(prediction), output, as_json)


def _run(past: PastLog, reading: Mapping[str, Any], size: Mapping[str, Any]) -> Trace | tuple[Trace | Losses, Plan]:
    """The argument of `predict` for a log.

    Raises:
        OSError: the file cannot be read.
        LogError: the file is not a log, or has no losses.
        PlanError: the length of its run is missing.
    """
    from kosine._logs.read.read import read_trace

    if past.log == "-" and sys.stdin is None:
        raise LogError("LOG is -, but standard input is closed.")
    name = "standard input" if past.log == "-" else past.log
    try:
        if past.schedule is not None:
            return _with_rates(past.log, reading) or _losses(past.log, reading), _plan_of(past.schedule, size)
        trace = read_trace(sys.stdin.buffer if past.log == "-" else past.log, **reading)
    except LogError as error:
        if past.schedule is None and past.log != "-" and _has_losses(past.log, reading):
            raise LogError(
                "The log has losses, and no learning rates were found in it.",
                fix="Give the schedule that its run followed after a colon, LOG:PLAN, or name the rates with "
                "--rate-column.",
                where=name,
            ) from error
        raise error.changed(where=name) from error
    trace.source = name
    trace.steps_per_epoch = trace.steps_per_epoch or size.get("steps_per_epoch")
    return trace


def _with_rates(log: str, reading: Mapping[str, Any]) -> Trace | None:
    """A log that has rates, which are compared with its plan; None where it has none, or comes from a stream."""
    from kosine._logs.read.read import read_trace

    if log == "-":  # is read once
        return None
    try:
        trace = read_trace(log, **reading)
    except LogError:  # of a log without rates, or of one that is no log, which reading its losses says
        return None
    trace.source = log
    return trace if trace.losses is not None else None


def _losses(log: str, reading: Mapping[str, Any]) -> Losses:
    from kosine._logs.read.read import read_losses

    of_losses = {key: reading[key] for key in ("loss_column", "step_column", "count_rows")}
    return read_losses(sys.stdin.buffer if log == "-" else log, **of_losses)


def _has_losses(log: str, reading: Mapping[str, Any]) -> bool:
    try:
        _losses(log, reading)
    except LogError:
        return False
    return True


def _plan_of(schedule: NamedSchedule, size: Mapping[str, Any]) -> Plan:
    """The plan of a past run: how long it was is in its own file, or in its phases."""
    try:
        return planned(schedule, {name: value for name, value in size.items() if name not in LENGTHS})
    except PlanError as error:
        if error.missing != "total_steps":
            raise
        raise error.changed(
            problem=f"The length of the past run that followed {schedule.name} is missing.",
            fix="Give its schedule as a file with the table [run], such as total_steps = 25000, or with the steps of "
            "every phase.",
        ) from error


def _data(prediction: Prediction) -> dict[str, Any]:
    return {
        "plans": [_plan_data(prediction, row) for row in prediction.rows],
        "fit": asdict(prediction.fit),
        "runs": [
            {
                "name": run.name,
                "total_steps": run.total_steps,
                "peak": run.peak,
                "losses": int(run.losses.size),
                "fitted_from_step": run.first,
                "loss": run.loss_name,
                "kind": run.kind,
            }
            for run in prediction.runs
        ],
        "reasons": list(prediction.reasons),
    }


def _plan_data(prediction: Prediction, row: PredictedPlan) -> dict[str, Any]:
    return {
        "mark": row.mark,
        "name": row.name,
        "total_steps": row.plan.total_steps,
        "loss": row.loss,
        "low": row.low,
        "high": row.high,
        "above_best": row.loss - prediction.loss,
        "steps": row.steps.tolist(),
        "curve": row.curve.tolist(),
        "lows": row.lows.tolist(),
        "highs": row.highs.tolist(),
    }
