"""Logs as the usual trainers write them: what is found, how it is written, what is left open."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

import kosine as ks
from kosine._logs.precision import Precision

Floats = NDArray[np.floating]


def warmup_linear(steps: Floats, peak: float, warmup: int, total: int) -> Floats:
    """transformers' get_linear_schedule_with_warmup."""
    rising = peak * steps / max(warmup, 1)
    return np.where(steps < warmup, rising, peak * np.maximum(total - steps, 0) / (total - warmup))


def warmup_cosine(steps: Floats, peak: float, warmup: int, total: int, floor: float = 0.0) -> Floats:
    """transformers' get_cosine_schedule_with_warmup; with a floor it stays at, as Megatron-LM's."""
    done = np.clip((steps - warmup) / (total - warmup), 0, 1)
    falling = floor + (peak - floor) * 0.5 * (1 + np.cos(np.pi * done))
    return np.where(steps < warmup, peak * steps / max(warmup, 1), falling)


def printed(rates: Floats, form: str) -> Floats:
    return np.array([float(form % rate) for rate in rates.tolist()])


def steps(first: int, stop: int, every: int = 1) -> Floats:
    return np.arange(first, stop, every, dtype=np.float64)


def found(positions: Floats, rates: Floats, **more: object) -> ks.Inference:
    return ks.infer(ks.Trace(positions, rates, **more))  # type: ignore[arg-type]  # passed on as they are


def interval(inference: ks.Inference, what: str) -> tuple[float | None, float | None]:
    (each,) = (each for each in inference.open if each.what == what)
    return each.low, each.high


# --- what the usual trainers write --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("positions", "total"),
    [(steps(1, 1001), 1000), (steps(10, 1001, 10), 1000), (np.append(steps(10, 1237, 10), 1236), 1236)],
)
def test_linear_decay_with_its_last_row_at_0(positions: Floats, total: int) -> None:
    inference = found(positions, warmup_linear(positions, 5e-5, 100, total))
    assert repr(inference.schedule) == "Schedule(linear(100, start=0.0, to=5e-05), linear(to=0.0))"
    assert (inference.plan and inference.plan.total_steps, inference.offset) == (total, 0)


def test_cosine_with_restarts_that_ends_at_0() -> None:
    at = steps(0, 1001)
    done = np.maximum(at - 100, 0) / 900
    falling = np.where(done < 1, 1e-4 * 0.5 * (1 + np.cos(np.pi * ((3 * done) % 1))), 0)
    inference = found(at, np.where(at < 100, 1e-4 * at / 100, falling))
    assert (
        repr(inference.schedule)
        == "Schedule(linear(100, start=0.0, to=0.0001), cycles(cosine(300, start=0.0001, to=0.0), count=3))"
    )


@pytest.mark.parametrize("power", [2.0, 0.9])
def test_polynomial_from_the_first_step_on(power: float) -> None:
    at = steps(0, 40_000, 50)
    inference = found(at, printed(0.01 * (1 - at / 40_000) ** power, "%.3e"), precision=Precision(digits=4))
    assert repr(inference.schedule) == f"Schedule(polynomial(start=0.01, to=0.0, power={power}))"


def test_polynomial_whose_log_goes_to_its_end() -> None:
    at = steps(0, 1001)
    falling = (1e-4 - 1e-7) * np.maximum(1 - (at - 100) / 900, 0) ** 2 + 1e-7
    inference = found(at, np.where(at < 100, 1e-4 * at / 100, falling))
    assert repr(inference.schedule) == "Schedule(linear(100, start=0.0, to=0.0001), polynomial(to=1e-07, power=2.0))"


def test_one_cycle_of_three_phases() -> None:
    def cosine(start: float, end: float, done: Floats) -> Floats:
        return np.asarray(end + (start - end) / 2 * (1 + np.cos(np.pi * done)))

    at = steps(0, 1000)
    falling = np.where(at <= 598, cosine(1e-2, 4e-4, (at - 299) / 299), cosine(4e-4, 4e-8, (at - 598) / 401))
    inference = found(at, np.where(at <= 299, cosine(4e-4, 1e-2, at / 299), falling))
    assert (
        repr(inference.schedule)
        == "Schedule(cosine(299, start=0.0004, to=0.01), cosine(299, to=0.0004), cosine(to=4e-08))"
    )


@pytest.mark.parametrize("every", [1, 10])
def test_warmup_that_is_a_step_ahead(every: int) -> None:
    """llm.c's: the peak is shown twice, though a thinned log has no row of it."""
    at = steps(0, 5000, every)
    rates = np.where(at < 700, 6e-4 * (at + 1) / 700, warmup_cosine(at, 6e-4, 700, 5000))
    inference = found(at, rates)
    assert repr(inference.schedule) == "Schedule(linear(700, start=0.0, to=0.0006), hold(1), cosine(to=0.0))"
    assert inference.offset == 1


def test_epochs_of_a_warmup_and_a_cosine_in_a_log_of_steps() -> None:
    at = steps(0, 39_100, 50)
    epoch = at // 391
    falling = 0.1 * 0.5 * (1 + np.cos(np.pi * (epoch - 5) / 95))
    inference = found(at, np.where(epoch < 5, 0.1 * (epoch + 1) / 5, falling))
    assert (
        repr(inference.schedule)
        == "Schedule(section(linear(4, start=0.02, to=0.1), hold(1), cosine(95, to=0.0), tick=391))"
    )


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_float32_rates_that_nobody_calls_so(kind: type) -> None:
    at = steps(0, 10_000, 7)
    inference = found(at, warmup_cosine(at, 3e-4, 1000, 10_000).astype(np.float32).astype(kind))
    assert repr(inference.schedule) == "Schedule(linear(1000, start=0.0, to=0.0003), cosine(to=0.0))"
    assert inference.trace.precision == Precision(single=True)


def test_epochs_as_fractions_of_any_number_of_steps() -> None:
    at = steps(10, 1173, 10)
    inference = found(at / 391, warmup_cosine(at, 3e-4, 117, 1173), axis="epoch")
    assert repr(inference.schedule) == "Schedule(linear(117, start=0.0, to=0.0003), cosine(to=0.0))"
    assert inference.steps_per_unit == Fraction(391)


@pytest.mark.parametrize("stop", [1500, 4000])
def test_beginning_of_a_cosine(stop: int) -> None:
    at = steps(0, stop, 10)
    rates = printed(warmup_cosine(at, 3e-4, 1000, 10_000), "%.4e")
    inference = found(at, rates, precision=Precision(digits=5))
    assert repr(inference.schedule) == "Schedule(linear(1000, start=0.0, to=0.0003), cosine(to=0.0))"
    assert inference.plan is not None
    assert abs((inference.plan.total_steps or 0) - 10_000) < 20


def test_short_piece_of_a_cosine() -> None:
    at = steps(5000, 5200, 10)
    inference = found(at, printed(warmup_cosine(at, 3e-4, 1000, 10_000), "%.4e"), precision=Precision(digits=5))
    assert inference.explained
    for what, true in (("begin of cosine", 1000), ("end of cosine", 10_000)):
        low, high = interval(inference, what)
        assert low is not None
        assert high is not None
        assert low <= true <= high


# --- milestones ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("milestones", [(82, 123), (30, 60, 80), (60, 80), (8, 11), (65, 85, 95), (100, 150, 180)])
def test_milestones(milestones: tuple[int, ...]) -> None:
    at = steps(0, milestones[-1] + 10)
    inference = found(at, 0.1 * 0.1 ** np.searchsorted(milestones, at, "right"), axis="epoch")
    assert inference.explained
    assert interval(inference, "cause of the drops") == (None, None)


@pytest.mark.parametrize(
    ("milestones", "every"), [((60_000, 80_000), 20), ((210_000, 250_000), 20), ((8 * 7330, 11 * 7330), 50)]
)
def test_milestones_after_a_warmup(milestones: tuple[int, ...], every: int) -> None:
    at = steps(every - 1, milestones[-1] + 5000, every)
    base = 0.02 * 0.1 ** np.searchsorted(milestones, at, "right")
    inference = found(at, np.where(at < 1000, base * (0.001 * (1 - at / 1000) + at / 1000), base))
    assert inference.explained
    places = [each for each in inference.open if each.what == "hold to hold"]
    assert all((each.low or 0) <= true <= (each.high or 0) for each, true in zip(places, milestones, strict=True))


@pytest.mark.parametrize("drops", [(41, 52, 63, 74), (23, 37, 44), (16, 52, 76, 78), (25, 78), (437, 781)])
def test_drops_at_no_regular_times_are_a_step_decay_of_an_open_cause(drops: tuple[int, ...]) -> None:
    at = steps(0, drops[-1] + 20)
    inference = found(at, 1e-3 * 0.1 ** np.searchsorted(drops, at, "right"), axis="epoch")
    assert inference.plan is not None
    assert [row.first_step for row in inference.plan.phases] == [0, *drops]
    assert "cause of the drops" in [each.what for each in inference.open]


def test_drops_one_epoch_after_another_are_no_line() -> None:
    at = steps(0, 100)
    inference = found(at, 1e-3 * 0.1 ** np.searchsorted((21, 28, 29, 33), at, "right"), axis="epoch")
    assert inference.plan is not None
    assert [(row.name, row.first_step) for row in inference.plan.phases] == [
        *(("hold", first) for first in (0, 21, 28, 29, 33))
    ]
    assert "cause of the drops" in [each.what for each in inference.open]


def test_drops_at_no_regular_times_after_a_warmup() -> None:
    at = steps(0, 39_100, 50)
    rates = 1e-3 * np.minimum(1, at / 1000) * 0.1 ** np.searchsorted([25 * 391, 78 * 391], at, "right")
    inference = found(at, rates)
    assert repr(inference.schedule) == (
        "Schedule(linear(1000, start=0.0, to=0.001), hold(8800), hold(20700, start=0.0001), hold(start=1e-05))"
    )
    assert "cause of the drops" in [each.what for each in inference.open]


# --- resumes that lost their state --------------------------------------------------------------------------------


@pytest.mark.parametrize("at_step", [700, 1100, 1700, 2300])
@pytest.mark.parametrize("curve", ["linear", "warm-up and hold", "warm-up and linear", "polynomial", "inverse_sqrt"])
def test_lost_state(curve: str, at_step: int) -> None:
    at = steps(0, 3000, 10)
    shown = np.where(at < at_step, at, at - at_step)
    rates: dict[str, Callable[[], Floats]] = {
        "linear": lambda: warmup_linear(shown, 1e-3, 0, 3000),
        "warm-up and hold": lambda: np.minimum(1e-3, 1e-3 * shown / 200),
        "warm-up and linear": lambda: warmup_linear(shown, 1e-3, 100, 3000),
        "polynomial": lambda: 1e-3 * (1 - shown / 3000) ** 0.9,
        "inverse_sqrt": lambda: 1e-3 * np.minimum(shown / 100, (np.maximum(shown, 1) / 100) ** -0.5),
    }
    inference = found(at, rates[curve]())
    assert not inference.explained
    assert f"jumps at step {at_step:,}" in inference.sentence


# --- what is left open --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", [1500, 3000, 9000])
def test_line_ends_at_0_at_the_latest(stop: int) -> None:
    at = steps(0, stop, 10)
    rates = printed(warmup_linear(at, 3e-4, 1000, 10_000), "%.4e")
    low, high = interval(found(at, rates, precision=Precision(digits=5)), "end of linear")
    assert low == stop - 9
    assert high is not None
    assert 10_000 <= high < 10_020


def test_exponential_may_go_on() -> None:
    at = steps(0, 100)
    inference = found(at, 0.1 * 0.95**at, axis="epoch")
    assert interval(inference, "end of exponential") == (100, None)


def test_log_that_ends_in_a_warmup() -> None:
    inference = found(steps(0, 300), 3e-7 * steps(0, 300))
    assert interval(inference, "end of linear") == (300, None)


def test_end_of_a_cosine_is_within_its_range() -> None:
    at = steps(0, 2000, 10)
    for total in (7000, 10_000, 13_570):
        rates = printed(warmup_cosine(at, 3e-4, 1000, total), "%.3e")
        low, high = interval(found(at, rates, precision=Precision(digits=4)), "end of cosine")
        assert low is not None
        assert low <= total <= (high or np.inf)


# --- odd numbers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("peak", [1e-310, 1e-300, 1e-20, 1e5, 1e300])
def test_tiny_and_huge_rates(peak: float) -> None:
    at = steps(0, 1000, 10)
    inference = found(at, warmup_cosine(at, peak, 100, 1000))
    assert inference.residual <= 1e-9 * max(peak, 1e-290)


@pytest.mark.parametrize("last", [5e-324, 5e-322])
def test_the_smallest_numbers_are_as_good_as_0_which_shows_no_schedule(last: float) -> None:
    inference = found(steps(0, 100), np.linspace(5e-324, last, 100))
    assert inference.schedule is None
    assert "No schedule is certain" in inference.sentence


@pytest.mark.parametrize("unit", [1e-7, 1e-3, 1.0, 2.0**52])
def test_tiny_and_huge_positions(unit: float) -> None:
    at = steps(0, 1000, 10)
    axis = "step" if unit >= 1 else "epoch"
    assert found(at * unit, warmup_cosine(at, 1e-3, 100, 1000), axis=axis).explained


def test_positions_that_no_run_has() -> None:
    with pytest.raises(ks.LogError, match=r"at most 2\*\*62 steps"):
        found(steps(0, 100) * 1e300, steps(0, 100))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rows", [3, 5, 8, 12])
def test_few_rows_of_noise(rows: int, seed: int) -> None:
    assert not found(steps(0, rows), np.random.default_rng(seed).uniform(0.01, 0.1, rows)).explained
