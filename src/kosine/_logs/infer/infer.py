"""Which schedule a log shows.

The search, file by file. `segments` cuts the rows where one curve ends and the next begins. `hypotheses` makes drafts
of phases from these segments. `snapping` finds the round numbers behind the fitted ones. `to_schedule` writes the
phases, and the cycles where phases repeat. `search` tests each idea on every row, the simplest first. Other ideas have
files of their own: `staircase`, `exact_lags` and `skipped_steps`, `between_steps`, `late_curves`, `rare_rises`,
`rare_curves`. `few_rows` refuses phases that only follow the rows. `explained` leaves a few odd rows out where that
helps (`left_out`, `unseen_warmup`), and asks `evidence` whether the rows are enough. `uncertainty`, `open_rates` and
`restart_steps` find what the log leaves open. `sentences` and `report` say all that in words, and `nearest_curve` how
far one curve misses.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np

from kosine._core.run import read_run
from kosine._logs.infer.explained import Explained, explained, without_odd_rows, without_warmup
from kosine._logs.infer.nearest_curve import nearest_curve, nearest_in_words
from kosine._logs.infer.own_steps import at_own_steps
from kosine._logs.infer.report import (
    begin_question,
    open_questions,
    pieces_of,
    pieces_of_plan,
    steps_question,
    unexplained,
    warmup_question,
)
from kosine._logs.infer.result import Inference, OddRow, OpenQuestion
from kosine._logs.infer.run_context import RunContext, steps_per_unit
from kosine._logs.infer.segments import Observations
from kosine._logs.infer.sentences import explained_in_words, too_few_in_words
from kosine._logs.trace import Trace, check_trace
from kosine._logs.work import Work
from kosine.errors import LogError

_LEAST = 1e-30  # a half-width of rates that are all 0, or as good as that
_MOST = 4e6  # see `Work`
_WHOLE = 1e-6  # steps that a position may be off a whole one by its own rounding
_FURTHEST = 2.0**62  # steps: a schedule counts to 2**63


def infer(trace: Trace, *, steps_per_epoch: int | None = None) -> Inference:
    """The simplest schedule that has the rate of every row of a trace, to the precision that it was printed with.

    The rows are cut into the fewest segments that one curve each fits. The curves are joined and fitted to all rows
    together, and their numbers are replaced by the roundest ones that every row allows. Phases that repeat become
    cycles. Rates that are constant for equal times become a section with a tick. A curve that goes on some steps late
    means a run that skipped steps. The result is tested: the plan is evaluated at every row. The tolerance is half of
    the last printed place; where no numbers meet it, 1.2 times that is allowed, and the sentence says so.

    Args:
        trace: the log, from `read_trace` or made of arrays.
        steps_per_epoch: steps of an epoch, for a log of epochs; without it those that the log declares, or the schedule
            is in epochs of one step each.

    Returns:
        An `Inference`. Where its `schedule` is None, no schedule explains the trace: a plateau scheduler, or changes by
        hand; `pieces` has its shape.

    Raises:
        ArgumentTypeError: `trace` is not a Trace, or `steps_per_epoch` is not an integer.
        PlanError: `steps_per_epoch` is below 1.
        LogError: positions beyond every run.
        MissingPackageError: SciPy is not installed (extra `infer`).

    Example:
        >>> import numpy as np
        >>> import kosine as ks
        >>> plan = ks.warmup_cosine(peak=3e-4, warmup=100).plan(total_steps=1000)
        >>> log = ks.Trace(np.arange(0, 900, 10), plan(np.arange(0, 900, 10)))
        >>> ks.infer(log).schedule
        Schedule(linear(100, start=0.0, to=0.0003), cosine(to=0.0))
    """
    check_trace(trace)
    steps_per_epoch = read_run(steps_per_epoch=steps_per_epoch).steps_per_epoch
    stands_in = False
    if steps_per_epoch is None and trace.positions.dtype.kind == "f":  # else a step of the schedule is an epoch
        steps_per_epoch = trace.steps_per_epoch or trace.resolution
        stands_in = steps_per_epoch is not None and trace.steps_per_epoch is None
    trace = trace.with_steps_per_epoch(steps_per_epoch)
    unit = steps_per_unit(trace, steps_per_epoch)
    if float(np.abs(trace.positions[[0, -1]]).max()) * unit > _FURTHEST:
        raise LogError("A position must be at most 2**62 steps.", received=trace)
    trace = trace.as_computed()
    rows = _observations(trace, unit)
    run = RunContext.of(trace, rows.x, unit, steps_per_epoch)
    with np.errstate(all="ignore"):  # a curve that is tried may be nowhere near, and its rates beyond every float
        whole = explained(rows, run)
        found = whole
        if not whole.is_sure:
            known = partial(RunContext.of, trace, unit=unit, steps_per_epoch=steps_per_epoch)
            found = without_odd_rows(whole, known) or whole
            if not found.is_enough:
                found = without_warmup(rows, whole, run) or whole
        if not found.is_enough:
            return _unexplained(trace, whole, unit)
        questions = (steps_question(unit),) if stands_in else ()
        return _inference(trace, found, unit, questions)


def _inference(trace: Trace, explained: Explained, unit: int, known_questions: tuple[OpenQuestion, ...]) -> Inference:
    """What is known of a trace that a schedule explains."""
    found, rows = explained.found, explained.rows
    assert found is not None
    assert explained.evidence is not None
    questions = (*known_questions, *open_questions(trace, rows, explained.run, found, unit))
    if explained.begins_odd:
        questions = (warmup_question(trace, len(explained.odd)), *questions)
    places = trace.positions[explained.kept]
    skips = (*trace.skipped, *((int(places[row]), count) for row, count in found.skips))
    fitting = np.setdiff1d(np.arange(len(trace)), explained.odd)
    first = min(float(rows.x[0]), float(trace.positions[fitting[0]]) * unit)  # a row that was left out may fit
    plan, origin = at_own_steps(found.plan, found.origin, first, explained.run)
    if explained.run.begins and found.origin > max(origin, 1):
        questions = (begin_question(trace, found.origin / unit), *questions)
    whole = Inference(
        trace, plan.schedule, plan, 0.0, -origin, Fraction(unit), questions, tuple(sorted(skips)), (), "", True
    )
    whole = replace(whole, pieces=pieces_of_plan(plan, whole.steps(), trace))
    expected = whole.expected()
    odd = tuple(
        OddRow(trace.positions[row].item(), float(expected[row]), float(trace.rates[row])) for row in explained.odd
    )
    apart = np.abs(expected - trace.rates)[fitting]
    worst = float((apart / trace.half_widths()[fitting]).max())
    sentence = explained_in_words(whole, odd, explained.evidence.numbers, worst)
    return replace(whole, residual=float(apart.max()), sentence=sentence, odd=odd)


def _observations(trace: Trace, unit: int) -> Observations:
    """The rows in steps, without the skipped steps that the log declares."""
    x = trace.positions.astype(np.float64) * unit
    x = np.where(np.abs(x - np.round(x)) < _WHOLE, np.round(x), x)  # an epoch and a batch in it are a sum of floats
    for position, count in trace.skipped:
        x[trace.positions >= position] -= count
    least = _LEAST if float(trace.rates.max()) < sys.float_info.min else sys.float_info.min
    return Observations(x, np.asarray(trace.rates), np.maximum(trace.half_widths(), least), Work(_MOST))


def _unexplained(trace: Trace, explained: Explained, unit: int) -> Inference:
    searched = explained.searched
    pieces, all_rows = pieces_of(explained.rows, searched.seen, unit)
    if searched.found is not None and explained.evidence is not None:
        sentence = too_few_in_words(searched.found.plan.schedule, explained.evidence, len(trace))
    else:
        nearest = nearest_in_words(nearest_curve(explained.rows))
        sentence = unexplained(pieces, trace.axis, searched.complete, all_rows, nearest)
    return Inference(trace, None, None, 0.0, 0, Fraction(unit), (), (), pieces, sentence, searched.complete)
