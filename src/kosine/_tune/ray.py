"""A space's parameters in Ray Tune."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kosine._core.optional_packages import import_tool
from kosine._tune.parameters import Choice, Integers, Log, Parameter


def domains(parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """Ray's domain of each parameter.

    Raises:
        MissingPackageError: Ray is not installed.
    """
    tune = import_tool("ray.tune", "`space.ray`")
    found: dict[str, Any] = {}
    for name, parameter in parameters.items():
        match parameter:
            case Integers(low, high):
                found[name] = tune.randint(low, high + 1)  # Ray's upper end is not drawn
            case Choice(options):
                found[name] = tune.choice(list(options))
            case Log(low, high):
                found[name] = tune.loguniform(low, high)
            case _:
                found[name] = tune.uniform(*parameter.ends())
    return found
