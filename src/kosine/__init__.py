"""kosine: the learning-rate schedule as a value. Write it once, see it, train with it."""

from __future__ import annotations

import importlib
from types import ModuleType

from kosine.boundaries import PlannedPhase
from kosine.errors import (
    ArgumentTypeError,
    KosineError,
    MissingPackageError,
    NotationError,
    PlanError,
    ScheduleError,
    StepError,
    TrainingError,
    TrainingWarning,
)
from kosine.notation import dumps, loads, parse
from kosine.phases import Phase
from kosine.plan import Plan
from kosine.recipes import constant, inverse_sqrt_decay, one_cycle, sgdr, step_decay, warmup_cosine, wsd
from kosine.schedule import Cycles, Schedule, cycles
from kosine.shapes import cosine, exponential, hold, inverse_sqrt, linear, one_minus_sqrt, polynomial

__version__ = "0.1.0"

__all__ = [
    "ArgumentTypeError",
    "Cycles",
    "KosineError",
    "MissingPackageError",
    "NotationError",
    "Phase",
    "Plan",
    "PlanError",
    "PlannedPhase",
    "Schedule",
    "ScheduleError",
    "StepError",
    "TrainingError",
    "TrainingWarning",
    "constant",
    "cosine",
    "cycles",
    "dumps",
    "exponential",
    "hold",
    "inverse_sqrt",
    "inverse_sqrt_decay",
    "linear",
    "loads",
    "one_cycle",
    "one_minus_sqrt",
    "parse",
    "polynomial",
    "sgdr",
    "step_decay",
    "warmup_cosine",
    "wsd",
]

_ON_DEMAND = ("keras", "testing")  # these import a framework


def __getattr__(name: str) -> ModuleType:
    if name in _ON_DEMAND:
        try:
            return importlib.import_module(f"kosine.{name}")
        except ModuleNotFoundError as error:
            if error.name != "keras":
                raise
            raise MissingPackageError(
                f"kosine.{name} needs Keras and one of its backends: pip install 'kosine[jax]', 'kosine[tensorflow]' "
                "or 'kosine[torch]'"
            ) from error
    raise AttributeError(f"module 'kosine' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_ON_DEMAND])
