"""Run a part of the report once for each Keras backend, each in a separate process, one after another.

The part has a function `on_this_backend() -> Iterator[Table]`, which is called there. It may import Keras; what is at
the top of its module may not.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.tables import Table

BACKENDS = {"jax": "JAX", "tensorflow": "TensorFlow", "torch": "PyTorch"}


def backend_name() -> str:
    """The usual name of the backend of this process."""
    return BACKENDS[os.environ["KERAS_BACKEND"]]


def environment(backend: str) -> dict[str, str]:
    """The environment of a quiet process whose Keras has this backend."""
    quiet = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    return {**os.environ, **quiet}


def on_each_backend(module: str) -> Iterator[Table]:
    """The tables that `on_this_backend` of the module makes on each backend."""
    for backend in BACKENDS:
        with TemporaryDirectory() as folder:
            file = Path(folder) / "tables.json"
            command = [sys.executable, "-m", "benchmarks.backends", module, str(file)]
            subprocess.run(command, check=True, env=environment(backend))
            made = json.loads(file.read_text(encoding="utf-8"))
        yield from map(Table.from_json, made)


def side_by_side(tables: Iterable[Table]) -> Iterator[Table]:
    """Tables of the same title and the same rows become one, in which the columns of each follow."""
    joined: dict[str, Table] = {}
    for table in tables:
        before = joined.setdefault(table.title, table)
        if before is not table:
            rows = tuple((*left, *right[1:]) for left, right in zip(before.rows, table.rows, strict=True))
            joined[table.title] = replace(before, columns=(*before.columns, *table.columns[1:]), rows=rows)
    yield from joined.values()


if __name__ == "__main__":
    name, target = sys.argv[1:]
    made_here = [table.as_json() for table in importlib.import_module(name).on_this_backend()]
    Path(target).write_text(json.dumps(made_here, ensure_ascii=False), encoding="utf-8")
