"""What a schedule costs in Keras: a training step with it against the same step with a constant rate.

A small and a middle-sized network on each backend. The rivals train an epoch in turn; an epoch's time holds no
compilation. A further `fit` along the same schedule is timed as a whole: there a train step compiled again would show.
Run as `python -m benchmarks.keras_step`, which takes about 6 minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

import kosine as ks
from benchmarks.backends import backend_name, on_each_backend, side_by_side
from benchmarks.measure import interleaved, interleaved_seconds, progress, ratio
from benchmarks.tables import Spread, Table, report

ROUNDS = 36
EPOCHS = ROUNDS + 1  # the first is not counted
PEAK, START = 1e-4, 4e-6


class Network(NamedTuple):
    """A classifier of dense layers, and how many batches make an epoch of some 0.15 s on each backend."""

    name: str
    layers: tuple[int, ...]
    batch: int
    steps: dict[str, int]

    def model(self, learning_rate: Any) -> Any:
        import keras

        keras.utils.set_random_seed(0)
        inputs, *hidden, classes = self.layers
        model = keras.Sequential(
            [
                keras.Input((inputs,)),
                *(keras.layers.Dense(units, activation="relu") for units in hidden),
                keras.layers.Dense(classes, activation="softmax"),
            ]
        )
        model.compile(keras.optimizers.RMSprop(learning_rate), "categorical_crossentropy", metrics=["accuracy"])
        return model


NETWORKS = (
    Network("small", (100, 32, 10), 16, {"JAX": 800, "TensorFlow": 120, "PyTorch": 80}),
    Network("middle-sized", (784, 512, 512, 10), 128, {"JAX": 40, "TensorFlow": 20, "PyTorch": 12}),
)


def assigning_callback(plan: ks.Plan) -> Any:
    """The widely copied callback: it assigns the rate before each batch and reads it back after it."""
    import keras

    class AssigningCallback(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.step = 0
            self.learning_rates: list[float] = []

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.model.optimizer.learning_rate = plan(self.step)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.step += 1
            self.learning_rates.append(float(self.model.optimizer.learning_rate))

    return AssigningCallback()


def trainer(model: Any, callbacks: list[Any], x: Any, y: Any, batch: int) -> Callable[[], float]:
    """A function that trains one more epoch and returns its seconds."""
    import keras

    class Timer(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.begin = perf_counter()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seconds = perf_counter() - self.begin

    epoch, timer = 0, Timer()

    def train() -> float:
        nonlocal epoch
        epoch += 1
        model.fit(
            x, y, batch_size=batch, initial_epoch=epoch - 1, epochs=epoch, shuffle=False, verbose=0,
            callbacks=[*callbacks, timer],
        )  # fmt: skip
        seconds: float = timer.seconds
        return seconds

    return train


def trainers(network: Network, steps: int) -> dict[str, Callable[[], float]]:
    """Each rival with its own model; the first has the constant rate that the others are compared with."""
    import keras

    generator = np.random.default_rng(0)
    inputs, classes, examples = network.layers[0], network.layers[-1], steps * network.batch
    x = generator.normal(size=(examples, inputs)).astype(np.float32)
    y = np.eye(classes, dtype=np.float32)[generator.integers(0, classes, examples)]
    plan = ks.warmup_cosine(peak=PEAK, warmup="2ep", warmup_start=START).plan(epochs=EPOCHS, steps_per_epoch=steps)
    built_in = keras.optimizers.schedules.CosineDecay(
        START, (EPOCHS - 2) * steps, warmup_target=PEAK, warmup_steps=2 * steps
    )
    rivals: dict[str, tuple[Any, list[Any]]] = {
        "constant rate": (PEAK, []),
        "LearningRateCallback": (PEAK, [ks.keras.LearningRateCallback(plan, lint=False)]),
        "LearningRateSchedule": (ks.keras.LearningRateSchedule(plan), []),
        "Keras' own CosineDecay": (built_in, []),
        "a callback that assigns and reads at each batch": (PEAK, [assigning_callback(plan)]),
        "constant rate, again": (PEAK, []),
    }
    return {
        name: trainer(network.model(rate), callbacks, x, y, network.batch) for name, (rate, callbacks) in rivals.items()
    }


def further_fits(network: Network) -> dict[str, Callable[[], object]]:
    """A `fit` of one short epoch at a constant rate, and one along a schedule, each of a model that has trained so."""
    steps = 100
    x = np.zeros((steps * network.batch, network.layers[0]), np.float32)
    y = np.zeros((len(x), network.layers[-1]), np.float32)
    lr = ks.warmup_cosine(peak=PEAK, warmup="5%")

    def fit(callbacks: Callable[[], list[Any]]) -> Callable[[], object]:
        model = network.model(PEAK)
        return lambda: model.fit(x, y, batch_size=network.batch, verbose=0, callbacks=callbacks())

    return {
        "constant rate": fit(list),
        "LearningRateCallback": fit(lambda: [ks.keras.LearningRateCallback(lr)]),
        "constant rate, again": fit(list),
    }


def on_this_backend() -> Iterator[Table]:
    """The column of this backend in each table."""
    backend = backend_name()
    progress(f"Keras on {backend}: further fits")
    seconds = interleaved_seconds(further_fits(NETWORKS[0]), ROUNDS)
    base = seconds.pop("constant rate")
    yield Table(
        "A further `fit` of 100 steps along the same schedule / one at a constant rate: small network",
        ("rate", backend),
        (
            *((name, ratio(values, base)) for name, values in seconds.items()),
            ("ms of a fit at a constant rate", Spread.of(base).scaled(1e3)),
        ),
        "The target for kosine is at most 1.1.",
    )
    for network in NETWORKS:
        progress(f"Keras on {backend}: the {network.name} network")
        steps = network.steps[backend]
        seconds = interleaved(trainers(network, steps), ROUNDS)
        base = seconds.pop("constant rate")
        rows = [(name, ratio(values, base)) for name, values in seconds.items()]
        layers = "-".join(map(str, network.layers))
        yield Table(
            f"A Keras training step / the same with a constant rate: {network.name} network ({layers}, "
            f"batch {network.batch})",
            ("rate", backend),
            (*rows, ("µs of a step with a constant rate", Spread.of(base).scaled(1e6 / steps))),
            "Medians and quartiles of epochs trained in turn; the target for kosine is at most 1.03. The constant rate "
            "again shows the noise.",
        )


def tables() -> Iterator[Table]:
    yield from side_by_side(on_each_backend("benchmarks.keras_step"))


if __name__ == "__main__":
    report(tables)
