"""A picture of losses over learning rates, drawn with Matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kosine._core.views import view
from kosine._display.figure import COLOURS, GREY, TINTS, default_style, new_figure, new_pyplot_figure, titled
from kosine._display.loss_scene import LossScene, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZE = (9.0, 5.4)
_FEW = 16  # losses of a line that are marked by dots
_BAND, _OPACITY = TINTS["hold"]
_LOOKS: dict[str, dict[str, Any]] = {
    "line": {"linewidth": 1.8, "zorder": 4},
    "pale": {"linewidth": 0.8, "alpha": 0.35, "zorder": 3},
    "dots": {"linestyle": "", "marker": "o", "markersize": 4, "alpha": 0.6, "zorder": 3},
}


def plot(result: object, *, ax: Axes | None = None) -> Axes:
    """Draw a range test or a rehearsal, and below the losses the rates that follow from them.

    Args:
        result: the range test or the rehearsal.
        ax: the axes to draw the losses on, without what is below; a new pyplot figure if None.

    Returns:
        The axes of the losses.

    Raises:
        MissingPackageError: Matplotlib is not installed.
    """
    scene: LossScene = view(result, "scene")
    if ax is None:
        return _draw(scene, new_pyplot_figure(*_SIZE), scene.title)
    _draw_losses(scene, ax)
    return ax


def figure_of(result: object, title: str | None = None, *, size: tuple[float, float] | None = None) -> Figure:
    """The picture of `plot` for a file: the same whatever Matplotlib is set up to look like."""
    scene: LossScene = view(result, "scene")
    with default_style():
        figure = new_figure(*(size or _SIZE))
        _draw(scene, figure, scene.title if title is None else title)
    return figure


def _draw(scene: LossScene, figure: Figure, title: str) -> Axes:
    titled(figure, title)
    if not scene.spreads:
        only: Axes = figure.subplots()
        _draw_losses(scene, only)
        return only
    upper: Axes
    lower: Axes
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[10, 1.2 + 0.6 * len(scene.spreads)])
    _draw_losses(scene, upper)
    _draw_spreads(scene, lower)
    upper.tick_params(labelbottom=False)  # the label of the common axis is below
    upper.set_xlabel("")
    return upper


def _draw_losses(scene: LossScene, axes: Axes) -> None:
    _frame(scene, axes)
    for series in scene.series:
        axes.plot(series.rates, series.losses, **_look(series))
    for rate in scene.off:
        axes.plot(rate, 0.97, "x", color=COLOURS[1], transform=axes.get_xaxis_transform(), label="diverged")
    axes.set_ylim(*scene.losses)
    axes.set_ylabel("loss")
    axes.grid(axis="y", color="#D9D9D9", linewidth=0.8)
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))  # each name once
    axes.legend(handles.values(), handles.keys(), loc="best", frameon=False, fontsize=8.5)


def _look(series: Series) -> dict[str, Any]:
    marker = {"marker": "o", "markersize": 4} if series.kind == "line" and series.rates.size <= _FEW else {}
    name = series.name or "_"  # Matplotlib leaves such names out
    return {"color": COLOURS[series.colour], "label": name, **_LOOKS[series.kind], **marker}


def _draw_spreads(scene: LossScene, axes: Axes) -> None:
    """A row for each: its rate as a dot, and a bar over those of the seeds."""
    _frame(scene, axes)
    for row, spread in enumerate(scene.spreads):
        axes.plot([spread.low, spread.high], [row, row], color=COLOURS[0], linewidth=4, alpha=0.35, zorder=3)
        late = spread.high > scene.rates[1] ** 0.92 * scene.rates[0] ** 0.08  # little room is left beside it
        axes.plot(spread.rate, row, "o", color=COLOURS[0], markersize=5, zorder=4)
        axes.annotate(
            scene.style(spread.rate, 2),
            (spread.low if late else spread.high, row),
            (-6 if late else 6, 0),
            textcoords="offset points",
            ha="right" if late else "left",
            va="center",
            fontsize=8.5,
            color="#333333",
        )
    axes.set_yticks(range(len(scene.spreads)), [spread.name for spread in scene.spreads])
    axes.set_ylim(len(scene.spreads) - 0.4, -0.6)


def _frame(scene: LossScene, axes: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.set_xlim(*scene.rates)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if scene.rates[1] > 1000 * scene.rates[0] else (1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: scene.tick_style(value, 2)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("learning rate")
    axes.set_axisbelow(True)
    if scene.band is not None:
        axes.axvspan(*scene.band, color=_BAND, alpha=_OPACITY, linewidth=0, zorder=0, label=scene.band_name)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GREY)
    axes.tick_params(which="both", color=GREY)
