"""The cells of a table as numbers, for tables that are what most are: regular, and full of plain numbers.

Python takes 0.1 microseconds for a number, which is too long for millions; here eight digits are read at once, as one
word of 64 bits, and for all rows together. Whatever looks unusual is left to Python, so that every number is the one
that `float` would give.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WORD = 8  # digits that are read at once
_WIDEST = 3 * _WORD  # digits
_LONGEST = 32  # bytes of a cell with a number
_EXACT = np.finfo(np.longdouble).nmant >= 63  # so that it holds a whole uint64
_POWER = 27  # 10**27 is the last power of ten that it holds as well
_U = np.uint64


class IrregularError(Exception):
    """Lines that Python has to read."""


class Cells:
    """The cells of some lines.

    Args:
        lines: whole lines.
        separator: what is between two cells, one character.
        columns: how many cells each line must have.

    Raises:
        IrregularError: a line has another number of cells, or there are quotes.
    """

    def __init__(self, lines: bytes, separator: str, columns: int) -> None:
        self._lines = b"0" * _WIDEST + lines  # words of digits may begin before the first cell
        self._bytes = np.frombuffer(self._lines, np.uint8)
        mark = ord(separator)
        line_ends = self._bytes == 10
        ends = np.flatnonzero((self._bytes == mark) | line_ends)
        if ends.size % columns or b'"' in lines:
            raise IrregularError
        self._ends = ends.reshape(-1, columns)
        if np.count_nonzero(line_ends) != len(self._ends) or not line_ends[self._ends[:, -1]].all():
            raise IrregularError
        self._words: NDArray[np.uint64] = np.ndarray(
            (self._bytes.size - _WORD + 1,), np.dtype("<u8"), self._lines, strides=(1,)
        )

    def _bounds(self, column: int) -> tuple[NDArray[Any], NDArray[Any]]:
        ends = self._ends[:, column]
        firsts = np.empty_like(ends)
        if column:
            np.add(self._ends[:, column - 1], 1, out=firsts)
        else:
            firsts[0] = _WIDEST
            np.add(self._ends[:-1, -1], 1, out=firsts[1:])
        return firsts, ends

    def texts(self, column: int) -> list[str]:
        """The cells of a column as they are."""
        firsts, ends = self._bounds(column)
        lines = self._lines
        return [
            lines[first:end].decode("utf-8", "replace")
            for first, end in zip(firsts.tolist(), ends.tolist(), strict=True)
        ]

    def numbers(self, column: int) -> NDArray[np.float64]:
        """The cells of a column as numbers.

        Raises:
            IrregularError: a cell is no finite number.
        """
        firsts, ends = self._bounds(column)
        lengths = ends - firsts
        if int(lengths.max()) > _LONGEST or int(lengths.min()) < 1:
            raise IrregularError
        if int(lengths.max()) <= 2 * _WORD and int(lengths.max()) < 16:
            whole, good = self._digits(ends, lengths)
            if good.all():
                return whole.astype(np.float64)
        values, good = self._decimals(firsts, ends)
        bad = np.flatnonzero(~good)
        lines = self._lines
        try:
            values[bad] = [
                float(lines[first:end]) for first, end in zip(firsts[bad].tolist(), ends[bad].tolist(), strict=True)
            ]
        except ValueError as error:
            raise IrregularError from error
        if not np.isfinite(values[bad]).all():
            raise IrregularError
        return values

    def _digits(self, ends: NDArray[Any], counts: NDArray[Any]) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
        """The integers of so many digits that end there, and which of them are such."""
        total = np.zeros(len(ends), np.uint64)
        good = counts >= 0
        scale = 1
        for word in range(-(-max(int(counts.max()), 1) // _WORD)):
            these = np.clip(counts - word * _WORD, 0, _WORD).astype(np.uint64)
            read = self._words[ends - (word + 1) * _WORD] ^ _U(0x3030303030303030)
            # the last digits are in the highest bytes; a shift by 64 bits does nothing, so it is done in two
            gone = (_U(_WORD) - these) << _U(2)
            read = read >> gone >> gone << gone << gone
            good &= ((read + _U(0x7676767676767676)) | read) & _U(0x8080808080808080) == 0
            read = read * _U(10) + (read >> _U(8))  # pairs of digits, in every second byte
            even, odd = read & _U(0x000000FF000000FF), read >> _U(16) & _U(0x000000FF000000FF)
            read = (even * _U(0x000F424000000064) + odd * _U(0x0000271000000001)) >> _U(32)
            if word == 2:
                good &= read < 1000  # 10**19 fits into 64 bits, and a little more
            total += read * _U(scale)
            scale *= 10**_WORD
        return total, good

    def _decimals(self, firsts: NDArray[Any], ends: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The numbers written as 0.00012 or 1.2e-04, and which of the cells are such."""
        raw = self._bytes
        power = (raw[ends - 4] == ord("e")) & (raw[ends - 3] == ord("-")) & (ends - firsts > 6)
        stops = np.where(power, ends - 4, ends)
        counts = stops - firsts - 2
        good = (counts > 0) & (counts <= _WIDEST) & (raw[firsts + 1] == ord("."))
        counts[~good] = 1
        fraction, digits = self._digits(stops, counts)
        ones = raw[firsts] - np.uint8(48)
        tens, units = raw[ends - 2] - np.uint8(48), raw[ends - 1] - np.uint8(48)
        down = counts + np.where(power, tens.astype(np.int64) * 10 + units, 0)
        good &= digits & (ones < 10) & ((ones == 0) | (counts < 19)) & (down <= _POWER)
        good &= ~power | ((tens < 10) & (units < 10))
        if not _EXACT:
            good[:] = False
            return np.zeros(len(good)), good
        whole = fraction + ones * _U(10) ** np.minimum(counts, 18).astype(np.uint64)
        exact = whole.astype(np.longdouble) / (np.longdouble(10) ** np.arange(_POWER + 1))[np.minimum(down, _POWER)]
        values = exact.astype(np.float64)
        # rounded twice, first to 64 bits: right unless that is just between two float64
        good &= np.abs((exact - values).astype(np.float64)) * 2 != np.spacing(values)
        return values, good
