"""The options that say how long the run is, the same for every command."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    Integer = click.ParamType[int]
    AnyType = click.ParamType[Any]
else:  # generic in the types of newer releases of click only
    Integer = AnyType = click.ParamType


Function = TypeVar("Function", bound=Callable[..., Any])


class Count(Integer):
    """A whole number, also written 1_000_000, 1,000,000, 1e6 or 1.5e6."""

    name = "integer"

    def __init__(self, least: int | None = None) -> None:
        self.least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        count = value if isinstance(value, int) else _whole(str(value))
        if count is None:
            self.fail(f"{value!r} is not a whole number.", param, ctx)
        if self.least is not None and count < self.least:
            self.fail(f"{value!r} must be at least {self.least}.", param, ctx)
        return count


_WHOLE = re.compile(
    r"([+-]?)(\d{1,40}(?:_\d{1,40}){0,12}|\d{1,3}(?:,\d{3}){1,12})(?:\.(\d{0,40}))?(?:e\+?(\d{1,2}))?",
    re.ASCII | re.IGNORECASE,
)


def _whole(text: str) -> int | None:
    """The whole number that a text says, in exact arithmetic; None where it says another number or none."""
    match = _WHOLE.fullmatch(text.strip())
    if match is None:
        return None
    sign, digits, decimals, exponent = match.groups()
    decimals, power = (decimals or "").rstrip("0"), int(exponent or 0)
    if len(decimals) > power:
        return None
    return int(sign + re.sub("[,_]", "", digits) + decimals + "0" * (power - len(decimals)))


class Steps(AnyType):
    """Steps as people list them: 0,7880,39_399 or '0 7880 39399'."""

    name = "steps"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        if isinstance(value, list):
            return value
        words = value.replace(",", " ").split()
        if not words:
            self.fail("no step is given.", param, ctx)
        return [Count().convert(word, param, ctx) for word in words]


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


LENGTHS = ("total_steps", "epochs")


_DATA = ("dataset_size", "batch_size")


def run_size_options(function: Function) -> Function:
    """Add the options to a command, which takes them as `**size` and hands them to `planned`."""
    for name, kind, text in reversed(_OPTIONS):
        function = click.option(name, type=kind, metavar="N", help=text)(function)
    return function
