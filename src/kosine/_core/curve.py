"""What a curve is: a formula over a few operations, between two values, over a span of steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, Self

from kosine._core.code import Formula, Language, Operands, weight_code
from kosine._core.durations import CLIP, Duration, TimeFactor, Units
from kosine._core.fit import Fit
from kosine.errors import PlanError, ScheduleError


class Operations(Protocol):
    """The few operations that curves are written in: `math`, NumPy, keras.ops and jax.numpy all have them."""

    sin: Callable[[Any], Any]
    sqrt: Callable[[Any], Any]
    exp: Callable[[Any], Any]
    expm1: Callable[[Any], Any]
    log: Callable[[Any], Any]
    log1p: Callable[[Any], Any]
    power: Callable[[Any, Any], Any]
    where: Callable[[Any, Any, Any], Any]


class Form(NamedTuple):
    """How the value of one phase follows from the step, ready for the host as for a traced graph.

    With t steps done of n, the distance is d = ratio * t, counted from the start, or d = ratio * (n - t), counted from
    the end. The curve chooses the one that keeps it accurate. The value is

        top * weight(d) + bottom * (1 - weight(d))

    `ratio` is exact. `takes` says what `weight` is called with: the "distance"; "both" distances, the one
    counted from `origin`, the end, first; or the distance "split" into two addends, the second the smaller or 0, whose
    exact sum has more digits than one number holds.

    `magnifies` says that an exponent in the weight multiplies every rounding. A graph in float32 then has polynomials
    for small parts of the curve in the place of the formula (`weight_cells`); the distance is a share of the phase,
    counted from its end.
    """

    kind: Hashable
    weight: Callable[[Operations], Callable[..., Any]]
    ratio: Fraction
    origin: Literal["start", "end"]
    takes: Literal["distance", "both", "split"]
    top: float
    bottom: float
    magnifies: bool = False


@dataclass(frozen=True, slots=True)
class Clock:
    """Which part of its curve a phase shows, and how fast.

    The curve goes from `start` to `to` in `span` of its own steps (None: it never ends). At the step t of the run, in
    a phase that begins at `first_step`, it has done (t - first_step + cut) // tick + lead of them.
    """

    start: float
    to: float
    span: Fraction | None
    lead: Fraction = Fraction(0)
    tick: int = 1
    cut: int = 0

    @property
    def plain(self) -> bool:
        """Whether the phase shows the whole curve, step by step."""
        return self.tick == 1 and not self.lead and (self.span is None or self.span.denominator == 1)

    def later(self, steps: int) -> Clock:
        """The clock of a phase that begins this number of steps later."""
        ticks, cut = divmod(steps + self.cut, self.tick)
        return replace(self, lead=self.lead + ticks, cut=cut)

    def slower(self, tick: int) -> Clock:
        """The clock whose every step lasts `tick` times as long."""
        return replace(self, tick=self.tick * tick, cut=self.cut * tick)


@dataclass(frozen=True, slots=True)
class Curve(ABC):
    """A curve between two values. Its fields are its extra arguments; subclasses are final and frozen."""

    name: ClassVar[str]
    keeps_value: ClassVar[bool] = False
    """Whether the curve ends where it starts."""

    @abstractmethod
    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        """The curve from `start` towards `end`, which it reaches after `span` steps (None: never)."""

    def check(self, start: float, end: float | None) -> None:  # noqa: B027  most curves can join any two values
        """Raise ScheduleError where no such curve joins the two values; `end` is None while it is not known."""

    def end(self, start: float, to: float | None, steps: Fraction | None) -> float:
        """The value that the curve ends at after `steps` steps (None: it goes on for ever)."""
        return start if to is None else to

    def scaled(self, factor: Fraction) -> Self:
        """The same curve where every rate is multiplied by a factor; its fields are no rates unless it says so."""
        return self

    @property
    def needs_span(self) -> bool:
        """Whether the values depend on how long the phase is."""
        return True

    @classmethod
    def fits(cls) -> tuple[tuple[Self, Fit], ...]:
        """The curves of this class that `infer` looks for in a log, each with how it is fitted; () for none."""
        return ()

    @classmethod
    def rare_fits(cls) -> tuple[tuple[Self, Fit], ...]:
        """Those that it tries where the usual ones explain nothing. Their fits have no method: see `rare_curves`."""
        return ()

    # --- what exported programs need; a curve that is usual in all of this writes none of it ---

    def code(self, of: Operands, language: Language) -> Formula:
        """The formula as text of a program.

        This method derives it from `form`. A curve writes its own where people know a shorter form, or where the
        derived one loses digits in float32.
        """
        start, end = (1.0, 2.0) if of.rises else (2.0, 1.0)
        form = self.form(start, end, Fraction(1))
        done, left = f"{of.done} / {of.span}", f"{of.left} / {of.span}"
        near, far = (done, left) if form.origin == "start" else (left, done)
        share = weight_code(form.weight, form.ratio, [near] if form.takes == "distance" else [near, far], language)
        return Formula(of.weighed() if form.top == start else of.above_low(f"{of.spread} * {{}}"), share)

    def why_no_code(self) -> str:
        """Why `code` cannot be derived from `form`, as a sentence; "" where it can."""
        for falls in (True, False):
            pairs = [(1.0, 2.0, 1), (1.0, 2.0, 4), (1.0, 3.0, 1)]
            asked = [(high, low, span) if falls else (low, high, span) for low, high, span in pairs]
            try:
                self.check(*asked[0][:2])
            except ScheduleError:  # it goes in one direction only
                continue
            forms = [self.form(start, end, Fraction(span)) for start, end, span in asked]
            if any(form.takes == "split" for form in forms):
                return "Its weight takes the distance in two addends."
            if forms[0].ratio != 4 * forms[1].ratio or forms[0].ratio != forms[2].ratio:
                return "Its distance is not the share of the phase that is done or left, times a constant."
            if len({form.kind for form in forms}) > 1:
                return "Its weight depends on the two values or on the length of the phase."
            if any({form.top, form.bottom} != {low, high} for form, (low, high, _) in zip(forms, pairs, strict=True)):
                return "Its weight does not lie between the phase's own two values."
        return ""

    @property
    def keeps_pace(self) -> bool:
        """Whether the pace of the curve is independent of the length of its phase."""
        return False

    @property
    def reaches_end(self) -> bool:
        """Whether the formula has the end value where nothing is left."""
        return not self.keeps_pace

    @property
    def is_smooth(self) -> bool:
        """Whether the formula can be worked out at any step, also at those outside the phase."""
        return False

    def is_flat(self, start: float, to: float) -> bool:
        """Whether the curve keeps its first value all along."""
        return not start if self.keeps_pace else self.keeps_value or start == to

    def resolved(self, units: Units) -> Self:
        """The same curve with its durations in steps, as `form` and `end` need it."""
        durations: dict[str, Duration] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Duration):
                steps = units.steps(value)
                if not steps and units.clipped is not None:
                    steps = units.changed(f"{field.name} of {self.name}", steps, 1)
                durations[field.name] = Duration("st", steps)
                if not steps:
                    raise PlanError(
                        f"A {field.name} must last at least one step in this run.",
                        received={field.name: value.written()},
                        fix=CLIP,
                    )
        return replace(self, **durations) if durations else self

    def scaled_in_time(self, factor: TimeFactor) -> Self:
        """The same curve in a phase that is longer or shorter by a factor: its own durations change with it."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        durations = {name: value.times(factor) for name, value in values.items() if isinstance(value, Duration)}
        return replace(self, **durations) if durations else self

    def arguments(self) -> dict[str, object]:
        """The extra arguments of the phase constructor, as they are written."""
        values = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        return {
            name: value.written() if isinstance(value, Duration) else value
            for name, (value, default) in values.items()
            if value != default
        }
