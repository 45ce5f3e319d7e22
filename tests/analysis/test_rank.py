"""`ks.rank`: the bound against its direct sum, best peaks carried over, and what is refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

import kosine as ks
from kosine._analysis import bound as bound_module
from kosine._analysis.bound import Bound, bound
from tests.support.strategies import SMALL_RUN, compositions, recipes, small_schedules

RUN = 50_000
COSINE = ks.warmup_cosine(peak=2e-3, warmup=300).plan(total_steps=RUN)
WSD = ks.wsd(peak=1e-3, warmup=300, cooldown="20%").plan(total_steps=RUN)
LINEAR = ks.linear_to_zero(peak=1e-3, warmup=300).plan(total_steps=RUN)
TENTH = ks.warmup_cosine(peak=1e-3, warmup=300, floor=1e-4).plan(total_steps=RUN)
SGDR = ks.sgdr(peak=1e-3, period=10_000).plan(total_steps=RUN)


def direct(rates: NDArray[np.float64]) -> tuple[float, float]:
    """Both sums as the theorem has them, step by step in 80 bits."""
    s = np.trim_zeros(rates.astype(np.longdouble), "b")
    total, squares = s.sum(), (s * s).sum()
    noise = squares / total / 2
    for k in range(len(s) - 1):
        noise += s[k] / s[k + 1 :].sum() * (s[k:] ** 2).sum() / s[k:].sum() / 2
    return float(1 / (2 * total)), float(noise)


def check_bound(schedule: ks.Schedule) -> None:
    try:
        plan = schedule.plan(**SMALL_RUN)
    except ks.PlanError:
        return
    rates = plan(np.arange(SMALL_RUN["total_steps"]))
    peak = float(rates.max())
    if peak == 0:
        return
    found = bound(plan, peak)
    assert (found.distance, found.noise) == pytest.approx(direct(rates / peak), rel=1e-12)


@settings(deadline=None, max_examples=200)
@given(small_schedules() | compositions() | recipes())
def test_the_bound_is_the_sum_of_the_theorem(schedule: ks.Schedule) -> None:
    check_bound(schedule)


@pytest.mark.parametrize("schedule", [COSINE.schedule, WSD.schedule, SGDR.schedule, ks.constant(0.1)])
def test_chunks_add_up(schedule: ks.Schedule, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = schedule.plan(total_steps=2000)
    whole = bound(plan, 0.1)
    monkeypatch.setattr(bound_module, "CHUNK", 7)
    assert (bound(plan, 0.1).distance, bound(plan, 0.1).noise) == pytest.approx(
        (whole.distance, whole.noise), rel=1e-12
    )


@pytest.mark.parametrize("plan", [COSINE, WSD, LINEAR, TENTH, SGDR], ids=["cosine", "wsd", "linear", "tenth", "sgdr"])
def test_a_long_run_is_read_in_blocks(plan: ks.Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    long = plan.scaled_in_time(Fraction(40))
    exact = bound(long, 1e-3)
    monkeypatch.setattr(bound_module, "_MOST_STEPS", 10**6)
    # Blocks take the rate in their middle: an error of second order in their share of a phase, 1 / 8192.
    blocks = bound(long, 1e-3)
    assert blocks != exact
    assert (blocks.distance, blocks.noise) == pytest.approx((exact.distance, exact.noise), rel=3e-7)


def test_the_scale_is_where_the_bound_is_lowest() -> None:
    found = Bound(distance=0.02, noise=0.5)
    scales = found.scale * np.array([0.5, 0.99, 1.0, 1.01, 2.0])
    values = found.distance / scales + found.noise * scales
    assert values.min() == values[2] == pytest.approx(found.best, rel=1e-15)
    assert found.best * (1 + found.excess(2.0)) == pytest.approx(values[4], rel=1e-15)


def test_the_bound_does_not_depend_on_the_peak() -> None:
    ranking = ks.rank(COSINE, 10 * COSINE)
    assert ranking.rows[0].bound == pytest.approx(ranking.rows[1].bound, rel=1e-12)
    assert {row.peak for row in ranking.rows} == {2e-3, 2e-2}


def test_rows_are_in_order_and_have_their_letters() -> None:
    ranking = ks.rank(WSD, COSINE, LINEAR, names=["wsd", "cosine", "line"])
    assert [(row.mark, row.name) for row in ranking.rows] == [("C", "line"), ("B", "cosine"), ("A", "wsd")]
    assert [row.best_peak for row in ranking.rows] == [None] * 3
    assert ranking.best is ranking.rows[0]
    # The figures of arXiv 2501.18965's own schedules: bounds 3 % and 6.3 % above that of a line to 0.
    assert [round(100 * ranking.above_best(row), 1) for row in ranking.rows] == [0.0, 3.0, 6.3]


@pytest.mark.parametrize("key", [COSINE, "cosine", "A"], ids=["plan", "name", "letter"])
def test_the_best_peak_of_one_gives_those_of_the_others(key: Any) -> None:
    ranking = ks.rank(COSINE, WSD, LINEAR, best_peak={key: 2e-3}, names=["cosine", "wsd", "line"])
    best = {row.name: row.best_peak for row in ranking.rows}
    assert best["cosine"] == 2e-3
    # Measured on 124M parameters, 50,000 steps: 1.17e-3 and 2e-3 (`python -m benchmarks.rank`).
    assert best["wsd"] == pytest.approx(1.12e-3, rel=5e-3)
    assert best["line"] == pytest.approx(2.06e-3, rel=5e-3)
    back = ks.rank(COSINE, WSD, best_peak={WSD: best["wsd"] or 0.0})
    assert next(row.best_peak for row in back.rows if row.mark == "A") == pytest.approx(2e-3, rel=1e-12)


def test_several_known_peaks_are_averaged() -> None:
    one, other = (
        next(row.best_peak for row in ks.rank(COSINE, WSD, LINEAR, best_peak={plan: peak}).rows if row.mark == "C")
        for plan, peak in ((COSINE, 2e-3), (WSD, 2e-3))
    )
    both = ks.rank(COSINE, WSD, LINEAR, best_peak={COSINE: 2e-3, WSD: 2e-3})
    assert one is not None
    assert other is not None
    mean = (one * other) ** 0.5
    assert next(row.best_peak for row in both.rows if row.mark == "C") == pytest.approx(mean, rel=1e-12)
    assert [row.best_peak for row in both.rows if row.mark != "C"] == [2e-3, 2e-3]


def test_a_rehearsal_is_a_known_best_peak() -> None:
    def fit(_: int, plan: ks.Plan) -> float:
        return (plan(60) / 1e-3 - 1) ** 2

    rehearsal = ks.rehearse(lambda seed: seed, fit, COSINE, [5e-4, 1e-3, 2e-3], verbose=False)
    ranking = ks.rank(COSINE, WSD, best_peak=rehearsal)
    assert ranking.known == {"A": rehearsal.full_best}


def test_where_the_public_runs_do_not_support_a_peak_there_is_none() -> None:
    constant = ks.constant(1e-3).plan(total_steps=RUN)
    ranking = ks.rank(COSINE, TENTH, constant, SGDR, best_peak={COSINE: 2e-3})
    said = {row.mark: (row.best_peak, row.untested) for row in ranking.rows}
    assert said == {
        "A": (2e-3, ""),
        "B": (None, "ends at 10 % of the peak"),
        "C": (None, "ends at 100 % of the peak"),
        "D": (None, "restarts"),
    }
    text = " ".join(str(ranking).split())
    assert "a factor of up to 2.2" in text
    assert "No public run had restarts." in text


@pytest.mark.parametrize(
    ("plans", "keywords", "error", "words"),
    [
        ([COSINE], {}, ks.ArgumentError, "two plans or more"),
        ([COSINE, WSD.schedule], {}, ks.ArgumentTypeError, "Plan it first"),
        ([COSINE, ks.constant(1.0).plan()], {}, ks.PlanError, "the length of the run"),
        ([COSINE, ks.constant(1.0).plan(total_steps=9)], {}, ks.PlanError, "arXiv 2409.19913"),
        ([COSINE, ks.constant(0.0).plan(total_steps=RUN)], {}, ks.PlanError, "all 0"),
        ([COSINE, WSD], {"best_peak": 2e-3}, ks.ArgumentTypeError, "{plan: 2e-3}"),
        ([COSINE, WSD], {"best_peak": {LINEAR: 2e-3}}, ks.ArgumentError, "one of the plans"),
        ([COSINE, WSD], {"best_peak": {"A": -1.0}}, ValueError, "> 0"),
        ([COSINE, TENTH], {"best_peak": {TENTH: 1e-3}}, ks.ArgumentError, "ends at 10 % of the peak"),
        ([COSINE, SGDR], {"best_peak": {SGDR: 1e-3}}, ks.ArgumentError, "has restarts"),
        ([COSINE, WSD], {"names": ["one"]}, ks.ArgumentError, "2 names"),
    ],
)
def test_what_cannot_be_ranked_says_why(
    plans: list[Any], keywords: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error) as raised:
        ks.rank(*plans, **keywords)
    assert words in str(raised.value)


def test_it_is_drawn_at_the_best_peaks(tmp_path: Any) -> None:
    ranking = ks.rank(WSD, COSINE, best_peak={COSINE: 4e-3}, names=["wsd", "cosine"])
    picture = ranking.draw(80)
    assert [line.split() for line in picture.splitlines()[:2]] == [
        ["A", "wsd:", "+3.2", "%"],
        ["B", "cosine:", "lowest"],
    ]
    assert "0.004" in picture
    ranking.save(tmp_path / "ranking.html")
    assert "Ranking" in (tmp_path / "ranking.html").read_text()
