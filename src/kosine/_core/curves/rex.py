"""REX, a hyperbola (arXiv 2107.04197)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Self

from kosine._core.arguments import read_rate
from kosine._core.curve import Curve, Form, Operations
from kosine._core.curves._registry import constructor_of
from kosine._core.curves._weights import one_over
from kosine._core.durations import DurationLike
from kosine._core.fit import BentFit, Fit
from kosine._core.phase import Phase, new_phase


@dataclass(frozen=True, slots=True)
class Rex(Curve):
    name: ClassVar[str] = "rex"

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        if start > end:
            return Form("rex", _falling, one_over(span), "end", "distance", start, end)
        return Form("rex rising", _rising, one_over(span), "start", "distance", end, start)

    @classmethod
    def fits(cls) -> tuple[tuple[Self, Fit], ...]:
        return ((cls(), Fit(4, _PoleFit())),)


def _falling(ops: Operations) -> Callable[[Any], Any]:
    return lambda left: 2.0 * left / (1.0 + left)


def _rising(ops: Operations) -> Callable[[Any], Any]:
    return lambda done: done / (2.0 - done)


class _PoleFit(BentFit):
    """c + a / (theta - t): the curve is a hyperbola, and theta is where its pole lies after the last row."""

    def grid(self) -> Any:
        import numpy as np

        return np.geomspace(1e-3, 1e3, 60)

    def columns(self, t: Any, theta: Any) -> Any:
        import numpy as np

        t, theta = np.broadcast_arrays(t, theta)
        return np.stack([np.ones_like(t), 1.0 / (1.0 + theta - t)], axis=-1)


@constructor_of(Rex)
def rex(
    duration: DurationLike = "rest",
    *,
    to: float,
    start: float | None = None,
    endpoint: bool = False,
    until: DurationLike | None = None,
) -> Phase:
    """A fall that is slow at first and steep at the end: e + (s - e) (1 - u) / (1 - u/2), REX of arXiv 2107.04197.

    Axolotl's scheduler of this name, over the steps after its warm-up, is `rex(start=peak, to=floor)`.

    Args:
        duration: how long, in steps (500) or as "10ep", "5%", "2e8sp", "375Mtok" or "rest".
        to: the value e that the phase ends at, >= 0.
        start: the value s of its first step, >= 0; where the last phase ended if None.
        endpoint: True: the last step uses `to` exactly; False: the step after it does.
        until: the position that the phase ends at, in place of a duration: "260Btok" from the start of the run, inside
            a section from the start of its clock.

    Raises:
        ScheduleError: a value out of range, or a duration with an unknown unit.
        ArgumentTypeError: a value that is not a number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.rex(100, start=0.9, to=0.0)).plan()
        >>> plan(0), round(plan(50), 9), plan(100)
        (0.9, 0.6, 0.0)
    """
    return new_phase(Rex(), duration, start, read_rate(to, "to"), endpoint, until)
