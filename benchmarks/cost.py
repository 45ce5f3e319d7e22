"""What a plan costs: `plan(step)`, `plan(array)` and `import kosine`, each as a ratio to the least that could do it.

Run as `python -m benchmarks.cost`.
"""

from __future__ import annotations

import math
import random
import subprocess
import sys
from collections.abc import Callable

import numpy as np

import kosine as ks
from benchmarks.measure import interleaved_medians, print_table

WARMUP, HOLD, TOTAL = 7_880, 5, 39_400
PEAK, WARMUP_START = 1e-4, 4e-6
PERIOD, STRETCH = 500, 2
ARRAY_STEPS = 10**6


def warmup_hold_cosine(step: int) -> float:
    """The curve of the worked example, as a script would write it."""
    if step < WARMUP:
        return WARMUP_START + (PEAK - WARMUP_START) * step / WARMUP
    if step < WARMUP + HOLD:
        return PEAK
    if step < TOTAL:
        return 0.5 * PEAK * (1.0 + math.cos(math.pi * (step - WARMUP - HOLD) / (TOTAL - WARMUP - HOLD)))
    return 0.0


def restarts(step: int) -> float:
    """SGDR as a script would write it: the cycle from a logarithm, right or wrong at its edges."""
    cycle = int(math.log(step / PERIOD * (STRETCH - 1) + 1, STRETCH))
    first = PERIOD * (STRETCH**cycle - 1) / (STRETCH - 1)
    return 0.5 * PEAK * (1.0 + math.cos(math.pi * (step - first) / (PERIOD * STRETCH**cycle)))


def over(function: Callable[[int], float], steps: list[int]) -> Callable[[], None]:
    """One call of `function` for every step, in the order given."""

    def loop() -> None:
        for step in steps:
            function(step)

    return loop


def fresh_import(statement: str) -> Callable[[], object]:
    """Run one statement in a fresh interpreter."""
    return lambda: subprocess.run([sys.executable, "-c", statement], check=True)


def main() -> None:
    steps = list(range(TOTAL))
    random.Random(0).shuffle(steps)
    example = ks.warmup_cosine(peak=PEAK, warmup=WARMUP, warmup_start=WARMUP_START, hold=HOLD).plan(total_steps=TOTAL)
    cycles = ks.sgdr(peak=PEAK, period=PERIOD, stretch=STRETCH).plan(total_steps=TOTAL)
    decay = ks.warmup_cosine(peak=PEAK).plan(total_steps=ARRAY_STEPS)
    many = ks.warmup_cosine(peak=PEAK, warmup=ARRAY_STEPS // 5, hold=5).plan(total_steps=ARRAY_STEPS)
    array = np.arange(ARRAY_STEPS)

    comparisons: list[tuple[str, Callable[[], object], Callable[[], object], int, float]] = [
        (
            "plan(step), warm-up -> hold -> cosine / a bare Python closed form",
            over(example, steps),
            over(warmup_hold_cosine, steps),
            41,
            2.5,
        ),
        ("plan(step), sgdr / a bare Python closed form", over(cycles, steps), over(restarts, steps), 41, 2.5),
        (
            "plan(array of 10**6 steps), cosine / one NumPy cosine expression",
            lambda: decay(array),
            lambda: 0.5 * PEAK * (1.0 + np.cos(np.pi * array / ARRAY_STEPS)),
            41,
            2.0,
        ),
        (
            "plan(array of 10**6 steps), warm-up -> hold -> cosine / the same",
            lambda: many(array),
            lambda: 0.5 * PEAK * (1.0 + np.cos(np.pi * array / ARRAY_STEPS)),
            41,
            2.0,
        ),
        ("import kosine / import numpy", fresh_import("import kosine"), fresh_import("import numpy"), 21, 1.3),
    ]
    rows = [["ratio of medians", "measured", "target"]]
    for name, ours, theirs, rounds, target in comparisons:
        seconds = interleaved_medians({"ours": ours, "theirs": theirs}, rounds)
        rows.append([name, f"{seconds['ours'] / seconds['theirs']:.2f}", f"<= {target}"])
    print_table(rows)


if __name__ == "__main__":
    main()
