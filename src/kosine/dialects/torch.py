# ruff: noqa: N802, N803  the names are torch's
"""The schedulers of `torch.optim.lr_scheduler` as schedules, with torch's own names, arguments and defaults.

Each gives the rate that torch's scheduler has set when the update of batch t (counted from 0) is made, where the
scheduler is stepped once after every batch. torch takes the base rate from the optimizer; here it is the argument
`lr`. Most of torch's schedulers compute each rate from the last one; these are the closed forms, without the drift.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NoReturn

from kosine._core.arguments import read_above, read_at_least, read_choice, read_count, read_counts, read_flag, read_rate
from kosine._core.curves.cosine import cosine
from kosine._core.curves.hold import hold
from kosine._core.curves.linear import linear
from kosine._core.curves.polynomial import polynomial
from kosine._core.groups import cycles, section
from kosine._core.phase import Phase
from kosine._core.schedule import Schedule
from kosine.dialects._parts import MOST_GROWTH, for_ever, joined, no_such_name, powers, read_lr, scaled, stairs
from kosine.errors import ScheduleError

__all__ = [
    "FOLLOWS",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "PolynomialLR",
    "SequentialLR",
    "StepLR",
    "one_cycle_momentum",
]

FOLLOWS = "torch 2.13.0"
"""The version whose rates these are."""


def CosineAnnealingLR(lr: float, T_max: int, eta_min: float = 0.0) -> Schedule:
    """`torch.optim.lr_scheduler.CosineAnnealingLR` of torch 2.13.0.

    eta_min + (lr - eta_min) (1 + cos(pi t / T_max)) / 2. It does not stop at `T_max`: the rate rises again to `lr` at
    2 T_max, falls again, and so on for ever.

    Args:
        lr: the optimizer's rate, at the first step.
        T_max: after how many steps `eta_min` is reached, >= 1.
        eta_min: the other end of the wave, >= 0.

    Raises:
        ScheduleError: a negative or non-finite rate, or a `T_max` below 1.
        ArgumentTypeError: a rate or factor that is not a number, or a `T_max` that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.torch.CosineAnnealingLR(0.1, T_max=90)
        Schedule(cycles(cosine(90, start=0.1, to=0.0), cosine(90, to=0.1)))
    """
    start, floor = read_lr(lr), read_rate(eta_min, "eta_min")
    steps = read_count(T_max, "T_max", 1)
    return Schedule(cycles(cosine(steps, start=start, to=floor), cosine(steps, to=start)))


def CosineAnnealingWarmRestarts(
    lr: float,
    T_0: int,
    T_mult: int = 1,
    eta_min: float = 0.0,
) -> Schedule:
    """`torch.optim.lr_scheduler.CosineAnnealingWarmRestarts` of torch 2.13.0.

    eta_min + (lr - eta_min) (1 + cos(pi T_cur / T_i)) / 2, where T_cur steps of the T_i of this cycle are done. The
    cycles never end.

    torch's `step()` finds each restart exactly, but `step(epoch)` does so by a logarithm, which at some restarts gives
    the floor instead of the peak (T_0=10, T_mult=10 at step 1110). The schedule has the peak there.

    Args:
        lr: the optimizer's rate, which every cycle begins at.
        T_0: the steps of the first cycle, >= 1.
        T_mult: the factor by which each cycle is longer than the last, an integer >= 1.
        eta_min: the rate that every cycle ends at, >= 0.

    Raises:
        ScheduleError: a negative or non-finite rate, or a `T_0` or `T_mult` below 1.
        ArgumentTypeError: a rate or factor that is not a number, or a `T_0` or `T_mult` that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.torch.CosineAnnealingWarmRestarts(0.05, T_0=10, T_mult=2)
        Schedule(cycles(cosine(10, start=0.05, to=0.0), stretch=2.0))
    """
    cycle = cosine(read_count(T_0, "T_0", 1), start=read_lr(lr), to=read_rate(eta_min, "eta_min"))
    return Schedule(cycles(cycle, stretch=read_count(T_mult, "T_mult", 1)))


def LinearLR(lr: float, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5) -> Schedule:
    """`torch.optim.lr_scheduler.LinearLR` of torch 2.13.0.

    lr (start_factor + (end_factor - start_factor) t / total_iters), and lr * end_factor from `total_iters` on.

    Args:
        lr: the optimizer's rate.
        start_factor: what it is multiplied with at the first step, in (0, 1].
        end_factor: what it is multiplied with in the end, in [0, 1].
        total_iters: after how many steps the end is reached. With 0 torch never gets there: the rate stays at
            lr * start_factor.

    Raises:
        ScheduleError: a negative or non-finite rate, a factor out of range, or a negative `total_iters`.
        ArgumentTypeError: a rate or factor that is not a number, or a `total_iters` that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.torch.LinearLR(0.1, start_factor=0.5, total_iters=4)
        Schedule(linear(4, start=0.05, to=0.1))
    """
    base, steps = read_lr(lr), read_count(total_iters, "total_iters")
    first = base * read_above(start_factor, "start_factor", 0, 1)
    last = base * read_at_least(end_factor, "end_factor", 0, 1)
    return Schedule(linear(steps, start=first, to=last)) if steps else Schedule(hold(start=first))


def ConstantLR(lr: float, factor: float = 1 / 3, total_iters: int = 5) -> Schedule:
    """`torch.optim.lr_scheduler.ConstantLR` of torch 2.13.0.

    lr * factor for `total_iters` steps, then lr.

    Args:
        lr: the optimizer's rate.
        factor: what it is multiplied with at first, in (0, 1]. torch takes 0 too, and divides by it later.
        total_iters: for how many steps. With 0 torch never undoes the factor: the rate stays at lr * factor.

    Raises:
        ScheduleError: a negative or non-finite rate, a factor outside (0, 1], or a negative `total_iters`.
        ArgumentTypeError: a rate or factor that is not a number, or a `total_iters` that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.torch.ConstantLR(0.1, factor=0.5, total_iters=4)
        Schedule(hold(4, start=0.05), section(hold(start=0.1)))
    """
    base, steps = read_lr(lr), read_count(total_iters, "total_iters")
    first = base * read_above(factor, "factor", 0, 1)
    return Schedule(hold(steps, start=first), for_ever(base)) if steps else Schedule(hold(start=first))


def PolynomialLR(lr: float, total_iters: int = 5, power: float = 1.0) -> Schedule:
    """`torch.optim.lr_scheduler.PolynomialLR` of torch 2.13.0.

    lr (1 - t / total_iters) ** power, and 0 from `total_iters` on.

    Args:
        lr: the optimizer's rate, at the first step.
        total_iters: after how many steps 0 is reached. With 0 torch never decays: the rate stays at `lr`.
        power: the exponent, > 0 and at most 1000.

    Raises:
        ScheduleError: a negative or non-finite rate, a power out of range, or a negative `total_iters`.
        ArgumentTypeError: a rate or factor that is not a number, or a `total_iters` that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.torch.PolynomialLR(0.1, total_iters=50, power=0.9)
        Schedule(polynomial(50, start=0.1, to=0.0, power=0.9))
    """
    base, steps = read_lr(lr), read_count(total_iters, "total_iters")
    exponent = read_above(power, "power", 0, 1000)
    if not steps:
        return Schedule(hold(start=base))
    return Schedule(polynomial(steps, start=base, to=0.0, power=exponent))


def ExponentialLR(lr: float, gamma: float) -> Schedule:
    """`torch.optim.lr_scheduler.ExponentialLR` of torch 2.13.0.

    lr * gamma ** t, for ever.

    Args:
        lr: the optimizer's rate, at the first step.
        gamma: what the rate is multiplied with after every step, from 0 to 1e29. Above 1 the rate grows, up to
            1e29 times `lr` at most, where it stays, while torch's goes on to infinity.

    Raises:
        ScheduleError: a negative or non-finite rate, or a `gamma` out of range.
        ArgumentTypeError: a rate that is not a number.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.torch.ExponentialLR(0.1, gamma=0.95)
        Schedule(section(exponential(start=0.1, factor=0.95)))
    """
    return StepLR(lr, 1, gamma)


def StepLR(lr: float, step_size: int, gamma: float = 0.1) -> Schedule:
    """`torch.optim.lr_scheduler.StepLR` of torch 2.13.0.

    lr * gamma ** (t // step_size), for ever.

    Args:
        lr: the optimizer's rate, at the first step.
        step_size: how many steps each rate lasts, >= 1.
        gamma: what the rate is multiplied with after them, from 0 to 1e29. Above 1 the rate grows, up to 1e29 times
            `lr` at most, where it stays, while torch's goes on to infinity.

    Raises:
        ScheduleError: a negative or non-finite rate, a `step_size` below 1, or a `gamma` out of range.
        ArgumentTypeError: a rate or factor that is not a number, or a `step_size` that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.torch.StepLR(0.1, step_size=30)
        Schedule(section(exponential(start=0.1, factor=0.1), tick=30))
    """
    base, steps = read_lr(lr), read_count(step_size, "step_size", 1)
    factor = read_at_least(gamma, "gamma", 0, MOST_GROWTH)
    if factor == 0:
        return Schedule(hold(steps, start=base), for_ever(0.0))
    if factor == 1 or base == 0:
        return Schedule(hold(start=base))
    return Schedule(powers(base, factor, steps, staircase=True))


def MultiStepLR(lr: float, milestones: Iterable[int], gamma: float = 0.1) -> Schedule:
    """`torch.optim.lr_scheduler.MultiStepLR` of torch 2.13.0.

    lr * gamma ** n, where n milestones are at or before step t; after the last one the rate stays.

    Args:
        lr: the optimizer's rate.
        milestones: the steps >= 0 at which the rate is multiplied with `gamma`, in any order. One that is given twice
            counts twice.
        gamma: the factor, >= 0.

    Raises:
        ScheduleError: a negative or non-finite rate, a negative `gamma`, or a negative milestone.
        ArgumentTypeError: a rate or factor that is not a number, or a milestone that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.torch.MultiStepLR(0.5, milestones=[30, 80], gamma=0.5)
        Schedule(hold(30, start=0.5), hold(50, start=0.25), section(hold(start=0.125)))
    """
    base, factor = read_lr(lr), read_at_least(gamma, "gamma", 0)
    firsts = [0, *sorted(read_counts(milestones, "milestones"))]
    return Schedule(*stairs(firsts, [scaled(base, factor, falls, "gamma") for falls in range(len(firsts))]))


def OneCycleLR(
    max_lr: float,
    total_steps: int | None = None,
    epochs: int | None = None,
    steps_per_epoch: int | None = None,
    pct_start: float = 0.3,
    anneal_strategy: str = "cos",
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
) -> Schedule:
    """`torch.optim.lr_scheduler.OneCycleLR` of torch 2.13.0, its rate; `one_cycle_momentum` is its momentum.

    From max_lr / div_factor up to `max_lr` at step pct_start * N - 1, where N is the number of steps; then down to
    max_lr / div_factor / final_div_factor at step N - 1. With `three_phase` down to max_lr / div_factor at step
    2 pct_start N - 2, and from there to the end. These steps are fractions, so that the rate may pass its peak between
    two steps; where the first of them is negative, the schedule begins on its way down.

    torch has no rate after step N: it raises an error. (At step N it returns one from beyond the end of the last
    curve, which no update is meant to use.) The schedule keeps the last rate.

    Args:
        max_lr: the peak.
        total_steps: the number of steps N, >= 1; or give the next two.
        epochs: used where `total_steps` is None: N = epochs * steps_per_epoch.
        steps_per_epoch: the steps of an epoch.
        pct_start: the share of the steps in which the rate rises, from 0 to 1.
        anneal_strategy: "cos" or "linear", the curve of every phase.
        div_factor: how many times lower than `max_lr` the rate begins, > 0.
        final_div_factor: how many times lower than it began the rate ends, > 0.
        three_phase: whether the fall stops over at the rate of the beginning.

    Raises:
        ScheduleError: no number of steps or one below 1, a negative or non-finite rate, a `pct_start` outside [0, 1],
            an unknown strategy, a divisor that is not positive; or pct_start * N = 1, where torch divides by 0.
        ArgumentTypeError: a rate that is not a number, a number of steps that is not an integer, or a `three_phase`
            that is not a bool.

    Example:
        >>> import kosine as ks
        >>> plan = ks.dialects.torch.OneCycleLR(1.0, total_steps=12).plan()
        >>> round(max(plan(t) for t in range(12)), 4)
        0.9944
    """
    peak = read_rate(max_lr, "max_lr")
    initial = peak / read_above(div_factor, "div_factor", 0)
    final = initial / read_above(final_div_factor, "final_div_factor", 0)
    values = [initial, peak, initial, final] if read_flag(three_phase, "three_phase") else [initial, peak, final]
    return _one_cycle(values, _one_cycle_steps(total_steps, epochs, steps_per_epoch), pct_start, anneal_strategy)


def one_cycle_momentum(
    total_steps: int | None = None,
    epochs: int | None = None,
    steps_per_epoch: int | None = None,
    pct_start: float = 0.3,
    anneal_strategy: str = "cos",
    base_momentum: float = 0.85,
    max_momentum: float = 0.95,
    three_phase: bool = False,
) -> Schedule:
    """`torch.optim.lr_scheduler.OneCycleLR` of torch 2.13.0, its momentum (the first beta of Adam).

    From `max_momentum` down to `base_momentum` while the rate rises, then back up; with `three_phase` it stays there in
    the third phase. The phases and their curves are those of `OneCycleLR`. torch cycles the momentum by default
    (`cycle_momentum=True`): a schedule of `OneCycleLR` needs this one beside it to train as torch does.

    Args:
        total_steps: as in `OneCycleLR`; so are the next four.
        epochs: the epochs.
        steps_per_epoch: the steps of an epoch.
        pct_start: the share of the steps in which the momentum falls.
        anneal_strategy: "cos" or "linear".
        base_momentum: the momentum where the rate has its peak, >= 0.
        max_momentum: the momentum at the beginning and at the end, >= 0.
        three_phase: as in `OneCycleLR`.

    Raises:
        ScheduleError: a negative or non-finite momentum, or what `OneCycleLR` refuses.
        ArgumentTypeError: a momentum that is not a number, or what `OneCycleLR` refuses.

    Example:
        >>> import kosine as ks
        >>> plan = ks.dialects.torch.one_cycle_momentum(total_steps=11, pct_start=0.5, anneal_strategy="linear").plan()
        >>> plan(0), round(plan(3), 4), round(plan(10), 4)
        (0.95, 0.8833, 0.95)
    """
    high, low = read_rate(max_momentum, "max_momentum"), read_rate(base_momentum, "base_momentum")
    values = [high, low, high, high] if read_flag(three_phase, "three_phase") else [high, low, high]
    return _one_cycle(values, _one_cycle_steps(total_steps, epochs, steps_per_epoch), pct_start, anneal_strategy)


def _one_cycle(values: Sequence[float], steps: int, pct_start: float, anneal_strategy: str) -> Schedule:
    """The phases of a cycle through these values, the last of them at the step `steps` - 1."""
    share = read_at_least(pct_start, "pct_start", 0, 1)
    curve = cosine if read_choice(anneal_strategy, "anneal_strategy", ["cos", "linear"]) == "cos" else linear
    if math.isclose(share * steps, 1, rel_tol=1e-12):
        raise ScheduleError(
            "Argument `pct_start` must not be 1 / total_steps: the rise would last no step, and torch divides by that.",
            received={"pct_start": share, "total_steps": steps},
            fix="Use `pct_start=0.0` to begin at the peak.",
        )
    stops = [share * steps - 1, 2 * share * steps - 2][: len(values) - 2]
    turns = list(zip([*stops, float(steps - 1)], values, values[1:], strict=False))
    begin = 0.0
    if share * steps < 1:  # only the last curve is left, and it began before the first step
        begin = turns[-2][0]
        turns = turns[-1:]
    parts: list[Phase] = []
    position = begin
    for stop, start, to in turns:
        if position < steps - 1:
            parts.append(curve(_position(stop) - _position(position), start=start, to=to))
            position = stop
    if position > steps - 1:  # the run ends before the curve does
        return Schedule(section(*parts, duration=steps - 1, continuous=True))
    if begin == 0 and all(_position(stop).denominator == 1 for stop, _, _ in turns):
        return Schedule(*parts)
    return Schedule(section(*parts, skip=-_position(begin), continuous=True))


def _one_cycle_steps(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is not None:
        return read_count(total_steps, "total_steps", 1)
    if epochs is None or steps_per_epoch is None:
        raise ScheduleError(
            "`OneCycleLR` needs `total_steps`, or both `epochs` and `steps_per_epoch`.",
            received={"total_steps": None, "epochs": epochs, "steps_per_epoch": steps_per_epoch},
        )
    return read_count(epochs, "epochs", 1) * read_count(steps_per_epoch, "steps_per_epoch", 1)


def _position(step: float) -> Fraction:
    """The end of a phase as torch computes it, but for its last digits: 2.6 for 0.3 * 12 - 1 = 2.5999999999999996."""
    return Fraction(int(step)) if step.is_integer() else Fraction(f"{step:.15g}")


def SequentialLR(schedules: Sequence[Schedule], milestones: Iterable[int]) -> Schedule:
    """`torch.optim.lr_scheduler.SequentialLR` of torch 2.13.0.

    The first schedule up to the first milestone; from there on the second, whose first step the milestone is; and so
    on. A milestone of 0 leaves the first schedule out, and the second of two equal milestones the one between them.

    torch takes the same base rate, the optimizer's, for every scheduler: give each schedule the same `lr`. A OneCycleLR
    that torch is given last sets that rate to max_lr / div_factor, for the others, too. And in torch a LinearLR or
    ConstantLR with total_iters=0 works otherwise when it begins at a milestone: it divides by 0, or has the rate `lr`.
    Here it is what it is on its own.

    Args:
        schedules: the schedules, each made by a function of this module, or any other that needs no run length.
        milestones: the steps at which the second schedule, the third, and so on begin; none below the last.

    Raises:
        ScheduleError: no schedule, a number of milestones that is not one less than the number of schedules, or a
            milestone that is negative or below the last one.
        ArgumentTypeError: a part that is not a schedule, or a milestone that is not an integer.

    Example:
        >>> import kosine as ks
        >>> warmup = ks.dialects.torch.LinearLR(0.1, start_factor=0.5, total_iters=4)
        >>> annealing = ks.dialects.torch.CosineAnnealingLR(0.1, T_max=90)
        >>> plan = ks.dialects.torch.SequentialLR([warmup, annealing], milestones=[4]).plan()
        >>> plan(0), plan(4), plan(94)
        (0.05, 0.1, 0.0)
    """
    return joined(schedules, milestones, "milestones")


def __getattr__(name: str) -> NoReturn:
    function = "It takes any Python function, which is not a value: write its curve with kosine's."
    absent = {
        "ReduceLROnPlateau": "It depends on the loss, so it is not a function of the step.",
        "LambdaLR": function,
        "MultiplicativeLR": function,
        "CyclicLR": "Write `cycles(linear(up, start=low, to=high), linear(down, to=low))`.",
        "ChainedScheduler": "It multiplies schedulers: write the product as the phases of one schedule.",
    }
    raise no_such_name(__name__, name, __all__, absent)
