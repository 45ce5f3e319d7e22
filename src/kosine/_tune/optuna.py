"""A space's parameters in Optuna."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kosine._core.optional_packages import import_tool
from kosine._tune.parameters import Choice, Integers, Log, Parameter, Value
from kosine.errors import ArgumentTypeError


def suggested(parameters: Mapping[str, Parameter], trial: Any) -> dict[str, Value]:
    """A value for each parameter, from a trial.

    Raises:
        ArgumentTypeError: no trial of Optuna.
    """
    if not callable(getattr(trial, "suggest_float", None)):
        fix = "Optuna passes one to the function that `study.optimize` calls; `study.ask()` makes one."
        raise ArgumentTypeError(argument="trial", rule="a trial of Optuna", received=trial, fix=fix)
    return {name: _suggested(parameter, name, trial) for name, parameter in parameters.items()}


def _suggested(parameter: Parameter, name: str, trial: Any) -> Any:
    match parameter:
        case Integers(low, high):
            return trial.suggest_int(name, low, high)
        case Choice(options):
            return trial.suggest_categorical(name, options)
        case _:
            return trial.suggest_float(name, *parameter.ends(), log=isinstance(parameter, Log))


def distributions(parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """Optuna's distribution of each parameter.

    Raises:
        MissingPackageError: Optuna is not installed.
    """
    optuna = import_tool("optuna.distributions", "`space.optuna`")
    found: dict[str, Any] = {}
    for name, parameter in parameters.items():
        match parameter:
            case Integers(low, high):
                found[name] = optuna.IntDistribution(low, high)
            case Choice(options):
                found[name] = optuna.CategoricalDistribution(options)
            case _:
                found[name] = optuna.FloatDistribution(*parameter.ends(), log=isinstance(parameter, Log))
    return found
