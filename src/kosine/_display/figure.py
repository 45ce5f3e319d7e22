"""A scene as a picture, drawn with Matplotlib: for notebooks, for `pyplot.show` and for files."""

from __future__ import annotations

import math
import os
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from kosine._analysis.sampling import COLUMNS, thin
from kosine._core.files import whole_file
from kosine._core.plain_text import printable
from kosine._core.views import view
from kosine._display.labels import Band, BandKind, RateStyle, key_names, step_text
from kosine._display.points import draw_points
from kosine._display.scene import BELOW, Line, Scene, leaves
from kosine.errors import missing_package

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from numpy.typing import NDArray

# Okabe and Ito's palette without its yellow, which colour-blind people can distinguish.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
CURVE, RESTART = PLAN, LOG = COLOURS[:2]
GREY = "#8C8C8C"
TINTS: dict[BandKind, tuple[str, float]] = {
    "warm-up": ("#E69F00", 0.22),
    "rise": ("#CC79A7", 0.22),
    "hold": ("#009E73", 0.20),
    "decay": ("#56B4E9", 0.22),
}
FEW = 200  # rows of a log that are drawn as dots
_PRECISION = "#D0D0D0"
# Each colour comes with another stroke before one comes again.
_STROKES = ("solid", (0, (5, 2)), (0, (5, 1.5, 1, 1.5)), (0, (1.5, 1.2)))
_DASHES: Any = (0, (4, 3))
_FILES: Any = {"svg.hashsalt": "kosine", "svg.fonttype": "none", "pdf.fonttype": 42}
_PIECE = 512  # points that are drawn as one line: longer lines up and down the picture take megabytes
_NICE = [1, 2, 2.5, 5, 10]
_TITLE_LINES, _NAME_LINES = 4, 2


def plot(result: object, *, ax: Axes | None = None, **options: Any) -> Axes:
    """Draw a plan, a comparison, a verdict or an inference, and below it the differences where it has some.

    A run of 10**9 steps is drawn as quickly as one of 10**3: only points that can be seen are evaluated, the ends of
    phases and the jumps at restarts always among them.

    Args:
        result: the plan, ...
        ax: the axes to draw the rates on, without what is below; a new pyplot figure if None, so that notebooks and
            `pyplot.show` show it.
        options: of its scene; a plan has `log` and `points`.

    Returns:
        The axes of the rates.

    Raises:
        PlanError: there is nothing that can be drawn.
        MissingPackageError: Matplotlib is not installed.

    Example:
        >>> import kosine as ks
        >>> from matplotlib.figure import Figure
        >>> plan = ks.sgdr(peak=0.05, period=10, stretch=2).plan(total_steps=70)
        >>> axes = plot(plan, ax=Figure().subplots())
        >>> axes.get_xlabel(), axes.get_ylabel()
        ('step', 'learning rate')
    """
    scene = _scene(result, options)  # before a figure is opened, as this may raise
    if ax is None:
        return _draw(scene, new_pyplot_figure(9.0, _height(scene)))
    _draw_rates(scene, ax)
    return ax


def figure_of(
    result: object, title: str | None = None, *, size: tuple[float, float] | None = None, **options: Any
) -> Figure:
    """The picture of `plot` for a file: the same whatever Matplotlib is set up to look like.

    Args:
        result: the plan, the comparison, the verdict or the inference.
        title: above it on the left, wrapped; if None, a log's is the sentence that says what was found, and a plan's
            its schedule.
        size: width and height in inches.
        options: of its scene; a plan has `log` and `points`.
    """
    scene = _scene(result, options)
    with default_style():
        figure = new_figure(*(size or (9.0, _height(scene))))
        _draw(scene, figure, scene.heading if title is None and scene.is_plan else title)
    return figure


def _scene(result: object, options: Mapping[str, Any]) -> Scene:
    scene: Scene = view(result, "scene", **options)
    scene.check_axis()
    return scene


def _height(scene: Scene) -> float:
    return 5.4 if len(scene.lines) > 1 or scene.title else 4.0


def _draw(scene: Scene, figure: Figure, title: str | None = None) -> Axes:
    title = scene.title if title is None else title
    titled(figure, title)
    if not scene.difference:
        only: Axes = figure.subplots()
        _draw_rates(scene, only)
        return only
    upper: Axes
    lower: Axes
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[2.6, 1])
    _draw_rates(scene, upper)
    _draw_differences(scene, lower)
    upper.tick_params(labelbottom=False)  # the label of the common axis is below
    upper.set_xlabel("")
    figure.align_ylabels([upper, lower])
    return upper


def titled(figure: Figure, title: str) -> None:
    """A sentence above a picture, on the left, on as many lines as it needs; none where it is empty."""
    if title:
        text = _wrapped(title, int(figure.get_figwidth() * 11.5), _TITLE_LINES)
        figure.suptitle(text, x=0.01, ha="left", fontsize=9.5, family="monospace", parse_math=False)


def _wrapped(text: str, width: int, lines: int, prefix: str = "") -> str:
    """A text of a user on at most `lines` lines of `width` characters; dots show where it is cut."""
    indent = " " * (2 * len(prefix))  # a space is half as wide as a letter
    whole = textwrap.wrap(
        printable(text), width, initial_indent=prefix, subsequent_indent=indent, max_lines=lines, placeholder="..."
    )
    return "\n".join(whole) or prefix


def _draw_rates(scene: Scene, axes: Axes) -> None:
    """The axes of the rates, with everything that is named on them."""
    _frame(scene, axes)
    unnamed = _draw_bands(scene, axes)
    for position in scene.boundaries:
        axes.axvline(position, color=GREY, linestyle=_DASHES, linewidth=0.8, zorder=1)
    for step in scene.restarts:
        axes.axvline(step, color=RESTART, linestyle=_DASHES, linewidth=1, zorder=1.5, label="restart")
    if scene.is_plan:
        draw_curve(axes, scene.lines[0].x, scene.lines[0].y)
        _name_marks(axes, unnamed)
    else:
        for line, style in zip(scene.lines, _styles(scene), strict=False):
            _draw_line(axes, line, style)
        if scene.half_widths is not None:
            axes.fill_between([], [], color=_PRECISION, label=scene.precision)
        _name_lines(axes, epochs=scene.steps_per_epoch is not None)
    _draw_mark(scene, axes)
    if scene.points:
        root_figure(axes).draw_without_rendering()  # the texts' places depend on the layout
        line = scene.lines[0]
        curve = np.column_stack([line.x, np.maximum(line.y, axes.get_ylim()[0])])
        draw_points(axes, scene.points, curve, _inches(axes), CURVE, scene.style(log=scene.log))


def _draw_line(axes: Axes, line: Line, style: dict[str, Any]) -> None:
    """One of several curves, with its name for the legend; pale beyond the end of its own run."""
    room = int(_inches(axes)[0] * 12)
    drawn = _draw_own(axes, line.x, line.y, line.own, style)
    drawn.set_label(_wrapped(line.name, room, _NAME_LINES, line.prefix))


def _draw_own(axes: Axes, x: NDArray[Any], y: NDArray[np.float64], own: int | None, style: dict[str, Any]) -> Line2D:
    """A curve whose first `own` points belong to its own run; after them it is pale."""
    own = len(x) if own is None else own
    (drawn,) = axes.plot(x[:own], y[:own], **style)
    if own < len(x):
        axes.plot(x[own - 1 :], y[own - 1 :], **{**style, "alpha": 0.4, "linewidth": 1.2})
    return drawn


def _styles(scene: Scene) -> Iterator[dict[str, Any]]:
    """Colour and stroke of each line; the first is the widest, so that it is seen under one that is the same."""
    if scene.lines[-1].rows:
        few = scene.lines[-1].rows <= FEW
        if len(scene.lines) > 1:
            yield {"color": PLAN, "linewidth": 4, "zorder": 3}
        dots = {"marker": "o" if few else "", "markersize": 3.2, "linestyle": "" if few else "solid"}
        yield {"color": LOG, "linewidth": 1.3, "zorder": 4, "clip_on": not few, **dots}
        return
    for index in count():
        turn, number = divmod(index, len(COLOURS))
        stroke = _STROKES[(number + turn) % len(_STROKES)]
        yield {"color": COLOURS[number], "linestyle": stroke, "linewidth": 1.8 if index else 2.6, "zorder": 3}


def _draw_differences(scene: Scene, axes: Axes) -> None:
    """How far each line is from the first, and how far a log's may be by its precision."""
    from matplotlib.ticker import MaxNLocator

    _frame(scene, axes, epochs=False)
    others, width = scene.lines[1:], scene.half_widths
    shown = [line.apart for line in others if line.apart is not None] + ([] if width is None else [width, -width])
    low, high = (float(find([0.0, *(find(each) for each in shown)])) for find in (np.min, np.max))
    pad = 0.08 * (high - low) or 0.01 * (scene.peak or 1.0)
    axes.set_ylim(low - pad, high + pad)
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=_NICE))
    axes.axhline(0, color="#555555", linewidth=0.8, zorder=2)
    if width is not None:
        axes.fill_between(others[0].x, -width, width, color=_PRECISION, linewidth=0.8, zorder=1)
    for line, style in list(zip(scene.lines, _styles(scene), strict=False))[1:]:
        apart = line.y if line.apart is None else line.apart
        _draw_own(axes, line.x, apart, line.own_beside(scene.lines[0]), style)
    if scene.mark is not None:
        axes.axvline(scene.mark.position, color="#333333", linestyle=_DASHES, linewidth=1, zorder=2)
    axes.set_ylabel(scene.difference)


def _draw_mark(scene: Scene, axes: Axes) -> None:
    """A line where log and plan part, with its label above the curves."""
    if scene.mark is None:
        return
    low, high = scene.limits
    late = scene.mark.position - low > 0.5 * (high - low)
    axes.axvline(scene.mark.position, color="#333333", linestyle=_DASHES, linewidth=1, zorder=2)
    axes.annotate(
        scene.mark.text(scene.style(log=scene.log)),
        (scene.mark.position, 0.97),
        (-5 if late else 5, 0),
        xycoords=axes.get_xaxis_transform(),
        textcoords="offset points",
        ha="right" if late else "left",
        va="top",
        fontsize=8.5,
        color="#111111",
        zorder=6,
    )


def _draw_bands(scene: Scene, axes: Axes) -> list[Band]:
    """Shade the phases and name those that have room for it; the others are returned, for the legend."""
    total = scene.limits[1]
    unnamed: list[Band] = []
    for band, colour, alpha in tinted(scene.bands):
        axes.axvspan(band.first_step, band.stop, color=colour, alpha=alpha, linewidth=0, zorder=0)
        if (band.stop - band.first_step) * COLUMNS < total:  # less than a pixel wide
            axes.axvline(band.first_step, color=colour, linewidth=1.2, zorder=1)
        note = f"{band.label}: some are drawn" if band.drawn_in_part else ""
        names = [name for name in (note, band.label, band.short) if name]
        room = (band.stop - band.first_step) / total * _inches(axes)[0]
        name = next((name for name in names if len(name) * 0.075 + 0.08 <= room), None)
        if name is None:
            unnamed.append(band)
            continue
        middle, across = (band.first_step + band.stop) / 2, axes.get_xaxis_transform()
        axes.text(middle, 0.97, name, transform=across, ha="center", va="top", fontsize=8.5, color="#333333")
    return unnamed


def tinted(shown: Iterable[Band]) -> Iterator[tuple[Band, str, float]]:
    """Each band with its colour and opacity, which is half where it would look like the one before."""
    before, full = None, 1.0
    for band in shown:
        full = 0.5 if band.kind == before and full == 1.0 else 1.0
        before = band.kind
        colour, opacity = TINTS[band.kind]
        yield band, colour, opacity * full


def draw_curve(axes: Axes, steps: NDArray[Any], rates: NDArray[Any]) -> None:
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
    places, name = leaves(steps, rates, low)
    if places:
        bottom = np.full(len(places), low)
        axes.plot(places, bottom, "v", color=CURVE, markersize=7, clip_on=False, zorder=4, label=name)


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
        draw_frame(axes, (0, 1), 1.0, RateStyle.of(1.0))
        axes.text(0.5, 0.5, "no batch trained yet", transform=axes.transAxes, ha="center", color="#333333")
        return axes
    peak = float(y.max())
    draw_frame(axes, (int(x.min()), int(x.max()) + 1), peak, RateStyle.of(peak), steps_per_epoch)
    draw_curve(axes, x, y)
    return axes


@contextmanager
def default_style() -> Iterator[None]:
    """Draw with Matplotlib's own defaults, whatever a user's settings are."""
    _import_matplotlib()
    import matplotlib.style

    with matplotlib.style.context("default", after_reset=True):
        yield


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
        path: where to; its ending names the format (png, svg, pdf, ...).
        dpi: dots per inch.
        format: the format, whatever the ending.

    Raises:
        OSError: the file cannot be written; a file that was there before is unchanged.
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


def _frame(scene: Scene, axes: Axes, *, epochs: bool = True) -> None:
    """The frame of a scene, whose unit may be fractions of few epochs."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    low, high = scene.limits
    per_epoch = scene.steps_per_epoch if epochs else None
    lowest = scene.lowest if scene.log else None
    draw_frame(axes, (math.floor(low), math.ceil(high)), scene.peak, scene.style(log=scene.log), per_epoch, lowest)
    axes.set_xlim(low, high)
    axes.set_xlabel(scene.unit)
    if high - low < 8 and scene.unit == "epoch":
        axes.xaxis.set_major_locator(MaxNLocator(7))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}"))


def draw_frame(
    axes: Axes,
    limits: tuple[int, int],
    peak: float,
    style: RateStyle,
    steps_per_epoch: int | None = None,
    lowest: float | None = None,
) -> None:
    """Limits, ticks, labels and grid; the rates are on a logarithmic axis down to `lowest`, if it is given."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    first, stop = limits
    axes.set_xlim(first, stop)
    width, height = _inches(axes)
    head = max(0.16, 0.48 / height)  # for the names of the phases
    most = _most_ticks(width, step_text(stop))
    axes.xaxis.set_major_locator(MaxNLocator(min(7, most), integer=True, steps=_NICE))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: step_text(value)))
    if lowest is None:
        axes.set_ylim(-0.02 * (peak or 1), (1 + head) * (peak or 1))
        axes.yaxis.set_major_locator(MaxNLocator(max(1, min(6, int((height - 0.6) / 0.4))), steps=_NICE))
    else:
        axes.set_yscale("log")
        axes.set_ylim(lowest, peak * (peak / lowest) ** head)
        axes.yaxis.set_major_locator(LogLocator())
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: style(value)))
    axes.set_xlabel("step")
    axes.set_ylabel("learning rate")
    axes.grid(axis="y", color="#D9D9D9", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(GREY)
    axes.tick_params(color=GREY)
    if steps_per_epoch is not None:
        _epoch_axis(axes, (stop - first) / steps_per_epoch, steps_per_epoch)


def _epoch_axis(axes: Axes, epochs: float, steps_per_epoch: int) -> None:
    """An axis in epochs on top: a tick for each where they fit, a number for each where those fit too."""
    from matplotlib.ticker import MaxNLocator, MultipleLocator

    functions = (lambda step: step / steps_per_epoch, lambda epoch: epoch * steps_per_epoch)
    upper = axes.secondary_xaxis("top", functions=functions)
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
    upper.spines["top"].set_color(GREY)
    upper.tick_params(which="both", color=GREY)


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


def _name_marks(axes: Axes, unnamed: list[Band]) -> None:
    """Name what the picture itself does not: restart lines, and phases too short to be written on."""
    from matplotlib.patches import Patch
    from matplotlib.transforms import offset_copy

    handles: list[Any] = []
    for kind, name in key_names(unnamed).items():
        colour, alpha = TINTS[kind]
        handles.append(Patch(facecolor=colour, alpha=2 * alpha, label=name))
    lines = {str(line.get_label()): line for line in axes.get_lines()}
    handles += [line for name, line in lines.items() if name == "restart" or name in BELOW]
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


def _name_lines(axes: Axes, *, epochs: bool) -> None:
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
