"""A space of schedules: a schedule's text in which some arguments are parameters."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from kosine._core.arguments import read_integer
from kosine._core.foreign_words import listed, near
from kosine._core.groups import OF_PLANS, Part
from kosine._core.json_form import Document
from kosine._core.plain_text import shortened
from kosine._core.schedule import Schedule
from kosine._tune import keras_tuner as _keras_tuner, optuna as _optuna, ray as _ray, wandb as _wandb
from kosine._tune.parameters import Log, Parameter, Uniform, Value
from kosine._tune.template import Template, read_template
from kosine.errors import ArgumentError, ArgumentTypeError, Described, KosineError, NotationError, shown

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import BaseTrial

_LONGEST = 160
"""Characters of a space, or of a parameter, in a message."""


class Generator(Protocol):
    """A generator of random numbers, such as `random.Random` or `numpy.random.Generator`."""

    def random(self) -> float:
        """A number from 0 up to, not including, 1."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class Space(Document):
    """Schedules that differ in some arguments; made by `space`.

    Attributes:
        text: the text of the schedule, with its parameters; `repr` shows it, and `space` reads it back.
    """

    text: str
    _template: Template = field(init=False, compare=False)

    def __post_init__(self) -> None:
        template = read_template(self.text)
        object.__setattr__(self, "_template", template)
        object.__setattr__(self, "text", template.written())
        _check(self)

    def __repr__(self) -> str:
        return self.text

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters by their names, in the order of the text."""
        return dict(self._template.parameters)

    def __call__(self, values: Mapping[str, object] | None = None, /, **named: object) -> Schedule:
        """The schedule with a value for each parameter.

        Args:
            values: a mapping that has a value for each parameter, and may have others, such as the configuration of a
                whole trial.
            **named: the values by name instead, and no others.

        Raises:
            ArgumentError: a missing value, an unknown name, or a value outside its range.
            ArgumentTypeError: a value of a wrong type.
            ScheduleError: values that make no schedule together, such as a floor above the peak.
        """
        if values is not None and named:
            raise ArgumentTypeError("Give the values as one mapping or by their names.", received=values)
        given = named if values is None else _taken(values, self._template.parameters)
        return self._made(self._read(given))

    def values(self, seed: int | Generator) -> dict[str, Value]:
        """A value for each parameter, drawn at random: `space(**space.values(3)) == space.sample(3)`.

        Args:
            seed: as in `sample`.

        Raises:
            ArgumentError, ArgumentTypeError: neither an integer >= 0 nor a generator.
        """
        generator = _generator(seed)
        return {name: each.draw(float(generator.random())) for name, each in self._template.parameters.items()}

    def sample(self, seed: int | Generator) -> Schedule:
        """A schedule with values drawn at random, one after another in the order of the text.

        Args:
            seed: an integer >= 0: the same one gives the same schedule on every machine (Python's Mersenne Twister,
                `random.Random(seed)`). Or a generator with a method `random`, such as `numpy.random.default_rng(0)`,
                which the draws move on.

        Raises:
            ArgumentError, ArgumentTypeError: neither an integer >= 0 nor a generator.
            ScheduleError: values that make no schedule together, such as a floor above the peak.
        """
        return self._made(self.values(seed))

    def suggest(self, trial: BaseTrial) -> Schedule:
        """The schedule that an Optuna trial suggests.

        Args:
            trial: what Optuna passes to the objective. Its `params` then hold the values: `space(study.best_params)`.

        Raises:
            ArgumentTypeError: no trial.
            ScheduleError: values that make no schedule together.
        """
        return self(_optuna.suggested(self._template.parameters, trial))

    def optuna(self) -> dict[str, BaseDistribution]:
        """Optuna's distributions, for `trial = study.ask(space.optuna())` and `space(trial.params)`.

        Raises:
            MissingPackageError: Optuna is not installed (extra `optuna`).
        """
        return _optuna.distributions(self._template.parameters)

    def ray(self) -> dict[str, Any]:
        """Ray Tune's domains, for `tune.Tuner(train, param_space=space.ray())` and `space(**config)` in `train`.

        Raises:
            MissingPackageError: Ray Tune is not installed (extra `ray`).
        """
        return _ray.domains(self._template.parameters)

    def keras_tuner(self, hp: Any) -> Schedule:
        """The schedule that KerasTuner's hyper-parameters give.

        Args:
            hp: what KerasTuner passes to `build` and `fit` of a hypermodel. Its `values` then hold the values:
                `space(hp.values)`.

        Raises:
            ArgumentTypeError: no hyper-parameters.
            ScheduleError: values that make no schedule together.
        """
        return self(_keras_tuner.chosen(self._template.parameters, hp))

    def wandb(self) -> dict[str, dict[str, object]]:
        """What stands under "parameters" in the configuration of a sweep of Weights & Biases.

        In the run `space(wandb.config)` makes the schedule.
        """
        return _wandb.configuration(self._template.parameters)

    def __getattr__(self, name: str) -> NoReturn:
        fix = " Make a schedule first: space.sample(0)." if name in ("plan", *OF_PLANS) else ""
        raise AttributeError(f"A space has no attribute {name!r}.{fix}")

    def _document(self) -> dict[str, object]:
        return {"space": self.text}

    def _read(self, given: Mapping[str, object]) -> dict[str, Value]:
        """The values of all parameters, checked."""
        parameters = self._template.parameters
        unknown = [name for name in given if name not in parameters]
        missing = [name for name in parameters if name not in given]
        if unknown:
            meant = near(unknown[0], missing or parameters)
            raise ArgumentError(
                f"This space has no parameter {unknown[0]!r}.",
                received=Described(f"{shown(unknown[0])} for {shortened(self.text, _LONGEST)}"),
                fix=f"Did you mean {meant!r}? {_known(parameters)}" if meant else _known(parameters),
            )
        if missing:
            raise ArgumentError(
                f"Give a value for {shortened(listed(missing), _LONGEST)}.",
                received=Described(shortened(listed(list(given)), _LONGEST) or "no value"),
                fix=_known(parameters),
            )
        return {name: each.read(given[name], name) for name, each in parameters.items()}

    def _made(self, values: Mapping[str, Value]) -> Schedule:
        made = self._template.filled(values)
        if not isinstance(made, Schedule):
            raise NotationError(
                "The text of a space must be a schedule.",
                received=Described(shortened(self.text, _LONGEST)),
                fix="Write Schedule(...) around its phases." if isinstance(made, Part) else "",
            )
        return made


def space(text: str) -> Space:
    """A space of schedules: the text of a schedule in which some arguments are parameters.

    Args:
        text: what `kosine.parse` reads, with log(a, b), uniform(a, b), integers(a, b), share("5%", "60%") or
            choice(...) for arguments: at most 16,384 characters, 100 parameters, and 100 options of a choice.

    Raises:
        NotationError: not the text of a schedule, or one without a parameter.
        ArgumentError, ArgumentTypeError: a parameter whose range breaks a rule.
        ScheduleError: a value in the text breaks a rule, whatever the parameters are.

    Example:
        >>> import kosine as ks
        >>> space = ks.space('warmup_cosine(peak=log(1e-4, 1e-2), warmup=choice("1%", "5%"), floor=0.0)')
        >>> space(peak=3e-4, warmup="5%")
        Schedule(linear("5%", start=0.0, to=0.0003), cosine(to=0.0))
    """
    return Space(text)


def _known(parameters: Mapping[str, Parameter]) -> str:
    known = ", ".join(f"{name}: {each.written()}" for name, each in parameters.items())
    return f"Its parameters are {shortened(known, 3 * _LONGEST)}."


def _taken(values: Any, parameters: Mapping[str, Parameter]) -> dict[str, object]:
    """What a mapping has of the parameters."""
    if isinstance(values, Mapping) or (hasattr(values, "keys") and hasattr(values, "__getitem__")):
        return {name: values[name] for name in values.keys() if name in parameters}  # noqa: SIM118  W&B's has no __iter__
    raise ArgumentTypeError(
        "A space is called with a mapping of names to values, or with the values by their names.",
        received=values,
        fix=f"Write space({next(iter(parameters))}=...).",
    )


def _generator(seed: object) -> Generator:
    if callable(getattr(seed, "random", None)) and not isinstance(seed, ModuleType):
        return seed  # type: ignore[return-value]  # it has the method
    rule = "an integer >= 0, or a generator such as numpy.random.default_rng(0)"
    return random.Random(read_integer(seed, "seed", rule, at_least=0, at_most=None, error=ArgumentError))


_TRIES = 8
"""With how many values of the other parameters a value is tried before it is refused."""


def _check(space: Space) -> None:
    """Raise where a value of a parameter makes no schedule, whatever the others are."""
    parameters = space.parameters
    others = [{name: each.ends()[end] for name, each in parameters.items()} for end in (0, -1)]
    others += [space.values(seed) for seed in range(_TRIES - len(others))]
    error = _error_of_all(space, others)
    if error is not None:  # the parameter that it received a value of is likely the one to change
        received = error.received if error.has_received else None
        name = next((name for name, each in parameters.items() if each.argument(each.ends()[0]) == received), "")
        raise error if not name else _explained(error, name, parameters[name], received)
    for name, end in _not_at_once(space):
        error = _error_of_all(space, [other | {name: end} for other in others])
        if error is not None:
            raise _explained(error, name, parameters[name], end)


def _not_at_once(space: Space) -> list[tuple[str, Value]]:
    """The ends of parameters that are part of no schedule while all parameters go through their ends together."""
    ends = {name: each.ends() for name, each in space.parameters.items()}
    left = {(name, index) for name, each in ends.items() for index in range(len(each))}
    for turn in range(max(map(len, ends.values()))):
        together = {(name, turn % len(each)) for name, each in ends.items()}
        if _error_of_all(space, [{name: ends[name][index] for name, index in together}]) is None:
            left -= together
    return [(name, end) for name, each in ends.items() for index, end in enumerate(each) if (name, index) in left]


def _error_of_all(space: Space, tries: list[dict[str, Value]]) -> KosineError | None:
    """The first error where none of some values make a schedule."""
    first: KosineError | None = None
    for values in tries:
        try:
            space._made(values)
        except KosineError as error:
            first = first or error
        else:
            return None
    return first


def _explained(error: KosineError, name: str, parameter: Parameter, value: object) -> KosineError:
    """An error that a value of a parameter makes, with the parameter."""
    where = f"{name}={shortened(parameter.written(), _LONGEST)}"
    if isinstance(error, ArgumentTypeError) and isinstance(parameter, Log | Uniform):
        low, high = parameter.ends()
        if low.is_integer() and high.is_integer():
            return error.changed(where=where, fix=f"Write integers({int(low)}, {int(high)}).")
        if 0 <= low < high <= 1:
            fix = f'For a share of the run write share("{100 * low:g}%", "{100 * high:g}%").'
            return error.changed(where=where, fix=fix)
    return error.changed(where=where, received=error.received if error.has_received else value)
