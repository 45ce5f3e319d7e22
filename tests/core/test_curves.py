from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import kosine as ks
from kosine._core import curves
from kosine._core.evaluate import _MATH, form_of
from tests.support.exact import BENT_CASES, CASES, MP, SPANS, Case, curve_value, sampled_steps, ulps

CURVES = tuple(curves.CONSTRUCTORS)
REFERENCE = json.loads((Path(__file__).parents[1] / "support" / "golden" / "reference_callback.json").read_text())


@pytest.mark.parametrize("curve", CURVES)
def test_a_curve_lasts_for_the_rest_where_nothing_else_is_said(curve: str) -> None:
    case = next(case for case in CASES if case.curve == curve)
    phase = getattr(ks, curve)(start=case.start, to=case.to, **case.arguments)
    rows = ks.Schedule(ks.hold(3, start=0.5), phase).plan(total_steps=10).phases
    assert [(row.first_step, row.steps) for row in rows] == [(0, 3), (3, 7)]


def test_one_kind_is_one_formula() -> None:
    """A graph is traced once for each kind, so curves of one kind must have the same weights."""
    weights: dict[object, set[tuple[float, ...]]] = {}
    for case in (*CASES, *BENT_CASES):
        row = case.schedule(1000).plan().phases[0]
        form = form_of(row.curve, row.clock)
        weight = form.weight(_MATH)
        distances = [Fraction(i, 8) for i in range(1, 8)]
        arguments: dict[str, list[tuple[float, ...]]] = {
            "distance": [(float(d),) for d in distances],
            "both": [(float(d), float(1 - d)) for d in distances],
            "split": [(float(d), 0.0) for d in distances],
        }
        weights.setdefault(form.kind, set()).add(tuple(weight(*values) for values in arguments[form.takes]))
    assert all(len(found) == 1 for found in weights.values())


def test_every_curve_has_cases() -> None:
    assert {case.curve for case in CASES} == set(CURVES)


@pytest.mark.parametrize("steps", SPANS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_curve_is_within_4_ulp_of_its_formula_in_50_digits(case: Case, steps: int) -> None:
    plan = case.schedule(steps).plan()
    sample = sampled_steps(steps)
    rates = plan(np.array(sample))
    for step, rate in zip(sample, rates, strict=True):
        exact = case.value(step, steps)
        assert ulps(plan(step), exact) <= 4, step
        assert ulps(float(rate), exact) <= 4, step
    assert plan(steps) == plan(2 * steps) == case.to


@pytest.mark.parametrize("steps", SPANS)
@pytest.mark.parametrize("case", BENT_CASES, ids=str)
def test_a_bent_curve_is_within_24_ulp_of_its_formula_in_50_digits(case: Case, steps: int) -> None:
    """The outer power multiplies the relative error of the inner one, a few units of its own, by up to 3."""
    plan = case.schedule(steps).plan()
    sample = sampled_steps(steps)
    for step, rate in zip(sample, plan(np.array(sample)), strict=True):
        exact = case.value(step, steps)
        assert ulps(plan(step), exact) <= 24, step
        assert ulps(float(rate), exact) <= 24, step
    assert (plan(0), plan(steps)) == (case.start, case.to)


@pytest.mark.parametrize(
    ("arguments", "steps"),
    [
        ({"factor": 0.5}, 60),
        ({"factor": 0.96, "timescale": 1000}, 10**6),
        ({"factor": 1 - 1e-9}, 10**10),
        ({"factor": 1.0}, 10),
        ({"factor": 1.1, "timescale": 10}, 5000),
    ],
)
def test_an_exponential_with_a_factor_is_within_4_ulp(arguments: dict[str, Any], steps: int) -> None:
    plan = ks.Schedule(ks.exponential(start=0.3, **arguments)).plan(total_steps=steps)
    sample = sampled_steps(steps)
    for step, rate in zip(sample, plan(np.array(sample)), strict=True):
        exact = curve_value("exponential", 0.3, None, MP.mpf(step), None, arguments)
        assert ulps(plan(step), exact) <= 4, step
        assert ulps(float(rate), exact) <= 4, step
    end = curve_value("exponential", 0.3, None, MP.mpf(steps), None, arguments)
    assert ulps(plan(steps), end) <= 1
    assert plan(2 * steps) == plan(steps)


def test_a_decay_by_a_factor_goes_on_for_ever_where_no_run_is_known() -> None:
    plan = ks.Schedule(ks.exponential(start=1.0, factor=0.5)).plan()
    assert [plan(step) for step in (0, 1, 10, 2000, 2**63 - 1)] == [1.0, 0.5, 2.0**-10, 0.0, 0.0]
    with pytest.raises(ks.PlanError, match=r'A "rest" phase needs the length of the run'):
        ks.Schedule(ks.exponential(start=1.0, factor=1.1)).plan()
    with pytest.raises(ks.ScheduleError, match=r"rises by a factor of at most 1e30.* factor=1.1, steps=1000"):
        ks.Schedule(ks.exponential(start=1.0, factor=1.1)).plan(total_steps=1000)


def test_a_timescale_is_a_time_of_the_run() -> None:
    for part in (
        ks.exponential(start=1.0, factor=0.5, timescale="2ep"),
        ks.inverse_time(start=1.0, timescale="2ep"),
        ks.inverse_sqrt(start=1.0, timescale="2/3ep"),
    ):
        assert ks.Schedule(part).plan(total_steps=100, steps_per_epoch=9)(18) == pytest.approx(0.5, rel=1e-15)


def test_a_decay_without_an_end_is_within_4_ulp_far_out() -> None:
    plan = ks.Schedule(ks.exponential(start=0.3, factor=1 - 1e-9)).plan()
    for step in (1, 10**8 + 1, 10**9 + 7, 10**10 + 1, 10**11 - 1):
        exact = curve_value("exponential", 0.3, None, MP.mpf(step), None, {"factor": 1 - 1e-9})
        assert ulps(plan(step), exact) <= 4, step
        assert ulps(float(plan([0, step])[1]), exact) <= 4, step


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (1e10, r"^`exponential` rises by a factor of at most 1e30.* Received: factor=10000000000\.0, steps=5\.0\.$"),
        (100.0, r"^`exponential` must end at a finite .* Received: start=1e\+300, factor=100\.0, steps=5\.0\.$"),
    ],
)
def test_a_rise_beyond_what_floats_hold_is_refused(factor: float, message: str) -> None:
    with pytest.raises(ks.ScheduleError, match=message):
        ks.Schedule(ks.exponential(5, start=1e300, factor=factor)).plan()


@pytest.mark.parametrize(("timescale", "steps"), [(1, 10), (4000, 10**6), (10**9, 10**12)])
def test_inverse_sqrt_with_a_timescale_is_within_4_ulp(timescale: int, steps: int) -> None:
    plan = ks.Schedule(ks.inverse_sqrt(start=0.3, timescale=timescale)).plan(total_steps=steps)
    sample = sampled_steps(steps)
    for step, rate in zip(sample, plan(np.array(sample)), strict=True):
        exact = MP.mpf(0.3) / MP.sqrt(1 + MP.mpf(step) / timescale)
        assert ulps(plan(step), exact) <= 4, step
        assert ulps(float(rate), exact) <= 4, step


@pytest.mark.parametrize("case", REFERENCE, ids=lambda case: str(case["total_steps"]))
def test_the_values_of_the_widely_copied_callback(case: dict[str, Any]) -> None:
    base, total, warmup, hold = (
        case[name] for name in ("learning_rate_base", "total_steps", "warmup_steps", "hold_base_rate_steps")
    )
    schedule = ks.Schedule(
        ks.linear(warmup, start=case["warmup_learning_rate"], to=base), ks.hold(hold), ks.cosine(to=0.0)
    )
    plan = schedule.plan(total_steps=total)
    steps = np.array([step for step, _ in case["values"]])
    expected = np.array([rate for _, rate in case["values"]])
    lost = base * 2.0**-53  # what 1 + cos loses near -1: the callback's own last steps are no more exact than this
    np.testing.assert_allclose(plan(steps), expected, rtol=1e-12, atol=lost)
    np.testing.assert_allclose([plan(step) for step in steps.tolist()], expected, rtol=1e-12, atol=lost)


@pytest.mark.parametrize("case", [case for case in CASES if case.curve != "hold"], ids=str)
def test_endpoint_puts_the_end_value_on_the_last_step(case: Case) -> None:
    with_endpoint = Case(case.curve, case.start, case.to, {**case.arguments, "endpoint": True}).schedule(101).plan()
    without = case.schedule(100).plan()
    assert [with_endpoint(step) for step in range(101)] == [without(step) for step in range(101)]
    assert with_endpoint(100) == case.to


# Not below 1e-290: there the step of linspace is a subnormal number, which has fewer digits than its points.
LINSPACE_ENDS = st.just(0.0) | st.floats(1e-290, 10)


@given(st.integers(2, 3000), LINSPACE_ENDS, LINSPACE_ENDS)
def test_linear_with_endpoint_is_linspace(steps: int, start: float, to: float) -> None:
    plan = ks.Schedule(ks.linear(steps, start=start, to=to, endpoint=True)).plan()
    expected = np.linspace(start, to, steps)
    np.testing.assert_allclose(plan(np.arange(steps)), expected, rtol=0, atol=4 * np.spacing(max(start, to)))
    assert (plan(0), plan(steps - 1)) == (start, to)


def test_a_phase_of_one_step_with_endpoint_is_at_its_end() -> None:
    plan = ks.Schedule(ks.linear(1, start=0.25, to=1.0, endpoint=True), ks.hold(1)).plan()
    assert (plan(0), plan(1), plan(np.arange(2)).tolist()) == (1.0, 1.0, [1.0, 1.0])


def test_the_last_steps_of_a_long_decay_to_zero_are_not_zero() -> None:
    plan = ks.Schedule(ks.cosine(2 * 10**9, start=1.0, to=0.0)).plan()
    last = plan(np.arange(2 * 10**9 - 100, 2 * 10**9))
    assert last.min() > 0
    assert (np.diff(last) < 0).all()


@pytest.mark.parametrize("steps", [2**53 + 1, 2**62, 2**63 - 1])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_spans_beyond_the_integers_of_float64(case: Case, steps: int) -> None:
    plan = case.schedule(steps).plan()
    sample = [0, 1, steps // 2, steps - 2, steps - 1]
    for step, rate in zip(sample, plan(np.array(sample)), strict=True):
        exact = case.value(step, steps)
        assert float(rate) == pytest.approx(float(exact), rel=1e-14, abs=0)
        assert plan(step) == pytest.approx(float(exact), rel=1e-14, abs=0)


def test_what_an_argument_may_be_at_most() -> None:
    assert ks.exponential(5, start=1e-30, to=1.0).start == 1e-30
    assert ks.inverse_sqrt(5, start=1.0, to=1e-15).to == 1e-15
    for curve in ("cosine", "polynomial"):
        assert _build(curve, start=0.5, power=1000, warp=1000).keywords()["warp"] == 1000
    assert _build("tanh", start=0.5, lower=-19.9, upper=20).keywords()["upper"] == 20


def test_a_polynomial_is_a_parabola_where_nothing_else_is_said() -> None:
    assert ks.polynomial(4, start=1.0, to=0.0) == ks.polynomial(4, start=1.0, to=0.0, power=2)


def test_a_factor_of_one_goes_on_for_ever_at_its_start() -> None:
    plan = ks.Schedule(ks.exponential(start=0.3, factor=1.0)).plan()
    assert (plan.total_steps, plan.phases[0].end_lr, plan(2**63 - 1)) == (None, 0.3, 0.3)


def _build(curve: str, **arguments: Any) -> ks.Phase:
    phase = getattr(ks, curve)(5, **({"to": 1.0} | ({"power": 2.0} if curve == "polynomial" else {}) | arguments))
    assert isinstance(phase, ks.Phase)
    return phase


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("argument", ["start", "to"])
@pytest.mark.parametrize("value", [-1e-9, float("nan"), float("inf"), float("-inf"), 10**400])
def test_a_rate_that_is_negative_or_not_finite_is_refused(curve: str, argument: str, value: float) -> None:
    with pytest.raises(
        ks.ScheduleError, match=rf"`{argument}` must be a finite learning rate >= 0\. Received: {argument}="
    ):
        _build(curve, **{argument: value})


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("value", ["0.1", True, 1j, [0.1], np.array([0.1, 0.2])])
def test_a_rate_that_is_no_number_is_refused(curve: str, value: Any) -> None:
    with pytest.raises(ks.ArgumentTypeError, match=r"`to` must be a finite learning rate >= 0\. Received: to="):
        _build(curve, to=value)


@pytest.mark.parametrize("curve", ["linear", "cosine", "polynomial", "one_minus_sqrt", "tanh"])
def test_the_end_value_cannot_be_left_open(curve: str) -> None:
    with pytest.raises(ks.ArgumentTypeError, match=r"`to` must be a finite learning rate >= 0\. Received: to=None"):
        _build(curve, to=None)


@pytest.mark.parametrize("curve", CURVES)
def test_endpoint_is_true_or_false(curve: str) -> None:
    with pytest.raises(ks.ArgumentTypeError, match=r"`endpoint` must be True or False\. Received: endpoint=1"):
        _build(curve, endpoint=1)


@pytest.mark.parametrize(
    ("curve", "arguments", "error", "message"),
    [
        (
            "polynomial",
            {"power": 0},
            ks.ScheduleError,
            r"`power` must be a number > 0 and at most 1000\. Received: power=0",
        ),
        (
            "polynomial",
            {"power": -2},
            ks.ScheduleError,
            r"`power` must be a number > 0 and at most 1000\. Received: power=-2",
        ),
        ("polynomial", {"power": float("nan")}, ks.ScheduleError, r"`power` must be .* Received: power=nan"),
        ("polynomial", {"power": "2"}, ks.ArgumentTypeError, r"`power` must be .* Received: power='2'"),
        (
            "exponential",
            {"start": 0.0},
            ks.ScheduleError,
            r"`start` and `to` must be > 0\. Received: start=0.0, to=1.0",
        ),
        (
            "exponential",
            {"start": 1.0, "to": 0.0},
            ks.ScheduleError,
            r"^`exponential` .* start=1\.0, to=0\.0\. Give it a small value .* `cosine` or `linear` to reach 0\.$",
        ),
        (
            "inverse_sqrt",
            {"start": 0.5},
            ks.ScheduleError,
            r"`to` must be > 0 and at most `start`\. Received: start=0.5",
        ),
        ("inverse_sqrt", {"start": 0.5, "to": 0.0}, ks.ScheduleError, r"`to` must be > 0 and at most `start`\."),
        ("inverse_sqrt", {"start": 1.0, "to": 1e-200}, ks.ScheduleError, r"no less than 1e-15 of `start`"),
        ("polynomial", {"power": 1e4}, ks.ScheduleError, r"`power` must be .* Received: power=10000"),
        ("exponential", {"start": 1e-40}, ks.ScheduleError, r"by a factor of at most 1e30.* Received: start=1e-40"),
        ("inverse_sqrt", {"to": None}, ks.ScheduleError, r"exactly one of .* Received: to=None, timescale=None\.$"),
        ("inverse_sqrt", {"timescale": 5}, ks.ScheduleError, r"exactly one of .* Received: to=1\.0, timescale=5\.$"),
        (
            "inverse_sqrt",
            {"to": None, "timescale": 0},
            ks.ScheduleError,
            r"^Argument `timescale` must be .* timescale=0\.$",
        ),
        (
            "inverse_sqrt",
            {"to": None, "timescale": "rest"},
            ks.ScheduleError,
            r"`timescale` must be a positive duration",
        ),
        (
            "inverse_sqrt",
            {"to": None, "timescale": "5eps"},
            ks.ScheduleError,
            r"`timescale` must be a number followed by",
        ),
        (
            "exponential",
            {"factor": 0.5},
            ks.ScheduleError,
            r"^`exponential` takes exactly one of the arguments `to` and `factor`\. Received: to=1\.0, factor=0\.5\.$",
        ),
        ("exponential", {"to": None}, ks.ScheduleError, r"exactly one of .* Received: to=None, factor=None\.$"),
        (
            "exponential",
            {"timescale": 5},
            ks.ScheduleError,
            r"^Argument `timescale` of `exponential` .* needs one\. Received: timescale=5, factor=None\.$",
        ),
        ("exponential", {"to": None, "factor": 0}, ks.ScheduleError, r"`factor` must be a number > 0 .* factor=0"),
        ("exponential", {"to": None, "factor": 0.5, "base": 2}, ks.ScheduleError, r"^Argument `base` of .* base=2, to"),
        ("exponential", {"base": 1}, ks.ScheduleError, r"`base` must be a number > 1 and at most 1e\+30"),
        ("polynomial", {"warp": 1001}, ks.ScheduleError, r"`warp` must be .* at most 1000\. Received: warp=1001"),
        ("polynomial", {"power": 1001}, ks.ScheduleError, r"`power` must be .* at most 1000\. Received: power=1001"),
        ("cosine", {"warp": 1001}, ks.ScheduleError, r"`warp` must be .* at most 1000\. Received: warp=1001"),
        ("cosine", {"power": 1001}, ks.ScheduleError, r"`power` must be .* at most 1000\. Received: power=1001"),
        ("inverse_sqrt", {"start": 1.0, "to": math.nextafter(1e-15, 0)}, ks.ScheduleError, r"no less than 1e-15"),
        ("cosine", {"warp": 0}, ks.ScheduleError, r"`warp` must be a number > 0 and at most 1000"),
        ("cosine", {"power": -1}, ks.ScheduleError, r"`power` must be a number > 0 and at most 1000"),
        ("tanh", {"lower": 3, "upper": 3}, ks.ScheduleError, r"`lower` must be less than `upper`"),
        ("tanh", {"lower": -20}, ks.ScheduleError, r"`lower` must be a number > -20 and at most 20"),
        ("tanh", {"lower": 20.5}, ks.ScheduleError, r"`lower` must be a number > -20 and at most 20"),
        ("tanh", {"upper": -20}, ks.ScheduleError, r"`upper` must be a number > -20 and at most 20"),
        ("tanh", {"upper": 20.5}, ks.ScheduleError, r"`upper` must be a number > -20 and at most 20"),
        ("tanh", {"upper": 21}, ks.ScheduleError, r"`upper` must be a number > -20 and at most 20"),
        ("inverse_time", {"start": 0.5}, ks.ScheduleError, r"`inverse_time` only falls.* Received: start=0.5"),
        ("inverse_time", {"to": None}, ks.ScheduleError, r"exactly one of the arguments `to` and `timescale`"),
        (
            "hold",
            {"start": 0.5},
            ks.ScheduleError,
            r"`to` must be the same as `start`, because a hold has one value\. Received: start=0\.5, to=1\.0\.",
        ),
    ],
)
def test_arguments_that_make_no_curve_are_refused(
    curve: str, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        _build(curve, **arguments)


def test_numbers_of_other_types_are_taken_at_their_value() -> None:
    assert ks.linear(np.int32(5), start=0, to=np.float64(0.1)) == ks.linear(5, start=0.0, to=0.1)
    assert repr(ks.linear(5, start=-0.0, to=1)) == "linear(5, start=0.0, to=1.0)"
