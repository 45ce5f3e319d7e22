"""The options that say how long the run is, the same for every command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from kosine.cli._errors import option
from kosine.cli._number_types import Count, ParamType, Seconds
from kosine.cli._per_step_type import PerStep

CommandFunction = TypeVar("CommandFunction", bound=Callable[..., Any])

_OPTIONS: dict[str, tuple[ParamType, str, str]] = {
    "total_steps": (Count(), "N", "The run's length in steps (updates of the optimizer), such as 39400 or 1M."),
    "epochs": (click.FLOAT, "N", "The run's length in epochs."),
    "total_samples": (Count(), "N", "The run's length in samples, such as 1.2M."),
    "total_tokens": (Count(), "N", "The run's length in tokens, such as 300B."),
    "total_time": (click.STRING, "TIME", "The run's length in time: 90s, 30min, 1.5h or 2d."),
    "steps_per_epoch": (Count(), "N", "Steps in an epoch."),
    "dataset_size": (Count(), "N", "Training samples; with --batch-size instead of --steps-per-epoch."),
    "batch_size": (Count(), "N", "Samples in a batch of one device; the last batch of an epoch may be smaller."),
    "accumulate": (Count(), "N", "Batches whose gradients are added up before an update.  [default: 1]"),
    "devices": (Count(), "N", "Devices, each with batches of its own.  [default: 1]"),
    "samples_per_step": (
        PerStep(),
        "N",
        'Samples in a step, for durations such as "2e8sp"; if not given, those of --batch-size, --accumulate and '
        "--devices.",
    ),
    "tokens_per_step": (
        PerStep(),
        "N",
        'Tokens in a step, for durations such as "375Mtok"; a batch that grows is START:TO:OVER:INCREMENT, or a '
        "schedule of sizes.",
    ),
    "seconds_per_step": (Seconds(), "S", 'How long a step takes, for durations such as "30min".'),
}

_FLAGS = {
    "drop_last": "Leave out a last batch that is not full, as DataLoader(drop_last=True).",
    "clip": "Cut phases that do not fit to the end of the run, as in a smoke test, and say so.",
}

RUN_NAMES = (*_OPTIONS, *_FLAGS)
"""What may be said of a run: arguments of `Schedule.plan`, options here, keys in the [run] of a file."""
LENGTHS = ("total_steps", "epochs", "total_samples", "total_tokens", "total_time")


def run_size_options(function: CommandFunction) -> CommandFunction:
    """Add the options to a command, which takes them as `**size` and hands them to `planned`."""
    for name, text in reversed(_FLAGS.items()):
        function = click.option(option(name), is_flag=True, default=None, help=text)(function)
    for name, (kind, metavar, text) in reversed(_OPTIONS.items()):
        function = click.option(option(name), type=kind, metavar=metavar, help=text)(function)
    return function
