"""Two JAX devices apply the same rates under Optax, also when the run was killed and goes on in another process.

The other kinds of devices are next to their adapters: Keras on two JAX devices and under TensorFlow's MirroredStrategy
in `tests/keras`, two PyTorch processes in `tests/torch`.
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support.float32 import assert_follows
from tests.support.killed_runs import noted, run_module
from tests.support.optax_plans import PLANS, SAVE_EVERY, STEPS

DEATH = 23


def train(folder: Path, *death: int) -> int:
    flags = "--xla_force_host_platform_device_count=2"
    return run_module("tests.support.optax_devices", folder, *death, XLA_FLAGS=flags).returncode


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was killed, and went on in a second process."""
    folder = tmp_path_factory.mktemp("devices")
    assert train(folder, DEATH) == -signal.SIGKILL
    assert train(folder) == 0
    return folder


@pytest.mark.parametrize("way", ["jit", "shard_map"])
@pytest.mark.parametrize("plan", PLANS)
def test_both_devices_apply_the_rates_of_the_plan_after_a_restart_too(runs: Path, plan: str, way: str) -> None:
    applied = noted(runs / f"{plan}, {way}.txt")
    steps = [step for step, _ in applied]
    assert steps == [*range(DEATH + 1), *range(DEATH // SAVE_EVERY * SAVE_EVERY, STEPS)]
    assert all(one == other for _, (one, other) in applied)
    assert_follows([one for _, (one, _) in applied], PLANS[plan], steps)
    assert len(set(applied)) == STEPS  # a step that was trained again had the same rate, bit for bit
