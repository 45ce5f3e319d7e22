"""How exactly rates were printed, found from the prints."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kosine.logs.precision import Precision

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PRINT = re.compile(r"\s*[-+]?(?=\.?\d)(\d*)(?:\.(\d*))?(?:([eE])([-+]?)(\d+))?\s*", re.ASCII)
_ENOUGH = 1 << 13  # different prints: more of them tell nothing new
_MANY = 8  # different prints: fewer that end early may just be round numbers
_SHARE = 0.6  # of the prints end at the last place, where a place was the reason: 9 of 10 on average
_FEWEST = 3  # digits: nobody rounds to fewer, but many type 0.05
_FLOAT32 = 9  # digits tell every float32
_FLOAT64 = 15  # digits: a float64 has no fewer, unless it is a round number


class Prints:
    """Evidence about the precision of rates, which are added in any number of parts."""

    __slots__ = ("_exact", "_float32", "_full", "_texts")

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._float32 = True  # every rate is a float32
        self._full = False  # some rate has as many digits as a float64
        self._exact = True  # nothing was printed: the bits themselves were stored

    @property
    def wants(self) -> bool:
        """Whether the prints of further rates can still tell something."""
        return not (self._full or len(self._texts) > _ENOUGH)

    def add(self, texts: Iterable[str] | None, rates: NDArray[np.float64]) -> None:
        """Add rates and how they were printed; None where they were stored as float32."""
        if texts is None:
            return
        self._exact = False
        if self._float32:
            with np.errstate(over="ignore"):
                self._float32 = bool((rates.astype(np.float32) == rates).all())
        if not self.wants:
            return
        new = set(texts) - self._texts
        self._full = any(len(text) > _FLOAT64 and _digits(text) >= _FLOAT64 for text in new)
        self._texts |= new

    def precision(self, decimals: int | None = None) -> Precision:
        """The precision that the prints show.

        Args:
            decimals: the places that the writer of the log is known to round to, if it does.
        """
        if self._exact:
            return Precision(single=True)
        if self._full:
            return Precision(single=self._float32)
        found = Precision.of_texts(self._texts)
        if decimals is not None and found.decimals is None and all(_decimals(text) <= decimals for text in self._texts):
            return Precision(decimals=decimals, digits=found.digits)
        return found


def precision_of(texts: Iterable[str]) -> Precision:
    """See `Precision.of_texts`."""
    different = [text for text in set(texts) if _PRINT.fullmatch(text)]
    fixed = _fixed(different)
    if fixed is not None:
        return fixed
    digits = [_digits(text) for text in different]
    decimals = [_decimals(text) for text in different]
    some = [count for count in digits if count]  # without zeros
    most = max(some, default=0)
    values = np.array([float(text) for text in different])
    if most >= _FLOAT64:
        with np.errstate(over="ignore"):
            return Precision(single=bool((values.astype(np.float32) == values).all()))
    if len(some) < _MANY or most < _FEWEST:
        return Precision()
    if 7 < most <= _FLOAT32 and all(_is_float32(value) for value in values.tolist()):
        return Precision(single=True)
    last = max(decimals)
    by_digits = sum(count == most for count in some) >= _SHARE * len(some)
    by_decimals = sum(count == last for count in decimals) >= _SHARE * len(some)
    return Precision(decimals=last if by_decimals else None, digits=most if by_digits else None)


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
    told = [len("".join(_parts(text)[:2]).lstrip("0")) for text in plain if float(text)]
    return Precision(digits=min([*lengths, *told]))


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
    """Whether this is how a float32 is written: as short as tells it from its neighbours."""
    with np.errstate(over="ignore"):
        return float(str(np.float32(value))) == value
