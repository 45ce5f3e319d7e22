"""What stands in a plan: a phase placed once and cycles answer the same questions."""

import pytest

import kosine as ks
from kosine._core.timeline import PlannedPart

RISE = ks.linear(5, start=0.0, to=1.0)
PLANS = {
    "phase": ks.Schedule(RISE, ks.cosine(95, to=0.1)).plan(),
    "hold": ks.Schedule(ks.hold(20, start=0.5), ks.hold(80)).plan(),
    "cycles": ks.sgdr(peak=1.0, period=10, warmup=5, stretch=2).plan(total_steps=100),
    "equal cycles": ks.Schedule(ks.cycles(ks.linear("7/3st", start=0.1, to=1.0), ks.hold(2), count=20)).plan(),
    "shrinking": ks.step_decay(peak=1.0, every=10, factor=0.1).plan(total_steps=100),
    "cut": ks.Schedule(ks.section(ks.cycles(RISE, ks.linear(5, to=0.0)), skip=3, duration=42)).plan(),
    "ticks": ks.Schedule(ks.section(ks.cycles(RISE, count=4), tick=5)).plan(),
}
PARTS = {f"{name} {number}": (plan, part) for name, plan in PLANS.items() for number, part in enumerate(plan.parts)}
EACH = pytest.mark.parametrize(("plan", "part"), PARTS.values(), ids=list(PARTS))


def steps_of(plan: ks.Plan, part: PlannedPart) -> range:
    return range(part.first_step, min(part.stop, plan.total_steps or 0))


@EACH
def test_its_rows_are_those_of_the_plan(plan: ks.Plan, part: PlannedPart) -> None:
    steps = steps_of(plan, part)
    expected = [row for row in plan.phases if row.steps and row.stop > steps.start and row.first_step < steps.stop]
    rows = [row for row in part.rows(steps.start, steps.stop) if row.first_step < steps.stop]
    assert rows == expected
    assert rows[0] == part.row_at(steps.start)
    assert [part.row_at(step) for step in steps] == [plan.phase_at(step) for step in steps]
    listed = [part.listed_row(number) for number in range(part.row_count)]
    assert [row for row in listed if row.steps and row.first_step < steps.stop] == expected


@EACH
def test_its_table_holds_whole_rows_up_to_the_step_that_it_names(plan: ks.Plan, part: PlannedPart) -> None:
    for most in (1, 4, 1000):
        rows, reached = part.table(most)
        assert part.first_step == rows[0].first_step
        assert rows[-1].stop == reached <= part.stop
        assert all(row == plan.phase_at(row.first_step) for row in rows)


@EACH
def test_steps_at_most_have_no_higher_rate(plan: ks.Plan, part: PlannedPart) -> None:
    steps = steps_of(plan, part)
    for limit in (0.0, 0.1, 0.5, 1.0):
        for step in steps:
            if plan(step) <= limit:
                found = part.steps_at_most(step, limit)
                assert step in found
                assert max(plan(each) for each in steps if each in found) <= limit


@EACH
def test_what_its_rates_do(plan: ks.Plan, part: PlannedPart) -> None:
    rows = list(part.rows(part.first_step, steps_of(plan, part).stop))
    assert part.moves == any(row.first_lr != row.end_lr for row in rows)
    assert part.falls == any(row.end_lr < row.first_lr for row in rows)
    if part.keeps_one_value:
        assert {plan(step) for step in steps_of(plan, part)} == {part.end_lr}
    period = part.period
    if period is not None:
        assert all(plan(step) == plan(step + period) for step in steps_of(plan, part)[:-period])


def test_parts_with_the_same_rates_from_a_step_on_say_so() -> None:
    longer, shorter = (ks.sgdr(peak=1.0, period=10).plan(total_steps=total).parts[0] for total in (50, 30))
    assert longer.follows_from(0) == shorter.follows_from(0)
    other = ks.sgdr(peak=1.0, period=11).plan(total_steps=50).parts[0]
    assert longer.follows_from(0) != other.follows_from(0)
    hold, flat = ks.Schedule(ks.hold(5, start=0.5)).plan(), ks.Schedule(ks.linear(9, start=0.5, to=0.5)).plan()
    assert hold.parts[0].follows_from(0) == flat.parts[0].follows_from(2)
