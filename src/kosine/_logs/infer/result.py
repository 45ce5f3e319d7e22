"""What `infer` returns."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from kosine._core.views import Result
from kosine._logs.infer.run_context import steps_at
from kosine._logs.trace import Trace
from kosine.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kosine._core.schedule import Plan, Schedule


@dataclass(frozen=True, slots=True)
class LogPiece:
    """A part of a log that one curve goes through.

    Attributes:
        curve: the name of the curve.
        first: the position of its first row, in units of the log's axis.
        last: the position of its last row.
        first_rate: the rate of its first row.
        last_rate: the rate of its last row.
    """

    curve: str
    first: float
    last: float
    first_rate: float
    last_rate: float


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """Something that a log does not decide.

    Attributes:
        what: "begin of the run", "end of the run", or which bound of which phase.
        low: the lowest position, in units of the log, at which it may be; None: any.
        high: the highest; None: any.
        text: a sentence.
    """

    what: str
    low: float | None
    high: float | None
    text: str


@dataclass(frozen=True, slots=True)
class OddRow:
    """A row that the schedule of all other rows does not explain.

    Attributes:
        position: where it is, in units of the log's axis.
        expected: the rate of the schedule there.
        found: the rate of the row.
    """

    position: float
    expected: float
    found: float


@dataclass(frozen=True, repr=False)
class Inference(Result):
    """The schedule that explains a trace best; made by `infer`. `print` shows it.

    The row at the position p shows the plan's step round(p * steps_per_unit) + offset, less the steps skipped before.

    Attributes:
        trace: the log.
        schedule: the schedule; None where none explains the log to its printed precision.
        plan: the schedule planned for the run, as far as the log shows how long it is.
        residual: the largest distance of a row from the plan, but for odd ones; 0.0 without a plan.
        offset: see above.
        steps_per_unit: the plan's steps in one unit of the log's axis.
        open: what the log does not decide.
        skips: pairs (position, count): from that position on the log is `count` more of the plan's steps behind.
        pieces: the shape of the log as data: one curve after the other.
        sentence: the result in plain words.
        odd: the rows that the schedule does not explain, where it explains all others: at most three, or one in a
            hundred.
        complete: whether the search tried every idea. If not, it reached its limit, and a schedule may exist although
            none was found.
    """

    trace: Trace
    schedule: Schedule | None
    plan: Plan | None
    residual: float
    offset: int
    steps_per_unit: Fraction
    open: tuple[OpenQuestion, ...]
    skips: tuple[tuple[int, int], ...]
    pieces: tuple[LogPiece, ...]
    sentence: str
    complete: bool
    odd: tuple[OddRow, ...] = ()

    def steps(self, positions: NDArray[np.generic] | Sequence[float] | None = None) -> NDArray[np.int64]:
        """The plan's steps whose rates the log shows at these positions; at those of its rows if None."""
        at = self.trace.positions if positions is None else np.asarray(positions)
        lost = np.zeros(at.shape)
        for position, count in self.skips:
            lost[at >= position] += count
        return steps_at(at * float(self.steps_per_unit) - lost, -self.offset)

    def expected(self) -> NDArray[np.float64]:
        """The plan's rates at the rows of the trace.

        Raises:
            PlanError: no schedule explains the trace.
        """
        if self.plan is None:
            raise PlanError(f"Without a schedule there are no expected rates. {self.sentence}")
        return self.plan(self.steps())

    @property
    def explained(self) -> bool:
        """Whether a schedule explains the trace."""
        return self.schedule is not None

    def __repr__(self) -> str:
        return f"<Inference: {self.schedule!r}>"
