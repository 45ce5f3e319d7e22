"""The cells of a table as numbers, for tables that are what most are: regular, and full of plain numbers.

Python takes 0.1 to 0.2 microseconds for a number, which is too long for millions; here eight digits are read at once,
as one word of 64 bits, and for all rows together. Whatever looks unusual is left to Python, so that every number is
the one that `float` would give.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kosine._logs.read.collect import numbers, unreadable

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WORD = 8  # digits that are read at once
_WIDEST = 3 * _WORD  # digits
_EXACT = np.finfo(np.longdouble).nmant == 63 and np.dtype(np.longdouble).itemsize == 16  # it holds a whole uint64
_POWER = 27  # 10**27 is the last power of ten that it holds as well
_U = np.uint64
_WHOLE_TENS = np.array([10**power for power in range(20)], _U)
_TENS = np.longdouble(10) ** np.arange(_POWER + 1)


class IrregularError(Exception):
    """Lines that Python has to read."""


class CellBlock:
    """The cells of some lines.

    Args:
        lines: whole lines.
        separator: what is between two cells, one character.
        columns: how many cells each line must have.

    Raises:
        IrregularError: a line has another number of cells, or there are quotes.
    """

    def __init__(self, lines: bytes, separator: str, columns: int) -> None:
        self._lines = b"0" * _WIDEST + lines + b"0" * _WORD  # words may begin before the first cell, or end after it
        self._bytes = np.frombuffer(self._lines, np.uint8)
        line_ends = self._bytes == ord("\n")
        ends = np.flatnonzero((self._bytes == ord(separator)) | line_ends)
        if ends.size % columns or b'"' in lines:
            raise IrregularError
        self._ends = ends.reshape(-1, columns)
        if np.count_nonzero(line_ends) != len(self._ends) or not line_ends[self._ends[:, -1]].all():
            raise IrregularError
        self._words: NDArray[np.uint64] = np.ndarray(
            (self._bytes.size - _WORD + 1,), np.dtype("<u8"), self._lines, strides=(1,)
        )
        self._read: dict[int, NDArray[np.float64]] = {}

    def _bounds(self, column: int) -> tuple[NDArray[Any], NDArray[Any]]:
        ends = self._ends[:, column].copy()
        firsts = np.empty_like(ends)
        if column:
            np.add(self._ends[:, column - 1], 1, out=firsts)
        else:
            firsts[0] = _WIDEST
            np.add(self._ends[:-1, -1], 1, out=firsts[1:])
        return firsts, ends

    def texts(self, column: int, rows: NDArray[Any]) -> list[str]:
        """Some of the cells of a column as they are."""
        firsts, ends = self._bounds(column)
        lines = self._lines
        return [
            lines[first:end].decode("utf-8", "replace")
            for first, end in zip(firsts[rows].tolist(), ends[rows].tolist(), strict=True)
        ]

    def numbers(self, column: int) -> NDArray[np.float64]:
        """The cells of a column as numbers; NaN where there is none.

        Raises:
            IrregularError: a cell is something else.
        """
        if column not in self._read:
            self._read[column] = self._numbers(column)
        return self._read[column]

    def _numbers(self, column: int) -> NDArray[np.float64]:
        firsts, ends = self._bounds(column)
        some = np.flatnonzero(firsts != ends)
        if some.size < ends.size:
            values = np.full(ends.size, np.nan)
            if some.size:
                values[some], good = self._decimals(firsts[some], ends[some])
        else:
            values, good = self._decimals(firsts, ends)
        odd = some[~good] if some.size else some
        if odd.size:
            texts = self.texts(column, odd)
            values[odd] = numbers(texts)
            if unreadable(texts, values[odd]):
                raise IrregularError
        return values

    def every(self, column: int) -> NDArray[np.float64]:
        """The cells of a column as numbers, NaN where they are something else, which is not as fast."""
        try:
            return self.numbers(column)
        except IrregularError:
            return numbers(self.texts(column, np.arange(len(self._ends))))

    def _decimals(self, firsts: NDArray[Any], ends: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The numbers written as 12, 0.00012 or 1.2e-04, and which of the cells are such."""
        raw = self._bytes
        stops, down = ends, np.zeros_like(ends)
        power = (raw[ends - 4] == ord("e")) & (raw[ends - 3] == ord("-")) & (ends - firsts > 4)
        good = np.ones(ends.size, np.bool_)
        if power.any():
            stops = ends - 4 * power
            tens, units = raw[ends - 2] - np.uint8(48), raw[ends - 1] - np.uint8(48)
            good = ~power | ((tens < 10) & (units < 10))
            down = power * (tens.astype(np.int64) * 10 + units)
        point = self._points(firsts, stops - firsts)
        counts = stops - firsts - point
        if point.any():
            counts -= point > 0
            down = down + counts * (point > 0)
        good &= (counts <= _WIDEST) & (down <= _POWER)
        fraction, digits = self._digits(stops, counts)
        good &= digits
        if point.any():
            before, digits = self._digits(firsts + point, point)
            good &= digits & ((before == 0) | (counts + point < len(_WHOLE_TENS)))
            fraction += before * _WHOLE_TENS[np.minimum(counts, len(_WHOLE_TENS) - 1)]
        if not down.any():
            good &= fraction < _U(2**53)
            return fraction.astype(np.float64), good
        if not _EXACT:
            return np.zeros(ends.size), np.zeros(ends.size, np.bool_)
        exact = fraction.astype(np.longdouble) / _TENS[np.minimum(down, _POWER)]
        # rounded twice, first to 64 bits: right unless that is just between two float64
        good &= exact.view(np.uint64)[::2] & _U(0x7FF) != 0x400
        return exact.astype(np.float64), good

    def _points(self, firsts: NDArray[Any], lengths: NDArray[Any]) -> NDArray[Any]:
        """How many bytes are before the point of each cell, 7 at most; 0 without a point."""
        read = self._words[firsts] ^ _U(0x2E2E2E2E2E2E2E2E)
        marks = (read - _U(0x0101010101010101)) & ~read & _U(0x8080808080808080)
        first = (marks & (~marks + _U(1))) >> _U(7)  # 256**place, which shifts the place itself to the highest bits
        place = (first * _U(sum(place << (61 - 8 * place) for place in range(_WORD)))) >> _U(61)
        point: NDArray[Any] = place.astype(np.int64)
        return point * (point < lengths)

    def _digits(self, ends: NDArray[Any], counts: NDArray[Any]) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
        """The integers that end there, of as many digits as `counts` says, and which of them are such."""
        total = np.zeros(len(ends), np.uint64)
        good = np.ones(len(ends), np.bool_)
        for word in range(min(-(-int(counts.max()) // _WORD), _WIDEST // _WORD)):
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
            total += read * _U(10 ** (_WORD * word))
        return total, good


class CellBlocks:
    """The cells of the latest lines, which readers of other columns of the same table need as well."""

    def __init__(self) -> None:
        self._key: tuple[bytes, str, int] | None = None
        self._block: CellBlock | None = None

    def of(self, lines: bytes, separator: str, columns: int) -> CellBlock:
        """The cells of these lines; see `CellBlock`.

        Raises:
            IrregularError: Python has to read the lines.
        """
        key = lines, separator, columns
        if self._block is None or key != self._key:
            self._key, self._block = key, None
            self._block = CellBlock(lines, separator, columns)
        return self._block
