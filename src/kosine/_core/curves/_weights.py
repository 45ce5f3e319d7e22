"""What several curves share: weights and their code, the end that they count from, timescales."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context
from fractions import Fraction
from typing import Any, Literal

from kosine._core.code import Formula, Language, Operands, atom, number
from kosine._core.curve import Operations
from kosine._core.durations import Duration, DurationLike
from kosine._core.run import RunSize
from kosine.errors import ScheduleError

HALF_PI = Fraction("1.57079632679489661923132169163975144209858469968755291048747")


DECIMAL = Context(prec=40)
"""40 digits, for the logarithms and powers that are worked out once, when a phase is planned."""


def lower_end(start: float, end: float) -> Literal["start", "end"]:
    """The end of the phase that has the lower value: the place to count from."""
    return "end" if start > end else "start"


def one_over(span: Fraction | None) -> Fraction:
    assert span is not None
    return 1 / span


def rising_power(ops: Operations, exponent: float) -> Callable[[Any, Any], Any]:
    """1 - left ** exponent from left and done, where left + done = 1."""
    expm1, log, log1p, where = ops.expm1, ops.log, ops.log1p, ops.where

    def weight(left: Any, done: Any) -> Any:
        # The logarithm of what is left, from the smaller of the two, which has more digits; the other addend is 0.
        near = done < left
        logarithm = log1p(-where(near, done, 0.0)) + log(where(near, 1.0, where(left > 0.0, left, 1.0)))
        return where(left > 0.0, -expm1(exponent * logarithm), 1.0)

    return weight


def remaining_weight(ops: Operations, warp: float) -> Callable[[Any, Any], Any]:
    """1 - done ** warp from left and done."""
    weight = rising_power(ops, warp)
    return lambda left, done: weight(done, left)


def exponential_weight(ops: Operations) -> Callable[[Any, Any], Any]:
    """exp of a distance that comes as two addends."""
    exp, expm1, where = ops.exp, ops.expm1, ops.where

    def weight(coarse: Any, fine: Any) -> Any:
        # Not exp(coarse) * exp(fine): XLA rewrites that to exp(coarse + fine), which loses what the split has won.
        power = exp(coarse)
        return power + power * expm1(where(power > 0.0, fine, 0.0))  # far out `fine` is not small

    return weight


# --- an exponent of the weight and one of the time, as code ---------------------------------------------------------


def raised_code(power: float, warp: float, kept: str, lost: str, of: Operands, language: Language) -> Formula:
    """The code of a curve whose weight is a power of what is kept, where kept + lost = 1.

    Args:
        power: the power.
        warp: the exponent of the time.
        kept: the weight, from what is left; with an exponent of the time that is "rest".
        lost: what is lost before the power is taken, from what is done; with an exponent of the time that is "passed".
        of: the operands.
        language: the language.
    """
    # In float32 a power magnifies the rounding of a weight near 1, so it is taken from what is lost of it.
    if language.single and (power > 1 or (warp != 1 and power == 1 and not of.rises)):
        weight = f"(1 - {lost})"
        if power != 1:
            weight = language.call("exp", f"{number(power)} * {language.call('log1p', f'-{atom(lost)}')}")
        return Formula(of.weighed(), weight, above=None if warp == 1 else ("passed", _passed_code(warp, of, language)))
    return Formula(of.weighed(), kept, above=None if warp == 1 else ("rest", _remaining_code(warp, of, language)))


def _passed_code(warp: float, of: Operands, language: Language) -> str:
    """u ** warp; a large exponent takes its logarithm near the end from what is left, which has more digits."""
    near_start = f"({of.done} / {of.span}) ** {number(warp)}"
    if warp <= 2:
        return near_start
    near_end = language.call("exp", _logarithm_code(warp, of, language))
    return language.where(f"{of.done} < {of.left}", near_start, near_end)


def _remaining_code(warp: float, of: Operands, language: Language) -> str:
    """1 - u ** warp, from what is done near the start, and from what is left near the end."""
    near_start = f"1 - ({of.done} / {of.span}) ** {number(warp)}"
    near_end = f"-{language.call('expm1', _logarithm_code(warp, of, language))}"
    return language.where(f"{of.done} < {of.left}", near_start, near_end)


def _logarithm_code(warp: float, of: Operands, language: Language) -> str:
    """The logarithm of u ** warp, from what is left; nearer to the start than to the end it has no meaning."""
    share = f"{of.left} / {of.span}"
    if language.arrays:  # which work it out there, too: it must not be that of 0
        share = language.call("minimum", share, "0.5")
    return f"{number(warp)} * {language.call('log1p', f'-{share}')}"


# --- curves that may have a timescale -------------------------------------------------------------------------------


def read_timescale(timescale: DurationLike | None) -> Duration | None:
    """The argument `timescale` of a constructor."""
    scale = None if timescale is None else Duration.read(timescale, "timescale")
    if scale is not None and not scale.amount:
        raise ScheduleError(
            argument="timescale",
            rule="a positive duration that does not depend on the other phases",
            received=timescale,
        )
    return scale


def timescale_steps(timescale: Duration | None) -> Fraction:
    """A timescale that is resolved, in steps; without one it is one step."""
    return Fraction(1) if timescale is None else timescale.steps(RunSize())


def over_timescale(timescale: Duration | None) -> str:
    """The division by the timescale, as code."""
    scale = timescale_steps(timescale)
    return "" if scale == 1 else f" / {number(scale)}"
