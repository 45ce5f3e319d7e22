"""A curve that kosine does not have, a logarithm, as somebody would add it: this file is all it takes."""

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

_LOG_2 = math.log(2)


@dataclass(frozen=True, slots=True)
class Logarithmic(Curve):
    name: ClassVar[str] = "logarithmic"

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        return Form("logarithmic", _weight, one_over(span), "end", "distance", start, end)

    @classmethod
    def fits(cls) -> tuple[tuple[Self, Fit], ...]:
        return ((cls(), Fit(4, _LogarithmFit())),)


def _weight(ops: Operations) -> Callable[[Any], Any]:
    return lambda left: ops.log1p(left) / _LOG_2


class _LogarithmFit(BentFit):
    """c + a log(theta - t): theta is where the logarithm has its pole, after the last row."""

    def grid(self) -> Any:
        return np.geomspace(1e-3, 1e3, 60)

    def columns(self, t: Any, theta: Any) -> Any:
        t, theta = np.broadcast_arrays(t, theta)
        return np.stack([np.ones_like(t), np.log1p(theta - t)], axis=-1)


@constructor_of(Logarithmic)
def logarithmic(
    duration: DurationLike = "rest",
    *,
    to: float,
    start: float | None = None,
    endpoint: bool = False,
    until: DurationLike | None = None,
) -> Phase:
    return new_phase(Logarithmic(), duration, start, read_rate(to, "to"), endpoint, until)
