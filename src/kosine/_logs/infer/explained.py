"""What a search explains of a log: all rows, or all but a few odd ones; and whether these rows are enough to say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.infer.curve_fits import ENDLESS, HOLD
from kosine._logs.infer.evidence import Evidence, evidence_for
from kosine._logs.infer.left_out import left_out
from kosine._logs.infer.run_context import RunContext, steps_at
from kosine._logs.infer.search import Explanation, Searched, search
from kosine._logs.infer.segments import Observations
from kosine._logs.infer.snapping import EXPLAINS
from kosine._logs.infer.unseen_warmup import rows_of_warmup
from kosine._logs.odd_rows import odd_rows
from kosine._logs.precision import NEARLY
from kosine._logs.work import Work

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.intp]

_MOST = 8e5  # for all guesses of odd rows: see `Work`


@dataclass(frozen=True)
class Explained:
    """The rows of a log that a search was made for, and what it led to.

    Attributes:
        rows: these rows.
        kept: their numbers among all rows of the log.
        run: what is known of the run.
        searched: what the search led to.
        odd: the numbers of the rows that the schedule does not explain.
    """

    rows: Observations
    kept: Rows
    run: RunContext
    searched: Searched
    odd: tuple[int, ...] = ()

    @property
    def found(self) -> Explanation | None:
        """The simplest schedule that explains the rows, or None."""
        return self.searched.found

    @cached_property
    def evidence(self) -> Evidence | None:
        """What the rows say for the schedule."""
        found = self.found
        if found is None:
            return None
        draft = found.draft
        ends = draft is not None and draft.kinds[-1] not in (HOLD, *ENDLESS) and self.run.declared is None
        return evidence_for(found.plan, found.origin, found.rows or self.rows, len(found.skips), ends)

    @property
    def is_enough(self) -> bool:
        """Whether a schedule explains the rows, and they are enough to say so."""
        return self.evidence is not None and self.evidence.is_enough

    @property
    def is_sure(self) -> bool:
        """Whether each phase has rows enough, too."""
        return self.is_enough and self.evidence is not None and not self.evidence.unseen


def explained(rows: Observations, run: RunContext) -> Explained:
    """What a search explains of all rows."""
    return Explained(rows, np.arange(len(rows)), run, search(rows, run))


def without_odd_rows(rows: Observations, run_of: Callable[[NDArray[np.float64]], RunContext]) -> Explained | None:
    """The schedule of all rows but a few odd ones, where the rows are enough to say so; else None.

    Args:
        rows: the log.
        run_of: what is known of a run, from the positions of its rows.
    """
    work = Work(_MOST)
    for guess in left_out(rows):
        if work.left < 0:
            break
        kept = np.setdiff1d(np.arange(len(rows)), guess)
        some = replace(rows.at(kept), work=work)
        run = run_of(some.x)
        found = Explained(some, kept, run, search(some, run))
        odd = odd_rows(_missed(found, rows)) if found.is_sure else None
        if odd is not None and odd.size:
            return replace(found, odd=tuple(odd.tolist()))
    return None


def without_warmup(rows: Observations, whole: Explained, run: RunContext) -> Explained | None:
    """The schedule of all rows but those of a warm-up that shows no curve; None where that does not help.

    Args:
        rows: the log.
        whole: what was found for all its rows.
        run: what is known of the run without these rows.
    """
    count = rows_of_warmup(rows, whole.searched.seen)
    if not count:
        return None
    some = replace(rows.part(count, len(rows)), work=Work(_MOST))
    found = Explained(some, np.arange(count, len(rows)), run, search(some, run), tuple(range(count)))
    return found if found.is_sure else None


def _missed(explained: Explained, rows: Observations) -> NDArray[np.bool_]:
    """Which of all rows a schedule misses that was found for some of them."""
    found = explained.found
    assert found is not None
    x = rows.x.copy()
    for row, count in found.skips:
        x[explained.kept[row] :] -= count
    off = np.abs(found.plan(steps_at(x, found.origin)) - rows.y)
    missed: NDArray[np.bool_] = off > (EXPLAINS if found.worst <= EXPLAINS else NEARLY) * rows.width
    return missed
