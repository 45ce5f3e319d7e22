"""`kosine values`: the rates of some steps as CSV."""

from __future__ import annotations

import csv
import io
import json
import subprocess
from pathlib import Path

import pytest

import kosine as ks
from kosine.cli import main
from tests.support.console import COMMAND, one_line, refused

COSINE = 'warmup_cosine(peak=1e-3, warmup="5ep")'
SIZE = ["--epochs", "50", "--steps-per-epoch", "788"]
PLAN = ks.parse(COSINE).plan(epochs=50, steps_per_epoch=788)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_at_some_steps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["values", COSINE, *SIZE, "--at", "0,7880,39399"]) == 0
    out = capsys.readouterr().out
    assert out == (
        "step,epoch,learning_rate\n"
        "0,0,0.0\n"
        f"7880,10,{PLAN(7880)!r}\n"
        f"39399,{39399 / 788!r},{PLAN(39399)!r}\n"
    )  # fmt: skip
    assert [float(row["learning_rate"]) for row in rows(out)] == [PLAN(step) for step in (0, 7880, 39399)]


@pytest.mark.parametrize("text", ["5,39_400,0", "5 39400 0", " 5, 39400 ,0 ", "5,3.94e4,0,"])
def test_steps_keep_their_order_and_may_be_written_for_people(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["values", COSINE, *SIZE, "--at", text]) == 0
    assert [row["step"] for row in rows(capsys.readouterr().out)] == ["5", "39400", "0"]


def test_at_may_be_given_more_than_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["values", COSINE, *SIZE, "--at", "5", "--at", "3,4"]) == 0
    assert [row["step"] for row in rows(capsys.readouterr().out)] == ["5", "3", "4"]


def test_schedule_without_end_needs_no_length_for_single_steps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["values", "sgdr(peak=0.1, period=10)", "--at", f"0,5,10,{2**63 - 1}"]) == 0
    plan = ks.sgdr(peak=0.1, period=10).plan()
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["step,learning_rate", *(f"{step},{plan(step)!r}" for step in (0, 5, 10, 2**63 - 1))]


def test_every_n_steps_of_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["values", "one_cycle(peak=0.1)", "--total-steps", "50001", "--every", "1"]) == 0
    plan = ks.one_cycle(peak=0.1).plan(total_steps=50_001)
    found = rows(capsys.readouterr().out)
    assert [int(row["step"]) for row in found] == list(range(50_001))
    assert [float(row["learning_rate"]) for row in found] == plan(range(50_001)).tolist()
    assert main(["values", "one_cycle(peak=0.1)", "--total-steps", "50001", "--every", "25_000"]) == 0
    assert [row["step"] for row in rows(capsys.readouterr().out)] == ["0", "25000", "50000"]
    assert main(["values", "one_cycle(peak=0.1)", "--total-steps", "50001", "--every", "1e20"]) == 0
    assert [row["step"] for row in rows(capsys.readouterr().out)] == ["0"]


def test_first_step_of_each_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--epochs", "2.5", "--dataset-size", "1001", "--batch-size", "10"]
    assert main(["values", "one_cycle(peak=0.1)", *data, "--per-epoch"]) == 0
    assert [(row["step"], row["epoch"]) for row in rows(capsys.readouterr().out)] == [
        ("0", "0"),
        ("101", "1"),
        ("202", "2"),
    ]


@pytest.mark.parametrize("count", [1, 20_000])
def test_json_is_a_list_of_objects(count: int, capsys: pytest.CaptureFixture[str]) -> None:
    size = ["--total-steps", str(count), "--steps-per-epoch", "8"]
    assert main(["values", "Schedule(linear(start=0.1, to=0.0))", *size, "--every", "1", "--json"]) == 0
    plan = ks.Schedule(ks.linear(start=0.1, to=0.0)).plan(total_steps=count)
    assert json.loads(capsys.readouterr().out) == [
        {"step": step, "epoch": step / 8, "learning_rate": plan(step)} for step in range(count)
    ]


def test_json_without_epochs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["values", "constant(0.1)", "--at", "3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"step": 3, "learning_rate": 0.1}]


def test_file_is_written_whole_or_not_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rates.csv"
    assert main(["values", COSINE, *SIZE, "--at", "1", "-o", str(file)]) == 0
    assert capsys.readouterr().out == f"wrote {file}\n"
    assert file.read_bytes() == f"step,epoch,learning_rate\n1,{1 / 788!r},{PLAN(1)!r}\n".encode()
    assert main(["values", COSINE, *SIZE, "--at", "-1", "-o", str(file)]) == 2
    one_line(capsys.readouterr().err, "step must be >= 0.*-1")
    assert file.read_text(encoding="utf-8").endswith(f"{PLAN(1)!r}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["rates.csv"]


def test_json_into_a_file_leaves_one_object_on_the_screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rates.csv"
    assert main(["values", "constant(0.1)", "--at", "3", "-o", str(file), "--json"]) == 0
    assert json.loads(file.read_text(encoding="utf-8")) == [{"step": 3, "learning_rate": 0.1}]
    assert json.loads(capsys.readouterr().out) == {"written": str(file), "bytes": file.stat().st_size}


def test_nothing_is_said_where_the_file_is_the_output() -> None:
    result = subprocess.run(
        [*COMMAND, "values", "constant(0.1)", "--at", "3", "-o", "/dev/stdout"], capture_output=True, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, b"step,learning_rate\n3,0.1\n", b"")


def test_name_of_a_file_cannot_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "\x1b[31mred.csv"
    assert main(["values", "constant(0.1)", "--at", "3", "-o", str(file)]) == 0
    assert capsys.readouterr().out == f"wrote {tmp_path}/ [31mred.csv\n"
    assert file.exists()


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        ([], r"one of --at, --every and --per-epoch.*kosine values --help"),
        (["--at", "0", "--every", "5"], r"one of --at, --every and --per-epoch"),
        (["--every", "5", "--per-epoch"], r"one of --at, --every and --per-epoch"),
        (["--at", "0", "--per-epoch"], r"one of --at, --every and --per-epoch"),
        (["--at", ""], r"--at.*no step is given"),
        (["--at", ","], r"--at.*no step is given"),
        (["--at", "0,x"], r"--at.*'x' is not a whole number"),
        (["--at", "1.5"], r"'1\.5' is not a whole number"),
        (["--at", "-5"], r"A step must be >= 0.*-5"),
        (["--at", str(2**63)], r"at most 2\*\*63 - 1.*9223372036854775808"),
        (["--every", "0"], r"--every.*'0' must be at least 1"),
        (["--every", "-3"], r"--every.*'-3' must be at least 1"),
        (["--every", "5"], r"never ends.*Give --total-steps, or --epochs and --steps-per-epoch"),
        (["--per-epoch", "--total-steps", "9"], r"--per-epoch needs --steps-per-epoch"),
        (["--per-epoch", "--steps-per-epoch", "9"], r"never ends.*Give --total-steps"),
        (["--at", "0", "-o", "/nowhere/rates.csv"], r"/nowhere/rates.csv: No such file or directory"),
        (["--at", "0", "-o", "/"], r"/: Is a directory"),
    ],
)
def test_mistake_is_one_clear_line_and_status_2(
    arguments: list[str], pattern: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(capsys, ["values", "sgdr(peak=0.1, period=10)", *arguments], pattern)


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_run_of_any_length_streams_in_bounded_memory_to_a_reader_that_may_stop(form: list[str]) -> None:
    command = [*COMMAND, "values", "one_cycle(peak=0.1)", "--total-steps", "1e15", "--every", "1", *form]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        read = sum(len(process.stdout.read(2**16)) for _ in range(400))
        assert read == 400 * 2**16
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    assert peak < 200_000  # kilobytes
