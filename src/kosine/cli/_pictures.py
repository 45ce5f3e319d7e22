"""Pictures in files, of the format that the file's ending gives."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from kosine._core.plain_text import printable
from kosine._display.save import FORMATS, format_of, save
from kosine.cli._number_types import ParamType
from kosine.cli._run_options import CommandFunction


class PictureFile(ParamType):
    """The name of a file whose ending gives the format."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        if format_of(path) not in FORMATS:
            known = ", ".join(f".{ending}" for ending in FORMATS)
            self.fail(f"{value!r} must end in one of {known}: the ending gives the format.", param, ctx)
        return path


def picture_option(*names: str, target: str = "output") -> Callable[[CommandFunction], CommandFunction]:
    """The option of a command that also draws what it prints; with a `target` of its own, -o is another file."""
    also = ("-o", "--output") if target == "output" else ()
    return click.option(
        *names,
        *also,
        target,
        type=PictureFile(),
        metavar="FILE",
        help="Also draw it into a file; the ending .png, .svg, .pdf or .html gives the format.",
    )


def write_picture(result: object, output: Path, page_title: str | None, **options: Any) -> None:
    """Write what the file's ending asks for, a page with a title; what a picture warns of is printed."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        save(result, output, **options | ({"title": page_title} if format_of(output) == "html" else {}))
    for message in dict.fromkeys(str(warning.message) for warning in caught):  # letters that no font has
        click.echo(f"kosine: {printable(message)}", err=True)
