"""`kosine plot`: a picture of a schedule in a file, or a page that answers the mouse."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from kosine.cli.output import json_option, print_json
from kosine.cli.run_size import AnyType, Count, planned, run_size_options
from kosine.cli.source import Source, SourceType
from kosine.files import whole_file

FORMATS = ("png", "svg", "pdf", "html")


class PictureFile(AnyType):
    """The name of a file whose ending tells the format."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        if path.suffix[1:].lower() not in FORMATS:
            known = ", ".join(f".{ending}" for ending in FORMATS)
            self.fail(f"{value!r} must end in one of {known}: the ending tells the format.", param, ctx)
        return path


class Steps(AnyType):
    """Whole numbers with commas between them."""

    name = "steps"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        return [Count().convert(part.strip(), param, ctx) for part in value.split(",")]


class Size(AnyType):
    """Width and height in inches, with an x between them."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        match = re.fullmatch(r"(\d{1,2}(?:\.\d+)?)x(\d{1,2}(?:\.\d+)?)", str(value), re.ASCII)
        if match is None or not all(2 <= float(side) <= 50 for side in match.groups()):
            self.fail(f"{value!r} is not a width and a height between 2 and 50 inches, such as 9x4.", param, ctx)
        return float(match[1]), float(match[2])


@click.command(
    "plot",
    epilog="""\b
Examples:
  kosine plot 'warmup_cosine(peak=1e-3, warmup="5%")' --total-steps 39400 -o warmup.png
  kosine plot 'sgdr(peak=0.05, period=1000, stretch=2)' --total-steps 15000 -o sgdr.html --log
  kosine plot 'wsd(peak=3e-4, cooldown="20%")' --total-steps 1e5 -o wsd.pdf --points 0,80000,99999""",
)
@click.argument("schedule", type=SourceType())
@run_size_options
@click.option(
    "-o", "--output", type=PictureFile(), required=True, metavar="FILE",
    help="Where to; the ending .png, .svg, .pdf or .html tells the format. An html page zooms and answers the mouse.",
)  # fmt: skip
@click.option("--log", is_flag=True, help="Put the rates on a logarithmic axis.")
@click.option("--points", type=Steps(), metavar="STEPS", help="Steps to point out, such as 0,7880,39399.")
@click.option("--title", help="The title; the schedule's text form if not given.")
@click.option("--size", type=Size(), metavar="WxH", help="Inches of a png, svg or pdf.  [default: 9x4]")
@click.option("--dpi", type=click.IntRange(20, 1200), help="Dots per inch of a png.  [default: 150]")
@json_option
def command(
    schedule: Source,
    output: Path,
    log: bool,
    points: list[int] | None,
    title: str | None,
    size: tuple[float, float] | None,
    dpi: int | None,
    as_json: bool,
    **run: Any,
) -> None:
    """Draw SCHEDULE into a file: the rate of every step, with phases and restarts marked and named.

    SCHEDULE is the text form in single quotes, an expression such as warmup_cosine(peak=1e-3, warmup="5ep"); a .json
    or .toml file; - for standard input; or the name of a published recipe.
    """
    from kosine.sampling import length

    plan = planned(schedule, run)
    length(plan)  # a plan without one has nothing to draw: say so before a plotting library is loaded
    kind = output.suffix[1:].lower()
    if (dpi and kind != "png") or (size and kind == "html"):
        raise click.UsageError("--dpi is for png files, and --size for png, svg and pdf files.")
    heading = schedule.name if title is None else title
    if kind == "html":
        from kosine.plotting.page import plan_page

        text = plan_page(plan, heading, log=log, points=points or ())
        with whole_file(output) as file:
            file.write(text)
    else:
        from kosine.plotting.figure import plan_figure, save_figure

        figure = plan_figure(plan, heading, log=log, points=points or (), size=size or (9.0, 4.0))
        save_figure(figure, output, dpi=dpi or 150, format=kind)
    if as_json:
        print_json({"written": str(output), "format": kind, "bytes": output.stat().st_size})
    else:
        click.echo(f"wrote {output}")
