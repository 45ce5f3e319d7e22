"""The suggestions are those of fast.ai's four rules, written here a second time from their description."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from kosine._analysis.finder import suggestions

Curve = tuple[np.ndarray, np.ndarray]
CURVES = 1_000


def valley(rates: list[float], losses: list[float]) -> float:
    """The longest decreasing subsequence by comparing every pair; then the middle of its second third."""
    lengths: list[int] = []
    for here, loss in enumerate(losses):
        before = [lengths[earlier] for earlier in range(here) if losses[earlier] > loss]
        lengths.append(1 + max(before, default=0))
    length = max(lengths)
    end = lengths.index(length)
    third = length / 3
    return rates[end - length + int(third) + int(third / 2)]


def slide(rates: list[float], losses: list[float]) -> float:
    """A ruler of 15 batches moves left from the end while the slopes at its ends differ by more than 0.005."""
    slopes = [losses[1] - losses[0]]
    slopes += [(later - earlier) / 2 for earlier, later in zip(losses, losses[2:], strict=False)]
    slopes += [losses[-1] - losses[-2]]
    right = len(losses) - 1
    found = rates[right - 15]
    while right >= 15 and abs(slopes[right] - slopes[right - 15]) > 0.005:
        found = rates[right - 15]
        right -= 1
    return found


def steepest(rates: list[float], losses: list[float]) -> float:
    slopes = [
        (losses[here + 1] - losses[here]) / (np.log(rates[here + 1]) - np.log(rates[here]))
        for here in range(len(rates) - 1)
    ]
    return rates[slopes.index(min(slopes))]


def minimum(rates: list[float], losses: list[float]) -> float:
    return rates[losses.index(min(losses))]


def curves(count: int) -> Iterator[Curve]:
    """Falls of all depths and places that end in explosions, random walks, stairs with ties, and plain noise."""
    dice = np.random.default_rng(20_170_315)
    for number in range(count):
        size = int(dice.integers(20, 120))
        rates = np.geomspace(10 ** dice.uniform(-8, -3), 10 ** dice.uniform(-2, 2), size)
        across = np.linspace(0, 1, size)
        fall = dice.uniform(0.1, 5) / (1 + np.exp(dice.uniform(5, 40) * (across - dice.uniform(0.2, 0.9))))
        explosion = dice.uniform(0, 20) * np.maximum(across - dice.uniform(0.5, 1), 0) ** 2
        losses = fall + explosion + dice.normal(0, 10 ** dice.uniform(-6, -1), size)
        if number % 4 == 1:
            losses = np.cumsum(dice.normal(-0.02, 0.1, size))
        elif number % 4 == 2:
            losses = np.round(losses, 1)
        elif number % 8 == 3:
            losses = dice.normal(0, 1, size)
        yield rates, losses


@pytest.mark.parametrize("rule", [valley, slide, steepest, minimum])
def test_suggestions_are_those_of_the_description(rule: Callable[[list[float], list[float]], float]) -> None:
    ours = getattr(suggestions, rule.__name__)
    compared = 0
    for rates, losses in curves(CURVES):
        found = ours(rates, losses)
        if found is None:  # fewer than three losses fall: no third of them is in the middle
            assert rule is valley
            assert (np.diff(losses) >= 0).sum() > 10
            continue
        assert found == rule(rates.tolist(), losses.tolist())
        compared += 1
    assert compared > 0.98 * CURVES


def test_curves_that_are_too_short_suggest_nothing() -> None:
    rates, losses = np.geomspace(1e-3, 1, 15), np.linspace(2, 1, 15)
    assert suggestions.slide(rates, losses) is None
    assert suggestions.valley(rates[:2], losses[:2]) is None
    assert suggestions.steepest(rates[:1], losses[:1]) is None
    assert suggestions.minimum(rates[:0], losses[:0]) is None
