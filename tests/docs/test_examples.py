"""Every example and every command of the README and the docs runs as it stands, and prints what the page shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, Runner, name, numbered, text
from tests.docs.session import Example, examples

EXAMPLES = numbered()


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    runner = Runner()
    yield runner
    runner.close()


def test_the_examples_are_found() -> None:
    assert len(EXAMPLES) >= 110
    assert sum(page == ROOT / "README.md" for page, _, _ in EXAMPLES) >= 8
    for page in PAGES:
        found = examples(text(page))
        assert sum(example.kind == "python" for example in found) == text(page).count("```python\n")
        assert sum(example.kind == "console" for example in found) == text(page).count("\n$ kosine ")


@pytest.mark.parametrize(
    ("page", "number", "example"), EXAMPLES, ids=[f"{name(page)}-{number + 1}" for page, number, _ in EXAMPLES]
)
def test_example(runner: Runner, page: Path, number: int, example: Example) -> None:
    outcomes, files = runner(page)
    outcome = outcomes[number]
    assert outcome.error == ""
    if example.kind == "console":
        judges = example.source.split()[1] in ("compare", "check", "lint")  # 1: they differ, or there is an error
        assert outcome.status in ((0, 1) if judges else (0,))
    if example.kind == "python" or example.output is not None:
        assert outcome.printed == (example.output or "")
    else:
        assert outcome.printed
    if example.file:
        assert example.file in files


def test_every_picture_that_a_command_draws_is_shown() -> None:
    drawn = {Path(example.file).with_suffix(".png") for _, _, example in EXAMPLES if example.file}
    kept = {file.relative_to(ROOT) for file in (ROOT / "docs" / "images").iterdir()}
    assert drawn == kept
    shown = "".join(map(text, PAGES))
    for picture in drawn:
        assert f"images/{picture.name})" in shown
