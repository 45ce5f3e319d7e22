"""The pages whose examples are run, and what they printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile

from tests.docs.session import DOCS, Example, Outcome, examples

ROOT = DOCS.parent
PAGES = [
    *(page for page in (ROOT / name for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md")) if page.is_file()),
    *sorted(DOCS.rglob("*.md")),
]

_QUIET = {
    "KERAS_BACKEND": "jax",
    "MPLBACKEND": "agg",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "PYTHONWARNINGS": "ignore",  # of frameworks, while they are imported
}


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def name(page: Path) -> str:
    """A short name: README, guide/keras."""
    return str((page.relative_to(DOCS) if page.is_relative_to(DOCS) else page.relative_to(ROOT)).with_suffix(""))


def numbered() -> list[tuple[Path, int, Example]]:
    """Every example of every page, with its number there."""
    return [(page, number, example) for page in PAGES for number, example in enumerate(examples(text(page)))]


class Runner:
    """A process that runs the examples of pages, each page once."""

    def __init__(self) -> None:
        self._answers: dict[Path, tuple[list[Outcome], set[str]]] = {}
        self._errors = TemporaryFile("w+")  # noqa: SIM115  # closed by `close`
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from tests.docs.session import serve; serve()"],
            env={**os.environ, **_QUIET, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
        )

    def __call__(self, page: Path) -> tuple[list[Outcome], set[str]]:
        """What the examples of a page did, and the files that they left, named as in the page."""
        if page not in self._answers:
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(f"{page}\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
            if not answer:
                self._errors.seek(0)
                raise AssertionError(f"{page} ended the process that ran it:\n{self._errors.read()}")
            outcomes, left = json.loads(answer)
            self._answers[page] = [Outcome(**outcome) for outcome in outcomes], set(left)
        return self._answers[page]

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()
