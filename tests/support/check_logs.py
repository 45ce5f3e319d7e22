"""How random logs and logs with a planted fault are judged; the tests and `benchmarks.logs.verdicts` use it."""

from __future__ import annotations

from collections import Counter

import numpy as np

import kosine as ks
from kosine._logs.check.check import check
from kosine._logs.check.verdict import Verdict
from kosine._logs.trace import Trace
from tests.support.random_logs import FAULTS, Case, planted, random_case

SEEDS = 1000
SEEDS_OF_A_FAULT = 167


def shifted(trace: Trace, plan: ks.Plan, offset: int) -> bool:
    """Whether the plan explains every row with an offset, to the printed precision."""
    steps = trace.positions + offset
    if int(steps[0]) < 0:
        return False
    return bool((np.abs(plan(steps) - trace.rates) <= trace.half_widths()).all())


def right_kind(case: Case) -> str:
    """What can be seen of how a log came to be: the simplest verdict that is true of it."""
    trace = case.trace()
    if shifted(trace, case.plan, 0):
        stays = case.recipe != "constant" and np.unique(case.plan(trace.positions)).size == 1
        return "too little" if stays else "follows"
    if shifted(trace, case.plan, 1) or shifted(trace, case.plan, -1):
        return "offset"
    return "odd rows" if not case.offset and _count_off(trace, case.plan) == 1 else "lags"


def _count_off(trace: Trace, plan: ks.Plan) -> int:
    return int(np.count_nonzero(np.abs(plan(np.maximum(trace.positions, 0)) - trace.rates) > trace.half_widths()))


def explained(verdict: Verdict) -> bool:
    """Whether the offset and the skipped steps of a verdict explain every row of a log of steps."""
    trace = verdict.trace
    steps = trace.positions + verdict.offset
    for position, count in verdict.skips:
        steps = steps - count * (trace.positions >= position)
    if int(steps.min()) < 0:
        return False
    return bool((np.abs(verdict.plan(steps) - trace.rates) <= trace.half_widths()).all())


def confusion(seeds: int = SEEDS, seeds_of_a_fault: int = SEEDS_OF_A_FAULT) -> dict[str, Counter[str]]:
    """How often each verdict was given for logs without a fault, by what is right, and for each fault."""
    table: dict[str, Counter[str]] = {
        f"no fault: {kind}": Counter() for kind in ("follows", "offset", "odd rows", "too little", "lags")
    }
    for seed in range(seeds):
        case = random_case(seed)
        table[f"no fault: {right_kind(case)}"][check(case.trace(), case.plan).kind] += 1
    for fault in FAULTS:
        seen, hidden = table.setdefault(fault, Counter()), f"{fault}, not visible"
        for seed in range(seeds_of_a_fault):
            log = planted(seed, fault)
            kind = check(log.case.trace(), log.case.plan).kind
            (seen if log.visible else table.setdefault(hidden, Counter()))[kind] += 1
    return table
