"""The loss of a run that was not trained yet, from the losses of past runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from kosine._analysis.plan_names import letters, read_names
from kosine._core.schedule import Plan, Schedule
from kosine._logs.losses import Losses
from kosine._logs.predict.fit import Ensemble, fit_law
from kosine._logs.predict.law import Progress, progress_of_plan
from kosine._logs.predict.past_runs import FIRST, PastRun, data_of, plan_restarts, read_runs, warmup_end
from kosine._logs.predict.prediction import PredictedPlan, Prediction
from kosine._logs.trace import Trace
from kosine.errors import ArgumentError, ArgumentTypeError, LogError, PlanError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_PEAK, _MOST_LENGTH = 2.0, 4.0
_EXPLAINED = 0.5
_POINTS = 200  # of a curve
_SAME_PEAK = 1.05
_SLACK = 1 + 1e-9
_PEAK_SLACK = 1.01  # a log may not have the row with its peak

Run = Trace | tuple[Trace | Losses, Plan]


def predict(runs: Run | Iterable[Run], *plans: Plan, names: Sequence[str] | None = None) -> Prediction:
    """Predict the loss of plans from the losses of past runs of the same task, without training.

    One law is fitted to all the runs, the functional scaling law (arXiv 2509.19189): the loss after t steps is

        L = L0 + A S^-alpha + (C / tau) * sum over these steps k of rate_k² (1 + (S - S_k) / tau)^-1.6

    where S is the sum of the rates of these steps, and S_k that of the first k of them. The first part falls as the
    run learns; the last one is the noise of recent steps, which a decay takes away. `loss` is the mean over all numbers
    (alpha, tau, and the power 1.4, 1.6 or 2.0) weighed by how well they fit. The range has all those whose squared
    error is at most twice the lowest one; on both sides 0.004 is added, as far as two equal public runs were apart, and
    the root mean square of what the fit leaves of its own losses.

    It was tested on public runs only, all of them one-pass pre-training of language models of 25M to 166M parameters
    with AdamW; the constants of the method were chosen on the same runs. From one run of 25,000 steps the error of the
    last loss of others, of 15,000 to 50,000 steps, was 0.010 to 0.021 on average, by their peak; the range held 89 to
    94 % of these losses; the schedule with the lowest prediction ended 0.0034 above the best one of its length at most.
    On the 25M and 100M models of another source the last figure was 0.008 and 0.014. `python -m benchmarks.predict`
    prints all scores, by family of runs.

    Args:
        runs: a past run, or several: a `Trace` that has losses, where the rates are those of the log; or a pair of a
            `Trace` or `Losses` and the plan that the run followed, where the log lacks rates. All of one model, data
            set, batch size and optimizer: nothing in a log shows that they differ.
        *plans: the plans to predict, each with a length.
        names: what to call the plans, one name for each; "A", "B", ... if None. Equal names get a number.

    Returns:
        A `Prediction`: `loss` with `low` and `high`; `rows` has each plan, the best first; `plot()` draws the past
        runs, their fit, and the curves with their range.

    Raises:
        ArgumentTypeError: something else than a run, or than a plan, such as a schedule that is not planned yet.
        ArgumentError: no run, no plan, a name too few or too many, one run given twice, or losses of training and of
            validation together.
        LogError: a run without losses, with fewer than 40 after its first tenth, with losses that do not fall or that
            the law does not explain, with a rate that rises after the warm-up, or with too few rates; or no run among
            them whose rate changes after the warm-up.
        PlanError: a plan without a length; one whose peak is more than a factor of 2 beyond those of the runs, that has
            more than 4 times the steps of the longest or less than a quarter of those of the shortest, whose rate rises
            after the warm-up, or is 0 at all steps.

    Example:
        >>> import numpy as np
        >>> import kosine as ks
        >>> wsd = ks.wsd(peak=1e-3, warmup=300, cooldown="20%").plan(total_steps=10_000)
        >>> steps = np.arange(0, 10_001, 100)
        >>> rates = wsd(np.arange(10_000))
        >>> done = np.append(0.0, np.cumsum(rates))[steps]
        >>> losses = ks.Losses(steps, 2.8 + 0.9 / np.sqrt(done + 0.1) + 60 * wsd(steps))
        >>> longer = ks.wsd(peak=1e-3, warmup=300, cooldown="20%").plan(total_steps=20_000)
        >>> prediction = ks.predict((losses, wsd), longer)
        >>> prediction.low < prediction.loss < prediction.high
        True
    """
    _check_plans(plans)
    called = read_names(names, len(plans))
    past = read_runs(runs)
    progresses = [_progress(plan, past) for plan in plans]
    ensemble = fit_law(data_of(past))
    _check_fit(ensemble)
    said = [_curves(ensemble, progress) for progress in progresses]
    marks = letters(len(plans))
    rows = [_row(ensemble, (marks[index], called[index]), plan, *said[index]) for index, plan in enumerate(plans)]
    rows.sort(key=lambda row: row.loss)
    reasons = tuple(_reasons(ensemble, past, plans, progresses))
    return Prediction(tuple(rows), past, tuple(_fitted(ensemble, run) for run in past), ensemble.fit, reasons)


def _check_plans(plans: Sequence[object]) -> None:
    for plan in plans:
        if not isinstance(plan, Plan):
            fix = "Plan it first: `schedule.plan(total_steps=...)`." if isinstance(plan, Schedule) else ""
            if isinstance(plan, list | tuple):
                fix = "Give several plans one after the other: `ks.predict(runs, a, b)`."
            raise ArgumentTypeError("`predict` takes plans after the runs.", received=plan, fix=fix)
    if not plans:
        raise ArgumentError("`predict` takes one plan or more after the runs.", received=len(plans))


def _progress(plan: Plan, past: Sequence[PastRun]) -> Progress:
    """The rates of a plan, or an error that says why nothing is predicted for it."""
    total = plan.total_steps
    if total is None:
        raise PlanError("`predict` needs the length of the run.", received={"total_steps": None}, missing="total_steps")
    longest, shortest = max(run.total_steps for run in past), min(run.total_steps for run in past)
    if not shortest / _MOST_LENGTH <= total <= _MOST_LENGTH * longest * _SLACK:
        seen = f"{longest:,}" if longest == shortest else f"{shortest:,} to {longest:,}"
        raise PlanError(
            f"The runs have {seen} steps. Beyond {_MOST_LENGTH:g} times the longest, and below a quarter of the "
            "shortest, predictions were not tested.",
            received={"total_steps": total},
            fix=f"Predict {-(-shortest // 4):,} to {4 * longest:,} steps, or give a longer run.",
        )
    progress = progress_of_plan(plan)
    if progress.peak == 0:
        raise PlanError("A plan whose rates are all 0 trains nothing.", received=plan.schedule)
    if (step := plan_restarts(plan, progress)) is not None:
        raise PlanError(
            "The rate of the plan rises again after its warm-up. Predictions were not tested on restarts: no public "
            "run had any.",
            received={"step": step},
            fix="Predict plans whose rate only falls after the warm-up.",
        )
    peaks = [run.peak for run in past]
    low, high = min(peaks) / _MOST_PEAK, max(peaks) * _MOST_PEAK
    if not low / _PEAK_SLACK <= progress.peak <= high * _PEAK_SLACK:
        raise PlanError(
            f"The peak of the plan is more than a factor of {_MOST_PEAK:g} beyond those of the runs. There predictions "
            "were wrong: at a tenth of the peak by 0.21.",
            received={"peak": progress.peak, "peaks of the runs": sorted(set(peaks))},
            fix=f"Predict peaks of {low:.3g} to {high:.3g}, or give a run with a peak that is nearer.",
        )
    return progress


def _check_fit(ensemble: Ensemble) -> None:
    fit = ensemble.fit
    if fit.explained < _EXPLAINED:
        raise LogError(
            f"The law explains {max(fit.explained, 0):.0%} of how the losses differ; a prediction needs "
            f"{_EXPLAINED:.0%}.",
            received={"explained": fit.explained},
            fix="Give the validation loss where the training loss is noisy, and runs of one model, data set and batch "
            "size only.",
        )


def _curves(ensemble: Ensemble, progress: Progress) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Steps of a plan after its warm-up, and what each member says there."""
    total = int(progress.steps[-1])
    first = max(warmup_end(progress), int(np.ceil(FIRST * total)), int(progress.steps[1]))
    steps = np.unique(np.linspace(min(first, total), total, _POINTS).astype(np.int64))
    return steps, ensemble.losses(progress, progress.sum_at(steps))


def _row(
    ensemble: Ensemble,
    called: tuple[str, str],
    plan: Plan,
    steps: NDArray[np.int64],
    said: NDArray[np.float64],
) -> PredictedPlan:
    curve, lows, highs = ensemble.spread(said)
    return PredictedPlan(
        mark=called[0],
        name=called[1],
        plan=plan,
        loss=float(curve[-1]),
        low=float(lows[-1]),
        high=float(highs[-1]),
        steps=steps,
        curve=curve,
        lows=lows,
        highs=highs,
    )


def _fitted(ensemble: Ensemble, run: PastRun) -> NDArray[np.float64]:
    """What the fit says at the losses of a past run; NaN before it begins."""
    said = np.full(run.steps.size, np.nan)
    used = np.flatnonzero(run.steps >= run.first)
    some = used[np.unique(np.linspace(0, used.size - 1, min(used.size, 2 * _POINTS)).astype(np.int64))]
    values = ensemble.spread(ensemble.losses(run.progress, run.progress.sum_at(run.steps[some])))[0]
    said[used] = np.interp(run.steps[used], run.steps[some], values)  # of a long log between some of its losses
    return said


def _reasons(
    ensemble: Ensemble, past: Sequence[PastRun], plans: Sequence[Plan], progresses: Sequence[Progress]
) -> Iterator[str]:
    """What the prediction rests on, and how far it goes beyond it."""
    fit, steps = ensemble.fit, sorted({run.total_steps for run in past})
    names = ", ".join(dict.fromkeys(repr(run.loss_name) for run in past))
    lengths = f"{steps[0]:,}" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,}"
    yield (
        f"The fit rests on {len(past)} {'run' if len(past) == 1 else 'runs'} of {lengths} steps and their "
        f"{past[0].kind} loss {names}: {fit.points} losses or means of losses, which it misses by {fit.rms:.2g} (root "
        "mean square)."
    )
    longest = max(plan.total_steps or 0 for plan in plans)
    if longest > steps[-1]:
        yield (
            f"The longest plan has {longest / steps[-1]:.3g} times the steps of the longest run: the further beyond, "
            "the less certain."
        )
    peaks = [run.peak for run in past]
    far = max(max(progress.peak / max(peaks), min(peaks) / progress.peak) for progress in progresses)
    if far > _SAME_PEAK:
        yield (
            f"A plan has a peak that is a factor of {far:.3g} beyond those of the runs: on public runs a factor of 2 "
            "put the last loss off by 0.02 to 0.05 on average."
        )
