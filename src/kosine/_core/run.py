"""The size of a run: the numbers that turn epochs, shares, samples, tokens and time into steps."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, NamedTuple

from kosine._core.arguments import read_count_or_none, read_flag, read_index, read_number
from kosine._core.numbers import MAX_STEPS, SECONDS, TIME_WORDS, exact, round_half_up
from kosine._core.ramps import Ramp, read_per_step, steps_of
from kosine.errors import ArgumentTypeError, Described, Name, PlanError, Text, shown

CountLike = int | str
"""What a size of a run may be written as: an integer, or a text with a magnitude such as "1.5M"."""

SecondsLike = float | str | Fraction
"""The seconds of a step: a number, exactly its shortest decimal; a fraction, also as a text such as "1/3"."""


@dataclass(frozen=True, slots=True)
class RunSize:
    """What is known of one run: the numbers that turn epochs, fractions, samples, tokens and time into steps."""

    total_steps: int | None = None
    steps_per_epoch: int | None = None
    samples_per_step: int | Ramp | None = None
    tokens_per_step: int | Ramp | None = None
    seconds_per_step: Fraction | None = None
    clip: bool = False
    """Whether the schedule is cut to the run: its phases do not fit."""

    def known(self) -> dict[str, Any]:
        """What is known, by the names of the arguments of `Schedule.plan`, as these are written."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        written = {name: _plain(value) for name, value in values.items()}
        return {name: value for name, value in written.items() if value not in (None, False)}

    @property
    def ramped(self) -> bool:
        """Whether a step takes other numbers of samples or tokens in other places of the run."""
        return isinstance(self.samples_per_step, Ramp) or isinstance(self.tokens_per_step, Ramp)

    def per_step(self, unit: str) -> int | Ramp | None:
        """How much of a unit of data, "sp" or "tok", a step takes."""
        return self.samples_per_step if unit == "sp" else self.tokens_per_step


def _written(seconds: Fraction) -> int | float | str:
    """The shortest form that `read_run` turns back into the same number."""
    if seconds.denominator == 1:
        return int(seconds)
    return float(seconds) if exact(float(seconds)) == seconds else f"{seconds.numerator}/{seconds.denominator}"


def read_run(
    *,
    total_steps: object = None,
    epochs: object = None,
    steps_per_epoch: object = None,
    samples_per_step: object = None,
    tokens_per_step: object = None,
    seconds_per_step: object = None,
    dataset_size: object = None,
    batch_size: object = None,
    accumulate: object = 1,
    devices: object = 1,
    drop_last: object = False,
    total_samples: object = None,
    total_tokens: object = None,
    total_time: object = None,
    clip: object = False,
) -> RunSize:
    """The run's size, checked: what an update takes, the updates of an epoch, and the length from what says it."""
    update = _Update.read(batch_size, accumulate, devices, drop_last)
    per_epoch = read_count_or_none(steps_per_epoch, "steps_per_epoch", _whole_epochs(steps_per_epoch))
    if dataset_size is None:
        update.check_without_data(per_epoch, total_samples if total_tokens is None else total_tokens)
    given = read_per_step(samples_per_step, "samples_per_step")
    if dataset_size is not None and isinstance(given, Ramp):
        raise PlanError(
            ("An epoch has no fixed number of steps where ", Name("samples_per_step"), " changes."),
            received={"dataset_size": dataset_size},
            fix='Leave the size of the data out, and count in samples: "2e6sp".',
        )
    samples = update.samples_of_a_step(given, sized_by_data=dataset_size is not None)
    if dataset_size is not None:
        per_epoch = update.steps_of_data(read_count_or_none(dataset_size, "dataset_size"), per_epoch)
    tokens = read_per_step(tokens_per_step, "tokens_per_step")
    seconds = _read_seconds(seconds_per_step)
    lengths: list[_Length] = []
    if total_steps is not None:
        lengths.append(_length_in_steps(total_steps))
    if epochs is not None:
        lengths.append(_length_in_epochs(epochs, per_epoch))
    if total_samples is not None:
        lengths.append(_length_in_data("samples", total_samples, samples, update.drop_last))
    if total_tokens is not None:
        lengths.append(_length_in_data("tokens", total_tokens, tokens, update.drop_last))
    if total_time is not None:
        lengths.append(_length_in_time(total_time, seconds))
    return RunSize(_agreed(lengths), per_epoch, samples, tokens, seconds, read_flag(clip, "clip"))


# --- what an update takes ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Update:
    """The batches of an update: `accumulate` of them on each of the devices."""

    batch: int | None
    accumulate: int
    devices: int
    drop_last: bool

    @classmethod
    def read(cls, batch_size: object, accumulate: object, devices: object, drop_last: object) -> _Update:
        batch = read_count_or_none(batch_size, "batch_size")
        several = {"accumulate": accumulate, "devices": devices}
        read = {name: read_count_or_none(value, name) or 1 for name, value in several.items()}
        for name, number in read.items():
            if number > 1 and batch is None:
                raise PlanError(
                    ("Argument ", Name(name), " needs ", Name("batch_size"), "."),
                    received={name: number},
                    missing="batch_size",
                )
        return cls(batch, read["accumulate"], read["devices"], read_flag(drop_last, "drop_last"))

    def check_without_data(self, per_epoch: int | None, total: object) -> None:
        """Refuse what would have no effect, and a number of steps per epoch that may be one of batches."""
        if self.drop_last and total is None:
            raise PlanError(
                ("Argument ", Name("drop_last"), " needs ", Name("dataset_size"), "."), received={"drop_last": True}
            )
        if per_epoch is None or self.accumulate == 1:
            return
        raise PlanError(
            ("Argument ", Name("steps_per_epoch"), " counts updates, and ", Name("accumulate"), " goes with batches."),
            received={"steps_per_epoch": per_epoch, "accumulate": self.accumulate},
            fix=(
                *("Give ", Name("dataset_size"), " instead of ", Name("steps_per_epoch"), "; or leave "),
                *(Name("accumulate"), " out, and write math.ceil(batches / accumulate) updates."),
            ),
        )

    def samples_of_a_step(self, given: int | Ramp | None, *, sized_by_data: bool) -> int | Ramp | None:
        if self.batch is None:
            return given
        product = self.batch * self.accumulate * self.devices
        if product > MAX_STEPS:
            raise PlanError("A step has at most 2**63 - 1 samples.", received=self._received())
        if given not in (None, product) and (sized_by_data or product != self.batch):
            raise PlanError(
                (*self._names(), f" make{'s' if product == self.batch else ''} {product:,} samples per step."),
                received={"samples_per_step": _plain(given)},
                fix="Leave one of them out.",
            )
        return product if given is None else given

    def steps_of_data(self, dataset: int | None, per_epoch: int | None) -> int:
        """The updates of an epoch: the last batch may be smaller, and the last update may have fewer batches."""
        assert dataset is not None
        if self.batch is None:
            raise PlanError(
                ("Argument ", Name("dataset_size"), " needs ", Name("batch_size"), "."),
                received={"dataset_size": dataset},
                missing="batch_size",
            )
        batches = _parts(dataset, self.batch * self.devices, self.drop_last)
        steps = _parts(batches, self.accumulate, drop_last=False)
        if not steps:
            raise PlanError(
                ("With ", Name("drop_last"), " an epoch needs a full batch on every device."),
                received={"dataset_size": dataset, **self._received()},
            )
        if per_epoch not in (None, steps):
            raise PlanError(
                (*self._names("dataset_size"), f" make {steps} steps per epoch."),
                received={"steps_per_epoch": per_epoch},
                fix="Leave one of them out.",
            )
        return steps

    def _received(self) -> dict[str, int]:
        """What was given of it, by the names of the arguments."""
        several = {"accumulate": self.accumulate, "devices": self.devices}
        given = {} if self.batch is None else {"batch_size": self.batch}
        return given | {name: number for name, number in several.items() if number > 1}

    def _names(self, *before: str) -> tuple[str, ...]:
        """The arguments that say it, as the beginning of a sentence."""
        first, *others = (Name(name) for name in (*before, *self._received()))
        commas = (word for name in others[:-1] for word in (", ", name))
        return (f"Argument{'s' if others else ''} ", first, *commas, *((" and ", others[-1]) if others else ()))


def _parts(whole: int, size: int, drop_last: bool) -> int:
    """How many parts of a size a whole has; a smaller last one counts unless it is dropped."""
    return whole // size if drop_last else -(-whole // size)


def _whole_epochs(steps_per_epoch: object) -> Text:
    """What to do about a fraction of an epoch's last step."""
    if not isinstance(steps_per_epoch, float):
        return ""
    return (
        "The last batch of an epoch counts even if it is not full: write math.ceil(dataset_size / batch_size), or ",
        *("give ", Name("dataset_size"), " and ", Name("batch_size"), "."),
    )


def _read_seconds(value: object) -> Fraction | None:
    """The exact seconds of a step: a float means its shortest decimal, and a text is a fraction such as "1/3"."""
    if value is None:
        return None
    rule = "a number of seconds > 0"
    if isinstance(value, str) and (match := re.fullmatch(r"(\d{1,60})/(\d{1,60})", value, re.ASCII)):
        above, below = int(match[1]), int(match[2])
        seconds = Fraction(above, below) if below else Fraction(0)
    elif isinstance(value, Fraction):
        seconds = value
    else:
        number = read_number(value, "seconds_per_step", rule, above=0, error=PlanError)
        whole = read_index(value)
        seconds = exact(number) if whole is None else Fraction(whole)
    if not 0 < seconds <= MAX_STEPS or seconds.denominator >= 10**60:
        limits = "" if seconds <= 0 else " and at most 2**63 - 1, a fraction with at most 60 digits"
        raise PlanError(argument="seconds_per_step", rule=rule + limits, received=value)
    return seconds


# --- the length -------------------------------------------------------------------------------------------------------


class _Length(NamedTuple):
    """A length of the run in steps, and what says it."""

    name: str
    steps: int
    received: dict[str, object]
    """What says it, by the names of the arguments; the last one says what it makes, too."""


def _agreed(lengths: list[_Length]) -> int | None:
    """The one length that all say."""
    for other in lengths[1:]:
        if other.steps != lengths[0].steps:
            raise PlanError(
                ("Arguments ", Name(lengths[0].name), " and ", Name(other.name), " disagree."),
                received=lengths[0].received | other.received,
            )
    return lengths[0].steps if lengths else None


def _length_in_steps(total_steps: object) -> _Length:
    fix: Text = ""
    if isinstance(total_steps, float) and math.isfinite(total_steps) and not total_steps.is_integer():
        fix = (
            "A last batch that is not full counts, too: write math.ceil(samples / batch_size), or give ",
            *(Name("total_samples"), " and ", Name("batch_size"), "."),
        )
    total = read_count_or_none(total_steps, "total_steps", fix)
    assert total is not None
    return _Length("total_steps", total, {"total_steps": total})


def _length_in_epochs(epochs: object, per_epoch: int | None) -> _Length:
    number = read_number(epochs, "epochs", "a finite number of epochs > 0", above=0, error=PlanError)
    if per_epoch is None:
        raise PlanError(
            ("Argument ", Name("epochs"), " needs ", Name("steps_per_epoch"), "."),
            received={"epochs": epochs, "steps_per_epoch": None},
            fix=("Give it, or ", Name("dataset_size"), " and ", Name("batch_size"), "."),
            missing="steps_per_epoch",
        )
    whole = read_index(epochs)
    exactly = exact(number) if whole is None else Fraction(whole)
    return _length("epochs", epochs, "steps_per_epoch", per_epoch, round_half_up(exactly * per_epoch))


def _length_in_data(what: str, total: object, per_step: int | Ramp | None, drop_last: bool) -> _Length:
    """The fewest steps that see so many samples or tokens; with `drop_last` the most that see no more."""
    name, of_a_step = f"total_{what}", f"{what}_per_step"
    count = read_count_or_none(total, name, rule='an integer >= 1 or a text such as "300B"', at_most=None)
    assert count is not None
    if per_step is None:
        raise _missing(name, total, of_a_step, *((" (or ", Name("batch_size"), ")") if what == "samples" else ()))
    position = steps_of(count, per_step)
    return _length(name, total, of_a_step, per_step, math.floor(position) if drop_last else math.ceil(position))


_TIME = re.compile(r"(?P<amount>\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})(?P<unit> *[A-Za-z]{1,8})", re.ASCII)


def _length_in_time(total: object, per_step: Fraction | None) -> _Length:
    """The steps that are done in a time; one that would end after it does not count."""
    match = _TIME.fullmatch(total) if isinstance(total, str) else None
    if match is None or match["unit"] not in SECONDS:
        error = PlanError if isinstance(total, str) else ArgumentTypeError
        rule = 'a text with one of the units "s", "min", "h" or "d"'
        raise error(argument="total_time", rule=rule, received=total, fix=_time_meant(total, match))
    if per_step is None:
        raise _missing("total_time", total, "seconds_per_step")
    seconds = Fraction(match["amount"]) * SECONDS[match["unit"]]
    return _length("total_time", total, "seconds_per_step", per_step, math.floor(seconds / per_step))


def _time_meant(total: object, match: re.Match[str] | None) -> str:
    """What to write in place of a wrong time."""
    number = None if isinstance(total, str) else read_index(total)
    if number is not None and 0 < number < 10**18:
        return f'Write "{number}s" or "{number}min".'
    word = "" if match is None else match["unit"].strip().lower()
    unit = "min" if word == "m" else TIME_WORDS.get(word)
    meant = f'Did you mean "{match["amount"]}{unit}"? ' if match is not None and unit else ""
    return f'{meant}Write "90s", "30min", "1.5h" or "2d".'


def _missing(name: str, given: object, needed: str, *instead: str) -> PlanError:
    problem = ("Argument ", Name(name), " needs ", Name(needed), *instead, ".")
    return PlanError(problem, received={name: given}, missing=needed)


def _length(name: str, given: object, of_a_step: str, per_step: int | Fraction | Ramp, steps: int) -> _Length:
    """A length that two arguments make together."""
    if not 1 <= steps <= MAX_STEPS:
        raise PlanError(
            ("Arguments ", Name(name), " and ", Name(of_a_step), " must make at least 1 and at most 2**63 - 1 steps."),
            received={name: given, of_a_step: _plain(per_step)},
        )
    makes = Described(f"{shown(_plain(per_step))}, which make {shown(steps)}")
    return _Length(name, steps, {name: given, of_a_step: makes})


def _plain(value: object) -> object:
    """A size of the run as an argument of `Schedule.plan` is written."""
    if isinstance(value, Ramp):
        return value.written()
    return _written(value) if isinstance(value, Fraction) else value
