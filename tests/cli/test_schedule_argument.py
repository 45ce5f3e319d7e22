"""What may stand for SCHEDULE, what people type there by mistake, and how the run's size is read."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import kosine as ks
from kosine.cli import main
from kosine.cli._planning import planned
from kosine.cli._schedule_argument import read_schedule
from kosine.published import PUBLISHED
from tests.support.console import COMMAND, give_input, one_line, refused

TEXT = 'warmup_cosine(peak=1e-3, warmup="5ep")'
SCHEDULE = ks.parse(TEXT)
TOML = f"""\
schedule = '{TEXT}'

[run]
epochs = 50
steps_per_epoch = 788
"""


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def plan_of(text: str, **size: Any) -> ks.Plan:
    return planned(read_schedule(text), size)


YAML = f"""\
schedule: {TEXT}
run:
  epochs: 50
  steps_per_epoch: 788
"""


# --- what may stand there ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        TOML,
        TOML.replace("\n", "\r\n"),
        YAML,
        YAML.replace("\n", "\r\n"),
        "\ufeff# my schedule\n---\n" + YAML,
        YAML.replace(f" {TEXT}", f" >\n  {TEXT}").replace("schedule", "'schedule' "),
        f"{{schedule: '{TEXT}', run: {{epochs: 50, steps_per_epoch: 788}}}}",
        "\ufeff" + TOML,
        "# my schedule\n" + TOML,
        TOML.replace(f"'{TEXT}'", f"'''\n  {TEXT}\n'''"),
        json.dumps({"schedule": TEXT, "run": {"epochs": 50, "steps_per_epoch": 788}}),
        ks.dumps(SCHEDULE.plan(epochs=50, steps_per_epoch=788)),
        "\ufeff\n  " + ks.dumps(SCHEDULE.plan(epochs=50, steps_per_epoch=788)) + "\r\n",
    ],
)
@pytest.mark.parametrize(
    "name", ["schedule.toml", "schedule.json", "schedule.yaml", "a schedule (1).json", "schedule", "a/schedule.TOML"]
)
def test_document_with_its_run(document: str, name: str) -> None:
    Path("a").mkdir()
    Path(name).write_text(document, encoding="utf-8", newline="")
    plan = plan_of(name)
    assert (plan.schedule, plan.total_steps, plan.run.steps_per_epoch) == (SCHEDULE, 39_400, 788)


@pytest.mark.parametrize(
    "document",
    [
        TEXT,
        f"{TEXT}\n",
        "\ufeff" + 'warmup_cosine(\r\n    peak=1e-3,\r\n    warmup="5ep",\r\n)\r\n\r\n',
        repr(SCHEDULE),
        ks.dumps(SCHEDULE),
        f"schedule = '{TEXT}'",
        json.dumps({"schedule": TEXT}),
    ],
)
def test_document_without_a_run(
    document: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("schedule.toml").write_text(document, encoding="utf-8", newline="")
    assert read_schedule("schedule.toml").schedule == SCHEDULE
    assert read_schedule("schedule.toml").run == {}
    give_input(monkeypatch, document.encode())
    assert main(["export", "-", "--to", "json", "--epochs", "9", "--steps-per-epoch", "9"]) == 0
    assert ks.loads(capsys.readouterr().out) == SCHEDULE.plan(epochs=9, steps_per_epoch=9)


def test_text_and_name() -> None:
    named = read_schedule("  " + TEXT.replace(", ", ",\n  ") + "\n")
    assert (named.name, named.schedule, named.run) == (TEXT, SCHEDULE, {})


@pytest.mark.parametrize("package", ["ks.", "kosine."])
def test_text_may_be_pasted_from_python(package: str, tmp_path: Path) -> None:
    text = f"{package}Schedule({package}linear('5ep', start=0.0, to=1e-3), {package}cosine(to=0.0))"
    assert read_schedule(text).schedule == SCHEDULE
    (tmp_path / "pasted").write_text(f"\n{text}\n", encoding="utf-8")
    assert read_schedule(str(tmp_path / "pasted")).schedule == SCHEDULE


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_recipe_with_its_run(name: str) -> None:
    assert plan_of(name) == PUBLISHED[name].plan()


def test_folder_hides_no_recipe_and_a_file_is_known_by_its_ending() -> None:
    Path("gpt3").mkdir()
    assert plan_of("gpt3") == PUBLISHED["gpt-3"].plan()
    Path("gpt-3.toml").write_text(TOML, encoding="utf-8")
    assert plan_of("gpt-3.toml").schedule == SCHEDULE


def test_pipe_given_as_a_file() -> None:
    command = 'exec "$@" export <(echo "constant(0.1)") --to json'
    result = subprocess.run(["bash", "-c", command, "bash", *COMMAND], capture_output=True, check=False)
    assert ks.loads(result.stdout) == ks.constant(0.1).plan()


# --- mistakes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("missing.json", r"missing\.json: No such file or directory"),
        ("schedule.yaml", r"schedule\.yaml: No such file or directory"),
        ("schedule.txt", r"schedule\.txt: No such file or directory"),
        ("runs/schedule", r"runs/schedule: No such file or directory"),
        ("folder/", r"folder: Is a directory"),
        ("./folder", r"folder: Is a directory"),
        ("folder.toml", r"folder\.toml: Is a directory"),
        ("folder", r"folder is a directory, not a schedule file"),
        ("cosine", r"cosine alone is not a schedule: write its arguments in parentheses.*'warmup_cosine\("),
        ("warmup_cosine", r"warmup_cosine alone is not a schedule"),
        ("gpt-5", r"No recipe has this name.*'gpt-5'.*`kosine recipes` lists them"),
        ("", r"expected a schedule.*the end"),
        ("0.1", r"must be a schedule.*0\.1"),
        ("x" * 10_000, r"No recipe has this name"),
        ("warmup_cosine(peak=1e-3, warmup=5ep)", r"quotes of its durations are lost.*single quotes"),
        ("warmup_cosine(peak=1e-3,warmup=5%)", r"quotes of its durations are lost"),
        ("Schedule(linear(rest, to=0.1))", r"quotes of its durations are lost"),
        ("linear(5, start=0.0, to=0.1)", r"must be a schedule.*Schedule\(\.\.\.\)"),
        ("linear(5, start=0, to=0.1), cosine(to=0)", r"nothing more.*write Schedule\(\.\.\.\) around its phases"),
        (
            "constant(0.1).plan(total_steps=9)",
            r"Give the size of the run apart, as --total-steps, or as --epochs and --st",
        ),
        (
            "sgdr(peak=1, total_steps=9)",
            r"does not know its run: give the size of the run apart, as --total-steps, or ",
        ),
        ('constant("1e-3")', r"lr='1e-3'\. Write 1e-3 without quotes\."),
    ],
)
def test_mistake_in_the_argument_is_one_clear_line(text: str, pattern: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("folder").mkdir()
    Path("folder.toml").mkdir()
    assert main(["show", text, "--total-steps", "9"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err) < 600
    one_line(err, pattern)


def test_quotes_that_are_there_are_not_called_lost(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ('warmup_cosine(peak=1e-3, warmup="5ep"', "constant(lr=1e-3,,)", "constant(1e-3 5)"):
        assert main(["show", text, "--total-steps", "9"]) == 2
        assert "lost" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("document", "pattern"),
    [
        (b"", r"It is empty"),
        (b"\xef\xbb\xbf \r\n\t\n", r"It is empty"),
        (b"\x7fELF\x02\x01\x01\x00\xff\xfe", r"not UTF-8 text"),
        ("constant(0.1)".encode("utf-16"), r"not UTF-8 text\. Save it as UTF-8"),
        (b"\0\0\0\0", r"neither a text form.*nor JSON.*nor TOML"),
        (b"schedule = cosine\n", r"neither a text form.*nor JSON.*nor TOML \(.*line 1"),
        (b"schedule: 5\n", r"Received: schedule=5"),
        (b'schedule = "constant("0.1")"\n', r"nor TOML.*Put the text form in single quotes: schedule = '"),
        (b"hello\n", r"neither a text form"),
        (b"[run]\nepochs = 5\n", r'has "schedule".*Received: no schedule'),
        (b"schedule = 5\n", r"Received: schedule=5"),
        (b"schedule = 'constant(0.1)'\nepochs = 5\n", r"unknown fields \['epochs'\].*table \[run\]"),
        (b"schedule = 'constant(0.1)'\nrate = 5\n", r"unknown fields \['rate'\]"),
        (b"schedule = 'constant(0.1)'\nrun = 5\n", r"Received: run=5"),
        (b"schedule = 'constant(0.1)'\n[check]\nodd = 5\n", r'"check" may have allow_skips and allow_odd_rows.*odd'),
        (b"schedule = 'constant(0.1)'\n[check]\nallow_skips = -1\n", r"allow_skips must be an integer >= 0.*-1"),
        (
            b"schedule = 'constant(0.1)'\n[check]\nallow_odd_rows = true\n",
            r"allow_odd_rows must be an integer >= 0.*True",
        ),
        (b"schedule = 'constant(0.1)'\n[run]\nsteps = 5\n", r'"run" may have total_steps, epochs.*\[\'steps\'\]'),
        (b"schedule = 'constant(0.1'\n", r"Not a schedule expression"),
        (b"schedule = 'constant(0.1)'\nschedule = 'constant(0.2)'\n", r"nor TOML"),
        (b"a = " + b"[" * 5000, r"nor TOML"),
        (b"{", r"not JSON"),
        (b"{}", r"Received: no schedule"),
        (b'{"schedule": "constant(0.1)", "schedule": "constant(0.2)"}', r"'schedule' more than once"),
        (b'{"schedule": "constant(0.1)", "run": {"epochs": NaN}}', r"finite numbers.*NaN"),
        (b'{"format": "kosine", "version": 99, "schedule": []}', r"version=99.*Update kosine"),
        (b'{"format": "kosine", "version": 1, "schedule": []}', r"at least one phase"),
        (b'[{"curve": "hold"}]', r"The document must be a JSON object\. Received: \[{'curve'"),
        (b"[]", r"The document must be a JSON object\. Received: \[\]"),
        (
            ks.dumps(ks.constant(0.1).plan(total_steps=9)).replace('"total_steps": 9', '"total_steps": 0').encode(),
            r", in its run: .*total_steps`? must be an integer >= 1.*total_steps=0",
        ),
        (
            b"warmup_cosine(peak=1e-3, warmup=5ep)",
            r"Not a schedule expression: .*a duration with a unit needs quotes",
        ),
    ],
)
@pytest.mark.parametrize("where", ["schedule.toml", "-"])
def test_mistake_in_a_document_is_one_clear_line_with_its_name(
    document: bytes, pattern: str, where: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("schedule.toml").write_bytes(document)
    give_input(monkeypatch, document)
    assert main(["show", where, "--total-steps", "9"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"kosine: {'standard input' if where == '-' else where}")
    one_line(err, pattern)


@pytest.mark.parametrize(
    ("document", "pattern"),
    [
        (b"schedule: cosine\n", r"Not a schedule expression: .*cosine"),
        (b"# mine\n---\nschedule: 5\n", r"Received: schedule=5"),
        (b"schedule: constant(0.1)\nrun: {steps: 5}\n", r'"run" may have total_steps, epochs.*\[\'steps\'\]'),
        (b"schedule: &a constant(0.1)\n", r"no anchors and no aliases here\. Received: &a\. Write the value"),
        (b"schedule: *a\n", r"no anchors and no aliases here\. Received: \*a\. "),
        (b"schedule: {&a constant: 0.1}\n", r"no anchors and no aliases here\. Received: &a\. "),
        (b"schedule: !!python/object/apply:os.system [ls]\n", r"no tags here\. Received: tag:yaml.*Leave the tag out"),
        (b"schedule: !mine constant(0.1)\n", r"no tags here\. Received: !mine"),
        (b"--- !!map {schedule: constant(0.1)}\n", r"no tags here"),
        (b"schedule: constant(0.1)\nschedule: constant(0.2)\n", r"no field twice.*'schedule' more than once"),
        (b"schedule: constant(0.1)\n--- \nschedule: constant(0.1)\n", r"one YAML document"),
        (b"a:\n- " + b"[" * 40, r"nested at most 32 levels deep"),
        (b"schedule: [\n", r"the document is not YAML \(.*line 2\)"),
        (b'schedule: "\\UFFFFFFFF"\n', r"the document is not YAML"),
        (b"schedule: \x07\n", r"the document is not YAML"),
        (b"? [schedule]\n: constant(0.1)\n", r"neither a text form.*nor YAML"),
        (b"{? [schedule] : constant(0.1)}\n", r"not JSON"),
        (b"run: {? [schedule] : 5}\n", r"name of a field must be a text"),
        (b"schedule: " + b"9" * 401, r"at most 400 digits"),
        (b"schedule: " + b"x" * 2**16, r"at most 65,536 characters\. This one has 65,546\. Write it as JSON"),
        (b"- schedule\n", r'has "schedule".*Received: \[\'schedule\'\]'),
        (b"---\n", r'has "schedule".*Received: None'),
    ],
)
def test_mistake_in_yaml_is_one_clear_line(document: bytes, pattern: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("schedule.yaml").write_bytes(document)
    refused(capsys, ["show", "schedule.yaml", "--total-steps", "9"], r"^kosine: schedule\.yaml: .*" + pattern)


@pytest.mark.parametrize(
    ("run", "pattern"),
    [
        ("total_steps = 10.5", r"total_steps in \[run\] must be an integer.*10\.5"),
        ("total_steps = 1e6", r"total_steps in \[run\] must be an integer.*1000000\.0"),
        ("total_steps = true", r"total_steps in \[run\] must be an integer.*True"),
        ("total_steps = '10'", r"total_steps in \[run\] must be an integer.*= '10'\. Use 10\.$"),
        (
            "total_steps = 'ten'",
            r"total_steps in \[run\] must be an integer.*= 'ten'\. Write a number without a unit\.$",
        ),
        ("total_steps = 0", r"total_steps in \[run\] must be an integer >= 1.*total_steps = 0\.$"),
        (f"total_steps = {2**63}", r".*at most 2\*\*63 - 1"),
        ("epochs = nan\nsteps_per_epoch = 5", r"epochs in \[run\] must be a finite number.*epochs = nan"),
        ("epochs = -1\nsteps_per_epoch = 5", r"epochs in \[run\] must be a finite number.*epochs = -1\.$"),
        ("epochs = '50'\nsteps_per_epoch = 5", r"epochs in \[run\] .*Write 50 without quotes"),
        ("epochs = 5", r"epochs in \[run\] needs --steps-per-epoch \(or --dataset-size and --batch-size\)"),
        (
            "epochs = 5\nsteps_per_epoch = 5\ntotal_steps = 26",
            r"total_steps in \[run\] and epochs in \[run\] disagree.*total_steps = 26, epochs = 5,",
        ),
        ("dataset_size = 5", r"dataset_size in \[run\] needs --batch-size"),
        ("dataset_size = 5\nbatch_size = 0", r"batch_size in \[run\] must be an integer >= 1"),
        ("dataset_size = 5.5\nbatch_size = 1", r"dataset_size in \[run\] must be an integer >= 1"),
        (
            "dataset_size = 5\nbatch_size = 2\nsteps_per_epoch = 2",
            r"dataset_size in \[run\] and batch_size in \[run\] make 3 steps per epoch.*steps_per_epoch = 2",
        ),
    ],
)
def test_mistake_in_a_run_is_one_clear_line(run: str, pattern: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("schedule.toml").write_text(f"schedule = 'constant(0.1)'\n[run]\n{run}\n", encoding="utf-8")
    refused(capsys, ["show", "schedule.toml"], r"^kosine: schedule\.toml: " + pattern)


def test_mistake_in_an_option_is_not_blamed_on_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("schedule.toml").write_text(TOML, encoding="utf-8")
    refused(capsys, ["show", "schedule.toml", "--epochs", "-1"], r"^kosine: --epochs must be.*Received: --epochs=-1\.0")


def test_what_a_file_leaves_open_is_asked_for_in_one_go(capsys: pytest.CaptureFixture[str]) -> None:
    Path("schedule.toml").write_text(TOML.replace("epochs = 50\n", ""), encoding="utf-8")
    refused(capsys, ["show", "schedule.toml"], r"The run's length is missing\. Give --epochs or --total-steps\.$")


def test_name_that_would_steer_the_terminal_is_filtered() -> None:
    Path("\x1b[31mred.toml").write_text(TOML, encoding="utf-8")
    assert read_schedule("\x1b[31mred.toml").name == "[31mred.toml"


@pytest.mark.parametrize(
    "begin", ["\n", " ", "#\n", "# ", 'schedule = "(', "schedule ", "x:", "---", "---\n", "a:\n", "- ", "a: [", "{a: "]
)
def test_hints_cost_no_more_than_the_text(begin: str, capsys: pytest.CaptureFixture[str]) -> None:
    for text in (begin * (500_000 // len(begin)) + "x", begin + "(" * 500_000):
        Path("schedule.toml").write_text(text, encoding="utf-8")
        started = time.process_time()
        refused(capsys, ["show", "schedule.toml"], r"^kosine: schedule\.toml: ")
        assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("9", 9),
        ("1_000", 1_000),
        ("010", 10),
        ("1e1", 10.0),
        ("'9'", "9"),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("0x9", "0x9"),
        ("yes", "yes"),
        ("True", True),
        ("~", None),
        ("null", None),
    ],
)
def test_values_of_yaml(text: str, steps: object) -> None:
    Path("schedule.yaml").write_text(f"schedule: constant(0.1)\nrun: {{total_steps: {text}}}\n", encoding="utf-8")
    (found,) = read_schedule("schedule.yaml").run.values()
    assert (type(found), found) == (type(steps), steps)


def test_a_plan_as_yaml() -> None:
    Path("plan.yaml").write_text(
        """
        format: kosine
        version: 1
        schedule:
          - {curve: linear, duration: 2, start: 0.0, to: 1e-3}
          - curve: hold
            duration: rest
        run: {total_steps: 9}
        """,
        encoding="utf-8",
    )
    assert plan_of("plan.yaml") == ks.Schedule(ks.linear(2, start=0.0, to=1e-3), ks.hold()).plan(total_steps=9)


def test_yaml_needs_its_package_only_where_it_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    Path("schedule.toml").write_text(TOML, encoding="utf-8")
    assert plan_of("schedule.toml").schedule == SCHEDULE
    Path("schedule.yaml").write_text("schedule: constant(0.1)\n", encoding="utf-8")
    refused(capsys, ["show", "schedule.yaml"], r"schedule\.yaml: A YAML document needs PyYAML\. .*'\.\[cli\]'")


def test_file_that_may_not_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    Path("loop.json").symlink_to("loop.json")
    assert main(["show", "loop.json"]) == 2
    one_line(capsys.readouterr().err, r"loop\.json: Too many levels of symbolic links")
    assert main(["show", "x" * 10_000 + ".json"]) == 2
    one_line(capsys.readouterr().err, r"\.json: File name too long")
    assert main(["show", "/dev/zero"]) == 2
    one_line(capsys.readouterr().err, r"/dev/zero: A document has at most 67,108,864 bytes")


# --- the run's size ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ({}, (39_400, 788, None)),
        ({"total_steps": 5000}, (5000, 788, None)),
        ({"epochs": 10.0}, (7880, 788, None)),
        ({"steps_per_epoch": 100}, (5000, 100, None)),
        ({"epochs": 10.0, "steps_per_epoch": 100}, (1000, 100, None)),
        ({"dataset_size": 1001, "batch_size": 10}, (5050, 101, 10)),
        ({"samples_per_step": 64}, (39_400, 788, 64)),
        ({"steps_per_epoch": 100, "samples_per_step": 64, "batch_size": 16}, (5000, 100, 64)),
        ({"total_steps": None, "epochs": None}, (39_400, 788, None)),
    ],
)
def test_options_go_before_the_file(size: dict[str, Any], expected: tuple[int, int, int | None]) -> None:
    Path("schedule.toml").write_text(TOML, encoding="utf-8")
    plan = plan_of("schedule.toml", **size)
    assert (plan.total_steps, plan.run.steps_per_epoch, plan.run.samples_per_step) == expected


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ({}, (5050, 101, 10)),
        ({"batch_size": 20}, (2550, 51, 20)),
        ({"dataset_size": 2000}, (10_000, 200, 10)),
        ({"steps_per_epoch": 7}, (350, 7, 10)),
        ({"total_steps": 9}, (9, 101, 10)),
    ],
)
def test_options_go_before_a_file_that_tells_the_size_of_its_data(
    size: dict[str, Any], expected: tuple[int, int, int]
) -> None:
    run = "epochs = 50\ndataset_size = 1001\nbatch_size = 10"
    Path("schedule.toml").write_text(f"schedule = 'constant(0.1)'\n[run]\n{run}\n", encoding="utf-8")
    plan = plan_of("schedule.toml", **size)
    assert (plan.total_steps, plan.run.steps_per_epoch, plan.run.samples_per_step) == expected


def test_options_go_before_what_a_plan_was_made_for() -> None:
    plan = ks.constant(0.1).plan(total_steps=500, steps_per_epoch=10, samples_per_step=32, tokens_per_step=4)
    Path("plan.json").write_text(ks.dumps(plan), encoding="utf-8")
    assert plan_of("plan.json") == plan
    assert plan_of("plan.json", epochs=3.0).total_steps == 30
    assert plan_of("plan.json", dataset_size=1000, batch_size=50).run.steps_per_epoch == 20
    assert plan_of("plan.json", dataset_size=1000, batch_size=50).run.samples_per_step == 50
    assert plan_of("plan.json", tokens_per_step=8).run.tokens_per_step == 8


def test_samples_and_tokens(capsys: pytest.CaptureFixture[str]) -> None:
    for text, option in (("640sp", "--samples-per-step"), ("640sp", "--batch-size"), ("640tok", "--tokens-per-step")):
        text = f'Schedule(linear("{text}", start=0.0, to=1.0), hold())'
        assert main(["values", text, option, "64", "--at", "5"]) == 0
        assert capsys.readouterr().out == "step,learning_rate\n5,0.5\n"


def test_a_batch_size_alone_does_not_keep_the_steps_of_another(capsys: pytest.CaptureFixture[str]) -> None:
    refused(
        capsys,
        ["show", "sgdr-10-2", "--batch-size", "64"],
        r"--batch-size needs --dataset-size.* sgdr-10-2 has 391 steps per epoch.*--batch-size=64",
    )
    for more in (["--dataset-size", "50000"], ["--steps-per-epoch", "782"]):
        assert main(["show", "sgdr-10-2", "--batch-size", "64", *more, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["steps_per_epoch"] == 782
