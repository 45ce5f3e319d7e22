"""Pictures: what is drawn is the plan, however long the run, and a file is whole or not there."""

from __future__ import annotations

import doctest
import re
import stat
import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

import kosine as ks
from kosine._analysis.sampling import restarts, trace
from kosine._display import figure
from kosine._display.figure import RESTART, figure_of, new_figure, plot, plot_history, save_figure
from kosine._display.labels import RateStyle, bands, point_text, step_text
from kosine._display.page import page_of
from kosine._display.scene import plan_scene
from kosine.errors import ArgumentError, MissingPackageError

mpl.use("Agg")

PLANS = {
    "warm-up, hold, cosine": ks.warmup_cosine(peak=1e-4, warmup="10ep", warmup_start=4e-6, hold=5).plan(
        epochs=50, steps_per_epoch=788
    ),
    "restarts": ks.sgdr(peak=0.05, period="10ep", stretch=2, warmup="2ep").plan(epochs=72, steps_per_epoch=100),
    "100,000 shrinking cycles": ks.sgdr(peak=0.05, period=10_000, shrink=0.99999, floor=1e-6).plan(total_steps=10**9),
    "growing cycles": ks.sgdr(peak=0.05, period=1000, stretch=1.01, warmup=500).plan(total_steps=10**9),
    "cycles of many phases": ks.Schedule(
        ks.cycles(*(ks.linear(7, start=0.0, to=0.9 if i == 57 else 0.1) for i in range(100)))
    ).plan(total_steps=10**9),
    "20,000 phases": ks.Schedule(
        *(
            phase
            for i in range(10_000)
            for phase in (ks.linear(5, start=0.0, to=0.5 if i == 777 else 0.1), ks.cosine(15, to=0.0))
        )
    ).plan(),
    "the peak is the last step": ks.Schedule(ks.linear(10**9, start=0.0, to=1.0, endpoint=True)).plan(),
    "cut short": ks.Schedule(ks.linear(100, start=0.0, to=1.0), ks.cosine(100, to=0.0)).plan(total_steps=150),
    "a long tail": ks.Schedule(ks.linear(100, start=0.0, to=1.0)).plan(total_steps=10**15),
    "one step": ks.constant(0.0).plan(total_steps=1),
    "the longest": ks.warmup_cosine(peak=3e-4, warmup="1%").plan(total_steps=2**63 - 1),
}
PEAKS = {
    "warm-up, hold, cosine": 1e-4,
    "cycles of many phases": 0.9 * 6 / 7,
    "20,000 phases": 0.5,
    "100,000 shrinking cycles": 0.05,
    "growing cycles": 0.05,
    "restarts": 0.05,
    "the peak is the last step": 1.0,
    "cut short": 1.0,
    "a long tail": 1.0,
    "one step": 0.0,
    "the longest": 3e-4,
}


@pytest.fixture
def axes() -> Axes:
    return new_figure().subplots()


def curve(axes: Axes) -> tuple[np.ndarray, ...]:
    """The points of the curve, which is drawn in pieces that have their ends in common."""
    found = [line.get_data() for line in axes.get_lines() if line.get_label() == "rate"]
    steps, rates = ([np.asarray(line[axis]) for line in found] for axis in (0, 1))
    for pieces in (steps, rates):
        assert [piece[-1] for piece in pieces[:-1]] == [piece[0] for piece in pieces[1:]]
    return tuple(np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])]) for pieces in (steps, rates))


@pytest.mark.parametrize("name", PLANS)
def test_drawn_curve_is_the_plan_and_keeps_its_peak(name: str, axes: Axes) -> None:
    plan = PLANS[name]
    plot(plan, ax=axes)
    steps, rates = curve(axes)
    assert steps.size <= 20_000
    assert (np.diff(steps) > 0).all()
    assert plan.total_steps is not None
    assert (int(steps[0]), int(steps[-1])) == (0, plan.total_steps - 1)
    assert rates.tolist() == plan(steps).tolist()
    assert rates.max() == pytest.approx(PEAKS[name], rel=1e-12)
    low, high = axes.get_ylim()
    assert low <= rates.min()
    assert rates.max() <= high


@pytest.mark.parametrize("name", ["warm-up, hold, cosine", "restarts", "cut short"])
def test_drawn_curve_lies_on_every_step(name: str) -> None:
    plan = PLANS[name]
    assert plan.total_steps is not None
    every = np.arange(plan.total_steps)
    steps, rates = trace(plan)
    assert np.abs(np.interp(every, steps, rates) - plan(every)).max() <= 1e-3 * rates.max()


def test_each_restart_is_a_jump_of_one_step_and_has_a_line(axes: Axes) -> None:
    plan = PLANS["restarts"]
    plot(plan, ax=axes)
    steps, rates = curve(axes)
    lines = [line for line in axes.get_lines() if to_hex(line.get_color()) == to_hex(RESTART)]
    assert [float(np.asarray(line.get_xdata())[0]) for line in lines] == [1200, 3200]
    for step in (1200, 3200):
        at = int(np.searchsorted(steps, step))
        assert steps[at - 1 : at + 1].tolist() == [step - 1, step]
        assert rates[at - 1] < 1e-4
        assert rates[at] == 0.05


def test_shrinking_cycles_keep_their_envelope() -> None:
    plan = PLANS["100,000 shrinking cycles"]
    steps, rates = trace(plan)
    for low in range(0, 10**9, 10**7):
        column = rates[(steps >= low) & (steps < low + 10**7)]
        highest = plan(-(-low // 10_000) * 10_000)
        assert column.max() == pytest.approx(highest, rel=0.01)
        assert column.min() < 2e-6


def test_long_run_takes_no_more_points_than_a_short_one() -> None:
    short, long = (ks.warmup_cosine(peak=1.0, warmup="10%").plan(total_steps=n) for n in (10**4, 10**9))
    assert trace(short)[0].size == pytest.approx(trace(long)[0].size, rel=0.1)


def test_phases_are_named_and_restarts_counted() -> None:
    named = [(band.first_step, band.stop, band.label) for band in bands(PLANS["restarts"])]
    assert named == [
        (0, 200, "warm-up"),
        (200, 1200, "cosine #1"),
        (1200, 3200, "cosine #2"),
        (3200, 7200, "cosine #3"),
    ]
    assert [band.label for band in bands(PLANS["a long tail"])] == ["warm-up", "hold"]
    assert [band.label for band in bands(PLANS["100,000 shrinking cycles"])] == ["100,000 cycles"]
    assert restarts(PLANS["100,000 shrinking cycles"]) == []
    assert restarts(ks.step_decay(peak=0.1, every=10).plan(total_steps=30)) == []
    assert restarts(ks.dialects.torch.CosineAnnealingLR(0.1, T_max=5).plan(total_steps=30)) == []
    rewarmed = ks.Schedule(ks.cycles(ks.linear(2, start=0.0, to=1.0), ks.cosine(8, to=0.1)))
    assert restarts(rewarmed.plan(total_steps=30)) == [10, 20]


def test_cycles_beyond_the_run_are_not_counted() -> None:
    plan = ks.Schedule(ks.cycles(ks.cosine(10, start=1.0, to=0.0), count=10**6)).plan(total_steps=25)
    assert [(band.stop, band.label) for band in bands(plan)] == [
        (10, "cosine #1"),
        (20, "cosine #2"),
        (25, "cosine #3"),
    ]
    many = ks.Schedule(ks.cycles(ks.cosine(10, start=1.0, to=0.0))).plan(total_steps=495)
    assert [(band.stop, band.label) for band in bands(many)] == [(495, "50 cycles")]


def test_only_the_rise_at_the_beginning_is_a_warm_up(axes: Axes) -> None:
    plan = ks.Schedule(
        ks.linear(50, start=0.0, to=0.5),
        ks.cosine(50, to=1.0),
        ks.hold(10),
        ks.cosine(200, to=0.1),
        ks.linear(100, to=0.5),
        ks.cycles(ks.linear(2, start=0.0, to=1.0), ks.cosine(98, to=0.1), count=2),
    ).plan()
    names = ["warm-up", "warm-up", "hold", "cosine", "linear", "linear #1", "cosine #1", "linear #2", "cosine #2"]
    assert [band.label for band in bands(plan)] == names
    plan.plot(axes)
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["warm-up", "hold", "linear", "restart"]


def test_cycles_too_many_to_draw_are_owned_up_to(axes: Axes) -> None:
    PLANS["100,000 shrinking cycles"].plot(axes)
    assert [text.get_text() for text in axes.texts] == ["100,000 cycles: some are drawn"]
    few = new_figure().subplots()
    ks.sgdr(peak=0.05, period=10).plan(total_steps=1000).plot(few)
    assert [text.get_text() for text in few.texts] == ["100 cycles"]


def test_narrow_phase_is_named_in_the_legend(axes: Axes) -> None:
    plot(PLANS["warm-up, hold, cosine"], ax=axes)
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["hold"]
    assert {text.get_text() for text in axes.texts} == {"warm-up", "cosine"}


def test_axes_count_steps_and_epochs(axes: Axes) -> None:
    plot(PLANS["warm-up, hold, cosine"], ax=axes)
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels[:3] == ["0", "10,000", "20,000"]
    (epochs,) = axes.child_axes
    ticks = {*epochs.xaxis.get_majorticklocs().tolist(), *epochs.xaxis.get_minorticklocs().tolist()}
    assert ticks >= set(range(51))
    assert axes.get_xlim() == (0, 39_400)


@pytest.mark.parametrize("size", [(2.0, 2.0), (3.0, 2.0), (4.0, 12.0), (9.0, 4.0), (20.0, 3.0)])
@pytest.mark.parametrize("name", ["warm-up, hold, cosine", "restarts", "a long tail", "100,000 shrinking cycles"])
def test_labels_of_ticks_have_room(name: str, size: tuple[float, float]) -> None:
    axes = figure_of(PLANS[name], "title", size=size).axes[0]
    figure = axes.get_figure(root=True)
    assert figure is not None
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    for axis in (axes.xaxis, axes.yaxis, *(upper.xaxis for upper in axes.child_axes)):
        low, high = sorted(axis.get_view_interval())
        ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        found = [tick.label1 if tick.label1.get_visible() else tick.label2 for tick in ticks]
        assert found
        for one, other in pairwise(Text.get_window_extent(text, canvas.get_renderer()) for text in found):
            assert one.x1 + 2 < other.x0 or one.y1 < other.y0
    legend = axes.get_legend()
    if legend is not None:
        label = axes.xaxis.label.get_window_extent(canvas.get_renderer())
        assert not legend.get_window_extent(canvas.get_renderer()).overlaps(label)


def test_run_without_epochs_has_no_axis_for_them(axes: Axes) -> None:
    plot(ks.constant(0.1).plan(total_steps=10), ax=axes)
    assert axes.child_axes == []


def test_plan_without_length_is_refused_with_the_fix(axes: Axes) -> None:
    with pytest.raises(ks.PlanError, match=r"never ends.*`total_steps`"):
        ks.sgdr(peak=0.1, period=10).plan().plot(axes)
    assert not axes.get_lines()


def test_without_axes_a_pyplot_figure_is_made_and_returned() -> None:
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    axes = ks.constant(0.1).plan(total_steps=10).plot()
    (made,) = set(pyplot.get_fignums()) - set(before)
    assert axes.get_figure(root=True) is pyplot.figure(made)
    pyplot.close(made)


class History(NamedTuple):
    steps: NDArray[np.int64]
    rates: NDArray[np.float64]


def test_history_is_drawn_with_its_extremes(axes: Axes) -> None:
    steps = np.arange(200_000)
    rates = np.full(200_000, 0.1)
    rates[123_456], rates[54_321] = 0.7, 0.0
    plot_history(History(steps, rates), ax=axes, steps_per_epoch=1000)
    x, y = curve(axes)
    assert x.size < 20_000
    assert (x[y.argmax()], y.max(), x[y.argmin()], y.min()) == (123_456, 0.7, 54_321, 0.0)
    assert axes.child_axes


def test_empty_history_says_so(axes: Axes) -> None:
    plot_history(History(np.arange(0), np.empty(0)), ax=axes)
    assert axes.texts[0].get_text() == "no batch trained yet"


@pytest.mark.parametrize(
    ("value", "peak", "text"),
    [(0.0, 1e-4, "0"), (4e-5, 1e-4, "4e-5"), (1e-4, 1e-4, "1e-4"), (2.5e-5, 1e-4, "2.5e-5"), (0.05, 0.1, "0.05")],
)
def test_rates_are_labelled_shortly(value: float, peak: float, text: str) -> None:
    assert RateStyle.of(peak)(value) == text


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (39_400, "39,400"), (2.5e12, "2.5e12")])
def test_steps_are_labelled_shortly(value: float, text: str) -> None:
    assert step_text(value) == text


# --- logarithmic rates --------------------------------------------------------------------------------------------


def test_logarithmic_axis_ends_four_decades_under_the_peak_and_marks_what_goes_below(axes: Axes) -> None:
    plan = ks.warmup_cosine(peak=1e-4, warmup=100).plan(total_steps=1000)
    plan.plot(axes, log=True)
    assert axes.get_yscale() == "log"
    low, high = axes.get_ylim()
    assert low == pytest.approx(1e-8)
    assert high > 1e-4
    steps, rates = curve(axes)
    assert np.isfinite(np.log10(rates)).all()
    assert rates.tolist() == np.maximum(plan(steps), low).tolist()
    (triangles,) = [line for line in axes.get_lines() if line.get_marker() == "v"]
    below = np.flatnonzero(plan(np.arange(1000)) < low)
    assert np.asarray(triangles.get_xdata()).tolist() == [0, below[1]]
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["below the axis"]


@pytest.mark.parametrize(
    ("schedule", "low", "high"),
    [
        (ks.step_decay(peak=0.1, every=100, factor=0.5), 0.009, 0.0125),
        (ks.constant(0.1), 0.005, 0.02),
        (ks.warmup_cosine(peak=0.1, floor=0.001, warmup=10, warmup_start=0.001), 0.0005, 0.001),
    ],
)
def test_logarithmic_axis_ends_under_the_lowest_rate(
    schedule: ks.Schedule, low: float, high: float, axes: Axes
) -> None:
    schedule.plan(total_steps=400).plot(axes, log=True)
    assert low < axes.get_ylim()[0] < high
    assert all(line.get_marker() != "v" for line in axes.get_lines())


@pytest.mark.parametrize(
    ("schedule", "low", "high"),
    [
        (ks.warmup_cosine(peak=6e-5, warmup=10, floor=6e-6), 6e-7, 6e-7),  # the warm-up's beginning is no matter
        (ks.wsd(peak=1e-2, cooldown="20%", warmup=10), 1e-4, 1e-4),
        (ks.warmup_cosine(peak=1e-4, warmup=10), 1e-8, 1e-7),
        (ks.Schedule(ks.linear(5000, start=1.0, to=1e-6), ks.hold()), 4e-7, 9e-7),
        (ks.Schedule(ks.linear(9990, start=1.0, to=0.5), ks.hold(start=1e-6)), 1e-2, 1e-2),
        (ks.Schedule(ks.linear(5000, start=1.0, to=0.5), ks.hold(start=0.0)), 1e-4, 1e-4),
        (ks.Schedule(ks.exponential(start=1.0, to=1e-12)), 1e-4, 1e-4),
    ],
)
def test_logarithmic_axis_is_for_most_of_the_run(schedule: ks.Schedule, low: float, high: float, axes: Axes) -> None:
    schedule.plan(total_steps=10_000).plot(axes, log=True)
    assert low * 0.999 <= axes.get_ylim()[0] <= high * 1.001


def test_curve_that_is_0_for_long_leaves_the_axis_once(axes: Axes) -> None:
    plan = ks.Schedule(ks.linear(10, start=0.5, to=0.1), ks.hold(50, start=0.0)).plan(total_steps=80)
    plan.plot(axes, log=True)
    (triangles,) = [line for line in axes.get_lines() if line.get_marker() == "v"]
    assert np.asarray(triangles.get_xdata()).tolist() == [10]
    assert triangles.get_label() == "0, below the axis"


@pytest.mark.parametrize("rate", [0.0, 5e-324])
def test_rates_of_zero_have_no_logarithm(rate: float, axes: Axes) -> None:
    with pytest.raises(ks.PlanError, match=r"at least 1e-290.*linear axis"):
        ks.constant(rate).plan(total_steps=10).plot(axes, log=True)
    assert not axes.get_lines()


@pytest.mark.parametrize("rate", [5e-324, 1e-300, 1e300])
@pytest.mark.parametrize("ending", ["png", "svg"])
def test_rates_at_the_ends_of_what_floats_can_hold_are_drawn(rate: float, ending: str, tmp_path: Path) -> None:
    plan = ks.Schedule(ks.linear(start=0.0, to=rate)).plan(total_steps=10)
    save_figure(figure_of(plan, "title", points=[9]), tmp_path / f"a.{ending}")
    assert (tmp_path / f"a.{ending}").stat().st_size > 1000


def test_rates_that_no_axis_can_hold_are_refused() -> None:
    plan = ks.constant(1.7e308).plan(total_steps=10)
    for draw in (figure_of, page_of):
        with pytest.raises(ks.PlanError, match=r"at most 1e\+300 can be drawn"):
            draw(plan, "title")


# --- points -------------------------------------------------------------------------------------------------------


def boxes(axes: Axes) -> dict[str, Bbox]:
    """Where the texts of the points stand in the picture, in pixels."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    texts = (text for text in axes.texts if isinstance(text, Annotation))
    return {text.get_text(): Text.get_window_extent(text, canvas.get_renderer()) for text in texts}


def leaders(axes: Axes) -> dict[str, Any]:
    """The lines from the points to their texts, in pixels."""
    arrows = {text.get_text(): text.arrow_patch for text in axes.texts if isinstance(text, Annotation)}
    return {
        text: arrow.get_transform().transform_path(arrow.get_path())
        for text, arrow in arrows.items()
        if arrow is not None
    }


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("warm-up, hold, cosine", [0, 7880, 7884, 12_000, 25_000, 39_399]),
        ("restarts", [0, 200, 1199, 1200, 3199, 3200, 7199]),
        ("a long tail", [0, 99, 100, 10**15 - 1]),
        ("warm-up, hold, cosine", [0, 1, 2, 7880, 7881, 7890, 39_398, 39_399]),
    ],
)
def test_points_are_written_beside_each_other_and_inside(name: str, points: list[int], log: bool, axes: Axes) -> None:
    plan = PLANS[name]
    plan.plot(axes, log=log, points=reversed(points))
    found = boxes(axes)
    style = plan_scene(plan, log=log).style(log=log)
    assert list(found) == [point_text(step, plan(step), style) for step in points]
    frame = axes.get_window_extent()
    for box in found.values():
        assert frame.x0 - 3 <= box.x0 < box.x1 <= frame.x1 + 3
        assert frame.y0 - 3 <= box.y0 < box.y1 <= frame.y1 + 3
    for one, another in combinations(found.values(), 2):
        shared = Bbox.intersection(one, another)
        assert shared is None or shared.width < 1 or shared.height < 1
    for text, leader in leaders(axes).items():
        for other, box in found.items():
            assert text == other or not leader.intersects_bbox(box, filled=True)
    (dots,) = [line for line in axes.get_lines() if line.get_linestyle() == "None" and line.get_marker() == "o"]
    assert np.asarray(dots.get_xdata()).tolist() == points
    assert np.asarray(dots.get_ydata()).tolist() == [max(plan(step), axes.get_ylim()[0]) for step in points]


@pytest.mark.parametrize(
    ("points", "error", "message"),
    [
        ([10], ArgumentError, r"steps of the run, 0 to 9\. Received: points=10\."),
        ([10**5000], ArgumentError, r"steps of the run, 0 to 9\. Received: points=<an integer of 16,610 bits>\."),
        ([np.array([3])], ks.ArgumentTypeError, r"which are integers. Received: points=array\(\[3\]\)\."),
        ([-1], ArgumentError, r"Received: points=-1\."),
        ([2.0], ks.ArgumentTypeError, r"integers. Received: points=2\.0"),
        ([True], ks.ArgumentTypeError, r"Received: points=True"),
        (["3"], ks.ArgumentTypeError, r"Received: points='3'"),
    ],
)
def test_points_must_be_steps_of_the_run(points: list[int], error: type[Exception], message: str, axes: Axes) -> None:
    with pytest.raises(error, match=message):
        ks.constant(0.1).plan(total_steps=10).plot(axes, points=points)
    assert not axes.get_lines()


# --- files ------------------------------------------------------------------------------------------------------


def picture(path: Path) -> None:
    figure = new_figure(4, 2)
    plot(ks.constant(0.1).plan(total_steps=10), ax=figure.subplots())
    save_figure(figure, path)


def test_png_is_opaque_white_and_alone_in_its_folder(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    pixels = mpl.image.imread(tmp_path / "a.png")
    assert pixels[0, 0].tolist() == [1, 1, 1, 1]
    assert (pixels[..., 3] == 1).all()


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_ending_tells_the_format(tmp_path: Path, ending: str, magic: bytes) -> None:
    picture(tmp_path / f"a.{ending}")
    assert (tmp_path / f"a.{ending}").read_bytes().startswith(magic)


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_same_plan_makes_the_same_bytes_whatever_the_settings(tmp_path: Path, ending: str) -> None:
    plan = PLANS["restarts"]
    names = [tmp_path / f"{number}.{ending}" for number in range(2)]
    save_figure(figure_of(plan, "title", points=[5]), names[0])
    with mpl.rc_context({"axes.facecolor": "black", "text.color": "white", "font.size": 20}):
        save_figure(figure_of(plan, "title", points=[5]), names[1])
    content = names[0].read_bytes()
    assert content == names[1].read_bytes()
    assert not re.search(rb"CreationDate|dc:date", content)


def test_svg_has_its_text_as_text(tmp_path: Path) -> None:
    title = "costs $5 & $6 <b>_x_^2</b> \u65e5"
    with pytest.warns(UserWarning, match=r"Glyph \d+ .* missing"):
        save_figure(figure_of(PLANS["restarts"], title), tmp_path / "a.svg")
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    texts = ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {title, "warm-up", "cosine #3", "epoch", "learning rate", "restart"} <= set(texts)


def test_pdf_embeds_outlines_of_its_fonts(tmp_path: Path) -> None:
    save_figure(figure_of(PLANS["restarts"], "title"), tmp_path / "a.pdf")
    content = (tmp_path / "a.pdf").read_bytes()
    assert b"/CIDFontType2" in content
    assert b"/Type3" not in content


@pytest.mark.parametrize("title", ["x" * 5000, "word " * 40, "\x00\x1b[31m\n\ud800 lines", ""])
def test_titles_of_all_kinds_are_wrapped_to_the_figure(title: str, tmp_path: Path) -> None:
    figure = figure_of(PLANS["one step"], title)
    figure.draw_without_rendering()
    lines = figure.get_suptitle().split("\n")
    assert len(lines) <= 4
    assert all(line.isprintable() for line in lines)
    if title:
        assert figure._suptitle.get_window_extent().x1 < figure.bbox.x1  # type: ignore[attr-defined]
    save_figure(figure, tmp_path / "a.svg")
    ElementTree.parse(tmp_path / "a.svg")


def test_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.png"
    target.write_text("the old picture")
    figure = new_figure()

    def half(file: object, **_: object) -> None:
        file.write(b"half a pic")  # type: ignore[attr-defined]
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure, "savefig", half)
    with pytest.raises(OSError, match="No space left"):
        save_figure(figure, target)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert target.read_text() == "the old picture"


def test_missing_folder_is_reported_by_the_name_that_was_given(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        picture(tmp_path / "no" / "a.png")
    assert caught.value.filename == str(tmp_path / "no" / "a.png")


def test_link_is_followed_and_a_device_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    picture(tmp_path / "link.png")
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real.png").read_bytes().startswith(b"\x89PNG")
    picture(Path("/dev/null"))
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_missing_matplotlib_is_an_import_error_with_the_fix(axes: Axes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPackageError, match=r"pip install '\.\[plot\]'") as caught:
        ks.constant(0.1).plan(total_steps=10).plot()
    assert isinstance(caught.value, ks.KosineError)
    assert isinstance(caught.value, ImportError)


def test_importing_the_module_loads_no_plotting_library() -> None:
    code = "import sys, kosine._display.figure; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_its_example_runs() -> None:
    result = doctest.testmod(figure)
    assert (result.failed, result.attempted) == (0, 5)
