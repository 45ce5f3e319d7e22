"""Rehearsals: what is trained, which peaks are the best, and what is refused."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kosine as ks

PLAN = ks.warmup_cosine(peak=0.1, warmup="10%", floor=0.001).plan(total_steps=1000)
PEAKS = [0.01, 0.02, 0.04, 0.08]


def peak_of(plan: ks.Plan) -> float:
    assert plan.total_steps is not None
    return float(plan(np.arange(plan.total_steps)).max())


def rehearse(loss_of: Any, peaks: Any = PEAKS, **options: Any) -> ks.Rehearsal:
    """With a loss that is a function of the peak and the seed."""
    found: ks.Rehearsal = ks.rehearse(
        lambda seed: seed, lambda seed, plan: loss_of(peak_of(plan), seed), PLAN, peaks, **{"verbose": False, **options}
    )
    return found


def bowl(peak: float, seed: int, *, best: float = 0.04, noise: float = 0.01) -> float:
    return math.log(peak / best) ** 2 + (-noise if seed % 2 else noise)


def test_each_run_follows_the_plan_itself_made_shorter() -> None:
    trained = []

    def fit(model: list[int], plan: ks.Plan) -> float:
        trained.append((model, plan))
        return 1.0

    rehearsal = ks.rehearse(lambda seed: [seed], fit, PLAN, [0.01, 0.02, 0.2], seeds=2, verbose=False)
    assert [model for model, _ in trained] == [[0], [1]] * 3
    for (_, plan), peak in zip(trained[::2], (0.01, 0.02, 0.2), strict=True):
        floor = 0.001 * peak / 0.1
        assert plan == ks.warmup_cosine(peak=peak, warmup="10%", floor=floor).plan(total_steps=200)
    assert rehearsal.short.total_steps == 200
    assert (rehearsal.steps, rehearsal.cost) == (1200, 1.2)


def test_the_best_peak_and_those_within_noise() -> None:
    quiet = rehearse(bowl)
    assert (quiet.best, quiet.within_noise, quiet.beyond) == (0.04, (0.04,), ())
    assert quiet.noise == pytest.approx(0.02 / math.sqrt(2))  # losses at +-0.01: s = 0.02 / sqrt(2), two seeds
    loud = rehearse(lambda peak, seed: bowl(peak, seed, best=0.055, noise=0.3))
    assert loud.within_noise == (0.04, 0.08)
    assert loud.peak[0] < loud.full_best < loud.peak[1]


def test_the_peak_of_the_full_length_is_lower_by_measured_powers() -> None:
    found = rehearse(bowl, scale=0.2)
    assert found.full_best == pytest.approx(0.04 * 0.2**0.3)
    assert found.peak == pytest.approx((0.04 * 0.2**0.32, 0.04 * 0.2**0.2))
    whole = rehearse(bowl, scale=1)
    assert (whole.full_best, whole.peak) == (0.04, (0.04, 0.04))
    assert "full" not in str(whole).split("Cost")[0]


def test_a_peak_that_diverges_never_wins_and_is_in_the_table(tmp_path: Path) -> None:
    losses = {0.01: 0.5, 0.02: -math.inf, 0.04: 0.4, 0.08: math.nan}
    found = rehearse(lambda peak, seed: losses[peak] if seed else 0.45)
    assert [row.diverged for row in found.rows] == [0, 1, 0, 1]
    assert found.best == 0.04
    assert "1 of 2 diverged" in str(found)
    found.to_csv(tmp_path / "a.csv")
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["loss"] for row in rows if row["peak"] == "0.08"] == ["0.45", "inf"]


@pytest.mark.parametrize(
    ("best", "end", "beyond"), [(0.001, "lowest", (0.0025, 0.005)), (1.0, "highest", (0.16, 0.32))]
)
def test_a_best_peak_at_an_end_says_where_to_go_on(best: float, end: str, beyond: tuple[float, ...]) -> None:
    found = rehearse(lambda peak, seed: bowl(peak, seed, best=best))
    assert found.beyond == beyond
    assert f"It is the {end} of the list" in str(found)


def test_a_range_test_gives_five_peaks_over_its_bracket() -> None:
    rates = np.geomspace(1e-5, 10, 100)
    fall = 2.3 - 1.8 * np.clip(np.log10(rates / 1e-4) / 3, 0, 1) + 40 * np.maximum(rates - 0.3, 0) ** 2
    test = ks.RangeTest(rates, [fall])
    peaks = [row.peak for row in rehearse(bowl, test).rows]
    assert len(peaks) == 5
    assert (peaks[0], peaks[-1]) == pytest.approx(test.bracket, rel=0.05)
    assert np.ptp(np.diff(np.log(peaks))) < 0.1


def test_progress_is_shown_and_can_be_turned_off(capsys: pytest.CaptureFixture[str]) -> None:
    rehearse(bowl)
    assert capsys.readouterr() == ("", "")
    rehearse(bowl, verbose=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 9
    assert "8 runs of 200 steps, 1.6 x a full run of 1,000" in shown.err


def test_losses_of_frameworks_are_numbers() -> None:
    assert rehearse(lambda peak, seed: np.float32(peak)).rows[0].losses[0] == pytest.approx(0.01)
    assert rehearse(lambda peak, seed: np.array(peak)).best == 0.01


class History:
    history = {"loss": [1.0]}  # noqa: RUF012  # as Keras has it


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"peaks": [0.1, 0.2]}, ks.errors.ArgumentError, "`peaks` must be 3 or more"),
        ({"peaks": [0.1, 0.3, 0.2]}, ks.errors.ArgumentError, "`peaks` must be 3 or more .* ascending"),
        ({"peaks": [0.0, 0.1, 0.2]}, ks.errors.ArgumentError, "`peaks` must be .* > 0"),
        ({"peaks": 0.1}, ks.errors.ArgumentTypeError, "`peaks` must be a list"),
        ({"scale": 0}, ks.errors.ArgumentError, r"`scale` must be in \(0, 1\]"),
        ({"scale": 1.5}, ks.errors.ArgumentError, r"`scale` must be in \(0, 1\]"),
        ({"seeds": 0}, ks.errors.ArgumentError, "`seeds` must be an integer >= 1"),
        ({"schedule": PLAN.schedule}, ks.errors.ArgumentTypeError, "Plan it first"),
        ({"schedule": ks.sgdr(peak=0.1, period=9).plan()}, ks.PlanError, "without an end"),
        ({"schedule": ks.constant(0.0).plan(total_steps=9)}, ks.PlanError, "all 0"),
        ({"schedule": ks.warmup_cosine(0.1, warmup=2).plan(total_steps=999)}, ks.PlanError, r"Use `scale=0\.3`"),
        ({"build": None}, ks.errors.ArgumentTypeError, "`build` must be a function"),
        ({"fit": lambda model, plan: None}, ks.errors.ArgumentTypeError, "`fit` must be .* returns the final loss"),
        ({"fit": lambda model, plan: History()}, ks.errors.ArgumentTypeError, "Return the last one"),
        ({"fit": lambda model, plan: np.ones(2)}, ks.errors.ArgumentTypeError, "returns the final loss"),
        ({"fit": lambda model, plan: math.nan}, ks.TrainingError, "two peaks or more .* Rehearse lower peaks"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused(options: dict[str, Any], error: type[Exception], words: str) -> None:
    usual = {"build": lambda seed: seed, "fit": lambda model, plan: 1.0, "schedule": PLAN, "peaks": PEAKS}
    with pytest.raises(error, match=words):
        ks.rehearse(**{**usual, "verbose": False, **options})
