"""Any table of finite numbers has an answer, in bounded work; and what `infer` explains, `check` says follows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import kosine as ks
from kosine._logs.precision import Precision
from kosine._logs.work import OutOfWorkError, Work
from tests.support.odd_logs import odd_log, short_log


def slow(*seeds: range) -> Iterator[Any]:
    """Of thousands, some: a seed's remainder by 8 is the kind of its log."""
    return (pytest.param(some, marks=pytest.mark.slow) for some in seeds)


DECIMALS = {
    "search for lags beyond the last row": (
        [41, 42, 44, 46, 50, 52, 61, 62, 70, 71, 72],
        [82, 82, 80, 79, 74, 73, 65, 64, 56, 55, 54],
        5,
    ),
    "cut beyond the last row": ([1, 3, 45, 47, 145, 148], [0, 1, 8, 8, 4, 4], 4),
    "a glitch of 1e10": ([0, 1, 2, 3, 4], [0, 10**4, 10**15, 1, 0], 5),
    "a rise of two rows": ([0, 1], [0, 300], 3),
    "a fall of two rows": ([7, 12], [3, 0], 1),
}


@pytest.mark.parametrize("name", DECIMALS)
def test_small_logs_have_an_answer(name: str) -> None:
    positions, units, decimals = DECIMALS[name]
    trace = ks.Trace(positions, np.array(units) / 10**decimals, precision=Precision(decimals=decimals))
    inference = ks.infer(trace)
    assert inference.sentence
    if inference.explained:
        assert np.all(np.abs(inference.expected() - trace.rates) <= 1.2 * trace.half_widths())


@pytest.mark.parametrize("rates", [[1e-300, 0.0], [5e-324, 0.0, 1e300], [1e300, 1e300, 0.0, 1e-300], [1e-243] * 3])
def test_extreme_rates(rates: list[float]) -> None:
    inference = ks.infer(ks.Trace(np.arange(len(rates)), rates, precision=Precision(digits=3)))
    assert inference.explained or inference.pieces


def answer(trace: ks.Trace) -> str:
    """What `infer` says; where a schedule explains the log exactly, `check` agrees with its text."""
    inference = ks.infer(trace)
    schedule, plan = inference.schedule, inference.plan
    if schedule is None or plan is None:
        return "unexplained"
    again = ks.parse(repr(schedule)).plan(**plan.run.known())
    np.testing.assert_array_equal(again(inference.steps()), inference.expected())
    near = bool((np.abs(inference.expected() - trace.rates) > trace.half_widths() * (1 + 1e-9)).any())
    if inference.skips or near or trace.positions[0] < -1:  # a check says what lags, and has no steps below 0
        return "explained"
    verdict = ks.check(trace, again)
    assert verdict.follows, (schedule, verdict.sentence)
    return "follows"


IN_THE_PLAN = ("lags", "too fast", "too slow", "restarted", "jumped")


@pytest.mark.parametrize("seeds", [range(0, 180, 9), *slow(range(4, 3000, 53))])
def test_odd_logs_have_an_answer(seeds: range) -> None:
    found = [answer(odd_log(seed)) for seed in seeds]
    assert found.count("follows") > len(seeds) / 8


@pytest.mark.parametrize("seeds", [range(12), *slow(range(12, 1000, 13))])
def test_what_infer_explains_follows(seeds: range) -> None:
    found = [answer(short_log(seed)) for seed in seeds]
    assert found.count("follows") > len(seeds) / 4


@pytest.mark.parametrize("seeds", [range(0, 200, 19), *slow(range(1, 3000, 17), range(141, 142))])
def test_check_of_odd_logs_has_an_answer(seeds: range) -> None:
    schedule = ks.parse("Schedule(linear(7, start=0.0, to=0.1), cycles(cosine(9, start=0.1, to=0.0), count=3))")
    for seed in seeds:
        trace = odd_log(seed)
        plan = schedule.plan(total_steps=60, steps_per_epoch=1 + seed % 5, samples_per_step=3, tokens_per_step=7)
        verdict = ks.check(trace, plan)
        # `off` counts the rows in the way that the verdict reads them; `first` reads them at the planned pace.
        assert verdict.first is not None or verdict.off == 0, seed
        assert verdict.off > 0 or verdict.first is None or verdict.kind in IN_THE_PLAN, seed
        assert verdict.sentence, seed


def test_a_log_that_begins_in_the_middle_of_a_run() -> None:
    plan = ks.parse("Schedule(hold(8, start=3.2e-4), linear(17, to=1e-3), linear(to=0.0))").plan(total_steps=400)
    steps = np.arange(8, 400, 3)
    inference = ks.infer(ks.Trace(steps, plan(steps), precision=Precision(digits=7)))
    assert inference.plan is not None
    np.testing.assert_allclose(inference.plan(np.arange(8, 400)), plan(np.arange(8, 400)), rtol=1e-9)
    assert (inference.offset, inference.plan.total_steps) == (0, 400)


def test_a_log_of_a_phase_that_began_before_its_step_0() -> None:
    plan = ks.parse("Schedule(cosine(start=0.1, to=0.0))").plan(total_steps=500)
    steps = np.arange(120)
    trace = ks.Trace(steps, plan(steps + 200), precision=Precision(digits=8))
    inference = ks.infer(trace)
    assert inference.plan is not None
    assert "skip=200" in repr(inference.schedule)
    assert ks.check(trace, inference.plan).kind == "follows"


def test_a_search_that_reaches_its_limit_says_so() -> None:
    rng = np.random.default_rng(1)
    total = 1000
    called = np.arange(total) - np.cumsum(rng.random(total) < 0.05)
    rates = ks.parse("Schedule(cosine(start=0.1, to=0.0))").plan(total_steps=total)(np.maximum(called, 0))
    inference = ks.infer(ks.Trace(np.arange(total), np.round(rates, 6), precision=Precision(decimals=6)))
    assert not inference.explained
    assert inference.complete == ("reached its limit" not in inference.sentence)


def test_work_is_counted_for_the_whole_too() -> None:
    whole = Work(10)
    part = Work(100, whole)
    part.spend(10)
    assert (part.left, whole.left) == (90, 0)
    with pytest.raises(OutOfWorkError):
        part.spend(1)
