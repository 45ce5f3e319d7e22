"""Whether the run followed the same schedule, but planned for another length, or with other rates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kosine._core.schedule import Plan
from kosine.errors import PlanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from kosine._logs.check.alignment import Alignment

_WIDEST = 16  # times that the run may be longer or shorter
_TRIED = 64  # lengths that are tried, spread over that
_LOOKED_AT = 512  # rows
_FEW = 1 / 20  # of the rows may contradict a length


def find_length(aligned: Alignment) -> tuple[int, int] | None:
    """The length of a run for which the same schedule explains all rows or nearly all, and how many it does not."""
    total = aligned.plan.total_steps
    if total is None or aligned.plan.run.total_steps is None:
        return None
    some = aligned.spread(_LOOKED_AT)
    steps, rates, width = np.maximum(aligned.steps(some), 0), aligned.trace.rates[some], aligned.tolerance(some)

    if not _matters(aligned, total, steps):
        return None

    def error(length: int) -> float:
        """The mean of how far the rows are off, in their own tolerance; ever smaller towards the right length."""
        try:
            plan = _planned(aligned.plan, length)
        except PlanError:  # a run this short has no step left for the rest
            return float("inf")
        return float(np.minimum(np.abs(plan(steps) - rates) / width, 1e9).mean())

    tried = {length: error(length) for length in _tried(aligned, total, error) if length != total}
    possible = [length for length, off in tried.items() if np.isfinite(off)]
    for length in possible:
        if aligned.with_plan(_planned(aligned.plan, length)).explains_all():
            return length, 0
    nearest = min(possible, key=tried.__getitem__, default=total)
    if tried.get(nearest, np.inf) > 1:  # half-widths
        return None
    off = aligned.with_plan(_planned(aligned.plan, nearest)).count_misses()
    return (nearest, off) if off <= _FEW * len(aligned) else None


def _matters(aligned: Alignment, total: int, steps: NDArray[np.int64]) -> bool:
    """Whether the rates at some steps depend on the length of the run at all; those of cycles, say, do not."""
    rates = aligned.plan(steps)
    try:
        others = [_planned(aligned.plan, max(1, length)) for length in (total // 2, 2 * total, int(steps[-1]) + 1)]
    except PlanError:  # such a run has no step left for the rest
        return True
    return any(bool((other(steps) != rates).any()) for other in others)


def find_scale(aligned: Alignment) -> float | None:
    """The number that the plan's rates times it are the log's."""
    best, at = 0.0, 0
    for index in aligned.blocks():
        planned = aligned.planned(index)
        if float(planned.max()) > best:
            best, at = float(planned.max()), index.start + int(planned.argmax())
    scale = float(aligned.trace.rates[at]) / best if best else 0.0
    if not scale:
        return None
    slack = float(aligned.tolerance(slice(at, at + 1))[0]) / best  # what the print of that row leaves of the number

    def unlike(index: slice) -> NDArray[np.bool_]:
        planned = aligned.planned(index)
        apart = np.abs(planned * scale - aligned.trace.rates[index])
        return (apart > aligned.tolerance(index) + slack * planned) | (aligned.steps(index) < 0)

    return scale if aligned.first(unlike) is None else None


def _planned(plan: Plan, length: int) -> Plan:
    return Plan(plan.schedule, replace(plan.run, total_steps=length))


def _tried(aligned: Alignment, total: int, error: Callable[[int], float]) -> Iterator[int]:
    """Lengths in the order in which they are worth a look at every row."""
    last = aligned.own_step(-1)
    yield from dict.fromkeys(length for length in (aligned.trace.total, last + 1, last) if length and length > 0)
    lengths = sorted({max(1, round(total * _WIDEST**share)) for share in np.linspace(-1, 1, _TRIED)} | {total})
    errors = [error(length) for length in lengths]
    at = int(np.argmin(errors))
    low, high = lengths[max(at - 1, 0)], lengths[min(at + 1, len(lengths) - 1)]
    while high - low > 3:  # ever closer around the smallest
        third = (high - low) // 3
        if error(low + third) <= error(high - third):
            high -= third
        else:
            low += third
    yield from range(low, high + 1)
