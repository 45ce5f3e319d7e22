"""`kosine sample`: a schedule a line, JSON and errors."""

from __future__ import annotations

import json
import sys

import pytest

import kosine as ks
from kosine.cli import main
from tests.support.console import give_input

TEXT = 'wsd(peak=log(1e-4, 1e-2), cooldown=share("5%", "60%"))'
FLOORS = "warmup_cosine(peak=log(1e-4, 1e-2), floor=log(1e-5, 1e-3))"


def test_prints_the_schedules_of_seeds_one_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", TEXT]) == 0
    space = ks.space(TEXT)
    assert capsys.readouterr().out.splitlines() == [repr(space.sample(seed)) for seed in range(5)]
    assert main(["sample", TEXT, "--seed", "7", "--count", "2"]) == 0
    assert capsys.readouterr().out.splitlines() == [repr(space.sample(seed)) for seed in (7, 8)]


def test_another_command_reads_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", TEXT, "--count", "1"]) == 0
    give_input(monkeypatch, capsys.readouterr().out.encode())
    assert main(["show", "-", "--total-steps", "1000"]) == 0
    assert sys.stdin is not None
    assert str(ks.space(TEXT).sample(0).plan(total_steps=1_000)) in capsys.readouterr().out


def test_json_has_the_values(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", TEXT, "--count", "3", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    space = ks.space(data["space"])
    assert space == ks.space(TEXT)
    assert data["parameters"] == {"peak": "log(0.0001, 0.01)", "cooldown": 'share("5%", "60%")'}
    for sample in data["samples"]:
        assert space(sample["values"]) == ks.parse(sample["schedule"]) == space.sample(sample["seed"])


def test_values_that_make_no_schedule_are_said_on_their_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sample", FLOORS, "--count", "40"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 40
    odd = [line for line in lines if line.startswith("# ")]
    assert odd
    assert all("makes no schedule: Argument `peak` must be at least `floor`" in line for line in odd)
    assert main(["sample", FLOORS, "--count", "40", "--json"]) == 0
    samples = json.loads(capsys.readouterr().out)["samples"]
    assert sum(sample["schedule"] is None for sample in samples) == len(odd)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sample", "constant(0.1)"], "A space needs a parameter"),
        (["sample", "constant(log(2, 1))"], "Write log(1.0, 2.0)."),
        (["sample", TEXT, "--seed", "-1"], "must be at least 0"),
        (["sample", TEXT, "--count", "0"], "must be at least 1"),
        (["sample"], "Missing argument 'SPACE'"),
    ],
)
def test_errors(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err
