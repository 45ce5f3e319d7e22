"""The one door to pictures: a result names the view that it needs, and the room that draws has registered it.

The core, the logs and the analyses do not import what draws them, so that a picture can never become a reason for a
number. `kosine/__init__` says which module holds the views; it is imported when the first view is asked for.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DRAWN_BY: list[str] = []
_VIEWS: dict[str, str] = {}


def drawn_by(module: str) -> None:
    """Say which module registers the views; called once, by the package's front door."""
    _DRAWN_BY[:] = [module]


def register(views: Mapping[str, str]) -> None:
    """Add views, each by "Result.view" and as "module:function"; the module is imported when it is first drawn."""
    _VIEWS.update(views)


def view(result: object, how: str, **options: Any) -> Any:
    """What the registered function makes of a result, such as its "plot", its "html" or its "text"."""
    if not _VIEWS:
        importlib.import_module(*_DRAWN_BY)
    name = next(f"{each.__name__}.{how}" for each in type(result).__mro__ if f"{each.__name__}.{how}" in _VIEWS)
    module, function = _VIEWS[name].split(":")
    return getattr(importlib.import_module(module), function)(result, **options)


class Shown:
    """What a notebook draws on the last line of a cell."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        html: str = view(self, "html")
        return html


class Drawn(Shown):
    """What `print` shows as a table, and what can be saved as a picture or as a page."""

    __slots__ = ()

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        title: str | None = None,
        size: tuple[float, float] | None = None,
        dpi: int = 150,
        **options: Any,
    ) -> None:
        """Save a picture, or a page that zooms and answers the mouse; the file appears whole or not at all.

        Args:
            path: the file; its ending sets the format: .png, .svg or .pdf for a picture, .html for a page.
            title: the heading; if None, a plan's is its schedule, and a log's says what was found.
            size: width and height of a picture in inches; if None, one that fits its content.
            dpi: dots per inch of a png.
            **options: of a plan: `log` and `points`, as in `plot`.

        Raises:
            ArgumentError: another ending, or a folder that does not exist.
            ArgumentTypeError: the path is not one.
            PlanError: nothing can be drawn, as of a schedule that never ends, planned without a length.
            MissingPackageError: Matplotlib, or Plotly for a page, is not installed (extra `plot`).
            OSError: the file cannot be written; a file that was there before is unchanged.
        """
        view(self, "save", path=path, title=title, size=size, dpi=dpi, **options)

    def draw(self, width: int | None = None) -> str:
        """The picture as text, for a terminal: `print(plan.draw())`.

        Args:
            width: how many columns it may take, at least 40; if None, those of the terminal that standard output is,
                with its colours, else 80.

        Raises:
            PlanError: nothing can be drawn, as of a schedule that never ends, planned without a length.
        """
        lines: str = view(self, "draw", width=width)
        return lines

    def __str__(self) -> str:
        text: str = view(self, "text")
        return text


class Result(Drawn):
    """The answer to a question about plans or logs: its `plot` has the curves, and how far they are apart."""

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the curves over each other with Matplotlib (extra `plot`), and how far they are apart below.

        Args:
            ax: the axes to draw the curves on, without what is below; a new figure of both if None.

        Returns:
            The axes of the curves.
        """
        axes: Axes = view(self, "plot", ax=ax)
        return axes
