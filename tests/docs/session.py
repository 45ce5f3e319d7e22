"""Run the examples of one page in one process, in order:    python -m tests.docs.session PAGE.md [--write]

A page is a session: its Python blocks share one namespace, as the cells of a notebook do, and its `kosine` commands run
in the same process. The result is printed as JSON: what each example printed, and whether it failed. With `--write` the
outputs are written into the page instead.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import sys
import traceback
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"^\$ (.*(?:\\\n.*)*)\n?", re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """Code or a command of a page, with the output that it shows, and where in the page; None: it shows none."""

    kind: str
    line: int
    source: str
    output: str | None
    place: int

    @property
    def file(self) -> str | None:
        """The file that a command writes, as it is written after `-o`."""
        words = shlex.split(self.source) if self.kind == "console" else []
        return words[words.index("-o") + 1] if "-o" in words else None


@dataclass(frozen=True)
class Outcome:
    """What an example printed, and the error that it ended with."""

    printed: str
    error: str


class _Text(io.StringIO):
    encoding = "utf-8"  # as a terminal has it: curves are drawn with what can be printed


def examples(page: str) -> list[Example]:
    """The Python blocks and the commands of a page, in order."""
    found = []
    fences = list(_FENCE.finditer(page))
    for fence, following in zip_longest(fences, fences[1:]):
        kind, body = fence[1], fence[2]
        line = page.count("\n", 0, fence.start()) + 1
        below, place = None, 0
        if following and following[1] == "text" and page[fence.end() : following.start()].strip() == "":
            below, place = following[2], following.start(2)
        if kind == "python":
            found.append(Example(kind, line, body, below, place))
        elif kind == "console":
            commands = list(_COMMAND.finditer(body))
            for command, stop in zip(commands, [*(each.start() for each in commands[1:]), len(body)], strict=True):
                inside = body[command.end() : stop]
                if inside:
                    found.append(Example(kind, line, command[1], inside, fence.start(2) + command.end()))
                else:
                    found.append(Example(kind, line, command[1], below if stop == len(body) else None, place))
    return found


def run(example: Example, namespace: dict[str, Any]) -> Outcome:
    """Run an example here, with what it prints caught."""
    printed, complaints = _Text(), _Text()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(complaints):
            if example.kind == "python":
                exec(compile(example.source, f"<line {example.line}>", "exec"), namespace)
                return Outcome(printed.getvalue(), "")
            program, *arguments = shlex.split(example.source.replace("\\\n", " "))
            assert program == "kosine", f"not a kosine command: {program}"
            from kosine.cli import main

            status = main(arguments)
    except BaseException:
        return Outcome(printed.getvalue(), traceback.format_exc())
    failed = status not in (0, 1)  # 1: a finding, a difference
    return Outcome(printed.getvalue(), complaints.getvalue() or (f"exit status {status}" if failed else ""))


def written(page: str, outcomes: list[Outcome]) -> str:
    """The page with the outputs that the examples printed, where it shows one."""
    for example, outcome in reversed(list(zip(examples(page), outcomes, strict=True))):
        if example.output is not None and not outcome.error:
            page = page[: example.place] + outcome.printed + page[example.place + len(example.output) :]
    return page


def main() -> None:
    file = Path(sys.argv[1])
    page = file.read_text(encoding="utf-8")
    namespace: dict[str, Any] = {"__name__": "__main__"}
    outcomes = [run(example, namespace) for example in examples(page)]
    if "--write" in sys.argv:
        for example, outcome in zip(examples(page), outcomes, strict=True):
            if outcome.error:
                print(f"{file}:{example.line}: {outcome.error}", file=sys.stderr)
        file.write_text(written(page, outcomes), encoding="utf-8")
    else:
        sys.stdout.write(json.dumps([asdict(outcome) for outcome in outcomes]))


if __name__ == "__main__":
    main()
