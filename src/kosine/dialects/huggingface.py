"""The schedules that Hugging Face's `transformers.get_scheduler` knows by name, with its own arguments and defaults.

Each gives the rate of the update of batch t (counted from 0), where the scheduler is stepped once after every batch.
Hugging Face takes the base rate from the optimizer; here it is the argument `lr`. W = `num_warmup_steps` and
N = `num_training_steps` below. "reduce_lr_on_plateau" and "greedy" depend on the loss, so they are not schedules.
"""

from __future__ import annotations

from typing import Any

from kosine._core import curves
from kosine._core.arguments import read_above, read_at_least, read_choice, read_count, read_rate
from kosine._core.groups import Part, cycles, section
from kosine._core.phase import Phase
from kosine._core.schedule import Schedule
from kosine.dialects._parts import (
    cosine_waves,
    for_ever,
    no_such_name,
    number_of_waves,
    read_lr,
    warm_up,
    wave_period,
)
from kosine.errors import Described, ScheduleError

__all__ = [
    "FOLLOWS",
    "constant",
    "constant_with_warmup",
    "cosine",
    "cosine_warmup_with_min_lr",
    "cosine_with_min_lr",
    "cosine_with_restarts",
    "inverse_sqrt",
    "linear",
    "polynomial",
    "warmup_stable_decay",
]

FOLLOWS = "transformers 5.23.0"
"""The version whose rates these are."""

_CURVES = ("linear", "cosine", "1-sqrt")


def constant(lr: float) -> Schedule:
    """`get_constant_schedule` of transformers 5.23.0: the optimizer's rate at every step.

    Args:
        lr: the optimizer's rate.

    Raises:
        ScheduleError: a negative or non-finite rate.
        ArgumentTypeError: a rate that is not a number.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.huggingface.constant(5e-5)
        Schedule(hold(start=5e-05))
    """
    return Schedule(curves.hold(start=read_lr(lr)))


def constant_with_warmup(lr: float, num_warmup_steps: int) -> Schedule:
    """`get_constant_schedule_with_warmup` of transformers 5.23.0.

    lr t / W before step W, then lr.

    Args:
        lr: the optimizer's rate, the peak.
        num_warmup_steps: the step W at which it is reached; 0: no warm-up.

    Raises:
        ScheduleError: a negative or non-finite rate, or a negative number of steps.
        ArgumentTypeError: a rate that is not a number, or a number of steps that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.huggingface.constant_with_warmup(5e-5, num_warmup_steps=500)
        Schedule(linear(500, start=0.0, to=5e-05), section(hold(start=5e-05)))
    """
    peak = read_lr(lr)
    return Schedule(*warm_up(read_count(num_warmup_steps, "num_warmup_steps"), 0.0, peak), for_ever(peak))


def linear(lr: float, num_warmup_steps: int, num_training_steps: int) -> Schedule:
    """`get_linear_schedule_with_warmup` of transformers 5.23.0.

    lr t / W before step W, then lr (N - t) / (N - W), and 0 from step N on. Where N <= W the rate is 0 from step W on,
    so that it never reaches `lr`.

    Args:
        lr: the optimizer's rate, the peak.
        num_warmup_steps: the step W at which it is reached; 0: no warm-up.
        num_training_steps: the step N at which 0 is reached, >= 1.

    Raises:
        ScheduleError: a negative or non-finite rate, or a number of steps out of range.
        ArgumentTypeError: a rate that is not a number, or a number of steps that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.huggingface.linear(5e-5, num_warmup_steps=500, num_training_steps=10_000)
        Schedule(linear(500, start=0.0, to=5e-05), linear(9500, start=5e-05, to=0.0))
    """
    peak, warmup, decay = _run(lr, num_warmup_steps, num_training_steps)
    if decay < 1:
        return Schedule(*warm_up(warmup, 0.0, peak), for_ever(0.0))
    return Schedule(*warm_up(warmup, 0.0, peak), curves.linear(decay, start=peak, to=0.0))


def cosine(lr: float, num_warmup_steps: int, num_training_steps: int, num_cycles: float = 0.5) -> Schedule:
    """`get_cosine_schedule_with_warmup` of transformers 5.23.0.

    lr t / W before step W, then lr (1 + cos(2 pi num_cycles (t - W) / max(1, N - W))) / 2, for ever: after step N the
    wave goes on, which with half a cycle means that the rate rises again.

    Args:
        lr: the optimizer's rate, the peak.
        num_warmup_steps: the step W at which it is reached; 0: no warm-up.
        num_training_steps: the step N at which the waves end, >= 1.
        num_cycles: how many waves, >= 0; half a wave is one fall.

    Raises:
        ScheduleError: a negative or non-finite rate, or a number of steps or waves out of range.
        ArgumentTypeError: a rate that is not a number, or a number of steps that is not an integer.

    Example:
        >>> import kosine as ks
        >>> plan = ks.dialects.huggingface.cosine(1.0, num_warmup_steps=10, num_training_steps=50).plan()
        >>> plan(5), plan(10), round(plan(30), 9), plan(50), plan(90)
        (0.5, 1.0, 0.5, 0.0, 1.0)
    """
    return cosine_with_min_lr(lr, num_warmup_steps, num_training_steps, num_cycles, min_lr_rate=0.0)


def cosine_with_restarts(lr: float, num_warmup_steps: int, num_training_steps: int, num_cycles: float = 1) -> Schedule:
    """`get_cosine_with_hard_restarts_schedule_with_warmup` of transformers 5.23.0.

    lr t / W before step W, then lr (1 + cos(pi c)) / 2, where c is the part after the decimal point of
    num_cycles (t - W) / max(1, N - W), and 0 from step N on.

    Hugging Face computes c in floats, which at some restarts gives almost 1, and the floor instead of the peak (W = 0,
    N = 44, num_cycles=22, at step 30). The schedule has the peak there.

    Args:
        lr: the optimizer's rate, the peak.
        num_warmup_steps: the step W at which it is reached; 0: no warm-up.
        num_training_steps: the step N at which the last cycle ends, >= 1.
        num_cycles: how many cycles, >= 0; with 1, the default, nothing restarts.

    Raises:
        ScheduleError: a negative or non-finite rate, or a number of steps or cycles out of range.
        ArgumentTypeError: a rate that is not a number, or a number of steps that is not an integer.

    Example:
        >>> import kosine as ks
        >>> lr = ks.dialects.huggingface.cosine_with_restarts(1.0, 0, num_training_steps=100, num_cycles=2)
        >>> lr
        Schedule(cycles(cosine(50, start=1.0, to=0.0), count=2))
    """
    peak, warmup, decay = _run(lr, num_warmup_steps, num_training_steps)
    count, steps = number_of_waves(num_cycles), max(1, decay)
    if count == 0:
        return Schedule(*warm_up(warmup, 0.0, peak), curves.hold(steps, start=peak), for_ever(0.0))
    period = wave_period(steps, count, num_cycles)
    if count == 1:
        return Schedule(*warm_up(warmup, 0.0, peak), curves.cosine(steps, start=peak, to=0.0))
    cycle = curves.cosine(period, start=peak, to=0.0)
    if count.denominator == period.denominator == 1:
        return Schedule(*warm_up(warmup, 0.0, peak), cycles(cycle, count=int(count)))
    return Schedule(*warm_up(warmup, 0.0, peak), section(cycles(cycle), duration=steps, continuous=True), for_ever(0.0))


def polynomial(
    lr: float, num_warmup_steps: int, num_training_steps: int, lr_end: float = 1e-7, power: float = 1.0
) -> Schedule:
    """`get_polynomial_decay_schedule_with_warmup` of transformers 5.23.0.

    lr t / W before step W, then lr_end + (lr - lr_end) (1 - (t - W) / (N - W)) ** power, and `lr_end` from step N on.
    Where N < W the rate is `lr_end` from step W on, so that it never reaches `lr`.

    Args:
        lr: the optimizer's rate, the peak.
        num_warmup_steps: the step W at which it is reached; 0: no warm-up.
        num_training_steps: the step N at which `lr_end` is reached, >= 1.
        lr_end: the rate in the end, >= 0 and below `lr`.
        power: the exponent, > 0 and at most 1000.

    Raises:
        ScheduleError: a negative or non-finite rate, an `lr_end` that is not below `lr`, a power out of range, a number
            of steps out of range; or N = W, where Hugging Face divides by 0.
        ArgumentTypeError: a rate that is not a number, or a number of steps that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.huggingface.polynomial(5e-5, num_warmup_steps=0, num_training_steps=100, power=2.0)
        Schedule(polynomial(100, start=5e-05, to=1e-07, power=2.0))
    """
    peak, warmup, decay = _run(lr, num_warmup_steps, num_training_steps)
    end, exponent = read_rate(lr_end, "lr_end"), read_above(power, "power", 0, 1000)
    if end >= peak:
        raise ScheduleError(argument="lr_end", rule="below `lr`", received={"lr_end": lr_end, "lr": lr})
    if decay == 0:
        raise ScheduleError(
            "Argument `num_training_steps` must not equal `num_warmup_steps`: the decay would last no step, "
            "and Hugging Face divides by that.",
            received=Described(f"{warmup:,} for both"),
        )
    if decay < 0:
        return Schedule(*warm_up(warmup, 0.0, peak), for_ever(end))
    return Schedule(*warm_up(warmup, 0.0, peak), curves.polynomial(decay, start=peak, to=end, power=exponent))


def inverse_sqrt(lr: float, num_warmup_steps: int, timescale: int | None = None) -> Schedule:
    """`get_inverse_sqrt_schedule` of transformers 5.23.0.

    lr t / W before step W, then lr / sqrt(1 + (t - W) / timescale), for ever.

    Args:
        lr: the optimizer's rate, the peak.
        num_warmup_steps: the step W at which it is reached; 0: no warm-up.
        timescale: the steps after the peak in which the rate falls to lr / sqrt(2), >= 1. W if None; 10,000 if that is
            0.

    Raises:
        ScheduleError: a negative or non-finite rate, or a number of steps out of range.
        ArgumentTypeError: a rate that is not a number, or a number of steps that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.huggingface.inverse_sqrt(5e-4, num_warmup_steps=4000)
        Schedule(linear(4000, start=0.0, to=0.0005), section(inverse_sqrt(start=0.0005, timescale=4000)))
    """
    peak, steps = read_lr(lr), read_count(num_warmup_steps, "num_warmup_steps")
    scale = (steps or 10_000) if timescale is None else read_count(timescale, "timescale", 1)
    return Schedule(*warm_up(steps, 0.0, peak), section(curves.inverse_sqrt(start=peak, timescale=scale)))


def cosine_with_min_lr(
    lr: float,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
) -> Schedule:
    """`get_cosine_with_min_lr_schedule_with_warmup` of transformers 5.23.0.

    lr t / W before step W, then floor + (lr - floor) (1 + cos(2 pi num_cycles (t - W) / max(1, N - W))) / 2, for ever:
    after step N the wave goes on, which with half a cycle means that the rate rises again.

    Args:
        lr: the optimizer's rate, the peak.
        num_warmup_steps: the step W at which it is reached; 0: no warm-up. The warm-up begins at 0, not at the floor.
        num_training_steps: the step N at which the waves end, >= 1.
        num_cycles: how many waves, >= 0; half a wave is one fall.
        min_lr: the floor, >= 0. Exactly one of `min_lr` and `min_lr_rate` is given.
        min_lr_rate: the floor divided by `lr`, >= 0.

    Raises:
        ScheduleError: both or none of `min_lr` and `min_lr_rate`, a `min_lr` where `lr` is 0, a negative or non-finite
            rate, or a number of steps or waves out of range.
        ArgumentTypeError: a rate that is not a number, or a number of steps that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.huggingface.cosine_with_min_lr(1e-3, 0, num_training_steps=900, min_lr=1e-4)
        Schedule(cycles(cosine(900, start=0.001, to=0.0001), cosine(900, to=0.001)))
    """
    peak, warmup, decay = _run(lr, num_warmup_steps, num_training_steps)
    return Schedule(
        *warm_up(warmup, 0.0, peak), cosine_waves(peak, _floor(peak, min_lr, min_lr_rate), max(1, decay), num_cycles)
    )


def cosine_warmup_with_min_lr(
    lr: float,
    num_warmup_steps: int,
    num_training_steps: int,
    num_cycles: float = 0.5,
    min_lr: float | None = None,
    min_lr_rate: float | None = None,
    warmup_lr_rate: float | None = None,
) -> Schedule:
    """`get_cosine_with_min_lr_schedule_with_warmup_lr_rate` of transformers 5.23.0.

    A line from lr * warmup_lr_rate at step 0 to lr at step W - 1, then
    floor + (lr - floor) (1 + cos(2 pi num_cycles (t - W + 1) / max(1, N - W))) / 2, for ever. So all is one step early,
    and the floor is at step N - 1. Without a warm-up the wave begins one step after its peak.

    Args:
        lr: the optimizer's rate, the peak.
        num_warmup_steps: the number W of steps of the warm-up; 0: none.
        num_training_steps: the number N of all steps; the waves end at the last one; >= 1.
        num_cycles: how many waves, >= 0; half a wave is one fall.
        min_lr: the floor, >= 0. Exactly one of `min_lr` and `min_lr_rate` is given.
        min_lr_rate: the floor divided by `lr`, >= 0.
        warmup_lr_rate: the rate of the first step divided by `lr`, >= 0; 1 / W if None.

    Raises:
        ScheduleError: both or none of `min_lr` and `min_lr_rate`, a `min_lr` where `lr` is 0, a negative or non-finite
            rate, or a number of steps or waves out of range.
        ArgumentTypeError: a rate that is not a number, or a number of steps that is not an integer.

    Example:
        >>> import kosine as ks
        >>> lr = ks.dialects.huggingface.cosine_warmup_with_min_lr(1.0, 4, num_training_steps=12, min_lr_rate=0.1)
        >>> plan = lr.plan()
        >>> [plan(t) for t in (0, 1, 2, 3, 11)]
        [0.25, 0.5, 0.75, 1.0, 0.1]
    """
    peak, warmup, decay = _run(lr, num_warmup_steps, num_training_steps)
    floor, steps = _floor(peak, min_lr, min_lr_rate), max(1, decay)
    rate = 1 / max(1, warmup) if warmup_lr_rate is None else read_at_least(warmup_lr_rate, "warmup_lr_rate", 0)
    if warmup > 1:
        rise = curves.linear(warmup - 1, start=peak * rate, to=peak)
        return Schedule(rise, cosine_waves(peak, floor, steps, num_cycles))
    first = [curves.hold(1, start=peak * rate)] if warmup else []
    return Schedule(*first, cosine_waves(peak, floor, steps, num_cycles, skip=1))


def warmup_stable_decay(
    lr: float,
    num_warmup_steps: int,
    num_decay_steps: int,
    num_training_steps: int | None = None,
    num_stable_steps: int | None = None,
    warmup_type: str = "linear",
    decay_type: str = "cosine",
    min_lr_ratio: float = 0.0,
    num_cycles: float = 0.5,
) -> Schedule:
    """`get_wsd_schedule` of transformers 5.23.0: warm-up, stable, decay.

    With floor = lr * min_lr_ratio and u = t / n, where t steps of the n of a phase are done: floor + (lr - floor) u up
    to step W (or sin(pi u / 2)^2 or 1 - sqrt(1 - u) in place of u), then lr, then floor + (lr - floor) (1 - u) (or
    (1 + cos(2 pi num_cycles u)) / 2 or 1 - sqrt(u) in place of 1 - u), and the floor for ever.

    Args:
        lr: the optimizer's rate, the peak.
        num_warmup_steps: how long the warm-up lasts; 0: none.
        num_decay_steps: how long the decay lasts; 0: none.
        num_training_steps: all three together; used where `num_stable_steps` is None. Where it leaves less than no step
            for the stable part, the first steps of the decay are left out.
        num_stable_steps: how long the rate is `lr`.
        warmup_type: the curve of the warm-up, "linear", "cosine" or "1-sqrt".
        decay_type: the curve of the decay, "linear", "cosine" or "1-sqrt".
        min_lr_ratio: the floor divided by `lr`, >= 0. The warm-up begins there.
        num_cycles: how many waves the decay "cosine" has, >= 0; half a wave is one fall.

    Raises:
        ScheduleError: neither `num_training_steps` nor `num_stable_steps`, an unknown curve, a negative or non-finite
            rate, or a number of steps or waves out of range.
        ArgumentTypeError: a rate that is not a number, or a number of steps that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.huggingface.warmup_stable_decay(1e-3, 100, 200, num_training_steps=1000, decay_type="1-sqrt")
        Schedule(linear(100, start=0.0, to=0.001), hold(700, start=0.001), one_minus_sqrt(200, start=0.001, to=0.0))
    """
    peak = read_lr(lr)
    floor = peak * read_at_least(min_lr_ratio, "min_lr_ratio", 0)
    warmup, decay = read_count(num_warmup_steps, "num_warmup_steps"), read_count(num_decay_steps, "num_decay_steps")
    rise = read_choice(warmup_type, "warmup_type", _CURVES)
    fall = read_choice(decay_type, "decay_type", _CURVES)
    waves = read_at_least(num_cycles, "num_cycles", 0)
    if num_stable_steps is not None:
        stable = read_count(num_stable_steps, "num_stable_steps")
    elif num_training_steps is not None:
        stable = read_count(num_training_steps, "num_training_steps") - warmup - decay
    else:
        raise ScheduleError(
            "`warmup_stable_decay` needs `num_training_steps` or `num_stable_steps`.",
            received=Described("both are None"),
        )
    parts: list[Part] = []
    if warmup:
        parts.append(_rise(rise, warmup, floor, peak))
    if stable > 0:
        parts.append(curves.hold(stable, start=peak))
    return Schedule(*parts, *_fall(fall, decay, peak, floor, waves, max(0, -stable)))


def _rise(curve: str, steps: int, floor: float, peak: float) -> Phase:
    match curve:
        case "linear":
            return curves.linear(steps, start=floor, to=peak)
        case "cosine":
            return curves.cosine(steps, start=floor, to=peak)
        case _:
            return curves.polynomial(steps, start=floor, to=peak, power=0.5)


def _fall(curve: str, steps: int, peak: float, floor: float, waves: float, missed: int) -> list[Part]:
    """The decay without its first `missed` steps, and the floor after it."""
    if steps <= missed:
        return [for_ever(floor)]
    if curve == "cosine" and waves != 0.5:
        return [cosine_waves(peak, floor, steps, waves, skip=missed, duration=steps - missed), for_ever(floor)]
    phase = {"linear": curves.linear, "cosine": curves.cosine, "1-sqrt": curves.one_minus_sqrt}[curve]
    part = phase(steps, start=peak, to=floor)
    return [section(part, skip=missed) if missed else part]


def _run(lr: float, num_warmup_steps: int, num_training_steps: int) -> tuple[float, int, int]:
    """The peak, the steps of the warm-up, and those of the run that are left for the decay."""
    warmup = read_count(num_warmup_steps, "num_warmup_steps")
    return read_lr(lr), warmup, read_count(num_training_steps, "num_training_steps", 1) - warmup


def _floor(lr: float, min_lr: float | None, min_lr_rate: float | None) -> float:
    if min_lr is None and min_lr_rate is not None:
        return lr * read_at_least(min_lr_rate, "min_lr_rate", 0)
    if min_lr is None or min_lr_rate is not None:
        raise ScheduleError(
            "Exactly one of the arguments `min_lr` and `min_lr_rate` must be given.",
            received={"min_lr": min_lr, "min_lr_rate": min_lr_rate},
        )
    if lr == 0:
        raise ScheduleError(
            "Argument `lr` must be > 0 where `min_lr` is given: Hugging Face divides by it.",
            received={"lr": lr},
        )
    return read_rate(min_lr, "min_lr")


_FUNCTIONS = {
    "get_constant_schedule": constant,
    "get_constant_schedule_with_warmup": constant_with_warmup,
    "get_cosine_schedule_with_warmup": cosine,
    "get_cosine_with_hard_restarts_schedule_with_warmup": cosine_with_restarts,
    "get_cosine_with_min_lr_schedule_with_warmup": cosine_with_min_lr,
    "get_cosine_with_min_lr_schedule_with_warmup_lr_rate": cosine_warmup_with_min_lr,
    "get_inverse_sqrt_schedule": inverse_sqrt,
    "get_linear_schedule_with_warmup": linear,
    "get_polynomial_decay_schedule_with_warmup": polynomial,
    "get_wsd_schedule": warmup_stable_decay,
}
"""The names of transformers' functions; those of `lr_scheduler_type` are the ones of this module."""

_LOSS = "It depends on the loss, so it is not a function of the step."


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    absent = {"reduce_lr_on_plateau": _LOSS, "get_reduce_on_plateau_schedule": _LOSS, "greedy": _LOSS}
    raise no_such_name(__name__, name, [*__all__, *_FUNCTIONS], absent)
