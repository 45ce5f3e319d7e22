"""`kosine show`: the table, and the curve in terminals of all kinds."""

from __future__ import annotations

import re
import subprocess

import pytest

import kosine as ks
from kosine.cli import main
from kosine.cli.terminal import Screen, draw, nice_ticks
from tests.cli.console import COMMAND, SGDR, curve, on_a_terminal, run


def test_show_prints_the_table_and_the_curve(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(SGDR) == 0
    out, err = capsys.readouterr()
    plan = ks.sgdr(peak=0.05, period="10ep", stretch=2).plan(epochs=70, steps_per_epoch=100)
    assert out.startswith(f"{plan}\n\n")
    assert err == ""
    assert "#2" in out.split("total")[1]
    assert max(map(len, out.splitlines())) <= 80


def test_restarts_are_jumps_at_their_true_columns() -> None:
    plan = ks.sgdr(peak=0.05, period=1000, stretch=2).plan(total_steps=7000)
    rows = curve(draw(plan, Screen(80)))
    width = max(map(len, rows))
    for step in (1000, 3000):
        column = step * width // 7000
        full = [at for at in range(width) if all(row.ljust(width)[at] != " " for row in rows[1:-1])]
        assert any(abs(at - column) <= 1 for at in full), (step, column, full)


def test_peak_is_on_the_top_line_and_the_end_on_the_bottom_line() -> None:
    rows = curve(draw(ks.warmup_cosine(peak=1e-4, warmup="50%").plan(total_steps=10**9), Screen(80)))
    width = max(map(len, rows))
    assert abs(next(at for at, mark in enumerate(rows[0]) if mark != " ") - width // 2) <= 3
    assert rows[-1].ljust(width)[-1] != " "


def test_too_many_cycles_fill_their_envelope() -> None:
    text = draw(ks.sgdr(peak=0.05, period=10_000).plan(total_steps=10**9), Screen(80))
    assert {mark for row in curve(text)[1:-1] for mark in row[1:-1]} == {"⣿"}


@pytest.mark.parametrize("width", [20, 60, 80, 100, 300])
def test_picture_is_as_wide_as_the_screen_within_reason(width: int) -> None:
    lines = draw(ks.constant(0.1).plan(total_steps=10), Screen(width)).splitlines()
    assert max(map(len, lines)) == min(max(width, 40), 120)


def test_piped_output_has_no_control_codes() -> None:
    result = run(SGDR, TERM="xterm-256color", CLICOLOR_FORCE="1")
    assert result.returncode == 0
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", result.stdout)
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_terminal_gets_colour_and_its_own_width() -> None:
    text = on_a_terminal(SGDR)
    assert "\x1b[" in text
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert "\x1b" not in plain
    assert max(map(len, plain.splitlines())) == 60


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_terminal_without_colour_gets_none(environment: dict[str, str]) -> None:
    assert "\x1b" not in on_a_terminal(SGDR, **environment)


def test_output_that_takes_only_ascii_gets_only_ascii() -> None:
    result = run(SGDR, PYTHONIOENCODING="ascii")
    assert result.returncode == 0
    assert result.stdout.isascii()
    assert "*" in result.stdout


def test_reader_that_stops_reading_is_no_error() -> None:
    with subprocess.Popen([*COMMAND, *SGDR], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.parametrize(
    ("highest", "whole", "ticks"),
    [
        (10, True, [0, 2, 4, 6, 8, 10]),
        (3, True, [0, 1, 2, 3]),
        (1, True, [0, 1]),
        (13, True, [0, 5, 10]),
        (0.05, False, [0, 0.01, 0.02, 0.03, 0.04, 0.05]),
        (39_400, True, [0, 10_000, 20_000, 30_000]),
    ],
)
def test_ticks_are_round_numbers(highest: float, whole: bool, ticks: list[float]) -> None:
    assert nice_ticks(highest, 5, whole=whole) == pytest.approx(ticks)
