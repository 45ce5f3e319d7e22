"""When a seed of a range test ends."""

import numpy as np
import pytest

from kosine._analysis.finder.divergence import Divergence


def end_of(losses: np.ndarray) -> tuple[str, int]:
    seed = Divergence()
    for loss in losses:
        if seed.add(loss):
            break
    return seed.end, seed.losses.size


def falls_and_explodes(noise: float = 0.1, seed: int = 0) -> np.ndarray:
    steps = np.arange(200)
    ideal = 2.3 - 1.5 * np.clip((steps - 50) / 70, 0, 1) + 0.002 * np.maximum(steps - 130, 0) ** 2
    return ideal + np.random.default_rng(seed).normal(0, noise, 200)


@pytest.mark.parametrize(("factor", "shift"), [(1, 0), (1, -5), (1000, 3), (1e-6, 0), (1, 1e4)])
def test_a_rise_counts_whatever_the_unit_and_the_zero_of_the_loss(factor: float, shift: float) -> None:
    end, count = end_of(falls_and_explodes() * factor + shift)
    assert end == "diverged"
    assert abs(count - end_of(falls_and_explodes())[1]) <= 1  # the last digit may decide
    assert 140 < count < 200


@pytest.mark.parametrize("seed", range(50))
def test_noise_alone_is_no_rise(seed: int) -> None:
    assert end_of(np.random.default_rng(seed).normal(2.3, 0.3, 300)) == ("finished", 300)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_ends_the_seed_and_is_no_loss(bad: float) -> None:
    losses = falls_and_explodes()
    losses[60] = bad
    assert end_of(losses) == ("not finite", 60)


def test_constant_losses_go_on() -> None:
    assert end_of(np.full(100, 0.7)) == ("finished", 100)
