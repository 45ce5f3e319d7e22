"""kosine: the learning-rate schedule as a value. Write it once, see it, train with it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from kosine.boundaries import PlannedPhase
from kosine.errors import (
    ArgumentTypeError,
    KosineError,
    LogError,
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
from kosine.schedule import Cycles, Schedule, Section, cycles, section
from kosine.shapes import (
    cosine,
    exponential,
    hold,
    inverse_sqrt,
    inverse_time,
    linear,
    one_minus_sqrt,
    polynomial,
    tanh,
)

if TYPE_CHECKING:
    from kosine.checking import Verdict, check
    from kosine.comparison import Comparison, compare
    from kosine.export import to_code
    from kosine.inference import Inference, infer
    from kosine.linting import Finding, lint
    from kosine.logs import Trace, read_trace

__version__ = "0.5.0"

__all__ = [
    "ArgumentTypeError",
    "Comparison",
    "Cycles",
    "Finding",
    "Inference",
    "KosineError",
    "LogError",
    "MissingPackageError",
    "NotationError",
    "Phase",
    "Plan",
    "PlanError",
    "PlannedPhase",
    "Schedule",
    "ScheduleError",
    "Section",
    "StepError",
    "Trace",
    "TrainingError",
    "TrainingWarning",
    "Verdict",
    "check",
    "compare",
    "constant",
    "cosine",
    "cycles",
    "dumps",
    "exponential",
    "hold",
    "infer",
    "inverse_sqrt",
    "inverse_sqrt_decay",
    "inverse_time",
    "linear",
    "lint",
    "loads",
    "one_cycle",
    "one_minus_sqrt",
    "parse",
    "polynomial",
    "read_trace",
    "section",
    "sgdr",
    "step_decay",
    "tanh",
    "to_code",
    "warmup_cosine",
    "wsd",
]

_NEEDS = {
    "keras": "Keras and one of its backends: pip install 'kosine[keras,jax]' (or tensorflow, or torch)",
    "torch": "PyTorch: pip install 'kosine[torch]'",
    "jax": "JAX: pip install 'kosine[jax]'",
}
"""What the adapters need; each imports its framework, so it is imported when it is asked for."""

_ON_DEMAND = (*_NEEDS, "dialects", "logs", "published", "testing")
_ROOMS = {
    "Comparison": "comparison",
    "Finding": "linting",
    "compare": "comparison",
    "Inference": "inference",
    "Trace": "logs",
    "Verdict": "checking",
    "check": "checking",
    "infer": "inference",
    "lint": "linting",
    "read_trace": "logs",
    "to_code": "export",
}
"""Public names of rooms that training does not need: each is imported when it is asked for."""


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return getattr(importlib.import_module(f"kosine.{_ROOMS[name]}"), name)
    if name in _ON_DEMAND:
        try:
            return importlib.import_module(f"kosine.{name}")
        except ModuleNotFoundError as error:
            if name not in _NEEDS or error.name != name:
                raise
            raise MissingPackageError(f"kosine.{name} needs {_NEEDS[name]}") from error
    raise AttributeError(f"module 'kosine' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_ON_DEMAND])
