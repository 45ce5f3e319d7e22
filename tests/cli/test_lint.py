"""`kosine lint`: what it prints, what it returns, and what it explains."""

from __future__ import annotations

import json
import re
import shlex

import pytest

import kosine as ks
from kosine._analysis.lint.lint import RULES
from kosine._display.lint_text import document, explanation
from kosine.cli import main
from tests.support.console import on_a_terminal, one_line, run

SGDR = ["lint", 'sgdr(peak=0.05, period="10ep", stretch=2)', "--epochs", "200", "--steps-per-epoch", "391"]
TAIL = ["lint", "Schedule(cosine(100, start=0.1, to=0.0))", "--total-steps", "1000"]
FINE = ["lint", "one_cycle(peak=0.1)", "--total-steps", "1000"]


def test_a_finding_is_a_block_of_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(SGDR) == 0
    assert capsys.readouterr().out == (
        "K001 warning  The run ends 50 epochs into a cycle of 160 (cycle #5): its last\n"
        "              update has the rate 0.0388903, where the cycle goes down to 0.\n"
        "              Fix: End the run after 150 or 310 epochs; or give this run a\n"
        '              period of "40/3ep" (4 cycles), "200/31ep" (5 cycles) or "200/63ep"\n'
        "              (6 cycles).\n"
        "\n"
        "1 warning\n"
    )


def test_nothing_odd_is_said_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FINE, "--strict"]) == 0
    assert capsys.readouterr().out == "Nothing odd found.\n"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (SGDR, 0),
        ([*SGDR, "--strict"], 1),
        ([*SGDR, "--strict", "--ignore", "K001"], 0),
        (TAIL, 1),
        ([*TAIL, "--ignore", "k003, K004,"], 0),
        (["lint", "warmup_cosine(peak=0.1, warmup=10)", "--total-steps", "1000", "--strict"], 0),
        (["lint", "sgdr-10-2"], 0),
        (["lint", "sgdr-10-2", "--strict"], 1),
        (["lint", "sgdr-10-2", "--strict", "--epochs", "150"], 0),
    ],
)
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_exit_status(arguments: list[str], status: int, as_json: bool) -> None:
    assert main([*arguments, *(["--json"] if as_json else [])]) == status


@pytest.mark.parametrize(("share", "status"), [("39%", 1), ("40%", 0), ("0.4", 0), (".39", 1), ("40.5%", 0)])
def test_longest_warmup(share: str, status: int) -> None:
    arguments = ["lint", 'warmup_cosine(peak=0.1, warmup="40%")', "--total-steps", "1000", "--strict"]
    assert main([*arguments, "--longest-warmup", share]) == status


def test_json_has_what_python_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*TAIL, "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    (finding,) = ks.lint(ks.parse(TAIL[1]).plan(total_steps=1000))
    assert data == {
        "schedule": "Schedule(cosine(100, start=0.1, to=0.0))",
        "total_steps": 1000,
        "steps_per_epoch": None,
        "findings": [
            {
                "code": "K003",
                "title": "The run goes on long after the decay is done",
                "severity": "error",
                "message": finding.message,
                "fix": finding.fix,
                "phase": {
                    "name": "cosine",
                    "cycle": None,
                    "first_step": 0,
                    "steps": 100,
                    "epochs": None,
                    "first_learning_rate": 0.1,
                    "end_learning_rate": 0.0,
                },
            }
        ],
    }


def test_a_run_without_a_length_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "sgdr(peak=0.1, period=100)"]) == 0
    assert capsys.readouterr().out == (
        "The run's length is not known, so where it ends is not checked.\n"
        "Give --total-steps, or --epochs and --steps-per-epoch.\n"
        "\n"
        "Nothing odd found.\n"
    )
    assert main(["lint", "sgdr(peak=0.1, period=100)", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total_steps"] is None


def test_findings_are_counted_by_severity(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "sgdr(peak=0.1, period=400, warmup=4000)", "--total-steps", "3000"]) == 1
    out = capsys.readouterr().out
    assert out.endswith("\n\n1 error, 1 info\n")
    assert re.findall(r"^(K\d+) (\w+)", out, re.MULTILINE) == [("K016", "error"), ("K004", "info")]


def test_explanations(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "--explain"]) == 0
    out = capsys.readouterr().out
    assert out == document() + "\n"
    wide = ("- [", "$ kosine lint", "kosine lint")  # a text in quotes stays on one line, to be copied
    assert max(len(line) for line in out.splitlines() if not line.startswith(wide)) <= 80
    assert main(["lint", "--explain", "k003"]) == 0
    assert capsys.readouterr().out == explanation("K003") + "\n"


@pytest.mark.parametrize("arguments", [["--explain", "k003", "--json"], ["--json", "--explain", "K003"]])
def test_an_explanation_as_json(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", *arguments]) == 0
    rule = RULES["K003"]
    assert json.loads(capsys.readouterr().out) == {
        "code": "K003",
        "title": rule.title,
        "severity": rule.severity,
        "why": rule.why,
        "fix": rule.fix,
        "example": {"schedule": rule.example.schedule, "run": rule.example.run},
        "mended": {"schedule": rule.mended.schedule, "run": rule.mended.run},
    }


def test_all_explanations_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "--explain", "--json"]) == 0
    assert [rule["code"] for rule in json.loads(capsys.readouterr().out)] == list(RULES)


def test_the_commands_in_the_explanations_print_what_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    for block in re.findall(r"```console\n\$ (.*?)\n```", document(), re.DOTALL):
        match = re.fullmatch(r"(.*?\\\n.*?)\n(.*)", block, re.DOTALL)
        assert match is not None, block
        command, output = match.groups()
        assert main(shlex.split(command.replace("\\\n", " "))[1:]) in (0, 1)
        assert capsys.readouterr().out == output + "\n"


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        (["lint"], r"Missing argument 'SCHEDULE'.*kosine lint --help"),
        ([*FINE, "--ignore", "K099"], r"--ignore must be a code from K001 to K019. Received: --ignore='K099'"),
        ([*FINE, "--longest-warmup", "much"], r"'much' is not a share. Write 0.3 or 30%"),
        ([*FINE, "--ignore", "K0"], r"Received: --ignore='K0'\.\n"),
        ([*FINE, "--longest-warmup", "130%"], r"--longest-warmup must be a share of the run, in \(0, 1\]"),
        ([*FINE, "--longest-warmup", "0"], r"--longest-warmup must be a share of the run, in \(0, 1\]"),
        (["lint", "--explain", "E501"], r"--explain must be a code from K001 to K019. Received: --explain='E501'"),
        (["lint", 'sgdr(peak=0.1, period="3ep")'], r"Give --epochs and --steps-per-epoch"),
    ],
)
def test_mistakes(arguments: list[str], pattern: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    one_line(err, pattern)


def test_piped_output_has_no_control_codes() -> None:
    result = run(TAIL, TERM="xterm-256color", CLICOLOR_FORCE="1", FORCE_COLOR="1")
    assert result.returncode == 1
    assert "\x1b" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_a_terminal_gets_a_coloured_severity_and_its_own_width() -> None:
    text = on_a_terminal(SGDR)
    assert text.startswith("\x1b[33mK001 warning\x1b[0m  The run ends 50 epochs")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert "\x1b" not in plain
    assert 50 < max(map(len, plain.splitlines())) <= 60


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_without_colour_gets_none(environment: dict[str, str]) -> None:
    assert "\x1b" not in on_a_terminal(SGDR, **environment)
