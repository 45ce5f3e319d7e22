"""What is known of a run besides its rates: how long its epochs are, and where it may begin and end."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Self

import numpy as np

from kosine._core.run import RunSize
from kosine._logs.infer.rounding import roundest, significant
from kosine._logs.trace import Trace

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SOME = 50  # positions that show how many steps an epoch has
_MOST_BATCHES = 10**6
_FINEST = 1000  # steps of an epoch where the log has fractions of epochs of any kind

DurationText = Callable[[int], int | str]
"""A number of steps as a duration in the unit of the log."""


@dataclass(frozen=True)
class RunContext:
    """What is known of a run, in steps on the axis of its log.

    Attributes:
        starts: positions at which it may have begun, the likeliest first.
        ends: positions at which it may end, the likeliest first: the step after the last.
        begins: whether the log shows its beginning.
        duration: writes a number of steps as a duration.
        size: what turns such durations into steps.
        fills: whether the last phase lasts for the rest of the run.
        origins: positions from which logs count.
        declared: the end that the log declares, or None.
    """

    starts: tuple[float, ...]
    ends: tuple[float, ...]
    begins: bool
    duration: DurationText
    size: RunSize
    fills: bool = True
    origins: tuple[int, ...] = (0, 1, -1)
    declared: float | None = None

    @classmethod
    def of(cls, trace: Trace, x: NDArray[np.float64], unit: int, steps_per_epoch: int | None) -> Self:
        """What the log of a run shows.

        Args:
            trace: the log.
            x: the steps of its rows.
            unit: the steps in one unit of its axis.
            steps_per_epoch: as the caller knows it.
        """
        first, last = float(x[0]), float(x[-1])
        stride = float(np.median(np.diff(x))) if x.size > 1 else 1.0
        # a log that begins at 50 and goes on to 100 counts from 0; one of every step that begins at 1 counts from 1
        starts = [0.0, 1.0, -1.0] if first >= 1 and stride > 1 else [1.0, 0.0, -1.0] if first >= 1 else [0.0, -1.0, 1.0]
        if unit > 1 and steps_per_epoch is not None:
            starts = [0.0, 1.0 - unit, float(-unit), float(unit), 1.0]
        declared = None if trace.total is None or trace.total * unit < last else float(trace.total * unit)
        ends = [] if declared is None else [declared]
        total = roundest(last + 1, last + max(stride, 1.0))
        if stride > 1 and first > 0 and last % stride == 0 and significant(last) <= significant(total):
            ends.append(last)  # a trainer that counts from 1 says the length of the run in its last row
        ends += [total, max(total - 1, last + 1), last + stride, last + 1]  # OneCycleLR comes down in one step less
        begins = first <= 2 * max(stride, 1.0)
        duration, size = _durations(trace.axis, unit)
        origins = (0, 1 - unit, -unit, 1, unit) if trace.axis == "epoch" else (0, 1, -1)  # as `check` reads logs
        ends = list(dict.fromkeys(ends))
        return cls(tuple(starts), tuple(ends), begins, duration, size, origins=origins, declared=declared)

    def shortened(self, steps: int) -> Self:
        """The run without steps that its schedule skipped, which it was planned with all the same."""
        return replace(self, ends=tuple(dict.fromkeys((*self.ends, *(end - steps for end in self.ends)))))


def steps_per_unit(trace: Trace, steps_per_epoch: int | None) -> int:
    """How many steps one unit of the log's axis has: as few as make every position a whole step."""
    if trace.axis != "epoch":
        return 1  # steps, samples and tokens are whole: a fraction of one is rounded, as `check` does
    if steps_per_epoch is not None:
        return steps_per_epoch
    some = trace.positions[np.linspace(0, len(trace) - 1, min(len(trace), _SOME)).astype(np.intp)].tolist()
    batches = math.lcm(*(Fraction(place).limit_denominator(_MOST_BATCHES).denominator for place in some))
    for unit in (1, 10, 100, batches):
        places = trace.positions * float(unit)
        if unit <= _MOST_BATCHES and bool((np.abs(places - np.round(places)) < 1e-6 * max(unit, 1)).all()):
            return unit
    return _FINEST


def steps_at(x: NDArray[np.float64], origin: int) -> NDArray[np.int64]:
    """The steps of a plan whose first one is at `origin`; before it, the first one."""
    return np.maximum(np.floor(x + 0.5).astype(np.int64) - origin, 0)


def _durations(axis: str, unit: int) -> tuple[DurationText, RunSize]:
    """How a number of steps is written on an axis, and what of the run's size that needs."""
    if axis == "epoch":
        return (
            lambda steps: (
                f"{format(Decimal(steps) / Decimal(unit), 'f')}ep" if steps % unit == 0 or 1000 % unit == 0 else steps
            )
        ), RunSize(steps_per_epoch=unit)
    if axis == "sample":
        return (lambda steps: f"{steps}sp"), RunSize(samples_per_step=1)
    if axis == "token":
        return (lambda steps: f"{steps}tok"), RunSize(tokens_per_step=1)
    return (lambda steps: steps), RunSize()
