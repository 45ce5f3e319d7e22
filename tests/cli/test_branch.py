"""`kosine branch` and `kosine extend`: plans made from plans, their files, their pictures and their mistakes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kosine as ks
from kosine.cli import main
from tests.support.console import give_input, on_a_terminal, refused, run

WSD = ["wsd(peak=1e-3, warmup=500)", "--total-steps", "10000"]
COSINE = ["Schedule(linear(500, start=0.0, to=1e-3), cosine(to=1e-4))", "--total-steps", "10000"]
AT, NEW = ["--at", "6000"], ["--new-total-steps", "20000"]
COOLDOWN = ["branch", *WSD, "--at", "6000", "--cooldown", "1000"]
STRETCH = ["extend", *COSINE, "--at", "6000", "--new-total-steps", "20000", "--how", "stretch"]


def planned(schedule: str, total: int = 10_000, **run: int) -> ks.Plan:
    return ks.parse(schedule).plan(total_steps=total, **run)


def answered(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """What --json prints."""
    assert main([*words, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    data: dict[str, Any] = json.loads(out)
    return data


def same(data: dict[str, Any], plan: ks.Plan) -> bool:
    return ks.parse(data["schedule"]) == plan.schedule and data["run"] == plan.run.known()


# --- what is made -----------------------------------------------------------------------------------------------

OLD = planned(WSD[0])
CURVE = planned(COSINE[0])
THEN = ks.cosine(to=1e-5)


@pytest.mark.parametrize(
    ("words", "plan"),
    [
        (["--at", "6000"], OLD.until(6000)),
        (["--at", "6k", "--cooldown", "1000"], OLD.cooldown(at=6000, over=1000)),
        (["--at", "60%", "--cooldown", "1e3", "--to", "1e-4"], OLD.cooldown(at=6000, over=1000, to=1e-4)),
        (["--at", "6000", "--cooldown", "20%", "--shape", "linear"], OLD.cooldown(at=6000, over="20%", shape="linear")),
        ([*AT, "--then", "hold(10), linear(9, to=0.0)"], OLD.until(6000).then(ks.hold(10), ks.linear(9, to=0.0))),
        (["--at", "6000", "--then", "[ks.cosine(90, to=0.0)]"], OLD.until(6000).then(ks.cosine(90, to=0.0))),
        (
            ["--at", "6000", "--then", "cosine(to=1e-5)", "--new-total-steps", "9k"],
            OLD.until(6000).then(THEN, total_steps=9000),
        ),
        (
            ["--at", "100%", "--rewarm", "300", "--peak", "8e-4", "--then", "cosine(to=1e-5)", *NEW],
            OLD.rewarm(at=10_000, warmup=300, peak=8e-4, then=THEN, total_steps=20_000),
        ),
    ],
)  # fmt: skip
def test_branch_is_the_call_in_python(words: list[str], plan: ks.Plan, capsys: pytest.CaptureFixture[str]) -> None:
    data = answered(capsys, "branch", *WSD, *words)
    assert same(data, plan)
    assert data["total_steps"] == plan.total_steps


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["--how", "stretch"], {"how": "stretch"}),
        (["--how", "hold"], {"how": "hold"}),
        (["--how", "meet"], {"how": "meet"}),
        (["--how", "meet", "--over", "500"], {"how": "meet", "over": 500}),
    ],
)
def test_extend_is_the_call_in_python(
    words: list[str], options: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    data = answered(capsys, "extend", *COSINE, "--at", "6000", "--new-total-steps", "20000", *words)
    assert same(data, CURVE.extend(total_steps=20_000, at=6000, **options))


def test_steps_may_be_epochs_and_tokens(capsys: pytest.CaptureFixture[str]) -> None:
    run = ["--epochs", "100", "--steps-per-epoch", "100", "--tokens-per-step", "1000"]
    new = ["--new-total-steps", "200ep", "--how", "hold"]
    plan = planned(WSD[0], steps_per_epoch=100, tokens_per_step=1000)
    for at in ("60ep", "6Mtok", "60%"):
        data = answered(capsys, "extend", WSD[0], *run, "--at", at, *new)
        assert data["at"] == 6000
        assert same(data, plan.extend(total_steps=20_000, at=6000, how="hold"))


def test_every_form_of_a_schedule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(f"schedule: {WSD[0]}\nrun: {{total_steps: 10000}}\n")
    expected = OLD.cooldown(at=6000, over=1000)
    assert same(answered(capsys, "branch", str(file), "--at", "6000", "--cooldown", "1000"), expected)
    give_input(monkeypatch, file.read_bytes())
    assert same(answered(capsys, "branch", "-", "--at", "6000", "--cooldown", "1000"), expected)
    recipe = answered(capsys, "branch", "gpt-3", "--at", "50%")
    assert recipe["before"]["schedule"] == repr(ks.published("gpt-3").schedule)
    call = answered(capsys, "branch", "torch.CosineAnnealingLR(0.1, T_max=100)", "--total-steps", "100", "--at", "50")
    assert call["total_steps"] == 50


def test_a_schedule_without_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    data = answered(capsys, "branch", "constant(1e-3)", "--at", "6000", "--cooldown", "1000")
    assert (data["total_steps"], data["before"]["total_steps"]) == (7000, None)


# --- what is printed ----------------------------------------------------------------------------------------------


def test_prints_the_table_the_text_form_and_one_picture_of_both(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(COOLDOWN) == 0
    out, err = capsys.readouterr()
    plan = OLD.cooldown(at=6000, over=1000)
    assert err == ""
    assert out.startswith(f"{plan}\n\nschedule  {plan.schedule!r}\nrun       --total-steps 7000\n")
    assert "Every step before 6,000 keeps its rate." in out
    assert "the same up to step 6,000" in out
    assert "\n  A  before\n  B  after\n" in out
    assert " b b b " in out  # the end of the branch's run, and after it its last rate
    assert max(map(len, out.splitlines())) <= 98


def test_says_what_lint_finds_in_the_branch_and_not_in_its_parent(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*COOLDOWN[:4], "--at", "9000", "--cooldown", "100"]) == 0
    assert "\nK018 warning: The one_minus_sqrt is cut at step 9,000" in capsys.readouterr().out
    data = answered(capsys, *COOLDOWN[:4], "--at", "9000", "--cooldown", "100")
    assert [finding["code"] for finding in data["findings"]] == ["K018"]
    assert answered(capsys, *COOLDOWN)["findings"] == []


def test_json_has_before_and_after(capsys: pytest.CaptureFixture[str]) -> None:
    data = answered(capsys, *STRETCH)
    assert list(data) == [
        "schedule", "run", "total_steps", "at", "learning_rate_at", "before", "phases_total", "phases", "findings",
    ]  # fmt: skip
    assert data["before"] == {"schedule": repr(CURVE.schedule), "run": {"total_steps": 10_000}, "total_steps": 10_000}
    assert (data["at"], data["learning_rate_at"]) == (6000, CURVE(6000))


def test_a_terminal_has_colours_for_both() -> None:
    text = on_a_terminal(COOLDOWN)
    assert len(set(re.findall(r"\x1b\[38;5;(\d+)m", text))) == 2
    assert "the same up to step 6,000" in text
    picture = [line for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines() if line.rstrip().endswith("│")]
    assert picture
    assert max(map(len, picture)) <= 60


def test_output_that_takes_only_ascii_gets_only_ascii() -> None:
    result = run(COOLDOWN, PYTHONIOENCODING="ascii")
    assert result.returncode == 0
    assert result.stdout.isascii()


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["toml", "yaml", "yml", "json"])
@pytest.mark.parametrize("words", [COOLDOWN, STRETCH], ids=["branch", "extend"])
def test_other_commands_read_the_file_with_its_run(
    words: list[str], ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / f"new.{ending}"
    data = answered(capsys, *words, "-o", str(file))
    assert (data["written"], data["bytes"]) == (str(file), file.stat().st_size)
    assert main(["show", str(file), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["schedule"], shown["total_steps"]) == (data["schedule"], data["total_steps"])


def test_a_branch_of_a_branch_of_a_file_keeps_every_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    assert main([*STRETCH, "-o", str(first)]) == 0
    assert main(["branch", str(first), "--at", "12k", "--cooldown", "1000", "-o", str(second)]) == 0
    capsys.readouterr()
    assert main(["values", str(second), "--every", "1", "--json"]) == 0
    rates = np.array([row["learning_rate"] for row in json.loads(capsys.readouterr().out)])
    steps = np.arange(12_000)
    assert len(rates) == 13_000
    assert (rates[:12_000] == CURVE.extend(total_steps=20_000, at=6000, how="stretch")(steps)).all()


def test_picture_and_file_in_one_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, picture = tmp_path / "new.toml", tmp_path / "new.svg"
    assert main([*COOLDOWN, "-o", str(file), "--plot", str(picture)]) == 0
    assert capsys.readouterr().out.endswith(f"\nwrote {file}\nwrote {picture}\n")
    svg = picture.read_text()
    assert all(f">{words}<" in svg for words in ("A  before", "B  after", "the same up to step 6,000"))
    data = answered(capsys, *COOLDOWN, "--plot", str(picture))
    assert data["plot"] == {"written": str(picture), "bytes": picture.stat().st_size}
    assert "written" not in data


# --- mistakes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        ([], r"Missing option '--at'. See: kosine branch --help"),
        (["--at", "100", "--cooldown", "9"], r"rises up to step 500\. Received: --at=100\. Use --at=500\."),
        (["--at", "9000", "--cooldown", "2000"], r"--at=9000, --cooldown=2000.*`kosine extend \.\.\. --how hold`\."),
        (["--at", "10001"], r"^kosine: --at must be a step from 1 to 10,000, the plan's length\. Received: --at=10001"),
        (["--at", "0"], r"--at must be a step from 1 to 10,000"),
        (["--at", "6x"], r'--at must be a number followed by one of the units "ep".*--at=\'6x\''),
        (["--at", "20ep"], r"needs --steps-per-epoch"),
        ([*AT, "--cooldown", "0"], r"--cooldown must be at least one step\. Received: --cooldown=0"),
        ([*AT, "--cooldown", "100%"], r"--cooldown must be a number of steps, or less than"),
        ([*AT, "--cooldown", "9", "--to", "1"], r"--to must be at most 0\.001, the rate at the step --at\. Rec"),
        ([*AT, "--cooldown", "9", "--shape", "cubic"], r"'--shape': 'cubic' is not one of"),
        ([*AT, "--cooldown", "9", "--rewarm", "9"], r"Give one of --cooldown and --rewarm"),
        ([*AT, "--cooldown", "9", "--then", "hold(9)"], r"--then goes with --rewarm, or alone"),
        ([*AT, "--to", "0"], r"--to needs --cooldown"),
        ([*AT, "--peak", "1"], r"--peak needs --rewarm"),
        ([*AT, *NEW], r"--new-total-steps goes with --then"),
        ([*AT, "--rewarm", "9"], r"--rewarm needs --peak, --then .*--new-total-steps"),
        ([*AT, "--rewarm", "9", "--peak", "0", "--then", "hold()", *NEW], r"--peak must be a finite number > 0"),
        ([*AT, "--then", "cosine(to=0.0)"], r'--then with a "rest" or a percentage needs --new-total-steps'),
        ([*AT, "--then", "cosin(9)"], r"expected `cosine`"),
        ([*AT, "--then", "3"], r"must be phases with commas between them.*Received: '3'"),
        ([*AT, "--then", "hold()", "--new-total-steps", "50%"], r"--new-total-steps must be a number of steps"),
        ([*AT, "-o", "x.png"], r"must end in one of \.toml.*A picture is --plot FILE"),
        ([*AT, "--plot", "x.toml"], r"must end in one of \.png"),
        ([*AT, "-o", "/no/such/folder/x.toml"], r"/no/such/folder/x\.toml: No such file or directory"),
    ],
)  # fmt: skip
def test_mistakes_of_branch(words: list[str], pattern: str, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, ["branch", *WSD, *words], pattern)


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        ([*AT, *NEW], r"Missing option '--how'"),
        ([*AT, "--how", "hold"], r"Missing option '--new-total-steps'"),
        ([*AT, "--how", "grow", *NEW], r"'grow' is not one of 'stretch', 'hold', 'meet'"),
        ([*AT, "--how", "hold", "--new-total-steps", "9k"], r"has 10,000 steps\. Received: --new-total-steps=9000\..*"
         r"`kosine branch \.\.\. --at`"),
        (["--at", "100%", "--how", "hold", *NEW], r"Received: --at=10000\. .*`kosine branch \.\.\. --rewarm`"),
        (["--at", "100", "--how", "hold", *NEW], r"rises up to step 500\. Received: --at=100\. Use --at=500"),
        ([*AT, "--how", "hold", "--over", "9", *NEW], r"--over goes with --how meet"),
        ([*AT, "--how", "meet", "--over", "100%", *NEW], r"--over must be at least 1 step, and fewer than the 14,000"),
    ],
)  # fmt: skip
def test_mistakes_of_extend(words: list[str], pattern: str, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, ["extend", *WSD, *words], pattern)


def test_stairs_cannot_be_stretched(capsys: pytest.CaptureFixture[str]) -> None:
    stairs = [
        'Schedule(section(cosine(90, start=0.1, to=0.0), tick="1ep"))',
        "--epochs",
        "90",
        "--steps-per-epoch",
        "9",
    ]
    words = ["extend", *stairs, "--at", "30ep", "--how", "stretch", "--new-total-steps", "100ep"]
    refused(capsys, words, r'Use --how="hold", or --how="meet"\.')


def test_an_error_with_json_has_the_names_of_python(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["branch", *WSD, *AT, "--cooldown", "0", "--json"]) == 2
    error = json.loads(capsys.readouterr().err)["error"]
    assert (error["argument"], error["received"]) == ("over", "0")
    assert error["message"].startswith("--cooldown must be at least one step")


def test_the_same_mistake_in_python_has_the_words_of_python() -> None:
    with pytest.raises(ks.PlanError, match=r'plan longer first: `plan\.extend\(total_steps=.*how="hold"\)`\.$'):
        OLD.cooldown(at=9000, over=2000)
    with pytest.raises(ks.PlanError, match=r"Received: at=100\. Use at=500\.$"):
        OLD.cooldown(at=100, over=9)
    with pytest.raises(ks.ScheduleError, match=r"Argument `to` must be at most 0\.001, the rate at the step `at`\."):
        OLD.cooldown(at=6000, over=9, to=1)


def test_a_text_form_too_long_for_a_terminal_goes_into_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = ", ".join(f"hold(10, start=0.{number})" for number in range(100, 250))
    file = tmp_path / "new.toml"
    assert main(["branch", f"Schedule({parts})", "--at", "1200", "--cooldown", "10", "-o", str(file)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"\nschedule  has [2-9],\d{3} characters: -o FILE writes it\n", out)
    assert main(["show", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total_steps"] == 1210
