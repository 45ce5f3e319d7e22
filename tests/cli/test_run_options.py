"""How big the run is, on the command line and in schedule files: the words of `Schedule.plan`."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

import kosine as ks
from kosine.cli import main
from kosine.cli._check import _with_length
from kosine.cli._run_options import RUN_NAMES
from kosine.cli._schedule_files import NamedSchedule, read_document
from tests.support.console import refused

LR = "warmup_cosine(peak=0.1, warmup=2)"


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["show", *arguments, "--json"]) == 0
    data: dict[str, Any] = json.loads(capsys.readouterr().out)
    return data


def test_the_command_line_and_files_have_all_the_words_of_plan() -> None:
    assert {*RUN_NAMES} == {*inspect.signature(ks.Schedule.plan).parameters} - {"self"}


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ("--total-steps 1M", 10**6),
        ("--epochs 2 --steps-per-epoch 10k", 20_000),
        ("--epochs 2 --dataset-size 1000 --batch-size 32 --accumulate 4", 16),
        ("--epochs 2 --dataset-size 1k --batch-size 32 --accumulate 4 --devices 2", 8),
        ("--epochs 2 --dataset-size 1000 --batch-size 32 --drop-last", 62),
        ("--total-tokens 300B --tokens-per-step 3.2M", 93_750),
        ("--total-samples 1.2M --batch-size 32 --accumulate 4 --devices 8", 1_172),
        ("--total-samples 1.2M --samples-per-step 1k --drop-last", 1_200),
        ("--total-time 30min --seconds-per-step 0.25", 7_200),
        ("--total-time 1.5h --seconds-per-step 1/3", 16_200),
    ],
)
def test_options(options: str, steps: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, LR, *options.split())["total_steps"] == steps


FILES = {
    "toml": f"schedule = '{LR}'\n[run]\ntotal_tokens = '300B'\ntokens_per_step = '3.2M'\nseconds_per_step = 0.25\n",
    "yaml": f"schedule: {LR}\nrun: {{epochs: 2, dataset_size: 1000, batch_size: 32, accumulate: 4, drop_last: true}}\n",
    "json": json.dumps({"schedule": LR, "run": {"total_time": "30min", "seconds_per_step": "1/3"}}),
    "plan": ks.dumps(ks.parse(LR).plan(total_time="30min", seconds_per_step="1/3")),
}


@pytest.mark.parametrize(("kind", "steps"), [("toml", 93_750), ("yaml", 16), ("json", 5_400), ("plan", 5_400)])
def test_files(kind: str, steps: int) -> None:
    named = read_document(FILES[kind].encode(), "run")
    assert named.schedule.plan(**named.run).total_steps == steps


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ("--total-steps 9", 9),
        ("--total-tokens 320M", 100),
        ("--total-time 10s", 40),
        ("--tokens-per-step 1M", 300_000),
    ],
)
def test_a_length_of_an_option_goes_before_the_one_of_the_file(
    options: str, steps: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.toml"
    file.write_text(FILES["toml"], encoding="utf-8")
    assert shown(capsys, str(file), *options.split())["total_steps"] == steps


def test_options_go_before_what_a_file_says_of_batches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(FILES["yaml"], encoding="utf-8")
    assert shown(capsys, str(file), "--accumulate", "1")["total_steps"] == 62
    assert shown(capsys, str(file), "--devices", "2")["total_steps"] == 8
    assert shown(capsys, str(file), "--accumulate", "1", "--steps-per-epoch", "9")["total_steps"] == 18
    refused(
        capsys,
        ["show", str(file), "--steps-per-epoch", "9"],
        r"--steps-per-epoch counts updates, and accumulate in \[run\] goes with batches",
    )
    refused(capsys, ["show", "sgdr-10-2", "--devices", "2"], r"--devices needs --dataset-size.* sgdr-10-2 has 391")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--total-tokens 300Btok", r"'300Btok' is not a whole number\. Did you mean 300B\?"),
        ("--total-steps 1m", r"'1m' is not a whole number\. Did you mean 1M\?"),
        ("--total-tokens 300B", r"Durations in tokens need --tokens-per-step\."),
        ("--total-samples 3k", r"Durations in samples need --samples-per-step or --batch-size\."),
        ("--total-time 30min", r"Durations in time need --seconds-per-step\."),
        ("--total-time 30minutes --seconds-per-step 1", r"--total-time must be .* Did you mean \"30min\"\?"),
        ("--total-time 30min --seconds-per-step x", r"--seconds-per-step must be a number of seconds > 0\."),
        ("--total-steps 9 --accumulate 4", r"--accumulate needs --batch-size\. Received: --accumulate=4"),
        (
            "--total-steps 9 --total-tokens 1M --tokens-per-step 1k",
            r"--total-steps and --total-tokens disagree\. Received: --total-steps=9, --total-tokens=1000000, "
            r"--tokens-per-step=1000, which make 1000\.",
        ),
    ],
)
def test_options_that_do_not_go_together(options: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, ["show", LR, *options.split()], message)


def test_a_schedule_in_time_asks_for_the_speed(capsys: pytest.CaptureFixture[str]) -> None:
    timed = "warmup_cosine(peak=0.1, warmup='5min')"
    refused(capsys, ["show", timed], r"length is missing\. .* Durations in time need --seconds-per-step\.")
    data = shown(capsys, timed, "--total-time", "30min", "--seconds-per-step", "0.5")
    assert (data["phases"][0]["steps"], data["seconds"]) == (600, 1800)


@pytest.mark.parametrize(("axis", "option"), [("token", "tokens_per_step"), ("sample", "batch_size")])
def test_the_length_of_a_log_in_samples_or_tokens(axis: Any, option: str) -> None:
    log = ks.Trace([0, 100, 200], [0.1, 0.1, 0.1], axis=axis, total=999)
    constant = NamedSchedule("constant", ks.constant(0.1))
    assert _with_length({}, constant, log) == ({}, None)
    size, length = _with_length({option: 100}, constant, log)
    assert (constant.schedule.plan(**size).total_steps, length) == (10, 999)
