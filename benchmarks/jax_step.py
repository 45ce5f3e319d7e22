"""What a schedule costs in JAX beside those of Optax: a call, compiling it, and a whole training step with it.

Run as `python -m benchmarks.jax_step`, which takes about 1 minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax

import kosine as ks
from benchmarks.measure import interleaved_seconds, progress, ratio
from benchmarks.tables import Cell, Spread, Table, report
from kosine.jax._schedule import schedule

PEAK, WARMUP, PERIOD = 1e-3, 100, 1_000
CALLS = {"jitted": 100, "a JAX array": 5, "a Python int": 5}
CALL_ROUNDS = {"jitted": 201, "a JAX array": 15, "a Python int": 15}
CYCLES = (1, 10, 100, 1_000, 10_000)
TRAINING_STEPS, TRAINING_ROUNDS = 200, 61

Rate = Callable[[Any], Any]


def warmup_cosine(total: int) -> Rate:
    return schedule(ks.warmup_cosine(peak=PEAK, warmup=WARMUP).plan(total_steps=total))


def equal(cycles: int) -> Rate:
    return schedule(ks.sgdr(peak=PEAK, period=PERIOD).plan(total_steps=PERIOD * cycles))


def different(cycles: int) -> Rate:
    cosine = ks.cosine(PERIOD, start=PEAK, to=0.0)
    return schedule(ks.Schedule(ks.cycles(cosine, shrink=0.9999, count=cycles)).plan(total_steps=10**8))


def optax_warmup_cosine(total: int) -> Rate:
    made: Rate = optax.warmup_cosine_decay_schedule(0.0, PEAK, WARMUP, total)
    return made


def optax_sgdr(cycles: int) -> Rate:
    cycle = {"init_value": PEAK, "peak_value": PEAK, "warmup_steps": 0, "decay_steps": PERIOD}
    made: Rate = optax.sgdr_schedule([cycle] * cycles)
    return made


PEER = "optax.warmup_cosine_decay_schedule"
RATES: dict[str, Callable[[], Rate]] = {
    PEER: lambda: optax_warmup_cosine(10_000),
    "kosine warmup_cosine, 10,000 steps (a table)": lambda: warmup_cosine(10_000),
    "kosine warmup_cosine, 100,000,000 steps (a formula)": lambda: warmup_cosine(10**8),
    "optax.sgdr_schedule, 100 cycles": lambda: optax_sgdr(100),
    "kosine sgdr, 100 equal cycles": lambda: equal(100),
    "kosine cycles, 100 that all differ": lambda: different(100),
}


def calls(rate: Rate, step: Any, number: int) -> Callable[[], object]:
    """Calls in a row, each waited for."""

    def loop() -> None:
        for _ in range(number):
            jax.block_until_ready(rate(step))

    return loop


def call_costs() -> Table:
    """One call of a schedule, by what it is given."""
    columns: dict[str, dict[str, Spread]] = {}
    micro: list[Spread] = []
    rates = {name: make() for name, make in RATES.items()}
    rates |= {"a function that adds 1": lambda step: step + 1, f"{PEER}, again": RATES[PEER]()}
    for given, number in CALLS.items():
        progress(f"a call of a schedule in JAX, {given}")
        step = 500 if given == "a Python int" else jnp.int32(500)
        seconds = interleaved_seconds(
            {name: calls(jax.jit(rate) if given == "jitted" else rate, step, number) for name, rate in rates.items()},
            CALL_ROUNDS[given],
        )
        base = seconds.pop(PEER)
        columns[given] = {name: ratio(values, base) for name, values in seconds.items()}
        micro.append(Spread.of(base).scaled(1e6 / number))
    rows: list[tuple[Cell, ...]] = [
        (name, *(column[name] for column in columns.values())) for name in columns["jitted"]
    ]
    return Table(
        f"A call of a JAX schedule / a call of {PEER}",
        ("schedule", *columns),
        (*rows, (f"µs of {PEER}", *micro)),
        "The columns: with jax.jit; without it, for a step that is an array of JAX or a Python int. The target "
        "for kosine's warmup_cosine is at most 1.",
    )


def compiling(make: Callable[[], Rate]) -> Callable[[], object]:
    """Make the schedule and its plan, trace and compile it."""
    step = jnp.int32(0)

    def compile_afresh() -> object:
        rate = make()
        return jax.jit(lambda step: rate(step)).lower(step).compile()

    return compile_afresh


def compile_costs() -> Table:
    """From nothing to the compiled function, by the number of cycles."""
    makers: dict[str, tuple[Callable[[int], Rate], int, tuple[int, ...]]] = {
        "kosine sgdr, equal cycles": (equal, 15, CYCLES),
        "kosine cycles that all differ": (different, 15, CYCLES),
        "optax.sgdr_schedule": (optax_sgdr, 3, CYCLES[:-1]),
    }
    rows: list[tuple[Cell, ...]] = []
    for name, (make, rounds, numbers) in makers.items():
        progress(f"compiling in JAX, {name}")
        seconds = interleaved_seconds({str(number): compiling(partial(make, number)) for number in numbers}, rounds)
        base = seconds.pop("1")
        growth = [ratio(values, base) for values in seconds.values()]
        unmeasured = [None] * (len(CYCLES) - len(numbers))
        rows.append((name, Spread.of(base).scaled(1e3), *growth, *unmeasured))
    return Table(
        "Compiling a JAX schedule of many cycles / compiling one cycle",
        ("schedule", "1 cycle: ms", *(f"{number:,}" for number in CYCLES[1:])),
        tuple(rows),
        "Plan, schedule, trace and compilation. The target for 100 cycles is at most 1.5. Optax was not run with "
        "10,000.",
    )


def training(rate: float | Rate) -> Callable[[], object]:
    """Steps of a small classifier with AdamW."""
    optimizer = optax.adamw(rate)
    keys = jax.random.split(jax.random.key(0), 4)
    parameters = {
        "hidden": 0.1 * jax.random.normal(keys[0], (100, 32)),
        "output": 0.1 * jax.random.normal(keys[1], (32, 10)),
    }
    x, y = jax.random.normal(keys[2], (16, 100)), jax.random.randint(keys[3], (16,), 0, 10)

    def loss(parameters: Any) -> Any:
        logits = jax.nn.relu(x @ parameters["hidden"]) @ parameters["output"]
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    @jax.jit  # type: ignore[untyped-decorator]
    def update(parameters: Any, state: Any) -> Any:
        changes, state = optimizer.update(jax.grad(loss)(parameters), state, parameters)
        return optax.apply_updates(parameters, changes), state

    state = optimizer.init(parameters)

    def train() -> None:
        nonlocal parameters, state
        for _ in range(TRAINING_STEPS):
            parameters, state = update(parameters, state)
        jax.block_until_ready(parameters)

    return train


def training_costs() -> Table:
    """A whole training step with each schedule."""
    progress("a training step in Optax")
    constant = "constant rate"
    rivals = {constant: training(PEAK)}
    rivals |= {name: training(make()) for name, make in RATES.items()}
    rivals |= {f"{constant}, again": training(PEAK)}
    seconds = interleaved_seconds(rivals, TRAINING_ROUNDS)
    base = seconds.pop(constant)
    rows: list[tuple[Cell, ...]] = [(name, ratio(values, base)) for name, values in seconds.items()]
    return Table(
        "A jitted Optax training step / the same with a constant rate",
        ("schedule", "ratio"),
        (*rows, (f"µs of a step with a {constant}", Spread.of(base).scaled(1e6 / TRAINING_STEPS))),
        "A 100-32-10 network, batch 16, optax.adamw(schedule). The constant rate again shows the noise.",
    )


def tables() -> Iterator[Table]:
    yield call_costs()
    yield compile_costs()
    yield training_costs()


if __name__ == "__main__":
    report(tables)
