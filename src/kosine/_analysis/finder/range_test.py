"""The result of a range test."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Self, get_args

import numpy as np

from kosine._analysis.finder import suggestions
from kosine._analysis.finder.divergence import Divergence, End
from kosine._analysis.finder.range_plan import RangePlan
from kosine._analysis.finder.smoothing import noise, smoothed
from kosine._core.files import whole_file
from kosine._core.views import Result
from kosine.errors import ArgumentError, ArgumentTypeError, Described, TrainingError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Vector = NDArray[np.float64]

_LAST = 5  # losses that are left out at the end of each seed, as fast.ai leaves them out


class Suggestion(NamedTuple):
    """A rate that the seeds of a range test suggest.

    Attributes:
        rate: the median over the seeds.
        low: the lowest of them.
        high: the highest.
        by_seed: that of each seed; None where its curve is too short.
    """

    rate: float
    low: float
    high: float
    by_seed: tuple[float | None, ...]

    @classmethod
    def of(cls, by_seed: Sequence[float | None]) -> Self | None:
        """That of several seeds; None where no seed suggests a rate."""
        known = [rate for rate in by_seed if rate is not None]
        if not known:
            return None
        middle = float(np.exp(np.median(np.log(known)))) if len(known) % 2 == 0 else sorted(known)[len(known) // 2]
        return cls(middle, min(known), max(known), tuple(by_seed))


@dataclass(frozen=True, repr=False, eq=False)
class RangeTest(Result):
    """The losses of a model whose learning rate rises at every batch; made by `range_test`.

    `print` shows what they suggest and what to do next. The losses are smoothed by an exponential moving average (0.98,
    without bias); of each seed the first tenth of the steps and the last 5 losses are left out, as fast.ai does. A
    single number from such a test moves by a factor of 2 to 3 with the seed and with the number of steps, so the answer
    is `bracket`. `rehearse` finds the peak in it.

    Args:
        rates: the learning rate of each step, ascending, above 0.
        losses: for each seed the loss of each batch, from the first step on. A seed that ended early has fewer.
        ends: why each seed ended: "finished", "diverged" or "not finite"; by default "finished" where it has a loss for
            every rate, else "diverged".

    Raises:
        ArgumentError: rates that do not rise or are not above 0; losses that are not finite, or more of them than
            rates; ends of another number or name.

    Example:
        >>> import kosine as ks, numpy as np
        >>> rates = np.geomspace(1e-5, 10, 100)
        >>> losses = 2.3 - 1.8 * np.clip(np.log10(rates / 1e-4) / 3, 0, 1) + 40 * np.maximum(rates - 0.3, 0) ** 2
        >>> test = ks.RangeTest(rates, [losses])
        >>> low, high = test.bracket
        >>> round(low, 4), round(high, 2)
        (0.0053, 0.4)
    """

    rates: Vector
    losses: tuple[Vector, ...]
    ends: tuple[End, ...]

    def __init__(self, rates: ArrayLike, losses: Sequence[ArrayLike], ends: Sequence[End] | None = None) -> None:
        known = _read_vector(rates, "rates")
        if known.size == 0 or known[0] <= 0 or not (np.diff(known) > 0).all():
            raise ArgumentError(argument="rates", rule="ascending and above 0", received=rates)
        by_seed = tuple(_read_vector(each, f"losses[{seed}]") for seed, each in enumerate(losses))
        most = max((each.size for each in by_seed), default=-1)
        if not 0 <= most <= known.size:
            received = Described(f"{len(by_seed)} seeds with up to {max(most, 0):,} losses for {known.size:,} rates")
            raise ArgumentError(
                "A test has a seed or more, and a seed at most one loss for each rate.", received=received
            )
        usual: list[End] = ["finished" if each.size == known.size else "diverged" for each in by_seed]
        named = tuple(usual if ends is None else ends)
        if len(named) != len(by_seed) or not set(named) <= set(get_args(End)):
            raise ArgumentError(argument="ends", rule=f"one of {get_args(End)} for each seed", received=ends)
        for name, value in {"rates": known, "losses": by_seed, "ends": named}.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, planned: RangePlan, seeds: Sequence[Divergence]) -> Self:
        """The result of what was trained along a plan."""
        return cls(planned.rates, [seed.losses for seed in seeds], [seed.end for seed in seeds])

    # --- the curves ---

    @cached_property
    def smoothed(self) -> tuple[Vector, ...]:
        """The moving average of each seed's losses."""
        return tuple(smoothed(losses) for losses in self.losses)

    # --- what they suggest ---

    @cached_property
    def valley(self) -> Suggestion | None:
        """The middle of the longest fall, as fast.ai's `valley`; a cautious peak."""
        return self._suggested(suggestions.valley)

    @cached_property
    def slide(self) -> Suggestion | None:
        """The left end of the last stretch over which the slope changes, as fast.ai's `slide`."""
        return self._suggested(suggestions.slide)

    @cached_property
    def steepest(self) -> Suggestion | None:
        """The rate of the fastest fall along the logarithm of the rate, as fast.ai's `steep`."""
        return self._suggested(suggestions.steepest)

    @cached_property
    def minimum(self) -> Suggestion | None:
        """The rate of the lowest loss; fast.ai's `minimum` is a tenth of it."""
        return self._suggested(suggestions.minimum)

    @property
    def bracket(self) -> tuple[float, float]:
        """Two rates that the best peak of a warm-up and a cosine lies between: valley and minimum, each the median.

        On handwritten digits, with three optimizers and runs of two lengths, the best peak was between them each time.

        Raises:
            TrainingError: the curves do not show it; the message says why, and what to change.
        """
        trouble = self.trouble
        if trouble is not None:
            raise trouble
        assert self.valley is not None
        assert self.minimum is not None
        low, high = sorted((self.valley.rate, self.minimum.rate))
        return low, high

    @property
    def trouble(self) -> TrainingError | None:
        """Why there is no bracket; None where there is one."""
        seeds = zip(self.losses, self.ends, strict=True)
        steps = Described(", ".join(f"{losses.size} losses ({end})" for losses, end in seeds))
        if self.valley is None or self.minimum is None:
            return TrainingError(
                "The losses end too early to show a bracket.",
                received=steps,
                fix="Begin at a lower `low`, with more steps, or look for the cause where even the first loss is NaN.",
            )
        if not any(self._falls(losses) for losses in self.losses):
            return TrainingError(
                "The loss falls by less than the losses of single batches differ, so the test shows no bracket.",
                received=steps,
                fix="Use more steps, larger batches, or a higher `high`; or check that the model can learn.",
            )
        return None

    @property
    def still_falls(self) -> bool:
        """Whether the lowest loss is at the highest rates, so that the bracket may reach further up."""
        return all(
            end == "finished" and np.argmin(self._cut(curve)) >= self._cut(curve).size - 1 - len(self.rates) // 20
            for curve, end in zip(self.smoothed, self.ends, strict=True)
        )

    # --- files ---

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the columns seed, step, rate, loss and smoothed; the file appears whole or not at all.

        Raises:
            OSError: the file cannot be written; a file that was there before is unchanged.
        """
        with whole_file(path) as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["seed", "step", "rate", "loss", "smoothed"])
            for seed, (losses, curve) in enumerate(zip(self.losses, self.smoothed, strict=True)):
                rows = zip(self.rates[: losses.size].tolist(), losses.tolist(), curve.tolist(), strict=True)
                table.writerows([seed, step, *row] for step, row in enumerate(rows))

    # --- helpers ---

    def _suggested(self, rule: Callable[[Vector, Vector], float | None]) -> Suggestion | None:
        rates = self.rates
        return Suggestion.of([rule(self._cut(rates[: curve.size]), self._cut(curve)) for curve in self.smoothed])

    def _cut(self, values: Vector) -> Vector:
        """Without the first tenth of the test's steps, where the average is noisy, and the last few losses."""
        return values[self.rates.size // 10 : -_LAST]

    def _falls(self, losses: Vector) -> bool:
        curve = self._cut(smoothed(losses))
        lowest = int(np.argmin(curve))
        return float(curve[: lowest + 1].max() - curve[lowest]) > noise(losses[: lowest + self.rates.size // 10 + 1])

    def __repr__(self) -> str:
        return f"<RangeTest: {len(self.losses)} seeds, {self.rates.size} rates>"


def _read_vector(values: ArrayLike, argument: str) -> Vector:
    """A read-only array of finite numbers in one dimension."""
    try:
        vector = np.array(values, np.float64)
    except (TypeError, ValueError) as error:
        raise ArgumentTypeError(argument=argument, rule="a list of numbers", received=values) from error
    if vector.ndim != 1 or not np.isfinite(vector).all():
        raise ArgumentError(argument=argument, rule="finite numbers in one dimension", received=values)
    vector.flags.writeable = False
    return vector
