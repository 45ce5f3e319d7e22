"""What is odd about a plan: the mistakes that people make, each with a stable code, the reason and the fix."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from itertools import chain

from kosine._analysis.lint.plan_facts import PlanFacts
from kosine._analysis.lint.rule import SEVERITIES, Finding, Rule
from kosine._analysis.lint.rules import RULES
from kosine._core.arguments import read_number
from kosine._core.schedule import Plan
from kosine.errors import ArgumentTypeError, PlanError, TrainingWarning, shown

__all__ = ["LONGEST_WARMUP", "RULES", "Finding", "Rule", "lint", "read_code", "warn_of_errors"]

LONGEST_WARMUP = 0.3
"""The share of the run that a warm-up may take: that of a one-cycle schedule."""


def lint(plan: Plan, *, longest_warmup: float = LONGEST_WARMUP, ignore: Iterable[str] = ()) -> tuple[Finding, ...]:
    """What is odd about a plan; docs/lint.md explains each code.

    It looks at phases, never at every step or every cycle, so it takes the same time for 10**9 steps as for 10**3. Of
    a plan without a length it checks what does not depend on where the run ends.

    Args:
        plan: the plan.
        longest_warmup: the share of the run that a warm-up may take, in (0, 1].
        ignore: the codes that are not wanted, such as ["K004"].

    Returns:
        The findings, errors before warnings before infos, and each of these in order of their codes; () where
        nothing is odd.

    Raises:
        PlanError: a share outside (0, 1], or an unknown code.
        ArgumentTypeError: no plan, a share that is no number, or codes that are no texts.

    Example:
        >>> import kosine as ks
        >>> plan = ks.sgdr(peak=0.05, period="10ep", stretch=2).plan(epochs=200, steps_per_epoch=391)
        >>> [finding.code for finding in ks.lint(plan)]
        ['K001']
        >>> plan = ks.sgdr(peak=0.05, period="40/3ep", stretch=2).plan(epochs=200, steps_per_epoch=391)
        >>> ks.lint(plan)
        ()
    """
    if not isinstance(plan, Plan):
        raise ArgumentTypeError(
            "`lint` takes a Plan: call `schedule.plan(total_steps=...)`, or with `epochs` and `steps_per_epoch`. "
            f"Received: plan={shown(plan)}."
        )
    rule = "a share of the run, in (0, 1]"
    share = read_number(longest_warmup, "longest_warmup", rule)
    if not 0 < share <= 1:
        raise PlanError(f"Argument `longest_warmup` must be {rule}. Received: longest_warmup={shown(longest_warmup)}.")
    if isinstance(ignore, str) or not isinstance(ignore, Iterable):
        raise ArgumentTypeError(
            f'Argument `ignore` must be a list of codes, such as ["K004"]. Received: ignore={shown(ignore)}.'
        )
    unwanted = {read_code(code, "ignore") for code in ignore}
    facts = PlanFacts(plan, share)
    findings = [finding for code, rule in RULES.items() if code not in unwanted for finding in rule.findings(facts)]
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def read_code(code: object, argument: str) -> str:
    """A code as it stands in the list, in capitals.

    Raises:
        PlanError: there is no such code.
        ArgumentTypeError: no text.
    """
    if not isinstance(code, str):
        raise ArgumentTypeError(f'Argument `{argument}` must hold codes such as "K004". Received: {shown(code)}.')
    name = code.strip().upper()
    if name not in RULES:
        number = re.fullmatch(r"[A-Z]?0*([1-9][0-9]?)", name, re.ASCII)
        near = f"K{int(number[1]):03}" if number else ""
        raise PlanError(
            f"Argument `{argument}` must hold codes from {min(RULES)} to {max(RULES)}. Received: {shown(code)}."
            f"{f' Did you mean {near!r}?' if near in RULES else ''}"
        )
    return name


def warn_of_errors(plans: Iterable[Plan], switch: str, stacklevel: int, ignore: Iterable[str] = ()) -> None:
    """Warn of each error that `lint` finds: what a training run should say before it starts.

    Args:
        plans: what the training follows. Of several, such as one for each group of parameters, only an error that is
            found in all of them is one: a plan whose rates are all 0 keeps its group as it is.
        switch: how to switch this off.
        stacklevel: as in `warnings.warn`, counted from the caller.
        ignore: codes that this training makes no use of.
    """
    found = [
        [finding for finding in lint(plan, ignore=ignore) if finding.severity == "error"]
        for plan in dict.fromkeys(plans)
    ]
    shared = set.intersection(*({finding.code for finding in errors} for errors in found))
    for finding in chain.from_iterable(found):
        if finding.code in shared:
            warnings.warn(
                f"{finding.code}: {finding.message} {finding.fix} ({switch} switches this check off.)",
                TrainingWarning,
                stacklevel=stacklevel + 1,
            )
