"""Examples as forks of one process, so that what they import is imported once: `python -m tests.support.run_examples`.

For each line of JSON on standard input, [name, argument...], it runs `python examples/name.py argument...` in a fork,
and prints a line of JSON: the exit code, what went to standard output, and what to standard error.

TensorFlow is left out, as no example needs it: `keras.utils.set_random_seed` imports it wherever it is installed.
"""

from __future__ import annotations

import ast
import importlib
import json
import multiprocessing
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple

ROOT = Path(__file__).parents[2]
SECONDS = 300  # after which an example that hangs is given up
QUIET = {
    "KERAS_BACKEND": "jax",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "OMP_NUM_THREADS": "1",  # two workers share two cores
    "HF_HUB_OFFLINE": "1",
}


class Done(NamedTuple):
    """An example that has run."""

    code: int | None
    printed: str
    errors: str


class Runner:
    """The other end of the process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, name: str, *arguments: str) -> Done:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps([name, *arguments]), file=self._process.stdin, flush=True)
        return Done(*json.loads(self._process.stdout.readline()))


@contextmanager
def runner() -> Iterator[Runner]:
    with subprocess.Popen(
        [sys.executable, "-m", __name__],
        cwd=ROOT,
        env={**os.environ, **QUIET},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        yield Runner(process)


def _import_what_it_imports(file: Path) -> None:
    """All but kosine, at the top of the file: a fork then has it at once."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            if name.split(".")[0] != "kosine":
                importlib.import_module(name)


def _run(file: Path, arguments: list[str], output: IO[str], errors: IO[str]) -> None:
    os.dup2(output.fileno(), 1)
    os.dup2(errors.fileno(), 2)
    sys.argv = [str(file.relative_to(ROOT)), *arguments]
    sys.path[0] = str(file.parent)
    runpy.run_path(sys.argv[0], run_name="__main__")


def _done(file: Path, arguments: list[str]) -> Done:
    with TemporaryFile("w+", encoding="utf-8") as output, TemporaryFile("w+", encoding="utf-8") as errors:
        process = multiprocessing.get_context("fork").Process(target=_run, args=(file, arguments, output, errors))
        process.start()
        process.join(SECONDS)
        code = process.exitcode
        process.kill()
        process.join()
        output.seek(0)
        errors.seek(0)
        return Done(code, output.read(), errors.read())


def _serve() -> None:
    sys.modules["tensorflow"] = None  # type: ignore[assignment]  # what is None cannot be imported
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        file = ROOT / "examples" / f"{name}.py"
        _import_what_it_imports(file)
        print(json.dumps(_done(file, arguments)), flush=True)


if __name__ == "__main__":
    _serve()
