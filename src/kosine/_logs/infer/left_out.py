"""Rows that may be odd: those that a smooth curve through their neighbours misses, and the first and the last one.

A log may have a row of an earlier run, an outlier, or a last row that already is of the next phase. Which rows these
are is guessed here; a schedule of all others then decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kosine._logs.infer.segments import Observations

    Floats = NDArray[np.float64]
    Rows = NDArray[np.intp]

_TOGETHER = 3  # odd rows next to each other
_AROUND = 2  # neighbours on each side that show how the curve goes
_CLEAR = 6.0  # half-widths, and times what the neighbours are off: an odd row is at least so far off
_FEWEST = 16  # rows of a log
_MOST, _ONE_IN = 6, 50  # rows that are guessed to be odd: twice as many as may be


def left_out(rows: Observations, *, ends: bool) -> Iterator[Rows]:
    """Rows of a log that may be left out, the likeliest guess first; with `ends` also the first and the last one."""
    count = len(rows)
    if count < _FEWEST:
        return
    inside, first, last = _outliers(rows), np.array([0]), np.array([count - 1])
    guesses = [last, first, np.append(first, last)] if ends else []
    if inside.size:
        guesses = [inside, *(np.union1d(inside, guess) for guess in guesses)]
    yield from guesses


def _outliers(rows: Observations) -> Rows:
    """The rows inside that are far off the curve through their neighbours, which themselves lie on it."""
    found: list[int] = []
    most = max(_MOST, len(rows) // _ONE_IN)
    for together in range(1, _TOGETHER + 1):
        off, noise = _off(rows, together)
        clear = np.flatnonzero(off > _CLEAR * noise)
        for at in clear[np.argsort(-off[clear])].tolist():
            block = range(at, at + together)
            if not any(abs(row - other) <= _AROUND for row in block for other in found):
                found += block
        if len(found) > most:  # a log of noise
            return np.zeros(0, np.intp)
    return np.array(sorted(found), np.intp)


def _off(rows: Observations, together: int) -> tuple[Floats, Floats]:
    """For each row, how far it and those after it are off at least, and how far their neighbours are off at most."""
    x, y, width = rows.x, rows.y, rows.width
    count = len(rows)
    off, noise = np.zeros(count), np.full(count, np.inf)
    reach = _AROUND + 1
    at = np.arange(reach, count - together - reach + 1)
    if not at.size:
        return off, noise
    before = [at - place for place in range(reach, 0, -1)]
    after = [at + together + place for place in range(reach)]
    inner = [*before[1:], *after[:-1]]
    least = np.full(at.size, np.inf)
    for row in range(together):
        least = np.minimum(least, np.abs(_through(x, y, inner, at + row) - y[at + row]))
    outer = [*before, *after]
    most = width[at]
    for place in (reach - 1, reach):  # the neighbours on both sides, from as many others
        others = [outer[place + beside] for beside in (-2, -1, 1, 2)]
        most = np.maximum(most, np.abs(_through(x, y, others, outer[place]) - y[outer[place]]))
    off[at], noise[at] = least, most
    return off, noise


def _through(x: Floats, y: Floats, known: list[Rows], at: Rows) -> Floats:
    """The rates at rows from the polynomial through others, after Lagrange."""
    rates = np.zeros(at.size)
    for index, each in enumerate(known):
        weight = np.ones(at.size)
        for other in (*known[:index], *known[index + 1 :]):
            weight *= (x[at] - x[other]) / (x[each] - x[other])
        rates += weight * y[each]
    return rates
