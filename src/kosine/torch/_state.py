"""The saved state of a scheduler, and how a loaded one differs."""

from __future__ import annotations

import json
import math
import operator
import warnings
from collections.abc import Mapping
from typing import Any

from kosine._analysis.past import TOLERANCE, first_difference, how_to_share_the_past, rates_at
from kosine._core.json_form import dumps, loads
from kosine._core.plain_text import printable
from kosine._core.schedule import Plan
from kosine.errors import ArgumentTypeError, Described, KosineError, StepError, TrainingError, TrainingWarning, shown
from kosine.torch._plans import Plans, keyed

LONGEST_TEXT = 1_000  # characters of a plan that a warning shows

Saved = dict[str, dict[object, Any]]
"""By entry, the plans of a state as `keyed` gives them; a text that cannot be read in place of a plan."""


def plans_text(plans: Mapping[str, Plans]) -> str:
    """The plans as one text: a checkpoint that is loaded key by key has the same keys, whatever is driven."""
    return json.dumps(
        {
            name: dumps(given)
            if isinstance(given, Plan)
            else {key: dumps(plan) for key, plan in given.items()}
            if isinstance(given, dict)
            else [dumps(plan) for plan in given]
            for name, given in plans.items()
        }
    )


def saved_plans(state: Mapping[str, Any]) -> Saved | None:
    """What the state says was followed; None in a state that is another scheduler's."""
    given: Any = state.get("plans")
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            given = {"plans": given}
    if not isinstance(given, Mapping):  # before kosine 0.7 it was a dictionary of the same texts
        return None
    return {str(name): _keyed_texts(texts) for name, texts in given.items()}


def _keyed_texts(texts: object) -> dict[object, Any]:
    listed: dict[object, object] = {None: texts}
    if isinstance(texts, list):
        listed = dict(enumerate(texts))
    elif isinstance(texts, Mapping):
        listed = {str(key): text for key, text in texts.items()}
    return {key: _loaded(text if isinstance(text, str) else shown(text)) for key, text in listed.items()}


def _loaded(text: str) -> Any:
    """The plan that a text means; the text itself where it cannot be read, as one of a later version of kosine."""
    try:
        return loads(text)
    except KosineError:
        return text


def comparable(saved: Saved, plans: Mapping[str, Plans]) -> dict[str, list[Plan]]:
    """By entry, the plans that were followed, where they are for the same groups as those that are followed now."""
    return {
        name: [*then.values()]
        for name, then in saved.items()
        if name in plans and [*then] == [*keyed(plans[name])] and all(isinstance(plan, Plan) for plan in then.values())
    }


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


def difference_text(saved: Saved, plans: Mapping[str, Plans], step: int) -> str:
    """Where the plans of a state and those of this scheduler part before a step, line by line; "" where nowhere."""
    lines: list[str] = []
    firsts: list[int] = []
    own = {name: keyed(given) for name, given in plans.items()}
    for name in {**own, **saved}:
        theirs, ours = saved.get(name, {}), own.get(name, {})
        keys = [*({**theirs, **ours}.keys() - {None})] if len(theirs) + len(ours) > 2 else [None]
        for key in keys:
            before, now = _plan_for(key, theirs), _plan_for(key, ours)
            places = _places(before, now, step)
            if not places:
                continue
            firsts += [place for place in places if place < step]
            group = "" if key is None else f" of group {cut_text(str(key))}"
            for place in places:
                past = "" if place == step else ", in the past"
                then, there = _rates(before, now, place)
                lines.append(f"{cut_text(name)}{group} at step {place}{past}: {then} then, {there} now")
            lines += [f"  {when}: {cut_text(plan)}" for when, plan in (("then", before), (" now", now))]
    return "\n".join([*lines, how_to_share_the_past(min(firsts), step)] if firsts else lines)


def _plan_for(key: object, plans: Mapping[object, Any]) -> Any:
    """The plan of a group: its own, or that of all; where the key is None, the only one that there is."""
    return next(iter(plans.values()), None) if key is None else plans.get(key, plans.get(None))


def _places(before: Any, now: Plan | None, step: int) -> list[int]:
    """The first step of the past at which two plans differ, and the step itself if they differ there, too.

    A branch that has the same past is what the user wants, whatever it does from the step on.
    """
    if before == now:
        return []
    if not isinstance(before, Plan) or now is None:
        return [step]
    first = first_difference(before, now, step)
    if first is None:
        return []
    return [first] if math.isclose(before(step), now(step), rel_tol=TOLERANCE) else [first, step]


def _rates(before: Any, now: Plan | None, step: int) -> tuple[str, str]:
    if isinstance(before, Plan) and now is not None:
        return rates_at(before, now, step)
    return _rate(before, step), _rate(now, step)


def _rate(plan: Any, step: int) -> str:
    return f"{plan(step):.6g}" if isinstance(plan, Plan) else "unknown" if plan else "no plan"


def cut_text(plan: Any) -> str:
    """A plan or a name on one line, without characters that would steer a terminal."""
    text = printable("no plan" if plan is None else plan if isinstance(plan, str) else repr(plan))
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}..."
