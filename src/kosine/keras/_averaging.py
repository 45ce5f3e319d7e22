"""Equal averages of the weights in files, and the statistics of BatchNormalization layers made anew for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from kosine.errors import ArgumentError, Described
from kosine.keras._internals import layers_of, without_gradients

AVERAGE = "average"
"""The name of the file of averaged weights, without its ending."""


def array(variable: Any) -> NDArray[Any]:
    """A copy of a variable's value: a view of it could change when the backend reuses its memory."""
    return np.array(keras.ops.convert_to_numpy(variable))


@contextmanager
def kept(variables: Iterable[Any]) -> Iterator[None]:
    """Give variables their values back, bit for bit, when the block ends, whatever ends it."""
    values = [(variable, array(variable)) for variable in variables]
    try:
        yield
    finally:
        for variable, value in values:
            variable.assign(value)


def state_of(model: Any) -> list[Any]:
    """Every variable that loading a file may change."""
    optimizer = getattr(model, "optimizer", None)
    return [*model.variables, *([] if optimizer is None else optimizer.variables)]


def load_weights(model: Any, file: str | PathLike[str]) -> None:
    """Load the weights in a file, without the optimizer's state where Keras can leave it out."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or not str(file).endswith(".weights.h5"):
        model.load_weights(file)
    else:
        model.load_weights(file, objects_to_skip=[optimizer])


def average_weights(model: Any, files: Sequence[str | PathLike[str]]) -> None:
    """Give a model the equal average of the weights in files, one of which is in memory at a time.

    What is no floating-point number, such as a count, is that of the last file. Random seeds stay.
    """
    sums: list[Any] = []
    for file in files:
        load_weights(model, file)
        weights = [array(weight) for weight in model.weights]
        numbers = [weight.astype(np.float64) for weight in weights]
        sums = numbers if not sums else [total + each for total, each in zip(sums, numbers, strict=True)]
    for variable, total in zip(model.weights, sums, strict=True):
        if keras.backend.is_float_dtype(variable.dtype):
            variable.assign((total / len(files)).astype(np.float32))


def normalizations(model: Any) -> list[Any]:
    """The layers whose statistics belong to the weights that training saw: BatchNormalization that is trained."""
    return [
        layer
        for layer in layers_of(model)
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable and layer.built
    ]


def check_refresh(model: Any, refresh: object) -> None:
    """Raise where weights are to be averaged of a model with BatchNormalization, and no data is there."""
    layers = normalizations(model)
    if layers and refresh is None:
        raise ArgumentError(
            argument="refresh",
            rule="training data, as the model has BatchNormalization layers: the statistics of averaged weights are "
            "not the average of the statistics",
            received=Described(f"None, and {len(layers)} such layers, the first of which is {layers[0].name!r}"),
            fix="Pass training data, such as refresh=x_train.",
        )


def refresh_statistics(model: Any, data: Any, batch_size: int | None = None) -> None:
    """Make the statistics of the BatchNormalization layers anew, by one pass over training data.

    Each statistic becomes the mean of those of all batches, weighted with their samples.

    Args:
        model: what has the weights already.
        data: inputs, or (inputs, targets), or whatever `predict` takes.
        batch_size: samples in a batch of arrays; 32 if None.
    """
    layers = normalizations(model)
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    seeds = [seed.state for layer in layers_of(model) for seed in layer._seed_generators]
    try:
        with kept(seeds), without_gradients():
            inputs = data[0] if isinstance(data, tuple) else data
            _TrainingPass(model, layers).predict(inputs, batch_size=batch_size, verbose=0)
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum


class _TrainingPass(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Calls a model in training mode inside `predict`, which reads any data. It runs eagerly, batch by batch."""

    def __init__(self, model: Any, layers: list[Any]) -> None:
        super().__init__()
        self._trained, self._refreshed, self._seen = model, layers, 0
        self.built = True
        self.compile(run_eagerly=True)

    def call(self, inputs: Any) -> Any:
        count = int(keras.tree.flatten(inputs)[0].shape[0])
        for layer in self._refreshed:
            layer.momentum = self._seen / (self._seen + count)
        self._seen += count
        self._trained(inputs, training=True)
        return keras.ops.zeros((count, 1))  # `predict` keeps the outputs of all batches
