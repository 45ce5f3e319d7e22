"""Which schedule a log shows: exact where it tells, open where it does not, and no schedule where there is none."""

from __future__ import annotations

import pickle
from fractions import Fraction

import numpy as np
import pytest

import kosine as ks
from kosine._logs.precision import Precision
from kosine._logs.remark import Axis


def log_of(plan: ks.Plan, steps: object, digits: int | None = None, *, offset: int = 0) -> ks.Trace:
    """The log of a run that followed a plan, with the rates of some steps, printed with so many digits."""
    shown = np.asarray(steps, np.int64)
    rates = plan(shown)
    if digits is not None:
        rates = np.array([float(f"{rate:.{digits - 1}e}") for rate in rates.tolist()])
    return ks.Trace(shown - offset, rates, precision=Precision(digits=digits))


ALL = np.arange(1000)
SCHEDULES = [
    ks.constant(3e-4),
    ks.warmup_cosine(peak=3e-4, warmup=100),
    ks.warmup_cosine(peak=3e-4, warmup=100, warmup_start=1e-6, hold=50, floor=3e-5),
    ks.warmup_cosine(peak=2.7e-4),
    ks.one_cycle(peak=0.01, warmup=300),
    ks.wsd(peak=1e-3, warmup=30, cooldown=200),
    ks.wsd(peak=1e-3, warmup=30, cooldown=200, curve="linear", floor=1e-5),
    ks.wsd(peak=1e-3, cooldown=500, curve="cosine"),
    ks.sgdr(peak=0.05, period=100, stretch=2),
    ks.sgdr(peak=0.05, period=130, warmup=20, floor=1e-4, shrink=0.8),
    ks.inverse_sqrt_decay(peak=1e-3, warmup=40),
    ks.inverse_sqrt_decay(peak=1e-3, timescale=77),
    ks.step_decay(peak=0.1, every=300),
    ks.Schedule(ks.linear(100, start=0.0, to=1e-3), ks.polynomial(to=0.0, power=2.0)),
    ks.Schedule(ks.linear(100, start=0.0, to=1e-3), ks.exponential(to=1e-5)),
    ks.Schedule(ks.section(ks.cosine(10, start=0.1, to=0.0), tick=100)),
    ks.Schedule(ks.cycles(ks.linear(20, start=0.0, to=0.1), ks.cosine(180, to=0.0), stretch=1.5)),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
@pytest.mark.parametrize("digits", [None, 7, 4])
def test_recovers_the_schedule_of_a_whole_run(schedule: ks.Schedule, digits: int | None) -> None:
    plan = schedule.plan(total_steps=1000)
    inference = ks.infer(log_of(plan, ALL, digits))
    assert inference.plan is not None
    assert inference.offset == 0
    assert inference.plan.total_steps in (1000, plan.total_steps)
    width = 2 * inference.trace.precision.half_width(plan(ALL))  # what one unit of the last printed place is
    assert bool((np.abs(inference.plan(ALL) - plan(ALL)) <= width).all())


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (SCHEDULES[1], "Schedule(linear(100, start=0.0, to=0.0003), cosine(to=0.0))"),
        (SCHEDULES[2], "Schedule(linear(100, start=1e-06, to=0.0003), hold(50), cosine(to=3e-05))"),
        (SCHEDULES[5], "Schedule(linear(30, start=0.0, to=0.001), hold(770), one_minus_sqrt(to=0.0))"),
        (SCHEDULES[8], "Schedule(cycles(cosine(100, start=0.05, to=0.0), stretch=2.0))"),
        (
            SCHEDULES[9],
            "Schedule(linear(20, start=0.0, to=0.05), cycles(cosine(130, start=0.05, to=0.0001), shrink=0.8))",
        ),
        (SCHEDULES[10], "Schedule(linear(40, start=0.0, to=0.001), inverse_sqrt(timescale=40))"),
        (SCHEDULES[12], "Schedule(cycles(hold(300, start=0.1), shrink=0.1))"),
        (SCHEDULES[13], "Schedule(linear(100, start=0.0, to=0.001), polynomial(to=0.0, power=2.0))"),
        (SCHEDULES[15], "Schedule(section(cosine(10, start=0.1, to=0.0), tick=100))"),
    ],
)
def test_writes_it_the_simplest_way(schedule: ks.Schedule, text: str) -> None:
    inference = ks.infer(log_of(schedule.plan(total_steps=1000), ALL, 6))
    assert repr(inference.schedule) == text
    assert ks.parse(text) == inference.schedule
    assert inference.residual <= float(inference.trace.half_widths().max())


@pytest.mark.parametrize(("offset", "told"), [(1, "next step"), (-1, "counts from 1")])
def test_finds_the_offset_of_the_log(offset: int, told: str) -> None:
    plan = SCHEDULES[1].plan(total_steps=1000)
    inference = ks.infer(log_of(plan, np.arange(max(offset, 0), 1000), offset=offset))
    assert (inference.schedule, inference.offset) == (ks.parse(repr(SCHEDULES[1])), offset)
    assert told in inference.sentence
    np.testing.assert_array_equal(inference.expected(), inference.trace.rates)


def test_phases_that_begin_before_the_log() -> None:
    plan = SCHEDULES[1].plan(total_steps=10_000)
    inference = ks.infer(log_of(plan, np.arange(3000, 10_000, 10)))
    assert repr(inference.schedule) == "Schedule(linear(100, start=0.0, to=0.0003), cosine(to=0.0))"
    assert "begin of the run" in [each.what for each in inference.open]
    assert (inference.offset, inference.plan and inference.plan.total_steps) == (0, 10_000)
    begin = inference.open[0]
    assert (begin.what, begin.low, begin.high) == ("begin of the run", None, 3000)


def test_rest_of_a_run_is_forecast_and_its_range_told() -> None:
    plan = ks.warmup_cosine(peak=3e-4, warmup=500).plan(total_steps=20_000)
    sure = ks.infer(log_of(plan, np.arange(0, 12_000, 10), 8))
    assert sure.plan is not None
    assert sure.plan(19_000) == pytest.approx(plan(19_000), rel=1e-6)
    assert all(each.what != "end of cosine" for each in sure.open)

    vague = ks.infer(log_of(plan, np.arange(0, 4000, 100), 3))
    assert vague.plan is not None
    (end,) = (each for each in vague.open if each.what == "end of cosine")
    assert end.low is not None
    assert end.low <= 20_000 <= (end.high or np.inf)


def test_line_that_falls_is_meant_to_reach_0() -> None:
    plan = ks.Schedule(ks.hold(500, start=1e-3), ks.linear(to=0.0)).plan(total_steps=3000)
    inference = ks.infer(log_of(plan, np.arange(0, 1437), 6))
    assert inference.plan is not None
    assert inference.plan.total_steps == 3000
    assert inference.plan(2999) == pytest.approx(plan(2999))


def test_skipped_steps_are_found() -> None:
    plan = ks.warmup_cosine(peak=3e-4, warmup=100).plan(total_steps=1000)
    shown = np.arange(1000) - np.searchsorted([300, 301, 702], np.arange(1000), "right")
    log = ks.Trace(np.arange(1000), plan(shown))
    inference = ks.infer(log)
    assert inference.skips == ((300, 1), (301, 1), (702, 1))
    np.testing.assert_allclose(inference.expected(), log.rates, rtol=0, atol=1e-12)
    assert repr(inference.schedule) == "Schedule(linear(100, start=0.0, to=0.0003), cosine(to=0.0))"


def test_declared_skips_are_believed() -> None:
    plan = ks.warmup_cosine(peak=3e-4, warmup=100).plan(total_steps=1000)
    steps = np.arange(0, 1000, 10)
    log = ks.Trace(steps, plan(np.maximum(steps - np.where(steps >= 20, 12, 0), 0)), skipped=[(20, 12)])
    inference = ks.infer(log)
    assert inference.skips == ((20, 12),)
    assert repr(inference.schedule) == "Schedule(linear(100, start=0.0, to=0.0003), cosine(to=0.0))"


def test_epochs() -> None:
    plan = ks.warmup_cosine(peak=1e-3, warmup="5ep").plan(epochs=40, steps_per_epoch=25)
    last_batches = np.arange(1, 41) * 25 - 1
    log = ks.Trace(np.arange(40), plan(last_batches), axis="epoch")
    inference = ks.infer(log, steps_per_epoch=25)
    assert (inference.steps_per_unit, inference.offset) == (Fraction(25), 24)
    assert repr(inference.schedule) == 'Schedule(linear("5ep", start=0.0, to=0.001), cosine(to=0.0))'
    assert "last batch" in inference.sentence
    np.testing.assert_allclose(inference.expected(), log.rates, rtol=0, atol=1e-12)

    by_epoch = ks.infer(ks.Trace(np.arange(40), plan(np.arange(40) * 25), axis="epoch"))
    assert repr(by_epoch.schedule) == 'Schedule(linear("5ep", start=0.0, to=0.001), cosine(to=0.0))'
    assert by_epoch.plan is not None
    assert by_epoch.plan.run.steps_per_epoch == 1


def test_fractions_of_epochs() -> None:
    plan = ks.warmup_cosine(peak=1e-3, warmup="0.5ep").plan(epochs=3, steps_per_epoch=100)
    inference = ks.infer(ks.Trace(np.arange(0, 300, 5) / 100, plan(np.arange(0, 300, 5)), axis="epoch"))
    assert repr(inference.schedule) == 'Schedule(linear("0.5ep", start=0.0, to=0.001), cosine(to=0.0))'


@pytest.mark.parametrize(("axis", "unit"), [("sample", "sp"), ("token", "tok")])
def test_samples_and_tokens(axis: Axis, unit: str) -> None:
    plan = ks.warmup_cosine(peak=6e-5, warmup=1000, floor=6e-6).plan(total_steps=100_000)
    steps = np.arange(0, 100_000, 500)
    inference = ks.infer(ks.Trace(steps * 2048, plan(steps), axis=axis))
    assert repr(inference.schedule) == f'Schedule(linear("2.048M{unit}", start=0.0, to=6e-05), cosine(to=6e-06))'


def test_many_cycles() -> None:
    plan = ks.sgdr(peak=0.1, period=500, warmup=100).plan(total_steps=50_000)
    inference = ks.infer(log_of(plan, np.arange(0, 50_000, 7), 7))
    assert len(inference.pieces) == 101
    assert (
        repr(inference.schedule) == "Schedule(linear(100, start=0.0, to=0.1), cycles(cosine(500, start=0.1, to=0.0)))"
    )


# --- what no schedule explains ------------------------------------------------------------------------------------


def test_a_floor_is_written_as_it_was_meant() -> None:
    plan = ks.warmup_cosine(peak=6e-4, warmup=100, floor=0.1 * 6e-4).plan(total_steps=1000)
    assert repr(ks.infer(log_of(plan, ALL)).schedule).endswith("cosine(to=6e-05))")


def test_a_run_that_goes_past_its_end_at_double_speed() -> None:
    plan = ks.warmup_cosine(peak=3e-4, warmup=50, warmup_start=1e-6, hold=40).plan(total_steps=480)
    steps = np.arange(0, 480, 6)
    printed = [float(f"{rate:.4g}") for rate in plan(2 * steps)]
    inference = ks.infer(ks.Trace(steps, printed, precision=Precision(digits=4)))
    found = "linear(25, start=1e-06, to=0.0003), hold(20), cosine(195, to=0.0), hold()"
    assert repr(inference.schedule) == f"Schedule({found})"


def test_skipped_steps_that_put_rows_out_of_order() -> None:
    plan = ks.sgdr(peak=0.05, period=100).plan(total_steps=1000)
    steps = np.arange(900)
    lost = np.where(steps < 178, steps, steps - 178)  # a resume lost the state
    printed = [float(f"{rate:.6g}") for rate in plan(lost)]
    inference = ks.infer(ks.Trace(steps, printed, precision=Precision(digits=6)))
    assert (inference.schedule, len(inference.pieces) > 5) == (None, True)


def test_a_list_of_drops_is_a_step_decay_whatever_made_it() -> None:
    rates = np.repeat([1e-3, 5e-4, 2.5e-4, 1.25e-4], [237, 411, 152, 200])
    inference = ks.infer(ks.Trace(np.arange(1000), rates))
    text = "Schedule(hold(237, start=0.001), hold(411, start=0.0005), hold(152, start=0.00025), hold(start=0.000125))"
    assert repr(inference.schedule) == text
    assert "plateau scheduler" in next(each.text for each in inference.open if each.what == "cause of the drops")
    assert [(piece.curve, piece.first, piece.last) for piece in inference.pieces] == [
        ("hold", 0, 236),
        ("hold", 237, 647),
        ("hold", 648, 799),
        ("hold", 800, 999),
    ]


def test_a_log_without_a_schedule_has_no_expected_rates() -> None:
    inference = ks.infer(ks.Trace(ALL, np.repeat([0.1, 0.05, 0.08, 0.01, 0.03], [113, 187, 241, 160, 299])))
    assert (inference.schedule, inference.plan, inference.explained) == (None, None, False)
    with pytest.raises(ks.PlanError, match="Without a schedule there are no expected rates"):
        inference.expected()


def test_change_by_hand() -> None:
    plan = ks.warmup_cosine(peak=3e-4, warmup=100).plan(total_steps=1000)
    rates = plan(ALL)
    rates[613:] = 5e-5
    inference = ks.infer(ks.Trace(ALL, rates))
    assert inference.schedule is None
    assert "jumps at step 613" in inference.sentence


def test_staircase_changed_by_hand() -> None:
    rates = np.repeat([0.1, 0.05, 0.08, 0.01, 0.03], [113, 187, 241, 160, 299])
    assert ks.infer(ks.Trace(ALL, rates)).schedule is None


def test_resume_that_lost_its_state() -> None:
    plan = ks.warmup_cosine(peak=3e-4, warmup=100).plan(total_steps=1000)
    rates = np.concatenate([plan(np.arange(600)), plan(np.arange(400))])
    inference = ks.infer(ks.Trace(ALL, rates))
    assert inference.schedule is None
    assert "step 600" in inference.sentence


def test_noise() -> None:
    rates = np.random.default_rng(0).uniform(0.01, 0.1, 500)
    inference = ks.infer(ks.Trace(np.arange(500), rates))
    assert inference.schedule is None
    assert len(inference.pieces) > 50


def test_milestones_at_round_places_are_a_schedule() -> None:
    rates = np.repeat([0.1, 0.02, 0.004], [60, 60, 80])
    inference = ks.infer(ks.Trace(np.arange(200), rates, axis="epoch"))
    assert repr(inference.schedule) == 'Schedule(hold("60ep", start=0.1), hold("60ep", start=0.02), hold(start=0.004))'


# --- small logs, wrong inputs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_very_short_logs(rows: int) -> None:
    inference = ks.infer(ks.Trace(np.arange(rows), np.linspace(0.1, 0.09, rows)))
    assert not inference.explained
    assert "too few" in inference.sentence


def test_wrong_inputs() -> None:
    with pytest.raises(ks.ArgumentTypeError, match=r"must be a Trace.*read_trace"):
        ks.infer([0.1, 0.2])  # type: ignore[arg-type]  # what is tested
    with pytest.raises(ks.PlanError, match="steps_per_epoch=0"):
        ks.infer(ks.Trace([0], [0.1]), steps_per_epoch=0)


def test_text() -> None:
    plan = ks.warmup_cosine(peak=3e-4, warmup=100).plan(total_steps=1000)
    text = str(ks.infer(log_of(plan, np.arange(0, 400, 10), 3)))
    assert text.startswith("Schedule(linear(100, start=0.0, to=0.0003), cosine(")
    assert "largest residual" in text
    assert "open: The cosine may end at any step from" in text


def test_inference_is_a_value() -> None:
    plan = ks.warmup_cosine(peak=3e-4, warmup=100).plan(total_steps=1000)
    inference = ks.infer(log_of(plan, ALL))
    again = pickle.loads(pickle.dumps(inference.schedule))
    assert again == inference.schedule
    with pytest.raises(AttributeError):
        inference.offset = 3  # type: ignore[misc]  # what is tested


def test_text_has_positions_in_full_and_lines_that_fit() -> None:
    rates = np.repeat([1e-3, 5e-4, 7.5e-4, 1.25e-4], [237, 411, 152, 200])
    text = str(ks.infer(ks.Trace(np.arange(1000) * 10_001, rates)))
    assert "2,370,237" in text
    assert "e+0" not in text
    assert max(map(len, text.splitlines())) <= 78
