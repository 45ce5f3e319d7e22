"""`check` on random logs: each verdict is the right one, up to what the printed precision shows."""

from __future__ import annotations

import numpy as np
import pytest

from kosine._logs.check.check import check
from tests.support.check_logs import explained, right_kind, shifted
from tests.support.random_logs import FAULTS, planted, random_case

EXPECTED = {
    "off by one": {"offset"},
    "wrong horizon": {"differs", "too fast", "too slow"},
    "lost resume": {"restarted", "too slow"},
    "x2 speed": {"too fast"},
    "per-epoch stepping": {"too slow"},
    "wrong floor": {"differs"},
}


SLOW = pytest.mark.slow


# The benchmark of verdicts does this for 1,000 logs and 167 of each fault; some of the same ones stand here.
@pytest.mark.parametrize("hundred", [0, *(pytest.param(hundred, marks=SLOW) for hundred in (1, 2, 3))])
def test_logs_without_a_fault(hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        case = random_case(seed)
        verdict = check(case.trace(), case.plan)
        assert verdict.kind == right_kind(case), seed
        assert explained(verdict) or verdict.kind == "odd rows", seed
        assert (verdict.first is None) == (verdict.follows or verdict.kind == "too little"), seed
        if verdict.kind == "lags":
            true = case.offset - sum(count for _, count in case.skips)
            found = verdict.offset - sum(count for _, count in verdict.skips)
            last = case.trace().rates[-1]
            assert (
                found == true
                or abs(case.plan(int(case.positions[-1]) + found) - last) <= case.trace().half_widths()[-1]
            )


@pytest.mark.parametrize("seeds", [range(8), pytest.param(range(8, 80), marks=SLOW)])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(fault: str, seeds: range) -> None:
    restarted = 0
    for seed in seeds:
        log = planted(seed, fault)
        trace, plan = log.case.trace(), log.case.plan
        verdict = check(trace, plan)
        assert (verdict.kind in ("follows", "too little")) == (not log.visible), seed
        if not log.visible:
            continue
        in_a_hold = verdict.cause == "another duration" and "or it began again inside it" in verdict.sentence
        a_step_off = verdict.kind == "offset" and shifted(trace, plan, verdict.offset)  # a cooldown that begins there
        chance = in_a_hold or a_step_off
        assert verdict.kind in EXPECTED[fault] or chance, (seed, verdict.sentence)
        if fault == "off by one":
            assert verdict.offset == log.case.offset, seed
        if verdict.kind in ("lags", "offset"):
            assert explained(verdict), seed
        if verdict.kind == "restarted":
            restarted += 1
            position = round(verdict.jumps[0].position)
            steps = np.where(trace.positions < position, trace.positions, trace.positions - position)
            assert bool((np.abs(plan(steps) - trace.rates) <= trace.half_widths()).all()), seed
            assert verdict.first is not None
            assert position <= verdict.first.position, seed
    assert fault != "lost resume" or restarted > 0.95 * len(seeds)
