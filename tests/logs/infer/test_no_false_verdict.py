"""Whatever a run followed: each rate of the schedule that `infer` shows is the true one, or said to be open."""

from __future__ import annotations

import pytest

import kosine as ks
from tests.support.any_logs import any_case, wrong_steps

_FEW = 20


@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(range(4, _FEW), id="few"),
        pytest.param(range(_FEW, 200), id="many", marks=pytest.mark.slow),
    ],
)
def test_no_rate_is_wrong_and_not_open(seeds: range) -> None:
    cases = {seed: any_case(seed) for seed in seeds}
    inferences = {seed: ks.infer(case.trace) for seed, case in cases.items()}
    wrong = {seed: wrong_steps(case, inferences[seed])[:5].tolist() for seed, case in cases.items()}
    assert {seed: steps for seed, steps in wrong.items() if steps} == {}
    assert sum(each.explained for each in inferences.values()) > 0.6 * len(cases)
