"""The examples in the docstrings are run."""

from __future__ import annotations

import doctest
import importlib

import pytest


@pytest.mark.parametrize("module", ["precision", "reading", "trace"])
def test_the_examples_of_a_module_run(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"kosine.logs.{module}"))
    assert result.attempted
    assert not result.failed
