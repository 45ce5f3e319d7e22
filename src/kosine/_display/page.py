"""A scene as one html file that answers the mouse: it zooms, names step, epoch and rate, and needs no network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kosine._analysis.sampling import COLUMNS
from kosine._analysis.summary import Summary, summarize
from kosine._core.plain_text import shortened
from kosine._core.views import view
from kosine._display.figure import COLOURS, CURVE, FEW, GREY, LOG, PLAN, RESTART, TINTS, tinted
from kosine._display.labels import key_names
from kosine._display.ranking_view import ranking_scene
from kosine._display.scene import Line, Scene, comparison_scene, inference_scene, leaves, plan_scene, verdict_scene
from kosine._display.tables import plan_table_lines
from kosine._version import __version__
from kosine.errors import missing_package

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._analysis.compare import Comparison
    from kosine._analysis.rank import Ranking
    from kosine._core.schedule import Plan
    from kosine._logs.check.verdict import Verdict
    from kosine._logs.infer.result import Inference

_COLUMNS = 8 * COLUMNS  # one zooms
_TITLE, _HEADING, _NAME = 100, 2000, 200  # characters
_EXACT = 2**53  # above it JavaScript's numbers lose digits
_DASHES = ("solid", "dash", "dashdot", "dot")

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<main>
<h1>{heading}</h1>
<div class="controls">
{buttons}<button type="button" id="whole">{whole}</button>
<span>Drag or turn the wheel to zoom; double click for the {whole}.</span>
</div>
<div id="picture"><noscript>The picture needs JavaScript; the tables below do not.</noscript></div>
{below}
<footer>Made by kosine {version}. This file needs no network.</footer>
</main>
<script type="application/json" id="data">{data}</script>
<script>{plotly}</script>
<script>{script}</script>
</body>
</html>
"""


def page_of(result: object, title: str | None = None, **options: Any) -> str:
    """A whole html document: the scene of a result, and below it its tables.

    Args:
        result: a plan, a comparison, a verdict or an inference.
        title: the heading; any text. The names of what is drawn if None.
        options: of its scene; a plan has `points`, and `log` for the axis at first: two buttons change it.

    Raises:
        PlanError: there is nothing that can be drawn.
        MissingPackageError: plotly is not installed.
    """
    text: str = view(result, "page", title=title, **options)
    return text


def plan_page(plan: Plan, title: str | None, **options: Any) -> str:
    """The curve of a plan; below it what the colours mean, its phases as a table, and its totals."""
    scene = plan_scene(plan, _COLUMNS, **options)
    table, totals = _table(plan_table_lines(plan)), _totals(summarize(plan))
    return _document(scene, title, [_key(scene), _left_out(plan), "<h2>Phases</h2>", table, "<h2>Totals</h2>", totals])


def comparison_page(comparison: Comparison, title: str | None) -> str:
    """The curves of plans over each other, their differences from the first, and the table."""
    scene = comparison_scene(comparison, _COLUMNS // 2)
    return _document(scene, title, ["<h2>Differences</h2>", preformatted(str(comparison))])


def ranking_page(ranking: Ranking, title: str | None) -> str:
    """Plans at their best peaks over each other, and the table."""
    below = ["<h2>Ranking</h2>", preformatted(str(ranking))]
    return _document(ranking_scene(ranking, _COLUMNS // 2), title, below)


def verdict_page(verdict: Verdict, title: str | None) -> str:
    """A log over the plan that it was checked against, how far it is from it, and what was found."""
    return _document(verdict_scene(verdict, _COLUMNS // 2), title, _found("Verdict", verdict))


def inference_page(inference: Inference, title: str | None) -> str:
    """A log over the schedule that explains it, how far it is from it, and what was found."""
    return _document(inference_scene(inference, _COLUMNS // 2), title, _found("Inference", inference))


def _found(heading: str, result: Verdict | Inference) -> list[str]:
    """The sentence, which a browser wraps, and the table that a terminal shows under it."""
    table = str(result).partition("\n\n")[2]
    return [f"<h2>{heading}</h2>", f"<p>{html.escape(result.sentence)}</p>", preformatted(table, "found")]


def preformatted(text: str, name: str = "table") -> str:
    return f'<div class="wide"><pre class="{name}">{html.escape(text)}</pre></div>'


def _data(scene: Scene) -> dict[str, Any]:
    """What the script draws: curves over one axis, null where a line has no point there."""
    x, total = scene.lines[0].x, scene.limits[1]
    whole = [int(place) if float(place).is_integer() else place for place in x.tolist()]
    style = {name: scene.style(log=name == "log") for name in ("linear", "log")}
    data: dict[str, Any] = {
        "steps": whole if total <= _EXACT else list(map(str, whole)),
        "unit": scene.unit,
        "curves": [
            {"mark": line.mark, "name": line.label(_NAME), "rates": _at(x, line, line.y), **looks}
            for line, looks in zip(scene.lines, _looks(scene), strict=True)
        ],
        "begin": scene.limits[0],
        "total": total,
        "per_epoch": scene.steps_per_epoch,
        "peak": scene.peak,
        "lowest": scene.lowest,
        "log": scene.log,
        "scientific": {name: each.scientific for name, each in style.items()},
        "bands": [
            {
                "first_step": band.first_step,
                "stop": band.stop,
                "label": band.label,
                "short": band.short,
                "colour": colour,
                "opacity": opacity,
                "narrow": (band.stop - band.first_step) * COLUMNS < total,
            }
            for band, colour, opacity in tinted(scene.bands)
        ],
        "restarts": [*scene.restarts, *scene.boundaries],
        "restart_colour": GREY if scene.boundaries else RESTART,
        "points": [{"step": step, "rate": rate, "words": f"{step:,}"} for step, rate in scene.points.items()],
        "leaves": [],
        "difference": scene.difference.replace("\n", "<br>"),
    }
    if scene.lowest is not None and len(scene.lines) == 1:
        data["leaves"], data["below"] = leaves(x, scene.lines[0].y, scene.lowest)
    if scene.half_widths is not None:
        data["half_widths"] = _at(x, scene.lines[1], scene.half_widths)
    if scene.mark is not None:
        data["mark"] = {"position": scene.mark.position, "text": scene.mark.text(style["linear"])}
    return data


def _at(x: NDArray[Any], line: Line, values: NDArray[np.float64]) -> list[float | None]:
    """The values of a line at each place of the common axis; None where it has no point."""
    if line.x.size == x.size:
        return list(values.tolist())
    found: list[float | None] = [None] * x.size
    for index, value in zip(np.searchsorted(x, line.x).tolist(), values.tolist(), strict=True):
        found[index] = value
    return found


def _looks(scene: Scene) -> list[dict[str, str]]:
    """Colour and stroke of each line."""
    if rows := scene.lines[-1].rows:
        log = {"colour": LOG, "dash": "solid", "mode": "markers" if rows <= FEW else "lines"}
        return [{"colour": PLAN, "dash": "solid", "mode": "lines"}, log][-len(scene.lines) :]
    return [
        {
            "colour": COLOURS[number % len(COLOURS)],
            "dash": _DASHES[(number + number // len(COLOURS)) % len(_DASHES)],
        }
        for number in range(len(scene.lines))
    ]


def _document(scene: Scene, title: str | None, below: Sequence[str]) -> str:
    """The page of a scene, with the text below the picture."""
    scene.check_axis()
    data = _data(scene)
    return document(scene.heading if title is None else title, data, below, "page.js", _buttons(data), "whole run")


def document(title: str, data: dict[str, Any], below: Sequence[str], script: str, buttons: str, whole: str) -> str:
    """A page.

    Args:
        title: the heading.
        data: what the script draws.
        below: pieces of html below the picture.
        script: the name of the file beside this one that draws the data with plotly.
        buttons: more buttons above the picture.
        whole: what the button shows that takes a zoom back.
    """
    folder = Path(__file__).parent
    plotly, program = _plotly(), (folder / script).read_text(encoding="utf-8")
    scripts = " ".join(_hash(text) for text in (plotly, program))
    return _PAGE.format(
        policy=f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:",
        title=html.escape(shortened(title, _TITLE)),
        style=(folder / "page.css").read_text(encoding="utf-8"),
        heading=html.escape(shortened(title, _HEADING)),
        buttons=buttons,
        whole=whole,
        below="\n".join(part for part in below if part),
        version=__version__,
        data=json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c"),
        plotly=plotly,
        script=program,
    )


@cache
def _plotly() -> str:
    """The program of plotly, which goes into every page."""
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise missing_package("An interactive page", "plotly", "plot") from error
    return str(get_plotlyjs())


def _hash(script: str) -> str:
    """A script as a page's policy names it; it allows this script only."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _buttons(data: dict[str, Any]) -> str:
    if data["lowest"] is None:
        return ""
    pressed = "log" if data["log"] else "linear"
    return "".join(
        f'<button type="button" data-scale="{name}" aria-pressed="{str(name == pressed).lower()}">{name}</button>\n'
        for name in ("linear", "log")
    )


def _key(scene: Scene) -> str:
    """What the colours and marks mean."""
    items = []
    for kind, name in key_names(scene.bands).items():
        colour, opacity = TINTS[kind]
        rectangle = f'<rect width="32" height="16" fill="{colour}" fill-opacity="{2 * opacity}"/>'
        items.append(_key_item(rectangle, name))
    if scene.restarts:
        dashes = f'<path d="M0 8H32" stroke="{RESTART}" stroke-width="2" stroke-dasharray="7 5"/>'
        items.append(_key_item(dashes, "restart"))
    places, name = leaves(scene.lines[0].x, scene.lines[0].y, scene.lowest or 0.0)
    if places:
        hidden = "" if scene.log else " hidden"
        items.append(_key_item(f'<path d="M7 2H25L16 15Z" fill="{CURVE}"/>', name, f' id="below"{hidden}'))
    return f'<ul class="key">{"".join(items)}</ul>'


def _key_item(mark: str, name: str, attributes: str = "") -> str:
    return f'<li{attributes}><svg viewBox="0 0 32 16" aria-hidden="true">{mark}</svg>{html.escape(name)}</li>'


def _left_out(plan: Plan) -> str:
    cycles = sum(len(part.cycles_in_run) for part in plan.parts)
    if cycles <= _COLUMNS:
        return ""
    return (
        f"<p>Of {cycles:,} cycles some are drawn, spread over the run, the highest and the lowest rates among them. "
        "Between one and the next the line means nothing.</p>"
    )


def _table(lines: list[list[str]]) -> str:
    head, *rows = ("".join(f"<th>{html.escape(cell)}</th>" for cell in lines[0]), *lines[1:])
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'


def _totals(summary: Summary) -> str:
    rows = "".join(
        f'<tr><th scope="row">{name}</th><td>{text}</td></tr>\n' for name, text in summary.in_words().items()
    )
    return f'<div class="wide"><table><tbody>{rows}</tbody></table></div>'
