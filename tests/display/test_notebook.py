"""What notebooks show: the curve and the table of every valid schedule, plan and comparison, apart from the page."""

from __future__ import annotations

import base64
import html
import re
import subprocess
import sys
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import pytest
from hypothesis import HealthCheck, assume, given, settings

import kosine as ks
from kosine._display import notebook
from kosine._display.example_run import example
from tests.support.strategies import RUN, SMALL_RUN, compositions, recipes, small_schedules

mpl.use("Agg")

PLAN = ks.warmup_cosine(peak=1e-3, warmup="5ep", hold=5).plan(epochs=50, steps_per_epoch=100)
PLANS = {
    "warm-up, hold, cosine": PLAN,
    "restarts": ks.sgdr(peak=0.05, period="10ep", stretch=2).plan(epochs=70, steps_per_epoch=100),
    "1,000 cycles": ks.sgdr(peak=0.05, period=10).plan(total_steps=10_000),
    "100,000 shrinking cycles": ks.sgdr(peak=0.05, period=10_000, shrink=0.99999, floor=1e-6).plan(total_steps=10**9),
    "growing cycles": ks.sgdr(peak=0.05, period=1000, stretch=1.01, warmup=500).plan(total_steps=10**9),
    "a staircase": ks.step_decay(peak=0.1, every=7, factor=0.999).plan(total_steps=7000),
    "the longest": ks.warmup_cosine(peak=3e-4, warmup="1%").plan(total_steps=2**63 - 1),
    "one step": ks.constant(0.0).plan(total_steps=1),
    "20,000 phases": ks.Schedule(
        *(phase for _ in range(10_000) for phase in (ks.linear(5, start=0.0, to=0.1), ks.cosine(15, to=0.0)))
    ).plan(),
}
SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"


@cache
def svg_of(thing: ks.Plan | ks.Schedule) -> str:
    text = thing._repr_svg_()
    assert text is not None
    return text


def image_in(piece: str) -> str:
    (data,) = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]*)"', piece)
    return base64.b64decode(data).decode()


def cells(piece: str) -> list[list[str]]:
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", piece)
    return [[html.unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]


def words(piece: str) -> str:
    return html.unescape(re.sub(r"<[^>]*>", " ", piece))


# --- a plan -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLANS)
def test_the_piece_holds_the_curve_and_the_table_and_is_small(name: str) -> None:
    plan = PLANS[name]
    piece = plan._repr_html_()
    assert image_in(piece) == svg_of(plan)
    assert [re.split("  +", line.strip()) for line in str(plan).splitlines()] == [
        [part for cell in line if cell for part in cell.split("  ")] for line in cells(piece)
    ]
    assert len(cells(piece)) <= 26
    assert len(image_in(piece)) < 80_000


@pytest.mark.parametrize("name", PLANS)
def test_the_svg_is_one_element_whose_names_are_its_own(name: str) -> None:
    text = svg_of(PLANS[name])
    root = ElementTree.fromstring(text)
    assert text.startswith("<svg")
    assert root.tag == f"{SVG}svg"
    assert root.find(f".//{SVG}style") is None
    names = [str(each.get("id")) for each in root.iter() if each.get("id")]
    assert len(names) == len(set(names))
    used = {str(each.get(HREF))[1:] for each in root.iter() if each.get(HREF)} | set(
        re.findall(r"url\(#([^)]*)\)", text)
    )
    assert used <= set(names)


def test_several_pictures_on_a_page_share_no_names() -> None:
    names = [name for plan in PLANS.values() for name in re.findall(r'\bid="(.*?)"', svg_of(plan))]
    assert len(names) == len(set(names)) > 9 * 20


def test_the_same_plan_gives_the_same_text_again() -> None:
    again = ks.loads(ks.dumps(PLAN))
    assert isinstance(again, ks.Plan)
    assert again._repr_html_() == PLAN._repr_html_()


def test_the_curve_is_drawn_where_it_is() -> None:
    """The highest point of the line stands above the end of the warm-up, a tenth of the way."""
    root = ElementTree.fromstring(svg_of(ks.warmup_cosine(peak=1.0, warmup=100).plan(total_steps=1000)))
    pieces = [str(path.get("d")) for path in root.iter(f"{SVG}path") if "#0072b2" in str(path.get("style"))]
    points = [(float(x), float(y)) for piece in pieces for x, y in re.findall(r"[ML] (\S+) (\S+)", piece)]
    left, right = points[0][0], points[-1][0]
    top = min(points, key=lambda point: point[1])
    assert (top[0] - left) / (right - left) == pytest.approx(0.1, abs=0.01)


def test_the_picture_is_described_in_words_and_escaped() -> None:
    piece = PLAN._repr_html_()
    assert 'alt="Learning rate of Schedule(linear(&quot;5ep&quot;, start=0.0' in piece


def test_the_style_of_the_user_changes_nothing_and_is_left_alone() -> None:
    plain = PLAN._repr_html_()
    with mpl.rc_context({"text.color": "white", "axes.edgecolor": "white", "svg.fonttype": "none", "font.size": 30}):
        before = dict(mpl.rcParams)
        notebook._plan_svg.cache_clear()
        assert PLAN._repr_html_() == plain
        assert dict(mpl.rcParams) == before


def test_a_picture_that_is_asked_for_twice_is_drawn_once() -> None:
    notebook._plan_svg.cache_clear()
    plan, schedule = ks.loads(ks.dumps(PLAN)), ks.sgdr(peak=0.1, period=10)
    for thing in (PLAN, plan, schedule):
        assert image_in(thing._repr_html_()) == thing._repr_svg_()
    assert notebook._plan_svg.cache_info().misses == 2


def test_no_figure_is_registered_and_pyplot_is_not_loaded() -> None:
    code = (
        "import sys, kosine as ks\n"
        "plan = ks.constant(0.1).plan(total_steps=10)\n"
        "plan._repr_html_(), plan._repr_svg_(), ks.constant(0.1)._repr_html_()\n"
        "ks.compare(plan, plan)._repr_html_()\n"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_matplotlib_there_is_the_table_and_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    notebook._plan_svg.cache_clear()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for thing in (PLAN, ks.sgdr(peak=0.1, period=10)):
        piece = thing._repr_html_()
        assert "<img" not in piece
        assert "pip install '.[plot]'" in words(piece)
        assert cells(piece)[0][:2] == ["phase", "first step"]
        assert thing._repr_svg_() is None


def test_without_matplotlib_a_comparison_is_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = ks.compare(PLAN, PLAN)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert str(comparison) in words(comparison._repr_html_())
    assert "pip install '.[plot]'" in words(comparison._repr_html_())


@pytest.mark.parametrize(
    "name",
    [
        "_ipython_canary_method_should_not_exist_",
        "_ipython_display_",
        "_repr_mimebundle_",
        "_repr_png_",
        "_repr_latex_",
    ],
)
def test_what_else_a_notebook_asks_for_is_not_there(name: str) -> None:
    for thing in (PLAN, PLAN.schedule, ks.section(ks.hold(start=0.1))):
        with pytest.raises(AttributeError):
            getattr(thing, name)


# --- a comparison -----------------------------------------------------------------------------------------------


def test_a_comparison_shows_its_curves_and_its_table_escaped() -> None:
    comparison = ks.compare(PLAN, PLANS["restarts"], names=["mine & <b>bold</b>", "other"])
    piece = comparison._repr_html_()
    assert "<b>" not in piece
    assert str(comparison) in words(piece)
    assert "mine & <b>bold</b>" in words(piece)
    root = ElementTree.fromstring(image_in(piece))
    assert root.tag == f"{SVG}svg"


# --- a schedule that is not planned -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "run"),
    [
        (ks.warmup_cosine(peak=1e-3, warmup="10ep", hold=5), "a run of 50 epochs of 100 steps"),
        (ks.warmup_cosine(peak=1e-3, warmup="1ep"), "a run of 5 epochs of 100 steps"),
        (ks.warmup_cosine(peak=1e-3, warmup="0.001ep"), "a run of 1 epoch of 1,000 steps"),
        (ks.warmup_cosine(peak=1e-3, warmup=2000), "a run of 12,500 steps"),
        (ks.warmup_cosine(peak=1e-3, warmup="5%"), "a run of 2,500 steps"),
        (ks.wsd(peak=1e-3, warmup=300), "a run of 1,250 steps"),
        (ks.one_cycle(peak=1.0), "a run of 2,500 steps"),
        (ks.constant(0.1), "a run of 1,000 steps"),
        (ks.constant(0.0), "a run of 1,000 steps"),
        (ks.inverse_sqrt_decay(peak=1.0, warmup=4000), "a run of 69,600 steps"),
        (ks.sgdr(peak=0.1, period=10), "a run of 40 steps"),
        (ks.sgdr(peak=0.1, period="10ep", stretch=2), "a run of 150 epochs of 100 steps"),
        (ks.sgdr(peak=0.1, period=10, stretch=10), "a run of 1,110 steps"),
        (ks.sgdr(peak=0.1, period="10%"), "a run of 1,000 steps"),
        (ks.sgdr(peak=0.1, period=10, warmup=1000), "a run of 2,000 steps"),
        (ks.sgdr(peak=0.1, period=2**62), "a run of 9,223,372,036,854,775,807 steps"),
        (ks.step_decay(peak=0.1, every="30ep"), "a run of 120 epochs of 100 steps"),
        (
            ks.Schedule(ks.linear(2**62, start=0.0, to=1.0), ks.cosine(to=0.0)),
            "a run of 9,223,372,036,854,775,807 steps",
        ),
        (
            ks.Schedule(ks.section(ks.inverse_time(start=0.1, timescale=1), tick="1/3ep")),
            "a run of 2 epochs of 102 steps",
        ),
        (
            ks.Schedule(ks.section(ks.section(ks.hold(4, start=0.1), tick="1ep"), tick=3)),
            "epochs of 102 steps",
        ),
        (ks.Schedule(ks.cycles(ks.cosine(10, start=1.0, to=0.5), shrink=0.6)), "a run of 20 steps"),
        (ks.Schedule(ks.linear("5ep", start=0.0, to=1.0)), "epochs of 100 steps"),
        (ks.Schedule(ks.linear("3Mtok", start=0.0, to=1.0)), "1,000 tokens a step"),
        (ks.warmup_cosine(peak=1.0, warmup="30min"), "a run of 5,000 steps, 1 second a step"),
        (ks.warmup_cosine(peak=1.0, warmup="0.5s"), "a run of 5 steps, 0.5 seconds a step"),
        (ks.warmup_cosine(peak=1.0, warmup="2e6sp"), "a run of 12,500 steps, 1,000 samples a step"),
    ],
    ids=lambda value: repr(value)[:60] if isinstance(value, ks.Schedule) else None,
)
def test_the_run_that_was_chosen_shows_all_and_is_named(schedule: ks.Schedule, run: str) -> None:
    shown = example(schedule)
    assert shown.run == run
    assert shown.plan == schedule.plan(**asdict(shown.plan.run))


def test_a_schedule_is_drawn_for_that_run_and_says_so() -> None:
    schedule = ks.warmup_cosine(peak=1e-3, warmup="10ep", hold=5)
    plan = schedule.plan(epochs=50, steps_per_epoch=100)
    piece = schedule._repr_html_()
    assert "Drawn for a run of 50 epochs of 100 steps; plan it for yours." in words(piece)
    assert f"{schedule!r}" in words(piece)
    assert image_in(piece) == svg_of(plan) == svg_of(schedule)
    assert cells(piece) == cells(plan._repr_html_())


def test_a_schedule_with_a_length_of_its_own_is_drawn_for_that() -> None:
    schedule = ks.Schedule(ks.linear(10, start=0.0, to=1.0), ks.cosine(30, to=0.0))
    piece = schedule._repr_html_()
    assert "Drawn for" not in piece
    assert cells(piece)[-1] == ["total", "", "40", "", ""]


def test_a_plan_without_a_length_keeps_what_it_knows() -> None:
    plan = ks.sgdr(peak=0.1, period="2ep").plan(steps_per_epoch=7)
    assert plan.total_steps is None
    piece = plan._repr_html_()
    assert "Drawn for a run of 8 epochs of 7 steps; plan it for yours." in words(piece)
    assert image_in(piece) == svg_of(plan)


def test_where_no_run_fits_there_is_the_text_and_the_reason() -> None:
    schedule = ks.Schedule(ks.section(ks.linear(10, start=0.0, to=1.0), tick="5/2st"))
    piece = schedule._repr_html_()
    assert repr(schedule) in words(piece)
    assert "No run was found" in words(piece)
    assert "must last a whole number of steps" in words(piece)
    assert "<img" not in piece
    assert schedule._repr_svg_() is None


def test_a_long_text_form_is_cut() -> None:
    piece = PLANS["20,000 phases"].schedule._repr_html_()
    assert len(piece) < 120_000
    assert re.search(r"<code[^>]*>Schedule\(linear[^<]{900,}\.\.\.</code>", piece)


ANY = compositions() | recipes() | small_schedules()
QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large)


def can_be_planned(schedule: ks.Schedule, run: dict[str, Any]) -> bool:
    try:
        return bool(schedule.plan(**run))
    except ks.PlanError:
        return False


@given(ANY)
@settings(max_examples=200, deadline=None, suppress_health_check=QUIET)
def test_every_schedule_gets_a_run(schedule: ks.Schedule) -> None:
    assume(any(can_be_planned(schedule, run) for run in (RUN, SMALL_RUN)))
    try:
        shown = example(schedule)
    except ks.PlanError as error:  # part of a tick, beside tokens: whether it is a step hangs on how many a step has
        if "rounds to none" not in str(error):
            raise
        assume(False)
    assert shown.plan.total_steps is not None
    assert shown.plan == schedule.plan(**asdict(shown.plan.run))


@given(ANY)
@settings(max_examples=20, deadline=None, suppress_health_check=QUIET)
def test_no_schedule_fails_in_a_notebook(schedule: ks.Schedule) -> None:
    piece = schedule._repr_html_()
    assert schedule._repr_svg_() is None or image_in(piece) == schedule._repr_svg_()
    assert len(piece) < 150_000


def test_the_module_loads_no_plotting_library() -> None:
    code = "import sys, kosine._display.notebook; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == 0
