"""`check` names each fault that is planted in random plans, however the log is printed."""

from __future__ import annotations

import pytest

from kosine._logs.check.check import check
from kosine._logs.remark import Axis
from tests.support.check_faults import AXES, FAULTS, PRINTS, faulty_log, right_verdicts


@pytest.mark.parametrize(("number", "fault"), list(enumerate(FAULTS)))
def test_a_fault_is_named(number: int, fault: str) -> None:
    named(fault, 0, PRINTS[number % len(PRINTS)], AXES[number // 2 % len(AXES)])


@pytest.mark.slow
@pytest.mark.parametrize("printed", PRINTS)
@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_in_every_print(fault: str, axis: Axis, printed: str) -> None:
    for seed in range(8):
        named(fault, seed, printed, axis)


def named(fault: str, seed: int, printed: str, axis: Axis) -> None:
    log = faulty_log(seed, fault, printed, axis)
    verdict = check(log.trace, log.plan)
    assert (verdict.kind, verdict.cause) in right_verdicts(log), (seed, log.name, verdict.sentence)
