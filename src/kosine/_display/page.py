"""A plan as one html file that answers the mouse: it zooms, tells step, epoch and rate, and needs no network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from kosine._analysis.sampling import COLUMNS, restarts, trace
from kosine._analysis.summary import Summary, summarize
from kosine._core.plain_text import shortened
from kosine._display.comparison_figure import COLOURS, NAME
from kosine._display.figure import CURVE, LOWEST_PEAK, RESTART, TINTS, goes_below, highest, lowest_shown, tinted
from kosine._display.labels import bands, key_names, marked_name, point_text
from kosine._display.log_figure import FEW, GREY, LOG, PLAN
from kosine._display.log_view import LogView
from kosine._display.points import read_points
from kosine._display.tables import plan_table_lines as table_lines
from kosine._version import __version__
from kosine.errors import missing_package

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._analysis.compare import Comparison
    from kosine._core.schedule import Plan
    from kosine._logs.check.verdict import Verdict
    from kosine._logs.infer.result import Inference

_COLUMNS = 8 * COLUMNS  # one zooms
_TITLE, _HEADING = 100, 2000  # characters
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
{buttons}<button type="button" id="whole">whole run</button>
<span>Drag or turn the wheel to zoom; double click for the whole run.</span>
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


def plan_page(plan: Plan, title: str, *, log: bool = False, points: Iterable[SupportsIndex] = ()) -> str:
    """A whole html document: the curve of a plan, its phases as a table, and its totals.

    Args:
        plan: the plan.
        title: the heading; any text.
        log: whether the rates stand on a logarithmic axis at first; two buttons change it.
        points: steps to point out.

    Raises:
        PlanError: a plan of a schedule that never ends, made without a length; a point outside the run; a logarithmic
            axis for rates that are all 0.
        ArgumentTypeError: a point that is no integer.
        MissingPackageError: plotly is not installed.
    """
    steps, rates = trace(plan, _COLUMNS)
    summary = summarize(plan)
    curve = {"name": "rate", "rates": rates.tolist(), "colour": CURVE, "dash": "solid"}
    data = _data(steps, [curve], summary.total_steps, plan.run.steps_per_epoch, [rates], log)
    data["bands"] = list(_bands(plan, summary.total_steps))
    data["restarts"] = restarts(plan)
    if data["lowest"] is not None:
        data["leaves"], data["below"] = goes_below(steps, rates, data["lowest"])
    data["points"] = [
        {"step": step, "rate": plan(step), "text": point_text(step, plan(step))} for step in read_points(plan, points)
    ]
    below = [
        _key(plan, data),
        _left_out(plan),
        "<h2>Phases</h2>",
        _table(table_lines(plan)),
        "<h2>Totals</h2>",
        _totals(summary),
    ]
    return _document(title, data, below)


def comparison_page(comparison: Comparison, title: str) -> str:
    """A whole html document: the curves of plans over each other, their differences from the first, and the table.

    Args:
        comparison: what `compare` returned.
        title: the heading; any text.

    Raises:
        MissingPackageError: plotly is not installed.
    """
    steps, rates = comparison.trace(_COLUMNS // 2)
    curves = [
        _named(
            marked_name(mark, name, NAME),
            curve.tolist(),
            COLOURS[number % len(COLOURS)],
            _DASHES[(number + number // len(COLOURS)) % len(_DASHES)],
            mark=mark,
        )
        for number, (mark, name, curve) in enumerate(zip(comparison.marks, comparison.names, rates, strict=True))
    ]
    data = _data(steps, curves, comparison.total_steps, comparison.steps_per_epoch, rates, False)
    data["difference"] = f"difference<br>from {comparison.marks[0]}"
    return _document(title, data, [_text("Differences", comparison)])


def verdict_page(verdict: Verdict, title: str) -> str:
    """A whole html document: a log over the plan that it was checked against, how far it is from it, and the table.

    Args:
        verdict: what `check` returned.
        title: the heading; any text.

    Raises:
        MissingPackageError: plotly is not installed.
    """
    return _logged(LogView.of_verdict(verdict), title, _text("Verdict", verdict))


def inference_page(inference: Inference, title: str) -> str:
    """A whole html document: a log over the schedule that explains it, how far it is from it, and what was found.

    Args:
        inference: what `infer` returned.
        title: the heading; any text.

    Raises:
        MissingPackageError: plotly is not installed.
    """
    return _logged(LogView.of_inference(inference), title, _text("Inference", inference))


def _logged(view: LogView, title: str, below: str) -> str:
    """A log and its plan on an axis that has the places of both: a rate is null where the log has no row."""
    rows, course, log = view.rows(_COLUMNS // 2), view.course(_COLUMNS // 2), view.log
    here = log.positions[rows].astype(np.float64)
    positions = here if course is None else np.union1d(here, course.positions)
    at = np.searchsorted(positions, here)

    def of_rows(values: NDArray[np.float64]) -> list[float | None]:
        found: list[float | None] = [None] * positions.size
        for index, value in zip(at.tolist(), values.tolist(), strict=True):
            found[index] = value
        return found

    mode = "markers" if len(log) <= FEW else "lines"
    curves = [_named(view.log_name(NAME), of_rows(log.rates[rows]), LOG, "solid", mark="log") | {"mode": mode}]
    rates = [np.interp(positions, here, log.rates[rows])]
    if course is not None and view.expected is not None:
        planned = np.interp(positions, course.positions, course.rates)
        planned[at] = view.expected[rows]
        curves.insert(0, _named(view.plan_name(NAME), planned.tolist(), PLAN, "solid", mark="plan") | {"mode": "lines"})
        rates.append(planned)
    low, high = view.limits
    data = _data(positions, curves, high, view.steps_per_epoch, rates, False, begin=low, unit=view.axis)
    data["restarts"], data["restart_colour"] = list(view.boundaries), GREY
    if course is not None:
        data["difference"], data["half_widths"] = "log - plan", of_rows(view.half_widths(rows))
    if view.mark is not None:
        data["mark"] = view.mark._asdict()
    return _document(title, data, [below])


def _named(name: str, rates: Sequence[float | None], colour: str, dash: str, *, mark: str) -> dict[str, Any]:
    """A curve with the name that its legend has; plotly reads tags and TeX in it."""
    escaped = html.escape(name, quote=False).replace("$", "&#36;")
    return {"mark": mark, "name": escaped, "rates": rates, "colour": colour, "dash": dash}


def _text(heading: str, shown: object) -> str:
    """What a terminal shows, under a heading."""
    return f'<h2>{heading}</h2>\n<div class="wide"><pre>{html.escape(str(shown))}</pre></div>'


def _data(
    steps: NDArray[Any],
    curves: list[dict[str, Any]],
    total: float,
    per_epoch: int | None,
    rates: list[NDArray[np.float64]],
    log: bool,
    *,
    begin: float = 0,
    unit: str = "step",
) -> dict[str, Any]:
    """What the script draws."""
    peak = max(map(highest, rates))
    whole = [int(step) if float(step).is_integer() else step for step in steps.tolist()]
    return {
        "steps": whole if total <= _EXACT else list(map(str, whole)),
        "unit": unit,
        "curves": curves,
        "begin": begin,
        "total": total,
        "per_epoch": per_epoch,
        "peak": peak,
        "lowest": lowest_shown(steps, *rates) if log or peak > LOWEST_PEAK else None,
        "log": log,
        "bands": [],
        "restarts": [],
        "points": [],
        "leaves": [],
        "restart_colour": RESTART,
    }


def _bands(plan: Plan, total: int) -> Iterator[dict[str, Any]]:
    for band, colour, opacity in tinted(bands(plan)):
        yield {
            "first_step": band.first_step,
            "stop": band.stop,
            "label": band.label,
            "short": band.short,
            "colour": colour,
            "opacity": opacity,
            "narrow": (band.stop - band.first_step) * COLUMNS < total,
        }


def _document(title: str, data: dict[str, Any], below: list[str]) -> str:

    folder = Path(__file__).parent
    plotly, script = _plotly(), (folder / "page.js").read_text(encoding="utf-8")
    scripts = " ".join(_hash(text) for text in (plotly, script))
    return _PAGE.format(
        policy=f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; img-src data: blob:",
        title=html.escape(shortened(title, _TITLE)),
        style=(folder / "page.css").read_text(encoding="utf-8"),
        heading=html.escape(shortened(title, _HEADING)),
        buttons=_buttons(data),
        below="\n".join(part for part in below if part),
        version=__version__,
        data=json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c"),
        plotly=plotly,
        script=script,
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
    """A script as a page's policy names it; it lets no other one run."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _buttons(data: dict[str, Any]) -> str:
    if data["lowest"] is None:
        return ""
    pressed = "log" if data["log"] else "linear"
    return "".join(
        f'<button type="button" data-scale="{name}" aria-pressed="{str(name == pressed).lower()}">{name}</button>\n'
        for name in ("linear", "log")
    )


def _key(plan: Plan, data: dict[str, Any]) -> str:
    """What the colours and marks mean."""
    items = []
    for kind, name in key_names(bands(plan)).items():
        colour, opacity = TINTS[kind]
        rectangle = f'<rect width="32" height="16" fill="{colour}" fill-opacity="{2 * opacity}"/>'
        items.append(_key_item(rectangle, name))
    if data["restarts"]:
        dashes = f'<path d="M0 8H32" stroke="{RESTART}" stroke-width="2" stroke-dasharray="7 5"/>'
        items.append(_key_item(dashes, "restart"))
    if data["leaves"]:
        items.append(
            _key_item(
                f'<path d="M7 2H25L16 15Z" fill="{CURVE}"/>',
                data["below"],
                ' id="below"' if data["log"] else ' id="below" hidden',
            )
        )
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
