"""The directive `kosine-help COMMAND`: the output of `kosine COMMAND --help` at the time of the build."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from docutils import nodes
from docutils.nodes import Node
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from kosine.cli import main


class Help(SphinxDirective):
    optional_arguments = 1

    def run(self) -> list[Node]:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            status = main([*self.arguments, "--help"])
        if status:
            raise self.error(f"kosine {' '.join(self.arguments)} --help: exit status {status}")
        block = nodes.literal_block(printed.getvalue(), printed.getvalue(), language="text")
        return [block]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("kosine-help", Help)
    return {"version": "1", "parallel_read_safe": True}
