"""Warm restarts against exact rational arithmetic: random periods and stretches, at each boundary -1, 0 and +1.

Of each pair every restart of the first 40 cycles, up to step 10**9. Run as `python -m benchmarks.restarts`, which takes
some minutes.
"""

from __future__ import annotations

import math
import random
from fractions import Fraction

import kosine as ks
from benchmarks.measure import print_table

PAIRS = 30_000
SEED = 20_160_813
PEAK = 0.05
LAST_STEP = 10**9
MOST_CYCLES = 40


def exact_boundaries(period: int, stretch: Fraction) -> list[int]:
    """The first step of each cycle: exact lengths added up, each sum rounded half up. Written apart from kosine."""
    position, length = Fraction(0), Fraction(period)
    boundaries: list[int] = []
    while len(boundaries) < MOST_CYCLES + 2 and (not boundaries or boundaries[-1] <= LAST_STEP):
        boundaries.append(math.floor(position + Fraction(1, 2)))
        position += length
        length *= stretch
    return boundaries


def rate(first: int, stop: int, step: int) -> float:
    """The rate at a step of the cycle [first, stop), accurate at both of its ends."""
    return PEAK * math.sin(math.pi / 2 * (stop - step) / (stop - first)) ** 2


def wrong(period: int, stretch: str) -> tuple[int, int]:
    """How many rates around the boundaries of one pair were checked, and how many of them are wrong."""
    boundaries = exact_boundaries(period, Fraction(stretch))
    plan = ks.sgdr(peak=PEAK, period=period, stretch=float(stretch)).plan()
    checked = mistakes = 0
    for cycle in range(1, len(boundaries) - 1):
        before, here, after = boundaries[cycle - 1 : cycle + 2]
        for step, expected in (
            (here - 1, rate(before, here, here - 1)),
            (here, PEAK),
            (here + 1, rate(here, after, here + 1) if here + 1 < after else PEAK),
        ):
            checked += 1
            exactly = step == here
            found = plan(step)
            mistakes += found != expected if exactly else not math.isclose(found, expected, rel_tol=1e-13)
    return checked, mistakes


def main() -> None:
    source = random.Random(SEED)
    totals: dict[str, list[int]] = {}
    for _ in range(PAIRS):
        period = source.choice([source.randint(1, 100), source.randint(1, 10**6)])
        digits = source.randint(1, 6)
        decimal = f"{source.uniform(1, 4):.{digits}f}"
        kind, stretch = source.choice(
            [(text, text) for text in ("1", "1.1", "1.5", "2", "3", "10")] + [("random decimals", decimal)] * 6
        )
        checked, mistakes = wrong(period, stretch)
        total = totals.setdefault(kind, [0, 0, 0])
        total[0] += 1
        total[1] += checked
        total[2] += mistakes
    rows = [["stretch", "pairs", "rates checked", "wrong"]]
    rows += [[kind, *(f"{number:,}" for number in totals[kind])] for kind in sorted(totals)]
    rows.append(["all", *(f"{sum(column):,}" for column in zip(*totals.values(), strict=True))])
    print_table(rows)


if __name__ == "__main__":
    main()
