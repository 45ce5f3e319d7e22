"""The applied learning rate of a Keras run, read from the weights.

The rate that an optimizer reports may differ from the applied one, so the probe measures how far each update moved a
weight. The probe model has one weight for each batch of an epoch, all 0. Batch b sends a gradient of exactly -1 to
weight b and 0 to the others. After an epoch of plain SGD, weight b therefore *is* the learning rate that batch b was
trained with. It is exact to the bit, because the update neither subtracts nor rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray


@keras.saving.register_keras_serializable(package="kosine")  # type: ignore[untyped-decorator]
def minus_mean(y_true: Any, y_pred: Any) -> Any:
    """The loss of the probe: its gradient with respect to each sample's output is -1 / batch size."""
    return -keras.ops.mean(y_pred, axis=-1)


def probe_model(steps_per_epoch: int, layers: Sequence[str] = ("probe",)) -> Any:
    """A Keras model with a weight for each batch of an epoch; compile it with `loss=minus_mean` and plain SGD.

    Args:
        steps_per_epoch: the number of batches in an epoch, and of weights in a layer.
        layers: the names of the layers, whose outputs are added; each is a separate probe, as for an optimizer
            that treats layers differently.

    Example:
        >>> import keras, kosine as ks
        >>> model = ks.testing.keras.probe_model(steps_per_epoch=4)
        >>> model.compile(keras.optimizers.SGD(0.5), ks.testing.keras.minus_mean)
        >>> x, y = ks.testing.keras.probe_data(steps_per_epoch=4)
        >>> applied = ks.testing.keras.AppliedRates()
        >>> history = model.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0, callbacks=[applied])
        >>> applied.rates.tolist()
        [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    """
    inputs = keras.Input((steps_per_epoch,))
    outputs = [keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros", name=name)(inputs) for name in layers]
    return keras.Model(inputs, outputs[0] if len(outputs) == 1 else keras.layers.Add()(outputs))


def probe_data(steps_per_epoch: int, batch_size: int = 2) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The inputs and targets of one epoch for `probe_model`: every sample of batch b is the b-th unit vector.

    Args:
        steps_per_epoch: the number of batches.
        batch_size: samples in a batch; a power of two keeps the mean of the gradients exact.

    Returns:
        Arrays of the shapes (steps_per_epoch * batch_size, steps_per_epoch) and (steps_per_epoch * batch_size, 1).
        Train on them in order, with `shuffle=False` and the same batch size.
    """
    x = np.repeat(np.eye(steps_per_epoch, dtype=np.float32), batch_size, axis=0)
    return x, np.zeros((len(x), 1), np.float32)


class AppliedRates(keras.callbacks.Callback):  # type: ignore[misc]
    """Records the learning rate that each batch was trained with, epoch by epoch, from the weights of a probe model.

    It sets the weights to 0 before every epoch and reads them after it. So it works with `steps_per_execution`,
    `jit_compile` and distribution. A batch without an update has the rate 0; under
    gradient accumulation over k batches each of them shows a k-th of the rate of the update.

    Args:
        layer: the name of the layer to read.

    Attributes:
        epochs: an array of rates for each epoch trained.
    """

    def __init__(self, layer: str = "probe") -> None:
        super().__init__()
        self.layer = layer
        self.epochs: list[NDArray[np.float32]] = []

    @property
    def rates(self) -> NDArray[np.float32]:
        """The rates of all batches in order."""
        return np.concatenate([np.empty(0, np.float32), *self.epochs])

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        layer = self.model.get_layer(self.layer)
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.epochs.append(np.asarray(self.model.get_layer(self.layer).get_weights()[0], np.float32)[:, 0])
