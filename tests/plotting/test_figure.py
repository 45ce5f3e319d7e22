"""Pictures: what is drawn is the plan, however long the run, and a file is whole or not there."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

import kosine as ks
from kosine.errors import MissingPackageError
from kosine.plotting import bands, new_figure, plot_history, plot_plan, rate_text, save_figure, step_text
from kosine.plotting.figure import RESTART
from kosine.sampling import restarts, thin, trace

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


def curve(axes: Axes) -> tuple[np.ndarray, np.ndarray]:
    line = next(line for line in axes.get_lines() if line.get_label() == "rate")
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


@pytest.mark.parametrize("name", PLANS)
def test_drawn_curve_is_the_plan_and_keeps_its_peak(name: str, axes: Axes) -> None:
    plan = PLANS[name]
    plot_plan(plan, ax=axes)
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
    plot_plan(plan, ax=axes)
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


def test_narrow_phase_is_named_in_the_legend(axes: Axes) -> None:
    plot_plan(PLANS["warm-up, hold, cosine"], ax=axes)
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["hold"]
    assert {text.get_text() for text in axes.texts} == {"warm-up", "cosine"}


def test_axes_count_steps_and_epochs(axes: Axes) -> None:
    plot_plan(PLANS["warm-up, hold, cosine"], ax=axes)
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels[:3] == ["0", "10,000", "20,000"]
    (epochs,) = axes.child_axes
    ticks = {*epochs.xaxis.get_majorticklocs().tolist(), *epochs.xaxis.get_minorticklocs().tolist()}
    assert ticks >= set(range(51))
    assert axes.get_xlim() == (0, 39_400)


def test_run_without_epochs_has_no_axis_for_them(axes: Axes) -> None:
    plot_plan(ks.constant(0.1).plan(total_steps=10), ax=axes)
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


def test_history_is_drawn_with_its_extremes(axes: Axes) -> None:
    steps = np.arange(200_000)
    rates = np.full(200_000, 0.1)
    rates[123_456], rates[54_321] = 0.7, 0.0
    plot_history(steps, rates, ax=axes, steps_per_epoch=1000)
    x, y = curve(axes)
    assert x.size < 20_000
    assert (x[y.argmax()], y.max(), x[y.argmin()], y.min()) == (123_456, 0.7, 54_321, 0.0)
    assert axes.child_axes


def test_empty_history_says_so(axes: Axes) -> None:
    plot_history([], [], ax=axes)
    assert axes.texts[0].get_text() == "no batch trained yet"


def test_thinning_keeps_the_ends_and_the_order() -> None:
    x = np.arange(100_000)
    keep = thin(x, np.sin(x / 10), 100)
    assert keep.size <= 400
    assert (np.diff(keep) > 0).all()
    assert (keep[0], keep[-1]) == (0, 99_999)


@pytest.mark.parametrize(
    ("value", "peak", "text"),
    [(0.0, 1e-4, "0"), (4e-5, 1e-4, "4e-5"), (1e-4, 1e-4, "1e-4"), (2.5e-5, 1e-4, "2.5e-5"), (0.05, 0.1, "0.05")],
)
def test_rates_are_labelled_shortly(value: float, peak: float, text: str) -> None:
    assert rate_text(value, peak) == text


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (39_400, "39,400"), (2.5e12, "2.5e12")])
def test_steps_are_labelled_shortly(value: float, text: str) -> None:
    assert step_text(value) == text


# --- files ------------------------------------------------------------------------------------------------------


def picture(path: Path) -> None:
    figure = new_figure(4, 2)
    plot_plan(ks.constant(0.1).plan(total_steps=10), ax=figure.subplots())
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
    with pytest.raises(MissingPackageError, match=r"pip install 'kosine\[plot\]'") as caught:
        ks.constant(0.1).plan(total_steps=10).plot()
    assert isinstance(caught.value, ks.KosineError)
    assert isinstance(caught.value, ImportError)


def test_importing_the_module_loads_no_plotting_library() -> None:
    code = "import sys, kosine.plotting; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
