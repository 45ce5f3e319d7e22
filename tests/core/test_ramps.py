"""Samples or tokens a step that change in the run: counts and steps are exact, and what counts them moves with them."""

from __future__ import annotations

import math
import pickle
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np
import pytest

import kosine as ks
from kosine._core.ramps import Ramp, count_at, read_per_step, steps_of

STAGES = [(0, 10), (95, 20), (200, 50)]  # steps 0-9 take 10 each, 10-14 20 each, then 50
GPT_3 = ks.Schedule(ks.linear("375Mtok", start=0.0, to=6e-5), ks.cosine(until="260Btok", to=6e-6), ks.hold())


def slow_counts(stages: list[tuple[int, int]]) -> Iterator[int]:
    """The count before each step, one step after the other."""
    count = 0
    while True:
        yield count
        count += [amount for begin, amount in stages if begin <= count][-1]


def random_stages(rng: random.Random) -> list[tuple[int, int]]:
    stages, begin = [(0, rng.randint(1, 50))], 0
    for _ in range(rng.randint(1, 12)):
        begin += rng.choice([rng.randint(1, 5), rng.randint(1, 1_000)])
        stages.append((begin, max(1, stages[-1][1] + rng.randint(-20, 60))))
    return stages


def test_a_thousand_ramps_are_what_adding_up_step_by_step_gives() -> None:
    rng = random.Random(17)
    for _ in range(1_000):
        stages = random_stages(rng)
        ramp = read_per_step(stages, "tokens_per_step")
        assert isinstance(ramp, Ramp)
        counts = list(islice(slow_counts(stages), 80))
        assert [count_at(step, ramp) for step in range(80)] == counts
        assert [steps_of(count, ramp) for count in counts] == list(range(80))
        step = rng.randrange(79)
        within = Fraction(rng.randint(0, 99), 100)
        between = counts[step] + within * (counts[step + 1] - counts[step])
        assert steps_of(between, ramp) == step + within
        assert count_at(step + within, ramp) == between


def test_a_step_over_a_boundary_keeps_the_amount_that_it_began_with() -> None:
    plan = ks.Schedule(ks.hold(until="200tok", start=1.0), ks.hold(start=2.0)).plan(
        total_steps=30, tokens_per_step=STAGES
    )
    assert plan.phases[0].stop == 15
    assert [int(count_at(step, plan.run.tokens_per_step or 1)) for step in (9, 10, 11, 15, 16)] == [
        90,
        100,
        120,
        200,
        250,
    ]


def test_what_counts_tokens_moves_with_them() -> None:
    plan = ks.Schedule(ks.linear("400tok", start=0.0, to=4.0)).plan(tokens_per_step=STAGES)
    counts = list(islice(slow_counts(STAGES), 20))
    assert plan.total_steps == 19
    assert [plan(step) for step in range(20)] == pytest.approx([min(4.0, count / 100) for count in counts], abs=1e-15)
    by_steps = ks.Schedule(ks.linear(19, start=0.0, to=4.0)).plan(tokens_per_step=STAGES)
    assert [by_steps(step) for step in range(20)] == pytest.approx([4 * step / 19 for step in range(20)])


def test_a_timescale_in_tokens_is_one_of_tokens() -> None:
    decay = ks.exponential(start=1.0, factor=0.5, timescale="100tok")
    plan = ks.Schedule(decay).plan(total_steps=60, tokens_per_step=STAGES)
    counts = list(islice(slow_counts(STAGES), 60))
    assert [plan(step) for step in range(60)] == pytest.approx([0.5 ** (count / 100) for count in counts], rel=1e-13)
    endless = ks.Schedule(decay).plan(tokens_per_step=STAGES)
    assert endless.total_steps is None
    assert [endless(step) for step in range(60)] == [plan(step) for step in range(60)]
    with_length = ks.Schedule(ks.inverse_sqrt("30st", start=1.0, timescale="100tok"), ks.hold()).plan(
        total_steps=60, tokens_per_step=STAGES
    )
    assert with_length(29) == pytest.approx((1 + counts[29] / 100) ** -0.5, rel=1e-13)


def test_samples_are_counted_alike() -> None:
    sized: dict[str, Any] = {"total_steps": 40, "samples_per_step": STAGES, "tokens_per_step": 7}
    plan = ks.Schedule(ks.linear("400sp", start=0.0, to=1.0), ks.cosine("70tok", to=0.1), ks.hold()).plan(**sized)
    assert [row.stop for row in plan.phases] == [19, 29, 40]


def test_phases_after_a_rest_end_with_the_run() -> None:
    schedule = ks.Schedule(ks.linear("100tok", start=0.0, to=1.0), ks.hold(), ks.linear("150tok", to=0.0))
    plan = schedule.plan(total_steps=20, tokens_per_step=STAGES)  # step 20 begins at the count 450
    assert [row.first_step for row in plan.phases] == [0, 10, 17]
    with pytest.raises(ks.PlanError, match="leave no step for the rest"):
        schedule.plan(total_steps=15, tokens_per_step=[(0, 10), (100, 20), (10_000, 50)])  # the last 150 begin at 50


def test_one_stage_is_a_number_and_equal_stages_change_nothing() -> None:
    plan = GPT_3.plan(total_steps=93_750, tokens_per_step=3_200_000)
    assert GPT_3.plan(total_steps=93_750, tokens_per_step=[(0, 3_200_000)]) == plan
    same = GPT_3.plan(total_steps=93_750, tokens_per_step=[(0, 3_200_000), ("1B", 3_200_000), (9 * 10**9, 3_200_000)])
    steps = np.arange(93_750)
    np.testing.assert_allclose(same(steps), plan(steps), rtol=1e-12)
    assert [row.stop for row in same.phases] == [row.stop for row in plan.phases]


def test_a_plan_is_written_and_read_with_its_ramp() -> None:
    plan = GPT_3.plan(
        total_steps=10**6, tokens_per_step=ks.batch_ramp(start=32_000, to=320_000, over="2B", increment=96_000)
    )
    again = ks.loads(ks.dumps(plan))
    assert again == plan == pickle.loads(pickle.dumps(plan)) == eval(repr(plan), vars(ks))
    assert hash(again) == hash(plan)
    assert "tokens_per_step=[(0, 32000), (666666667, 128000)," in repr(plan)
    assert len(plan.phases) == 3  # one row a phase, in however many pieces


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([], "the first of which begins at 0"),
        ([(5, 10)], "the first of which begins at 0"),
        ([(0, 10), (0, 20)], r"`tokens_per_step\[1\]` must be after the stage before it\. Received: .*0 after 0"),
        ([(0, 10), (9, 20), (8, 30)], r"`tokens_per_step\[2\]` must be after the stage before it"),
        ([(0, 0)], r"`tokens_per_step\[0\]` must be an integer >= 1"),
        ([(0, 10), ("4.5", 20)], r"`tokens_per_step\[1\]` must be an integer >= 0, or a text such as \"4B\""),
        ([(0, 10), ("4 billion", 20)], 'a text such as "4B"'),
    ],
)
def test_stages_that_are_none_are_refused(stages: Any, message: str) -> None:
    with pytest.raises(ks.PlanError, match=message):
        GPT_3.plan(total_steps=10, tokens_per_step=stages)


@pytest.mark.parametrize("value", ["hold(32)", [1, 2], [(0, 10, 20)], [(0, 1.5)], {0: 10}])
def test_other_types_are_refused(value: Any) -> None:
    with pytest.raises(ks.ArgumentTypeError, match="tokens_per_step"):
        GPT_3.plan(total_steps=10, tokens_per_step=value)


def test_cycles_in_tokens_are_written_out_inside_a_ramp_and_go_on_after_it() -> None:
    group = ks.cycles(ks.cosine("100tok", start=1.0, to=0.0), stretch=2, shrink=0.5, count=3)
    plan = ks.Schedule(group).plan(total_steps=40, tokens_per_step=STAGES)
    assert [row.first_step for row in plan.phases] == [0, 10, 17]
    assert [plan(step) for step in (0, 10, 17)] == [1.0, 0.5, 0.25]
    later = ks.Schedule(ks.hold("200tok", start=1.0), ks.cycles(ks.cosine("100tok", start=1.0, to=0.0)))
    assert [row.first_step for row in later.plan(total_steps=21, tokens_per_step=STAGES).phases] == [0, 15, 17, 19]
    endless = ks.Schedule(ks.cycles(ks.cosine("100tok", start=1.0, to=0.0)))
    with pytest.raises(
        ks.PlanError, match=r"begin where a step takes a fixed number of them, or have a count.*`count`"
    ):
        endless.plan(total_steps=40, tokens_per_step=STAGES)
    unknown = ks.Schedule(ks.hold(2, start=1.0), ks.cycles(ks.cosine("100tok", to=0.0), count=2))
    with pytest.raises(ks.PlanError, match="needs a `start`"):
        unknown.plan(total_steps=40, tokens_per_step=STAGES)


def test_a_section_with_the_clock_of_the_run_knows_its_place() -> None:
    cut = ks.Schedule(ks.hold(5, start=1.0), ks.section(ks.cosine("400tok", to=0.0), duration=10), ks.hold())
    whole = ks.Schedule(ks.hold(5, start=1.0), ks.cosine("400tok", to=0.0))
    plans = [each.plan(total_steps=40, tokens_per_step=STAGES) for each in (cut, whole)]
    assert [plans[0](step) for step in range(15)] == [plans[1](step) for step in range(15)]
    assert plans[0](15) == plans[0](39) > 0
    for section in (
        ks.section(ks.cosine("400tok", to=0.0), skip=3),
        ks.section(ks.cosine("400tok", to=0.0), skip="50tok"),
        ks.section(ks.cosine("400tok", to=0.0), tick=2),
        ks.section(ks.cosine("400tok", to=0.0), continuous=True),
    ):
        with pytest.raises(ks.PlanError, match="a step takes other numbers of them in other places"):
            ks.Schedule(ks.hold(5, start=1.0), section).plan(total_steps=40, tokens_per_step=STAGES)


def test_an_epoch_has_no_length_where_samples_change() -> None:
    with pytest.raises(ks.PlanError, match="An epoch has no fixed number of steps"):
        ks.constant(0.1).plan(epochs=1, dataset_size=100, batch_size=10, samples_per_step=STAGES)


def random_phase(rng: random.Random, first: bool) -> ks.Phase:
    duration: Any = rng.choice([f"{rng.randint(30, 2_000)}tok", rng.randint(5, 60), f"{rng.randint(30, 2_000)}tok"])
    rates: dict[str, Any] = {"start": rng.random()} if first or rng.random() < 0.3 else {}
    kind = rng.randrange(5)
    if kind == 0:
        return ks.hold(duration, **rates)
    if kind == 1:
        return ks.exponential(duration, factor=0.5, timescale="100tok", **rates)
    constructor = (ks.linear, ks.cosine, ks.one_minus_sqrt)[kind - 2]
    return constructor(duration, to=rng.random(), endpoint=rng.random() < 0.2, **rates)


def random_plans(seed: int, count: int) -> Iterator[tuple[random.Random, ks.Plan]]:
    rng = random.Random(seed)
    for _ in range(count):
        parts = [random_phase(rng, number == 0) for number in range(rng.randint(1, 4))]
        total = rng.choice([None, rng.randint(400, 900)])
        if total is not None:
            parts.insert(rng.randint(1, len(parts)), rng.choice([ks.hold(), ks.linear(to=0.2)]))
        try:
            plan = ks.Schedule(*parts).plan(total_steps=total, tokens_per_step=random_stages(rng))
        except (ks.PlanError, ks.ScheduleError):
            continue
        yield rng, plan


def test_branches_keep_the_past_bit_for_bit() -> None:
    checked = 0
    for rng, plan in random_plans(3, 60):
        total = plan.total_steps or 0
        at = rng.randint(1, total)
        before = plan(np.arange(at))
        ways: list[Callable[..., ks.Plan]] = [plan.until, plan.then, plan.cooldown, plan.extend]
        linear = ks.linear("90tok", to=0.0)
        words: list[dict[str, Any]] = [{"at": at}, {}, {"at": at, "over": "300tok"}]
        words.append({"at": at, "total_steps": 2 * total, "how": "stretch"})
        for way, keywords in zip(ways, words, strict=True):
            try:
                found = way(*([linear] if way == plan.then else []), **keywords)
            except ks.KosineError:
                continue
            np.testing.assert_array_equal(found(np.arange(at)), before)
            assert ks.loads(ks.dumps(found)) == found
            checked += 1
    assert checked > 120


def test_a_cooldown_in_tokens_takes_them_where_it_stands() -> None:
    plan = ks.constant(1.0).plan(total_steps=100, tokens_per_step=STAGES)
    assert plan.cooldown(at=5, over="100tok").total_steps == 13  # up to the count 150, in the middle of step 12
    assert plan.cooldown(at="200tok", over="100tok").total_steps == 17
    rising = ks.Schedule(ks.linear("400tok", start=0.0, to=1.0), ks.hold()).plan(
        total_steps=100, tokens_per_step=STAGES
    )
    with pytest.raises(ks.PlanError, match=r"rises up to step 19\..*Use at=19\."):  # at 10 a stage ends
        rising.cooldown(at=10, over=5)


def test_programs_graphs_and_questions_see_every_piece() -> None:
    for _, plan in random_plans(5, 25):
        total = plan.total_steps or 0
        steps = np.arange(total + 3)
        rates = plan(steps)
        for target in ("python", "numpy"):
            space: dict[str, Any] = {}
            exec(ks.to_code(plan, target), space)
            np.testing.assert_allclose(
                [space["learning_rate"](int(step)) for step in steps[::7]], rates[::7], rtol=1e-9
            )
        assert ks.summarize(plan).peak == pytest.approx(rates[:total].max(), rel=1e-12)
        assert math.isclose(ks.summarize(plan).area, float(rates[:total].sum()), rel_tol=1e-9, abs_tol=1e-12)
        assert ks.compare(plan, plan.until(total)).differences[0].largest < 1e-15
        list(ks.lint(plan))
        plan.draw()
        assert str(plan).count("\n") < 10


def test_a_clipped_plan_of_a_ramp() -> None:
    plan = GPT_3.plan(total_steps=50, tokens_per_step=[(0, 32_000), ("1B", 64_000)], clip=True)
    assert (plan.total_steps, plan(0), plan.clipped[1][:28]) == (50, 0.0, "The run ends after 50 of the")


def test_ten_thousand_stages_are_found_by_bisection() -> None:
    stages = [(number * 10**8, 10_000 + 397 * number) for number in range(10_000)]
    plan = GPT_3.plan(total_steps=2 * 10**6, tokens_per_step=stages)
    ramp = plan.run.tokens_per_step
    assert isinstance(ramp, Ramp)
    begin, end = plan.phases[1].first_step, plan.phases[1].stop
    for step in (begin, begin + 1, 700_000, 1_000_000, end - 1):
        counts = [int(count_at(each, ramp)) for each in (begin, step, end)]
        share = (counts[1] - counts[0]) / (counts[2] - counts[0])
        assert plan(step) == pytest.approx(6e-6 + 5.4e-5 * (1 + math.cos(math.pi * share)) / 2, rel=1e-9)
        assert plan(np.array([step]))[0] == plan(step)


# --- batch_ramp ---


def megatron(start: int, increment: int, samples: int, batch: int, consumed: int) -> int:
    """The batch that Megatron-LM's rampup has at a count: so many whole increments as parts of the ramp are over."""
    if consumed > samples:
        return batch
    return start + int(consumed / (samples / ((batch - start) // increment))) * increment


@pytest.mark.parametrize(
    ("start", "increment", "samples", "batch"), [(32, 32, 1_000_000, 256), (16, 8, 5_859_375, 1024)]
)
def test_batches_are_those_of_megatron(start: int, increment: int, samples: int, batch: int) -> None:
    stages = ks.batch_ramp(start=start, to=batch, over=samples, increment=increment)
    assert stages[-1] == (samples, batch)
    rng = random.Random(1)
    # Megatron's floats may be just below the whole number at a boundary, so none is looked at.
    for consumed in [0, samples - 1, samples + 1, *(rng.randrange(2 * samples) for _ in range(2_000))]:
        amount = [amount for begin, amount in stages if begin <= consumed][-1]
        assert amount == megatron(start, increment, samples, batch, consumed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"to": 32}, "`to` must be above `start`"),
        ({"increment": 30}, r"in whole increments\. .*End at 242, or at 272"),
        ({"over": 3}, "`over` must be at least 7, one for each increment"),
        ({"over": "x"}, '`over` must be an integer >= 1, or a text such as "4B"'),
        ({"start": 0}, "`start` must be an integer >= 1"),
    ],
)
def test_a_ramp_that_leads_nowhere_is_refused(changed: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"start": 32, "to": 256, "over": 1_000_000, "increment": 32}
    with pytest.raises(ks.PlanError, match=message):
        ks.batch_ramp(**{**arguments, **changed})


def test_a_log_of_tokens_is_refused_with_the_reason() -> None:
    plan = ks.Schedule(ks.linear("400tok", start=0.0, to=4.0)).plan(tokens_per_step=STAGES)
    steps = np.arange(19)
    assert ks.check(ks.Trace(steps, plan(steps)), plan).kind == "follows"
    trace = ks.Trace(np.array(list(islice(slow_counts(STAGES), 19))), plan(steps), axis="token")
    with pytest.raises(ks.PlanError, match="The log counts tokens, and `tokens_per_step` of the plan is a ramp"):
        ks.check(trace, plan)


# --- a schedule of sizes ---


def test_a_schedule_of_holds_is_the_list_of_its_stages() -> None:
    sizes = ks.piecewise([(0, 10), ("95tok", 20), ("200tok", 50)])
    lr = ks.warmup_cosine(peak=1.0, warmup="150tok")
    assert lr.plan(total_steps=50, tokens_per_step=sizes) == lr.plan(total_steps=50, tokens_per_step=STAGES)


@pytest.mark.parametrize(
    "sizes",
    [
        ks.Schedule(ks.linear("5ktok", start=10, to=70), ks.hold()),
        ks.Schedule(
            ks.hold("95tok", start=10), ks.cosine("2ktok", start=80, to=9), ks.hold("1ktok"), ks.hold(start=33)
        ),
        ks.Schedule(ks.exponential("3ktok", start=1, to=100, endpoint=True)),
        ks.Schedule(ks.cycles(ks.linear("500tok", start=5, to=50), count=3), ks.hold(start=7)),
    ],
)
def test_each_step_takes_the_amount_of_its_own_place(sizes: ks.Schedule) -> None:
    amounts = sizes.plan(tokens_per_step=1)  # its steps are tokens
    ramp = ks.constant(0.1).plan(total_steps=400, tokens_per_step=sizes).run.tokens_per_step
    assert isinstance(ramp, Ramp)
    count = 0
    for step in range(400):
        assert ramp.count_at(step) == count
        count += math.floor(amounts(count) + 0.5)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        (ks.Schedule(ks.linear("5ktok", start=0.0, to=70)), "at least 1 at each step"),
        (ks.Schedule(ks.cycles(ks.linear("5ktok", start=10, to=70))), "without endless cycles"),
        (ks.Schedule(ks.linear(10**8, start=1.0, to=2.0)), "at most 1,000,000 steps on its slopes"),
        (ks.Schedule(ks.linear("10%", start=1.0, to=10)), "total_steps"),
    ],
)
def test_sizes_that_are_none_are_refused(sizes: ks.Schedule, words: str) -> None:
    with pytest.raises(ks.PlanError, match=words):
        ks.constant(0.1).plan(total_steps=10, tokens_per_step=sizes)
