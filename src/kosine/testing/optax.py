"""The applied learning rate of an Optax loop, read from a weight.

The rate that `optax.inject_hyperparams` reports may differ from the applied one, so the probe measures how far each
update moved a weight. The probe's weight is 0 before each update and its gradient is exactly -1. Under plain SGD the
weight after the update therefore *is* the learning rate that was applied. It is exact to the bit, because the update
neither subtracts nor rounds.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray


def applied_rates(optimizer: Any, steps: int, state: Any = None) -> tuple[NDArray[np.float32], Any]:
    """The learning rate that an optimizer applies to each of the next `steps` batches, in a jitted `lax.scan`.

    Args:
        optimizer: a `GradientTransformation` that does plain SGD, or anything with its `init` and `update`, such as
            `optax.MultiSteps`. A batch without an update has the rate 0.
        steps: the number of batches.
        state: the optimizer's state to go on from; None: a fresh one.

    Returns:
        The rates, and the optimizer's state after them.

    Example:
        >>> import optax
        >>> from kosine.testing.optax import applied_rates
        >>> rates, state = applied_rates(optax.sgd(0.5), steps=3)
        >>> rates.tolist()
        [0.5, 0.5, 0.5]
    """
    weight = jnp.zeros((), "float32")
    state, rates = _trained(optimizer, steps, optimizer.init(weight) if state is None else state)
    return np.asarray(rates), state


@partial(jax.jit, static_argnums=(0, 1))
def _trained(optimizer: Any, steps: int, state: Any) -> tuple[Any, jax.Array]:
    def batch(state: Any, _: None) -> tuple[Any, jax.Array]:
        weight = jnp.zeros((), "float32")
        updates, state = optimizer.update(jnp.full_like(weight, -1.0), state, weight)
        return state, optax.apply_updates(weight, updates)

    state, rates = jax.lax.scan(batch, state, length=steps)
    return state, rates
