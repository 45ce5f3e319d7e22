"""Megatron-LM's schedules, with the names, arguments and defaults of `megatron.core.optimizer_param_scheduler`.

Megatron has one scheduler for two numbers of the optimizer: `OptimizerParamScheduler` here is its learning rate,
`weight_decay` its weight decay.

A step is an update. Megatron's trainer counts samples where it is set to train for iterations of a global batch of B
samples: it multiplies the iterations by B, and advances its scheduler by B after each update. Leave out the B.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NoReturn

from kosine._core.arguments import read_at_least, read_choice, read_count, read_rate
from kosine._core.curves.cosine import cosine
from kosine._core.curves.exponential import exponential
from kosine._core.curves.hold import hold
from kosine._core.curves.inverse import inverse_sqrt
from kosine._core.curves.linear import linear
from kosine._core.curves.one_minus_sqrt import one_minus_sqrt
from kosine._core.groups import Part, section
from kosine._core.numbers import exact
from kosine._core.phase import Phase
from kosine._core.schedule import Schedule
from kosine.dialects._parts import for_ever, no_such_name, warm_up
from kosine.errors import Described, ScheduleError

__all__ = ["FOLLOWS", "OptimizerParamScheduler", "weight_decay"]

FOLLOWS = "megatron-core 0.16.1"
"""The version whose schedules these are."""

_STYLES = ("constant", "linear", "cosine", "inverse-square-root", "WSD")

_WSD_DECAYS: dict[str, Callable[..., Phase]] = {
    "exponential": partial(exponential, base=2.0),
    "linear": linear,
    "cosine": cosine,
    "minus_sqrt": one_minus_sqrt,
}


def OptimizerParamScheduler(  # noqa: N802  Megatron's own name
    init_lr: float,
    max_lr: float,
    min_lr: float,
    lr_warmup_steps: int,
    lr_decay_steps: int,
    lr_decay_style: str,
    *,
    wsd_decay_steps: int | None = None,
    lr_wsd_decay_style: str | None = None,
) -> Schedule:
    """The learning rate of `OptimizerParamScheduler` in megatron-core 0.16.1.

    With W = `lr_warmup_steps`, D = `lr_decay_steps`, d = `wsd_decay_steps` and delta = max_lr - min_lr:

        t <= W, 0 < W           init_lr + (max_lr - init_lr) t / W
        constant                max_lr
        D < t                   min_lr
        linear                  min_lr + delta (1 - u),                   u = (t - W) / (D - W)
        cosine                  min_lr + delta (1 + cos(pi u)) / 2
        inverse-square-root     max(min_lr, max_lr sqrt(max(W, 1) / max(t, 1)))
        WSD, t <= D - d         max_lr
        WSD, exponential        min_lr + delta (2 * 0.5 ** v - 1),        v = (t - D + d) / d
        WSD, linear             min_lr + delta (1 - v)
        WSD, cosine             min_lr + delta (1 + cos(pi v)) / 2
        WSD, minus_sqrt         min_lr + delta (1 - sqrt(v))

    The first line that holds decides. So `inverse-square-root` falls from its value at step D to `min_lr` at D + 1. A
    WSD decay that is longer than what follows the warm-up (d > D - W) has begun unseen: the rate is `max_lr` at step W
    and jumps down into the decay at W + 1.

    Args:
        init_lr: the rate of the first step of the warm-up, >= 0 and at most `max_lr`.
        max_lr: the rate that the warm-up ends at.
        min_lr: the rate after the decay, at most `max_lr`.
        lr_warmup_steps: how many steps the warm-up lasts, fewer than `lr_decay_steps`; 0: none.
        lr_decay_steps: the step at which the decay ends, counted from the beginning of the run, so it includes the
            warm-up; >= 1.
        lr_decay_style: "constant", "linear", "cosine", "inverse-square-root" or "WSD".
        wsd_decay_steps: how many steps the decay of "WSD" lasts, >= 0; unused in other styles.
        lr_wsd_decay_style: the decay of "WSD": "exponential", "linear", "cosine" or "minus_sqrt"; unused in other
            styles.

    Raises:
        ScheduleError: a negative or non-finite rate, a `min_lr` or `init_lr` above `max_lr`, a number of steps out of
            range, or a style that Megatron does not have. (Megatron itself takes a WSD decay without a style, and
            fails at the first step of the decay.)
        ArgumentTypeError: a rate that is not a number or steps that are not integers.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.megatron.OptimizerParamScheduler(0.0, 3e-4, 3e-5, 2000, 100_000, "cosine")
        Schedule(linear(2000, start=0.0, to=0.0003), cosine(98000, start=0.0003, to=3e-05))
        >>> lr = ks.dialects.megatron.OptimizerParamScheduler(
        ...     0.0, 3e-4, 3e-5, 2000, 100_000, "WSD", wsd_decay_steps=10_000, lr_wsd_decay_style="minus_sqrt"
        ... )
        >>> plan = lr.plan()
        >>> plan(1000), plan(90_000), round(plan(92_500), 9), plan(100_000)
        (0.00015, 0.0003, 0.000165, 3e-05)
    """
    first, peak, floor = read_rate(init_lr, "init_lr"), read_rate(max_lr, "max_lr"), read_rate(min_lr, "min_lr")
    for value, argument in ((first, "init_lr"), (floor, "min_lr")):
        if value > peak:
            raise ScheduleError(
                f"Argument `{argument}` must be at most `max_lr`.",
                received=Described(f"{argument}={value!r}, max_lr={peak!r}"),
            )
    warmup, end = read_count(lr_warmup_steps, "lr_warmup_steps"), read_count(lr_decay_steps, "lr_decay_steps", 1)
    if warmup >= end:
        raise ScheduleError(
            argument="lr_warmup_steps",
            rule="below `lr_decay_steps`, which includes the warm-up",
            received={"lr_warmup_steps": warmup, "lr_decay_steps": end},
        )
    style = read_choice(lr_decay_style, "lr_decay_style", _STYLES)
    warm = warm_up(warmup, first, peak)
    match style:
        case "constant":
            return Schedule(*warm or [hold(start=peak)])
        case "linear":
            return Schedule(*warm, linear(end - warmup, start=peak, to=floor))
        case "cosine":
            return Schedule(*warm, cosine(end - warmup, start=peak, to=floor))
        case "inverse-square-root":
            return Schedule(*warm, *_inverse_sqrt(peak, floor, warmup, end))
    if wsd_decay_steps is None:
        raise ScheduleError(
            'Argument `wsd_decay_steps` must be given with lr_decay_style="WSD".',
            received={"wsd_decay_steps": None},
        )
    steps = read_count(wsd_decay_steps, "wsd_decay_steps")
    wsd_style = read_choice(lr_wsd_decay_style, "lr_wsd_decay_style", list(_WSD_DECAYS))
    return Schedule(*warm, *_wsd(_WSD_DECAYS[wsd_style], steps, peak, floor, warmup, end))


def _inverse_sqrt(peak: float, floor: float, warmup: int, end: int) -> list[Part]:
    """max(floor, peak sqrt(warmup / t)) up to and including step `end`, then the floor."""
    first = max(warmup, 1)
    held = [] if warmup else [hold(1, start=peak)]  # without a warm-up the steps 0 and 1 are both at the peak
    crossing = math.ceil(first * (exact(peak) / exact(floor)) ** 2) if floor else end + 1
    falling = min(crossing, end + 1) - first
    fall = [inverse_sqrt(falling, start=peak, timescale=first)] if falling else []
    return [*held, *fall, for_ever(floor)]


def _wsd(decay: Callable[..., Phase], steps: int, peak: float, floor: float, warmup: int, end: int) -> list[Part]:
    """The peak up to and including step end - steps, then a decay that ends at step `end`."""
    if not steps:
        return [hold(end + 1 - warmup, start=peak), for_ever(floor)]
    fall, stable = decay(steps, start=peak, to=floor), end - steps - warmup
    if stable >= 0:
        return [*([hold(stable, start=peak)] if stable else []), fall]
    if not warmup:
        return [section(fall, skip=-stable)]
    # The decay has begun unseen, but the step that the warm-up ends at is at the peak all the same.
    return [hold(1, start=peak), section(fall, skip=1 - stable)]


def weight_decay(start_wd: float, end_wd: float, wd_incr_steps: int, wd_incr_style: str) -> Schedule:
    """The weight decay of `OptimizerParamScheduler` in megatron-core 0.16.1, as a separate schedule.

    With n = `wd_incr_steps` and u = t / n, up to step n:

        constant    end_wd
        linear      start_wd + (end_wd - start_wd) u
        cosine      start_wd + (end_wd - start_wd) (1 - cos(pi u)) / 2

    and `end_wd` after it.

    Args:
        start_wd: the weight decay of the first step, >= 0.
        end_wd: the weight decay that is reached, at least `start_wd`.
        wd_incr_steps: after how many steps it is reached, >= 1; >= 0 and without effect if "constant".
        wd_incr_style: "constant", which needs start_wd == end_wd; "linear" or "cosine".

    Raises:
        ScheduleError: a negative or non-finite value, an `end_wd` below `start_wd`, a number of steps out of range, or
            a style that Megatron does not have.
        ArgumentTypeError: a value that is not a number or steps that are not integers.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.megatron.weight_decay(0.01, 0.1, wd_incr_steps=100_000, wd_incr_style="cosine")
        Schedule(cosine(100000, start=0.01, to=0.1))
    """
    first, last = read_at_least(start_wd, "start_wd", 0), read_at_least(end_wd, "end_wd", 0)
    if last < first:
        raise ScheduleError(argument="end_wd", rule="at least `start_wd`", received={"start_wd": first, "end_wd": last})
    style = read_choice(wd_incr_style, "wd_incr_style", ("constant", "linear", "cosine"))
    steps = read_count(wd_incr_steps, "wd_incr_steps", 0 if style == "constant" else 1)
    if style == "constant":
        if first != last:
            raise ScheduleError(
                'Arguments `start_wd` and `end_wd` must be equal with wd_incr_style="constant".',
                received={"start_wd": first, "end_wd": last},
            )
        return Schedule(hold(start=last))
    return Schedule((linear if style == "linear" else cosine)(steps, start=first, to=last))


def __getattr__(name: str) -> NoReturn:
    raise no_such_name(__name__, name, __all__, {})
