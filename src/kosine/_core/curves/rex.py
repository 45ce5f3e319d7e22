"""REX, a hyperbola (arXiv 2107.04197)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Self

from kosine._core.arguments import read_number, read_rate
from kosine._core.curve import Curve, Form, Operations
from kosine._core.curves._registry import constructor_of
from kosine._core.curves._weights import one_over
from kosine._core.durations import DurationLike
from kosine._core.fit import Fit
from kosine._core.phase import Phase, new_phase


@dataclass(frozen=True, slots=True)
class Rex(Curve):
    name: ClassVar[str] = "rex"
    bend: float = 0.5

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        falls = start > end
        kind = ("rex", self.bend, falls)
        if falls:
            return Form(kind, self._falling, one_over(span), "end", "distance", start, end)
        return Form(kind, self._rising, one_over(span), "end", "both", end, start)

    # 1 - bend u is (1 - bend) (1 + odds * left), which keeps its digits where the bend is near 1.

    def _odds(self) -> float:
        return float(Fraction(self.bend) / (1 - Fraction(self.bend)))

    def _falling(self, ops: Operations) -> Callable[[Any], Any]:
        odds = self._odds()
        return lambda left: (1.0 + odds) * left / (1.0 + odds * left)

    def _rising(self, ops: Operations) -> Callable[[Any, Any], Any]:
        odds = self._odds()
        return lambda left, done: done / (1.0 + odds * left)

    @classmethod
    def rare_fits(cls) -> tuple[tuple[Self, Fit], ...]:
        return tuple((cls(bend), Fit(4, None, ends=True)) for bend in (0.5, 0.9))


@constructor_of(Rex)
def rex(
    duration: DurationLike = "rest",
    *,
    to: float,
    start: float | None = None,
    bend: float = 0.5,
    endpoint: bool = False,
    until: DurationLike | None = None,
) -> Phase:
    """A fall that is slow at first and steep at the end: e + (s - e) (1 - u) / (1 - bend u), REX of arXiv 2107.04197.

    The paper's bend is 1/2. Axolotl and OneTrainer have a scheduler of this name whose bend is 0.9: the rate stays high
    for longer.

    Args:
        duration: how long, in steps (500) or as "10ep", "5%", "2e8sp", "375Mtok" or "rest".
        to: the value e that the phase ends at, >= 0.
        start: the value s of its first step, >= 0; where the last phase ended if None.
        bend: how far it is from a line, from 0, which is a line, to below 1: the end is 1 / (1 - bend)**2 times as
            steep as the start.
        endpoint: True: the last step uses `to` exactly; False: the step after it does.
        until: the position that the phase ends at, in place of a duration: "260Btok" from the start of the run, inside
            a section from the start of its clock.

    Raises:
        ScheduleError: a value or a bend out of range, or a duration with an unknown unit.
        ArgumentTypeError: a value that is not a number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.rex(100, start=0.9, to=0.0)).plan()
        >>> plan(0), round(plan(50), 9), plan(100)
        (0.9, 0.6, 0.0)
        >>> round(ks.Schedule(ks.rex(100, start=0.9, to=0.0, bend=0.9)).plan()(50), 9)
        0.818181818
    """
    bent = read_number(bend, "bend", "in [0, 1)", at_least=0, at_most=math.nextafter(1, 0))
    return new_phase(Rex(bent), duration, start, read_rate(to, "to"), endpoint, until)
