"""A prediction as a picture: the past runs, their fit, and the predicted losses with their ranges."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kosine._core.plain_text import shortened
from kosine._display.figure import COLOURS, GREY, default_style, new_figure, new_pyplot_figure, titled
from kosine._display.labels import RateStyle
from kosine._display.page import document, preformatted
from kosine._display.prediction_text import called, sentence
from kosine._display.terminal import COLOURS as TERMINAL_COLOURS, Curve, Screen, painted, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from kosine._logs.predict.prediction import Prediction

    _Vector = NDArray[Any]

_SIZE = (9.0, 5.4)
_MOST_DOTS = 400  # of a past run
_ROOM = 0.06  # above and below the curves, as a share of their height
_STEEP = 0.1  # of a run
_NAME = 60  # characters
_BAND = 0.18
_ROWS = 17
_PAST, _FIT = "#5A5A5A", GREY


class Past(NamedTuple):
    """The losses of a past run, and what the fit says of them from where it begins."""

    name: str
    steps: _Vector
    losses: _Vector
    fitted: _Vector


class Predicted(NamedTuple):
    """The losses that are predicted for a plan; its number is that of its colour."""

    name: str
    mark: str
    number: int
    steps: _Vector
    curve: _Vector
    lows: _Vector
    highs: _Vector


@dataclass(frozen=True)
class PredictionScene:
    """One picture.

    Attributes:
        past: the past runs.
        plans: the predictions, in the order in which the plans were given.
        steps: the end of the axis of the steps.
        losses: the ends of the axis of the losses; what lies outside is cut.
        title: the sentence above.
    """

    past: tuple[Past, ...]
    plans: tuple[Predicted, ...]
    steps: int
    losses: tuple[float, float]
    title: str

    @property
    def described(self) -> str:
        """What it shows, for who cannot see it."""
        return f"Prediction: {self.title}"


def prediction_scene(prediction: Prediction) -> PredictionScene:
    """The past runs from where their fit begins, and the predictions."""
    past = []
    for run, fitted in zip(prediction.runs, prediction.fitted, strict=True):
        used = np.flatnonzero(np.isfinite(fitted))
        some = np.unique(np.append(used[:: math.ceil(used.size / _MOST_DOTS)], used[-1]))
        past.append(Past(run.name, run.steps[some], run.losses[some], fitted[some]))
    rows = sorted(enumerate(prediction.rows), key=lambda each: (len(each[1].mark), each[1].mark))
    plans = [
        Predicted(called(row), row.mark, number, row.steps, row.curve, row.lows, row.highs)
        for number, (_, row) in enumerate(rows)
    ]
    last = max(float(steps[-1]) for steps in (*(run.steps for run in past), *(plan.steps for plan in plans)))
    ends = [*(_late(run.steps, run.losses) for run in past), *(_late(plan.steps, plan.curve) for plan in plans)]
    ends += [each[-1:] for plan in plans for each in (plan.lows, plan.highs)]
    low, high = (float(find(np.concatenate(ends))) for find in (np.min, np.max))
    room = _ROOM * (high - low)
    return PredictionScene(tuple(past), tuple(plans), math.ceil(last), (low - room, high + room), sentence(prediction))


def _late(steps: _Vector, losses: _Vector) -> _Vector:
    """The losses that a picture has room for: at its beginning a curve falls steeply, and would flatten the rest."""
    late: _Vector = losses[steps >= _STEEP * steps[-1]]
    return late


def plot(prediction: Prediction, *, ax: Axes | None = None) -> Axes:
    """Draw a prediction with Matplotlib.

    Args:
        prediction: the prediction.
        ax: the axes to draw on; a new pyplot figure if None.

    Returns:
        The axes.

    Raises:
        MissingPackageError: Matplotlib is not installed.
    """
    scene = prediction_scene(prediction)
    if ax is None:
        figure = new_pyplot_figure(*_SIZE)
        titled(figure, scene.title)
        ax = figure.subplots()
    _draw(scene, ax)
    return ax


def figure_of(prediction: Prediction, title: str | None = None, *, size: tuple[float, float] | None = None) -> Figure:
    """The picture of `plot` for a file: the same whatever Matplotlib is set up to look like."""
    scene = prediction_scene(prediction)
    with default_style():
        figure = new_figure(*(size or _SIZE))
        titled(figure, scene.title if title is None else title)
        _draw(scene, figure.subplots())
    return figure


def _draw(scene: PredictionScene, axes: Axes) -> None:
    for number, past in enumerate(scene.past):
        name = "" if number else "past run" if len(scene.past) == 1 else f"{len(scene.past)} past runs"
        axes.plot(past.steps, past.losses, "o", color=_PAST, markersize=2.6, alpha=0.55, zorder=3, label=name or "_")
        fit = "_" if number else "their fit" if len(scene.past) > 1 else "its fit"
        axes.plot(past.steps, past.fitted, color=_FIT, linewidth=1.4, zorder=2, label=fit)
    for plan in scene.plans:
        colour = COLOURS[plan.number % len(COLOURS)]
        axes.fill_between(plan.steps, plan.lows, plan.highs, color=colour, alpha=_band(scene), linewidth=0, zorder=1)
        axes.plot(plan.steps, plan.curve, color=colour, linewidth=2, zorder=4, label=_label(plan))
        axes.plot(plan.steps[-1], plan.curve[-1], "o", color=colour, markersize=5, zorder=5, clip_on=False)
    axes.set_xlim(0, scene.steps)
    axes.set_ylim(*scene.losses)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.set_axisbelow(True)
    axes.grid(axis="y", color="#D9D9D9", linewidth=0.8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GREY)
    axes.tick_params(which="both", color=GREY)
    legend = axes.legend(loc="upper right", frameon=False, fontsize=8.5)
    for text in legend.get_texts():
        text.set_parse_math(False)


def _band(scene: PredictionScene) -> float:
    """The opacity of a range: many of them lie over each other."""
    return _BAND / math.sqrt(len(scene.plans))


def _label(plan: Predicted) -> str:
    return f"{plan.mark}: {shortened(plan.name, _NAME)}"


def draw(prediction: Prediction, screen: Screen) -> str:
    """The past losses and the predicted ones as text; of one plan the range, too."""
    scene = prediction_scene(prediction)
    alone = len(scene.plans) == 1
    curves, names = [], []
    grey = TERMINAL_COLOURS[-1]
    for number, past in enumerate(scene.past):
        curves.append(_curve(scene, past.steps, past.losses, ".", grey))
        if not number:
            text = "  .  past run" if len(scene.past) == 1 else f"  .  {len(scene.past)} past runs"
            names.append(painted(text, grey, screen))
    for plan in scene.plans:
        colour = TERMINAL_COLOURS[plan.number % (len(TERMINAL_COLOURS) - 1)]
        for ends in (plan.lows, plan.highs) if alone else ():
            curves.append(_curve(scene, plan.steps, ends, "-", colour)._replace(faint=True))
        curves.append(_curve(scene, plan.steps, plan.curve, plan.mark[0], colour))
        band = "; its range -" if alone else ""
        name = shortened(plan.name, screen.columns - len(plan.mark) - 5 - len(band))
        names.append(painted(f"  {plan.mark}  {name}{band}", colour, screen))
    shown = [curve for curve in curves if curve.steps.size]
    drawn = picture(shown, scene.steps + 1, screen, _ROWS, style=_style(scene), limits=scene.losses)
    return "\n".join([*names, drawn])


def _curve(scene: PredictionScene, steps: _Vector, losses: _Vector, mark: str, colour: int) -> Curve:
    """What of a curve lies inside the picture."""
    low, high = scene.losses
    inside = (losses >= low) & (losses <= high)
    return Curve(steps[inside], losses[inside], mark, colour)


def _style(scene: PredictionScene) -> RateStyle:
    return RateStyle.of(scene.losses[1], scene.losses[0])


def page(prediction: Prediction, title: str | None) -> str:
    """The picture as one html file that answers the mouse, and below it the table."""
    scene = prediction_scene(prediction)
    table, _, remarks = str(prediction).partition("\n\n")
    said = f"<p>{html.escape(' '.join(remarks.split()))}</p>"
    below = ["<h2>Prediction</h2>", preformatted(table), said]
    heading = "Prediction" if title is None else title
    return document(heading, _data(scene), below, "prediction_page.js", "", "whole picture")


def _data(scene: PredictionScene) -> dict[str, Any]:
    return {
        "past": [
            {
                "name": past.name,
                "steps": past.steps.tolist(),
                "losses": past.losses.tolist(),
                "fitted": past.fitted.tolist(),
            }
            for past in scene.past
        ],
        "plans": [
            {
                "name": _label(plan),
                "colour": COLOURS[plan.number % len(COLOURS)],
                "steps": plan.steps.tolist(),
                "curve": plan.curve.tolist(),
                "lows": plan.lows.tolist(),
                "highs": plan.highs.tolist(),
            }
            for plan in scene.plans
        ],
        "end": scene.steps,
        "losses": scene.losses,
        "past_colour": _PAST,
        "fit_colour": _FIT,
        "band": _band(scene),
    }
