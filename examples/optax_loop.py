"""Train with Optax in a jitted loop, save the optimizer's state in the middle, and go on from it.

What it shows: `ks.jax.schedule(plan)`, a pure function of the step, inside `jit` and `scan`; the rate of each update,
read from the optimizer's state; a resume that needs nothing but that state.

    pip install '.[jax]' optax
    python examples/optax_loop.py
"""

import pickle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

import kosine as ks

EPOCHS, STEPS_PER_EPOCH = 8, 25

batches = jax.random.uniform(jax.random.key(0), (STEPS_PER_EPOCH, 32, 2), minval=-1, maxval=1)
# A warm-up of 1 epoch, then cycles of 1, 2 and 4 epochs: this run ends where a cycle ends.
lr = ks.sgdr(peak=0.05, period="1ep", stretch=2, floor=1e-4, warmup="1ep", warmup_start=1e-3)
plan = lr.plan(epochs=EPOCHS, steps_per_epoch=STEPS_PER_EPOCH)
print(plan)

# `inject_hyperparams` shows the rate; where you do not read it, `optax.adamw(ks.jax.schedule(plan))` is enough.
optimizer = optax.inject_hyperparams(optax.adamw)(learning_rate=ks.jax.schedule(plan))


def loss(weights: dict[str, jax.Array], x: jax.Array) -> jax.Array:
    logits = jax.nn.relu(x @ weights["body"] + weights["shift"]) @ weights["head"]
    return optax.sigmoid_binary_cross_entropy(logits, x[:, 1] > jnp.sin(3 * x[:, 0])).mean()


@jax.jit
def epoch(carry: Any) -> tuple[Any, tuple[jax.Array, jax.Array]]:
    """One epoch: the new weights and state, and the loss and the applied rate of each step."""

    def step(carry: Any, x: jax.Array) -> tuple[Any, tuple[jax.Array, jax.Array]]:
        weights, state = carry
        value, gradients = jax.value_and_grad(loss)(weights, x)
        updates, state = optimizer.update(gradients, state, weights)
        return (optax.apply_updates(weights, updates), state), (value, state.hyperparams["learning_rate"])

    return jax.lax.scan(step, carry, batches)


weights = {"body": jax.random.normal(jax.random.key(1), (2, 32)), "shift": jnp.zeros(32), "head": jnp.zeros(32)}
carry, rates = (weights, optimizer.init(weights)), []
for number in range(EPOCHS):
    if number == EPOCHS // 2:  # save and resume: the step is a number in the optimizer's state
        carry = pickle.loads(pickle.dumps(jax.device_get(carry)))
    carry, (losses, applied) = epoch(carry)
    rates.append(np.asarray(applied))
    print(f"epoch {number + 1}  loss {losses.mean():.3f}  rate of its last step {applied[-1]:.6f}")
furthest = np.abs(np.concatenate(rates) / plan(np.arange(EPOCHS * STEPS_PER_EPOCH)) - 1).max()
print(f"the rate of each update is the plan's, within {furthest:.0e} of it (float32)")
