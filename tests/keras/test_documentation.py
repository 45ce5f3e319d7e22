"""The examples in the docstrings of the Keras modules run."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    ("module", "examples"),
    [
        ("kosine.keras._schedule", 1),
        ("kosine.keras._callback", 1),
        ("kosine.keras._dropin", 2),
        ("kosine.testing.keras", 1),
    ],
)
def test_examples(module: str, examples: int) -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [test for test in finder.find(importlib.import_module(module)) if test.examples]
    assert len(found) == examples
    for test in found:
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        runner.run(test)
        assert runner.failures == 0
