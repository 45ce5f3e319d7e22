"""Pictures of several curves as text; those of one plan are tested with `kosine show`."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest

import kosine as ks
from kosine._display.terminal import Curve, Screen, draw, nice_ticks, picture
from tests.support.console import curve

HIGH = ks.constant(1.0).plan(total_steps=100)
LOW = ks.constant(0.5).plan(total_steps=100)


def rows(text: str) -> list[str]:
    """The lines inside the frames, with the marks of both sides taken off."""
    return [re.split(r"[┤│+|]", line, maxsplit=1)[1][:-1] for line in text.splitlines() if line[-1:] in ("│", "|")]


def line(*values: float, mark: str = "A") -> Curve:
    return Curve(np.arange(len(values)), np.array(values), mark)


def test_every_result_is_drawn_from_python() -> None:
    plan, losses = ks.sgdr(peak=0.1, period=50).plan(total_steps=100), np.linspace(2, 1, 60)
    test = ks.RangeTest(np.geomspace(1e-5, 1, 60), [losses, losses + 0.1])
    for result in (plan, ks.compare(HIGH, LOW), test):
        assert result.draw() == draw(result, Screen(80))
        assert max(map(len, result.draw(width=40).splitlines())) <= 40
        for width in (39, "80"):
            with pytest.raises((ks.ArgumentError, ks.ArgumentTypeError)):
                result.draw(width=width)  # type: ignore[arg-type]


@pytest.mark.parametrize("unicode", [True, False])
def test_without_colour_each_curve_has_its_letter(unicode: bool) -> None:
    text = draw(ks.compare(HIGH, LOW), Screen(80, unicode=unicode))
    inside = rows(text)[:15]
    assert set(inside[0]) == {"A"}
    assert set(inside[7]) == {"B"}
    assert {mark for number in (*range(1, 7), *range(8, 15)) for mark in inside[number]} == {" "}
    assert text.isascii() is not unicode


def test_curves_that_share_their_characters_take_turns() -> None:
    text = draw(ks.compare(HIGH, HIGH), Screen(80))
    assert rows(text)[0].startswith("ABABABAB")
    assert len(rows(text)) == 15  # and no picture of a difference that is none


def test_in_colour_each_curve_has_fine_marks_and_its_own_colour() -> None:
    text = draw(ks.compare(HIGH, LOW, LOW), Screen(80, colour=True))
    assert "\x1b[38;5;33mA  hold(start=1.0)\x1b[0m" in text
    assert "\x1b[38;5;208mB  hold(start=0.5)\x1b[0m" in text
    assert "\x1b[38;5;35mC  hold(start=0.5)\x1b[0m" in text
    top = text.splitlines()[4]
    assert re.fullmatch(r" +1┤\x1b\[38;5;33m⠉+\x1b\[0m│", top)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert "\x1b" not in plain
    assert max(map(len, plain.splitlines())) == 80


@pytest.mark.parametrize("width", [1, 40, 45, 60, 80, 100, 120, 300])
@pytest.mark.parametrize("colour", [True, False])
def test_pictures_are_as_wide_as_the_screen_within_reason(width: int, colour: bool) -> None:
    plan = ks.sgdr(peak=6e-5, period="10ep").plan(epochs=35, steps_per_epoch=788)
    comparison = ks.compare(plan, HIGH, names=["a name " * 40, "b"])
    for text in (draw(plan, Screen(width, colour)), draw(comparison, Screen(width, colour))):
        plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
        assert max(map(len, plain.splitlines())) == min(max(width, 40), 120)


@pytest.mark.parametrize("scale", [1.0, 1e-7, 1e-12])
def test_difference_has_a_scale_of_its_own_with_labels_in_ascii(scale: float) -> None:
    first = ks.constant(1.0).plan(total_steps=100)
    second = ks.Schedule(ks.linear(99, start=1.0 - scale / 2, to=1.0 + scale)).plan(total_steps=100)
    text = draw(ks.compare(first, second, tolerance=0), Screen(80, unicode=False))
    assert text.isascii()
    below = text.split("B - A\n")[1]
    labels = [float(label) for label in re.findall(r"^ *(-?[0-9.]+(?:e-?\d+)?)\+", below, re.MULTILINE)]
    assert 0.0 in labels
    assert len(labels) >= 3
    assert labels == sorted(labels, reverse=True)
    assert max(map(abs, labels)) == pytest.approx(scale, rel=0.6)


def test_values_stand_at_the_rows_of_their_ticks() -> None:
    text = picture([line(4.0, 4.0), line(-2.0, -2.0, mark="B")], 2, Screen(60), 7)
    labelled = {text_line.split("┤")[0].strip(): text_line for text_line in text.splitlines() if "┤" in text_line}
    assert "AAAA" in labelled["4"]
    assert "BBBB" in labelled["-2"]
    assert "A" not in labelled["0"]
    assert "B" not in labelled["0"]


def test_jump_is_a_vertical_line_and_a_slope_has_no_gap() -> None:
    inside = rows(picture([line(0.0, 0.0, 1.0, 1.0)], 4, Screen(46, unicode=False), 9))
    columns = ["".join(row[column] for row in inside) for column in range(len(inside[0]))]
    assert all("A" in column for column in columns)
    assert all("A" in row for row in inside)


def test_steps_and_epochs_stand_under_their_columns() -> None:
    plan = ks.constant(0.1).plan(epochs=50, steps_per_epoch=788)
    *_, steps, epochs = draw(plan, Screen(80)).splitlines()
    width = 73
    assert steps.startswith("step  0 ")
    assert epochs.startswith("epoch 0 ")
    for text, unit, label in ((steps, 1, "20,000"), (epochs, 788, "40")):
        middle = text.index(label) + len(label) // 2 - 6
        assert middle == round(int(label.replace(",", "")) * unit / 39_399 * (width - 1))


@pytest.mark.parametrize(("epochs", "labels"), [(0.5, ["0.2", "0.4"]), (1, ["0", "1"]), (1000, ["200", "1,000"])])
def test_epochs_may_be_parts_or_thousands(epochs: float, labels: list[str]) -> None:
    plan = ks.constant(0.1).plan(epochs=epochs, steps_per_epoch=1000)
    written = draw(plan, Screen(80)).splitlines()[-1].split()
    assert written[0] == "epoch"
    assert set(labels) <= set(written)


def test_without_epochs_there_is_no_line_for_them() -> None:
    assert "epoch" not in draw(HIGH, Screen(80))


@pytest.mark.parametrize("total", [1, 2, 3, 2**63 - 1])
@pytest.mark.parametrize("rate", [0.0, 1e-300, 6e-5, 1.0, 1e5])
def test_every_run_and_every_rate_can_be_drawn(total: int, rate: float) -> None:
    plan = ks.constant(rate).plan(total_steps=total, steps_per_epoch=7)
    text = draw(plan, Screen(80))
    assert max(map(len, text.splitlines())) <= 80
    inside = curve(text)
    assert (inside[0] if rate else inside[-1]).strip()


def test_no_plotting_library_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "┌" in draw(ks.compare(HIGH, LOW), Screen(80))


def test_ticks_below_0() -> None:
    assert nice_ticks(1.0, 4, low=-0.5) == pytest.approx([-0.5, 0.0, 0.5, 1.0])
    assert nice_ticks(3e-7, 4, low=-1e-7) == pytest.approx([-1e-7, 0.0, 1e-7, 2e-7, 3e-7])
    assert nice_ticks(0.0, 4, low=-1.0) == pytest.approx([-1.0, -0.75, -0.5, -0.25, 0.0])
