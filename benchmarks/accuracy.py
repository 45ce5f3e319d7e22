"""How far the host's rates are from the exact values, in ulp of float64, against mpmath with 50 digits.

Run as `python -m benchmarks.accuracy`.
"""

from __future__ import annotations

import numpy as np

from benchmarks.measure import print_table
from tests.exact import CASES, SPANS, Case, sampled_steps, ulps

SAMPLES = 400
TARGET = 4


def worst(case: Case, steps: int) -> float:
    """The largest error of both host paths, one step at a time and an array, over a sample of the steps."""
    plan = case.schedule(steps).plan()
    sample = sampled_steps(steps, SAMPLES)
    rates = plan(np.array(sample)).tolist()
    errors = [
        max(ulps(plan(step), exact), ulps(rate, exact))
        for step, rate in zip(sample, rates, strict=True)
        for exact in (case.value(step, steps),)
    ]
    return max(errors)


def main() -> None:
    rows = [["largest error in ulp; steps:", *(f"{steps:,}" for steps in SPANS)]]
    largest = 0.0
    for case in CASES:
        errors = [worst(case, steps) for steps in SPANS]
        largest = max(largest, *errors)
        rows.append([str(case), *(f"{error:.1f}" for error in errors)])
    print_table(rows)
    print(f"\nlargest: {largest:.2f} ulp; target: <= {TARGET} ulp")


if __name__ == "__main__":
    main()
