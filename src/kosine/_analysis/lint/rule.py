"""What a rule of lint is: a check, and the words that explain what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from kosine._core.timeline import PlannedPhase
from kosine._core.views import view

if TYPE_CHECKING:
    from kosine._analysis.lint.plan_facts import PlanFacts

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""The worst first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something odd about a plan.

    Attributes:
        code: which check found it, such as "K001"; codes never change their meaning.
        severity: "error": the training is wasted for certain; "warning": most likely a mistake; "info": worth knowing.
        message: what is odd, with the numbers.
        phase: the phase that it is about; None where it is about the run as a whole.
        fix: what to write instead.
    """

    code: str
    severity: Severity
    message: str
    phase: PlannedPhase | None
    fix: str

    def __str__(self) -> str:
        return f"{self.code} {self.severity}: {self.message} {self.fix}"


class Findings(tuple[Finding, ...]):
    """What lint finds in a plan: a tuple of findings that `print` shows as a report."""

    __slots__ = ()

    def __str__(self) -> str:
        text: str = view(self, "text")
        return text


class Remark(NamedTuple):
    """What a check says; with its code it is a finding."""

    severity: Severity
    message: str
    fix: str
    phase: PlannedPhase | None = None


Check = Callable[["PlanFacts"], Iterator[Remark]]


class Example(NamedTuple):
    """A schedule in the text form, and the arguments of `Schedule.plan`."""

    schedule: str
    run: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """One check, and what users read about it.

    Attributes:
        code: its name for ever.
        title: what it finds.
        severity: how bad that is; where it depends, on what.
        why: why it matters, with its source.
        fix: what to do about it, or why it may be meant.
        example: a plan in which this check finds something, and no other does.
        mended: the same plan without the mistake.
        check: the check.
    """

    code: str
    title: str
    severity: str
    why: str
    fix: str
    example: Example
    mended: Example
    check: Check

    def findings(self, facts: PlanFacts) -> Iterator[Finding]:
        for severity, message, fix, phase in self.check(facts):
            yield Finding(self.code, severity, message, phase, fix)


RULES: dict[str, Rule] = {}
"""Every rule by its code, once `rules` is imported."""


def rule(
    code: str, title: str, *, severity: str, why: str, fix: str, example: Example, mended: Example
) -> Callable[[Check], Rule]:
    """Make a rule of a check, and add it to `RULES`."""

    def registered(check: Check) -> Rule:
        if code in RULES:
            raise AssertionError(f"Two rules have the code {code}.")
        RULES[code] = Rule(code, title, severity, why, fix, example, mended, check)
        return RULES[code]

    return registered
