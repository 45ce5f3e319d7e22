"""What is predicted of plans: the loss of each, how certain it is, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kosine._core.schedule import Plan
from kosine._core.views import Result
from kosine._logs.predict.fit import Fit
from kosine._logs.predict.past_runs import PastRun

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PredictedPlan:
    """A plan and the loss that is predicted for it; a row of a `Prediction`.

    Attributes:
        mark: a letter, in the order in which the plans were given.
        name: what the plan is called; its letter if it has no name.
        plan: the plan.
        loss: the loss at the end of the run.
        low: the lower end of its range.
        high: the upper end.
        steps: steps of the run, from after the warm-up to its end.
        curve: the loss at each of them.
        lows: the lower ends of its range.
        highs: the upper ends.
    """

    mark: str
    name: str
    plan: Plan
    loss: float
    low: float
    high: float
    steps: NDArray[np.int64]
    curve: _Vector
    lows: _Vector
    highs: _Vector


@dataclass(frozen=True, eq=False, repr=False)
class Prediction(Result):
    """The losses that are predicted for plans, the lowest first; made by `predict`. `print` shows them as a table.

    Attributes:
        rows: the plans, the one with the lowest loss first.
        runs: the past runs that it rests on.
        fitted: for each of them, what the fit says at the steps of its losses; NaN before the fit begins.
        fit: the numbers of the law that fit best.
        reasons: sentences on what the prediction rests on, and how far it goes beyond it.
    """

    rows: tuple[PredictedPlan, ...]
    runs: tuple[PastRun, ...]
    fitted: tuple[_Vector, ...]
    fit: Fit
    reasons: tuple[str, ...]

    @property
    def best(self) -> PredictedPlan:
        """The row with the lowest loss; the only one where one plan was given."""
        return self.rows[0]

    @property
    def loss(self) -> float:
        """The loss at the end of the best plan."""
        return self.best.loss

    @property
    def low(self) -> float:
        """The lower end of the range of that loss."""
        return self.best.low

    @property
    def high(self) -> float:
        """The upper end of the range of that loss."""
        return self.best.high

    @property
    def steps(self) -> NDArray[np.int64]:
        """The steps of `curve`."""
        return self.best.steps

    @property
    def curve(self) -> _Vector:
        """The loss of the best plan at `steps`."""
        return self.best.curve

    def __repr__(self) -> str:
        best = self.best
        return f"<Prediction: {best.name} ends at {best.loss:.4f}, {best.low:.4f} to {best.high:.4f}>"
