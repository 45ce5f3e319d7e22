"""`kosine compare`: the table, the pictures, the files and the exit status."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

import kosine as ks
from kosine.cli import main
from tests.support.console import COMMAND, on_a_terminal, one_line, refused, run, seconds_of

COSINE, WSD = "warmup_cosine(peak=1e-3, warmup=500)", 'wsd(peak=1e-3, warmup=500, cooldown="20%")'
TWO = ["compare", COSINE, WSD, "--total-steps", "10000"]


def test_prints_the_table_and_both_pictures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(TWO) == 1
    out, err = capsys.readouterr()
    plans = [ks.parse(text).plan(total_steps=10_000) for text in (COSINE, WSD)]
    comparison = ks.compare(*plans, names=[COSINE, WSD])
    assert out.startswith(f"{comparison}\n\n  A  {COSINE}\n  B  {WSD}\n")
    assert out.count("└") == 2
    assert "\n  B - A\n" in out
    assert err == ""
    assert max(map(len, out.splitlines())) <= 80


def test_equal_schedules_are_status_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", COSINE, COSINE, "--total-steps", "1000"]) == 0
    out = capsys.readouterr().out
    assert "They are equal: the same rates at all 1,000 steps." in out
    assert f"B  {COSINE} (2)" in out
    assert " - A" not in out  # there is no difference to draw


@pytest.mark.parametrize(
    ("tolerance", "status"), [("0", 1), ("0.0099", 1), ("0.01", 0), ("1", 0), ("0.9%", 1), ("1%", 0)]
)
def test_tolerance_decides_the_status(tolerance: str, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["compare", "constant(1)", "constant(1.01)", "--total-steps", "5", "--json", "--tolerance", tolerance]
    assert main(arguments) == status
    assert json.loads(capsys.readouterr().out)["equal"] is (status == 0)


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["compare", "constant(0.5)", 'Schedule(linear("1ep", start=0.5, to=0.0))', "constant(0.5)"]
    assert main([*arguments, "--epochs", "2", "--steps-per-epoch", "4", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "equal": False,
        "exhaustive": True,
        "tolerance": 1e-9,
        "peak": 0.5,
        "total_steps": 8,
        "steps_per_epoch": 4,
        "plans": [
            {"name": "constant(0.5)", "total_steps": 8, "peak": 0.5, "area": 4.0, "share_of_first_area": 1.0},
            {
                "name": 'Schedule(linear("1ep", start=0.5, to=0.0))',
                "total_steps": 8,
                "peak": 0.5,
                "area": 1.25,
                "share_of_first_area": 0.3125,
            },
            {"name": "constant(0.5) (2)", "total_steps": 8, "peak": 0.5, "area": 4.0, "share_of_first_area": 1.0},
        ],
        "differences": [
            {
                "name": 'Schedule(linear("1ep", start=0.5, to=0.0))',
                "first_step": 1,
                "first_epoch": 0.25,
                "largest": {
                    "step": 4,
                    "epoch": 1.0,
                    "learning_rate_of_first": 0.5,
                    "learning_rate": 0.0,
                    "difference": 0.5,
                    "share_of_peak": 1.0,
                },
                "steps_looked_at": None,
            },
            {
                "name": "constant(0.5) (2)",
                "first_step": None,
                "first_epoch": None,
                "largest": {
                    "step": 0,
                    "epoch": 0.0,
                    "learning_rate_of_first": 0.5,
                    "learning_rate": 0.5,
                    "difference": 0.0,
                    "share_of_peak": 0.0,
                },
                "steps_looked_at": None,
            },
        ],
    }


def test_files_keep_their_own_run_unless_options_say_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, epochs in (("short", 2), ("long", 3)):
        (tmp_path / f"{name}.toml").write_text(
            f"schedule = 'constant(0.1)'\nrun = {{ epochs = {epochs}, steps_per_epoch = 10 }}\n"
        )
    files = [str(tmp_path / "short.toml"), str(tmp_path / "long.toml")]
    assert main(["compare", *files]) == 0
    assert "A ends at step 20 of 30; from there on it stays at 0.1." in capsys.readouterr().out
    assert main(["compare", *files, "--epochs", "7", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [plan["total_steps"] for plan in data["plans"]] == [70, 70]
    assert [plan["name"] for plan in data["plans"]] == files


@pytest.mark.parametrize(
    ("ending", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("PDF", b"%PDF"), ("html", b"<!doctype html>")]
)
def test_writes_a_picture_of_the_kind_that_the_ending_tells(
    ending: str, begins: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / f"difference.{ending}"
    assert main([*TWO, "-o", str(target)]) == 1
    assert target.read_bytes().lower().startswith(begins.lower())
    assert capsys.readouterr().out.endswith(f"\nwrote {target}\n")
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_page_escapes_names(tmp_path: Path) -> None:
    (tmp_path / "<b>&.toml").write_text("schedule = 'constant(0.1)'\nrun = { total_steps = 5 }\n")
    target = tmp_path / "page.html"
    assert main(["compare", str(tmp_path / "<b>&.toml"), COSINE, "--total-steps", "1000", "-o", str(target)]) == 1
    text = target.read_text()
    assert "<b>&" not in text


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        ([], r"Missing argument 'SCHEDULE"),
        ([COSINE, "--total-steps", "1000"], r"Give two schedules or more\. See: kosine compare --help"),
        (
            [COSINE, "constant(0.1)"],
            r"The run's length is missing\. Give --epochs and --steps-per-epoch.*--total-steps",
        ),
        (["constant(0.2)", "constant(0.1)"], r"never end.*Give --total-steps, or --epochs and --steps-per-epoch"),
        ([COSINE, COSINE, "--total-steps", "1000", "--tolerance", "-1"], r"--tolerance.*-1"),
        ([COSINE, COSINE, "--total-steps", "1000", "--tolerance", "nan"], r"tolerance=nan"),
        ([COSINE, COSINE, "--total-steps", "1000", "-o", "x.gif"], r"'x\.gif'.*\.png, \.svg, \.pdf, \.html"),
        ([COSINE, "nothing.json", "--total-steps", "1000"], r"nothing\.json: No such file"),
        ([COSINE, COSINE, "--total-steps", "1000", "-o", "/no/such/folder/x.png"], r"The folder of a file must exist"),
        ([COSINE, COSINE, "--total-steps", "1000", "-o", "/no/such/folder/x.html"], r"mkdir -p /no/such/folder"),
    ],
)
def test_mistake_is_one_clear_line_and_status_2(
    arguments: list[str], pattern: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(capsys, ["compare", *arguments], pattern)


def test_json_with_a_picture_says_what_was_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "difference.svg"
    assert main([*TWO, "-o", str(file), "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert (data["equal"], data["written"], data["bytes"]) == (False, str(file), file.stat().st_size)


def test_standard_input_is_read_once() -> None:
    result = subprocess.run(
        [*COMMAND, "compare", "-", "-"], input="constant(0.1)", capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    one_line(result.stderr, "Standard input can be read once: give `-` for one schedule only")


def test_piped_output_has_no_control_codes_and_status_1() -> None:
    result = run(TWO, TERM="xterm-256color", CLICOLOR_FORCE="1")
    assert result.returncode == 1
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", result.stdout)
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_output_that_takes_only_ascii_gets_only_ascii() -> None:
    result = run(TWO, PYTHONIOENCODING="ascii")
    assert result.returncode == 1
    assert result.stdout.isascii()


def test_terminal_gets_a_colour_for_each_curve() -> None:
    arguments = ["compare", COSINE, WSD, "--total-steps", "10000", "--tolerance", "1"]
    text = on_a_terminal(arguments)
    assert len(set(re.findall(r"\x1b\[38;5;(\d+)m", text))) == 2
    assert "\x1b" not in on_a_terminal(arguments, NO_COLOR="1")


def test_a_billion_steps_take_about_as_long_as_a_thousand() -> None:
    two = ["compare", "sgdr(peak=0.05, period=10000)", "sgdr(peak=0.04, period=10000)", "--total-steps"]
    long, short = (min(seconds_of([*two, total], status=1) for _ in range(3)) for total in ("1000000000", "1000"))
    assert long < 2 * short + 1
