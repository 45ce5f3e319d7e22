"""`kosine plot`: a picture of a schedule in a file, or a page that answers the mouse."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from kosine._display.save import format_of
from kosine.cli._number_types import ParamType, Steps
from kosine.cli._output import json_option, say_written
from kosine.cli._pictures import PictureFile, write_picture
from kosine.cli._planning import planned
from kosine.cli._run_options import run_size_options
from kosine.cli._schedule_argument import ScheduleCommand, ScheduleType
from kosine.cli._schedule_files import NamedSchedule


class Size(ParamType):
    """Width and height in inches, with an x between them."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        match = re.fullmatch(r"(\d{1,2}(?:\.\d+)?)x(\d{1,2}(?:\.\d+)?)", str(value), re.ASCII)
        if match is None or not all(2 <= float(side) <= 50 for side in match.groups()):
            self.fail(f"{value!r} is not a width and a height between 2 and 50 inches, such as 9x4.", param, ctx)
        return float(match[1]), float(match[2])


@click.command(
    "plot",
    cls=ScheduleCommand,
    epilog="""\b
Examples:
  kosine plot gpt-3 -o gpt-3.html
  kosine plot 'one_cycle(peak=0.1)' --total-steps 39400 -o rates.png --log
  kosine plot 'wsd(peak=3e-4, cooldown="20%")' --total-steps 1e5 \\
    -o wsd.pdf --points 0,80000,99999""",
)
@click.argument("schedule", type=ScheduleType())
@run_size_options
@click.option(
    "-o", "--output", type=PictureFile(), required=True, metavar="FILE",
    help="Where to; the ending .png, .svg, .pdf or .html gives the format. An html page zooms and answers the mouse.",
)  # fmt: skip
@click.option("--log", is_flag=True, help="Put the rates on a logarithmic axis.")
@click.option("--points", type=Steps(), metavar="STEPS", help="Steps to mark, such as 0,7880,39399.")
@click.option("--title", help="The title; the schedule's text form if not given.")
@click.option("--size", type=Size(), metavar="WxH", help="Inches of a png, svg or pdf.  [default: 9x4]")
@click.option("--dpi", type=click.IntRange(20, 1200), help="Dots per inch of a png.  [default: 150]")
@json_option
def command(
    schedule: NamedSchedule,
    output: Path,
    log: bool,
    points: list[int] | None,
    title: str | None,
    size: tuple[float, float] | None,
    dpi: int | None,
    as_json: bool,
    **run: Any,
) -> None:
    """Draw SCHEDULE into a file: the rate of every step, with phases and restarts marked and named."""
    from kosine._analysis.sampling import length

    plan = planned(schedule, run)
    length(plan)  # a plan without one has nothing to draw: say so before a plotting library is loaded
    kind = format_of(output)
    if (dpi and kind != "png") or (size and kind == "html"):
        raise click.UsageError("--dpi is for png files, and --size for png, svg and pdf files.")
    heading = schedule.name if title is None else title
    write_picture(plan, output, heading, title=heading, size=size, dpi=dpi or 150, log=log, points=points or ())
    say_written(output, as_json, format=kind)
