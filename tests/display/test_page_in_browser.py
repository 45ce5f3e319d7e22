"""The pages in a real browser, offline: hovering tells the plan's rates, zooming zooms, and no error is reported."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

import kosine as ks
from kosine._analysis.sampling import trace
from kosine._display.figure import CURVE
from kosine._display.page import page_of
from kosine.cli import main
from tests.support.chromium import MISSING, browser, executable

SCREENSHOTS = Path(__file__).parents[2] / "runs" / "browser"
COMMAND = [
    'warmup_cosine(peak=1e-4, warmup="10ep", warmup_start=4e-6, hold=5)',
    *("--epochs", "50", "--steps-per-epoch", "788", "--points", "0,7880,39399"),
]
PLAN = ks.parse(COMMAND[0]).plan(epochs=50, steps_per_epoch=788)
HOSTILE = (
    """</script><script>alert(1)</script> <b onclick='x'>"bold"</b> $x^2$ & __init__ <a href="http://x.test">x</a>"""
)


def read(pattern: str, text: str) -> tuple[str, ...]:
    """The groups of the place in a text that a pattern fits."""
    match = re.search(pattern, text)
    assert match is not None, text
    return match.groups()


@pytest.fixture(scope="module", name="browser")
def opened() -> Iterator[Browser]:
    if executable() is None:
        pytest.fail(MISSING) if "CI" in os.environ else pytest.skip(MISSING)
    with browser() as found:
        yield found


class Watched:
    """A page that is open, and what the browser had to say about it."""

    def __init__(self, browser: Browser, file: Path, *, width: int = 1100, scheme: str = "light") -> None:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if scheme == "dark" else "light",
            offline=True,
        )
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())
        self.page.wait_for_selector("#picture .scatterlayer path.js-line")
        self.file = file

    def at(self, across: float, down: float) -> tuple[float, float]:
        """A place in the picture, in shares of the area of the curves."""
        box = self.page.locator("#picture .nsewdrag").first.bounding_box()
        assert box is not None
        return box["x"] + across * box["width"], box["y"] + down * box["height"]

    def hover(self, across: float, down: float = 0.5) -> str:
        self.page.evaluate(
            "() => { window.hovered = false; picture.once('plotly_hover', () => { window.hovered = true; }); }"
        )
        self.page.mouse.move(*self.at(across, down))
        self.page.wait_for_function("() => window.hovered")
        return "\n".join(self.page.locator("#picture .hovertext tspan, #picture .hovertext text").all_text_contents())

    def drag(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        self.page.mouse.move(*self.at(*begin))
        self.page.mouse.down()
        self.page.mouse.move(*self.at(*end), steps=4)
        self.page.mouse.up()

    def range(self, axis: str = "xaxis") -> list[float]:
        return [float(end) for end in self.page.evaluate(f"picture.layout.{axis}.range")]

    def wait_for_range(self, low: float, high: float) -> None:
        self.page.wait_for_function(
            "([low, high]) => { const [a, b] = picture.layout.xaxis.range; return a === low && b === high; }",
            arg=[low, high],
        )

    def wait_for_zoom(self, total: int) -> None:
        self.page.wait_for_function("(total) => picture.layout.xaxis.range[1] < total", arg=total)

    def screenshot(self, name: str) -> None:
        """Save what is seen, and check that it is no blank page: a light ground, dark text, and the curve."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.wait_for_timeout(150)  # until what moves stands
        self.page.screenshot(path=path)
        pixels = imread(path)[..., :3]
        assert (pixels.min(axis=2) > 0.95).mean() > 0.2
        assert (pixels.max(axis=2) < 0.3).mean() > 0.001
        assert (np.abs(pixels - to_rgb(CURVE)).max(axis=2) < 0.05).mean() > 0.0005

    def close(self) -> None:
        """Nothing was complained of, and nothing was asked for but the file."""
        assert self.complaints == []
        assert self.requests == [self.file.as_uri()]
        self.page.context.close()


def six_digits(rate: float) -> float:
    """A rate as a page shows it: rounded to six significant digits."""
    return float(f"{rate:.5e}")


def test_page_of_a_plan_answers_the_mouse(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "plan.html"
    assert main(["plot", *COMMAND, "-o", str(file)]) == 0
    watched = Watched(browser, file)
    page = watched.page
    assert page.title() == COMMAND[0]
    assert page.locator("h1").text_content() == COMMAND[0]
    assert watched.range() == [0, 39_400]
    watched.screenshot("plan")

    for across in (0.0, 0.1, 0.2, 0.55, 0.999):
        said = watched.hover(across)
        step = int(read(r"step ([\d,]+)", said)[0].replace(",", ""))
        epoch = float(read(r"epoch ([\d.]+)", said)[0])
        rate = float(read(r"rate ([\de.-]+)", said)[0])
        assert abs(step - across * 39_400) < 60
        assert epoch == pytest.approx(step / 788, abs=1e-4)
        assert rate == six_digits(PLAN(step))
    watched.hover(0.5)
    watched.screenshot("plan-hovered")

    watched.drag((0.1, 0.05), (0.3, 0.6))
    watched.wait_for_zoom(39_400)
    low, high = watched.range()
    assert [low, high] == pytest.approx([3940, 11_820], rel=0.02)
    page.wait_for_selector("#picture .x2tick text:text-is('13')")
    watched.screenshot("plan-zoomed")
    page.mouse.dblclick(*watched.at(0.5, 0.5))
    watched.wait_for_range(0, 39_400)

    page.mouse.move(*watched.at(0.2, 0.5))
    page.mouse.wheel(0, -400)
    watched.wait_for_zoom(39_400)
    page.get_by_role("button", name="whole run").click()
    watched.wait_for_range(0, 39_400)

    page.get_by_role("button", name="log", exact=True).click()
    page.wait_for_function("() => picture.layout.yaxis.type === 'log'")
    assert watched.range("yaxis")[0] == pytest.approx(-8)
    page.wait_for_selector("#picture .ytick text:text-is('1e-6')")
    watched.screenshot("plan-log")
    page.mouse.dblclick(*watched.at(0.5, 0.5))
    assert watched.range("yaxis")[0] == pytest.approx(-8)
    page.get_by_role("button", name="linear").click()
    page.wait_for_function("() => picture.layout.yaxis.type === 'linear'")
    watched.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_as_readable_in_the_dark_and_on_a_phone(browser: Browser, tmp_path: Path, scheme: str) -> None:
    file = tmp_path / "cycles.html"
    arguments = ['sgdr(peak=0.05, period="10ep", stretch=2)', "--epochs", "150", "--steps-per-epoch", "100"]
    assert main(["plot", *arguments, "-o", str(file)]) == 0
    watched = Watched(browser, file, width=390, scheme=scheme)
    watched.screenshot(f"phone-{scheme}")
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert watched.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert watched.page.evaluate("getComputedStyle(document.body).color") == "rgb(26, 26, 26)"
    watched.close()


def test_logarithmic_axis_keeps_points_and_says_where_the_curve_leaves_it(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "below.html"
    assert main(["plot", "sgdr-10-2", "-o", str(file), "--points", "0,3909,3910,78199"]) == 0
    watched = Watched(browser, file)
    page = watched.page
    texts = page.locator("#picture .annotation-text")
    assert "3,909: 8.07e-9" in texts.all_text_contents()
    triangles, said = page.locator("#picture .scatterlayer .points path"), page.get_by_text("below the axis")
    assert (triangles.count(), said.is_visible()) == (0, False)
    page.get_by_role("button", name="log", exact=True).click()
    page.wait_for_function("() => picture.layout.yaxis.type === 'log'")
    assert {"0: 5e-2", "3,909: 8.07e-9", "3,910: 5e-2", "78,199: 3.889e-2"} <= set(texts.all_text_contents())
    box = texts.filter(has_text="8.07e-9").bounding_box()
    assert box is not None
    assert watched.at(0, 0.5)[1] < box["y"] < watched.at(0, 1)[1]
    assert (triangles.count(), said.is_visible()) == (4, True)
    watched.screenshot("below-the-axis")
    page.get_by_role("button", name="linear").click()
    page.wait_for_function("() => picture.layout.yaxis.type === 'linear'")
    assert (triangles.count(), said.is_visible()) == (0, False)
    watched.close()


@pytest.mark.parametrize("width", [400, 1100])
def test_no_words_of_a_picture_are_printed_over_others(browser: Browser, tmp_path: Path, width: int) -> None:
    file = tmp_path / "words.html"
    command = ["compare", "warmup_cosine(peak=1e-3)", "wsd(peak=6.25e-4)", "--total-steps", "39400", "-o", str(file)]
    assert main(command) == 1  # they differ
    watched = Watched(browser, file, width=width)
    watched.page.mouse.move(*watched.at(0.5, 0.5))
    words = watched.page.locator("#picture .ytick text, #picture .y2tick text, #picture .ytitle, #picture .y2title")
    boxes = [box for box in (each.bounding_box() for each in words.all()) if box is not None]
    bar = watched.page.locator("#picture .modebar").first.bounding_box() if width > 600 else None
    assert bar is None or bar["y"] + bar["height"] <= watched.at(0, 0)[1]
    assert len(boxes) >= 8
    for one, other in combinations(boxes, 2):
        across = min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"])
        down = min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"])
        assert across < 1 or down < 4
    watched.screenshot(f"words-{width}")
    watched.close()


def test_page_of_a_long_run_keeps_its_digits(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "long.html"
    assert main(["plot", "warmup_cosine(peak=3e-4)", "--total-steps", str(2**63 - 1), "-o", str(file)]) == 0
    watched = Watched(browser, file)
    plan = ks.warmup_cosine(peak=3e-4).plan(total_steps=2**63 - 1)
    step = int(read(r"step ([\d,]+)", watched.hover(0.9))[0].replace(",", ""))
    assert step > 2**62
    assert step in set(trace(plan, 8000)[0].tolist())
    watched.close()


def test_text_of_a_user_is_only_text(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "hostile.html"
    command = ["plot", "sgdr(peak=0.05, period=10)", "--total-steps", "50", "-o", str(file), "--title", HOSTILE]
    assert main(command) == 0
    watched = Watched(browser, file)
    assert watched.page.locator("h1").text_content() == HOSTILE
    assert watched.page.locator("main a:not(.modebar-btn), main b").count() == 0
    watched.screenshot("hostile")
    watched.close()


def test_page_of_a_comparison(browser: Browser, tmp_path: Path) -> None:
    line = ks.Schedule(ks.linear("10ep", start=0.0, to=1e-4), ks.linear(to=0.0)).plan(epochs=50, steps_per_epoch=788)
    file = tmp_path / "comparison.html"
    file.write_text(page_of(ks.compare(PLAN, line, names=["cosine", HOSTILE]), "Two plans"), encoding="utf-8")
    watched = Watched(browser, file)
    page = watched.page
    assert page.locator("#picture .legendtext").all_text_contents() == ["A  cosine", f"B  {HOSTILE}"]
    assert page.locator("#picture a:not(.modebar-btn), #picture b").count() == 0
    watched.screenshot("comparison")
    said = watched.hover(0.5, 0.3)
    step = int(read(r"step ([\d,]+)", said)[0].replace(",", ""))
    ours = float(read(r"cosine: ([\de.-]+)", said)[0])
    theirs, sign, apart = read(r"</a>: ([\de.-]+) \((.)([\de.-]+)\)", said)
    assert ours == six_digits(PLAN(step))
    assert float(theirs) == six_digits(line(step))
    assert float(apart) * (1 if sign == "+" else -1) == six_digits(line(step) - PLAN(step))
    watched.screenshot("comparison-hovered")
    watched.drag((0.2, 0.1), (0.4, 0.9))
    watched.wait_for_zoom(39_400)
    watched.screenshot("comparison-zoomed")
    page.mouse.dblclick(*watched.at(0.5, 0.5))
    watched.wait_for_range(0, 39_400)
    watched.close()


def test_page_of_a_log_that_jumped(browser: Browser, tmp_path: Path) -> None:
    log, file = tmp_path / "log.csv", tmp_path / "check.html"
    steps = np.arange(0, 39_400, 100)
    write_log(log, steps, PLAN(np.where(steps < 20_000, steps, steps - 6000)))
    assert main(["check", str(log), *COMMAND[:5], "--plot", str(file)]) == 1
    watched = Watched(browser, file)
    page = watched.page
    assert "jumped at step 20,000" in page.locator("main").inner_text()
    assert [name[:4] for name in page.locator("#picture .legendtext").all_text_contents()] == ["plan", "log "]
    words = " ".join(page.locator("#picture .annotation-text").all_text_contents())
    place, *rates = read(r"step ([\d,]+): expected ([\de.-]+), found ([\de.-]+)", words)
    assert place == "20,000"
    assert [float(rate) for rate in rates] == pytest.approx([PLAN(20_000), PLAN(14_000)], rel=1e-3)
    watched.screenshot("check")
    for across, apart in ((0.3, False), (0.8, True)):
        said = watched.hover(across)
        step = int(read(r"step ([\d,]+)", said)[0].replace(",", ""))
        assert abs(step - across * 39_400) < 200
        planned = float(read(r"plan .*: ([\de.-]+)", said)[0])
        assert planned == six_digits(PLAN(step))
        assert (float(read(r"log .*: ([\de.-]+)", said)[0]) > 1.5 * planned) == apart
    watched.screenshot("check-hovered")
    watched.drag((0.7, 0.1), (0.9, 0.9))
    watched.wait_for_zoom(39_400)
    assert not page.locator("#picture .annotation-text").filter(has_text="expected").count()  # it is out of sight
    watched.screenshot("check-zoomed")
    page.mouse.dblclick(*watched.at(0.5, 0.5))
    watched.wait_for_range(0, 39_400)
    watched.close()


def test_page_of_what_was_inferred(browser: Browser, tmp_path: Path) -> None:
    log, file = tmp_path / "log.csv", tmp_path / "infer.html"
    plan = ks.warmup_cosine(peak=1e-3, warmup=1000).plan(total_steps=10_000)
    steps = np.arange(0, 10_000, 10)
    write_log(log, steps, plan(steps))
    assert main(["infer", str(log), "--plot", str(file)]) == 0
    watched = Watched(browser, file)
    page = watched.page
    assert "cosine" in page.locator("main").inner_text()
    watched.screenshot("infer")
    said = watched.hover(0.5)
    step = int(read(r"step ([\d,]+)", said)[0].replace(",", ""))
    assert float(read(r"plan .*: ([\de.-]+)", said)[0]) == six_digits(plan(step))
    watched.screenshot("infer-hovered")
    whole = watched.range()
    watched.drag((0.05, 0.1), (0.3, 0.9))
    watched.wait_for_zoom(10_000)
    watched.screenshot("infer-zoomed")
    page.mouse.dblclick(*watched.at(0.5, 0.5))
    watched.wait_for_range(whole[0], whole[1])
    watched.close()


def write_log(path: Path, steps: NDArray[np.int64], rates: NDArray[np.float64]) -> None:
    rows = "".join(f"{step},{rate!r}\n" for step, rate in zip(steps.tolist(), rates.tolist(), strict=True))
    path.write_text(f"step,lr\n{rows}", encoding="utf-8")


@pytest.mark.parametrize("width", [420, 1280])
def test_nothing_of_a_page_is_cut(browser: Browser, tmp_path: Path, width: int) -> None:
    log, file = tmp_path / "log.csv", tmp_path / "check.html"
    steps = np.arange(0, 39_400, 100)
    write_log(log, steps, PLAN(np.where(steps < 20_000, steps, steps - 6000)))
    assert main(["check", str(log), *COMMAND[:5], "--plot", str(file)]) == 1
    watched = Watched(browser, file, width=width)
    words = watched.page.locator("#picture .legendtext, #picture .annotation-text, main p, main pre, main h1")
    boxes = [box for box in (each.bounding_box() for each in words.all()) if box is not None]
    assert len(boxes) >= 6
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    assert watched.page.evaluate("[...document.querySelectorAll('pre')].every((e) => e.scrollWidth <= e.clientWidth)")
    watched.screenshot(f"uncut-{width}")
    watched.close()
