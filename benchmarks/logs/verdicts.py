"""Which verdict `check` gives of random logs, without a fault and with one planted; it takes some minutes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from benchmarks.tables import Cell, Table, report
from kosine._logs.check.diagnosis import VerdictKind
from tests.support.check_faults import PRINTS, score
from tests.support.check_logs import confusion


def tables() -> Iterator[Table]:
    kinds = get_args(VerdictKind)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (made, *(counts[str(kind)] or None for kind in kinds)) for made, counts in confusion().items()
    )
    yield Table("Verdicts of check on random logs: number", ("log", *kinds), rows)
    faults: tuple[tuple[Cell, ...], ...] = tuple(
        (fault, *(shares[printed] for printed in PRINTS)) for fault, shares in score().items()
    )
    yield Table("Faults that check names, of those planted: share by print", ("fault", *PRINTS), faults)


if __name__ == "__main__":
    report(tables)
