"""A range test as text: what to do next, and the numbers that it rests on."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from kosine._core.plain_text import aligned
from kosine._display.labels import RateStyle

if TYPE_CHECKING:
    from kosine._analysis.finder.range_test import RangeTest, Suggestion

_WIDTH = 78  # characters of a line
_MOST_SEEDS = 12  # with a line of their own
_TO_REHEARSE = 3
_ROUND = (1, 2, 5)
SUGGESTIONS = ("valley", "slide", "steepest", "minimum")


def range_test_text(test: RangeTest) -> str:
    """The sentences, the suggestions with their spread, and how each seed ended."""
    return "\n".join([*textwrap.wrap(sentence(test), _WIDTH), "", *_suggestions(test), "", *_seeds(test)])


def sentence(test: RangeTest) -> str:
    """Where the best peak is to be looked for, and by which peaks; or why the test does not show it."""
    trouble = test.trouble
    if trouble is not None:
        return f"No bracket. {trouble.problem} {trouble.fix}"
    low, high = test.bracket
    style = style_of(test)
    said = [f"Between {style(low, 2)} and {style(high, 2)}: {_seeds_put(test)}."]
    if test.still_falls:
        further = style(float(test.rates[-1]) * 10, 2)
        said.append(f"The loss still falls at the highest rates, so look further up as well: high={further}.")
    peaks = ", ".join(style(peak, 2) for peak in peaks_within(low, high))
    return " ".join([*said, f"Next: `ks.rehearse` at {peaks}."])


def _seeds_put(test: RangeTest) -> str:
    valley, minimum = test.valley, test.minimum
    assert valley is not None
    assert minimum is not None
    if len(test.losses) == 1:
        return "one seed, so the spread is open"
    places = (f"the {name} at {_range(test, found)}" for name, found in (("valley", valley), ("minimum", minimum)))
    return f"{len(test.losses)} seeds put {' and '.join(places)}"


def _range(test: RangeTest, found: Suggestion) -> str:
    low, high = (style_of(test)(rate, 2) for rate in (found.low, found.high))
    return low if low == high else f"{low} to {high}"


def peaks_within(low: float, high: float) -> list[float]:
    """The three middle ones of the numbers 1, 2, 5, 10, ... in a bracket; in a narrow one, three at equal ratios."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    inside = [peak for power in powers for first in _ROUND if low <= (peak := float(f"{first}e{power}")) <= high]
    if len(inside) < _TO_REHEARSE:
        return [float(f"{peak:.2g}") for peak in np.geomspace(low, high, _TO_REHEARSE)]
    begin = (len(inside) - _TO_REHEARSE + 1) // 2
    return inside[begin : begin + _TO_REHEARSE]


def _suggestions(test: RangeTest) -> list[str]:
    several = len(test.losses) > 1
    lines = [["", "rate", *(["lowest seed", "highest seed"] if several else [])]]
    for name in SUGGESTIONS:
        found: Suggestion | None = getattr(test, name)
        rates = () if found is None else found[: 3 if several else 1]
        written = [style_of(test)(float(rate), 2) for rate in rates]  # type: ignore[arg-type]  # the first three are
        lines.append([name, *(written or ["none"] + [""] * (len(lines[0]) - 2))])
    return aligned(lines)


def _seeds(test: RangeTest) -> list[str]:
    lines = [["seed", "losses", "up to rate", "end"]]
    for seed, (losses, end) in enumerate(zip(test.losses, test.ends, strict=True)):
        last = style_of(test)(float(test.rates[losses.size - 1]), 2) if losses.size else ""
        lines.append([str(seed), f"{losses.size:,}", last, end])
    if len(lines) > _MOST_SEEDS + 1:
        left = len(lines) - _MOST_SEEDS
        lines = [*lines[:_MOST_SEEDS], [f"... {left} more", "", "", ""]]
    return aligned(lines, left=(0, 3))


def style_of(test: RangeTest) -> RateStyle:
    """How its rates are written: those of the part that matters decide."""
    known = [found.rate for name in ("valley", "minimum") if (found := getattr(test, name)) is not None]
    return RateStyle.of(max(known, default=float(test.rates[-1])))
