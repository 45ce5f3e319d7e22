"""Whether a run followed its plan: its log and the plan, row by row."""

from __future__ import annotations

from kosine._core.arguments import read_index
from kosine._core.schedule import Plan, check_plan
from kosine._logs.check.alignment import Alignment
from kosine._logs.check.allowed import Allowed
from kosine._logs.check.diagnose import diagnose
from kosine._logs.check.verdict import Verdict
from kosine._logs.trace import Trace, check_trace
from kosine.errors import ArgumentTypeError


def check(trace: Trace, plan: Plan, *, allow_skips: bool | int = False, allow_odd_rows: int = 0) -> Verdict:
    """Find out whether a run followed its plan, and if not, where it first left the plan and how.

    A row at position p is read as the plan's step s = round(p * steps_per_unit) + offset; it agrees where
    |plan(s) - rate| is within the log's printed precision. `check` takes the simplest explanation that fits every row,
    in this order: no offset; the next step's rate, or steps that are counted from 1; skipped steps that the log
    declares; a constant factor; a rate that stays where it is; a log that begins mid-run; skipped steps that the log
    does not declare; the same schedule with another length, rate or duration; a few odd rows; a rate that was changed
    by hand; restarts and jumps. In a log of epochs a row may show the rate of the first batch, of the last one, of the
    next epoch's first, of the epoch before, or the mean.

    A run follows only where its rows show it. Fewer rows than the plan has numbers, rows that all lie where the plan
    stays at one rate, and rates that are printed too coarsely are "too little". A plan that is constant needs three
    rows.

    Args:
        trace: the log, as `read_trace` reads it.
        plan: the plan that the run should have followed. A log of epochs, samples or tokens needs one that knows its
            `steps_per_epoch`, `samples_per_step` or `tokens_per_step`.
        allow_skips: True: a run follows that skipped the steps which its log declares as skipped, or a few steps at a
            time as mixed precision does. A number: a run follows that skipped so many steps at most, whatever the
            reason.
        allow_odd_rows: a run follows with so many odd rows at most.

    Returns:
        A `Verdict`: `print` shows it as a table, `follows` is True or False, and `kind` and `sentence` say how.

    Raises:
        ArgumentTypeError: an argument of another type, such as a schedule that is not planned yet; a number of rows
            below 0.
        PlanError: a plan that does not know the unit of the log's axis.
        LogError: positions beyond every step.

    Example:
        >>> import numpy as np, kosine as ks
        >>> from kosine import check
        >>> plan = ks.warmup_cosine(peak=1e-3, warmup=100).plan(total_steps=1000)
        >>> steps = np.arange(0, 1000, 10)
        >>> logged = np.where(steps < 500, plan(steps), plan(np.maximum(steps - 500, 0)))  # the scheduler began again
        >>> verdict = check(ks.Trace(steps, logged), plan)
        >>> verdict.kind, verdict.jumps[0].position, round(verdict.first.expected, 9), verdict.first.found
        ('restarted', 500, 0.000586824, 0.0)
        >>> check(ks.Trace(steps, plan(steps + 1)), plan).sentence
        'The log follows the plan with an offset: each row shows the rate of the next step (+1).'
    """
    check_trace(trace)
    check_plan(plan)
    trace = trace.with_steps_per_epoch(plan.run.steps_per_epoch)
    skips = allow_skips if isinstance(allow_skips, bool) else _read_count(allow_skips, "allow_skips")
    allowed = Allowed(skips, _read_count(allow_odd_rows, "allow_odd_rows"))
    return diagnose(Alignment.of(trace.as_computed(), plan), allowed)


def _read_count(value: object, argument: str) -> int:
    count = read_index(value)
    if count is None or count < 0:
        rule = "True, False or an integer >= 0" if argument == "allow_skips" else "an integer >= 0"
        raise ArgumentTypeError(argument=argument, rule=rule, received=value)
    return count
