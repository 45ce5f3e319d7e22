"""From a schedule and the options of a run to a plan."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kosine._core.arguments import without_quotes
from kosine.cli._run_options import _DATA, LENGTHS
from kosine.errors import KosineError, PlanError, shown

if TYPE_CHECKING:
    from kosine._core.schedule import Plan, Schedule
    from kosine.cli._schedule_argument import Source


def planned(source: Source, size: Mapping[str, Any]) -> Plan:
    """The schedule planned for the run that the options describe, and for what they leave open, its own file.

    Raises:
        PlanError, ArgumentTypeError: as `Schedule.plan`, or a data set without a batch size. What the file says wrong
            is called by its name there, and what nobody says is asked for in one go.
    """
    given = {name: value for name, value in size.items() if value is not None}
    own = {name: value for name, value in source.run.items() if not _replaced(name, given, source.run)}
    try:
        if "batch_size" in given and "steps_per_epoch" in own:
            raise PlanError(
                "Argument `batch_size` needs `dataset_size`, or `steps_per_epoch` for batches of this size: "
                f"{source.name} has {shown(own['steps_per_epoch'])} steps per epoch with batches of its own. "
                f"Received: batch_size={shown(given['batch_size'])}."
            )
        run = _of_data(own | given)
        if "epochs" in run and "steps_per_epoch" not in run:
            raise PlanError(f"Argument `epochs` needs {_PER_EPOCH}. Received: epochs={shown(run['epochs'])}.")
    except KosineError as error:
        raise type(error)(_in_the_file(str(error), source.name, own)) from error
    try:
        return source.schedule.plan(**run)
    except KosineError as error:
        missing = _missing(source.schedule, run) if "`plan`" in str(error) else ""
        raise type(error)(missing or _in_the_file(str(error), source.name, own)) from error


_PER_EPOCH = "`steps_per_epoch` (or `dataset_size` and `batch_size`)"


def _missing(schedule: Schedule, run: Mapping[str, Any]) -> str:
    """All that a run must say, and does not, before the schedule can be planned."""
    units = set(re.findall(r'(ep|sp|tok)"', repr(schedule)))
    asked = []
    if not any(length in run for length in LENGTHS):
        if "steps_per_epoch" in run:
            how = "`epochs` or `total_steps`"
        else:
            how = f"`epochs` and {_PER_EPOCH}" + ("" if "ep" in units else ", or `total_steps`")
        asked.append(f"The run's length is missing. Give {how}.")
    elif "ep" in units and "steps_per_epoch" not in run:
        asked.append(f"Durations in epochs need {_PER_EPOCH}.")
    if "sp" in units and "samples_per_step" not in run:
        asked.append("Durations in samples need `samples_per_step` or `batch_size`.")
    if "tok" in units and "tokens_per_step" not in run:
        asked.append("Durations in tokens need `tokens_per_step`.")
    return " ".join(asked)


def _in_the_file(message: str, file: str, own: Mapping[str, Any]) -> str:
    """A message that calls what a file says of its run by the names that stand in it, and begins with its name."""

    def call(match: re.Match[str]) -> str:
        return " and ".join(f"{name} in [run]" if name in own else f"`{name}`" for name in match.groups() if name)

    called = re.sub(r"\AArguments? `(\w+)`(?: and `(\w+)`)?", call, message)
    if " in [run]" not in called:
        return message
    return f"{file}: " + re.sub(rf"\b({'|'.join(own)})=", r"\1 = ", called)


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


def _of_data(run: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `plan`, where the size of the data may stand for the steps of an epoch."""
    for name, value in run.items():
        if quoted := without_quotes(value):
            raise PlanError(f"Argument `{name}` must be a number. Received: {name}={shown(value)}. {quoted}")
    dataset, batch = run.pop("dataset_size", None), run.pop("batch_size", None)
    for name, value in (("dataset_size", dataset), ("batch_size", batch)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise PlanError(f"Argument `{name}` must be an integer >= 1. Received: {name}={shown(value)}.")
    if batch is None:
        if dataset is not None:
            raise PlanError(f"Argument `dataset_size` needs `batch_size`. Received: dataset_size={shown(dataset)}.")
        return run
    run.setdefault("samples_per_step", batch)
    if dataset is not None:
        steps = -(-dataset // batch)
        if run.setdefault("steps_per_epoch", steps) != steps:
            raise PlanError(
                f"Arguments `dataset_size` and `batch_size` make {shown(steps)} steps per epoch. "
                f"Received: steps_per_epoch={shown(run['steps_per_epoch'])}. Leave one of them out."
            )
    return run
