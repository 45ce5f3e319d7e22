"""Links from a class's own name, such as `kosine._core.schedule.Plan`, to its public one, `kosine.Plan`.

Signatures name a class by the module that it is written in. The reference documents it under the name that users
import.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from docutils.nodes import Element
from sphinx.application import Sphinx
from sphinx.domains.python import PythonDomain
from sphinx.environment import BuildEnvironment

_ROOMS = ("kosine", "kosine.keras", "kosine.torch", "kosine.jax", "kosine.published", "kosine.testing.keras")


def _public_names() -> dict[str, str]:
    names = {}
    for room in _ROOMS:
        module = importlib.import_module(room)
        for name in getattr(module, "__all__", dir(module)):
            value = getattr(module, name, None)
            if inspect.isclass(value) and value.__module__.startswith("kosine"):
                names.setdefault(f"{value.__module__}.{value.__qualname__}", f"{room}.{name}")
                names.setdefault(value.__qualname__, f"{room}.{name}")
    return names


def _resolve(app: Sphinx, env: BuildEnvironment, node: Element, content: Element) -> Any:
    public = app.kosine_names.get(node.get("reftarget"))  # type: ignore[attr-defined]
    if node.get("refdomain") != "py" or public is None:
        return None
    domain = env.domains["py"]
    assert isinstance(domain, PythonDomain)
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", public, node, content)


def setup(app: Sphinx) -> dict[str, Any]:
    app.kosine_names = _public_names()  # type: ignore[attr-defined]
    app.connect("missing-reference", _resolve)
    return {"version": "1", "parallel_read_safe": True}
