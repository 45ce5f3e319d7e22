"""A prediction as a table, as text, as a picture and as a page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import kosine as ks
from kosine._display.prediction_view import prediction_scene
from kosine._display.terminal import Screen, draw
from tests.support.chromium import MISSING, browser, executable
from tests.support.law_runs import COSINE, LINE, WSD, Law

PAST = [Law().run(WSD.plan(total_steps=6000)), Law().run(LINE.plan(total_steps=8000), every=100)]
PLANS = [WSD.plan(total_steps=12_000), COSINE.plan(total_steps=12_000)]
ONE = ks.predict(PAST[0], PLANS[1])
TWO = ks.predict(PAST, *PLANS, names=["a $name$ & <b>", "cosine"])


@pytest.mark.parametrize("found", [ONE, TWO], ids=["one", "two"])
def test_the_table(found: ks.Prediction) -> None:
    table, remarks = str(found).split("\n\n")
    assert max(map(len, str(found).splitlines())) <= 80
    lines = table.splitlines()
    assert len(lines) == 1 + len(found.rows)
    for line, row in zip(lines[1:], found.rows, strict=True):
        assert line.startswith(row.mark)
        assert f"{row.loss:.4f}" in line
        assert f"{row.low:.4f} to {row.high:.4f}" in line
    assert ("above the best" in table) == (len(found.rows) > 1)
    assert "Tested on public runs only" in remarks
    assert "12,000" in table


@pytest.mark.parametrize("width", [40, 60, 100])
@pytest.mark.parametrize("found", [ONE, TWO], ids=["one", "two"])
def test_a_terminal_shows_past_losses_and_predicted_ones(found: ks.Prediction, width: int) -> None:
    lines = found.draw(width).splitlines()
    assert max(map(len, lines)) <= width
    frame = "".join(line for line in lines if "│" in line)
    for mark in (".", *(row.mark for row in found.rows), *("-" if len(found.rows) == 1 else "")):
        assert mark in frame
    assert "\x1b[38;5;" in draw(found, Screen(width, colour=True))


def test_the_scene_ends_where_the_longest_plan_does() -> None:
    scene = prediction_scene(TWO)
    assert scene.steps == 12_000
    assert [plan.mark for plan in scene.plans] == ["A", "B"]
    for plan in scene.plans:
        assert scene.losses[0] < plan.lows[-1] < plan.curve[-1] < plan.highs[-1] < scene.losses[1]
    for past in scene.past:
        assert np.isfinite(past.fitted).all()
        assert np.abs(past.fitted[-1] - past.losses[-1]) < 0.01


def test_the_picture_has_the_runs_their_fit_and_the_plans(tmp_path: Path) -> None:
    TWO.save(tmp_path / "losses.svg")
    svg = (tmp_path / "losses.svg").read_text(encoding="utf-8")
    for text in ("2 past runs", "their fit", "A: a $name$ &amp; &lt;b&gt;", "B: cosine", "step", "loss", "Of 2 plans"):
        assert text in svg
    ONE.save(tmp_path / "losses.png", title="of my own")
    assert (tmp_path / "losses.png").read_bytes().startswith(b"\x89PNG")
    axes = TWO.plot()
    assert axes.get_xlim() == (0, 12_000)
    labels = [text.get_text() for text in axes.get_legend().get_texts()]  # type: ignore[union-attr]
    assert labels[:2] == ["2 past runs", "their fit"]


def test_the_page_has_the_curves_and_the_table(tmp_path: Path) -> None:
    TWO.save(tmp_path / "losses.html")
    page = (tmp_path / "losses.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert found is not None
    data = json.loads(found[1])
    row = next(row for row in TWO.rows if row.mark == "A")
    assert data["plans"][0]["curve"] == row.curve.tolist()
    assert len(data["past"]) == 2
    assert f"{row.loss:.4f}" in page


def test_a_log_of_many_losses_is_drawn_from_some_of_them() -> None:
    plan = WSD.plan(total_steps=100_000)
    steps = np.arange(1, 100_001)
    losses = ks.Losses(steps, 2.7 + 9 / np.sqrt(steps + 100) + 60 * plan(steps), kind="training")
    found = ks.predict((losses, plan), plan)
    assert found.fitted[0].size == 100_000
    (past,) = prediction_scene(found).past
    assert past.steps.size == past.losses.size == past.fitted.size <= 402
    assert past.steps[-1] == 100_000


def test_a_notebook_shows_the_picture_and_the_table() -> None:
    html = TWO._repr_html_()
    assert "data:image/svg+xml" in html
    assert f"{TWO.loss:.4f}" in html


def test_the_page_works_in_a_browser(tmp_path: Path) -> None:
    if executable() is None:
        pytest.skip(MISSING)
    TWO.save(tmp_path / "losses.html")
    with browser() as opened:
        page = opened.new_context(viewport={"width": 420, "height": 800}, offline=True).new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((tmp_path / "losses.html").as_uri())
        page.wait_for_selector("#picture .scatterlayer path.js-line")
        page.evaluate("Plotly.relayout(picture, {'xaxis.range': [100, 200]})")
        page.click("#whole")
        page.wait_for_function("picture.layout.xaxis.range[1] === 12000")
        assert page.evaluate("document.documentElement.scrollWidth") <= 420
        assert page.locator("#picture .legendtext").all_text_contents()[-2:] == ["A: a $name$ & <b>", "B: cosine"]
        assert complaints == []
