"""Optax's schedules: the same names, arguments and defaults, and the same rate at every step.

A step is the `count` that Optax gives a schedule: 0 in the first update. Optax computes in float32 by default; the
rates here are what its formulas give without rounding. Each function can also be called by its name without
`_schedule`: `optax.warmup_cosine_decay` is `optax.warmup_cosine_decay_schedule`.

Compiled, a quotient of steps becomes a product with 1 / transition_steps, whose rounding shows in two places.
Staircases are one step late at some lengths (41, 47, 55 and 61 among them). `polynomial_schedule` with a fractional
power gives NaN from its end on (at 10, 30 and 1,000 among others, measured with JAX 0.10.2 on a CPU). Here the stair
and the end are where the formula has them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from kosine._core import curves
from kosine._core.arguments import (
    read_above,
    read_at_least,
    read_choice,
    read_count,
    read_counts,
    read_flag,
    read_integer,
    read_list,
    read_rate,
)
from kosine._core.phase import Phase
from kosine._core.schedule import Schedule
from kosine.dialects._parts import MOST_GROWTH, for_ever, joined, no_such_name, powers, scaled, stairs, warm_up
from kosine.errors import ArgumentTypeError, Described, ScheduleError

__all__ = [
    "FOLLOWS",
    "constant_schedule",
    "cosine_decay_schedule",
    "cosine_onecycle_schedule",
    "exponential_decay",
    "join_schedules",
    "linear_onecycle_schedule",
    "linear_schedule",
    "piecewise_constant_schedule",
    "piecewise_interpolate_schedule",
    "polynomial_schedule",
    "sgdr_schedule",
    "warmup_constant_schedule",
    "warmup_cosine_decay_schedule",
    "warmup_exponential_decay_schedule",
]

FOLLOWS = "optax 0.2.8"
"""The version that the schedules are the same as."""


def constant_schedule(value: float) -> Schedule:
    """The same value for ever, as in Optax 0.2.8.

    Args:
        value: the rate, >= 0.

    Raises:
        ScheduleError: a negative or non-finite rate.
        ArgumentTypeError: a rate that is not a number.

    Source: Optax 0.2.8, `optax.constant_schedule`.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.optax.constant_schedule(3e-4)
        Schedule(hold(start=0.0003))
    """
    return Schedule(curves.hold(start=read_rate(value, "value")))


def linear_schedule(init_value: float, end_value: float, transition_steps: int, transition_begin: int = 0) -> Schedule:
    """A straight line, as in Optax 0.2.8.

    `init_value` up to step `transition_begin`, `end_value` from transition_begin + transition_steps on. With
    `transition_steps` <= 0 it is `init_value` for ever, and `transition_begin` < 0 means 0; Optax only logs this.

    Args:
        init_value: the rate before and at the beginning of the line, >= 0.
        end_value: the rate that the line ends at, >= 0.
        transition_steps: steps of the line.
        transition_begin: the first step of the line.

    Raises:
        ScheduleError: a negative or non-finite rate.
        ArgumentTypeError: a value of the wrong type.

    Source: Optax 0.2.8, `optax.linear_schedule`.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.optax.linear_schedule(0.0, 0.1, transition_steps=100, transition_begin=10)
        Schedule(hold(10, start=0.0), linear(100, start=0.0, to=0.1))
    """
    return polynomial_schedule(init_value, end_value, 1.0, transition_steps, transition_begin)


def polynomial_schedule(
    init_value: float, end_value: float, power: float, transition_steps: int, transition_begin: int = 0
) -> Schedule:
    """Polynomial decay or growth, as in Optax 0.2.8: end_value + (init_value - end_value) (1 - u) ** power.

    Here u = (t - transition_begin) / transition_steps, from 0 to 1, before and after which the rate stays. With
    `transition_steps` <= 0 it is `init_value` for ever, and `transition_begin` < 0 means 0; Optax only logs this.

    Args:
        init_value: the rate before and at the beginning, >= 0.
        end_value: the rate at the end, >= 0.
        power: the exponent, > 0 and at most 1000.
        transition_steps: steps from one to the other.
        transition_begin: the first step of the transition.

    Raises:
        ScheduleError: a value that breaks a rule above.
        ArgumentTypeError: a value of the wrong type.

    Source: Optax 0.2.8, `optax.polynomial_schedule`.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.optax.polynomial_schedule(0.1, 0.0, power=2.0, transition_steps=100)
        Schedule(polynomial(100, start=0.1, to=0.0, power=2.0))
    """
    start, end = read_rate(init_value, "init_value"), read_rate(end_value, "end_value")
    exponent = read_above(power, "power", 0, 1000)
    steps = read_integer(transition_steps, "transition_steps")
    begin = read_integer(transition_begin, "transition_begin")
    if steps <= 0:
        return Schedule(curves.hold(start=start))
    held = [curves.hold(begin, start=start)] if begin > 0 else []
    if exponent == 1:
        return Schedule(*held, curves.linear(steps, start=start, to=end))
    return Schedule(*held, curves.polynomial(steps, start=start, to=end, power=exponent))


def piecewise_constant_schedule(
    init_value: float, boundaries_and_scales: Mapping[int, float] | None = None
) -> Schedule:
    """A rate that is scaled at each of some steps, as in Optax 0.2.8.

    The rate at step t is `init_value` times the scales of all boundaries <= t, so it changes at the boundary itself.

    Args:
        init_value: the rate before the first boundary, >= 0.
        boundaries_and_scales: a factor >= 0 for each boundary, a step >= 0, in any order.

    Raises:
        ScheduleError: a negative step or factor, or a rate that grows beyond every float.
        ArgumentTypeError: a value of the wrong type.

    Source: Optax 0.2.8, `optax.piecewise_constant_schedule`.

    Example:
        >>> import kosine as ks
        >>> plan = ks.dialects.optax.piecewise_constant_schedule(1.0, {2: 0.5, 4: 0.5}).plan()
        >>> [plan(t) for t in range(6)]
        [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """
    return Schedule(*stairs(*_scaled(read_rate(init_value, "init_value"), boundaries_and_scales)))


def piecewise_interpolate_schedule(
    interpolate_type: str, init_value: float, boundaries_and_scales: Mapping[int, float] | None = None
) -> Schedule:
    """A curve through a rate that is scaled at each of some steps, as in Optax 0.2.8.

    At each boundary the rate is `init_value` times the scales of all boundaries up to it; from one boundary to the
    next, and from step 0 to the first one, it follows a straight line or half a cosine wave.

    Args:
        interpolate_type: "linear" or "cosine".
        init_value: the rate at step 0, >= 0.
        boundaries_and_scales: a factor >= 0 for each boundary, a step >= 0, in any order. A boundary of 0 scales the
            rate of step 0.

    Raises:
        ScheduleError: a negative step or factor, another type, or a rate that grows beyond every float.
        ArgumentTypeError: a value of the wrong type.

    Source: Optax 0.2.8, `optax.piecewise_interpolate_schedule`.

    Example:
        >>> import kosine as ks
        >>> plan = ks.dialects.optax.piecewise_interpolate_schedule("linear", 1.0, {2: 2.0, 6: 0.5}).plan()
        >>> [plan(t) for t in range(8)]
        [1.0, 1.5, 2.0, 1.75, 1.5, 1.25, 1.0, 1.0]
    """
    constructors: dict[str, Callable[..., Phase]] = {"linear": curves.linear, "cosine": curves.cosine}
    curve = constructors[read_choice(interpolate_type, "interpolate_type", list(constructors))]
    steps, values = _scaled(read_rate(init_value, "init_value"), boundaries_and_scales)
    ends = zip(pairwise(steps), pairwise(values), strict=True)
    phases = [curve(later - first, start=start, to=to) for (first, later), (start, to) in ends if later > first]
    return Schedule(*phases or [curves.hold(start=values[-1])])


def linear_onecycle_schedule(
    transition_steps: int,
    peak_value: float,
    pct_start: float = 0.3,
    pct_final: float = 0.85,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Schedule:
    """One cycle of three straight lines, as in Optax 0.2.8.

    From i = peak_value / div_factor up to the peak at step int(pct_start * transition_steps), down to i at step
    int(pct_final * transition_steps), and down to i / final_div_factor at step `transition_steps`, which is held.
    Where two of these steps coincide only the later scale counts, as in Optax: the cycle then misses its peak, or its
    end.

    Args:
        transition_steps: steps of the whole, >= 1.
        peak_value: the highest rate, >= 0.
        pct_start: the share of the steps that the rise lasts, from 0 to `pct_final`.
        pct_final: the share of the steps after which the last line begins, at most 1.
        div_factor: the peak over the first rate, > 0.
        final_div_factor: the first rate over the last, > 0.

    Raises:
        ScheduleError: a value that breaks a rule above.
        ArgumentTypeError: a value of the wrong type.

    Source: Optax 0.2.8, `optax.linear_onecycle_schedule`; super-convergence, arXiv 1708.07120.

    Example:
        >>> import kosine as ks
        >>> plan = ks.dialects.optax.linear_onecycle_schedule(100, 1.0).plan()
        >>> [round(plan(t), 6) for t in (0, 15, 30, 85, 100)]
        [0.04, 0.52, 1.0, 0.04, 4e-06]
    """
    steps, peak = read_count(transition_steps, "transition_steps", 1), read_rate(peak_value, "peak_value")
    final = read_at_least(pct_final, "pct_final", 0, 1)
    start = read_at_least(pct_start, "pct_start", 0, final)
    first, last = read_above(div_factor, "div_factor", 0), read_above(final_div_factor, "final_div_factor", 0)
    scales = {int(start * steps): first, int(final * steps): 1 / first, steps: 1 / last}
    return piecewise_interpolate_schedule("linear", peak / first, scales)


def cosine_onecycle_schedule(
    transition_steps: int,
    peak_value: float,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> Schedule:
    """One cycle of two half cosine waves, as in Optax 0.2.8.

    From i = peak_value / div_factor up to the peak at step int(pct_start * transition_steps), and down to
    i / final_div_factor at step `transition_steps`, which is held. With `pct_start` = 1 both steps coincide and only
    the later scale counts, as in Optax: the cycle has no peak.

    Args:
        transition_steps: steps of the whole, >= 1.
        peak_value: the highest rate, >= 0.
        pct_start: the share of the steps that the rise lasts, from 0 to 1.
        div_factor: the peak over the first rate, > 0.
        final_div_factor: the first rate over the last, > 0.

    Raises:
        ScheduleError: a value that breaks a rule above.
        ArgumentTypeError: a value of the wrong type.

    Source: Optax 0.2.8, `optax.cosine_onecycle_schedule`; super-convergence, arXiv 1708.07120.

    Example:
        >>> import kosine as ks
        >>> plan = ks.dialects.optax.cosine_onecycle_schedule(12, 1.0).plan()
        >>> [round(plan(t), 4) for t in (0, 1, 3, 11, 12)]
        [0.04, 0.28, 1.0, 0.0302, 0.0]
    """
    steps, peak = read_count(transition_steps, "transition_steps", 1), read_rate(peak_value, "peak_value")
    start = read_at_least(pct_start, "pct_start", 0, 1)
    first, last = read_above(div_factor, "div_factor", 0), read_above(final_div_factor, "final_div_factor", 0)
    scales = {int(start * steps): first, steps: 1 / (first * last)}
    return piecewise_interpolate_schedule("cosine", peak / first, scales)


def exponential_decay(
    init_value: float,
    transition_steps: int,
    decay_rate: float,
    transition_begin: int = 0,
    staircase: bool = False,
    end_value: float | None = None,
) -> Schedule:
    """Exponential decay or growth, as in Optax 0.2.8.

    With n = t - transition_begin the rate is `init_value` while n <= 0, and then
    init_value * decay_rate ** (n / transition_steps), with the exponent rounded down where `staircase` is True. It
    goes no lower than `end_value` where `decay_rate` < 1, and else no higher: that holds from step 0 on.

    With `transition_steps` <= 0 or `decay_rate` = 0 the rate is `init_value` for ever, and `transition_begin` < 0
    means 0; Optax only logs this. A growth without `end_value` ends at 1e29 times `init_value` at most; Optax goes on
    to the infinity of float32.

    Args:
        init_value: the rate at the beginning, >= 0.
        transition_steps: how many steps `decay_rate` is for.
        decay_rate: the factor in that many steps, from 0 to 1e29.
        transition_begin: the first step of the decay.
        staircase: whether the rate changes only every `transition_steps`.
        end_value: the bound, >= 0, in a growth at most 1e29 / decay_rate times `init_value`; None: none.

    Raises:
        ScheduleError: a value that breaks a rule above.
        ArgumentTypeError: a value of the wrong type.

    Source: Optax 0.2.8, `optax.exponential_decay`.

    Example:
        >>> import kosine as ks
        >>> plan = ks.dialects.optax.exponential_decay(1.0, 2, 0.25, transition_begin=1, end_value=0.1).plan()
        >>> [plan(t) for t in range(6)]
        [1.0, 1.0, 0.5, 0.25, 0.125, 0.1]
    """
    start = read_rate(init_value, "init_value")
    steps = read_integer(transition_steps, "transition_steps")
    begin = read_integer(transition_begin, "transition_begin")
    factor, stepped = read_at_least(decay_rate, "decay_rate", 0, MOST_GROWTH), read_flag(staircase, "staircase")
    end = None if end_value is None else read_rate(end_value, "end_value")
    if steps <= 0 or factor == 0:
        return Schedule(for_ever(start))
    if end is not None and (end >= start if factor < 1 else end <= start):
        return Schedule(for_ever(end))
    held = [curves.hold(begin, start=start)] if begin > 0 else []
    if end is None or end == 0 or factor == 1:
        return Schedule(*held, powers(start, factor, steps, stepped))
    if start == 0:
        return Schedule(for_ever(start))
    if factor > 1 and end > start * (MOST_GROWTH / factor):  # the last stair may end that far above `end`
        raise ScheduleError(
            ("Argument `end_value` must be at most 1e29 / decay_rate times the value that the growth starts at."),
            received=Described(f"end_value={end!r}, which grows from {start!r} with decay_rate={factor!r}"),
        )
    scales = (math.log(end) - math.log(start)) / math.log(factor)
    lasts = math.ceil(scales if stepped else scales * steps)
    return Schedule(*held, powers(start, factor, steps, stepped, lasts), for_ever(end))


def cosine_decay_schedule(init_value: float, decay_steps: int, alpha: float = 0.0, exponent: float = 1.0) -> Schedule:
    """Cosine decay, as in Optax 0.2.8.

    init_value ((1 - alpha) ((1 + cos(pi t / decay_steps)) / 2) ** exponent + alpha), and alpha * init_value from step
    `decay_steps` on.

    Args:
        init_value: the rate at step 0, >= 0.
        decay_steps: steps of the decay, >= 1.
        alpha: the rate at the end as a share of `init_value`, >= 0.
        exponent: the exponent of the wave, > 0 and at most 1000.

    Raises:
        ScheduleError: a value that breaks a rule above.
        ArgumentTypeError: a value of the wrong type.

    Source: Optax 0.2.8, `optax.cosine_decay_schedule`.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.optax.cosine_decay_schedule(0.1, decay_steps=1000, alpha=0.1)
        Schedule(cosine(1000, start=0.1, to=0.010000000000000002))
    """
    start, steps = read_rate(init_value, "init_value"), read_count(decay_steps, "decay_steps", 1)
    to = start * read_at_least(alpha, "alpha", 0)
    return Schedule(curves.cosine(steps, start=start, to=to, power=read_above(exponent, "exponent", 0, 1000)))


def warmup_constant_schedule(init_value: float, peak_value: float, warmup_steps: int) -> Schedule:
    """A linear warm-up, as in Optax 0.2.8: `linear_schedule` by other names.

    With `warmup_steps` <= 0 the rate is `init_value` for ever, not `peak_value`.

    Args:
        init_value: the rate at step 0, >= 0.
        peak_value: the rate from step `warmup_steps` on, >= 0.
        warmup_steps: steps of the warm-up.

    Raises:
        ScheduleError: a negative or non-finite rate.
        ArgumentTypeError: a value of the wrong type.

    Source: Optax 0.2.8, `optax.warmup_constant_schedule`.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.optax.warmup_constant_schedule(0.0, 0.1, warmup_steps=100)
        Schedule(linear(100, start=0.0, to=0.1))
    """
    start, peak = read_rate(init_value, "init_value"), read_rate(peak_value, "peak_value")
    steps = read_integer(warmup_steps, "warmup_steps")
    return Schedule(curves.linear(steps, start=start, to=peak) if steps > 0 else curves.hold(start=start))


def warmup_cosine_decay_schedule(
    init_value: float,
    peak_value: float,
    warmup_steps: int,
    decay_steps: int,
    end_value: float = 0.0,
    exponent: float = 1.0,
) -> Schedule:
    """A linear warm-up and a cosine decay, as in Optax 0.2.8.

    `warmup_steps` steps of a straight line from `init_value` to `peak_value`, then decay_steps - warmup_steps steps of
    end_value + (peak_value - end_value) ((1 + cos(pi u)) / 2) ** exponent, then `end_value`. With a `peak_value` of 0
    the rate stays 0 after the warm-up, whatever `end_value` is.

    Args:
        init_value: the rate at step 0, >= 0.
        peak_value: the rate at step `warmup_steps`, >= 0.
        warmup_steps: steps of the warm-up, >= 0.
        decay_steps: steps of the whole, the warm-up included, more than `warmup_steps`.
        end_value: the rate from step `decay_steps` on, >= 0.
        exponent: the exponent of the wave, > 0 and at most 1000.

    Raises:
        ScheduleError: a value that breaks a rule above.
        ArgumentTypeError: a value of the wrong type.

    Source: Optax 0.2.8, `optax.warmup_cosine_decay_schedule`.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.optax.warmup_cosine_decay_schedule(0.0, 0.1, warmup_steps=100, decay_steps=1000)
        Schedule(linear(100, start=0.0, to=0.1), cosine(900, start=0.1, to=0.0))
    """
    peak, end = read_rate(peak_value, "peak_value"), read_rate(end_value, "end_value")
    warm, steps = _warmup(init_value, peak, warmup_steps), read_count(decay_steps, "decay_steps", 1)
    if steps <= warmup_steps:
        raise ScheduleError(
            argument="decay_steps",
            rule="above `warmup_steps`, which it includes",
            received={"warmup_steps": warmup_steps, "decay_steps": steps},
        )
    power = read_above(exponent, "exponent", 0, 1000)
    return Schedule(*warm, curves.cosine(steps - warmup_steps, start=peak, to=end if peak else 0.0, power=power))


def warmup_exponential_decay_schedule(
    init_value: float,
    peak_value: float,
    warmup_steps: int,
    transition_steps: int,
    decay_rate: float,
    transition_begin: int = 0,
    staircase: bool = False,
    end_value: float | None = None,
) -> Schedule:
    """A linear warm-up and an exponential decay, as in Optax 0.2.8.

    `warmup_steps` steps of a straight line from `init_value` to `peak_value`, then `exponential_decay` from there,
    whose steps, `transition_begin` too, are counted from the end of the warm-up.

    Args:
        init_value: the rate at step 0, >= 0.
        peak_value: the rate at the end of the warm-up, >= 0.
        warmup_steps: steps of the warm-up, >= 0.
        transition_steps: how many steps `decay_rate` is for.
        decay_rate: the factor in that many steps, from 0 to 1e29.
        transition_begin: the first step of the decay after the warm-up.
        staircase: whether the rate changes only every `transition_steps`.
        end_value: the bound of the decay, >= 0; None: none.

    Raises:
        ScheduleError: a value that breaks a rule above or of `exponential_decay`.
        ArgumentTypeError: a value of the wrong type.

    Source: Optax 0.2.8, `optax.warmup_exponential_decay_schedule`.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.optax.warmup_exponential_decay_schedule(0.0, 0.1, 100, transition_steps=1000, decay_rate=0.5)
        Schedule(linear(100, start=0.0, to=0.1), section(exponential(start=0.1, factor=0.5, timescale=1000)))
    """
    peak = read_rate(peak_value, "peak_value")
    decay = exponential_decay(peak, transition_steps, decay_rate, transition_begin, staircase, end_value)
    return Schedule(*_warmup(init_value, peak, warmup_steps), *decay.parts)


def sgdr_schedule(cosine_kwargs: Iterable[Mapping[str, Any]]) -> Schedule:
    """Warm restarts, each with its own warm-up, peak and length, as in Optax 0.2.8.

    One `warmup_cosine_decay_schedule` after the other, each for its `decay_steps`; the last goes on at its
    `end_value`.

    Args:
        cosine_kwargs: the arguments of `warmup_cosine_decay_schedule` for each cycle, at least one.

    Raises:
        ScheduleError: no cycle, or a value that breaks a rule of `warmup_cosine_decay_schedule`.
        ArgumentTypeError: a value of the wrong type.
        TypeError: a name that is not one of its arguments, or one that is missing.

    Source: Optax 0.2.8, `optax.sgdr_schedule`; SGDR, arXiv 1608.03983.

    Example:
        >>> import kosine as ks
        >>> cycle = {"init_value": 0.0, "peak_value": 1.0, "warmup_steps": 2, "decay_steps": 10}
        >>> plan = ks.dialects.optax.sgdr_schedule([cycle, cycle | {"peak_value": 0.5}]).plan()
        >>> [round(plan(t), 6) for t in (0, 2, 6, 10, 12, 16, 20)]
        [0.0, 1.0, 0.5, 0.0, 0.5, 0.25, 0.0]
    """
    listed = read_list(cosine_kwargs, "cosine_kwargs", "dictionaries, one for each cycle")
    if not listed:
        raise ScheduleError("Argument `cosine_kwargs` must have at least one cycle.", received=Described("none"))
    return Schedule(*(part for kwargs in listed for part in warmup_cosine_decay_schedule(**kwargs)))


def join_schedules(schedules: Sequence[Schedule], boundaries: Sequence[int]) -> Schedule:
    """Schedules one after another, each counting its steps from its own boundary, as in Optax 0.2.8.

    Args:
        schedules: kosine schedules, such as the other functions here make. The run leaves each at its boundary.
        boundaries: the first step of each schedule but the first, none below the one before it.

    Raises:
        ScheduleError: a number of boundaries that is not one less than the schedules (Optax silently drops what is
            left over), or boundaries that are not sorted.
        ArgumentTypeError: a part that is not a schedule, or a boundary that is not an integer.

    Source: Optax 0.2.8, `optax.join_schedules`.

    Example:
        >>> import kosine as ks
        >>> optax = ks.dialects.optax
        >>> warmup, decay = optax.linear_schedule(0.0, 1.0, 10), optax.cosine_decay_schedule(1.0, 90)
        >>> plan = optax.join_schedules([warmup, decay], [10]).plan()
        >>> [round(plan(t), 6) for t in (0, 5, 10, 55, 100)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    return joined(schedules, boundaries, "boundaries")


def __getattr__(name: str) -> Any:
    if f"{name}_schedule" in __all__:
        return globals()[f"{name}_schedule"]
    raise no_such_name(__name__, name, __all__, {})


def _warmup(init_value: float, peak: float, warmup_steps: int) -> list[Phase]:
    return warm_up(read_count(warmup_steps, "warmup_steps"), read_rate(init_value, "init_value"), peak)


def _scaled(start: float, boundaries_and_scales: Mapping[int, float] | None) -> tuple[list[int], list[float]]:
    """The steps at which a rate is scaled, from 0 on and in order, and the rate at each of them."""
    scales = {} if boundaries_and_scales is None else boundaries_and_scales
    if not isinstance(scales, Mapping):
        raise ArgumentTypeError(
            argument="boundaries_and_scales", rule="a dictionary of steps and factors", received=scales
        )
    steps, values = [0, *sorted(read_counts(list(scales), "list(boundaries_and_scales)"))], [start]
    for step in steps[1:]:
        argument = f"boundaries_and_scales[{step}]"
        values.append(scaled(values[-1], read_at_least(scales[step], argument, 0), 1, argument))
    return steps, values
