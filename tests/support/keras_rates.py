"""The rates of the Keras programs in a folder, on the backend that KERAS_BACKEND names, in a process of its own."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import tests.support.bare_keras  # noqa: F401  # before Keras

# isort: split
import keras
import numpy as np

STEPS = np.arange(1000)
FEW = STEPS[::40]


def rates_of(schedule: Any) -> Any:
    """The rates at all steps; of one of Keras' own schedules, which take one step, without a compiler at a few."""
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.jit(jax.vmap(schedule))(STEPS.astype(np.int32)))
    if type(schedule).__module__.startswith("keras"):
        steps = [keras.ops.convert_to_tensor(step, dtype="int32") for step in FEW]
        return np.array([float(keras.ops.convert_to_numpy(schedule(step))) for step in steps])
    return keras.ops.convert_to_numpy(schedule(keras.ops.convert_to_tensor(STEPS, dtype="int32")))


folder = Path(sys.argv[1])
rates = {}
for file in sorted(folder.glob("program_*.py")):
    schedule = runpy.run_path(str(file))["schedule"]
    assert isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule)
    assert keras.ops.shape(schedule(3)) == ()
    # It is saved and read back with an optimizer that has it.
    optimizer = keras.optimizers.SGD(learning_rate=schedule)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert float(keras.ops.convert_to_numpy(again.learning_rate)) == float(keras.ops.convert_to_numpy(schedule(0)))
    rates[file.stem] = rates_of(schedule)
np.savez(folder / "rates.npz", **rates)
