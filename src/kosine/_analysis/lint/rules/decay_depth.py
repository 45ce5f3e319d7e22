"""Checks of how far the rate goes down."""

from __future__ import annotations

from collections.abc import Iterator

from kosine._analysis.lint.floor_cost import cost_of_the_floor
from kosine._analysis.lint.plan_facts import NEARLY, PlanFacts
from kosine._analysis.lint.rule import Example, Remark, rule
from kosine._analysis.lint.wording import rate
from kosine._core.durations import Duration
from kosine._core.phase import Phase
from kosine._core.timeline import PlannedPhase
from kosine.errors import ScheduleError

_COST = 0.05  # of the bound, from which on a floor is worth a word
_MOST_PHASES = 64


@rule(
    "K007",
    "Nothing decays",
    severity="info where the rate never falls; warning where after a fall it rises again until the end",
    why="The rate never falls, or it goes up again after it has fallen, and the run ends above half the peak. A "
    "constant rate can be right for fine-tuning, debugging and averaged weights. Where the aim is a low loss, it is "
    "expensive: in arXiv 2501.18965 a model of 124M parameters ends at a validation loss of 3.14 without a "
    "cooldown, and at 2.96 with one over the last 20 % of the same 50,000 steps. A schedule that only "
    "rises is taken for a learning-rate range test, and is not reported.",
    fix='Add a cooldown at the end, such as `one_minus_sqrt("20%", to=0.0)`: the constructor `wsd` has one.',
    example=Example("Schedule(linear(500, start=1e-6, to=1e-3), hold())", {"total_steps": 10_000}),
    mended=Example("wsd(peak=1e-3, warmup=500, warmup_start=1e-6)", {"total_steps": 10_000}),
)
def no_decay(facts: PlanFacts) -> Iterator[Remark]:
    if any(part.goes_down for part in facts.later) or not facts.trains:
        return
    if facts.decays:
        yield from _rises_to_the_end(facts)
        return
    rising_to_the_end = facts.phases[-1].rises and facts.plan.after.first_step >= (facts.total or 0)
    if rising_to_the_end or (facts.warmup and facts.total is not None and facts.warmup[-1].stop > facts.total):
        return
    until = "for ever" if facts.total is None else "to the end of the run"
    first = next(phase for phase in facts.phases if max(phase.first_lr, phase.end_lr) == facts.peak)
    since = first.row.stop if first.rises else first.row.first_step
    fix = 'End with a cooldown, such as one_minus_sqrt("20%", to=0.0), unless a constant rate is what you want.'
    group = None if facts.total is None else facts.cycles_at(facts.total - 1)
    if group is not None and group.goes_down:
        fix = f"Make the cycles shorter: the second begins only after {facts.time(group.boundary(1))}."
    yield Remark(
        "info",
        f"Nothing decays: the rate stays at its peak of {rate(facts.peak)} from step {since:,} {until}.",
        fix,
        first.row,
    )


def _rises_to_the_end(facts: PlanFacts) -> Iterator[Remark]:
    """After something has fallen: what comes last, but for holds, is a phase that rises."""
    rise = next((part for part in reversed(facts.parts) if not part.keeps_one_value), None)
    if facts.total is None or rise is None or not rise.only_rises:
        return
    row = rise.first_row()
    last = facts.rate_at(facts.total - 1)
    if last * 2 > facts.highest:
        yield Remark(
            "warning",
            f"Nothing decays at the end: the {row.name} from step {row.first_step:,} on goes up again, and the "
            f"last update of the run has the rate {rate(last)}, {100 * last / facts.highest:.3g} % of the highest.",
            'End with a cooldown, such as one_minus_sqrt("20%", to=0.0), or leave out the '
            f"{row.name} from step {row.first_step:,} on.",
            row,
        )


@rule(
    "K008",
    "The floor is above half the peak",
    severity="warning",
    why="A decay that ends above half its peak has little effect: published floors are 0 to 10 % of the peak, and the "
    "last part of the way down lowers the loss most. In arXiv 2501.18965 a cosine from 1e-3 down to 1e-7 ends at a "
    "lower loss than one down to a tenth of the peak (2.9635 and 2.9819). As a rule the floor was copied with one "
    "digit too few in its exponent, or the peak was lowered and the floor was not. Curves without an "
    "end value, and steps down by a factor, are not reported.",
    fix="Lower the floor: 0, or a tenth of the peak.",
    example=Example("warmup_cosine(peak=1e-4, floor=6e-5)", {"total_steps": 10_000}),
    mended=Example("warmup_cosine(peak=1e-4, floor=6e-6)", {"total_steps": 10_000}),
)
def high_floor(facts: PlanFacts) -> Iterator[Remark]:
    if (
        not facts.decays
        or any(part.ends_anywhere for part in facts.parts)
        or any(part.goes_down for part in facts.later)
    ):
        return
    phases = facts.phases
    first = next(i for i, phase in enumerate(phases) if max(phase.first_lr, phase.end_lr) == facts.peak)
    after = phases[first:]
    lowest = min(after, key=lambda phase: phase.end_lr)
    floor = min([lowest.end_lr, *(phase.first_lr for phase in after[1:])])
    floor = min([floor, *(min(group.values) for group in facts.cycles if group.falls)])
    peak = facts.peak
    if floor * 2 > peak and floor < peak:
        yield Remark(
            "warning",
            f"The rate goes down to {rate(floor)} only, {100 * floor / peak:.3g} % of its peak {rate(peak)}.",
            f"Lower the floor: 0, or a tenth of the peak, {rate(float(f'{peak / 10:.3g}'))}.",
            lowest.row,
        )


@rule(
    "K019",
    "The decay ends above 0",
    severity="info",
    why="A floor of a tenth of the peak is often copied. What convex theory says of the loss after the last step "
    "(arXiv 2501.18965, the bound of `kosine rank`) is several percent better where the same decay goes down to 0. "
    "Its authors measured the same with models of 124M parameters: after 50,000 steps a cosine to 0 ends at a "
    "validation loss of 2.96, a cosine to a tenth at 2.98. It is reported where the floor costs 5 % of the bound or "
    "more. The bound is one for convex problems. Runs with restarts, of which it says nothing, are left out, and so "
    "is a decay that a last hold follows.",
    fix="Let the decay end at 0, or keep the floor where the run is to go on later: it then has a rate to go on from.",
    example=Example("warmup_cosine(peak=1e-3, warmup=500, warmup_start=2e-6, floor=1e-4)", {"total_steps": 10_000}),
    mended=Example("warmup_cosine(peak=1e-3, warmup=500, warmup_start=2e-6)", {"total_steps": 10_000}),
)
def floor_above_zero(facts: PlanFacts) -> Iterator[Remark]:
    last, total = facts.last, facts.total
    if last is None or total is None or facts.cycles or len(facts.parts) > _MOST_PHASES:
        return
    row = last.first_row()
    floor, steps = row.end_lr, row.stop - row.first_step
    done = last.falls and not row.endless and (row.stop - total) * NEARLY <= steps
    if not done or row.tick > 1 or not 0 < floor * 2 <= facts.peak:
        return
    cost = cost_of_the_floor(facts, row.first_step, floor)
    if cost >= _COST:
        yield Remark(
            "info",
            f"The {row.name} ends at {rate(floor)}, {100 * floor / facts.peak:.3g} % of the peak: by the "
            f"bound on the last iterate this end costs {100 * cost:.2g} %.",
            f"{_lower(row)}, unless the run is to go on later.",
            row,
        )


def _lower(row: PlannedPhase) -> str:
    try:
        Phase(row.curve, Duration.read(2), row.first_lr, 0.0)
    except ScheduleError:  # an inverse root, say, comes near 0 and never there
        return 'End with a cooldown, such as one_minus_sqrt("20%", to=0.0)'
    return "Let it end at 0"
