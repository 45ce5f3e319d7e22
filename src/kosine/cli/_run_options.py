"""The options that say how long the run is, the same for every command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from kosine.cli._errors import option
from kosine.cli._number_types import Count, ParamType
from kosine.cli._per_step_type import PerStep

CommandFunction = TypeVar("CommandFunction", bound=Callable[..., Any])

_OPTIONS: dict[str, tuple[ParamType, str]] = {
    "total_steps": (Count(), "The run's length in steps (training batches), such as 39400 or 1M."),
    "epochs": (click.FLOAT, "The run's length in epochs."),
    "steps_per_epoch": (Count(), "Training batches in an epoch."),
    "dataset_size": (Count(), "Training samples; with --batch-size instead of --steps-per-epoch."),
    "batch_size": (Count(), "Samples in a batch; the last batch of an epoch may be smaller."),
    "samples_per_step": (
        PerStep(),
        'Samples in a step, for durations such as "2e8sp"; the batch size if not given.',
    ),
    "tokens_per_step": (
        PerStep(),
        'Tokens in a step, for durations such as "375Mtok"; a batch that grows is START:TO:OVER:INCREMENT.',
    ),
}

RUN_NAMES = (*_OPTIONS, "clip")
"""What may be said of a run: arguments of `Schedule.plan`, options here, keys in the [run] of a file."""
LENGTHS = ("total_steps", "epochs")


def run_size_options(function: CommandFunction) -> CommandFunction:
    """Add the options to a command, which takes them as `**size` and hands them to `planned`."""
    text = "Cut phases that do not fit to the end of the run, as in a smoke test, and say so."
    function = click.option("--clip", is_flag=True, default=None, help=text)(function)
    for name, (kind, text) in reversed(_OPTIONS.items()):
        function = click.option(option(name), type=kind, metavar="N", help=text)(function)
    return function
