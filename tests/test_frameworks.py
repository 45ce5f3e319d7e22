"""One plan in Keras on each backend, in PyTorch and in Optax: the weights say that all applied the same rates."""

import numpy as np

from benchmarks.frameworks import ADAPTERS, RUNS, TARGET, collect, distances


def test_every_framework_applies_the_same_rates() -> None:
    found = collect()
    assert list(found) == list(ADAPTERS)
    for rates in found.values():
        for name, run in RUNS.items():
            assert np.shape(rates[name]) == (run.steps,)
    for adapter, (from_plan, from_others) in distances(found).items():
        assert from_plan <= TARGET, adapter
        assert from_others <= TARGET, adapter
