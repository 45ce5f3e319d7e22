"""Tools that show which learning rate a training run applied: `kosine.testing.keras`, `.torch`, `.optax`."""

from __future__ import annotations

import importlib
from types import ModuleType

from kosine._core.optional_packages import import_adapter
from kosine.errors import MissingPackageError

_ADAPTERS = {"keras": "keras", "torch": "torch", "optax": "jax"}


def __getattr__(name: str) -> ModuleType:
    if name in _ADAPTERS:
        import_adapter(_ADAPTERS[name])  # says what to install where the framework is missing
        try:
            return importlib.import_module(f"kosine.testing.{name}")
        except ModuleNotFoundError as error:
            if error.name != "optax":
                raise
            raise MissingPackageError("kosine.testing.optax needs Optax.", fix="pip install optax") from error
    raise AttributeError(f"module 'kosine.testing' has no attribute {name!r}")
