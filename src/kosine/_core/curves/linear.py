"""A straight line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from kosine._core.arguments import read_rate
from kosine._core.curve import Curve, Form, Operations
from kosine._core.curves._weights import lower_end, one_over
from kosine._core.durations import DurationLike
from kosine._core.phase import Phase, new_phase

# --- linear -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Linear(Curve):
    name: ClassVar[str] = "linear"

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        origin = lower_end(start, end)
        return Form("linear", linear_weight, one_over(span), origin, "distance", max(start, end), min(start, end))


def linear_weight(ops: Operations) -> Callable[[Any], Any]:
    return lambda distance: distance


def linear(duration: DurationLike = "rest", *, to: float, start: float | None = None, endpoint: bool = False) -> Phase:
    """A straight line: s + (e - s) u.

    Args:
        duration: how long, in steps (500) or as "10ep", "5%", "2e8sp", "375Mtok" or "rest".
        to: the value e that the phase ends at, >= 0.
        start: the value s of its first step, >= 0; where the last phase ended if None.
        endpoint: True: the last step uses `to` exactly; False: the step after it does.

    Raises:
        ScheduleError: a negative or non-finite value, or a duration with an unknown unit.
        ArgumentTypeError: a value that is no number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.linear(4, start=0.0, to=1.0)).plan()
        >>> [plan(t) for t in range(6)]
        [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    """
    return new_phase(Linear(), duration, start, read_rate(to, "to"), endpoint)
