"""What a range test costs in Keras: 100 updates of one, with all that it saves and puts back, against 100 plain steps.

Both train the networks of `keras_step`, in turn and compiled before. The rates stay low, so that no seed ends early.
Run as `python -m benchmarks.range_test_cost`, which takes about 5 minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import kosine as ks
from benchmarks.backends import backend_name, on_each_backend, side_by_side
from benchmarks.keras_step import NETWORKS, PEAK, Network
from benchmarks.measure import interleaved_seconds, progress, ratio
from benchmarks.tables import Spread, Table, report

ROUNDS, STEPS, SEEDS = 5, 100, 3


def rivals(network: Network) -> dict[str, Callable[[], object]]:
    """A test of three seeds, and the same number of plain steps; each with a model of its own that has trained."""
    generator, classes = np.random.default_rng(0), network.layers[-1]
    x = generator.normal(size=(STEPS * network.batch, network.layers[0])).astype(np.float32)
    y = np.eye(classes, dtype=np.float32)[generator.integers(0, classes, len(x))]

    def fit() -> Callable[[], object]:
        model = network.model(PEAK)
        return lambda: model.fit(x, y, batch_size=network.batch, epochs=SEEDS, verbose=0)

    def test() -> Callable[[], object]:
        model = network.model(PEAK)
        model.fit(x, y, batch_size=network.batch, verbose=0)
        rates = {"low": 1e-7, "high": 1e-5}
        return lambda: ks.keras.range_test(
            model, x, y, batch_size=network.batch, steps=STEPS, seeds=SEEDS, verbose=0, **rates
        )

    return {"plain steps": fit(), "a range test": test(), "plain steps, again": fit()}


def on_this_backend() -> Iterator[Table]:
    """The column of this backend in each table."""
    backend = backend_name()
    for network in NETWORKS:
        progress(f"Range test on {backend}: the {network.name} network")
        seconds = interleaved_seconds(rivals(network), ROUNDS)
        base = seconds.pop("plain steps")
        yield Table(
            f"A range test of {STEPS} updates / {STEPS} plain steps: {network.name} network",
            ("", backend),
            (
                *((name, ratio(values, base)) for name, values in seconds.items()),
                (f"ms of {STEPS} plain steps", Spread.of(base).scaled(1e3 / SEEDS)),
            ),
            "Medians and quartiles of tests of three seeds and of as many plain steps, in turn; the target is at most "
            "1.3.",
        )


def tables() -> Iterator[Table]:
    yield from side_by_side(on_each_backend("benchmarks.range_test_cost"))


if __name__ == "__main__":
    report(tables)
