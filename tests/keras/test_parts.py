"""Parts of a model with rates of their own, by the weights: in ratio, or with a plan for each."""

from typing import Any

import keras
import numpy as np
import pytest
from keras.optimizers import SGD, MultiOptimizer, OptimizerMap

import kosine as ks
from kosine.keras import LearningRateCallback, LearningRateSchedule, layer_rates
from kosine.testing.keras import AppliedRates, minus_mean, probe_data, probe_model
from tests.support.keras_probe import LR, STEPS, assert_follows

PLAN = LR.plan(epochs=2, steps_per_epoch=STEPS)
LAYERS = ("backbone", "head")


def trained(optimizer: Any, schedule: Any, *callbacks: Any, model: Any = None, epochs: int = 2) -> dict[str, Any]:
    """The applied rates of each layer."""
    if model is None:
        model = probe_model(STEPS, LAYERS)
        model.compile(optimizer, minus_mean)
    applied = {layer: AppliedRates(layer) for layer in LAYERS}
    x, y = probe_data(STEPS)
    follow = [] if schedule is None else [LearningRateCallback(schedule, lint=False)]
    model.fit(x, y, batch_size=2, epochs=epochs, shuffle=False, verbose=0,
        callbacks=[*follow, *callbacks, *applied.values()])  # fmt: skip
    return {layer: rates.rates for layer, rates in applied.items()} | {"history": model.history.history}


def parts(head: Any = 0.5, backbone: Any = 0.005) -> Any:
    return MultiOptimizer(OptimizerMap(SGD(head, name="head_sgd"), {"backbone/.*": SGD(backbone, name="body_sgd")}))


def test_parts_keep_the_ratio_of_their_constant_rates_to_the_default_one() -> None:
    applied = trained(parts(), LR)
    assert_follows(applied["head"], PLAN, count=2 * STEPS)
    assert_follows(applied["backbone"], 0.01 * PLAN, count=2 * STEPS)


def test_the_ratio_stays_in_a_second_fit_and_changes_with_a_rate_that_is_assigned() -> None:
    ending = ks.warmup_cosine(peak=0.1, warmup=2)  # whose last rates are in another ratio, once rounded
    optimizer, model = parts(), probe_model(STEPS, LAYERS)
    model.compile(optimizer, minus_mean)
    plan = ending.plan(epochs=2, steps_per_epoch=STEPS)
    for _ in range(2):
        assert_follows(trained(None, ending, model=model)["backbone"], 0.01 * plan, count=2 * STEPS)
    for part, rate in zip(optimizer.optimizers, (0.125, 0.25), strict=True):  # the pattern's first
        part.learning_rate = rate
    assert_follows(trained(None, ending, model=model)["backbone"], 0.5 * plan, count=2 * STEPS)


def test_the_optimizers_of_a_function_keep_the_ratio_to_the_highest_rate() -> None:
    own = {"backbone": SGD(0.05), "head": SGD(0.5)}
    applied = trained(MultiOptimizer(lambda variable: own[variable.path.split("/")[0]]), LR)
    assert_follows(applied["head"], PLAN, count=2 * STEPS)
    assert_follows(applied["backbone"], 0.1 * PLAN, count=2 * STEPS)


def test_a_part_with_a_schedule_of_its_own_keeps_it() -> None:
    own = ks.Schedule(ks.linear(2 * STEPS, start=0.5, to=0.0)).plan()
    applied = trained(parts(backbone=LearningRateSchedule(own)), LR)
    assert_follows(applied["head"], PLAN, count=2 * STEPS)
    assert_follows(applied["backbone"], own, count=2 * STEPS)


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (lambda: parts(head=0.0, backbone=0.0), r"must be a number above 0\. Received: body_sgd: 0, head_sgd: 0\."),
        (lambda: parts(backbone=0.0), "A part whose constant rate is 0 would train at 0 throughout"),
        (
            lambda: parts(head=LearningRateSchedule(PLAN)),
            r"Received: body_sgd: 0\.005, head_sgd: a schedule\. Pass a schedule for each part",
        ),
    ],
)
def test_parts_without_a_ratio_are_refused_with_the_way_that_works(optimizer: Any, message: str) -> None:
    with pytest.raises(ks.TrainingError, match=message):
        trained(optimizer(), LR)


# A schedule for each part


def test_each_part_follows_its_own_schedule_and_may_start_late() -> None:
    late = ks.Schedule(ks.hold("1ep", start=0.0), ks.cosine(start=0.25, to=0.0))  # gradual unfreezing
    applied = trained(parts(), {"backbone/.*": late, "head/.*": LR})
    assert_follows(applied["head"], PLAN, count=2 * STEPS)
    assert_follows(applied["backbone"], late.plan(epochs=2, steps_per_epoch=STEPS), count=2 * STEPS)
    assert not applied["backbone"][:STEPS].any()


def test_the_first_pattern_that_matches_counts_and_plans_are_taken_too() -> None:
    applied = trained(parts(), {"back.*": PLAN, ".*": ks.constant(0.25)})
    assert_follows(applied["backbone"], PLAN, count=2 * STEPS)
    assert set(applied["head"]) == {np.float32(0.25)}


@pytest.mark.parametrize(
    ("optimizer", "schedule"),
    [
        (lambda: layer_rates(SGD, {"bone/.*": 0.5, "backbone/.*": 0.1}, learning_rate=1.0), ks.constant(0.25)),
        (parts, {"bone/.*": ks.constant(0.1), ".*": ks.constant(0.25)}),
    ],
    ids=["of the optimizer", "of the callback"],
)
def test_a_pattern_that_matches_nothing_is_reported(optimizer: Any, schedule: Any) -> None:
    said = (
        "^No variable of the model has a path that matches 'bone/.*' as a whole, so what was given for it trains "
        "nothing. The first path is 'backbone/kernel'.$"
    )
    with pytest.warns(ks.TrainingWarning, match=said):
        applied = trained(optimizer(), schedule, epochs=1)
    assert set(applied["head"]) == {np.float32(0.25)}


def test_one_optimizer_follows_one_of_the_patterns() -> None:
    assert_follows(trained(SGD(0.5), {".*": LR})["head"], PLAN, count=2 * STEPS)


@pytest.mark.parametrize(
    ("optimizer", "schedules", "message"),
    [
        (lambda: SGD(0.5), {"backbone/.*": LR, "head/.*": LR}, r"whose variables match .* `ks\.keras\.layer_rates\("),
        (
            parts,
            {"backbone/.*": LR},
            r"the variable 'head/kernel', and the patterns .* Add a pattern",
        ),
        (parts, {"backbone": LR, "head/.*": LR}, r"the variable 'backbone/kernel', and the patterns"),
    ],
)
def test_patterns_that_do_not_fit_the_optimizers_are_refused(optimizer: Any, schedules: Any, message: str) -> None:
    with pytest.raises(ks.TrainingError, match=message):
        trained(optimizer(), schedules)


@pytest.mark.parametrize("schedules", [{}, {3: LR}, {"": LR}, {"(": LR}, {".*": 0.1}, [LR]], ids=repr)
def test_what_is_no_schedule_by_pattern_is_refused_at_once(schedules: Any) -> None:
    with pytest.raises(ks.KosineError, match="`schedule` must be"):
        LearningRateCallback(schedules)


# Differential rates


def test_layer_rates_by_ratio() -> None:
    optimizer = layer_rates(SGD, {"backbone/.*": 0.01})
    assert_follows(trained(optimizer, LR)["backbone"], 0.01 * PLAN, count=2 * STEPS)
    alone = trained(layer_rates(SGD, {"backbone/.*": 0.01}, learning_rate=0.5), None)
    assert (set(alone["head"]), set(alone["backbone"])) == ({np.float32(0.5)}, {np.float32(0.005)})


def test_layer_rates_of_a_list_grow_by_equal_factors() -> None:
    optimizer = layer_rates(SGD, ["a/.*", "b/.*", "c/.*"], learning_rate=0.1, lowest=0.01, momentum=0.9)
    rates = [float(keras.ops.convert_to_numpy(part.learning_rate)) for part in optimizer.optimizers]
    assert rates == pytest.approx([0.001, 0.01, 0.1, 0.1], rel=1e-7)  # float32
    assert {part.momentum for part in optimizer.optimizers} == {0.9}


@pytest.mark.parametrize(
    ("ratios", "message"),
    [
        ({}, "at least one pattern"),
        ({"(": 0.1}, r"regular expressions as patterns\. Received: ratios='\('"),
        ({3: 0.1}, r"patterns as texts\. Received: ratios=3"),
        ({"a": 0.0}, "a finite number > 0"),
        ({"a": "half"}, "a finite number > 0"),
        ("backbone", "a dict such as"),
        (0.5, "a dict such as"),
    ],
)
def test_ratios_that_are_none_are_refused(ratios: Any, message: str) -> None:
    with pytest.raises(ks.KosineError, match=message):
        layer_rates(SGD, ratios)


def test_the_logs_have_a_rate_for_each_part() -> None:
    history = trained(parts(), LR)["history"]
    last = [PLAN(STEPS - 1), PLAN(2 * STEPS - 1)]
    assert history["learning_rate"] == history["learning_rate_head_sgd"] == last
    assert history["learning_rate_body_sgd"] == pytest.approx([0.01 * rate for rate in last], rel=1e-15)
