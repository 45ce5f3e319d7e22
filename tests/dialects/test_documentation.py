"""The examples in the docstrings of the dialects are run, and every dialect says what it follows."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import kosine.dialects

DIALECTS = sorted(
    module.name for module in pkgutil.iter_modules(kosine.dialects.__path__) if not module.name.startswith("_")
)
FUNCTIONS = [
    (dialect, name)
    for dialect in DIALECTS
    for name in importlib.import_module(f"kosine.dialects.{dialect}").__all__
    if name != "FOLLOWS"
]


def the_function(dialect: str, name: str) -> Callable[..., Any]:
    function: Callable[..., Any] = getattr(importlib.import_module(f"kosine.dialects.{dialect}"), name)
    return function


def test_every_dialect_is_at_the_front_door() -> None:
    assert sorted(kosine.dialects.__all__) == DIALECTS


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_examples_of_a_dialect_run(dialect: str) -> None:
    result = doctest.testmod(importlib.import_module(f"kosine.dialects.{dialect}"))
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize(("dialect", "name"), FUNCTIONS)
def test_a_dialect_documents_its_version_arguments_errors_and_use(dialect: str, name: str) -> None:
    function = the_function(dialect, name)
    text = inspect.getdoc(function) or ""
    assert importlib.import_module(f"kosine.dialects.{dialect}").FOLLOWS.lower() in text.lower()
    assert ">>> " in text
    assert "Raises:" in text
    documented = text.partition("Args:")[2].partition("Raises:")[0]
    for argument in inspect.signature(function).parameters:
        assert f"{argument}: " in documented, argument


def test_the_dialects_import_no_peer() -> None:
    code = (
        "import sys, kosine as ks\n"
        "ks.dialects.torch.StepLR(0.1, 30).plan()(5)\n"
        "peers = {'composer', 'jax', 'keras', 'megatron', 'optax', 'timm', 'torch', 'transformers'}\n"
        "print(sorted(peers & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
