"""The errors that kosine raises: each names the argument, the rule, the value received and the fix."""


class KosineError(Exception):
    """Base of every error that kosine raises on purpose."""


class ScheduleError(KosineError, ValueError):
    """A value in a schedule breaks a rule: a negative rate, an unknown unit, a second "rest"."""


class ArgumentTypeError(KosineError, TypeError):
    """An argument is of a type that cannot mean what is asked for."""


class PlanError(KosineError, ValueError):
    """A schedule cannot be planned for this run: a missing length, no step left for a "rest"."""


class StepError(KosineError, ValueError):
    """A step is outside the range that a plan can be evaluated at."""


class NotationError(KosineError, ValueError):
    """A text or a JSON document is not a schedule."""


class LogError(KosineError, ValueError):
    """A log cannot be read, or says nothing about the learning rate."""


class TrainingError(KosineError, ValueError):
    """A training set-up would not follow the schedule: a rival callback, an unknown number of steps."""


class MissingPackageError(KosineError, ImportError):
    """A package that only some of kosine needs is not installed; the message says which extra brings it."""


class TrainingWarning(UserWarning):
    """A training run left the path that its schedule was planned for."""


_MOST_SHOWN = 80  # characters of a value in a message


def shown(value: object) -> str:
    """`repr` cut to a length that fits an error message, whatever a user passes in."""
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
