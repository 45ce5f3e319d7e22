"""Past runs as the law is fitted to them, and what is refused of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kosine._core.schedule import Plan, Schedule
from kosine._logs.losses import Losses
from kosine._logs.predict.fit import Data
from kosine._logs.predict.law import Progress, progress_of_plan, progress_of_rows
from kosine._logs.remark import Axis
from kosine._logs.trace import Trace
from kosine.errors import ArgumentError, ArgumentTypeError, LogError, Name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Vector = NDArray[np.float64]

FIRST = 0.03
"""The share of a run that is left out of a fit at its beginning, or the warm-up where that is longer."""
_COUNTED_FROM = 0.1  # of a run: losses after it are counted
_FEWEST = 40
_NEARLY_ALL = 0.95  # of a run: a loss after that share of it is one of its end
_AT_PEAK = 0.99  # of the peak: where the warm-up ends
_RISE = 0.02  # of the peak: what a rate may rise by after a fall
_CHANGE = 0.9  # of the peak: a rate below it has changed
_DOUBT = 0.02
_MOST_POINTS = 128  # of a run in a fit: of more losses neighbours are averaged
_MOST_OF_ALL = 240  # of all runs; each has as many
_LATE = 1.05  # of a plan: losses after it are those of another plan
_OTHER_RATE = 0.02  # of the peak: half of the rates of a log are as far from those of another plan
_UNITS = {"sample": "sp", "token": "tok"}
_NEEDED = {"epoch": "steps_per_epoch", "sample": "samples_per_step", "token": "tokens_per_step"}
PAIR = Name("(trace, plan)")
"""How Python gives a run whose plan is known; the command line has other words for it and for the next one."""
READ = Name("ks.read_trace(path, loss_column=...)")
_READ_IT = ("Say where they are in the log: ", READ, ".")
_WHERE = ("Give ", PAIR, " with the plan that the run followed.")


@dataclass(frozen=True, eq=False)
class PastRun:
    """A run that was trained.

    Attributes:
        name: its log, or its number among the runs.
        total_steps: how many steps it had: up to its last loss, or its whole length where hardly any come after that.
        peak: its highest rate.
        steps: the steps of its losses.
        losses: the losses.
        first: the first step of which losses are fitted.
        progress: the sum of its rates.
        kind: "training" or "validation".
        loss_name: what the log calls the loss.
        plan: the plan that it followed, where that is given.
    """

    name: str
    total_steps: int
    peak: float
    steps: _Vector
    losses: _Vector
    first: int
    progress: Progress
    kind: str
    loss_name: str
    plan: Plan | None = None

    def data(self, most: int) -> Data:
        """The losses that are fitted, `most` at most: of many neighbours the mean."""
        used = self.steps >= self.first
        sums, losses = self.progress.sum_at(self.steps[used]), self.losses[used]
        begins = np.unique(np.linspace(0, losses.size, min(losses.size, most) + 1).astype(np.int64)[:-1])
        counts = np.diff(np.append(begins, losses.size))
        return Data(self.progress, np.add.reduceat(sums, begins) / counts, np.add.reduceat(losses, begins) / counts)


def data_of(runs: Sequence[PastRun]) -> list[Data]:
    """What the law is fitted to: as many losses of each run, so that each counts as much, where they have as many."""
    most = max(_FEWEST, min(_MOST_POINTS, _MOST_OF_ALL // len(runs)))
    return [run.data(most) for run in runs]


def read_runs(runs: object) -> tuple[PastRun, ...]:
    """The argument `runs`: a trace with losses, a pair of losses or a trace and a plan, or several of them."""
    if isinstance(runs, str | os.PathLike):
        fix = "Read it first: `ks.read_trace(path)`."
        raise ArgumentTypeError(argument="runs", rule="a trace with losses, or several", received=runs, fix=fix)
    pair = isinstance(runs, tuple) and len(runs) == 2 and isinstance(runs[1], Plan | Schedule)
    alone = pair or isinstance(runs, Trace)
    try:
        given = [runs] if alone else list(runs)  # type: ignore[call-overload]  # what cannot be iterated is refused
    except TypeError:
        given = [runs]
    if not given:
        raise ArgumentError(argument="runs", rule="one run at least", received=runs)
    found = [_read(run, number) for number, run in enumerate(given, start=1)]
    _check_several(found)
    return tuple(found)


def _read(run: object, number: int) -> PastRun:
    log, plan = run if isinstance(run, tuple) and len(run) == 2 else (run, None)
    if isinstance(plan, Schedule):
        fix = "Plan it first: `schedule.plan(total_steps=...)`."
        raise ArgumentTypeError(argument="runs", rule="pairs (losses, plan)", received=plan, fix=fix)
    if not isinstance(log, Trace if plan is None else (Trace, Losses)) or not isinstance(plan, Plan | None):
        rule = "traces with losses, or pairs (trace or losses, plan)"
        fix = "Give losses with the plan that their run followed: `ks.predict((losses, plan), other)`."
        raise ArgumentTypeError(argument="runs", rule=rule, received=run, fix=fix if isinstance(log, Losses) else "")
    assert isinstance(log, Trace | Losses)
    losses = _losses_of(log) if isinstance(log, Trace) else log
    name = (log.source if isinstance(log, Trace) else "") or f"run {number}"
    each = _steps_per_unit(losses.axis, log, plan, name)
    if isinstance(log, Trace) and losses.axis == "epoch":
        log = log.with_steps_per_epoch(int(each))
        losses = log.losses or losses
    steps = losses.positions * each
    if plan is None:
        assert isinstance(log, Trace)
        progress = _of_trace(log, each, name)
        return _checked(name, steps, losses, progress, plan, int(progress.steps[-1]))
    _check_plan(name, plan, log, steps, each)
    total = _total(steps, plan)
    progress = progress_of_plan(plan, total)
    _refuse_restarts(name, plan_restarts(plan, progress))
    return _checked(name, steps, losses, progress, plan, plan.total_steps or int(progress.steps[-1]))


def _check_plan(name: str, plan: Plan, log: Trace | Losses, steps: _Vector, each: float) -> None:
    """Raise where a run did not follow the plan that is given with it, as far as its log shows."""
    if plan.total_steps is not None and steps[-1] > _LATE * plan.total_steps:
        raise LogError(
            f"{name} has losses up to step {int(steps[-1]):,}, and the plan that is given with it ends at step "
            f"{plan.total_steps:,}.",
            received=plan.schedule,
            fix="Give the plan that the run followed, with its whole length.",
        )
    if not isinstance(log, Trace):
        return
    places = np.rint(log.positions * each).astype(np.int64)
    inside = (places >= 0) & (places < (plan.total_steps or places[-1] + 1))
    off = np.abs(log.rates[inside] - plan(places[inside]))
    if off.size and float(np.median(off)) > _OTHER_RATE * float(log.rates.max()):
        row = int(np.argmax(off))
        raise LogError(
            f"The rates of {name} are not those of the plan that is given with it: at step {places[inside][row]:,} the "
            f"log has {log.rates[inside][row]:.6g}, and the plan {plan(int(places[inside][row])):.6g}.",
            received=plan.schedule,
            fix=("Give the log alone, as it has its rates, or the plan that the run followed.",),
        )


def _losses_of(trace: Trace) -> Losses:
    try:
        return trace.needed_losses()
    except LogError as error:
        raise error.changed(fix=error.fix or _READ_IT) from error


def _total(steps: _Vector, plan: Plan) -> int:
    """How far a run followed its plan: to its last loss, or to the end of the plan."""
    last = int(np.ceil(steps[-1]))
    return max(1, last if plan.total_steps is None else min(last, plan.total_steps))


def _steps_per_unit(axis: Axis, log: Trace | Losses, plan: Plan | None, name: str) -> float:
    """How many steps one of what the log counts is."""
    if axis == "step":
        return 1.0
    run = None if plan is None else plan.run
    if axis == "epoch":
        each = (log.steps_per_epoch if isinstance(log, Trace) else None) or (run and run.steps_per_epoch)
        if each:
            return float(each)
    elif run and isinstance(per_step := run.per_step(_UNITS[axis]), int):
        return 1 / per_step
    raise LogError(
        f"{name} counts {axis}s, and how many steps they are is not known.",
        received=log,
        fix=("Give ", PAIR, " with a plan that knows ", Name(_NEEDED[axis]), "."),
    )


def _of_trace(trace: Trace, each: float, name: str) -> Progress:
    steps = np.rint(trace.positions * each).astype(np.int64)
    rates = trace.rates
    if steps[0] < 0:
        raise LogError(f"{name} has steps below 0.", received=trace, fix=_WHERE)
    steps, last = np.unique(steps[::-1], return_index=True)  # of rows that round to one step the last
    rates = rates[::-1][last]
    _refuse_restarts(name, restarts(steps, rates, float(rates.max())))
    progress = progress_of_rows(steps, rates)
    if progress.doubt > _DOUBT:
        raise LogError(
            f"{name} has too few rates: what they add up to, which the loss depends on, is uncertain by up to "
            f"{100 * progress.doubt:.2g} %; at most {100 * _DOUBT:g} % is allowed. Its first rate is that of step "
            f"{steps[0]:,}.",
            received=trace,
            fix=(*_WHERE, " Of a run that branches off another one, put the rows of that run before its own."),
        )
    return progress


def _checked(name: str, steps: _Vector, losses: Losses, progress: Progress, plan: Plan | None, whole: int) -> PastRun:
    """The run, whose length is `whole` as far as it is known, or an error that says why the law cannot be fitted."""
    if progress.peak == 0:
        raise LogError(f"{name} has rates that are all 0: it trained nothing.", received=progress.peak)
    known = (steps >= 0) & (steps <= progress.steps[-1]) & (progress.sum_at(steps) > 0)
    steps, values = steps[known], losses.values[known]
    last = int(steps[-1]) if steps.size else 0
    late = int(np.count_nonzero(steps > _COUNTED_FROM * last))
    if late < _FEWEST:
        raise LogError(
            f"{name} has {late} losses after the first tenth of the run at steps whose rates are known; a fit needs "
            f"{_FEWEST}.",
            received={"losses": late},
            fix="Log the loss more often, or give a longer run.",
        )
    first = max(warmup_end(progress), int(np.ceil(FIRST * last)))
    total = whole if last >= _NEARLY_ALL * whole else last
    run = PastRun(name, total, progress.peak, steps, values, first, progress, losses.kind, losses.name, plan)
    _check_losses(run)
    return run


def _refuse_restarts(name: str, step: int | None) -> None:
    if step is not None:
        raise LogError(
            f"The rate of {name} rises again after step {step:,}. The law was not tested on restarts: no public run "
            "had any.",
            received={"step": step},
            fix="Give runs whose rate only falls after the warm-up.",
        )


def warmup_end(progress: Progress) -> int:
    """The step at which the rate first is that of the peak, or nearly."""
    return int(progress.steps[int(np.argmax(progress.rates >= _AT_PEAK * progress.peak))])


def restarts(steps: NDArray[np.int64], rates: _Vector, peak: float) -> int | None:
    """The step after which a rate rises again: before its peak, or after a fall from it; None where it does not."""
    top = int(np.argmax(rates))
    before, after = rates[: top + 1], rates[top:]
    dips = np.flatnonzero(np.maximum.accumulate(before) - before > _RISE * peak)
    rises = np.flatnonzero(after - np.minimum.accumulate(after) > _RISE * peak)
    if dips.size:
        return int(steps[dips[-1]])
    return int(steps[top + rises[0] - 1]) if rises.size else None


def plan_restarts(plan: Plan, progress: Progress) -> int | None:
    """The step after which the rate of a plan rises again, also in cycles that are shorter than the blocks."""
    if plan.total_steps is not None:
        ends = plan.cycle_ends[:-1]
        ends = ends[ends < progress.steps[-1] - 1]
        rises = ends[plan(ends + 1) - plan(ends) > _RISE * progress.peak] if ends.size else ends
        if rises.size:
            return int(rises[0])
    return restarts(progress.steps, progress.rates, progress.peak)


def _check_losses(run: PastRun) -> None:
    used = run.losses[run.steps >= run.first]
    if used.size < _FEWEST // 2:
        raise LogError(
            f"{run.name} has {used.size} losses after its warm-up, which ends at step {run.first:,}; a fit needs "
            f"{_FEWEST // 2}.",
            received={"losses": int(used.size)},
            fix="Give a run that goes on after its warm-up.",
        )
    if float(used.min()) <= 0:
        raise LogError(
            f"{run.name} has losses <= 0. The law is one of losses above 0, such as a cross entropy.",
            received=float(used.min()),
        )
    fifth = max(1, used.size // 5)
    begin, end = float(np.median(used[:fifth])), float(np.median(used[-fifth:]))
    if end >= begin:
        raise LogError(
            f"The losses of {run.name} do not fall: from {begin:.4g} in the first fifth after the warm-up to {end:.4g} "
            "in the last one.",
            received={"losses": [begin, end]},
            fix="Give runs that learn, and their validation loss where the training loss is noisy.",
        )


def _check_several(runs: Sequence[PastRun]) -> None:
    kinds = sorted({run.kind for run in runs})
    if len(kinds) > 1:
        raise ArgumentError(
            "The losses of all runs must be of one kind: a training loss has another level than a validation loss.",
            received={"runs": [run.kind for run in runs]},
        )
    for number, run in enumerate(runs):
        for other in runs[:number]:
            if np.array_equal(run.steps, other.steps) and np.array_equal(run.losses, other.losses):
                raise ArgumentError(
                    f"{run.name} has the losses of {other.name}: one run would count twice.",
                    received={"runs": [run.name, other.name]},
                    fix="Give each run once.",
                )
    if all(_lowest_rate(run) > _CHANGE * run.peak for run in runs):
        raise LogError(
            "The rate is the same at all losses after the warm-up. How much of the loss a decay takes away can be seen "
            "only where the rate changes.",
            received={"runs": [run.name for run in runs]},
            fix="Give a run with a decay among them.",
        )


def _lowest_rate(run: PastRun) -> float:
    """The lowest rate that the losses show the effect of."""
    seen = (run.progress.steps[:-1] >= run.first) & (run.progress.steps[:-1] < run.steps[-1])
    return float(run.progress.rates[:-1][seen].min()) if seen.any() else run.peak
