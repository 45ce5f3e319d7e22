"""A logarithm, the inverse of an exponential."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from kosine._core.arguments import read_above, read_rate
from kosine._core.code import Formula, Language, Operands, number, real
from kosine._core.curve import Curve, Form, Operations
from kosine._core.curves._registry import constructor_of
from kosine._core.curves._weights import one_over
from kosine._core.durations import DurationLike
from kosine._core.phase import Phase, new_phase


@dataclass(frozen=True, slots=True)
class Logarithm(Curve):
    name: ClassVar[str] = "logarithm"
    base: float = 10.0

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        falls = start > end
        kind = ("logarithm", self.base, falls)
        if falls:
            return Form(kind, self._falling, one_over(span), "end", "both", start, end)
        return Form(kind, self._rising, one_over(span), "start", "distance", end, start)

    def _rising(self, ops: Operations) -> Callable[[Any], Any]:
        log1p, above_one = ops.log1p, self.base - 1
        whole = math.log1p(above_one)
        return lambda done: log1p(above_one * done) / whole

    def _falling(self, ops: Operations) -> Callable[[Any, Any], Any]:
        log, log1p, where = ops.log, ops.log1p, ops.where
        base, above_one = self.base, self.base - 1
        whole, share = math.log1p(above_one), above_one / base

        def weight(left: Any, done: Any) -> Any:
            # Near the end what is left is small and has all its digits; before that the quotient is away from 1.
            near = share * left < 0.5
            lost = where(near, share * left, 0.0)
            return where(near, -log1p(-lost), log(base / (1.0 + above_one * done))) / whole

        return weight

    def code(self, of: Operands, language: Language) -> Formula:
        above_one, done, left = number(self.base - 1), f"{of.done} / {of.span}", f"{of.left} / {of.span}"
        whole = real(math.log1p(self.base - 1))
        if of.rises:
            risen = f"{language.call('log1p', f'{above_one} * {done}')} / {whole}"
            return Formula(of.above_low(f"{of.spread} * {{}}"), f"({risen})", "risen")
        near_end = f"-{language.call('log1p', f'-{real((self.base - 1) / self.base)} * {left}')}"
        before = f"-{language.call('log', f'(1 + {above_one} * {done}) / {number(self.base)}')}"
        above = language.where(f"{of.left} < {of.done}", near_end, before)
        return Formula(of.weighed(), f"remaining / {whole}", above=("remaining", above))


@constructor_of(Logarithm)
def logarithm(
    duration: DurationLike = "rest",
    *,
    to: float,
    start: float | None = None,
    base: float = 10.0,
    endpoint: bool = False,
    until: DurationLike | None = None,
) -> Phase:
    """A change that is fast at first and slows down: s + (e - s) log(1 + (base - 1) u) / log(base).

    DeepSpeed's warm-ups are of this kind unless their configuration says otherwise, with the length of the warm-up as
    the base. The same base makes `exponential` the inverse of this curve.

    Args:
        duration: how long, in steps (500) or as "10ep", "5%", "2e8sp", "375Mtok" or "rest".
        to: the value e that the phase ends at, >= 0.
        start: the value s of its first step, >= 0; where the last phase ended if None.
        base: how many times steeper the start is than the end, > 1 and at most 1e15.
        endpoint: True: the last step uses `to` exactly; False: the step after it does.
        until: the position that the phase ends at, in place of a duration: "260Btok" from the start of the run, inside
            a section from the start of its clock.

    Raises:
        ScheduleError: a value or a base out of range, or a duration with an unknown unit.
        ArgumentTypeError: a value that is not a number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.logarithm(999, start=0.0, to=0.003, base=1000)).plan()
        >>> [round(plan(t), 9) for t in (0, 9, 99, 999)]
        [0.0, 0.001, 0.002, 0.003]
    """
    return new_phase(
        Logarithm(read_above(base, "base", 1, 1e15)), duration, start, read_rate(to, "to"), endpoint, until
    )
