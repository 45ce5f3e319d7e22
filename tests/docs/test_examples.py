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
    named = set(re.findall(r"`make ([\w-]+)`|^make ([\w-]+)", README, re.MULTILINE))
    named = {one or other for one, other in named}
    assert {"demo", "test", "test-slow", "test-oldest", "bench", "mutation", "docs"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_linked_files_exist() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).is_file(), target


def section(title: str) -> str:
    return re.split(r"^##+ ", README.split(f" {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_the_figures_of_the_report_are_quoted_as_they_are() -> None:
    quoted = [line for line in section("The report").splitlines() if line.startswith("|")]
    assert len(quoted) > 20
    report = set((ROOT / "benchmarks" / "report.md").read_text(encoding="utf-8").splitlines())
    assert [line for line in quoted if line not in report] == []


def test_every_figure_has_its_command() -> None:
    report = (ROOT / "benchmarks" / "report.md").read_text(encoding="utf-8")
    named = re.findall(r"`python -m benchmarks\.([\w.]+)`", section("The report") + section("Logs") + report)
    parts = [file for file in (ROOT / "benchmarks").rglob("*.py") if "\n    report(tables)" in file.read_text("utf-8")]
    assert set(named) == {".".join(file.relative_to(ROOT / "benchmarks").with_suffix("").parts) for file in parts}
