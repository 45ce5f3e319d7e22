from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, settings

# No deadline and no limit of drawing: on a busy machine a slow example is no fault of the code. New examples are a
# developer's to meet; CI has the same ones each time.
settings.register_profile(
    "kosine", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("kosine")

# What JAX has compiled, it finds again after a new `jax.jit`, and in the processes that a test starts. Each worker has
# a folder of its own, as JAX does not lock it.
COMPILED = mkdtemp(prefix="kosine-jax-")
os.environ |= {
    "JAX_COMPILATION_CACHE_DIR": COMPILED,
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}


def pytest_unconfigure() -> None:
    shutil.rmtree(COMPILED)


# Begun in this order, before all others: with two processes, no long file is left for the end.
LONG = [
    "logs/infer",
    "docs",
    "faults",
    "examples",
    "test_applied",
    "export/test_single",
    "jax",
    "logs",
    "torch",
    "display",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(Path(__file__).parent).as_posix()
        return next((place for place, long in enumerate(LONG) if name.startswith(long)), len(LONG))

    items.sort(key=place)
