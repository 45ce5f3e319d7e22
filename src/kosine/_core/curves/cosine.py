"""Half a cosine wave."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Self

from kosine._core.arguments import read_above, read_rate
from kosine._core.code import Formula, Language, Operands, number
from kosine._core.curve import Curve, Form, Operations
from kosine._core.curves._registry import constructor_of
from kosine._core.curves._weights import HALF_PI, lower_end, one_over, raised_code, remaining_weight, rising_power
from kosine._core.durations import DurationLike
from kosine._core.fit import BentFit, Fit
from kosine._core.phase import Phase, new_phase


@dataclass(frozen=True, slots=True)
class Cosine(Curve):
    name: ClassVar[str] = "cosine"
    power: float = 1.0
    warp: float = 1.0

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        origin = lower_end(start, end)
        if self.power == self.warp == 1:
            return Form(
                "cosine", _cosine, HALF_PI * one_over(span), origin, "distance", max(start, end), min(start, end)
            )
        kind = ("cosine", self.power, self.warp, origin)
        weight = self._falling if origin == "end" else self._rising
        return Form(kind, weight, one_over(span), "end", "both", max(start, end), min(start, end), magnifies=True)

    def _falling(self, ops: Operations) -> Callable[[Any, Any], Any]:
        plain, remaining, power, exponent = _cosine(ops), remaining_weight(ops, self.warp), ops.power, self.power
        return lambda left, done: power(plain(math.pi / 2 * remaining(left, done)), exponent)

    def _rising(self, ops: Operations) -> Callable[[Any, Any], Any]:
        plain, remaining, power, warp = _cosine(ops), remaining_weight(ops, self.warp), ops.power, self.warp
        risen = rising_power(ops, self.power)
        return lambda left, done: risen(
            plain(math.pi / 2 * remaining(left, done)), plain(math.pi / 2 * power(done, warp))
        )

    @property
    def is_smooth(self) -> bool:
        return self.power == self.warp == 1

    def code(self, of: Operands, language: Language) -> Formula:
        def sine(steps: str) -> str:
            return language.call("sin", f"{language.pi} / 2 / {of.span} * {steps}")

        if self.power == self.warp == 1:
            return Formula(of.above_low(f"{of.spread} * {{}}"), f"{sine(of.done if of.rises else of.left)} ** 2")
        kept, lost = sine(of.left), sine(of.done)
        if self.warp != 1:
            kept, lost = (language.call("sin", f"{language.pi} / 2 * {share}") for share in ("rest", "passed"))
        return raised_code(self.power, self.warp, f"{kept} ** {number(2 * self.power)}", f"{lost} ** 2", of, language)

    @classmethod
    def fits(cls) -> tuple[tuple[Self, Fit], ...]:
        return ((cls(), Fit(4, _WaveFit(), begins=True, ends=True)),)

    @classmethod
    def rare_fits(cls) -> tuple[tuple[Self, Fit], ...]:
        return tuple(
            (curve, Fit(4, None, begins=True, ends=True)) for curve in (cls(power=2.0), cls(warp=2.0), cls(warp=0.5))
        )


class _WaveFit(BentFit):
    """A wave c + a sin(pi t / h) + b cos(pi t / h); theta is the length h of half of it."""

    _HIGHEST = 1e4  # times the rates that were seen: a wave that comes from so far above is a parabola
    _DEEPEST = -0.3  # times them: a rate never goes so far below 0, and such a wave does not show where it ends

    def grid(self) -> Any:
        import numpy as np

        return np.concatenate([np.linspace(0.9, 1.3, 9), np.geomspace(1.4, 4000, 36)])

    def columns(self, t: Any, theta: Any) -> Any:
        import numpy as np

        # 1, t and t**2 where the half wave is much longer than the rows, so that the three stay apart
        t, half_wave = np.broadcast_arrays(t, theta)
        pace = np.pi / half_wave
        return np.stack([np.ones_like(t), np.sin(pace * t) / pace, 2 * (np.sin(pace * t / 2) / pace) ** 2], axis=-1)

    def excluded(self, thetas: Any, coefficients: Any) -> Any:
        middle, reach = self._middle_and_reach(thetas, coefficients)
        return middle - reach < self._DEEPEST

    def is_useless(self, theta: float, coefficients: Any) -> bool:
        middle, reach = self._middle_and_reach(theta, coefficients)
        return float(middle + reach) > self._HIGHEST

    @staticmethod
    def _middle_and_reach(half_wave: Any, coefficients: Any) -> tuple[Any, Any]:
        """The rate that the wave swings around, and how far it swings."""
        import numpy as np

        pace = np.pi / half_wave
        bent = coefficients[..., 2] / pace**2
        return coefficients[..., 0] + bent, np.hypot(coefficients[..., 1] / pace, bent)

    def ends(self, theta: float, coefficients: Any) -> tuple[float, float]:
        import numpy as np

        pace = math.pi / theta
        crest = (
            float(np.arctan2(coefficients[1] / pace, -coefficients[2] / pace**2)) / pace
        )  # where the wave is highest
        begins = [crest + turn * theta for turn in (-2, -1, 0, 1)]
        # The half wave around the middle of the rows.
        begin = min(begins, key=lambda place: abs(place + theta / 2 - 0.5))
        return begin, begin + theta


def _cosine(ops: Operations) -> Callable[[Any], Any]:
    sin = ops.sin

    def weight(angle: Any) -> Any:
        sine = sin(angle)
        return sine * sine

    return weight


@constructor_of(Cosine)
def cosine(
    duration: DurationLike = "rest",
    *,
    to: float,
    start: float | None = None,
    power: float = 1.0,
    warp: float = 1.0,
    endpoint: bool = False,
    until: DurationLike | None = None,
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
        until: the position that the phase ends at, in place of a duration: "260Btok" from the start of the run, inside
            a section from the start of its clock.

    Raises:
        ScheduleError: a value or an exponent out of range, or a duration with an unknown unit.
        ArgumentTypeError: a value that is not a number.

    Example:
        >>> import kosine as ks
        >>> plan = ks.Schedule(ks.cosine(4, start=1.0, to=0.0)).plan()
        >>> [round(plan(t), 4) for t in range(6)]
        [1.0, 0.8536, 0.5, 0.1464, 0.0, 0.0]
    """
    curve = Cosine(read_above(power, "power", 0, 1000), read_above(warp, "warp", 0, 1000))
    return new_phase(curve, duration, start, read_rate(to, "to"), endpoint, until)
