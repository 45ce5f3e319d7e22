"""Range tests and rehearsals as texts and pictures: the same rates in each, and what explodes does not flatten them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

import kosine as ks
from kosine._display.loss_figure import figure_of
from kosine._display.loss_scene import range_test_scene, rehearsal_scene
from kosine._display.range_test_text import peaks_within
from kosine._display.terminal import Screen, draw
from tests.support.chromium import MISSING, browser, executable

mpl.use("Agg")

RATES = np.geomspace(1e-7, 10, 100)


def losses(seed: int) -> np.ndarray:
    """A fall from 1e-4 on, and an explosion above 0.5."""
    fall = 2.3 - 1.8 * np.clip(np.log10(RATES / 1e-4) / 3, 0, 1) + 1e5 * np.maximum(RATES - 0.5, 0) ** 2
    return np.asarray(fall + np.random.default_rng(seed).normal(0, 0.05, RATES.size))[:90]


TEST = ks.RangeTest(RATES, [losses(seed) for seed in range(3)])
EMPTY = ks.RangeTest(RATES, [[]], ["not finite"])
FINITE = {0.02: 0.3, 0.05: 0.1, 0.1: 0.11, 0.2: 50.0, 0.5: math.nan}
REHEARSAL = ks.rehearse(
    lambda seed: seed,
    lambda seed, plan: FINITE[float(f"{plan(np.arange(200)).max():.3g}")] + 0.02 * seed,
    ks.warmup_cosine(peak=0.1, warmup=100).plan(total_steps=1000),
    list(FINITE),
    verbose=False,
)


def test_the_text_says_what_to_do_next() -> None:
    words, low, high = " ".join(str(TEST).split()), *TEST.bracket
    assert words.startswith(f"Between {low:.2g} and {high:.2g}: 3 seeds put the valley at ")
    peaks = peaks_within(low, high)
    assert f"Next: `ks.rehearse` at {', '.join(f'{peak:g}' for peak in peaks)}." in words
    assert all(low <= peak <= high for peak in peaks)
    assert [line.split()[0] for line in str(TEST).split("\n\n")[1].splitlines()[1:]] == [
        *("valley", "slide", "steepest", "minimum")
    ]
    assert str(TEST).count("diverged") == 3


def test_the_text_of_a_test_without_a_bracket_says_why() -> None:
    assert str(EMPTY).startswith("No bracket. The losses end too early")
    assert str(EMPTY).count("none") == 4


@pytest.mark.parametrize(
    ("low", "high", "peaks"),
    [(0.004, 0.15, [0.01, 0.02, 0.05]), (0.011, 0.019, [0.011, 0.014, 0.019]), (0.3, 4, [0.5, 1, 2])],
)
def test_peaks_to_rehearse_are_round_and_inside(low: float, high: float, peaks: list[float]) -> None:
    assert peaks_within(low, high) == peaks


def test_the_picture_of_a_range_test_cuts_the_explosion() -> None:
    assert TEST.losses[0].max() > 1000
    upper, lower = figure_of(TEST).axes
    assert upper.get_ylim()[1] < 4
    assert upper.get_xscale() == "log"
    assert [label.get_text() for label in lower.get_yticklabels()] == ["valley", "slide", "steepest", "minimum"]
    drawn = [np.asarray(line.get_ydata()).tolist() for line in upper.get_lines()]
    for curve in (*TEST.losses, *TEST.smoothed):
        assert curve.tolist() in drawn
    assert range_test_scene(TEST).band == TEST.bracket


def test_the_picture_of_a_rehearsal_keeps_the_better_peaks_apart() -> None:
    scene = rehearsal_scene(REHEARSAL)
    assert scene.off == (0.5,)
    assert scene.losses[1] < 1
    assert {spread.name: spread.rate for spread in scene.spreads} == {
        "200 steps": REHEARSAL.best,
        "1,000 steps": REHEARSAL.full_best,
    }
    assert scene.band == (REHEARSAL.within_noise[0], REHEARSAL.within_noise[-1])


@pytest.mark.parametrize("result", [TEST, EMPTY, REHEARSAL], ids=["test", "empty", "rehearsal"])
def test_files_and_notebooks_show_the_text_and_a_picture(result: Any, tmp_path: Path) -> None:
    for ending in ("png", "svg", "html"):
        result.save(tmp_path / f"a.{ending}")
        assert (tmp_path / f"a.{ending}").stat().st_size > 1000
    assert "<img" in result._repr_html_()
    axes = mpl.figure.Figure().subplots()
    assert result.plot(axes) is axes
    assert axes.get_ylabel() == "loss"


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("result", [TEST, REHEARSAL], ids=["test", "rehearsal"])
def test_a_terminal_shows_them_no_wider_than_it_is(result: Any, width: int) -> None:
    lines = draw(result, Screen(width, unicode=False)).splitlines()
    assert max(map(len, lines)) <= width
    assert lines[-1].startswith("rate")
    assert any("o" in line for line in lines[5:])


def test_a_test_without_a_loss_has_no_lines() -> None:
    assert draw(EMPTY, Screen()) == "No loss to draw."


def test_pages_work_in_a_browser(tmp_path: Path) -> None:
    if executable() is None:
        pytest.skip(MISSING)
    with browser() as opened:
        for result, width in ((TEST, 1100), (REHEARSAL, 420)):
            result.save(tmp_path / "a.html")
            page = opened.new_context(viewport={"width": width, "height": 800}, offline=True).new_page()
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text))  # noqa: B023  # used at once
            page.on("pageerror", lambda error: complaints.append(str(error)))  # noqa: B023
            page.goto((tmp_path / "a.html").as_uri())
            page.wait_for_selector("#picture .scatterlayer path.js-line")
            before = page.evaluate("picture.layout.xaxis.range")
            page.evaluate("Plotly.relayout(picture, {'xaxis.range': [-2, -1]})")
            page.click("#whole")
            page.wait_for_function("picture.layout.xaxis.range[0] !== -2")
            assert page.evaluate("picture.layout.xaxis.range") == before
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert complaints == []
