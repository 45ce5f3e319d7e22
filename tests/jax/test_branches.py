"""The state of an optimizer goes on along a plan that was made from the plan of its run: the count goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import kosine as ks
from kosine.jax._schedule import schedule
from kosine.testing.optax import applied_rates
from tests.support.branches import AT, BRANCHES
from tests.support.float32 import assert_follows


def through_numpy(state: Any) -> Any:
    """The state as a checkpoint holds it: arrays on the host."""
    return jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)), state)


@pytest.mark.parametrize("made", [optax.sgd, optax.inject_hyperparams(optax.sgd)], ids=["sgd", "inject_hyperparams"])
@pytest.mark.parametrize("name", BRANCHES)
def test_the_count_goes_on_along_a_branch(name: str, made: Callable[..., Any]) -> None:
    parent, branch = BRANCHES[name]
    assert branch.total_steps is not None
    before, state = applied_rates(made(learning_rate=schedule(parent)), steps=AT)
    after, _ = applied_rates(made(learning_rate=schedule(branch)), branch.total_steps - AT, through_numpy(state))
    assert_follows(before, parent, np.arange(AT))
    assert_follows(after, branch, np.arange(AT, branch.total_steps))
    assert_follows(before, branch, np.arange(AT))  # as if the whole run had been that of the branch


def trained(plan: ks.Plan, steps: int, weights: Any, state: Any = None) -> tuple[Any, Any]:
    optimizer = optax.adamw(schedule(plan), weight_decay=0.1)

    def batch(carried: Any, _: None) -> tuple[Any, None]:
        weights, state = carried
        updates, state = optimizer.update(jnp.sin(weights), state, weights)
        return (optax.apply_updates(weights, updates), state), None

    carried, _ = jax.lax.scan(batch, (weights, state or optimizer.init(weights)), length=steps)
    return carried  # type: ignore[no-any-return]


def test_adamw_trains_the_weights_of_a_run_that_followed_the_branch_from_its_beginning() -> None:
    parent, branch = BRANCHES["cooldown"]
    begun = jnp.linspace(-1.0, 1.0, 5)
    weights, state = trained(parent, AT, begun)
    np.testing.assert_array_equal(weights, trained(branch, AT, begun)[0])
    stopped, _ = trained(branch, 10, *through_numpy((weights, state)))
    np.testing.assert_array_equal(stopped, trained(branch, AT + 10, begun)[0])
