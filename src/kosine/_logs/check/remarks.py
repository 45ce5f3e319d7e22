"""Remarks on a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.check.alignment import phases_between
from kosine._logs.check.diagnosis import declared_skips, total_skipped
from kosine._logs.check.param_groups import other_groups
from kosine._logs.check.run_length import find_length
from kosine._logs.check.wording import steps_text

if TYPE_CHECKING:
    from kosine._logs.check.alignment import Alignment, phases_between
from kosine._logs.check.diagnosis import Diagnosis

_NAMED = 2  # phases


def remarks_on(aligned: Alignment, found: Diagnosis) -> Iterator[str]:
    """The remarks as sentences."""
    trace, total = aligned.trace, aligned.plan.total_steps
    if found.kind == "follows" and all(
        way.explains_all() for way in aligned.conventions() if way.offset >= 0 and not way.averaged
    ):
        yield "The plan hardly changes over these rows, so an offset could not have been seen."
    if found.kind in ("follows", "offset"):
        yield from _unseen(found.aligned)
    if total is not None and aligned.plan.run.total_steps is not None and trace.axis != "epoch":
        beyond = sum(int(np.count_nonzero(aligned.own_steps(index) > total)) for index in aligned.blocks())
        if beyond:
            yield f"{beyond:,} row{' lies' if beyond == 1 else 's lie'} beyond the {total:,} steps of the plan."
    if trace.total is not None and total is not None:
        declared = round(trace.total * aligned.steps_per_unit)
        if declared != total:
            yield f"The log declares a run of {declared:,} steps, the plan has {total:,}."
    skipped = total_skipped(declared_skips(trace))
    if skipped and found.kind in ("follows", "offset", "too little") and not found.skips:
        yield "The log declares skipped steps, but its rates do not lag behind the plan."
    elif skipped and not found.skips:
        yield f"The log declares {steps_text(skipped)} as skipped, which alone do not explain its rates."
    # a pace, or steps that nobody declared, may also be the same schedule planned for another length
    if found.aligned.factor not in (0, 1) or (found.kind == "lags" and not trace.skipped):
        other = find_length(aligned.reread(offset=found.aligned.offset))
        if other is not None and not other.off:
            yield f"The same schedule planned for {steps_text(other.number)} would explain the log as well."
    yield from other_groups(trace)
    yield from (remark.text for remark in trace.remarks)


def _unseen(read: Alignment) -> Iterator[str]:
    """The phases before the last row that no row lies in; those before the first row too, if it is near the start."""
    first, last = (max(0, int(step)) for step in read.steps(np.array([0, len(read) - 1])))
    first = 0 if read.own_step(0) <= read.typical_gap() else first
    own = np.concatenate([read.steps(index) for index in read.blocks()])
    unseen = [
        row
        for row in phases_between(read.plan, first, last + 1)
        if np.searchsorted(own, row.first_step) == np.searchsorted(own, row.stop) and row.stop - row.first_step > 1
    ]
    for row in unseen[:_NAMED]:
        yield f"No row lies in the plan's {row.name} of steps {row.first_step:,} to {row.stop - 1:,}: it was not seen."
    if len(unseen) > _NAMED:
        yield f"{len(unseen) - _NAMED:,} more phases were not seen."
