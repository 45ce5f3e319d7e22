"""One plan through every adapter: the rates that the weights say were applied."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import kosine as ks
from benchmarks.backends import BACKENDS, environment
from benchmarks.measure import progress
from benchmarks.tables import Table, report
from tests.support.float32 import ulps

BARE = "import tests.support.bare_keras"
TARGET = 8.0
STEPS_PER_EPOCH = 50


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


def train_keras(run: Run, learning_rate: Any, callbacks: list[Any]) -> list[float]:
    import keras

    from kosine.testing.keras import AppliedRates, minus_mean, probe_data, probe_model

    model, applied = probe_model(STEPS_PER_EPOCH), AppliedRates()
    model.compile(keras.optimizers.SGD(learning_rate), minus_mean)
    model.optimizer.build(model.trainable_variables)
    if not callbacks:  # a schedule goes by the optimizer's own count of its updates
        model.optimizer.iterations.assign(run.first)
    x, y = probe_data(STEPS_PER_EPOCH)
    model.fit(
        x,
        y,
        batch_size=2,
        shuffle=False,
        verbose=0,
        initial_epoch=run.first // STEPS_PER_EPOCH,
        epochs=(run.first + run.steps) // STEPS_PER_EPOCH,
        callbacks=[*callbacks, applied],
    )
    rates: list[float] = applied.rates.tolist()
    return rates


def with_callback(run: Run) -> list[float]:
    return train_keras(run, 0.5, [ks.keras.LearningRateCallback(run.plan)])


def with_schedule(run: Run) -> list[float]:
    return train_keras(run, ks.keras.LearningRateSchedule(run.plan), [])


def train_torch(run: Run, groups: int) -> list[float]:
    """The rates of the last of the groups."""
    import torch

    from kosine.torch._scheduler import PlanLR

    weights = [torch.zeros(()) for _ in range(groups)]
    optimizer = torch.optim.SGD([{"params": [weight]} for weight in weights], lr=0.1)
    scheduler = PlanLR(optimizer, run.plan)
    scheduler.step(run.first)
    rates = []
    for _ in range(run.steps):
        for weight in weights:
            weight.zero_()
            weight.grad = torch.full_like(weight, -1.0)
        optimizer.step()
        scheduler.step()
        rates.append(weights[-1].item())
    return rates


def with_torch(run: Run) -> list[float]:
    return train_torch(run, 1)


def with_torch_groups(run: Run) -> list[float]:
    return train_torch(run, 3)


def with_optax(run: Run) -> list[float]:
    import jax
    import jax.numpy as jnp
    import optax

    from kosine.jax._schedule import schedule
    from kosine.testing.optax import applied_rates

    optimizer = optax.sgd(schedule(run.plan))
    state = jax.tree.map(lambda count: jnp.full_like(count, run.first), optimizer.init(jnp.zeros(())))
    rates: list[float] = applied_rates(optimizer, run.steps, state)[0].tolist()
    return rates


Apply = Callable[[Run], list[float]]
IN_KERAS: dict[str, Apply] = {"LearningRateCallback": with_callback, "LearningRateSchedule": with_schedule}
ON_BACKEND: dict[str, dict[str, Apply]] = {
    backend: {f"Keras on {name}, {adapter}": apply for adapter, apply in IN_KERAS.items()}
    for backend, name in BACKENDS.items()
}
ON_BACKEND["torch"] |= {"PyTorch, PlanLR": with_torch, "PyTorch, PlanLR, the last of 3 groups": with_torch_groups}
ON_BACKEND["jax"] |= {"Optax, ks.jax.schedule": with_optax}
ADAPTERS = [adapter for adapters in ON_BACKEND.values() for adapter in adapters]


def collect() -> dict[str, dict[str, list[float]]]:
    """The applied rates of each run with each adapter."""
    found: dict[str, dict[str, list[float]]] = {}
    for backend in ON_BACKEND:
        with TemporaryDirectory() as folder:
            file = Path(folder) / "rates.json"
            done = subprocess.run(
                [sys.executable, "-c", f"{BARE}; from benchmarks.applied import apply; apply({str(file)!r})"],
                cwd=Path(__file__).parents[1],
                env={**environment(backend), "JAX_PLATFORMS": "cpu"},
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise RuntimeError(f"{backend}: {done.stderr}")
            found |= json.loads(file.read_text(encoding="utf-8"))
    return found


def apply(file: str) -> None:
    """Write the applied rates of the adapters of this process's backend."""
    adapters = ON_BACKEND[os.environ["KERAS_BACKEND"]]
    found = {adapter: {name: rates(run) for name, run in RUNS.items()} for adapter, rates in adapters.items()}
    Path(file).write_text(json.dumps(found), encoding="utf-8")


class Distance(NamedTuple):
    """How far an adapter is from the plan and from any other adapter, in ulp of float32."""

    from_plan: float
    from_others: float
    differing: int
    """Steps whose rate is not the float32 nearest to the plan's."""


def distances(found: dict[str, dict[str, list[float]]]) -> dict[str, Distance]:
    """The largest distances of each adapter over all runs."""
    largest = {}
    for adapter, own in found.items():
        from_plan = max(float(ulps(own[name], run.exact()).max()) for name, run in RUNS.items())
        from_others = max(
            float((np.abs(np.subtract(own[name], other[name])) / np.spacing(run.exact().astype(np.float32))).max())
            for name, run in RUNS.items()
            for other in found.values()
        )
        differing = sum(
            int(np.count_nonzero(np.array(own[name], np.float32) != run.exact().astype(np.float32)))
            for name, run in RUNS.items()
        )
        largest[adapter] = Distance(from_plan, from_others, differing)
    return largest


def tables() -> Iterator[Table]:
    progress("the applied rates of each adapter")
    steps = sum(run.steps for run in RUNS.values())
    yield Table(
        "Applied rates of one plan: largest distance in ulp of float32",
        ("adapter", "steps", "from the plan", "from another adapter", "steps that differ"),
        tuple((adapter, steps, *distance) for adapter, distance in distances(collect()).items()),
        f"How far plain SGD with a gradient of -1 moved a weight, in {len(RUNS)} runs: {'; '.join(RUNS)}. Steps differ "
        f"where the rate is not the float32 nearest to the plan's float64. Target: at most {TARGET:.0f} ulp.",
    )


if __name__ == "__main__":
    report(tables)
