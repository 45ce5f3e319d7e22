"""The README's examples run as they stand and print what they say; its commands exist."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HELPERS = {"__init__", "__main__", "backends", "measure"}
EXAMPLES = re.findall(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", README, re.DOTALL)


def run(*command: str, cwd: Path) -> str:
    quiet = {"KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **quiet}, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_has_its_output() -> None:
    assert len(EXAMPLES) == README.count("```python") == README.count("```text") == 13


@pytest.mark.parametrize(("code", "output"), EXAMPLES, ids=range(1, len(EXAMPLES) + 1))
def test_example(code: str, output: str, tmp_path: Path) -> None:
    assert run(sys.executable, "-c", code, cwd=tmp_path) == output


def test_the_command_line_example(tmp_path: Path) -> None:
    (command,) = re.findall(r"```console\n\$ kosine (.*)\n```", README)
    printed = run(sys.executable, "-m", "kosine.cli", *shlex.split(command), cwd=tmp_path)
    assert "cosine  #3       3,000  4,000      40  0.05   0" in printed


def test_the_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake (\w+)", README)) - {"in"}
    assert {"demo", "test", "bench"} <= named
    for target in named & {"demo", "test", "bench"}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_linked_files_exist() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).is_file(), target


def test_every_figure_has_its_command() -> None:
    measured = README[README.index("## Measured") : README.index("## Limits")]
    commands = set(re.findall(r"`python -m benchmarks\.(\w+)`", measured))
    assert commands == {file.stem for file in (ROOT / "benchmarks").glob("*.py")} - HELPERS
    for command in commands:
        assert (ROOT / "benchmarks" / f"{command}.py").is_file()
