from __future__ import annotations

import random
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import kosine as ks
from kosine._core.durations import Duration
from kosine._core.run import RunSize
from tests.support.strategies import durations

RUN = RunSize(
    total_steps=39_400, steps_per_epoch=788, samples_per_step=16, tokens_per_step=4096, seconds_per_step=Fraction("0.3")
)


@pytest.mark.parametrize(
    ("written", "steps"),
    [
        (500, 500),
        (0, 0),
        (np.int64(500), 500),
        ("10ep", 7880),
        ("0.5ep", 394),
        (".25ep", 197),
        ("1e1ep", 7880),
        ("5%", 1970),
        ("0.01%", Fraction("3.94")),
        ("100%", 39_400),
        ("2e8sp", 12_500_000),
        ("1.6ksp", 100),
        ("375Mtok", Fraction(375_000_000, 4096)),
        ("2Btok", Fraction(2_000_000_000, 4096)),
        ("2Gtok", Fraction(2_000_000_000, 4096)),
        ("5Ttok", Fraction(5_000_000_000_000, 4096)),
        ("4.096e3tok", 1),
        ("1/3ep", Fraction(788, 3)),
        ("2.6st", Fraction(13, 5)),
        ("100/3st", Fraction(100, 3)),
        (Fraction(100, 3), Fraction(100, 3)),
        (Fraction(5), 5),
        ("floor 0.01%", 3),
        ("floor 0.001%", 0),
        ("floor 5%", 1970),
        ("floor 1/3ep", 262),
        ("floor 17sp", 1),
        ("floor 2.6st", 2),
        ("floor 5st", 5),
        ("90s", 300),
        ("30min", 6000),
        ("1.5h", 18_000),
        ("2d", 576_000),
        ("1/3h", 4000),
        ("1e2s", Fraction(1000, 3)),
        ("floor 1e2s", 333),
    ],
)
def test_a_duration_is_an_exact_number_of_steps(written: int | str, steps: Fraction | int) -> None:
    assert Duration.read(written).steps(RUN) == steps


def test_whole_steps_are_the_same_rounded_down() -> None:
    assert Duration.read("floor 5st") == Duration.read(5) != Duration.read("floor 5ep")
    assert Duration.read("floor 2.5st") != Duration.read("2.5st")


def test_the_rest_of_the_run_has_no_amount() -> None:
    assert Duration.read("rest") == Duration("rest", None)


@given(durations)
def test_the_written_form_is_read_back(written: int | str) -> None:
    duration = Duration.read(written)
    assert Duration.read(duration.written()) == duration


def test_the_written_form_keeps_the_magnitude_readable() -> None:
    written = [
        Duration.read(text).written()
        for text in (
            "375000000tok",
            "2e8sp",
            "10.50ep",
            "5e-3%",
            "rest",
            7,
            "14/2st",
            Fraction(13, 5),
            "2/6ep",
            "1/3Mtok",
            "floor 2e6sp",
            "floor 5st",
            "90s",
            "0.50h",
            "7200min",
        )
    ]
    assert written == [
        *("375Mtok", "200Msp", "10.5ep", "0.005%", "rest", 7, 7, "2.6st", "1/3ep", "1000000/3tok", "floor 2Msp", 5),
        *("90s", "0.5h", "7200min"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "10eps",
            "10",
            "ep",
            "10 ep",
            " 10ep",
            "10ep ",
            "10ep\n",
            "-1ep",
            "+1ep",
            "10EP",
            "10kep",
            "1e400ep",
            "nanep",
        ),
        *(
            "infep",
            "",
            "Rest",
            "1_0ep",
            "1.2.3ep",
            "10steps",
            "\u0661\u0660ep",
            "0x10ep",
            "1/-2ep",
            "1/2",
            "1/2.5ep",
            "1/2e3ep",
            "9" * 5000 + "ep",
        ),
    ],
)
def test_a_text_that_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(
        ks.ScheduleError, match=r"Argument `duration` must be a number followed by .* Received: duration=['\"]"
    ):
        ks.linear(text, start=0.0, to=1.0)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("1/0ep", r"must be a fraction that does not divide by 0\. Received: duration='1/0ep'"),
        (f"1/{10**59}1st", r"number followed by one of the units"),
        (Fraction(1, 10**60), r"must be a fraction with at most 60 digits\. Received: duration=Fraction\(1, 1"),
        (Fraction(-1, 2), r"must be >= 0\. Received: duration=Fraction\(-1, 2\)"),
    ],
)
def test_a_fraction_that_is_no_duration_is_refused(written: str | Fraction, message: str) -> None:
    with pytest.raises(ks.ScheduleError, match=message):
        ks.linear(written, start=0.0, to=1.0)


@given(st.fractions(0, 10**18, max_denominator=10**40))
def test_every_fraction_of_a_step_is_read_back(amount: Fraction) -> None:
    duration = Duration.read(amount)
    assert Duration.read(duration.written()) == duration


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("10 epochs", 'Did you mean "10ep"?'),
        ("5 %", 'Did you mean "5%"?'),
        ("100", "Did you mean 100 without quotes?"),
        ("100 steps", "Did you mean 100 without quotes?"),
        ("2 samples", 'Did you mean "2sp"?'),
        ("20k", "Did you mean 20_000 without quotes?"),
        ("10K", "Did you mean 10_000 without quotes?"),
        ("1.5k steps", "Did you mean 1_500 without quotes?"),
        ("1e3", "Did you mean 1_000 without quotes?"),
        ("20,000", "Did you mean 20_000 without quotes?"),
        ("2B", "Did you mean 2_000_000_000 without quotes?"),
        ("10kep", 'Did you mean "10000ep"?'),
        ("1Mtoks", 'Did you mean "1Mtok"?'),
        ("1.5K samples", 'Did you mean "1500sp"?'),
        ("5 Tokens", 'Did you mean "5tok"?'),
        ("5 Tsamples", 'Did you mean "5Tsp"?'),
        ("0.05", 'Did you mean "5%"?'),
        (".5", 'Did you mean "50%"?'),
        ("0.5 steps", 'Did you mean "0.5st"?'),
        ("2.6", 'Did you mean "2.6st"?'),
        (1.2345678, 'Did you mean "1.2345678st", or "1.2345678ep"?'),
        (0.123456789, 'Did you mean "12.3456789%" of the run?'),
        (0.1, 'Did you mean "10%" of the run?'),
        (1e3, 'Did you mean 1000 steps, or "1000ep"?'),
        (1.0, 'Did you mean 1 steps, or "1ep"?'),
        ("0", "Did you mean 0 without quotes?"),
        ("1", "Did you mean 1 without quotes?"),
        ("100 percent", 'Did you mean "100%"?'),
        (f"5{56 * ' '}ep", 'Did you mean "5ep"?'),
        ("30 minutes", 'Did you mean "30min"?'),
        ("30 MIN", 'Did you mean "30min"?'),
        ("1 hour", 'Did you mean "1h"?'),
        ("1.5hrs", 'Did you mean "1.5h"?'),
        ("90 sec", 'Did you mean "90s"?'),
        ("2 Days", 'Did you mean "2d"?'),
        ("30m", 'Did you mean "30min", or 30_000_000 without quotes?'),
        ("30M", "Did you mean 30_000_000 without quotes?"),
    ],
)
def test_the_error_says_what_was_probably_meant(written: Any, meant: str) -> None:
    with pytest.raises(ks.KosineError, match=re.escape(meant)):
        ks.linear(written, start=0.0, to=1.0)


@pytest.mark.parametrize(
    "written",
    [
        *("5ms", "1h30min", "500 percent", "100.5 percent", "1e19x", "9e30", "10 eggs", "1,5", "-5", "5 k k"),
        f"5{57 * ' '}ep",
        0.0,
        -1.5,
        float("inf"),
    ],
)
def test_what_is_not_certain_is_not_guessed(written: Any) -> None:
    received = re.escape(f"Received: duration={written!r}. Write steps as an integer")
    with pytest.raises(ks.KosineError, match=received):
        ks.linear(written, start=0.0, to=1.0)


@given(
    st.sampled_from(["", "ep", "epochs", "%", "samples", "tok", " Tokens", " st"]),
    st.sampled_from(["", "k", "K", "M", "G", "B", "T"]),
    st.decimals(0, 1000, places=3),
)
def test_a_guess_is_accepted_and_says_no_other_number(unit: str, magnitude: str, number: Decimal) -> None:
    try:
        ks.linear(f"{number}{magnitude}{unit}", start=0.0, to=1.0)
    except ks.ScheduleError as error:
        for meant in re.findall(r'Did you mean (?:"(.+?)"|(\S+) without)', str(error)):
            read = Duration.read(meant[0] or int(meant[1]))
            factor = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9, "T": 10**12}[magnitude]
            assert read.amount == Fraction(number) * factor * (100 if read.unit == "%" and unit != "%" else 1)


@pytest.mark.parametrize(
    ("written", "error", "message"),
    [
        (-5, ks.ScheduleError, r"`duration` must be >= 0\. Received: duration=-5"),
        (2**63, ks.ScheduleError, r"`duration` must be at most 2\*\*63 - 1\. Received: duration=9223372036854775808"),
        ("1e19ep", ks.ScheduleError, r"`duration` must be at most 2\*\*63 - 1\. Received: duration='1e19ep'"),
        ("100.1%", ks.ScheduleError, r"`duration` must be at most \"100%\" of the run\. Received: duration='100.1%'"),
        (5.0, ks.ArgumentTypeError, r"`duration` must be an integer number of steps .* Received: duration=5.0"),
        (True, ks.ArgumentTypeError, r"`duration` must be an integer number of steps .* Received: duration=True"),
        (None, ks.ArgumentTypeError, r"`duration` must be an integer number of steps .* Received: duration=None"),
        (b"10ep", ks.ArgumentTypeError, r"`duration` must be an integer number of steps .* Received: duration=b'10ep'"),
    ],
)
def test_a_value_that_is_no_duration_is_refused(written: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ks.linear(written, start=0.0, to=1.0)


@pytest.mark.parametrize(
    ("duration", "message"),
    [
        ("5%", r"'5%' counts percent of the run, so `plan` needs `total_steps` \(or `epochs` and `steps_per_epoch`\)"),
        ("5ep", r"'5ep' counts epochs, so `plan` needs `steps_per_epoch`\. Received: steps_per_epoch=None"),
        ("5sp", r"'5sp' counts samples, so `plan` needs `samples_per_step`\. Received: samples_per_step=None"),
        ("5min", r"'5min' counts minutes, so `plan` needs `seconds_per_step`\. Received: seconds_per_step=None"),
        ("5tok", r"'5tok' counts tokens, so `plan` needs `tokens_per_step`\. Received: tokens_per_step=None"),
    ],
)
def test_a_unit_that_the_run_does_not_resolve_is_refused(duration: str, message: str) -> None:
    with pytest.raises(ks.PlanError, match=message):
        ks.Schedule(ks.linear(duration, start=0.0, to=1.0)).plan()


def test_a_percentage_of_an_unknown_total_is_refused_when_other_lengths_are_known() -> None:
    with pytest.raises(ks.PlanError, match=r"'5%' counts percent of the run"):
        ks.Schedule(ks.hold("5%", start=1.0)).plan(steps_per_epoch=10, samples_per_step=2, tokens_per_step=3)


def test_a_positive_duration_that_rounds_to_no_step_is_refused() -> None:
    message = r"must last at least one step, .* is 0.4 steps in this run .* Received: linear\(\"0.01ep\""
    with pytest.raises(ks.PlanError, match=message):
        ks.Schedule(ks.linear("0.01ep", start=0.0, to=1.0)).plan(steps_per_epoch=40)


def test_half_a_step_rounds_up() -> None:
    assert ks.Schedule(ks.linear("0.5ep", start=0.0, to=1.0)).plan(steps_per_epoch=1).total_steps == 1


def test_a_duration_of_zero_leaves_the_phase_out() -> None:
    plan = ks.Schedule(ks.linear(0, start=0.5, to=1.0), ks.hold("0ep"), ks.linear(4, to=0.0)).plan(steps_per_epoch=9)
    assert [(row.name, row.first_step, row.first_lr) for row in plan.phases] == [("linear", 0, 1.0)]


@pytest.mark.parametrize("steps_per_epoch", [1, 3, 7, 97, 787, 789, 10_007])
@pytest.mark.parametrize("epochs", ["2.5", "1.7", "3.333", "1.001"])
def test_boundaries_round_half_up_once_and_never_drift(epochs: str, steps_per_epoch: int) -> None:
    phase = ks.linear(f"{epochs}ep", start=0.0, to=1.0)
    plan = ks.Schedule(*[phase] * 101).plan(steps_per_epoch=steps_per_epoch)
    exact = [Fraction(epochs) * steps_per_epoch * i for i in range(102)]
    rounded = [(2 * position + 1) // 2 for position in exact]
    assert [row.first_step for row in plan.phases] == rounded[:-1]
    assert plan.total_steps == rounded[-1]


def test_mixed_units_are_summed_before_they_are_rounded() -> None:
    source = random.Random(3)
    for _ in range(50):
        run = {"steps_per_epoch": source.randrange(1, 1000), "samples_per_step": source.randrange(1, 100)}
        epochs, samples = source.randrange(100, 999), source.randrange(10**3, 10**5)
        parts = [ks.hold(f"{epochs / 100}ep", start=1.0), ks.hold(f"{samples}sp"), ks.hold(source.randrange(1, 99))]
        plan = ks.Schedule(*parts).plan(**run)
        second = Fraction(epochs, 100) * run["steps_per_epoch"]
        third = second + Fraction(samples, run["samples_per_step"])
        assert [row.first_step for row in plan.phases] == [0, (2 * second + 1) // 2, (2 * third + 1) // 2]


def test_a_floor_is_rounded_down_and_may_be_nothing() -> None:
    schedule = ks.Schedule(ks.linear("floor 29%", start=0.0, to=1.0), ks.cosine(to=0.0))
    for total_steps, steps in ((2, 0), (3, 0), (4, 1), (50, 14), (100, 29)):
        rows = schedule.plan(total_steps=total_steps).phases
        assert sum(row.steps or 0 for row in rows if row.name == "linear") == steps
    assert ks.parse(repr(schedule)) == schedule
    assert ks.loads(ks.dumps(schedule)) == schedule


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (ks.cycles(ks.cosine("floor 29%", start=1.0, to=0.0)), "A cycle must last at least one step"),
        (ks.exponential(start=1.0, factor=0.5, timescale="floor 29%"), "A timescale must last at least one step"),
        (ks.section(ks.linear(5, start=1.0, to=0.0), tick="floor 29%"), "A tick of a section"),
    ],
)
def test_a_floor_of_nothing_where_a_length_is_needed(part: ks.Phase | ks.Cycles, message: str) -> None:
    with pytest.raises(ks.PlanError, match=message):
        ks.Schedule(part).plan(total_steps=3)
