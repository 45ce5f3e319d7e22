"""How far the rates inside the train step are from the exact ones, in ulp of float32, on each Keras backend.

The exact rate is the plan's, which is within 4 ulp of float64 (benchmarks.accuracy). Sampled are the first and the
last 2,000 steps and 60,000 others. Run as `python -m benchmarks.graph_accuracy`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import kosine as ks
from benchmarks.backends import on_each_backend
from benchmarks.measure import print_table
from kosine.graph import tabulate

RUNS = {"40,000 (table)": 40_000, "40,000 (formula)": 40_000, "100,000,000": 10**8, "2,000,000,000": 2 * 10**9}
TARGET = 8
CURVES: tuple[ks.Phase | ks.Cycles | ks.Section, ...] = (
    ks.linear(start=1e-3, to=0.0),
    ks.linear(start=0.0, to=1e-3),
    ks.cosine(start=1e-3, to=0.0),
    ks.cosine(start=1e-3, to=1e-5),
    ks.cosine(start=1e-6, to=1e-3),
    ks.polynomial(start=1e-3, to=0.0, power=2.0),
    ks.polynomial(start=1e-3, to=0.0, power=0.5),
    ks.polynomial(start=0.0, to=1e-3, power=3.0),
    ks.exponential(start=0.1, to=1e-6),
    ks.exponential(start=1e-6, to=0.1),
    ks.inverse_sqrt(start=1e-3, to=1e-5),
    ks.one_minus_sqrt(start=1e-3, to=0.0),
    ks.one_minus_sqrt(start=0.0, to=1e-3),
    ks.exponential(start=1e-3, to=0.0, base=2.0),
    ks.inverse_time(start=1e-3, to=1e-5),
    ks.tanh(start=1e-3, to=1e-5),
    ks.section(ks.linear("1/3%", start=0.0, to=1e-3), ks.cosine(to=0.0), continuous=True),
    ks.cycles(ks.cosine(1000, start=0.1, to=0.0), stretch=2),
)


def compiled(schedule: Any, backend: str) -> Callable[[Any], Any]:
    """The schedule as the train step runs it."""
    if backend == "jax":
        import jax

        jitted: Callable[[Any], Any] = jax.jit(schedule)
        return jitted
    if backend == "tensorflow":
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")  # it warns of many functions; each schedule is one
        function: Callable[[Any], Any] = tf.function(lambda step: schedule(step))
        return function
    return lambda steps: np.array([np.float32(schedule(int(step))) for step in steps])


def measure(backend: str) -> None:
    import keras

    rows = [[f"{backend}: largest error in ulp; steps:", *RUNS, "last 100"]]
    largest = 0.0
    for curve in CURVES:
        errors, last = [], 0.0
        for name, total in RUNS.items():
            plan = ks.Schedule(curve).plan(total_steps=total)
            edge, middle = np.arange(2000), np.random.default_rng(0).integers(0, total, 60_000)
            steps = np.concatenate([edge, middle, total - 2000 + edge])
            typed = steps.astype("int64" if backend == "tensorflow" else "int32")
            schedule = ks.keras.LearningRateSchedule(plan)
            if "formula" in name:  # what a long run does, in a short one
                schedule._table = tabulate(plan, str(typed.dtype), max_table_steps=0)
            call = compiled(schedule, backend)
            found = call(typed if backend == "torch" else keras.ops.convert_to_tensor(typed))
            rates = np.asarray(keras.ops.convert_to_numpy(found), np.float64)
            exact = plan(steps)
            error = np.abs(rates - exact) / np.spacing(exact.astype(np.float32)).astype(np.float64)
            errors.append(float(error.max()))
            last = max(last, float(error[-100:].max()))
        largest = max(largest, *errors)
        rows.append([repr(curve), *(f"{error:.1f}" for error in errors), f"{last:.1f}"])
    print_table(rows)
    print(f"largest: {largest:.1f} ulp; target: <= {TARGET} ulp")


def main() -> None:
    if len(sys.argv) > 1:
        measure(sys.argv[1])
    else:
        on_each_backend("benchmarks.graph_accuracy")


if __name__ == "__main__":
    main()
