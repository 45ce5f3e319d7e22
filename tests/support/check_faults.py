"""Random plans, each with one named fault, printed in several ways: which verdicts of `check` are right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import kosine as ks
from kosine._logs.check.check import check
from kosine._logs.precision import Precision
from kosine._logs.remark import Axis
from kosine._logs.trace import Trace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PRINTS = ("6 decimals", "4 digits", "float32", "float64")
AXES: tuple[Axis, ...] = ("step", "epoch")
_SCHEDULES = ("cosine", "linear", "wsd", "one cycle", "sgdr", "inverse sqrt", "steps", "exponential")
_DECAYS = ("cosine", "linear", "wsd")
_FEW_ROWS = 40


@dataclass(frozen=True)
class FaultyLog:
    """A log of a run that went wrong in a way that is known.

    Attributes:
        fault: what went wrong; one of `FAULTS`.
        name: of the schedule.
        plan: what the run should have followed.
        trace: the log.
        visible: how many rows differ from the plan by more than the print leaves open; they are counted from 0 or 1.
    """

    fault: str
    name: str
    plan: ks.Plan
    trace: Trace
    visible: int


@dataclass(frozen=True)
class _Run:
    """What a fault may look at."""

    rng: np.random.Generator
    name: str
    numbers: dict[str, float]
    plan: ks.Plan
    per_epoch: int

    @property
    def steps(self) -> NDArray[np.int64]:
        assert self.plan.total_steps is not None
        return np.arange(self.plan.total_steps, dtype=np.int64)

    def somewhere(self) -> int:
        """A step in the middle of the run, after the warm-up."""
        return int(self.rng.uniform(0.3, 0.7) * self.steps.size)


def faulty_log(seed: int, fault: str, printed: str, axis: Axis) -> FaultyLog:
    rng = np.random.default_rng([seed, len(fault), PRINTS.index(printed), AXES.index(axis)])
    names = SCHEDULES_OF.get(fault, _SCHEDULES)
    name = str(rng.choice(names))
    per_epoch = int(rng.integers(10, 60))
    epochs = int(rng.integers(25, 60))
    numbers = _numbers(rng, epochs, per_epoch)
    plan = planned(name, numbers)
    run = _Run(rng, name, numbers, plan, per_epoch)
    rates = FAULTS[fault](run)
    every = per_epoch if axis == "epoch" else int(rng.choice([1, 1, 5, 10]))
    rows = np.arange(0, rates.size, every)
    precision, shown = _printed(rates[rows], printed)
    counted_from = int(rng.random() < 0.3)
    positions = counted_from + (rows // per_epoch if axis == "epoch" else rows)
    trace = Trace(positions, shown, axis=axis, precision=precision)
    if fault == "odd rows":
        trace = _with_odd_rows(run, trace)
    apart = np.abs(plan(rows) - trace.rates)
    return FaultyLog(fault, name, plan, trace, int(np.count_nonzero(apart > trace.half_widths())))


def _printed(rates: Floats, printed: str) -> tuple[Precision, Floats]:
    match printed:
        case "6 decimals":
            return Precision(decimals=6), rates.round(6)
        case "4 digits":
            return Precision(digits=4), np.array([float(f"{rate:.3e}") for rate in rates.tolist()])
        case "float32":
            return Precision(single=True), rates.astype(np.float32).astype(np.float64)
        case _:
            return Precision(), rates


def _numbers(rng: np.random.Generator, epochs: int, per_epoch: int) -> dict[str, float]:
    total = epochs * per_epoch
    peak = float(rng.choice([0.1, 0.05, 3e-3, 1e-3, 6e-4]))
    return {
        "total": total,
        "per_epoch": per_epoch,
        "peak": peak,
        "warmup": int(rng.choice([1, 2, 5])) * per_epoch,
        "start": float(rng.choice([0.0, 0.1])) * peak,
        "floor": float(rng.choice([0.0, 0.01, 0.1])) * peak,
    }


def planned(name: str, numbers: dict[str, float], **changed: float) -> ks.Plan:
    """A schedule of this name; `changed` numbers take the place of others."""
    n = {**numbers, **changed}
    peak, floor, warmup, start, total = n["peak"], n["floor"], int(n["warmup"]), n["start"], int(n["total"])
    warm = [ks.linear(warmup, start=start, to=peak)] if warmup else []
    begins: dict[str, Any] = {} if warmup else {"start": peak}
    schedule: ks.Schedule
    match name:
        case "cosine":
            schedule = ks.Schedule(*warm, ks.cosine(to=floor, **begins))
        case "linear":
            schedule = ks.Schedule(*warm, ks.linear(to=floor, **begins))
        case "wsd":
            schedule = ks.Schedule(*warm, ks.hold(**begins), ks.linear("30%", to=floor))
        case "one cycle":
            schedule = ks.Schedule(ks.cosine("30%", start=numbers["peak"] / 25, to=peak), ks.cosine(to=floor))
        case "sgdr":
            period = max(10, int(numbers["total"] // 4))
            schedule = ks.Schedule(*warm, ks.cycles(ks.cosine(period, start=peak, to=floor)))
        case "inverse sqrt":
            schedule = ks.Schedule(*warm, ks.inverse_sqrt(timescale=int(numbers["warmup"]), **begins))
        case "steps":
            every = max(1, round(int(numbers["total"]) / 4))
            schedule = ks.step_decay(peak=peak, every=every)
        case _:
            schedule = ks.Schedule(ks.exponential(start=peak, to=0.01 * peak))
    return schedule.plan(total_steps=total, steps_per_epoch=int(n["per_epoch"]))


# --- the faults -------------------------------------------------------------------------------------------------------


def _none(run: _Run) -> Floats:
    return run.plan(run.steps)


def _once_an_epoch(run: _Run) -> Floats:
    return run.plan(run.steps // run.per_epoch)


def _held_for_an_epoch(run: _Run) -> Floats:
    return run.plan(run.steps // run.per_epoch * run.per_epoch)


def _twice(run: _Run) -> Floats:
    return run.plan(2 * run.steps)


def _never(run: _Run) -> Floats:
    return run.plan(0 * run.steps)


def _restarted(run: _Run) -> Floats:
    at = run.somewhere()
    return run.plan(np.where(run.steps < at, run.steps, run.steps - at))


def _jumped(run: _Run) -> Floats:
    at = run.somewhere()
    return run.plan(np.where(run.steps < at, run.steps, run.steps - int(0.7 * at)))


def _stopped(run: _Run) -> Floats:
    return run.plan(np.minimum(run.steps, run.somewhere()))


def _stopped_after_warmup(run: _Run) -> Floats:
    return run.plan(np.minimum(run.steps, int(run.numbers["warmup"])))


def _by_hand(run: _Run) -> Floats:
    factor = float(run.rng.choice([0.1, 0.5, 0.3]))
    return run.plan(run.steps) * np.where(run.steps < run.somewhere(), 1, factor)


def _scaled(run: _Run) -> Floats:
    return run.plan(run.steps) * float(run.rng.choice([0.1, 0.5, 8]))


def _other(**changes: Callable[[_Run], float]) -> Callable[[_Run], Floats]:
    def made(run: _Run) -> Floats:
        return planned(run.name, run.numbers, **{name: change(run) for name, change in changes.items()})(run.steps)

    return made


def _skips(run: _Run) -> Floats:
    lost = np.sort(run.rng.choice(run.steps[5:], 3, replace=False))
    return run.plan(run.steps - np.searchsorted(lost, run.steps))


def _an_epoch_late(run: _Run) -> Floats:
    return run.plan(np.maximum(run.steps - run.per_epoch, 0))


def _with_odd_rows(run: _Run, trace: Trace) -> Trace:
    rates = trace.rates.copy()
    count = 1 if rates.size < 30 else int(run.rng.integers(1, 4))
    rows = run.rng.choice(np.arange(5, rates.size - 5, 4), count, replace=False)
    rates[rows] = rates[rows] * 1.5 + 1e-4
    return Trace(trace.positions, rates, axis=trace.axis, precision=trace.precision)


FAULTS: dict[str, Callable[[_Run], Floats]] = {
    "none": _none,
    "scheduler once an epoch": _once_an_epoch,
    "rate held for an epoch": _held_for_an_epoch,
    "scheduler twice a step": _twice,
    "scheduler never called": _never,
    "restarted": _restarted,
    "resumed with a jump": _jumped,
    "scheduler stopped": _stopped,
    "scheduler stopped after the warm-up": _stopped_after_warmup,
    "changed by hand": _by_hand,
    "rates scaled": _scaled,
    "another floor": _other(floor=lambda run: run.numbers["floor"] + 0.05 * run.numbers["peak"]),
    "another peak": _other(peak=lambda run: 1.7 * run.numbers["peak"]),
    "warm-up left out": _other(warmup=lambda run: 0),
    "another warm-up": _other(warmup=lambda run: 2 * run.numbers["warmup"] + 3),
    "another length": _other(total=lambda run: round(1.2 * run.numbers["total"])),
    "skipped steps": _skips,
    "an epoch late": _an_epoch_late,
    "odd rows": _none,
}

_FOLLOWS: set[tuple[str, str | None]] = {("follows", None), ("offset", None)}

RIGHT: dict[str, set[tuple[str, str | None]]] = {
    "none": _FOLLOWS,
    "scheduler once an epoch": {("too slow", "once an epoch")},
    "rate held for an epoch": {("differs", "once an epoch")},
    "scheduler twice a step": {("too fast", None)},
    "scheduler never called": {("too slow", "never moves")},
    "restarted": {("restarted", None)},
    "resumed with a jump": {("jumped", None)},
    "scheduler stopped": {("differs", "stopped")},
    "scheduler stopped after the warm-up": {("differs", "stopped")},
    "changed by hand": {("differs", "scaled by hand"), ("differs", "set by hand")},
    "rates scaled": {("differs", "scaled")},
    "another floor": {("differs", "another floor"), ("differs", "another length")},
    "another peak": {("differs", "another peak"), ("differs", "scaled")},
    "warm-up left out": {("differs", "no warm-up")},
    "another warm-up": {("differs", "another warm-up")},
    "another length": {("differs", "another length")},
    "skipped steps": {("lags", "mixed precision")},
    "an epoch late": {("lags", "late by an epoch"), ("offset", "late by an epoch")},
    "odd rows": {("odd rows", None)},
}
"""The kinds and causes that name each fault; a line to a higher floor is also a longer line."""


def right_verdicts(log: FaultyLog) -> set[tuple[str, str | None]]:
    """What can be seen of how a log came to be."""
    if not log.visible:
        return _FOLLOWS | {("too little", None)}
    right = set(RIGHT[log.fault])
    by_epoch = log.trace.axis == "epoch"
    if log.visible == 1:
        right.add(("odd rows", None))
    if np.unique(log.trace.rates).size == 1:  # such as a few epochs of a staircase
        right |= {("too slow", "never moves"), ("differs", "never moves")}
    if (
        log.fault == "warm-up left out" and by_epoch
    ):  # of one epoch: counted from 1, or shows the next epoch as Keras does
        right |= _FOLLOWS | {("odd rows", None)}
    if log.fault == "skipped steps" and by_epoch:
        right.add(("lags", None))
    if log.fault == "resumed with a jump" and log.name == "steps":  # a multiple of itself further on
        right.add(("differs", "scaled by hand"))
    if log.fault == "resumed with a jump" and log.name == "wsd":  # back to the hold, to the end of the log
        right.add(("differs", "stopped"))
    return right


SCHEDULES_OF = {
    "scheduler stopped after the warm-up": _DECAYS,
    "another floor": (*_DECAYS, "one cycle", "sgdr"),
    "another peak": (*_DECAYS, "one cycle", "sgdr", "inverse sqrt"),
    "warm-up left out": (*_DECAYS, "sgdr", "inverse sqrt"),
    "another warm-up": (*_DECAYS, "sgdr", "inverse sqrt"),
    "another length": (*_DECAYS, "one cycle", "exponential"),
}


def score(seeds: int = 4) -> dict[str, dict[str, float]]:
    """The share of right verdicts, by fault and print."""
    return {fault: {printed: _share(fault, printed, seeds) for printed in PRINTS} for fault in FAULTS}


def _share(fault: str, printed: str, seeds: int) -> float:
    logs = [faulty_log(seed, fault, printed, axis) for seed in range(seeds) for axis in AXES]
    verdicts = [check(log.trace, log.plan) for log in logs]
    right = [(v.kind, v.cause) in right_verdicts(log) for v, log in zip(verdicts, logs, strict=True)]
    return sum(right) / len(right)
