"""Pictures in files, of the format that the file's ending names."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

from kosine._core.files import whole_file
from kosine._core.views import view
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
    """Write a result as `Drawn.save` says."""
    try:
        target = Path(path)
    except TypeError:
        raise ArgumentTypeError(argument="path", rule="the name of a file", received=path) from None
    kind = format_of(target)
    if kind not in FORMATS:
        endings = ", ".join(f".{each}" for each in FORMATS)
        raise ArgumentError(
            argument="path",
            rule=f"a file that ends in one of {endings}",
            received=os.fspath(target),
            fix="The ending sets the format.",
        )
    if not target.parent.is_dir():
        fix = f"Make the folder first: mkdir -p {shlex.quote(str(target.parent))}."
        raise ArgumentError("The folder of a file must exist.", received={"path": os.fspath(target)}, fix=fix)
    if kind == "html":
        from kosine._display.page import page_of

        text = page_of(result, title, **options)
        with whole_file(target) as file:
            file.write(text)
    else:
        from kosine._display.figure import save_figure

        figure = view(result, "figure", title=title, size=size, **options)
        save_figure(figure, target, dpi=dpi, format=kind)


def format_of(path: Path) -> str:
    """The format that the ending of a file names."""
    return path.suffix[1:].lower()
