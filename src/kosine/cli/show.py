"""`kosine show`: the phase table, the curve in the terminal, and a picture where one is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kosine.cli.run_size import planned, run_size_options
from kosine.cli.terminal import Screen, draw
from kosine.notation import parse
from kosine.plotting import length


@click.command(
    "show",
    epilog="""\b
Examples:
  kosine show 'warmup_cosine(peak=1e-3, warmup="5ep")' --epochs 50 --steps-per-epoch 788
  kosine show 'sgdr(peak=0.05, period=1000, stretch=2)' --total-steps 15000 --png sgdr.png""",
)
@click.argument("schedule")
@run_size_options
@click.option("--png", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a picture, too.")
def command(schedule: str, png: Path | None, **size: Any) -> None:
    """Print the phases of SCHEDULE as a table and draw its curve.

    SCHEDULE is the text form, an expression such as warmup_cosine(peak=1e-3, warmup="5ep"). Put it in single quotes.
    """
    plan = planned(parse(schedule), size)
    length(plan)  # a plan without one has nothing to draw: say so before anything is printed
    screen = Screen.of_stdout()
    picture = draw(plan, screen)
    click.echo(f"{plan}\n\n{picture}")
    if png is not None:
        from kosine.plotting import new_figure, plot_plan, save_figure

        figure = new_figure()
        axes = plot_plan(plan, ax=figure.subplots())
        title = " ".join(schedule.split())
        axes.set_title(title if len(title) <= 100 else title[:97] + "...", fontsize=10, loc="left", parse_math=False)
        save_figure(figure, png, format="png")
        click.echo(f"\nwrote {png}")
