"""A straight line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Self

from kosine._core.arguments import read_rate
from kosine._core.code import Formula, Language, Operands
from kosine._core.curve import Curve, Form, Operations
from kosine._core.curves._registry import constructor_of
from kosine._core.curves._weights import lower_end, one_over
from kosine._core.durations import DurationLike
from kosine._core.fit import Fit, StraightFit
from kosine._core.phase import Phase, new_phase


@dataclass(frozen=True, slots=True)
class Linear(Curve):
    name: ClassVar[str] = "linear"

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        origin = lower_end(start, end)
        return Form("linear", linear_weight, one_over(span), origin, "distance", max(start, end), min(start, end))

    @property
    def is_smooth(self) -> bool:
        return True

    def code(self, of: Operands, language: Language) -> Formula:
        steps = of.done if of.rises else of.left
        if language.single:  # one rounding less where spread and span are plain numbers
            return Formula(of.above_low(f"{of.spread} / {of.span} * {{}}"), steps, "steps")
        return Formula(of.above_low(f"{of.spread} * {{}} / {of.span}"), steps, "steps")

    @classmethod
    def fits(cls) -> tuple[tuple[Self, Fit], ...]:
        return ((cls(), Fit(2, StraightFit(lambda y: y, lambda y: y * 0.0 + 1.0, lambda z: z))),)


def linear_weight(ops: Operations) -> Callable[[Any], Any]:
    return lambda distance: distance


@constructor_of(Linear)
def linear(
    duration: DurationLike = "rest",
    *,
    to: float,
    start: float | None = None,
    endpoint: bool = False,
    until: DurationLike | None = None,
) -> Phase:
    """A straight line: s + (e - s) u.

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
        >>> plan = ks.Schedule(ks.linear(4, start=0.0, to=1.0)).plan()
        >>> [plan(t) for t in range(6)]
        [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    """
    return new_phase(Linear(), duration, start, read_rate(to, "to"), endpoint, until)
