"""What a batch that grows costs: to plan with 10^4 stages over 10^12 tokens, and to find the rate of a step.

Run as `python -m benchmarks.ramps`, which takes a few seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from time import process_time

import numpy as np

import kosine as ks
from benchmarks.measure import interleaved
from benchmarks.tables import Spread, Table, report

ROUNDS, STAGES, TOKENS = 9, 10_000, 10**12
RAMP = [(number * (TOKENS // STAGES), 1_000_000 + 397 * number) for number in range(STAGES)]
LR = ks.Schedule(ks.linear("10Btok", start=0.0, to=6e-4), ks.cosine(until="900Btok", to=6e-5), ks.hold())
TOTAL = 500_000


def timed(call: Callable[[], object]) -> Callable[[], float]:
    """The seconds of the processor that a call takes."""

    def seconds() -> float:
        begin = process_time()
        call()
        return process_time() - begin

    return seconds


def tables() -> Iterator[Table]:
    dice = Random(0)
    steps = [dice.randrange(TOTAL) for _ in range(1_000)]
    known = LR.plan(total_steps=TOTAL, tokens_per_step=RAMP)
    seconds = interleaved(
        {
            "plan, 10⁴ stages": timed(lambda: LR.plan(total_steps=TOTAL, tokens_per_step=RAMP)),
            "plan, a fixed number": timed(lambda: LR.plan(total_steps=TOTAL, tokens_per_step=3_000_000)),
            "plan and the first rate": timed(lambda: LR.plan(total_steps=TOTAL, tokens_per_step=RAMP)(100_000)),
            "1,000 rates at random": timed(lambda: [known(step) for step in steps]),
            "the same as an array": timed(lambda: known(np.array(steps))),
        },
        ROUNDS,
    )
    yield Table(
        "A ramp of 10⁴ stages over 10¹² tokens",
        ("", "ms"),
        tuple((name, Spread.of(values).scaled(1e3)) for name, values in seconds.items()),
        "Medians and quartiles of the processor's time; the target of planning is at most 50 ms.",
    )


if __name__ == "__main__":
    report(tables)
