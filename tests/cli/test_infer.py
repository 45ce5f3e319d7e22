"""`kosine infer`: a schedule file that other commands read, what it says of the log, and the exit status."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest

import kosine as ks
from kosine.cli import main
from tests.support.cli_logs import PLAN, RUN, SCHEDULE, rates, write_csv
from tests.support.console import COMMAND, give_input, refused


@pytest.fixture
def log(tmp_path: Path) -> str:
    return write_csv(tmp_path / "history.csv", {"learning_rate": rates()}, decimals=8)


@pytest.fixture
def strange(tmp_path: Path) -> str:
    """A rate that nobody planned."""
    return write_csv(
        tmp_path / "strange.csv", {"learning_rate": [0.001 + step * 617 % 97 / 1000 for step in range(30)]}
    )


def comments(text: str) -> str:
    return " ".join(line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#"))


def test_prints_a_schedule_file_that_says_how_well_it_fits(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["infer", log]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    data = tomllib.loads(out)
    plan = ks.parse(data["schedule"]).plan(**data.get("run", {}))
    assert max(abs(plan(step) - PLAN(step)) for step in range(100)) < 2e-8
    said = comments(out)
    assert "100 rows, step 0 to 99" in said
    assert re.search(r"The largest residual is [\d.e-]+; the precision of the log \(.*8 decimals.*\) leaves 5", said)
    assert "shows the rate of its own step, counted from 0." in said
    assert max(map(len, out.splitlines()[: out.splitlines().index("")])) <= 100


def test_output_is_a_schedule_for_other_commands(
    log: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["infer", log]) == 0
    document = capsys.readouterr().out.encode()
    for command in (["show", "-"], ["check", log, "-"], ["values", "-", "--at", "50"]):
        give_input(monkeypatch, document)
        assert main(command) == 0
        out, err = capsys.readouterr()
        assert out
        assert err == ""


def test_offset_is_said_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = write_csv(tmp_path / "one.csv", {"learning_rate": rates()}, first=1, decimals=8)
    assert main(["infer", log]) == 0
    out = capsys.readouterr().out
    data = tomllib.loads(out)
    shift = -1 if "The log counts from 1" in comments(out) else 0
    plan = ks.parse(data["schedule"]).plan(**data.get("run", {}))
    assert max(abs(plan(step + 1 + shift) - PLAN(step)) for step in range(100) if step + 1 + shift >= 0) < 2e-8


def test_json(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["infer", log, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["explained"] is True
    assert (data["log"]["rows"], data["log"]["axis"]) == (100, "step")
    assert data["residual"] <= data["half_width"]
    plan = ks.parse(data["schedule"]).plan(**data["run"])
    assert plan(50) == pytest.approx(PLAN(50), rel=1e-6)


def test_log_that_nothing_explains_is_a_table_and_status_1(strange: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["infer", strange]) == 1
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "schedule" in err
    assert out.startswith("# piece")
    assert len(out.splitlines()) >= 3
    assert main(["infer", strange, "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert (data["explained"], data["schedule"], data["residual"]) == (False, None, None)
    assert len(data["pieces"]) >= 2
    assert {*data["pieces"][0]} == {"curve", "first", "last", "first_rate", "last_rate"}


def test_a_command_behind_the_pipe_says_that_no_schedule_came(
    strange: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["infer", strange]) == 1
    give_input(monkeypatch, capsys.readouterr().out.encode())
    assert main(["show", "-"]) == 2
    assert "standard input: It has comments and no schedule. `kosine infer` writes that" in capsys.readouterr().err


@pytest.mark.parametrize("ending", ["png", "html"])
@pytest.mark.parametrize("explained", [True, False])
def test_picture_leaves_standard_output_to_the_schedule(
    ending: str, explained: bool, log: str, strange: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / f"infer.{ending}"
    assert main(["infer", log if explained else strange, "--plot", str(target)]) == (0 if explained else 1)
    out, err = capsys.readouterr()
    assert target.stat().st_size > 1000
    assert err.startswith(f"wrote {target}\n")
    if explained:
        tomllib.loads(out)


def test_pipe_in_and_out(log: str) -> None:
    document = Path(log).with_name("found.toml")
    first, second = shlex.join([*COMMAND, "infer", "-"]), shlex.join([*COMMAND, "check", log, "-"])
    command = f"{first} < {shlex.quote(log)} | tee {shlex.quote(str(document))} | {second}"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout
    assert "From standard input" in comments(document.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        ([], r"Missing argument 'LOG'.*kosine infer --help"),
        ([SCHEDULE], r"is a schedule, not a log\. LOG is the file that a run wrote"),
        (["none.csv"], r"none\.csv: No such file"),
        (["{log}", SCHEDULE], r"extra argument.*See: kosine infer --help$"),
        (["{log}", "--group", "no"], r"learning_rate.*Received: --group='no'"),
        (["{log}", "--steps-per-epoch", "0"], r"--steps-per-epoch.*0"),
        (["{log}", "--steps-per-epoch", "x"], r"'x' is not a whole number"),
        (["{log}", *RUN], r"No such option.*--total-steps"),
    ],
)
def test_mistake_is_one_clear_line_and_status_2(
    arguments: list[str], pattern: str, log: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(capsys, ["infer", *(argument.format(log=log) for argument in arguments)], pattern)


def test_names_of_others_stay_in_their_comments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = "lr-\x1b[31m\x07\u2028schedule = 'constant(1)'"
    log = write_csv(tmp_path / "a\nschedule = 3\x1b[2J.csv", {f"{name}1": rates(), f"{name}2": rates()}, decimals=8)
    main(["infer", log])
    out, err = capsys.readouterr()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", out + err)
    if out:  # names so odd may be refused
        plan = tomllib.loads(out)
        assert "warmup" in plan["schedule"] or "linear" in plan["schedule"]
