"""The inverse of the time, and of its square root."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Self

from kosine._core.code import Formula, Language, Operands
from kosine._core.curve import Curve, Form, Operations
from kosine._core.curves._registry import constructor_of
from kosine._core.curves._weights import one_over, over_timescale, read_timescale, timescale_steps
from kosine._core.durations import Duration, DurationLike
from kosine._core.fit import Fit, StraightFit
from kosine._core.phase import Phase, new_phase
from kosine.errors import ScheduleError


@dataclass(frozen=True, slots=True)
class InversePower(Curve):
    """One over a power of 1 + t / timescale."""

    timescale: Duration | None = None
    power: ClassVar[int]
    """The value's power that falls as one over 1 + t / timescale."""

    @property
    def needs_span(self) -> bool:
        return self.timescale is None

    def check(self, start: float, end: float | None) -> None:
        if self.timescale is None and (end == 0 or (end is not None and start < end)):
            raise ScheduleError(
                f"`{self.name}` only falls, and never reaches 0: `to` must be > 0 and at most `start`.",
                received={"start": start, "to": end},
                fix="Use `linear` to rise, or `cosine` to reach 0.",
            )
        if self.timescale is None and end is not None and start / 1e15 > end:
            raise ScheduleError(
                f"`{self.name}` falls to no less than 1e-15 of `start`, whose square float32 can hold.",
                received={"start": start, "to": end},
                fix="Use `exponential` to fall further.",
            )

    def end(self, start: float, to: float | None, steps: Fraction | None) -> float:
        if self.timescale is None:
            return Curve.end(self, start, to, steps)  # super() is unknown in a class rebuilt with slots
        if steps is None:
            return 0.0
        return start / math.pow(1 + steps / timescale_steps(self.timescale), 1 / self.power)

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        if self.timescale is None:
            ratio = ((Fraction(start) / Fraction(end)) ** self.power - 1) * one_over(span)
        else:
            ratio = 1 / timescale_steps(self.timescale)
        return Form(self.name, self.weight, ratio, "start", "distance", start, 0.0)

    @property
    def keeps_pace(self) -> bool:
        return self.timescale is not None

    def code(self, of: Operands, language: Language) -> Formula:
        excess = f"{of.done}{over_timescale(self.timescale)}"
        if self.timescale is None:
            ratio = f"({of.start} / {of.to}) ** 2" if self.power == 2 else f"{of.start} / {of.to}"
            excess = f"({ratio} - 1) * {of.done} / {of.span}"
        below = language.call("sqrt", "1 + {}") if self.power == 2 else "(1 + {})"
        return Formula(f"{of.start} / {below}", excess, "excess")

    @staticmethod
    @abstractmethod
    def weight(ops: Operations) -> Callable[[Any], Any]:
        """The curve from 1 down, as a function of t / timescale."""


@dataclass(frozen=True, slots=True)
class InverseSqrt(InversePower):
    name: ClassVar[str] = "inverse_sqrt"
    power: ClassVar[int] = 2

    @staticmethod
    def weight(ops: Operations) -> Callable[[Any], Any]:
        sqrt = ops.sqrt
        return lambda distance: 1.0 / sqrt(1.0 + distance)

    @classmethod
    def fits(cls) -> tuple[tuple[Self, Fit], ...]:
        straight = StraightFit(lambda y: y**-2, lambda y: y**3 / 2, lambda z: _positive(z) ** -0.5)
        return ((cls(), Fit(3, straight, positive=True, endless_power=cls.power)),)


@dataclass(frozen=True, slots=True)
class InverseTime(InversePower):
    name: ClassVar[str] = "inverse_time"
    power: ClassVar[int] = 1

    @staticmethod
    def weight(ops: Operations) -> Callable[[Any], Any]:
        return lambda distance: 1.0 / (1.0 + distance)

    @classmethod
    def fits(cls) -> tuple[tuple[Self, Fit], ...]:
        straight = StraightFit(lambda y: 1 / y, lambda y: y**2, lambda z: 1 / _positive(z))
        return ((cls(), Fit(3, straight, positive=True, endless_power=cls.power)),)


def _positive(z: Any) -> Any:
    import numpy as np

    return np.maximum(z, 1e-300)


def _inverse(
    curve: type[InversePower],
    duration: DurationLike,
    to: float | None,
    start: float | None,
    timescale: DurationLike | None,
    endpoint: bool,
    until: DurationLike | None,
) -> Phase:
    if (to is None) == (timescale is None):
        raise ScheduleError(
            f"`{curve.name}` takes exactly one of the arguments `to` and `timescale`.",
            received={"to": to, "timescale": timescale},
        )
    return new_phase(curve(read_timescale(timescale)), duration, start, to, endpoint, until)


@constructor_of(InverseSqrt)
def inverse_sqrt(
    duration: DurationLike = "rest",
    *,
    to: float | None = None,
    start: float | None = None,
    timescale: DurationLike | None = None,
    endpoint: bool = False,
    until: DurationLike | None = None,
) -> Phase:
    """One over the square root of a count of steps: s / sqrt(1 + t / timescale).

    This is the decay of "Attention is all you need" (arXiv 1706.03762, equation 3); there the timescale is the
    warm-up. Given `to` instead, the timescale is the one that reaches `to` after n steps: n / ((s / e)**2 - 1).

    Args:
        duration: how long, in steps (500) or as "10ep", "5%", "2e8sp", "375Mtok" or "rest".
        to: the value e that the phase ends at, 0 < e <= s. Exactly one of `to` and `timescale` is given.
        start: the value s of its first step, >= 0; where the last phase ended if None.
        timescale: a duration; after it the value has fallen to s / sqrt(2).
        endpoint: True: the last step uses the end value exactly; False: the step after it does.
        until: the position that the phase ends at, in place of a duration: "260Btok" from the start of the run, inside
            a section from the start of its clock.

    Raises:
        ScheduleError: both or none of `to` and `timescale`, a rise, or a duration with an unknown unit.
        ArgumentTypeError: a value that is not a number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.inverse_sqrt(start=1.0, timescale=100)).plan(total_steps=1000)
        >>> plan(0), plan(300)
        (1.0, 0.5)
    """
    return _inverse(InverseSqrt, duration, to, start, timescale, endpoint, until)


@constructor_of(InverseTime)
def inverse_time(
    duration: DurationLike = "rest",
    *,
    to: float | None = None,
    start: float | None = None,
    timescale: DurationLike | None = None,
    endpoint: bool = False,
    until: DurationLike | None = None,
) -> Phase:
    """One over a count of steps: s / (1 + t / timescale).

    Keras 3's InverseTimeDecay is this curve with the timescale `decay_steps / decay_rate`. Given `to` instead, the
    timescale is the one that reaches `to` after n steps: n / (s / e - 1).

    Args:
        duration: how long, in steps (500) or as "10ep", "5%", "2e8sp", "375Mtok" or "rest".
        to: the value e that the phase ends at, 0 < e <= s. Exactly one of `to` and `timescale` is given.
        start: the value s of its first step, >= 0; where the last phase ended if None.
        timescale: a duration; after it the value has fallen to s / 2.
        endpoint: True: the last step uses the end value exactly; False: the step after it does.
        until: the position that the phase ends at, in place of a duration: "260Btok" from the start of the run, inside
            a section from the start of its clock.

    Raises:
        ScheduleError: both or none of `to` and `timescale`, a rise, or a duration with an unknown unit.
        ArgumentTypeError: a value that is not a number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.inverse_time(start=1.0, timescale=100)).plan(total_steps=1000)
        >>> plan(0), plan(100), plan(300)
        (1.0, 0.5, 0.25)
    """
    return _inverse(InverseTime, duration, to, start, timescale, endpoint, until)
