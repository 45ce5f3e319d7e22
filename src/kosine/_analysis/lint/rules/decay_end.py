"""Checks of where the decay ends: after the run, or long before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import expm1, log
from typing import TypeGuard

from kosine._analysis.lint.mistaken_units import epochs_as_steps
from kosine._analysis.lint.plan_facts import DEAD, NEARLY, PlanFacts
from kosine._analysis.lint.rule import Example, Remark, Severity, rule
from kosine._analysis.lint.wording import rate, sentence, share
from kosine._core.curves.exponential import Exponential
from kosine._core.durations import Duration
from kosine._core.groups import Cycles
from kosine._core.phase import Phase
from kosine._core.timeline import PlannedPart

_TAIL_ERROR, _TAIL_WARNING = 10, 100  # a tail at 0 of more than this part of the run is an error, a warning
_FLOOR_WARNING = 20  # a tail above 0 of more than this part of the run is a warning
_LEFT = 1000  # where a decay is to be suggested: to this part of the rate that it starts from


@rule(
    "K002",
    "The run ends before the decay is done",
    severity="warning",
    why="A decay lowers the loss most near its end. Where the run ends at a high rate, the loss stays high. In "
    "arXiv 2501.18965 a model of 124M parameters ends at a validation loss of 3.14 without a cooldown, and at "
    "2.96 with one. The usual cause is a length that was right for another run.",
    fix="Leave out the duration of the decay, so that it takes the rest of the run, whatever that is; or write it as "
    "a share of the run; or train longer.",
    example=Example('Schedule(cosine("90ep", start=0.1, to=0.0))', {"epochs": 60, "steps_per_epoch": 500}),
    mended=Example("Schedule(cosine(start=0.1, to=0.0))", {"epochs": 60, "steps_per_epoch": 500}),
)
def before_the_decay_is_done(facts: PlanFacts) -> Iterator[Remark]:
    total, last = facts.total, facts.last
    if total is None or not facts.parts or facts.ends_in_warmup:
        return
    if last is not None and last.falls and not last.cycles_in_run and not last.endless:
        steps = last.stop - last.first_step
        if (last.stop - total) * NEARLY > steps:
            into, of = facts.of(total - last.first_step, steps)
            row = last.first_row()
            yield Remark(
                "warning",
                f"The run ends after {into} of the {of} of the {row.name}: its last update has the rate "
                f"{rate(facts.rate_at(total - 1))}, where the decay goes down to {rate(row.end_lr)}.",
                _mend_decay(facts, last, last.stop),
                row,
            )
        return
    never = next((part for part in facts.later if part.falls), None)
    if never is not None:
        yield Remark(
            "warning",
            f"The run ends after {facts.time(total)}, and the decay would begin only after "
            f"{facts.time(never.first_step)}: its last update has the rate {rate(facts.rate_at(total - 1))}.",
            _mend_decay(facts, never, never.stop),
            never.first_row(),
        )


def _mend_decay(facts: PlanFacts, part: PlannedPart, stop: int) -> str:
    ways: list[str] = []
    written = facts.written(part)
    if part.first_step < (facts.total or 0) and _can_take_the_rest(written, part, facts):
        ways.append(_to_the_end(written))
    if not ways:
        ways.append("make the phases shorter")
    if not facts.moves_with_the_run and not part.endless:
        ways.append(f"end the run after {facts.time(stop)}")
    return sentence(ways)


def _can_take_the_rest(written: Phase | Cycles | None, part: PlannedPart, facts: PlanFacts) -> TypeGuard[Phase]:
    last = part is facts.plan.parts[-1]
    return last and isinstance(written, Phase) and written.to is not None and facts.can_take_the_rest


def _to_the_end(part: Phase) -> str:
    written = replace(part, duration=Duration.read("rest"))
    return f"write {written!r}, without a duration, and it takes the rest of the run"


@rule(
    "K003",
    "The run goes on long after the decay is done",
    severity="error where the rate is 0, or practically 0, for at least a tenth of the run; warning where it is that "
    "for at least 1 % of the run, or the end value of a decay for at least 5 % of it; info where it is exactly 0 for "
    "less, but for two steps at least",
    why="After its last phase a plan stays at that phase's end value. Where that is 0, the weights stop changing: "
    "every further step costs time and has no effect, weight decay included (it is multiplied with the rate). Rates "
    "below 1e-9 of the highest are practically 0, too. Most often such a rate comes from a factor for each epoch that "
    "is applied at each step. At a rate above that the model still learns, but at the slowest pace of the run. The "
    "usual cause is a decay of fixed length in a run that got longer. It is an error from a tenth of the run on, as no "
    "training gains from it.",
    fix="Let the decay take the rest of the run, or end the run with it; choose a factor nearer to 1. A last phase "
    "such as `hold()` says that a tail above 0 is meant, as in GPT-3's last 40 billion tokens at a tenth of the peak; "
    "then nothing is reported.",
    example=Example(
        'Schedule(hold("5ep", start=0.1), cosine("55ep", to=0.0))',
        {"epochs": 90, "steps_per_epoch": 500},
    ),
    mended=Example('Schedule(hold("5ep", start=0.1), cosine(to=0.0))', {"epochs": 90, "steps_per_epoch": 500}),
)
def long_after_the_decay(facts: PlanFacts) -> Iterator[Remark]:
    total, after = facts.total, facts.plan.after
    if total is None or not facts.trains:
        return
    dead = facts.dead_at_end
    practically = (dead - facts.zeros_at_end) * _TAIL_WARNING >= total  # more than the last steps of a decay to 0
    zeros = dead if practically else facts.zeros_at_end
    begin = total - zeros if zeros else min(after.first_step, total)
    if not 0 < begin < total:
        return
    before, tail = facts.row_at(begin - 1), total - begin
    long = f"{facts.time(tail)} ({share(tail, total)} of the run)"
    severity: Severity = "warning"
    if zeros:
        if tail < 2:
            return
        if tail * _TAIL_ERROR >= total:
            severity = "error"
        elif tail * _TAIL_WARNING < total:
            severity = "info"
        message = f"The rate is 0 from step {begin:,} on: in the last {long} no weight changes any more."
        if practically:
            message = (
                f"The rate is practically 0 from step {begin:,} on, below {DEAD:g} of the highest: the last {long} "
                "train nothing."
            )
    else:
        if before.end_lr >= before.first_lr or tail * _FLOOR_WARNING < total:
            return
        message = f"The decay is done at step {begin:,}; the last {long} train at its end value {rate(after.first_lr)}."
    if severity == "warning" and any(part is facts.parts[-1] for _, part, _ in epochs_as_steps(facts)):
        return  # K012 says what is wrong
    whole = before.stop if before.endpoint and before.end_step == begin else begin  # its last step has the end value
    yield Remark(severity, message, _mend_tail(facts, whole), before)


def _mend_tail(facts: PlanFacts, begin: int) -> str:
    ways = list(_gentler(facts, begin))
    if not facts.moves_with_the_run:
        ways.append(f"end the run after {facts.time(begin)}")
    part = facts.parts[-1]
    written = facts.written(part)
    if _can_take_the_rest(written, part, facts):
        ways.insert(0, _to_the_end(written))
    if not facts.dead_at_end:
        ways.append("end the schedule with hold(), if the tail is meant")
    if not ways:
        ways.append(f"make the decay longer or less steep: it is done at step {begin:,} of {facts.total:,}")
    return sentence(ways)


def _gentler(facts: PlanFacts, begin: int) -> Iterator[str]:
    """How to multiply with a factor, where that has made the rate practically 0 at `begin`, nearer to 1."""
    part, total = facts.part_at(begin), facts.total or 0
    written, group = facts.written(part), facts.cycles_at(begin)
    if group is not None:
        if not group.shrinks or group.part.shrink_power:
            return
        cycles = group.cycle_at(min(total, group.stop) - 1)
        shrink = 1 - float(f"{-expm1(-log(_LEFT) / max(1, cycles)):.2g}")
        factor = "" if group.moves or group.phases_in_cycle > 1 else " (in step_decay: factor)"
        write = f", or write shrink={shrink:.12g}{factor}, and the last has a 1,000th of the first"
        yield f"make the cycles longer{write if shrink < 1 - 1e-12 else ''}"
    elif (
        isinstance(written, Phase)
        and isinstance(written.curve, Exponential)
        and (ratio := written.curve.factor or 1) < 1
    ):
        if written.curve.timescale is None and facts.epochs and ratio ** float(facts.epochs) > DEAD:
            by_epoch = replace(written.curve, timescale=Duration.read("1ep"))
            yield f"write {replace(written, curve=by_epoch)!r}, if the factor was meant for an epoch"
        if written.duration.unit == "rest":
            slow = replace(written, curve=Exponential(), to=float(rate(part.values[0] / _LEFT)))
            yield f"write {slow!r}, and it has a 1,000th of its start when the run ends"
