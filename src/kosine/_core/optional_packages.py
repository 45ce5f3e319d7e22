"""Packages that only some of kosine needs, and what to install where one is missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from kosine.errors import missing_package

_NEEDS = {
    "keras": ("Keras and one of its backends (jax, tensorflow or torch)", "keras,jax"),
    "torch": ("PyTorch", "torch"),
    "jax": ("JAX", "jax"),
}
"""What each adapter needs, and the extra of kosine that brings it."""
_TOOLS = {
    "optuna": ("Optuna", "optuna"),
    "ray": ("Ray Tune", "ray"),
}
"""Packages for sweeps, what each is called, and the extra of kosine that brings it."""
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
        if error.name != name:  # something else is broken in the framework: its own error says what
            raise
        raise missing_package(f"kosine.{name}", *_NEEDS[name]) from error


def import_tool(name: str, for_what: str) -> ModuleType:
    """A package or a module of it that one method of kosine needs.

    Args:
        name: its dotted name, such as "optuna.distributions".
        for_what: the method, for the message.

    Raises:
        MissingPackageError: the package is not installed.
    """
    package = name.partition(".")[0]
    try:
        importlib.import_module(package)
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != package:  # something else is broken in the package: its own error says what
            raise
        raise missing_package(for_what, *_TOOLS[package]) from error
