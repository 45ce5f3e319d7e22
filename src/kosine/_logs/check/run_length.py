"""Whether the run followed the same schedule, but planned for another length, or with other rates throughout."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from kosine._core.schedule import Plan
from kosine._logs.check.nearest_plan import Nearest, nearest_plan
from kosine.errors import PlanError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._logs.check.alignment import Alignment

_WIDEST = 16  # times that the run may be longer or shorter
_LOOKED_AT = 512  # steps


def find_length(aligned: Alignment) -> Nearest | None:
    """The length of a run for which the same schedule explains all rows or nearly all, and how many it does not."""
    total = aligned.plan.total_steps
    if total is None or aligned.plan.run.total_steps is None:
        return None
    last = aligned.own_step(-1)
    if not _matters(aligned.plan, total, max(0, last)):
        return None
    first = [length for length in (aligned.trace.total, last + 1, last) if length and length > 0]
    return nearest_plan(
        aligned, lambda length: _planned(aligned.plan, length), total, (total / _WIDEST, total * _WIDEST), first
    )


@lru_cache(8)
def _matters(plan: Plan, total: int, last: int) -> bool:
    """Whether the rates up to a step depend on the length of the run at all; those of cycles, say, do not."""
    steps = np.unique(np.linspace(0, last, _LOOKED_AT).astype(np.int64))
    rates = plan(steps)
    try:
        others = [_planned(plan, max(1, length)) for length in (total // 2, 2 * total, last + 1)]
    except PlanError:  # such a run has no step left for the rest
        return True
    return any(bool((other(steps) != rates).any()) for other in others)


def find_scale(aligned: Alignment, begin: int = 0, stop: int | None = None) -> float | None:
    """The number that the plan's rates times it are the log's, in all rows from one to before another."""
    best, at = 0.0, begin
    stop = len(aligned) if stop is None else stop
    for block in aligned.blocks():
        index = slice(max(block.start, begin), min(block.stop, stop))
        planned = aligned.planned(index)
        if planned.size and float(planned.max()) > best:
            best, at = float(planned.max()), index.start + int(planned.argmax())
    scale = float(aligned.trace.rates[at]) / best if best else 0.0
    if not scale:
        return None
    slack = float(aligned.tolerance(slice(at, at + 1))[0]) / best  # what the print of that row leaves of the number
    if abs(scale - 1) <= slack:
        return None

    def unlike(index: slice) -> NDArray[np.bool_]:
        planned = aligned.planned(index)
        apart = np.abs(planned * scale - aligned.trace.rates[index])
        return (apart > aligned.tolerance(index) + slack * planned) | (aligned.steps(index) < 0)

    return scale if aligned.first(unlike, begin, stop) is None else None


def _planned(plan: Plan, length: int) -> Plan:
    return Plan(plan.schedule, replace(plan.run, total_steps=length))
