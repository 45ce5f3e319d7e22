"""timm's schedulers as schedules: the same names, arguments and defaults, and the same rate at every step.

A step is whatever timm's scheduler is stepped with. With `t_in_epochs=False` (`step_update`) that is an update. With
timm's default it is an epoch: put the phases in a section whose clock ticks once an epoch,
`Schedule(section(*timm.CosineLRScheduler(...).parts, tick="1ep"))`. The rate at step t is timm's `_get_lr(t)`. Noise,
which depends on a random generator, and the arguments that only say how timm is driven are left out.

Where cycles grow (`cycle_mul` other than 1), timm finds the cycle by the floor of a float logarithm. At some restarts
that is one cycle too few, and the rate is the floor instead of the peak: for `t_initial=10` and `cycle_mul=3` at steps
1,210, 295,240 and 7,971,610. The schedules here have the peak at each restart.
"""

# ruff: noqa: N802  the functions have timm's names

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import partial
from typing import NoReturn

from kosine._core.arguments import read_above, read_at_least, read_choice, read_count, read_counts, read_flag, read_rate
from kosine._core.curves.cosine import cosine
from kosine._core.curves.exponential import exponential
from kosine._core.curves.hold import hold
from kosine._core.curves.linear import linear
from kosine._core.curves.one_minus_sqrt import one_minus_sqrt
from kosine._core.curves.polynomial import polynomial
from kosine._core.curves.tanh import tanh
from kosine._core.groups import Part, cycles, section
from kosine._core.numbers import exact
from kosine._core.phase import Phase
from kosine._core.schedule import Schedule
from kosine.dialects._parts import (
    MOST_SINGLE_CYCLES,
    for_ever,
    never_ends,
    no_such_name,
    read_lr,
    scaled,
    stairs,
    warm_up,
)
from kosine.errors import ArgumentTypeError, Described, ScheduleError

__all__ = [
    "FOLLOWS",
    "CosineLRScheduler",
    "MultiStepLRScheduler",
    "PolyLRScheduler",
    "StepLRScheduler",
    "TanhLRScheduler",
    "WSDLRScheduler",
]

FOLLOWS = "timm 1.0.31"
"""The version that the schedules are the same as."""


def CosineLRScheduler(
    lr: float,
    t_initial: int,
    lr_min: float = 0.0,
    cycle_mul: float = 1.0,
    cycle_decay: float = 1.0,
    cycle_limit: int = 1,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = False,
    k_decay: float = 1.0,
) -> Schedule:
    """Cosine annealing with restarts, as in timm 1.0.31.

    Cycle i = 0, 1, ... lasts T = t_initial * cycle_mul**i steps and starts at p = lr * cycle_decay**i; at step t of
    the cycle the rate is lr_min + (p - lr_min) (1 + cos(pi (t/T)**k_decay)) / 2. After `cycle_limit` cycles it is
    `lr_min` for ever. The first `warmup_t` steps are a straight line from `warmup_lr_init` towards `lr` instead. With
    `warmup_prefix=False` the cycles run during that warm-up unseen, so the rate jumps at its end and `lr` is never
    reached; with True they begin after it.

    timm has the floor instead of the peak at some restarts of growing cycles; here each restart is at its peak.

    Args:
        lr: the optimizer's learning rate, >= 0.
        t_initial: steps in the first cycle, >= 1.
        lr_min: the rate that every cycle ends at.
        cycle_mul: the factor by which each cycle is longer than the last, >= 1; a float means its shortest decimal.
            (Below 1 timm fails at step t_initial / (1 - cycle_mul).)
        cycle_decay: the factor between the peaks of neighbouring cycles, >= 0.
        cycle_limit: how many cycles, >= 0.
        warmup_t: steps of the warm-up; 0: none.
        warmup_lr_init: the rate of the first step of the warm-up.
        warmup_prefix: whether the cycles begin after the warm-up.
        k_decay: the exponent of the time in a cycle, > 0 and at most 1000 (k-decay, arXiv 2004.05909).

    Raises:
        ScheduleError: a value that breaks a rule above, or more than 1,000 cycles that grow or whose peak is not
            above `lr_min`.
        ArgumentTypeError: a value of the wrong type.

    Source: timm 1.0.31, `timm.scheduler.CosineLRScheduler`; SGDR, arXiv 1608.03983.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.timm.CosineLRScheduler(0.1, t_initial=90, warmup_t=5, warmup_prefix=True)
        Schedule(linear(5, start=0.0, to=0.1), cosine(90, start=0.1, to=0.0))
        >>> plan = ks.dialects.timm.CosineLRScheduler(1.0, t_initial=12, lr_min=0.1, warmup_t=4).plan()
        >>> [round(plan(t), 3) for t in (0, 3, 4, 11, 12)]
        [0.0, 0.75, 0.775, 0.115, 0.1]
    """
    warp = read_above(k_decay, "k_decay", 0, 1000)
    curve = partial(cosine, warp=warp)
    return _cyclic(
        curve, lr, t_initial, lr_min, cycle_mul, cycle_decay, cycle_limit, warmup_t, warmup_lr_init, warmup_prefix
    )


def PolyLRScheduler(
    lr: float,
    t_initial: int,
    power: float = 0.5,
    lr_min: float = 0.0,
    cycle_mul: float = 1.0,
    cycle_decay: float = 1.0,
    cycle_limit: int = 1,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = False,
    k_decay: float = 1.0,
) -> Schedule:
    """Polynomial decay with restarts, as in timm 1.0.31.

    At step t of a cycle that lasts T steps and starts at p the rate is
    lr_min + (p - lr_min) (1 - (t/T)**k_decay)**power. Cycles, warm-up and what follows the last cycle are those of
    `CosineLRScheduler`, and so is timm's mistake at some restarts.

    Args:
        lr: the optimizer's learning rate, >= 0.
        t_initial: steps in the first cycle, >= 1.
        power: the exponent of what remains, > 0 and at most 1000.
        lr_min: the rate that every cycle ends at.
        cycle_mul: the factor by which each cycle is longer than the last, >= 1.
        cycle_decay: the factor between the peaks of neighbouring cycles, >= 0.
        cycle_limit: how many cycles, >= 0.
        warmup_t: steps of the warm-up; 0: none.
        warmup_lr_init: the rate of the first step of the warm-up.
        warmup_prefix: whether the cycles begin after the warm-up.
        k_decay: the exponent of the time in a cycle, > 0 and at most 1000.

    Raises:
        ScheduleError: a value that breaks a rule above, or more than 1,000 cycles that grow or whose peak is not
            above `lr_min`.
        ArgumentTypeError: a value of the wrong type.

    Source: timm 1.0.31, `timm.scheduler.PolyLRScheduler`.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.timm.PolyLRScheduler(0.1, t_initial=90)
        Schedule(polynomial(90, start=0.1, to=0.0, power=0.5))
    """
    exponent, warp = read_above(power, "power", 0, 1000), read_above(k_decay, "k_decay", 0, 1000)
    curve = partial(polynomial, power=exponent, warp=warp)
    return _cyclic(
        curve, lr, t_initial, lr_min, cycle_mul, cycle_decay, cycle_limit, warmup_t, warmup_lr_init, warmup_prefix
    )


def TanhLRScheduler(
    lr: float,
    t_initial: int,
    lb: float = -7.0,
    ub: float = 3.0,
    lr_min: float = 0.0,
    cycle_mul: float = 1.0,
    cycle_decay: float = 1.0,
    cycle_limit: int = 1,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = False,
) -> Schedule:
    """Hyperbolic-tangent decay with restarts, as in timm 1.0.31.

    At step t of a cycle that lasts T steps and starts at p, with u = t/T, the rate is
    lr_min + (p - lr_min) (1 - tanh(lb (1 - u) + ub u)) / 2, which neither begins quite at p nor ends quite at
    `lr_min`. Cycles and what follows the last one are those of `CosineLRScheduler`, and so is timm's mistake at some
    restarts. With `warmup_prefix=False` the warm-up goes towards the rate that the cycles have at its end, not
    towards `lr`, so that nothing jumps.

    Args:
        lr: the optimizer's learning rate, >= 0.
        t_initial: steps in the first cycle, >= 1.
        lb: the argument of tanh at the start of a cycle, above -20 and below `ub`.
        ub: the argument of tanh at the end of a cycle, at most 20.
        lr_min: the rate that every cycle tends to.
        cycle_mul: the factor by which each cycle is longer than the last, >= 1.
        cycle_decay: the factor between the peaks of neighbouring cycles, >= 0.
        cycle_limit: how many cycles, >= 0.
        warmup_t: steps of the warm-up; 0: none.
        warmup_lr_init: the rate of the first step of the warm-up.
        warmup_prefix: whether the cycles begin after the warm-up.

    Raises:
        ScheduleError: a value that breaks a rule above, or more than 1,000 cycles that grow or whose peak is not
            above `lr_min`.
        ArgumentTypeError: a value of the wrong type.

    Source: timm 1.0.31, `timm.scheduler.TanhLRScheduler`; arXiv 1806.01593.

    Example:
        >>> import kosine as ks
        >>> plan = ks.dialects.timm.TanhLRScheduler(1.0, t_initial=10).plan()
        >>> [round(plan(t), 4) for t in (0, 5, 7, 9, 10)]
        [1.0, 0.982, 0.5, 0.018, 0.0]
    """
    lower, upper = read_above(lb, "lb", -20, 20), read_above(ub, "ub", -20, 20)
    if lower >= upper:
        raise ScheduleError(argument="lb", rule="below `ub`", received={"lb": lb, "ub": ub})
    curve = partial(tanh, lower=lower, upper=upper)
    return _cyclic(
        curve, lr, t_initial, lr_min, cycle_mul, cycle_decay, cycle_limit, warmup_t, warmup_lr_init, warmup_prefix, True
    )


def StepLRScheduler(
    lr: float,
    decay_t: float,
    decay_rate: float = 1.0,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = True,
) -> Schedule:
    """A staircase, as in timm 1.0.31: lr * decay_rate ** floor(t / decay_t), for ever.

    The first `warmup_t` steps are a straight line from `warmup_lr_init` towards `lr` instead; with
    `warmup_prefix=True` t is counted from its end, with False from its start.

    A fractional `decay_t` means its shortest decimal here. timm divides by the float, and is one step late
    where that is above the decimal: `decay_t=2.2` falls at step 12 there instead of 11.

    Args:
        lr: the optimizer's learning rate, >= 0.
        decay_t: steps between two falls, >= 1; fractions are allowed.
        decay_rate: the factor of each fall, from 0 to 1.
        warmup_t: steps of the warm-up; 0: none.
        warmup_lr_init: the rate of the first step of the warm-up.
        warmup_prefix: whether the staircase begins after the warm-up.

    Raises:
        ScheduleError: a value that breaks a rule above.
        ArgumentTypeError: a value of the wrong type.

    Source: timm 1.0.31, `timm.scheduler.StepLRScheduler`.

    Example:
        >>> import kosine as ks
        >>> plan = ks.dialects.timm.StepLRScheduler(1.0, decay_t=2.4, decay_rate=0.5).plan()
        >>> [plan(t) for t in range(6)]
        [1.0, 1.0, 1.0, 0.5, 0.5, 0.25]
    """
    peak, rate = read_lr(lr), read_at_least(decay_rate, "decay_rate", 0, 1)
    length = exact(read_at_least(decay_t, "decay_t", 1, 1e18))
    warm = _warmup(peak, warmup_t, warmup_lr_init)
    skip = 0 if read_flag(warmup_prefix, "warmup_prefix") else read_count(warmup_t, "warmup_t")
    if rate == 1 or peak == 0:
        return Schedule(*warm, for_ever(peak))
    parts: list[Part] = (
        [cycles(hold(length, start=peak), shrink=rate)] if rate else [hold(length, start=peak), for_ever(0.0)]
    )
    if length.denominator != 1 or skip:
        parts = [section(*parts, skip=skip, continuous=length.denominator != 1)]
    return Schedule(*warm, *parts)


def MultiStepLRScheduler(
    lr: float,
    decay_t: Sequence[int],
    decay_rate: float = 1.0,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = True,
) -> Schedule:
    """A fall at each milestone, as in timm 1.0.31: lr * decay_rate ** (number of milestones <= t + 1).

    So a milestone m falls at step m - 1, one step before PyTorch's MultiStepLR. The first `warmup_t` steps are a
    straight line from `warmup_lr_init` towards `lr` instead; with `warmup_prefix=True` t is counted from its end,
    with False from its start.

    Args:
        lr: the optimizer's learning rate, >= 0.
        decay_t: the milestones in steps, none below the one before it.
        decay_rate: the factor of each fall, >= 0.
        warmup_t: steps of the warm-up; 0: none.
        warmup_lr_init: the rate of the first step of the warm-up.
        warmup_prefix: whether the milestones are counted from the end of the warm-up.

    Raises:
        ScheduleError: milestones that are not sorted (timm's bisection would miss some), or a value that breaks a
            rule above.
        ArgumentTypeError: a value of the wrong type.

    Source: timm 1.0.31, `timm.scheduler.MultiStepLRScheduler`.

    Example:
        >>> import kosine as ks
        >>> plan = ks.dialects.timm.MultiStepLRScheduler(1.0, decay_t=[3, 5], decay_rate=0.5).plan()
        >>> [plan(t) for t in range(6)]
        [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """
    peak, rate = read_lr(lr), read_at_least(decay_rate, "decay_rate", 0)
    milestones = read_counts(decay_t, "decay_t", in_order=True)
    warm = _warmup(peak, warmup_t, warmup_lr_init)
    count = read_count(warmup_t, "warmup_t")
    origin = count if read_flag(warmup_prefix, "warmup_prefix") else 0
    firsts = [count, *(max(origin + milestone - 1, count) for milestone in milestones)]
    values = [scaled(peak, rate, falls, "decay_rate") for falls in range(len(firsts))]
    return Schedule(*warm, *stairs(firsts, values))


def WSDLRScheduler(
    lr: float,
    t_initial: int,
    decay_t: int,
    lr_min: float = 0.0,
    stable_fn: str = "constant",
    decay_fn: str = "1-sqrt",
    decay_power: float = 0.5,
    decay_ratio: float = 0.1,
    warmup_t: int = 0,
    warmup_lr_init: float = 0.0,
) -> Schedule:
    """Warm-up, stable, decay, as in timm 1.0.31.

    `warmup_t` steps of a straight line from `warmup_lr_init` towards `lr`, then `t_initial` steps of which the last
    `decay_t` fall to `lr_min`, which is held from there on. With u the part of the fall that is done, what remains of
    it is 1 - u ("linear"), 1 - sqrt(u) ("1-sqrt"), (1 + cos(pi u)) / 2 ("cosine"), 1 - u**decay_power ("power") or
    (r**u - r) / (1 - r) with r = `decay_ratio` ("exp").

    timm's other stable functions, "rsqrt" and "power", go on during the fall, so the rate is a product of two curves,
    which no phase is: they are an error here, and so are the arguments that only they read.

    Args:
        lr: the optimizer's learning rate, >= 0; below `lr_min` it is raised to it after the warm-up.
        t_initial: steps after the warm-up, >= 1.
        decay_t: steps of the fall, from 1 to `t_initial`.
        lr_min: the rate that the fall ends at.
        stable_fn: "constant".
        decay_fn: "linear", "1-sqrt", "cosine", "power" or "exp".
        decay_power: the exponent of "power", > 0 and at most 1000.
        decay_ratio: the ratio r of "exp", from 1e-30 to below 1.
        warmup_t: steps of the warm-up; 0: none.
        warmup_lr_init: the rate of the first step of the warm-up.

    Raises:
        ScheduleError: a value that breaks a rule above.
        ArgumentTypeError: a value of the wrong type.

    Source: timm 1.0.31, `timm.scheduler.WSDLRScheduler`; arXiv 2404.06395 and 2405.18392.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.timm.WSDLRScheduler(0.1, t_initial=90, decay_t=20, warmup_t=5)
        Schedule(linear(5, start=0.0, to=0.1), hold(70, start=0.1), one_minus_sqrt(20, to=0.0))
    """
    peak, floor = read_lr(lr), read_rate(lr_min, "lr_min")
    length, fall = read_count(t_initial, "t_initial", 1), read_count(decay_t, "decay_t", 1)
    if fall > length:
        raise ScheduleError(
            argument="decay_t", rule="at most `t_initial`", received={"decay_t": fall, "t_initial": length}
        )
    if stable_fn in ("rsqrt", "power"):
        raise ScheduleError(
            argument="stable_fn",
            rule='"constant": with the others timm multiplies two curves, which no phase is',
            received=stable_fn,
        )
    read_choice(stable_fn, "stable_fn", ["constant"])
    if callable(decay_fn):
        raise ArgumentTypeError(argument="decay_fn", rule="the name of a curve, not a function", received=decay_fn)
    name = read_choice(decay_fn, "decay_fn", ["linear", "1-sqrt", "cosine", "power", "exp"])
    power = read_above(decay_power, "decay_power", 0, 1000)
    ratio = read_at_least(decay_ratio, "decay_ratio", 1e-30, math.nextafter(1, 0))
    decays = {
        "linear": lambda: linear(fall, to=floor),
        "1-sqrt": lambda: one_minus_sqrt(fall, to=floor),
        "cosine": lambda: cosine(fall, to=floor),
        "power": lambda: polynomial(fall, to=floor, power=1.0, warp=power),
        "exp": lambda: exponential(fall, to=floor, base=1 / ratio),
    }
    return Schedule(
        *_warmup(peak, warmup_t, warmup_lr_init), hold(length - fall, start=max(peak, floor)), decays[name]()
    )


def _warmup(peak: float, warmup_t: int, warmup_lr_init: float) -> list[Phase]:
    return warm_up(read_count(warmup_t, "warmup_t"), read_rate(warmup_lr_init, "warmup_lr_init"), peak)


def _cyclic(
    curve: Callable[..., Phase],
    lr: float,
    t_initial: int,
    lr_min: float,
    cycle_mul: float,
    cycle_decay: float,
    cycle_limit: int,
    warmup_t: int,
    warmup_lr_init: float,
    warmup_prefix: bool,
    warmup_meets_curve: bool = False,
) -> Schedule:
    """What timm's cosine, polynomial and tanh schedulers share: cycles, and a warm-up before or over them."""
    peak, floor = read_lr(lr), read_rate(lr_min, "lr_min")
    period = read_count(t_initial, "t_initial", 1)
    stretch = read_at_least(cycle_mul, "cycle_mul", 1)
    decay = read_at_least(cycle_decay, "cycle_decay", 0)
    limit = read_count(cycle_limit, "cycle_limit")
    covered = 0 if read_flag(warmup_prefix, "warmup_prefix") else read_count(warmup_t, "warmup_t")
    parts = _cycles(curve, period, peak, floor, stretch, decay, limit)
    continuous = not stretch.is_integer()
    if covered or continuous:
        parts = [section(*parts, skip=covered, continuous=continuous)]
    target = Schedule(*parts).plan(total_steps=1)(0) if covered and warmup_meets_curve else peak
    return Schedule(*_warmup(target, warmup_t, warmup_lr_init), *parts)


def _cycles(
    curve: Callable[..., Phase], period: int, peak: float, floor: float, stretch: float, decay: float, limit: int
) -> list[Part]:
    """The cycles: a group while their peaks do not grow and stay above the floor, and from there on one by one."""
    below = bisect_left(range(limit), True, key=lambda cycle: peak * decay**cycle <= floor) if decay < 1 else limit
    grouped = 0 if decay > 1 or below < 2 else below
    last = below if floor == 0 else limit  # at a floor of 0 nothing is left of a peak that is not above it
    if last - grouped > MOST_SINGLE_CYCLES:
        raise ScheduleError(
            f"Argument `cycle_limit` must make at most {MOST_SINGLE_CYCLES:,} cycles that grow, or that "
            "start at or below `lr_min`.",
            received=Described(
                f"cycle_limit={limit:,}, cycle_decay={decay!r}, lr_min={floor!r}, which make {last - grouped:,}"
            ),
        )
    parts: list[Part] = []
    if grouped:
        count = None if never_ends(period, stretch, grouped) else grouped
        parts.append(cycles(curve(period, start=peak, to=floor), stretch=stretch, shrink=min(decay, 1.0), count=count))
        if count is None:
            return parts
    for cycle in range(grouped, last):
        start = scaled(peak, decay, cycle, "cycle_decay")
        parts.append(curve(period * exact(stretch) ** cycle, start=start, to=floor))
    return parts or [for_ever(floor)]


def __getattr__(name: str) -> NoReturn:
    raise no_such_name(
        __name__, name, __all__, {"PlateauLRScheduler": "It depends on the loss, so it is not a function of the step."}
    )
