"""The site builds without a warning, its links and figures are right, and the README is short."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, name, text
from tests.docs.session import DOCS

REPORT = ROOT / "benchmarks" / "report.md"
MEASUREMENTS = DOCS / "explanations" / "measurements.md"


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-n", "-q"]
    done = subprocess.run(
        [*command, "-d", str(tmp_path / "trees"), str(DOCS), str(tmp_path / "site")],
        env={**os.environ, "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")
    index = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "https://" not in re.sub(r'<a [^>]*href="[^"]*"', "", index)  # nothing is loaded from elsewhere
    reference = (tmp_path / "site" / "reference" / "schedules.html").read_text(encoding="utf-8")
    assert 'id="kosine.warmup_cosine"' in reference


def test_there_are_enough_pages_and_the_readme_is_short() -> None:
    assert len(list(DOCS.rglob("*.md"))) >= 25
    assert len(text(ROOT / "README.md").splitlines()) <= 200


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_linked_files_exist(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)", text(page)):
        assert (page.parent / target).is_file(), target


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_make_targets_exist(page: Path) -> None:
    makefile = text(ROOT / "Makefile")
    for pair in re.findall(r"`make ([\w-]+)`|^make ([\w-]+)", text(page), re.MULTILINE):
        assert re.search(rf"^{''.join(pair)}:", makefile, re.MULTILINE), pair


def test_the_targets_that_people_need_are_named() -> None:
    for target in ("demo", "test", "test-slow", "test-oldest", "bench", "mutation", "docs", "pictures"):
        assert re.search(rf"make {target}(?![\w-])", text(ROOT / "CONTRIBUTING.md"))


def test_the_figures_of_the_report_are_quoted_as_they_are() -> None:
    tables = text(MEASUREMENTS).split("## Targets that kosine misses")[0]
    quoted = [line for line in tables.splitlines() if line.startswith("|")]
    assert len(quoted) > 20
    assert [line for line in quoted if line not in set(text(REPORT).splitlines())] == []


def test_every_figure_has_its_command() -> None:
    named = re.findall(r"`python -m benchmarks\.([\w.]+)`", text(MEASUREMENTS) + text(REPORT))
    parts = [file for file in (ROOT / "benchmarks").rglob("*.py") if "\n    report(tables)" in file.read_text("utf-8")]
    names = {".".join(file.relative_to(ROOT / "benchmarks").with_suffix("").parts) for file in parts}
    assert set(named) == {name.removesuffix(".__main__") for name in names}
