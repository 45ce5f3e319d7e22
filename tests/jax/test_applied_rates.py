"""Each way to train with Optax or JAX alone, proven by the weights: every update applied the rate of the plan."""

import io
import json
import os
import subprocess
import sys
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
from tests.support.float32 import assert_follows, ulps
from tests.support.jax_probe import enable_x64

LR = ks.warmup_cosine(peak=0.1, warmup=10, warmup_start=0.01, hold=5)
PLAN = LR.plan(total_steps=40)
LONG = LR.plan(total_steps=10**8)
RECIPES = [
    LR,
    ks.constant(0.3),
    ks.sgdr(peak=0.1, period="1ep", stretch=1.5, shrink=0.9, warmup=4),
    ks.sgdr(peak=0.1, period="0.33ep"),
    ks.one_cycle(peak=0.1),
    ks.wsd(peak=0.1, warmup=3),
    ks.inverse_sqrt_decay(peak=0.1, warmup=4),
    ks.step_decay(peak=0.1, every=7, factor=0.3),
    ks.Schedule(ks.cycles(ks.linear(2, start=0.001, to=0.1), ks.cosine(5, to=0.01))),
    ks.Schedule(ks.exponential(20, start=1.0, to=1e-6, endpoint=True), ks.polynomial(to=1e-2, power=3)),
]


def at(state: Any, count: int) -> Any:
    """The optimizer's state after `count` updates."""
    return jax.tree.map(lambda leaf: jnp.full_like(leaf, count), state)


@pytest.mark.parametrize("lr", RECIPES, ids=repr)
def test_every_recipe_is_applied(lr: ks.Schedule) -> None:
    plan = lr.plan(epochs=4, steps_per_epoch=50)
    rates, state = applied_rates(optax.sgd(schedule(plan)), steps=250)
    assert_follows(rates, plan, np.arange(250))
    assert int(state[1].count) == 250


def test_the_ends_of_a_run_too_long_for_a_table() -> None:
    optimizer = optax.sgd(schedule(LONG))
    first, state = applied_rates(optimizer, steps=100)
    assert_follows(first, LONG, np.arange(100))
    last, _ = applied_rates(optimizer, 100, at(state, 10**8 - 100))
    assert_follows(last, LONG, 10**8 - 100 + np.arange(100))
    assert (last > 0).all()


@pytest.mark.parametrize("plan", [PLAN, LONG], ids=["table", "formula"])
def test_inject_hyperparams_shows_the_rate_that_was_applied(plan: ks.Plan) -> None:
    optimizer = optax.inject_hyperparams(optax.sgd)(learning_rate=schedule(plan))
    update = jax.jit(optimizer.update)
    weight = jnp.zeros(())
    state = optimizer.init(weight)
    applied, shown = [], []
    for _ in range(50):
        updates, state = update(jnp.full_like(weight, -1.0), state, weight)
        applied.append(float(optax.apply_updates(weight, updates)))
        shown.append(float(state.hyperparams["learning_rate"]))
    assert shown == applied
    assert_follows(applied, plan, np.arange(50))


@pytest.mark.parametrize(
    "optimizer",
    [
        optax.chain(optax.scale_by_schedule(schedule(PLAN)), optax.scale(-1.0)),
        optax.chain(optax.clip(2.0), optax.scale_by_learning_rate(schedule(PLAN))),
        optax.partition({"all": optax.sgd(schedule(PLAN))}, "all"),
        optax.apply_if_finite(optax.sgd(schedule(PLAN)), 3),
    ],
    ids=["scale_by_schedule", "chain", "partition", "apply_if_finite"],
)
def test_parts_of_optax(optimizer: Any) -> None:
    rates, _ = applied_rates(optimizer, steps=50)
    assert_follows(rates, PLAN, np.arange(50))


@pytest.mark.parametrize("made", [optax.adam, optax.adamw, optax.lion, optax.lamb], ids=lambda made: made.__name__)
def test_optimizers_with_a_direction_of_their_own(made: Callable[..., Any]) -> None:
    """Their updates are the rate times what the same optimizer does with the constant rate 1."""
    rates, _ = applied_rates(made(schedule(PLAN)), steps=50)
    directions, _ = applied_rates(made(1.0), steps=50)
    np.testing.assert_allclose(rates, PLAN(np.arange(50)) * directions, rtol=1e-6)


def test_a_plan_for_each_part_of_the_parameters() -> None:
    plans = {"body": PLAN, "head": ks.sgdr(peak=1.0, period=7).plan()}
    optimizer = optax.partition(
        {name: optax.sgd(schedule(plan)) for name, plan in plans.items()}, {n: n for n in plans}
    )
    weights = {name: jnp.zeros(()) for name in plans}
    gradients = jax.tree.map(lambda weight: weight - 1.0, weights)

    def batch(state: Any, _: None) -> tuple[Any, Any]:
        updates, state = optimizer.update(gradients, state, weights)
        return state, optax.apply_updates(weights, updates)

    _, applied = jax.lax.scan(batch, optimizer.init(weights), length=50)
    for name, plan in plans.items():
        assert_follows(applied[name], plan, np.arange(50))


def test_accumulation_counts_updates() -> None:
    rates, _ = applied_rates(optax.MultiSteps(optax.sgd(schedule(PLAN)), 4), steps=4 * 40)
    assert not rates.reshape(40, 4)[:, :3].any()
    assert_follows(rates[3::4], PLAN, np.arange(40))


def test_accumulation_can_count_batches() -> None:
    follow = schedule(PLAN)
    rates, _ = applied_rates(optax.MultiSteps(optax.sgd(lambda update: follow(update * 4 + 3)), 4), steps=40)
    assert_follows(rates[3::4], PLAN, np.arange(3, 40, 4))


def test_a_batch_without_finite_gradients_is_no_step() -> None:
    optimizer = optax.apply_if_finite(optax.sgd(schedule(PLAN)), max_consecutive_errors=3)
    weight = jnp.zeros(())
    state = optimizer.init(weight)
    applied = []
    for gradient in (-1.0, np.nan, -1.0, np.inf, -1.0):
        updates, state = optimizer.update(jnp.asarray(gradient), state, weight)
        applied.append(float(optax.apply_updates(weight, updates)))
    assert_follows([rate for rate in applied if rate], PLAN, np.arange(3))
    assert applied[1] == applied[3] == 0


@pytest.mark.parametrize("made", [optax.sgd, optax.inject_hyperparams(optax.sgd)], ids=["sgd", "inject_hyperparams"])
def test_resume_from_the_saved_state(made: Callable[..., Any]) -> None:
    whole, _ = applied_rates(made(learning_rate=schedule(PLAN)), steps=50)
    first, state = applied_rates(made(learning_rate=schedule(PLAN)), steps=23)
    leaves, structure = jax.tree.flatten(state)
    file = io.BytesIO()
    np.savez(file, *leaves)
    file.seek(0)

    optimizer = made(learning_rate=schedule(LR.plan(total_steps=40)))  # what a new process makes
    assert jax.tree.structure(optimizer.init(jnp.zeros(()))) == structure
    saved = np.load(file)
    restored = jax.tree.unflatten(structure, [jnp.asarray(saved[name]) for name in saved.files])
    second, _ = applied_rates(optimizer, 27, restored)
    assert np.concatenate([first, second]).tolist() == whole.tolist()


def test_a_longer_plan_at_a_resume_is_followed_from_the_step_reached() -> None:
    _, state = applied_rates(optax.sgd(schedule(PLAN)), steps=23)
    longer = LR.plan(total_steps=80)
    rates, _ = applied_rates(optax.sgd(schedule(longer)), 60, state)
    assert_follows(rates, longer, 23 + np.arange(60))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize(
    "made",
    [optax.sgd, optax.adamw, optax.inject_hyperparams(optax.sgd)],
    ids=["sgd", "adamw", "inject_hyperparams"],
)
def test_types_are_those_with_a_schedule_of_optax(made: Callable[..., Any], dtype: str) -> None:
    weight = jnp.ones((2,), dtype)

    def types(rate: Any) -> Any:
        optimizer = made(learning_rate=rate)
        updates, state = optimizer.update(weight, optimizer.init(weight), weight)
        assert optax.apply_updates(weight, updates).dtype == dtype
        return jax.tree.map(lambda leaf: (leaf.dtype, leaf.weak_type), (updates, state))

    assert types(schedule(PLAN)) == types(optax.linear_schedule(0.1, 1.0, 10))


def test_float64_parameters() -> None:
    with enable_x64():
        optimizer = optax.sgd(schedule(PLAN))
        weight = jnp.zeros((), "float64")
        updates, _ = optimizer.update(weight - 1.0, optimizer.init(weight), weight)
        assert updates.dtype == jnp.float64
        assert_follows(updates, PLAN, 0)


def test_as_a_part_of_a_joined_schedule() -> None:
    joined = optax.join_schedules([optax.constant_schedule(0.5), schedule(PLAN)], [10])
    rates, _ = applied_rates(optax.sgd(joined), steps=50)
    assert ulps(rates[:10], np.full(10, 0.5)).max() == 0
    assert_follows(rates[10:], PLAN, np.arange(40))


@pytest.mark.parametrize("plan", [PLAN, LONG], ids=["table", "formula"])
def test_a_loop_without_optax(plan: ks.Plan) -> None:
    rate = schedule(plan)

    def train(weights: jax.Array) -> jax.Array:
        def batch(step: Any, weights: jax.Array) -> jax.Array:
            gradient = jax.grad(lambda weights: -weights[step])(weights)  # -1 for one weight, 0 for the others
            return weights - rate(step) * gradient

        return jax.lax.fori_loop(0, 50, batch, weights)

    assert_follows(jax.jit(train)(jnp.zeros(50)), plan, np.arange(50))


TWO_DEVICES = """
import json, warnings
import jax, jax.numpy as jnp, numpy as np, optax
import kosine as ks
from kosine.jax import schedule
from jax.sharding import Mesh, NamedSharding, PartitionSpec

assert jax.device_count() == 2
found = {}
for name, total in {"table": 40, "formula": 10**8}.items():
    plan = ks.warmup_cosine(peak=0.1, warmup=10, warmup_start=0.01, hold=5).plan(total_steps=total)
    optimizer = optax.sgd(schedule(plan))
    gradient = jax.grad(lambda weight, batch: -(weight * batch).mean())  # exactly -1: the batch is of ones

    def step(state, batch, mean=lambda value: value):
        weight = jnp.zeros(())
        updates, state = optimizer.update(mean(gradient(weight, batch)), state, weight)
        return state, optax.apply_updates(weight, updates)

    mesh = Mesh(np.array(jax.devices()), ("data",))
    batch = jax.device_put(jnp.ones(4), NamedSharding(mesh, PartitionSpec("data")))
    state = jax.device_put(optimizer.init(jnp.zeros(())), NamedSharding(mesh, PartitionSpec()))
    sharded, rates = jax.jit(step), []
    for _ in range(50):
        state, weight = sharded(state, batch)
        assert len(weight.sharding.device_set) == 2
        rates.append([float(shard.data) for shard in weight.addressable_shards])
    found[name + " sharded"] = np.transpose(rates).tolist()

    parallel = jax.pmap(lambda state, batch: step(state, batch, lambda value: jax.lax.pmean(value, "data")), "data")
    state = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), optimizer.init(jnp.zeros(())))
    rates = []
    for _ in range(50):
        state, weight = parallel(state, jnp.ones((2, 2)))
        rates.append(weight.tolist())
    found[name + " pmap"] = np.transpose(rates).tolist()

    steps = jax.device_put(jnp.arange(50), NamedSharding(mesh, PartitionSpec("data")))
    vector = jax.jit(schedule(plan))(steps)
    assert vector.sharding.spec == PartitionSpec("data")
    found[name + " sharded steps"] = [vector.tolist()]
print(json.dumps(found))
"""


def test_two_devices() -> None:
    """On each of two devices, with the whole optimizer on both, or its steps divided between them."""
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    done = subprocess.run([sys.executable, "-c", TWO_DEVICES], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) == 6
    for name, devices in found.items():
        assert len(devices) == (1 if "steps" in name else 2)
        for rates in devices:
            assert_follows(rates, PLAN if "table" in name else LONG, np.arange(50))
