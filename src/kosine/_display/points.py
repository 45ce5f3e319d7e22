"""Steps that a picture points out: a dot on the curve, and the step and its rate beside it where there is room."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, SupportsIndex

import numpy as np

from kosine._analysis.sampling import length
from kosine._core.arguments import read_index
from kosine._display.labels import RateStyle, point_text
from kosine.errors import ArgumentError, ArgumentTypeError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from kosine._core.schedule import Plan

    _Vector = NDArray[np.float64]

_FONT = 8.5
_CHARACTER, _LINE = 0.068, 0.155  # inches of that font
_TOP = 0.9  # of the height: the names of the phases are above it
_PAD = 0.05  # inches between two texts
_NEAR = 0.06  # inches from a dot within which its text needs no line to it
_RECENT = 40  # texts before that a text keeps off: points go from left to right
_ALONG = np.linspace(0, 1, 24)[:, None]  # places on such a line


def read_points(plan: Plan, points: Iterable[SupportsIndex]) -> list[int]:
    """The steps to point out, ascending.

    Raises:
        ArgumentError: a step outside the run.
        ArgumentTypeError: a value that is not an integer.
    """
    steps: set[int] = set()
    total = length(plan)
    for point in points:
        step = read_index(point)
        if step is None:
            raise ArgumentTypeError(argument="points", rule="steps, which are integers", received=point)
        if not 0 <= step < total:
            raise ArgumentError(argument="points", rule=f"steps of the run, 0 to {total - 1:,}", received=step)
        steps.add(step)
    return sorted(steps)


def draw_points(
    axes: Axes,
    points: dict[int, float],
    curve: NDArray[np.float64],
    size: tuple[float, float],
    colour: str,
    style: RateStyle,
) -> None:
    """Put a dot on each point and its text where it covers least.

    Args:
        axes: the axes, their limits set.
        points: steps and their rates.
        curve: rows of step and rate; text keeps off them.
        size: width and height of the axes in inches.
        colour: of the dots.
        style: how rates are written.
    """
    low = axes.get_ylim()[0]
    spots = [(step, max(rate, low)) for step, rate in points.items()]
    inches = (axes.transData - axes.transAxes).transform
    dots = inches(spots) * size
    line = _evenly(inches(curve) * size)
    boxes: list[tuple[_Vector, _Vector]] = []
    leaders: list[_Vector] = []
    for (step, rate), spot, dot in zip(points.items(), spots, dots, strict=True):
        text = point_text(step, rate, style)
        half = np.array([len(text) * _CHARACTER, _LINE]) / 2
        centres = _places(dot, half, size)
        ends = np.clip(dot, centres - half, centres + half)
        gaps = np.hypot(*(dot - ends).T)
        lines = dot + (ends - dot)[:, None] * _ALONG  # of each place, the points of the line to its text
        cost = gaps + 3 * np.minimum(_within(line, centres, half + 0.03), 8) / 8 + 30 * _within(dots, centres, half)
        on_curve = (abs(lines[:, 4::4, None] - line[::3]) < 0.05).all(axis=3).any(axis=2)
        cost += 2 * gaps * on_curve.mean(axis=1)
        for centre, other in boxes[-_RECENT:]:
            cost += 99 * (abs(centres - centre) < half + other + _PAD).all(axis=1)
            cost += 30 * (abs(lines - centre) < other + 0.02).all(axis=2).any(axis=1)
        for leader in leaders[-_RECENT:]:
            cost += 30 * (_within(leader, centres, half + 0.02) > 0)
            if np.hypot(*(dot - leader[0])) > _NEAR:
                cost += 4 * _cross(dot, ends, leader[0], leader[-1])
        best = int(np.argmin(cost))
        centre, end = centres[best], ends[best]
        boxes.append((centre, half))
        far = gaps[best] > _NEAR
        if far:
            leaders.append(lines[best])
        arrow = {"arrowstyle": "-", "color": "#555555", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0, "patchA": None}
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
            arrowprops={**arrow, "relpos": tuple((end - centre + half) / (2 * half))} if far else None,
        )
    axes.plot(
        *zip(*spots, strict=True), "o", markersize=5.5, color=colour, markeredgecolor="white", zorder=5, clip_on=False
    )


def _evenly(line: _Vector) -> _Vector:
    """Points about a fortieth of an inch apart along a line."""
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    at = np.linspace(0, along[-1], min(2000, int(along[-1] * 40) + 2))
    return np.column_stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)])


def _places(dot: _Vector, half: _Vector, size: tuple[float, float]) -> _Vector:
    """Where the middle of a text may be: close to its dot, or in rows and columns over the whole picture."""
    sides = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if x or y]
    rows = np.arange(-12, 13) * (_LINE + _PAD) * 1.05
    columns = [sign * (half[0] + gap) for sign in (-1, 1) for gap in (0.1, 0.25, 0.5, 0.9, 1.4, 2.0)]
    near = dot + np.array(sides) * (half + _NEAR * 0.9)
    grid = dot + np.array([(x, y) for x in (*columns, 0.0) for y in rows if x or y])
    low, high = half + 0.02, np.array([size[0], _TOP * size[1]]) - half - 0.02
    return np.asarray(np.clip(np.concatenate([near, grid]), low, np.maximum(low, high)))


def _cross(begin: _Vector, ends: _Vector, other_begin: _Vector, other_end: _Vector) -> NDArray[np.bool_]:
    """Which of the lines from one place to several ends cross another line."""

    def side(first: _Vector, second: _Vector, point: _Vector) -> _Vector:
        along, across = (second - first).T, (point - first).T
        return np.asarray(along[0] * across[1] - along[1] * across[0])

    apart = side(other_begin, other_end, begin) * side(other_begin, other_end, ends) < 0
    return np.asarray(apart & (side(begin, ends, other_begin) * side(begin, ends, other_end) < 0))


def _within(points: _Vector, centres: _Vector, half: _Vector) -> _Vector:
    """How many of the points each text covers."""
    x, y = ((abs(points[:, axis] - centres[:, axis, None]) < half[axis]) for axis in (0, 1))
    return np.asarray((x & y).sum(axis=1), np.float64)
