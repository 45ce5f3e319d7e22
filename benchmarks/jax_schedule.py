"""What a schedule costs in JAX beside those of Optax: a call, jitted and not, and compiling it.

Run as `python -m benchmarks.jax_schedule`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax

import kosine as ks
from benchmarks.measure import interleaved_medians, print_table
from kosine.jax import schedule

PEAK, WARMUP, PERIOD = 1e-3, 100, 1_000
CALLS = 200
ROUNDS = 41


def calls(rate: Callable[[Any], Any], step: Any) -> Callable[[], object]:
    """So many calls, each waited for."""

    def loop() -> None:
        for _ in range(CALLS):
            jax.block_until_ready(rate(step))

    return loop


def compiling(make: Callable[[], Callable[[Any], Any]]) -> Callable[[], object]:
    """Make the schedule, trace and compile it."""
    step = jnp.int32(0)

    def compile_afresh() -> object:
        rate = make()
        return jax.jit(lambda step: rate(step)).lower(step).compile()

    return compile_afresh


def warmup_cosine(total: int) -> ks.Plan:
    return ks.warmup_cosine(peak=PEAK, warmup=WARMUP).plan(total_steps=total)


def equal(cycles: int) -> ks.Plan:
    return ks.sgdr(peak=PEAK, period=PERIOD).plan(total_steps=PERIOD * cycles)


def different(cycles: int) -> ks.Plan:
    cosine = ks.cosine(PERIOD, start=PEAK, to=0.0)
    return ks.Schedule(ks.cycles(cosine, shrink=0.999, count=cycles)).plan(total_steps=10**7)


def optax_warmup_cosine(total: int) -> Callable[[Any], Any]:
    made: Callable[[Any], Any] = optax.warmup_cosine_decay_schedule(0.0, PEAK, WARMUP, total)
    return made


def optax_sgdr(cycles: int) -> Callable[[Any], Any]:
    cycle = {"init_value": PEAK, "peak_value": PEAK, "warmup_steps": 0, "decay_steps": PERIOD}
    made: Callable[[Any], Any] = optax.sgdr_schedule([cycle] * cycles)
    return made


def measure(rivals: dict[str, Callable[[], object]], unit: float, rounds: int, base: str) -> None:
    """A table of the rivals' medians, and of their ratios to one of them."""
    seconds = interleaved_medians(rivals, rounds)
    print_table([[name, f"{value / unit:.1f}", f"{value / seconds[base]:.2f}"] for name, value in seconds.items()])


def main() -> None:
    traced, eager = jnp.int32(500), 500
    jitted: dict[str, Callable[[Any], Any]] = {
        "a function that adds 1": lambda step: step + 1,
        "optax.warmup_cosine_decay_schedule": optax_warmup_cosine(10_000),
        "warmup_cosine, 10,000 steps (table)": schedule(warmup_cosine(10_000)),
        "warmup_cosine, 100,000,000 steps (formula)": schedule(warmup_cosine(10**8)),
        "sgdr, 100 equal cycles": schedule(equal(100)),
        "sgdr, 100 different cycles": schedule(different(100)),
        "optax.sgdr_schedule, 100 cycles": optax_sgdr(100),
    }
    print("a jitted call: microseconds; ratio to Optax' warmup_cosine (target: <= 1)")
    rivals = {name: calls(jax.jit(rate), traced) for name, rate in jitted.items()}
    measure(rivals, 1e-6 * CALLS, ROUNDS, "optax.warmup_cosine_decay_schedule")

    print("\na call without jit: microseconds; ratio to Optax with the same argument")
    ours, theirs = schedule(warmup_cosine(10_000)), optax_warmup_cosine(10_000)
    for kind, step in {"a Python int": eager, "an array of JAX": traced}.items():
        rivals = {f"Optax, {kind}": calls(theirs, step), f"kosine, {kind}": calls(ours, step)}
        measure(rivals, 1e-6 * CALLS, 5, f"Optax, {kind}")

    print("\nfrom the plan to the compiled function: milliseconds; ratio to one cycle (target for 100: <= 1.5)")
    makers: dict[str, Callable[[int], Callable[[], Callable[[Any], Any]]]] = {
        "kosine, equal": lambda cycles: partial(schedule, equal(cycles)),
        "kosine, different": lambda cycles: partial(schedule, different(cycles)),
        "optax.sgdr_schedule": lambda cycles: partial(optax_sgdr, cycles),
    }
    for name, make in makers.items():
        counts = [1, 100, 10_000] if "kosine" in name else [1, 100]
        rivals = {f"{name}, {cycles:,}": compiling(make(cycles)) for cycles in counts}
        measure(rivals, 1e-3, 11, f"{name}, 1")


if __name__ == "__main__":
    main()
