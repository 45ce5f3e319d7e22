"""The demonstration at a small size: what it writes is what it trained, and its words follow from the numbers."""

from __future__ import annotations

import csv
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from examples.train_digits import (
    EPOCHS as FULL,
    SEEDS,
    Run,
    error_table,
    findings,
    last_errors,
    main,
    schedules,
    spread,
    write_history,
)
from tests.support.run_examples import ROOT, runner

EPOCHS = 2
FILES = ["history.csv", "learning_rate.png", "range_test.png", "training.png", "worked_example.png"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A small run of the demonstration in a process of its own: its folder, and what it printed."""
    output = tmp_path_factory.mktemp("runs") / "demo"
    with runner() as run:
        done = run("train_digits", "--seeds", "1", "--epochs", str(EPOCHS), "--output", str(output))
    assert done.code == 0, done.errors
    return output, done.printed, done.errors


def test_every_file_is_there_and_named(demo: tuple[Path, str, str]) -> None:
    output, printed, _ = demo
    assert sorted(path.name for path in output.iterdir() if path.is_file()) == FILES
    assert [path.name for path in (output / "cycles").iterdir()] == ["cycle-01.keras"]
    for name in FILES:
        assert str(output / name) in printed


def test_history_is_the_plan_at_every_batch(demo: tuple[Path, str, str]) -> None:
    output, printed, _ = demo
    steps_per_epoch = int(re.findall(r"epochs of (\d+) steps", printed)[0])
    with (output / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["schedule", "step", "rate"]
    for name, schedule in schedules().items():
        plan = schedule.plan(epochs=EPOCHS, steps_per_epoch=steps_per_epoch)
        mine = [row for row in rows if row["schedule"] == name]
        assert [int(row["step"]) for row in mine] == list(range(EPOCHS * steps_per_epoch))
        assert [float(row["rate"]) for row in mine] == plan(np.arange(EPOCHS * steps_per_epoch)).tolist()


def test_pictures_show_something_on_white(demo: tuple[Path, str, str]) -> None:
    for name in FILES[1:]:
        pixels = imread(demo[0] / name)
        assert (pixels[..., 3] == 1).all()
        assert pixels[0, -1].tolist() == [1, 1, 1, 1]
        assert 0.01 < float((pixels[..., :3].min(axis=2) < 0.99).mean()) < 0.99


def test_it_says_what_it_did(demo: tuple[Path, str, str]) -> None:
    output, printed, errors = demo
    lines = printed.replace(str(output), "runs/demo").splitlines()
    assert max(map(len, lines)) <= 80
    assert "really measured" in printed
    for name in schedules():
        (row,) = [line for line in lines if re.match(rf"{re.escape(name)} +\d+\.\d\d ", line)]
        assert 0 <= float(row.removeprefix(name).split()[0]) <= 100
    assert "Lowest test error: " in printed
    assert "rate at step 0: 4e-06" in printed
    assert f"every one of {EPOCHS * 788:,} steps: yes" in printed
    assert errors == ""


def test_it_shows_a_bracket_of_the_peak_and_what_models_at_cycle_ends_do(demo: tuple[Path, str, str]) -> None:
    low, high = map(float, re.findall(r"best peak between (\S+) and (\S+):", demo[1])[0])
    assert 1e-4 < low < high < 1
    (row,) = re.findall(r"^ +1 +([\d.]+) +[\d.]+ +([\d.]+)$", demo[1], re.MULTILINE)
    assert row[0] == row[1]  # one model, together and alone


def test_the_command_that_it_names_next_works(demo: tuple[Path, str, str]) -> None:
    command = demo[1].rpartition("kosine show ")[2].replace("\\\n", " ")
    done = subprocess.run(
        [sys.executable, "-m", "kosine.cli", "show", *shlex.split(command)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "cosine  #1" in done.stdout


def test_make_demo_runs_it_with_a_command_line() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "$(BIN)/python examples/train_digits.py" in makefile.partition("\ndemo:")[2].partition("\n\n")[0]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert "kosine[cli,jax,keras,plot]" in extras["demo"]


def test_runs_end_where_a_cycle_ends() -> None:
    plan = schedules()["SGDR (warm restarts)"].plan(epochs=FULL, steps_per_epoch=29)
    assert plan.phases[-1].stop == plan.total_steps
    peaks = {max(row.first_lr for row in s.plan(epochs=FULL, steps_per_epoch=29).phases) for s in schedules().values()}
    assert len(peaks) == 1
    assert SEEDS >= 5


ERRORS = {"a": np.array([2.0, 4.0]), "b": np.array([9.0, 10.0]), "c": np.array([3.0, 4.0])}


def test_findings_follow_from_the_numbers() -> None:
    assert " ".join(findings(ERRORS).split()) == (
        "Lowest test error: a, 3.00 %. "
        "- c: 0.50 points higher: no clear difference, as the larger spread of the two is 1.41. "
        "- b: 6.50 points higher: more than the larger spread of the two, 1.41."
    )
    swapped = {"a": ERRORS["b"], "b": ERRORS["a"]}
    assert findings(swapped).startswith("Lowest test error: b, 3.00 %.\n- a: 6.50 points higher: more than")
    level = findings({"a": np.array([2.0, 4.0]), "b": np.array([3.0, 3.0])})
    assert "b: the same to 0.01 points: no clear difference" in level


def test_one_seed_claims_nothing() -> None:
    text = findings({"a": np.array([2.0]), "b": np.array([9.0])})
    assert text.endswith("- b: 7.00 points higher: one seed cannot tell whether that is chance.")
    assert spread(np.array([2.0])) is None
    assert "±" not in error_table({"a": np.array([2.0])})


def test_table_gives_mean_and_sample_deviation() -> None:
    lines = error_table(ERRORS).splitlines()
    assert [line.split("  ")[0].strip() for line in lines] == ["schedule", "a", "b", "c"]
    assert " 3.00 ± 1.41 " in lines[1]
    assert " 9.50 ± 0.71 " in lines[2]


def test_history_file_is_whole_and_exact(tmp_path: Path) -> None:
    run = Run(np.zeros(2), np.array([50.0, 25.0]), np.arange(3), np.array([0.1, 1 / 3, 4e-6]))
    write_history(tmp_path / "history.csv", {"one, two": [run]})
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert [float(rate) for _, _, rate in rows[1:]] == run.rates.tolist()
    assert [path.name for path in tmp_path.iterdir()] == ["history.csv"]
    assert last_errors({"a": [run, run]})["a"].tolist() == [25.0, 25.0]


@pytest.mark.parametrize("arguments", [["--seeds", "0"], ["--epochs", "0"], ["--epochs", "many"]])
def test_mistake_is_refused_before_training(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "error: " in capsys.readouterr().err


def test_folder_that_cannot_be_made_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS"):
        monkeypatch.setenv(name, os.environ.get(name, ""))  # what `main` sets must not outlive this test
    (tmp_path / "file").write_text("")
    assert main(["--output", str(tmp_path / "file" / "demo")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
