"""Make the pictures of the README and the docs again, each by its command there:    make pictures"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docs.session import examples

ROOT = Path(__file__).resolve().parent.parent


def commands() -> Iterator[tuple[list[str], Path]]:
    """The arguments of each command that draws a picture, and the picture."""
    seen = set()
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for example in examples(page.read_text(encoding="utf-8")):
            if example.file and example.file not in seen:
                seen.add(example.file)
                yield shlex.split(example.source.replace("\\\n", " "))[1:], Path(example.file)


def screenshot(page: Path, picture: Path) -> None:
    """What a browser shows of a page, with the mouse over the curve."""
    from tests.support.chromium import browser

    with browser() as chromium:
        view = chromium.new_page(viewport={"width": 1000, "height": 700})
        view.goto(page.as_uri())
        view.mouse.move(420, 330)
        view.wait_for_timeout(500)
        view.screenshot(path=picture)


def main() -> None:
    for arguments, target in commands():
        with TemporaryDirectory() as folder:
            file = Path(folder) / target.name if target.suffix == ".html" else target
            words = [str(file) if word == str(target) else word for word in arguments]
            done = subprocess.run([sys.executable, "-m", "kosine.cli", *words], cwd=ROOT)
            if done.returncode not in (0, 1):  # 1: the schedules differ
                raise SystemExit(done.returncode)
            if target.suffix == ".html":
                screenshot(file, ROOT / target.with_suffix(".png"))


if __name__ == "__main__":
    main()
