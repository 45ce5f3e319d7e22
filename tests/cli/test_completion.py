"""Shell completion: in a real bash, and by the protocol that zsh and fish speak."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from kosine.cli._export import TARGETS
from kosine.published import PUBLISHED
from tests.support.console import COMMAND

COMMANDS = ["show", "plot", "compare", "values", "lint", "export", "check", "infer", "recipes"]


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


def in_bash(*words: str) -> list[str]:
    """What bash completes the last word to; `file` where it completes names of files itself."""
    script = """
        eval "$(_KOSINE_COMPLETE=bash_source kosine)" || exit 9
        complete -p kosine >/dev/null || exit 8
        compopt() { [ "$2" = default ] && echo file; }  # the real one works while a key is pressed only
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        _kosine_completion kosine
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    result = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", "kosine", *words], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([""], COMMANDS),
        (["s"], ["show"]),
        (["--h"], ["--help"]),
        (["show", "gpt"], ["file", "gpt-3"]),
        (["show", "zzz"], ["file"]),
        (["show", ""], ["file", *PUBLISHED]),
        (["show", "gpt-3", "--st"], ["--steps-per-epoch"]),
        (["show", """'sgdr(peak=0.05, period="10ep")'""", "--tot"], ["--total-steps"]),
        (["show", "-", "--tot"], ["--total-steps"]),
        (["show", "missing.json", "--tot"], ["--total-steps"]),
        (["export", "gpt-3", "--to", ""], list(TARGETS)),
        (["export", "gpt-3", "--to", "p"], ["python"]),
        (["export", "gpt-3", "-o", ""], ["file"]),
        (["values", "gpt-3", "--per"], ["--per-epoch"]),
        (["check", ""], ["file"]),
        (["check", "run.csv", "gpt"], ["file", "gpt-3"]),
        (["infer", "missing.csv", "--step-c"], ["--step-column"]),
    ],
)
def test_bash(words: list[str], expected: list[str], folder: Path) -> None:
    assert in_bash(*words) == expected


def test_bash_names_schedule_files_beside_the_recipes(folder: Path) -> None:
    for name in ("gpt.toml", "gpt.json", "gpt.txt", "other.toml"):
        (folder / name).touch()
    assert in_bash("show", "gp") == ["file", "gpt-3", "gpt.json", "gpt.toml"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells(shell: str, folder: Path) -> None:
    def kosine(instruction: str, **variables: str) -> str:
        environment = {**os.environ, "_KOSINE_COMPLETE": f"{shell}_{instruction}", **variables}
        result = subprocess.run(["kosine"], env=environment, capture_output=True, text=True, check=False)
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout

    assert "_kosine_completion" in kosine("source")
    word = "--to" if shell == "fish" else "3"
    assert "--total-steps" in kosine("complete", COMP_WORDS="kosine show gpt-3 --to", COMP_CWORD=word)
    assert "gpt-3" in kosine("complete", COMP_WORDS="kosine show gp", COMP_CWORD="gp" if shell == "fish" else "2")


@pytest.mark.parametrize("words", ["kosine ", *(f"kosine {command} gpt-3 --j" for command in COMMANDS)])
def test_completing_imports_no_numpy(words: str) -> None:
    code = (
        "import sys; from kosine.cli import main; status = main([]); "
        "sys.exit(status or any(name in sys.modules for name in ('numpy', 'matplotlib', 'kosine._export')))"
    )
    environment = {
        **os.environ,
        "_KOSINE_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert ("plain,show" if words == "kosine " else "plain,--json") in result.stdout


def test_unknown_request_fails_quietly() -> None:
    environment = {**os.environ, "_KOSINE_COMPLETE": "tcsh_source"}
    result = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", "")
