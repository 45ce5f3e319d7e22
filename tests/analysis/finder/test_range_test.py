"""The result of a range test: what it suggests, when it refuses, and its files."""

import csv
from pathlib import Path

import numpy as np
import pytest

import kosine as ks

RATES = np.geomspace(1e-6, 10, 120)


def curve(seed: int = 0, *, fall: float = 1.8, noise: float = 0.05, explodes: float = 0.3) -> np.ndarray:
    """Losses that fall between 1e-4 and 0.1, and explode at a rate."""
    ideal = 2.3 - fall * np.clip(np.log10(RATES / 1e-4) / 3, 0, 1) + 40 * np.maximum(RATES - explodes, 0) ** 2
    return np.asarray(ideal + np.random.default_rng(seed).normal(0, noise, RATES.size))


def test_the_bracket_is_the_medians_of_valley_and_minimum() -> None:
    test = ks.RangeTest(RATES, [curve(seed) for seed in range(5)])
    assert test.valley is not None
    assert test.minimum is not None
    each = sorted(ks.RangeTest(RATES, [curve(seed)]).valley.rate for seed in range(5))  # type: ignore[union-attr]
    assert (test.valley.low, test.valley.rate, test.valley.high) == (each[0], each[2], each[4])
    assert test.bracket == (test.valley.rate, test.minimum.rate)
    assert 1e-3 < test.bracket[0] < 0.05 < test.bracket[1] < 0.6
    assert not test.still_falls


def test_a_constant_and_a_factor_change_no_suggestion_but_slide() -> None:
    plain = ks.RangeTest(RATES, [curve()])
    for moved in (ks.RangeTest(RATES, [curve() - 100]), ks.RangeTest(RATES, [curve() * 8])):
        assert (moved.valley, moved.steepest, moved.minimum) == (plain.valley, plain.steepest, plain.minimum)


def test_a_seed_that_ends_at_once_leaves_the_others_alone() -> None:
    test = ks.RangeTest(RATES, [curve(), curve()[:4]], ends=["finished", "not finite"])
    assert test.valley is not None
    assert test.valley.by_seed[1] is None
    assert test.bracket == ks.RangeTest(RATES, [curve()]).bracket


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        (np.array([]), "too early"),
        (curve()[:8], "too early"),
        (curve(fall=0, noise=0.3, explodes=100), "falls by less"),
        (np.full(120, 2.3), "falls by less|too early"),
    ],
)
def test_where_the_curve_shows_nothing_there_is_no_bracket(losses: np.ndarray, words: str) -> None:
    test = ks.RangeTest(RATES, [losses], ends=["not finite"])
    with pytest.raises(ks.TrainingError, match=words):
        _ = test.bracket


def test_a_loss_that_falls_up_to_the_highest_rate() -> None:
    test = ks.RangeTest(RATES, [curve(explodes=1e3)[:80]], ends=["diverged"])
    assert not test.still_falls
    short = ks.RangeTest(RATES[:80], [curve(explodes=1e3)[:80]])
    assert short.still_falls


def test_the_file_has_each_batch(tmp_path: Path) -> None:
    test = ks.RangeTest(RATES, [curve(), curve(1)[:50]])
    test.to_csv(tmp_path / "test.csv")
    rows = list(csv.DictReader((tmp_path / "test.csv").read_text().splitlines()))
    assert len(rows) == 170
    assert [float(row["rate"]) for row in rows[:120]] == RATES.tolist()
    assert [float(row["loss"]) for row in rows[120:]] == curve(1)[:50].tolist()
    assert float(rows[0]["smoothed"]) == pytest.approx(float(rows[0]["loss"]), rel=1e-15)  # one weight over itself


@pytest.mark.parametrize(
    ("rates", "losses", "ends"),
    [
        ([0.0, 0.1], [[1.0, 1.0]], None),
        ([0.2, 0.1], [[1.0, 1.0]], None),
        ([0.1, np.inf], [[1.0, 1.0]], None),
        ([0.1, 0.2], [[1.0, 1.0, 1.0]], None),
        ([0.1, 0.2], [[1.0, np.nan]], None),
        ([0.1, 0.2], [], None),
        ([0.1, 0.2], [[1.0]], ["finished", "finished"]),
        ([0.1, 0.2], [[1.0]], ["stopped"]),
    ],
)
def test_what_is_no_test(rates: list[float], losses: list[list[float]], ends: object) -> None:
    with pytest.raises(ks.ArgumentError):
        ks.RangeTest(rates, losses, ends)  # type: ignore[arg-type]
