"""Two processes on one machine apply the same rates: the plan's, also after a crash."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.killed_runs import noted
from tests.support.torch_probe import PLAN, STEPS, planned
from tests.support.torch_worker import CRASH, SAVE_EVERY

ROOT = Path(__file__).parents[2]


class Results(NamedTuple):
    folder: Path
    codes: dict[str, list[int | None]]
    errors: str

    def rates(self, task: str) -> list[Any]:
        return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(self.folder.glob(f"{task}.?.json"))]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("distributed")
    loopback = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
    settings = {"GLOO_SOCKET_IFNAME": loopback, "OMP_NUM_THREADS": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.torch_worker", folder],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    return Results(folder, json.loads((folder / "codes.json").read_text(encoding="utf-8")), done.stderr)


def test_a_process_crashes(results: Results) -> None:
    other, crashed = results.codes["crash"]
    assert crashed == -signal.SIGKILL, results.errors
    assert other == 1, results.errors  # it cannot go on alone
    assert results.rates("crash") == []


def test_both_go_on_from_the_checkpoint(results: Results) -> None:
    assert results.codes["resume"] == [0, 0], results.errors
    saved = CRASH // SAVE_EVERY * SAVE_EVERY
    assert 0 < saved < CRASH < STEPS
    assert results.rates("resume") == [{"first step": saved, "rates": planned(PLAN)}] * 2


@pytest.mark.parametrize("rank", [0, 1])
def test_each_process_applied_the_plan_before_the_crash_and_after_it(results: Results, rank: int) -> None:
    """Both load the checkpoint of one, so their own rates are noted as each was applied."""
    applied = noted(results.folder / f"applied.{rank}.txt")
    steps = [step for step, _ in applied]
    assert applied == [(step, (PLAN(step),)) for step in steps]
    resumed = list(range(CRASH // SAVE_EVERY * SAVE_EVERY, STEPS))
    assert steps[:CRASH] == list(range(CRASH))
    assert steps[-len(resumed) :] == resumed


def test_accelerate_steps_a_prepared_scheduler_once_for_each_process(results: Results) -> None:
    """Unless it steps by itself, is left out, or batches are split: the guide says which to take. PlanLR sees it."""
    assert results.codes["accelerate"] == [0, 0], results.errors
    assert "called 2 times for each update: the plan's 12 steps end after 6 updates" in results.errors
    assert "The plan ended at step 12" in results.errors
    assert results.errors.count("TrainingWarning: ") == 4  # one of each kind in each process; the other loops are right
    assert (
        results.rates("accelerate")
        == [
            {
                "prepared": planned(PLAN, range(0, 2 * STEPS, 2)),
                "left out": planned(PLAN),
                "by itself": planned(PLAN),
                "split batches": planned(PLAN),
            }
        ]
        * 2
    )


def test_a_trainer_plans_for_the_updates_of_both(results: Results) -> None:
    assert results.codes["trainer"] == [0, 0], results.errors
    assert results.rates("trainer") == [planned(PLAN)] * 2


def test_a_range_test_leaves_an_epoch_and_its_workers_as_they_were(results: Results) -> None:
    for result in results.rates("range test"):
        assert result["workers kept"]
        assert result["batches left"] == 4
        one, other = result["with workers"]
        assert len(one) == len(other) == 20
        assert one != other


def test_a_range_test_has_the_mean_loss_and_ends_at_the_same_step_in_both(results: Results) -> None:
    assert results.codes["range test"] == [0, 0], results.errors
    one, other = results.rates("range test")
    assert one == other
    assert one["weights kept"]
    assert one["ends"][0] == "not finite"
    assert len(one["losses"][0]) == 25
    assert set(one["ends"][1:]) <= {"diverged", "not finite"}
    assert results.errors.count("range test: seed 1 of 3") == 1  # the first process shows the progress
