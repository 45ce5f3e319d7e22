"""The browser that looks at pages: a Chromium that is installed; none is downloaded."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
_ARGUMENTS += ["--disable-component-update", "--disable-sync"]

MISSING = f"No browser: none of {', '.join(_NAMES)} is on the path. On Debian: apt-get install chromium"


def executable() -> str | None:
    """Where it is; None: nowhere."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser without a window.

    Raises:
        FileNotFoundError: none is installed.
    """
    found = executable()
    if found is None:
        raise FileNotFoundError(MISSING)
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=found, args=_ARGUMENTS) as opened:
        yield opened
