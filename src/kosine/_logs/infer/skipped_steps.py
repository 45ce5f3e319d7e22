"""Steps that were skipped: a curve goes on as before, some steps later.

Mixed precision skips the optimizer's step where gradients overflow, mostly near the beginning of a run. The curve of
the longest segment is followed to both sides, and where it misses a row, the lag is taken with which it meets it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kosine._logs.infer.curve_fits import HOLD
from kosine._logs.infer.segments import Observations, Segment

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 200  # steps that are skipped at once
_FEWEST = 4  # rows that a curve must explain before or after a place,
_MOST_PLACES = 16  # at which a run skips steps: one that does at more of them goes slower
_LAST = 2  # but for this many places before its end
_ROWS_OF_A_SKIP = 3  # on average, at least,
_BURST = 12  # but for this many rows at first
_NEARLY = (1.6, 5.0)  # half-widths: the curve was fitted to other rows, and may be less sure where it goes on
_BLOCK = 4096  # rows that are looked at together

Skip = tuple[int, int]
"""A row, and how many steps less than before the log shows from it on."""


def skips_around(rows: Observations, segment: Segment) -> list[Skip]:
    """The skips after and before a segment, as far as its curve explains the rows there."""
    if segment.arc.kind is HOLD or segment.stop - segment.first < segment.arc.kind.rows + 2:
        return []
    return [*_ahead(rows, segment), *_behind(rows, segment)]


def skip_after_restart(rows: Observations, found: Sequence[Segment]) -> list[Skip]:
    """The skips that show only in that a curve begins some steps after the row at which it was started again."""
    skips: list[Skip] = []
    for segment in found[1:]:
        place, begin = float(rows.x[segment.first]), segment.arc.begin
        if begin is not None and 0.7 < begin - place < _MOST:
            skips.append((int(np.searchsorted(rows.x, begin)), round(begin - place)))
    return skips


def without_skips(rows: Observations, skips: Sequence[Skip]) -> Observations:
    """The rows at the positions that they would have without the skips."""
    x = rows.x.copy()
    for row, count in skips:
        x[row:] -= count
    return replace(rows, x=x)


def total_skipped(skips: Sequence[Skip]) -> int:
    return sum(count for _, count in skips)


def _ahead(rows: Observations, segment: Segment) -> list[Skip]:
    def off(places: NDArray[np.intp], lag: float | NDArray[np.float64]) -> NDArray[np.float64]:
        at = rows.x[places] - lag
        missed = np.abs(segment.arc.predict(at) - rows.y[places]) / rows.width[places]
        return missed if segment.arc.end is None else np.where(at <= segment.arc.end, missed, np.inf)

    return _nearest(off, np.arange(segment.stop, len(rows)))


def _behind(rows: Observations, segment: Segment) -> list[Skip]:
    def off(places: NDArray[np.intp], lag: float | NDArray[np.float64]) -> NDArray[np.float64]:
        at = rows.x[places] + lag
        missed = np.abs(segment.arc.predict(at) - rows.y[places]) / rows.width[places]
        return missed if segment.arc.begin is None else np.where(at >= segment.arc.begin, missed, np.inf)

    found = _nearest(off, np.arange(segment.first - 1, -1, -1))
    return [(row + 1, count) for row, count in found]


def _nearest(off: _Off, places: NDArray[np.intp]) -> list[Skip]:
    return next((found for nearly in _NEARLY if (found := _followed(off, places, nearly))), [])


def _followed(off: _Off, places: NDArray[np.intp], nearly: float) -> list[Skip]:
    """The rows at which the lag of the curve grows, and by how much, while it explains the rows one after another."""
    found: list[tuple[int, int]] = []  # how many rows were followed before, and how many steps more it lags from there
    lag, done = 0.0, 0
    while done < places.size:
        if len(found) > min(_MOST_PLACES, (done + _BURST) / _ROWS_OF_A_SKIP):
            return []
        block = places[done : done + _BLOCK]
        missed = np.flatnonzero(off(block, lag) > nearly)
        if not missed.size:
            done += block.size
            continue
        done += int(missed[0])
        more = _later(off, places[done : done + 3], lag, nearly)
        if more is None:
            break
        found.append((done, more))
        lag += more
    runs = np.diff([*(at for at, _ in found), done]).tolist()
    good = max((number for number, run in enumerate(runs) if run >= _FEWEST), default=-1) + 1
    whole = done >= places.size or bool(np.isinf(off(places[done : done + 1], lag))[0])  # up to where the curve ends
    if whole and len(found) - good <= _LAST and all(run > 1 for run in runs[good:]):
        good = len(found)
    return [(int(places[at]), more) for at, more in found[:good]]


def _later(off: _Off, places: NDArray[np.intp], lag: float, nearly: float) -> int | None:
    """The fewest further steps of lag with which the curve explains the first of these rows, best also the next."""
    more = np.arange(1.0, _MOST)
    fits = off(np.full(more.size, places[0]), lag + more) <= nearly
    if not fits.any():
        return None
    also = fits.copy()
    for place in places[1:]:
        also &= off(np.full(more.size, place), lag + more) <= nearly
    return int(more[np.flatnonzero(also if also.any() else fits)[0]])


if TYPE_CHECKING:
    from typing import Protocol

    class _Off(Protocol):
        def __call__(self, places: NDArray[np.intp], lag: float | NDArray[np.float64]) -> NDArray[np.float64]: ...
