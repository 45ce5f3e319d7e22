"""`kosine export`: a program or data that reproduces a plan."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import kosine as ks
from kosine._export.targets.huggingface import FORMS, training_arguments
from kosine.cli import main
from kosine.cli._export import TARGETS
from tests.support.console import one_line, refused

COSINE = ["warmup_cosine(peak=1e-3, warmup=100)", "--total-steps", "1000"]
PLAN = ks.warmup_cosine(peak=1e-3, warmup=100).plan(total_steps=1000)
PROGRAMS = TARGETS[:-2]


def test_python_program_runs_and_is_the_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "program.py"
    assert main(["export", *COSINE, "--to", "python", "-o", str(file)]) == 0
    assert capsys.readouterr().out == f"wrote {file}\n"
    program = runpy.run_path(str(file))["learning_rate"]
    assert [program(step) for step in range(1100)] == pytest.approx([PLAN(step) for step in range(1100)], abs=1e-15)
    alone = subprocess.run([sys.executable, "-I", "-S", str(file)], check=False, capture_output=True, text=True)
    assert (alone.returncode, alone.stderr) == (0, "")


@pytest.mark.parametrize("target", PROGRAMS)
def test_programs_are_those_of_to_code(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", *COSINE, "--to", target.upper()]) == 0
    assert capsys.readouterr().out == ks.to_code(PLAN, target)
    assert main(["export", *COSINE, "--to", target, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"target": target, "program": ks.to_code(PLAN, target)}


@pytest.mark.parametrize("form", FORMS)
def test_training_arguments_in_every_format(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", *COSINE, "--to", "huggingface", "--format", form.upper()]) == 0
    text = training_arguments(PLAN, form)
    assert capsys.readouterr().out == text
    assert main(["export", *COSINE, "--to", "huggingface", "--format", form, "--json"]) == 0
    content = {"data": json.loads(text)} if form == "json" else {"program": text}
    assert json.loads(capsys.readouterr().out) == {"target": "huggingface", **content}


def test_json_is_the_plan_and_a_schedule_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plan.json"
    assert main(["export", *COSINE, "--to", "json", "-o", str(file)]) == 0
    assert ks.loads(file.read_text(encoding="utf-8")) == PLAN
    capsys.readouterr()
    wrapped = tmp_path / "wrapped.json"
    assert main(["export", *COSINE, "--to", "json", "-o", str(wrapped), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"written": str(wrapped), "bytes": wrapped.stat().st_size}
    assert json.loads(wrapped.read_text(encoding="utf-8"))["data"] == json.loads(file.read_text(encoding="utf-8"))
    assert main(["export", str(file), "--to", "json"]) == 0
    assert capsys.readouterr().out == ks.dumps(PLAN) + "\n"
    assert main(["export", str(file), "--to", "json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"target": "json", "data": json.loads(ks.dumps(PLAN))}


def test_csv_has_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", *COSINE, "--to", "csv"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "step,learning_rate",
        *(f"{step},{PLAN(step)!r}" for step in range(1000)),
    ]
    assert main(["export", *COSINE, "--to", "csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "target": "csv",
        "data": [{"step": step, "learning_rate": PLAN(step)} for step in range(1000)],
    }


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        (COSINE, r"Missing option '--to'"),
        ([*COSINE, "--to", "jax"], r"'jax' is not one of 'python', 'numpy'.*Did you mean 'optax'\?"),
        ([*COSINE, "--to", "torch", "--format", "json"], r"--format is for --to huggingface\. Received: --to torch"),
        ([*COSINE, "--to", "huggingface", "--format", "toml"], r"'toml' is not one of 'python', 'json', 'yaml', 'arg"),
        ([*COSINE, "--to", "HF"], r"Did you mean 'huggingface'\?"),
        ([*COSINE, "--to", "pytorch"], r"Did you mean 'torch'\?"),
        ([*COSINE, "--to", "tensorflow"], r"Did you mean 'keras'\?"),
        ([*COSINE, "--to", "cobol"], r"'csv'\. See: kosine export --help"),
        (["constant(0.1)", "--to", "csv"], r"never ends.*Give --total-steps"),
        (["one_cycle(0.1)", "--to", "python"], r"The run's length is missing.*--total-steps"),
        ([*COSINE, "--to", "python", "-o", "/nowhere/x.py"], r"/nowhere/x\.py: No such file or directory"),
    ],
)
def test_mistake_is_one_clear_line_and_status_2(
    arguments: list[str], pattern: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(capsys, ["export", *arguments], pattern)


def test_what_a_target_cannot_express_leaves_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "arguments.py"
    text = "Schedule(tanh(10, start=1.0, to=0.0), linear(to=1.0))"
    assert main(["export", text, "--total-steps", "99", "--to", "huggingface", "-o", str(file)]) == 2
    one_line(capsys.readouterr().err, "huggingface|Hugging Face|transformers")
    assert list(tmp_path.iterdir()) == []
