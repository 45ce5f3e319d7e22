"""Where a run begins and ends, by what its log shows of it."""

from __future__ import annotations

import io

import numpy as np
import pytest

import kosine as ks
from kosine._logs.precision import Precision


def opened(inference: ks.Inference) -> list[str]:
    return [each.what for each in inference.open]


def test_a_line_that_leads_to_0_began_there() -> None:
    """Its first rows are not in the log."""
    plan = ks.Schedule(ks.linear(25, start=0.0, to=0.001), ks.linear(to=0.0)).plan(total_steps=400)
    steps = np.arange(8, 400, 3)
    found = ks.infer(ks.Trace(steps, plan(steps)))
    assert repr(found.schedule) == "Schedule(linear(25, start=0.0, to=0.001), linear(to=0.0))"
    assert "begin of the run" in opened(found)


def test_a_line_to_no_round_rate_begins_with_its_rows() -> None:
    plan = ks.Schedule(ks.hold(50, start=0.1), ks.linear(start=0.1, to=0.0)).plan(total_steps=400)
    steps = np.arange(61, 400, 3)
    found = ks.infer(ks.Trace(steps, plan(steps)))
    assert found.plan is not None
    np.testing.assert_allclose(found.expected(), plan(steps), rtol=1e-8)


def test_a_few_steps_before_a_decay_are_a_guess() -> None:
    """As the Hugging Face Trainer writes every tenth row of a run with a warm-up of five steps."""
    plan = ks.warmup_cosine(peak=2e-6, warmup=5).plan(total_steps=160)
    steps = np.arange(10, 161, 10)
    found = ks.infer(ks.Trace(steps, plan(steps), total=160))
    assert repr(found.schedule) == "Schedule(linear(5, start=0.0, to=2e-06), cosine(to=0.0))"
    assert "begin of the run" in opened(found)


def test_the_declared_end_of_steps_that_are_counted_from_1() -> None:
    steps = np.arange(10, 121, 10)
    rates = 5e-5 * (1 - (steps - 1) / 125)
    found = ks.infer(ks.Trace(steps, rates, total=125))
    assert repr(found.schedule) == "Schedule(linear(start=5e-05, to=0.0))"
    assert (found.plan and found.plan.total_steps, found.offset) == (125, -1)
    assert not opened(found)


def test_round_numbers_show_that_steps_are_counted_from_1() -> None:
    """As maskrcnn-benchmark writes them, from a third of the peak on."""
    rate = ks.Schedule(
        ks.linear(500, start=0.01 / 3, to=0.01), ks.hold(19500), ks.hold(10000, start=0.001), ks.hold(start=0.0001)
    )
    steps = np.arange(20, 40001, 20)
    rates = np.round(rate.plan(total_steps=40000)(steps - 1), 6)
    found = ks.infer(ks.Trace(steps, rates, precision=Precision(decimals=6)))
    assert (found.schedule, found.offset) == (rate, -1)
    assert found.plan is not None
    assert found.plan.total_steps == 40000


@pytest.mark.parametrize("peak", [3e-4, 1e-3])
def test_a_rate_of_two_digits_that_all_rows_allow(peak: float) -> None:
    """As torch's OneCycleLR begins, at a 25th of its peak."""
    plan = ks.Schedule(ks.cosine(1999, start=peak / 25, to=peak), ks.cosine(start=peak, to=peak / 250_000)).plan(
        total_steps=20_000
    )
    steps = np.arange(100, 20_000, 100)
    rates = np.array([float(f"{rate:.2e}") for rate in plan(steps).tolist()])
    found = ks.infer(ks.Trace(steps, rates, precision=Precision(digits=3)))
    assert found.plan is not None
    assert found.plan(0) == pytest.approx(peak / 25, rel=1e-12)


def test_steps_that_stand_in_for_those_of_an_epoch_are_said() -> None:
    """As the Hugging Face Trainer prints epochs, with two places and without a progress bar."""
    plan = ks.warmup_cosine(peak=1e-4, warmup=20).plan(total_steps=1000)
    row = "{{'loss': 1.0, 'learning_rate': {!r}, 'epoch': {:.2f}}}\n"
    text = "".join(row.format(plan(step), step / 333) for step in range(10, 1000, 10))
    trace = ks.read_trace(io.BytesIO(text.encode()))
    found = ks.infer(trace)
    assert "steps of an epoch" in opened(found)
    assert f"{found.steps_per_unit} steps stand in for an epoch" in found.sentence
    assert "steps of an epoch" not in opened(ks.infer(trace, steps_per_epoch=333))
