"""The examples in the docstrings of the JAX modules run."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("module", ["kosine.jax._range_test", "kosine.jax._schedule", "kosine.testing.optax"])
def test_examples(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module))
    assert result.attempted >= 3
    assert result.failed == 0
