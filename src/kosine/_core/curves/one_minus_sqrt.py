"""One minus the square root of the part that is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Self

from kosine._core.arguments import read_rate
from kosine._core.code import Formula, Language, Operands
from kosine._core.curve import Curve, Form, Operations
from kosine._core.curves._registry import constructor_of
from kosine._core.curves._weights import one_over
from kosine._core.durations import DurationLike
from kosine._core.fit import BentFit, Fit
from kosine._core.phase import Phase, new_phase


@dataclass(frozen=True, slots=True)
class OneMinusSqrt(Curve):
    name: ClassVar[str] = "one_minus_sqrt"

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        if start > end:
            return Form("one_minus_sqrt", _one_minus_sqrt, one_over(span), "end", "both", start, end)
        return Form("sqrt", _sqrt, one_over(span), "start", "distance", end, start)

    def code(self, of: Operands, language: Language) -> Formula:
        root = language.call("sqrt", f"{of.done} / {of.span}")
        if of.rises or language.single:
            share = "{}" if of.rises else "(1 - {})"
            return Formula(of.above_low(f"{of.spread} * {share}"), root, "root")
        return Formula(of.above_low(f"{of.spread} * {of.left} / {of.span} / (1 + {{}})"), root, "root")

    @classmethod
    def fits(cls) -> tuple[tuple[Self, Fit], ...]:
        return ((cls(), Fit(4, _RootFit(), begins=True)),)


class _RootFit(BentFit):
    """c + a sqrt(done); theta is how far before the first row nothing was done."""

    def columns(self, t: Any, theta: Any) -> Any:
        import numpy as np

        t, theta = np.broadcast_arrays(t, theta)
        return np.stack([np.ones_like(t), np.sqrt(np.maximum(t + theta, 0.0))], axis=-1)

    def ends(self, theta: float, coefficients: Any) -> tuple[float, None]:
        return -theta, None


def _one_minus_sqrt(ops: Operations) -> Callable[[Any, Any], Any]:
    sqrt = ops.sqrt
    return lambda left, done: left / (1.0 + sqrt(done))


def _sqrt(ops: Operations) -> Callable[[Any], Any]:
    return ops.sqrt


@constructor_of(OneMinusSqrt)
def one_minus_sqrt(
    duration: DurationLike = "rest",
    *,
    to: float,
    start: float | None = None,
    endpoint: bool = False,
    until: DurationLike | None = None,
) -> Phase:
    """A fall that is steep at first: e + (s - e) (1 - sqrt(u)), the best cooldown of arXiv 2405.18392.

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
        >>> plan = ks.Schedule(ks.one_minus_sqrt(100, start=1.0, to=0.0)).plan()
        >>> plan(0), plan(25), plan(100)
        (1.0, 0.5, 0.0)
    """
    return new_phase(OneMinusSqrt(), duration, start, read_rate(to, "to"), endpoint, until)
