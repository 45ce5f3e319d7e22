"""How often `infer` finds the plan that a random log was made with, as a table in Markdown.

Run as `python -m benchmarks.recovered`, which takes about five minutes.
"""

from __future__ import annotations

from collections import Counter

from tests.inference.recovering import outcome
from tests.random_logs import RECIPES, random_case

CASES = 1000
KINDS = ("equal", "open", "different", "unexplained")


def main() -> None:
    counts: dict[str, Counter[str]] = {}
    for seed in range(CASES):
        case = random_case(seed)
        found = outcome(case).kind
        for row in (case.recipe, "with skipped steps" if case.skips else "without skipped steps", "all"):
            counts.setdefault(row, Counter())[found] += 1
    print(f"| log | equal | equal where the log tells | {' | '.join(KINDS[2:])} | recovered |")
    print("|---|---:|---:|---:|---:|---:|")
    for row in (*RECIPES, "without skipped steps", "with skipped steps", "all"):
        count = counts[row]
        share = (count["equal"] + count["open"]) / sum(count.values())
        print(f"| {row} | {' | '.join(str(count[kind]) for kind in KINDS)} | {share:.1%} |")


if __name__ == "__main__":
    main()
