"""`kosine show`: the phase table, and the curve in the terminal."""

from __future__ import annotations

from typing import Any

import click

from kosine.cli.run_size import planned, run_size_options
from kosine.cli.source import Source, SourceType
from kosine.cli.terminal import Screen, draw
from kosine.sampling import length


@click.command(
    "show",
    epilog="""\b
Examples:
  kosine show 'warmup_cosine(peak=1e-3, warmup="5ep")' --epochs 50 --steps-per-epoch 788
  kosine show 'sgdr(peak=0.05, period=1000, stretch=2)' --total-steps 15000""",
)
@click.argument("schedule", type=SourceType())
@run_size_options
def command(schedule: Source, **size: Any) -> None:
    """Print the phases of SCHEDULE as a table and draw its curve.

    SCHEDULE is the text form in single quotes, an expression such as warmup_cosine(peak=1e-3, warmup="5ep"); a .json
    or .toml file; - for standard input; or the name of a published recipe.
    """
    plan = planned(schedule, size)
    length(plan)  # a plan without one has nothing to draw: say so before anything is printed
    click.echo(f"{plan}\n\n{draw(plan, Screen.of_stdout())}")
