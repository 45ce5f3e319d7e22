"""Which schedule a log shows."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np

from kosine._core.run import RunSize, read_run
from kosine._logs.infer.hypotheses import Run
from kosine._logs.infer.report import offset_in_words, opened, pieces_of, unexplained
from kosine._logs.infer.result import Inference
from kosine._logs.infer.rounding import roundest
from kosine._logs.infer.search import Axis, explanation
from kosine._logs.infer.segments import Rows
from kosine._logs.infer.snapping import EXPLAINS
from kosine._logs.infer.to_schedule import Written
from kosine._logs.trace import Trace
from kosine.errors import ArgumentTypeError, LogError, shown


def infer(trace: Trace, *, steps_per_epoch: int | None = None) -> Inference:
    """The simplest schedule that has the rate of every row of a trace, to the precision that it was printed with.

    The rows are cut into as few stretches as one curve each goes through, the curves are joined and fitted to all rows
    together, and their numbers are replaced by the roundest ones that every row allows. Phases that repeat become
    cycles, rates that stand still for equal times a section with a tick, and a curve that goes on some steps late is a
    run that skipped steps. What is found is proven: the plan is evaluated at every row. Where no numbers bring
    every row within half of its last printed place, 1.2 times that is taken, and the sentence says so.

    Args:
        trace: the log, from `read_trace` or made of arrays.
        steps_per_epoch: how many steps an epoch of the run has, for a trace whose axis counts epochs; without it the
            schedule is in epochs, each of one step.

    Returns:
        An `Inference`. Where its `schedule` is None, no schedule explains the trace: a plateau scheduler, or changes by
        hand; `pieces` has its shape.

    Raises:
        ArgumentTypeError: something that is no trace, or `steps_per_epoch` no integer.
        PlanError: `steps_per_epoch` below 1.
        LogError: positions that no run has.
        MissingPackageError: SciPy is not installed (extra `infer`).

    Example:
        >>> import numpy as np
        >>> import kosine as ks
        >>> plan = ks.warmup_cosine(peak=3e-4, warmup=100).plan(total_steps=1000)
        >>> log = ks.Trace(np.arange(0, 900, 10), plan(np.arange(0, 900, 10)))
        >>> ks.infer(log).schedule
        Schedule(linear(100, start=0.0, to=0.0003), cosine(to=0.0))
    """
    if not isinstance(trace, Trace):
        raise ArgumentTypeError(
            f"Argument `trace` must be a Trace. Received: trace={shown(trace)}. "
            "Read a log with `ks.read_trace(path)`, or make one of arrays: `ks.Trace(steps, rates)`."
        )
    steps_per_epoch = read_run(steps_per_epoch=steps_per_epoch).steps_per_epoch
    unit = _unit(trace, steps_per_epoch)
    if float(np.abs(trace.positions[[0, -1]]).max()) * unit > _FURTHEST:
        raise LogError(f"A position must be at most 2**62 steps. Received: {trace!r}.")
    trace = trace.as_computed()
    x = trace.positions.astype(np.float64) * unit
    for position, count in trace.skipped:
        x[trace.positions >= position] -= count
    rows = Rows(x, np.asarray(trace.rates), np.maximum(trace.half_widths(), _LEAST))
    axis = _axis(trace, rows, unit, steps_per_epoch)
    found, seen = explanation(rows, axis)
    if found is None:
        pieces = pieces_of(rows, seen, unit)
        sentence = unexplained(pieces, trace.axis)
        return Inference(trace, None, None, 0.0, 0, Fraction(unit), (), (), pieces, sentence)
    skips = (*trace.skipped, *((int(trace.positions[row]), count) for row, count in found.skips))
    inference = Inference(
        trace,
        found.plan.schedule,
        found.plan,
        0.0,
        -found.origin,
        Fraction(unit),
        opened(trace, rows, axis, found, unit),
        tuple(sorted(skips)),
        pieces_of(rows, seen, unit),
        "",
    )
    apart = np.abs(inference.expected() - trace.rates)
    worst = float((apart / rows.width).max())
    nearly = f", the furthest to {worst:.2f} times what its print leaves open" if worst > EXPLAINS else ""
    sentence = f"{found.plan.schedule!r} explains every row{nearly}. {offset_in_words(inference)}"
    return replace(inference, residual=float(apart.max()), sentence=sentence)


def _unit(trace: Trace, steps_per_epoch: int | None) -> int:
    """How many steps one unit of the log's axis has: as few as make every position a whole step."""
    if trace.axis == "epoch" and steps_per_epoch is not None:
        return steps_per_epoch
    some = trace.positions[np.linspace(0, len(trace) - 1, min(len(trace), _SOME)).astype(np.intp)].tolist()
    batches = math.lcm(*(Fraction(place).limit_denominator(_MOST_BATCHES).denominator for place in some))
    for unit in (1, 10, 100, batches):
        places = trace.positions * float(unit)
        if unit <= _MOST_BATCHES and bool((np.abs(places - np.round(places)) < 1e-6 * max(unit, 1)).all()):
            return unit
    return _FINEST


_LEAST = 1e-30  # a half-width that can be divided by


_FURTHEST = 2.0**62  # steps: a schedule counts to 2**63


_SOME = 50  # positions that tell how many steps an epoch has


_MOST_BATCHES = 10**6


_FINEST = 1000
"""Steps of an epoch where the log has fractions of epochs of any kind."""


def _axis(trace: Trace, rows: Rows, unit: int, steps_per_epoch: int | None) -> Axis:
    first, last = float(rows.x[0]), float(rows.x[-1])
    stride = float(np.median(np.diff(rows.x))) if len(rows) > 1 else 1.0
    starts = [0.0, 1.0, -1.0] if first >= 1 and stride > 1 else [1.0, 0.0, -1.0] if first >= 1 else [0.0, -1.0, 1.0]
    if unit > 1 and steps_per_epoch is not None:
        starts = [0.0, 1.0 - unit, float(-unit), float(unit), 1.0]
    ends = [] if trace.total is None or trace.total * unit <= last else [float(trace.total * unit)]
    total = roundest(last + 1, last + max(stride, 1.0))
    ends += [total, max(total - 1, last + 1), last + stride, last + 1]  # OneCycleLR comes down in one step less
    begins = first <= 2 * max(stride, 1.0)
    run = Run(tuple(starts), tuple(dict.fromkeys(ends)), begins)
    written, size = _duration(trace.axis, unit)
    return Axis(run, written, size)


def _duration(axis: str, unit: int) -> tuple[Written, RunSize]:
    """How a number of steps is written on an axis, and what of the run's size that needs."""
    if axis == "epoch":
        return (
            lambda steps: (
                f"{format(Decimal(steps) / Decimal(unit), 'f')}ep" if steps % unit == 0 or 1000 % unit == 0 else steps
            )
        ), RunSize(steps_per_epoch=unit)
    if axis == "sample":
        return (lambda steps: f"{steps}sp"), RunSize(samples_per_step=1)
    if axis == "token":
        return (lambda steps: f"{steps}tok"), RunSize(tokens_per_step=1)
    return (lambda steps: steps), RunSize()
