"""Pictures in files, of the format that the file's ending gives."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kosine._core.files import whole_file
from kosine._core.plain_text import printable
from kosine.cli._number_types import ParamType
from kosine.cli._run_options import CommandFunction

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf", "html")


class PictureFile(ParamType):
    """The name of a file whose ending gives the format."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        if format_of(path) not in FORMATS:
            known = ", ".join(f".{ending}" for ending in FORMATS)
            self.fail(f"{value!r} must end in one of {known}: the ending gives the format.", param, ctx)
        return path


def picture_option(*names: str) -> Callable[[CommandFunction], CommandFunction]:
    """The option of a command that also draws what it prints."""
    return click.option(
        *names,
        "-o",
        "--output",
        "output",
        type=PictureFile(),
        metavar="FILE",
        help="Also draw it into a file; the ending .png, .svg, .pdf or .html gives the format.",
    )


def format_of(path: Path) -> str:
    return path.suffix[1:].lower()


def write_picture(output: Path, page: Callable[[], str], figure: Callable[[], Figure], dpi: int = 150) -> None:
    """Write what the file's ending asks for: the html page, or else the figure."""
    if format_of(output) == "html":
        text = page()
        with whole_file(output) as file:
            file.write(text)
    else:
        from kosine._display.figure import save_figure

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            save_figure(figure(), output, dpi=dpi, format=format_of(output))
        for message in dict.fromkeys(str(warning.message) for warning in caught):  # letters that no font has
            click.echo(f"kosine: {printable(message)}", err=True)
