"""How exactly a log says its rates: the places that were printed, or the arithmetic that made them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_FLOAT64 = 1e-10  # of the peak: torch's recursive schedulers are up to 4e-11 of it off the curve (measured)
_UNPRINTED = 3e-8  # of the rate: a published run of torch's OneCycleLR goes one step too far, up again by 2.5e-8
_FLOAT32 = 2.0**-22  # of the peak: Keras' and Optax' own float32 schedules are up to 1.2e-7 of it off the curve
_FLOAT32_ULPS = 2.0**-20  # of the rate: 8 units in the last place, which kosine's own graph keeps to
_TENS = 1e-12  # the logarithm of a power of ten may be a little too low
_SLACK = 1 + 1e-9  # a rate that lies half-way between two printed ones


@dataclass(frozen=True, slots=True)
class Precision:
    """How far a logged rate may be from the one that was used.

    A rate r of a log whose highest is p is at most half_width(r) from the true one:

        max(10**-decimals / 2, 10**(floor(log10 r) + 1 - digits) / 2) + noise

    where the noise is that of the arithmetic: 1e-10 p for float64, and 3e-8 r more where all its digits are there; and
    2.4e-7 p + 9.6e-7 r for float32.

    Attributes:
        decimals: the places after the point that are printed; None: no fixed number of them.
        digits: the significant digits that are printed; None: as many as a float has.
        single: whether the rates were worked out in float32.
    """

    decimals: int | None = None
    digits: int | None = None
    single: bool = False

    @classmethod
    def of_texts(cls, texts: Iterable[str]) -> Precision:
        """The precision of rates that were printed as these texts, in any order.

        Prints that keep zeros at their end, such as 0.000600 or 1.500E-04, show the places of a format. Of other
        prints, many different ones that end at the same place show that they were rounded to it; a few do not, as
        0.05 may just be a round number. Rates that are written as float32 are have the precision of float32.

        Args:
            texts: the printed rates; the more different ones the better.

        Example:
            >>> Precision.of_texts(["0.000600", "0.000599"])
            Precision(decimals=6, digits=None, single=False)
            >>> Precision.of_texts(["0.05", "0.1"])
            Precision(decimals=None, digits=None, single=False)
        """
        from kosine.logs.printed import precision_of

        return precision_of(texts)

    def half_width(self, rates: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far each of these rates may be from the true one."""
        width: NDArray[Any] = np.zeros(rates.shape, np.float64)
        if not rates.size:
            return width
        if self.decimals is not None:
            width += 0.5 * 10.0**-self.decimals
        if self.digits is not None:
            some = rates > 0
            place = np.floor(np.log10(rates, where=some, out=np.full(rates.shape, -np.inf)) + _TENS)
            np.maximum(width, 0.5 * 10.0 ** (place + 1 - self.digits), out=width)
        width *= _SLACK
        peak = float(rates.max())
        if self.single:
            return width + _FLOAT32 * peak + _FLOAT32_ULPS * rates
        exact = self.decimals is None and self.digits is None
        return width + _FLOAT64 * peak + (_UNPRINTED * rates if exact else 0.0)

    def __str__(self) -> str:
        told = [f"{self.decimals} decimals"] if self.decimals is not None else []
        told += [f"{self.digits} digits"] if self.digits is not None else []
        return " and ".join(told) or ("float32" if self.single else "float64")
