"""`check` names each fault that is planted in random plans, however the log is printed."""

from __future__ import annotations

import pytest

from kosine._logs.check.check import check
from tests.support.check_faults import AXES, FAULTS, PRINTS, faulty_log, right_verdicts


@pytest.mark.parametrize("seeds", [range(1), pytest.param(range(1, 12), marks=pytest.mark.slow)], ids=["few", "many"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(fault: str, seeds: range) -> None:
    for seed in seeds:
        for number, printed in enumerate(PRINTS):
            log = faulty_log(seed, fault, printed, AXES[number % 2])
            verdict = check(log.trace, log.plan)
            assert (verdict.kind, verdict.cause) in right_verdicts(log), (seed, printed, log.name, verdict.sentence)
