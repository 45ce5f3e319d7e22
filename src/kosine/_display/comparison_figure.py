"""Plans over each other, and how far each is from the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from kosine._display.figure import default_style, draw_frame, highest, new_figure, new_pyplot_figure, root_figure
from kosine._display.labels import marked_name, rate_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from kosine._analysis.compare import Comparison

# Okabe and Ito's palette without its yellow, each colour with another stroke before one comes again.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
_STROKES = ("solid", (0, (5, 2)), (0, (5, 1.5, 1, 1.5)), (0, (1.5, 1.2)))
_SIZE = (9.0, 5.4)
NAME = 60  # characters of a plan's name in the legend


def plot_comparison(comparison: Comparison, *, ax: Axes | None = None) -> Axes:
    """Draw the plans over each other, and below them how far each is from the first at every step.

    Beyond the end of its own run a curve is pale.

    Args:
        comparison: what `compare` returned.
        ax: the axes to draw the curves on, without the difference; a new pyplot figure of both if None.

    Returns:
        The axes of the curves.

    Raises:
        MissingPackageError: Matplotlib is not installed.

    Example:
        >>> import kosine as ks
        >>> from matplotlib.figure import Figure
        >>> plans = [ks.warmup_cosine(peak=peak, warmup=10).plan(total_steps=100) for peak in (0.1, 0.2)]
        >>> axes = plot_comparison(ks.compare(*plans), ax=Figure().subplots())
        >>> axes.get_ylim()[1] > 0.2
        True
    """
    if ax is None:
        return _draw_both(comparison, new_pyplot_figure(*_SIZE))
    steps, rates = comparison.trace()
    _draw_curves(comparison, ax, steps, rates)
    return ax


def comparison_figure(comparison: Comparison) -> Figure:
    """The picture of `plot_comparison` for a file: the same whatever Matplotlib is set up to look like."""
    with default_style():
        figure = new_figure(*_SIZE)
        _draw_both(comparison, figure)
    return figure


def _draw_both(comparison: Comparison, figure: Figure) -> Axes:
    upper, lower = two_panels(figure)
    steps, rates = comparison.trace()
    _draw_curves(comparison, upper, steps, rates)
    _draw_differences(comparison, lower, steps, rates)
    share_axis(upper, lower)
    return upper


def two_panels(figure: Figure) -> tuple[Axes, Axes]:
    """A high panel for curves, and below it a low one for what is between them."""
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2.6, 1])
    return upper, lower


def share_axis(upper: Axes, lower: Axes) -> None:
    """Leave the words of the common axis to the lower panel, when both are drawn."""
    upper.tick_params(labelbottom=False)
    upper.set_xlabel("")
    root_figure(upper).align_ylabels([upper, lower])


def _draw_curves(
    comparison: Comparison, axes: Axes, steps: NDArray[np.int64], rates: list[NDArray[np.float64]]
) -> None:
    total = comparison.total_steps
    draw_frame(axes, 0, total, highest(np.array([comparison.peak])), comparison.steps_per_epoch)
    named = zip(comparison.plans, comparison.marks, comparison.names, rates, _styles(), strict=False)
    for plan, mark, name, curve, style in named:
        own = steps < (plan.total_steps or total)
        (line,) = axes.plot(steps[own], curve[own], **style)
        line.set_label(marked_name(mark, name, NAME))
        if not own.all():
            beyond = slice(int(own.sum()) - 1, None)
            axes.plot(steps[beyond], curve[beyond], **{**style, "alpha": 0.4, "linewidth": 1.2})
    name_curves(axes, epochs=comparison.steps_per_epoch is not None)


def name_curves(axes: Axes, *, epochs: bool) -> None:
    """The legend, above the picture, where no curve runs under it."""
    from matplotlib.transforms import offset_copy

    above = offset_copy(axes.transAxes, fig=axes.get_figure(root=True), y=36 if epochs else 4, units="points")
    legend = axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        bbox_transform=above,
        borderaxespad=0.0,
        borderpad=0.0,
        frameon=False,
        fontsize=8.5,
        handlelength=3.2,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _draw_differences(
    comparison: Comparison, axes: Axes, steps: NDArray[np.int64], rates: list[NDArray[np.float64]]
) -> None:
    apart = [curve - rates[0] for curve in rates]
    draw_frame(axes, 0, comparison.total_steps, 1.0, None)
    frame_differences(axes, apart, comparison.peak)
    for curve, style in list(zip(apart, _styles(), strict=False))[1:]:
        axes.plot(steps, curve, **style)
    axes.set_ylabel(f"difference\nfrom {comparison.marks[0]}")


def frame_differences(axes: Axes, apart: Sequence[NDArray[np.float64]], peak: float) -> None:
    """A line at 0, and an axis that has room for differences of rates up to `peak`."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.axhline(0, color="#555555", linewidth=0.8, zorder=2)
    low, high = min(float(curve.min()) for curve in apart), max(float(curve.max()) for curve in apart)
    pad = 0.08 * (high - low) or 0.01 * (peak or 1.0)
    axes.set_ylim(low - pad, high + pad)
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: rate_text(value, max(high, -low) + pad)))


def _styles() -> Iterator[dict[str, Any]]:
    """Colour and stroke of each curve; the first is the widest, so that it is seen under one that is the same."""
    for index in count():
        turn, number = divmod(index, len(COLOURS))
        stroke = _STROKES[(number + turn) % len(_STROKES)]
        yield {"color": COLOURS[number], "linestyle": stroke, "linewidth": 1.8 if index else 2.6, "zorder": 3}
