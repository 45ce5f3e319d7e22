"""What a comparison of a log with a plan found."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Self

from kosine._core.views import Result
from kosine._logs.check.alignment import Alignment
from kosine._logs.check.diagnosis import Cause, Jump, Skips, VerdictKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kosine._core.schedule import Plan
    from kosine._logs.trace import Trace


@dataclass(frozen=True, slots=True)
class Point:
    """A row of a log next to the plan.

    Attributes:
        position: where the row is, in units of the log's axis.
        step: the step of the plan.
        expected: the plan's rate.
        found: the log's rate.
        half_width: how far the two may be apart.
    """

    position: float
    step: int
    expected: float
    found: float
    half_width: float

    @classmethod
    def of_row(cls, aligned: Alignment, row: int) -> Self:
        """One row of a log as it is read."""
        index = slice(row, row + 1)
        return cls(
            position=aligned.trace.positions[row].item(),
            step=int(aligned.steps(index)[0]),
            expected=float(aligned.planned(index)[0]),
            found=float(aligned.trace.rates[row]),
            half_width=float(aligned.tolerance(index)[0]),
        )


@dataclass(frozen=True, repr=False)
class Verdict(Result):
    """The result of `check`: whether and how the log of a run follows its plan. `print` shows it as a table.

    Attributes:
        trace: the log.
        plan: the plan.
        kind: "follows"; "offset": follows, but each row shows the rate of another step; "odd rows": follows but for a
            few rows; "too little": every row agrees, but they are too few, or where the plan stays at one rate, or
            printed too coarsely; "lags": optimizer steps were skipped, or each epoch has the rates of the one before;
            "too fast" and "too slow": by a constant factor; "restarted": began again at the plan's first step;
            "jumped": went on elsewhere in the plan; "differs".
        cause: what is behind it, by name, such as "declared skips", "stopped" or "another floor"; None where it is
            open. The guide has the list.
        sentence: the same in words.
        offset: a row at position p shows the plan's step round(p * steps_per_unit) + offset.
        steps_per_unit: the steps of the plan in one unit of the log's axis.
        factor: the steps of the plan that go by in one step of the log; 1 unless it is too fast or too slow, and 0
            where the rate never moves.
        skips: pairs (position, count): the first row that shows skipped optimizer steps, and the number of new ones.
        jumps: where it restarted or jumped, in order.
        odd: the odd rows.
        averaged: whether each row shows the mean of an epoch, which begins at that step.
        first: the first row that differs from the plan, read with `offset` only; None if every row agrees.
        largest: the row that is furthest off, read with `offset` only.
        off: how many rows differ from the plan in the way that `kind` reads them: none where skipped steps, a factor or
            jumps explain every row.
        compared: how many rows there are.
        different: how many different rates they show.
        allowed: whether it follows because `allow_skips` or `allow_odd_rows` says so.
        remarks: what else a reader must know, as sentences.
    """

    trace: Trace
    plan: Plan
    kind: VerdictKind
    cause: Cause | None
    sentence: str
    offset: int
    steps_per_unit: Fraction
    factor: Fraction
    skips: Skips
    jumps: tuple[Jump, ...]
    odd: tuple[Point, ...]
    averaged: bool
    first: Point | None
    largest: Point
    off: int
    compared: int
    different: int
    allowed: bool
    remarks: tuple[str, ...]

    @property
    def follows(self) -> bool:
        """Whether the run followed its plan, if need be with an offset, or with what was allowed."""
        return self.kind in ("follows", "offset") or self.allowed

    def expected(self) -> NDArray[np.float64]:
        """The plan's rates at the positions of the log, read with `offset`; before the first step, that step's."""
        return Alignment.of(self.trace, self.plan).reread(offset=self.offset, averaged=self.averaged).expected()

    def __repr__(self) -> str:
        return f"<Verdict: {self.kind}>"
