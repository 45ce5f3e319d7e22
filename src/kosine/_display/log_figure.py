"""A log over its plan, drawn with Matplotlib, and below it how far it is from the plan."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

import numpy as np

from kosine._display.comparison_figure import COLOURS, NAME, frame_differences, name_curves, share_axis, two_panels
from kosine._display.figure import default_style, draw_frame, highest, new_figure, new_pyplot_figure
from kosine._display.log_view import LogView

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from kosine._logs.check.verdict import Verdict
    from kosine._logs.infer.result import Inference

PLAN, LOG = COLOURS[:2]
_SIZE = (9.0, 5.4)
FEW = 200  # rows that are drawn as dots
GREY = "#8C8C8C"
_BAND = "#D0D0D0"
_TITLE = 92  # characters of a line


def plot_verdict(verdict: Verdict, *, ax: Axes | None = None) -> Axes:
    """Draw a log over the plan that it was checked against, the first row that is off marked.

    Below stands how far each row is from the plan, with the band that the printed places of the log leave open.

    Args:
        verdict: what `check` returned.
        ax: the axes to draw the curves on, without what is below; a new pyplot figure of both if None.

    Returns:
        The axes of the curves.

    Raises:
        MissingPackageError: Matplotlib is not installed.
    """
    return _plot(LogView.of_verdict(verdict), ax)


def plot_inference(inference: Inference, *, ax: Axes | None = None) -> Axes:
    """Draw a log over the schedule that explains it, as far as its run goes; or with its pieces, where none does.

    Args:
        inference: what `infer` returned.
        ax: the axes to draw the curves on, without what is below; a new pyplot figure of both if None.

    Returns:
        The axes of the curves.

    Raises:
        MissingPackageError: Matplotlib is not installed.
    """
    return _plot(LogView.of_inference(inference), ax)


def verdict_figure(verdict: Verdict) -> Figure:
    """The picture of `plot_verdict` for a file: the same whatever Matplotlib is set up to look like."""
    return _figure(LogView.of_verdict(verdict))


def inference_figure(inference: Inference) -> Figure:
    """The picture of `plot_inference` for a file: the same whatever Matplotlib is set up to look like."""
    return _figure(LogView.of_inference(inference))


def _plot(view: LogView, ax: Axes | None) -> Axes:
    if ax is None:
        return _draw(view, new_pyplot_figure(*_SIZE))
    _draw_curves(view, ax)
    return ax


def _figure(view: LogView) -> Figure:
    with default_style():
        figure = new_figure(*_SIZE)
        _draw(view, figure)
    return figure


def _draw(view: LogView, figure: Figure) -> Axes:
    title = textwrap.shorten(view.sentence, 2 * _TITLE, placeholder="...")
    figure.suptitle(textwrap.fill(title, _TITLE), x=0.01, ha="left", fontsize=9.5, family="monospace", parse_math=False)
    if view.expected is None:
        axes = figure.subplots()
        _draw_curves(view, axes)
        return axes
    upper, lower = two_panels(figure)
    _draw_curves(view, upper)
    _draw_differences(view, lower)
    share_axis(upper, lower)
    return upper


def _draw_curves(view: LogView, axes: Axes) -> None:
    course, rows, log = view.course(), view.rows(), view.log
    rates = log.rates[rows] if course is None else np.concatenate([log.rates[rows], course.rates])
    per_epoch = view.steps_per_epoch
    _draw_frame(view, axes, highest(rates), per_epoch)
    if course is not None:
        (line,) = axes.plot(course.positions, course.rates, color=PLAN, linewidth=4, zorder=3)
        line.set_label(view.plan_name(NAME))
    _draw_rows(axes, log.positions[rows], log.rates[rows], len(log))
    axes.get_lines()[-1].set_label(view.log_name(NAME))
    for position in view.boundaries:
        axes.axvline(position, color=GREY, linestyle=(0, (4, 3)), linewidth=0.8, zorder=1)
    if view.expected is not None:
        axes.fill_between([], [], color=_BAND, label=f"within the log's precision ({log.precision})")
    _draw_mark(view, axes)
    name_curves(axes, epochs=per_epoch is not None)


def _draw_differences(view: LogView, axes: Axes) -> None:
    rows, log = view.rows(), view.log
    where, apart, width = log.positions[rows], view.apart(rows), view.half_widths(rows)
    _draw_frame(view, axes, 1.0, None)
    frame_differences(axes, [apart, width, -width], float(log.rates[rows].max()))
    axes.fill_between(where, -width, width, color=_BAND, linewidth=0.8, zorder=1)
    _draw_rows(axes, where, apart, len(log))
    if view.mark is not None:
        axes.axvline(view.mark.position, color="#333333", linestyle=(0, (4, 3)), linewidth=1, zorder=2)
    axes.set_ylabel("log - plan")


def _draw_frame(view: LogView, axes: Axes, peak: float, per_epoch: int | None) -> None:
    """A frame in the unit of the log, which may be fractions of few epochs."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    low, high = view.limits
    draw_frame(axes, math.floor(low), math.ceil(high), peak, per_epoch)
    axes.set_xlim(low, high)
    axes.set_xlabel(view.axis)
    if high - low < 8 and view.axis == "epoch":
        axes.xaxis.set_major_locator(MaxNLocator(7))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}"))


def _draw_rows(axes: Axes, positions: NDArray[np.float64], values: NDArray[np.float64], count: int) -> None:
    """Dots for few rows, a line for many."""
    few = count <= FEW
    axes.plot(
        positions,
        values,
        color=LOG,
        marker="o" if few else "",
        markersize=3.2,
        linestyle="" if few else "solid",
        linewidth=1.3,
        zorder=4,
        clip_on=not few,
    )


def _draw_mark(view: LogView, axes: Axes) -> None:
    """A line where log and plan part, and what stands there, above the curves."""
    if view.mark is None:
        return
    low, high = view.limits
    late = view.mark.position - low > 0.5 * (high - low)
    axes.axvline(view.mark.position, color="#333333", linestyle=(0, (4, 3)), linewidth=1, zorder=2)
    axes.annotate(
        view.mark.text,
        (view.mark.position, 0.97),
        (-5 if late else 5, 0),
        xycoords=axes.get_xaxis_transform(),
        textcoords="offset points",
        ha="right" if late else "left",
        va="top",
        fontsize=8.5,
        color="#111111",
        zorder=6,
    )
