"""What a notebook shows on the last line of a cell, for a plan, a comparison, a log, ...: the curve and the table."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from kosine._core.plain_text import shortened
from kosine._core.schedule import Plan, Schedule
from kosine._core.views import view
from kosine._display.example_run import Example, example
from kosine._display.figure import default_style, figure_of
from kosine._display.tables import plan_table_lines as table_lines
from kosine.errors import MissingPackageError, PlanError, missing_package

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from kosine._display.loss_scene import LossScene
    from kosine._display.scene import Scene

_MOST_TEXT = 1000  # characters of a schedule's text form
_LINE = "1px solid rgba(128, 128, 128, 0.4)"  # is seen on white and on black
_MISSING = str(missing_package("A picture here", "Matplotlib", "plot"))


def plan_html(plan: Plan) -> str:
    """The curve of a plan, with its phases as a table, as a piece of a page.

    A plan without a length is drawn for a run that is chosen for it, and the piece says which.
    """
    return schedule_html(plan) if plan.total_steps is None else _piece(_picture(plan), _table(plan))


def svg(result: Plan | Schedule) -> str | None:
    """The curve as SVG; None without Matplotlib, or where no run is found that it can be drawn for."""
    try:
        return _plan_svg(
            result if isinstance(result, Plan) and result.total_steps is not None else _example(result).plan
        )
    except (MissingPackageError, PlanError):
        return None


def result_html(result: object) -> str:
    """The picture of a comparison, a verdict, a range test, ..., and below it what a terminal shows."""
    text = html.escape(str(result))
    scene: Scene | LossScene = view(result, "scene")
    return _piece(
        _image(lambda: _svg(lambda: view(result, "figure")), shortened(scene.described, _MOST_TEXT)),
        f'<pre style="background: transparent; color: inherit; overflow-x: auto">{text}</pre>',
    )


def schedule_html(result: Plan | Schedule) -> str:
    """The curve of what does not say how long it is in a run that is chosen for it, its phases there, and its text."""
    schedule = result.schedule if isinstance(result, Plan) else result
    text = html.escape(shortened(repr(schedule), _MOST_TEXT))
    code = f'<code style="background: transparent; color: inherit">{text}</code>'
    try:
        shown = _example(result)
    except PlanError as error:
        return _piece(code, _line(f"No run was found that this can be drawn for. {error}"))
    caption = f"Drawn for {shown.run}; plan it for yours." if shown.run else ""
    return _piece(code, _picture(shown.plan), _line(caption), _table(shown.plan))


def _example(result: Plan | Schedule) -> Example:
    return example(result.schedule, result.run) if isinstance(result, Plan) else example(result)


def _piece(*parts: str) -> str:
    return f'<div style="max-width: 56em; line-height: 1.5">{"".join(filter(None, parts))}</div>'


def _line(text: str) -> str:
    return f'<p style="margin: 0.3em 0; opacity: 0.8">{html.escape(text)}</p>' if text else ""


def _picture(plan: Plan) -> str:
    return _image(lambda: _plan_svg(plan), f"Learning rate of {shortened(repr(plan), _MOST_TEXT)}")


def _image(draw: Callable[[], str], text: str) -> str:
    """A self-contained picture: its names and styles do not meet those of the page around it."""
    try:
        svg = draw()
    except MissingPackageError:
        return _line(_MISSING)
    data = base64.b64encode(svg.encode()).decode()
    style = "display: block; width: 100%; margin: 0.3em 0; background: white"
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{html.escape(text)}" style="{style}">'


def _table(plan: Plan) -> str:
    lines = table_lines(plan)
    rows = []
    for number, line in enumerate(lines):
        tag = "th" if number == 0 else "td"
        rule = f"border-bottom: {_LINE}" if number == 0 else f"border-top: {_LINE}" if line is lines[-1] else ""
        cells = (
            f'<{tag} style="text-align: {"right" if column else "left"}; padding: 0.1em 0.8em; border: none; {rule}">'
            f"{html.escape(cell)}</{tag}>"
            for column, cell in enumerate(line)
        )
        rows.append(f'<tr style="background: transparent">{"".join(cells)}</tr>')
    style = "border-collapse: collapse; color: inherit; font-variant-numeric: tabular-nums; margin: 0.3em 0"
    return f'<table style="{style}">{"".join(rows)}</table>'


@lru_cache(maxsize=8)
def _plan_svg(plan: Plan) -> str:
    """The picture of a plan; kept, as a notebook asks for it in one form after the other."""
    return _svg(lambda: figure_of(plan, title=""))


def _svg(draw: Callable[[], Figure]) -> str:
    """A figure as an SVG element whose names and styles stay separate from those of others on the page.

    Raises:
        MissingPackageError: Matplotlib is not installed.
    """
    buffer = io.StringIO()
    with default_style():
        import matplotlib as mpl

        mpl.rcParams.update({"svg.hashsalt": "kosine", "svg.fonttype": "path"})
        empty = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        draw().savefig(buffer, format="svg", facecolor="white", metadata=empty)
    return _own(buffer.getvalue())


def _own(document: str) -> str:
    """The element of an SVG document, with names and styles that are unique to it on the page."""
    text = document[document.index("<svg") :]
    text = re.sub(r"<!--.*?-->|<style[^>]*>.*?</style>", "", text, flags=re.DOTALL)  # a style sheet holds for a page
    text = text.replace("<svg", '<svg style="stroke-linejoin: round; stroke-linecap: butt"', 1)
    text = re.sub(r' d="[^"]*"', _to_tenths, text)
    text = re.sub(r"\s*\n\s*", "\n", text)
    own = "k" + hashlib.sha256(text.encode()).hexdigest()[:10]
    return re.sub(r'((?<=\bid=")|(?<=href="#)|(?<=url\(#))', f"{own}-", text)


def _to_tenths(path: re.Match[str]) -> str:
    """A path rounded to a tenth of a point, which is too small to see."""
    return re.sub(r"\d+\.\d+", lambda number: f"{float(number[0]):.1f}", path[0])
