"""Docstrings as reStructuredText, where the two differ.

The docstrings are written to be read in an editor. An indented formula is shown as it is, and a `|` is the sign of
an absolute value.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_BAR = re.compile(r"(`[^`]*`)|(?<!\\)\|")


def _adapt(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    adapted: list[str] = []
    before = ""  # the last line that is not empty
    for line in lines:
        indented = line.startswith("    ")
        if indented and adapted and not adapted[-1] and before and not before.startswith((" ", "-", "*")):
            adapted += [".. code-block:: text", ""]
        if not line.lstrip().startswith((">>>", "...")):
            line = _BAR.sub(lambda match: match[1] or r"\|", line)
        adapted.append(line)
        if line.strip():
            before = line
    if what == "property" and adapted:  # napoleon reads the text before a colon as a type
        adapted[0] = adapted[0].replace(": ", " - ", 1)
    lines[:] = adapted


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("autodoc-process-docstring", _adapt, priority=400)  # before napoleon
    return {"version": "1", "parallel_read_safe": True}
