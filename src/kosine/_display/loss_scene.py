"""What a picture of losses over learning rates shows, whatever draws it: of a range test, or of a rehearsal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from kosine._display.labels import RateStyle
from kosine._display.range_test_text import SUGGESTIONS, sentence, style_of
from kosine._display.rehearsal_text import heading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._analysis.finder.range_test import RangeTest
    from kosine._analysis.rehearsal import Rehearsal

    _Vector = NDArray[np.float64]

_MOST_COLOURS = 6  # of seeds
_ROOM = 0.15  # above what matters, as a share of its height
_MOST_TIMES = 6  # as high as the better half of the peaks a picture of a rehearsal is


class Series(NamedTuple):
    """Losses over rates, which ascend.

    Attributes:
        rates: the places.
        losses: one for each.
        name: what the legend calls it; "" where another series has the name.
        kind: a line that matters, the pale one of what was measured, or dots.
        colour: the number of its colour.
    """

    rates: _Vector
    losses: _Vector
    name: str
    kind: Literal["line", "pale", "dots"]
    colour: int


class Spread(NamedTuple):
    """A row below the losses: a rate, and between which rates it lies."""

    name: str
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class LossScene:
    """One picture.

    Attributes:
        series: the losses.
        rates: the ends of the axis of the rates, which is logarithmic.
        losses: the ends of the other axis; what lies outside is cut.
        band: the rates that are shaded; None for none.
        band_name: what they are.
        spreads: rows below the losses.
        off: rates at which every loss is infinite, marked at the top.
        title: the sentence above.
        heading: what the picture shows, in few words.
        style: how rates are written, but for the ticks of the axis.
    """

    series: tuple[Series, ...]
    rates: tuple[float, float]
    losses: tuple[float, float]
    band: tuple[float, float] | None
    band_name: str
    spreads: tuple[Spread, ...]
    title: str
    heading: str
    style: RateStyle
    off: tuple[float, ...] = ()

    @property
    def tick_style(self) -> RateStyle:
        """How the ticks of the rates are written: on an axis of many powers of ten, all of them as powers."""
        return RateStyle.of(self.rates[1], self.rates[0])

    @property
    def described(self) -> str:
        """What it shows, for who cannot see it."""
        return f"{self.heading}: {self.title}"


def range_test_scene(test: RangeTest) -> LossScene:
    """The losses of each seed, raw and smoothed; below them the suggestions, with their spread over the seeds."""
    known = ((name, getattr(test, name)) for name in SUGGESTIONS)
    last = max(1, *(losses.size for losses in test.losses)) - 1
    return LossScene(
        tuple(each for each in _of_seeds(test) if each.rates.size),
        (float(test.rates[0]), float(test.rates[last])) if last else (float(test.rates[0]), float(test.rates[-1])),
        _until_lowest(test),
        None if test.trouble else test.bracket,
        "bracket",
        tuple(Spread(name, found.rate, found.low, found.high) for name, found in known if found is not None),
        sentence(test),
        "Range test",
        style_of(test),
    )


def rehearsal_scene(rehearsal: Rehearsal) -> LossScene:
    """The loss of each run and the mean at each peak; below them where the best peak lies, here and in a full run."""
    rows = rehearsal.rows
    runs = np.array([(row.peak, loss) for row in rows for loss in row.losses if math.isfinite(loss)])
    means = np.array([(row.peak, row.mean) for row in rows if math.isfinite(row.mean)])
    near = rehearsal.within_noise
    spreads = [Spread(f"{rehearsal.short.total_steps:,} steps", rehearsal.best, near[0], near[-1])]
    if rehearsal.scale < 1:
        spreads.append(Spread(f"{rehearsal.plan.total_steps:,} steps", rehearsal.full_best, *rehearsal.peak))
    ends = [row.peak for row in rows] + [rate for spread in spreads for rate in (spread.low, spread.high)]
    return LossScene(
        (
            Series(runs[:, 0], runs[:, 1], "a seed", "dots", 0),
            Series(means[:, 0], means[:, 1], "mean", "line", 0),
        ),
        (min(ends) / 1.15, max(ends) * 1.15),
        _of_the_better_half(means[:, 1], runs[:, 1]),
        (near[0], near[-1]) if len(near) > 1 else None,
        "within noise",
        tuple(spreads),
        heading(rehearsal),
        "Rehearsal",
        RateStyle.of(rehearsal.rows[-1].peak),
        tuple(row.peak for row in rows if not math.isfinite(row.mean)),
    )


def _of_seeds(test: RangeTest) -> Iterator[Series]:
    """The losses of each seed, then the curves; each seed has a colour and a name, unless there are many."""
    few = len(test.losses) <= _MOST_COLOURS
    for seed, losses in enumerate(test.losses):
        name = "" if seed else "single batches"
        yield Series(test.rates[: losses.size], losses, name, "pale", seed if few else 0)
    for seed, curve in enumerate(test.smoothed):
        name = f"seed {seed}" if few else "" if seed else f"{len(test.losses)} seeds, smoothed"
        yield Series(test.rates[: curve.size], curve, name, "line", seed if few else 0)


def _until_lowest(test: RangeTest) -> tuple[float, float]:
    """From the lowest to the highest loss of the fall of each seed: what explodes after it is cut."""
    falls = [
        losses[: max(int(np.argmin(curve)) + 1, test.rates.size // 10)]
        for losses, curve in zip(test.losses, test.smoothed, strict=True)
        if losses.size
    ]
    return _with_room(np.concatenate(falls)) if falls else (0.0, 1.0)


def _of_the_better_half(means: _Vector, losses: _Vector) -> tuple[float, float]:
    better = np.sort(means)[: (len(means) + 1) // 2]
    lowest = float(losses.min())
    most = lowest + _MOST_TIMES * (float(better[-1]) - lowest)
    return _with_room(losses[losses <= most] if most > lowest else losses)


def _with_room(losses: _Vector) -> tuple[float, float]:
    low, high = float(losses.min()), float(losses.max())
    height = high - low or abs(high) or 1.0
    return low - _ROOM / 3 * height, high + _ROOM * height
