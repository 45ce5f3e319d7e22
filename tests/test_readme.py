"""The README's examples run as they stand and print what they say; its commands exist."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HELPERS = {"__init__", "__main__", "backends", "measure"}
EXAMPLES = re.findall(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", README, re.DOTALL)
CONSOLE = re.findall(r"```console\n(.*?)```\n(?:\n```text\n(.*?)```)?", README, re.DOTALL)
COMMANDS = [
    (line, output) for block, output in CONSOLE for line in re.findall(r"^\$ kosine (.*)$", block, re.MULTILINE)
]


def run(*command: str, cwd: Path) -> str:
    quiet = {"KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **quiet}, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_has_its_output() -> None:
    assert len(EXAMPLES) == README.count("```python") == 15
    assert README.count("```text") == 15 + sum(bool(output) for _, output in CONSOLE)


@pytest.mark.parametrize(("code", "output"), EXAMPLES, ids=range(1, len(EXAMPLES) + 1))
def test_example(code: str, output: str, tmp_path: Path) -> None:
    assert run(sys.executable, "-c", code, cwd=tmp_path) == output


@pytest.mark.parametrize(("command", "output"), COMMANDS)
def test_command(command: str, output: str, tmp_path: Path) -> None:
    arguments = shlex.split(command)
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "gpt2-124m.csv", tmp_path / "docs")
    done = subprocess.run(
        [sys.executable, "-m", "kosine.cli", *arguments], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.stderr == ""
    assert done.returncode == (arguments[0] in ("compare", "check"))  # those that are compared differ
    if output:
        assert done.stdout == output
    else:  # it is there for its picture, which the README shows
        assert (tmp_path / arguments[-1]).stat().st_size
        assert f"]({Path(arguments[-1]).with_suffix('.png')})" in README


def test_every_picture_has_its_command() -> None:
    made = {str(Path(shlex.split(command)[-1]).with_suffix(".png")) for command, output in COMMANDS if not output}
    assert made == set(re.findall(r"!\[.*?\]\((.*?)\)", README))


def test_the_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake (\w+)", README)) - {"in"}
    assert {"demo", "test", "bench", "docs"} <= named
    for target in named & {"demo", "test", "bench", "docs"}:
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
