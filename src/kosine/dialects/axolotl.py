# ruff: noqa: N802  the names are axolotl's
"""axolotl's own schedulers, with the names, arguments and defaults of `axolotl.utils.schedulers`.

Each gives the rate of the update of batch t (counted from 0). axolotl takes the base rate from the optimizer; here it
is the argument `lr`. W = `num_warmup_steps` and N = `num_training_steps` below. What its configuration makes of them:

- `lr_scheduler: rex`: `RexLR`, with min_lr = learning_rate * cosine_min_lr_ratio, or 0;
- `lr_scheduler: cosine` with `cosine_min_lr_ratio`: `get_cosine_schedule_with_min_lr`, and with
  `cosine_constant_lr_ratio` as well: `get_cosine_schedule_with_warmup_decay_constant`;
- `lr_scheduler: cosine` with `lr_quadratic_warmup`: `get_cosine_schedule_with_quadratic_warmup`;
- `lr_scheduler: one_cycle`: `kosine.dialects.torch.OneCycleLR`; everything else: `kosine.dialects.huggingface`.
"""

from __future__ import annotations

import math
from typing import NoReturn

from kosine._core import curves
from kosine._core.arguments import read_at_least, read_count, read_rate
from kosine._core.groups import Part, section
from kosine._core.schedule import Schedule
from kosine.dialects._parts import cosine_waves, for_ever, no_such_name, number_of_waves, read_lr, warm_up
from kosine.errors import ScheduleError

__all__ = [
    "FOLLOWS",
    "RexLR",
    "get_cosine_schedule_with_min_lr",
    "get_cosine_schedule_with_quadratic_warmup",
    "get_cosine_schedule_with_warmup_decay_constant",
]

FOLLOWS = "axolotl 0.19.0"
"""The version whose rates these are."""


def RexLR(max_lr: float, min_lr: float, total_steps: int, num_warmup_steps: int = 0) -> Schedule:
    """`RexLR` of axolotl 0.19.0: REX (arXiv 2107.04197) with a bend of 0.9, where the paper has 0.5.

    With W = `num_warmup_steps`, N = `total_steps` and z = (N - t - 1) / (N - W): max_lr (t + 1) / W before step W, then
    min_lr + (max_lr - min_lr) z / (0.1 + 0.9 z), and `min_lr` from step N - 1 on.

    So the peak is at step W - 1, and the last step has `min_lr`. Without a warm-up no step has `max_lr`: the first one
    is one step down.

    Args:
        max_lr: the peak, which is also the optimizer's rate, > 0.
        min_lr: the rate of the last step, >= 0 and at most `max_lr`.
        total_steps: the number N of all steps, >= 1.
        num_warmup_steps: how long the warm-up lasts, at most N; 0: none. Where it is N, the rate falls from the peak to
            `min_lr` at step N.

    Raises:
        ScheduleError: a rate or a number of steps out of range.
        ArgumentTypeError: a rate that is not a number, or a number of steps that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.axolotl.RexLR(2e-4, 2e-5, total_steps=1000, num_warmup_steps=100)
        Schedule(linear(99, start=2e-06, to=0.0002), rex(900, to=2e-05, bend=0.9))
    """
    peak, floor = read_rate(max_lr, "max_lr"), read_rate(min_lr, "min_lr")
    if not peak:
        raise ScheduleError("Argument `max_lr` must be > 0: axolotl divides by it.", received={"max_lr": max_lr})
    if floor > peak:
        raise ScheduleError(argument="min_lr", rule="at most `max_lr`", received={"min_lr": min_lr, "max_lr": max_lr})
    total, warmup = read_count(total_steps, "total_steps", 1), read_count(num_warmup_steps, "num_warmup_steps")
    if warmup > total:
        raise ScheduleError(
            argument="num_warmup_steps",
            rule="at most `total_steps`",
            received={"num_warmup_steps": warmup, "total_steps": total},
        )
    if not warmup:
        return Schedule(section(curves.rex(total, start=peak, to=floor, bend=0.9), skip=1), for_ever(floor))
    rise: list[Part] = [curves.linear(warmup - 1, start=peak / warmup, to=peak)] if warmup > 1 else []
    if warmup == total:
        return Schedule(*rise, curves.hold(1, start=peak), for_ever(floor))
    return Schedule(*rise, curves.rex(total - warmup, start=None if rise else peak, to=floor, bend=0.9))


def get_cosine_schedule_with_min_lr(
    lr: float, num_warmup_steps: int, num_training_steps: int, min_lr_ratio: float = 0.0
) -> Schedule:
    """`get_cosine_schedule_with_min_lr` of axolotl 0.19.0: the cosine of `cosine_min_lr_ratio`.

    lr t / W before step W, then floor + (lr - floor) (1 + cos(pi (t - W) / max(1, N - W))) / 2 with
    floor = lr * min_lr_ratio, for ever: after step N the rate rises again.

    Args:
        lr: the optimizer's rate, the peak.
        num_warmup_steps: the step W at which it is reached; 0: no warm-up.
        num_training_steps: the step N at which the floor is reached, >= 1.
        min_lr_ratio: the floor divided by `lr`, from 0 to 1.

    Raises:
        ScheduleError: a rate, a ratio or a number of steps out of range.
        ArgumentTypeError: a rate that is not a number, or a number of steps that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.axolotl.get_cosine_schedule_with_min_lr(1e-3, 0, 900, min_lr_ratio=0.1)
        Schedule(cycles(cosine(900, start=0.001, to=0.0001), cosine(900, to=0.001)))
    """
    peak, warmup, total = _run(lr, num_warmup_steps, num_training_steps)
    floor = peak * read_at_least(min_lr_ratio, "min_lr_ratio", 0, 1)
    return Schedule(*warm_up(warmup, 0.0, peak), cosine_waves(peak, floor, max(1, total - warmup), 0.5))


def get_cosine_schedule_with_warmup_decay_constant(
    lr: float,
    num_warmup_steps: int,
    num_training_steps: int,
    constant_lr_ratio: float,
    min_lr_ratio: float,
    num_cycles: float = 0.5,
) -> Schedule:
    """`get_cosine_schedule_with_warmup_decay_constant` of axolotl 0.19.0: that of `cosine_constant_lr_ratio`.

    lr t / W before step W, then floor + (lr - floor) (1 + cos(2 pi num_cycles (min(t, C) - W) / max(1, C - W))) / 2
    with floor = lr * min_lr_ratio and C = int(N * constant_lr_ratio): a cosine that ends at step C, and the floor.

    Where C is not after W, the rate is constant from step W on, at one end of the wave: with half a cycle at the floor
    where W - C is odd, and at `lr` where it is even.

    Args:
        lr: the optimizer's rate, the peak.
        num_warmup_steps: the step W at which it is reached; 0: no warm-up.
        num_training_steps: the number N of all steps, >= 1.
        constant_lr_ratio: the share of them after which the rate is constant, from 0 to 1.
        min_lr_ratio: the floor divided by `lr`, from 0 to 1.
        num_cycles: how many waves, >= 0; half a wave is one fall.

    Raises:
        ScheduleError: a rate, a ratio or a number of steps or waves out of range.
        ArgumentTypeError: a rate that is not a number, or a number of steps that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.axolotl.get_cosine_schedule_with_warmup_decay_constant(1e-3, 100, 1000, 0.8, 0.1)
        Schedule(linear(100, start=0.0, to=0.001), cosine(700, start=0.001, to=0.0001))
    """
    peak, warmup, total = _run(lr, num_warmup_steps, num_training_steps)
    constant = int(total * read_at_least(constant_lr_ratio, "constant_lr_ratio", 0, 1))
    floor = peak * read_at_least(min_lr_ratio, "min_lr_ratio", 0, 1)
    warm, steps, waves = warm_up(warmup, 0.0, peak), constant - warmup, number_of_waves(num_cycles)
    turned = float(waves * min(steps, 1) % 1)
    last = floor + (peak - floor) * (1 + math.cos(2 * math.pi * turned)) / 2
    if steps <= 0:
        return Schedule(*warm, for_ever(last))
    if num_cycles == 0.5:
        return Schedule(*warm, curves.cosine(steps, start=peak, to=floor))
    return Schedule(*warm, cosine_waves(peak, floor, steps, num_cycles, duration=steps), for_ever(last))


def get_cosine_schedule_with_quadratic_warmup(
    lr: float, num_warmup_steps: int, num_training_steps: int, num_cycles: float = 0.5
) -> Schedule:
    """`get_cosine_schedule_with_quadratic_warmup` of axolotl 0.19.0: that of `lr_quadratic_warmup`.

    lr (t / W)**2 before step W, then lr (1 + cos(2 pi num_cycles (t - W) / max(1, N - W))) / 2, for ever: after step N
    the rate rises again.

    Args:
        lr: the optimizer's rate, the peak.
        num_warmup_steps: the step W at which it is reached; 0: no warm-up.
        num_training_steps: the step N at which the waves end, >= 1.
        num_cycles: how many waves, >= 0; half a wave is one fall.

    Raises:
        ScheduleError: a rate or a number of steps or waves out of range.
        ArgumentTypeError: a rate that is not a number, or a number of steps that is not an integer.

    Example:
        >>> import kosine as ks
        >>> plan = ks.dialects.axolotl.get_cosine_schedule_with_quadratic_warmup(1.0, 10, 100).plan()
        >>> round(plan(1), 9), round(plan(5), 9), plan(10), round(plan(55), 9)
        (0.01, 0.25, 1.0, 0.5)
    """
    peak, warmup, total = _run(lr, num_warmup_steps, num_training_steps)
    rise = [curves.polynomial(warmup, start=0.0, to=peak, power=1.0, warp=2.0)] if warmup else []
    return Schedule(*rise, cosine_waves(peak, 0.0, max(1, total - warmup), num_cycles))


def _run(lr: float, num_warmup_steps: int, num_training_steps: int) -> tuple[float, int, int]:
    """The peak, the steps of the warm-up and those of the run."""
    warmup = read_count(num_warmup_steps, "num_warmup_steps")
    return read_lr(lr), warmup, read_count(num_training_steps, "num_training_steps", 1)


_JAGGED = "It multiplies another schedule by a warm-up after each restart, and phases cannot express a product."
_ABSENT = {
    "JaggedLRRestartScheduler": _JAGGED,
    "jagged_restart_steps": _JAGGED,
    "rex": "Write `RexLR`.",
    "cosine": "Write `get_cosine_schedule_with_min_lr`, or `huggingface.cosine` without `cosine_min_lr_ratio`.",
    "one_cycle": "It is `torch.OneCycleLR`.",
}


def __getattr__(name: str) -> NoReturn:
    raise no_such_name(__name__, name, __all__, _ABSENT)
