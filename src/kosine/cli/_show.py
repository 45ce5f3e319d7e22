"""`kosine show`: the phase table, what it adds up to, and the curve in the terminal."""

from __future__ import annotations

import json
import math
from inspect import Parameter, signature
from itertools import islice
from typing import TYPE_CHECKING, Any

import click
from click.formatting import wrap_text

from kosine.cli._output import json_option, phase_data, print_json
from kosine.cli._planning import planned
from kosine.cli._run_options import run_size_options
from kosine.cli._schedule_argument import PARTS, ScheduleCommand, ScheduleType
from kosine.cli._schedule_files import NamedSchedule

if TYPE_CHECKING:
    from kosine._analysis.summary import Summary
    from kosine._core.schedule import Plan

_MOST_PHASES = 1000  # that --json lists


class ShowCommand(ScheduleCommand):
    """`kosine show`, whose help lists what a text form is made of."""

    parts_are = "its parts are listed below"

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, calls in PARTS.items():
            with formatter.section(title):
                for name, call in calls.items():
                    text = f"{name}({', '.join(map(_in_help, signature(call).parameters.values()))})"
                    indent = " " * formatter.current_indent
                    formatter.write(wrap_text(text, formatter.width, indent, indent * 3) + "\n")
        with formatter.section("Durations"):
            formatter.write_text(
                '1000 (steps), "10ep" (epochs), "5%" (of the run), "2e8sp" (samples), "375Mtok" (tokens), "rest"'
            )
        super().format_epilog(ctx, formatter)


def _in_help(parameter: Parameter) -> str:
    """A parameter as written in a call; texts in double quotes, because the shell has the call in single ones."""
    if parameter.kind is Parameter.VAR_POSITIONAL:
        return f"{parameter.name}, ..."
    if parameter.default is Parameter.empty:
        return f"{parameter.name}=..." if parameter.kind is Parameter.KEYWORD_ONLY else parameter.name
    default = parameter.default
    return f"{parameter.name}={json.dumps(default) if isinstance(default, str) else repr(default)}"


@click.command(
    "show",
    cls=ShowCommand,
    epilog="""\b
Examples:
  kosine show 'warmup_cosine(peak=1e-3, warmup="5ep")' \\
    --epochs 50 --steps-per-epoch 788
  kosine show 'sgdr(peak=0.05, period=1000, stretch=2)' --total-steps 15000
  kosine show gpt-3 --json""",
)
@click.argument("schedule", type=ScheduleType())
@run_size_options
@json_option
def command(schedule: NamedSchedule, as_json: bool, **size: Any) -> None:
    """Print the phases of SCHEDULE as a table, what they add up to, and the curve.

    The area under the curve is the sum of the learning rates of all steps.
    """
    plan = planned(schedule, size)

    from kosine._analysis.summary import summarize

    summary = summarize(plan)
    if as_json:
        print_json(_data(plan, summary))
        return

    from kosine._display.terminal import Screen, draw

    click.echo(f"{plan}\n\n{_totals(summary)}\n\n{draw(plan, Screen.of_stdout())}")


def _totals(summary: Summary) -> str:
    totals = summary.in_words()
    width = max(map(len, totals))
    return "\n".join(f"{name:{width}}  {value}" for name, value in totals.items())


def _data(plan: Plan, summary: Summary) -> dict[str, Any]:
    return {
        "schedule": repr(plan.schedule),
        "total_steps": summary.total_steps,
        "steps_per_epoch": summary.steps_per_epoch,
        "epochs": summary.epochs,
        "seconds": summary.seconds,
        "area": summary.area if math.isfinite(summary.area) else None,
        "peak": summary.peak,
        "lowest": summary.lowest,
        "mean": summary.mean,
        "mean_over_peak": summary.mean_over_peak,
        "share_above_half": summary.share_above_half,
        "sampled": summary.sampled,
        "phases_total": len(plan.phases),
        "phases": [phase_data(plan, row) for row in islice(plan.phases, _MOST_PHASES)],
    }
