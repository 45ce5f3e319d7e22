"""The parts that several dialects are built of."""

from __future__ import annotations

import difflib
import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from kosine._core.arguments import read_at_least, read_counts, read_list, read_rate
from kosine._core.curves.cosine import cosine
from kosine._core.curves.exponential import exponential
from kosine._core.curves.hold import hold
from kosine._core.curves.linear import linear
from kosine._core.groups import Ceiling, Cycles, Part, Section, cycles, section
from kosine._core.numbers import MAX_STEPS, exact
from kosine._core.phase import Phase
from kosine._core.schedule import Schedule
from kosine.errors import ArgumentTypeError, Described, ScheduleError, shown

MOST_GROWTH = 1e29
"""How many times its start an exponential may grow to: float32 holds little more."""


MOST_SINGLE_CYCLES = 1000
"""How many cycles may be listed where no group can hold them."""


def warm_up(steps: int, start: float, peak: float) -> list[Phase]:
    """A straight line to the peak; no phase where it lasts no step."""
    return [linear(steps, start=start, to=peak)] if steps else []


def for_ever(rate: float) -> Section:
    """One rate from here on, in runs of every length."""
    return section(hold(start=rate))


def stairs(firsts: Sequence[int], rates: Sequence[float]) -> list[Part]:
    """One rate after another, each from its first step on, counted from the first of all; the last for ever."""
    lengths = [later - first for first, later in pairwise(firsts)]
    held = [hold(length, start=rate) for length, rate in zip(lengths, rates, strict=False) if length]
    return [*held, for_ever(rates[-1])]


def scaled(rate: float, factor: float, times: int, argument: str) -> float:
    """rate * factor ** times, or an error that names the factor where no float can hold it."""
    try:
        product = rate * factor**times
    except OverflowError:
        product = math.inf
    if product == math.inf:
        raise ScheduleError(
            f"Argument `{argument}` must leave the rate finite.",
            received=Described(f"{argument}={factor!r}, which makes it {rate!r} * {factor!r} ** {times:,}"),
        )
    return product


def growths(factor: float) -> float:
    """How many times a rate can grow by `factor` until it is MOST_GROWTH times as high."""
    return math.log10(MOST_GROWTH) / math.log10(factor)


def powers(start: float, factor: float, steps: int, staircase: bool, lasts: int | None = None) -> Part:
    """start * factor ** (t / steps), or with the exponent rounded down; a growth ends at MOST_GROWTH times the start.

    `lasts` cuts it after that many steps, or stairs.
    """
    unit, tick = (1, steps) if staircase else (steps, 1)
    if factor > 1 and lasts is None:
        lasts = int(growths(factor) * unit)
    phase = exponential(
        "rest" if lasts is None else min(lasts, max(1, MAX_STEPS // (2 * tick))),
        start=start,
        factor=factor,
        timescale=None if unit == 1 else unit,
    )
    return section(phase, tick=tick)  # in a section it goes on beyond the end of the run


def shrinking(group: Cycles, period: int) -> list[Part]:
    """An endless group whose first cycle lasts `period`, cut where nothing is left of it but its end value."""
    flat = Ceiling.of(group, None).flat
    count = bisect_left(range(MAX_STEPS), True, key=flat) if group.shrinks else MAX_STEPS
    return [group if never_ends(period, group.stretch, count) else replace(group, count=count)]


def never_ends(period: int, stretch: float, count: int) -> bool:
    """Whether this number of cycles lasts longer than half of the longest plan: then it may as well be endless."""
    if stretch == 1:
        return period * count > MAX_STEPS // 2
    growth = count * math.log(stretch)
    return growth > 100 or period * math.expm1(growth) / (stretch - 1) > MAX_STEPS / 2


def number_of_waves(num_cycles: float) -> Fraction:
    """The nearest fraction of not too many digits: 1/3 for 0.3333333333333333, which 3 times over is a whole wave."""
    return exact(read_at_least(num_cycles, "num_cycles", 0)).limit_denominator(10**9)


def wave_period(steps: int, waves: Fraction, num_cycles: float) -> Fraction:
    """The length of one wave in steps, where `steps` steps hold a given number of them."""
    period = steps / waves
    if not 0.001 <= period <= MAX_STEPS:
        raise ScheduleError(
            "Argument `num_cycles` must be 0, or such that a cycle lasts from 0.001 to 2**63 - 1 steps.",
            received=Described(f"num_cycles={shown(num_cycles)} for {steps:,} steps"),
        )
    return period


def cosine_waves(
    peak: float, floor: float, steps: int, num_cycles: float, skip: int = 0, duration: int | None = None
) -> Part:
    """Several cosine waves in `steps` steps, from step `skip` of them on: for ever, or for `duration` steps."""
    waves = number_of_waves(num_cycles)
    if waves == 0:
        return for_ever(peak) if duration is None else hold(duration, start=peak)
    half = wave_period(steps, 2 * waves, num_cycles)
    group = cycles(cosine(half, start=peak, to=floor), cosine(half, to=peak))
    if half.denominator == 1 and not skip and duration is None:
        return group
    return section(group, skip=skip, duration=duration, continuous=half.denominator != 1)


def joined(schedules: object, boundaries: object, argument: str) -> Schedule:
    """Schedules one after another, each counting its steps from its own boundary."""
    listed: list[Schedule] = []
    for index, schedule in enumerate(read_list(schedules, "schedules", "schedules")):
        if not isinstance(schedule, Schedule):
            raise ArgumentTypeError(
                "Argument `schedules` must be a list of schedules, such as the functions of this module make.",
                received=Described(f"schedules[{index}]={shown(schedule)}"),
            )
        listed.append(schedule)
    firsts = [0, *read_counts(boundaries, argument, in_order=True)]
    if len(listed) != len(firsts):
        raise ScheduleError(
            f"Argument `{argument}` must have one step less than there are schedules: where each but the first begins.",
            received=Described(f"{len(listed)} schedules and {argument}={shown(firsts[1:])}"),
        )
    parts = [
        section(*schedule.parts, duration=later - first)
        for schedule, (first, later) in zip(listed, pairwise(firsts), strict=False)
        if later > first
    ]
    return Schedule(*parts, section(*listed[-1].parts))


def read_lr(value: object) -> float:
    """The argument `lr`: the base rate, which the peers take from the optimizer."""
    if hasattr(value, "param_groups"):
        raise ArgumentTypeError(
            argument="lr", rule="the learning rate that the optimizer was built with, not the optimizer", received=value
        )
    return read_rate(value, "lr")


def no_such_name(module: str, name: str, known: Iterable[str], absent: Mapping[str, str]) -> AttributeError:
    """The error for a name that a module lacks: why it does, which one was probably meant, or which there are."""
    peer = module.rpartition(".")[2]
    near = difflib.get_close_matches(name.lower(), {one.lower(): one for one in known}, 1)
    meant = next((one for one in known if near and one.lower() == near[0]), None)
    has = ", ".join(one for one in known if one != "FOLLOWS")
    fix = f" {absent[name]}" if name in absent else f" Did you mean `{meant}`?" if meant else f" It has {has}."
    return AttributeError(f"kosine.dialects.{peer} has no {name!r}.{fix}", name=name)
