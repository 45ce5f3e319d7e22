"""An evaluation in the middle of `fit` that leaves no trace in it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from kosine.keras._averaging import kept
from kosine.keras._internals import BACKEND, set_torch_random_state, torch_random_state


def evaluate_apart(model: Any, data: Any, steps: int | None = None) -> dict[str, float]:
    """The loss and the metrics of a model that trains, as `evaluate` gives them, each with `val_` before its name.

    Every variable but the trainable ones, the random state and the modes of PyTorch's modules are as before
    afterwards: an evaluation sets the running means of the epoch back, and may draw random numbers.
    """
    x, y, weights = (*data, None, None)[:3] if isinstance(data, tuple) else (data, None, None)
    variables = [*model.non_trainable_variables, *model.metrics_variables]
    with kept(variables), _random_state(), _modes(model):
        found = model.evaluate(x, y, sample_weight=weights, steps=steps, verbose=0, return_dict=True)
    return {f"val_{name}": value for name, value in loss_first(found).items()}


def loss_first(found: dict[str, Any]) -> dict[str, float]:
    """What `evaluate` gives as a dict, whose order differs from backend to backend."""
    return {"loss": float(found["loss"]), **{name: float(value) for name, value in sorted(found.items())}}


@contextmanager
def _random_state() -> Iterator[None]:
    """Python's, NumPy's and PyTorch's; a DataLoader draws from the last one whenever it is iterated over."""
    python, legacy = random.getstate(), np.random.get_state()
    own = torch_random_state() if BACKEND == "torch" else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
        if own is not None:
            set_torch_random_state(own)


@contextmanager
def _modes(model: Any) -> Iterator[None]:
    """`evaluate` puts PyTorch's modules in their evaluation mode, and `fit` the other way once an epoch."""
    modes = [(module, module.training) for module in model.modules()] if BACKEND == "torch" else []
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
