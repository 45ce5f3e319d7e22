"""A hyperbolic tangent."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Self

from kosine._core.arguments import read_above, read_rate
from kosine._core.code import Formula, Language, Operands, plus, real
from kosine._core.curve import Curve, Form, Operations
from kosine._core.curves._registry import constructor_of
from kosine._core.curves._weights import exponential_weight, lower_end, one_over
from kosine._core.durations import DurationLike
from kosine._core.fit import Fit
from kosine._core.phase import Phase, new_phase
from kosine.errors import ScheduleError


@dataclass(frozen=True, slots=True)
class Tanh(Curve):
    name: ClassVar[str] = "tanh"
    lower: float = -7.0
    upper: float = 3.0

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        ratio = -2 * (Fraction(self.upper) - Fraction(self.lower)) * one_over(span)
        origin = lower_end(start, end)
        # Counted from where the weight is small: there it needs its digits.
        scale = math.exp(2 * self.upper if origin == "end" else -2 * self.lower)
        kind = ("tanh", scale)
        return Form(kind, _tanh(scale), ratio, origin, "split", max(start, end), min(start, end))

    @property
    def reaches_end(self) -> bool:
        return False

    def code(self, of: Operands, language: Language) -> Formula:
        """From the odds (1 - w) / w, where w is the weight of the higher value: (1 - tanh) / 2, or (1 + tanh) / 2."""
        width = self.upper - self.lower
        middle = -self.lower / width
        from_middle = f"{of.done} - {real(middle)} * {of.span}"
        if language.single and of.steps is not None:  # the whole steps are taken off exactly
            whole, part = divmod(middle * float(of.steps), 1)
            from_middle = f"{plus(of.done, -int(whole))} - {real(part)}"
        odds = language.call("exp", f"{real((-2 if of.rises else 2) * width)} / {of.span} * ({from_middle})")
        return Formula(of.above_low(f"{of.spread} / (1 + {{}})"), odds, "odds")

    @classmethod
    def rare_fits(cls) -> tuple[tuple[Self, Fit], ...]:
        return ((cls(), Fit(4, None, begins=True, ends=True)),)


def _tanh(scale: float) -> Callable[[Operations], Callable[[Any, Any], Any]]:
    def bound(ops: Operations) -> Callable[[Any, Any], Any]:
        power = exponential_weight(ops)
        return lambda coarse, fine: 1.0 / (1.0 + scale * power(coarse, fine))

    return bound


@constructor_of(Tanh)
def tanh(
    duration: DurationLike = "rest",
    *,
    to: float,
    start: float | None = None,
    lower: float = -7.0,
    upper: float = 3.0,
    endpoint: bool = False,
    until: DurationLike | None = None,
) -> Phase:
    """A hyperbolic tangent: e + (s - e) (1 - tanh(lower (1 - u) + upper u)) / 2 (arXiv 1806.01593).

    It begins and ends near its two values, not at them: at (1 - tanh(lower)) / 2 of the way from e to s, and at
    (1 - tanh(upper)) / 2 of it. timm 1.0's TanhLRScheduler has this curve and these bounds.

    Args:
        duration: how long, in steps (500) or as "10ep", "5%", "2e8sp", "375Mtok" or "rest".
        to: the value e that the phase ends near, >= 0, and that the rate has after it.
        start: the value s near which it begins, >= 0; where the last phase ended if None.
        lower: the tangent's argument at the start, above -20 and below `upper`.
        upper: the tangent's argument at the end, above `lower` and at most 20.
        endpoint: True: the last step uses `to` exactly; False: the step after it does.
        until: the position that the phase ends at, in place of a duration: "260Btok" from the start of the run, inside
            a section from the start of its clock.

    Raises:
        ScheduleError: a value or a bound out of range, or a duration with an unknown unit.
        ArgumentTypeError: a value that is not a number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.tanh(10, start=1.0, to=0.0)).plan()
        >>> round(plan(0), 6), round(plan(7), 6), plan(10)
        (0.999999, 0.5, 0.0)
    """
    low = read_above(lower, "lower", -20, 20)
    high = read_above(upper, "upper", -20, 20)
    if low >= high:
        raise ScheduleError(argument="lower", rule="less than `upper`", received={"lower": low, "upper": high})
    return new_phase(Tanh(low, high), duration, start, read_rate(to, "to"), endpoint, until)
