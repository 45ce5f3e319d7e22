"""Run the examples of pages, and write what they print into the pages:    python -m tests.docs.session PAGE.md...

A page is a session: its Python blocks run in order and share one namespace, as the cells of a notebook do, and its
`kosine` commands run in the same process, in an empty folder. `serve` does so for the tests: frameworks are slow to
import, so pages share a process, but neither names nor files.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import sys
import traceback
import warnings
from dataclasses import asdict, dataclass
from itertools import pairwise, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kosine.errors import TrainingWarning

DOCS = Path(__file__).parents[2] / "docs"

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n?", re.MULTILINE)


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
        """The picture that a command draws, as it is written after `-o` or `--plot`."""
        words = shlex.split(self.source.replace("\\\n", " ")) if self.kind == "console" else []
        after = (word for option, word in pairwise(words) if option in ("-o", "--plot"))
        return next((word for word in after if Path(word).suffix in (".png", ".svg", ".pdf", ".html")), None)


@dataclass(frozen=True)
class Outcome:
    """What an example printed, the error that it ended with, and the exit status of a command."""

    printed: str
    error: str
    status: int = 0


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
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(complaints),
            warnings.catch_warnings(),
        ):
            # Frameworks warn of each other; a warning of kosine's own fails the example.
            warnings.simplefilter("ignore")
            warnings.filterwarnings("error", category=TrainingWarning)
            warnings.filterwarnings("error", message=".*kosine")
            if example.kind == "python":
                exec(compile(example.source, f"<line {example.line}>", "exec", dont_inherit=True), namespace)
                return Outcome(printed.getvalue(), "")
            program, *arguments = shlex.split(example.source.replace("\\\n", " "))
            assert program == "kosine", f"not a kosine command: {program}"
            from kosine.cli import main

            status = main(arguments)
    except BaseException:
        return Outcome(printed.getvalue(), traceback.format_exc())
    return Outcome(printed.getvalue(), complaints.getvalue(), status)


def written(page: str, outcomes: list[Outcome]) -> str:
    """The page with the outputs that the examples printed, where it shows one."""
    for example, outcome in reversed(list(zip(examples(page), outcomes, strict=True))):
        if example.output is not None and not outcome.error:
            page = page[: example.place] + outcome.printed + page[example.place + len(example.output) :]
    return page


def run_page(page: str) -> tuple[list[Outcome], list[str]]:
    """Run the examples of a page in a folder that has the files of the docs; and which files they left there."""
    before = Path.cwd()
    with TemporaryDirectory() as folder:
        (Path(folder) / "docs" / "images").mkdir(parents=True)
        for log in DOCS.glob("*.csv"):
            shutil.copy(log, Path(folder) / "docs")
        os.chdir(folder)
        try:
            namespace: dict[str, Any] = {"__name__": "__main__"}
            outcomes = [run(example, namespace) for example in examples(page)]
            left = [
                file.relative_to(folder).as_posix()
                for file in Path(folder).rglob("*")
                if file.is_file() and file.stat().st_size
            ]
        finally:
            os.chdir(before)
    return outcomes, left


def serve() -> None:
    """For each page that is named on a line of standard input, print a line of JSON with what its examples did."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever writes to standard output by itself does not get between the answers
    for line in sys.stdin:
        outcomes, left = run_page(Path(line.strip()).read_text(encoding="utf-8"))
        print(json.dumps([[asdict(outcome) for outcome in outcomes], left]), file=answers, flush=True)


def main() -> None:
    for argument in sys.argv[1:]:
        file = Path(argument)
        page = file.read_text(encoding="utf-8")
        outcomes, _ = run_page(page)
        for example, outcome in zip(examples(page), outcomes, strict=True):
            if outcome.error:
                print(f"{file}:{example.line}: {outcome.error}", file=sys.stderr)
        file.write_text(written(page, outcomes), encoding="utf-8")


if __name__ == "__main__":
    main()
