"""Look at a plan: the rate at every step as a picture, from a bounded number of points however long the run is."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from kosine.boundaries import Group, PlannedPhase
from kosine.errors import MissingPackageError, PlanError, shown
from kosine.files import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from kosine.plan import Plan

_COLUMNS = 1000  # about the pixels across a picture: more points than a few for each are never seen
_MOST_MARKS = 48  # more bands or restart lines than this hide the curve

# Okabe and Ito's palette, which colour-blind people can tell apart.
CURVE, RESTART = "#0072B2", "#D55E00"
_TINTS = {"warm-up": ("#E69F00", 0.22), "hold": ("#009E73", 0.20), "decay": ("#56B4E9", 0.22)}
_LINES = "#8C8C8C"

Kind = Literal["warm-up", "hold", "decay"]


class Band(NamedTuple):
    """A stretch of the run that is shaded and named: one phase, or a group with too many phases to show."""

    first_step: int
    stop: int
    label: str
    short: str
    kind: Kind


# --- what to draw: plain numbers, no plotting library -----------------------------------------------------------


def trace(plan: Plan, columns: int = _COLUMNS) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Steps, ascending, and their rates: few enough to draw, with the ends of every phase that can be seen.

    Every curve is monotone between its ends, so the first and the last step of a phase are its extremes. Where more
    phases than columns share the width, each column keeps the highest and the lowest of them.

    Args:
        plan: a plan with a length.
        columns: how many points can be told apart across the picture.

    Raises:
        PlanError: a plan of a schedule that never ends, made without a length.
    """
    total = length(plan)
    rows = _rows(plan, total, columns)
    least = 16 if len(rows) * 16 <= 4 * columns else 2
    steps: set[int] = {0, total - 1}
    for row in rows:
        last = min(row.stop, total) - 1 - row.first_step
        points = min(last, max(least, 2 * columns * (last + 1) // total))
        steps.update(row.first_step + last * k // points for k in range(points + 1) if points)
        steps.add(row.first_step)
    ordered = np.array(sorted(steps), np.int64)
    return ordered, np.asarray(plan(ordered), np.float64)


def thin(x: NDArray[Any], y: NDArray[Any], columns: int = _COLUMNS) -> NDArray[np.intp]:
    """The indices that are worth drawing: of each column's points the first, the last, the highest and the lowest."""
    if x.size <= 4 * columns:
        return np.arange(x.size)
    low, high = float(x.min()), float(x.max())
    column = np.minimum(((x - low) / max(high - low, 1e-300) * columns).astype(np.int64), columns - 1)
    by_rate = np.lexsort((y, column))
    edges = np.flatnonzero(np.diff(column[by_rate], prepend=-1, append=columns))
    extremes = np.concatenate([by_rate[edges[:-1]], by_rate[edges[1:] - 1]])
    in_order = np.argsort(column, kind="stable")
    ends = np.concatenate([in_order[edges[:-1]], in_order[edges[1:] - 1]])
    return np.unique(np.concatenate([extremes, ends]))


def length(plan: Plan) -> int:
    """The number of steps to draw.

    Raises:
        PlanError: the plan has none.
    """
    if plan.total_steps is None:
        raise PlanError(
            f"A schedule that never ends cannot be drawn to its end. Received: {shown(plan.schedule)} planned without "
            "a length. Call `plan` with `total_steps`, or with `epochs` and `steps_per_epoch`."
        )
    return plan.total_steps


def restarts(plan: Plan, most: int = _MOST_MARKS) -> list[int]:
    """The steps at which a cycle goes back to its start; none where there are more than `most`.

    A group that only holds its values, as in `step_decay`, goes back to nothing, and one that ends where it starts,
    such as a cosine down and up again, does not jump.
    """
    total = length(plan)
    steps: list[int] = []
    for group in (block for block in plan.blocks if isinstance(block, Group)):
        if group.values[::2] == group.values[1::2] or group.values[0] == group.values[-1]:
            continue
        if len(group.cycles_shown) - 1 > most - len(steps):
            return []
        steps += [group.boundary(cycle) for cycle in group.cycles_shown[1:]]
    return [step for step in steps if step < total]


def bands(plan: Plan, most: int = _MOST_MARKS) -> list[Band]:
    """The phases of the run in order; a group of too many stands as one band, and slivers among too many are left."""
    total = length(plan)
    found: list[Band] = []
    for block in plan.blocks:
        if isinstance(block, PlannedPhase):
            found.append(_band(block, total))
        elif len(block.cycles_shown) * len(block.part.phases) <= most:
            found += [
                _band(block.row(cycle, phase), total)
                for cycle in block.cycles_shown
                for phase in range(len(block.part.phases))
            ]
        else:
            cycles = len(block.cycles_shown)
            stop = min(block.boundary(block.cycles_shown.stop), block.stop, total)
            found.append(Band(block.first_step, stop, f"{cycles:,} cycles", f"{cycles:,}x", "decay"))
    found = [band for band in found if band.first_step < band.stop]
    end = found[-1].stop if found else 0
    if end < total:
        found.append(_band(plan.phase_at(total - 1), total))
    return found if len(found) <= most else [band for band in found if (band.stop - band.first_step) * 50 >= total]


def _band(row: PlannedPhase, total: int) -> Band:
    kind: Kind = "hold"
    if row.name != "hold":
        kind = "warm-up" if row.end_lr > row.first_lr else "decay" if row.end_lr < row.first_lr else "hold"
    label, short = (row.name if kind == "decay" else kind), ""
    if row.cycle is not None:
        short = f"#{row.cycle + 1}"
        label += f" {short}"
    return Band(row.first_step, min(row.stop, total), label, short, kind)


def _rows(plan: Plan, total: int, columns: int) -> list[PlannedPhase]:
    """The phases to draw, a few for each column."""
    rows = [row for row in _candidates(plan, total, columns) if row.steps != 0 and row.first_step < total]
    if not rows or rows[-1].stop < total:
        rows.append(plan.phase_at(total - 1))
    if len(rows) <= 4 * columns:
        return rows
    first = np.array([row.first_step for row in rows], np.float64)
    keep = {
        *thin(first, np.array([row.first_lr for row in rows]), columns).tolist(),
        *thin(first, np.array([max(row.first_lr, row.end_lr) for row in rows]), columns).tolist(),
        *thin(first, np.array([min(row.first_lr, row.end_lr) for row in rows]), columns).tolist(),
    }
    return [rows[index] for index in sorted(keep)]


def _candidates(plan: Plan, total: int, columns: int) -> Iterator[PlannedPhase]:
    for block in plan.blocks:
        if isinstance(block, PlannedPhase):
            yield block
            continue
        cycles = block.cycles_shown
        chosen: Sequence[int] = cycles
        phases: Sequence[int] = range(len(block.part.phases))
        if (
            len(cycles) * len(phases) > 2 * columns
        ):  # one whole cycle for every other column, the highest and the last ones among them
            chosen = _cycles_across(block, min(block.boundary(cycles.stop), block.stop, total), columns // 2)
            if len(phases) > 8:
                values = block.values
                ends = {values.index(max(values)) // 2, values.index(min(values)) // 2}
                phases = sorted({0, *ends, len(phases) - 1})
        for cycle in chosen:
            for phase in phases:
                yield block.row(cycle, phase)


def _cycles_across(group: Group, stop: int, count: int) -> list[int]:
    """About `count` cycles, evenly spread over the width. Which ones are taken is a matter of looks: floats will do."""
    cycles, begin = group.cycles_shown, group.boundary(0)
    across = np.linspace(group.first_step - begin, stop - begin, count) / float(group.offsets[-1] * group.view.tick)
    growth = float(group.part.exact_stretch) - 1
    index = across if growth == 0 else np.log1p(across * growth) / math.log1p(growth)
    spread = set(np.clip(index, cycles[0], cycles[-1]).astype(np.int64).tolist())
    return sorted(spread | {cycles[0], cycles[-2:][0], cycles[-1]})


def rate_text(value: float, peak: float) -> str:
    """A rate as a tick label: plain decimals, or 4e-5 where the highest rate is small."""
    if value == 0 or 1e-3 <= peak < 1e5 or peak == 0:
        return f"{value:.10g}"
    mantissa, exponent = f"{value:.3e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def step_text(value: float) -> str:
    """A step as a tick label: 12,500, or 2.5e12 where that is too long to read."""
    if abs(value) < 1e10:
        return f"{value:,.0f}"
    mantissa, exponent = f"{value:.3e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


# --- Matplotlib -------------------------------------------------------------------------------------------------


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
        if (band.stop - band.first_step) * _COLUMNS < total:  # less than a pixel wide
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
    keep = thin(steps, rates, 4 * _COLUMNS)
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
