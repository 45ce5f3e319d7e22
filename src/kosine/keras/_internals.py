"""What kosine knows of the insides of Keras; every assumption about them is in this file."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import FrameType
from typing import Any

import keras


def optimizers(model: Any) -> list[Any]:
    """The optimizers of a model that have a learning rate, inside any wrapper."""

    def leaves(optimizer: Any) -> list[Any]:
        if optimizer is None:
            return []
        if hasattr(optimizer, "inner_optimizer"):
            return leaves(optimizer.inner_optimizer)
        if hasattr(optimizer, "optimizers"):
            return [leaf for inner in optimizer.optimizers for leaf in leaves(inner)]
        return [optimizer]

    return leaves(getattr(model, "optimizer", None))


def iterations(optimizer: Any) -> int:
    # The public `iterations` is divided by the gradient accumulation steps; a schedule is given the raw count.
    return int(optimizer._iterations + 0)


def scales_loss(model: Any) -> bool:
    return isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)


def build_if_needed(model: Any) -> None:
    """Build a MultiOptimizer, which may not know its optimizers before."""
    optimizer: Any = getattr(model, "optimizer", None)
    if hasattr(optimizer, "optimizers") and not optimizer.built and model.built:
        optimizer.build(model.trainable_variables)


def calling_list() -> keras.callbacks.CallbackList | None:
    """The list of callbacks that is calling; Keras hands it to no callback, so it is looked up in the call stack."""
    for frame in callers():
        caller = frame.f_locals.get("self")
        if isinstance(caller, keras.callbacks.CallbackList):
            return caller
    return None


def called_by_fit(model: Any) -> bool:
    """Whether the caller is `fit`, not `evaluate` or `predict`: Keras calls a callback in the same way from each."""
    for frame in callers():
        if frame.f_code.co_name in ("fit", "evaluate", "predict") and frame.f_locals.get("self") is model:
            return frame.f_code.co_name == "fit"
    return False


def callers() -> Iterator[FrameType]:
    """The nearest of the functions that are calling, inner ones first."""
    frame = inspect.currentframe()
    for _ in range(16):
        frame = None if frame is None else frame.f_back
        if frame is None:
            return
        yield frame
