"""Losses over learning rates as text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kosine._core.views import view
from kosine._display.loss_scene import LossScene, Series
from kosine._display.terminal import COLOURS, FINE, Curve, Screen, painted, picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._display.labels import RateStyle

_ROWS = 15
_LABEL = 7  # columns of a power of ten, with the space around it
_SIGNS = "o*x+#@"


class _Rates(NamedTuple):
    """A logarithmic axis."""

    low: float
    high: float
    style: RateStyle

    @property
    def unit(self) -> str:
        return "rate"

    def share(self, rates: NDArray[np.float64] | float) -> NDArray[np.float64]:
        return np.asarray(np.log(np.asarray(rates) / self.low) / math.log(self.high / self.low))

    def place(self, rate: float) -> int:
        return round(float(self.share(min(max(rate, self.low), self.high))) * (FINE - 1))

    def ticks(self, width: int) -> dict[int, str]:
        """Powers of ten by their columns; on a short axis, their doubles and halves too."""
        every = (1,) if self.high > 100 * self.low else (1, 2, 5)
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        powers = range(first, last + 1, math.ceil((last - first) * _LABEL / width))
        rates = [float(f"{first}e{power}") for power in powers for first in every]
        inside = [rate for rate in rates if self.low <= rate <= self.high]
        return {round(float(self.share(rate)) * (width - 1)): self.style(rate, 2) for rate in inside}


def draw(result: object, screen: Screen) -> str:
    """The curves of a range test or the means of a rehearsal, with the two rates that matter named on top."""
    scene: LossScene = view(result, "scene")
    axis = _Rates(*scene.rates, scene.tick_style)
    lines = [series for series in scene.series if series.kind == "line"]
    if not lines:
        return "No loss to draw."
    curves = [_curve(scene, axis, series) for series in lines]
    named = [
        painted(f"  {curve.mark}  {series.name}", curve.colour, screen)
        for series, curve in zip(lines, curves, strict=True)
        if series.name and len(lines) > 1
    ]
    ends = sorted((scene.spreads[0], scene.spreads[-1]), key=lambda each: each.rate) if scene.spreads else []
    names = {axis.place(each.rate): each.name for each in ends}
    shown = np.concatenate([curve.values for curve in curves])
    limits = (float(shown.min()), float(shown.max()))
    return "\n".join([*named, picture(curves, FINE, screen, _ROWS, None, names, axis, limits=limits)])


def _curve(scene: LossScene, axis: _Rates, series: Series) -> Curve:
    """A line of the picture; where it leaves it for good, it ends at its edge."""
    low, high = scene.losses
    outside = np.flatnonzero((series.losses > high) | (series.losses < low))
    stop = series.losses.size if not outside.size or outside[-1] + 1 < series.losses.size else _leaves(outside) + 1
    losses = np.clip(series.losses[:stop], low, high)
    steps = np.rint(axis.share(series.rates[:stop]) * (FINE - 1)).astype(np.int64)
    return Curve(steps, losses, _SIGNS[series.colour], COLOURS[series.colour])


def _leaves(outside: NDArray[np.int64]) -> int:
    """The first of the consecutive places at the end."""
    return int(outside[np.flatnonzero(outside - np.arange(outside.size) == outside[-1] - outside.size + 1)[0]])
