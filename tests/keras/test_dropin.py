"""The drop-in pair against the values of the callback that it stands in for, and by the applied rate."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kosine as ks
from kosine.keras._dropin import WarmUpCosineDecayScheduler, cosine_decay_with_warmup
from kosine.testing.keras import probe_data
from tests.support.keras_probe import GRAPH_BACKENDS, STEPS, Crash, assert_follows, compiled, fit

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "support" / "golden" / "reference_callback.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"T={case['total_steps']}")
def test_golden_values(case: dict[str, Any]) -> None:
    arguments = {name: value for name, value in case.items() if name != "values"}
    steps, rates = zip(*case["values"], strict=True)
    found = cosine_decay_with_warmup(np.array(steps), **arguments)
    # The stored values are ½(1 + cos) in float64, whose error is 1e-16 of the base rate.
    np.testing.assert_allclose(found, rates, rtol=1e-12, atol=2e-16 * case["learning_rate_base"])
    assert [cosine_decay_with_warmup(step, **arguments) for step in steps] == found.tolist()


def test_the_result_has_the_shape_of_the_steps() -> None:
    found = cosine_decay_with_warmup(np.arange(6).reshape(2, 3), 0.1, 10)
    assert (found.shape, found.dtype) == ((2, 3), np.float64)
    assert isinstance(cosine_decay_with_warmup(3.0, 0.1, 10), float)


def test_a_run_without_a_decay() -> None:
    found = cosine_decay_with_warmup(np.arange(7), 0.1, 4, warmup_steps=2, hold_base_rate_steps=2)
    assert found.tolist() == [0.0, 0.05, 0.1, 0.1, 0.1, 0.0, 0.0]


ERRORS = [
    ({"total_steps": 3, "warmup_steps": 4}, ks.ScheduleError, "`total_steps` must be at least"),
    (
        {"total_steps": 6, "warmup_steps": 4, "hold_base_rate_steps": 3},
        ks.ScheduleError,
        "`total_steps` must be at least",
    ),
    ({"warmup_steps": 2, "warmup_learning_rate": 0.2}, ks.ScheduleError, "`learning_rate_base` must be at least"),
    ({"warmup_steps": -1}, ks.ScheduleError, "`warmup_steps` must be an integer >= 0. Received: warmup_steps=-1"),
    ({"warmup_steps": 1.5}, ks.ArgumentTypeError, "`warmup_steps` must be an integer >= 0"),
    ({"total_steps": 0}, ks.PlanError, "`total_steps` must be an integer >= 1"),
    ({"learning_rate_base": float("nan")}, ks.ScheduleError, "finite learning rate"),
    ({"learning_rate_base": -0.1}, ks.ScheduleError, "finite learning rate"),
]


@pytest.mark.parametrize(("wrong", "error", "match"), ERRORS, ids=lambda value: str(value)[:40])
def test_wrong_arguments(wrong: dict[str, Any], error: type[Exception], match: str) -> None:
    arguments = {"learning_rate_base": 0.1, "total_steps": 10, **wrong}
    with pytest.raises(error, match=match):
        cosine_decay_with_warmup(0, **arguments)
    with pytest.raises(error, match=match):
        WarmUpCosineDecayScheduler(**arguments)
    assert issubclass(error, ValueError | TypeError)


def test_a_step_below_0() -> None:
    with pytest.raises(ks.StepError, match="Received: -1"):
        cosine_decay_with_warmup(-1, 0.1, 10)
    with pytest.raises(ks.ScheduleError, match=r"`global_step_init` must be an integer >= 0. Received: .*=-1"):
        WarmUpCosineDecayScheduler(0.1, 10, global_step_init=-1)


def test_half_a_step() -> None:
    with pytest.raises(ks.ArgumentTypeError, match="`global_step` must be a whole number"):
        cosine_decay_with_warmup(1.5, 0.1, 10)


def scheduler(**arguments: Any) -> WarmUpCosineDecayScheduler:
    return WarmUpCosineDecayScheduler(
        0.1, 4 * STEPS, warmup_learning_rate=0.01, warmup_steps=8, hold_base_rate_steps=3, **arguments
    )


PLAN = ks.Schedule(ks.linear(8, start=0.01, to=0.1), ks.hold(3), ks.cosine(29, to=0.0)).plan()


def test_every_batch_applies_its_rate() -> None:
    callback = scheduler()
    assert_follows(fit(compiled(), callback), PLAN, count=4 * STEPS)
    assert callback.learning_rates == PLAN(np.arange(4 * STEPS)).tolist()
    assert callback.global_step == 4 * STEPS


def test_global_step_init_continues_an_earlier_run() -> None:
    callback = scheduler(global_step_init=15)
    with pytest.warns(ks.TrainingWarning, match="`total_steps` is 40, but `fit` trains up to step 35: it stops at"):
        assert_follows(fit(compiled(), callback, epochs=2), PLAN, first=15, count=2 * STEPS)
    assert callback.learning_rates == PLAN(np.arange(15, 15 + 2 * STEPS)).tolist()
    assert callback.global_step == 35


def test_a_second_fit_goes_on() -> None:
    callback, model = scheduler(), compiled()
    applied = [fit(model, callback, epochs=2) for _ in range(2)]
    assert_follows(np.concatenate(applied), PLAN, count=4 * STEPS)
    assert callback.learning_rates == PLAN(np.arange(4 * STEPS)).tolist()


def test_an_interrupted_fit_keeps_its_batches() -> None:
    callback, model = scheduler(), compiled()
    x, y = probe_data(STEPS)
    with pytest.raises(ConnectionAbortedError):
        model.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0, callbacks=[callback, Crash(1, 5)])
    assert callback.global_step == 16
    with pytest.warns(ks.TrainingWarning, match="but `fit` trains up to step 26"):
        assert_follows(fit(model, callback, epochs=1), PLAN, first=16, count=STEPS)
    assert callback.learning_rates == PLAN(np.arange(26)).tolist()


def test_global_step_can_be_set() -> None:
    callback, model = scheduler(), compiled()
    fit(model, callback, epochs=1)
    callback.global_step = 0
    assert_follows(fit(model, callback, epochs=1), PLAN, count=STEPS)


if GRAPH_BACKENDS:

    def test_verbose_prints_every_batch_of_an_execution(capsys: pytest.CaptureFixture[str]) -> None:
        fit(compiled(steps_per_execution=4), scheduler(verbose=1), epochs=2)
        lines = re.findall(r"^Batch (\d+):", capsys.readouterr().out, re.MULTILINE)
        assert [int(step) for step in lines] == list(range(2 * STEPS))


def test_verbose_prints_a_line_for_each_batch(capsys: pytest.CaptureFixture[str]) -> None:
    fit(compiled(), scheduler(verbose=1), epochs=2)
    lines = re.findall(r"^Batch (\d+): setting learning rate to (\S+)\.$", capsys.readouterr().out, re.MULTILINE)
    assert [int(step) for step, _ in lines] == list(range(2 * STEPS))
    assert [float(rate) for _, rate in lines] == pytest.approx(PLAN(np.arange(2 * STEPS)), rel=1e-5)


def test_quiet_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    fit(compiled(), scheduler(), epochs=1)
    assert capsys.readouterr().out == ""
