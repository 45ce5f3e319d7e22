"""How far the rates inside the train step are from the exact ones, in ulp of float32, on each Keras backend.

The exact rate is the plan's, which is within 4 ulp of float64 (`benchmarks.exactness`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import kosine as ks
from benchmarks.backends import backend_name, on_each_backend
from benchmarks.measure import progress
from benchmarks.tables import Table, report
from kosine._core.traced import tabulate
from tests.support.float32 import ulps

RUNS = {"40,000 (table)": 40_000, "40,000 (formula)": 40_000, "10⁸": 10**8, "2·10⁹": 2 * 10**9}
EDGE, OTHERS, LAST = 1_000, 20_000, 100
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


def compiled(schedule: Any) -> Callable[[NDArray[np.int64]], Any]:
    """The schedule as the train step runs it, at an array of steps."""
    match os.environ["KERAS_BACKEND"]:
        case "jax":
            import jax

            jitted = jax.jit(schedule)
            return lambda steps: jitted(steps.astype(np.int32))
        case "tensorflow":
            import tensorflow as tf

            tf.get_logger().setLevel("ERROR")  # it warns of many functions; each schedule is one
            function = tf.function(lambda steps: schedule(steps))
            return lambda steps: function(tf.constant(steps))
        case _:
            return lambda steps: [np.float32(schedule(step)) for step in steps.tolist()]


def rates(plan: ks.Plan, steps: NDArray[np.int64], by_formula: bool) -> Any:
    schedule = ks.keras.LearningRateSchedule(plan)
    if by_formula and schedule._table is not None:  # the code of a long run, in a short one
        dtype = "int64" if os.environ["KERAS_BACKEND"] == "tensorflow" else "int32"
        schedule._table = tabulate(plan, dtype, max_table_steps=0)
    return compiled(schedule)(steps)


def on_this_backend() -> Iterator[Table]:
    rows = []
    for name, total in RUNS.items():
        progress(f"{len(CURVES)} curves of {name} steps on {backend_name()}")
        edge, others = np.arange(EDGE), np.random.default_rng(0).integers(0, total, OTHERS)
        steps = np.concatenate([edge, others, total - EDGE + edge])
        largest, of, last = 0.0, "", 0.0
        for curve in CURVES:
            plan = ks.Schedule(curve).plan(total_steps=total)
            errors = ulps(rates(plan, steps, "formula" in name), plan(steps))
            last = max(last, float(errors[-LAST:].max()))
            if errors.max() > largest:
                largest, of = float(errors.max()), repr(curve)
        rows.append((name, largest, of, last))
    yield Table(
        f"All curves of kosine in the train step, Keras on {backend_name()}, float32: largest error in ulp",
        ("steps of the run", "ulp", "of", f"last {LAST} steps"),
        tuple(rows),
    )


def tables() -> Iterator[Table]:
    *made, last = on_each_backend("benchmarks.graph_accuracy")
    yield from made
    note = (
        f"{len(CURVES)} curves, each at the first and the last {EDGE:,} steps and at {OTHERS:,} others. Target: at "
        "most 8 ulp. Plans that end or repeat within 131,072 steps, all but those growing cycles, are a table in the "
        "graph unless it says formula; PyTorch works rates out on the host."
    )
    yield Table(last.title, last.columns, last.rows, note)


if __name__ == "__main__":
    report(tables)
