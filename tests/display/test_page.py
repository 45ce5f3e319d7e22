"""The pages as files: whole, safe, and with the plan's own numbers; `test_page_in_browser` looks at them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import kosine as ks
from kosine._display import page
from kosine._display.page import page_of
from kosine.errors import ArgumentError, MissingPackageError

RUN = {"epochs": 50, "steps_per_epoch": 788}
PLAN = ks.warmup_cosine(peak=1e-4, warmup="10ep", warmup_start=4e-6, hold=5).plan(**RUN)
HOSTILE = '</script><script>alert(1)</script>\' onload="x" <!-- & \x00\ud800'


class Elements(HTMLParser):
    """The elements of a page with their attributes and their text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        if self.found:
            tag, attributes, text = self.found[-1]
            self.found[-1] = (tag, attributes, text + data)

    def texts(self, tag: str) -> list[str]:
        return [text.strip() for name, _, text in self.found if name == tag]


def drawn(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data = json.loads(found[1])
    assert isinstance(data, dict)
    return data


def test_page_is_one_whole_document() -> None:
    text = page_of(PLAN, "A title")
    assert text.startswith('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">')
    assert text.endswith("</html>\n")
    elements = Elements(text)
    assert elements.texts("title") == elements.texts("h1") == ["A title"]
    assert not [tag for tag, attributes, _ in elements.found if {"src", "href"} & attributes.keys()]
    assert len(text) < 5.6e6


def test_page_lets_only_its_own_scripts_run_and_asks_for_nothing() -> None:
    text = page_of(PLAN, "A title")
    policy = next(
        str(attributes["content"])
        for tag, attributes, _ in Elements(text).found
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == 2
    for script in scripts:
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy
    assert not re.search("unsafe-eval|http|connect-src", policy)


def test_numbers_of_a_page_are_the_plans() -> None:
    data = drawn(page_of(PLAN, "A title", points=[7880, 0]))
    steps = np.array(data["steps"])
    assert (steps[0], steps[-1]) == (0, 39_399)
    assert 10_000 < steps.size <= 40_000
    assert data["curves"][0]["rates"] == PLAN(steps).tolist()
    assert (data["total"], data["per_epoch"], data["peak"]) == (39_400, 788, 1e-4)
    assert [(point["step"], point["rate"]) for point in data["points"]] == [(0, 4e-6), (7880, 1e-4)]
    assert [(band["first_step"], band["stop"], band["label"]) for band in data["bands"]] == [
        (0, 7880, "warm-up"),
        (7880, 7885, "hold"),
        (7885, 39_400, "cosine"),
    ]


def test_key_uses_the_words_of_the_bands() -> None:
    plan = ks.Schedule(
        ks.linear(100, start=0.0, to=1.0),
        ks.cosine(200, to=0.1),
        ks.linear(100, to=0.5),
        ks.polynomial(100, to=0.0, power=2),
    ).plan()
    data = drawn(page_of(plan, "words"))
    assert [band["label"] for band in data["bands"]] == ["warm-up", "cosine", "linear", "polynomial"]
    key = re.search(r'<ul class="key">(.*?)</ul>', page_of(plan, "words", log=True))
    assert key is not None
    assert Elements(key[1]).texts("path")[-1:] == ["below the axis"]
    assert re.sub("<[^>]*>", " ", key[1]).split() == [
        "warm-up",
        "cosine,",
        "polynomial",
        "linear",
        "below",
        "the",
        "axis",
    ]


def test_page_knows_where_the_curve_leaves_a_logarithmic_axis() -> None:
    data = drawn(page_of(ks.warmup_cosine(peak=1e-4, warmup=100).plan(total_steps=1000), "below"))
    assert (data["lowest"], data["leaves"][0], len(data["leaves"])) == (pytest.approx(1e-8), 0, 2)
    assert drawn(page_of(ks.constant(0.0).plan(total_steps=10), "zeros"))["leaves"] == []


def test_steps_beyond_the_whole_numbers_of_javascript_are_texts() -> None:
    data = drawn(page_of(ks.warmup_cosine(peak=0.1).plan(total_steps=2**63 - 1), "long"))
    assert data["steps"][-1] == str(2**63 - 2)


def test_restarts_and_tables() -> None:
    plan = ks.sgdr(peak=0.05, period="10ep", stretch=2).plan(epochs=70, steps_per_epoch=100)
    text = page_of(plan, "cycles")
    assert drawn(text)["restarts"] == [1000, 3000]
    cells = Elements(text).texts("td")
    assert cells[:6] == ["cosine  #1", "0", "1,000", "10", "0.05", "0"]
    totals = dict(zip(Elements(text).texts("th")[6:], cells[-5:], strict=True))
    assert totals == {
        "steps": "7,000",
        "epochs": "70",
        "area under the curve": f"{plan(np.arange(7000)).sum():.6g}",
        "mean rate / peak": f"{plan(np.arange(7000)).mean() / 0.05:.4f}",
        "steps above half the peak": f"{(plan(np.arange(7000)) > 0.025).mean():.2%}",
    }


def test_text_of_users_is_escaped_everywhere() -> None:
    for text in (
        page_of(PLAN, HOSTILE),
        page_of(ks.compare(PLAN, ks.constant(0.1).plan(**RUN), names=[HOSTILE, "B"]), HOSTILE),
    ):
        assert "alert(1)</script>" not in text
        text.encode()
        elements = Elements(text)
        assert len([tag for tag, _, _ in elements.found if tag == "script"]) == 3
        assert not [tag for tag, attributes, _ in elements.found if "onload" in attributes]
        assert elements.texts("h1") == [HOSTILE[:-3] + HOSTILE[-3:].replace("\x00", "").replace("\ud800", "").strip()]


def test_cycles_that_are_left_out_are_owned_up_to() -> None:
    many = ks.sgdr(peak=0.05, period=10_000).plan(total_steps=10**9)
    assert "Of 100,000 cycles some are drawn" in page_of(many, "many")
    assert "cycles some are drawn" not in page_of(PLAN, "few")


def test_rates_of_zero_have_no_button_for_a_logarithmic_axis() -> None:
    plan = ks.constant(0.0).plan(total_steps=10)
    assert "data-scale" in page_of(PLAN, "rates")
    assert 'data-scale="log"' not in page_of(plan, "zeros").split("<script")[0]
    with pytest.raises(ks.PlanError, match="logarithmic axis"):
        page_of(plan, "zeros", log=True)


def test_points_outside_the_run_are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"0 to 39,399\. Received: points=39400"):
        page_of(PLAN, "A title", points=[39_400])


def test_comparison_has_all_curves_and_the_table() -> None:
    other = ks.constant(5e-5).plan(**RUN)
    comparison = ks.compare(PLAN, other, names=["ours", "a < b"])
    text = page_of(comparison, "Two")
    data = drawn(text)
    steps = np.array(data["steps"])
    assert [curve["name"] for curve in data["curves"]] == ["A  ours", "B  a < b"]
    assert [curve["rates"] for curve in data["curves"]] == [plan(steps).tolist() for plan in (PLAN, other)]
    assert len({(curve["colour"], curve["dash"]) for curve in data["curves"]}) == 2
    assert Elements(text).texts("pre") == [str(comparison).strip()]


def test_missing_plotly_is_an_import_error_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    page._plotly.cache_clear()
    with pytest.raises(MissingPackageError, match=r"plotly\..* pip install '\.\[plot\]'"):
        page_of(PLAN, "A title")


def test_page_needs_no_matplotlib() -> None:
    code = (
        "import sys, kosine as ks; from kosine._display.page import page_of; "
        "page_of(ks.constant(0.1).plan(total_steps=9), 'x'); sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
