"""The plan of a range test, and its arguments."""

import numpy as np
import pytest

import kosine as ks
from kosine._analysis.finder.range_plan import read_range


def test_the_rates_rise_by_one_factor_from_low_to_high() -> None:
    planned = read_range(1e-5, 1.0, 60, 2)
    assert (planned.rates[0], planned.rates[-1], planned.steps, planned.seeds) == (1e-5, 1.0, 60, (0, 1))
    np.testing.assert_allclose(np.diff(np.log(planned.rates)), np.log(1e5) / 59, rtol=1e-12)


def test_the_usual_range_is_that_of_fast_ai() -> None:
    planned = read_range(None, None, 100, 3)
    assert (planned.rates[0], planned.rates[-1], planned.rates.size) == (1e-7, 10.0, 100)


@pytest.mark.parametrize(
    ("low", "high", "steps", "seeds", "error"),
    [
        (1e-3, 1e-4, 100, 3, ks.ArgumentError),
        (None, 1e-8, 100, 3, ks.ArgumentError),
        (0.1, 0.1, 100, 3, ks.ArgumentError),
        (0.0, 1.0, 100, 3, ks.ScheduleError),
        (-1, 1.0, 100, 3, ks.ScheduleError),
        ("1e-3", 1.0, 100, 3, ks.ArgumentTypeError),
        (1e-3, 1.0, 19, 3, ks.ArgumentError),
        (1e-3, 1.0, 100.0, 3, ks.ArgumentTypeError),
        (1e-3, 1.0, 10**9, 3, ks.ArgumentError),
        (1e-3, 1.0, 100, 0, ks.ArgumentError),
        (1e-3, 1.0, 100, [1, 2], ks.ArgumentTypeError),
    ],
)
def test_what_is_no_range(low: object, high: object, steps: object, seeds: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_range(low, high, steps, seeds)
