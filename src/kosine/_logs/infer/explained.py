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
from kosine._logs.infer.search import Explanation, Searched, after_skips, search
from kosine._logs.infer.segments import Observations
from kosine._logs.infer.snapping import EXPLAINS
from kosine._logs.infer.unseen_warmup import rows_of_warmup
from kosine._logs.odd_rows import odd_rows
from kosine._logs.precision import NEARLY
from kosine._logs.work import Work

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.intp]

_MOST_LAG = 50  # steps
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

    @property
    def begins_odd(self) -> bool:
        """Whether the odd rows are the first ones, which may be of a warm-up."""
        return bool(self.odd) and self.odd == tuple(range(len(self.odd)))

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


def without_odd_rows(whole: Explained, run_of: Callable[[NDArray[np.float64]], RunContext]) -> Explained | None:
    """The schedule of all rows but a few odd ones, where the rows are enough to say so; else None.

    Where a schedule explains all rows, only one with fewer numbers is better, and the first and the last row stay.

    Args:
        whole: what a search explains of all rows.
        run_of: what is known of a run, from the positions of its rows.
    """
    rows, work = whole.rows, Work(_MOST)
    most = whole.evidence.numbers if whole.is_enough and whole.evidence is not None else None
    for guess in left_out(rows, ends=most is None):
        if work.left < 0:
            break
        kept = np.setdiff1d(np.arange(len(rows)), guess)
        some = replace(rows.at(kept), work=work)
        run = run_of(some.x)
        found = Explained(some, kept, run, search(some, run))
        better = found.is_sure and found.evidence is not None and (most is None or found.evidence.numbers < most)
        odd = odd_rows(_missed(found, rows)) if better else None
        if odd is not None:  # none of them is odd where the schedule of the others explains these as well
            lag = _lag_after_first(found, rows) if odd.size and odd[0] == 0 else 0
            if not lag:
                return replace(found, odd=tuple(odd.tolist()))
            late = after_skips(replace(rows, work=work), run, [(1, lag)])
            if late is not None:
                return Explained(rows, np.arange(len(rows)), run, Searched(late, (), complete=True))
    return None


def _lag_after_first(explained: Explained, rows: Observations) -> int:
    """How many steps may have been skipped after the first row, so that it is of a later step than it seems; else 0."""
    found = explained.found
    assert found is not None
    later = found.plan(steps_at(rows.x[0] + np.arange(1.0, _MOST_LAG), found.origin))
    fits = np.flatnonzero(np.abs(later - rows.y[0]) <= rows.width[0])
    return int(fits[0]) + 1 if fits.size else 0


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
