"""A curve that kosine does not have, REX (arXiv 2107.04197), as somebody would add it: this file is all it takes."""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True)
class Rex(Curve):
    name: ClassVar[str] = "rex"

    def form(self, start: float, end: float, span: Fraction | None) -> Form:
        return Form("rex", _weight, one_over(span), "end", "distance", start, end)

    @classmethod
    def fits(cls) -> tuple[tuple[Self, Fit], ...]:
        return ((cls(), Fit(4, _PoleFit())),)


def _weight(ops: Operations) -> Callable[[Any], Any]:
    return lambda left: 2.0 * left / (1.0 + left)


class _PoleFit(BentFit):
    """c + a / (theta - t): the curve is a hyperbola, and theta is where its pole lies after the last row."""

    def grid(self) -> Any:
        return np.geomspace(1e-3, 1e3, 60)

    def columns(self, t: Any, theta: Any) -> Any:
        t, theta = np.broadcast_arrays(t, theta)
        return np.stack([np.ones_like(t), 1.0 / (1.0 + theta - t)], axis=-1)


@constructor_of(Rex)
def rex(duration: DurationLike = "rest", *, to: float, start: float | None = None, endpoint: bool = False) -> Phase:
    return new_phase(Rex(), duration, start, read_rate(to, "to"), endpoint)
