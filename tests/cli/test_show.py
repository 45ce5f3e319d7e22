"""`kosine show`: the table, the totals, and the curve in terminals of all kinds."""

from __future__ import annotations

import json
import re
import subprocess

import numpy as np
import pytest

import kosine as ks
from kosine._display.terminal import Screen, draw, nice_ticks
from kosine.cli import main
from tests.support.console import COMMAND, SGDR, curve, on_a_terminal, run, seconds_of


def test_show_prints_the_table_and_the_curve(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(SGDR) == 0
    out, err = capsys.readouterr()
    plan = ks.sgdr(peak=0.05, period="10ep", stretch=2).plan(epochs=70, steps_per_epoch=100)
    assert out.startswith(f"{plan}\n\n")
    assert err == ""
    assert "#2" in out.split("total")[1]
    assert max(map(len, out.splitlines())) <= 80


def test_clip_cuts_the_schedule_to_the_run_and_says_what_it_changed(capsys: pytest.CaptureFixture[str]) -> None:
    size = ["--epochs", "1", "--steps-per-epoch", "32"]
    assert main(["show", 'warmup_cosine(peak=0.1, warmup="5ep")', *size, "--clip"]) == 0
    out, err = capsys.readouterr()
    plan = ks.warmup_cosine(peak=0.1, warmup="5ep").plan(epochs=1, steps_per_epoch=32, clip=True)
    assert out.startswith(f"{plan}\n\n")
    assert err.splitlines() == [f"Clipped: {sentence}" for sentence in plan.clipped]
    assert main(["show", "constant(0.1)", *size, "--clip"]) == 0
    assert capsys.readouterr().err == ""


def test_totals_stand_between_the_table_and_the_curve(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["show", 'wsd(peak=0.4, warmup="10%", cooldown="20%")', "--epochs", "2.5", "--steps-per-epoch", "40"]) == 0
    )
    plan = ks.wsd(peak=0.4, warmup="10%", cooldown="20%").plan(epochs=2.5, steps_per_epoch=40)
    rates = [plan(step) for step in range(100)]
    assert capsys.readouterr().out.split("\n\n")[1].splitlines() == [
        "steps                      100",
        "epochs                     2.5",
        f"area under the curve       {sum(rates):.6g}",
        f"mean rate / peak           {sum(rates) / 100 / 0.4:.4f}",
        f"steps above half the peak  {sum(rate > 0.2 for rate in rates):.2f}%",
    ]


def test_totals_without_epochs_have_no_line_for_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "constant(0.1)", "--total-steps", "7"]) == 0
    assert re.search("^steps +7\narea", capsys.readouterr().out, re.MULTILINE)


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SGDR, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    plan = ks.sgdr(peak=0.05, period="10ep", stretch=2).plan(epochs=70, steps_per_epoch=100)
    rates = plan(np.arange(7000))
    phases = data.pop("phases")
    assert ks.parse(data.pop("schedule")) == plan.schedule
    assert data == {
        "total_steps": 7000,
        "steps_per_epoch": 100,
        "epochs": 70.0,
        "seconds": None,
        "area": pytest.approx(rates.sum()),
        "peak": 0.05,
        "lowest": rates.min(),
        "mean": pytest.approx(rates.mean()),
        "mean_over_peak": pytest.approx(rates.mean() / 0.05),
        "share_above_half": (rates > 0.025).sum() / 7000,
        "sampled": False,
        "phases_total": 3,
    }
    assert phases[0] == {
        "name": "cosine",
        "cycle": 1,
        "first_step": 0,
        "steps": 1000,
        "epochs": 10.0,
        "first_learning_rate": 0.05,
        "end_learning_rate": 0.0,
    }
    assert [(row["cycle"], row["first_step"], row["steps"]) for row in phases] == [
        (1, 0, 1000),
        (2, 1000, 2000),
        (3, 3000, 4000),
    ]


def test_json_of_a_phase_that_goes_on_for_ever_has_what_stands_at_the_end_of_the_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "Schedule(section(inverse_sqrt(start=1.0, timescale=1)))"
    assert main(["show", text, "--total-steps", "99", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    (row,) = data["phases"]
    assert (row["cycle"], row["steps"], row["epochs"]) == (None, None, None)
    assert (row["first_learning_rate"], row["end_learning_rate"]) == (1.0, 0.1)


def test_json_lists_a_bounded_number_of_phases(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "sgdr(peak=0.05, period=10_000)", "--total-steps", "1e9", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["phases_total"], len(data["phases"])) == (100_000, 1000)


def test_a_billion_steps_take_about_as_long_as_a_thousand() -> None:
    short, long = (
        min(seconds_of(["show", f"sgdr(peak=0.05, period={period})", "--total-steps", steps]) for _ in range(5))
        for period, steps in ((100, "1e3"), (10_000, "1e9"))
    )
    assert long < 2 * short + 0.3  # with the start, 1.5 times is wanted; the benchmark measures it


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
