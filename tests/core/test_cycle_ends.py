"""The last steps of the cycles of a plan."""

import numpy as np
import pytest

import kosine as ks


@pytest.mark.parametrize(
    ("text", "total_steps", "ends"),
    [
        ("sgdr(peak=.1, period=7, stretch=2)", 49, [6, 20, 48]),
        ("sgdr(peak=.1, period=7, stretch=2)", 30, [6, 20, 29]),  # the last one is cut
        ("sgdr(peak=.1, period=7, stretch=2)", 21, [6, 20]),
        ("sgdr(peak=.1, period=7, count=2)", 30, [6, 13, 29]),
        ("sgdr(peak=.1, period=7, warmup=5)", 26, [11, 18, 25]),
        ("sgdr(peak=.1, period='3.5st')", 14, [3, 6, 10, 13]),
        ("warmup_cosine(peak=.1, warmup=5)", 20, [19]),
        ("constant(.1)", 1, [0]),
        ("step_decay(peak=.1, every=5, factor=.1)", 20, [19]),  # levels, and no restarts
        ("Schedule(cycles(linear(5, start=0.0, to=.1), linear(5, to=0.0)))", 25, [9, 19, 24]),
        ("Schedule(cosine(5, start=.1, to=0.0), cosine(6, start=.1, to=0.0))", 11, [4, 10]),
        ("Schedule(linear(2, start=0.0, to=.1), cosine(3, to=0.0), linear(2, to=.1), cosine(4, to=0.0))", 11, [4, 10]),
        ("Schedule(hold(2, start=.01), hold(3, start=.1), cosine(to=0.0))", 9, [8]),  # a warm-up jumps up, too
        ("Schedule(cycles(cosine(4, start=.1, to=0.0), count=2), hold(5, start=.05))", 13, [3, 7, 12]),
        ("Schedule(section(cycles(cosine(10, start=.1, to=0.0)), duration=25, skip=5))", 25, [4, 14, 24]),
    ],
)
def test_the_last_step_of_each_cycle_and_of_the_run(text: str, total_steps: int, ends: list[int]) -> None:
    plan = ks.parse(text).plan(total_steps=total_steps)
    assert plan.cycle_ends.tolist() == ends
    assert plan.cycle_ends.dtype == np.int64
    cycles = [plan.cycle_at(step) for step in range(total_steps)]
    assert [step for step in range(total_steps - 1) if cycles[step] != cycles[step + 1]] == ends[:-1]
    assert plan.cycle_at(total_steps + 5) == cycles[-1] == len(ends) - 1


def test_the_rate_after_an_end_is_that_of_a_restart() -> None:
    plan = ks.sgdr(peak=0.1, period="3ep", stretch=1.5, shrink=0.9).plan(epochs=40, steps_per_epoch=7)
    ends = plan.cycle_ends[:-1]
    assert (plan(ends + 1) > plan(ends)).all()
    inside = np.setdiff1d(np.arange(279), ends)
    assert (plan(inside + 1) < plan(inside)).all()


def test_what_has_no_end_or_too_many() -> None:
    with pytest.raises(ks.PlanError) as endless:
        _ = ks.sgdr(peak=0.1, period=7).plan().cycle_ends
    assert endless.value.missing == "total_steps"
    with pytest.raises(ks.PlanError, match="1,000,000 cycles"):
        _ = ks.sgdr(peak=0.1, period=7).plan(total_steps=10**9).cycle_ends
    with pytest.raises(ks.StepError):
        ks.constant(0.1).plan(total_steps=3).cycle_at(-1)
