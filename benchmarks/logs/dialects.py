"""How often `infer` finds the schedule of each dialect in a log of 200 rows; it takes about two minutes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import kosine as ks
from benchmarks.tables import Cell, Table, report
from tests.support.dialect_plans import SCHEDULES, dialect_case
from tests.support.recovering import outcome_of

SEEDS = range(2)
KINDS = ("equal", "open", "different", "unexplained")


def tables() -> Iterator[Table]:
    counts: dict[str, Counter[str]] = {}
    for name in SCHEDULES:
        for seed in SEEDS:
            case = dialect_case(name, seed)
            found = outcome_of(ks.infer(case.trace()), case.plan).kind
            for row in (name, name.partition(".")[0], "all"):
                counts.setdefault(row, Counter())[found] += 1
    rows: list[tuple[Cell, ...]] = []
    for row, count in counts.items():
        share = (count["equal"] + count["open"]) / sum(count.values())
        rows.append((row, *(count[kind] for kind in KINDS), f"{share:.0%}"))
    columns = ("scheduler", "equal", "equal where the log shows it", *KINDS[2:], "recovered")
    yield Table("Schedules of the dialects recovered by infer from 200 rows: number", columns, tuple(rows))


if __name__ == "__main__":
    report(tables)
