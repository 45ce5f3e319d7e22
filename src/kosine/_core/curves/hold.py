"""A constant value."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Self

from kosine._core.arguments import read_flag, read_rate
from kosine._core.code import Formula, Language, Operands
from kosine._core.curve import Curve, Form
from kosine._core.curves._registry import constructor_of
from kosine._core.curves.linear import linear_weight
from kosine._core.durations import DurationLike
from kosine._core.fit import Fit
from kosine._core.phase import Phase, new_phase
from kosine.errors import ScheduleError


@dataclass(frozen=True, slots=True)
class Hold(Curve):
    name: ClassVar[str] = "hold"
    keeps_value: ClassVar[bool] = True

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        # A line that does not move: one formula less for a traced graph to hold.
        return Form("linear", linear_weight, Fraction(0), "start", "distance", start, start)

    def code(self, of: Operands, language: Language) -> Formula:
        return Formula("{}", of.start)

    @classmethod
    def fits(cls) -> tuple[tuple[Self, Fit], ...]:
        return ((cls(), Fit(1, None)),)

    @property
    def needs_span(self) -> bool:
        return False


@constructor_of(Hold)
def hold(
    duration: DurationLike = "rest",
    *,
    to: float | None = None,
    start: float | None = None,
    endpoint: bool = False,
    until: DurationLike | None = None,
) -> Phase:
    """A constant value.

    Args:
        duration: how long, in steps (500) or as "10ep", "5%", "2e8sp", "375Mtok" or "rest".
        to: another name for the value, as the other curves call it.
        start: the value, >= 0; where the last phase ended if None.
        endpoint: has no effect, as every step has the value; every curve takes this argument.
        until: the position that the phase ends at, in place of a duration: "260Btok" from the start of the run, inside
            a section from the start of its clock.

    Raises:
        ScheduleError: a negative or non-finite value, an unknown unit, or a `to` that is not `start`.
        ArgumentTypeError: a value that is not a number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.hold(100, start=3e-4)).plan()
        >>> plan(0), plan(99), plan(100)
        (0.0003, 0.0003, 0.0003)
    """
    value = None if to is None else read_rate(to, "to")
    if start is not None and value is not None and read_rate(start, "start") != value:
        raise ScheduleError(
            argument="to",
            rule="the same as `start`, because a hold has one value",
            received={"start": start, "to": to},
            fix="Use `linear` to go from one to the other.",
        )
    read_flag(endpoint, "endpoint")
    return new_phase(Hold(), duration, value if start is None else start, None, False, until)
