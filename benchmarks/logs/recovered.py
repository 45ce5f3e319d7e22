"""How often `infer` finds the plan that a random log was made with; it takes about five minutes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from benchmarks.tables import Cell, Table, report
from tests.support.random_logs import RECIPES, random_case
from tests.support.recovering import outcome

CASES = 1000
KINDS = ("equal", "open", "different", "unexplained")


def tables() -> Iterator[Table]:
    counts: dict[str, Counter[str]] = {}
    for seed in range(CASES):
        case = random_case(seed)
        found = outcome(case).kind
        for row in (case.recipe, "with skipped steps" if case.skips else "without skipped steps", "all"):
            counts.setdefault(row, Counter())[found] += 1
    rows: list[tuple[Cell, ...]] = []
    for row in (*RECIPES, "without skipped steps", "with skipped steps", "all"):
        count = counts[row]
        share = (count["equal"] + count["open"]) / sum(count.values())
        rows.append((row, *(count[kind] for kind in KINDS), f"{share:.1%}"))
    columns = ("log", "equal", "equal where the log shows it", *KINDS[2:], "recovered")
    yield Table("Plans recovered by infer from random logs: number", columns, tuple(rows))


if __name__ == "__main__":
    report(tables)
