"""`kosine check`: whether the log of a run followed its schedule, and where it left it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kosine._core.plain_text import printable
from kosine.cli._log_argument import LogType, log_data, log_options, skip_data
from kosine.cli._output import json_option, print_result
from kosine.cli._pictures import picture_option, write_picture
from kosine.cli._planning import planned
from kosine.cli._run_options import LENGTHS, run_size_options
from kosine.cli._schedule_argument import ScheduleCommand, ScheduleType
from kosine.cli._schedule_files import NamedSchedule
from kosine.errors import Name, PlanError

if TYPE_CHECKING:
    from kosine._core.schedule import Plan
    from kosine._logs.check.verdict import Verdict
    from kosine._logs.trace import Trace

_LENGTH_OF: dict[str, tuple[str, tuple[str, ...]]] = {
    "step": ("total_steps", ()),
    "epoch": ("epochs", ("steps_per_epoch", "dataset_size")),
    "sample": ("total_samples", ("samples_per_step", "batch_size")),
    "token": ("total_tokens", ("tokens_per_step",)),
}
"""By what a log counts: what its length is called, and one of what must be known to turn it into steps."""


@click.command(
    "check",
    cls=ScheduleCommand,
    epilog="""\b
Examples:
  kosine check history.csv 'warmup_cosine(peak=0.1, warmup=10)' \\
    --total-steps 100
  kosine check history.csv schedule.toml --plot check.png

Exit status: 0 where the log follows the schedule, also with an offset; 1 where it does not, or where its rows are too
little to say so; 2 after an error.""",
)
@click.argument("log", type=LogType())
@click.argument("schedule", type=ScheduleType())
@run_size_options
@log_options
@click.option("--allow-skips", is_flag=True, help="Pass a run that skipped steps as mixed precision does.")
@click.option("--allow-odd-rows", type=click.IntRange(min=0), metavar="N", help="Pass a run with N odd rows at most.")
@picture_option("--plot")
@json_option
def command(
    trace: Trace,
    schedule: NamedSchedule,
    allow_skips: bool,
    allow_odd_rows: int | None,
    output: Path | None,
    as_json: bool,
    **size: Any,
) -> int:
    """Check the learning rates in LOG against SCHEDULE: whether they follow it, and if not, where they first leave it.

    LOG is a file that a run wrote: CSV, JSON, JSON lines, TensorBoard events or text of the known trainers; or - for
    standard input. A rate fits where it is the schedule's as far as the log prints it. Without the run's length, what
    the log itself says of it holds. The table [check] of a schedule file may allow what the options do.
    """
    from kosine._logs.check.check import check

    size, each = _with_epochs(size, schedule, trace)
    size, of_log = _with_length(size, schedule, trace)
    plan = _planned(schedule, size, trace)
    allowed = dict(schedule.allowed)
    if allow_skips:
        allowed["allow_skips"] = True
    if allow_odd_rows is not None:
        allowed["allow_odd_rows"] = allow_odd_rows
    verdict = check(trace, plan, **allowed)
    if output is not None:
        write_picture(verdict, output, f"{trace.source} / {schedule.name}")
    notes = [f"The run's length is the one that the log says: {of_log:,} {trace.axis}s."] if of_log else []
    notes += [f"An epoch has the steps that the log says: {each:,}."] if each else []
    notes += ["`kosine infer` works out which schedule a log shows."] if verdict.kind == "differs" else []
    print_result(verdict, _data(verdict, of_log), output, as_json, notes)
    return 0 if verdict.follows else 1


def _planned(schedule: NamedSchedule, size: Mapping[str, Any], trace: Trace) -> Plan:
    """The plan, or an error that says what the log knows of a length that is missing."""
    try:
        return planned(schedule, size)
    except PlanError as error:
        if error.missing != "total_steps" or trace.axis != "step":
            raise
        last = int(trace.positions[-1])
        raise error.changed(
            fix=(
                f"The log ends at step {last:,}: if that is the end of the run, give ",
                Name("total_steps"),
                f" {last + 1}.",
            )
        ) from error


def _with_epochs(size: Mapping[str, Any], schedule: NamedSchedule, trace: Trace) -> tuple[dict[str, Any], int | None]:
    """The size of the run, the steps of its epochs taken from the log where nothing else says them; and these."""
    named = any(size.get(name) is not None or name in schedule.run for name in ("steps_per_epoch", "dataset_size"))
    if named or trace.axis != "epoch" or trace.steps_per_epoch is None:
        return dict(size), None
    return {**size, "steps_per_epoch": trace.steps_per_epoch}, trace.steps_per_epoch


def _with_length(size: Mapping[str, Any], schedule: NamedSchedule, trace: Trace) -> tuple[dict[str, Any], int | None]:
    """The size of the run, its length taken from the log where nothing else says it; and that length."""
    name, needed = _LENGTH_OF[trace.axis]

    def known(names: tuple[str, ...]) -> bool:
        return any(size.get(each) is not None or each in schedule.run for each in names)

    if trace.total is None or known(LENGTHS) or (needed and not known(needed)):
        return dict(size), None
    return {**size, name: trace.total}, trace.total


def _data(verdict: Verdict, of_log: int | None) -> dict[str, Any]:
    return {
        "follows": verdict.follows,
        "kind": verdict.kind,
        "cause": verdict.cause,
        "allowed": verdict.allowed,
        "sentence": printable(verdict.sentence),
        "log": log_data(verdict.trace),
        "schedule": repr(verdict.plan.schedule),
        "total_steps": verdict.plan.total_steps,
        "steps_per_epoch": verdict.plan.run.steps_per_epoch,
        "length_from_log": of_log is not None,
        "compared": verdict.compared,
        "different_rates": verdict.different,
        "offset": verdict.offset,
        "steps_per_unit": float(verdict.steps_per_unit),
        "factor": float(verdict.factor),
        "skips": skip_data(verdict.skips),
        "jumps": [
            {"position": jump.position, "from_step": jump.before, "to_step": jump.after} for jump in verdict.jumps
        ],
        "odd_rows": [asdict(point) for point in verdict.odd],
        "averaged": verdict.averaged,
        "off": verdict.off,
        "first": None if verdict.first is None else asdict(verdict.first),
        "largest": asdict(verdict.largest),
        "remarks": list(verdict.remarks),
    }
