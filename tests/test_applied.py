"""One plan in Keras on each backend, in PyTorch and in Optax: the weights say that all applied the same rates."""

import numpy as np

from benchmarks.applied import ADAPTERS, RUNS, TARGET, collect, distances


def test_every_adapter_applies_the_same_rates() -> None:
    found = collect()
    assert sorted(found) == sorted(ADAPTERS)
    for rates in found.values():
        for name, run in RUNS.items():
            assert np.shape(rates[name]) == (run.steps,)
    for adapter, distance in distances(found).items():
        assert distance.from_plan <= TARGET, adapter
        assert distance.from_others <= TARGET, adapter
