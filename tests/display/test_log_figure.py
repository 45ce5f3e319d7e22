"""Logs over plans as pictures: what is drawn are the rows, the plan where the log reads it, and where they part."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

import kosine as ks
from kosine._display.figure import LOG, PLAN, figure_of, new_figure, plot, save_figure
from kosine._display.labels import RateStyle
from kosine._display.log_view import LogView
from kosine._display.notebook import result_html
from kosine._display.page import page_of
from kosine._logs.check.check import check
from kosine._logs.check.verdict import Verdict
from kosine._logs.infer.infer import infer
from kosine._logs.precision import Precision
from kosine._logs.trace import Trace

mpl.use("Agg")

COSINE = ks.warmup_cosine(peak=0.1, warmup=100).plan(total_steps=2000)
STEPS = np.arange(0, 2000, 10)
FOUR_DIGITS = Precision(decimals=6)


def log(**changes: Any) -> Trace:
    """A log of the cosine, rounded to six decimals."""
    arguments: dict[str, Any] = {"positions": STEPS, "rates": np.round(COSINE(STEPS), 6), "precision": FOUR_DIGITS}
    return Trace(**{**arguments, "source": "run.csv", **changes})


def halved() -> Verdict:
    """A log that falls to half of its plan at step 1200."""
    rates = np.round(COSINE(STEPS) * np.where(STEPS < 1200, 1, 0.5), 6)
    return check(log(rates=rates), COSINE)


def line(axes: Axes, colour: str) -> Line2D:
    return next(line for line in axes.get_lines() if line.get_color() == colour and np.size(line.get_xdata()) > 2)


def data(line: Line2D) -> tuple[Any, Any]:
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


def names(axes: Axes) -> list[str]:
    legend = axes.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_rows_lie_over_the_plan_and_below_is_how_far_they_are_off() -> None:
    trace = log()
    upper, lower = figure_of(check(trace, COSINE)).axes[:2]
    steps, rates = data(line(upper, PLAN))
    assert rates.tolist() == COSINE(steps.astype(np.int64)).tolist()
    assert (steps[0], steps[-1]) == (0, 1999)
    rows = data(line(upper, LOG))
    assert rows[0].tolist() == STEPS.tolist()
    assert rows[1].tolist() == trace.rates.tolist()
    assert data(line(lower, LOG))[1].tolist() == (trace.rates - COSINE(STEPS)).tolist()
    (band,) = lower.collections
    heights = np.asarray(band.get_paths()[0].vertices)[:, 1]
    assert heights.max() == pytest.approx(trace.half_widths().max())
    assert upper.get_xlim() == lower.get_xlim() == (0, 2000)
    assert lower.get_ylabel() == "log - plan"
    assert names(upper)[0].startswith("plan  linear(100")
    assert names(upper)[1:] == ["log  run.csv", "within the log's precision (6 decimals)"]
    assert texts(upper) == []


def test_first_difference_is_marked_with_what_was_expected_and_found() -> None:
    figure = figure_of(halved())
    upper, lower = figure.axes[:2]
    expected, found = RateStyle(False).distinct(COSINE(1200), round(COSINE(1200) / 2, 6))
    assert texts(upper) == [f"step 1,200: expected {expected}, found {found}"]
    for axes in (upper, lower):
        assert any(np.asarray(line.get_xdata()).tolist() == [1200, 1200] for line in axes.get_lines())
    title = figure.get_suptitle().replace("\n", " ")
    assert title
    assert halved().sentence.startswith(title.removesuffix("..."))


def test_mark_stays_inside_the_picture() -> None:
    for row in (0, 5, 100, 199):
        rates = COSINE(STEPS)
        rates[row:] = 0.2
        figure = figure_of(check(log(rates=rates, precision=None), COSINE))
        figure.draw_without_rendering()
        (mark,) = figure.axes[0].texts
        box = mark.get_window_extent()
        assert box.x0 > 0
        assert box.x1 < figure.bbox.x1


@pytest.mark.parametrize("rows", [20, 10**6])
def test_any_number_of_rows_takes_few_points(rows: int) -> None:
    plan = ks.sgdr(peak=0.1, period=1000, stretch=2).plan(total_steps=10**6)
    steps = np.unique(np.linspace(0, 10**6 - 1, rows).astype(np.int64))
    upper = figure_of(check(Trace(steps, plan(steps)), plan)).axes[0]
    drawn = line(upper, LOG)
    assert np.size(drawn.get_xdata()) == 20 if rows == 20 else np.size(drawn.get_xdata()) < 10_000
    assert (drawn.get_marker() == "o") == (rows == 20)
    assert np.size(line(upper, PLAN).get_xdata()) < 20_000


def test_axis_is_the_one_of_the_log() -> None:
    plan = ks.warmup_cosine(peak=0.1, warmup="5ep").plan(epochs=50, steps_per_epoch=40)
    epochs = np.arange(50)
    trace = Trace(epochs, plan(epochs * 40 + 39), axis="epoch")
    upper, lower = figure_of(check(trace, plan)).axes[:2]
    assert lower.get_xlabel() == "epoch"
    positions, rates = data(line(upper, PLAN))
    assert 48 < positions[-1] < 50
    here = np.flatnonzero(np.isin(positions, epochs))
    assert rates[here] == pytest.approx(plan(positions[here].astype(int) * 40 + 39), rel=1e-12)


def test_short_log_of_a_long_run_is_seen_from_near() -> None:
    plan = ks.warmup_cosine(peak=0.1, warmup=100).plan(total_steps=10**7)
    steps = np.arange(5 * 10**6, 5 * 10**6 + 50)
    low, high = figure_of(check(Trace(steps, plan(steps)), plan)).axes[0].get_xlim()
    assert (low, high) == pytest.approx((steps[0] - 5, steps[-1] + 6), abs=1)


def test_plan_without_a_length_is_drawn_as_far_as_the_log_goes() -> None:
    plan = ks.sgdr(peak=0.1, period=100).plan()
    upper = figure_of(check(Trace(STEPS, plan(STEPS)), plan)).axes[0]
    assert upper.get_xlim() == (0, 1991)
    assert data(line(upper, PLAN))[0][-1] == 1990


def test_epochs_stand_on_top_where_the_log_counts_steps() -> None:
    plan = ks.warmup_cosine(peak=0.1, warmup=100).plan(epochs=20, steps_per_epoch=100)
    assert figure_of(check(log(), plan)).axes[0].child_axes
    assert not figure_of(check(log(), COSINE)).axes[0].child_axes


def test_inference_is_drawn_with_the_run_that_it_forecasts() -> None:
    half = STEPS[:100]
    trace = Trace(half, COSINE(half), source="run.csv", total=2000)
    inference = infer(trace)
    assert inference.plan is not None
    upper, lower = figure_of(inference).axes[:2]
    assert data(line(lower, LOG))[1].tolist() == (trace.rates - inference.expected()).tolist()
    steps, rates = data(line(upper, PLAN))
    assert steps[-1] > half[-1]
    assert rates == pytest.approx(inference.plan((steps + inference.offset).astype(int)), rel=1e-12)


def test_log_without_a_schedule_is_drawn_alone_with_its_pieces() -> None:
    unplanned = np.append(np.full(50, 0.1), 0.001 + np.arange(99) * 617 % 97 / 1000)
    inference = infer(Trace(np.arange(unplanned.size), unplanned))
    assert inference.schedule is None
    (axes,) = figure_of(inference).axes
    assert data(line(axes, LOG))[1].tolist() == unplanned.tolist()
    marked = {float(np.asarray(each.get_xdata())[0]) for each in axes.get_lines() if np.size(each.get_xdata()) == 2}
    assert marked == {float(piece.first) for piece in inference.pieces[1:]}


def test_names_of_users_are_only_text(tmp_path: Path) -> None:
    verdict = check(log(source="_$x^2$ <b>\x1b[31m"), COSINE)
    figure = figure_of(verdict)
    assert names(figure.axes[0])[1] == "log  _$x^2$ <b> [31m"
    save_figure(figure, tmp_path / "a.svg")
    assert "_$x^2$ &lt;b&gt;" in (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "<b>" not in page_of(verdict, "<b>")


def test_given_axes_get_the_curves_only() -> None:
    axes = new_figure().subplots()
    assert plot(halved(), ax=axes) is axes
    assert axes.get_xlabel() == "step"
    assert plot(infer(log()), ax=new_figure().subplots()).get_ylabel() == "learning rate"


def test_without_axes_a_pyplot_figure_of_two_is_made() -> None:
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    upper = plot(halved())
    (made,) = set(pyplot.get_fignums()) - set(before)
    assert pyplot.figure(made).axes[0] is upper
    assert len(pyplot.figure(made).axes) == 2
    pyplot.close(made)


def test_skipped_steps_bend_the_plan_as_the_log_reads_it() -> None:
    skips = ((500, 3), (1000, 20))
    skipped = 3 * (STEPS >= 500) + 20 * (STEPS >= 1000)
    rates = COSINE(STEPS - skipped)
    view = LogView(Trace(STEPS, rates), COSINE, rates, skips=skips)
    course = view.course()
    assert course is not None
    there = np.isin(course.positions, STEPS)
    assert (
        course.steps[there].tolist()
        == (course.positions - 3 * (course.positions >= 500) - 20 * (course.positions >= 1000))[there].tolist()
    )
    assert np.interp(STEPS, course.positions, course.rates) == pytest.approx(rates, rel=1e-3, abs=1e-9)


def test_rates_are_distinct_with_as_few_digits_as_it_takes() -> None:
    assert RateStyle(False).distinct(0.1, 0.2) == ["0.1", "0.2"]
    assert RateStyle(False).distinct(0.1, 0.1) == ["0.1", "0.1"]
    assert RateStyle(False).distinct(0.1, 0.1000001) == ["0.1", "0.1000001"]
    assert RateStyle(False).distinct(0.1, float(np.nextafter(0.1, 1))) == ["0.1", "0.10000000000000002"]


def page_data(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    read = json.loads(found[1])
    assert isinstance(read, dict)
    return read


def test_numbers_of_a_page_are_those_of_log_and_plan() -> None:
    verdict = halved()
    read = page_data(page_of(verdict, "a title"))
    plan, rows = (curve["rates"] for curve in read["curves"])
    steps = np.array(read["steps"])
    assert plan == pytest.approx(COSINE(steps).tolist(), rel=1e-12)
    here = [index for index, rate in enumerate(rows) if rate is not None]
    assert steps[here].tolist() == STEPS.tolist()
    assert [rows[index] for index in here] == verdict.trace.rates.tolist()
    assert [read["half_widths"][index] for index in here] == verdict.trace.half_widths().tolist()
    assert (read["begin"], read["total"], read["unit"]) == (0, 2000, "step")
    assert read["mark"]["position"] == 1200


def test_notebook_shows_the_picture_and_the_table() -> None:
    verdict = halved()
    assert html.escape(str(verdict)) in result_html(verdict)
    inference = infer(log())
    for piece in (result_html(verdict), result_html(inference)):
        assert piece.count("<img ") == 1
        assert piece.count("<pre ") == 1


def test_title_is_the_whole_sentence() -> None:
    figure = figure_of(halved())
    figure.draw_without_rendering()
    assert figure.get_suptitle().replace("\n", " ") == halved().sentence
    assert figure._suptitle.get_window_extent().x1 < figure.bbox.x1  # type: ignore[attr-defined]


def test_page_of_an_inference() -> None:
    inference = infer(log())
    text = page_of(inference, "a title")
    assert len(page_data(text)["curves"]) == 2
    assert "<h2>Inference</h2>" in text
