"""Long texts, documents, files and logs that mean harm, read in a process whose memory is limited.

The limit is the system's, of all that is allocated: also NumPy's arrays, and the stack of a regular expression that
backtracks. `python -m tests.support.hostile texts 300` prints what became of each.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kosine as ks
from kosine.cli._schedule_argument import read_schedule

LENGTH = 4 * 2**20
"""Characters of a hostile text, about."""
_SECONDS = 300
"""Each takes a few seconds at most on a free core; a machine may be many times slower."""

Named = Iterator[tuple[str, str | bytes]]


def outcomes(what: str, megabytes: int) -> dict[str, tuple[str, str]]:
    """The error of each of the `texts`, `documents`, `files` or `logs` and its message, read within so much memory.

    The process of its own must end well, and in time: an error that is not kosine's, or no memory, is its end.
    """
    done = subprocess.run(
        [sys.executable, "-m", __name__, what, str(megabytes)],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # each thread has a buffer of its own
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {name: (error, message) for name, error, message in map(json.loads, done.stdout.splitlines())}


def _filled(text: str, length: int = LENGTH) -> str:
    return text * (length // len(text))


def _numbered(pattern: str, separator: str = ",") -> str:
    return separator.join(pattern % number for number in range(LENGTH // (len(pattern) + 5)))


def _texts() -> Named:
    yield "brackets", _filled("(")
    yield "calls", _filled("cycles(")
    yield "digits", "constant(" + _filled("9")
    yield "digits in groups", "constant(" + _filled("1_") + "1)"
    yield "digits in groups that end badly", "constant(" + _filled("1_")
    yield "exponent", "constant(1e" + _filled("9") + ")"
    yield "string", 'constant("' + _filled("a") + '")'
    yield "string without an end", 'constant("' + _filled("a")
    yield "strings without an end", _filled('"\n')
    yield "name", _filled("a")
    yield "name of a call", _filled("a") + "("
    yield "name of an argument", "constant(" + _filled("a") + "=1)"
    yield "names of arguments", "constant(" + _numbered("a%d=1") + ")"
    yield "arguments", "constant(" + _filled("1,", LENGTH // 4) + ")"
    yield "parts", "Schedule(" + _filled("1,", LENGTH // 4) + ")"
    yield "spaces", _filled(" ")
    yield "spaces before an error", _filled(" ") + "!"
    yield "error at the end", "Schedule(" + _filled("hold(1,start=1),", LENGTH // 4) + "!"
    yield "duration", 'Schedule(hold("' + _filled("1") + 'ep", start=1))'
    yield "duration of a huge number", 'Schedule(hold("1e400ep", start=1))'
    yield "duration of a tiny number", 'Schedule(hold("1e-400ep", start=1))'
    yield "duration of a number that fills the memory", 'Schedule(hold("1e999999999ep", start=1))'
    yield "fraction that fills the memory", 'Schedule(hold("1/3e999999999%", start=1))'
    yield "fraction of nothing", 'Schedule(hold("1/0ep", start=1))'
    yield "infinite rate", "constant(1e400)"
    yield "too long", " " * (2**26 + 1)


def _documents() -> Named:
    def document(phase: str) -> str:
        return '{"format": "kosine", "version": 1, "schedule": [' + phase + "]}"

    def hold(start: str) -> str:
        return document('{"curve": "hold", "duration": 5, "start": ' + start + "}")

    yield "lists", _filled("[")
    yield "objects", _filled('{"a":')
    yield "lists that end", "[" * (LENGTH // 2) + "]" * (LENGTH // 2)
    yield "empty lists", "[" + _filled("[],") + "0]"
    yield "empty objects", document(_filled("{},") + "0")
    yield "small objects", document(_filled('{"a":0},') + "0")
    yield "numbers", "[" + _filled("0.1,") + "0]"
    yield "digits", hold(_filled("9"))
    yield "digits of a version", '{"format": "kosine", "version": ' + _filled("9") + "}"
    yield "exponent", hold("1e" + _filled("9"))
    yield "infinite rate", hold("1e400")
    yield "one field again and again", "{" + _numbered('"a":%d') + "}"
    yield "fields", "{" + _numbered('"a%d":0') + "}"
    yield "fields of a phase", document('{"curve": "hold", "duration": 5, ' + _numbered('"a%d":0') + "}")
    yield "name of a field", document('{"curve": "hold", "duration": 5, "' + _filled("a") + '": 1}')
    yield "name of a curve", document('{"curve": "' + _filled("a") + '"}')
    yield "strings", '["' + _filled('a"')
    yield "escapes", '"' + _filled('\\"')
    yield "zeros", bytes(LENGTH)
    yield "too long", " " * (2**26 + 1)


def _files() -> Named:
    rest = 2**20 - 100  # as long as a file of TOML may be
    yield "parts of a key", "a" + _filled(".a", rest) + " = 1"
    yield "parts of a key in a table", "b = {a" + _filled(".a", rest) + " = 1}"
    yield "parts of a table's name", "[a" + _filled(".a", rest) + "]"
    yield "lists", "a = " + _filled("[", rest)
    yield "tables", "a = " + _filled("{a=", rest)
    yield "digits", "a = " + _filled("9", rest)
    yield "quotes", 'a = "' + _filled('\\"', rest)
    yield "lines of a string", 'a = """' + _filled('"\\\n', rest)
    yield "many tables", _filled("[[a]]\n", rest)
    yield "one table again and again", _filled("[a]\n", rest)
    yield "a table of a long name", ("[" + _filled("a", rest // 2) + "]\n") * 2
    yield "many keys", "".join(f"a{number}.b = 1\n" for number in range(rest // 12))
    yield "too long", "a = 1 #" + _filled(" ", 2 * rest)
    yield "zeros", bytes(2**26 + 1)


def _logs() -> Named:
    length = LENGTH // 4
    lines = 64
    yield "zeros", bytes(LENGTH)
    yield "one line", _filled("x", 16 * LENGTH)
    yield "numbers of a line", "lr " + _filled("1,", 2**20)
    yield "columns", "step,lr," + _numbered("c%d") + "\n1,0.1\n"
    yield "brackets", (_filled("[", length // lines) + "\n") * lines
    yield "objects", _filled('{"a":', length)
    yield "lists of a document", '{"a":[' + _filled("[{}],", length) + "[]]}"
    yield "keys", "{" + _numbered('"k%d":0') + "}"
    yield "digits", '{"lr": [' + _filled("9", length) + "]}"
    yield "words", "\n".join([_filled("lr step ", length // lines)] * lines)
    yield "spaces", "\n".join(["iteration" + _filled(" ", length // lines) + "lr"] * lines)
    yield "brackets after a rate", "\n".join(["step 1 lr" + _filled("[", length // lines)] * lines)
    yield "equals after a step", "\n".join(["step" + _filled("=", length // lines) + " lr"] * lines)
    yield "zeros in gzip", gzip.compress(bytes(16 * LENGTH), 1)
    yield "random gzip", b"\x1f\x8b\x08" + bytes(range(256)) * 16


def _read_file(data: str | bytes) -> object:
    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        file.write(data.encode() if isinstance(data, str) else data)
        file.flush()
        return read_schedule(file.name)


def _read_log(data: str | bytes) -> object:
    return ks.read_trace(io.BytesIO(data.encode() if isinstance(data, str) else data))


_READERS: dict[str, tuple[Callable[[], Named], Callable[[Any], object]]] = {
    "texts": (_texts, ks.parse),
    "documents": (_documents, ks.loads),
    "files": (_files, _read_file),
    "logs": (_logs, _read_log),
}


def _main(what: str, megabytes: str) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (int(megabytes) * 2**20,) * 2)
    cases, read = _READERS[what]
    for name, data in cases():
        try:
            read(data)
        except ks.KosineError as error:
            print(json.dumps([name, type(error).__name__, str(error)]))
        else:
            raise AssertionError(f"{name} was read")


if __name__ == "__main__":
    _main(*sys.argv[1:])
