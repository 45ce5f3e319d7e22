"""The schedule itself, trained at a share of its length at several peaks."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from kosine._analysis.finder.range_test import RangeTest
from kosine._analysis.rehearsal import Rehearsal, RehearsedPeak
from kosine._analysis.summary import summarize
from kosine._core.arguments import read_flag, read_integer, read_list, read_number
from kosine._core.numbers import exact
from kosine._core.schedule import Plan, check_plan
from kosine.errors import ArgumentError, ArgumentTypeError, PlanError, TrainingError

Model = TypeVar("Model")

_FEWEST = 3  # peaks: with two, the best is always at an end
_OF_A_BRACKET = 5
_SCALES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def rehearse(
    build: Callable[[int], Model],
    fit: Callable[[Model, Plan], Any],
    schedule: Plan,
    peaks: Iterable[float] | RangeTest,
    *,
    scale: float = 0.2,
    seeds: int = 2,
    verbose: bool = True,
) -> Rehearsal:
    """Train a schedule at a share of its length at several peaks, and find the peak for the full length.

    Each run follows the plan itself, made shorter: durations in steps, epochs, samples and tokens are multiplied by
    `scale` and the boundaries are rounded to whole steps, shares of the run and "rest" follow the run, cycles keep
    their number. All rates are multiplied by peak / (the plan's own peak), the floor and the start of the warm-up too.

    The best peak of the short run is carried to the full length by best * scale**0.3: longer runs have lower best
    peaks. Measured exponents are 0.32 (arXiv 2409.19913) and 0.2 (language models of 124M parameters), so `peak` is a
    range.

    Args:
        build: called with a seed (0, 1, ...); makes what `fit` trains, such as a new model with this seed. The peaks
            of one seed start from the same model, where `build` makes it so.
        fit: called with what `build` made and with a plan; trains it for `plan.total_steps` steps with the rates
            `plan(0)`, `plan(1)`, ... and returns the final loss, a number: the lower the better. A validation loss is
            the usual choice. NaN and infinity mean that the run diverged.
        schedule: the plan of the full run.
        peaks: three peaks or more, ascending; or a `RangeTest`, whose bracket is rehearsed at five peaks.
        scale: the length of each run as a share of the full one, in (0, 1].
        seeds: how many runs at each peak, >= 1; from two on the noise is known.
        verbose: whether progress is shown on standard error.

    Returns:
        A `Rehearsal`: `print` shows it as a table, `plot()` draws it, `best` and `peak` have the peaks.

    Raises:
        ArgumentTypeError: a schedule that is not planned yet, a loss that is not a number, ...
        ArgumentError: peaks that are fewer than three, not ascending or not positive; a bracket whose ends are less
            than a factor of 1.5 apart; a scale outside (0, 1].
        PlanError: a plan without an end, or with rates that are all 0; a phase that would last less than a step, such
            as a short warm-up, with the scale that keeps it.
        TrainingError: fewer than two peaks have a finite loss; a range test that shows no bracket.

    Example:
        >>> import kosine as ks
        >>> plan = ks.warmup_cosine(peak=0.1, warmup=100).plan(total_steps=1000)
        >>> def fit(model, plan):  # a stand-in for training: its best peak is 0.08
        ...     peak = max(plan(step) for step in range(plan.total_steps))
        ...     return 0.5 + (peak / 0.08 - 1) ** 2 + 0.001 * model
        >>> rehearsal = ks.rehearse(lambda seed: seed, fit, plan, [0.02, 0.04, 0.08, 0.16], verbose=False)
        >>> rehearsal.best, rehearsal.short.total_steps
        (0.08, 200)
        >>> print(rehearsal)
        The best of 4 peaks is 0.08, and every other one is worse by more than the
        noise of 2 seeds. For the full 1,000 steps: about 0.049, between 0.048 and
        0.058. The best peak is taken to fall with the length to the power of 0.3;
        measured powers are 0.2 to 0.32, and the range has both. Cost: 8 runs of 200
        steps, 1.6 times the 1,000 of one full run.
        <BLANKLINE>
        peak  seed 0  seed 1  mean loss
        0.02   1.062   1.063      1.063
        0.04    0.75   0.751     0.7505
        0.08     0.5   0.501     0.5005  best
        0.16     1.5   1.501        1.5
    """
    check_plan(schedule)
    found = _read_peaks(peaks)
    share = read_number(scale, "scale", "in (0, 1]", above=0, at_most=1, error=ArgumentError)
    count = read_integer(seeds, "seeds", "an integer >= 1", at_least=1, error=ArgumentError)
    for name, function in {"build": build, "fit": fit}.items():
        if not callable(function):
            raise ArgumentTypeError(argument=name, rule="a function", received=function)
    plans = _plans(schedule, found, share)
    runs = _Runs(build, fit, len(found) * count, schedule, read_flag(verbose, "verbose"))
    runs.say_the_cost(plans[0])
    rows = tuple(
        RehearsedPeak(peak, tuple(runs.loss(plan, peak, seed) for seed in range(count)))
        for peak, plan in zip(found, plans, strict=True)
    )
    if sum(math.isfinite(row.mean) for row in rows) < 2:
        raise TrainingError(
            "A rehearsal needs two peaks or more at which every seed ends at a finite loss.",
            received={f"{row.peak:g}": row.losses for row in rows},
            fix="Rehearse lower peaks.",
        )
    return Rehearsal(rows, schedule, schedule.scaled_in_time(exact(share)), share)


def _read_peaks(peaks: object) -> list[float]:
    """The peaks in order."""
    if isinstance(peaks, RangeTest):
        low, high = peaks.bracket
        if high < 1.5 * low:
            raise ArgumentError(
                "The bracket of this range test is too narrow for five peaks.",
                received={"bracket": (low, high)},
                fix="Give a list of peaks around it.",
            )
        return [float(f"{peak:.2g}") for peak in np.geomspace(low, high, _OF_A_BRACKET)]
    rule = f"{_FEWEST} or more learning rates > 0, ascending"
    listed = [
        read_number(peak, "peaks", rule, above=0, error=ArgumentError) for peak in read_list(peaks, "peaks", "peaks")
    ]
    if len(listed) < _FEWEST or any(later <= earlier for earlier, later in pairwise(listed)):
        raise ArgumentError(argument="peaks", rule=rule, received=listed)
    return listed


def _plans(plan: Plan, peaks: list[float], share: float) -> list[Plan]:
    """The short plan at each peak."""
    if plan.total_steps is None:
        fix = "Plan it for the length of the full run: `schedule.plan(total_steps=...)`."
        raise PlanError("A plan without an end has no length to take a share of.", received=plan.schedule, fix=fix)
    own = summarize(plan).peak
    if not own:
        raise PlanError("A plan whose rates are all 0 has no peak to rehearse.", received=plan.schedule)
    short = _short(plan, share)
    return [short.scaled(exact(peak) / exact(own)) for peak in peaks]


def _short(plan: Plan, share: float) -> Plan:
    try:
        return plan.scaled_in_time(exact(share))
    except PlanError as error:
        fits = next(each for each in _SCALES if each > share and _fits(plan, exact(each)))
        raise PlanError(
            f"At `scale={share:g}` a phase of this schedule has no step left: {error.changed(fix='').written()}",
            received={"scale": share},
            fix=f"Use `scale={fits:g}` or more, where each phase has one.",
        ) from error


def _fits(plan: Plan, factor: Fraction) -> bool:
    try:
        plan.scaled_in_time(factor)
    except PlanError:
        return False
    return True


@dataclass
class _Runs:
    """Runs one after the other, and what is said about them."""

    build: Callable[[int], Any]
    fit: Callable[[Any, Plan], Any]
    count: int
    full: Plan
    verbose: bool
    done: int = 0

    def say_the_cost(self, short: Plan) -> None:
        assert short.total_steps is not None
        assert self.full.total_steps is not None
        self._say(
            f"rehearse: {self.count} runs of {short.total_steps:,} steps, "
            f"{self.count * short.total_steps / self.full.total_steps:.2g} x a full run of {self.full.total_steps:,}"
        )

    def loss(self, plan: Plan, peak: float, seed: int) -> float:
        """The final loss of one run; infinity where it diverged."""
        loss = _read_loss(self.fit(self.build(seed), plan))
        self.done += 1
        said = f"loss {loss:.6g}" if math.isfinite(loss) else "diverged"
        self._say(f"rehearse: {self.done} of {self.count}: peak {peak:g}, seed {seed}: {said}")
        return loss

    def _say(self, text: str) -> None:
        if self.verbose:
            print(text, file=sys.stderr, flush=True)


def _read_loss(value: Any) -> float:
    rule = "a function that returns the final loss, a number"
    try:
        value = value.detach() if hasattr(value, "detach") else value  # a tensor of torch, still part of its graph
        if isinstance(value, bool | str) or tuple(getattr(value, "shape", ())):
            raise TypeError
        loss = float(value)
    except (TypeError, ValueError) as error:
        fix = "Return the last one, such as `history.history['val_loss'][-1]`." if hasattr(value, "history") else ""
        raise ArgumentTypeError(argument="fit", rule=rule, received=value, fix=fix) from error
    return loss if math.isfinite(loss) else math.inf
