"""Common mistakes in a plan, each with a stable code, the reason and the fix."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Iterable
from itertools import chain

from kosine._analysis.lint.plan_facts import PlanFacts
from kosine._analysis.lint.rule import SEVERITIES, Finding, Findings, Rule, Severity
from kosine._analysis.lint.rules import RULES
from kosine._core.arguments import read_number
from kosine._core.schedule import Plan
from kosine.errors import ArgumentError, ArgumentTypeError, TrainingWarning

__all__ = ["LONGEST_WARMUP", "RULES", "Finding", "Rule", "lint", "read_code", "warn_of"]

LONGEST_WARMUP = 0.3
"""The share of the run that a warm-up may take: that of a one-cycle schedule."""


def lint(plan: Plan, *, longest_warmup: float = LONGEST_WARMUP, ignore: Iterable[str] = ()) -> Findings:
    """What is odd about a plan; docs/lint.md explains each code.

    It looks at phases, never at every step or every cycle, so it takes the same time for 10**9 steps as for 10**3. For
    a plan without a length it leaves out the checks that depend on the end of the run.

    Args:
        plan: the plan.
        longest_warmup: the share of the run that a warm-up may take, in (0, 1].
        ignore: codes to leave out, such as ["K004"].

    Returns:
        A tuple of findings, errors before warnings before infos, and each of these in order of their codes; () where
        nothing is odd. `print` shows it as the report of `kosine lint`.

    Raises:
        ArgumentError: a share outside (0, 1], or an unknown code.
        ArgumentTypeError: something else than a plan, than a number as the share, or than texts as codes.

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
            "`lint` takes a Plan.",
            received={"plan": plan},
            fix="First call `schedule.plan(total_steps=...)`, or `plan` with `epochs` and `steps_per_epoch`.",
        )
    rule = "a share of the run, in (0, 1]"
    share = read_number(longest_warmup, "longest_warmup", rule, above=0, at_most=1, error=ArgumentError)
    if isinstance(ignore, str) or not isinstance(ignore, Iterable):
        raise ArgumentTypeError(argument="ignore", rule='a list of codes, such as ["K004"]', received=ignore)
    ignored = {read_code(code, "ignore") for code in ignore}
    facts = PlanFacts(plan, share)
    findings = [finding for code, each in RULES.items() if code not in ignored for finding in each.findings(facts)]
    return Findings(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def read_code(code: object, argument: str) -> str:
    """A code as the list has it, in capitals.

    Raises:
        ArgumentError: an unknown code.
        ArgumentTypeError: a code that is not a text.
    """
    if not isinstance(code, str):
        raise ArgumentTypeError(argument=argument, rule='a code such as "K004"', received=code)
    name = code.strip().upper()
    if name not in RULES:
        number = re.fullmatch(r"[A-Z]?0*([1-9][0-9]?)", name, re.ASCII)
        near = f"K{int(number[1]):03}" if number else ""
        fix = f"Did you mean {near!r}?" if near in RULES else ""
        raise ArgumentError(argument=argument, rule=f"a code from {min(RULES)} to {max(RULES)}", received=code, fix=fix)
    return name


def warn_of(
    plans: Iterable[Plan],
    switch: str,
    stacklevel: int,
    ignore: Iterable[str] = (),
    severities: Collection[Severity] = ("error", "warning"),
) -> None:
    """Warn of what `lint` finds, before a training run starts.

    Args:
        plans: what the training follows. Of several, such as one for each group of parameters, only what all of them
            have counts: a plan whose rates are all 0 keeps its group as it is.
        switch: how to switch this off.
        stacklevel: as in `warnings.warn`, counted from the caller.
        ignore: codes that do not matter to this training.
        severities: the findings that are worth a warning.
    """
    found = [
        [finding for finding in lint(plan, ignore=ignore) if finding.severity in severities]
        for plan in dict.fromkeys(plans)
    ]
    shared = set.intersection(*({finding.code for finding in findings} for findings in found))
    for finding in chain.from_iterable(found):
        if finding.code in shared:
            warnings.warn(
                f"{finding.code}: {finding.message} {finding.fix} ({switch} switches this check off.)",
                TrainingWarning,
                stacklevel=stacklevel + 1,
            )
