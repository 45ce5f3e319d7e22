"""Which of several schedules is the best, without training: they are ranked by a bound on the last iterate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kosine._analysis.bound import Bound, bound
from kosine._analysis.plan_names import check_plans, letters, read_names
from kosine._analysis.rehearsal import EXPONENT, Rehearsal
from kosine._analysis.summary import summarize
from kosine._core.arguments import read_above
from kosine._core.schedule import Plan
from kosine._core.views import Result
from kosine.errors import ArgumentError, ArgumentTypeError, PlanError

if TYPE_CHECKING:
    pass

__all__ = ["RankedPlan", "Ranking", "rank"]

LOWEST_END = 0.05
"""A run that ends above this share of its peak is one whose best peak the bound does not give."""


@dataclass(frozen=True)
class RankedPlan:
    """A plan and what the bound says of it; a row of a `Ranking`.

    Attributes:
        mark: a letter, in the order in which the plans were given.
        name: what the plan is called; its letter if it has no name.
        plan: the plan.
        bound: the bound at the plan's best peak, in units of D * G, the distance to the optimum times the bound of the
            gradients. It does not depend on the plan's own peak. Lower is better.
        peak: the highest rate of the plan as it is written.
        best_peak: the peak at which the bound is lowest, from the known best peak of another plan; None where no best
            peak is known, or where `untested` says why it is not given.
        untested: why the public runs do not support a figure of this row; "" where they do.
    """

    mark: str
    name: str
    plan: Plan
    bound: float
    peak: float
    best_peak: float | None
    untested: str


@dataclass(frozen=True, repr=False)
class Ranking(Result):
    """Plans in the order of their bounds, the best first; made by `rank`. `print` shows it as a table.

    Attributes:
        rows: the plans, the one with the lowest bound first.
        known: the letters of the plans whose best peak was given, with that peak.
        total_steps: the length of the runs.
    """

    rows: tuple[RankedPlan, ...]
    known: dict[str, float]
    total_steps: int

    @property
    def best(self) -> RankedPlan:
        """The row with the lowest bound."""
        return self.rows[0]

    def above_best(self, row: RankedPlan) -> float:
        """How far a row's bound is above the lowest, as a share."""
        return row.bound / self.rows[0].bound - 1

    def __repr__(self) -> str:
        return f"<Ranking of {len(self.rows)} plans: {self.best.name} has the lowest bound>"


def rank(
    *plans: Plan,
    best_peak: Mapping[Plan, float] | Mapping[str, float] | Rehearsal | None = None,
    names: Sequence[str] | None = None,
) -> Ranking:
    """Rank plans of one length by what convex theory says of the loss after their last step, without training.

    With rates g * s_t the expected loss is at most D² a / g + G² b g above the optimum, where a and b follow from
    the s_t alone (arXiv 2501.18965, theorem 3.1). At the best g, which is sqrt(a / b) D / G, that is 2 D G sqrt(a b).
    D and G belong to the problem and are the same for all plans, so the bounds can be compared, and from the best peak
    of one plan those of the others follow.

    It is a bound for convex problems and a step of the plain gradient. On public runs of language models with 124M
    parameters (AdamW, the same source) the order of the bounds agreed with that of the final losses: Spearman 0.93 at
    25,000 steps, 0.86 at 50,000. `python -m benchmarks.rank` prints how it did. Runs that end far above 0, as a
    constant rate or a cosine to a tenth of the peak do, have best peaks that the bound misses by a factor of up to
    2.2, so `best_peak` is None for them. Restarts were not among the public runs.

    Args:
        *plans: two plans or more, all of one length. The bound says nothing across lengths.
        best_peak: the best peak of one of the plans, or of several, as {plan: 2e-3}, {"its name": 2e-3} or {"A": 2e-3};
            or the `Rehearsal` of one of them. From several follows the geometric mean.
        names: what to call the plans, one name for each; "A", "B", ... if None. Equal names get a number.

    Returns:
        A `Ranking`: `rows` has the plans, the best first; `print` shows it as a table, `plot()` draws the plans.

    Raises:
        ArgumentTypeError: something else than a plan, such as a schedule that is not planned yet.
        ArgumentError: fewer than two plans, a name too few or too many, a best peak of a plan that is not among them,
            or of one for which the bound does not hold.
        PlanError: plans of different lengths, without a length, or whose rates are all 0.

    Example:
        >>> import kosine as ks
        >>> wsd = ks.wsd(peak=1e-3, warmup=300, cooldown="20%").plan(total_steps=50_000)
        >>> cosine = ks.warmup_cosine(peak=2e-3, warmup=300).plan(total_steps=50_000)
        >>> ranking = ks.rank(cosine, wsd, best_peak={cosine: 2e-3}, names=["cosine", "wsd"])
        >>> for row in ranking.rows:
        ...     print(row.name, round(row.best_peak, 5))
        cosine 0.002
        wsd 0.00112
    """
    check_plans(plans, "rank")
    _check_length(plans)
    marks, called = letters(len(plans)), read_names(names, len(plans))
    peaks = [summarize(plan).peak for plan in plans]
    for plan, peak in zip(plans, peaks, strict=True):
        if peak == 0:
            raise PlanError("A plan whose rates are all 0 trains nothing.", received=plan.schedule)
    bounds = [bound(plan, peak) for plan, peak in zip(plans, peaks, strict=True)]
    untested = [_untested(plan, peak) for plan, peak in zip(plans, peaks, strict=True)]
    known = _read_best_peak(best_peak, plans, called, untested)
    ratio = _ratio(known, bounds)
    rows = []
    for index, (plan, each, why) in enumerate(zip(plans, bounds, untested, strict=True)):
        best = known.get(index, None if ratio is None or why else ratio * each.scale)
        rows.append(RankedPlan(marks[index], called[index], plan, each.best, peaks[index], best, why))
    rows.sort(key=lambda row: row.bound)
    given = {marks[index]: peak for index, peak in known.items()}
    return Ranking(tuple(rows), given, plans[0].total_steps or 0)


def _check_length(plans: Sequence[Plan]) -> None:
    """Raise where the plans have no length, or not the same."""
    lengths = [plan.total_steps for plan in plans]
    if None in lengths:
        raise PlanError("`rank` needs the length of the run.", received={"total_steps": None}, missing="total_steps")
    if len(set(lengths)) > 1:
        raise PlanError(
            "`rank` compares plans of one length: across lengths the bound is wrong.",
            received={"total_steps": lengths},
            fix=f"Plan all for one length. For another length take the best peak times (new / old)**-{EXPONENT:g}: "
            "measured powers are 0.2 to 0.32 (arXiv 2409.19913 and language models of 124M parameters).",
        )


def _untested(plan: Plan, peak: float) -> str:
    """Why the public runs do not support the best peak of a plan."""
    assert plan.total_steps is not None
    share = min(plan(plan.total_steps - 1), plan(plan.total_steps)) / peak
    if share > LOWEST_END:
        return f"ends at {100 * share:.3g} % of the peak"
    return "restarts" if len(plan.cycle_ends) > 1 else ""


def _read_best_peak(
    value: object, plans: Sequence[Plan], names: Sequence[str], untested: Sequence[str]
) -> dict[int, float]:
    """The known best peaks, by the number of their plan."""
    if value is None:
        return {}
    given = {value.plan: value.full_best} if isinstance(value, Rehearsal) else value
    if not isinstance(given, Mapping) or not given:
        rule = "the best peak of a plan, as {plan: 2e-3}, or a Rehearsal"
        raise ArgumentTypeError(argument="best_peak", rule=rule, received=value)
    known: dict[int, float] = {}
    called = list(zip(plans, names, letters(len(plans)), strict=True))
    for key, peak in given.items():
        index = next((index for index, words in enumerate(called) if key in words), None)
        if index is None:
            raise ArgumentError(argument="best_peak", rule="the best peak of one of the plans", received=key)
        if untested[index]:
            raise ArgumentError(
                f"The best peak of a run that {_has(untested[index])} says nothing certain of that of others: on "
                "public runs the bound was off by a factor of up to 2.2.",
                received={"best_peak": {names[index]: peak}},
                fix="Give the best peak of a plan that decays to 0 without restarts.",
            )
        known[index] = read_above(peak, "best_peak", 0)
    return known


def _has(untested: str) -> str:
    return "has restarts" if untested == "restarts" else untested


def _ratio(known: Mapping[int, float], bounds: Sequence[Bound]) -> float | None:
    """D / G, the geometric mean over the known best peaks; None where there is none."""
    if not known:
        return None
    return math.exp(math.fsum(math.log(peak / bounds[index].scale) for index, peak in known.items()) / len(known))
