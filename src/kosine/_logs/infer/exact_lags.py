"""Skipped steps in a log of many digits: each rate of a simple schedule says which step it is of.

A warm-up from 0, and the line or the cosine to 0 after it, can be inverted: a rate gives the step. Where the rows are
exact enough, the lag of each row is then known by itself, however few rows lie between two skips. Lags that are whole,
small and never fall prove skipped steps, as no other schedule makes them by accident.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kosine._logs.infer.segments import Observations
from kosine._logs.infer.skipped_steps import Skip

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_FEWEST = 4  # rows of a warm-up or a decay whose slope is known although one gap of it shows a skip
_EXACT = 0.2  # steps: rows that are known less well, most of them, do not show a lag
_FEWEST_RISING = 1  # rows of a warm-up before the highest row, where the peak is known
_ABOVE = 1.05  # of the highest row: the peak of a cosine, which is flat there
_NEAR = 1e-3  # steps: the error of a slope, on top of that of each row
_ALIKE = 1e-6  # of a slope: gaps without a skip
_MOST_SHARE = 0.05  # of the steps that the log covers may be skipped,
_MOST = 24  # and as many in any log: a loss scale of 2**16 is halved 16 times before it is 1
_PEAKS = 24  # round numbers that are tried as the peak of a cosine
_DIGITS = 4  # that they have at most
_COST, _ROWS_AT_ONCE, _ROWS_ANSWERED = 100, 10, 100  # see `Work`
_SOME = 500  # rows that are looked at first


class Inverted(NamedTuple):
    """The steps that rates are of, and how far each may be off."""

    steps: Floats
    error: Floats


def exact_lags(rows: Observations, total: float | None) -> Iterator[list[Skip]]:
    """The skips that the rates show if they are of a warm-up from 0 and of a line, a cosine or nothing after it.

    Args:
        rows: the log.
        total: the length of the run, where the log declares it.
    """
    top = int(np.argmax(rows.y))
    if top < _FEWEST_RISING:
        return
    before, after = rows.part(0, top + 1), rows.part(top, len(rows))
    seen = _slope(rows.x[:top], rows.y[:top])
    gains = (seen, None) if seen is not None and seen > 0 else (None,)  # skips in most gaps hide it
    for each, falling in chain.from_iterable(_curves(after, gain, total) for gain in gains):
        rising = Inverted(before.y / each, before.width / each)
        for cut in (top + 1, top):  # the highest row is one of the warm-up, or of the decay
            whole = Inverted(
                *(np.append(up[:cut], down[cut - top :]) for up, down in zip(rising, falling, strict=True))
            )
            lags = _lags_of_all(rows, whole)
            if lags is not None and (lags[0] > 1 or lags[-1] > lags[0]):
                grown = np.diff(lags, prepend=0.0)
                yield [(row, round(float(grown[row]))) for row in np.flatnonzero(grown).tolist()]
                return


def _curves(rows: Observations, gain: float | None, total: float | None) -> Iterator[tuple[float, Inverted]]:
    """What a warm-up may gain with a step, and the steps of the highest row and those after it.

    Args:
        rows: the highest row and those after it.
        gain: what the rows of the warm-up show; None: too few of them show it.
        total: see `exact_lags`.
    """
    if len(rows) == 1 or float(np.ptp(rows.y[1:])) == 0:  # a rate that stays says nothing of its steps
        if gain is not None:
            yield gain, Inverted(rows.x, np.full(len(rows), math.inf))
        return
    yield from _lines(rows, gain, total)
    yield from _cosines(rows, gain, total)


def _lines(rows: Observations, gain: float | None, total: float | None) -> Iterator[tuple[float, Inverted]]:
    loss = _slope(rows.x[1:], -rows.y[1:])
    if loss is None or loss <= 0:
        return
    late = float(rows.x[1] + rows.y[1] / loss)  # the end, had no step been skipped before
    peaks = list(_round_numbers(float(rows.y[0]), float(rows.y[1]) + loss * 2 * float(rows.x[1] - rows.x[0])))
    for end in _places(late, total):
        warmups = [end * loss / (gain + loss)] if gain is not None else [end - peak / loss for peak in peaks]
        for warmup in warmups:
            if warmup > 1 and _is_whole(warmup):
                yield (end - round(warmup)) * loss / round(warmup), Inverted(end - rows.y / loss, rows.width / loss)


def _cosines(rows: Observations, gain: float | None, total: float | None) -> Iterator[tuple[float, Inverted]]:
    high = gain * float(rows.x[1]) if gain is not None else float(rows.y[0]) * _ABOVE
    for peak in _round_numbers(float(rows.y[0]), high):
        share = np.clip(2 * rows.y / peak - 1, -1.0, 1.0)
        angles = np.arccos(share)
        turn = _slope(rows.x[1:], angles[1:])
        if turn is None or turn <= 0:
            continue
        late = float(rows.x[1] - angles[1] / turn)  # where it begins, had no step been skipped before
        begin = None if total is None else total - math.pi / turn
        error = 2 * rows.width / peak / np.sqrt(np.maximum(1 - share**2, 1e-300)) / turn
        for warmup in [peak / gain] if gain is not None else _places(late, begin):
            if warmup > 1 and _is_whole(warmup):
                yield peak / round(warmup), Inverted(round(warmup) + angles / turn, error)


def _places(late: float, declared: float | None) -> Iterator[float]:
    """Where a curve may begin or end: as declared, or earlier by steps that may have been skipped."""
    if declared is not None and -_NEAR <= late - declared <= _MOST + _NEAR:
        yield declared
    yield from (late - lag for lag in range(_MOST + 1))


def _is_whole(steps: float) -> bool:
    return abs(steps - round(steps)) <= _NEAR


def _round_numbers(low: float, high: float) -> Iterator[float]:
    """Round numbers from `low` to `high`, the shortest first."""
    if not 0 < low <= high < math.inf:
        return
    seen: set[float] = set()
    top = math.floor(math.log10(high))
    for place in range(top, top - _DIGITS, -1):
        first = math.ceil(low / 10.0**place - 1e-9)
        last = math.floor(high / 10.0**place + 1e-9)
        for count in range(first, min(last, first + _PEAKS) + 1):
            number = float(f"{count}e{place}")
            if number not in seen and len(seen) < _PEAKS:
                seen.add(number)
                yield number


def _slope(x: Floats, y: Floats) -> float | None:
    """The change of y with a step, where no step was skipped: the steepest that two gaps have."""
    if x.size < _FEWEST:
        return None
    slopes = np.sort(np.diff(y) / np.diff(x))
    alike = np.flatnonzero(np.diff(slopes) <= _ALIKE * np.abs(slopes[1:]))
    if not alike.size:
        return None
    steepest = slopes[alike[-1] + 1]
    return float(np.median(slopes[np.abs(slopes - steepest) <= _ALIKE * abs(steepest)]))


def _lags_of_all(rows: Observations, inverted: Inverted) -> Floats | None:
    """The same as `_lags`, which some of the rows must have before all are looked at."""
    some = slice(None, None, 1 + len(rows) // _SOME)
    rows.work.spend(_COST + len(rows) / _ROWS_ANSWERED)
    if _lags(rows.x[some], Inverted(inverted.steps[some], inverted.error[some])) is None:
        return None
    rows.work.spend(len(rows) / _ROWS_AT_ONCE)
    return _lags(rows.x, inverted)


def _lags(x: Floats, inverted: Inverted) -> Floats | None:
    """The fewest steps that each row lags by, never fewer than the row before; None where no whole numbers do."""
    error = inverted.error + _NEAR
    if float(np.median(error[np.isfinite(error)])) > _EXACT:
        return None
    low, high = np.ceil(x - inverted.steps - error), np.floor(x - inverted.steps + error)
    lags = np.maximum.accumulate(np.maximum(low, 0.0))
    most = max(_MOST, _MOST_SHARE * float(x[-1] - x[0]))
    return lags if bool((lags <= high).all()) and lags[-1] <= most else None
