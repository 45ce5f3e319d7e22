"""The examples in the docstrings are run, and every public function has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
from pathlib import Path

import pytest

import kosine as ks

# Those import a framework, a plotting library or the command line, and have tests of their own.
ELSEWHERE = (
    "kosine.cli",
    "kosine.__main__",
    "kosine.jax",
    "kosine.keras",
    "kosine._display",
    "kosine.testing",
    "kosine.torch",
)
PACKAGE = Path(ks.__file__).parent
MODULES = [".".join(("kosine", *file.relative_to(PACKAGE).with_suffix("").parts)) for file in PACKAGE.rglob("*.py")]
CORE = sorted(name for module in MODULES if not (name := module.removesuffix(".__init__")).startswith(ELSEWHERE))
FUNCTIONS = [name for name in ks.__all__ if inspect.isfunction(getattr(ks, name))]
CLASSES = [name for name in ks.__all__ if inspect.isclass(getattr(ks, name))]


def test_the_core_is_found() -> None:
    assert {
        "kosine._analysis.compare",
        "kosine._analysis.lint.lint",
        "kosine._core.curves.cosine",
        "kosine._core.durations",
        "kosine._core.json_form",
        "kosine._core.schedule",
        "kosine._core.text_form",
        "kosine._export.to_code",
        "kosine._logs.check.check",
        "kosine._logs.infer.infer",
        "kosine.dialects.torch",
    } <= set(CORE)


@pytest.mark.parametrize("module", ["precision", "read.read", "trace"])
def test_the_examples_of_logs_are_there(module: str) -> None:
    assert doctest.testmod(importlib.import_module(f"kosine._logs.{module}")).attempted


@pytest.mark.parametrize("module", CORE)
def test_the_examples_of_a_module_run(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module))
    assert result.failed == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_public_function_documents_its_arguments_errors_and_use(name: str) -> None:
    function = getattr(ks, name)
    text = inspect.getdoc(function) or ""
    assert ">>> " in text
    assert "Raises:" in text
    documented = text.partition("Args:")[2].partition("Raises:")[0]
    for argument in inspect.signature(function).parameters:
        assert f"{argument}: " in documented, argument


@pytest.mark.parametrize("name", CLASSES)
def test_a_public_class_and_its_methods_are_documented(name: str) -> None:
    kind = getattr(ks, name)
    assert kind.__dict__.get("__doc__")
    for method, function in inspect.getmembers(kind, inspect.isfunction):
        if not method.startswith("_") and function.__module__.startswith("kosine"):
            assert inspect.getdoc(function), method


@pytest.mark.parametrize("method", [ks.Schedule, ks.Schedule.plan, ks.Plan])
def test_what_users_call_first_has_an_example(method: object) -> None:
    assert ">>> " in (inspect.getdoc(method) or "")
