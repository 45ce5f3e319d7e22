"""Make the README's pictures again, each by its command there:    make docs-images"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent


def commands(text: str) -> list[list[str]]:
    """The arguments of the README's `kosine` commands that write a file."""
    written = re.findall(r"^\$ kosine (.* -o \S+)$", text, re.MULTILINE)
    return [shlex.split(command) for command in written]


def screenshot(page: Path, picture: Path) -> None:
    """What a browser shows of a page, with the mouse over the curve."""
    from tests.browser.chromium import browser

    with browser() as chromium:
        view = chromium.new_page(viewport={"width": 1000, "height": 700})
        view.goto(page.as_uri())
        view.mouse.move(420, 330)
        view.wait_for_timeout(500)
        view.screenshot(path=picture)


def main() -> None:
    for arguments in commands((ROOT / "README.md").read_text(encoding="utf-8")):
        target = Path(arguments[-1])
        with TemporaryDirectory() as folder:
            file = Path(folder) / target.name if target.suffix == ".html" else target
            done = subprocess.run([sys.executable, "-m", "kosine.cli", *arguments[:-1], str(file)], cwd=ROOT)
            if done.returncode not in (0, 1):  # 1: what was compared differs
                raise SystemExit(done.returncode)
            if target.suffix == ".html":
                screenshot(file, ROOT / "docs" / f"{target.stem}.png")


if __name__ == "__main__":
    main()
