"""The command line, as a person or a pipe meets it."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest

import kosine as ks
from kosine.cli import main
from kosine.cli.terminal import Screen, draw, nice_ticks

COMMAND = [sys.executable, "-m", "kosine.cli"]
SGDR = ["show", 'sgdr(peak=0.05, period="10ep", stretch=2)', "--epochs", "70", "--steps-per-epoch", "100"]


def run(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def on_a_terminal(arguments: list[str], **environment: str) -> str:
    """What the command writes to a terminal of 60 columns."""
    reader, writer = pty.openpty()
    variables = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES")}
    variables |= {"TERM": "xterm-256color", **environment}
    subprocess.run(["stty", "cols", "60", "rows", "40"], stdin=writer, check=True)
    with subprocess.Popen([*COMMAND, *arguments], stdin=writer, stdout=writer, env=variables) as process:
        os.close(writer)
        written = b""
        while select.select([reader], [], [], 30)[0]:
            try:
                chunk = os.read(reader, 65536)
            except OSError:
                break
            if not chunk:
                break
            written += chunk
    os.close(reader)
    assert process.returncode == 0
    return written.decode()


def curve(text: str) -> list[str]:
    """The lines of the picture between its frame's sides."""
    return [
        line.split("┤" if "┤" in line else "│", 1)[1].rstrip("│") for line in text.splitlines() if line.endswith("│")
    ]


# --- show -------------------------------------------------------------------------------------------------------


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


# --- png --------------------------------------------------------------------------------------------------------


def test_png_is_written_whole_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "picture.image"
    assert main([*SGDR, "--png", str(target)]) == 0
    assert target.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["picture.image"]
    assert str(target) in capsys.readouterr().out


def test_png_with_mathematics_in_the_text_is_drawn(tmp_path: Path) -> None:
    text = "warmup_cosine(peak=1e-3, warmup='10%')" + " " * 200
    assert main(["show", text, "--total-steps", "100", "--png", str(tmp_path / "a.png")]) == 0


@pytest.mark.parametrize("name", ["no/such/folder.png", "."])
def test_png_that_cannot_be_written_is_one_line(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SGDR, "--png", str(tmp_path / name)]) == 2
    one_line(capsys.readouterr().err, re.escape(str(tmp_path)))
    assert list(tmp_path.iterdir()) == []


# --- mistakes ---------------------------------------------------------------------------------------------------


def one_line(err: str, pattern: str) -> None:
    assert err.startswith("kosine: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert "Traceback" not in err
    assert re.search(pattern, err), err


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        (["show"], r"Missing argument 'SCHEDULE'.*kosine show --help"),
        (["shew"], r"No such command 'shew'.*kosine --help"),
        (["show", "constant(0.1)", "--total-step"], r"No such option.*--total-steps"),
        (["show", "constant(0.1)", "--total-steps", "many"], r"'many' is not a whole number"),
        (["show", "constant(0.1)", "--total-steps", "0"], r"--total-steps must be an integer >= 1.*--total-steps=0"),
        (["show", "constant(0.1)", "--epochs", "x"], r"'x' is not a valid float"),
        (["show", "constant(0.1)", "--epochs", "3"], r"--epochs needs --steps-per-epoch"),
        (["show", "constant(0.1)"], r"never ends.*Give --total-steps, or --epochs and --steps-per-epoch"),
        (["show", "sgdr(peak=0.1, period=10)"], r"never ends.*Give --total-steps"),
        (["show", "warmup_cosine(peak=0.1)"], r"Give --total-steps, or --epochs and --steps-per-epoch"),
        (["show", "sgdr(peak=0.1, period='3ep')", "--total-steps", "9"], r"so the run needs --steps-per-epoch"),
        (["show", "sgdr(peak=0.1, period='3tok')", "--total-steps", "9"], r"so the run needs --tokens-per-step"),
        (["show", "sgdr(peak=0.1", "--total-steps", "9"], r"Not a schedule expression"),
        (["show", "__import__('os')", "--total-steps", "9"], r"Not a schedule expression"),
        (["show", "constant(-1)", "--total-steps", "9"], r"lr=-1"),
        (["show", "constant(0.1,\n\nlr=3)", "--total-steps", "9"], r"constant"),
        (["show", "warmup_cosine(peak=0.1, warmup=30)", "--total-steps", "20"], r"leave no step.*20 steps"),
    ],
)
def test_mistake_is_one_clear_line_and_status_2(
    arguments: list[str], pattern: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    one_line(err, pattern)


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_full_disk_is_one_line(unbuffered: str) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [*COMMAND, *SGDR], stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment
        )
    assert result.returncode == 2
    one_line(result.stderr, "No space left on device")


@pytest.mark.parametrize("package", ["click", "plotext"])
def test_missing_package_is_one_line_with_the_fix(
    package: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert main(SGDR) == 2
    out, err = capsys.readouterr()
    assert out == ""
    one_line(err, rf"{package}: pip install 'kosine\[cli\]'")


# --- help -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["show", "--help"]])
def test_help_has_an_example_that_works(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 100
    example = re.search(r"kosine (show) '(.*?)' ((?:--[a-z-]+\s+\S+\s*)+)", out)
    assert example is not None
    options = example[3].split()
    options = options[: options.index("--png")] if "--png" in options else options
    assert main([example[1], example[2], *options]) == 0


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"kosine, version {ks.__version__}\n"


def test_help_imports_no_command_and_no_numpy() -> None:
    code = (
        "import sys; from kosine.cli import main; main(['--help']); "
        "sys.exit(any(name in sys.modules for name in ('numpy', 'plotext', 'matplotlib', 'kosine.cli.show')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


# --- numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["12000", "12_000", "12,000", "12e3"])
def test_counts_may_be_written_for_people(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "constant(0.1)", "--total-steps", text]) == 0
    assert re.search(r"total +12,000\n", capsys.readouterr().out)


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
