"""What a schedule costs in training: a Keras training step with it against the same step with a constant rate.

The small network of the worked example (100-32-10, batch 16). The rivals train an epoch in turn (A B C A B C ...); an
epoch's time does not hold the compilation. Run as `python -m benchmarks.train_step`, which takes about 5 minutes; a
backend's name after it runs that one alone.
"""

from __future__ import annotations

import sys
from statistics import median, quantiles
from time import perf_counter
from typing import Any

import numpy as np

import kosine as ks
from benchmarks.backends import on_each_backend
from benchmarks.measure import print_table

STEPS, BATCH, ROUNDS, UNCOUNTED = 400, 16, 41, 2
TARGET = 1.03


def measure(backend: str) -> None:
    import keras

    class Timer(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.begin = perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seconds = perf_counter() - self.begin

    class AssigningCallback(keras.callbacks.Callback):  # type: ignore[misc]
        """What the widely copied callback does: assign before each batch, read back after it."""

        def __init__(self) -> None:
            super().__init__()
            self.step = 0
            self.learning_rates: list[float] = []

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.model.optimizer.learning_rate = plan(self.step)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.step += 1
            self.learning_rates.append(float(self.model.optimizer.learning_rate))

    def network(learning_rate: Any = 1e-4) -> Any:
        keras.utils.set_random_seed(0)
        model = keras.Sequential(
            [
                keras.Input((100,)),
                keras.layers.Dense(32, activation="relu"),
                keras.layers.Dense(10, activation="softmax"),
            ]
        )
        model.compile(keras.optimizers.RMSprop(learning_rate), "categorical_crossentropy", metrics=["accuracy"])
        return model

    generator = np.random.default_rng(0)
    x = generator.normal(size=(STEPS * BATCH, 100)).astype(np.float32)
    y = np.eye(10, dtype=np.float32)[generator.integers(0, 10, STEPS * BATCH)]
    schedule = ks.warmup_cosine(peak=1e-4, warmup="10ep", warmup_start=4e-6, hold=5)
    plan = schedule.plan(epochs=50, steps_per_epoch=STEPS)
    built_in = keras.optimizers.schedules.CosineDecay(4e-6, 40 * STEPS, warmup_target=1e-4, warmup_steps=10 * STEPS)
    rivals: dict[str, tuple[Any, list[Any]]] = {
        "constant rate": (network(), []),
        "LearningRateCallback": (network(), [ks.keras.LearningRateCallback(plan)]),
        "LearningRateSchedule": (network(ks.keras.LearningRateSchedule(plan)), []),
        "built-in CosineDecay": (network(built_in), []),
        "callback that assigns and reads": (network(), [AssigningCallback()]),
        "constant rate, again": (network(), []),
    }
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for epoch in range(ROUNDS + UNCOUNTED):
        turn = epoch % len(rivals)  # another rival begins each round, so that no place in it is favoured
        for name, (model, callbacks) in [*rivals.items()][turn:] + [*rivals.items()][:turn]:
            timer = Timer()
            model.fit(
                x, y, batch_size=BATCH, initial_epoch=epoch, epochs=epoch + 1, shuffle=False, verbose=0,
                callbacks=[*callbacks, timer],
            )  # fmt: skip
            if epoch >= UNCOUNTED:
                seconds[name].append(timer.seconds)
    rows = [[f"{backend}: time of a training step", "µs", "ratio", "quartiles"]]
    for name, values in seconds.items():
        ratios = [value / constant for value, constant in zip(values, seconds["constant rate"], strict=True)]
        low, middle, high = quantiles(ratios, n=4)
        rows.append([name, f"{median(values) / STEPS * 1e6:.0f}", f"{middle:.3f}", f"{low:.2f} - {high:.2f}"])
    print_table(rows)
    print(f"target for kosine: <= {TARGET}; the last row, the same as the first, shows the noise")


def main() -> None:
    if len(sys.argv) > 1:
        measure(sys.argv[1])
    else:
        on_each_backend("benchmarks.train_step")


if __name__ == "__main__":
    main()
