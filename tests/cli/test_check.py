"""`kosine check`: the verdict in words, as a table, as pictures and as data, and the exit status."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from kosine.cli import main
from tests.support.cli_logs import PLAN, RUN, SCHEDULE, rates, write_csv
from tests.support.console import COMMAND, give_input, on_a_terminal, one_line, refused, run


@pytest.fixture
def log(tmp_path: Path) -> str:
    return write_csv(tmp_path / "history.csv", {"learning_rate": rates()})


@pytest.fixture
def wrong(tmp_path: Path) -> str:
    """A log that follows the plan up to step 59, and then holds half of the peak."""
    return write_csv(tmp_path / "wrong.csv", {"learning_rate": [*rates(0, 60), *[0.05] * 40]})


def test_log_that_follows_is_status_0(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", log, SCHEDULE, *RUN]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "follow" in out.splitlines()[0]
    assert out.count("└") == 1  # the curves, and no picture of a difference that is none
    assert max(map(len, out.splitlines())) <= 80


def test_log_that_differs_is_status_1_and_drawn_with_its_difference(
    wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", wrong, SCHEDULE, *RUN]) == 1
    out = capsys.readouterr().out
    assert "60" in out.split("\n\n")[0]
    assert re.search(r"^ +first off$", out, re.MULTILINE)
    assert "\n  log - plan\n" in out
    assert out.count("└") == 2


def test_json(wrong: str, log: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", wrong, SCHEDULE, *RUN, "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["follows"] is False
    assert (data["compared"], data["total_steps"], data["steps_per_unit"]) == (100, 100, 1.0)
    assert data["log"]["source"] == wrong
    assert (data["log"]["axis"], data["log"]["rows"], data["log"]["first"], data["log"]["last"]) == ("step", 100, 0, 99)
    first = data["first"]
    assert (first["position"], first["found"]) == (60, 0.05)
    assert first["expected"] == PLAN(60)
    assert main(["check", log, SCHEDULE, *RUN, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["follows"], data["kind"], data["first"], data["offset"]) == (True, "follows", None, 0)
    assert data["schedule"] == repr(PLAN.schedule)


@pytest.mark.parametrize(
    ("option", "ending", "begins"),
    [
        ("--plot", "png", b"\x89PNG"),
        ("-o", "svg", b"<?xml"),
        ("--output", "PDF", b"%PDF"),
        ("--plot", "html", b"<!doctype html>"),
    ],
)
def test_draws_a_picture_of_the_kind_that_the_ending_tells(
    option: str, ending: str, begins: bytes, wrong: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / f"check.{ending}"
    assert main(["check", wrong, SCHEDULE, *RUN, option, str(target)]) == 1
    assert target.read_bytes().lower().startswith(begins.lower())
    assert capsys.readouterr().out.endswith(f"\nwrote {target}\n")


def test_json_with_a_picture_says_what_was_written(
    log: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "check.svg"
    assert main(["check", log, SCHEDULE, *RUN, "--plot", str(target), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["written"], data["bytes"]) == (str(target), target.stat().st_size)


@pytest.mark.parametrize(("allowed", "status"), [(0, 1), (1, 0)])
def test_odd_rows_may_be_allowed(allowed: int, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = rates()
    shown[70] = 0.5
    odd = write_csv(tmp_path / "odd.csv", {"learning_rate": shown})
    assert main(["check", odd, SCHEDULE, *RUN, "--allow-odd-rows", str(allowed), "--json"]) == status
    data = json.loads(capsys.readouterr().out)
    assert (data["kind"], data["off"], data["allowed"], data["follows"]) == ("odd rows", 1, not status, not status)
    assert [(row["position"], row["found"]) for row in data["odd_rows"]] == [(70, 0.5)]


@pytest.mark.parametrize(("options", "status"), [([], 0), (["--allow-odd-rows", "0"], 1)])
def test_the_file_may_allow_odd_rows(options: list[str], status: int, tmp_path: Path) -> None:
    shown = rates()
    shown[70] = 0.5
    odd = write_csv(tmp_path / "odd.csv", {"learning_rate": shown})
    schedule = tmp_path / "schedule.toml"
    schedule.write_text(f"schedule = '{SCHEDULE}'\n[check]\nallow_odd_rows = 1\n", encoding="utf-8")
    assert main(["check", odd, str(schedule), *RUN, *options]) == status


def test_skips_that_the_log_declares_may_be_allowed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        f"step={n}, skipped={max(0, n // 10 - 3)}, lr=[{PLAN(n - max(0, n // 10 - 3))!r}]" for n in range(10, 60, 10)
    ]
    lines += [f"step={n}, skipped=2, lr=[{PLAN(n - 2)!r}]" for n in range(60, 100, 10)]
    log = tmp_path / "deepspeed.out"
    log.write_text("".join(f"[INFO] [logging.py:60:log_dist] [Rank 0] {line}\n" for line in lines), encoding="utf-8")
    assert main(["check", str(log), SCHEDULE, *RUN]) == 1
    assert "as the log itself declares" in " ".join(capsys.readouterr().out.split())
    assert main(["check", str(log), SCHEDULE, *RUN, "--allow-skips", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["kind"], data["cause"], data["off"], data["follows"]) == ("lags", "declared skips", 0, True)


def test_one_row_is_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = write_csv(tmp_path / "one.csv", {"learning_rate": rates()[:1]})
    assert main(["check", one, SCHEDULE, *RUN]) == 1
    assert "1 row agrees with the plan: too few to say that the run followed it." in " ".join(
        capsys.readouterr().out.split()
    )


def test_length_is_the_one_of_the_log_where_nothing_else_says_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "trainer_state.json"
    rows = [{"epoch": step / 50, "step": step, "loss": 1.0, "learning_rate": PLAN(step)} for step in range(1, 60)]
    log.write_text(json.dumps({"global_step": 59, "max_steps": 100, "log_history": rows}), encoding="utf-8")
    assert main(["check", str(log), SCHEDULE]) == 0
    assert "The run's length is the one that the log says: 100 steps." in capsys.readouterr().out
    assert main(["check", str(log), SCHEDULE, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["total_steps"], data["length_from_log"]) == (100, True)
    assert main(["check", str(log), SCHEDULE, "--total-steps", "90", "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert (data["total_steps"], data["length_from_log"]) == (90, False)


def test_group_is_chosen_by_name_and_the_others_are_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    half = [rate / 2 for rate in rates()]
    log = write_csv(tmp_path / "metrics.csv", {"lr-AdamW/pg1": rates(), "lr-AdamW/pg2": half})
    assert main(["check", log, SCHEDULE, *RUN]) == 0
    assert "Group 'lr-AdamW/pg2' has 0.5 times" in capsys.readouterr().out
    assert main(["check", log, SCHEDULE, *RUN, "--group", "lr-AdamW/pg2"]) == 1
    capsys.readouterr()
    assert main(["check", log, "warmup_cosine(peak=0.05, warmup=10)", *RUN, "--group", "lr-AdamW/pg2"]) == 0
    capsys.readouterr()
    refused(
        capsys, ["check", log, SCHEDULE, *RUN, "--group", "pg3"], r"lr-AdamW/pg1.*lr-AdamW/pg2.*Received: --group='pg3'"
    )


def test_group_of_a_log_with_one(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, ["check", log, SCHEDULE, *RUN, "--group", "other"], r"learning_rate.*Received: --group='other'")


def test_columns_of_a_log_of_any_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "odd.csv"
    rows = [f"{step},{PLAN(step):.6f},{step}" for step in range(100)]
    log.write_text("\n".join(["batch number,eta,noise", *rows]), encoding="utf-8")
    refused(capsys, ["check", str(log), SCHEDULE, *RUN], r"odd\.csv.*--rate-column")
    columns = ["--step-column", "batch number", "--rate-column", "eta"]
    assert main(["check", str(log), SCHEDULE, *RUN, *columns]) == 0


def test_log_and_schedule_from_files_and_pipes(
    log: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    schedule = tmp_path / "schedule.toml"
    schedule.write_text(f"schedule = '{SCHEDULE}'\n[run]\ntotal_steps = 100\n", encoding="utf-8")

    def piped(file: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        with Path(file).open("rb") as standard_input:
            return subprocess.run(
                [*COMMAND, "check", *arguments], stdin=standard_input, capture_output=True, text=True, check=False
            )

    assert main(["check", log, str(schedule), "--json"]) == 0
    by_name = capsys.readouterr().out
    of_log = piped(log, "-", str(schedule), "--json")
    assert (of_log.returncode, of_log.stderr) == (0, "")
    assert of_log.stdout.replace('"standard input"', json.dumps(log)) == by_name
    of_schedule = piped(str(schedule), log, "-", "--json")
    assert of_schedule.stdout == by_name
    give_input(monkeypatch, Path(log).read_bytes())
    refused(
        capsys,
        ["check", "-", "-"],
        "Standard input can be read once: give `-` for (LOG or SCHEDULE, not for both|one)",
    )


def test_error_in_a_pipe_calls_it_standard_input() -> None:
    result = subprocess.run(
        [*COMMAND, "check", "-", SCHEDULE, *RUN], input="nothing\nof use\n", capture_output=True, text=True, check=False
    )
    assert result.returncode == 2
    one_line(result.stderr, "standard input")
    assert "/tmp" not in result.stderr


def test_closed_input_is_one_line() -> None:
    command = shlex.join([*COMMAND, "check", "-", SCHEDULE, *RUN])
    result = subprocess.run(["sh", "-c", f"{command} <&-"], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    one_line(result.stderr, "standard input is closed")


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        ([], r"Missing argument 'LOG'.*kosine check --help"),
        (["{log}"], r"Missing argument 'SCHEDULE'"),
        ([SCHEDULE, "{log}", *RUN], r"'warmup_cosine\(.*' is a schedule, not a log\. LOG comes first.*LOG SCHEDULE"),
        (["gpt-3", "{log}"], r"'gpt-3' is a schedule, not a log"),
        (["{schedule}", "{log}"], r"schedule\.toml' is a schedule, not a log"),
        (["{log}", "{log}"], r"history\.csv: .*neither a text form"),
        (["none.csv", SCHEDULE, *RUN], r"none\.csv: No such file"),
        (["{log}", "none.toml"], r"none\.toml: No such file"),
        (["{log}", SCHEDULE], r"The run's length is missing\. Give --epochs and --steps-per-epoch.*--total-steps"),
        (["{log}", SCHEDULE, "another", *RUN], r"extra argument.*See: kosine check --help$"),
        (["{log}", SCHEDULE, *RUN, "--plot", "a.gif"], r"'a\.gif'.*\.png, \.svg, \.pdf, \.html"),
        (
            ["{log}", SCHEDULE, *RUN, "--plot", "/no/such/folder/a.png"],
            r"The folder of a file must exist\..* mkdir -p /no/such/folder",
        ),
        (["{log}", SCHEDULE, *RUN, "--step-column", "batch"], r"batch"),
        (["{log}", SCHEDULE, *RUN, "--rate-column", "rate"], r"learning_rate"),
        (["{norate}", SCHEDULE, *RUN], r"norate\.csv.*loss.*--rate-column"),
        (["{empty}", SCHEDULE, *RUN], r"empty\.csv"),
    ],
)
def test_mistake_is_one_clear_line_and_status_2(
    arguments: list[str], pattern: str, log: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {
        "schedule": ("schedule.toml", f"schedule = '{SCHEDULE}'\n"),
        "norate": ("norate.csv", "step,loss\n0,2.5\n1,2.4\n"),
        "empty": ("empty.csv", ""),
    }
    for name, text in files.values():
        (tmp_path / name).write_text(text, encoding="utf-8")
    named = {key: str(tmp_path / name) for key, (name, _) in files.items()} | {"log": log}
    refused(capsys, ["check", *(argument.format(**named) for argument in arguments)], pattern)


def test_names_of_others_steer_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "lr-\x1b[31m\x07pg"
    log = write_csv(tmp_path / "a\x1b[2J\nb.csv", {f"{hostile}1": rates(), f"{hostile}2": rates()})
    main(["check", log, SCHEDULE, *RUN])
    out, err = capsys.readouterr()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", out + err)
    main(["check", log, SCHEDULE, *RUN, "--group", hostile])
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", capsys.readouterr().err)


def test_page_escapes_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = write_csv(tmp_path / "<b>&.csv", {"learning_rate": rates()})
    target = tmp_path / "page.html"
    assert main(["check", log, SCHEDULE, *RUN, "--plot", str(target)]) == 0
    capsys.readouterr()
    assert "<b>&" not in target.read_text(encoding="utf-8")


def test_piped_output_has_no_control_codes_and_may_be_ascii(wrong: str) -> None:
    result = run(["check", wrong, SCHEDULE, *RUN], PYTHONIOENCODING="ascii", CLICOLOR_FORCE="1")
    assert result.returncode == 1
    assert result.stdout.isascii()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", result.stdout)


def test_terminal_gets_a_colour_for_log_and_plan(log: str) -> None:
    text = on_a_terminal(["check", log, SCHEDULE, *RUN])
    assert len(set(re.findall(r"\x1b\[38;5;(\d+)m", text))) == 2


def test_length_that_is_missing_is_the_one_of_the_log(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "rates.csv"
    log.write_text("step,lr\n" + "".join(f"{step},0.1\n" for step in range(50)), encoding="utf-8")
    refused(capsys, ["check", str(log), "warmup_cosine(peak=0.1)"], "log ends at step 49: .* --total-steps 50")


def test_log_that_differs_is_one_for_infer(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "rates.csv"
    log.write_text("step,lr\n" + "".join(f"{step},{0.1 - step / 1000}\n" for step in range(50)), encoding="utf-8")
    assert main(["check", str(log), "warmup_cosine(peak=0.1)", "--total-steps", "50"]) == 1
    assert "`kosine infer` works out which schedule a log shows." in capsys.readouterr().out


def test_rows_without_a_position_are_counted_where_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.csv"
    log.write_text("loss,lr\n" + "".join(f"1.5,{rate:.8f}\n" for rate in rates()))
    refused(
        capsys, ["check", str(log), SCHEDULE, *RUN], r"rates \('lr'\), but no column.*, 2, ... with --count-rows\.$"
    )
    assert main(["check", str(log), SCHEDULE, *RUN, "--count-rows"]) == 0
    assert "that have a rate are counted, from 0, as steps." in " ".join(capsys.readouterr().out.split())
    assert main(["check", str(log), "warmup_cosine(peak=0.1, warmup=20)", *RUN, "--count-rows"]) == 1
