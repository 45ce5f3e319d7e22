"""`kosine predict`: the table, JSON, pictures, LOG:PLAN and errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import kosine as ks
from kosine.cli import main
from kosine.cli._predict import split
from tests.support.law_runs import WSD, Law, write_logs

PLAN = WSD.plan(total_steps=6000)
COSINE = "warmup_cosine(peak=1e-3, warmup=200)"
WANTED = ["--schedule", COSINE, "--total-steps", "12000"]
PAST = "Schedule(linear(200, start=0.0, to=1e-3), hold(4600), one_minus_sqrt(1200, to=0.0))"


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with logs of a run that follows the law."""
    folder = tmp_path_factory.mktemp("logs")
    write_logs(folder)
    return folder


def test_prints_the_table_and_the_picture(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = str(logs / "wsd.csv")
    assert main(["predict", log, *WANTED]) == 0
    out = capsys.readouterr().out
    found = ks.predict(ks.read_trace(log), ks.parse(COSINE).plan(total_steps=12_000), names=[COSINE])
    assert out.startswith(str(found))
    assert max(map(len, out.splitlines())) <= 80


def test_json_and_a_picture(logs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, picture = str(logs / "wsd.csv"), tmp_path / "losses.svg"
    words = ["predict", log, *WANTED, "--schedule", "wsd(peak=1e-3, warmup=200)", "--json", "--plot", str(picture)]
    assert main(words) == 0
    data = json.loads(capsys.readouterr().out)
    plans = [ks.parse(text).plan(total_steps=12_000) for text in (COSINE, "wsd(peak=1e-3, warmup=200)")]
    found = ks.predict(ks.read_trace(log), *plans, names=[COSINE, "wsd"])
    assert [each["mark"] for each in data["plans"]] == [row.mark for row in found.rows]
    for each, row in zip(data["plans"], found.rows, strict=True):
        assert (each["loss"], each["low"], each["high"]) == (row.loss, row.low, row.high)
        assert (each["steps"], each["curve"]) == (row.steps.tolist(), row.curve.tolist())
    assert data["fit"]["alpha"] == found.fit.alpha
    assert data["runs"][0]["name"] == log
    assert picture.read_text().startswith("<?xml")


def test_the_plan_of_a_log_without_rates(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, file = logs / "losses.csv", logs / "wsd.json"
    said = []
    for plan in (PAST, str(file)):
        assert main(["predict", f"{log}:{plan}", *WANTED, "--json"]) == 0
        said.append(json.loads(capsys.readouterr().out)["plans"][0]["loss"])
    losses = ks.read_losses(log)
    wanted = ks.parse(COSINE).plan(total_steps=12_000)
    assert said == pytest.approx([ks.predict((losses, PLAN), wanted).loss] * 2, abs=1e-9)
    assert main(["predict", f"{log}:{PAST}", *WANTED, "--loss-column", "other_loss", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plans"][0]["loss"] == pytest.approx(said[0] + 1, abs=0.02)


def test_several_logs(logs: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    line = ks.linear_to_zero(peak=1e-3, warmup=200).plan(total_steps=8000)
    losses, _ = Law().run(line, every=100)
    log = tmp_path / "line.csv"
    rows = zip(losses.positions.tolist(), losses.values.tolist(), strict=True)
    log.write_text("step,val_loss\n" + "".join(f"{step},{loss}\n" for step, loss in rows), encoding="utf-8")
    plan = "Schedule(linear(200, start=0.0, to=1e-3), linear(7800, to=0.0))"
    assert main(["predict", str(logs / "wsd.csv"), f"{log}:{plan}", *WANTED, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [run["total_steps"] for run in data["runs"]] == [6000, 8000]
    exact = Law().losses(ks.parse(COSINE).plan(total_steps=12_000), np.array([12_000]))
    assert data["plans"][0]["loss"] == pytest.approx(float(exact[0]), abs=2e-3)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("log.csv", ("log.csv", None)),
        ("log.csv:plan.toml", ("log.csv", "plan.toml")),
        ("log.csv:C:\\plans\\plan.toml", ("log.csv", "C:\\plans\\plan.toml")),
        ("C:\\runs\\log.csv", ("C:\\runs\\log.csv", None)),
        ("C:/runs/log.csv:D:/plan.toml", ("C:/runs/log.csv", "D:/plan.toml")),
        ("c:log.csv", ("c", "log.csv")),
        ("-", ("-", None)),
        ("-:gpt-3", ("-", "gpt-3")),
        ("12:30.csv", ("12:30.csv", None)),
        ("12:30.csv:plan.toml", ("12:30.csv", "plan.toml")),
        ("log.csv:a:b", ("log.csv", "a:b")),
    ],
)
def test_the_colon_between_log_and_plan(
    text: str, parts: tuple[str, str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("12:30.csv").touch()
    Path("log.csv").touch()
    assert split(text) == parts


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["wsd.csv"], "Give what to predict: --schedule SCHEDULE."),
        (["losses.csv", *WANTED], "losses.csv: "),
        (["none.csv", *WANTED], "none.csv: No such file"),
        (["wsd.csv:nope", *WANTED], "nope"),
        (["losses.csv:wsd(peak=1e-3, warmup=200)", *WANTED], "Give its schedule as a file with the table [run]"),
        (["wsd.csv", "--schedule", COSINE], "--total-steps"),
        (["wsd.csv", "--schedule", COSINE, "--total-steps", "1M"], "Predict 1,500 to 24,000 steps"),
        (["wsd.csv", "--loss-column", "nope", *WANTED], "nope"),
        (["wsd.csv", "wsd.csv", *WANTED], "Give each run once"),
        (["sparse.csv", *WANTED], "Give LOG:PLAN with the plan that the run followed"),
        (["rates.csv", *WANTED], "Say where they are in the log: --loss-column."),
    ],
)
def test_errors(
    words: list[str], said: str, logs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(logs)
    rows = (logs / "wsd.csv").read_text().splitlines()
    Path("rates.csv").write_text("\n".join(",".join(row.split(",")[:2]) for row in rows), encoding="utf-8")
    cells = [row.split(",") for row in rows[1:]]
    some = [",".join((step, "" if n % 100 else rate, loss)) for n, (step, rate, loss) in enumerate(cells)]
    Path("sparse.csv").write_text("\n".join([rows[0], *some]), encoding="utf-8")
    assert main(["predict", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_log_without_rates_needs_its_plan(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(logs / "losses.csv"), *WANTED]) == 2
    assert "has losses, and no learning rates were found" in (err := capsys.readouterr().err)
    assert "LOG:PLAN" in err


def test_a_plan_that_its_log_contradicts(logs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = PAST.replace("1e-3", "2e-3")
    assert main(["predict", f"{logs / 'wsd.csv'}:{other}", *WANTED]) == 2
    assert "are not those of the plan that is given with it" in capsys.readouterr().err
    assert main(["predict", f"{logs / 'wsd.csv'}:{PAST}", *WANTED]) == 0
