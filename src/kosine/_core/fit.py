"""How a curve is found in the rows of a log, as its file declares it; `infer` does the search."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple


class StraightFit(NamedTuple):
    """A curve whose rate is a straight line after a transformation: it is fitted by weighted linear regression.

    Each function takes and gives arrays.
    """

    transformed: Callable[[Any], Any]
    """The transformation of the rate."""
    slope: Callable[[Any], Any]
    """How much the rate changes when the transformed rate changes by one, at a rate."""
    rate: Callable[[Any], Any]
    """The way back, from the transformed rate to the rate."""


class BentFit(ABC):
    """A curve with one number that must be searched for (`theta`); given it, the rate is a sum of a few columns.

    Positions t run from 0 at the first row to 1 at the last, and rates are divided by the highest one seen.
    """

    def grid(self) -> Any:
        """The rising values of theta that the search begins with; its first is the least that theta can be."""
        import numpy as np

        return np.concatenate([[0.0], np.geomspace(1e-4, 1e4, 45)])

    @abstractmethod
    def columns(self, t: Any, theta: Any) -> Any:
        """The columns at positions t, stacked along a new last axis; t and theta broadcast."""

    def ends(self, theta: float, coefficients: Any) -> tuple[float | None, float | None]:
        """The positions at which the phase begins and ends, where the curve itself determines them."""
        return None, None

    def excluded(self, thetas: Any, coefficients: Any) -> Any:
        """Which values of theta give a curve that no schedule has; None: all may be."""
        return None

    def is_useless(self, theta: float, coefficients: Any) -> bool:
        """Whether the best curve that was found says nothing about a phase all the same."""
        return False


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """How one curve is fitted to rows of a log.

    Attributes:
        rows: the fewest rows that can speak for the curve. Of two curves that explain as many rows, the one that needs
            fewer is taken.
        method: how its numbers are found; None: a constant.
        begins: whether the curve itself determines where its phase begins.
        ends: whether it determines where its phase ends.
        positive: whether it neither leaves nor reaches 0.
        endless_power: of a curve that also exists with a timescale and without an end, the power of the rate that falls
            as one over 1 + t / timescale; None: it always has an end.
    """

    rows: int
    method: StraightFit | BentFit | None
    begins: bool = False
    ends: bool = False
    positive: bool = False
    endless_power: int | None = None
