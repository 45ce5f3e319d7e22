"""How long a phase lasts: `500`, `"10ep"`, `"5%"`, `"2e8sp"`, `"30min"`, `"floor 5%"`, `"rest"` -> exact steps."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import SupportsIndex, TypeVar

from kosine._core.arguments import read_index
from kosine._core.numbers import MAGNITUDES, MAX_STEPS, SECONDS, TIME_WORDS, decimal
from kosine._core.ramps import Ramp
from kosine._core.run import RunSize
from kosine.errors import ArgumentTypeError, Name, PlanError, PlanOption, ScheduleError, shown

Known = TypeVar("Known", int, Fraction)

DurationLike = int | str | SupportsIndex | Fraction
"""What a duration may be written as: a number of steps, or a text with a unit."""


CLIP = ("For a smoke test, plan the schedule's first steps: ", PlanOption("clip"), ".")
"""A fix for phases that do not fit the run."""


_UNITS = {
    "st": "steps",
    "ep": "epochs",
    "%": "percent of the run",
    "sp": "samples",
    "tok": "tokens",
    "s": "seconds",
    "min": "minutes",
    "h": "hours",
    "d": "days",
}


_MAGNITUDES = {name: 10**power for name, power in MAGNITUDES.items()}


_PATTERN = re.compile(
    r"(?P<floor>floor )?"
    r"(?:(?P<digits>[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE](?P<exponent>[+-]?[0-9]{1,2}))?"
    r"|(?P<above>[0-9]{1,80})/(?P<below>[0-9]{1,60}))"
    r"(?:(?P<unit>st|ep|%|s|min|h|d)|(?P<magnitude>[kMGBT]?)(?P<count>sp|tok))",
    re.ASCII,
)


_HOW = 'Write steps as an integer (500) or a fraction ("2.6st"), or "10ep", "5%", "2e8sp", "375Mtok", "30min" or "rest"'


@dataclass(frozen=True, slots=True)
class TimeFactor:
    """By what durations are multiplied: times of the run, such as epochs, and steps of the clock around them."""

    run: Fraction
    clock: Fraction


@dataclass(frozen=True, slots=True)
class Duration:
    """An exact amount of one unit; `amount` is None for the rest of the run."""

    unit: str
    amount: Fraction | None
    floor: bool = False
    """Whether it lasts whole steps only: its exact length rounded down, which may be none."""
    until: bool = False
    """Whether it is a position that something lasts until, not a length."""

    @classmethod
    def read(cls, value: object, argument: str = "duration") -> Duration:
        """The duration that a user wrote.

        Raises:
            ScheduleError: an unknown unit, a negative or an absurdly large amount.
            ArgumentTypeError: neither an integer nor a text.
        """
        if isinstance(value, Duration):
            return value
        if isinstance(value, str):
            return cls._read_text(value, argument)
        if isinstance(value, Fraction):
            return cls._checked("st", value, value, argument)
        steps = read_index(value)
        if steps is None:
            rule = "an integer number of steps or a text with a unit"
            raise ArgumentTypeError(argument=argument, rule=rule, received=value, fix=f"{_meant(value)}{_HOW}.")
        return cls._checked("st", Fraction(steps), value, argument)

    @classmethod
    def _read_text(cls, text: str, argument: str) -> Duration:
        if text == "rest":
            return cls("rest", None)
        match = _PATTERN.fullmatch(text)
        if match is None:
            rule = 'a number followed by one of the units "ep", "%", "sp", "tok", "s", "min", "h", "d" or "st"'
            raise ScheduleError(argument=argument, rule=rule, received=text, fix=f"{_meant(text)}{_HOW}.")
        if match["below"] is None:
            amount = Fraction(match["digits"]) * Fraction(10) ** int(match["exponent"] or 0)
        elif int(match["below"]):
            amount = Fraction(int(match["above"]), int(match["below"]))
        else:
            raise ScheduleError(argument=argument, rule="a fraction that does not divide by 0", received=text)
        amount *= _MAGNITUDES.get(match["magnitude"], 1)
        unit = match["unit"] or match["count"]
        if unit == "%" and amount > 100:
            raise ScheduleError(argument=argument, rule='at most "100%" of the run', received=text)
        return cls._checked(unit, amount, text, argument, floor=match["floor"] is not None)

    @classmethod
    def _checked(cls, unit: str, amount: Fraction, value: object, argument: str, floor: bool = False) -> Duration:
        rule = ""
        if amount < 0:
            rule = ">= 0"
        elif amount > MAX_STEPS:
            rule = "at most 2**63 - 1"
        elif amount.denominator >= 10**60:
            rule = "a fraction with at most 60 digits"
        if rule:
            raise ScheduleError(argument=argument, rule=rule, received=value)
        return cls(unit, amount, floor and not (unit == "st" and amount.denominator == 1))

    def written(self) -> int | str:
        """The shortest form that `read` turns back into this duration."""
        if self.amount is None:
            return "rest"
        if self.unit == "st" and self.amount.denominator == 1:
            return int(self.amount)
        amount, magnitude = self.amount, ""
        if self.unit in ("sp", "tok") and amount.denominator == 1:
            for magnitude_name in ("T", "B", "M"):
                if amount >= _MAGNITUDES[magnitude_name]:
                    amount, magnitude = amount / _MAGNITUDES[magnitude_name], magnitude_name
                    break
        return ("floor " if self.floor else "") + decimal(amount) + magnitude + self.unit

    def in_unit(self, unit: str) -> Fraction | None:
        """The amount of another unit; None where only a run says it."""
        if self.amount is None or self.unit == unit:
            return self.amount
        if {self.unit, unit} <= SECONDS.keys():
            return self.amount * SECONDS[self.unit] / SECONDS[unit]
        return None

    def times(self, factor: TimeFactor) -> Duration:
        """A longer or shorter one; a share of the run and its rest follow the run already."""
        if self.amount is None or self.unit == "%":
            return self
        amount = self.amount * (factor.clock if self.unit == "st" else factor.run)
        return replace(self._checked(self.unit, amount, self.written(), "duration", self.floor), until=self.until)

    def steps(self, run: RunSize, begin: Fraction | None = None) -> Fraction:
        """The exact number of steps in `run`, not yet rounded unless it is a "floor".

        Args:
            run: the size of the run.
            begin: the position in the run that it begins at. It is needed where a step takes other numbers of samples
                or tokens in other places.

        Raises:
            PlanError: the run does not say how long an epoch, a sample, a token or the whole is, or the beginning is
                needed and not known.
        """
        if self.until:
            raise PlanError("The length of a phase with `until` follows from the phases before it.", received=self)
        steps = self._exact_steps(run, begin)
        return Fraction(math.floor(steps)) if self.floor else steps

    def _exact_steps(self, run: RunSize, begin: Fraction | None) -> Fraction:
        amount = self.amount
        if amount is None:
            raise PlanError('The length of a "rest" phase follows from the phases around it.')
        match self.unit:
            case "st":
                return amount
            case "ep":
                return amount * self._known(run.steps_per_epoch, "steps_per_epoch")
            case "%":
                instead = (" (or ", Name("epochs"), " and ", Name("steps_per_epoch"), ")")
                return amount / 100 * self._known(run.total_steps, "total_steps", instead)
            case "sp" | "tok":
                argument = "samples_per_step" if self.unit == "sp" else "tokens_per_step"
                per_step = run.per_step(self.unit)
                if per_step is None:
                    raise self._unknown(argument)
                return self._taken(per_step, begin)
            case _:
                return amount * SECONDS[self.unit] / self._known(run.seconds_per_step, "seconds_per_step")

    def _taken(self, per_step: int | Ramp, begin: Fraction | None) -> Fraction:
        """In how many steps from `begin` on so many samples or tokens are taken."""
        assert self.amount is not None
        if not isinstance(per_step, Ramp):
            return self.amount / per_step
        if begin is None:
            raise PlanError(
                f"The duration {self.written()!r} counts {_UNITS[self.unit]}, and in this run a step takes other "
                "numbers of them in other places. Only a phase of its own has a fixed place, and a section without a "
                "skip, a tick or continuous time.",
                received=self.written(),
                fix="Write it in steps, or write the parts out as phases.",
            )
        return per_step.steps_of(per_step.count_at(begin) + self.amount) - begin

    def _known(self, value: Known | None, argument: str, instead: tuple[str, ...] = ()) -> Known:
        if value is None:
            raise self._unknown(argument, instead)
        return value

    def _unknown(self, argument: str, instead: tuple[str, ...] = ()) -> PlanError:
        needs = f"The duration {self.written()!r} counts {_UNITS[self.unit]}, so `plan` needs "
        return PlanError((needs, Name(argument), *instead, "."), received={argument: None}, missing=argument)


@dataclass(frozen=True, slots=True)
class Units:
    """How many steps of one clock a duration is: "st" counts the clock's own, the other units are times of the run."""

    run: RunSize
    tick: int = 1
    """How many steps of the run one step of the clock is."""
    clipped: dict[str, None] | None = None
    """What was changed to fit the run, in order, as sentences; None where nothing may be."""

    def steps(self, duration: Duration, begin: Fraction | None = None) -> Fraction:
        """The exact, not yet rounded number of steps of this clock; `begin` is a position in the run."""
        steps = duration.steps(self.run, begin)
        return steps if duration.unit == "st" else steps / self.tick

    def at_least_one(self, steps: Fraction, what: object) -> Fraction:
        """The length of something that lasts a step or more; where nothing may be changed, its own."""
        return self.changed(what, steps, 1) if self.clipped is not None and 0 < steps < 1 else steps

    def changed(self, what: object, steps: Fraction, instead: int) -> Fraction:
        """Note that something gets another length."""
        assert self.clipped is not None
        unit = "step" if instead == 1 else "steps"
        self.clipped[f"{shown(what)} lasts {instead:,} {unit} instead of {float(steps):.4g}."] = None
        return Fraction(instead)


_MEANT = re.compile(
    r"(?P<number>(?:\d{1,3}(?:[,_]\d{3})+|\d{1,18})(?:\.\d{1,18})?|\.\d{1,18})(?P<exponent>[eE][+-]?\d{1,2})?"
    r" *(?P<magnitude>[kKMGBT]?) *(?P<unit>%|[A-Za-z]*)",
    re.ASCII,
)


_WORDS_MEANT = {
    **dict.fromkeys(("st", "step", "steps", "iter", "iters", "iterations", "batch", "batches"), "st"),
    **dict.fromkeys(("e", "ep", "eps", "epoch", "epochs"), "ep"),
    **dict.fromkeys(("%", "percent", "pct"), "%"),
    **dict.fromkeys(("sp", "sps", "sample", "samples"), "sp"),
    **dict.fromkeys(("tok", "toks", "token", "tokens"), "tok"),
    **TIME_WORDS,
}
"""Words that people write for the units."""


def _meant(value: object) -> str:
    """What a wrong duration means in the right form, as a sentence; nothing where that is not certain."""
    if isinstance(value, float) and 0 < value < MAX_STEPS:
        amount = Fraction(repr(float(value)))
        if amount < 1:
            return f'Did you mean "{decimal(amount * 100)}%" of the run? '
        steps = f"{int(amount)} steps" if amount.denominator == 1 else f'"{decimal(amount)}st"'
        return f'Did you mean {steps}, or "{decimal(amount)}ep"? '
    match = _MEANT.fullmatch(value.strip()) if isinstance(value, str) and len(value) < 60 else None
    if match is None:
        return ""
    amount = Fraction(re.sub("[,_]", "", match["number"]) + (match["exponent"] or ""))
    magnitude, word = match["magnitude"], match["unit"].lower()
    if magnitude.lower() + word in _WORDS_MEANT:  # "5 Tokens" are not 10**12 of anything
        magnitude, word = "", magnitude.lower() + word
    if (magnitude, match["unit"]) == ("", "m"):  # minutes or millions
        millions = amount * 10**6
        steps = f", or {int(millions):_} without quotes" if millions.denominator == 1 and millions <= MAX_STEPS else ""
        return f'Did you mean "{decimal(amount)}min"{steps}? '
    amount *= _MAGNITUDES.get(magnitude.replace("K", "k"), 1)
    unit = _WORDS_MEANT.get(word)
    if not word:
        unit, amount = ("%", amount * 100) if 0 < amount < 1 else ("st", amount)
    if unit is None or amount > (100 if unit == "%" else MAX_STEPS):
        return ""
    written = Duration(unit, amount).written()
    return f"Did you mean {written:_} without quotes? " if isinstance(written, int) else f'Did you mean "{written}"? '
