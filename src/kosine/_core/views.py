"""The one door to pictures: a result names the view that it needs, and the room that draws has registered it.

The core, the logs and the analyses do not import what draws them, so that a picture can never become a reason for a
number. `kosine/__init__` says which module holds the views; it is imported when the first view is asked for.
"""

from __future__ import annotations

import importlib
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


class Result(Shown):
    """What `print` shows as a table, a notebook draws, and `plot` too."""

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the curves over each other with Matplotlib (extra `plot`), and how far they are apart below.

        Args:
            ax: the axes to draw the curves on, without what is below; a new figure of both if None.

        Returns:
            The axes of the curves.
        """
        axes: Axes = view(self, "plot", ax=ax)
        return axes

    def __str__(self) -> str:
        text: str = view(self, "text")
        return text
