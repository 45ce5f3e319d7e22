"""One plan in every framework: the rates that the weights say were applied, each adapter in a process of its own.

Run as `python -m benchmarks.frameworks`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import kosine as ks
from benchmarks.measure import print_table
from tests.jax.probe import ulps

TARGET = 8.0
STEPS_PER_EPOCH = 50
ADAPTERS = {  # with the Keras backend of each
    "Keras on JAX": "jax",
    "Keras on TensorFlow": "tensorflow",
    "Keras on PyTorch": "torch",
    "PyTorch": "torch",
    "Optax": "jax",
}


class Run(NamedTuple):
    """A part of a plan, in whole epochs, that is trained."""

    plan: ks.Plan
    first: int
    steps: int

    def exact(self) -> NDArray[np.float64]:
        return self.plan(np.arange(self.first, self.first + self.steps))


WARMUP = ks.linear(30, start=0.001, to=0.1)
SHORT = ks.Schedule(WARMUP, ks.hold(5), ks.cosine(to=1e-5)).plan(epochs=6, steps_per_epoch=STEPS_PER_EPOCH)
LONG = ks.Schedule(WARMUP, ks.hold(5), ks.cosine(to=0.0)).plan(epochs=2_000_000, steps_per_epoch=STEPS_PER_EPOCH)
RESTARTS = ks.Schedule(WARMUP, ks.cycles(ks.cosine(20, start=0.1, to=0.001), stretch=1.5, shrink=0.8)).plan(
    epochs=6, steps_per_epoch=STEPS_PER_EPOCH
)
RUNS = {
    "warm-up, hold, cosine": Run(SHORT, 0, 300),
    "restarts": Run(RESTARTS, 0, 300),
    "first of 10^8 steps": Run(LONG, 0, 100),
    "last of 10^8 steps": Run(LONG, 10**8 - 100, 100),
}


def with_keras(run: Run) -> list[float]:
    import keras

    from kosine.testing.keras import AppliedRates, minus_mean, probe_data, probe_model

    model, applied = probe_model(STEPS_PER_EPOCH), AppliedRates()
    model.compile(keras.optimizers.SGD(0.5), minus_mean)
    x, y = probe_data(STEPS_PER_EPOCH)
    model.fit(
        x,
        y,
        batch_size=2,
        shuffle=False,
        verbose=0,
        initial_epoch=run.first // STEPS_PER_EPOCH,
        epochs=(run.first + run.steps) // STEPS_PER_EPOCH,
        callbacks=[ks.keras.LearningRateCallback(run.plan), applied],
    )
    rates: list[float] = applied.rates.tolist()
    return rates


def with_torch(run: Run) -> list[float]:
    import torch

    from kosine.torch import PlanLR

    weight = torch.zeros(())
    optimizer = torch.optim.SGD([weight], lr=0.1)
    scheduler = PlanLR(optimizer, run.plan)
    scheduler.step(run.first)
    rates = []
    for _ in range(run.steps):
        weight.zero_()
        weight.grad = torch.full_like(weight, -1.0)
        optimizer.step()
        scheduler.step()
        rates.append(weight.item())
    return rates


def with_optax(run: Run) -> list[float]:
    import jax
    import jax.numpy as jnp
    import optax

    from kosine.jax import schedule
    from kosine.testing.optax import applied_rates

    optimizer = optax.sgd(schedule(run.plan))
    state = jax.tree.map(lambda count: jnp.full_like(count, run.first), optimizer.init(jnp.zeros(())))
    rates: list[float] = applied_rates(optimizer, run.steps, state)[0].tolist()
    return rates


def collect() -> dict[str, dict[str, list[float]]]:
    """The applied rates of each run with each adapter."""
    found = {}
    for adapter, backend in ADAPTERS.items():
        quiet = {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.frameworks", adapter],
            cwd=Path(__file__).parents[1],
            env={**os.environ, **quiet, "JAX_PLATFORMS": "cpu"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{adapter}: {done.stderr}")
        found[adapter] = json.loads(done.stdout.splitlines()[-1])
    return found


def distances(found: dict[str, dict[str, list[float]]]) -> dict[str, tuple[float, float]]:
    """The largest distance of each adapter from the plan, and from any other adapter, in ulp."""
    largest = {}
    for adapter, own in found.items():
        from_plan = max(float(ulps(own[name], run.exact()).max()) for name, run in RUNS.items())
        from_others = max(
            float((np.abs(np.subtract(own[name], other[name])) / np.spacing(run.exact().astype(np.float32))).max())
            for name, run in RUNS.items()
            for other in found.values()
        )
        largest[adapter] = from_plan, from_others
    return largest


def main() -> None:
    if len(sys.argv) > 1:
        apply = {"PyTorch": with_torch, "Optax": with_optax}.get(sys.argv[1], with_keras)
        print(json.dumps({name: apply(run) for name, run in RUNS.items()}))
        return
    steps = sum(run.steps for run in RUNS.values())
    rows = [[f"largest distance in float32 ulp, {steps} steps of {len(RUNS)} runs", "from the plan", "from another"]]
    for adapter, (from_plan, from_others) in distances(collect()).items():
        rows.append([adapter, f"{from_plan:.2f}", f"{from_others:.2f}"])
    print_table(rows)
    print(f"target: <= {TARGET:.0f} ulp")


if __name__ == "__main__":
    main()
