"""The rooms of the package: at import, each takes only from those after it in the README's list."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LISTED = README[README.index("The rooms of `src/kosine`") : README.index("A new curve is")]
ROOMS = [room for room in re.findall(r"`(\w+)`", LISTED) if room != "src"]
FILES = sorted((ROOT / "src" / "kosine").rglob("*.py"))


def room_of(module: str) -> str:
    return module.split(".")[1]


def imported(tree: ast.Module) -> set[str]:
    """The kosine modules that are imported when the module is, type checking aside."""
    modules: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules |= {
                f"{node.module}.{alias.name}" if node.module == "kosine" else str(node.module) for alias in node.names
            }
    return {module for module in modules if module.startswith("kosine.")}


def test_every_room_is_listed() -> None:
    names = {file.relative_to(ROOT / "src" / "kosine").parts[0].removesuffix(".py") for file in FILES}
    assert names - {"__init__"} == set(ROOMS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: "/".join(file.parts[-2:]))
def test_arrows_point_down(file: Path) -> None:
    own = file.relative_to(ROOT / "src" / "kosine").parts[0].removesuffix(".py")
    if own == "__init__":  # the package's front door names everything that is public
        return
    below = ROOMS[ROOMS.index(own) :]
    for module in imported(ast.parse(file.read_text(encoding="utf-8"))):
        assert room_of(module) in below, f"{own} imports {module}"
