"""The examples in the docstrings of the PyTorch modules run."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "module",
    [
        "kosine.torch._cycle_ends",
        "kosine.torch._ensemble",
        "kosine.torch._range_test",
        "kosine.torch._scheduler",
        "kosine.torch._trainer",
        "kosine.testing.torch",
    ],
)
def test_examples(module: str) -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [test for test in finder.find(importlib.import_module(module)) if test.examples]
    assert len(found) == 1
    for test in found:
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        runner.run(test)
        assert runner.failures == 0
