"""How exactly a log says its rates: the places that were printed, or the arithmetic that made them.

Everything that `check` and `infer` conclude rests on this: a rate that is printed as 0.0006 may have been anything from
0.00055 to 0.00065, and a rate that Keras computed in float32 is not the one of the formula.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEARLY = 1.2
"""Half-widths that a rate may be off where no numbers do better: what a linear program leaves of a curved valley."""

COARSE = 0.5
"""Of the range of the rates: what a print leaves open says nothing of a schedule from there on."""

# The noise of the arithmetic that made the rates, before anything was printed.
_FLOAT64 = 1e-10  # of the peak: torch's recursive schedulers are up to 4e-11 of it off the curve (measured)
_UNPRINTED = 3e-8  # of the rate: a published run of torch's OneCycleLR goes one step too far, up again by 2.5e-8
_FLOAT32 = 2.0**-22  # of the peak: Keras' and Optax' own float32 schedules are up to 1.2e-7 of it off the curve
_FLOAT32_ULPS = 2.0**-20  # of the rate: 8 units in the last place, which kosine's own graph keeps to
_TENS = 1e-12  # the logarithm of a power of ten may be a little too low
_SLACK = 1 + 1e-9  # a rate that lies half-way between two printed ones

# What texts of rates say about how they were printed.
_PRINT = re.compile(r"\s*[-+]?(?=\.?\d)(\d*)(?:\.(\d*))?(?:([eE])([-+]?)(\d+))?\s*", re.ASCII)
_ENOUGH = 1 << 13  # different texts: more of them say nothing new
_MANY = 8  # different texts: fewer that end early may just be round numbers
_SHARE = 0.6  # of the texts end at the last place, where a place was the reason: 9 of 10 on average
_FEWEST = 3  # digits: nobody rounds to fewer, but many type 0.05
_FLOAT32_DIGITS = 9  # digits set every float32 apart from its neighbours
_FLOAT64_DIGITS = 15  # digits: a float64 has no fewer, unless it is a round number


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
        decimals_from: rates from here on are printed with `decimals` and those below with `digits`, as Keras does; 0
            where each rate is printed with both.
    """

    decimals: int | None = None
    digits: int | None = None
    single: bool = False
    decimals_from: float = 0.0

    @classmethod
    def of_texts(cls, texts: Iterable[str]) -> Precision:
        """The precision of rates that were printed as these texts, in any order.

        Texts that keep zeros at their end, such as 0.000600 or 1.500E-04, show the places of a format. Where many
        different texts end at the same place, they were rounded to it. A few texts do not show this, as 0.05 may just
        be a round number. Rates that are written as short as float32 allows have the precision of float32.

        Args:
            texts: the printed rates; the more different ones the better.

        Example:
            >>> Precision.of_texts(["0.000600", "0.000599"])
            Precision(decimals=6, digits=None, single=False, decimals_from=0.0)
            >>> Precision.of_texts(["0.05", "0.1"])
            Precision(decimals=None, digits=None, single=False, decimals_from=0.0)
        """
        different = [text for text in set(texts) if _PRINT.fullmatch(text)]
        fixed = _fixed(different)
        if fixed is not None:
            return fixed
        digits = [_digits(text) for text in different]
        decimals = [_decimals(text) for text in different]
        some = [count for count in digits if count]  # a rate of 0 says nothing about digits
        most = max(some, default=0)
        values = np.array([float(text) for text in different])
        if most >= _FLOAT64_DIGITS:
            return Precision(single=are_float32(values))
        if len(some) < _MANY or most < _FEWEST:
            return Precision()
        if 7 < most <= _FLOAT32_DIGITS and all(_is_float32(value) for value in values.tolist()):
            return Precision(single=True)
        last = max(decimals)
        by_digits = sum(count == most for count in some) >= _SHARE * len(some)
        by_decimals = sum(count == last for count in decimals) >= _SHARE * len(some)
        return Precision(decimals=last if by_decimals else None, digits=most if by_digits else None)

    def half_width(self, rates: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far each of these rates may be from the true one."""
        width: NDArray[Any] = np.zeros(rates.shape, np.float64)
        if not rates.size:
            return width
        if self.decimals is not None:
            width += np.where(rates >= self.decimals_from, 0.5 * 10.0**-self.decimals, 0.0)
        if self.digits is not None:
            some = rates > 0
            place = np.floor(np.log10(rates, where=some, out=np.full(rates.shape, -np.inf)) + _TENS)
            last = 0.5 * 10.0 ** (place + 1 - self.digits)
            np.maximum(width, np.where((rates < self.decimals_from) | (self.decimals_from == 0), last, 0.0), out=width)
        width *= _SLACK
        peak = float(rates.max())
        if self.single:
            return width + _FLOAT32 * peak + _FLOAT32_ULPS * rates
        exact = self.decimals is None and self.digits is None
        return width + _FLOAT64 * peak + (_UNPRINTED * rates if exact else 0.0)

    def __str__(self) -> str:
        places = [f"{self.decimals} decimals"] if self.decimals is not None else []
        below = f" below {self.decimals_from:g}" if self.decimals_from else ""
        places += [f"{self.digits} digits{below}"] if self.digits is not None else []
        return " and ".join(places) or ("float32" if self.single else "float64")


class PrintedRates:
    """What the rates of a log show about their precision, collected while they are read, in any number of parts."""

    __slots__ = ("_all_float32", "_some_full", "_stored", "_texts")

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._all_float32 = True
        self._some_full = False  # some rate has as many digits as a float64
        self._stored = True  # nothing was printed: the bits themselves were stored

    @property
    def needs_more(self) -> bool:
        """Whether the texts of further rates can still say something."""
        return not (self._some_full or len(self._texts) > _ENOUGH)

    def add(self, texts: Iterable[str] | None, rates: NDArray[np.float64]) -> None:
        """Add rates and how they were printed; None where they were stored as float32."""
        if texts is None:
            return
        self._stored = False
        self._all_float32 = self._all_float32 and are_float32(rates)
        if not self.needs_more:
            return
        new = set(texts) - self._texts
        self._some_full = any(len(text) > _FLOAT64_DIGITS and _digits(text) >= _FLOAT64_DIGITS for text in new)
        self._texts |= new

    def precision(self, decimals: int | None = None) -> Precision:
        """The precision that the rates show.

        Args:
            decimals: the places that the writer of the log is known to round to, if it does.
        """
        if self._stored:
            return Precision(single=True)
        if self._some_full:
            return Precision(single=self._all_float32)
        found = Precision.of_texts(self._texts)
        if decimals is not None and found.decimals is None and all(_decimals(text) <= decimals for text in self._texts):
            return Precision(decimals=decimals, digits=found.digits)
        return found


def are_float32(rates: NDArray[np.float64]) -> bool:
    """Whether every rate is a float32."""
    with np.errstate(over="ignore", under="ignore"):
        return bool((rates.astype(np.float32) == rates).all())


def _fixed(texts: Sequence[str]) -> Precision | None:
    """The precision of prints that keep their last places even where they are zeros; None if they do not."""
    plain = [text for text in texts if "e" not in text.lower()]
    powers = [text for text in texts if "e" in text.lower()]
    places = {len(_parts(text)[1]) for text in plain}
    if not powers:
        # repr writes neither 0.10 nor 0.00001
        kept = any(
            len(_parts(text)[1]) > 1 and (text.strip()[-1] == "0" or 0 < abs(float(text)) < 1e-4) for text in plain
        )
        return Precision(decimals=places.pop()) if len(places) == 1 and kept else None
    lengths = {len("".join(_parts(text)[:2])) for text in powers}
    # repr writes neither 1.50e-05 nor 1.5e-04 nor 1.5E-05
    kept = any(_parts(text)[1].endswith("0") or "E" in text or abs(float(text)) >= 1e-4 for text in powers)
    if len(lengths) != 1 or min(lengths) < 2 or not kept or len(places) > 1:
        return None
    smallest = min((float(text) for text in plain if float(text)), default=0.0)
    if smallest and places != {0} and smallest >= max(float(text) for text in powers):
        return Precision(decimals=places.pop(), digits=min(lengths), decimals_from=smallest)
    plain_lengths = [len("".join(_parts(text)[:2]).lstrip("0")) for text in plain if float(text)]
    return Precision(digits=min([*lengths, *plain_lengths]))


def _parts(text: str) -> tuple[str, str, int]:
    """The digits before and after the point, and the power of ten."""
    match = _PRINT.fullmatch(text)
    if match is None:
        return "", "", 0
    power = int((match[4] or "") + match[5][:4]) if match[5] else 0
    return match[1], match[2] or "", power


def _digits(text: str) -> int:
    """Significant digits without zeros at either end."""
    before, after, _ = _parts(text)
    return len((before + after).strip("0"))


def _decimals(text: str) -> int:
    """Places after the point that are needed to write the number out."""
    before, after, power = _parts(text)
    kept = (before + after).rstrip("0")
    return max(len(kept) - len(before) - power, 0) if kept.strip("0") else 0


def _is_float32(value: float) -> bool:
    """Whether this is how a float32 is written: as short as sets it apart from its neighbours."""
    with np.errstate(over="ignore"):
        return float(str(np.float32(value))) == value
