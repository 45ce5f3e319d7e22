"""Steps that a picture points out: a dot on the curve, and the step and its rate beside it where there is room."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import TYPE_CHECKING, SupportsIndex

import numpy as np

from kosine.errors import ArgumentTypeError, PlanError, shown
from kosine.plotting.labels import point_text
from kosine.sampling import length

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from kosine.plan import Plan

_FONT = 8.5
_CHARACTER, _LINE = 0.068, 0.155  # inches of that font
_TOP = 0.9  # of the height: above it stand the names of the phases
_DIRECTIONS = [(1, 1), (-1, 1), (1, -1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1)]
_GAPS = (0.06, 0.25, 0.5, 0.9)  # inches between a dot and its text


def read_points(plan: Plan, points: Iterable[SupportsIndex]) -> list[int]:
    """The steps to point out, ascending.

    Raises:
        PlanError: a step outside the run.
        ArgumentTypeError: no integer.
    """
    steps: set[int] = set()
    total = length(plan)
    for point in points:
        if isinstance(point, bool) or not isinstance(point, SupportsIndex):
            raise ArgumentTypeError(f"Argument `points` must be steps, which are integers. Received: {shown(point)}.")
        step = operator.index(point)
        if not 0 <= step < total:
            raise PlanError(f"Argument `points` must be steps of the run, 0 to {total - 1:,}. Received: {step:,}.")
        steps.add(step)
    return sorted(steps)


def draw_points(
    axes: Axes, points: dict[int, float], curve: NDArray[np.float64], size: tuple[float, float], colour: str
) -> None:
    """Put a dot on each point and its text where it covers least.

    Args:
        axes: the axes, their limits set.
        points: steps and their rates.
        curve: rows of step and rate; text keeps off them.
        size: width and height of the axes in inches.
        colour: of the dots.
    """
    low = axes.get_ylim()[0]
    spots = [(step, max(rate, low)) for step, rate in points.items()]
    inches = (axes.transData - axes.transAxes).transform
    dots = inches(spots) * size
    line = inches(curve) * size
    across = np.linspace(0, size[0], 2000)
    line = np.column_stack([across, np.interp(across, line[:, 0], line[:, 1])])
    boxes: list[NDArray[np.float64]] = []
    for (step, rate), spot, dot in zip(points.items(), spots, dots, strict=True):
        text = point_text(step, rate)
        half = np.array([len(text) * _CHARACTER, _LINE]) / 2 + 0.02
        inside = half, np.array([size[0], _TOP * size[1]]) - half
        places = [
            (np.clip(dot + np.array(direction) * (half + gap), *inside), gap)
            for gap in _GAPS
            for direction in _DIRECTIONS
        ]

        def covered(place: tuple[NDArray[np.float64], float], half: NDArray[np.float64] = half) -> float:
            centre, gap = place
            shared = [np.prod(np.clip(half + other[1] - abs(centre - other[0]), 0, None)) for other in boxes]
            return float(0.01 * _within(line, centre, half) + 3 * _within(dots, centre, half) + 99 * sum(shared) + gap)

        centre, gap = min(places, key=covered)
        boxes.append(np.array([centre, half]))
        axes.annotate(
            text,
            spot,
            tuple(centre / size),
            textcoords=axes.transAxes,
            ha="center",
            va="center",
            fontsize=_FONT,
            color="#111111",
            zorder=6,
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "alpha": 0.7, "linewidth": 0},
            arrowprops={"arrowstyle": "-", "color": "#555555", "linewidth": 0.8, "shrinkA": 0} if gap > 0.1 else None,
        )
    axes.plot(
        *zip(*spots, strict=True), "o", markersize=5.5, color=colour, markeredgecolor="white", zorder=5, clip_on=False
    )


def _within(points: NDArray[np.float64], centre: NDArray[np.float64], half: NDArray[np.float64]) -> int:
    """How many of the points a text covers."""
    return int((abs(points - centre) < half + 0.03).all(axis=1).sum())
