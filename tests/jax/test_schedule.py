"""The schedule as JAX sees it: a value, its arguments, transformations, and the float32 graph against the plan."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, reject, settings

import kosine as ks
from kosine._core.traced import PhaseTable, tabulate
from kosine.jax._schedule import PlanSchedule, _Operations, schedule
from kosine.testing.optax import applied_rates
from tests.support.float32 import assert_follows
from tests.support.jax_probe import enable_x64
from tests.support.strategies import RUN, SMALL_RUN, schedules, small_schedules

PLAN = ks.warmup_cosine(peak=0.1, warmup=10, warmup_start=0.01, hold=5).plan(total_steps=40)
LONG = ks.warmup_cosine(peak=0.1, warmup=10, warmup_start=0.01, hold=5).plan(total_steps=10**8)
RESTARTS = ks.sgdr(peak=0.1, period=7, stretch=1.5, shrink=0.9).plan()
PLANS = pytest.mark.parametrize("plan", [PLAN, LONG, RESTARTS], ids=["table", "formula", "restarts"])


def by_formula(plan: ks.Plan) -> Callable[[Any], jax.Array]:
    """The schedule with its rates worked out, as in long runs, however short the run is."""
    table = tabulate(plan, "int32", max_table_steps=-1)
    assert isinstance(table, PhaseTable)
    return lambda step: table(jnp.asarray(step, "int32"), _Operations())


# A value


def test_equal_plans_make_equal_schedules() -> None:
    again = schedule(ks.warmup_cosine(peak=0.1, warmup=10, warmup_start=0.01, hold=5).plan(total_steps=40))
    assert again == schedule(PLAN)
    assert hash(again) == hash(schedule(PLAN))
    assert again != schedule(LONG)
    assert again.plan == PLAN


def test_repr() -> None:
    assert repr(schedule(ks.constant(0.5).plan())) == "schedule(Schedule(hold(start=0.5)).plan())"


def test_profiles_show_its_name() -> None:
    assert "@jit_schedule" in jax.jit(schedule(PLAN)).lower(jnp.int32(0)).as_text()


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies_are_equal_and_work(copied: Callable[[Any], Any]) -> None:
    found = schedule(PLAN)
    found(jnp.int32(3))  # compiled functions are no part of the value
    again = copied(found)
    assert again == found
    assert again(jnp.int32(3)) == found(jnp.int32(3))


def test_it_is_frozen() -> None:
    with pytest.raises(AttributeError, match="cannot assign to field 'plan'"):
        schedule(PLAN).plan = LONG  # type: ignore[misc]


def test_as_a_static_argument_an_equal_schedule_compiles_nothing() -> None:
    traced = []

    def rate(follow: PlanSchedule, step: jax.Array) -> jax.Array:
        traced.append(step)
        return follow(step)

    compiled = jax.jit(rate, static_argnums=0)
    for _ in range(3):
        compiled(schedule(PLAN), jnp.int32(3))
    assert len(traced) == 1


@pytest.mark.parametrize("wrong", [ks.constant(0.1), 0.1, None, abs], ids=str)
def test_it_wants_a_plan(wrong: Any) -> None:
    with pytest.raises(
        ks.ArgumentTypeError, match=r"must be a kosine Plan: call `schedule\.plan\(total_steps=\.\.\.\)`"
    ):
        schedule(wrong)


AS_LONG_AS: dict[str, Callable[[int], ks.Plan]] = {
    "a rest": lambda steps: ks.warmup_cosine(peak=0.1).plan(total_steps=steps),
    "fixed phases": lambda steps: ks.Schedule(ks.linear(9, start=0.0, to=0.1), ks.linear(steps - 9, to=0.01)).plan(),
    "cycles": lambda steps: ks.sgdr(peak=0.1, period=7, floor=0.01).plan(total_steps=steps),
    "stretched cycles": lambda steps: ks.sgdr(peak=0.1, period=7, stretch=2).plan(total_steps=steps),
}


@pytest.mark.parametrize("made", AS_LONG_AS.values(), ids=list(AS_LONG_AS))
def test_a_plan_of_as_many_steps_as_int32_counts_is_followed_to_its_end(made: Callable[[int], ks.Plan]) -> None:
    plan = made(2**31 - 1)
    assert plan.total_steps == 2**31 - 1
    steps = np.array([0, 1, 2**30, 2**31 - 4, 2**31 - 3, 2**31 - 2])
    assert_follows(schedule(plan)(jnp.asarray(steps)), plan, steps)


@pytest.mark.parametrize("steps", [2**31, 2**31 + 1, 2**32, 2**53 + 1])
@pytest.mark.parametrize("made", AS_LONG_AS.values(), ids=list(AS_LONG_AS))
def test_a_plan_of_more_steps_is_refused_unless_jax_counts_in_int64(made: Callable[[int], ks.Plan], steps: int) -> None:
    plan = made(steps)
    message = rf"counts steps in int32, up to 2,147,483,647\. Received: total_steps={steps}\."
    with pytest.raises(ks.PlanError, match=message):
        schedule(plan)
    with enable_x64():
        last = np.array([steps - 2, steps - 1])
        assert_follows(schedule(plan)(jnp.asarray(last)), plan, last)


@pytest.mark.parametrize("steps", [2**31, 2**40])
@pytest.mark.parametrize(
    "made",
    [
        lambda steps: ks.sgdr(peak=0.1, period=steps),
        lambda steps: ks.sgdr(peak=0.1, period=10, warmup=steps),
        lambda steps: ks.sgdr(peak=0.1, period=10, stretch=steps),
    ],
    ids=["period", "warm-up", "second cycle"],
)
def test_a_plan_without_a_length_of_phases_longer_than_int32_is_refused(
    made: Callable[[int], ks.Schedule], steps: int
) -> None:
    """Held, it would stay at the rate of its first step or of its first cycle for ever."""
    plan = made(steps).plan()
    with pytest.raises(ks.PlanError, match=r"up to 2,147,483,647, and a phase has more: .* without a length\."):
        schedule(plan)
    with enable_x64():
        near = np.array([0, 9, 10, 10**6, 2**31 - 1])
        assert_follows(schedule(plan)(jnp.asarray(near)), plan, near)


def test_a_plan_made_with_int64_is_refused_where_jax_is_back_to_int32() -> None:
    with enable_x64():
        follow = schedule(ks.warmup_cosine(peak=0.1).plan(total_steps=2**31))
    with pytest.raises(ks.PlanError, match="counts steps in int32"):
        follow(jnp.int32(3))


def test_the_count_of_optax_stays_at_its_last_step() -> None:
    plan = ks.warmup_cosine(peak=0.1, floor=0.01, warmup=2**30).plan(total_steps=2**31 - 1)
    optimizer = optax.sgd(schedule(plan))
    state = jax.tree.map(lambda count: jnp.full_like(count, 2**31 - 4), optimizer.init(jnp.zeros(())))
    rates, state = applied_rates(optimizer, steps=8, state=state)
    assert_follows(rates, plan, np.minimum(2**31 - 4 + np.arange(8), 2**31 - 1))
    assert int(state[1].count) == 2**31 - 1


def test_a_rate_that_float32_cannot_hold() -> None:
    with pytest.raises(ks.PlanError, match=r"A learning rate in a graph is at most 3\.403e\+38"):
        schedule(ks.constant(1e39).plan())


# Steps


@pytest.mark.parametrize(
    "step",
    [12, np.int8(12), np.int32(12), np.int64(12), np.uint64(12), np.array(12)]
    + [jnp.asarray(12, dtype) for dtype in ("int8", "int16", "int32", "uint8", "uint16", "uint32")],
    ids=lambda step: f"{type(step).__name__} {getattr(step, 'dtype', '')}",
)
@PLANS
def test_a_single_step(plan: ks.Plan, step: Any) -> None:
    rate = schedule(plan)(step)
    assert isinstance(rate, jax.Array)
    assert (rate.dtype, rate.shape, rate.weak_type) == (jnp.float32, (), False)
    assert_follows(rate, plan, 12)


@pytest.mark.parametrize("asarray", [np.asarray, jnp.asarray, lambda steps: np.asarray(steps).tolist()])
@pytest.mark.parametrize("shape", [(6,), (2, 3), (0,), (1, 1)], ids=str)
@PLANS
def test_the_shape_of_the_steps_is_kept(plan: ks.Plan, shape: tuple[int, ...], asarray: Callable[[Any], Any]) -> None:
    steps = np.arange(8, 8 + int(np.prod(shape))).reshape(shape)
    rates = schedule(plan)(asarray(steps))
    assert rates.dtype == jnp.float32
    assert rates.shape == shape
    np.testing.assert_allclose(rates, plan(steps), rtol=1e-6)


@pytest.mark.parametrize("step", [2**31 - 1, 2**31, 2**40, np.int64(2**40), np.array([2**40])], ids=str)
def test_steps_beyond_int32_on_the_host(step: Any) -> None:
    plan = ks.sgdr(peak=0.1, period=1000).plan()
    assert_follows(schedule(plan)(step), plan, step)


@pytest.mark.parametrize("step", [2**31 - 1, 2**31, 2**32 - 1])
@PLANS
def test_unsigned_steps_beyond_int32_stay_at_its_end(plan: ks.Plan, step: int) -> None:
    rate = schedule(plan)(jnp.uint32(step))
    assert_follows(rate, plan, 2**31 - 1)


@pytest.mark.parametrize("step", [-1, np.int64(-1), np.array([3, -1]), [-1]], ids=repr)
def test_a_negative_step_on_the_host(step: Any) -> None:
    with pytest.raises(ks.StepError, match=r"A step must be >= 0 .*Received: -1"):
        schedule(PLAN)(step)


@pytest.mark.parametrize("compiled", [lambda function: function, jax.jit])
@PLANS
def test_a_negative_step_on_the_device_counts_as_0(plan: ks.Plan, compiled: Any) -> None:
    rates = compiled(schedule(plan))(jnp.array([-1, -(2**31), 0]))
    assert_follows(rates, plan, np.zeros(3, int))


@pytest.mark.parametrize("step", [1.0, np.float32(1), np.array([1.0]), True, "1", None], ids=repr)
def test_no_integer_on_the_host(step: Any) -> None:
    with pytest.raises(ks.ArgumentTypeError, match=r"must be an integer|call it with one"):
        schedule(PLAN)(step)


@pytest.mark.parametrize("compiled", [lambda function: function, jax.jit, jax.vmap])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "bool"])
def test_no_integer_on_the_device(dtype: str, compiled: Any) -> None:
    message = rf"Argument `step` must be an integer.*`step\.astype\(int\)`\. Received: an array of dtype {dtype}"
    with pytest.raises(ks.ArgumentTypeError, match=message):
        compiled(schedule(PLAN))(jnp.ones(1, dtype))


# Transformations

STEPS = np.arange(60)


@PLANS
def test_jit(plan: ks.Plan) -> None:
    compiled = jax.jit(schedule(plan))
    assert_follows([compiled(step) for step in range(60)], plan, STEPS)
    assert_follows(compiled(STEPS), plan, STEPS)
    assert_follows(jax.jit(lambda: schedule(plan)(12))(), plan, 12)


@PLANS
def test_vmap(plan: ks.Plan) -> None:
    assert_follows(jax.vmap(schedule(plan))(jnp.asarray(STEPS)), plan, STEPS)
    assert_follows(jax.jit(jax.vmap(jax.vmap(schedule(plan))))(STEPS.reshape(6, 10)), plan, STEPS.reshape(6, 10))


@PLANS
def test_scan(plan: ks.Plan) -> None:
    follow = schedule(plan)
    count, rates = jax.lax.scan(lambda count, _: (count + 1, follow(count)), jnp.int32(0), length=60)
    assert count == 60
    assert_follows(rates, plan, STEPS)


@PLANS
def test_the_rate_in_the_carry_of_a_loop(plan: ks.Plan) -> None:
    follow = schedule(plan)
    rates = jax.lax.fori_loop(0, 60, lambda step, rates: rates.at[step].set(follow(step)), jnp.zeros(60))
    assert_follows(rates, plan, STEPS)
    last = jax.lax.fori_loop(0, 60, lambda step, rate: follow(step), follow(0))
    assert_follows(last, plan, 59)


@PLANS
def test_a_gradient_passes_by(plan: ks.Plan) -> None:
    follow = schedule(plan)
    slope = jax.grad(lambda weight, step: follow(step) * weight)(2.0, jnp.int32(12))
    assert_follows(slope, plan, 12)


@PLANS
def test_a_new_step_traces_nothing_anew(plan: ks.Plan) -> None:
    follow, traced = schedule(plan), []

    def rate(step: jax.Array) -> jax.Array:
        traced.append(step)
        return follow(step)

    compiled = jax.jit(rate)
    for step in STEPS:
        compiled(jnp.int32(step))
        follow(jnp.int32(step))
    assert len(traced) == 1
    assert follow._compiled._cache_size() == 1  # type: ignore[attr-defined]


# The graph


def operations(jaxpr: Any) -> int:
    """The number of operations in a traced function, those of inner functions included."""
    inner = [value for equation in jaxpr.eqns for value in equation.params.values() if hasattr(value, "jaxpr")]
    return len(jaxpr.eqns) + sum(operations(value.jaxpr) for value in inner)


def graph_size(follow: Callable[[Any], jax.Array]) -> int:
    return operations(jax.make_jaxpr(follow)(jnp.int32(0)).jaxpr)


@pytest.mark.parametrize("made", [schedule, by_formula])
@pytest.mark.parametrize("period", [10, 100_000])
def test_equal_cycles_all_make_the_same_graph(
    made: Callable[[ks.Plan], Callable[[Any], jax.Array]], period: int
) -> None:
    endless = ks.sgdr(peak=0.1, period=period)
    plans = [endless.plan(), *(endless.plan(total_steps=period * cycles) for cycles in (1, 100, 10_000))]
    assert len({graph_size(made(plan)) for plan in plans}) == 1


def test_counted_cycles_in_a_table_all_make_the_same_graph() -> None:
    counted = [ks.cycles(ks.cosine(10, start=0.1, to=0.0), stretch=1, count=count) for count in (1, 100, 10_000)]
    assert len({graph_size(schedule(ks.Schedule(part).plan())) for part in counted}) == 1


def test_different_cycles_make_a_graph_of_limited_size() -> None:
    counted = [ks.cycles(ks.cosine(10, start=0.1, to=0.0), shrink=0.999, count=count) for count in (1, 10, 100, 10_000)]
    sizes = [graph_size(by_formula(ks.Schedule(part).plan())) for part in counted]
    assert max(sizes) <= 65  # as in JAX 0.6; newer ones have fewer


CURVES: list[Any] = [
    ks.linear(start=1e-3, to=0.0),
    ks.linear(start=0.0, to=1e-3),
    ks.cosine(start=1e-3, to=0.0),
    ks.cosine(start=1e-6, to=1e-3),
    ks.polynomial(start=1e-3, to=0.0, power=0.5),
    ks.exponential(start=0.1, to=1e-6),
    ks.inverse_sqrt(start=1e-3, timescale=4000),
    ks.one_minus_sqrt(start=1e-3, to=0.0),
    ks.cosine(start=1e-3, to=1e-4, endpoint=True),
    ks.cosine(start=1e-3, to=0.0, power=0.5, warp=2.0),
    ks.inverse_time(start=1e-3, timescale=4000),
    ks.tanh(start=1e-3, to=1e-5),
    ks.rex(start=1e-3, to=0.0, bend=0.9),
    ks.rex(start=1e-5, to=1e-3),
    ks.logarithm(start=0.0, to=1e-3, base=1000.0),
    ks.logarithm(start=1e-3, to=0.0),
    ks.section(ks.exponential(start=0.1, factor=0.999), tick=100, duration=30_000),
    ks.section(ks.cosine(25_000, start=0.1, to=0.0), skip=1, tick=3),
    ks.cycles(ks.cosine(1000, start=0.1, to=0.0), stretch=1.5, shrink=0.8),
]


@pytest.mark.parametrize("curve", CURVES[:-1], ids=repr)
def test_a_short_run_has_the_nearest_float32(curve: Any) -> None:
    plan = ks.Schedule(curve).plan(total_steps=4_000)
    steps = np.arange(5_000)
    np.testing.assert_array_equal(schedule(plan)(jnp.asarray(steps)), plan(steps).astype(np.float32))


@pytest.mark.parametrize("total", [40_000, 2 * 10**9])
@pytest.mark.parametrize("curve", CURVES, ids=repr)
def test_the_formula_is_within_8_ulp(curve: Any, total: int) -> None:
    plan = ks.Schedule(curve).plan(total_steps=total)
    edge = np.arange(1000)
    steps = np.concatenate([edge, np.random.default_rng(0).integers(0, total, 4000), total - 1 - edge])
    assert_follows(jax.jit(by_formula(plan))(steps), plan, steps)


@pytest.mark.parametrize("phases", [2, 64, 65, 100, 4096, 4097])
def test_each_of_many_phases_is_found(phases: int) -> None:
    generator = np.random.default_rng(phases)
    lengths, starts, ends = generator.integers(1, 4, phases), generator.random(phases), generator.random(phases)
    parts = [
        ks.linear(int(length), start=float(start), to=float(end))
        for length, start, end in zip(lengths, starts, ends, strict=True)
    ]
    plan = ks.Schedule(*parts).plan()
    steps = np.append(np.arange((plan.total_steps or 0) + 10), 2**31 - 1)
    follow = by_formula(plan)
    assert_follows(jax.jit(follow)(steps), plan, steps)
    assert_follows(jax.jit(jax.vmap(follow))(steps), plan, steps)


@settings(max_examples=15)
@given(schedules)
def test_any_schedule_at_every_boundary(drawn: ks.Schedule) -> None:
    plan = drawn.plan(**RUN)
    firsts = [row.first_step for row in plan.phases[:50]]
    around = np.array([first + near for first in [*firsts, plan.total_steps or 0] for near in (-1, 0, 1)])
    steps = np.resize(np.unique(around.clip(0, 2**31 - 1)), 160)  # one shape
    try:
        follow = jax.jit(by_formula(plan))
    except ks.PlanError as error:
        if "different cycles" not in str(error):
            raise
        reject()
    assert_follows(follow(steps), plan, steps)


@settings(max_examples=15, deadline=None)  # each is compiled
@given(small_schedules())
def test_any_section_at_every_step(drawn: ks.Schedule) -> None:
    try:
        plan = drawn.plan(**SMALL_RUN)
    except ks.PlanError as error:
        if "at least one step" not in str(error):
            raise
        reject()
    steps = np.append(np.arange(100), [10**6, 2**31 - 1])
    assert_follows(jax.jit(by_formula(plan))(steps), plan, steps)


@pytest.mark.parametrize(("factor", "timescale"), [(0.9, 1), (0.5, 100), (0.999, 7), (0.99, 10**4)])
def test_a_factor_in_a_long_run_keeps_its_digits(factor: float, timescale: int) -> None:
    part = ks.exponential(start=0.1, factor=factor, timescale=timescale)
    plan = ks.Schedule(part).plan(total_steps=10**6)
    steps = np.unique(np.geomspace(1, 60 * timescale / (1 - factor), 3000).astype(np.int64).clip(0, 10**6))
    assert_follows(jax.jit(by_formula(plan))(steps), plan, steps)


LAST = 2**31 - 1


@pytest.mark.parametrize(
    ("part", "steps"),
    [
        (ks.section(ks.inverse_sqrt(start=1.0, timescale=100), skip=LAST - 100), [0, 50, 99]),
        (ks.section(ks.inverse_time(start=1.0, timescale=10**8), skip=LAST - 100), [0, 50, 99]),
        (ks.section(ks.exponential(start=1.0, factor=0.5, timescale=10**9), skip=2 * 10**9), [0, 10**8]),
        (ks.section(ks.exponential(start=0.1, factor=0.5), tick=2**30, skip=2**30 - 1), [0, 1, 2**30 - 1]),
        (ks.section(ks.inverse_sqrt(start=1.0, timescale=100), skip=10), [0, 1000, LAST - 20]),
    ],
    ids=repr,
)
def test_a_clock_that_runs_out_of_int32_stays_at_its_last_rate(part: ks.Section, steps: list[int]) -> None:
    plan = ks.Schedule(part).plan()
    follow = jax.jit(by_formula(plan))
    assert_follows(follow(np.array(steps)), plan, np.array(steps))
    beyond = np.asarray(follow(np.array([LAST - 1, LAST])))
    assert (beyond > 0).all()
    assert (beyond <= plan(steps[-1]) * 1.000001).all()


@pytest.mark.parametrize("skip", [2**31, 2**40])
def test_a_clock_that_begins_beyond_int32(skip: int) -> None:
    part = ks.section(ks.inverse_sqrt(start=1.0, timescale=100), skip=skip)
    with pytest.raises(ks.PlanError, match=r"counts steps up to 2,147,483,647, and a phase has more"):
        ks.jax.schedule(ks.Schedule(part).plan(total_steps=10**6))


def test_cycles_that_shrink_towards_a_value_end_in_a_pattern() -> None:
    plan = ks.Schedule(ks.cycles(ks.cosine(10, start=1.0, to=0.0), shrink=0.5, shrink_to=0.1)).plan()
    table = tabulate(plan, "int32", max_table_steps=-1)
    assert isinstance(table, PhaseTable)
    assert len(table.firsts) < 40
    steps = np.array([0, 9, 10, 25, 299, 300, 10**6, 10**9 + 5])
    assert_follows(jax.jit(by_formula(plan))(steps), plan, steps)


def test_a_pattern_does_not_begin_in_a_cycle_that_is_cut() -> None:
    group = ks.cycles(ks.linear(4, start=0.2, to=1.0), ks.cosine(6, to=0.0), shrink=0.5, shrink_to=0.4)
    plan = ks.Schedule(ks.section(group, skip=1006)).plan()
    steps = np.append(np.arange(40), 10**6 + 7)
    assert_follows(jax.jit(by_formula(plan))(steps), plan, steps)


# int64


def test_int64_steps() -> None:
    plan = ks.warmup_cosine(peak=0.1, warmup=10**10).plan(total_steps=10**12)
    edge = np.arange(100)
    steps = np.concatenate([edge, 2**31 - 50 + edge, 2**33 + edge, 10**10 - 50 + edge, 10**12 - 1 - edge])
    with enable_x64():
        follow = schedule(plan)
        for found in (follow, jax.jit(follow), jax.vmap(follow)):
            rates = found(jnp.asarray(steps, "int64"))
            assert (rates.dtype, rates.weak_type) == (jnp.float32, False)
            assert_follows(rates, plan, steps)
        assert (follow(jnp.asarray(10**12 - 1 - edge)) > 0).all()
        assert_follows(follow(jnp.uint64(2**64 - 1)), plan, 2**63 - 1)


@PLANS
def test_a_schedule_follows_jax_when_it_switches_int64_on(plan: ks.Plan) -> None:
    follow = schedule(plan)
    before = follow(jnp.asarray(STEPS))
    with enable_x64():
        np.testing.assert_array_equal(follow(jnp.asarray(STEPS, "int32")), before)
        np.testing.assert_array_equal(follow(jnp.asarray(STEPS, "int64")), before)
        last = follow(jnp.asarray([2**31, 2**40]))
        assert_follows(last, plan, np.array([2**31, 2**40]))
        scanned = jax.lax.scan(lambda count, _: (count + 1, follow(count)), jnp.int64(0), length=60)[1]
        assert scanned.dtype == jnp.float32
        np.testing.assert_array_equal(scanned, before)
