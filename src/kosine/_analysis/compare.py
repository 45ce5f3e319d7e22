"""Where plans differ: from which step on, where most, and how their areas compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kosine._analysis.differences import Difference, DifferenceSearch
from kosine._analysis.plan_names import check_plans, letters, read_names
from kosine._analysis.sampling import COLUMNS, GIVE_A_LENGTH, trace
from kosine._analysis.summary import Summary, summarize
from kosine._core.arguments import read_number
from kosine._core.schedule import Plan
from kosine._core.views import Result
from kosine.errors import ArgumentError, PlanError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Comparison", "Difference", "compare"]


@dataclass(frozen=True, repr=False)
class Comparison(Result):
    """Plans next to each other; made by `compare`. `print` shows it as a table.

    Attributes:
        plans: the plans; one without a length is planned for `total_steps`.
        names: their names.
        tolerance: how far rates may be apart, as a share of the highest rate of all plans.
        total_steps: the length of the longest.
        summaries: the totals of each plan over its own run.
        differences: where each further plan differs from the first.
    """

    plans: tuple[Plan, ...]
    names: tuple[str, ...]
    tolerance: float
    total_steps: int
    summaries: tuple[Summary, ...]
    differences: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        """Whether no plan differs from the first by more than the tolerance at any step."""
        return all(difference.first_step is None for difference in self.differences)

    @property
    def exhaustive(self) -> bool:
        """Whether every step was compared; if not, the runs were too long and were compared in part."""
        return all(difference.looked_at is None for difference in self.differences)

    @property
    def peak(self) -> float:
        """The highest rate of all plans."""
        return max(summary.peak for summary in self.summaries)

    @property
    def marks(self) -> tuple[str, ...]:
        """A letter for each plan, used where its name is too long."""
        return tuple(letters(len(self.plans)))

    @property
    def steps_per_epoch(self) -> int | None:
        """The steps of an epoch, where the plans that know them agree."""
        known = {plan.run.steps_per_epoch for plan in self.plans} - {None}
        return known.pop() if len(known) == 1 else None

    def trace(self, columns: int = COLUMNS) -> tuple[NDArray[np.int64], list[NDArray[np.float64]]]:
        """Steps, ascending, and the rates of each plan there: few enough to draw, with all that a picture can show.

        Args:
            columns: how many points the picture can show side by side.
        """
        last = self.total_steps - 1
        found = {0, last}
        for plan in self.plans:
            found.update(trace(plan, columns)[0].tolist())
            end = plan.total_steps or 0  # after it the plan goes on, up to the end of the longest run
            for step in np.linspace(end, last, columns).astype(np.int64).tolist() if end <= last else ():
                row = plan.phase_at(step)
                found.update((step, max(row.first_step, end), min(row.stop - 1, last)))
        for difference in self.differences:
            for step in (difference.first_step, difference.step):
                found.update(() if step is None else (max(step - 1, 0), step, min(step + 1, last)))
        steps = np.array(sorted(found), np.int64)
        return steps, [plan(steps) for plan in self.plans]

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.names)}: {'equal' if self.equal else 'different'}>"


def compare(*plans: Plan, names: Sequence[str] | None = None, tolerance: float = 1e-9) -> Comparison:
    """Compare plans step by step: each with the first, d(t) = |rate(t) - first rate(t)| over the longest run.

    They differ from the first step at which d(t) > tolerance * peak, where the peak is the highest rate of all. A plan
    that ends before the longest one goes on as it always does: at the end value of its last phase, or in its cycles.
    Equal phases are not evaluated, and of the others only the steps that decide, so runs of 10**9 steps are compared
    in seconds. Where such runs differ in too many places to look at every step, the result says so.

    Args:
        *plans: two plans or more. One without a length is compared over that of the longest.
        names: what to call them, one name for each; "A", "B", ... if None. Equal names get a number.
        tolerance: how far two rates may be apart, as a share of the peak; >= 0.

    Returns:
        A `Comparison`: `print` shows it as a table, `plot()` draws it, and `equal` says whether they are.

    Raises:
        ArgumentTypeError: something else than a plan, such as a schedule that is not planned yet.
        ArgumentError: fewer than two plans, a name too few or too many, or a tolerance that is negative.
        PlanError: no plan has a length.

    Example:
        >>> import kosine as ks
        >>> cosine = ks.warmup_cosine(peak=0.1, warmup=10).plan(total_steps=100)
        >>> linear = ks.Schedule(ks.linear(10, start=0.0, to=0.1), ks.linear(to=0.0)).plan(total_steps=100)
        >>> comparison = ks.compare(cosine, linear, names=["cosine", "linear"])
        >>> comparison.equal, comparison.differences[0].first_step, comparison.differences[0].step
        (False, 11, 80)
        >>> print(comparison)
           plan    steps  area  of A's
        A  cosine    100     5   100 %
        B  linear    100     5   100 %
        <BLANKLINE>
           differs from  most at step  rate of A  its rate  difference  of peak
        B       step 11            80     0.0117   0.02222     0.01052   10.5 %
    """
    check_plans(plans, "compare")
    rule = "a finite number >= 0, a share of the highest rate"
    share = read_number(tolerance, "tolerance", rule, at_least=0, error=ArgumentError)
    total = max((plan.total_steps for plan in plans if plan.total_steps is not None), default=None)
    if total is None:
        raise PlanError(
            "Schedules that never end need the length of a run to be compared.",
            received=plans[0].schedule,
            fix=GIVE_A_LENGTH,
            missing="total_steps",
        )
    full = tuple(
        plan if plan.total_steps is not None else Plan(plan.schedule, replace(plan.run, total_steps=total))
        for plan in plans
    )
    summaries = tuple(summarize(plan) for plan in full)
    peak = max(summary.peak for summary in summaries)
    called = read_names(names, len(full))
    differences = tuple(
        DifferenceSearch(full[0], plan, total, share, peak).difference(name)
        for plan, name in zip(full[1:], called[1:], strict=True)
    )
    return Comparison(full, called, share, total, summaries, differences)
