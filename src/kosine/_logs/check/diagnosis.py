"""What explains the rows of a log: a kind of verdict, the way to read the rows, and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from kosine._logs.check.alignment import Alignment
    from kosine._logs.trace import Trace

VerdictKind = Literal["follows", "offset", "lags", "too fast", "too slow", "restarted", "jumped", "differs"]
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
        skips: where optimizer steps were skipped, and how many.
        jumps: where the run restarted or jumped.
    """

    kind: VerdictKind
    aligned: Alignment
    sentence: str
    skips: Skips = ()
    jumps: tuple[Jump, ...] = ()


def declared_skips(trace: Trace) -> Skips:
    """The skipped steps that the log declares within its rows."""
    return tuple((at, count) for at, count in trace.skipped if at <= trace.positions[-1] and count)


def total_skipped(skips: Skips) -> int:
    return sum(count for _, count in skips)
