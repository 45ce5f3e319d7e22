"""Whether an inference is the plan that a random log was made with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

import kosine as ks
from tests.support.random_logs import Case

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 200_000  # steps that are looked at
_UNSEEN = 1e-6  # of the peak: no run would differ


class Outcome(NamedTuple):
    """What became of a case.

    Attributes:
        kind: "equal", "open" (equal but where the inference says that the log leaves it open), "different", or
            "unexplained".
        off: the largest distance at any step that is not open, in units of the last printed place.
    """

    kind: str
    off: float


def outcome(case: Case) -> Outcome:
    """What `infer` makes of a random log."""
    return outcome_of(ks.infer(case.trace()), case.plan, case.offset, case.skips)


def outcome_of(
    inference: ks.Inference, plan: ks.Plan, offset: int = 0, skips: Iterable[tuple[int, int]] = ()
) -> Outcome:
    """The same of an inference, for a run that followed a plan with this offset and these skips."""

    def true(positions: NDArray[np.float64]) -> NDArray[np.float64]:
        lost = np.zeros(positions.shape, np.int64)
        for position, count in skips:
            lost[positions >= position] += count
        rates: NDArray[np.float64] = plan(np.maximum(positions.astype(np.int64) + offset - lost, 0))
        return rates

    return judged(inference, true, 1, skips)


def judged(
    inference: ks.Inference,
    true: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    steps_per_unit: int = 1,
    skips: Iterable[tuple[float, int]] = (),
    odd: Sequence[float] = (),
) -> Outcome:
    """Compare the recovered plan with the true one at every step from the log's first row to its last.

    A row is half a unit of its last printed place from either of two plans that explain it, so they are equal within
    the precision of the log where they are at most one unit apart.

    Args:
        inference: of the log.
        true: the rates of the run at positions of the log.
        steps_per_unit: how many steps one unit of the log's axis has.
        skips: where the run skipped steps.
        odd: the positions of rows that follow no plan.
    """
    if inference.plan is None:
        return Outcome("unexplained", np.inf)
    trace = inference.trace
    rows = trace.positions[~np.isin(trace.positions, odd)]
    first, last = float(rows[0]), float(rows[-1])
    count = round((last - first) * steps_per_unit) + 1
    positions = first + np.arange(count) / steps_per_unit if count <= MOST else np.linspace(first, last, MOST).round()
    positions = np.union1d(positions, rows)
    rates = np.asarray(true(positions))
    units = np.maximum(
        2 * trace.precision.half_width(rates), max(_UNSEEN * float(rates.max()), np.finfo(np.float64).tiny)
    )
    off = np.abs(inference.plan(inference.steps(positions)) - rates) / units
    decided = ~_open(inference, skips, positions)
    worst = float(off[decided].max())
    if worst > 1:
        return Outcome("different", worst)
    return Outcome("equal" if float(off.max()) <= 1 else "open", worst)


def _open(
    inference: ks.Inference, skips: Iterable[tuple[float, int]], positions: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Steps between rows of the log, of which the inference says that it cannot know them."""
    rows = inference.trace.positions
    is_open = np.zeros(positions.shape, np.bool_)
    for low, high in [*_intervals(inference), *((place, place) for place, _ in (*inference.skips, *skips))]:
        before = rows[max(int(np.searchsorted(rows, low)) - 1, 0)]
        after = rows[min(int(np.searchsorted(rows, high, "left")), rows.size - 1)]
        is_open |= (positions > before) & (positions < after)
    return is_open & ~np.isin(positions, rows)


def _intervals(inference: ks.Inference) -> Iterable[tuple[float, float]]:
    last = float(inference.trace.positions[-1])
    for each in inference.open:
        if each.what == "length of a step" and each.low is not None and each.high is not None:
            for place in range(1, int(last / each.low) + 2):
                yield place * each.low - inference.offset, place * each.high - inference.offset
        elif each.low is not None and each.what != "end of the run":
            yield each.low, last if each.high is None else each.high
