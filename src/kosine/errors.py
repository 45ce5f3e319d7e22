"""The errors that kosine raises: each holds what broke as fields, and is written once, for Python or for a terminal.

An error names the argument, the rule that it breaks, the value received and the fix. Code that catches one reads its
fields; no code reads a message.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self


class Name(str):
    """An argument's name inside a text: written as `name` for Python and as --name on the command line."""

    __slots__ = ()


class PlanOption(Name):
    """An argument of `plan` that is turned on: written as `plan(..., name=True)`, and as --name on the command line."""

    __slots__ = ()


class Setting(Name):
    """An argument with its value, such as "at=500": written so for Python and as --at=500 on the command line."""

    __slots__ = ()


class PlanCall(Name):
    """A call such as `plan.until(at)`, for which the command line may have words of its own."""

    __slots__ = ()


Text = str | tuple[str, ...]
"""Words of an error. A tuple is joined; the names in it (`Name`) are written as the place needs them."""

_NOTHING: Any = object()


class KosineError(Exception):
    """Base of every error that kosine raises on purpose.

    With an argument and a rule it reads "Argument `stretch` must be >= 1. Received: stretch=0.5. FIX"; with a problem
    the problem comes first.

    Attributes:
        problem: what is wrong, as sentences, where "argument must be rule" does not say it; "" elsewhere.
        argument: the name of the argument that breaks a rule; None where no single argument does.
        rule: what the argument must be, such as "a finite number >= 1"; "" where the problem says it.
        received: the value that was received; a mapping of names to values where several matter.
        fix: what to write instead, as sentences; "" where the rule says it all.
        where: the file or the object that the error is in, such as "run.toml"; "" for an argument in Python.
    """

    _fields: ClassVar[tuple[str, ...]] = ("problem", "argument", "rule", "fix", "where")
    """What goes to another process as it is."""

    def __init__(
        self,
        problem: Text = "",
        *,
        argument: str | None = None,
        rule: Text = "",
        received: object = _NOTHING,
        fix: Text = "",
        where: str = "",
    ) -> None:
        self.problem = problem
        self.argument = argument
        self.rule = rule
        self.received = received
        self.fix = fix
        self.where = where
        super().__init__(self.written())

    @property
    def has_received(self) -> bool:
        """Whether there is a value that was received."""
        return self.received is not _NOTHING

    @property
    def _by_name(self) -> Mapping[str, object]:
        """Several received values, each with its name; empty for one value, such as a dictionary of the user's."""
        received = self.received
        named = isinstance(received, Mapping) and (self.argument is None or self.argument in received)
        return received if named else {}  # type: ignore[return-value]  # what is named is a mapping

    def written(
        self, argument: Callable[[str], str] = "`{}`".format, value_of: Callable[[str], str] = "{}=".format
    ) -> str:
        """The error as text.

        Args:
            argument: how the name of an argument is written inside a sentence.
            value_of: how it is written before its value.
        """

        def named(part: Name) -> str:
            if isinstance(part, Setting):
                argument_name, _, value = part.partition("=")
                return value_of(argument_name) + value
            if isinstance(part, PlanCall):
                method = part.partition("(")[0]
                words_there = argument(method)
                return f"`{part}`" if words_there == f"`{method}`" else words_there
            name = argument(part)
            return f"`plan(..., {part}=True)`" if isinstance(part, PlanOption) and name.startswith("`") else name

        def words(text: Text) -> str:
            parts = (text,) if isinstance(text, str) else text
            return "".join(named(part) if isinstance(part, Name) else part for part in parts)

        sentences = [words(self.problem)] if self.problem else []
        if self.argument is not None and self.rule:
            name = argument(self.argument)
            subject = f"Argument {name}" if name.startswith("`") else name
            sentences.append(f"{subject} must be {words(self.rule)}.")
        if self.has_received:
            if self._by_name:
                received = ", ".join(f"{value_of(name)}{shown(value)}" for name, value in self._by_name.items())
            else:
                received = ("" if self.argument is None else value_of(self.argument)) + shown(self.received)
            sentences.append(f"Received: {received}.")
        if self.fix:
            sentences.append(words(self.fix))
        text = " ".join(sentence.strip() for sentence in sentences)
        return f"{self.where}: {text}" if self.where else text

    def changed(self, **fields: Any) -> Self:
        """The same error with some fields changed, to be raised from where more is known."""
        error = copy.copy(self)
        for name, value in fields.items():
            setattr(error, name, value)
        error.args = (error.written(),)
        return error

    def __str__(self) -> str:
        return self.written()

    def __copy__(self) -> Self:
        error = type(self).__new__(type(self))
        error.__dict__.update(self.__dict__)
        return error

    def __reduce__(self) -> tuple[Any, ...]:
        # Received values go to another process as their texts: not every value can be pickled.
        fields = {name: getattr(self, name) for name in self._fields}
        if self._by_name:
            fields["received"] = {name: Described(shown(value)) for name, value in self._by_name.items()}
        elif self.has_received:
            fields["received"] = Described(shown(self.received))
        return _remade, (type(self), fields)


class Described(str):
    """A received value in words, such as "3 plans for 2 groups": the message shows it unquoted."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _remade(kind: type[KosineError], fields: dict[str, Any]) -> KosineError:
    return kind(**fields)


class ArgumentError(KosineError, ValueError):
    """An argument of a function breaks a rule that is not about a schedule: an unknown lint code, a point outside."""


class ArgumentTypeError(KosineError, TypeError):
    """An argument has a type that cannot mean what the function asks for."""


class ScheduleError(KosineError, ValueError):
    """A value in a schedule breaks a rule: a negative rate, an unknown unit, a second "rest"."""


class PlanError(KosineError, ValueError):
    """A schedule does not fit this run: the run's length is missing, or no step is left for a "rest".

    Attributes:
        missing: the argument of `Schedule.plan` that the schedule needs and that was not given, such as
            "samples_per_step" ("total_steps": the length of the run, in any form); None where nothing is missing.
    """

    _fields = (*KosineError._fields, "missing")

    def __init__(self, problem: Text = "", *, missing: str | None = None, **fields: Any) -> None:
        self.missing = missing
        super().__init__(problem, **fields)


class StepError(KosineError, ValueError):
    """A step is outside the range that a plan can be evaluated at."""


class NotationError(KosineError, ValueError):
    """A text or a JSON document is not a schedule."""


class LogError(KosineError, ValueError):
    """A log cannot be read, or says nothing about the learning rate."""


class TrainingError(KosineError, ValueError):
    """A training set-up would not follow the schedule: a rival callback, an unknown number of steps."""


class MissingPackageError(KosineError, ImportError):
    """A package that only some of kosine needs is not installed; the message says how to install it."""


def missing_package(what: str, package: str, extra: str) -> MissingPackageError:
    """The error where `what` needs a package that is not installed; `extra` is the extra of kosine that brings it."""
    return MissingPackageError(
        f"{what} needs {package}.", fix=f"Install it in your clone of kosine: pip install '.[{extra}]'"
    )


class TrainingWarning(UserWarning):
    """A training run left the path that its schedule was planned for."""


_MOST_SHOWN = 80  # characters of a value in a message


def shown(value: object) -> str:
    """`repr` cut to a length that fits an error message, whatever a user passes in."""
    if isinstance(value, Described):
        return str(value)
    if type(value) in (str, bytes, list, tuple):
        value = value[:_MOST_SHOWN]  # type: ignore[index]  # megabytes need not be written to be cut
    if isinstance(value, int) and value.bit_length() > 4 * _MOST_SHOWN:  # Python refuses to write out the longest
        return f"<an integer of {value.bit_length():,} bits>"
    try:
        text = repr(value)
    except Exception as error:  # a broken __repr__ must not hide the error that is being reported
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    text = " ".join(text.split()) if "\n" in text else text
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 3] + "..."
