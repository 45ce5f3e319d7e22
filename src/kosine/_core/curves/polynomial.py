"""A power of the part that remains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Self

from kosine._core.arguments import read_above, read_rate
from kosine._core.code import Formula, Language, Operands, number, power as power_code
from kosine._core.curve import Curve, Form, Operations
from kosine._core.curves._registry import constructor_of
from kosine._core.curves._weights import lower_end, one_over, raised_code, remaining_weight, rising_power
from kosine._core.durations import DurationLike
from kosine._core.fit import BentFit, Fit
from kosine._core.phase import Phase, new_phase


@dataclass(frozen=True, slots=True)
class Polynomial(Curve):
    name: ClassVar[str] = "polynomial"
    power: float
    warp: float = 1.0

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        top, bottom, origin = max(start, end), min(start, end), lower_end(start, end)
        kind = ("polynomial", self.power, self.warp, origin)
        if self.warp != 1:
            weight = self._warped_falling if origin == "end" else self._warped_rising
            return Form(kind, weight, one_over(span), "end", "both", top, bottom, magnifies=True)
        if origin == "end":
            return Form(kind, self._falling, one_over(span), origin, "split", top, bottom, magnifies=True)
        return Form(kind, self._rising, one_over(span), "end", "both", top, bottom, magnifies=True)

    def _falling(self, ops: Operations) -> Callable[[Any, Any], Any]:
        power, exp, log1p, exponent = ops.power, ops.exp, ops.log1p, self.power

        def weight(coarse: Any, fine: Any) -> Any:
            base = coarse + fine
            lost = coarse - base + fine  # the exponent multiplies an error of the base, so its rounding is made good
            return power(base, exponent) * exp(exponent * log1p(lost / base))

        return weight

    def _rising(self, ops: Operations) -> Callable[[Any, Any], Any]:
        return rising_power(ops, self.power)

    def _warped_falling(self, ops: Operations) -> Callable[[Any, Any], Any]:
        remaining, power, exponent = remaining_weight(ops, self.warp), ops.power, self.power
        return lambda left, done: power(remaining(left, done), exponent)

    def _warped_rising(self, ops: Operations) -> Callable[[Any, Any], Any]:
        remaining, risen, power, warp = remaining_weight(ops, self.warp), self._rising(ops), ops.power, self.warp
        return lambda left, done: risen(remaining(left, done), power(done, warp))

    def code(self, of: Operands, language: Language) -> Formula:
        lost, rest = f"{of.done} / {of.span}", f"({of.left} / {of.span})"
        if self.warp != 1:
            lost, rest = "passed", "rest"
        return raised_code(self.power, self.warp, power_code(rest, number(self.power)), lost, of, language)

    @classmethod
    def fits(cls) -> tuple[tuple[Self, Fit], ...]:
        # The powers that schedules in use have, the most usual first.
        return tuple((cls(power), Fit(4, _PowerFit(power), ends=True)) for power in (2.0, 0.9, 3.0, 1.5, 4.0))

    @classmethod
    def rare_fits(cls) -> tuple[tuple[Self, Fit], ...]:
        return ((cls(0.5), Fit(4, None, ends=True)),)


class _PowerFit(BentFit):
    """c + a left**power; theta is how far after the last row nothing is left."""

    def __init__(self, power: float) -> None:
        self._power = power

    def columns(self, t: Any, theta: Any) -> Any:
        import numpy as np

        t, theta = np.broadcast_arrays(t, theta)
        return np.stack([np.ones_like(t), np.maximum(1.0 + theta - t, 0.0) ** self._power], axis=-1)

    def ends(self, theta: float, coefficients: Any) -> tuple[None, float]:
        return None, 1.0 + theta


@constructor_of(Polynomial)
def polynomial(
    duration: DurationLike = "rest",
    *,
    to: float,
    start: float | None = None,
    power: float = 2.0,
    warp: float = 1.0,
    endpoint: bool = False,
    until: DurationLike | None = None,
) -> Phase:
    """A power of the part that remains: e + (s - e) (1 - u ** warp) ** power.

    `power=1` is `linear`; PyTorch 2.13's PolynomialLR and Keras 3's PolynomialDecay have this curve.

    Args:
        duration: how long, in steps (500) or as "10ep", "5%", "2e8sp", "375Mtok" or "rest".
        to: the value e that the phase ends at, >= 0.
        start: the value s of its first step, >= 0; where the last phase ended if None.
        power: the exponent, > 0 and at most 1000.
        warp: an exponent of the time, > 0 and at most 1000 (the k of k-decay, arXiv 2004.05909).
        endpoint: True: the last step uses `to` exactly; False: the step after it does.
        until: the position that the phase ends at, in place of a duration: "260Btok" from the start of the run, inside
            a section from the start of its clock.

    Raises:
        ScheduleError: a value or an exponent out of range, or a duration with an unknown unit.
        ArgumentTypeError: a value that is not a number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.polynomial(4, start=1.0, to=0.0, power=2)).plan()
        >>> [plan(t) for t in range(6)]
        [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]
    """
    curve = Polynomial(read_above(power, "power", 0, 1000), read_above(warp, "warp", 0, 1000))
    return new_phase(curve, duration, start, read_rate(to, "to"), endpoint, until)
