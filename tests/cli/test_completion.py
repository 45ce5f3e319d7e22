"""Shell completion: in a real bash, and by the protocol that zsh and fish speak."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from kosine.cli import main
from kosine.cli._export import TARGETS
from kosine.published import PUBLISHED
from tests.support.console import COMMAND

COMMANDS = [
    *("show", "plot", "compare", "rank", "sample", "branch", "extend", "values", "lint", "export", "check", "infer"),
    "recipes",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with a `kosine` on the path that is the one under test."""
    program = tmp_path / "bin" / "kosine"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def requested(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], instruction: str, **variables: str
) -> str:
    """What the command prints when a shell asks it: the script of its completion, or words."""
    for name, value in {"_KOSINE_COMPLETE": instruction, **variables}.items():
        monkeypatch.setenv(name, value)
    assert main([]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


@pytest.fixture(scope="module")
def script() -> str:
    """What is written in bash's start-up file, already evaluated, and how its words are printed."""
    result = subprocess.run(
        COMMAND, env={**os.environ, "_KOSINE_COMPLETE": "bash_source"}, capture_output=True, text=True, check=True
    )
    return (
        result.stdout
        + """
        complete -p kosine >/dev/null || exit 8
        compopt() { [ "$2" = default ] && echo file; }  # the real one works while a key is pressed only
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        _kosine_completion kosine
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    )


def in_bash(script: str, words: list[str]) -> list[str]:
    """What bash completes the last word to; `file` where it completes names of files itself."""
    result = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", "kosine", *words], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([""], COMMANDS),
        (["s"], ["show", "sample"]),
        (["--h"], ["--help"]),
        (["show", "gpt"], ["file", "gpt-3"]),
        (["show", "zzz"], ["file"]),
        (["show", ""], ["file", *PUBLISHED]),
        (["show", "gpt-3", "--st"], ["--steps-per-epoch"]),
        (["show", """'sgdr(peak=0.05, period="10ep")'""", "--total-st"], ["--total-steps"]),
        (["show", "-", "--total-st"], ["--total-steps"]),
        (["show", "missing.json", "--total-st"], ["--total-steps"]),
        (["export", "gpt-3", "--to", ""], list(TARGETS)),
        (["export", "gpt-3", "--to", "p"], ["python"]),
        (["export", "gpt-3", "-o", ""], ["file"]),
        (["values", "gpt-3", "--per"], ["--per-epoch"]),
        (["branch", "gpt"], ["file", "gpt-3"]),
        (["branch", "gpt-3", "--cool"], ["--cooldown"]),
        (["branch", "gpt-3", "--shape", ""], ["one_minus_sqrt", "linear", "cosine"]),
        (["extend", "gpt-3", "--how", ""], ["stretch", "hold", "meet"]),
        (["extend", "gpt-3", "--at", "6k", "--new"], ["--new-total-steps"]),
        (["check", ""], ["file"]),
        (["check", "run.csv", "gpt"], ["file", "gpt-3"]),
        (["check", "missing.csv", "--step-c"], ["--step-column"]),
        (["infer", ""], ["file"]),
        (["infer", "missing.csv", "--step-c"], ["--step-column"]),
    ],
)
def test_what_bash_is_answered(
    words: list[str],
    expected: list[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = {"COMP_WORDS": " ".join(["kosine", *words]), "COMP_CWORD": str(len(words))}
    answers = [answer.split(",", 1) for answer in requested(monkeypatch, capsys, "bash_complete", **line).splitlines()]
    assert [kind if kind == "file" else word for kind, word in answers] == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([""], COMMANDS),
        (["show", """'sgdr(peak=0.05, period="10ep")'""", "--total-st"], ["--total-steps"]),
        (["check", "run.csv", "gpt"], ["file", "gpt-3"]),
    ],
)
def test_bash(words: list[str], expected: list[str], folder: Path, script: str) -> None:
    assert in_bash(script, words) == expected


def test_bash_names_schedule_files_beside_the_recipes(folder: Path, script: str) -> None:
    for name in ("gpt.toml", "gpt.json", "gpt.txt", "other.toml"):
        (folder / name).touch()
    assert in_bash(script, ["show", "gp"]) == ["file", "gpt-3", "gpt.json", "gpt.toml"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells(shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def kosine(instruction: str, **variables: str) -> str:
        return requested(monkeypatch, capsys, f"{shell}_{instruction}", **variables)

    assert "_kosine_completion" in kosine("source")
    word = "--to" if shell == "fish" else "3"
    assert "--total-steps" in kosine("complete", COMP_WORDS="kosine show gpt-3 --to", COMP_CWORD=word)
    assert "gpt-3" in kosine("complete", COMP_WORDS="kosine show gp", COMP_CWORD="gp" if shell == "fish" else "2")


def test_completing_imports_no_numpy() -> None:
    code = (
        "import os, sys; from kosine.cli import main\n"
        "for words in sys.argv[1:]:\n"
        "    os.environ.update(COMP_WORDS=words, COMP_CWORD=str(words.count(' ')))\n"
        "    assert main([]) == 0\n"
        "sys.exit(any(name in sys.modules for name in ('numpy', 'matplotlib', 'kosine._export')))"
    )
    lines = ["kosine ", *(f"kosine {command} gpt-3 --j" for command in COMMANDS)]
    environment = {**os.environ, "_KOSINE_COMPLETE": "bash_complete"}
    result = subprocess.run(
        [sys.executable, "-c", code, *lines], env=environment, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("plain,show\n") == 1
    assert result.stdout.count("plain,--json\n") == len(COMMANDS)


def test_unknown_request_fails_quietly() -> None:
    environment = {**os.environ, "_KOSINE_COMPLETE": "tcsh_source"}
    result = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", "")
