"""One style for every rate of a picture: all as decimals, or all as 7.5e-4."""

from __future__ import annotations

import re

import pytest
from matplotlib.axes import Axes

import kosine as ks
from kosine._display.figure import figure_of
from kosine._display.labels import RateStyle
from kosine._display.terminal import Screen, draw


@pytest.mark.parametrize(
    ("style", "value", "text"),
    [
        (RateStyle(False), 0.00025, "0.00025"),
        (RateStyle(False), 8.07e-9, "8.07e-9"),  # decimals of a readable length show nothing of it
        (RateStyle(False), 100.0, "100"),
        (RateStyle(True), 100.0, "1e2"),
        (RateStyle(True), 0.0, "0"),
        (RateStyle(True), -2.5e-5, "-2.5e-5"),
        (RateStyle(True), 8.2773161231e-5, "8.27732e-5"),
        (RateStyle(False), 0.1 + 0.2, "0.3"),
    ],
)
def test_rates_are_written_in_the_style_of_their_picture(style: RateStyle, value: float, text: str) -> None:
    assert style(value) == text


@pytest.mark.parametrize(
    ("peak", "finest", "scientific"),
    [
        (1e-3, 0.0, False),
        (9e-4, 0.0, True),
        (1e-3, 9e-4, False),
        (0.1, 1e-6, True),
        (1e5, 0.0, True),
        (0.0, 0.0, False),
    ],
)
def test_finest_axis_decides_for_all(peak: float, finest: float, scientific: bool) -> None:
    assert RateStyle.of(peak, finest).scientific is scientific


def ticks(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels() if label.get_text() != "0"]


@pytest.mark.parametrize("peak", [1e-3, 9e-4, 0.1])
@pytest.mark.parametrize("apart", [0.9, 1e-5])
def test_all_ticks_of_a_comparison_have_one_style(peak: float, apart: float) -> None:
    plans = [ks.warmup_cosine(peak=peak * factor, warmup=10).plan(total_steps=100) for factor in (1.0, 1.0 - apart)]
    comparison = ks.compare(*plans)
    figure = figure_of(comparison)
    figure.draw_without_rendering()
    drawn = [text for axes in figure.axes[:2] for text in ticks(axes)]
    typed = re.findall(r"^ *(-?[\d.]+(?:e-?\d+)?)[┤+]", draw(comparison, Screen(80)), re.MULTILINE)
    for texts in (drawn, [text for text in typed if text != "0"]):
        assert len(texts) > 4
        assert len({"e" in text for text in texts}) == 1
