"""Curves as text, with colours and fine marks where the output supports them."""

from __future__ import annotations

import math
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from kosine._core.arguments import read_integer
from kosine._core.views import view
from kosine._display.labels import RateStyle, step_text
from kosine.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._display.scene import Scene

_PLAIN = str.maketrans("┌┐└┘┤├┬┴┼─│", "+" * 9 + "-|")
COLOURS = (33, 208, 35, 170, 178, 45)
"""Blue, orange, green, purple, yellow and cyan of 256 terminal colours: colour-blind people can distinguish them."""

FINE = 2**20
"""Steps of an axis that counts something else: finer than any column."""

_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""The bits of a braille character, by row and column."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What the output can show."""

    width: int = 80
    colour: bool = False
    unicode: bool = True

    @classmethod
    def of_stdout(cls) -> Screen:
        """What standard output is: a terminal of some width, or a pipe or file, which gets 80 plain columns."""
        terminal = sys.stdout.isatty()
        colour = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        try:
            "⣿─┤".encode(sys.stdout.encoding or "ascii")
        except UnicodeEncodeError:
            unicode = False
        else:
            unicode = True
        return cls(shutil.get_terminal_size((80, 24)).columns if terminal else 80, colour, unicode)

    @property
    def columns(self) -> int:
        """How wide a picture is."""
        return min(max(self.width, 40), 120)


class Curve(NamedTuple):
    """A line of a picture."""

    steps: NDArray[Any]
    values: NDArray[np.float64]
    mark: str = "*"
    """The character that it is drawn with where the terminal lacks colours and fine marks."""
    colour: int = COLOURS[0]
    joined: bool = True
    """Whether it is a line; if not, its dots lie on top of other curves."""
    faint: bool = False
    """Whether every second column is left out: beyond the end of its run."""

    def parts(self, own: int | None) -> list[Curve]:
        """The curve up to its first `own` points, and faintly what comes after them."""
        if own is None or own >= len(self.steps):
            return [self]
        head = self._replace(steps=self.steps[:own], values=self.values[:own])
        tail = self._replace(steps=self.steps[own - 1 :], values=self.values[own - 1 :], mark=self.mark.lower())
        return [head, tail._replace(faint=True)]


class Axis(Protocol):
    """An axis of a picture that does not count steps from 0."""

    @property
    def unit(self) -> str: ...
    def ticks(self, width: int) -> dict[int, str]: ...


class Ruler(NamedTuple):
    """The axis of a log."""

    unit: str
    first: float
    last: float

    def across(self, positions: NDArray[Any], total: int) -> NDArray[np.float64]:
        """Positions as steps of a run that is so long."""
        return np.asarray((positions - self.first) / (self.last - self.first) * (total - 1))

    def ticks(self, width: int) -> dict[int, str]:
        """Round numbers on it, by their columns."""
        length = self.last - self.first
        some = nice_ticks(length, width // 12, whole=self.unit != "epoch" and length >= 1)
        every = some[1] - some[0] if len(some) > 1 else length
        numbers = range(math.ceil(self.first / every), math.floor(self.last / every) + 1)
        return {
            round((number * every - self.first) / length * (width - 1)): _tick_text(number * every)
            for number in numbers
        }


def draw(result: object, screen: Screen) -> str:
    """A plan, a comparison, a verdict, a range test, ... as lines of text, no wider than the screen.

    Raises:
        PlanError: a plan without a length.
    """
    lines: str = view(result, "terminal", screen=screen)
    return lines


def draw_for(result: object, width: int | None) -> str:
    """A result as `Drawn.draw` says."""
    screen = Screen.of_stdout()
    if width is not None:
        rule = "an integer >= 40"
        screen = replace(screen, width=read_integer(width, "width", rule, at_least=40, error=ArgumentError))
    return draw(result, screen)


def draw_rates(result: object, screen: Screen) -> str:
    """A plan, a comparison, a verdict or an inference.

    Cycles are numbered above their restarts. Differences from the first curve are below, on their own scale.

    Raises:
        PlanError: a plan without a length.
    """
    scene: Scene = view(result, "scene", columns=8 * screen.columns)  # no gap between cycles too many to show apart
    (low, high), per_epoch, style = scene.limits, scene.steps_per_epoch, scene.style(log=False)
    ruler = None if scene.unit == "step" and low == 0 else Ruler(scene.unit, low, high)
    total = math.ceil(high) if ruler is None else FINE

    def across(positions: NDArray[Any]) -> NDArray[Any]:
        return positions if ruler is None else ruler.across(positions, total)

    # A log has the same colour with and without a plan.
    first_colour = 1 if len(scene.lines) == 1 and not scene.is_plan else 0
    curves, lines = [], []
    for number, line in enumerate(scene.lines, start=first_colour):
        joined = not 0 < line.rows <= 2 * screen.columns
        curves.append(Curve(across(line.x), line.y, line.sign, COLOURS[number % len(COLOURS)], joined))
        if not scene.is_plan:
            sign = "" if line.sign == line.mark else f"{line.sign}  "
            name = sign + line.label(screen.columns - 2 - len(sign + line.prefix))
            lines.append(f"  {painted(name, curves[-1].colour, screen)}")
    marked = scene.restarts
    if scene.mark is not None:
        marked = {int(across(np.array([scene.mark.position]))[0]): scene.mark.short}
    shown = [part for curve, line in zip(curves, scene.lines, strict=True) for part in curve.parts(line.own)]
    lines.append(picture(shown, total, screen, 15, per_epoch, marked, ruler, style))
    if scene.differs:
        first, *others = scene.lines
        apart = [
            curve._replace(values=line.apart)
            for curve, line in zip(curves[1:], others, strict=True)
            if line.apart is not None
        ]
        shown = [
            part for curve, line in zip(apart, others, strict=False) for part in curve.parts(line.own_beside(first))
        ]
        names = (f"{line.mark} - {first.mark}" for line in others)
        lines += ["", *(f"  {painted(name, curve.colour, screen)}" for name, curve in zip(names, apart, strict=True))]
        lines.append(picture(shown, total, screen, 7, per_epoch, None, ruler, style))
    return "\n".join(lines)


def picture(
    curves: Sequence[Curve],
    total: int,
    screen: Screen,
    rows: int,
    steps_per_epoch: int | None = None,
    names: Mapping[int, str] | None = None,
    ruler: Axis | None = None,
    style: RateStyle | None = None,
    limits: tuple[float, float] | None = None,
) -> str:
    """Curves over a run in a frame, with ticks in steps, and in epochs where it is known how long they are.

    Args:
        curves: what to draw.
        total: the run's length in steps.
        screen: what the output can show.
        rows: lines inside the frame.
        steps_per_epoch: steps in an epoch.
        names: names of steps, written above the frame where there is room.
        ruler: the labels on the axis instead of the steps.
        style: how the rates are written; the one of these curves if None.
        limits: the ends of the axis of the values, none of which lies outside; 0 and those of the curves if None.
    """
    low = min(0.0, *(float(curve.values.min()) for curve in curves)) if limits is None else limits[0]
    high = max(0.0, *(float(curve.values.max()) for curve in curves)) if limits is None else limits[1]
    high = high if high > low else 1.0
    style = style or RateStyle.of(max(high, -low))
    rate_ticks = {
        round((high - tick) / (high - low) * (rows - 1)): style(tick)
        for tick in nice_ticks(high, 5 if rows > 10 else 4, low=low)
    }
    margin = max(5, len(ruler.unit) if ruler else 0, *map(len, rate_ticks.values()))
    width = screen.columns - margin - 2
    named, named_line = _labels({_column(step, total, width): name for step, name in (names or {}).items()}, width)
    ticked, steps_line = _labels(_ticks(total, total, width) if ruler is None else ruler.ticks(width), width)
    unit = "step" if ruler is None else ruler.unit
    lines = [f"{'':{margin}} {named_line}"] if named else []
    lines.append(f"{'':{margin}}┌{''.join('┴' if column in named else '─' for column in range(width))}┐")
    for row, cells in enumerate(_cells(curves, total, (low, high), (width, rows), screen)):
        lines.append(f"{rate_ticks.get(row, ''):>{margin}}{'┤' if row in rate_ticks else '│'}{cells}│")
    lines.append(f"{'':{margin}}└{''.join('┬' if column in ticked else '─' for column in range(width))}┘")
    lines.append(f"{unit:{margin}} {steps_line}")
    if steps_per_epoch is not None and ruler is None:
        lines.append(f"{'epoch':{margin}} {_labels(_ticks(total, total / steps_per_epoch, width), width)[1]}")
    text = "\n".join(line.rstrip() for line in lines)
    return text if screen.unicode else text.translate(_PLAIN)


def _column(step: float, total: int, width: int) -> int:
    """The column of a step among `width`: the first step in the first column, the last step in the last."""
    return min(round(step / max(total - 1, 1) * (width - 1)), width - 1)


def _ticks(total: int, length: float, width: int) -> dict[int, str]:
    """Round numbers along a run that is so long in its own unit, by their columns."""
    ticks = nice_ticks(length, width // 12, whole=length >= 1)
    return {_column(tick / length * total, total, width): _tick_text(tick) for tick in ticks}


def _tick_text(tick: float) -> str:
    return step_text(tick) if float(tick).is_integer() else f"{tick:.6g}"


def _labels(texts: Mapping[int, str], width: int) -> tuple[set[int], str]:
    """A line with texts centred on their columns, as far as there is room, and the columns of those that it has."""
    line, found = "", set()
    for column, text in texts.items():
        begin = max(0, min(column - len(text) // 2, width + 1 - len(text)))
        if not line or begin > len(line):
            line = line.ljust(begin) + text
            found.add(column)
    return found, line


def _cells(
    curves: Sequence[Curve], total: int, limits: tuple[float, float], size: tuple[int, int], screen: Screen
) -> list[str]:
    """The inside of a frame, line by line; curves that share a character take turns in it."""
    (low, high), (width, rows) = limits, size
    fine = screen.unicode and (screen.colour or sum(not curve.faint for curve in curves) == 1)
    across, down = (2, 4) if fine else (1, 1)
    bits = np.zeros((rows, width), np.int64)
    there = np.zeros((len(curves), rows, width), np.bool_)
    dots = np.array([not curve.joined for curve in curves])
    for number, curve in enumerate(curves):
        x = np.rint(curve.steps / max(total - 1, 1) * (width * across - 1)).astype(np.int64)
        y = np.rint((high - curve.values) / (high - low) * (rows * down - 1)).astype(np.int64)
        if curve.joined:
            x, y = _joined(x, y)
        if curve.faint:
            kept = x // across % 2 == 0
            x, y = x[kept], y[kept]
        there[number, y // down, x // across] = True
        np.bitwise_or.at(bits, (y // down, x // across), _DOTS[y % down, x % across])
    lines = []
    for row in range(rows):
        cells: list[tuple[str, int | None]] = []
        for column in range(width):
            here = np.flatnonzero(there[:, row, column])
            here = on_top if (on_top := here[dots[here]]).size else here
            shown = curves[here[column % here.size]] if here.size else None
            mark = chr(0x2800 + int(bits[row, column])) if fine else shown.mark[0] if shown else " "
            cells.append((mark, shown.colour) if shown else (" ", None))
        runs = groupby(cells, key=lambda cell: cell[1])
        lines.append("".join(painted("".join(mark for mark, _ in run), colour, screen) for colour, run in runs))
    return lines


def _joined(x: NDArray[np.int64], y: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The dots of straight lines from each point to the next."""
    lengths = np.maximum(np.abs(np.diff(x)), np.abs(np.diff(y)))
    line = np.repeat(np.arange(lengths.size), lengths)
    share = (np.arange(line.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)) / lengths[line]
    between = (np.rint(ends[line] + share * np.diff(ends)[line]).astype(np.int64) for ends in (x, y))
    first, second = (np.append(dots, ends[-1]) for dots, ends in zip(between, (x, y), strict=True))
    return first, second


def painted(text: str, colour: int | None, screen: Screen) -> str:
    return f"\x1b[38;5;{colour}m{text}\x1b[0m" if screen.colour and colour is not None else text


def nice_ticks(highest: float, about: int, *, whole: bool = False, low: float = 0.0) -> list[float]:
    """Round numbers from `low` up to `highest`, about `about` of them; whole ones only if `whole`."""
    raw = max((highest - low) / max(about, 1), 1.0 if whole else 0.0)
    power = 10.0 ** math.floor(math.log10(raw))
    factors = [factor for factor in (1, 2, 2.5, 5, 10) if not whole or (factor * power).is_integer()]
    step = next(factor * power for factor in factors if factor * power >= raw * 0.999)
    slack = 1e-9 * max(abs(low), abs(highest)) / step
    first, last = math.ceil(low / step - slack), math.floor(highest / step + slack)
    return [index * step for index in range(first, last + 1)]
