"""How the outputs of several models become one: the mean of probabilities, or of logits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from kosine.errors import ArgumentError, Described
from kosine.keras._internals import output_layer

Combine = Literal["probabilities", "logits"]

_SMALLEST = 1e-30  # of a probability whose logarithm is taken
_Function = Callable[[Any], Any]


class Combination(NamedTuple):
    """What is averaged of the outputs, and what becomes of the average; None where nothing does."""

    before: _Function | None
    after: _Function | None

    def mean(self, outputs: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """The outputs of several models, combined on the host."""
        average = np.mean([_applied(self.before, each) for each in outputs], axis=0, dtype=np.float64)
        return _applied(self.after, np.asarray(average, np.float32))

    def layers(self, outputs: Sequence[Any]) -> Any:
        """The same as layers of a Keras model."""
        tensors = [each if self.before is None else self.before(each) for each in outputs]
        average = keras.layers.Average()(tensors) if len(tensors) > 1 else tensors[0]
        return average if self.after is None else self.after(average)


def combination(model: Any, combine: object, loss: object) -> Combination:
    """How the outputs of a model's kind are combined.

    Args:
        model: one of the members.
        combine: "probabilities" or "logits".
        loss: the compiled loss as data, which says whether the outputs are logits; None where nothing is compiled.
    """
    if combine not in ("probabilities", "logits"):
        raise ArgumentError(argument="combine", rule='"probabilities" or "logits"', received=combine)
    link, is_logits = _link(model, loss)
    if link is None or (combine == "logits") == is_logits:
        if combine == "logits" and link is None and not _is_linear(model):
            raise ArgumentError(
                argument="combine",
                rule='"probabilities" where the outputs come neither from softmax nor from sigmoid',
                received=Described(f'"logits", and outputs of {output_layer(model)!r}'),
            )
        return Combination(None, None)
    into, back = (keras.ops.softmax, _log) if link == "softmax" else (keras.ops.sigmoid, _logit)
    return Combination(into, back) if is_logits else Combination(back, into)


def _link(model: Any, loss: object) -> tuple[str | None, bool]:
    """The function between logits and probabilities, None for a regression; and whether the outputs are logits."""
    layer = output_layer(model)
    activation = getattr(layer, "activation", None)
    for link in ("softmax", "sigmoid"):
        if activation is getattr(keras.activations, link):
            return link, False
    if isinstance(layer, keras.layers.Softmax):
        return "softmax", False
    if isinstance(loss, dict):
        name, config = str(loss.get("class_name")), loss.get("config")
        if isinstance(config, dict) and config.get("from_logits"):
            return "sigmoid" if name.startswith("Binary") else "softmax", True
    return None, False


def _is_linear(model: Any) -> bool:
    return getattr(output_layer(model), "activation", keras.activations.linear) is keras.activations.linear


def _applied(function: _Function | None, outputs: NDArray[Any]) -> NDArray[Any]:
    if function is None:
        return outputs
    return np.asarray(keras.ops.convert_to_numpy(function(keras.ops.cast(outputs, "float32"))))


def _log(probabilities: Any) -> Any:
    return keras.ops.log(keras.ops.maximum(probabilities, _SMALLEST))


def _logit(probabilities: Any) -> Any:
    return _log(probabilities) - _log(1.0 - probabilities)
