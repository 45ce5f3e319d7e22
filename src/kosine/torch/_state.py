"""The saved state of a scheduler, and how a loaded one differs."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from kosine._core.json_form import loads
from kosine._core.schedule import Plan
from kosine.errors import ArgumentTypeError, Described, KosineError, StepError, TrainingError, TrainingWarning, shown

LONGEST_TEXT = 1_000  # characters of a plan that a warning shows


def saved_step(state: Mapping[str, Any], plan: Plan) -> int:
    given: Any = state.get("last_epoch")
    try:
        plan.phase_at(given)  # raises for anything but a step
    except (ArgumentTypeError, StepError) as error:
        raise TrainingError(
            "The state must hold the step, an integer from 0 to 2**63 - 1, as `last_epoch`. Pass what "
            "`state_dict()` returned.",
            received=Described(f"last_epoch={shown(given)}, among: {cut_text(', '.join(map(str, state)))}"),
        ) from error
    return operator.index(given)


def saved_ratios_to(state: Mapping[str, Any]) -> Mapping[str, float]:
    given = state.get("ratios_to", {})
    if isinstance(given, Mapping) and all(type(value) in (int, float) for value in given.values()):
        return given
    raise TrainingError(
        "In the state, `ratios_to` must be a dict of numbers: the initial values of the param group "
        "that ratios refer to. Pass what `state_dict()` returned.",
        received={"ratios_to": given},
    )


def warn_of_change(what: str, details: str) -> None:
    # Two warnings: Trainer catches them when it loads a state, and drops one that is alone (transformers 5.23).
    warnings.warn(what, TrainingWarning, stacklevel=3)
    warnings.warn(details, TrainingWarning, stacklevel=3)


def difference_text(saved: Mapping[str, Any], own: Mapping[str, Any], step: int) -> str:
    """What a saved state and this scheduler drive differently, line by line; "" where nothing."""
    lines: list[str] = []
    for name in {**own, **saved}:
        theirs, ours = texts_of(saved.get(name, [])), texts_of(own.get(name, []))
        for index, (their_text, our_text) in enumerate(zip_longest(theirs, ours)):
            if their_text == our_text:  # a long one takes seconds to read
                continue
            before, now = loaded(their_text), loaded(our_text)
            if before == now:
                continue
            group = f" of group {index}" if max(len(theirs), len(ours)) > 1 else ""
            lines.append(
                f"{name}{group} at step {step}: {shown_value(before, step)} then, {shown_value(now, step)} now"
            )
            lines += [f"  {when}: {cut_text(plan)}" for when, plan in (("then", before), (" now", now))]
    return "\n".join(lines)


def texts_of(given: object) -> list[str]:
    """The texts of an entry's plans; in a state that was altered, the `repr` of anything else."""
    return [one if isinstance(one, str) else shown(one) for one in (given if isinstance(given, list) else [given])]


def loaded(text: str | None) -> Any:
    """The plan that a text means; the text itself where it cannot be read, as one of a later version of kosine."""
    try:
        return None if text is None else loads(text)
    except KosineError:
        return text


def shown_value(plan: Any, step: int) -> str:
    return f"{plan(step):.6g}" if isinstance(plan, Plan) else "unknown" if plan else "no plan"


def cut_text(plan: Any) -> str:
    text = "no plan" if plan is None else plan if isinstance(plan, str) else repr(plan)
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}..."
