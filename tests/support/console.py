"""The command line as a person or a pipe meets it: what tests of its commands share."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import subprocess
import sys
import time

import pytest

from kosine.cli import main

COMMAND = [sys.executable, "-m", "kosine"]
SGDR = ["show", 'sgdr(peak=0.05, period="10ep", stretch=2)', "--epochs", "70", "--steps-per-epoch", "100"]


def run(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def give_input(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """Let commands that run in this process read these bytes from standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))


def seconds_of(arguments: list[str], status: int = 0) -> float:
    """Processor seconds of a command in this process: other work on the machine and the start do not count."""
    started = time.process_time()
    assert main(arguments) == status
    return time.process_time() - started


def on_a_terminal(arguments: list[str], **environment: str) -> str:
    """What the command writes to a terminal of 60 columns."""
    reader, writer = pty.openpty()
    variables = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES")}
    variables |= {"TERM": "xterm-256color", **environment}
    subprocess.run(["stty", "cols", "60", "rows", "40"], stdin=writer, check=True)
    with subprocess.Popen([*COMMAND, *arguments], stdin=writer, stdout=writer, env=variables) as process:
        os.close(writer)
        written = b""
        while select.select([reader], [], [], 30)[0]:
            try:
                chunk = os.read(reader, 65536)
            except OSError:
                break
            if not chunk:
                break
            written += chunk
    os.close(reader)
    assert process.returncode == 0
    return written.decode()


def curve(text: str) -> list[str]:
    """The lines of the picture between its frame's sides."""
    return [
        line.split("┤" if "┤" in line else "│", 1)[1].rstrip("│") for line in text.splitlines() if line.endswith("│")
    ]


def refused(capsys: pytest.CaptureFixture[str], arguments: list[str], pattern: str) -> None:
    """Check that the command line says in one clear line what is wrong, and nothing else, with status 2."""
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    one_line(err, pattern)


def one_line(err: str, pattern: str) -> None:
    assert err.startswith("kosine: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert "Traceback" not in err
    assert re.search(pattern, err), err
