"""Measure which mistakes in the core the tests notice, and write it into docs/mutation.md:    make mutation"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import date
from importlib.metadata import version
from pathlib import Path

import libcst as cst
import pytest
from _pytest.config import _prepareconfig
from libcst import matchers as m
from mutmut.__main__ import _run as run_mutmut
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.workers import isolation

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "runs" / "mutation"
STATUS = {0: "survived", 1: "killed", 33: "no test", 36: "timed out", -24: "timed out"}
DOCUMENT = ROOT / "docs" / "mutation.md"

SOURCE = Path("src", "kosine")

CORE = ROOT / SOURCE / "_core"
ROOMS = {
    "durations": ("durations",),
    "phase": ("section", "curves"),
    "curve": ("curves",),
    **{f"curves/{file.stem}": ("curves",) for file in sorted(CORE.glob("curves/*.py")) if file.stem != "__init__"},
    "schedule": ("schedule", "section", "plan"),
    "groups": ("schedule", "section"),
    "placing": ("section", "plan"),
    "timeline": ("section", "plan"),
    "evaluate": ("section", "curves"),
    "run": ("plan",),
    "text_form": ("text_and_json",),
    "json_form": ("text_and_json",),
}
"""Each file of the core with the tests that are likely to notice a mutant of it: they run first."""

TESTS = [
    *(
        f"tests/core/test_{name}.py"
        for name in ("durations", "curves", "schedule", "section", "plan", "text_and_json", "constructors")
    ),
    "tests/test_documentation.py::test_the_examples_of_a_module_run",
]
LEFT_OUT = "not inference and not 100_000 and not exact_arithmetic and not 10_to_the_12"  # SciPy's, and slow ones


def path_of(room: str) -> Path:
    return SOURCE / "_core" / f"{room}.py"


SETTINGS = f"""\
[tool.mutmut]
source_paths = ["src"]
only_mutate = {[path_of(room).as_posix() for room in ROOMS]}
pytest_add_cli_args_test_selection = {TESTS}
pytest_add_cli_args = ["--hypothesis-profile=mutation", "-k", "{LEFT_OUT}"]
also_copy = ["conftest.py"]
process_isolation = "forkserver"
track_dependencies = false
timeout_constant = 20  # times 15: a busy machine is no time-out
use_git_change_detection = false

[tool.pytest.ini_options]
addopts = "--strict-markers --strict-config -p no:cacheprovider"
filterwarnings = ["error"]
"""

# A mutant is met where it works, so what one test has cached is no other's. A test that goes on for ever is ended with
# the exit status that mutmut reads as a time-out; mutmut would wait for many times as long as all tests last.
CONFTEST = """\
import os
import signal

import pytest
from hypothesis import Phase, settings

from kosine._core import evaluate

settings.register_profile(
    "mutation", deadline=None, derandomize=True, max_examples=10, phases=[Phase.explicit, Phase.generate]
)


@pytest.fixture(autouse=True)
def alone():
    evaluate.scalar_function.cache_clear()
    evaluate.array_function.cache_clear()
    signal.signal(signal.SIGPROF, lambda number, frame: os._exit(36))
    signal.setitimer(signal.ITIMER_PROF, 10)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
"""


class CollectedOnce(PytestRunner):  # type: ignore[misc]  # no types of mutmut are read
    """Run the tests of a mutant from one collection: pytest takes longer to find them than to run them."""

    session: pytest.Session | None = None

    def warm_up(self) -> None:
        os.chdir("mutants")
        # Without the plugin that fails a test for a file left open: mutmut leaves one open in every process.
        options = [*self._pytest_add_cli_args, "-q", "--rootdir=.", "--tb=native", "-p", "no:unraisableexception"]
        arguments = [*self._pytest_add_cli_args_test_selection, *options]
        config = _prepareconfig(arguments)
        config._do_configure()
        self.session = pytest.Session.from_config(config)
        config.hook.pytest_sessionstart(session=self.session)
        config.hook.pytest_collection(session=self.session)

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        wanted = set(tests)
        if not wanted:
            return int(super().run_tests(mutant_name=mutant_name, tests=tests))
        if self.session is None:
            self.warm_up()
        assert self.session is not None
        items = [item for item in self.session.items if item.nodeid in wanted]
        first = ROOMS[room_of(mutant_name)] if mutant_name else ()
        items.sort(key=lambda item: (_file(item) not in first, state().duration_by_test[item.nodeid]))
        for item in items:
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
            if self.session.testsfailed:
                break
        return int(self.session.testsfailed > 0)


def room_of(mutant: str) -> str:
    """The room of a mutant, such as kosine._core.curves.cosine.x_cosine__mutmut_1."""
    module = mutant.removeprefix("kosine._core.").rpartition(".")[0]
    return module.replace(".", "/")


def _file(item: pytest.Item) -> str:
    return item.path.stem.removeprefix("test_")


class Unfold(cst.CSTTransformer):  # type: ignore[misc]  # nor of libcst
    """Write `@property def f` as `def _of_f` and `f = property(_of_f)`: mutmut leaves decorated functions out."""

    def leave_FunctionDef(  # noqa: N802  libcst's name
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef | cst.FlattenSentinel[cst.BaseStatement]:
        if len(updated_node.decorators) != 1:
            return updated_node
        decorator = updated_node.decorators[0].decorator
        if not m.matches(decorator, m.Name("property") | m.Name("cached_property") | m.Call(func=m.Name("lru_cache"))):
            return updated_node
        name = updated_node.name
        hidden = cst.Name(f"_of_{name.value}")
        wrapped = cst.Assign([cst.AssignTarget(name)], cst.Call(decorator, [cst.Arg(hidden)]))
        return cst.FlattenSentinel(
            [updated_node.with_changes(name=hidden, decorators=[]), cst.SimpleStatementLine([wrapped])]
        )


def prepare() -> None:
    """A copy of the project for mutmut to work in; what an earlier run has found stays with a room that is the same."""
    mutated = {ROOT / path_of(room) for room in ROOMS}

    def left_out(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if name == "__pycache__" or Path(folder, name) in mutated}

    shutil.rmtree(WORK / "tests", ignore_errors=True)
    for folder in ("src", "tests"):
        shutil.copytree(ROOT / folder, WORK / folder, ignore=left_out, dirs_exist_ok=True)
    for room in ROOMS:
        code = cst.parse_module((ROOT / path_of(room)).read_text("utf-8")).visit(Unfold()).code
        file = WORK / path_of(room)
        if not file.exists() or file.read_text("utf-8") != code:
            file.write_text(code, "utf-8")
    (WORK / "pyproject.toml").write_text(SETTINGS, "utf-8")
    (WORK / "conftest.py").write_text(CONFTEST, "utf-8")


def forget(room: str) -> None:
    """Test every mutant again that no test has noticed: the tests may have changed."""
    data = SourceFileMutationData(path=path_of(room))
    data.load()
    data.exit_code_by_key = {name: 1 if code == 1 else None for name, code in data.exit_code_by_key.items()}
    data.save()


def results(room: str) -> dict[str, str]:
    """The result of each mutant of a room."""
    data = SourceFileMutationData(path=path_of(room))
    data.load()
    return {name: STATUS.get(code, "unknown") for name, code in data.exit_code_by_key.items()}


def scores(found: dict[str, dict[str, str]]) -> str:
    """The table of the rooms: a mutant that makes a test run for ever counts as noticed."""
    lines = ["| room | mutants | killed | timed out | survived | noticed |", "|---|--:|--:|--:|--:|--:|"]
    total = Counter[str]()
    for room, mutants in found.items():
        counted = Counter(mutants.values())
        total += counted
        lines.append(_row(f"`{room}`", counted))
    return "\n".join([*lines, _row("all", total)])


def _row(name: str, counted: Counter[str]) -> str:
    all_of_them, killed, late = counted.total(), counted["killed"], counted["timed out"]
    share = f"{(killed + late) / all_of_them:.1%}"
    return f"| {name} | {all_of_them:,} | {killed:,} | {late:,} | {all_of_them - killed - late:,} | {share} |"


def survivors(found: dict[str, dict[str, str]]) -> str:
    """The lines that each unnoticed mutant changes."""
    pieces = []
    for room, mutants in found.items():
        for name, status in mutants.items():
            if status not in ("killed", "timed out"):
                difference = get_diff_for_mutant(name, path=path_of(room))
                changed = re.findall(r"^[-+](?![-+]).*", difference, re.MULTILINE)
                pieces.append("\n".join([f"# {name}: {status}", *changed]))
    return "\n\n".join(pieces)


def coverage() -> str:
    """The table of the lines and branches of the rooms that their tests run."""
    tests = ["-m", "pytest", "-q", *TESTS, "-k", LEFT_OUT]
    _coverage(
        "run",
        "--branch",
        "--include=" + ",".join(f"*/{path_of(room).relative_to('src').as_posix()}" for room in ROOMS),
        *tests,
    )
    _coverage("json", "-q", "-o", str(WORK / "coverage.json"))
    measured = json.loads((WORK / "coverage.json").read_text("utf-8"))
    lines = ["| room | lines | not run | branches | not taken | covered |", "|---|--:|--:|--:|--:|--:|"]
    by_room = {
        room: entry["summary"]
        for room in ROOMS
        for file, entry in measured["files"].items()
        if Path(file).as_posix().endswith(path_of(room).relative_to("src").as_posix())
    }
    for name, figures in [*((f"`{room}`", by_room[room]) for room in ROOMS), ("all", measured["totals"])]:
        lines.append(
            f"| {name} | {figures['num_statements']:,} | {figures['missing_lines']} | {figures['num_branches']:,} "
            f"| {figures['missing_branches']} | {figures['percent_covered']:.1f}% |"
        )
    return "\n".join(lines)


def _coverage(*arguments: str) -> None:
    environment = {**os.environ, "COVERAGE_FILE": str(WORK / "coverage")}
    subprocess.run([sys.executable, "-m", "coverage", *arguments], cwd=ROOT, env=environment, check=True)


def write(**tables: str) -> None:
    """Put each table between its two marks in the document."""
    text = DOCUMENT.read_text("utf-8")
    for name, table in tables.items():
        before, mark, rest = text.partition(f"<!-- {name} -->\n")
        text = f"{before}{mark}{table}\n{rest[rest.index('<!-- end -->') :]}"
    DOCUMENT.write_text(text, "utf-8")


def main() -> None:
    if Path.cwd() != WORK:  # mutmut reads its settings where it is imported
        prepare()
        environment = {**os.environ, "CI": "1"}
        raise SystemExit(subprocess.run([sys.executable, __file__], cwd=WORK, env=environment).returncode)
    isolation.PytestRunner = CollectedOnce
    for room in ROOMS:
        if (WORK / "mutants" / path_of(room).with_suffix(".py.meta")).exists():
            forget(room)
    run_mutmut((), max_children=os.cpu_count())
    found = {room: results(room) for room in ROOMS}
    (WORK / "survivors.txt").write_text(survivors(found) + "\n", "utf-8")
    measured = (
        f"Measured on {date.today():%d %B %Y} with mutmut {version('mutmut')} on Python {platform.python_version()}."
    )
    write(scores=f"{measured}\n\n{scores(found)}", coverage=coverage())


if __name__ == "__main__":
    main()
