"""LearningRateSchedule as Keras sees it, and the float32 graph against the plan."""

from typing import Any

import keras
import numpy as np
import pytest

import kosine as ks
from kosine._core.traced import PhaseTable, tabulate
from kosine.keras._schedule import LearningRateSchedule
from tests.support.float32 import ulps
from tests.support.keras_probe import BACKEND, GRAPH_BACKENDS, LR, ULPS

STEP_TYPE = "int64" if BACKEND == "tensorflow" else "int32"

# On PyTorch the plan itself is evaluated, on the host.
TABLES = [True, False] if GRAPH_BACKENDS else [True]

CURVES = [
    ks.linear(start=1e-3, to=0.0),
    ks.linear(start=0.0, to=1e-3),
    ks.cosine(start=1e-3, to=0.0),
    ks.cosine(start=1e-3, to=1e-5),
    ks.cosine(start=1e-6, to=1e-3),
    ks.polynomial(start=1e-3, to=0.0, power=2),
    ks.polynomial(start=1e-3, to=0.0, power=0.5),
    ks.polynomial(start=0.0, to=1e-3, power=3),
    ks.exponential(start=0.1, to=1e-6),
    ks.exponential(start=1e-6, to=0.1),
    ks.inverse_sqrt(start=1e-3, to=1e-5),
    ks.inverse_sqrt(start=1e-3, timescale=4000),
    ks.one_minus_sqrt(start=1e-3, to=0.0),
    ks.one_minus_sqrt(start=0.0, to=1e-3),
    ks.cosine(start=1e-3, to=1e-4, endpoint=True),
    ks.cosine(start=1e-3, to=1e-5, power=2.0),
    ks.cosine(start=1e-3, to=1e-5, warp=1.5),
    ks.cosine(start=1e-5, to=1e-3, power=0.5, warp=2.0),
    ks.polynomial(start=1e-3, to=1e-5, power=0.5, warp=2.0),
    ks.exponential(start=0.1, factor=0.5, timescale="5%"),
    ks.exponential(start=1e-3, to=0.0, base=2.0),
    ks.exponential(start=0.0, to=1e-3, base=10.0),
    ks.inverse_time(start=1e-3, to=1e-5),
    ks.tanh(start=1e-3, to=1e-5),
    ks.rex(start=1e-3, to=0.0),
    ks.rex(start=1e-5, to=1e-3, bend=0.9),
    ks.logarithm(start=0.0, to=1e-3, base=1000.0),
    ks.logarithm(start=1e-3, to=0.0),
    ks.section(ks.cosine("50%", start=1e-3, to=0.0), ks.cosine("60%", to=1e-3), skip=777, duration="rest"),
    ks.section(ks.linear("1/3%", start=0.0, to=1e-3), ks.cosine(to=0.0), continuous=True),
    ks.section(ks.cosine(start=1e-3, to=0.0), tick=100),
    ks.section(ks.inverse_sqrt(start=1e-3, timescale="100/3st"), skip=10),
    ks.section(ks.cycles(ks.linear("7/3%", start=0.0, to=1e-3), ks.cosine("11/3%", to=0.0)), continuous=True),
    ks.section(ks.cycles(ks.cosine("100/3st", start=1e-3, to=0.0), stretch=1.5), continuous=True),
    ks.cycles(ks.cosine(1000, start=0.1, to=0.0), stretch=1.5, shrink=0.8),
]


def in_graph(plan: ks.Plan, *, table: bool, offset: int = 0) -> LearningRateSchedule:
    """The schedule with its rates looked up, as in short runs, or worked out, as in long ones."""
    schedule = LearningRateSchedule(plan, offset)
    if not table and BACKEND != "torch":  # where the host works them out
        schedule._values._table = tabulate(plan, STEP_TYPE, max_table_steps=0)
        assert isinstance(schedule._values._table, PhaseTable)
    return schedule


def compiled_call(schedule: LearningRateSchedule, **arguments: Any) -> Any:
    if BACKEND == "jax":
        import jax

        return jax.jit(schedule)
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(lambda step: schedule(step), **arguments)
    return schedule


def rates(schedule: LearningRateSchedule, steps: Any, **arguments: Any) -> Any:
    tensor = keras.ops.convert_to_tensor(np.asarray(steps, STEP_TYPE))
    return keras.ops.convert_to_numpy(compiled_call(schedule, **arguments)(tensor))


NEVER_ENDING = [curve for curve in CURVES if isinstance(curve, ks.Cycles) or getattr(curve, "endless", False)]


@pytest.mark.parametrize("curve", [curve for curve in CURVES if curve not in NEVER_ENDING], ids=repr)
def test_a_short_run_has_the_nearest_float32(curve: Any) -> None:
    plan = ks.Schedule(curve).plan(total_steps=40_000)
    steps = np.arange(40_100)
    np.testing.assert_array_equal(rates(LearningRateSchedule(plan), steps), plan(steps).astype(np.float32))


@pytest.mark.parametrize("total", [40_000, 2 * 10**9])
@pytest.mark.parametrize("curve", CURVES, ids=repr)
def test_the_graph_is_within_8_ulp_of_the_plan(curve: Any, total: int) -> None:
    plan = ks.Schedule(curve).plan(total_steps=total)
    edge = np.arange(1000)
    middle = np.random.default_rng(0).integers(0, total, 4000)
    steps = np.concatenate([edge, middle, total - 1 - edge])
    found = rates(in_graph(plan, table=False), steps)
    assert found.dtype == np.float32
    distance = ulps(found, plan(steps))
    assert distance.max() <= ULPS, f"{distance.max():.1f} ulp at step {steps[distance.argmax()]:,}"


def test_the_last_steps_of_a_decay_to_0_are_not_0() -> None:
    plan = ks.Schedule(ks.cosine(start=1e-3, to=0.0)).plan(total_steps=2 * 10**9)
    found = rates(LearningRateSchedule(plan), 2 * 10**9 - 1 - np.arange(100))
    assert (found > 0).all()


REPEATING = [
    ks.sgdr(peak=0.1, period=7),
    ks.sgdr(peak=0.1, period="2.5ep", warmup="0.3ep"),
    ks.sgdr(peak=0.1, period=10, stretch=2),
    ks.sgdr(peak=0.1, period=3, stretch=1.1),
    ks.sgdr(peak=0.1, period=10, shrink=0.9),
    ks.Schedule(
        ks.cycles(ks.linear(2, start=0.0, to=0.1), ks.cosine(5, to=0.01, endpoint=True), stretch=2, shrink=0.9)
    ),
    ks.Schedule(ks.cycles(ks.cosine(5, start=0.1, to=0.01), count=300), ks.linear(50, to=0.0)),
]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("schedule", REPEATING, ids=repr)
def test_every_boundary_of_every_cycle_in_and_beyond_the_run(schedule: ks.Schedule, table: bool) -> None:
    plan = schedule.plan(total_steps=3000, steps_per_epoch=5)
    steps = np.arange(9000)
    assert ulps(rates(in_graph(plan, table=table), steps), plan(steps)).max() <= ULPS


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("schedule", REPEATING[:5], ids=repr)
def test_cycles_far_beyond_the_run(schedule: ks.Schedule, table: bool) -> None:
    plan = schedule.plan(steps_per_epoch=5)
    steps = np.concatenate([np.arange(2**31 - 1000, 2**31 - 1), np.random.default_rng(0).integers(0, 2**31 - 1, 2000)])
    assert ulps(rates(in_graph(plan, table=table), steps), plan(steps)).max() <= ULPS


def test_many_phases_are_searched() -> None:
    generator = np.random.default_rng(1)
    parts = [
        ks.linear(int(n), start=float(a), to=float(b)) for n, a, b in zip(
            generator.integers(1, 9, 500), generator.random(500), generator.random(500), strict=True
        )
    ]  # fmt: skip
    plan = ks.Schedule(*parts).plan()
    steps = np.arange((plan.total_steps or 0) + 10)
    assert ulps(rates(in_graph(plan, table=False), steps), plan(steps)).max() <= ULPS


if GRAPH_BACKENDS:

    def test_too_many_different_cycles_for_a_graph() -> None:
        plan = ks.sgdr(peak=0.1, period=1, shrink=0.999999).plan(total_steps=10**6)
        with pytest.raises(ks.PlanError, match="A graph holds at most 131,072 different cycles"):
            LearningRateSchedule(plan)

    @pytest.mark.parametrize("stretch", [2, 3, 10])
    def test_cycles_that_outgrow_the_counter_without_a_length(stretch: int) -> None:
        plan = ks.sgdr(peak=0.1, period=1, stretch=stretch).plan()
        steps = np.concatenate([np.arange(5000), np.random.default_rng(0).integers(0, 10**8, 2000)])
        assert ulps(rates(LearningRateSchedule(plan), steps), plan(steps)).max() <= ULPS

    def test_a_rate_that_float32_cannot_hold_is_refused() -> None:
        with pytest.raises(ks.PlanError, match=r"A learning rate in a graph is at most 3\.403e\+38"):
            LearningRateSchedule(ks.constant(1e39).plan())


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("step", [0, 7, 39, 40, 10**9])
def test_a_single_step(step: int, table: bool) -> None:
    plan = LR.plan(epochs=4, steps_per_epoch=10)
    found = float(in_graph(plan, table=table)(step))
    assert ulps(found, plan(step)) <= ULPS


@pytest.mark.parametrize("table", TABLES)
def test_before_its_offset_it_stays_at_the_first_rate(table: bool) -> None:
    plan = LR.plan(epochs=4, steps_per_epoch=10)
    schedule = in_graph(plan, table=table, offset=5)
    found = rates(schedule, [0, 4, 5, 6, 15])
    assert ulps(found, plan(np.array([0, 0, 0, 1, 10]))).max() <= ULPS


@pytest.mark.parametrize("table", TABLES)
def test_the_shape_of_the_steps_is_kept(table: bool) -> None:
    plan = LR.plan(epochs=4, steps_per_epoch=10)
    assert rates(in_graph(plan, table=table), np.arange(6).reshape(2, 3)).shape == (2, 3)


def test_the_configuration_holds_the_resolved_plan() -> None:
    schedule = LearningRateSchedule(LR.plan(epochs=4, steps_per_epoch=10), offset=3)
    data = keras.saving.serialize_keras_object(schedule)
    again = keras.saving.deserialize_keras_object(data)
    assert isinstance(again, LearningRateSchedule)
    assert (again.plan, again.offset) == (schedule.plan, 3)


if BACKEND == "tensorflow":

    @pytest.mark.parametrize("table", TABLES)
    def test_under_xla_it_is_the_same(table: bool) -> None:
        plan = LR.plan(epochs=4, steps_per_epoch=10)
        steps = np.arange(45)
        assert ulps(rates(in_graph(plan, table=table), steps, jit_compile=True), plan(steps)).max() <= ULPS
