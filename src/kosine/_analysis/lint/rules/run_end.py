"""Checks of where the run ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import expm1, log
from typing import TypeGuard

from kosine._analysis.lint.context import DEAD, NEARLY, Case, falls, first_row, moves
from kosine._analysis.lint.cycle_fit import Rest, ends_around, fitting
from kosine._analysis.lint.rule import Example, Remark, Severity, rule
from kosine._analysis.lint.rules.units import epochs_as_steps
from kosine._analysis.lint.wording import alternatives, and_others, counted, rate, sentence, share
from kosine._core.curves.exponential import Exponential
from kosine._core.durations import Duration
from kosine._core.groups import Cycles
from kosine._core.numbers import MAX_STEPS
from kosine._core.phase import Phase
from kosine._core.timeline import Block, Group, PlannedPhase

_TAIL_ERROR, _TAIL_WARNING = 10, 100  # a tail at 0 of more than this part of the run is an error, a warning
_FLOOR_WARNING = 20  # a tail above 0 of more than this part of the run is a warning
_LEFT = 1000  # where a decay is to be suggested: to this part of the rate that it starts from


@rule(
    "K001",
    "The run ends in the middle of a cycle",
    severity="warning",
    why="A cycle is of use once it is done: until then the rate is high, and so is the loss. The authors of SGDR "
    "(arXiv 1608.03983) recommend the model at the end of the last cycle that was completed; what is trained "
    "after it is thrown away. Their own setting, T_0=10 and T_mult=2 over 200 epochs, stops 50 epochs into a "
    "cycle of 160.",
    fix="Train to the end of a cycle, or choose a first cycle with which the run ends there. Both are computed.",
    example=Example('sgdr(peak=0.05, period="10ep", stretch=2)', {"epochs": 200, "steps_per_epoch": 391}),
    mended=Example('sgdr(peak=0.05, period="40/3ep", stretch=2)', {"epochs": 200, "steps_per_epoch": 391}),
)
def in_the_middle_of_a_cycle(case: Case) -> Iterator[Remark]:
    group = case.last
    if not isinstance(group, Group) or case.total is None or any(map(falls, case.later)):
        return
    rest = Rest.of(group)
    if rest is None or any(block is group for _, block, _ in epochs_as_steps(case)):  # K012 says what is wrong
        return
    cycle = group.cycle_at(case.total - 1)
    begin, length = group.boundary(cycle), group.boundary(cycle + 1) - group.boundary(cycle)
    done, leaves = group.boundary(cycle, rest.phase + 1), group.boundary(cycle, rest.stop)
    near = length // NEARLY
    after = near if rest.stop < len(group.part.phases) else 0  # else a step later is a restart
    if done - near <= case.total <= leaves + after:
        return
    into, of = case.of(case.total - begin, length)
    row = group.row_at(case.total - 1)
    lowest = min(group.values[2 * rest.phase + 1], group.ceiling.at(cycle))
    yield Remark(
        "warning",
        f"The run ends {into} into a cycle of {of} (cycle #{cycle + 1:,}): its last update has the rate "
        f"{rate(case.rate_at(case.total - 1))}, where the cycle goes down to {rate(lowest)}.",
        _mend_cycles(case, group, rest, cycle, case.total),
        row,
    )


def _mend_cycles(case: Case, group: Group, rest: Rest, cycle: int, total: int) -> str:
    ways: list[str] = []
    if not case.moves_with_the_run and group.view.stop is None:
        ends = [end for end in ends_around(group, rest, total, cycle) if end > group.first_step]
        if ends:
            ways.append(f"end the run after {case.either(*ends)}")
    periods = [
        f"{_durations(part)} ({counted(f'{count:,}', 'cycle')})"
        for count, part in fitting(group, rest, total, range(cycle, cycle + 3), case.units(group.view.tick))
    ]
    if periods:
        first = "period" if len(group.part.phases) == 1 else "first cycle"
        ways.append(f"give this run a {first} of {alternatives(periods)}")
    if not ways:
        ways.append("end the run where a cycle ends")
    return sentence(ways)


def _durations(part: Cycles) -> str:
    written = [phase.duration.written() for phase in part.phases]
    return " + ".join(f'"{text}"' if isinstance(text, str) else str(text) for text in written)


@rule(
    "K002",
    "The run ends before the decay is done",
    severity="warning",
    why="Most of what a decay brings, it brings near its end: with the rate cut off high the loss stays high. In "
    "arXiv 2501.18965 a model of 124M parameters ends at a validation loss of 3.14 without a cooldown, and at "
    "2.96 with one. The usual cause is a length that was right for another run.",
    fix="Leave out the duration of the decay, so that it takes the rest of the run, whatever that is; or write it as "
    "a share of the run; or train longer.",
    example=Example('Schedule(cosine("90ep", start=0.1, to=0.0))', {"epochs": 60, "steps_per_epoch": 500}),
    mended=Example("Schedule(cosine(start=0.1, to=0.0))", {"epochs": 60, "steps_per_epoch": 500}),
)
def before_the_decay_is_done(case: Case) -> Iterator[Remark]:
    total, last = case.total, case.last
    if total is None or not case.blocks or _in_the_warmup(case):
        return
    if isinstance(last, PlannedPhase) and falls(last) and last.steps is not None:
        if (last.stop - total) * NEARLY > last.steps:
            into, of = case.of(total - last.first_step, last.steps)
            yield Remark(
                "warning",
                f"The run ends after {into} of the {of} of the {last.name}: its last update has the rate "
                f"{rate(case.rate_at(total - 1))}, where the decay goes down to {rate(last.end_lr)}.",
                _mend_decay(case, last, last.stop),
                last,
            )
        return
    never = next((block for block in case.later if falls(block)), None)
    if never is not None:
        yield Remark(
            "warning",
            f"The run ends after {case.time(total)}, and the decay would begin only after "
            f"{case.time(never.first_step)}: its last update has the rate {rate(case.rate_at(total - 1))}.",
            _mend_decay(case, never, never.stop),
            first_row(never),
        )


def _mend_decay(case: Case, block: Block, stop: int) -> str:
    ways: list[str] = []
    part = case.part_of(block)
    if block.first_step < (case.total or 0) and _can_take_the_rest(part, block, case):
        ways.append(_to_the_end(part))
    if not ways:
        ways.append("make the phases shorter")
    if not case.moves_with_the_run and not (isinstance(block, Group) and block.endless):
        ways.append(f"end the run after {case.time(stop)}")
    return sentence(ways)


def _can_take_the_rest(part: Phase | Cycles | None, block: Block, case: Case) -> TypeGuard[Phase]:
    last = block is case.plan.blocks[-1]
    return last and isinstance(part, Phase) and part.to is not None and case.can_take_the_rest


def _to_the_end(part: Phase) -> str:
    written = replace(part, duration=Duration.read("rest"))
    return f"write {written!r}, without a duration, and it takes the rest of the run"


@rule(
    "K003",
    "The run goes on long after the decay is done",
    severity="error where the rate is 0, or practically 0, for at least a tenth of the run; warning where it is that "
    "for at least 1 % of the run, or the end value of a decay for at least 5 % of it; info where it is exactly 0 for "
    "less, but for two steps at least",
    why="After its last phase a plan stays at that phase's end value. Where that is 0 no weight changes any more: "
    "every further step is paid for and does nothing, weight decay included (it is multiplied with the rate). "
    "The same goes for rates below 1e-9 of the highest, which are practically 0: most often those of a factor that "
    "was meant for each epoch and is multiplied with at each step. Where the rate is above that the model still "
    "learns, at the slowest pace there is. The usual cause is a decay of fixed length in a run that got longer. It is "
    "an error from a tenth of the run on, as there is no training that is served by it.",
    fix="Let the decay take the rest of the run, or end the run with it; choose a factor nearer to 1. A last phase "
    "such as `hold()` says that a tail above 0 is meant, as in GPT-3's last 40 billion tokens at a tenth of the peak; "
    "then nothing is reported.",
    example=Example(
        'Schedule(hold("5ep", start=0.1), cosine("55ep", to=0.0))',
        {"epochs": 90, "steps_per_epoch": 500},
    ),
    mended=Example('Schedule(hold("5ep", start=0.1), cosine(to=0.0))', {"epochs": 90, "steps_per_epoch": 500}),
)
def long_after_the_decay(case: Case) -> Iterator[Remark]:
    total, after = case.total, case.plan.after
    if total is None or not case.trains:
        return
    dead = case.dead_at_end
    practically = (dead - case.zeros_at_end) * _TAIL_WARNING >= total  # more than the last steps of a decay to 0
    zeros = dead if practically else case.zeros_at_end
    begin = total - zeros if zeros else min(after.first_step, total)
    if not 0 < begin < total:
        return
    before, tail = case.row_at(begin - 1), total - begin
    long = f"{case.time(tail)} ({share(tail, total)} of the run)"
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
    if severity == "warning" and any(block is case.blocks[-1] for _, block, _ in epochs_as_steps(case)):
        return  # K012 says what is wrong
    whole = before.stop if before.endpoint and before.end_step == begin else begin  # its last step has the end value
    yield Remark(severity, message, _mend_tail(case, whole), before)


def _mend_tail(case: Case, begin: int) -> str:
    ways = list(_gentler(case, begin))
    if not case.moves_with_the_run:
        ways.append(f"end the run after {case.time(begin)}")
    block = case.blocks[-1]
    part = case.part_of(block)
    if _can_take_the_rest(part, block, case):
        ways.insert(0, _to_the_end(part))
    if not case.dead_at_end:
        ways.append("end the schedule with hold(), if the tail is meant")
    if not ways:
        ways.append(f"make the decay longer or less steep: it is done at step {begin:,} of {case.total:,}")
    return sentence(ways)


def _gentler(case: Case, begin: int) -> Iterator[str]:
    """How to multiply with a factor, where that has made the rate practically 0 at `begin`, nearer to 1."""
    block, total = case.block_at(begin), case.total or 0
    part = case.part_of(block)
    if isinstance(block, Group):
        if not block.part.shrinks or block.part.shrink_power:
            return
        cycles = block.cycle_at(min(total, block.stop) - 1)
        shrink = 1 - float(f"{-expm1(-log(_LEFT) / max(1, cycles)):.2g}")
        recipe = "" if moves(block) or len(block.part.phases) > 1 else " (in step_decay: factor)"
        written = f", or write shrink={shrink:.12g}{recipe}, and the last has a 1,000th of the first"
        yield f"make the cycles longer{written if shrink < 1 - 1e-12 else ''}"
    elif isinstance(part, Phase) and isinstance(part.curve, Exponential) and (factor := part.curve.factor or 1) < 1:
        if part.curve.timescale is None and case.epochs and factor ** float(case.epochs) > DEAD:
            by_epoch = replace(part.curve, timescale=Duration.read("1ep"))
            yield f"write {replace(part, curve=by_epoch)!r}, if the factor was meant for an epoch"
        if part.duration.unit == "rest":
            slow = replace(part, curve=Exponential(), to=float(rate(block.first_lr / _LEFT)))
            yield f"write {slow!r}, and it has a 1,000th of its start when the run ends"


@rule(
    "K011",
    "An endpoint is never reached",
    severity="warning",
    why="`endpoint=True` says that the phase's last step uses the end value exactly. Where that step lies outside the "
    "run, or outside the section that the phase stands in, no update ever uses it. One step too many is a common "
    "miscount: steps are counted from 0.",
    fix="Make the phase end with the run, or leave out `endpoint`.",
    example=Example("Schedule(linear(1001, start=0.001, to=0.0, endpoint=True))", {"total_steps": 1000}),
    mended=Example("Schedule(linear(1000, start=0.001, to=0.0, endpoint=True))", {"total_steps": 1000}),
)
def endpoint_never_reached(case: Case) -> Iterator[Remark]:
    rows = (_cut_row(block, case.total) for block in case.blocks)
    missed = [row for row in rows if row is not None and row.endpoint and _misses_its_end(case, row)]
    if missed:
        row = missed[0]
        stop = row.stop if case.total is None else min(row.stop, case.total)
        yield Remark(
            "warning",
            f"The endpoint of the {row.name} from step {row.first_step:,} on is never reached: "
            f"{rate(row.clock.to)} would stand at step {row.end_step:,}, and its last step is {stop - 1:,}."
            f"{and_others(missed, 'phase')}",
            f"Make the {row.name} shorter by {counted(f'{row.end_step - stop + 1:,}', 'step')}, or leave "
            "out `endpoint`.",
            row,
        )


def _cut_row(block: Block, total: int | None) -> PlannedPhase | None:
    """The phase that may lack its end: of a group the last that is seen."""
    stop = block.stop if total is None else min(block.stop, total)
    if isinstance(block, Group):
        return None if stop > MAX_STEPS else block.row_at(stop - 1)
    return None if block.own_clock is None and stop == block.stop else block


def _misses_its_end(case: Case, row: PlannedPhase) -> bool:
    if case.total is None or row.stop <= case.total:
        return row.stop <= row.end_step
    if case.total > row.end_step or (row.cycle is not None and case.total == row.end_step):
        return False  # in a cycle the last step and the restart after it are what one step more or less decides
    if row.end_lr < row.first_lr:  # a decay of which more is missing is reported as that
        return row.steps is not None and (row.stop - case.total) * NEARLY <= row.steps
    return not _in_the_warmup(case)


@rule(
    "K015",
    "Every rate is 0",
    severity="error",
    why="No update changes a weight, so nothing is trained.",
    fix="Give the schedule a peak above 0.",
    example=Example("warmup_cosine(peak=0.0)", {"total_steps": 1000}),
    mended=Example("warmup_cosine(peak=1e-3)", {"total_steps": 1000}),
)
def every_rate_is_0(case: Case) -> Iterator[Remark]:
    if not case.trains:
        yield Remark(
            "error",
            "Every rate of the run is 0: no weight ever changes.",
            "Give the schedule a peak above 0.",
            case.pieces[0].row,
        )


@rule(
    "K016",
    "The run ends before the warm-up is done",
    severity="error",
    why="The peak, which the schedule was chosen for, is never reached, and nothing of what follows the warm-up is "
    "ever used. That is no schedule that anybody wants: as a rule the warm-up was written for a longer run, or "
    "the run's length counts something else than steps. A schedule that only rises, as in a learning-rate range "
    "test, is not reported.",
    fix='Write the warm-up as a share of the run, such as `"5%"`, or train longer.',
    example=Example(
        'sgdr(peak=0.05, period="10ep", warmup=5000, warmup_start=1e-4)', {"epochs": 20, "steps_per_epoch": 100}
    ),
    mended=Example(
        'sgdr(peak=0.05, period="10ep", warmup=500, warmup_start=1e-4)', {"epochs": 25, "steps_per_epoch": 100}
    ),
)
def before_the_warmup_is_done(case: Case) -> Iterator[Remark]:
    if _in_the_warmup(case) and case.total is not None:
        row = case.warmup[-1]
        begin = case.warmup[0].first_step
        into, of = case.of(max(0, case.total - begin), row.stop - begin)
        yield Remark(
            "error",
            f"The run ends after {into} of the {of} of the warm-up: its last update has the rate "
            f"{rate(case.rate_at(case.total - 1))}, where the warm-up goes up to {rate(row.end_lr)}, and what follows "
            "is never reached.",
            f'Make the warm-up shorter, such as "5%" of the run; or train for more than {case.time(row.stop)}.',
            row,
        )


def _in_the_warmup(case: Case) -> bool:
    """Whether the run ends in a warm-up that something follows."""
    if case.total is None or not case.warmup or case.warmup[-1].stop <= case.total:
        return False
    return case.warmup[-1] is not case.plan.blocks[-1]
