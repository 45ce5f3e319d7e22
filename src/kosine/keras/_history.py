"""The learning rates of a run, step by step."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kosine._core.files import whole_file
from kosine._core.schedule import Plan
from kosine._core.views import view

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class LearningRateHistory:
    """The steps and learning rates of every batch that a run trained.

    Attributes:
        steps: int64 array of the steps of the plan, counted from 0.
        rates: float64 array of the plan's learning rates at these steps.
    """

    def __init__(self, plan: Plan | None = None, ranges: Iterable[range] = ()) -> None:
        self._plan = plan
        self._ranges = list(ranges)

    def add(self, first: int, count: int) -> None:
        """Note that `count` batches were trained from step `first` on."""
        if self._ranges and self._ranges[-1].stop == first:
            self._ranges[-1] = range(self._ranges[-1].start, first + count)
        elif count:
            self._ranges.append(range(first, first + count))

    def and_running(self, first: int, count: int) -> LearningRateHistory:
        """This history, and `count` batches from step `first` on of an epoch that is not over."""
        history = LearningRateHistory(self._plan, self._ranges)
        history.add(first, count)
        return history

    @property
    def plan(self) -> Plan | None:
        """The plan that was followed."""
        return self._plan

    @property
    def steps(self) -> NDArray[np.int64]:
        return np.concatenate([np.arange(0), *(np.arange(r.start, r.stop) for r in self._ranges)]).astype(np.int64)

    @property
    def rates(self) -> NDArray[np.float64]:
        return np.empty(0) if self._plan is None else self._plan(self.steps)

    def __len__(self) -> int:
        return sum(map(len, self._ranges))

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the columns `step` and `rate`; the file appears whole or not at all."""
        with whole_file(path) as file:
            writer = csv.writer(file)
            writer.writerow(["step", "rate"])
            writer.writerows(zip(self.steps.tolist(), self.rates.tolist(), strict=True))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the rate of every batch with Matplotlib (extra `plot`), on `ax` or on a new figure."""
        per_epoch = None if self._plan is None else self._plan.run.steps_per_epoch
        axes: Axes = view(self, "plot", ax=ax, steps_per_epoch=per_epoch)
        return axes
