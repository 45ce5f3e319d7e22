"""A space's parameters in KerasTuner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kosine._tune.parameters import Choice, Integers, Log, Parameter, Value, text_of
from kosine.errors import ArgumentTypeError


def chosen(parameters: Mapping[str, Parameter], hp: Any) -> dict[str, Value]:
    """A value for each parameter, from the hyper-parameters of a trial.

    Raises:
        ArgumentTypeError: no hyper-parameters of KerasTuner.
    """
    if not callable(getattr(hp, "Float", None)):
        fix = "KerasTuner passes them to the `build` and the `fit` of a hypermodel."
        raise ArgumentTypeError(argument="hp", rule="KerasTuner's HyperParameters", received=hp, fix=fix)
    return {name: _chosen(parameter, name, hp) for name, parameter in parameters.items()}


def _chosen(parameter: Parameter, name: str, hp: Any) -> Any:
    match parameter:
        case Integers(low, high):
            return hp.Int(name, low, high)
        case Choice(options):
            return hp.Choice(name, _of_one_type(options))
        case _:
            return hp.Float(name, *parameter.ends(), sampling="log" if isinstance(parameter, Log) else "linear")


def _of_one_type(options: tuple[Value, ...]) -> list[Value]:
    """The options as they are, or as texts: KerasTuner's have one type, and none is None."""
    types = {type(option) for option in options}
    return list(options) if len(types) == 1 and None not in options else [text_of(option) for option in options]
