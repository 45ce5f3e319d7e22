"""Logs of any schedule, read at any stride, with any precision; and where an inference is wrong about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

import kosine as ks
from kosine._logs.precision import Precision
from tests.support.dialect_plans import SCHEDULES, Draw
from tests.support.random_logs import RECIPES, random_plan, rounded

_STRIDES = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 75, 100, 200, 500)
_ROWS = 15, 1500  # of a log, at least and at most
_PRECISIONS = (Precision(), Precision(), Precision(single=True), Precision(digits=6), Precision(digits=4))
_UNSEEN = 1e-6  # of the peak: no run would differ
_STAIRS = 2.5  # rows that a level of a staircase has at least: where fewer show each, a line has the same rows


@dataclass(frozen=True)
class AnyCase:
    """The log of a run that followed a plan.

    Attributes:
        name: of the scheduler or the recipe.
        plan: what the run followed.
        trace: its log.
    """

    name: str
    plan: ks.Plan
    trace: ks.Trace


def any_case(seed: int, names: Sequence[str] = (*SCHEDULES, *RECIPES, "levels", "pieces", "stairs")) -> AnyCase:
    """A log of one of these schedules, with arguments, a stride, a first and a last row and a precision."""
    rng = np.random.default_rng([seed, 77])
    name = str(rng.choice(names))
    plan = _plan(name, seed, rng)
    total = plan.total_steps
    assert total is not None
    strides = [each for each in _STRIDES if _ROWS[0] <= total / each <= _ROWS[1] and not _hides_stairs(plan, each)]
    every = int(rng.choice(strides or [max(1, total // _ROWS[1])]))
    last = total if rng.random() < 0.7 else int(total * rng.uniform(0.3, 1))
    steps = np.arange(int(rng.choice([0, 0, 0, every - 1])), max(last, min(8 * every, total)), every)
    return AnyCase(name, plan, _trace(steps, plan(steps), _PRECISIONS[int(rng.integers(len(_PRECISIONS)))]))


def _plan(name: str, seed: int, rng: np.random.Generator) -> ks.Plan:
    if name in RECIPES:
        return random_plan(rng, name)
    draw = Draw(name, seed)
    made = {"levels": _levels, "pieces": _pieces, "stairs": _stairs}
    schedule = made.get(name, SCHEDULES.get(name, _levels))(draw)
    return schedule.plan(total_steps=draw.total)


def _levels(draw: Draw) -> ks.Schedule:
    """Levels that last for any time."""
    count = draw.one_of(4, 6, 9)
    places = [draw.share(*np.linspace(0.02, 0.9 / count, 30)) for _ in range(count)]
    return ks.Schedule(*(ks.hold(length, start=_rate(draw)) for length in places), ks.hold(start=_rate(draw)))


def _pieces(draw: Draw) -> ks.Schedule:
    """Lines, cosines and levels that last for any time."""
    parts = [ks.linear(draw.share(0.02, 0.05, 0.13), start=0.0, to=_rate(draw))]
    for _ in range(draw.one_of(2, 3, 5)):
        length = draw.share(*np.linspace(0.02, 0.17, 30))
        curve = draw.one_of(ks.linear, ks.cosine, None)
        parts.append(ks.hold(length) if curve is None else curve(length, to=_rate(draw)))
    return ks.Schedule(*parts, draw.one_of(ks.linear, ks.cosine)(to=0.0))


def _stairs(draw: Draw) -> ks.Schedule:
    """DeepSpeed's stairs up and down."""
    return ks.dialects.deepspeed.OneCycle(
        cycle_min_lr=draw.peak / 10,
        cycle_max_lr=draw.peak,
        cycle_first_step_size=draw.share(0.3, 0.4),
        cycle_first_stair_count=draw.one_of(3, 5, 10),
        cycle_second_stair_count=draw.one_of(None, None, 4),
    )


def _rate(draw: Draw) -> float:
    return float(f"{draw.one_of(*np.linspace(0.05, 1, 40)) * draw.peak:.3g}")


def _hides_stairs(plan: ks.Plan, every: int) -> bool:
    """Whether rows so far apart show stairs as the points of a curve."""
    assert plan.total_steps is not None
    rates = plan(np.arange(plan.total_steps))
    changes = np.flatnonzero(np.diff(rates)) + 1
    if changes.size < 3 or changes.size > 0.5 * rates.size:
        return False
    return bool(np.median(np.diff(changes)) > 1) and float(np.median(np.diff(changes))) < _STAIRS * every


def _trace(steps: np.ndarray, rates: np.ndarray, precision: Precision) -> ks.Trace:
    if precision.single:
        return ks.Trace(steps, rates.astype(np.float32).astype(np.float64), precision=precision)
    if precision.digits is not None:
        return ks.Trace(steps, rounded(rates, precision.digits), precision=precision)
    return ks.Trace(steps, rates)


def wrong_steps(case: AnyCase, inference: ks.Inference) -> np.ndarray:
    """The steps whose rate an inference gives wrongly, though it does not say that the log leaves them open.

    A row is half a unit of its last printed place from either plan, so they are equal where they are one unit apart.
    Left out are single steps that no row shows, such as the peak between a warm-up and a decay.
    """
    if inference.plan is None:
        return np.zeros(0, np.int64)
    rows = case.trace.positions
    steps = np.arange(rows[0], rows[-1] + 1)
    rates = case.plan(steps)
    units = np.maximum(2 * case.trace.precision.half_width(rates), _UNSEEN * float(rates.max()))
    is_wrong = np.abs(inference.plan(inference.steps(steps)) - rates) > units
    for low, high in _open_ranges(inference):
        before = rows[max(int(np.searchsorted(rows, low)) - 1, 0)]
        after = rows[min(int(np.searchsorted(rows, high)), rows.size - 1)]
        is_wrong &= ~((steps > before) & (steps < after)) | np.isin(steps, rows)
    single = [row.first_step for row in case.plan.phases[:50] if row.stop == row.first_step + 1]
    named = [row.position for row in inference.odd]
    wrong: np.ndarray = steps[is_wrong & ~np.isin(steps, named) & ~np.isin(steps, np.setdiff1d(single, rows))]
    return wrong


def _open_ranges(inference: ks.Inference) -> Iterator[tuple[float, float]]:
    """The steps that an inference leaves open, those around odd rows too, as far as the rows around them."""
    rows = inference.trace.positions
    last = float(rows[-1])
    for each in inference.open:
        if each.what == "length of a step" and each.low is not None and each.high is not None:
            for place in range(1, int(last / each.low) + 2):
                yield place * each.low - inference.offset, place * each.high - inference.offset
        elif each.what == "warm-up" and each.high is not None:
            yield float(rows[0]), each.high
        elif each.low is not None and each.what != "end of the run":
            yield each.low, last if each.high is None else each.high
    odd = [row.position for row in inference.odd]
    for before, after in pairwise(rows.tolist()):
        if before in odd or after in odd:
            yield before + 1, after
    for place, _ in inference.skips:
        yield place, place
