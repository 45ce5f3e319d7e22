"""A plan's curve as text. Colours and fine marks only where the output can take them."""

from __future__ import annotations

import math
import os
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kosine.errors import MissingPackageError
from kosine.plotting.labels import rate_text, step_text
from kosine.sampling import length, restarts, trace

if TYPE_CHECKING:
    from kosine.plan import Plan

_PLAIN = str.maketrans("┌┐└┘┤├┬┴┼─│", "+" * 9 + "-|")


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


def draw(plan: Plan, screen: Screen, height: int = 18) -> str:
    """The curve of a plan as lines of text, no wider than the screen; cycles are numbered above their restarts.

    Raises:
        PlanError: a plan without a length.
        MissingPackageError: plotext is not installed.
    """
    try:
        import plotext
    except ImportError as error:
        raise MissingPackageError("Drawing in the terminal needs plotext: pip install 'kosine[cli]'") from error

    total = length(plan)
    width = min(max(screen.width, 40), 120)
    columns = width - 10
    steps, rates = trace(plan, 8 * columns)  # enough to leave no gap between cycles that are too many to tell apart
    peak = float(rates.max())

    plotext.terminal.limit(False, False)  # else a small window, or the lack of one, cuts the curve
    figure = plotext.figure
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(width, height)
    pixel = "blue+" if screen.colour else "default"
    curve = figure.signal(
        steps.tolist(), rates.tolist(), marker=plotext.marker("braille" if screen.unicode else "*", pixel)
    )
    figure.draw(curve.lines())

    x_ticks = nice_ticks(total, columns // 12, whole=True)
    figure.ruler("x").lim(0, total).ticks(x_ticks, [step_text(tick) for tick in x_ticks])
    y_ticks = nice_ticks(peak or 1.0, 5)
    figure.ruler("y").lim(0, peak or 1.0).ticks(y_ticks, [rate_text(tick, peak) for tick in y_ticks])
    labels = _cycle_labels(plan, total, columns)
    if labels:
        figure.ruler("x", "upper").lim(0, total).ticks(list(labels), list(labels.values()))
    text = figure.build().string(colorless=not screen.colour)
    if not screen.unicode:
        text = text.translate(_PLAIN)
    return "\n".join(line.rstrip() for line in text.splitlines())


def _cycle_labels(plan: Plan, total: int, columns: int) -> dict[int, str]:
    """The numbers of the cycles, as in the table, at the restarts where there is room for them."""
    labels: dict[int, str] = {}
    free = 0
    for step in restarts(plan):
        column = step * columns // total
        cycle = plan.phase_at(step).cycle
        if column >= free and cycle is not None:
            labels[step] = f"#{cycle + 1}"
            free = column + len(labels[step]) + 1
    return labels


def nice_ticks(highest: float, about: int, *, whole: bool = False) -> list[float]:
    """Round numbers from 0 up to `highest`, about so many of them; whole ones only if `whole`."""
    raw = max(highest / max(about, 1), 1.0 if whole else 0.0)
    power = 10.0 ** math.floor(math.log10(raw))
    factors = [factor for factor in (1, 2, 2.5, 5, 10) if not whole or (factor * power).is_integer()]
    step = next(factor * power for factor in factors if factor * power >= raw * 0.999)
    return [index * step for index in range(math.floor(highest / step * (1 + 1e-9)) + 1)]
