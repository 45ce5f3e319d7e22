"""Which optimizer of a model follows which plan: one plan in the ratio of their rates, or a plan for each part."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import keras

from kosine._core.arguments import read_number
from kosine._core.numbers import exact
from kosine._core.schedule import Plan
from kosine.errors import ArgumentError, ArgumentTypeError, Described, TrainingError
from kosine.keras._internals import default_optimizer, optimizers, rate_variable, variables_of


def layer_rates(
    optimizer: Callable[..., Any],
    ratios: Mapping[str, float] | Sequence[str],
    *,
    learning_rate: float = 1e-3,
    lowest: float = 0.01,
    **arguments: Any,
) -> Any:
    """A Keras optimizer with a learning rate of its own for each part of a model (differential rates).

    A part is the variables whose path a pattern matches as a whole, as in `keras.optimizers.OptimizerMap`; the first
    pattern that matches counts. The rate of a part is `learning_rate` * ratio, and `learning_rate` where no pattern
    matches. `LearningRateCallback` keeps the ratios: with it a part trains at plan * ratio.

    Args:
        optimizer: the class of each part's optimizer, such as `keras.optimizers.AdamW`.
        ratios: the ratio of each pattern; or patterns alone, first layers first, whose ratios grow by equal factors
            from `lowest` to 1, as fast.ai's `slice` does.
        learning_rate: the constant rate of a part of ratio 1, for training without a schedule.
        lowest: the ratio of the first pattern of a list.
        **arguments: what else the optimizers take, such as `weight_decay=0.01`.

    Returns:
        A `keras.optimizers.MultiOptimizer`, which came after Keras 3.12.

    Raises:
        ArgumentError: no pattern, a pattern that is not a regular expression, or a ratio or rate of 0 or less.
        ArgumentTypeError: patterns that are not texts, or ratios that are not numbers.

    Source: Howard and Ruder, "Universal Language Model Fine-tuning" (arXiv 1801.06146), discriminative fine-tuning.

    Example:
        >>> import keras, kosine as ks
        >>> optimizer = ks.keras.layer_rates(keras.optimizers.AdamW, {"backbone/.*": 0.01, "neck/.*": 0.1})
        >>> [round(float(part.learning_rate), 6) for part in optimizer.optimizers]
        [1e-05, 0.0001, 0.001]
    """
    rule = "a finite number > 0"
    rate = exact(read_number(learning_rate, "learning_rate", rule, above=0, error=ArgumentError))
    if not isinstance(ratios, Mapping):
        ratios = _growing(ratios, read_number(lowest, "lowest", rule, above=0, error=ArgumentError))
    parts = {
        read_pattern(pattern, "ratios"): optimizer(
            learning_rate=float(rate * exact(read_number(ratio, "ratios", rule, above=0, error=ArgumentError))),
            **arguments,
        )
        for pattern, ratio in ratios.items()
    }
    if not parts:
        raise ArgumentError(argument="ratios", rule='at least one pattern, such as {"backbone/.*": 0.01}', received={})
    default = optimizer(learning_rate=float(rate), **arguments)
    return keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(default, parts))


def _growing(patterns: Sequence[str], lowest: float) -> dict[str, float]:
    if isinstance(patterns, str) or not isinstance(patterns, Sequence):
        raise ArgumentTypeError(
            argument="ratios", rule='a dict such as {"backbone/.*": 0.01}, or a list of patterns', received=patterns
        )
    last = max(1, len(patterns) - 1)
    return {pattern: lowest ** ((last - number) / last) for number, pattern in enumerate(patterns)}


def read_pattern(value: object, argument: str) -> str:
    if not isinstance(value, str):
        raise ArgumentTypeError(argument=argument, rule="patterns as texts", received=value)
    try:
        re.compile(value)
    except re.error as error:
        raise ArgumentError(argument=argument, rule="regular expressions as patterns", received=value) from error
    return value


# --- one plan, in the ratio of the constant rates ---

_NOTE = (
    "kosine_rates"  # an attribute of the parts of a MultiOptimizer: the constant rate, and the rate it was left with
)


def constant_rates(model: Any) -> dict[int, Fraction | None]:
    """The rate that each optimizer was given, by its number; None where it has a schedule of its own."""
    return {number: _constant_rate(optimizer) for number, optimizer in enumerate(optimizers(model))}


def _constant_rate(optimizer: Any) -> Fraction | None:
    variable = rate_variable(optimizer)
    if variable is None:
        return None
    now = _value(variable)
    given, left = vars(optimizer).get(_NOTE, (now, now))
    return given if left in (now, None) else now


def _value(variable: Any) -> Fraction:
    """The shortest decimal of a rate, which is what the user wrote."""
    return Fraction(str(keras.ops.convert_to_numpy(variable)[()]))


def note_rates(model: Any, rates: dict[int, Fraction | None], *, left: bool) -> None:
    """Keep the constant rates of the parts, whose variables hold the rates of a plan while it runs and afterwards."""
    for number, optimizer in enumerate(optimizers(model)):
        if rates.get(number) is not None:
            vars(optimizer)[_NOTE] = (rates[number], _value(rate_variable(optimizer)) if left else None)


def in_ratio(model: Any, plan: Plan, rates: dict[int, Fraction | None]) -> list[tuple[Any, Plan]]:
    """Each optimizer and its plan: `plan` for the default one, others in the ratio of their constant rates to its.

    A part with a schedule of its own keeps it. Without a default optimizer, the highest constant rate is the plan's.

    Raises:
        TrainingError: constant rates without a ratio.
    """
    parts = optimizers(model)
    if len(parts) == 1:
        return [(parts[0], plan)]
    given = {number: rate for number, rate in rates.items() if rate is not None}
    default = next((number for number, part in enumerate(parts) if part is default_optimizer(model)), None)
    reference = max(given.values(), default=None) if default is None else given.get(default)
    if not reference:
        raise TrainingError(
            "The parts of a MultiOptimizer keep the ratio of their constant rates to the default part's, so that rate "
            "must be a number above 0.",
            received=Described(", ".join(f"{part.name}: {_shown(rates[n])}" for n, part in enumerate(parts))),
            fix='Pass a schedule for each part: LearningRateCallback({"backbone/.*": ..., ".*": ...}).',
        )
    return [(parts[number], _scaled(rate / reference, plan)) for number, rate in given.items()]


def _scaled(ratio: Fraction, plan: Plan) -> Plan:
    if ratio == 0:
        raise TrainingError(
            "A part whose constant rate is 0 would train at 0 throughout.",
            received={"learning_rate": 0.0},
            fix="Give it a rate above 0, or set `trainable = False` for its layers.",
        )
    return plan if ratio == 1 else float(ratio) * plan


def _shown(rate: Fraction | None) -> str:
    return "a schedule" if rate is None else f"{float(rate):.6g}"


# --- a plan for each pattern ---


def by_pattern(model: Any, plans: Mapping[str, Plan]) -> list[tuple[Any, Plan]]:
    """Each optimizer and the plan of the pattern that matches the paths of its variables.

    Raises:
        TrainingError: a variable that no pattern matches, or an optimizer whose variables follow different plans.
    """
    found = []
    for optimizer in optimizers(model):
        patterns = {_matching(path, plans) for path in variables_of(model, optimizer)}
        if len(patterns) > 1:
            raise TrainingError(
                "Variables of one optimizer follow one plan.",
                received=Described(f"an optimizer, {optimizer.name}, whose variables match {sorted(patterns)}"),
                fix="Give each part an optimizer: `ks.keras.layer_rates(keras.optimizers.AdamW, "
                f"{{{', '.join(f'{name!r}: 1.0' for name in sorted(patterns))}}})`.",
            )
        found += [(optimizer, plans[pattern]) for pattern in patterns]
    return found


def unmatched(model: Any, patterns: Iterable[str]) -> list[str]:
    """The patterns that match no variable of a model, also none that is frozen; of a model that is not built none."""
    paths = [variable.path for variable in model.variables]
    return [pattern for pattern in patterns if paths and not any(re.fullmatch(pattern, path) for path in paths)]


def _matching(path: str, plans: Mapping[str, Plan]) -> str:
    for pattern in plans:
        if re.fullmatch(pattern, path):
            return pattern
    raise TrainingError(
        "Each variable needs a schedule.",
        received=Described(f"the variable {path!r}, and the patterns {list(plans)}"),
        fix='Add a pattern for it; ".*" as the last one matches what the others leave.',
    )
