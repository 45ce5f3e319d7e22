# ruff: noqa: N802  the names are DeepSpeed's
"""DeepSpeed's schedulers, with the names, arguments and defaults of `deepspeed.runtime.lr_schedules`.

Each gives the rate of update t (counted from 0), as DeepSpeed's engine applies it: it advances its scheduler by one
after every update. An update that overflows in float16 is skipped, and so is that step of the scheduler. The arguments
are those of "scheduler": {"params": {...}} in DeepSpeed's configuration.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import NoReturn

from kosine._core.arguments import read_at_least, read_choice, read_count, read_flag, read_rate
from kosine._core.curves.cosine import cosine
from kosine._core.curves.hold import hold
from kosine._core.curves.inverse import inverse_time
from kosine._core.curves.linear import linear
from kosine._core.curves.logarithm import logarithm
from kosine._core.groups import Part, section
from kosine._core.numbers import MAX_STEPS, exact
from kosine._core.schedule import Schedule
from kosine.dialects._parts import MOST_SINGLE_CYCLES, for_ever, no_such_name, read_lr, scaled
from kosine.errors import ScheduleError

__all__ = ["FOLLOWS", "LRRangeTest", "OneCycle", "WarmupCosineLR", "WarmupDecayLR", "WarmupLR"]

FOLLOWS = "deepspeed 0.19.8"
"""The version whose rates these are."""

_MOST_INTERVALS = 10**6
"""How many intervals of a range test are followed: no run lasts as long, and a line for ever cannot be written."""


def WarmupLR(
    *,
    warmup_max_lr: float,
    warmup_min_lr: float = 0.0,
    warmup_num_steps: int = 1000,
    warmup_type: str = "log",
) -> Schedule:
    """`WarmupLR` of deepspeed 0.19.8: a warm-up, then a constant rate.

    With W = max(2, `warmup_num_steps`) and delta = warmup_max_lr - warmup_min_lr:

        t = 0             warmup_min_lr
        log, t <= W       warmup_min_lr + delta log(t) / log(W)
        linear, t <= W    warmup_min_lr + delta (t - 1) / W
        W < t             warmup_max_lr

    So the updates 0 and 1 both have `warmup_min_lr`, and the logarithm is at its peak one update before the line.

    Args:
        warmup_max_lr: the rate that the warm-up ends at; where a configuration lacks it, the optimizer's.
        warmup_min_lr: the rate that it begins at.
        warmup_num_steps: how long it lasts, >= 1; 1 counts as 2.
        warmup_type: "log", which is DeepSpeed's default, or "linear".

    Raises:
        ScheduleError: a negative or non-finite rate, a number of steps below 1, or an unknown type (DeepSpeed takes
            "log" for that).
        ArgumentTypeError: a rate that is not a number, or a number of steps that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.deepspeed.WarmupLR(warmup_max_lr=3e-4, warmup_num_steps=500)
        Schedule(hold(1, start=0.0), logarithm(499, to=0.0003, base=500.0))
        >>> ks.dialects.deepspeed.WarmupLR(warmup_max_lr=3e-4, warmup_num_steps=500, warmup_type="linear")
        Schedule(hold(1, start=0.0), linear(500, to=0.0003))
    """
    low, high = read_rate(warmup_min_lr, "warmup_min_lr"), read_rate(warmup_max_lr, "warmup_max_lr")
    return Schedule(*_warmup(low, low, high, _length(warmup_num_steps), _type(warmup_type)))


def WarmupDecayLR(
    *,
    total_num_steps: int,
    warmup_min_lr: float = 0.0,
    warmup_max_lr: float = 0.001,
    warmup_num_steps: int = 1000,
    warmup_type: str = "log",
) -> Schedule:
    """`WarmupDecayLR` of deepspeed 0.19.8: a warm-up, then a line to `warmup_min_lr`.

    The warm-up is that of `WarmupLR`. With N = `total_num_steps`, from update W + 1 on the rate is
    warmup_min_lr + (warmup_max_lr - warmup_min_lr) (N + 1 - t) / (N - W), which comes to `warmup_min_lr` at N + 1, two
    updates after the last. Where N is at most W, it is `warmup_min_lr` from W + 1 on.

    Args:
        total_num_steps: the number N of all updates, >= 1.
        warmup_min_lr: the rate at both ends.
        warmup_max_lr: the rate that the warm-up ends at.
        warmup_num_steps: how long the warm-up lasts, >= 1; 1 counts as 2.
        warmup_type: "log", which is DeepSpeed's default, or "linear".

    Raises:
        ScheduleError: a negative or non-finite rate, a number of steps below 1, or an unknown type.
        ArgumentTypeError: a rate that is not a number, or a number of steps that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.deepspeed.WarmupDecayLR(total_num_steps=5000, warmup_num_steps=500, warmup_type="linear")
        Schedule(hold(1, start=0.0), linear(500, to=0.001), linear(4500, to=0.0))
    """
    low, high = read_rate(warmup_min_lr, "warmup_min_lr"), read_rate(warmup_max_lr, "warmup_max_lr")
    total, warmup = read_count(total_num_steps, "total_num_steps", 1), _length(warmup_num_steps)
    kind = _type(warmup_type)
    rise = _warmup(low, low, high, warmup, kind)
    if kind == "log":
        rise.append(hold(1, start=high))  # the update at which the line is at its peak
    if total <= warmup:
        return Schedule(*rise, for_ever(low))
    return Schedule(*rise, linear(total - warmup, to=low))


def WarmupCosineLR(
    lr: float,
    *,
    total_num_steps: int,
    warmup_min_ratio: float = 0.0,
    warmup_num_steps: int = 1000,
    cos_min_ratio: float = 0.0001,
    warmup_type: str = "log",
) -> Schedule:
    """`WarmupCosineLR` of deepspeed 0.19.8: a warm-up, then a cosine to lr * cos_min_ratio.

    Update 0 has the rate 0. After it the warm-up is that of `WarmupLR`, from lr * warmup_min_ratio to `lr`. With
    N = `total_num_steps`, a = `cos_min_ratio` and u = (t - W) / max(1, N - W), from update W + 1 on the rate is
    lr (a + (1 - a) (1 + cos(pi u)) / 2), and lr * a from update N on. With a linear warm-up no update has `lr`: the
    cosine has begun one update before.

    Args:
        lr: the optimizer's rate, the peak.
        total_num_steps: the number N of all updates, >= 1.
        warmup_min_ratio: the rate of update 1 divided by `lr`, >= 0.
        warmup_num_steps: how long the warm-up lasts, >= 1; 1 counts as 2.
        cos_min_ratio: the rate in the end divided by `lr`, >= 0.
        warmup_type: "log", which is DeepSpeed's default, or "linear".

    Raises:
        ScheduleError: a negative or non-finite rate or ratio, a number of steps below 1, or an unknown type.
        ArgumentTypeError: a rate that is not a number, or a number of steps that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.deepspeed.WarmupCosineLR(1e-3, total_num_steps=5000, warmup_num_steps=500, cos_min_ratio=0.1)
        Schedule(hold(1, start=0.0), logarithm(499, to=0.001, base=500.0), cosine(4500, to=0.0001))
    """
    peak, total, warmup = read_lr(lr), read_count(total_num_steps, "total_num_steps", 1), _length(warmup_num_steps)
    low = peak * read_at_least(warmup_min_ratio, "warmup_min_ratio", 0)
    floor = peak * read_at_least(cos_min_ratio, "cos_min_ratio", 0)
    kind = _type(warmup_type)
    rise = _warmup(0.0, low, peak, warmup, kind)
    if total <= warmup + (kind == "linear"):
        return Schedule(*rise, *([hold(1, start=peak)] if kind == "log" else []), for_ever(floor))
    if kind == "log":
        return Schedule(*rise, cosine(total - warmup, to=floor))
    return Schedule(*rise, section(cosine(total - warmup, start=peak, to=floor), skip=1))


def OneCycle(
    *,
    cycle_min_lr: float,
    cycle_max_lr: float,
    decay_lr_rate: float = 0.0,
    cycle_first_step_size: int = 2000,
    cycle_second_step_size: int | None = None,
    cycle_first_stair_count: int = 0,
    cycle_second_stair_count: int | None = None,
    decay_step_size: int = 0,
) -> Schedule:
    """`OneCycle` of deepspeed 0.19.8, its rate: up, down, and a decay below the rate of the beginning.

    With F and S the two step sizes: a line from `cycle_min_lr` to `cycle_max_lr` at update F, and one back to update
    F + S; then cycle_min_lr / (1 + decay_lr_rate (t - F - S) / decay_step_size), for ever. A stair count makes stairs
    of a line: that many levels below `cycle_max_lr`, which the rate has at update F.

    By default DeepSpeed cycles the first beta of Adam, too (`cycle_momentum`); this is the rate.

    Args:
        cycle_min_lr: the rate at the beginning of the cycle and at its end.
        cycle_max_lr: the rate in the middle, at least `cycle_min_lr`.
        decay_lr_rate: how fast the rate falls after the cycle, >= 0; 0: not at all.
        cycle_first_step_size: how many updates F the rise lasts, >= 1.
        cycle_second_step_size: how many updates S the fall lasts, >= 0; F if None.
        cycle_first_stair_count: how many stairs the rise has, at most 1,000; 0: it is a line.
        cycle_second_stair_count: how many stairs the fall has; those of the rise if None.
        decay_step_size: the interval of `decay_lr_rate` in updates; 0: no decay.

    Raises:
        ScheduleError: a negative or non-finite rate, a `cycle_max_lr` below `cycle_min_lr`, or a number out of range.
        ArgumentTypeError: a rate that is not a number, or a number of steps or stairs that is not an integer.

    Example:
        >>> import kosine as ks
        >>> lr = ks.dialects.deepspeed.OneCycle(cycle_min_lr=1e-4, cycle_max_lr=1e-3, cycle_first_step_size=500)
        >>> lr
        Schedule(linear(500, start=0.0001, to=0.001), linear(500, start=0.001, to=0.0001), section(hold(start=0.0001)))
    """
    low, high = read_rate(cycle_min_lr, "cycle_min_lr"), read_rate(cycle_max_lr, "cycle_max_lr")
    if high < low:
        raise ScheduleError(
            argument="cycle_max_lr",
            rule="at least `cycle_min_lr`",
            received={"cycle_max_lr": cycle_max_lr, "cycle_min_lr": cycle_min_lr},
        )
    first = read_count(cycle_first_step_size, "cycle_first_step_size", 1)
    second = first
    if cycle_second_step_size is not None:
        second = read_count(cycle_second_step_size, "cycle_second_step_size")
    up = _stairs(cycle_first_stair_count, "cycle_first_stair_count")
    down = up
    if cycle_second_stair_count is not None:
        down = _stairs(cycle_second_stair_count, "cycle_second_stair_count")
    interval, rate = read_count(decay_step_size, "decay_step_size"), read_at_least(decay_lr_rate, "decay_lr_rate", 0)
    rise = _rising(low, high, first, up) if up else [linear(first, start=low, to=high)]
    fall: list[Part] = []
    if second:
        fall = _falling(low, high, second, down) if down else [linear(second, start=high, to=low)]
    rest: Part = for_ever(low)
    if interval and rate and low:
        rest = section(inverse_time(start=low, timescale=f"{Fraction(interval) / exact(rate)}st"))
    return Schedule(*rise, *fall, rest)


def LRRangeTest(
    *,
    lr_range_test_min_lr: float = 1e-3,
    lr_range_test_step_size: int = 2000,
    lr_range_test_step_rate: float = 1.0,
    lr_range_test_staircase: bool = False,
) -> Schedule:
    """`LRRangeTest` of deepspeed 0.19.8: min_lr (1 + step_rate * t / step_size), a line for a range test.

    With `lr_range_test_staircase` the quotient is rounded down. The line ends after a million intervals of `step_size`.

    Args:
        lr_range_test_min_lr: the rate of the first update.
        lr_range_test_step_size: the interval in updates, >= 1.
        lr_range_test_step_rate: by how many times `lr_range_test_min_lr` the rate grows in one interval, >= 0.
        lr_range_test_staircase: whether it grows at the end of each interval, and not in between.

    Raises:
        ScheduleError: a negative or non-finite rate, or a number of steps below 1.
        ArgumentTypeError: a rate that is not a number, a number of steps that is not an integer, or a staircase that is
            not a bool.

    Example:
        >>> import kosine as ks
        >>> plan = ks.dialects.deepspeed.LRRangeTest(lr_range_test_step_size=200).plan(total_steps=1000)
        >>> plan(0), plan(200), round(plan(500), 9)
        (0.001, 0.002, 0.0035)
    """
    low = read_rate(lr_range_test_min_lr, "lr_range_test_min_lr")
    size = read_count(lr_range_test_step_size, "lr_range_test_step_size", 1)
    rate = read_at_least(lr_range_test_step_rate, "lr_range_test_step_rate", 0)
    stairs = read_flag(lr_range_test_staircase, "lr_range_test_staircase")
    intervals = min(_MOST_INTERVALS, max(1, MAX_STEPS // (2 * size)))
    high = scaled(low, 1 + rate * intervals, 1, "lr_range_test_step_rate")
    if high == low:
        return Schedule(hold(start=low))
    if stairs:
        return Schedule(section(linear(intervals, start=low, to=high), tick=size))
    return Schedule(linear(intervals * size, start=low, to=high))


def _type(warmup_type: str) -> str:
    return read_choice(warmup_type, "warmup_type", ("log", "linear"))


def _length(warmup_num_steps: int) -> int:
    return max(2, read_count(warmup_num_steps, "warmup_num_steps", 1))


def _warmup(first: float, low: float, high: float, steps: int, kind: str) -> list[Part]:
    """The update before the scheduler is stepped, and the warm-up; with "log" it ends one update early."""
    start = None if first == low else low
    if kind == "linear":
        return [hold(1, start=first), linear(steps, start=start, to=high)]
    return [hold(1, start=first), logarithm(steps - 1, start=start, to=high, base=steps)]


def _stairs(count: int, argument: str) -> int:
    stairs = read_count(count, argument)
    if stairs > MOST_SINGLE_CYCLES:
        raise ScheduleError(argument=argument, rule=f"at most {MOST_SINGLE_CYCLES:,}", received=count)
    return stairs


def _rising(low: float, high: float, steps: int, stairs: int) -> list[Part]:
    """After t steps floor(t stairs / steps) stairs are climbed."""
    firsts = [-(-index * steps // stairs) for index in range(stairs)]
    return _levels([*firsts, steps], [low + (high - low) * index / stairs for index in range(stairs)])


def _falling(low: float, high: float, steps: int, stairs: int) -> list[Part]:
    """After t steps floor((steps - t) stairs / steps) stairs are left, so that the top lasts one step."""
    firsts = [0, *(index * steps // stairs + 1 for index in range(stairs)), steps]
    return _levels(firsts, [high - (high - low) * index / stairs for index in range(stairs + 1)])


def _levels(firsts: list[int], rates: list[float]) -> list[Part]:
    """Level rates, each from its own step on; the last step of the list is the end."""
    lengths = [later - first for first, later in pairwise(firsts)]
    return [hold(length, start=rate) for length, rate in zip(lengths, rates, strict=True) if length]


def __getattr__(name: str) -> NoReturn:
    raise no_such_name(__name__, name, __all__, {})
