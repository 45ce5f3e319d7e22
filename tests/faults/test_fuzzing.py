"""What the fuzz targets promise: for their corpus, for valid documents and texts with changes, and under atheris."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import kosine as ks
from fuzz import targets
from fuzz.targets import CORPUS, TARGETS
from tests.support.real_logs import NAMES, real
from tests.support.strategies import RUN, schedules, small_schedules

ROOT = Path(__file__).parents[2]

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["rest", "1/0ep"]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_is_read_as_promised(target: str) -> None:
    files = sorted((CORPUS / target).iterdir())
    assert len(files) > 20
    for file in files:
        TARGETS[target](file.read_bytes())


def test_the_corpus_is_small() -> None:
    assert sum(file.stat().st_size for file in CORPUS.rglob("*")) < 200_000


def test_targets_notice_what_is_not_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "LONGEST_MESSAGE", 20)
    with pytest.raises(AssertionError):
        targets.parse(b"constant(")


@settings(max_examples=60)
@given(schedules | small_schedules(), st.data())
def test_a_document_that_was_changed_somewhere(schedule: ks.Schedule, data: st.DataObject) -> None:
    document = json.loads(ks.dumps(schedule))
    if data.draw(st.booleans()):
        document["run"] = dict(RUN)
    for _ in range(data.draw(st.integers(1, 2))):
        change(document, data)
    targets.loads(json.dumps(document).encode())


def change(document: Any, data: st.DataObject) -> None:
    """Replace, take away, add or repeat one value somewhere in a document."""
    places = [place for place in containers(document) if len(place)]
    place = data.draw(st.sampled_from(places))
    key = data.draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
    match data.draw(st.sampled_from(["replace", "remove", "add", "repeat"])):
        case "replace":
            place[key] = data.draw(anything)
        case "remove":
            del place[key]
        case "add" if isinstance(place, dict):
            place[data.draw(st.sampled_from(["to", "power", "count", "skip", "run"]) | st.text(max_size=5))] = (
                data.draw(anything)
            )
        case _ if isinstance(place, list):
            place.insert(key, place[key])


def containers(value: Any) -> list[Any]:
    if not isinstance(value, dict | list):
        return []
    inside = value.values() if isinstance(value, dict) else value
    return [value, *(found for one in inside for found in containers(one))]


WORDS = ["Schedule(", "cycles(", "section(", "cosine(", "hold(", "linear(", "sgdr(", ")", ",", "=", "to=", "start="]
WORDS += [
    "stretch=",
    "count=",
    "tick=",
    "continuous=True",
    '"rest"',
    '"1ep"',
    '"1/3st"',
    '"0%"',
    "1e308",
    "5e-324",
    "-0.0",
]
WORDS += ["9223372036854775807", "1", "0.5", "None", " ", "\n", "\0", "٣", "\u202e", "\ud800", "'", '"', "#", "1_0"]


@settings(max_examples=150)
@given(st.lists(st.sampled_from(WORDS), max_size=25).map("".join))
def test_words_in_any_order(text: str) -> None:
    targets.parse(text.encode("utf-8", "surrogateescape" if text.isascii() else "replace"))


@settings(max_examples=60)
@given(schedules | small_schedules(), st.data())
def test_a_text_that_was_changed_somewhere(schedule: ks.Schedule, data: st.DataObject) -> None:
    text = repr(schedule)
    first, last = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    new = data.draw(st.sampled_from([*WORDS, "", text[first:last] * 2]))
    targets.parse((text[:first] + new + text[last:]).encode("utf-8", "replace"))


@settings(max_examples=60)
@given(st.sampled_from(NAMES), st.data())
def test_a_log_that_was_changed_somewhere(name: str, data: st.DataObject) -> None:
    log = real(name).text[: data.draw(st.sampled_from([700, 3000]))]
    odd = [
        "",
        "nan",
        "-1",
        "1e400",
        "9" * 30,
        "9" * 5000,
        "\0",
        "\r",
        '"',
        "{",
        "[",
        "٣",
        "true",
        " " * 3000,
        "lr",
        "step",
    ]
    for _ in range(data.draw(st.integers(1, 4))):
        first = data.draw(st.integers(0, len(log)))
        last = data.draw(st.integers(first, min(first + 40, len(log))))
        log = log[:first] + data.draw(st.sampled_from(odd)) + log[last:]
    targets.read_trace(log.encode("utf-8", "replace"))


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_atheris_finds_nothing(target: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fuzz", target, "--seconds", "10", "--seed", "1", "--faults", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,  # 10 seconds of changes; the corpus and the imports before them, on a machine that is slow
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done" in done.stderr
