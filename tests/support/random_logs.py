"""Random logs of runs whose true plan is known: rounded, thinned, cut, with an offset, with skipped steps."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

import kosine as ks
from kosine._logs.precision import Precision
from kosine._logs.trace import Trace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Steps = NDArray[np.int64]
    Rates = NDArray[np.float64]

RECIPES = ("constant", "warmup_cosine", "sgdr", "one_cycle", "wsd", "inverse_sqrt_decay", "step_decay")
FAULTS = ("off by one", "wrong horizon", "lost resume", "x2 speed", "per-epoch stepping", "wrong floor")

_PEAKS = (1e-4, 3e-4, 6e-4, 1e-3, 2e-5, 5e-5, 6e-5, 4e-3, 0.05, 0.1)
_THINNED = (1, 5, 10, 50, 100)
_ROWS = 40  # that are left at least
_ROWS_OF_A_PHASE = 6  # on average


@dataclass(frozen=True)
class Case:
    """A log, and how it came to be.

    Attributes:
        seed: what it was drawn from.
        recipe: the name of the recipe.
        plan: what the run followed.
        steps: the step of the plan whose rate each row shows.
        positions: the steps as the log counts them.
        rates: the rates, rounded as they were printed.
        digits: to how many significant digits.
        offset: step = position + offset, where nothing was skipped.
        skips: pairs (position, count): from that position on, rows show so many steps less than before.
    """

    seed: int
    recipe: str
    plan: ks.Plan
    steps: Steps
    positions: Steps
    rates: Rates
    digits: int
    offset: int
    skips: tuple[tuple[int, int], ...]

    def trace(self) -> Trace:
        return Trace(self.positions, self.rates, precision=Precision(digits=self.digits))


@dataclass(frozen=True)
class Planted:
    """A log of a run that went wrong.

    Attributes:
        fault: what went wrong; one of `FAULTS`.
        case: the log; its plan is the one that the run should have followed.
        at: the position at which the state was lost; None for other faults.
        visible: whether any row is further from the plan than the printed precision explains.
    """

    fault: str
    case: Case
    at: int | None
    visible: bool


def random_case(seed: int) -> Case:
    """Any recipe with realistic parameters, rounded to 3..8 digits; some thinned, cut, with an offset, with skips."""
    rng = np.random.default_rng(seed)
    recipe = str(rng.choice(RECIPES))
    plan = random_plan(rng, recipe)
    offset = int(rng.choice([-1, 1])) if rng.random() < 0.3 else 0
    lost = _lost(rng, _length(plan)) if rng.random() < 0.25 else np.empty(0, np.int64)
    case = _logged(rng, seed, recipe, plan, offset, lambda called: called - np.searchsorted(lost, called))
    first, last = int(case.positions[0]), int(case.positions[-1])
    at, counts = np.unique(np.clip(lost + 1 - offset, first, None), return_counts=True)
    skips = tuple((int(position), int(count)) for position, count in zip(at, counts, strict=True) if position <= last)
    return Case(seed, recipe, plan, case.steps, case.positions, case.rates, case.digits, offset, skips)


def planted(seed: int, fault: str) -> Planted:
    """A log with one fault, else as `random_case` makes them, without offset and skips."""
    rng = np.random.default_rng([seed, zlib.crc32(fault.encode())])
    takes_floor = ("warmup_cosine", "sgdr", "one_cycle", "wsd")
    recipe = str(rng.choice(takes_floor if fault in ("wrong floor", "wrong horizon") else RECIPES[1:]))
    if fault == "wrong horizon" and recipe == "sgdr":
        recipe = "warmup_cosine"  # the cycles of sgdr are the same for any length of the run
    draws = int(rng.integers(2**32))
    plan = random_plan(np.random.default_rng(draws), recipe)
    total = _length(plan)
    followed, offset, at = plan, 0, None
    made: Callable[[Steps], Steps] = _as_planned
    match fault:
        case "off by one":
            offset = int(rng.choice([-1, 1]))
        case "wrong horizon":
            length = max(100, round(total * float(rng.choice([0.5, 0.8, 0.95, 1.01, 1.1, 1.5, 2]))))
            followed = random_plan(np.random.default_rng(draws), recipe, total=length)
        case "wrong floor":
            followed = random_plan(np.random.default_rng(draws), recipe, floor=float(rng.choice([0.01, 0.05, 0.2])))
        case "x2 speed":
            made = _doubled
        case "per-epoch stepping":
            per_epoch = max(2, total // int(rng.integers(5, 60)))
            plan = followed = plan.schedule.plan(total_steps=total, steps_per_epoch=per_epoch)
            made = partial(_by_epoch, per_epoch)
        case _:
            at = int(rng.uniform(0.2, 0.8) * total)
            made = partial(_from_0_again, at)
    case = _logged(rng, seed, recipe, followed, offset, made, until=total, around=at)
    case = Case(seed, recipe, plan, case.steps, case.positions, case.rates, case.digits, offset, ())
    trace = case.trace()
    expected = plan(np.clip(case.positions, 0, None))
    visible = bool((np.abs(expected - trace.rates) > trace.half_widths()).any())
    return Planted(fault, case, at, visible)


def random_plan(
    rng: np.random.Generator, recipe: str, *, total: int | None = None, floor: float | None = None
) -> ks.Plan:
    """A recipe with realistic parameters; `total` and `floor`, a share of the peak, take the place of those drawn."""
    peak = float(rng.choice(_PEAKS)) if rng.random() < 0.7 else float(f"{10 ** rng.uniform(-5, -1):.1e}")
    steps = round(10 ** rng.uniform(np.log10(200), 5))
    if rng.random() < 0.5:
        steps = round(float(f"{steps:.0e}"))
    share = float(rng.choice([1, 2, 3, 5, 10]))
    warmup: int | str = f"{share:g}%" if rng.random() < 0.5 else max(2, round(steps * share / 100))
    if rng.random() < 0.2:
        warmup = 0
    start = float(rng.choice([0, 0, 0.01, 0.1])) * peak
    drawn = float(rng.choice([0, 0, 0.01, 0.1]))
    low = float(f"{(drawn if floor is None else floor) * peak:.6g}")
    start = float(f"{start:.6g}")
    schedule: ks.Schedule
    match recipe:
        case "constant":
            schedule = ks.constant(peak)
        case "warmup_cosine":
            hold: int | str = str(rng.choice(["5%", "10%", "20%"])) if rng.random() < 0.25 else 0
            schedule = ks.warmup_cosine(peak, warmup=warmup, warmup_start=start, hold=hold, floor=low)
        case "sgdr":
            stretch = float(rng.choice([1, 1, 2, 1.5]))
            cycles = int(rng.integers(2, 7)) if stretch == 1 else int(rng.integers(2, 5))
            whole = cycles if stretch == 1 else (stretch**cycles - 1) / (stretch - 1)
            period = max(10, round(steps * float(rng.choice([0.8, 0.95, 1])) / whole))
            shrink = float(rng.choice([1, 1, 0.5, 0.8, 0.9])) if low < 0.01 * peak else 1.0
            schedule = ks.sgdr(
                peak, period=period, stretch=stretch, shrink=shrink, floor=low, warmup=warmup, warmup_start=start
            )
        case "one_cycle":
            rise = str(rng.choice(["30%", "30%", "10%", "25%", "45%"]))
            start = float(f"{peak / float(rng.choice([25, 25, 10, 4])):.6g}")
            schedule = ks.one_cycle(peak, warmup=rise, start=start, floor=min(low, start) or None)
        case "wsd":
            cooldown = str(rng.choice(["10%", "20%", "30%", "50%"]))
            curve = str(rng.choice(["one_minus_sqrt", "linear", "cosine"]))
            schedule = ks.wsd(peak, warmup=warmup, warmup_start=start, cooldown=cooldown, floor=low, curve=curve)
        case "inverse_sqrt_decay":
            timescale = None if warmup != 0 and rng.random() < 0.6 else max(5, round(steps * rng.uniform(0.01, 0.2)))
            schedule = ks.inverse_sqrt_decay(peak, warmup=warmup, warmup_start=start, timescale=timescale)
        case _:
            every: int | str = max(20, round(steps / int(rng.integers(2, 7))))
            factor = float(rng.choice([0.1, 0.2, 0.5, 0.9]))
            schedule = ks.step_decay(peak, every=every, factor=factor)
    return schedule.plan(total_steps=steps if total is None else total)


def rounded(rates: Rates, digits: int) -> Rates:
    """As a log prints them with so many significant digits."""
    form = f"%.{digits - 1}e"
    return np.array([float(form % rate) for rate in rates.tolist()], np.float64)


def _logged(
    rng: np.random.Generator,
    seed: int,
    recipe: str,
    plan: ks.Plan,
    offset: int,
    made: Callable[[Steps], Steps],
    *,
    until: int | None = None,
    around: int | None = None,
) -> Case:
    """A log of a run; `made` turns calls of the scheduler into steps of the plan, `around` stays in the log."""
    total = _length(plan) if until is None else until
    first, last = (1, total) if offset == -1 else (0, total - 1)
    if rng.random() < 0.3:
        first, last = _cut(rng, first, last, around)
    phases = sum(row.first_step <= last and row.stop > first for row in plan.phases)
    fewest = max(_ROWS, _ROWS_OF_A_PHASE * phases)
    fitting = [every for every in _THINNED if (last - first + 1) // every >= fewest]
    every = int(rng.choice(fitting)) if fitting and rng.random() < 0.6 else 1
    begin = first if rng.random() < 0.4 else first + (-first) % every  # "step % every == 0" is what most loops do
    positions = np.arange(begin, last + 1, every, dtype=np.int64)
    steps = made(positions + offset).astype(np.int64)
    digits = int(rng.integers(3, 9))
    return Case(seed, recipe, plan, steps, positions, rounded(plan(steps), digits), digits, offset, ())


def _cut(rng: np.random.Generator, first: int, last: int, around: int | None) -> tuple[int, int]:
    """A part of the run, at least a third of it, from its front, its back or its middle."""
    length = last - first + 1
    front, back = ((0.5, 0), (0, 0.5), (0.3, 0.3))[int(rng.integers(3))]
    begin, end = first + int(rng.uniform(0, front) * length), last - int(rng.uniform(0, back) * length)
    if around is not None:
        begin, end = min(begin, around - length // 10), max(end, around + length // 10)
    return begin, end


def _lost(rng: np.random.Generator, total: int) -> Steps:
    """The calls of the scheduler that did nothing: a burst at the start, or 1..5 single ones."""
    if rng.random() < 0.4:
        return np.arange(int(rng.integers(2, 20)), dtype=np.int64)
    return np.sort(rng.choice(total, int(rng.integers(1, 6)), replace=False)).astype(np.int64)


def _length(plan: ks.Plan) -> int:
    assert plan.total_steps is not None
    return plan.total_steps


def _as_planned(called: Steps) -> Steps:
    return called


def _by_epoch(steps_per_epoch: int, called: Steps) -> Steps:
    return called // steps_per_epoch


def _from_0_again(at: int, called: Steps) -> Steps:
    return np.where(called < at, called, called - at)


def _doubled(called: Steps) -> Steps:
    return 2 * called
