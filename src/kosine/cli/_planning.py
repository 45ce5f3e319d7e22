"""From a schedule and the options of a run to a plan."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import click

from kosine._core.numbers import SECONDS
from kosine._core.plain_text import printable
from kosine._core.schedule import Plan, Schedule
from kosine.cli._errors import CommandError
from kosine.cli._run_options import LENGTHS, RUN_NAMES
from kosine.cli._schedule_files import NamedSchedule
from kosine.errors import KosineError, Name, PlanError, shown

_DATA = ("dataset_size", "batch_size")
_BATCHES = ("batch_size", "accumulate", "devices")
"""What makes the samples of a step, and with the size of the data the steps of an epoch."""
_KNOWN_EPOCH = {"steps_per_epoch", "dataset_size"}
_PER_EPOCH = (Name("steps_per_epoch"), " (or ", Name("dataset_size"), " and ", Name("batch_size"), ")")


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
        changed = next((name for name in _BATCHES if name in given), None)
        if changed and "steps_per_epoch" in own:
            # The steps of the file's epoch were counted in batches of another size: they would silently be wrong.
            steps = own.pop("steps_per_epoch")
            raise PlanError(
                (
                    *(Name(changed), " needs ", Name("dataset_size"), ", or ", Name("steps_per_epoch")),
                    f" for batches of this size: {named.name} has {shown(steps)} steps per epoch with batches of its "
                    "own.",
                ),
                received={changed: given[changed]},
            )
        if "epochs" in run and not _KNOWN_EPOCH & run.keys():
            raise PlanError((Name("epochs"), " needs ", *_PER_EPOCH, "."), received={"epochs": run["epochs"]})
        plan = named.schedule.plan(**run)
    except KosineError as error:
        missing = error.missing if isinstance(error, PlanError) else None
        if missing and missing != "batch_size" and (asked := _asked(named.schedule, run)):
            raise PlanError(asked, missing=missing) from error
        raise CommandError(error, RUN_NAMES, own, named.name) from error
    for sentence in plan.clipped:
        click.echo(f"Clipped: {printable(sentence)}", err=True)
    return plan


def _asked(schedule: Schedule, run: Mapping[str, Any]) -> tuple[str, ...]:
    """All that a run must say, and does not, before the schedule can be planned; `plan` stops at the first of it."""
    units = set(re.findall(r'[0-9kMBT](ep|sp|tok|s|min|h|d)"', repr(schedule)))
    asked: list[str] = []
    if not any(length in run for length in LENGTHS):
        asked += ["The run's length is missing. Give ", Name("epochs")]
        if _KNOWN_EPOCH & run.keys():
            asked += [" or ", Name("total_steps"), ". "]
        elif "ep" in units:
            asked += [" and ", *_PER_EPOCH, ". "]
        else:
            asked += [" and ", *_PER_EPOCH, ", or ", Name("total_steps"), ". "]
    elif "ep" in units and not _KNOWN_EPOCH & run.keys():
        asked += ["Durations in epochs need ", *_PER_EPOCH, ". "]
    if ("sp" in units or "total_samples" in run) and not {"samples_per_step", "batch_size"} & run.keys():
        asked += ["Durations in samples need ", Name("samples_per_step"), " or ", Name("batch_size"), ". "]
    if ("tok" in units or "total_tokens" in run) and "tokens_per_step" not in run:
        asked += ["Durations in tokens need ", Name("tokens_per_step"), ". "]
    if (units & SECONDS.keys() or "total_time" in run) and "seconds_per_step" not in run:
        asked += ["Durations in time need ", Name("seconds_per_step"), ". "]
    return tuple(asked)


def _replaced(name: str, given: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    """Whether the options say in another way what the schedule's own file says under this name."""
    if name in given:
        return True
    if name in LENGTHS:
        return any(length in given for length in LENGTHS)
    if name == "steps_per_epoch":
        data = [*_DATA, "accumulate", "devices", "drop_last"]
        return any(of_data in given for of_data in data) and all(of_data in {*given, *own} for of_data in _DATA)
    if name in ("dataset_size", "drop_last"):
        return "steps_per_epoch" in given
    return name == "samples_per_step" and any(of_batch in given for of_batch in _BATCHES)
