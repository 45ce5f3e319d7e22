"""The plan of a range test: rates that rise by the same factor at every step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from kosine._core.arguments import read_above, read_integer
from kosine._core.curves.exponential import exponential
from kosine._core.schedule import Plan, Schedule
from kosine.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOW, HIGH, STEPS, SEEDS = 1e-7, 10.0, 100, 3
FEWEST_STEPS = 20  # the first tenth and the last five are left out of what is suggested
_MOST_STEPS, _MOST_SEEDS = 1_000_000, 1_000


@dataclass(frozen=True)
class RangePlan:
    """What a range test trains.

    Attributes:
        plan: the rate of each step, rising exponentially from the lowest to the highest, which the last step has.
        seeds: the seed of each pass.
    """

    plan: Plan
    seeds: tuple[int, ...]

    @property
    def steps(self) -> int:
        """The steps of each pass."""
        assert self.plan.total_steps is not None
        return self.plan.total_steps

    @cached_property
    def rates(self) -> NDArray[np.float64]:
        """The rate of each step."""
        return np.asarray(self.plan(np.arange(self.steps)), np.float64)


def read_range(low: object, high: object, steps: object, seeds: object) -> RangePlan:
    """The plan of a range test with these arguments, of which None means the usual."""
    lowest = LOW if low is None else read_above(low, "low", 0)
    highest = HIGH if high is None else read_above(high, "high", 0)
    if not lowest < highest:
        raise ArgumentError(
            "The rates of a range test rise: `low` must be < `high`.",
            received={"low": lowest, "high": highest},
            fix=f"Pass `low` as well, as in low={highest / 1e6:.3g}." if low is None else "Exchange the two.",
        )
    count = _read_count(steps, "steps", FEWEST_STEPS, _MOST_STEPS)
    curve = exponential(count, start=lowest, to=highest, endpoint=True)
    return RangePlan(Schedule(curve).plan(total_steps=count), tuple(range(_read_count(seeds, "seeds", 1, _MOST_SEEDS))))


def _read_count(value: object, argument: str, least: int, most: int) -> int:
    rule = f"an integer from {least:,} to {most:,}"
    count = read_integer(value, argument, rule, at_least=least, error=ArgumentError)
    if count > most:
        raise ArgumentError(argument=argument, rule=rule, received=value)
    return count
