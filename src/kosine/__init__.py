"""kosine: the learning-rate schedule as a value. Write it once, see it, train with it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from kosine._core import json_form, views
from kosine._core.constructors import (
    constant,
    infinite,
    inverse_sqrt_decay,
    linear_to_zero,
    one_cycle,
    one_cycle_momentum,
    piecewise,
    sgdr,
    step_decay,
    warmup_cosine,
    wsd,
)
from kosine._core.curves.cosine import cosine
from kosine._core.curves.exponential import exponential
from kosine._core.curves.hold import hold
from kosine._core.curves.inverse import inverse_sqrt, inverse_time
from kosine._core.curves.linear import linear
from kosine._core.curves.logarithm import logarithm
from kosine._core.curves.one_minus_sqrt import one_minus_sqrt
from kosine._core.curves.polynomial import polynomial
from kosine._core.curves.rex import rex
from kosine._core.curves.tanh import tanh
from kosine._core.groups import Cycles, Section, cycles, section
from kosine._core.json_form import dumps, loads
from kosine._core.optional_packages import ADAPTERS, import_adapter
from kosine._core.phase import Phase
from kosine._core.ramps import batch_ramp
from kosine._core.schedule import Plan, Schedule
from kosine._core.text_form import parse
from kosine._core.timeline import PlannedPhase
from kosine._version import __version__
from kosine.errors import (
    ArgumentError,
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

if TYPE_CHECKING:
    from kosine._analysis.compare import Comparison, compare
    from kosine._analysis.finder.range_test import RangeTest
    from kosine._analysis.lint.lint import lint
    from kosine._analysis.lint.rule import Finding
    from kosine._analysis.rank import Ranking, rank
    from kosine._analysis.rehearsal import Rehearsal
    from kosine._analysis.rehearse import rehearse
    from kosine._analysis.summary import Summary, summarize
    from kosine._export.to_code import to_code
    from kosine._logs.check.check import check
    from kosine._logs.check.verdict import Verdict
    from kosine._logs.infer.infer import infer
    from kosine._logs.infer.result import Inference
    from kosine._logs.losses import Losses
    from kosine._logs.precision import Precision
    from kosine._logs.predict.predict import predict
    from kosine._logs.predict.prediction import Prediction
    from kosine._logs.read.read import read_losses, read_trace
    from kosine._logs.trace import Trace
    from kosine._tune.population import population_schedule
    from kosine._tune.space import Space, space
    from kosine.published import recipe as published

views.drawn_by("kosine._display")
json_form.read_by({"space": "kosine._tune.space:space"})

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "Comparison",
    "Cycles",
    "Finding",
    "Inference",
    "KosineError",
    "LogError",
    "Losses",
    "MissingPackageError",
    "NotationError",
    "Phase",
    "Plan",
    "PlanError",
    "PlannedPhase",
    "Precision",
    "Prediction",
    "RangeTest",
    "Ranking",
    "Rehearsal",
    "Schedule",
    "ScheduleError",
    "Section",
    "Space",
    "StepError",
    "Summary",
    "Trace",
    "TrainingError",
    "TrainingWarning",
    "Verdict",
    "__version__",
    "batch_ramp",
    "check",
    "compare",
    "constant",
    "cosine",
    "cycles",
    "dumps",
    "exponential",
    "hold",
    "infer",
    "infinite",
    "inverse_sqrt",
    "inverse_sqrt_decay",
    "inverse_time",
    "linear",
    "linear_to_zero",
    "lint",
    "loads",
    "logarithm",
    "one_cycle",
    "one_cycle_momentum",
    "one_minus_sqrt",
    "parse",
    "piecewise",
    "polynomial",
    "population_schedule",
    "predict",
    "published",
    "rank",
    "read_losses",
    "read_trace",
    "rehearse",
    "rex",
    "section",
    "sgdr",
    "space",
    "step_decay",
    "summarize",
    "tanh",
    "to_code",
    "warmup_cosine",
    "wsd",
]

_ON_DEMAND = (*ADAPTERS, "dialects", "published", "testing")
_OLD_ROOMS = ("logs", "summary")
_ROOMS = {
    "Comparison": "_analysis.compare",
    "Ranking": "_analysis.rank",
    "rank": "_analysis.rank",
    "Rehearsal": "_analysis.rehearsal",
    "rehearse": "_analysis.rehearse",
    "Finding": "_analysis.lint.rule",
    "RangeTest": "_analysis.finder.range_test",
    "Summary": "_analysis.summary",
    "compare": "_analysis.compare",
    "summarize": "_analysis.summary",
    "lint": "_analysis.lint.lint",
    "Inference": "_logs.infer.result",
    "Precision": "_logs.precision",
    "Prediction": "_logs.predict.prediction",
    "predict": "_logs.predict.predict",
    "Losses": "_logs.losses",
    "Trace": "_logs.trace",
    "Verdict": "_logs.check.verdict",
    "check": "_logs.check.check",
    "infer": "_logs.infer.infer",
    "read_losses": "_logs.read.read",
    "read_trace": "_logs.read.read",
    "to_code": "_export.to_code",
    "Space": "_tune.space",
    "space": "_tune.space",
    "population_schedule": "_tune.population",
}
"""Public names of rooms that training does not need: each is imported when it is asked for."""


_OF_ADAPTERS = {
    "LearningRateCallback": "keras",
    "LearningRateSchedule": "keras",
    "WarmUpCosineDecayScheduler": "keras",
    "cosine_decay_with_warmup": "keras",
    "PlanLR": "torch",
}
"""Names that people look for here, and the rooms that have them."""
_OF_SPACES = ("choice", "integers", "log", "share", "uniform")


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return getattr(importlib.import_module(f"kosine.{_ROOMS[name]}"), name)
    if name in _OF_ADAPTERS:
        raise AttributeError(f"kosine has no {name!r}. Did you mean `ks.{_OF_ADAPTERS[name]}.{name}`?", name=name)
    if name in _OF_SPACES:
        raise AttributeError(f"kosine has no {name!r}: `{name}(...)` stands inside the text of `ks.space`.", name=name)
    if name in ADAPTERS:
        return import_adapter(name)
    if name in (*_ON_DEMAND, *_OLD_ROOMS):
        return importlib.import_module(f"kosine.{name}")
    raise AttributeError(f"module 'kosine' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_ON_DEMAND])
