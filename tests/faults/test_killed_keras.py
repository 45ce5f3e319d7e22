"""A Keras run that is killed applies the rates of one that is not, on each backend, and ends with its weights."""

from __future__ import annotations

import json
import random
import signal
from pathlib import Path

import numpy as np
import pytest

from tests.support.keras_killed_plan import EPOCHS, PLAN, STEPS
from tests.support.killed_runs import applied_again, applied_rates, run_module

BACKENDS = pytest.mark.parametrize("backend", ["jax", "tensorflow", "torch"])
KILLS = 20
MOMENTS = ["before the update", "after the update", "during the backup", "after the backup"]

# The plan is short enough for a table in the graph, so each backend has the nearest float32.
PLANNED = {step: {float(np.float32(PLAN(step)))} for step in range(EPOCHS * STEPS)}


def train(backend: str, *runs: tuple[Path, *tuple[object, ...]]) -> list[int]:
    """Train in one process after another; each goes on from the backup in its folder. Returns their exit codes."""
    arguments = [json.dumps(run, default=str) for run in runs]
    environment = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = run_module("tests.support.keras_killed_run", *arguments, **environment)
    codes = [int(code) for code in done.stdout.split()]
    assert {*codes} <= {0, -signal.SIGKILL}, done.stderr
    return codes


def deaths(seed: int) -> list[tuple[int, str]]:
    """Random steps with random moments. During the first backup there is none before it that Keras could go back to."""
    draw = random.Random(seed)
    steps = sorted(draw.sample(range(EPOCHS * STEPS), KILLS))
    return [(step, draw.choice(MOMENTS if step >= STEPS else MOMENTS[:2])) for step in steps]


@BACKENDS
def test_a_run_killed_while_it_writes_a_backup_goes_on_from_the_one_before(backend: str, tmp_path: Path) -> None:
    killed = (tmp_path, 2 * STEPS + 3, "during the backup")
    assert train(backend, killed, (tmp_path,)) == [-signal.SIGKILL, 0]
    assert applied_rates(tmp_path) == PLANNED
    assert applied_again(tmp_path) == STEPS


@pytest.mark.slow
@BACKENDS
def test_a_run_killed_20_times_is_the_whole_run(backend: str, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    lives = [(killed, *death) for death in deaths(seed=0)]
    assert train(backend, (whole,), *lives, (killed,)) == [0, *[-signal.SIGKILL] * KILLS, 0]
    assert applied_rates(killed) == applied_rates(whole) == PLANNED
    assert applied_again(killed) >= KILLS
    weights, wanted = np.load(killed / "weights.npz"), np.load(whole / "weights.npz")
    assert len(wanted.files) == 5
    for name in wanted.files:
        np.testing.assert_array_equal(weights[name], wanted[name])
