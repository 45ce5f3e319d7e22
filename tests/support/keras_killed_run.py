"""Keras runs that go on from their last backup: `python -m tests.support.keras_killed_run RUN...`.

Each argument is one run as JSON: [folder] or [folder, the step and the moment at which it kills itself]. The runs are
forks of this process, one after another, so that Keras is imported once: only a fork starts the backend. They note each
rate as soon as it was applied. The exit codes are printed, one a line. KERAS_BACKEND chooses the backend.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
from pathlib import Path
from typing import Any

import tests.support.bare_keras  # noqa: F401  # before Keras

# isort: split
import keras
import numpy as np

import kosine as ks
from kosine.testing.keras import minus_mean, probe_data
from tests.support.keras_killed_plan import EPOCHS, LR, STEPS
from tests.support.killed_runs import note

SECONDS = 100  # after which a run that hangs is given up


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
    """A probe for the rates under plain SGD, and a network under Adam, which has a state.

    The seeds are the layers' own: `keras.utils.set_random_seed` imports TensorFlow, on each backend.
    """
    first, second = (keras.initializers.GlorotUniform(seed) for seed in (1, 2))
    inputs = keras.Input((STEPS,))
    probe = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros", name="probe")(inputs)
    hidden = keras.layers.Dense(4, "tanh", kernel_initializer=first, name="hidden")(inputs)
    output = keras.layers.Dense(1, "tanh", kernel_initializer=second, name="output")(hidden)
    model = keras.Model(inputs, keras.layers.Add()([probe, output]))
    plain = keras.optimizers.OptimizerMap(keras.optimizers.Adam(0.5), {"probe/.*": keras.optimizers.SGD(0.5)})
    model.compile(keras.optimizers.MultiOptimizer(plain), minus_mean)
    return model


def train(folder: Path, death: tuple[int, str] | None) -> None:
    folder.mkdir(exist_ok=True)
    model = built_model()
    applied = AppliedOneByOne(folder / "applied.txt", death)
    model.save_weights = applied.save_weights
    backup = keras.callbacks.BackupAndRestore(folder / "backup", double_checkpoint=True)
    x, y = probe_data(STEPS)
    callbacks = [ks.keras.LearningRateCallback(LR), backup, applied]
    model.fit(x, y, batch_size=2, epochs=EPOCHS, shuffle=False, verbose=0, callbacks=callbacks)
    np.savez(folder / "weights.npz", *model.get_weights())


def main(runs: list[tuple[str, ...]]) -> None:
    fork = multiprocessing.get_context("fork")
    for folder, *death in runs:
        process = fork.Process(target=train, args=(Path(folder), (int(death[0]), death[1]) if death else None))
        process.start()
        process.join(SECONDS)
        print(process.exitcode, flush=True)
        process.kill()
        process.join()


if __name__ == "__main__":
    main([tuple(json.loads(run)) for run in sys.argv[1:]])
