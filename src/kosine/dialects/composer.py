"""Composer's schedulers as schedules, with the names, arguments and defaults of `composer.optim.scheduler`.

Composer multiplies the optimizer's rate with what a scheduler returns; here the rate is the first argument, `lr`, and
the schedule is the product. Its rate at step t is the scheduler's for the moment when t batches have been trained.

Times are written as in Composer: "100ba" (batches, which are steps), "10ep", "1000sp", "2e6tok" and "0.3dur". Samples
and tokens are compared as such, so what falls between two steps takes effect at the later one. A fraction of the run is
truncated to a whole step, as Composer does where the length of the run is given in batches or epochs. (Where it is
given in samples or tokens, Composer truncates to those; fractions other than "1dur" are then up to a step later there.)
Composer truncates the product of two floats, which can lie just below the exact whole number: 0.29 of 100 batches is 28
in Composer and 29 here.

`scale_schedule_ratio` is an argument of Composer's trainer and not here, so `scale_warmup` changes nothing. The
trainer has a delay that its schedulers do not know of: it steps them before it advances its clock, so that the update
of batch t uses the rate of t - 1, and the first two updates that of 0. To follow it, read the plan one step late:
`plan(max(t - 1, 0))`.
"""

# ruff: noqa: N802  the functions have Composer's names

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import NoReturn

from kosine._core.arguments import read_above, read_at_least, read_flag, read_list
from kosine._core.curves.cosine import cosine
from kosine._core.curves.exponential import exponential
from kosine._core.curves.hold import hold
from kosine._core.curves.linear import linear
from kosine._core.curves.polynomial import polynomial
from kosine._core.durations import DurationLike
from kosine._core.groups import Part, cycles, section
from kosine._core.numbers import MAX_STEPS, decimal
from kosine._core.phase import Phase
from kosine._core.schedule import Schedule
from kosine.dialects._parts import MOST_GROWTH, MOST_SINGLE_CYCLES, for_ever, growths, no_such_name, read_lr, scaled
from kosine.errors import ArgumentTypeError, Described, ScheduleError, shown

__all__ = [
    "FOLLOWS",
    "ConstantScheduler",
    "ConstantWithWarmupScheduler",
    "CosineAnnealingScheduler",
    "CosineAnnealingWarmRestartsScheduler",
    "CosineAnnealingWithWarmupScheduler",
    "ExponentialScheduler",
    "LinearScheduler",
    "LinearWithWarmupScheduler",
    "MultiStepScheduler",
    "MultiStepWithWarmupScheduler",
    "PolynomialScheduler",
    "PolynomialWithWarmupScheduler",
    "StepScheduler",
]

FOLLOWS = "composer 0.32.1"
"""The version whose schedules these are."""

_TIME = re.compile(
    r"\s*(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]{1,2})?)\s*(?P<unit>iter|ep|ba|sp|tok|dur|sec)",
    re.ASCII | re.IGNORECASE,
)
_WALL_CLOCK = re.compile(r"([0-9]+h)?([0-9]+m)?([0-9]+s)?", re.ASCII)
_EXAMPLES = 'Write, say, "100ba", "10ep", "0.3dur", "1000sp" or "2e6tok"'


@dataclass(frozen=True, slots=True)
class _Time:
    """One of Composer's times: an exact amount of batches, epochs, samples, tokens, or of the run."""

    unit: str
    amount: Fraction

    @classmethod
    def read(cls, value: object, argument: str, *, positive: bool = False) -> _Time:
        if not isinstance(value, str):
            raise ArgumentTypeError(
                argument=argument,
                rule="a time as Composer writes it",
                received=value,
                fix=f"{_EXAMPLES}; the text of a `Time` is `str(time)`.",
            )
        match = _TIME.fullmatch(value)
        if match is None and not _WALL_CLOCK.fullmatch(value.strip() or "?"):
            raise ScheduleError(
                argument=argument,
                rule="a number >= 0 followed by one of Composer's units",
                received=value,
                fix=f"{_EXAMPLES}.",
            )
        unit = "sec" if match is None else match["unit"].lower()
        if match is None or unit in ("sec", "iter"):
            reason = (
                "an iteration is a length that only Composer's trainer knows, not the schedule"
                if unit == "iter"
                else "the time that a step takes is not known before the run, and Composer's schedulers refuse it too"
            )
            raise ScheduleError(
                f"Argument `{argument}` cannot be given in this unit: {reason}.",
                received=Described(f"{argument}={shown(value)}"),
                fix=f"{_EXAMPLES}.",
            )
        amount = Fraction(match["number"])
        if unit == "dur":
            simple = amount.limit_denominator(10_000)
            amount = simple if float(simple) == float(amount) else amount  # "0.3333333333333333dur" is a third
            if amount > 1:
                raise ScheduleError(argument=argument, rule='at most "1dur", the whole run', received=value)
        elif amount.denominator != 1:
            raise ScheduleError(
                argument=argument,
                rule="a whole number of its unit, as in Composer; only fractions of the run may be fractions "
                '("0.3dur")',
                received=value,
            )
        if positive and not amount:
            raise ScheduleError(argument=argument, rule="longer than 0", received=value)
        return cls(unit, amount)

    @property
    def whole_run(self) -> bool:
        return self.unit == "dur" and self.amount == 1

    @property
    def counted(self) -> bool:
        """Whether Composer compares it with a count that a step advances by more than 1."""
        return self.unit in ("sp", "tok")

    def duration(self) -> int | str:
        """As a duration of kosine."""
        if self.unit == "ba":
            return int(self.amount)
        if self.unit == "dur":
            return "100%" if self.amount == 1 else f"floor {decimal(self.amount * 100)}%" if self.amount else 0
        return f"{self.amount}{self.unit}"


def ConstantScheduler(lr: float, alpha: float = 1.0, t_max: str = "1dur") -> Schedule:
    """`composer.optim.ConstantScheduler` of composer 0.32.1.

    lr * alpha before `t_max`, then lr. With "1dur" the rate changes where the run ends.

    Args:
        lr: the optimizer's rate, >= 0.
        alpha: what it is multiplied with until `t_max`, >= 0.
        t_max: when it is multiplied no more.

    Raises:
        ScheduleError: a negative or non-finite number, or a time that Composer's schedulers do not know.
        ArgumentTypeError: a rate or factor that is not a number, or a time that is not a text.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.composer.ConstantScheduler(0.1, alpha=0.5, t_max="10ep")
        Schedule(hold("10ep", start=0.05), section(hold(start=0.1)))
    """
    base, time = read_lr(lr), _Time.read(t_max, "t_max")
    first = base * read_at_least(alpha, "alpha", 0)
    if first == base or not time.amount:
        return Schedule(hold(start=base))
    return _schedule(time, hold(time.duration(), start=first), for_ever(base))


def LinearScheduler(lr: float, alpha_i: float = 1.0, alpha_f: float = 0.0, t_max: str = "1dur") -> Schedule:
    """`composer.optim.LinearScheduler` of composer 0.32.1.

    lr (alpha_i + (alpha_f - alpha_i) t / t_max), and lr * alpha_f from `t_max` on.

    Args:
        lr: the optimizer's rate, >= 0.
        alpha_i: what it is multiplied with at first, >= 0.
        alpha_f: what it is multiplied with in the end, >= 0.
        t_max: when the end is reached, > 0. Where a fraction of the run is less than a step, Composer divides by 0;
            the schedule is at its end.

    Raises:
        ScheduleError: a negative or non-finite number, a `t_max` of 0, or a time that Composer's schedulers do not
            know.
        ArgumentTypeError: a rate or factor that is not a number, or a time that is not a text.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.composer.LinearScheduler(0.1)
        Schedule(linear(start=0.1, to=0.0))
    """
    base, last = _rates(lr, alpha_f)
    first = base * read_at_least(alpha_i, "alpha_i", 0)
    return _until(t_max, lambda duration: linear(duration, start=first, to=last))


def CosineAnnealingScheduler(lr: float, t_max: str = "1dur", alpha_f: float = 0.0) -> Schedule:
    """`composer.optim.CosineAnnealingScheduler` of composer 0.32.1.

    lr (alpha_f + (1 - alpha_f) (1 + cos(pi t / t_max)) / 2), and lr * alpha_f from `t_max` on.

    Args:
        lr: the optimizer's rate, >= 0.
        t_max: when the end is reached, > 0. Where a fraction of the run is less than a step, Composer divides by 0;
            the schedule is at its end.
        alpha_f: what the rate is multiplied with in the end, >= 0.

    Raises:
        ScheduleError: a negative or non-finite number, a `t_max` of 0, or a time that Composer's schedulers do not
            know.
        ArgumentTypeError: a rate or factor that is not a number, or a time that is not a text.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.composer.CosineAnnealingScheduler(0.1, t_max="90ep")
        Schedule(cosine("90ep", start=0.1, to=0.0))
    """
    base, last = _rates(lr, alpha_f)
    return _until(t_max, lambda duration: cosine(duration, start=base, to=last))


def PolynomialScheduler(lr: float, power: float, t_max: str = "1dur", alpha_f: float = 0.0) -> Schedule:
    """`composer.optim.PolynomialScheduler` of composer 0.32.1.

    lr (alpha_f + (1 - alpha_f) (1 - t / t_max) ** power), and lr * alpha_f from `t_max` on.

    Args:
        lr: the optimizer's rate, >= 0.
        power: the exponent, > 0 and at most 1000.
        t_max: when the end is reached, > 0. Where a fraction of the run is less than a step, Composer divides by 0;
            the schedule is at its end.
        alpha_f: what the rate is multiplied with in the end, >= 0.

    Raises:
        ScheduleError: a negative or non-finite number, a power out of range, a `t_max` of 0, or a time that Composer's
            schedulers do not know.
        ArgumentTypeError: a rate or factor that is not a number, or a time that is not a text.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.composer.PolynomialScheduler(0.1, power=2, t_max="100ba")
        Schedule(polynomial(100, start=0.1, to=0.0, power=2.0))
    """
    (base, last), exponent = _rates(lr, alpha_f), read_above(power, "power", 0, 1000)
    return _until(t_max, lambda duration: polynomial(duration, start=base, to=last, power=exponent))


def ExponentialScheduler(lr: float, gamma: float, decay_period: str = "1ep") -> Schedule:
    """`composer.optim.ExponentialScheduler` of composer 0.32.1.

    lr * gamma ** (t / decay_period), for ever.

    Args:
        lr: the optimizer's rate, >= 0.
        gamma: what the rate is multiplied with in each period, > 0 and at most 1e29. Above 1 the rate grows; where it
            has grown to 1e29 times `lr`, or at the end of the run if the period is a fraction of it, it stays, while
            Composer's goes on.
        decay_period: how long that takes, > 0. `plan` refuses a run whose fraction is less than a step, where
            Composer divides by 0.

    Raises:
        ScheduleError: a negative or non-finite number, a `gamma` out of range, a period of 0, or a time that
            Composer's schedulers do not know.
        ArgumentTypeError: a rate or factor that is not a number, or a time that is not a text.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.composer.ExponentialScheduler(0.1, gamma=0.9)
        Schedule(section(exponential(start=0.1, factor=0.9, timescale="1ep")))
    """
    base, factor = read_lr(lr), read_above(gamma, "gamma", 0, MOST_GROWTH)
    period = _Time.read(decay_period, "decay_period", positive=True)
    if base == 0 or factor == 1:
        return Schedule(hold(start=base))
    length: DurationLike = "rest"
    if factor > 1 and period.unit != "dur":
        length = _Time(period.unit, Fraction(min(int(period.amount * Fraction(growths(factor))), MAX_STEPS))).duration()
    phase = exponential(length, start=base, factor=factor, timescale=period.duration())
    return Schedule(section(phase) if factor < 1 else phase)


def StepScheduler(lr: float, step_size: str, gamma: float = 0.1) -> Schedule:
    """`composer.optim.StepScheduler` of composer 0.32.1.

    lr * gamma ** floor(t / step_size), for ever.

    Args:
        lr: the optimizer's rate, >= 0.
        step_size: how long each rate lasts, > 0. `plan` refuses a run whose fraction is less than a step, where
            Composer divides by 0.
        gamma: what the rate is multiplied with after it, from 0 to 1e29; at most 1 where `step_size` counts samples or
            tokens. Above 1 the rate grows; where it has grown to 1e29 times `lr` it stays, while Composer's goes on.

    Raises:
        ScheduleError: a negative or non-finite number, a `gamma` out of range, a `step_size` of 0, or a time that
            Composer's schedulers do not know.
        ArgumentTypeError: a rate or factor that is not a number, or a time that is not a text.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.composer.StepScheduler(0.1, step_size="30ep")
        Schedule(section(exponential(start=0.1, factor=0.1), tick="30ep"))
    """
    base, time = read_lr(lr), _Time.read(step_size, "step_size", positive=True)
    factor = read_at_least(gamma, "gamma", 0, 1 if time.counted else MOST_GROWTH)
    if base == 0 or factor == 1:
        return Schedule(hold(start=base))
    if factor == 0:
        return _schedule(time, hold(time.duration(), start=base), for_ever(0.0))
    if time.counted:
        return _schedule(time, cycles(hold(time.duration(), start=base), shrink=factor))
    length: DurationLike = "rest" if factor < 1 else int(growths(factor))
    return Schedule(section(exponential(length, start=base, factor=factor), tick=time.duration()))


def MultiStepScheduler(lr: float, milestones: Iterable[str], gamma: float = 0.1) -> Schedule:
    """`composer.optim.MultiStepScheduler` of composer 0.32.1.

    lr * gamma ** n, where n milestones have been reached; after the last one the rate stays.

    Args:
        lr: the optimizer's rate, >= 0.
        milestones: when the rate is multiplied with `gamma`, all in one unit and in any order. One that is given twice
            counts twice.
        gamma: the factor, >= 0.

    Raises:
        ScheduleError: a negative or non-finite number, milestones in several units (which of them comes first depends
            on the run), or a time that Composer's schedulers do not know.
        ArgumentTypeError: a rate or factor that is not a number, or a time that is not a text.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.composer.MultiStepScheduler(0.5, milestones=["30ep", "80ep"], gamma=0.5)
        Schedule(hold("30ep", start=0.5), hold("50ep", start=0.25), section(hold(start=0.125)))
    """
    base, factor = read_lr(lr), read_at_least(gamma, "gamma", 0)
    times = _milestones(milestones)
    staircase = _staircase(base, times, factor)
    return _schedule(times[0], *staircase) if times else Schedule(*staircase)


def CosineAnnealingWarmRestartsScheduler(lr: float, t_0: str, t_mult: float = 1.0, alpha_f: float = 0.0) -> Schedule:
    """`composer.optim.CosineAnnealingWarmRestartsScheduler` of composer 0.32.1.

    lr (alpha_f + (1 - alpha_f) (1 + cos(pi u)) / 2), where the part u of a cycle is done. The first cycle lasts `t_0`,
    each later one `t_mult` times as long as the last, truncated to a whole number of the unit, for ever. A factor near
    1 may so change nothing: with t_0="3ba" and t_mult=1.3 every cycle lasts 3 batches.

    Args:
        lr: the optimizer's rate, which every cycle begins at, >= 0.
        t_0: how long the first cycle lasts, > 0. `plan` refuses a run whose fraction is less than a step, where
            Composer divides by 0.
        t_mult: the factor, >= 1. (Below 1 Composer's cycles shrink until it raises an error.) A factor that is no
            whole number needs a `t_0` in batches, samples or tokens, because the length of an epoch or a run decides
            what is truncated; and its cycles are listed, up to 1,000 of them, until they would pass step 2**63.
        alpha_f: what the rate is multiplied with at the end of each cycle, >= 0.

    Raises:
        ScheduleError: a negative or non-finite number, a `t_mult` out of range, a `t_0` of 0, or a time that
            Composer's schedulers do not know.
        ArgumentTypeError: a rate or factor that is not a number, or a time that is not a text.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.composer.CosineAnnealingWarmRestartsScheduler(0.05, t_0="10ep", t_mult=2)
        Schedule(cycles(cosine("10ep", start=0.05, to=0.0), stretch=2.0))
    """
    base, time = read_lr(lr), _Time.read(t_0, "t_0", positive=True)
    stretch, last = read_at_least(t_mult, "t_mult", 1), base * read_at_least(alpha_f, "alpha_f", 0)
    if stretch.is_integer():
        return _schedule(time, cycles(cosine(time.duration(), start=base, to=last), stretch=stretch))
    if time.unit in ("ep", "dur"):
        raise ScheduleError(
            argument="t_mult",
            rule='a whole number where `t_0` counts epochs ("ep") or a fraction of the run ("dur")',
            received={"t_mult": stretch, "t_0": t_0},
            fix='Give `t_0` in batches ("ba").',
        )
    return _schedule(time, *_truncated_cycles(time, stretch, lambda duration: cosine(duration, start=base, to=last)))


def ConstantWithWarmupScheduler(
    lr: float, t_warmup: str, alpha: float = 1.0, t_max: str = "1dur", scale_warmup: bool = False
) -> Schedule:
    """`composer.optim.ConstantWithWarmupScheduler` of composer 0.32.1.

    From 0 to lr * alpha in a straight line until `t_warmup`, then lr * alpha for ever: also after `t_max`, other than
    the documentation of Composer says.

    Args:
        lr: the optimizer's rate, >= 0.
        t_warmup: how long the warm-up lasts; "0ba": none.
        alpha: what the rate is multiplied with, >= 0.
        t_max: changes nothing; Composer refuses one that is shorter than the run.
        scale_warmup: changes nothing; it concerns the trainer's `scale_schedule_ratio`.

    Raises:
        ScheduleError: a negative or non-finite number, times whose units do not go together, or a time that Composer's
            schedulers do not know.
        ArgumentTypeError: a rate or factor that is not a number, a time that is not a text, or a `scale_warmup` that
            is not a bool.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.composer.ConstantWithWarmupScheduler(0.1, t_warmup="5ep")
        Schedule(linear("5ep", start=0.0, to=0.1))
    """
    peak = read_lr(lr) * read_at_least(alpha, "alpha", 0)
    warmup, _ = _warmup_and_end(t_warmup, t_max, scale_warmup)
    return _schedule(warmup, _warm(warmup, peak)) if warmup.amount else Schedule(hold(start=peak))


def LinearWithWarmupScheduler(
    lr: float,
    t_warmup: str,
    alpha_i: float = 1.0,
    alpha_f: float = 0.0,
    t_max: str = "1dur",
    scale_warmup: bool = False,
) -> Schedule:
    """`composer.optim.LinearWithWarmupScheduler` of composer 0.32.1.

    From 0 to lr * alpha_i in a straight line until `t_warmup`; then lr (alpha_i + (alpha_f - alpha_i) u) with
    u = (t - t_warmup) / (t_max - t_warmup), and lr * alpha_f from `t_max` on. Where `t_max` is not after `t_warmup` the
    rate stays at lr * alpha_i.

    Args:
        lr: the optimizer's rate, >= 0.
        t_warmup: how long the warm-up lasts; "0ba": none.
        alpha_i: what the rate is multiplied with when the warm-up ends, >= 0.
        alpha_f: what it is multiplied with in the end, >= 0.
        t_max: when the end is reached, counted from the beginning of the run: it includes the warm-up. Composer
            refuses to train for longer; the schedule stays at its end.
        scale_warmup: changes nothing; it concerns the trainer's `scale_schedule_ratio`.

    Raises:
        ScheduleError: a negative or non-finite number, times whose units do not go together, or a time that Composer's
            schedulers do not know. With "1dur", `plan` refuses a run that ends before the warm-up does.
        ArgumentTypeError: a rate or factor that is not a number, a time that is not a text, or a `scale_warmup` that
            is not a bool.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.composer.LinearWithWarmupScheduler(0.1, t_warmup="5ep")
        Schedule(linear("5ep", start=0.0, to=0.1), linear(to=0.0))
    """
    base, last = _rates(lr, alpha_f)
    first = base * read_at_least(alpha_i, "alpha_i", 0)
    warmup, end = _warmup_and_end(t_warmup, t_max, scale_warmup)
    return _warm_then(warmup, end, first, lambda duration, start: linear(duration, start=start, to=last))


def CosineAnnealingWithWarmupScheduler(
    lr: float, t_warmup: str, t_max: str = "1dur", alpha_f: float = 0.0, scale_warmup: bool = False
) -> Schedule:
    """`composer.optim.CosineAnnealingWithWarmupScheduler` of composer 0.32.1.

    From 0 to lr in a straight line until `t_warmup`; then lr (alpha_f + (1 - alpha_f) (1 + cos(pi u)) / 2) with
    u = (t - t_warmup) / (t_max - t_warmup), and lr * alpha_f from `t_max` on. Where `t_max` is not after `t_warmup` the
    rate stays at lr.

    Args:
        lr: the optimizer's rate, >= 0.
        t_warmup: how long the warm-up lasts; "0ba": none.
        t_max: when the end is reached, counted from the beginning of the run: it includes the warm-up. Composer
            refuses to train for longer; the schedule stays at its end.
        alpha_f: what the rate is multiplied with in the end, >= 0.
        scale_warmup: changes nothing; it concerns the trainer's `scale_schedule_ratio`.

    Raises:
        ScheduleError: a negative or non-finite number, times whose units do not go together, or a time that Composer's
            schedulers do not know. With "1dur", `plan` refuses a run that ends before the warm-up does.
        ArgumentTypeError: a rate or factor that is not a number, a time that is not a text, or a `scale_warmup` that
            is not a bool.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.composer.CosineAnnealingWithWarmupScheduler(0.1, t_warmup="100ba", alpha_f=0.5)
        Schedule(linear(100, start=0.0, to=0.1), cosine(to=0.05))
    """
    base, last = _rates(lr, alpha_f)
    warmup, end = _warmup_and_end(t_warmup, t_max, scale_warmup)
    return _warm_then(warmup, end, base, lambda duration, start: cosine(duration, start=start, to=last))


def PolynomialWithWarmupScheduler(
    lr: float,
    t_warmup: str,
    power: float = 2.0,
    t_max: str = "1dur",
    alpha_f: float = 0.0,
    scale_warmup: bool = False,
) -> Schedule:
    """`composer.optim.PolynomialWithWarmupScheduler` of composer 0.32.1.

    From 0 to lr in a straight line until `t_warmup`; then lr (alpha_f + (1 - alpha_f) (1 - u) ** power) with
    u = (t - t_warmup) / (t_max - t_warmup), and lr * alpha_f from `t_max` on. Where `t_max` is not after `t_warmup` the
    rate stays at lr.

    Args:
        lr: the optimizer's rate, >= 0.
        t_warmup: how long the warm-up lasts; "0ba": none.
        power: the exponent, > 0 and at most 1000.
        t_max: when the end is reached, counted from the beginning of the run: it includes the warm-up. Composer
            refuses to train for longer; the schedule stays at its end.
        alpha_f: what the rate is multiplied with in the end, >= 0.
        scale_warmup: changes nothing; it concerns the trainer's `scale_schedule_ratio`.

    Raises:
        ScheduleError: a negative or non-finite number, a power out of range, times whose units do not go together, or a
            time that Composer's schedulers do not know. With "1dur", `plan` refuses a run that ends before the warm-up
            does.
        ArgumentTypeError: a rate or factor that is not a number, a time that is not a text, or a `scale_warmup` that
            is not a bool.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.composer.PolynomialWithWarmupScheduler(0.1, t_warmup="5ep")
        Schedule(linear("5ep", start=0.0, to=0.1), polynomial(to=0.0, power=2.0))
    """
    (base, last), exponent = _rates(lr, alpha_f), read_above(power, "power", 0, 1000)
    warmup, end = _warmup_and_end(t_warmup, t_max, scale_warmup)
    return _warm_then(
        warmup, end, base, lambda duration, start: polynomial(duration, start=start, to=last, power=exponent)
    )


def MultiStepWithWarmupScheduler(
    lr: float, t_warmup: str, milestones: Iterable[str], gamma: float = 0.1, scale_warmup: bool = False
) -> Schedule:
    """`composer.optim.MultiStepWithWarmupScheduler` of composer 0.32.1.

    From 0 to lr in a straight line until `t_warmup`; then lr * gamma ** n, where n milestones have been reached since
    the beginning of the run.

    Args:
        lr: the optimizer's rate, >= 0.
        t_warmup: how long the warm-up lasts; "0ba": none.
        milestones: when the rate is multiplied with `gamma`, all in one unit and in any order. One that is given twice
            counts twice.
        gamma: the factor, >= 0.
        scale_warmup: changes nothing; it concerns the trainer's `scale_schedule_ratio`.

    Raises:
        ScheduleError: a negative or non-finite number, milestones in several units (which of them comes first depends
            on the run), a warm-up that counts samples or tokens with milestones that do not, or the other way round;
            or a time that Composer's schedulers do not know.
        ArgumentTypeError: a rate or factor that is not a number, a time that is not a text, or a `scale_warmup` that
            is not a bool.

    Example:
        >>> import kosine as ks
        >>> ks.dialects.composer.MultiStepWithWarmupScheduler(0.5, "5ep", milestones=["30ep"], gamma=0.5)
        Schedule(linear("5ep", start=0.0, to=0.5), hold("25ep", start=0.5), section(hold(start=0.25)))
    """
    base, factor = read_lr(lr), read_at_least(gamma, "gamma", 0)
    read_flag(scale_warmup, "scale_warmup")
    warmup, times = _Time.read(t_warmup, "t_warmup"), _milestones(milestones)
    warm = [_warm(warmup, base)] if warmup.amount else []
    if not times or times[0].unit == warmup.unit:
        return _schedule(warmup, *warm, *_staircase(base, times, factor, warmup.amount))
    if warmup.counted or times[0].counted:
        raise ScheduleError(
            ("Arguments `t_warmup` and `milestones` must be in one unit where one of them counts samples or tokens."),
            received={"t_warmup": t_warmup, "milestones": milestones},
        )
    return Schedule(*warm, section(*_staircase(base, times, factor), skip=warmup.duration()))


def _rates(lr: float, alpha_f: float) -> tuple[float, float]:
    """The base rate and the one in the end."""
    base = read_lr(lr)
    return base, base * read_at_least(alpha_f, "alpha_f", 0)


def _schedule(time: _Time, *parts: Part) -> Schedule:
    """The parts, by the clock that `time` counts: samples and tokens may pass between two steps."""
    return Schedule(section(*parts, continuous=True)) if time.counted else Schedule(*parts)


def _until(t_max: object, phase: Callable[[DurationLike], Phase]) -> Schedule:
    """One phase that reaches its end at `t_max`."""
    time = _Time.read(t_max, "t_max", positive=True)
    return _schedule(time, phase("rest" if time.whole_run else time.duration()))


def _warm(warmup: _Time, peak: float) -> Phase:
    return linear(warmup.duration(), start=0.0, to=peak)


def _warmup_and_end(t_warmup: object, t_max: object, scale_warmup: object) -> tuple[_Time, _Time]:
    read_flag(scale_warmup, "scale_warmup")
    warmup, end = _Time.read(t_warmup, "t_warmup"), _Time.read(t_max, "t_max", positive=True)
    if end.unit == "dur":
        if not end.whole_run:
            raise ScheduleError(
                "Argument `t_max` must not be shorter than the run: Composer refuses it.",
                received={"t_max": t_max},
                fix='Use "1dur".',
            )
    elif warmup.unit != end.unit and (warmup.counted or end.counted):
        raise ScheduleError(
            "Arguments `t_warmup` and `t_max` must be in one unit where one of them counts samples or "
            "tokens: Composer refuses others.",
            received={"t_warmup": t_warmup, "t_max": t_max},
        )
    return warmup, end


def _warm_then(
    warmup: _Time, end: _Time, peak: float, phase: Callable[[DurationLike, float | None], Phase]
) -> Schedule:
    """A warm-up to the peak, and a phase from its end to `end`."""
    if not warmup.amount:
        return _schedule(end, phase("rest" if end.whole_run else end.duration(), peak))
    warm = _warm(warmup, peak)
    if warmup.unit == end.unit:
        left = end.amount - warmup.amount
        if left <= 0:
            return _schedule(warmup, warm)
        if not end.whole_run:
            return _schedule(warmup, warm, phase(_Time(end.unit, left).duration(), None))
    if end.whole_run:
        return _schedule(warmup, warm, phase("rest", None))
    return Schedule(section(warm, phase("rest", None), duration=end.duration()))


def _milestones(milestones: object) -> list[_Time]:
    listed = read_list(milestones, "milestones", 'times, such as ["30ep", "80ep"]')
    times = [_Time.read(time, f"milestones[{index}]") for index, time in enumerate(listed)]
    if len({time.unit for time in times}) > 1:
        raise ScheduleError(
            argument="milestones", rule="in one unit: which of several comes first depends on the run", received=listed
        )
    return times


def _staircase(base: float, times: list[_Time], factor: float, first: Fraction = Fraction(0)) -> list[Part]:
    """The rates from the position `first` on, a step down at each of the milestones."""
    parts: list[Part] = []
    reached = 0
    for amount, count in sorted(Counter(time.amount for time in times).items()):
        if amount > first:
            parts.append(_hold_between(_Time(times[0].unit, first), amount, scaled(base, factor, reached, "gamma")))
            first = amount
        reached += count
    return [*parts, for_ever(scaled(base, factor, reached, "gamma"))]


def _hold_between(begin: _Time, end: Fraction, rate: float) -> Part:
    if begin.unit != "dur" or not begin.amount:
        return hold(_Time(begin.unit, end - begin.amount).duration(), start=rate)
    # Each fraction of the run is truncated separately, so the difference of two of them is not a fraction of the run.
    return section(hold(_Time("dur", end).duration(), start=rate), skip=begin.duration())


def _truncated_cycles(time: _Time, stretch: float, phase: Callable[[DurationLike], Phase]) -> list[Part]:
    """Cycles whose lengths Composer truncates, until they stay the same or pass the last step."""
    parts: list[Part] = []
    length, end = int(time.amount), 0
    while True:
        duration, longer = _Time(time.unit, Fraction(length)).duration(), int(stretch * length)
        if longer == length:
            return [*parts, cycles(phase(duration))]
        parts.append(phase(duration))
        end += length
        if end + longer > MAX_STEPS:
            return parts
        if len(parts) == MOST_SINGLE_CYCLES:
            raise ScheduleError(
                f"Argument `t_mult` must not be so near to 1 that it makes more than {MOST_SINGLE_CYCLES:,} "
                "cycles before step 2**63.",
                received={"t_mult": stretch},
            )
        length = longer


def __getattr__(name: str) -> NoReturn:
    raise no_such_name(__name__, name, __all__, {})
