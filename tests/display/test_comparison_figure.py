"""Comparisons as pictures: what is drawn are the plans and their differences, and each can be told from the others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

import kosine as ks
from kosine._display.figure import figure_of, new_figure, plot, save_figure

mpl.use("Agg")

RUN = {"epochs": 50, "steps_per_epoch": 100}
COSINE = ks.warmup_cosine(peak=0.1, warmup="10ep").plan(**RUN)
LINEAR = ks.Schedule(ks.linear("10ep", start=0.0, to=0.1), ks.linear(to=0.0)).plan(**RUN)


def drawn(axes: Axes) -> list[Line2D]:
    """The curves, without the line at 0."""
    return [line for line in axes.get_lines() if np.size(line.get_xdata()) > 2]


def names(axes: Axes) -> list[str]:
    legend = axes.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def test_curves_are_the_plans_and_below_are_their_differences() -> None:
    upper, lower, *_ = figure_of(ks.compare(COSINE, LINEAR, names=["ours", "theirs"])).axes
    for line, plan in zip(drawn(upper), (COSINE, LINEAR), strict=True):
        steps = np.asarray(line.get_xdata())
        assert (steps[0], steps[-1]) == (0, 4999)
        assert np.asarray(line.get_ydata()).tolist() == plan(steps).tolist()
    assert names(upper) == ["A  ours", "B  theirs"]
    assert lower.get_ylabel() == "difference\nfrom A"
    (apart,) = drawn(lower)
    steps = np.asarray(apart.get_xdata())
    assert np.asarray(apart.get_ydata()).tolist() == (LINEAR(steps) - COSINE(steps)).tolist()
    zero = next(line for line in lower.get_lines() if np.size(line.get_xdata()) == 2)
    assert np.asarray(zero.get_ydata()).tolist() == [0, 0]
    assert apart.get_color() == drawn(upper)[1].get_color()
    assert upper.get_xlim() == lower.get_xlim() == (0, 5000)


def test_every_curve_looks_different() -> None:
    plans = [ks.constant(0.1 + number).plan(total_steps=100) for number in range(28)]
    lines = drawn(figure_of(ks.compare(*plans)).axes[0])
    assert len({(line.get_color(), str(line._dash_pattern)) for line in lines}) == 28  # type: ignore[attr-defined]
    assert len({line.get_color() for line in lines[:7]}) == 7


def test_curve_is_pale_beyond_its_own_end() -> None:
    short = ks.sgdr(peak=0.1, period=500).plan(total_steps=2000)
    upper = figure_of(ks.compare(COSINE, short)).axes[0]
    own, beyond = drawn(upper)[1:]
    assert (np.max(own.get_xdata()), np.min(beyond.get_xdata()), np.max(beyond.get_xdata())) == (1999, 1999, 4999)
    assert own.get_alpha() is None
    assert beyond.get_alpha() is not None
    assert [name[:9] for name in names(upper)] == ["A  linear", "B  cycles"]


@pytest.mark.parametrize(
    ("other", "epochs"), [(LINEAR, True), (ks.constant(0.1).plan(epochs=5, steps_per_epoch=7), False)]
)
def test_epochs_stand_on_top_where_all_agree(other: ks.Plan, epochs: bool) -> None:
    upper, lower = figure_of(ks.compare(COSINE, other)).axes[:2]
    assert bool(upper.child_axes) == epochs
    assert not lower.child_axes


def test_equal_plans_have_a_flat_difference() -> None:
    upper, lower = figure_of(ks.compare(COSINE, COSINE)).axes[:2]
    low, high = lower.get_ylim()
    assert low == -high < 0
    wide, narrow = (line.get_linewidth() for line in drawn(upper))
    assert wide > narrow  # the first is seen under the second


def test_names_of_users_are_only_text(tmp_path: Path) -> None:
    comparison = ks.compare(COSINE, LINEAR, names=["_hidden $x^2$ <b>", "n\n" * 200])
    figure = figure_of(comparison)
    assert names(figure.axes[0]) == ["A  _hidden $x^2$ <b>", names(figure.axes[0])[1]]
    first, second = names(figure.axes[0])[1].split("\n")
    assert first.startswith("B  n n n")
    assert second.endswith("n...")
    save_figure(figure, tmp_path / "a.svg")
    assert "_hidden $x^2$ &lt;b&gt;" in (tmp_path / "a.svg").read_text(encoding="utf-8")


def test_given_axes_get_the_curves_only() -> None:
    axes = new_figure().subplots()
    assert plot(ks.compare(COSINE, LINEAR), ax=axes) is axes
    assert len(drawn(axes)) == 2
    assert axes.get_xlabel() == "step"


def test_without_axes_a_pyplot_figure_of_two_is_made() -> None:
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    upper = ks.compare(COSINE, LINEAR).plot()
    (made,) = set(pyplot.get_fignums()) - set(before)
    assert pyplot.figure(made).axes[0] is upper
    assert len(pyplot.figure(made).axes) == 2
    pyplot.close(made)


def test_long_runs_are_drawn_with_few_points() -> None:
    plans = (ks.sgdr(peak=0.1, period=10_000).plan(total_steps=10**9), ks.constant(0.05).plan(total_steps=10**9))
    lines = drawn(figure_of(ks.compare(*plans)).axes[0])
    assert max(np.size(line.get_xdata()) for line in lines) < 20_000


# --- plans with the same past -----------------------------------------------------------------------------------

STABLE = ks.wsd(peak=0.1, warmup=100, cooldown="20%").plan(total_steps=5000)


@pytest.mark.parametrize(
    ("plans", "step"),
    [
        ((STABLE, STABLE.cooldown(at=3000, over=500)), 3000),
        ((STABLE, STABLE.cooldown(at=3000, over=500), STABLE.cooldown(at=2000, over=500)), 2000),
        ((STABLE, STABLE, STABLE.cooldown(at=2000, over=500)), 2000),
        ((STABLE, STABLE.extend(total_steps=9000, at=4000, how="hold")), 4000),
        ((COSINE, COSINE.rewarm(at=3000, warmup=100, peak=0.1, then=ks.hold(), total_steps=9000)), 3000),
        ((STABLE, STABLE), None),
        ((STABLE, ks.constant(0.1).plan(total_steps=5000)), None),
        ((STABLE, 2 * ks.wsd(peak=0.1, warmup=100, cooldown="20%").plan(total_steps=5000).schedule), None),
    ],
)
def test_the_step_up_to_which_plans_are_the_same_is_marked(plans: tuple[Any, ...], step: int | None) -> None:
    given = [plan if isinstance(plan, ks.Plan) else plan.plan(total_steps=5000) for plan in plans]
    upper, lower = figure_of(ks.compare(*given)).axes[:2]
    for axes in (upper, lower):
        across = [line for line in axes.get_lines() if line.get_linestyle() == "--" and np.size(line.get_xdata()) == 2]
        assert [float(np.asarray(line.get_xdata())[0]) for line in across] == ([] if step is None else [step])
    words = [text.get_text() for text in upper.texts]
    assert words == ([] if step is None else [f"the same up to step {step:,}"])
    if step is not None:
        first, *others = given
        assert all(plan(step) == first(step) for plan in others)
        assert any(plan(step + 1) != first(step + 1) for plan in others)


def test_a_difference_is_pale_beyond_the_end_of_either_run() -> None:
    longer = STABLE.extend(total_steps=9000, at=4000, how="hold")
    for plans in ((STABLE, longer), (longer, STABLE)):
        own, beyond = drawn(figure_of(ks.compare(*plans)).axes[1])
        assert (np.max(own.get_xdata()), np.min(beyond.get_xdata()), np.max(beyond.get_xdata())) == (4999, 4999, 8999)
        assert own.get_alpha() is None
        assert beyond.get_alpha() is not None


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_terminal_marks_the_step_and_draws_what_is_over_in_part(width: int) -> None:
    lines = ks.compare(STABLE, STABLE.cooldown(at=3000, over=500), names=["before", "after"]).draw(width).splitlines()
    place = next(number for number, line in enumerate(lines) if line.strip() == "the same up to step 3,000")
    frame = lines[place + 1]
    at_column = frame.index("┴") - frame.index("┌") - 1
    assert at_column == round(3000 / 4999 * (len(frame) - frame.index("┌") - 3))
    bottom = next(line for line in lines if line.strip().startswith("0┤"))
    assert re.search(r"B( b){5,}", bottom)
    assert max(map(len, lines)) <= width
