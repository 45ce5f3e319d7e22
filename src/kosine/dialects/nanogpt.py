"""The schedule of Andrej Karpathy's nanoGPT, as the function `get_lr` of its `train.py` has it."""

from __future__ import annotations

from typing import NoReturn

from kosine._core.arguments import read_count, read_rate
from kosine._core.curves.cosine import cosine
from kosine._core.schedule import Schedule
from kosine.dialects._parts import for_ever, no_such_name, warm_up
from kosine.errors import Described, ScheduleError

__all__ = ["FOLLOWS", "get_lr"]

FOLLOWS = "nanoGPT dc81cb3 (9 December 2024)"
"""The commit whose rates these are: the last one to change train.py, as of 3adf61e (12 November 2025)."""


def get_lr(
    *, learning_rate: float = 6e-4, warmup_iters: int = 2000, lr_decay_iters: int = 600_000, min_lr: float = 6e-5
) -> Schedule:
    """`get_lr` in train.py of nanoGPT dc81cb3 (9 December 2024), with its settings as arguments.

    With W = `warmup_iters` and N = `lr_decay_iters`: learning_rate (t + 1) / (W + 1) before step W, then
    min_lr + (learning_rate - min_lr) (1 + cos(pi (t - W) / (N - W))) / 2, and `min_lr` from step N on. Where N < W the
    rate is `min_lr` from step W on. Before that commit the warm-up was learning_rate t / W, which is
    `kosine.dialects.huggingface.constant_with_warmup`'s.

    Args:
        learning_rate: the peak, >= 0.
        warmup_iters: the step W at which it is reached; 0: no warm-up.
        lr_decay_iters: the step N at which `min_lr` is reached, >= 0.
        min_lr: the rate in the end, >= 0.

    Raises:
        ScheduleError: a negative or non-finite rate, a negative number of steps; or N = W, where nanoGPT divides by 0.
        ArgumentTypeError: a rate that is not a number, or a number of steps that is not an integer.

    Example:
        >>> import kosine as ks
        >>> plan = ks.dialects.nanogpt.get_lr().plan()
        >>> plan(2000), plan(600_000)
        (0.0006, 6e-05)
    """
    peak, floor = read_rate(learning_rate, "learning_rate"), read_rate(min_lr, "min_lr")
    steps, end = read_count(warmup_iters, "warmup_iters"), read_count(lr_decay_iters, "lr_decay_iters")
    if end == steps:
        raise ScheduleError(
            "Argument `lr_decay_iters` must not equal `warmup_iters`: the decay would last no step, and "
            "nanoGPT divides by that.",
            received=Described(f"{end:,} for both"),
        )
    rise = warm_up(steps, peak / (steps + 1), peak)
    if end < steps:
        return Schedule(*rise, for_ever(floor))
    return Schedule(*rise, cosine(end - steps, start=peak, to=floor))


def __getattr__(name: str) -> NoReturn:
    raise no_such_name(__name__, name, __all__, {})
