"""Keras' learning-rate schedules: the same names, arguments and defaults, and the same rate at every step.

A step is a value of the optimizer's `iterations`, which is 0 in the first update. Keras computes in float32; the rates
here are what its formulas give without rounding. The `name` that a schedule has in the graph is left out.

Compiled on JAX, a quotient t / decay_steps becomes a product with 1 / decay_steps, whose rounding shows in two places.
Staircases are one step late at some lengths (41, 47, 55 and 61 among them). `PolynomialDecay` with a fractional power
gives NaN from the end of the decay on (at 10, 30 and 1,000 among others, measured with JAX 0.10.2 on a CPU). Here the
stair and the end are where the formula has them.
"""

# ruff: noqa: N802  the functions have Keras' names

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from kosine._core.arguments import read_above, read_at_least, read_count, read_counts, read_flag, read_list, read_rate
from kosine._core.curves.cosine import cosine
from kosine._core.curves.hold import hold
from kosine._core.curves.inverse import inverse_time
from kosine._core.curves.polynomial import polynomial
from kosine._core.groups import cycles, section
from kosine._core.numbers import MAX_STEPS, exact
from kosine._core.schedule import Schedule
from kosine.dialects._parts import MOST_GROWTH, no_such_name, powers, shrinking, stairs, warm_up
from kosine.errors import Described, ScheduleError

__all__ = [
    "FOLLOWS",
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
]

FOLLOWS = "keras 3.15.1"
"""The version that the schedules are the same as."""


def ExponentialDecay(
    initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False
) -> Schedule:
    """Exponential decay, as in Keras 3.15.1: initial_learning_rate * decay_rate ** (t / decay_steps), for ever.

    With `staircase` the exponent is rounded down. With a `decay_rate` above 1 the rate grows, up to 1e29 times the
    initial one at most, where it stays, while Keras' goes on to the infinity of float32.

    Args:
        initial_learning_rate: the rate at step 0, >= 0.
        decay_steps: how many steps `decay_rate` is for, >= 1.
        decay_rate: the factor in that many steps, > 0 and at most 1e29.
        staircase: whether the rate changes only every `decay_steps`.

    Raises:
        ScheduleError: a value that breaks a rule above.
        ArgumentTypeError: a value of the wrong type.

    Source: Keras 3.15.1, `keras.optimizers.schedules.ExponentialDecay`.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.keras.ExponentialDecay(0.1, decay_steps=1000, decay_rate=0.96)
        Schedule(section(exponential(start=0.1, factor=0.96, timescale=1000)))
        >>> plan = ks.dialects.keras.ExponentialDecay(1.0, decay_steps=2, decay_rate=0.5, staircase=True).plan()
        >>> [plan(t) for t in range(6)]
        [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """
    start, steps = read_rate(initial_learning_rate, "initial_learning_rate"), read_count(decay_steps, "decay_steps", 1)
    factor = read_above(decay_rate, "decay_rate", 0, MOST_GROWTH)
    return Schedule(powers(start, factor, steps, read_flag(staircase, "staircase")))


def PiecewiseConstantDecay(boundaries: Sequence[int], values: Sequence[float]) -> Schedule:
    """One value after another, as in Keras 3.15.1.

    values[0] up to step boundaries[0], that step included; values[i] for boundaries[i-1] < t <= boundaries[i]; the
    last value for ever. So the rate changes at the step after a boundary.

    Args:
        boundaries: steps, at least one, none below the one before it.
        values: the rates, one more than the boundaries.

    Raises:
        ScheduleError: no boundary, boundaries that are not sorted (Keras would add values up), or a number of values
            that does not fit.
        ArgumentTypeError: a value of the wrong type.

    Source: Keras 3.15.1, `keras.optimizers.schedules.PiecewiseConstantDecay`.

    Example:
        >>> import kosine as ks
        >>> plan = ks.dialects.keras.PiecewiseConstantDecay([2, 4], [1.0, 0.5, 0.1]).plan()
        >>> [plan(t) for t in range(7)]
        [1.0, 1.0, 1.0, 0.5, 0.5, 0.1, 0.1]
    """
    last_steps = read_counts(boundaries, "boundaries", in_order=True)
    listed = read_list(values, "values", "learning rates, such as [0.1, 0.01]")
    rates = [read_rate(value, f"values[{index}]") for index, value in enumerate(listed)]
    if not last_steps or len(rates) != len(last_steps) + 1:
        raise ScheduleError(
            "Argument `boundaries` must have at least one step, and `values` one value more.",
            received=Described(f"{len(last_steps)} boundaries and {len(rates)} values"),
        )
    return Schedule(*stairs([0, *(step + 1 for step in last_steps)], rates))


def PolynomialDecay(
    initial_learning_rate: float,
    decay_steps: int,
    end_learning_rate: float = 0.0001,
    power: float = 1.0,
    cycle: bool = False,
) -> Schedule:
    """Polynomial decay, as in Keras 3.15.1.

    With D = `decay_steps` the rate is end + (initial - end) (1 - t/D) ** power, and `end_learning_rate` from step D
    on. With `cycle` D is replaced by the lowest multiple of itself that is at least t. So cycle i = 0, 1, ... covers
    the steps i D < t <= (i + 1) D, decays towards the same end, and is (i + 1) ** power times lower than the first
    above that end, which its last step has.

    Args:
        initial_learning_rate: the rate at step 0, >= 0.
        decay_steps: the steps of the decay, or of each cycle, >= 1.
        end_learning_rate: the rate that the decay ends at, >= 0.
        power: the exponent, > 0 and at most 1000.
        cycle: whether the decay begins again; then `end_learning_rate` must be at most `initial_learning_rate`.

    Raises:
        ScheduleError: a value that breaks a rule above.
        ArgumentTypeError: a value of the wrong type.

    Source: Keras 3.15.1, `keras.optimizers.schedules.PolynomialDecay`.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.keras.PolynomialDecay(0.1, decay_steps=1000, power=2.0)
        Schedule(polynomial(1000, start=0.1, to=0.0001, power=2.0))
        >>> plan = ks.dialects.keras.PolynomialDecay(1.0, decay_steps=4, end_learning_rate=0.0, cycle=True).plan()
        >>> [plan(t) for t in range(9)]
        [1.0, 0.75, 0.5, 0.25, 0.0, 0.375, 0.25, 0.125, 0.0]
    """
    start, end = (
        read_rate(initial_learning_rate, "initial_learning_rate"),
        read_rate(end_learning_rate, "end_learning_rate"),
    )
    steps, exponent = read_count(decay_steps, "decay_steps", 1), read_above(power, "power", 0, 1000)
    if not read_flag(cycle, "cycle"):
        return Schedule(polynomial(steps, start=start, to=end, power=exponent))
    if end > start:
        raise ScheduleError(
            "Argument `end_learning_rate` must be at most `initial_learning_rate` where the decay begins again.",
            received={"initial_learning_rate": start, "end_learning_rate": end, "cycle": True},
        )
    second = end + (start - end) * (1 - 1 / steps) ** exponent  # the rate at step 1
    if second == end:
        return Schedule(hold(1, start=start), hold(1, start=end))
    decay = polynomial(steps, start=second, to=end, power=exponent, endpoint=True)
    return Schedule(hold(1, start=start), *shrinking(cycles(decay, shrink_to=end, shrink_power=exponent), steps))


def InverseTimeDecay(
    initial_learning_rate: float, decay_steps: int, decay_rate: float, staircase: bool = False
) -> Schedule:
    """Inverse-time decay, as in Keras 3.15.1: initial_learning_rate / (1 + decay_rate * t / decay_steps), for ever.

    With `staircase` the quotient t / decay_steps is rounded down.

    Args:
        initial_learning_rate: the rate at step 0, >= 0.
        decay_steps: how many steps `decay_rate` is for, >= 1.
        decay_rate: how much the denominator grows in that many steps, from 0 to 1e30; a float means its shortest
            decimal.
        staircase: whether the rate changes only every `decay_steps`.

    Raises:
        ScheduleError: a value that breaks a rule above.
        ArgumentTypeError: a value of the wrong type.

    Source: Keras 3.15.1, `keras.optimizers.schedules.InverseTimeDecay`.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.keras.InverseTimeDecay(0.1, decay_steps=1000, decay_rate=0.5)
        Schedule(section(inverse_time(start=0.1, timescale=2000)))
    """
    start, steps = read_rate(initial_learning_rate, "initial_learning_rate"), read_count(decay_steps, "decay_steps", 1)
    rate = exact(read_at_least(decay_rate, "decay_rate", 0, 1e30))
    stepped = read_flag(staircase, "staircase")
    if not rate:
        return Schedule(hold(start=start))
    if steps / rate > MAX_STEPS:
        raise ScheduleError(
            argument="decay_rate",
            rule="0 or more than decay_steps / 2**63",
            received={"decay_rate": decay_rate, "decay_steps": steps},
        )
    if stepped:
        return Schedule(section(inverse_time(start=start, timescale=1 / rate), tick=steps))
    return Schedule(section(inverse_time(start=start, timescale=steps / rate)))


def CosineDecay(
    initial_learning_rate: float,
    decay_steps: int,
    alpha: float = 0.0,
    warmup_target: float | None = None,
    warmup_steps: int = 0,
) -> Schedule:
    """Cosine decay after a linear warm-up, as in Keras 3.15.1.

    With a `warmup_target` p the rate is a straight line from `initial_learning_rate` to p in `warmup_steps`, and then
    p ((1 - alpha) (1 + cos(pi t / decay_steps)) / 2 + alpha), where t counts from the end of the warm-up; from
    warmup_steps + decay_steps on it is alpha * p. Without one there is no warm-up, whatever `warmup_steps` is, and p is
    `initial_learning_rate`.

    Args:
        initial_learning_rate: the rate at step 0, >= 0.
        decay_steps: steps of the decay, without the warm-up, >= 1.
        alpha: the rate at the end of the decay, as a share of its start, >= 0.
        warmup_target: the rate that the warm-up ends at and the decay starts at; None: no warm-up.
        warmup_steps: steps of the warm-up, >= 0.

    Raises:
        ScheduleError: a value that breaks a rule above.
        ArgumentTypeError: a value of the wrong type.

    Source: Keras 3.15.1, `keras.optimizers.schedules.CosineDecay`.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.keras.CosineDecay(0.0, decay_steps=900, alpha=0.1, warmup_target=0.5, warmup_steps=100)
        Schedule(linear(100, start=0.0, to=0.5), cosine(900, start=0.5, to=0.05))
    """
    start, steps = read_rate(initial_learning_rate, "initial_learning_rate"), read_count(decay_steps, "decay_steps", 1)
    share, warmup = read_at_least(alpha, "alpha", 0), read_count(warmup_steps, "warmup_steps")
    if warmup_target is None:
        return Schedule(cosine(steps, start=start, to=start * share))
    peak = read_rate(warmup_target, "warmup_target")
    return Schedule(*warm_up(warmup, start, peak), cosine(steps, start=peak, to=peak * share))


def CosineDecayRestarts(
    initial_learning_rate: float,
    first_decay_steps: int,
    t_mul: float = 2.0,
    m_mul: float = 1.0,
    alpha: float = 0.0,
) -> Schedule:
    """Cosine decay with warm restarts, for ever, as in Keras 3.15.1.

    Cycle i = 0, 1, ... lasts first_decay_steps * t_mul**i steps. Where the part u of it is done, the rate is
    initial_learning_rate ((1 - alpha) m_mul**i (1 + cos(pi u)) / 2 + alpha). Cycles may begin between two steps: no
    length is rounded.

    Keras finds the cycle by the floor of a float32 logarithm. At some restarts that is one cycle too few, and the rate
    is the floor instead of the peak: compiled on JAX, for first_decay_steps=10 and t_mul=10 at steps 10, 110 and
    11,110. Here each restart is at its peak.

    Args:
        initial_learning_rate: the rate at step 0, >= 0.
        first_decay_steps: steps of the first cycle, >= 1.
        t_mul: the factor by which each cycle is longer than the last, >= 1; a float means its shortest decimal.
            (Below 1 Keras gives NaN from step first_decay_steps / (1 - t_mul) on.)
        m_mul: the factor by which each cycle starts lower than the last above the floor, from 0 to 1.
        alpha: the floor as a share of `initial_learning_rate`, from 0 to 1.

    Raises:
        ScheduleError: a value that breaks a rule above.
        ArgumentTypeError: a value of the wrong type.

    Source: Keras 3.15.1, `keras.optimizers.schedules.CosineDecayRestarts`; SGDR, arXiv 1608.03983.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.keras.CosineDecayRestarts(0.1, first_decay_steps=1000)
        Schedule(cycles(cosine(1000, start=0.1, to=0.0), stretch=2.0))
        >>> plan = ks.dialects.keras.CosineDecayRestarts(1.0, first_decay_steps=3, t_mul=1.5, alpha=0.5).plan()
        >>> [round(plan(t), 4) for t in (0, 3, 7, 8)]
        [1.0, 1.0, 0.5151, 0.9933]
    """
    start = read_rate(initial_learning_rate, "initial_learning_rate")
    steps = read_count(first_decay_steps, "first_decay_steps", 1)
    stretch, shrink = read_at_least(t_mul, "t_mul", 1), read_at_least(m_mul, "m_mul", 0, 1)
    floor = start * read_at_least(alpha, "alpha", 0, 1)
    decay = cosine(steps, start=start, to=floor)
    if shrink == 0 or floor == start:
        return Schedule(decay)
    parts = shrinking(cycles(decay, stretch=stretch, shrink=shrink, shrink_to=floor if shrink < 1 else 0.0), steps)
    return Schedule(*parts) if stretch.is_integer() else Schedule(section(*parts, continuous=True))


def __getattr__(name: str) -> NoReturn:
    raise no_such_name(__name__, name, __all__, {})
