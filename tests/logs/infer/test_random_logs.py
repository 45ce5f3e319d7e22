"""Random logs: the recovered plan is the true one at every step, within the precision of the log."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

import kosine as ks
from tests.support.random_logs import random_case
from tests.support.recovering import outcome


# The benchmark of recovered schedules does this for 1,000 logs; some of the same ones, without the slowest, stand here.
@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(range(0, 1000, 50), id="every 50th"),
        pytest.param(range(10, 1000, 20), id="every 20th", marks=pytest.mark.slow),
    ],
)
def test_recovers_the_plan_of_random_logs(seeds: range) -> None:
    found = Counter(outcome(random_case(seed)).kind for seed in seeds)
    assert found["equal"] + found["open"] >= 0.97 * len(seeds), found
    assert found["different"] == 0, found


@pytest.mark.parametrize("recipe", ["warmup_cosine", "wsd", "one_cycle", "step_decay", "constant"])
@pytest.mark.parametrize("some", [slice(3), pytest.param(slice(3, None), marks=pytest.mark.slow)])
def test_recovers_every_recipe_without_skips(recipe: str, some: slice) -> None:
    cases = [case for case in map(random_case, range(1000, 1100)) if case.recipe == recipe and not case.skips]
    assert len(cases) > 5
    assert all(outcome(case).kind in ("equal", "open") for case in cases[some])


@pytest.mark.parametrize("seed", [177, 201, 1])
def test_says_where_a_row_is_further_off_than_its_print_allows(seed: int) -> None:
    inference = ks.infer(random_case(seed).trace())
    worst = float((np.abs(inference.expected() - inference.trace.rates) / inference.trace.half_widths()).max())
    said = re.search(r"the furthest to ([\d.]+) times its rounding", inference.sentence)
    assert (said is not None) == (worst > 1 + 1e-6)
    assert said is None or float(said[1]) == pytest.approx(worst, abs=0.005)
