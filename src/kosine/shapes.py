"""The curves: each is one formula and one phase constructor, and both stand here, once.

A formula gives the weight of the phase's higher value from a distance, so that no difference of nearly equal
numbers is ever formed: the last steps of a decay to 0 keep all their digits (`phases.Form`). It is written
against a handful of operations, so the host in float64 and a traced graph in float32 run the same one.

In the formulas below a phase of n steps goes from s = `start` to e = `to`, u = t/n, and t = 0 is its first step.
With `endpoint=True` u = t/(n - 1), so that the last step is at e; t = n and later is e always.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, ClassVar, Literal

from kosine.durations import Duration, DurationLike, RunSize
from kosine.errors import ScheduleError, shown
from kosine.phases import Curve, Form, Operations, Phase, read_flag, read_number, read_rate

__all__ = ["cosine", "exponential", "hold", "inverse_sqrt", "linear", "one_minus_sqrt", "polynomial"]

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


def _one(span: int | None) -> Fraction:
    assert span is not None
    return Fraction(1, span)


# --- linear -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Linear(Curve):
    name: ClassVar[str] = "linear"

    def form(self, start: float, end: float, span: int | None, run: RunSize) -> Form:
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

    def form(self, start: float, end: float, span: int | None, run: RunSize) -> Form:
        ratio = _HALF_PI * _one(span)
        origin = _towards_end(start, end)
        return Form("cosine", _cosine, ratio, origin, "distance", max(start, end), min(start, end))


def _cosine(ops: Operations) -> Callable[[Any], Any]:
    sin = ops.sin

    def weight(angle: Any) -> Any:
        sine = sin(angle)
        return sine * sine

    return weight


def cosine(duration: DurationLike = "rest", *, to: float, start: float | None = None, endpoint: bool = False) -> Phase:
    """Half a cosine wave: e + (s - e) (1 + cos(pi u)) / 2, the annealing of SGDR (arXiv 1608.03983, equation 5).

    It is computed as e + (s - e) sin(pi (1 - u) / 2) ** 2, which is the same curve and does not cancel to 0 near
    its end.

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
        >>> plan = ks.Schedule(ks.cosine(4, start=1.0, to=0.0)).plan()
        >>> [round(plan(t), 4) for t in range(6)]
        [1.0, 0.8536, 0.5, 0.1464, 0.0, 0.0]
    """
    return _phase(Cosine(), duration, start, read_rate(to, "to"), endpoint)


# --- hold -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hold(Curve):
    name: ClassVar[str] = "hold"
    keeps_value: ClassVar[bool] = True

    def form(self, start: float, end: float, span: int | None, run: RunSize) -> Form:
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

    def form(self, start: float, end: float, span: int | None, run: RunSize) -> Form:
        falls = start > end
        return Form(
            ("polynomial", self.power, falls),
            self._falling if falls else self._rising,
            _one(span),
            _towards_end(start, end),
            "split" if falls else "both",
            max(start, end),
            min(start, end),
        )

    def _falling(self, ops: Operations) -> Callable[[Any, Any], Any]:
        power, exp, log1p, exponent = ops.power, ops.exp, ops.log1p, self.power

        def weight(coarse: Any, fine: Any) -> Any:
            base = coarse + fine
            lost = coarse - base + fine  # the exponent multiplies an error of the base, so its rounding is made good
            return power(base, exponent) * exp(exponent * log1p(lost / base))

        return weight

    def _rising(self, ops: Operations) -> Callable[[Any, Any], Any]:
        expm1, log, log1p, where, exponent = ops.expm1, ops.log, ops.log1p, ops.where, self.power

        def weight(done: Any, left: Any) -> Any:
            near = done < left  # the logarithm of what is left, from the smaller of the two; the other addend is 0
            logarithm = log1p(-where(near, done, 0.0)) + log(where(near, 1.0, left))
            return -expm1(exponent * logarithm)

        return weight


def polynomial(
    duration: DurationLike = "rest",
    *,
    to: float,
    start: float | None = None,
    power: float = 2.0,
    endpoint: bool = False,
) -> Phase:
    """A power of the part that remains: e + (s - e) (1 - u) ** power.

    `power=1` is `linear`; PyTorch 2.13's PolynomialLR and Keras 3's PolynomialDecay have this curve.

    Args:
        duration: how long, in steps (500) or as "10ep", "5%", "2e8sp", "375Mtok" or "rest".
        to: the value e that the phase ends at, >= 0.
        start: the value s of its first step, >= 0; where the last phase ended if None.
        power: the exponent, > 0 and at most 1000.
        endpoint: True: the last step uses `to` exactly; False: the step after it does.

    Raises:
        ScheduleError: a negative or non-finite value, a power outside (0, 1000], or a duration with an unknown unit.
        ArgumentTypeError: a value that is no number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.polynomial(4, start=1.0, to=0.0, power=2)).plan()
        >>> [plan(t) for t in range(6)]
        [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]
    """
    exponent = read_number(power, "power", "a number > 0 and at most 1000")
    if not 0 < exponent <= 1000:
        raise ScheduleError(f"Argument `power` must be a number > 0 and at most 1000. Received: power={shown(power)}.")
    return _phase(Polynomial(exponent), duration, start, read_rate(to, "to"), endpoint)


# --- exponential ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Exponential(Curve):
    name: ClassVar[str] = "exponential"

    def check(self, start: float, end: float | None) -> None:
        if start == 0 or end == 0:
            raise ScheduleError(
                "`exponential` multiplies by the same factor at every step, so it neither leaves nor reaches 0: "
                f"`start` and `to` must be > 0. Received: start={start!r}, to={end!r}. "
                "Give it a small value instead, or use `cosine` or `linear` to reach 0."
            )
        if end is not None and max(start / 1e30, end / 1e30) > min(start, end):
            raise ScheduleError(
                "`exponential` rises or falls by a factor of at most 1e30, which float32 can hold. "
                f"Received: start={start!r}, to={end!r}."
            )

    def form(self, start: float, end: float, span: int | None, run: RunSize) -> Form:
        ratio = (_logarithm(end) - _logarithm(start)) * _one(span)
        return Form("exponential", _exponential, ratio, "start", "split", start, 0.0)


def _logarithm(value: float) -> Fraction:
    return Fraction(_DECIMAL.ln(Decimal(value)))


def _exponential(ops: Operations) -> Callable[[Any, Any], Any]:
    exp, expm1 = ops.exp, ops.expm1

    def weight(coarse: Any, fine: Any) -> Any:
        # Not exp(coarse) * exp(fine): XLA rewrites that to exp(coarse + fine), which loses what the split has won.
        power = exp(coarse)
        return power + power * expm1(fine)

    return weight


def exponential(
    duration: DurationLike = "rest", *, to: float, start: float | None = None, endpoint: bool = False
) -> Phase:
    """The same factor at every step: s (e / s) ** u.

    Args:
        duration: how long, in steps (500) or as "10ep", "5%", "2e8sp", "375Mtok" or "rest".
        to: the value e that the phase ends at, > 0.
        start: the value s of its first step, > 0; where the last phase ended if None.
        endpoint: True: the last step uses `to` exactly; False: the step after it does.

    Raises:
        ScheduleError: a value that is not positive and finite, or a duration with an unknown unit.
        ArgumentTypeError: a value that is no number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.exponential(3, start=1.0, to=0.001)).plan()
        >>> [round(plan(t), 9) for t in range(5)]
        [1.0, 0.1, 0.01, 0.001, 0.001]
    """
    return _phase(Exponential(), duration, start, read_rate(to, "to"), endpoint)


# --- inverse_sqrt -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InverseSqrt(Curve):
    name: ClassVar[str] = "inverse_sqrt"
    timescale: Duration | None = None

    @property
    def needs_span(self) -> bool:
        return self.timescale is None

    def check(self, start: float, end: float | None) -> None:
        if self.timescale is None and (end == 0 or (end is not None and start < end)):
            raise ScheduleError(
                "`inverse_sqrt` only falls, and never reaches 0: `to` must be > 0 and at most `start`. "
                f"Received: start={start!r}, to={end!r}. Use `linear` to rise, or `cosine` to reach 0."
            )
        if self.timescale is None and end is not None and start / 1e15 > end:
            raise ScheduleError(
                "`inverse_sqrt` falls to no less than 1e-15 of `start`, whose square float32 can hold. "
                f"Received: start={start!r}, to={end!r}. Use `exponential` to fall further."
            )

    def end(self, start: float, to: float | None, steps: Fraction | None, run: RunSize) -> float:
        if self.timescale is None:
            return Curve.end(self, start, to, steps, run)  # super() is unknown in a class rebuilt with slots
        if steps is None:
            return 0.0
        return start / math.sqrt(1 + steps / self.timescale.steps(run))

    def form(self, start: float, end: float, span: int | None, run: RunSize) -> Form:
        if self.timescale is None:
            ratio = ((Fraction(start) / Fraction(end)) ** 2 - 1) * _one(span)
        else:
            ratio = 1 / self.timescale.steps(run)
        return Form("inverse_sqrt", _inverse_sqrt, ratio, "start", "distance", start, 0.0)


def _inverse_sqrt(ops: Operations) -> Callable[[Any], Any]:
    sqrt = ops.sqrt
    return lambda distance: 1.0 / sqrt(1.0 + distance)


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
    if (to is None) == (timescale is None):
        raise ScheduleError(
            "`inverse_sqrt` takes exactly one of the arguments `to` and `timescale`. "
            f"Received: to={shown(to)}, timescale={shown(timescale)}."
        )
    scale = None if timescale is None else Duration.read(timescale, "timescale")
    if scale is not None and not scale.amount:
        raise ScheduleError(
            "Argument `timescale` must be a positive duration that does not depend on the other phases. "
            f"Received: timescale={shown(timescale)}."
        )
    return _phase(InverseSqrt(scale), duration, start, to, endpoint)


# --- one_minus_sqrt ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OneMinusSqrt(Curve):
    name: ClassVar[str] = "one_minus_sqrt"

    def form(self, start: float, end: float, span: int | None, run: RunSize) -> Form:
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
