"""A curve that kosine does not have, part of an exponential, as somebody would add it: this file is all it takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, ClassVar, Self

import numpy as np

from kosine._core.arguments import read_rate
from kosine._core.curve import Curve, Form, Operations
from kosine._core.curves._registry import constructor_of
from kosine._core.curves._weights import one_over
from kosine._core.durations import DurationLike
from kosine._core.fit import BentFit, Fit
from kosine._core.phase import Phase, new_phase

_WHOLE = math.expm1(1)


@dataclass(frozen=True, slots=True)
class Easing(Curve):
    name: ClassVar[str] = "easing"

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        return Form("easing", _weight, one_over(span), "end", "distance", start, end)

    @classmethod
    def fits(cls) -> tuple[tuple[Self, Fit], ...]:
        return ((cls(), Fit(4, _EasingFit())),)


def _weight(ops: Operations) -> Callable[[Any], Any]:
    return lambda left: ops.expm1(left) / _WHOLE


class _EasingFit(BentFit):
    """c + a exp(-theta t): theta is how much of its phase the rows show."""

    def grid(self) -> Any:
        return np.geomspace(1e-3, 1e3, 60)

    def columns(self, t: Any, theta: Any) -> Any:
        t, theta = np.broadcast_arrays(t, theta)
        return np.stack([np.ones_like(t), np.exp(-theta * t)], axis=-1)


@constructor_of(Easing)
def easing(
    duration: DurationLike = "rest",
    *,
    to: float,
    start: float | None = None,
    endpoint: bool = False,
    until: DurationLike | None = None,
) -> Phase:
    return new_phase(Easing(), duration, start, read_rate(to, "to"), endpoint, until)
