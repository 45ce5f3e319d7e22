"""Every rate times a factor: `0.1 * schedule`."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from fractions import Fraction
from numbers import Rational, Real
from typing import Any, ClassVar, Self

from kosine._core.numbers import exact
from kosine.errors import ScheduleError


class Scalable(ABC):
    """What has learning rates and can be multiplied and divided by a number.

    The result is what its constructors make of the new rates, without a trace of the factor. A float means its shortest
    decimal, of a factor as of a rate, and each new rate is the float nearest to the exact product: 0.1 * 0.0003 is
    3e-05.
    """

    __slots__ = ()

    __array_ufunc__: ClassVar[None] = None
    """NumPy's numbers leave the product to this class."""

    @abstractmethod
    def scaled(self, factor: Fraction) -> Self:
        """The same with every rate times an exact factor > 0."""

    def __mul__(self, factor: object) -> Self:
        return self.scaled(_read_factor(factor)) if _is_number(factor) else NotImplemented

    __rmul__ = __mul__

    def __truediv__(self, divisor: object) -> Self:
        return self.scaled(1 / _read_factor(divisor)) if _is_number(divisor) else NotImplemented


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _read_factor(value: Any) -> Fraction:
    """A factor, exactly: a float means its shortest decimal."""
    if value <= 0 or not (isinstance(value, Rational) or math.isfinite(value)):
        fix = "Use `ks.constant(0.0)` for a rate of 0." if value == 0 else ""
        raise ScheduleError(argument="factor", rule="a finite number > 0", received=value, fix=fix)
    return Fraction(value) if isinstance(value, Rational) else exact(value)


def scaled_rate(rate: float, factor: Fraction) -> float:
    """The float nearest to a rate times a factor.

    Raises:
        ScheduleError: it is too large for a float, or so small that nothing is left of it.
    """
    try:
        product = float(exact(rate) * factor)
    except OverflowError:
        product = math.inf
    if product == math.inf or (rate and not product):
        size = "large" if product else "small"
        raise ScheduleError(f"This factor makes a rate too {size} for a float.", received={"rate": rate})
    return product
