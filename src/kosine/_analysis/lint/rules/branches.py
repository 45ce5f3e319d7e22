"""Checks of plans made from plans: what was cut, and whether the steps before the cut are still the same."""

from __future__ import annotations

from collections.abc import Iterator

from kosine._analysis.lint.plan_facts import NEARLY, PlanFacts, relative_units
from kosine._analysis.lint.rule import Example, Remark, Severity, rule
from kosine._analysis.lint.wording import and_others, rate
from kosine._core.groups import Cycles, Part, Section, lasts_for_ever
from kosine._core.numbers import round_half_up
from kosine._core.timeline import PlannedPart, PlannedPhase


@rule(
    "K017",
    "A section around a rest changes the past",
    severity="warning where a phase in it takes the rest and the rate goes on from there; info elsewhere",
    why="`section(*old.parts, duration=600)` looks like the first 600 steps of an old run. But a phase in it that "
    'takes the "rest" fills the section, not the old run, and "5%" is a share of the new run: the steps before 600 get '
    "other rates than they had. A run that goes on along such a schedule from a checkpoint has another past than its "
    "weights. Reported is a schedule that begins with such a section of a length in steps, epochs, samples or tokens. "
    "A section of a share of the run follows the run as a whole and is not reported.",
    fix="Cut the plan of the old run: `plan.until(600)` keeps every rate before step 600. Where no earlier run is "
    "meant, leave it.",
    example=Example(
        'Schedule(section(linear(100, start=1e-6, to=1e-3), hold(), one_minus_sqrt("20%", to=1e-4), duration=600), '
        "linear(400, to=0.0))",
        {"total_steps": 1000},
    ),
    mended=Example("Schedule(linear(100, start=1e-6, to=1e-3), hold(500), linear(400, to=0.0))", {"total_steps": 1000}),
)
def section_around_a_rest(facts: PlanFacts) -> Iterator[Remark]:
    first = facts.plan.schedule.parts[0]
    if not isinstance(first, Section) or facts.plan.clipped or first.duration is None or len(first.parts) < 2:
        return
    found = relative_units(first.parts)
    if first.duration.unit in ("%", "rest") or not found:
        return
    stop = round_half_up(first.duration.steps(facts.plan.run))
    if stop < 1:
        return
    follows = facts.row_at(stop) if facts.total is None or stop < facts.total else None
    goes_on = follows is not None and not follows.only_rises and _joins(facts, facts.row_at(stop - 1), follows)
    severity: Severity = "warning" if goes_on and "rest" in found else "info"
    what = _filling(first.parts)
    message = f"a {what} takes the rest of them" if what else "a share of the run stands in it"
    yield Remark(
        severity,
        f"The first {facts.time(stop)} are a section in which {message}: a run of another length that is planned from "
        "the same phases has other rates there.",
        f"If they stand for the beginning of an earlier run, cut the plan of that run: `plan.until({stop})` keeps its "
        "rates.",
        facts.row_at(0),
    )


def _filling(parts: tuple[Part, ...]) -> str:
    """The name of a phase that takes the rest of its section; "" where none does."""
    for number, part in enumerate(parts):
        if isinstance(part, Cycles):
            continue
        if isinstance(part, Section):
            if (
                name := "section"
                if part.duration is not None and part.duration.unit == "rest"
                else _filling(part.parts)
            ):
                return name
        elif part.duration.unit == "rest" and (number < len(parts) - 1 or not lasts_for_ever(part)):
            return part.curve.name
    return ""


@rule(
    "K018",
    "A branch begins inside a decay",
    severity="warning; info where the rest of the same decay follows, only slower",
    why="A branch wants the stable part of a run. Where a decay is cut and another one follows, at once or after a "
    "hold, the run trains at a part of its peak from there on. In arXiv 2405.18392 cooldowns that branch off a "
    "constant rate match a cosine that was planned for their length; in arXiv 2203.15556 a run that ends inside a "
    "cosine of a longer one has a higher loss. Not reported are curves without an end, such as an inverse square root, "
    "cycles, a branch that first goes back up, a curve that is cut at a floor, and a cut where less than 1 % of the "
    "decay is done or missing.",
    fix="Branch off where the decay begins, or before. A run that will be branched is planned with a stable part: the "
    "constructors `wsd` and `infinite`.",
    example=Example(
        "Schedule(linear(500, start=1e-6, to=1e-3), section(cosine(9500, to=1e-4), duration=5500), "
        "one_minus_sqrt(1000, to=0.0))",
        {"total_steps": 7000},
    ),
    mended=Example(
        "Schedule(linear(500, start=1e-6, to=1e-3), hold(5500), one_minus_sqrt(1000, to=0.0))",
        {"total_steps": 7000},
    ),
)
def branch_inside_a_decay(facts: PlanFacts) -> Iterator[Remark]:
    if facts.plan.clipped:
        return
    found = [number for number in range(1, len(facts.parts)) if _branches(facts, number)]
    if not found:
        return
    before, after = facts.parts[found[0] - 1], facts.parts[found[0]].first_row()
    assert isinstance(before, PlannedPhase)
    clock = before.clock
    done, of = (int(ticks * clock.tick) for ticks in (clock.lead, clock.span or clock.lead))
    slower = (clock.start, clock.to, before.name) == (after.clock.start, after.clock.to, after.name)
    yield Remark(
        "info" if slower else "warning",
        f"The {before.name} is cut at step {before.stop:,}, after {done + before.stop - before.first_step:,} of its "
        f"{of:,} steps: the {after.name} that follows begins at {rate(after.first_lr)}, "
        f"{100 * after.first_lr / facts.peak:.3g} % of the peak.{and_others(found, 'cut')}",
        _stable_part(before, facts.parts[found[0] - 2] if found[0] > 1 else None),
        after,
    )


def _branches(facts: PlanFacts, number: int) -> bool:
    """Whether a part follows the beginning of a decay, and the rate falls again before it rises."""
    before, after = facts.parts[number - 1 : number + 1]
    if not isinstance(before, PlannedPhase) or not isinstance(after, PlannedPhase) or not _is_cut_decay(before):
        return False
    if not _joins(facts, before, after) or _same_course(before, after):
        return False
    return next((part for part in facts.parts[number:] if not part.keeps_one_value), after).falls


def _is_cut_decay(part: PlannedPhase) -> bool:
    """Whether it is the beginning of a decay, of which a section leaves out the end."""
    if part.cycle is not None or part.own_clock is None or part.ends_anywhere:
        return False
    start, to = part.clock.start, part.clock.to
    height = start - to
    return height > 0 and (part.end_lr - to) * NEARLY > height and (start - part.end_lr) * NEARLY > height


def _joins(facts: PlanFacts, before: PlannedPhase, after: PlannedPhase) -> bool:
    """Whether a phase begins at about the rate that the one before it ends at."""
    return abs(after.first_lr - before.end_lr) * NEARLY <= facts.peak


def _same_course(before: PlannedPhase, after: PlannedPhase) -> bool:
    """Whether the decay goes on as if it had not been cut."""
    return before.curve == after.curve and before.clock.later(before.steps or 0) == after.clock


def _stable_part(decay: PlannedPhase, before: PlannedPart | None) -> str:
    begin = decay.first_step
    if before is not None and before.keeps_one_value and begin:
        return f"Branch off at step {begin:,}, where the decay begins, or earlier."
    return (
        "Plan a run that will be branched with a stable part, such as wsd(...); to make this one longer, "
        '`plan.extend(..., how="meet")` goes back up first.'
    )
