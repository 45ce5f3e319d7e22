"""The options that say how long the run is, the same for every command."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kosine.schedule import Schedule

if TYPE_CHECKING:
    from kosine.plan import Plan

    Integer = click.ParamType[int]
    AnyType = click.ParamType[Any]
else:  # generic in the types of newer releases of click only
    Integer = click.ParamType

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
    ("--epochs", click.FLOAT, "The run's length in epochs; needs --steps-per-epoch."),
    ("--steps-per-epoch", Count(), "Training batches in an epoch."),
    ("--samples-per-step", Count(), 'Samples in a batch, for durations such as "2e8sp".'),
    ("--tokens-per-step", Count(), 'Tokens in a batch, for durations such as "375Mtok".'),
)


def run_size_options(function: Function) -> Function:
    """Add the options to a command, which takes them as `**size` and hands them to `planned`."""
    for name, kind, text in reversed(_OPTIONS):
        function = click.option(name, type=kind, metavar="N", help=text)(function)
    return function


def planned(schedule: Schedule, size: dict[str, Any]) -> Plan:
    """The schedule planned for the run that the options describe.

    Raises:
        PlanError, ArgumentTypeError: as `Schedule.plan`.
    """
    return schedule.plan(**size)
