"""Half a cosine wave."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar

from kosine._core.arguments import read_above, read_rate
from kosine._core.curve import Curve, Form, Operations
from kosine._core.curves._weights import HALF_PI, lower_end, one_over, remaining_weight, rising_power
from kosine._core.durations import DurationLike
from kosine._core.phase import Phase, new_phase

# --- cosine -----------------------------------------------------------------------------------------------------


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
        return Form(kind, weight, one_over(span), "end", "both", max(start, end), min(start, end))

    def _falling(self, ops: Operations) -> Callable[[Any, Any], Any]:
        plain, remaining, power, exponent = _cosine(ops), remaining_weight(ops, self.warp), ops.power, self.power
        return lambda left, done: power(plain(math.pi / 2 * remaining(left, done)), exponent)

    def _rising(self, ops: Operations) -> Callable[[Any, Any], Any]:
        plain, remaining, power, warp = _cosine(ops), remaining_weight(ops, self.warp), ops.power, self.warp
        risen = rising_power(ops, self.power)
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
    curve = Cosine(read_above(power, "power", 0, 1000), read_above(warp, "warp", 0, 1000))
    return new_phase(curve, duration, start, read_rate(to, "to"), endpoint)
