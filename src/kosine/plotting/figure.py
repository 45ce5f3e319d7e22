"""A plan as a picture, drawn with Matplotlib."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kosine.errors import MissingPackageError
from kosine.files import whole_file
from kosine.plotting.labels import Band, bands, rate_text, step_text
from kosine.sampling import COLUMNS, length, restarts, thin, trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from kosine.plan import Plan

# Okabe and Ito's palette, which colour-blind people can tell apart.
CURVE, RESTART = "#0072B2", "#D55E00"
_TINTS = {"warm-up": ("#E69F00", 0.22), "hold": ("#009E73", 0.20), "decay": ("#56B4E9", 0.22)}
_LINES = "#8C8C8C"


def plot_plan(plan: Plan, *, ax: Axes | None = None) -> Axes:
    """Draw the rate at every step of a plan, its phases shaded and named, its restarts marked.

    A run of 10**9 steps is drawn as quickly as one of 10**3: only points that can be seen are evaluated, the ends of
    phases and the jumps at restarts always among them.

    Args:
        plan: the plan.
        ax: the axes to draw on; a new pyplot figure if None, so that notebooks and `pyplot.show` show it.

    Returns:
        The axes.

    Raises:
        PlanError: a plan of a schedule that never ends, made without a length.
        MissingPackageError: Matplotlib is not installed.

    Example:
        >>> import kosine as ks
        >>> from matplotlib.figure import Figure
        >>> plan = ks.sgdr(peak=0.05, period=10, stretch=2).plan(total_steps=70)
        >>> axes = plot_plan(plan, ax=Figure().subplots())
        >>> axes.get_xlabel(), axes.get_ylabel()
        ('step', 'learning rate')
    """
    length(plan)  # before a figure is made
    axes = _new_axes() if ax is None else ax
    mark_phases(plan, axes)
    steps, rates = trace(plan)
    draw_rates(axes, steps, rates)
    return axes


def mark_phases(plan: Plan, axes: Axes, *, epochs: bool = True) -> None:
    """Everything of a plan's picture but the curve: ticks and labels, phases shaded and named, restarts marked.

    Args:
        plan: a plan with a length.
        axes: the axes to draw on.
        epochs: whether to put an axis in epochs on top, if the plan knows how long they are.

    Raises:
        PlanError: a plan of a schedule that never ends, made without a length.
    """
    total = length(plan)
    _frame(axes, 0, total, float(trace(plan)[1].max()), plan.run.steps_per_epoch if epochs else None)
    across = axes.get_xaxis_transform()
    unnamed: dict[str, tuple[str, float]] = {}
    shown = bands(plan)
    for index, band in enumerate(shown):
        colour, alpha = _TINTS[band.kind]
        alternate = alpha * (0.5 if index % 2 and shown[index - 1].kind == band.kind else 1)
        axes.axvspan(band.first_step, band.stop, color=colour, alpha=alternate, linewidth=0, zorder=0)
        if (band.stop - band.first_step) * COLUMNS < total:  # less than a pixel wide
            axes.axvline(band.first_step, color=colour, linewidth=1.2, zorder=1)
        name = next((name for name in (band.label, band.short) if name and _fits(name, band, total, axes)), None)
        if name is None:
            unnamed.setdefault(band.label if band.short == "" else band.kind, (colour, alpha * 2))
        else:
            middle = (band.first_step + band.stop) / 2
            axes.text(middle, 0.97, name, transform=across, ha="center", va="top", fontsize=8.5, color="#333333")
    for step in restarts(plan):
        axes.axvline(step, color=RESTART, linestyle=(0, (4, 3)), linewidth=1, zorder=1.5, label="restart")
    _legend(axes, unnamed)


def draw_rates(axes: Axes, steps: NDArray[Any], rates: NDArray[Any]) -> None:
    """The curve; a dot for each batch where there are few."""
    keep = thin(steps, rates, 4 * COLUMNS)
    marker = "o" if steps.size <= 64 and int(steps[-1]) - int(steps[0]) < 64 else ""
    axes.plot(
        steps[keep], rates[keep], color=CURVE, linewidth=1.8, marker=marker, markersize=3.5, zorder=3, label="rate"
    )


def plot_history(
    steps: ArrayLike, rates: ArrayLike, *, ax: Axes | None = None, steps_per_epoch: int | None = None
) -> Axes:
    """Draw the rates of the batches that were trained.

    Args:
        steps: the step of each batch.
        rates: the learning rate of each batch, as many as there are steps.
        ax: the axes to draw on; a new pyplot figure if None, so that notebooks and `pyplot.show` show it.
        steps_per_epoch: batches in an epoch, for an axis in epochs.

    Returns:
        The axes.

    Raises:
        MissingPackageError: Matplotlib is not installed.
    """
    x, y = np.asarray(steps), np.asarray(rates, np.float64)
    axes = _new_axes() if ax is None else ax
    if not x.size:
        _frame(axes, 0, 1, 1.0, None)
        axes.text(0.5, 0.5, "no batch trained yet", transform=axes.transAxes, ha="center", color="#333333")
        return axes
    _frame(axes, int(x.min()), int(x.max()) + 1, float(y.max()), steps_per_epoch)
    draw_rates(axes, x, y)
    return axes


def new_figure(width: float = 9.0, height: float = 4.0) -> Figure:
    """An empty figure, white in dark viewers too, that no pyplot state knows of: for files."""
    _import_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def save_figure(figure: Figure, path: str | os.PathLike[str], *, dpi: int = 150, format: str | None = None) -> None:
    """Write a figure to a file, whole or not at all: a reader never finds half a picture.

    Args:
        figure: the figure.
        path: where to; its ending tells the format (png, svg, pdf, ...).
        dpi: dots per inch.
        format: the format, whatever the ending.

    Raises:
        OSError: the file cannot be written; what stood there before still stands there.
    """
    kind = format or Path(path).suffix.removeprefix(".") or "png"
    with whole_file(path, binary=True) as file:
        figure.savefig(file, format=kind, dpi=dpi, facecolor="white")


def _import_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingPackageError("Plotting needs Matplotlib: pip install 'kosine[plot]'") from error


def _new_axes() -> Axes:
    _import_matplotlib()
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained", facecolor="white")
    assert figure is not None
    return axes


def _frame(axes: Axes, first: int, stop: int, peak: float, steps_per_epoch: int | None) -> None:
    """Limits, ticks, labels and grid."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_xlim(first, stop)
    axes.set_ylim(-0.02 * (peak or 1), 1.16 * (peak or 1))
    axes.xaxis.set_major_locator(MaxNLocator(7, integer=True, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: step_text(value)))
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: rate_text(value, peak)))
    axes.set_xlabel("step")
    axes.set_ylabel("learning rate")
    axes.grid(axis="y", color="#D9D9D9", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_LINES)
    axes.tick_params(color=_LINES)
    if steps_per_epoch is not None:
        _epoch_axis(axes, (stop - first) / steps_per_epoch, steps_per_epoch)


def _epoch_axis(axes: Axes, epochs: float, steps_per_epoch: int) -> None:
    """An axis in epochs on top: a tick for each where they fit, a number for each where those fit too."""
    from matplotlib.ticker import MaxNLocator, MultipleLocator

    def epoch_of(step: Any) -> Any:
        return step / steps_per_epoch

    def step_of(epoch: Any) -> Any:
        return epoch * steps_per_epoch

    upper = axes.secondary_xaxis("top", functions=(epoch_of, step_of))
    width = _inches(axes)
    whole = epochs >= 1
    if whole and epochs <= 3.6 * width:
        upper.xaxis.set_major_locator(MultipleLocator(1))
    else:
        upper.xaxis.set_major_locator(MaxNLocator(12, integer=whole, steps=[1, 2, 5, 10]))
        if whole and epochs <= 18 * width:
            upper.xaxis.set_minor_locator(MultipleLocator(1))
    upper.set_xlabel("epoch")
    upper.spines["top"].set_color(_LINES)
    upper.tick_params(which="both", color=_LINES)


def _inches(axes: Axes) -> float:
    figure = axes.get_figure(root=True)
    assert figure is not None
    return float(axes.get_position().width * figure.get_size_inches()[0])


def _fits(text: str, band: Band, total: int, axes: Axes) -> bool:
    return len(text) * 0.075 + 0.08 <= (band.stop - band.first_step) / total * _inches(axes)


def _legend(axes: Axes, unnamed: dict[str, tuple[str, float]]) -> None:
    """Name what the picture itself does not: restart lines, and phases too short to be written on."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.transforms import offset_copy

    handles: list[Any] = [Patch(facecolor=colour, alpha=alpha, label=name) for name, (colour, alpha) in unnamed.items()]
    line = next((line for line in axes.get_lines() if line.get_label() == "restart"), None)
    if isinstance(line, Line2D):
        handles.append(line)
    if not handles:
        return
    below = offset_copy(axes.transAxes, fig=axes.get_figure(root=True), y=-21, units="points")  # beside the axis label
    axes.legend(
        handles=handles,
        loc="upper right",
        bbox_to_anchor=(1.0, 0.0),
        bbox_transform=below,
        ncols=len(handles),
        frameon=False,
        fontsize=8.5,
        handlelength=2.2,
        borderaxespad=0.0,
        borderpad=0.0,
    )
