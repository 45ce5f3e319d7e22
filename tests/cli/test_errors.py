"""Errors of the command line: options by their names, the user's own text as it is, wrapped, and as JSON."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kosine.cli import main
from kosine.cli._errors import CommandError
from kosine.errors import ArgumentError, Name, PlanError
from tests.support.console import COMMAND, one_line, refused

# --- names ------------------------------------------------------------------------------------------------------


def text_of(error: PlanError | ArgumentError, **where: Any) -> str:
    return CommandError(error, **where).text


def test_an_argument_is_the_option_of_the_called_command_and_else_as_in_python() -> None:
    error = ArgumentError(
        argument="total_steps", rule="an integer >= 1", received=0, fix=("Or give ", Name("epochs"), ".")
    )
    assert text_of(error, options={"total_steps"}) == (
        "--total-steps must be an integer >= 1. Received: --total-steps=0. Or give `epochs`."
    )
    assert text_of(error) == str(error)


def test_what_the_schedules_own_file_says_is_called_by_its_key_there() -> None:
    error = PlanError(
        ("Arguments ", Name("total_steps"), " and ", Name("epochs"), " disagree."),
        received={"total_steps": 26, "epochs": 5, "steps_per_epoch": 5},
    )
    options = {"total_steps", "epochs", "steps_per_epoch"}
    assert text_of(error, options=options, keys={"epochs"}, file="run.toml") == (
        "run.toml: --total-steps and epochs in [run] disagree. Received: --total-steps=26, epochs = 5, "
        "--steps-per-epoch=5."
    )
    assert text_of(error, options=options, keys={"samples_per_step"}, file="run.toml").startswith("--total-steps and")


@pytest.mark.parametrize(
    ("text", "echo"),
    [
        ("torch.OneCycleLR(0.1,total_steps=100", "torch.OneCycleLR(0.1,total_steps=100"),
        ("torch.OneCycleLR(0.1,epochs=`epochs`)", "torch.OneCycleLR(0.1,epochs=`epochs`)"),
        ("constant(lr=0.1, total_steps=5)", "`constant` has no argument 'total_steps'."),
        ("constant(points=3)", "points"),
    ],
)
@pytest.mark.parametrize("command", [["show"], ["values", "--at", "1"], ["plot", "-o", "a.png"]])
def test_the_users_own_text_is_never_rewritten(
    command: list[str], text: str, echo: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, text, "--total-steps", "9"]) == 2
    err = capsys.readouterr().err
    one_line(err, "^kosine: ")
    assert echo in err
    own_words = ("--help", "as --total-steps, or as --epochs and --steps-per-epoch")  # the fix names options itself
    assert "--" not in err.replace(own_words[0], "").replace(own_words[1], "")


# --- as JSON ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["show", "constant(-1)"],
            {"type": "ScheduleError", "argument": "lr", "received": "-1", "rule": "a finite learning rate >= 0"},
        ),
        (
            ["show", "constant(0.1)", "--epochs", "3"],
            {"type": "PlanError", "received": {"epochs": "3.0"}, "message": "--epochs needs --steps-per-epoch (or "
             "--dataset-size and --batch-size). Received: --epochs=3.0."},
        ),
        (["show", "none.toml"], {"type": "OSError", "message": "none.toml: No such file or directory"}),
        (["show", "constant(0.1)", "--total-step", "5"], {"type": "UsageError"}),
        (["shew"], {"message": "No such command 'shew'. Did you mean 'show'? See: kosine --help"}),
    ],
)  # fmt: skip
def test_an_error_is_an_object_if_asked_for(
    arguments: list[str], expected: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    error = json.loads(err)["error"]
    assert error.items() >= expected.items()
    assert error["message"]


def test_help_says_where_errors_go(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert 'With --json it is an object: {"error": {"type": ..., "message": ..., ...}}' in out


# --- on a terminal ----------------------------------------------------------------------------------------------


def on_a_terminal_of(columns: int, arguments: list[str]) -> list[str]:
    """The lines that a command writes to standard error, which is a terminal of this width."""
    reader, writer = pty.openpty()
    subprocess.run(["stty", "cols", str(columns), "rows", "40", "-onlcr"], stdin=writer, check=True)
    done = subprocess.run([*COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=writer, check=False)
    os.close(writer)
    written = b""
    while True:
        try:
            chunk = os.read(reader, 65536)
        except OSError:  # the other end is closed, and all is read
            break
        if not chunk:
            break
        written += chunk
    os.close(reader)
    assert done.returncode == 2
    return written.decode().splitlines()


@pytest.mark.parametrize(("columns", "widest"), [(40, 40), (80, 80), (200, 100)])
def test_an_error_is_wrapped_to_the_terminal(columns: int, widest: int) -> None:
    lines = on_a_terminal_of(columns, ["show", "warmup_cosine(peak=0.1)"])
    assert len(lines) > 1
    assert max(map(len, lines)) <= widest
    assert lines[0].startswith("kosine: The run's length is missing.")
    assert all(line.startswith("  ") for line in lines[1:])
    assert " ".join(line.strip() for line in lines).endswith("--batch-size), or --total-steps.")


def test_a_long_word_is_not_cut() -> None:
    name = "a-rather/long-name/of-a-file/that-does-not-fit/into-one-line.toml"
    assert any(name in line for line in on_a_terminal_of(40, ["show", name]))


# --- python -m kosine -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["kosine", "kosine.cli"])
def test_module_is_the_command(module: str, tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", module, "export", "constant(0.1)", "--to", "json"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["format"] == "kosine"


def test_module_without_click_says_what_to_install() -> None:
    code = (
        "import sys, runpy; sys.modules['click'] = None; sys.argv = ['kosine', 'show']; "
        "runpy.run_module('kosine', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    one_line(done.stderr, r"^kosine: The command line needs click\. .*pip install '\.\[cli\]'$")


def test_a_batch_of_another_size_is_named_by_its_options(capsys: pytest.CaptureFixture[str]) -> None:
    refused(
        capsys,
        ["show", "sgdr-10-2", "--batch-size", "9"],
        r"^kosine: --batch-size needs --dataset-size, or --steps-per-epoch ",
    )
