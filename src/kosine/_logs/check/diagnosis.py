"""What explains the rows of a log: a kind of verdict, the way to read the rows, and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from kosine._logs.check.alignment import Alignment
    from kosine._logs.trace import Trace

VerdictKind = Literal[
    "follows",
    "offset",
    "odd rows",
    "too little",
    "lags",
    "too fast",
    "too slow",
    "restarted",
    "jumped",
    "differs",
]
Cause = Literal[
    "nearly",
    "late by an epoch",
    "declared skips",
    "mixed precision",
    "past the end",
    "once an epoch",
    "never moves",
    "stopped",
    "set by hand",
    "scaled",
    "scaled by hand",
    "another length",
    "another duration",
    "another warm-up",
    "no warm-up",
    "another floor",
    "another peak",
    "another rate",
]
Skips = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Jump:
    """Where a run left its place in the plan.

    Attributes:
        position: where, in units of the log's axis: where it began again, or the first row after the jump.
        before: the step of the plan that would have come.
        after: the step that came instead.
    """

    position: float
    before: int
    after: int


@dataclass(frozen=True, slots=True, eq=False)
class Diagnosis:
    """One explanation of a log; see `Verdict` for its fields.

    Attributes:
        kind: what happened to the run.
        aligned: the rows, read as the explanation reads them.
        sentence: the explanation in words.
        cause: what is behind it, by name; None where that is open.
        skips: where optimizer steps were skipped, and how many.
        jumps: where the run restarted or jumped.
        odd: the rows that are odd.
    """

    kind: VerdictKind
    aligned: Alignment
    sentence: str
    cause: Cause | None = None
    skips: Skips = ()
    jumps: tuple[Jump, ...] = ()
    odd: tuple[int, ...] = ()


def declared_skips(trace: Trace) -> Skips:
    """The skipped steps that the log declares within its rows."""
    return tuple((at, count) for at, count in trace.skipped if at <= trace.positions[-1] and count)


def total_skipped(skips: Skips) -> int:
    return sum(count for _, count in skips)
