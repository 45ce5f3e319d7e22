"""A plan as a picture, drawn with Matplotlib."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, SupportsIndex

import numpy as np

from kosine._analysis.sampling import COLUMNS, MOST_MARKS, length, restarts, thin, trace
from kosine._core.files import whole_file
from kosine._core.plain_text import shortened
from kosine._display.labels import Band, Kind, bands, key_names, rate_text, step_text
from kosine._display.points import draw_points, read_points
from kosine.errors import PlanError, missing_package

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from kosine._core.schedule import Plan

# Okabe and Ito's palette, which colour-blind people can tell apart.
CURVE, RESTART = "#0072B2", "#D55E00"
TINTS: dict[Kind, tuple[str, float]] = {
    "warm-up": ("#E69F00", 0.22),
    "rise": ("#CC79A7", 0.22),
    "hold": ("#009E73", 0.20),
    "decay": ("#56B4E9", 0.22),
}
_LINES = "#8C8C8C"
_FILES: Any = {"svg.hashsalt": "kosine", "svg.fonttype": "none", "pdf.fonttype": 42}
_PIECE = 512  # points that are drawn as one line: a long one up and down the picture takes memory by the megabyte
_FEWEST_DECADES, _MOST_DECADES, _MOST_HELD_DECADES = 2, 4, 8
_BODY = 0.01  # of the steps may lie below a logarithmic axis
_BELOW = ("0, below the axis", "below the axis")
_HIGHEST_PEAK = 1e300
LOWEST_PEAK = 1e-290  # a logarithmic axis under it would end below the smallest float


def plot_plan(plan: Plan, *, ax: Axes | None = None, log: bool = False, points: Iterable[SupportsIndex] = ()) -> Axes:
    """Draw the rate at every step of a plan, its phases shaded and named, its restarts marked.

    A run of 10**9 steps is drawn as quickly as one of 10**3: only points that can be seen are evaluated, the ends of
    phases and the jumps at restarts always among them.

    Args:
        plan: the plan.
        ax: the axes to draw on; a new pyplot figure if None, so that notebooks and `pyplot.show` show it.
        log: whether the rates stand on a logarithmic axis. It ends at the lowest rate, or where that is more than
            four decades under the peak, two to four of them down, under most of the run and every rate that is held;
            triangles show where the curve goes below it.
        points: steps to point out, each with a dot and its rate.

    Returns:
        The axes.

    Raises:
        PlanError: a plan of a schedule that never ends, made without a length; a point outside the run; a logarithmic
            axis for rates that are all 0.
        ArgumentTypeError: a point that is no integer.
        MissingPackageError: Matplotlib is not installed.

    Example:
        >>> import kosine as ks
        >>> from matplotlib.figure import Figure
        >>> plan = ks.sgdr(peak=0.05, period=10, stretch=2).plan(total_steps=70)
        >>> axes = plot_plan(plan, ax=Figure().subplots())
        >>> axes.get_xlabel(), axes.get_ylabel()
        ('step', 'learning rate')
    """
    steps, rates = trace(plan)
    peak = highest(rates)
    lowest = lowest_shown(steps, rates) if log else None
    chosen = read_points(plan, points)
    # not before everything that can be wrong has been looked at
    axes = new_pyplot_figure().subplots() if ax is None else ax
    unnamed = _mark(plan, axes, peak, lowest=lowest)
    draw_rates(axes, steps, rates)
    _legend(axes, unnamed)
    if chosen:
        root_figure(axes).draw_without_rendering()  # the texts' places depend on the layout
        curve = np.column_stack([steps, np.maximum(rates, axes.get_ylim()[0])])
        draw_points(axes, {step: plan(step) for step in chosen}, curve, _inches(axes), CURVE)
    return axes


def plan_figure(
    plan: Plan,
    title: str,
    *,
    log: bool = False,
    points: Iterable[SupportsIndex] = (),
    size: tuple[float, float] = (9.0, 4.0),
) -> Figure:
    """A picture of a plan with a title, for a file: the same whatever Matplotlib is set up to look like.

    Args:
        plan: the plan.
        title: above it on the left, shortened to one line.
        log: whether the rates stand on a logarithmic axis.
        points: steps to point out.
        size: width and height in inches.

    Raises:
        PlanError, ArgumentTypeError, MissingPackageError: as `plot_plan`.
    """
    with default_style():
        figure = new_figure(*size)
        axes = plot_plan(plan, ax=figure.subplots(), log=log, points=points)
        write_title(axes, title)
    return figure


def write_title(axes: Axes, title: str) -> None:
    """A title on the left, cut to the width of the axes, in which a $ is a $."""
    text = shortened(title, int(_inches(axes)[0] * 12))
    axes.set_title(text, loc="left", fontsize=9.5, family="monospace", parse_math=False)


@contextmanager
def default_style() -> Iterator[None]:
    """Draw as Matplotlib does by itself, whatever a user's settings are."""
    _import_matplotlib()
    import matplotlib.style

    with matplotlib.style.context("default", after_reset=True):
        yield


def mark_phases(plan: Plan, axes: Axes, *, epochs: bool = True) -> None:
    """Everything of a plan's picture but the curve: ticks and labels, phases shaded and named, restarts marked.

    Args:
        plan: a plan with a length.
        axes: the axes to draw on.
        epochs: whether to put an axis in epochs on top, if the plan knows how long they are.

    Raises:
        PlanError: a plan of a schedule that never ends, made without a length.
    """
    _legend(axes, _mark(plan, axes, highest(trace(plan)[1]), epochs=epochs))


def _mark(plan: Plan, axes: Axes, peak: float, *, epochs: bool = True, lowest: float | None = None) -> list[Band]:
    """As `mark_phases`, on a logarithmic axis down to `lowest`; returns the bands that the legend must name."""
    total = length(plan)
    draw_frame(axes, 0, total, peak, plan.run.steps_per_epoch if epochs else None, lowest)
    across = axes.get_xaxis_transform()
    unnamed: list[Band] = []
    shown = bands(plan)
    for band, colour, alpha in tinted(shown):
        axes.axvspan(band.first_step, band.stop, color=colour, alpha=alpha, linewidth=0, zorder=0)
        if (band.stop - band.first_step) * COLUMNS < total:  # less than a pixel wide
            axes.axvline(band.first_step, color=colour, linewidth=1.2, zorder=1)
        note = f"{band.label}: some are drawn" if band.drawn_in_part else ""
        names = [name for name in (note, band.label, band.short) if name]
        name = next((name for name in names if _fits(name, band, total, axes)), None)
        if name is None:
            unnamed.append(band)
        else:
            middle = (band.first_step + band.stop) / 2
            axes.text(middle, 0.97, name, transform=across, ha="center", va="top", fontsize=8.5, color="#333333")
    for step in restarts(plan):
        axes.axvline(step, color=RESTART, linestyle=(0, (4, 3)), linewidth=1, zorder=1.5, label="restart")
    return unnamed


def tinted(shown: Iterable[Band]) -> Iterator[tuple[Band, str, float]]:
    """Each band with its colour and opacity, which is half where it would look like the one before."""
    before, full = None, 1.0
    for band in shown:
        full = 0.5 if band.kind == before and full == 1.0 else 1.0
        before = band.kind
        colour, opacity = TINTS[band.kind]
        yield band, colour, opacity * full


def draw_rates(axes: Axes, steps: NDArray[Any], rates: NDArray[Any]) -> None:
    """The curve; a dot for each batch where there are few, and triangles where it leaves a logarithmic axis."""
    keep = thin(steps, rates, 4 * COLUMNS)
    steps, rates = steps[keep], rates[keep]
    marker = "o" if steps.size <= 64 and int(steps[-1]) - int(steps[0]) < 64 else ""
    low = axes.get_ylim()[0] if axes.get_yscale() == "log" else -math.inf
    shown = np.maximum(rates, low)
    for first in range(0, max(steps.size - 1, 1), _PIECE):
        piece = slice(first, first + _PIECE + 1)
        axes.plot(
            steps[piece],
            shown[piece],
            color=CURVE,
            linewidth=1.8,
            marker=marker,
            markersize=3.5,
            zorder=3,
            label="rate",
        )
    leaves, name = goes_below(steps, rates, low)
    if leaves:
        bottom = np.full(len(leaves), low)
        axes.plot(leaves, bottom, "v", color=CURVE, markersize=7, clip_on=False, zorder=4, label=name)


def goes_below(steps: NDArray[Any], rates: NDArray[Any], low: float) -> tuple[list[int], str]:
    """The steps at which a curve leaves an axis that ends at `low`, unless they are too many; and what to call them."""
    below = rates < low
    leaves = steps[below & ~np.concatenate([[False], below[:-1]])].tolist()
    return leaves if len(leaves) <= MOST_MARKS else [], _BELOW[0] if (rates[below] == 0).all() else _BELOW[1]


class History(Protocol):
    """What was trained: the steps, and the rate of each."""

    @property
    def steps(self) -> NDArray[np.int64]: ...
    @property
    def rates(self) -> NDArray[np.float64]: ...


def plot_history(history: History, *, ax: Axes | None = None, steps_per_epoch: int | None = None) -> Axes:
    """Draw the rates of the batches that were trained.

    Args:
        history: the step of each batch, and its learning rate.
        ax: the axes to draw on; a new pyplot figure if None, so that notebooks and `pyplot.show` show it.
        steps_per_epoch: batches in an epoch, for an axis in epochs.

    Returns:
        The axes.

    Raises:
        MissingPackageError: Matplotlib is not installed.
    """
    x, y = history.steps, history.rates
    axes = new_pyplot_figure().subplots() if ax is None else ax
    if not x.size:
        draw_frame(axes, 0, 1, 1.0, None)
        axes.text(0.5, 0.5, "no batch trained yet", transform=axes.transAxes, ha="center", color="#333333")
        return axes
    draw_frame(axes, int(x.min()), int(x.max()) + 1, float(y.max()), steps_per_epoch)
    draw_rates(axes, x, y)
    return axes


def highest(rates: NDArray[Any]) -> float:
    """The highest of some rates, which an axis can hold.

    Raises:
        PlanError: it is higher than that.
    """
    peak = float(rates.max())
    if peak > _HIGHEST_PEAK:
        raise PlanError(f"Rates of at most {_HIGHEST_PEAK:g} can be drawn. Received: a highest rate of {peak:g}.")
    return peak


def lowest_shown(steps: NDArray[Any], *curves: NDArray[Any]) -> float:
    """Where a logarithmic axis ends: under the lowest rate, or if that is far down, under what most steps have.

    A curve that goes to 0 leaves it two to four decades under the highest rate; rates that are held for long stay on.

    Raises:
        PlanError: all rates are 0, or nearly.
    """
    rates = np.concatenate(curves)
    peak, lowest = float(rates.max()), float(rates.min())
    if peak < LOWEST_PEAK:
        raise PlanError(
            f"A logarithmic axis needs a rate of at least {LOWEST_PEAK:g}. Received: a highest rate of {peak:g}. "
            "Draw it on a linear axis."
        )
    if lowest >= peak / 10**_MOST_DECADES:
        return float(min(lowest * (lowest / peak) ** 0.05, peak / 10))
    share = np.concatenate([np.diff(steps.astype(np.float64))] * len(curves))
    share /= max(share.sum(), 1.0)
    before, after = (np.concatenate([curve[part] for curve in curves]) for part in (slice(-1), slice(1, None)))
    body = _quantile((before + after) / 2, share, peak)
    shown = peak / 10**_FEWEST_DECADES
    if body < shown:
        shown = 10.0 ** math.floor(math.log10(max(body, peak / 10**_MOST_DECADES)))
    held = (before == after) & (before >= peak / 10**_MOST_HELD_DECADES)
    held_low = _quantile(before[held], share[held], peak)
    return float(min(shown, held_low * (held_low / peak) ** 0.05))


def _quantile(rates: NDArray[Any], share: NDArray[Any], peak: float) -> float:
    """The rate that all but the lowest hundredth of the run reach; the peak where there are not so many rates."""
    order = np.argsort(rates)
    at = int(np.searchsorted(np.cumsum(share[order]), _BODY))
    return float(rates[order[at]]) if at < order.size else peak


def new_figure(width: float = 9.0, height: float = 4.0) -> Figure:
    """An empty figure, white in dark viewers too, that no pyplot state knows of: for files."""
    _import_matplotlib()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", facecolor="white")


def save_figure(figure: Figure, path: str | os.PathLike[str], *, dpi: int = 150, format: str | None = None) -> None:
    """Write a figure to a file, whole or not at all: a reader never finds half a picture.

    The same picture makes the same bytes; text in svg and pdf is text.

    Args:
        figure: the figure.
        path: where to; its ending tells the format (png, svg, pdf, ...).
        dpi: dots per inch.
        format: the format, whatever the ending.

    Raises:
        OSError: the file cannot be written; what stood there before still stands there.
    """
    import matplotlib as mpl

    kind = format or Path(path).suffix.removeprefix(".") or "png"
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    with whole_file(path, binary=True) as file, mpl.rc_context(_FILES):
        figure.savefig(file, format=kind, dpi=dpi, facecolor="white", metadata=metadata)


def _import_matplotlib() -> None:
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise missing_package("A picture", "Matplotlib", "plot") from error


def new_pyplot_figure(width: float = 9.0, height: float = 4.0) -> Figure:
    """An empty figure that notebooks and `pyplot.show` show."""
    _import_matplotlib()
    from matplotlib import pyplot

    return pyplot.figure(figsize=(width, height), layout="constrained", facecolor="white")


def draw_frame(
    axes: Axes, first: int, stop: int, peak: float, steps_per_epoch: int | None, lowest: float | None = None
) -> None:
    """Limits, ticks, labels and grid; the rates are on a logarithmic axis down to `lowest`, if it is given."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    axes.set_xlim(first, stop)
    width, height = _inches(axes)
    head = max(0.16, 0.48 / height)  # for the names of the phases
    most = _most_ticks(width, step_text(stop))
    axes.xaxis.set_major_locator(MaxNLocator(min(7, most), integer=True, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: step_text(value)))
    if lowest is None:
        axes.set_ylim(-0.02 * (peak or 1), (1 + head) * (peak or 1))
        axes.yaxis.set_major_locator(MaxNLocator(max(1, min(6, int((height - 0.6) / 0.4))), steps=[1, 2, 2.5, 5, 10]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: rate_text(value, peak)))
    else:
        axes.set_yscale("log")
        axes.set_ylim(lowest, peak * (peak / lowest) ** head)
        axes.yaxis.set_major_locator(LogLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: rate_text(value, value)))
        axes.yaxis.set_minor_formatter(NullFormatter())
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
    width = _inches(axes)[0]
    whole = epochs >= 1
    if whole and epochs <= 3.6 * width:
        upper.xaxis.set_major_locator(MultipleLocator(1))
    else:
        upper.xaxis.set_major_locator(
            MaxNLocator(min(12, _most_ticks(width, f"{epochs:.4g}")), integer=whole, steps=[1, 2, 5, 10])
        )
        if whole and epochs <= 18 * width:
            upper.xaxis.set_minor_locator(MultipleLocator(1))
    upper.set_xlabel("epoch")
    upper.spines["top"].set_color(_LINES)
    upper.tick_params(which="both", color=_LINES)


def _most_ticks(width: float, longest: str) -> int:
    """How many labels of some length have room beside each other."""
    return max(1, int(width / (0.08 * len(longest) + 0.25)))


def root_figure(axes: Axes) -> Figure:
    """The figure that the axes are on, however deep."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure


def _inches(axes: Axes) -> tuple[float, float]:
    """About the width and height of the axes: their layout is only known when they are drawn."""
    box, (width, height) = axes.get_position(), root_figure(axes).get_size_inches()
    return float(box.width * width), float(box.height * height)


def _fits(text: str, band: Band, total: int, axes: Axes) -> bool:
    return len(text) * 0.075 + 0.08 <= (band.stop - band.first_step) / total * _inches(axes)[0]


def _legend(axes: Axes, unnamed: list[Band]) -> None:
    """Name what the picture itself does not: restart lines, and phases too short to be written on."""
    from matplotlib.patches import Patch
    from matplotlib.transforms import offset_copy

    handles: list[Any] = []
    for kind, name in key_names(unnamed).items():
        colour, alpha = TINTS[kind]
        handles.append(Patch(facecolor=colour, alpha=2 * alpha, label=name))
    lines = {str(line.get_label()): line for line in axes.get_lines()}
    handles += [line for name, line in lines.items() if name == "restart" or name in _BELOW]
    if not handles:
        return
    width, labels = _inches(axes)[0], [str(handle.get_label()) for handle in handles]
    room = width / (max(map(len, labels)) * 0.07 + 0.65)
    beside = len(handles) <= 0.42 * room  # the axis label, or under it
    below = offset_copy(axes.transAxes, fig=root_figure(axes), y=-21 if beside else -38, units="points")
    axes.legend(
        handles=handles,
        loc="upper right",
        bbox_to_anchor=(1.0, 0.0),
        bbox_transform=below,
        ncols=max(1, min(len(handles), int(room))),
        frameon=False,
        fontsize=8.5,
        handlelength=2.2,
        borderaxespad=0.0,
        borderpad=0.0,
    )
