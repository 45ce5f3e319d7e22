"""Run by a test in a process of its own: loads a file that a run with kosine wrote, where kosine cannot be imported."""

import sys
from pathlib import Path
from typing import Any

sys.modules["kosine"] = None  # type: ignore[assignment]  # an import of it fails

import keras  # noqa: E402
import numpy as np  # noqa: E402


def loss(y_true: Any, y_pred: Any) -> Any:
    return -keras.ops.mean(y_pred, axis=-1)


for name in sys.argv[1:]:
    model = keras.saving.load_model(Path(name), custom_objects={"minus_mean": loss, "kosine>minus_mean": loss})
    rate, done = float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)), int(model.optimizer.iterations + 0)
    steps = model.input_shape[1]
    model.fit(np.eye(steps, dtype="float32"), np.zeros((steps, 1)), batch_size=2, verbose=0)
    print(rate, done, type(model.optimizer.learning_rate).__name__)
