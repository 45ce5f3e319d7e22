"""Pictures in files, of the format that the file's ending names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from kosine._core.files import whole_file
from kosine.errors import ArgumentError, ArgumentTypeError

FORMATS = ("png", "svg", "pdf", "html")


def save(
    result: object,
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    size: tuple[float, float] | None = None,
    dpi: int = 150,
    **options: Any,
) -> None:
    """Write the picture of a plan, a comparison, a verdict or an inference, whole or not at all.

    An .html file is a page that zooms and answers the mouse; .png, .svg and .pdf are pictures.

    Args:
        result: the plan, ...
        path: where to; the ending names the format.
        title: the heading; if None, a plan's is its schedule, and a log's says what was found.
        size: width and height of a picture in inches.
        dpi: dots per inch of a png.
        options: of its scene; a plan has `log` and `points`.

    Raises:
        ArgumentError: the ending is not one of a format.
        ArgumentTypeError: the path is not one.
        PlanError: there is nothing that can be drawn.
        MissingPackageError: the package that draws it is not installed.
        OSError: the file cannot be written; a file that was there before is unchanged.
    """
    try:
        target = Path(path)
    except TypeError:
        raise ArgumentTypeError(argument="path", rule="the name of a file", received=path) from None
    kind = format_of(target)
    if kind not in FORMATS:
        endings = ", ".join(f".{each}" for each in FORMATS)
        raise ArgumentError(
            argument="path", rule=f"a file that ends in one of {endings}", received=os.fspath(target),
            fix="The ending names the format.",
        )  # fmt: skip
    if kind == "html":
        from kosine._display.page import page_of

        text = page_of(result, title, **options)
        with whole_file(target) as file:
            file.write(text)
    else:
        from kosine._display.figure import figure_of, save_figure

        figure = figure_of(result, title, size=size, **options)
        save_figure(figure, target, dpi=dpi, format=kind)


def format_of(path: Path) -> str:
    """The format that the ending of a file names."""
    return path.suffix[1:].lower()
