"""A constant factor for each step."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, Self

from kosine._core.arguments import read_above
from kosine._core.code import Formula, Language, Operands, power, real
from kosine._core.curve import Curve, Form, Operations
from kosine._core.curves._registry import constructor_of
from kosine._core.curves._weights import (
    DECIMAL,
    exponential_weight,
    lower_end,
    one_over,
    over_timescale,
    read_timescale,
    timescale_steps,
)
from kosine._core.durations import Duration, DurationLike, TimeFactor
from kosine._core.fit import Fit, StraightFit
from kosine._core.phase import Phase, new_phase
from kosine.errors import ScheduleError


@dataclass(frozen=True, slots=True)
class Exponential(Curve):
    name: ClassVar[str] = "exponential"
    factor: float | None = None
    timescale: Duration | None = None
    base: float | None = None

    @property
    def needs_span(self) -> bool:
        return self.factor is None or self.factor > 1

    def check(self, start: float, end: float | None) -> None:
        if self.factor is not None or self.base is not None:
            return
        if start == 0 or end == 0:
            raise ScheduleError(
                "`exponential` multiplies by the same factor at every step, so it neither leaves nor reaches 0: "
                "`start` and `to` must be > 0.",
                received={"start": start, "to": end},
                fix="Give it a small value instead, a `base`, or use `cosine` or `linear` to reach 0.",
            )
        if end is not None and max(start / 1e30, end / 1e30) > min(start, end):
            raise ScheduleError(
                "`exponential` rises or falls by a factor of at most 1e30, which float32 can hold.",
                received={"start": start, "to": end},
            )

    def end(self, start: float, to: float | None, steps: Fraction | None) -> float:
        if self.factor is None or not start:
            return Curve.end(self, start, to, steps)  # super() is unknown in a class rebuilt with slots
        rate = self._rate()
        if steps is None:
            return 0.0 if rate < 0 else start
        if steps * rate > _LARGEST_GROWTH:
            raise ScheduleError(
                "`exponential` rises by a factor of at most 1e30, which float32 can hold.",
                received={"factor": self.factor, "steps": float(steps)},
            )
        growth = DECIMAL.exp(DECIMAL.divide(Decimal((steps * rate).numerator), Decimal((steps * rate).denominator)))
        end = float(DECIMAL.multiply(Decimal(start), growth))
        if math.isinf(end):
            raise ScheduleError(
                "`exponential` must end at a finite learning rate.",
                received={"start": start, "factor": self.factor, "steps": float(steps)},
            )
        return end

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        if self.base is not None:
            scale, falls = _logarithm(self.base), start > end
            weight = self._falling if falls else self._rising
            kind = ("exponential", self.base, falls)
            return Form(
                kind,
                weight,
                scale * one_over(span),
                lower_end(start, end),
                "split" if falls else "distance",
                max(start, end),
                min(start, end),
            )
        ratio = (_logarithm(end) - _logarithm(start)) * one_over(span) if self.factor is None else self._rate()
        return Form("exponential", exponential_weight, ratio, "start", "split", start, 0.0)

    def scaled_in_time(self, factor: TimeFactor) -> Self:
        timed = self
        if self.factor is not None and self.timescale is None and factor.clock != 1:  # the factor of one step
            timed = replace(self, timescale=Duration.read(1))
        return Curve.scaled_in_time(timed, factor)

    def _rate(self) -> Fraction:
        assert self.factor is not None
        return _logarithm(self.factor) / timescale_steps(self.timescale)

    def _falling(self, ops: Operations) -> Callable[[Any, Any], Any]:
        assert self.base is not None
        expm1, above_one = ops.expm1, self.base - 1

        def weight(coarse: Any, fine: Any) -> Any:
            most = expm1(coarse)
            return (most + (most + 1.0) * expm1(fine)) / above_one

        return weight

    def _rising(self, ops: Operations) -> Callable[[Any], Any]:
        assert self.base is not None
        expm1, share = ops.expm1, self.base / (self.base - 1)
        return lambda distance: -expm1(-distance) * share

    @property
    def keeps_pace(self) -> bool:
        return self.factor is not None

    def is_flat(self, start: float, to: float) -> bool:
        return self.factor == 1 or Curve.is_flat(self, start, to)

    def code(self, of: Operands, language: Language) -> Formula:
        if self.base is not None:
            return Formula(of.weighed(), _code_with_base(self.base, of, language))
        if self.factor is None:
            steps = of.left if of.rises else of.done
            return Formula(f"{of.high} * {{}}", f"({of.low} / {of.high}) ** ({steps} / {of.span})")
        factor, per_timescale = real(self.factor), over_timescale(self.timescale)

        def growth(steps: str) -> str:
            return power(factor, f"({steps}{per_timescale})" if per_timescale else steps)

        if not language.single:
            return Formula(f"{of.start} * {{}}", growth(of.done))
        # In float32 the logarithm is rounded once; a factor near 1 would lose most of its digits.
        rate = f"log({factor}){per_timescale}"
        if not of.rises:
            return Formula(f"{of.start} * {{}}", language.call("exp", f"{rate} * {of.done}"))
        return Formula(f"{of.start} * {growth(of.span)} * {{}}", language.call("exp", f"-{rate} * {of.left}"))

    @classmethod
    def fits(cls) -> tuple[tuple[Self, Fit], ...]:
        import numpy as np

        return ((cls(), Fit(3, StraightFit(np.log, lambda y: y, np.exp), positive=True)),)

    @classmethod
    def rare_fits(cls) -> tuple[tuple[Self, Fit], ...]:
        return ((cls(base=2.0), Fit(4, None, begins=True, ends=True)),)


def _code_with_base(base: float, of: Operands, language: Language) -> str:
    """(base ** (1 - u) - 1) / (base - 1)."""
    logarithm = f"log({real(base)}) / {of.span}"
    weight = language.call("expm1", f"{logarithm} * {of.left}")
    weight = weight if base == 2 else f"{weight} / {real(base - 1)}"
    if not language.single:
        return weight
    # In float32 a weight near 1 is taken from what is lost of it, which has more digits there.
    lost = f"1 + {real(base / (base - 1))} * {language.call('expm1', f'-{logarithm} * {of.done}')}"
    return language.where(f"{of.done} < {of.left}", lost, weight)


_LARGEST_GROWTH = 30 * math.log(10)


def _logarithm(value: float) -> Fraction:
    return Fraction(DECIMAL.ln(Decimal(value)))


@constructor_of(Exponential)
def exponential(
    duration: DurationLike = "rest",
    *,
    to: float | None = None,
    start: float | None = None,
    factor: float | None = None,
    timescale: DurationLike | None = None,
    base: float | None = None,
    endpoint: bool = False,
    until: DurationLike | None = None,
) -> Phase:
    """The same factor at every step: s (e / s) ** u, or s factor ** (t / timescale).

    With a `base` the curve is e + (s - e) (base ** (1 - u) - 1) / (base - 1): an exponential that reaches its end
    value, which may be 0, with the slope of its start divided by the base.

    Args:
        duration: how long, in steps (500) or as "10ep", "5%", "2e8sp", "375Mtok" or "rest".
        to: the value e that the phase ends at, > 0. Exactly one of `to` and `factor` is given.
        start: the value s of its first step, > 0; where the last phase ended if None.
        factor: what the value is multiplied with in each timescale, > 0 and at most 1e30; up to 1 the phase can last
            for ever.
        timescale: the duration of the factor; one step if None.
        base: with `to`: how many times steeper the start is than the end, > 1 and at most 1e30.
        endpoint: True: the last step uses `to` exactly; False: the step after it does.
        until: the position that the phase ends at, in place of a duration: "260Btok" from the start of the run, inside
            a section from the start of its clock.

    Raises:
        ScheduleError: both or none of `to` and `factor`, a value out of range, or a duration with an unknown unit.
        ArgumentTypeError: a value that is not a number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.exponential(3, start=1.0, to=0.001)).plan()
        >>> [round(plan(t), 9) for t in range(5)]
        [1.0, 0.1, 0.01, 0.001, 0.001]
        >>> plan = ks.Schedule(ks.exponential(start=1.0, factor=0.5, timescale=10)).plan()
        >>> plan(10), plan(30)
        (0.5, 0.125)
    """
    if (to is None) == (factor is None):
        raise ScheduleError(
            "`exponential` takes exactly one of the arguments `to` and `factor`.",
            received={"to": to, "factor": factor},
        )
    if factor is None and timescale is not None:
        raise ScheduleError(
            "Argument `timescale` of `exponential` says how long one `factor` lasts, so it needs one.",
            received={"timescale": timescale, "factor": None},
        )
    if factor is not None and base is not None:
        raise ScheduleError(
            "Argument `base` of `exponential` bends the way to an end value, so it needs `to`.",
            received={"base": base, "to": None},
        )
    curve = Exponential(
        None if factor is None else read_above(factor, "factor", 0, 1e30),
        read_timescale(timescale),
        None if base is None else read_above(base, "base", 1, 1e30),
    )
    return new_phase(curve, duration, start, to, endpoint, until)
