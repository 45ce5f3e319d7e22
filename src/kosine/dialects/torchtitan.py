"""torchtitan's schedule, with the settings and defaults of its configuration of `lr_scheduler`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from kosine._core.arguments import read_at_least, read_choice, read_count
from kosine._core.curves.cosine import cosine
from kosine._core.curves.hold import hold
from kosine._core.curves.linear import linear
from kosine._core.curves.one_minus_sqrt import one_minus_sqrt
from kosine._core.groups import Part
from kosine._core.phase import Phase
from kosine._core.schedule import Schedule
from kosine.dialects._parts import for_ever, no_such_name, read_lr

__all__ = ["FOLLOWS", "lr_scheduler"]

FOLLOWS = "torchtitan 0.3.0"
"""The version whose rates these are; so were those of 0.1.0 to 0.2.2."""

_DECAYS: dict[str, Callable[..., Phase]] = {"linear": linear, "sqrt": one_minus_sqrt, "cosine": cosine}


def lr_scheduler(
    lr: float,
    total_steps: int,
    *,
    warmup_steps: int = 200,
    decay_ratio: float | None = None,
    decay_type: str = "linear",
    min_lr_factor: float = 0.0,
) -> Schedule:
    """`linear_warmup_stable_decay` of torchtitan 0.3.0, with the settings of `lr_scheduler` as arguments.

    With W = `warmup_steps`, N = `total_steps`, D the steps of the decay, m = `min_lr_factor` and u = (t - N + D) / D:

        t < W             lr (t + 1) / W
        t <= N - D        lr
        linear            lr (m + (1 - m) (1 - u))
        sqrt              lr (m + (1 - m) (1 - sqrt(u)))
        cosine            lr (m + (1 - m) (1 + cos(pi u)) / 2)

    So the peak is at step W - 1, where the warm-up ends, the decay's first step has the peak, too, and the rate reaches
    lr * m at step N, one after the last. From there on it stays; torchtitan's formula would go on, below 0 or up again.
    Before 0.1.0 the warm-up was lr (t + 1) / (W + 1), and the decay began one step earlier.

    Args:
        lr: the optimizer's rate, the peak.
        total_steps: the number N of all steps, >= 1: `lr_scheduler.total_steps`, or `training.steps` without it.
        warmup_steps: how long the warm-up lasts; 0: none. At most N is used.
        decay_ratio: the share of N that the decay lasts, from 0 to 1, in whole steps (halves to the even number), and
            at most what the warm-up leaves. None: all that it leaves.
        decay_type: the decay's curve: "linear", "sqrt" or "cosine".
        min_lr_factor: the rate in the end divided by `lr`, >= 0.

    Raises:
        ScheduleError: a negative or non-finite rate, a number of steps, a ratio or a factor out of range, or an unknown
            decay.
        ArgumentTypeError: a rate that is not a number, or a number of steps that is not an integer.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.torchtitan.lr_scheduler(8e-4, 10_000, decay_ratio=0.1, decay_type="sqrt", min_lr_factor=0.1)
        Schedule(linear(199, start=4e-06, to=0.0008), hold(8801), one_minus_sqrt(1000, to=8e-05))
    """
    peak, total = read_lr(lr), read_count(total_steps, "total_steps", 1)
    warmup = min(read_count(warmup_steps, "warmup_steps"), total)
    left = total - warmup
    ratio = None if decay_ratio is None else read_at_least(decay_ratio, "decay_ratio", 0, 1)
    decay = left if ratio is None else min(round(total * ratio), left)
    curve = _DECAYS[read_choice(decay_type, "decay_type", list(_DECAYS))]
    end = peak * read_at_least(min_lr_factor, "min_lr_factor", 0)
    parts: list[Part] = [linear(warmup - 1, start=peak / warmup, to=peak)] if warmup > 1 else []
    if not decay:
        return Schedule(*parts, for_ever(peak))
    stable = total - decay - max(warmup - 1, 0)
    if stable:
        parts.append(hold(stable, start=None if parts else peak))
    return Schedule(*parts, curve(decay, start=None if parts else peak, to=end))


def __getattr__(name: str) -> NoReturn:
    theirs = ("linear_warmup_stable_decay", "LRSchedulersContainer", "build_lr_schedulers")
    raise no_such_name(__name__, name, __all__, dict.fromkeys(theirs, "Write `lr_scheduler`, as the configuration."))
