from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No deadline and no limit of drawing: on a busy machine a slow example is no fault of the code. New examples are a
# developer's to meet; CI has the same ones each time.
settings.register_profile(
    "kosine", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("kosine")

# Begun in this order, before all others: with two processes, no long file is left for the end.
LONG = ["logs/infer", "docs", "faults", "examples", "test_applied", "logs", "torch"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(Path(__file__).parent).as_posix()
        return next((place for place, long in enumerate(LONG) if name.startswith(long)), len(LONG))

    items.sort(key=place)
