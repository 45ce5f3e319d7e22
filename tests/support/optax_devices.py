"""Optax runs on two devices, from their last checkpoints on: `python -m tests.support.optax_devices FOLDER [STEP]`.

They note the rate that each device applied as soon as it did. If a step is given they end there, the process by a kill.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import NamedSharding, PartitionSpec

import kosine as ks
from tests.support.killed_runs import note
from tests.support.optax_plans import PLANS, SAVE_EVERY, STEPS

Update = Callable[[Any, jax.Array], tuple[Any, jax.Array]]


def updates(optimizer: Any, mesh: Any) -> dict[str, Update]:
    """The update of a batch that is divided between the devices, in the two ways that JAX has to write it."""

    def update(state: Any, batch: jax.Array, mean: Callable[[Any], Any] = lambda value: value) -> tuple[Any, jax.Array]:
        weight = jnp.zeros(())
        gradient = mean(jax.grad(lambda weight: -(weight * batch).mean())(weight))  # exactly -1: the batch is of ones
        changes, state = optimizer.update(gradient, state, weight)
        return state, optax.apply_updates(weight, changes)

    def part(state: Any, batch: jax.Array) -> tuple[Any, jax.Array]:
        return update(state, batch, lambda value: jax.lax.pmean(value, "data"))

    everywhere, divided = PartitionSpec(), PartitionSpec("data")
    mapped = jax.shard_map(part, mesh=mesh, in_specs=(everywhere, divided), out_specs=everywhere, check_vma=False)
    return {"jit": jax.jit(update), "shard_map": jax.jit(mapped)}


def train(folder: Path, name: str, optimizer: Any, update: Update, mesh: Any, death: int | None) -> None:
    batch = jax.device_put(jnp.ones(4), NamedSharding(mesh, PartitionSpec("data")))
    state = optimizer.init(jnp.zeros(()))
    leaves, structure = jax.tree.flatten(state)
    first, checkpoint = 0, folder / f"{name}.npz"
    if checkpoint.exists():
        with np.load(checkpoint) as saved:
            first, *leaves = (saved[key] for key in saved.files)
    state = jax.device_put(jax.tree.unflatten(structure, leaves), NamedSharding(mesh, PartitionSpec()))
    for step in range(int(first), STEPS):
        state, weight = update(state, batch)
        rates = {shard.device.id: float(shard.data) for shard in weight.addressable_shards}
        note(folder / f"{name}.txt", step, rates[0], rates[1])
        if step == death:
            return
        if (step + 1) % SAVE_EVERY == 0:
            np.savez(folder / "new.npz", step + 1, *jax.tree.leaves(state))
            (folder / "new.npz").replace(checkpoint)


def main(folder: Path, death: int | None) -> None:
    assert jax.device_count() == 2
    mesh = jax.make_mesh((2,), ("data",))
    for plan_name, plan in PLANS.items():
        optimizer = optax.sgd(ks.jax.schedule(plan))
        for way, update in updates(optimizer, mesh).items():
            train(folder, f"{plan_name}, {way}", optimizer, update, mesh, death)
    if death is not None:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None)
