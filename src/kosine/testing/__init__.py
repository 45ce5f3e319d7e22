"""Tools that show which learning rate a training run really applied: `kosine.testing.keras`."""

from __future__ import annotations

import importlib
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    if name == "keras":
        import kosine

        kosine.keras  # noqa: B018  says what to install where Keras is missing
        return importlib.import_module("kosine.testing.keras")
    raise AttributeError(f"module 'kosine.testing' has no attribute {name!r}")
