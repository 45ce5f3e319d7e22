"""The options that say how long the run is, the same for every command."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kosine.errors import PlanError, shown

if TYPE_CHECKING:
    from kosine.cli.source import Source
    from kosine.plan import Plan

    Integer = click.ParamType[int]
    AnyType = click.ParamType[Any]
else:  # generic in the types of newer releases of click only
    Integer = AnyType = click.ParamType

Function = TypeVar("Function", bound=Callable[..., Any])


class Count(Integer):
    """A whole number, also written 1_000_000, 1,000,000 or 1e6."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"([+-]?\d[\d_,]{0,30})(?:e\+?(\d{1,2}))?", str(value), re.ASCII | re.IGNORECASE)
        if match is None:
            self.fail(f"{value!r} is not a whole number.", param, ctx)
        digits, exponent = re.sub("[_,]", "", match[1]), int(match[2] or 0)
        return int(digits + "0" * exponent)


_OPTIONS: tuple[tuple[str, AnyType, str], ...] = (
    ("--total-steps", Count(), "The run's length in steps (training batches)."),
    ("--epochs", click.FLOAT, "The run's length in epochs."),
    ("--steps-per-epoch", Count(), "Training batches in an epoch."),
    ("--dataset-size", Count(), "Training samples; with --batch-size instead of --steps-per-epoch."),
    ("--batch-size", Count(), "Samples in a batch; the last batch of an epoch may be smaller."),
    ("--samples-per-step", Count(), 'Samples in a step, for durations such as "2e8sp"; the batch size if not given.'),
    ("--tokens-per-step", Count(), 'Tokens in a step, for durations such as "375Mtok".'),
)
RUN_NAMES = tuple(name.removeprefix("--").replace("-", "_") for name, _, _ in _OPTIONS)
_LENGTHS = ("total_steps", "epochs")


def run_size_options(function: Function) -> Function:
    """Add the options to a command, which takes them as `**size` and hands them to `planned`."""
    for name, kind, text in reversed(_OPTIONS):
        function = click.option(name, type=kind, metavar="N", help=text)(function)
    return function


def planned(source: Source, size: Mapping[str, Any]) -> Plan:
    """The schedule planned for the run that the options describe, and for what they leave open, its own file.

    Raises:
        PlanError, ArgumentTypeError: as `Schedule.plan`, or a data set without a batch size.
    """
    given = {name: value for name, value in size.items() if value is not None}
    own = {name: value for name, value in source.run.items() if not (name in _LENGTHS and given.keys() & {*_LENGTHS})}
    return source.schedule.plan(**_of_data(own | given))


def _of_data(run: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `plan`, where the size of the data may stand for the steps of an epoch."""
    dataset, batch = run.pop("dataset_size", None), run.pop("batch_size", None)
    for name, value in (("dataset_size", dataset), ("batch_size", batch)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise PlanError(f"Argument `{name}` must be an integer >= 1. Received: {name}={shown(value)}.")
    if batch is None:
        if dataset is not None:
            raise PlanError(f"Argument `dataset_size` needs `batch_size`. Received: dataset_size={dataset}.")
        return run
    run.setdefault("samples_per_step", batch)
    if dataset is not None:
        steps = -(-dataset // batch)
        if run.setdefault("steps_per_epoch", steps) != steps:
            raise PlanError(
                f"Arguments `dataset_size` and `batch_size` make {steps} steps per epoch. "
                f"Received: steps_per_epoch={shown(run['steps_per_epoch'])}. Leave one of them out."
            )
    return run
