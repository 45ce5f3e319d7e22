"""The curves: each is one formula and one phase constructor, and both stand here, once.

A formula gives the weight of the phase's higher value from a distance, so that no difference of nearly equal
numbers is ever formed: the last steps of a decay to 0 keep all their digits (`phases.Form`). It is written
against a handful of operations, so the host in float64 and a traced graph in float32 run the same one.

In the formulas below a phase of n steps goes from s = `start` to e = `to`, u = t/n, and t = 0 is its first step.
With `endpoint=True` u = t/(n - 1), so that the last step is at e; t = n and later is e always.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, ClassVar, Literal

from kosine.durations import Duration, DurationLike, RunSize
from kosine.errors import ScheduleError, shown
from kosine.phases import Curve, Form, Operations, Phase, read_flag, read_number, read_rate

__all__ = [
    "cosine",
    "exponential",
    "hold",
    "inverse_sqrt",
    "inverse_time",
    "linear",
    "one_minus_sqrt",
    "polynomial",
    "tanh",
]

_HALF_PI = Fraction("1.57079632679489661923132169163975144209858469968755291048747")
_DECIMAL = Context(prec=40)


def _phase(curve: Curve, duration: DurationLike, start: float | None, to: float | None, endpoint: bool) -> Phase:
    return Phase(
        curve,
        Duration.read(duration),
        None if start is None else read_rate(start, "start"),
        None if to is None else read_rate(to, "to"),
        read_flag(endpoint, "endpoint"),
    )


def _towards_end(start: float, end: float) -> Literal["start", "end"]:
    """The end of the phase at which its lower value stands: the place to count from."""
    return "end" if start > end else "start"


def _one(span: Fraction | None) -> Fraction:
    assert span is not None
    return 1 / span


def _read_range(value: float, argument: str, low: float, high: float) -> float:
    rule = f"a number > {low:g} and at most {high:g}"
    number = read_number(value, argument, rule)
    if not low < number <= high:
        raise ScheduleError(f"Argument `{argument}` must be {rule}. Received: {argument}={shown(value)}.")
    return number


def _remaining(ops: Operations, warp: float) -> Callable[[Any, Any], Any]:
    """1 - u ** warp from what is left, 1 - u, and what is done, u."""
    expm1, log, log1p, where = ops.expm1, ops.log, ops.log1p, ops.where

    def remaining(left: Any, done: Any) -> Any:
        near = left < done  # the logarithm of what is done, from the smaller of the two; the other addend is 0
        logarithm = log1p(-where(near, left, 0.0)) + log(where(near, 1.0, where(done > 0.0, done, 1.0)))
        return where(done > 0.0, -expm1(warp * logarithm), 1.0)

    return remaining


def _rising_power(ops: Operations, exponent: float) -> Callable[[Any, Any], Any]:
    """1 - left ** exponent from left and done, where left + done = 1."""
    expm1, log, log1p, where = ops.expm1, ops.log, ops.log1p, ops.where

    def weight(left: Any, done: Any) -> Any:
        near = done < left
        logarithm = log1p(-where(near, done, 0.0)) + log(where(near, 1.0, where(left > 0.0, left, 1.0)))
        return where(left > 0.0, -expm1(exponent * logarithm), 1.0)

    return weight


# --- linear -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Linear(Curve):
    name: ClassVar[str] = "linear"

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        origin = _towards_end(start, end)
        return Form("linear", _linear, _one(span), origin, "distance", max(start, end), min(start, end))


def _linear(ops: Operations) -> Callable[[Any], Any]:
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
    return _phase(Linear(), duration, start, read_rate(to, "to"), endpoint)


# --- cosine -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cosine(Curve):
    name: ClassVar[str] = "cosine"
    power: float = 1.0
    warp: float = 1.0

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        origin = _towards_end(start, end)
        if self.power == self.warp == 1:
            return Form("cosine", _cosine, _HALF_PI * _one(span), origin, "distance", max(start, end), min(start, end))
        kind = ("cosine", self.power, self.warp, origin)
        weight = self._falling if origin == "end" else self._rising
        return Form(kind, weight, _one(span), "end", "both", max(start, end), min(start, end))

    def _falling(self, ops: Operations) -> Callable[[Any, Any], Any]:
        plain, remaining, power, exponent = _cosine(ops), _remaining(ops, self.warp), ops.power, self.power
        return lambda left, done: power(plain(math.pi / 2 * remaining(left, done)), exponent)

    def _rising(self, ops: Operations) -> Callable[[Any, Any], Any]:
        plain, remaining, power, warp = _cosine(ops), _remaining(ops, self.warp), ops.power, self.warp
        risen = _rising_power(ops, self.power)
        return lambda left, done: risen(
            plain(math.pi / 2 * remaining(left, done)), plain(math.pi / 2 * power(done, warp))
        )


def _cosine(ops: Operations) -> Callable[[Any], Any]:
    sin = ops.sin

    def weight(angle: Any) -> Any:
        sine = sin(angle)
        return sine * sine

    return weight


def cosine(
    duration: DurationLike = "rest",
    *,
    to: float,
    start: float | None = None,
    power: float = 1.0,
    warp: float = 1.0,
    endpoint: bool = False,
) -> Phase:
    """Half a cosine wave: e + (s - e) (1 + cos(pi u)) / 2, the annealing of SGDR (arXiv 1608.03983, equation 5).

    It is computed as e + (s - e) sin(pi (1 - u) / 2) ** 2, which is the same curve and does not cancel to 0 near
    its end. With `power` and `warp` the curve is e + (s - e) ((1 + cos(pi u ** warp)) / 2) ** power.

    Args:
        duration: how long, in steps (500) or as "10ep", "5%", "2e8sp", "375Mtok" or "rest".
        to: the value e that the phase ends at, >= 0.
        start: the value s of its first step, >= 0; where the last phase ended if None.
        power: an exponent of the wave, > 0 and at most 1000 (optax 0.2.8 calls it `exponent`).
        warp: an exponent of the time, > 0 and at most 1000; above 1 the fall begins later (the k of k-decay,
            arXiv 2004.05909).
        endpoint: True: the last step uses `to` exactly; False: the step after it does.

    Raises:
        ScheduleError: a negative or non-finite value, an exponent outside (0, 1000], or a duration with an
            unknown unit.
        ArgumentTypeError: a value that is no number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.cosine(4, start=1.0, to=0.0)).plan()
        >>> [round(plan(t), 4) for t in range(6)]
        [1.0, 0.8536, 0.5, 0.1464, 0.0, 0.0]
    """
    curve = Cosine(_read_range(power, "power", 0, 1000), _read_range(warp, "warp", 0, 1000))
    return _phase(curve, duration, start, read_rate(to, "to"), endpoint)


# --- hold -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hold(Curve):
    name: ClassVar[str] = "hold"
    keeps_value: ClassVar[bool] = True

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        return Form("linear", _linear, Fraction(0), "start", "distance", start, start)  # a line that does not move

    @property
    def needs_span(self) -> bool:
        return False


def hold(
    duration: DurationLike = "rest", *, to: float | None = None, start: float | None = None, endpoint: bool = False
) -> Phase:
    """A constant value.

    Args:
        duration: how long, in steps (500) or as "10ep", "5%", "2e8sp", "375Mtok" or "rest".
        to: another name for the value, as the other curves call it.
        start: the value, >= 0; where the last phase ended if None.
        endpoint: changes nothing: every step has the value; it stands here because every curve has it.

    Raises:
        ScheduleError: a negative or non-finite value, an unknown unit, or a `to` that is not `start`.
        ArgumentTypeError: a value that is no number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.hold(100, start=3e-4)).plan()
        >>> plan(0), plan(99), plan(100)
        (0.0003, 0.0003, 0.0003)
    """
    value = None if to is None else read_rate(to, "to")
    if start is not None and value is not None and read_rate(start, "start") != value:
        raise ScheduleError(
            f"Argument `to` of `hold` must equal `start`: a hold has one value. "
            f"Received: start={shown(start)}, to={shown(to)}. Use `linear` to go from one to the other."
        )
    read_flag(endpoint, "endpoint")
    return _phase(Hold(), duration, value if start is None else start, None, False)


# --- polynomial -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Polynomial(Curve):
    name: ClassVar[str] = "polynomial"
    power: float
    warp: float = 1.0

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        top, bottom, origin = max(start, end), min(start, end), _towards_end(start, end)
        kind = ("polynomial", self.power, self.warp, origin)
        if self.warp != 1:
            weight = self._warped_falling if origin == "end" else self._warped_rising
            return Form(kind, weight, _one(span), "end", "both", top, bottom)
        if origin == "end":
            return Form(kind, self._falling, _one(span), origin, "split", top, bottom)
        return Form(kind, self._rising, _one(span), "end", "both", top, bottom)

    def _falling(self, ops: Operations) -> Callable[[Any, Any], Any]:
        power, exp, log1p, exponent = ops.power, ops.exp, ops.log1p, self.power

        def weight(coarse: Any, fine: Any) -> Any:
            base = coarse + fine
            lost = coarse - base + fine  # the exponent multiplies an error of the base, so its rounding is made good
            return power(base, exponent) * exp(exponent * log1p(lost / base))

        return weight

    def _rising(self, ops: Operations) -> Callable[[Any, Any], Any]:
        return _rising_power(ops, self.power)

    def _warped_falling(self, ops: Operations) -> Callable[[Any, Any], Any]:
        remaining, power, exponent = _remaining(ops, self.warp), ops.power, self.power
        return lambda left, done: power(remaining(left, done), exponent)

    def _warped_rising(self, ops: Operations) -> Callable[[Any, Any], Any]:
        remaining, risen, power, warp = _remaining(ops, self.warp), self._rising(ops), ops.power, self.warp
        return lambda left, done: risen(remaining(left, done), power(done, warp))


def polynomial(
    duration: DurationLike = "rest",
    *,
    to: float,
    start: float | None = None,
    power: float = 2.0,
    warp: float = 1.0,
    endpoint: bool = False,
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

    Raises:
        ScheduleError: a negative or non-finite value, an exponent outside (0, 1000], or a duration with an
            unknown unit.
        ArgumentTypeError: a value that is no number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.polynomial(4, start=1.0, to=0.0, power=2)).plan()
        >>> [plan(t) for t in range(6)]
        [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]
    """
    curve = Polynomial(_read_range(power, "power", 0, 1000), _read_range(warp, "warp", 0, 1000))
    return _phase(curve, duration, start, read_rate(to, "to"), endpoint)


# --- exponential ------------------------------------------------------------------------------------------------


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
                f"`start` and `to` must be > 0. Received: start={start!r}, to={end!r}. "
                "Give it a small value instead, a `base`, or use `cosine` or `linear` to reach 0."
            )
        if end is not None and max(start / 1e30, end / 1e30) > min(start, end):
            raise ScheduleError(
                "`exponential` rises or falls by a factor of at most 1e30, which float32 can hold. "
                f"Received: start={start!r}, to={end!r}."
            )

    def end(self, start: float, to: float | None, steps: Fraction | None) -> float:
        if self.factor is None or not start:
            return Curve.end(self, start, to, steps)  # super() is unknown in a class rebuilt with slots
        rate = self._rate()
        if steps is None:
            return 0.0 if rate < 0 else start
        if steps * rate > _LARGEST_GROWTH:
            raise ScheduleError(
                "`exponential` rises by a factor of at most 1e30, which float32 can hold. "
                f"Received: factor={self.factor!r} over {float(steps):.6g} steps."
            )
        growth = _DECIMAL.exp(_DECIMAL.divide(Decimal((steps * rate).numerator), Decimal((steps * rate).denominator)))
        end = float(_DECIMAL.multiply(Decimal(start), growth))
        if math.isinf(end):
            raise ScheduleError(
                f"`exponential` must end at a finite learning rate. Received: start={start!r}, factor={self.factor!r} "
                f"over {float(steps):.6g} steps."
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
                scale * _one(span),
                _towards_end(start, end),
                "split" if falls else "distance",
                max(start, end),
                min(start, end),
            )
        ratio = (_logarithm(end) - _logarithm(start)) * _one(span) if self.factor is None else self._rate()
        return Form("exponential", _exponential, ratio, "start", "split", start, 0.0)

    def _rate(self) -> Fraction:
        assert self.factor is not None
        return _logarithm(self.factor) / (1 if self.timescale is None else self.timescale.steps(RunSize()))

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


_LARGEST_GROWTH = 30 * math.log(10)


def _logarithm(value: float) -> Fraction:
    return Fraction(_DECIMAL.ln(Decimal(value)))


def _exponential(ops: Operations) -> Callable[[Any, Any], Any]:
    exp, expm1, where = ops.exp, ops.expm1, ops.where

    def weight(coarse: Any, fine: Any) -> Any:
        # Not exp(coarse) * exp(fine): XLA rewrites that to exp(coarse + fine), which loses what the split has won.
        power = exp(coarse)
        return power + power * expm1(where(power > 0.0, fine, 0.0))  # far out `fine` is not small

    return weight


def exponential(
    duration: DurationLike = "rest",
    *,
    to: float | None = None,
    start: float | None = None,
    factor: float | None = None,
    timescale: DurationLike | None = None,
    base: float | None = None,
    endpoint: bool = False,
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

    Raises:
        ScheduleError: both or none of `to` and `factor`, a value that is not positive and finite, a rise by more than
            1e30, or a duration with an unknown unit.
        ArgumentTypeError: a value that is no number.

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
            "`exponential` takes exactly one of the arguments `to` and `factor`. "
            f"Received: to={shown(to)}, factor={shown(factor)}."
        )
    if factor is None and timescale is not None:
        raise ScheduleError(
            "Argument `timescale` of `exponential` says how long one `factor` lasts, so it needs one. "
            f"Received: timescale={shown(timescale)}, factor=None."
        )
    if factor is not None and base is not None:
        raise ScheduleError(
            "Argument `base` of `exponential` bends the way to an end value, so it needs `to`. "
            f"Received: base={shown(base)}, to=None."
        )
    curve = Exponential(
        None if factor is None else _read_range(factor, "factor", 0, 1e30),
        _read_timescale(timescale),
        None if base is None else _read_range(base, "base", 1, 1e30),
    )
    return _phase(curve, duration, start, to, endpoint)


def _read_timescale(timescale: DurationLike | None) -> Duration | None:
    scale = None if timescale is None else Duration.read(timescale, "timescale")
    if scale is not None and not scale.amount:
        raise ScheduleError(
            "Argument `timescale` must be a positive duration that does not depend on the other phases. "
            f"Received: timescale={shown(timescale)}."
        )
    return scale


# --- inverse_sqrt and inverse_time ------------------------------------------------------------------------------


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
                f"`{self.name}` only falls, and never reaches 0: `to` must be > 0 and at most `start`. "
                f"Received: start={start!r}, to={end!r}. Use `linear` to rise, or `cosine` to reach 0."
            )
        if self.timescale is None and end is not None and start / 1e15 > end:
            raise ScheduleError(
                f"`{self.name}` falls to no less than 1e-15 of `start`, whose square float32 can hold. "
                f"Received: start={start!r}, to={end!r}. Use `exponential` to fall further."
            )

    def end(self, start: float, to: float | None, steps: Fraction | None) -> float:
        if self.timescale is None:
            return Curve.end(self, start, to, steps)  # super() is unknown in a class rebuilt with slots
        if steps is None:
            return 0.0
        return start / math.pow(1 + steps / self.timescale.steps(RunSize()), 1 / self.power)

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        if self.timescale is None:
            ratio = ((Fraction(start) / Fraction(end)) ** self.power - 1) * _one(span)
        else:
            ratio = 1 / self.timescale.steps(RunSize())
        return Form(self.name, self.weight, ratio, "start", "distance", start, 0.0)

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


@dataclass(frozen=True, slots=True)
class InverseTime(InversePower):
    name: ClassVar[str] = "inverse_time"
    power: ClassVar[int] = 1

    @staticmethod
    def weight(ops: Operations) -> Callable[[Any], Any]:
        return lambda distance: 1.0 / (1.0 + distance)


def inverse_sqrt(
    duration: DurationLike = "rest",
    *,
    to: float | None = None,
    start: float | None = None,
    timescale: DurationLike | None = None,
    endpoint: bool = False,
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

    Raises:
        ScheduleError: both or none of `to` and `timescale`, a curve that would rise, a negative or non-finite
            value, or a duration with an unknown unit.
        ArgumentTypeError: a value that is no number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.inverse_sqrt(start=1.0, timescale=100)).plan(total_steps=1000)
        >>> plan(0), plan(300)
        (1.0, 0.5)
    """
    return _inverse(InverseSqrt, duration, to, start, timescale, endpoint)


def inverse_time(
    duration: DurationLike = "rest",
    *,
    to: float | None = None,
    start: float | None = None,
    timescale: DurationLike | None = None,
    endpoint: bool = False,
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

    Raises:
        ScheduleError: both or none of `to` and `timescale`, a curve that would rise, a negative or non-finite
            value, or a duration with an unknown unit.
        ArgumentTypeError: a value that is no number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.inverse_time(start=1.0, timescale=100)).plan(total_steps=1000)
        >>> plan(0), plan(100), plan(300)
        (1.0, 0.5, 0.25)
    """
    return _inverse(InverseTime, duration, to, start, timescale, endpoint)


def _inverse(
    curve: type[InversePower],
    duration: DurationLike,
    to: float | None,
    start: float | None,
    timescale: DurationLike | None,
    endpoint: bool,
) -> Phase:
    if (to is None) == (timescale is None):
        raise ScheduleError(
            f"`{curve.name}` takes exactly one of the arguments `to` and `timescale`. "
            f"Received: to={shown(to)}, timescale={shown(timescale)}."
        )
    return _phase(curve(_read_timescale(timescale)), duration, start, to, endpoint)


# --- one_minus_sqrt ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OneMinusSqrt(Curve):
    name: ClassVar[str] = "one_minus_sqrt"

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        if start > end:
            return Form("one_minus_sqrt", _one_minus_sqrt, _one(span), "end", "both", start, end)
        return Form("sqrt", _sqrt, _one(span), "start", "distance", end, start)


def _one_minus_sqrt(ops: Operations) -> Callable[[Any, Any], Any]:
    sqrt = ops.sqrt
    return lambda left, done: left / (1.0 + sqrt(done))


def _sqrt(ops: Operations) -> Callable[[Any], Any]:
    return ops.sqrt


def one_minus_sqrt(
    duration: DurationLike = "rest", *, to: float, start: float | None = None, endpoint: bool = False
) -> Phase:
    """A fall that is steep at first: e + (s - e) (1 - sqrt(u)), the best cooldown of arXiv 2405.18392.

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
        >>> plan = ks.Schedule(ks.one_minus_sqrt(100, start=1.0, to=0.0)).plan()
        >>> plan(0), plan(25), plan(100)
        (1.0, 0.5, 0.0)
    """
    return _phase(OneMinusSqrt(), duration, start, read_rate(to, "to"), endpoint)


# --- tanh -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tanh(Curve):
    name: ClassVar[str] = "tanh"
    lower: float = -7.0
    upper: float = 3.0

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        ratio = -2 * (Fraction(self.upper) - Fraction(self.lower)) * _one(span)
        origin = _towards_end(start, end)
        # Counted from where the weight is small: there it needs its digits.
        scale = math.exp(2 * self.upper if origin == "end" else -2 * self.lower)
        kind = ("tanh", scale)
        return Form(kind, _tanh(scale), ratio, origin, "split", max(start, end), min(start, end))


def _tanh(scale: float) -> Callable[[Operations], Callable[[Any, Any], Any]]:
    def bound(ops: Operations) -> Callable[[Any, Any], Any]:
        power = _exponential(ops)
        return lambda coarse, fine: 1.0 / (1.0 + scale * power(coarse, fine))

    return bound


def tanh(
    duration: DurationLike = "rest",
    *,
    to: float,
    start: float | None = None,
    lower: float = -7.0,
    upper: float = 3.0,
    endpoint: bool = False,
) -> Phase:
    """A hyperbolic tangent: e + (s - e) (1 - tanh(lower (1 - u) + upper u)) / 2 (arXiv 1806.01593).

    It begins and ends near its two values, not at them: at (1 - tanh(lower)) / 2 of the way from e to s, and at
    (1 - tanh(upper)) / 2 of it. timm 1.0's TanhLRScheduler has this curve and these bounds.

    Args:
        duration: how long, in steps (500) or as "10ep", "5%", "2e8sp", "375Mtok" or "rest".
        to: the value e that the phase ends near, >= 0, and that stands after it.
        start: the value s near which it begins, >= 0; where the last phase ended if None.
        lower: the tangent's argument at the start, between -20 and 20.
        upper: the tangent's argument at the end, above `lower` and at most 20.
        endpoint: True: the last step uses `to` exactly; False: the step after it does.

    Raises:
        ScheduleError: a negative or non-finite value, bounds out of order or out of range, or a duration with an
            unknown unit.
        ArgumentTypeError: a value that is no number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.tanh(10, start=1.0, to=0.0)).plan()
        >>> round(plan(0), 6), round(plan(7), 6), plan(10)
        (0.999999, 0.5, 0.0)
    """
    low = _read_range(lower, "lower", -20, 20)
    high = _read_range(upper, "upper", -20, 20)
    if low >= high:
        raise ScheduleError(f"Argument `lower` must be less than `upper`. Received: lower={low!r}, upper={high!r}.")
    return _phase(Tanh(low, high), duration, start, read_rate(to, "to"), endpoint)
