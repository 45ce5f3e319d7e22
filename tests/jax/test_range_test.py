"""The range test of a pure step: the plan's rates, the losses of a hand-written loop, and nothing else changed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import kosine as ks
from kosine.jax import range_test

STEPS = 40
QUICK: dict[str, Any] = {"low": 1e-4, "high": 1.0, "steps": STEPS, "seeds": 2, "verbose": False}
X = np.random.default_rng(0).normal(size=(10, 16, 4)).astype("float32")
BATCHES = [(x, x.sum(1)) for x in X]


def loss_of(weights: Any, batch: Any) -> Any:
    return jnp.mean((batch[0] @ weights["w"] - batch[1]) ** 2)


def plain(weights: Any, batch: Any, rate: Any) -> Any:
    loss, gradients = jax.value_and_grad(loss_of)(weights, batch)
    return jax.tree.map(lambda weight, gradient: weight - rate * gradient, weights, gradients), loss


STEP = jax.jit(plain)


def start() -> dict[str, Any]:
    return {"w": jnp.zeros(4)}


def test_the_rate_of_each_step_is_the_plans_and_nothing_is_compiled_anew() -> None:
    traced = []

    def update(state: Any, batch: Any, rate: Any) -> Any:
        traced.append(rate.dtype)
        return state + rate, 1.0 - state

    compiled = jax.jit(update)
    given: list[Any] = []

    def step(state: Any, batch: Any, rate: Any) -> Any:
        given.append(rate)
        return compiled(state, batch, rate)

    test = range_test(step, jnp.zeros(()), [0.0], **QUICK)
    assert test.ends == ("finished", "finished")
    assert traced == ["float32"]
    for seed in range(2):
        rates = [float(rate) for rate in given[seed * STEPS : (seed + 1) * STEPS]]
        np.testing.assert_array_equal(rates, test.rates.astype("float32"))


def test_the_losses_are_those_of_a_hand_written_loop() -> None:
    test = range_test(STEP, start(), lambda seed: BATCHES[seed:] + BATCHES[:seed], **{**QUICK, "high": 0.05})
    for seed, losses in enumerate(test.losses):
        weights, found = start(), []
        for step, rate in enumerate(test.rates):
            weights, loss = STEP(weights, BATCHES[(seed + step) % 10], jnp.float32(rate))
            found.append(float(loss))
        np.testing.assert_allclose(losses, found, rtol=1e-6)


def test_donated_buffers_are_copies() -> None:
    optimizer = optax.scale_by_adam()
    weights = start()
    state = {"weights": weights, "adam": optimizer.init(weights), "key": jax.random.key(3), "count": np.zeros(2)}
    before = jax.tree.map(np.asarray, {name: state[name] for name in ("weights", "adam", "count")})

    def step(state: Any, batch: Any, rate: Any) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(state["weights"], batch)
        updates, adam = optimizer.update(gradients, state["adam"])
        weights = jax.tree.map(lambda weight, update: weight - rate * update, state["weights"], updates)
        key = jax.random.split(state["key"], 1)[0]
        return {"weights": weights, "adam": adam, "key": key, "count": state["count"] + 1}, loss

    test = range_test(jax.jit(step, donate_argnums=0), state, BATCHES, **QUICK)
    assert not np.array_equal(test.losses[0], test.losses[1])
    after = jax.tree.map(np.asarray, {name: state[name] for name in ("weights", "adam", "count")})
    assert jax.tree.all(jax.tree.map(np.array_equal, before, after))
    assert jax.random.key_data(state["key"]).tolist() == jax.random.key_data(jax.random.key(3)).tolist()


class Shuffling:
    """An object that gives the batches anew, in an order of NumPy's and Python's generators; the last is smaller."""

    def __len__(self) -> int:
        return 10

    def __iter__(self) -> Iterator[Any]:
        order = np.random.permutation(9)
        random.random()
        yield from (BATCHES[index] for index in order)
        yield X[9, :3], X[9, :3].sum(1)


def test_a_loader_that_shuffles_has_another_order_for_each_seed_and_the_random_state_stays() -> None:
    kept = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index]
    sizes: set[int] = set()

    def step(state: Any, batch: Any, rate: Any) -> Any:
        sizes.add(len(batch[0]))
        return STEP(state, batch, rate)

    one, other = range_test(step, start(), Shuffling(), **QUICK).losses
    assert not np.array_equal(one, other)
    assert sizes == {16}
    assert kept == (random.getstate(), np.random.get_state()[1].tolist())  # type: ignore[index]


def test_a_loss_that_is_no_number_ends_its_seed_alone() -> None:
    calls = iter(range(10**6))

    def step(state: Any, batch: Any, rate: Any) -> Any:
        state, loss = STEP(state, batch, rate)
        return state, loss * (jnp.nan if next(calls) == 15 else 1)

    test = range_test(step, start(), BATCHES, **{**QUICK, "high": 0.05})
    assert test.ends == ("not finite", "finished")
    assert [losses.size for losses in test.losses] == [15, STEPS]


def trying(step: Any = STEP, batches: Any = BATCHES, **options: Any) -> Callable[[], Any]:
    return lambda: range_test(step, start(), batches, **{**QUICK, **options})


REST = [iter(BATCHES), iter(BATCHES)]
REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no step": (trying(step=3), ks.ArgumentTypeError, "`step` must be a function"),
    "no pair": (trying(step=lambda state, batch, rate: state), ks.TrainingError, r"pair \(state, loss\).*a dict"),
    "many losses": (trying(step=lambda s, b, r: (s, jnp.zeros(3))), ks.TrainingError, r"shape \(3,\).*mean"),
    "with more": (trying(step=lambda s, b, r: (s, {"loss": 1.0})), ks.TrainingError, "a dict as the loss"),
    "an iterator": (trying(batches=iter(BATCHES)), ks.TrainingError, r"itertools\.islice"),
    "an array": (trying(batches=X), ks.ArgumentTypeError, "`batches` must be a list of batches"),
    "nothing": (trying(batches=[]), ks.TrainingError, "`batches` gave no batch"),
    "one pass": (trying(batches=REST.__getitem__), ks.TrainingError, "no batch at pass 2"),
    "rates that cross": (trying(low=2.0), ks.ArgumentError, "`low` must be < `high`"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    call, error, match = REFUSED[name]
    with pytest.raises(error, match=match):
        call()


def test_progress_is_a_line_for_each_seed_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    trying(verbose=True, high=0.05)()
    written = capsys.readouterr()
    assert written.err.splitlines() == [
        f"range test: seed {seed} of 2 finished after 40 of 40 steps" for seed in (1, 2)
    ]
    assert written.out == ""
