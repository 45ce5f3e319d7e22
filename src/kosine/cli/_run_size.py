"""The options that say how long the run is, the same for every command, and the plan that they make."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kosine.cli._errors import CommandError
from kosine.cli._number_types import Count, ParamType
from kosine.errors import KosineError, Name, PlanError

if TYPE_CHECKING:
    from kosine._core.schedule import Plan, Schedule
    from kosine.cli._schedule_argument import NamedSchedule

CommandFunction = TypeVar("CommandFunction", bound=Callable[..., Any])

_OPTIONS: dict[str, tuple[ParamType, str]] = {
    "total_steps": (Count(), "The run's length in steps (training batches), such as 39400 or 1M."),
    "epochs": (click.FLOAT, "The run's length in epochs."),
    "steps_per_epoch": (Count(), "Training batches in an epoch."),
    "dataset_size": (Count(), "Training samples; with --batch-size instead of --steps-per-epoch."),
    "batch_size": (Count(), "Samples in a batch; the last batch of an epoch may be smaller."),
    "samples_per_step": (
        Count(),
        'Samples in a step, for durations such as "2e8sp"; the batch size if not given.',
    ),
    "tokens_per_step": (Count(), 'Tokens in a step, for durations such as "375Mtok".'),
}

RUN_NAMES = tuple(_OPTIONS)
"""What may be said of a run: arguments of `Schedule.plan`, options here, keys in the [run] of a file."""
LENGTHS = ("total_steps", "epochs")
_DATA = ("dataset_size", "batch_size")


def run_size_options(function: CommandFunction) -> CommandFunction:
    """Add the options to a command, which takes them as `**size` and hands them to `planned`."""
    for name, (kind, text) in reversed(_OPTIONS.items()):
        function = click.option("--" + name.replace("_", "-"), type=kind, metavar="N", help=text)(function)
    return function


def planned(named: NamedSchedule, size: Mapping[str, Any]) -> Plan:
    """The schedule planned for the run that the options describe, and for what they leave open, its own file.

    Raises:
        PlanError: the run must say more; all of it is asked for in one go.
        CommandError: what the options or the file say of the run is wrong.
    """
    given = {name: value for name, value in size.items() if value is not None}
    own = {name: value for name, value in named.run.items() if not _replaced(name, given, named.run)}
    run = own | given
    try:
        if "batch_size" in given and "steps_per_epoch" in own:
            # The file's epoch was counted in batches of another size: its steps would silently be wrong.
            raise PlanError(
                (
                    Name("batch_size"),
                    " needs ",
                    Name("dataset_size"),
                    ", or ",
                    "--steps-per-epoch",
                    f" for batches of this size: {named.name} has {own['steps_per_epoch']} steps per epoch with "
                    "batches of its own.",
                ),
                received={"batch_size": given["batch_size"]},
            )
        return named.schedule.plan(**run)
    except KosineError as error:
        if isinstance(error, PlanError) and error.missing and (asked := _asked(named.schedule, run)):
            raise PlanError(asked, missing=error.missing) from error
        raise CommandError(error, RUN_NAMES, own, named.name) from error


_PER_EPOCH = (Name("steps_per_epoch"), " (or ", Name("dataset_size"), " and ", Name("batch_size"), ")")


def _asked(schedule: Schedule, run: Mapping[str, Any]) -> tuple[str, ...]:
    """All that a run must say, and does not, before the schedule can be planned; `plan` stops at the first of it."""
    units = set(re.findall(r'(ep|sp|tok)"', repr(schedule)))
    asked: list[str] = []
    if not any(length in run for length in LENGTHS):
        asked += ["The run's length is missing. Give ", Name("epochs")]
        if "steps_per_epoch" in run:
            asked += [" or ", Name("total_steps")]
        else:
            asked += [" and ", *_PER_EPOCH]
            asked += [] if "ep" in units else [", or ", Name("total_steps")]
        asked += [". "]
    elif "ep" in units and "steps_per_epoch" not in run and "epochs" not in run:
        asked += ["Durations in epochs need ", *_PER_EPOCH, ". "]
    if "sp" in units and "samples_per_step" not in run:
        asked += ["Durations in samples need ", Name("samples_per_step"), " or ", Name("batch_size"), ". "]
    if "tok" in units and "tokens_per_step" not in run:
        asked += ["Durations in tokens need ", Name("tokens_per_step"), ". "]
    return tuple(asked)


def _replaced(name: str, given: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    """Whether the options say in another way what the schedule's own file says under this name."""
    if name in given:
        return True
    if name in LENGTHS:
        return any(length in given for length in LENGTHS)
    if name == "dataset_size":
        return "steps_per_epoch" in given
    if name == "steps_per_epoch":
        return any(of_data in given for of_data in _DATA) and all(of_data in {*given, *own} for of_data in _DATA)
    return name == "samples_per_step" and "batch_size" in given
