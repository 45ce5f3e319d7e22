"""Findings and rules of lint as text: for the terminal and for docs/lint.md."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from kosine._analysis.lint.lint import LONGEST_WARMUP, RULES, lint
from kosine._analysis.lint.rule import SEVERITIES, Example, Finding, Rule, Severity
from kosine._analysis.lint.wording import counted
from kosine._core.text_form import parse

_WIDTH = 80

_INTRODUCTION = f"""
`kosine lint SCHEDULE`, or `ks.lint(plan)` in Python, reports what is odd about a schedule in one run. Each finding has
a code, a severity, a message and a fix. A code never changes its meaning. Errors come first, then warnings, then infos.
An "error" wastes training for certain, whatever you train. A "warning" is most likely a mistake. An "info" is common,
but worth knowing. A run that is cut in the middle of a decay (K001, K002) gets a warning: its model has learned, but is
worse than it could be.

`--ignore K004,K007` leaves codes out, as `ignore=["K004", "K007"]` does. The exit status is 1 where there is an error,
with `--strict` also where there is a warning. `--longest-warmup` sets the share of the run that a warm-up may take
({LONGEST_WARMUP:.0%} if not given).

`LearningRateCallback` and `PlanLR` warn of errors only, once when training starts; `lint=False` switches that off.
Where `PlanLR` has a list of plans, it warns of an error that all of them have: a frozen group has rate 0 on purpose.
"""

Paint = Callable[[Severity, str], str]
"""Colours a text by the severity that it states."""

_INDENT = " " * len("K001 warning  ")


def report(findings: Iterable[Finding], width: int = _WIDTH, paint: Paint = lambda severity, text: text) -> str:
    """A paragraph for each finding: the code and the severity, what is odd, and the fix."""
    paragraphs = []
    for finding in findings:
        texts = finding.message, f"Fix: {finding.fix}"
        lines = [_INDENT + line for text in texts for line in _filled(text, width - len(_INDENT))]
        head = f"{finding.code} {finding.severity}"
        lines[0] = paint(finding.severity, head) + lines[0][len(head) :]
        paragraphs.append("\n".join(lines))
    return "\n\n".join(paragraphs)


def count(findings: Sequence[Finding]) -> str:
    """How many findings there are of each severity."""
    if not findings:
        return "Nothing odd found."
    numbers = Counter(finding.severity for finding in findings)
    return ", ".join(counted(str(numbers[severity]), severity) for severity in SEVERITIES if numbers[severity])


def findings_text(findings: Sequence[Finding]) -> str:
    """The report, and how many findings of each severity it has."""
    return "\n\n".join([report(findings), count(findings)] if findings else [count(findings)])


def document() -> str:
    """docs/lint.md: what every code means."""
    contents = "\n".join(f"- [{rule.code}](#{_anchor(rule)}): {rule.title}" for rule in RULES.values())
    introduction = "\n\n".join(_paragraph(text) for text in _INTRODUCTION.strip().split("\n\n"))
    chapters = "\n\n".join(explanation(code) for code in RULES)
    return f"# What `kosine lint` finds\n\n{introduction}\n\n{contents}\n\n{chapters}"


def explanation(code: str) -> str:
    """What a code means, as a chapter in Markdown."""
    rule = RULES[code]
    findings = lint(parse(rule.example.schedule).plan(**rule.example.run))
    return "\n\n".join(
        [
            f"## {rule.code}: {rule.title}",
            _paragraph(f"Severity: {rule.severity}."),
            _paragraph(rule.why),
            _paragraph(f"**Fix.** {rule.fix}"),
            f"```console\n$ {_command(rule.example)}\n{report(findings)}\n\n{count(findings)}\n```",
            f"Nothing is found in:\n\n```sh\n{_command(rule.mended)}\n```",
        ]
    )


def _anchor(rule: Rule) -> str:
    return f"{rule.code} {rule.title}".lower().replace(" ", "-")


def _paragraph(text: str) -> str:
    return "\n".join(_filled(" ".join(text.split()), _WIDTH))


def _filled(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _command(example: Example) -> str:
    options = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in example.run.items())
    return f"kosine lint '{example.schedule}' \\\n    {options}"
