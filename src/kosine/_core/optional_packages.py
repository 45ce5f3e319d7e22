"""Packages that only some of kosine needs, and what to install where one is missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from kosine.errors import MissingPackageError

_NEEDS = {
    "keras": "Keras and one of its backends: pip install 'kosine[keras,jax]' (or tensorflow, or torch)",
    "torch": "PyTorch: pip install 'kosine[torch]'",
    "jax": "JAX: pip install 'kosine[jax]'",
}
ADAPTERS = tuple(_NEEDS)
"""The rooms that import a framework, so each is imported when it is asked for."""


def import_adapter(name: str) -> ModuleType:
    """The room `kosine.name` of a framework.

    Raises:
        MissingPackageError: the framework is not installed.
    """
    try:
        return importlib.import_module(f"kosine.{name}")
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise MissingPackageError(f"kosine.{name} needs {_NEEDS[name]}") from error
