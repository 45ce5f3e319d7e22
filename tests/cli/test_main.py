"""The command line, as a person or a pipe meets it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

import kosine as ks
from kosine.cli import main
from kosine.cli._commands import kosine
from tests.support.cli_logs import rates, write_csv
from tests.support.console import COMMAND, SGDR, one_line, refused
from tests.support.law_runs import write_logs

NONE = click.Context(kosine)
MISSING = r"The run's length is missing\. Give --epochs and --steps-per-epoch \(or --dataset-size and --batch-size\)"

# --- mistakes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        (["show"], r"Missing argument 'SCHEDULE'.*kosine show --help"),
        (["shew"], r"No such command 'shew'\. Did you mean 'show'\? See: kosine --help"),
        (["frobnicate"], r"No such command 'frobnicate'\. See: kosine --help"),
        (
            ["constant(0.1)", "--total-steps", "5"],
            r"'constant\(0\.1\)' is a schedule.*`kosine show 'constant\(0\.1\)'`",
        ),
        (["gpt-3"], r"'gpt-3' is a schedule.*`kosine show gpt-3`"),
        (["runs/my.toml"], r"is a schedule.*`kosine show runs/my\.toml`"),
        (["plot", "gpt-3", "nanogpt", "-o", "a.png"], r"extra argument.*`kosine compare` takes more than one schedule"),
        (["show", "\x1b[31m.toml"], r"^kosine: \[31m\.toml: No such file"),
        (["show", "constant(0.1)", "--total-step"], r"No such option.*--total-steps"),
        (["show", "constant(0.1)", "--total-steps", "many"], r"'many' is not a whole number"),
        (["show", "constant(0.1)", "--total-steps", "0"], r"--total-steps must be an integer >= 1.*--total-steps=0"),
        (["show", "constant(0.1)", "--epochs", "x"], r"'x' is not a valid float"),
        (
            ["show", "constant(0.1)", "--epochs", "3"],
            r"--epochs needs --steps-per-epoch \(or --dataset-size and --batch-size\)\. Received: --epochs=3\.0\.$",
        ),
        (["show", "constant(0.1)"], r"never ends.*Give --total-steps, or --epochs and --steps-per-epoch"),
        (["show", "sgdr(peak=0.1, period=10)"], r"never ends.*Give --total-steps"),
        (["show", "warmup_cosine(peak=0.1)"], f"^kosine: {MISSING}, or --total-steps\\.$"),
        (["show", 'warmup_cosine(peak=0.1, warmup="5%")'], f"^kosine: {MISSING}, or --total-steps\\.$"),
        (["show", 'warmup_cosine(peak=0.1, warmup="5ep")'], f"^kosine: {MISSING}\\.$"),
        (
            ["show", 'warmup_cosine(peak=0.1, warmup="5tok")'],
            f"^kosine: {MISSING}, or --total-steps\\. Durations in tokens need --tokens-per-step\\.$",
        ),
        (
            ["show", 'warmup_cosine(peak=0.1, warmup="5ep")', "--steps-per-epoch", "9"],
            r"^kosine: The run's length is missing\. Give --epochs or --total-steps\.$",
        ),
        (
            ["show", "sgdr(peak=0.1, period='3ep')", "--total-steps", "9"],
            r"^kosine: Durations in epochs need --steps-per-epoch \(or --dataset-size and --batch-size\)\.$",
        ),
        (
            ["show", "sgdr(peak=0.1, period='3tok')", "--total-steps", "9"],
            r"^kosine: Durations in tokens need --tokens-per-step\.$",
        ),
        (
            ["show", "sgdr(peak=0.1, period='3sp')", "--total-steps", "9"],
            r"^kosine: Durations in samples need --samples-per-step or --batch-size\.$",
        ),
        (["show", "sgdr(peak=0.1", "--total-steps", "9"], r"Not a schedule expression"),
        (["show", "__import__('os')", "--total-steps", "9"], r"Not a schedule expression"),
        (["show", "constant(-1)", "--total-steps", "9"], r"lr=-1"),
        (["show", "constant(0.1,\n\nlr=3)", "--total-steps", "9"], r"constant"),
        (["show", "warmup_cosine(peak=0.1, warmup=30)", "--total-steps", "20"], r"leave no step.*20 steps.* --clip\.$"),
    ],
)
def test_mistake_is_one_clear_line_and_status_2(
    arguments: list[str], pattern: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(capsys, arguments, pattern)


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_full_disk_is_one_line(unbuffered: str) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [*COMMAND, *SGDR], stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment
        )
    assert result.returncode == 2
    one_line(result.stderr, "No space left on device")


def test_missing_package_is_one_line_with_the_fix(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "click", None)
    refused(capsys, SGDR, r"needs click\..* pip install '\.\[cli\]'")


def test_full_disk_names_the_file_that_was_given(capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, ["values", "constant(0.1)", "--at", "1", "-o", "/dev/full"], "^kosine: /dev/full: No space left")


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_closed_input_or_output_is_one_line(closed: str) -> None:
    command = shlex.join([*COMMAND, "show", "-", "--total-steps", "9"])
    result = subprocess.run(["sh", "-c", f"{command} {closed}"], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    one_line(result.stderr, "Standard output is closed|standard input is closed")


# --- help -------------------------------------------------------------------------------------------------------


def examples(text: str) -> list[list[str]]:
    """The commands that a help text shows, without `kosine`."""
    return [shlex.split(line)[1:] for line in text.replace("\\\n", "").splitlines() if line.startswith("    kosine ")]


@pytest.mark.parametrize(
    "arguments", [[], ["--help"], ["-h"], *([name, "--help"] for name in kosine.list_commands(NONE))]
)
def test_help_has_examples_that_work(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) < 80
    found = examples(out)
    assert len(found) >= 2
    if len(arguments) == 2:
        assert {example[0] for example in found} >= {arguments[0]}
    for example in found:
        for name in example:
            if name.endswith(".toml"):
                run = "total_steps = 10000\nsteps_per_epoch = 100" if name == "run.toml" else "total_steps = 10"
                Path(name).write_text(f"schedule = 'constant(0.1)'\n[run]\n{run}\n", encoding="utf-8")
            elif name == "wsd.csv":
                write_logs(tmp_path)
            elif name == "history.csv":
                write_csv(Path(name), {"learning_rate": rates()})
        status = main(example)
        output = capsys.readouterr()
        assert output.err == "", example
        assert status == 0 or (status == 1 and example[0] in ("compare", "lint", "check")), example
        assert output.out, example


def test_help_names_every_command_and_the_line_for_each_shell(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])
    out = capsys.readouterr().out
    for name in kosine.list_commands(NONE):
        assert re.search(rf"^  {name} ", out, re.MULTILINE)
    for shell in ("bash_source", "zsh_source", "fish_source"):
        assert shell in out


@pytest.mark.parametrize("name", kosine.list_commands(NONE))
def test_every_command_prints_json_if_asked_to(name: str) -> None:
    command = kosine.get_command(NONE, name)
    assert command is not None
    assert "--json" in {option for parameter in command.params for option in parameter.opts}


@pytest.mark.parametrize("option", ["-V", "--version"])
def test_version(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([option]) == 0
    assert capsys.readouterr().out == f"kosine, version {ks.__version__}\n"


def test_help_imports_no_command_and_no_numpy() -> None:
    code = (
        "import sys; from kosine.cli import main; main(['--help']); "
        "sys.exit(any(name in sys.modules for name in ('numpy', 'matplotlib', 'kosine.cli._show', 'kosine.published')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


# --- numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["12000", "12_000", "12,000", "12e3", "1.2e4", "12000.0", "+12000", " 12000 ", "12k", "0.012M"]
)
def test_counts_may_be_written_for_people(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "constant(0.1)", "--total-steps", text]) == 0
    assert re.search(r"total +12,000\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    "text",
    [
        "1,5",
        "1.5",
        "1.25e1",
        "12,0000",
        "1__0",
        "_1",
        "1e-3",
        "0x10",
        "١٢",
        "nan",
        "",
        "1 000",
        "1K",
        "1m",
        "1e3k",
        "k",
        "1.5555k",
    ],
)
def test_what_is_no_whole_number_or_not_certainly_one_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "constant(0.1)", "--total-steps", text]) == 2
    one_line(capsys.readouterr().err, "is not a whole number")


@pytest.mark.parametrize("text", ["1e19", "9" * 40, "1e99", str(2**63)])
def test_counts_that_are_too_large_say_so(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "constant(0.1)", "--total-steps", text]) == 2
    one_line(capsys.readouterr().err, r"--total-steps must be an integer >= 1 and at most 2\*\*63 - 1")


def test_longest_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "sgdr(peak=0.1, period=1000)", "--total-steps", str(2**63 - 1)]) == 0
    assert "9,223,372,036,854,775,807" in capsys.readouterr().out


@pytest.mark.parametrize("command", kosine.list_commands(NONE))
def test_help_on_a_narrow_terminal_keeps_the_names_of_options_whole(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    for columns in ("200", "59", "50"):
        monkeypatch.setenv("COLUMNS", columns)
        assert main([command, "--help"]) == 0
        written.append(set(re.findall(r"--[\w-]+", capsys.readouterr().out)))
    assert written[0] == written[1] == written[2]
    assert "--help" in written[0]


def test_without_standard_error_an_error_is_the_exit_status_alone() -> None:
    for options in ([], ["--json"]):
        command = shlex.join([*COMMAND, "show", "nothing", *options])
        result = subprocess.run(["sh", "-c", f"{command} 2>&-"], stdout=subprocess.PIPE)
        assert (result.returncode, result.stdout) == (2, b"")


@pytest.mark.parametrize("module", ["click", "kosine.cli._commands", "kosine.cli._show"])
def test_an_interrupt_while_a_command_is_imported(
    module: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> None:
            if name == module:
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [Interrupted, *sys.meta_path])
    assert main(["show", "gpt-3"]) == 130
    assert "".join(capsys.readouterr()).strip() == ""  # click ends the line that has the ^C
