"""The schedules that people know by name. Each is only a composition; its `repr` shows which."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

from kosine._core.arguments import read_above, read_choice, read_list, read_number, read_rate
from kosine._core.curves.cosine import cosine
from kosine._core.curves.exponential import exponential
from kosine._core.curves.hold import hold as hold_phase
from kosine._core.curves.inverse import inverse_sqrt
from kosine._core.curves.linear import linear
from kosine._core.curves.one_minus_sqrt import one_minus_sqrt
from kosine._core.durations import Duration, DurationLike
from kosine._core.foreign_words import translates_foreign_words
from kosine._core.groups import cycles
from kosine._core.phase import Phase
from kosine._core.schedule import Schedule
from kosine.errors import ArgumentTypeError, Name, ScheduleError

__all__ = [
    "constant",
    "infinite",
    "inverse_sqrt_decay",
    "linear_to_zero",
    "one_cycle",
    "one_cycle_momentum",
    "piecewise",
    "sgdr",
    "step_decay",
    "warmup_cosine",
    "wsd",
]

_COOLDOWNS = {"cosine": cosine, "linear": linear, "one_minus_sqrt": one_minus_sqrt}


@translates_foreign_words
def constant(lr: float) -> Schedule:
    """The same learning rate for ever.

    Args:
        lr: the learning rate, >= 0.

    Raises:
        ScheduleError: a negative or non-finite rate.
        ArgumentTypeError: a rate that is not a number.

    Example:
        >>> import kosine as ks
        >>> ks.constant(3e-4)
        Schedule(hold(start=0.0003))
    """
    return Schedule(hold_phase(start=read_rate(lr, "lr")))


@translates_foreign_words
def warmup_cosine(
    peak: float,
    *,
    warmup: DurationLike = 0,
    warmup_start: float = 0.0,
    hold: DurationLike = 0,
    floor: float = 0.0,
) -> Schedule:
    """Linear warm-up, hold, cosine annealing over the rest of the run.

    Args:
        peak: the highest learning rate.
        warmup: how long the warm-up lasts; 0: none.
        warmup_start: the rate of the first step of the warm-up.
        hold: how long the peak is held; 0: not at all.
        floor: the rate that the annealing ends at.

    Raises:
        ScheduleError: a peak below the floor or the start of the warm-up, or a value that breaks a phase's rule.

    Example:
        >>> import kosine as ks
        >>> ks.warmup_cosine(peak=1e-4, warmup="10ep", warmup_start=4e-6, hold=5)
        Schedule(linear("10ep", start=4e-06, to=0.0001), hold(5), cosine(to=0.0))
    """
    warm = _warmup(peak, warmup, warmup_start)
    _below(peak, floor, "floor")
    held = [] if _none(hold, "hold") else [hold_phase(hold, start=None if warm else peak)]
    return Schedule(*warm, *held, cosine(to=floor, start=None if warm or held else peak))


@translates_foreign_words
def sgdr(
    peak: float,
    *,
    period: DurationLike,
    stretch: float = 1,
    shrink: float = 1.0,
    floor: float = 0.0,
    warmup: DurationLike = 0,
    warmup_start: float = 0.0,
    count: int | None = None,
) -> Schedule:
    """Cosine annealing with warm restarts (SGDR, arXiv 1608.03983).

    The step of a restart has the peak; the authors' code reaches it one step late. With a `count` the rate stays at the
    floor after the last cycle.

    Args:
        peak: the rate at the start of the first cycle (the paper's eta_max).
        period: how long the first cycle lasts (T_0).
        stretch: the factor by which each cycle is longer than the last (T_mult), any number >= 1.
        shrink: the factor by which each cycle's peak is lower than the last, in (0, 1]; the paper's is 1.
        floor: the rate that every cycle ends at (eta_min).
        warmup: how long a linear warm-up before the first cycle lasts; 0: none.
        warmup_start: the rate of the first step of the warm-up.
        count: how many cycles, >= 1; None: for ever, also past the end of the run.

    Raises:
        ScheduleError: a peak below the floor or the start of the warm-up, a stretch below 1, a shrink outside
            (0, 1], a count below 1, or a value that breaks a phase's rule.

    Example:
        >>> import kosine as ks
        >>> lr = ks.sgdr(peak=0.05, period="10ep", stretch=2)
        >>> [row.first_step for row in lr.plan(epochs=150, steps_per_epoch=1).phases]
        [0, 10, 30, 70]
        >>> plan = ks.sgdr(peak=0.05, period=10, stretch=2, floor=0.001, count=3).plan()
        >>> plan.total_steps, plan(70), plan(1000)
        (70, 0.001, 0.001)
    """
    warm = _warmup(peak, warmup, warmup_start)
    _below(peak, floor, "floor")
    _some(period, "period")
    cycle = cosine(_duration(period, "period"), start=peak, to=floor)
    return Schedule(*warm, cycles(cycle, stretch=stretch, shrink=shrink, count=count))


@translates_foreign_words
def one_cycle(
    peak: float,
    *,
    warmup: DurationLike = "30%",
    start: float | None = None,
    floor: float | None = None,
) -> Schedule:
    """One rise and one fall, both cosine, over the whole run (super-convergence, arXiv 1708.07120).

    PyTorch 2.13's OneCycleLR has the same defaults, but falls short of its peak by up to a step. The momentum goes the
    other way at the same steps, down while the rate rises: `one_cycle_momentum` is its schedule.

    Args:
        peak: the highest learning rate.
        warmup: how long the rise lasts.
        start: the rate of the first step; peak / 25 if None.
        floor: the rate that the fall ends at; start / 10,000 if None.

    Raises:
        ScheduleError: a peak below the floor or the start, or a value that breaks a phase's rule.

    Example:
        >>> import kosine as ks
        >>> ks.one_cycle(peak=1.0, start=0.04, floor=0.0)
        Schedule(cosine("30%", start=0.04, to=1.0), cosine(to=0.0))
    """
    first = read_rate(peak, "peak") / 25 if start is None else start
    _below(peak, first, "start")
    last = first / 1e4 if floor is None else floor
    _below(peak, last, "floor")
    return Schedule(cosine(_duration(warmup, "warmup"), start=first, to=peak), cosine(to=last))


@translates_foreign_words
def one_cycle_momentum(*, high: float = 0.95, low: float = 0.85, warmup: DurationLike = "30%") -> Schedule:
    """The momentum that goes with `one_cycle`: down while the rate rises and up while it falls, both cosine.

    It is a schedule of momenta: an adapter takes it beside that of the rate, as in `ks.torch.PlanLR(optimizer, lr,
    momentum=momentum, total_steps=...)`. The defaults are those of PyTorch 2.13's OneCycleLR.

    Args:
        high: the momentum of the first step, and at the end of the run, from 0 to below 1.
        low: the momentum where the rate has its peak, from 0 to `high`.
        warmup: how long the rate rises, as in `one_cycle`.

    Raises:
        ScheduleError: a momentum below 0 or not below 1, a low above the high, or an unknown unit.
        ArgumentTypeError: a momentum that is not a number.

    Example:
        >>> import kosine as ks
        >>> ks.one_cycle_momentum()
        Schedule(cosine("30%", start=0.95, to=0.85), cosine(to=0.95))
    """
    most, least = (
        read_number(value, name, "a momentum from 0 to below 1", at_least=0, at_most=math.nextafter(1, 0))
        for value, name in ((high, "high"), (low, "low"))
    )
    if most < least:
        raise ScheduleError(argument="high", rule=("at least ", Name("low")), received={"high": high, "low": low})
    return Schedule(cosine(_duration(warmup, "warmup"), start=most, to=least), cosine(to=most))


@translates_foreign_words
def wsd(
    peak: float,
    *,
    warmup: DurationLike = 0,
    warmup_start: float = 0.0,
    cooldown: DurationLike = "20%",
    floor: float = 0.0,
    curve: str = "one_minus_sqrt",
) -> Schedule:
    """Warm-up, stable, cooldown, also called trapezoidal (MiniCPM; cooldown as in arXiv 2405.18392).

    Args:
        peak: the learning rate of the stable part.
        warmup: how long the linear warm-up lasts; 0: none.
        warmup_start: the rate of the first step of the warm-up.
        cooldown: how long the cooldown at the end of the run lasts. In the runs of arXiv 2501.18965 the final loss
            falls with its length up to "60%" with the curve "linear"; "20%" leaves more of the run to branch from.
        floor: the rate that the cooldown ends at.
        curve: the cooldown's curve: "one_minus_sqrt", "linear" or "cosine".

    Raises:
        ScheduleError: a peak below the floor or the start of the warm-up, an unknown curve, or a value that breaks
            a phase's rule.

    Example:
        >>> import kosine as ks
        >>> ks.wsd(peak=1e-3, warmup=300)
        Schedule(linear(300, start=0.0, to=0.001), hold(), one_minus_sqrt("20%", to=0.0))
        >>> ks.wsd(peak=1e-3, warmup=300, cooldown="60%", curve="linear")
        Schedule(linear(300, start=0.0, to=0.001), hold(), linear("60%", to=0.0))
    """
    decay = _COOLDOWNS[read_choice(curve, "curve", sorted(_COOLDOWNS))]
    warm = _warmup(peak, warmup, warmup_start)
    _below(peak, floor, "floor")
    held = hold_phase(start=None if warm else peak)
    return Schedule(*warm, held, decay(_duration(cooldown, "cooldown"), to=floor))


@translates_foreign_words
def linear_to_zero(peak: float, *, warmup: DurationLike = 0, warmup_start: float = 0.0) -> Schedule:
    """Linear warm-up, then a line to 0 over the rest of the run (D2Z, arXiv 2502.15938).

    Its authors trained models of 610M parameters: to 0 the loss was 0.77 % lower than with a cosine to a tenth.

    Args:
        peak: the highest learning rate.
        warmup: how long the warm-up lasts; 0: none.
        warmup_start: the rate of the first step of the warm-up.

    Raises:
        ScheduleError: a peak below the start of the warm-up, or a value that breaks a phase's rule.

    Example:
        >>> import kosine as ks
        >>> ks.linear_to_zero(peak=1e-3, warmup="10%")
        Schedule(linear("10%", start=0.0, to=0.001), linear(to=0.0))
    """
    warm = _warmup(peak, warmup, warmup_start)
    return Schedule(*warm, linear(to=0.0, start=None if warm else peak))


@translates_foreign_words
def infinite(
    peak: float,
    *,
    warmup: DurationLike,
    decay: DurationLike,
    constant: float,
    cooldown: DurationLike,
    floor: float,
    warmup_start: float = 0.0,
) -> Schedule:
    """Warm-up, cosine to a constant rate, hold, and an exponential cooldown (arXiv 2503.02844).

    It is for a run that goes on with new data: all branches begin in the hold, and each ends with a cooldown of its
    own. `plan.cooldown` makes one.

    Args:
        peak: the highest learning rate.
        warmup: how long the linear warm-up lasts; 0: none.
        decay: how long the cosine lasts.
        constant: the rate that the cosine ends at and that is held.
        cooldown: how long the exponential at the end of the run lasts.
        floor: the rate that it ends at, > 0.
        warmup_start: the rate of the first step of the warm-up.

    Raises:
        ScheduleError: rates that do not go down from the peak to the constant to the floor, or a value that breaks a
            phase's rule.

    Example:
        >>> import kosine as ks
        >>> ks.infinite(peak=3e-4, warmup="1%", decay="30%", constant=1.5e-4, cooldown="10%", floor=3e-5)
        Schedule(linear("1%", start=0.0, to=0.0003), cosine("30%", to=0.00015), hold(), exponential("10%", to=3e-05))
    """
    warm = _warmup(peak, warmup, warmup_start)
    _below(peak, constant, "constant")
    if read_rate(constant, "constant") < read_above(floor, "floor", 0):
        rule = ("at most ", Name("constant"))
        raise ScheduleError(argument="floor", rule=rule, received={"constant": constant, "floor": floor})
    falling = cosine(_duration(decay, "decay"), start=None if warm else peak, to=constant)
    return Schedule(*warm, falling, hold_phase(), exponential(_duration(cooldown, "cooldown"), to=floor))


@translates_foreign_words
def inverse_sqrt_decay(
    peak: float,
    *,
    warmup: DurationLike = 0,
    warmup_start: float = 0.0,
    timescale: DurationLike | None = None,
) -> Schedule:
    """Linear warm-up, then one over the square root of the step (arXiv 1706.03762, equation 3).

    With the default timescale the rate at step t after the warm-up of W steps is peak * sqrt(W / t), as in
    Hugging Face transformers 5's `inverse_sqrt`.

    Args:
        peak: the highest learning rate.
        warmup: how long the warm-up lasts; 0: none.
        warmup_start: the rate of the first step of the warm-up.
        timescale: a duration; t steps after the peak the rate is peak / sqrt(1 + t / timescale). The warm-up if None.

    Raises:
        ScheduleError: neither a warm-up nor a timescale, a peak below the start of the warm-up, or a value that
            breaks a phase's rule.

    Example:
        >>> import kosine as ks
        >>> plan = ks.inverse_sqrt_decay(peak=1.0, warmup=4000).plan()
        >>> plan(4000), plan(16_000)
        (1.0, 0.5)
    """
    warm = _warmup(peak, warmup, warmup_start)
    if timescale is None and not warm:
        raise ScheduleError(
            "`inverse_sqrt_decay` needs a `timescale` where there is no warm-up to take it from.",
            received={"warmup": warmup, "timescale": None},
        )
    decay = inverse_sqrt(start=None if warm else peak, timescale=warmup if timescale is None else timescale)
    return Schedule(*warm, decay)


@translates_foreign_words
def step_decay(peak: float, *, every: DurationLike, factor: float = 0.1) -> Schedule:
    """The rate, multiplied by a factor at regular intervals, for ever.

    Args:
        peak: the first learning rate.
        every: how long each rate lasts.
        factor: what the rate is multiplied with, in (0, 1].

    Raises:
        ScheduleError: a factor outside (0, 1], or a value that breaks a phase's rule.

    Example:
        >>> import kosine as ks
        >>> plan = ks.step_decay(peak=0.1, every="30ep", factor=0.5).plan(epochs=90, steps_per_epoch=10)
        >>> plan(299), plan(300), plan(600)
        (0.1, 0.05, 0.025)
    """
    read = read_number(factor, "factor", "in (0, 1]", above=0, at_most=1)
    _some(every, "every")
    return Schedule(cycles(hold_phase(_duration(every, "every"), start=read_rate(peak, "peak")), shrink=read))


@translates_foreign_words
def piecewise(points: Iterable[tuple[DurationLike, float]]) -> Schedule:
    """Constant rates, each from its own point on: the last rate whose point is not after the step.

    A point is a boundary, counted from the beginning of the run: of [(0, 1e-3), (100, 1e-4)] step 99 uses 1e-3, and
    step 100 uses 1e-4. (Keras' PiecewiseConstantDecay uses the earlier value at the boundary, too.)

    Args:
        points: pairs of a point and the rate from there on, in order, the first at 0. A point is written as a duration:
            a step (100), or as "30ep", "50%", "2e8sp", "375Mtok" or "30min"; all of them in one unit, or in time.

    Raises:
        ScheduleError: no point, a first one that is not 0, a point that is not after the one before it, two units, a
            "rest" or a "floor", or a negative rate.
        ArgumentTypeError: a point that is not a pair, or a value of another type.

    Example:
        >>> import kosine as ks
        >>> ks.piecewise([(0, 0.1), ("30ep", 0.01), ("60ep", 0.001)])
        Schedule(hold("30ep", start=0.1), hold("30ep", start=0.01), hold(start=0.001))
    """
    pairs = [_pair(pair, f"points[{index}]") for index, pair in enumerate(read_list(points, "points", _POINTS))]
    if not pairs or pairs[0][0].amount != 0:
        rule = "a list of pairs, the first of which is at 0"
        raise ScheduleError(argument="points", rule=rule, received=points, fix="Begin with (0, rate).")
    unit = pairs[-1][0].unit
    amounts = [Fraction(0), *(_amount(point, unit, points) for point, _ in pairs[1:])]
    held: list[Phase] = []
    for index, ((at, rate), (then, _)) in enumerate(pairwise(pairs)):
        amount = amounts[index + 1] - amounts[index]
        if amount <= 0:
            rule = "after the point before it"
            raise ScheduleError(argument=f"points[{index + 1}]", rule=rule, received=(then.written(), at.written()))
        held.append(hold_phase(Duration(unit, amount).written(), start=rate))
    return Schedule(*held, hold_phase(start=pairs[-1][1]))


def _amount(point: Duration, unit: str, points: object) -> Fraction:
    amount = point.in_unit(unit)
    if amount is None:
        raise ScheduleError(argument="points", rule="in one unit", received=points)
    return amount


_POINTS = "pairs, such as [(0, 0.1), (100, 0.01)]"


def _pair(pair: object, argument: str) -> tuple[Duration, float]:
    """A point in time and the rate from there on."""
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise ArgumentTypeError(
            argument=argument, rule="a pair of a point and a rate, such as (100, 0.01)", received=pair
        )
    point = Duration.read(pair[0], argument)
    if point.amount is None or point.floor:
        raise ScheduleError(argument=argument, rule='at a fixed point, such as 100 or "10ep"', received=pair)
    return point, read_rate(pair[1], argument)


def _duration(duration: DurationLike, argument: str) -> int | str:
    """The duration as it is written; an error in it names the recipe's own argument."""
    return Duration.read(duration, argument).written()


def _none(duration: DurationLike, argument: str) -> bool:
    return Duration.read(duration, argument).amount == 0


def _some(duration: DurationLike, argument: str) -> None:
    if not Duration.read(duration, argument).amount:
        rule = 'a duration > 0 and not "rest", such as 500 or "10ep"'
        raise ScheduleError(argument=argument, rule=rule, received=duration)


def _warmup(peak: float, warmup: DurationLike, warmup_start: float) -> list[Phase]:
    if _none(warmup, "warmup"):
        read_rate(peak, "peak")
        read_rate(warmup_start, "warmup_start")
        return []
    _below(peak, warmup_start, "warmup_start")
    return [linear(warmup, start=warmup_start, to=peak)]


def _below(peak: float, value: float, argument: str) -> None:
    if read_rate(peak, "peak") < read_rate(value, argument):
        rule = ("at least ", Name(argument))
        raise ScheduleError(argument="peak", rule=rule, received={"peak": peak, argument: value})
