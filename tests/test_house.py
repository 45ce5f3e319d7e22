"""The house of `src/kosine`: every import points down, and no chain of imports comes back to where it began.

All imports count: those of a module, those inside functions, and those for type checkers only.
"""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "kosine"
FLOORS = (
    ("__init__", "__main__"),  # the front door
    ("cli",),
    ("testing",),
    ("keras", "torch", "jax"),
    ("_tune",),
    ("_display",),
    ("_logs",),
    ("_analysis",),
    ("_export",),
    ("dialects", "published"),
    ("_core",),
    ("errors", "_version"),
)
"""From the roof down; a room may use its own floor's files only inside itself, and every floor below."""

FILES = {".".join(("kosine", *file.relative_to(PACKAGE).with_suffix("").parts)): file for file in PACKAGE.rglob("*.py")}


def room_of(module: str) -> str:
    return module.split(".")[1]


def floor_of(module: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room_of(module) in rooms)


def imports_of(module: str) -> set[str]:
    """The files of kosine that a file imports, wherever in it the import stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} has a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "kosine":
                found.add(file_of(name))
    return found - {module}


def file_of(name: str) -> str:
    """The file that a dotted name is in: a module, a package, or something inside one."""
    while True:
        for candidate in (name, f"{name}.__init__"):
            if candidate in FILES:
                return candidate
        name = name.rpartition(".")[0]


def test_every_room_has_a_floor() -> None:
    assert {room_of(module) for module in FILES} == {room for rooms in FLOORS for room in rooms}


@pytest.mark.parametrize("module", sorted(FILES))
def test_imports_point_down(module: str) -> None:
    for imported in imports_of(module):
        if room_of(imported) != room_of(module):
            assert floor_of(imported) > floor_of(module), f"{module} imports {imported}"


def test_no_circle() -> None:
    graph = {module: imports_of(module) for module in FILES}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_everything_that_is_not_public_has_an_underscore() -> None:
    fronts = {f"{room}.__init__" for room in ("cli", "dialects", "jax", "keras", "testing", "torch")}
    rooms = [("dialects", "[!_]*.py"), ("testing", "[!_]*.py")]
    public = {"__init__", "__main__", "cli.__main__", "errors", "published", *fronts}
    public |= {f"{room}.{file.stem}" for room, files in rooms for file in (PACKAGE / room).glob(files)}
    names = {module.removeprefix("kosine.") for module in FILES}
    assert {name for name in names if not re.search(r"(^|\.)_[a-z]", name)} <= public


ROOT = PACKAGE.parents[1]
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "development").glob("*.md")}


def rooms_in(table: str) -> list[list[str]]:
    """The rooms in the first cell of each row of a table, without the slash of a folder and the ending of a file."""
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return [re.findall(r"`(\w+)[^`]*`", row) for row in rows]


def test_the_page_of_the_house_shows_every_floor_and_every_room_of_the_core() -> None:
    floors, core = PAGES["house"].split("## Inside `_core`")
    assert [set(rooms) for rooms in rooms_in(floors)] == [set(rooms) - {"_version"} for rooms in FLOORS[1:]]
    rooms = [room for row in rooms_in(core.split("## The one door")[0]) for room in row]
    assert sorted(rooms) == sorted({path.stem for path in (PACKAGE / "_core").glob("[!_]*")})


@pytest.mark.parametrize("page", sorted(PAGES))
def test_the_files_that_the_pages_name_exist(page: str) -> None:
    for name in re.findall(r"`([\w.]+/[\w./]*)`", PAGES[page]):
        folders = (
            ROOT,
            PACKAGE.parent,
            PACKAGE,
            *(PACKAGE / room for room in ("_core", "_logs", "_analysis", "_export")),
        )
        is_there = any((folder / name).exists() or (folder / f"{name}.py").exists() for folder in folders)
        assert is_there, f"{page}.md names {name}"
