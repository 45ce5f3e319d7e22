"""The plan of a family, one for each whole number, that is nearest to a log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from kosine.errors import PlanError, ScheduleError

if TYPE_CHECKING:
    from kosine._core.schedule import Plan
    from kosine._logs.check.alignment import Alignment

_TRIED = 64  # numbers that are tried, spread over the range
_LOOKED_AT = 512  # rows
_FEW = 1 / 20  # of the rows may contradict a number


class Nearest(NamedTuple):
    """A number of a family, and how many rows its plan does not explain."""

    number: int
    off: int


def nearest_plan(
    aligned: Alignment,
    made: Callable[[int], Plan],
    usual: int,
    between: tuple[float, float],
    first: Iterable[int] = (),
) -> Nearest | None:
    """The number whose plan explains all rows, or nearly all; None where no number does.

    Args:
        aligned: the rows, as they are read.
        made: the plan of a number.
        usual: the number of the plan that the rows do not follow.
        between: the least and the greatest number.
        first: numbers that are tried before the search.
    """
    some = aligned.spread(_LOOKED_AT)
    steps, rates, width = np.maximum(aligned.steps(some), 0), aligned.trace.rates[some], aligned.tolerance(some)

    def error(number: int) -> float:
        """The mean of how far the rows are off, in their own tolerance; ever smaller towards the right number."""
        try:
            plan = made(number)
        except (PlanError, ScheduleError):  # such as a run that has no step left for the rest
            return float("inf")
        return float(np.minimum(np.abs(plan(steps) - rates) / width, 1e9).mean())

    tried = {number: error(number) for number in (*first, *_towards(error, usual, between)) if number != usual}
    possible = [number for number, off in tried.items() if off <= 1]  # half-widths
    for number in possible:
        if aligned.with_plan(made(number)).explains_all():
            return Nearest(number, 0)
    if not possible:
        return None
    nearest = min(possible, key=tried.__getitem__)
    off = aligned.with_plan(made(nearest)).count_misses()
    return Nearest(nearest, off) if off <= _FEW * len(aligned) else None


def _towards(error: Callable[[int], float], usual: int, between: tuple[float, float]) -> Iterator[int]:
    """The numbers around the one with the smallest error."""
    low, high = (max(1.0, float(end)) for end in between)
    spread = np.geomspace(low, high, _TRIED).tolist() if high > low else [low]
    numbers = sorted({round(number) for number in spread} | {usual})
    at = int(np.argmin([error(number) for number in numbers]))
    least, most = numbers[max(at - 1, 0)], numbers[min(at + 1, len(numbers) - 1)]
    while most - least > 3:  # ever closer around the smallest
        third = (most - least) // 3
        if error(least + third) <= error(most - third):
            most -= third
        else:
            least += third
    yield from range(least, most + 1)
