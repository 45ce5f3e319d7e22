"""A Keras run that goes on from its last backup: `python -m tests.support.keras_killed_run FOLDER [STEP MOMENT]`.

It notes each rate as soon as it was applied, and kills itself at a step if it is told to. KERAS_BACKEND chooses the
backend.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

import kosine as ks
from kosine.testing.keras import minus_mean, probe_data
from tests.support.keras_killed_plan import EPOCHS, LR, STEPS
from tests.support.killed_runs import note


class AppliedOneByOne(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Appends the step and the applied rate of each batch to a file, and dies at the moment that it is given."""

    def __init__(self, file: Path, death: tuple[int, str] | None) -> None:
        super().__init__()
        self._file = file
        self._death = death
        self._epoch = self._step = -1

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch
        self.model.get_layer("probe").set_weights([np.zeros((STEPS, 1), np.float32)])

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self._step = self._epoch * STEPS + batch
        self._perhaps_die("before the update")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._perhaps_die("after the update")
        note(self._file, self._step, self.model.get_layer("probe").get_weights()[0][batch, 0])

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._perhaps_die("after the backup")

    def save_weights(self, filepath: str, overwrite: bool = True) -> None:
        """What the backup calls to save the model's weights."""
        type(self.model).save_weights(self.model, filepath, overwrite=overwrite)
        if self._dies("during the backup"):
            os.truncate(filepath, Path(filepath).stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    def _dies(self, moment: str) -> bool:
        return self._death is not None and self._step >= self._death[0] and moment == self._death[1]

    def _perhaps_die(self, moment: str) -> None:
        if self._dies(moment):
            os.kill(os.getpid(), signal.SIGKILL)


def built_model() -> Any:
    """A probe for the rates under plain SGD, and a network under Adam, which has a state."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((STEPS,))
    probe = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros", name="probe")(inputs)
    hidden = keras.layers.Dense(4, "tanh", name="hidden")(inputs)
    model = keras.Model(inputs, keras.layers.Add()([probe, keras.layers.Dense(1, "tanh", name="output")(hidden)]))
    plain = keras.optimizers.OptimizerMap(keras.optimizers.Adam(0.5), {"probe/.*": keras.optimizers.SGD(0.5)})
    model.compile(keras.optimizers.MultiOptimizer(plain), minus_mean)
    return model


def main(folder: Path, death: tuple[int, str] | None) -> None:
    folder.mkdir(exist_ok=True)
    model = built_model()
    applied = AppliedOneByOne(folder / "applied.txt", death)
    model.save_weights = applied.save_weights
    backup = keras.callbacks.BackupAndRestore(folder / "backup", double_checkpoint=True)
    x, y = probe_data(STEPS)
    callbacks = [ks.keras.LearningRateCallback(LR), backup, applied]
    model.fit(x, y, batch_size=2, epochs=EPOCHS, shuffle=False, verbose=0, callbacks=callbacks)
    np.savez(folder / "weights.npz", *model.get_weights())


if __name__ == "__main__":
    main(Path(sys.argv[1]), (int(sys.argv[2]), sys.argv[3]) if len(sys.argv) > 2 else None)
