"""A PyTorch run that is killed 20 times applies the rates of one that is not, and ends with its weights."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.killed_runs import applied_again, applied_rates
from tests.support.torch_killed_run import KILLS, PLAN, STEPS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("torch")
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.torch_killed_run", folder],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    codes = json.loads((folder / "deaths.json").read_text(encoding="utf-8"))["codes"]
    assert codes == [0, *[-signal.SIGKILL] * KILLS, 0], done.stderr
    return folder


def test_every_step_was_trained_with_the_rate_of_the_whole_run_each_time(runs: Path) -> None:
    assert applied_rates(runs / "killed") == applied_rates(runs / "whole") == {n: {PLAN(n)} for n in range(STEPS)}
    assert applied_again(runs / "killed") > 0


def test_the_weights_are_those_of_the_whole_run(runs: Path) -> None:
    killed, whole = (
        json.loads((runs / name / "weights.json").read_text(encoding="utf-8")) for name in ("killed", "whole")
    )
    assert killed == whole


def test_deaths_came_while_checkpoints_were_written(runs: Path) -> None:
    """Else the test would be easier than it says: a half-written file was left, and the run went on from the last."""
    deaths = json.loads((runs / "deaths.json").read_text(encoding="utf-8"))["deaths"]
    calls = json.loads((runs / "whole" / "calls.json").read_text(encoding="utf-8"))
    usual = sorted(calls)[STEPS // 2]
    assert any(call > 2 * usual for _, call in deaths)
