"""A space's parameters in the configuration of a sweep of Weights & Biases."""

from __future__ import annotations

from collections.abc import Mapping

from kosine._tune.parameters import Choice, Integers, Log, Parameter


def configuration(parameters: Mapping[str, Parameter]) -> dict[str, dict[str, object]]:
    """What stands under `parameters` in the configuration of a sweep."""
    return {name: _configured(parameter) for name, parameter in parameters.items()}


def _configured(parameter: Parameter) -> dict[str, object]:
    if isinstance(parameter, Choice):
        return {"values": list(parameter.options)}
    distribution = "uniform"
    if isinstance(parameter, Log):
        distribution = "log_uniform_values"
    elif isinstance(parameter, Integers):
        distribution = "int_uniform"
    low, high = parameter.ends()
    return {"distribution": distribution, "min": low, "max": high}
