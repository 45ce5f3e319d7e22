"""What `kosine infer` prints is what `kosine check` passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from kosine.cli import main
from tests.support.known_logs import FOLDER
from tests.support.random_logs import Case, random_case
from tests.support.real_logs import NAMES, real

FILES = (
    "amp200.csv",
    "amp700.csv",
    "d2.json",
    "disagree_50154.csv",
    "lastrow.csv",
    "onecycle.csv",
    "sgdr.csv",
    "timm.csv",
    "wrn.csv",
    "mmcv5.json",
    "yolo.csv",
)


def passes(log: Path, options: list[str], capsys: pytest.CaptureFixture[str]) -> bool | None:
    """Whether a log passes the check of the schedule that was found in it; None where none was found."""
    capsys.readouterr()
    if main(["infer", str(log), *options]):
        return None
    text = capsys.readouterr().out
    found = log.parent / "found.toml"
    found.write_text(text, encoding="utf-8")
    return main(["check", str(log), str(found), *options]) == 0


@pytest.mark.parametrize("name", FILES)
def test_small_logs(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / name
    log.write_bytes((FOLDER / name).read_bytes())
    assert passes(log, [], capsys)


@pytest.mark.parametrize("name", NAMES)
def test_real_logs(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = real(name)
    (tmp_path / "log").write_text(log.text, encoding="utf-8")
    options = [f"--step-column={log.arguments['step_column']}"] if log.arguments else []
    assert passes(tmp_path / "log", options, capsys)


def written(case: Case, path: Path) -> Path:
    rows = zip(case.positions.tolist(), case.rates.tolist(), strict=True)
    lines = (f"{position},{rate:.{case.digits - 1}e}" for position, rate in rows)
    path.write_text("\n".join(["step,lr", *lines, ""]), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(range(3, 1000, 100), id="every 100th"),
        pytest.param(range(9, 1000, 16), id="every 16th", marks=pytest.mark.slow),
    ],
)
def test_random_logs(seeds: range, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = list(map(random_case, seeds))
    outcomes = {case.seed: passes(written(case, tmp_path / f"{case.seed}.csv"), [], capsys) for case in cases}
    assert [seed for seed, outcome in outcomes.items() if outcome is False] == []
    assert sum(outcome is True for outcome in outcomes.values()) >= 0.9 * len(cases)
