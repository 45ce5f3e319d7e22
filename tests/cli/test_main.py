"""The command line, as a person or a pipe meets it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import kosine as ks
from kosine.cli import main
from tests.cli.console import COMMAND, SGDR, one_line

# --- mistakes ---------------------------------------------------------------------------------------------------


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
