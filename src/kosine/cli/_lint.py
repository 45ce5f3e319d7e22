"""`kosine lint`: what is odd about a schedule in a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from kosine._analysis.lint.lint import LONGEST_WARMUP, RULES, lint, read_code
from kosine._analysis.lint.rule import Finding, Rule
from kosine._core.schedule import Plan
from kosine._display.lint_text import count, document, explanation, report
from kosine.cli._number_types import Share
from kosine.cli._output import json_option, phase_data, print_json
from kosine.cli._planning import planned
from kosine.cli._run_options import run_size_options
from kosine.cli._schedule_argument import ScheduleCommand, ScheduleType
from kosine.cli._schedule_files import NamedSchedule

_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}
_ALL = "all"


def _explain(context: click.Context, _: click.Parameter, code: str | None) -> None:
    if code is None or context.resilient_parsing:
        return
    name = code if code == _ALL else read_code(code, "explain")
    if context.params["as_json"]:
        print_json([_rule_data(rule) for rule in RULES.values()] if name == _ALL else _rule_data(RULES[name]))
    else:
        click.echo(document() if name == _ALL else explanation(name))
    context.exit()


@click.command(
    "lint",
    cls=ScheduleCommand,
    epilog="""\b
Examples:
  kosine lint 'sgdr(peak=0.05, period="10ep", stretch=2)' \\
    --epochs 200 --steps-per-epoch 391
  kosine lint schedule.toml --strict --ignore K004,K007
  kosine lint --explain K001""",
)
@click.argument("schedule", type=ScheduleType())
@run_size_options
@click.option("--strict", is_flag=True, help="Exit with status 1 for warnings, too.")
@click.option("--ignore", metavar="CODES", default="", help="Codes to leave out, such as K004,K007.")
@click.option(
    "--longest-warmup",
    type=Share(),
    metavar="SHARE",
    default=LONGEST_WARMUP,
    help=f"The share of the run that a warm-up may take, such as 10% or 0.1; {LONGEST_WARMUP:.0%} if not given.",
)
@json_option
@click.option(
    "--explain",
    metavar="[CODE]",
    is_flag=False,
    flag_value=_ALL,
    expose_value=False,
    callback=_explain,
    help="Say what a code means, or what all of them do, and exit.",
)
def command(
    schedule: NamedSchedule,
    strict: bool,
    ignore: str,
    longest_warmup: float,
    as_json: bool,
    **size: Any,
) -> int:
    """Report what is odd about SCHEDULE in this run.

    Each finding has a code, a severity (error, warning, info), a message and a fix; errors come first. The exit
    status is 1 where there is an error, with --strict also where there is a warning.
    """
    unwanted = [read_code(code, "ignore") for code in ignore.split(",") if code.strip()]
    plan = planned(schedule, size)
    findings = lint(plan, longest_warmup=longest_warmup, ignore=unwanted)
    if as_json:
        print_json(_data(schedule, plan, findings))
    else:
        click.echo(_text(plan, findings))
    failing = {"error", "warning"} if strict else {"error"}
    return int(any(finding.severity in failing for finding in findings))


def _text(plan: Plan, findings: Sequence[Finding]) -> str:
    from kosine._display.terminal import Screen

    screen = Screen.of_stdout()

    def paint(severity: str, text: str) -> str:
        return click.style(text, fg=_COLOURS[severity], bold=severity == "error" or None) if screen.colour else text

    width = min(max(screen.width, 40), 100)
    parts = [report(findings, width, paint)] if findings else []
    if plan.total_steps is None:
        parts.append(
            "The run's length is not known, so where it ends is not checked.\n"
            "Give --total-steps, or --epochs and --steps-per-epoch."
        )
    return "\n\n".join([*parts, count(findings)])


def _data(source: NamedSchedule, plan: Plan, findings: Sequence[Finding]) -> dict[str, Any]:
    return {
        "schedule": repr(source.schedule),
        "total_steps": plan.total_steps,
        "steps_per_epoch": plan.run.steps_per_epoch,
        "findings": [
            {
                "code": finding.code,
                "title": RULES[finding.code].title,
                "severity": finding.severity,
                "message": finding.message,
                "fix": finding.fix,
                "phase": None if finding.phase is None else phase_data(plan, finding.phase),
            }
            for finding in findings
        ],
    }


def _rule_data(rule: Rule) -> dict[str, Any]:
    return {
        "code": rule.code,
        "title": rule.title,
        "severity": rule.severity,
        "why": rule.why,
        "fix": rule.fix,
        "example": rule.example._asdict(),
        "mended": rule.mended._asdict(),
    }
